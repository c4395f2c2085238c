"""What the venue did, in the order in which it did it; each event goes to one session.

Orders go on changing, so an event holds the figures of its moment.
"""

from __future__ import annotations

from dataclasses import dataclass

from exchange.orders import VenueOrder
from fix_engine.message import Message


@dataclass(slots=True)
class Executed:
    """Something happened to an order: ExecutionReport with this ExecType (150).

    Prices in ticks, quantities in lots; `traded_value` is the sum of price times quantity over all
    fills so far. `text` b"" is left out, and so are figures of a fill where `last_quantity` is 0.
    """

    session: int
    order: VenueOrder
    exec_index: int
    exec_type: bytes
    ord_status: bytes
    cl_ord_id: bytes
    orig_cl_ord_id: bytes
    leaves: int
    filled: int
    traded_value: int
    last_quantity: int = 0
    last_price: int = 0
    is_maker: bool = False
    text: bytes = b""
    restatement_reason: int | None = None
    status_req_id: bytes | None = None


@dataclass(slots=True)
class OrderRejected:
    """A new order was refused, or a status request found no order: ExecutionReport, 39=8.

    `order_id` is that of the order whose ClOrdID was used again, otherwise 0.
    """

    session: int
    message: Message
    exec_index: int
    exec_type: bytes
    reason: int
    text: bytes
    order_id: int = 0


@dataclass(slots=True)
class CancelRejected:
    """A cancel or replace was refused: OrderCancelReject; `order` None when it is unknown."""

    session: int
    message: Message
    order: VenueOrder | None
    reason: int
    text: bytes


@dataclass(slots=True)
class BusinessRejected:
    """A request that no order message can answer: BusinessMessageReject."""

    session: int
    message: Message
    reason: int
    text: bytes


VenueEvent = Executed | OrderRejected | CancelRejected | BusinessRejected
