"""What a request asks of the venue, in integers; the request itself rides along for the answer."""

from __future__ import annotations

from dataclasses import dataclass

from exchange.instruments import Instrument
from exchange.rules import Rules
from fix_engine.message import Message
from matching.order import OrderType, Side, TimeInForce


@dataclass(slots=True)
class NewOrder:
    """NewOrderSingle; price in ticks (0 for a market order), quantity in lots."""

    session: int
    message: Message
    cl_ord_id: bytes
    instrument: Instrument
    side: Side
    order_type: OrderType
    time_in_force: TimeInForce
    price: int
    quantity: int


@dataclass(slots=True)
class CancelOrder:
    """OrderCancelRequest."""

    session: int
    message: Message
    cl_ord_id: bytes
    orig_cl_ord_id: bytes


@dataclass(slots=True)
class ReplaceOrder:
    """OrderCancelReplaceRequest: a new price and total quantity for a resting limit order."""

    session: int
    message: Message
    cl_ord_id: bytes
    orig_cl_ord_id: bytes
    order_type: OrderType
    time_in_force: TimeInForce
    price: int
    quantity: int


@dataclass(slots=True)
class QueryOrder:
    """OrderStatusRequest."""

    session: int
    message: Message
    cl_ord_id: bytes


@dataclass(slots=True)
class Refuse:
    """A request that cannot be carried out whatever the state of the market.

    It goes through the venue all the same: every answer has its place in the order of events.
    `ord_rej_reason` is OrdRejReason (103) should the request be a new order. `business_reason` is
    BusinessRejectReason (380) where no order message can say what is wrong, otherwise None.
    """

    session: int
    message: Message
    text: bytes
    ord_rej_reason: int
    business_reason: int | None = None


@dataclass(slots=True)
class SessionUp:
    """A session is logged on; `cancel_on_disconnect` None leaves it to the venue's default."""

    session: int
    cancel_on_disconnect: bool | None


@dataclass(slots=True)
class SessionDown:
    """A session is lost or logged out."""

    session: int


@dataclass(slots=True)
class SetRules:
    """The rules of the venue from here on."""

    rules: Rules


Command = (
    NewOrder | CancelOrder | ReplaceOrder | QueryOrder | Refuse | SessionUp | SessionDown | SetRules
)
