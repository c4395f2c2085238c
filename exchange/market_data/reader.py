"""The other end of a feed: a book rebuilt from market data alone.

For whoever shows books without being the venue, and for the judge of what the venue says.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Final
from zlib import crc32

from exchange.market_data.messages import BID, DELETE, NEW, OFFER, TRADE
from fix_engine import tags
from fix_engine.message import Message

_SYMBOL: Final = b"55"
_PRICE: Final = b"270"
_SIZE: Final = b"271"
_ENTRY_ID: Final = b"278"
_ACTION: Final = b"279"
_TYPE: Final = b"269"
_ORDERS: Final = b"346"
_RPT_SEQ: Final = b"83"
_ENGINE_SEQ: Final = b"8023"
_CONFLATED: Final = b"8027"
_CHECKSUM: Final = b"8029"
_LAST_FRAGMENT: Final = b"893"
_CHECKED_LEVELS: Final = 10

Fields = dict[bytes, bytes]


@dataclass(slots=True)
class Level:
    """What is at a price, as it was told."""

    price: bytes
    size: bytes
    orders: bytes


@dataclass(slots=True)
class SymbolView:
    """One instrument as its feed has it; levels by price, orders by side and in their order."""

    symbol: bytes
    rpt_seq: int = 0
    engine_seq: int = 0
    levels: dict[bytes, dict[Decimal, Level]] = field(default_factory=lambda: {BID: {}, OFFER: {}})
    orders: dict[bytes, dict[bytes, Fields]] = field(default_factory=lambda: {BID: {}, OFFER: {}})
    trades: list[Fields] = field(default_factory=list)
    statistics: dict[bytes, bytes] = field(default_factory=dict)
    missing: tuple[int, int] | None = None  # entries that did not come
    is_conflated: bool = False
    checksum: int | None = None
    is_whole: bool = True  # no fragment is missing

    def best(self, kind: bytes, most: int = 0) -> list[Level]:
        """The levels of a side, best first; `most` 0 is all."""
        prices = sorted(self.levels[kind], reverse=kind == BID)
        return [self.levels[kind][price] for price in (prices[:most] if most else prices)]

    def own_checksum(self) -> int:
        """What BookChecksum (8029) must be when this view is right."""
        words: list[bytes] = []
        for kind in (BID, OFFER):
            levels = self.levels[kind] or _put_together(self.orders[kind])
            for price in sorted(levels, reverse=kind == BID)[:_CHECKED_LEVELS]:
                words += levels[price].price, levels[price].size
        return crc32(b" ".join(words))


class FeedReader:
    """What goes by one MDReqID (262), by symbol."""

    def __init__(self) -> None:
        self.views: dict[bytes, SymbolView] = {}

    def take(self, message: Message) -> list[SymbolView]:
        """Take a message in; the views that it has changed.

        After a view says that entries are `missing`, it changes only when they, or everything,
        are told again.
        """
        if message.msg_type == tags.MARKET_DATA_SNAPSHOT:
            return [self._refresh(message)]
        if message.msg_type == tags.MARKET_DATA_INCREMENTAL:
            return self._changes(message)
        return []

    def _refresh(self, message: Message) -> SymbolView:
        symbol = message.get(_SYMBOL) or b""
        old = self.views.get(symbol)
        rpt_seq = int(message.get(_RPT_SEQ) or 0)
        if old is not None and not old.is_whole and old.rpt_seq == rpt_seq:
            view = old
        else:
            view = self.views[symbol] = SymbolView(symbol, rpt_seq)
        view.engine_seq = int(message.get(_ENGINE_SEQ) or 0)
        _mark(view, message)
        for entry in _entries(message, _TYPE):
            _apply(view, entry)
        return view

    def _changes(self, message: Message) -> list[SymbolView]:
        changed: dict[bytes, SymbolView] = {}
        for entry in _entries(message, _ACTION):
            view = self.views[entry[_SYMBOL]]
            seq = int(entry[_RPT_SEQ])
            if seq <= view.rpt_seq:
                continue  # told before: a snapshot has overtaken it, or it was asked for twice
            if seq > view.rpt_seq + 1:
                view.missing = view.missing or (view.rpt_seq + 1, seq - 1)
                continue
            view.rpt_seq, view.engine_seq = seq, int(entry[_ENGINE_SEQ])
            _apply(view, entry)
            if view.missing is not None and seq >= view.missing[1]:
                view.missing = None
            changed[view.symbol] = view
            _mark(view, message)
        return list(changed.values())


def _put_together(orders: dict[bytes, Fields]) -> dict[Decimal, Level]:
    """The levels that orders make."""
    sums: dict[bytes, list[Decimal]] = {}
    for order in orders.values():
        sums.setdefault(order[_PRICE], []).append(Decimal(order[_SIZE].decode()))
    return {
        Decimal(price.decode()): Level(price, _text(sum(sizes)), b"%d" % len(sizes))
        for price, sizes in sums.items()
    }


def _text(number: Decimal | int) -> bytes:
    """As the venue writes it: no zeros behind the point, and no point without a digit."""
    text = format(number, "f")
    return (text.rstrip("0").rstrip(".") if "." in text else text).encode()


def _mark(view: SymbolView, message: Message) -> None:
    checksum = message.get(_CHECKSUM)
    view.checksum = int(checksum) if checksum is not None else None
    view.is_conflated = message.get(_CONFLATED) == tags.YES
    view.is_whole = message.get(_LAST_FRAGMENT) != b"N"


def _entries(message: Message, delimiter: bytes) -> Iterator[Fields]:
    """The entries of the group, whose every one begins with the same field."""
    entry: Fields | None = None
    for tag, value in zip(message.shape.tags, message.values, strict=True):
        if tag == delimiter:
            if entry is not None:
                yield entry
            entry = {}
        if entry is not None:
            entry[tag] = value
    if entry is not None:
        yield entry


def _apply(view: SymbolView, entry: Fields) -> None:
    kind, action = entry[_TYPE], entry.get(_ACTION, NEW)
    if kind == TRADE:
        view.trades.append(entry)
    elif kind not in (BID, OFFER):
        view.statistics[kind] = entry.get(_PRICE) or entry[_SIZE]
    elif _ENTRY_ID in entry:
        orders = view.orders[kind]
        if action == DELETE:
            del orders[entry[_ENTRY_ID]]
        else:
            orders[entry[_ENTRY_ID]] = entry
    else:
        price = Decimal(entry[_PRICE].decode())
        if action == DELETE:
            del view.levels[kind][price]
        else:
            level = Level(entry[_PRICE], entry[_SIZE], entry[_ORDERS])
            view.levels[kind][price] = level
