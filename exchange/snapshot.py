"""The whole state of the venue as bytes, and back: equal venues have equal bytes.

Versioned, and made of nothing but integers, names and their order; a venue that is restored goes on
exactly as the one that was dumped.
"""

from __future__ import annotations

import json
import struct
from dataclasses import asdict
from typing import Final

from exchange.orders import VenueOrder
from exchange.rules import InstrumentRules, RulesError, decode_rules
from exchange.venue import SessionState, Venue
from matching.order import OrderType, Side, TimeInForce

_VERSION: Final = 1
_COUNT: Final = struct.Struct("<Q")
_SESSION: Final = struct.Struct("<I??QQQ")  # number, is up, cancels, names, open, retired
_ORDER: Final = struct.Struct("<QIIBBB??QQQQ")
_SIZE: Final = struct.Struct("<H")


def dump_venue(venue: Venue) -> bytes:
    """The state of a venue."""
    orders: dict[int, VenueOrder] = {}
    for state in venue.sessions.values():
        for order in state.by_cl_ord_id.values():
            orders[order.order_id] = order
    out = [_COUNT.pack(_VERSION), _sized(_rules(venue)), _COUNT.pack(len(orders))]
    out += (_dump_order(order) for _, order in sorted(orders.items()))
    out.append(_COUNT.pack(len(venue.sessions)))
    for number, state in sorted(venue.sessions.items()):
        out.append(_dump_session(number, state))
    for book in venue.engine.books:
        resting = [order.order_id for order in book.orders()]
        out += (_COUNT.pack(len(resting)), struct.pack(f"<{len(resting)}Q", *resting))
    return b"".join(out)


def load_venue(data: bytes, venue: Venue) -> None:
    """Give a new venue the state of another; raises ValueError when it cannot be understood."""
    try:
        _load(_Cursor(data), venue)
    except (struct.error, KeyError, IndexError, TypeError, ValueError, RulesError) as error:
        raise ValueError(f"the venue in it cannot be understood: {error}") from error


class _Cursor:
    """Reads one value after the other."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    def unpack(self, shape: struct.Struct) -> tuple[int, ...]:
        found = shape.unpack_from(self._data, self._at)
        self._at += shape.size
        return found

    def count(self) -> int:
        return self.unpack(_COUNT)[0]

    def numbers(self, count: int) -> tuple[int, ...]:
        return self.unpack(struct.Struct(f"<{count}Q"))

    def take(self, size: int) -> bytes:
        start, self._at = self._at, self._at + size
        if self._at > len(self._data):
            raise ValueError("it ends too early")
        return self._data[start : self._at]

    def name(self) -> bytes:
        return self.take(self.unpack(_SIZE)[0])


def _rules(venue: Venue) -> bytes:
    assert venue.rules is not None
    every = [asdict(one) for one in venue.listing.every_rules()]
    return json.dumps(
        {"rules": venue.rules.encode().decode(), "listed": every}, sort_keys=True
    ).encode()


def _load(cursor: _Cursor, venue: Venue) -> None:
    version = cursor.count()
    if version != _VERSION:
        raise ValueError(f"it has version {version}, this Seamark reads {_VERSION}")
    head = json.loads(cursor.take(cursor.count()))
    venue.resume_rules(
        decode_rules(head["rules"].encode()), [InstrumentRules(**one) for one in head["listed"]]
    )
    orders = {}
    for _ in range(cursor.count()):
        order = _load_order(cursor, venue)
        orders[order.order_id] = order
    for _ in range(cursor.count()):
        _load_session(cursor, venue, orders)
    for book in venue.engine.books:
        for order_id in cursor.numbers(cursor.count()):
            resting = orders[order_id]
            book.side_of(resting).add(resting)


def _dump_order(order: VenueOrder) -> bytes:
    fixed = _ORDER.pack(
        order.order_id,
        order.instrument_id,
        order.session,
        order.side,
        order.order_type,
        order.time_in_force,
        order.is_open,
        order.was_cancelled,
        order.price,
        order.quantity,
        order.leaves,
        order.filled,
    )
    value = b"%d" % order.traded_value
    return fixed + _short(value) + _short(order.account) + _short(order.cl_ord_id)


def _load_order(cursor: _Cursor, venue: Venue) -> VenueOrder:
    order_id, instrument_id, session, side, order_type, tif, *rest = cursor.unpack(_ORDER)
    is_open, was_cancelled, price, quantity, leaves, filled = rest
    value, account, cl_ord_id = cursor.name(), cursor.name(), cursor.name()
    order = VenueOrder(
        order_id,
        session,
        venue.listing[instrument_id],
        Side(side),
        OrderType(order_type),
        TimeInForce(tif),
        price,
        quantity,
        cl_ord_id,
        account,
    )
    order.leaves, order.filled, order.traded_value = leaves, filled, int(value)
    order.is_open, order.was_cancelled = bool(is_open), bool(was_cancelled)
    return order


def _dump_session(number: int, state: SessionState) -> bytes:
    out = [
        _SESSION.pack(
            number,
            state.is_up,
            state.cancel_on_disconnect,
            len(state.by_cl_ord_id),
            len(state.open),
            len(state.retired),
        )
    ]
    for name, order in state.by_cl_ord_id.items():
        out += (_COUNT.pack(order.order_id), _short(name))
    out.append(struct.pack(f"<{len(state.open)}Q", *state.open))
    out += (_short(name) for name in state.retired)
    return b"".join(out)


def _load_session(cursor: _Cursor, venue: Venue, orders: dict[int, VenueOrder]) -> None:
    number, is_up, cancels, names, opened, retired = cursor.unpack(_SESSION)
    state = venue.sessions[number] = SessionState()
    state.is_up, state.cancel_on_disconnect = bool(is_up), bool(cancels)
    for _ in range(names):
        order = orders[cursor.count()]
        state.by_cl_ord_id[cursor.name()] = order
    state.open = {order_id: orders[order_id] for order_id in cursor.numbers(opened)}
    state.retired.extend(cursor.name() for _ in range(retired))


def _sized(data: bytes) -> bytes:
    return _COUNT.pack(len(data)) + data


def _short(data: bytes) -> bytes:
    return _SIZE.pack(len(data)) + data
