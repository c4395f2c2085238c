"""What the venue did, in the order in which it did it; each event goes to one session.

Orders go on changing, so an event holds the figures of its moment.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from exchange.commands import QuoteEntry
from exchange.instruments import Instrument
from exchange.order_lists import Contingency
from exchange.orders import VenueOrder
from fix_engine.message import Message

if TYPE_CHECKING:
    from exchange.venue.state import MarketState


@dataclass(slots=True)
class QueryAnswer:
    """What a report answers, when it answers a question: fields of the request, repeated.

    `total` is how many reports answer a mass status request, and `is_last` the last of them.
    """

    fields: bytes
    total: int = 0
    is_last: bool = False


@dataclass(slots=True)
class Executed:
    """Something happened to an order: ExecutionReport with this ExecType (150).

    Prices in ticks, quantities in lots; `traded_value` is the sum of price times quantity over all
    fills so far, `fee` in 10 ** -FEE_DIGITS of such a product. `text` b"" is left out, and so are
    figures of a fill where `last_quantity` is 0. `quantity` is OrderQty where that has changed
    within the same command, otherwise 0.
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
    fee: int = 0
    text: bytes = b""
    restatement_reason: int | None = None
    query: QueryAnswer | None = None
    quantity: int = 0


@dataclass(slots=True)
class OrderRejected:
    """A new order was refused, or a status request found no order: ExecutionReport, 39=8.

    `order_id` is that of the order that goes by its ClOrdID: an earlier one, or this one where the
    market has refused it; otherwise 0.
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


@dataclass(slots=True)
class MassCancelled:
    """The answer to a mass cancel: OrderMassCancelReport.

    `message` None: nobody asked, a session is told what its absence has cost. `reason` is
    MassCancelRejectReason (532) when it was refused, otherwise None; `affected` counts orders.
    """

    session: int
    message: Message | None
    affected: int
    reason: int | None = None
    text: bytes = b""


@dataclass(slots=True)
class MassQueryAnswered:
    """A mass status request that no order answers: ExecutionReport, 911=0."""

    session: int
    message: Message
    exec_index: int
    text: bytes


@dataclass(slots=True)
class ListEntry:
    """Where one order of a list stands; `order` None when it was refused, for `reason`."""

    cl_ord_id: bytes
    ord_status: bytes
    order: VenueOrder | None = None
    leaves: int = 0
    filled: int = 0
    cancelled: int = 0
    traded_value: int = 0
    reason: int | None = None
    text: bytes = b""


@dataclass(slots=True)
class ListReported:
    """The answer to a list, or that it is done: ListStatus."""

    session: int
    list_id: bytes
    contingency: Contingency
    status_type: int
    list_status: int
    total: int
    entries: list[ListEntry]
    text: bytes = b""


@dataclass(slots=True)
class QuotesAcknowledged:
    """The answer to a MassQuote or a QuoteCancel: MassQuoteAcknowledgement.

    `status` is QuoteStatus (297), `reason` QuoteRejectReason (300), 0 for none. `entries` are those
    that it tells of, each with its QuoteEntryRejectReason (368), 0 where it was taken; `sets` are
    the fields of the sets that they are in.
    """

    session: int
    message: Message
    status: int
    reason: int = 0
    text: bytes = b""
    entries: list[tuple[QuoteEntry, int]] = field(default_factory=list)
    sets: list[bytes] = field(default_factory=list)


@dataclass(slots=True)
class QuoteRemoved:
    """What is left of a quote that its maker did not change: QuoteStatusReport.

    A side that is out of the market has price and size 0; `text` says why.
    """

    session: int
    instrument: Instrument
    quote_id: bytes
    entry_id: bytes
    bid_price: int
    bid_size: int
    offer_price: int
    offer_size: int
    text: bytes


@dataclass(slots=True)
class MarketChanged:
    """What an instrument takes, to a session for which that is new: SecurityStatus."""

    session: int
    symbol: bytes
    state: MarketState
    text: bytes


@dataclass(slots=True)
class Copied:
    """A report on an order of `account` to another session, for one that watches the account."""

    session: int
    report: Executed | OrderRejected
    account: bytes


VenueEvent = (
    Executed
    | OrderRejected
    | CancelRejected
    | BusinessRejected
    | MassCancelled
    | MassQueryAnswered
    | ListReported
    | QuotesAcknowledged
    | QuoteRemoved
    | MarketChanged
    | Copied
)
