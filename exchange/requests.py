"""FIX requests to commands: pure parsing, which needs the list of instruments and nothing else."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from exchange.commands import CancelOrder, Command, NewOrder, QueryOrder, Refuse, ReplaceOrder
from exchange.instruments import Instrument
from fix_engine import tags
from fix_engine.message import Message
from matching.order import OrderType, Side, TimeInForce

# OrdRejReason (103)
UNKNOWN_SYMBOL: Final = 1
EXCEEDS_LIMIT: Final = 3
DUPLICATE_ORDER: Final = 6
UNSUPPORTED_CHARACTERISTIC: Final = 11
INCORRECT_QUANTITY: Final = 13
OTHER: Final = 99
# BusinessRejectReason (380)
UNSUPPORTED_MESSAGE_TYPE: Final = 3
CONDITIONALLY_REQUIRED_FIELD_MISSING: Final = 5

_SIDES = {b"1": Side.BUY, b"2": Side.SELL}
_ORDER_TYPES = {b"1": OrderType.MARKET, b"2": OrderType.LIMIT}
_TIMES_IN_FORCE = {
    None: TimeInForce.GOOD_TILL_CANCEL,  # an always open market has no day; see the rules
    b"1": TimeInForce.GOOD_TILL_CANCEL,
    b"3": TimeInForce.IMMEDIATE_OR_CANCEL,
    b"4": TimeInForce.FILL_OR_KILL,
}


@dataclass(slots=True)
class _Terms:
    """What D and G have in common."""

    instrument: Instrument
    side: Side
    order_type: OrderType
    time_in_force: TimeInForce
    price: int
    quantity: int


class RequestParser:
    """Turns valid messages into commands; what cannot be one becomes Refuse."""

    def __init__(self, instruments: Iterable[Instrument]) -> None:
        self._instruments = {instrument.symbol: instrument for instrument in instruments}
        self._parsers = {
            tags.NEW_ORDER_SINGLE: self._new_order,
            tags.ORDER_CANCEL_REQUEST: self._cancel,
            tags.ORDER_CANCEL_REPLACE_REQUEST: self._replace,
            tags.ORDER_STATUS_REQUEST: self._query,
        }

    def knows(self, msg_type: bytes) -> bool:
        """Whether messages of this type can be requests at all."""
        return msg_type in self._parsers

    def parse(self, session: int, message: Message) -> Command:
        """The command that a message of this session asks for."""
        parser = self._parsers.get(message.msg_type)
        if parser is None:
            text = b"Unsupported Message Type"
            return Refuse(session, message, text, OTHER, UNSUPPORTED_MESSAGE_TYPE)
        return parser(session, message)

    def _new_order(self, session: int, message: Message) -> Command:
        terms = self._terms(session, message)
        if isinstance(terms, Refuse):
            return terms
        return NewOrder(
            session,
            message,
            message.get(tags.CL_ORD_ID) or b"",
            terms.instrument,
            terms.side,
            terms.order_type,
            terms.time_in_force,
            terms.price,
            terms.quantity,
        )

    def _cancel(self, session: int, message: Message) -> Command:
        get = message.get
        return CancelOrder(
            session, message, get(tags.CL_ORD_ID) or b"", get(tags.ORIG_CL_ORD_ID) or b""
        )

    def _replace(self, session: int, message: Message) -> Command:
        terms = self._terms(session, message)
        if isinstance(terms, Refuse):
            return terms
        return ReplaceOrder(
            session,
            message,
            message.get(tags.CL_ORD_ID) or b"",
            message.get(tags.ORIG_CL_ORD_ID) or b"",
            terms.order_type,
            terms.time_in_force,
            terms.price,
            terms.quantity,
        )

    def _query(self, session: int, message: Message) -> Command:
        return QueryOrder(session, message, message.get(tags.CL_ORD_ID) or b"")

    def _terms(self, session: int, message: Message) -> _Terms | Refuse:
        def refuse(text: bytes, reason: int, business_reason: int | None = None) -> Refuse:
            return Refuse(session, message, text, reason, business_reason)

        get = message.get
        instrument = self._instruments.get(get(tags.SYMBOL) or b"")
        if instrument is None:
            symbol = (get(tags.SYMBOL) or b"")[:64]
            return refuse(b"Symbol (55) %b is not traded here" % symbol, UNKNOWN_SYMBOL)
        side = _SIDES.get(get(tags.SIDE) or b"")
        if side is None:
            return refuse(b"Side (54) must be 1, buy, or 2, sell", UNSUPPORTED_CHARACTERISTIC)
        order_type = _ORDER_TYPES.get(get(tags.ORD_TYPE) or b"")
        if order_type is None:
            text = b"OrdType (40) must be 1, market, or 2, limit"
            return refuse(text, UNSUPPORTED_CHARACTERISTIC)
        time_in_force = _TIMES_IN_FORCE.get(get(tags.TIME_IN_FORCE))
        if time_in_force is None:
            text = b"TimeInForce (59) must be 1, GTC, 3, IOC, or 4, FOK"
            return refuse(text, UNSUPPORTED_CHARACTERISTIC)
        price = _price(instrument, order_type, get(tags.PRICE))
        if isinstance(price, bytes):
            missing = CONDITIONALLY_REQUIRED_FIELD_MISSING if get(tags.PRICE) is None else None
            return refuse(price, OTHER, missing)
        quantity_text = get(tags.ORDER_QTY)
        if quantity_text is None:
            text = b"OrderQty (38) is required"
            return refuse(text, OTHER, CONDITIONALLY_REQUIRED_FIELD_MISSING)
        quantity = instrument.quantities.parse(quantity_text)
        if quantity is None or quantity < instrument.min_quantity:
            return refuse(_quantity_fault(instrument, quantity_text, quantity), INCORRECT_QUANTITY)
        if quantity > instrument.max_quantity:
            return refuse(_quantity_fault(instrument, quantity_text, quantity), EXCEEDS_LIMIT)
        return _Terms(instrument, side, order_type, time_in_force, price, quantity)


def _price(instrument: Instrument, order_type: OrderType, text: bytes | None) -> int | bytes:
    """The price in ticks, 0 for a market order, or what is wrong with it."""
    if order_type is OrderType.MARKET:
        return 0 if text is None else b"Price (44) must not be there on a market order"
    if text is None:
        return b"Price (44) is required on a limit order"
    price = instrument.prices.parse(text)
    if price is None:
        tick = instrument.prices.format(1)
        return b"Price (44) %b is not a multiple of the tick %b" % (text[:40], tick)
    return price if price > 0 else b"Price (44) %b must be above zero" % text[:40]


def _quantity_fault(instrument: Instrument, text: bytes, quantity: int | None) -> bytes:
    grid = instrument.quantities
    if quantity is None:
        fault = b"is not a multiple of the lot %b" % grid.format(1)
    elif quantity < instrument.min_quantity:
        fault = b"is below the minimum of %b" % grid.format(instrument.min_quantity)
    else:
        fault = b"is above the maximum of %b" % grid.format(instrument.max_quantity)
    return b"OrderQty (38) %b %b" % (text[:40], fault)
