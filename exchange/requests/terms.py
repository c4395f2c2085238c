"""What D and G have in common: instrument, side, type, price and quantity."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, NamedTuple

from exchange.instruments import Instrument
from exchange.orders import OrderTerms
from exchange.requests.reasons import (
    EXCEEDS_LIMIT,
    INCORRECT_QUANTITY,
    OTHER,
    UNKNOWN_SYMBOL,
    Fault,
    missing,
    unsupported,
)
from fix_engine import tags
from fix_engine.message import Message, Shape
from matching.order import OrderType, Side, TimeInForce

SIDES: Final = {b"1": Side.BUY, b"2": Side.SELL}
ORDER_TYPES: Final = {b"1": OrderType.MARKET, b"2": OrderType.LIMIT}
_TIMES_IN_FORCE: Final = {
    None: TimeInForce.GOOD_TILL_CANCEL,  # an always open market has no day; see the rules
    b"0": TimeInForce.DAY,
    b"1": TimeInForce.GOOD_TILL_CANCEL,
    b"3": TimeInForce.IMMEDIATE_OR_CANCEL,
    b"4": TimeInForce.FILL_OR_KILL,
    b"6": TimeInForce.GOOD_TILL_DATE,
}


PLAIN_TIMES_IN_FORCE: Final = {
    value: one for value, one in _TIMES_IN_FORCE.items() if one is not TimeInForce.GOOD_TILL_DATE
}
_WITHOUT: Final = _TIMES_IN_FORCE[None]
_LIMIT: Final = OrderType.LIMIT
_OF_EVERY_ORDER: Final = frozenset(
    (tags.CL_ORD_ID, tags.SYMBOL, tags.SIDE, tags.ORD_TYPE, tags.ORDER_QTY)
)
_OF_PLAIN_ORDERS: Final = (
    *(tags.CL_ORD_ID, tags.ACCOUNT),
    *(tags.SYMBOL, tags.SIDE, tags.ORD_TYPE, tags.ORDER_QTY, tags.PRICE, tags.TIME_IN_FORCE),
)


class Places(NamedTuple):
    """Where the fields of an order stand in messages of one shape; -1: it is not there."""

    cl_ord_id: int
    account: int
    symbol: int
    side: int
    ord_type: int
    order_qty: int
    price: int
    time_in_force: int

    @classmethod
    def of(cls, shape: Shape) -> Places | None:
        """None where one is missing that every order has."""
        if not shape.index.keys() >= _OF_EVERY_ORDER:
            return None
        return cls(*(shape.index.get(tag, -1) for tag in _OF_PLAIN_ORDERS))


def plain_terms(
    instruments: Mapping[bytes, Instrument],
    message: Message,
    places: Places,
    is_replacement: bool = False,
) -> OrderTerms | Fault:
    """The terms of a market or limit order without conditions, or what is wrong with them.

    The least quantity of a replacement depends on the order, and is not looked at here.
    """
    values = message.values
    _, _, at_symbol, at_side, at_type, at_quantity, at_price, at_time = places
    try:
        instrument = instruments[values[at_symbol]]
        side = SIDES[values[at_side]]
        order_type = ORDER_TYPES[values[at_type]]
        time_in_force = PLAIN_TIMES_IN_FORCE[values[at_time]] if at_time >= 0 else _WITHOUT
    except KeyError:
        return _what_is_wrong(instruments, message, is_replacement)
    quantity = instrument.quantities.numbers[values[at_quantity]]
    price: int | None = 0
    if order_type is _LIMIT:
        price = instrument.prices.numbers[values[at_price]] if at_price >= 0 else None
        is_priced = price is not None and price > 0
    else:
        is_priced = at_price < 0
    least = 1 if is_replacement else instrument.min_quantity
    if (
        price is None
        or quantity is None
        or not is_priced
        or not least <= quantity <= instrument.max_quantity
    ):
        return _what_is_wrong(instruments, message, is_replacement)
    return OrderTerms(instrument, side, order_type, time_in_force, price, quantity)


def _what_is_wrong(
    instruments: Mapping[bytes, Instrument], message: Message, is_replacement: bool
) -> Fault:
    """The first fault of an order that has one; looked for only once it is known to be there."""
    found = instrument_and_side(instruments, message)
    if isinstance(found, Fault):
        return found
    order_type = ORDER_TYPES.get(message.get(tags.ORD_TYPE) or b"")
    if order_type is None:
        return unsupported(
            b"OrdType (40) must be 1, market, 2, limit, 3, stop, 4, stop limit, J, market if "
            b"touched, or P, pegged as trailing stop"
        )
    for fault in (
        parse_time_in_force(message),
        parse_price(found[0], order_type, message.get(tags.PRICE)),
        parse_quantity(found[0], message.get(tags.ORDER_QTY), is_replacement),
    ):
        if isinstance(fault, Fault):
            return fault
    raise AssertionError("a sound order was taken for a faulty one")


def instrument_and_side(
    instruments: Mapping[bytes, Instrument], message: Message
) -> tuple[Instrument, Side] | Fault:
    """What is traded and in which direction, or what is wrong with it."""
    symbol = message.get(tags.SYMBOL) or b""
    instrument = instruments.get(symbol)
    if instrument is None:
        return Fault(b"Symbol (55) %b is not traded here" % symbol[:64], UNKNOWN_SYMBOL)
    side = SIDES.get(message.get(tags.SIDE) or b"")
    if side is None:
        return unsupported(b"Side (54) must be 1, buy, or 2, sell")
    return instrument, side


def parse_time_in_force(message: Message) -> TimeInForce | Fault:
    """TimeInForce (59); without one, good till cancel."""
    time_in_force = _TIMES_IN_FORCE.get(message.get(tags.TIME_IN_FORCE))
    if time_in_force is None:
        return unsupported(
            b"TimeInForce (59) must be 0, day, 1, GTC, 3, IOC, 4, FOK, or 6, GTD with ExpireTime"
        )
    if time_in_force is TimeInForce.GOOD_TILL_DATE and not (
        tags.EXPIRE_TIME in message.shape.index or tags.EXPIRE_DATE in message.shape.index
    ):
        return missing(b"ExpireTime (126) or ExpireDate (432) is required with TimeInForce (59) 6")
    return time_in_force


def parse_price(instrument: Instrument, order_type: OrderType, text: bytes | None) -> int | Fault:
    """Price (44) in ticks, 0 for a market order."""
    if order_type is OrderType.MARKET:
        return 0 if text is None else Fault(b"Price (44) must not be there on a market order")
    if text is None:
        return missing(b"Price (44) is required on a limit order")
    return parse_ticks(instrument, b"Price (44)", text)


def parse_ticks(instrument: Instrument, name: bytes, text: bytes) -> int | Fault:
    """A price of any field, above zero."""
    price = instrument.prices.parse(text)
    if price is None:
        tick = instrument.prices.format(1)
        return Fault(b"%b %b is not a multiple of the tick %b" % (name, text[:40], tick), OTHER)
    return price if price > 0 else Fault(b"%b %b must be above zero" % (name, text[:40]))


def parse_quantity(
    instrument: Instrument, text: bytes | None, is_replacement: bool = False
) -> int | Fault:
    """OrderQty (38) in lots; that of a replacement may be below the minimum, if the order's is."""
    if text is None:
        return missing(b"OrderQty (38) is required")
    quantity = instrument.quantities.parse(text)
    least = 1 if is_replacement else instrument.min_quantity
    if quantity is not None and least <= quantity <= instrument.max_quantity:
        return quantity
    grid, reason = instrument.quantities, INCORRECT_QUANTITY
    if quantity is None:
        fault = b"is not a multiple of the lot %b" % grid.format(1)
    elif quantity < instrument.min_quantity:
        fault = b"is below the minimum of %b" % grid.format(instrument.min_quantity)
    else:
        fault = b"is above the maximum of %b" % grid.format(instrument.max_quantity)
        reason = EXCEEDS_LIMIT
    return Fault(b"OrderQty (38) %b %b" % (text[:40], fault), reason)
