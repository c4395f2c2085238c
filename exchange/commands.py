"""What a request asks of the venue, in integers; the request itself rides along for the answer."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING

from exchange.instruments import Instrument
from exchange.order_lists import Contingency
from exchange.orders import OrderTerms
from exchange.rules import Rules
from fix_engine.message import Message
from matching.order import SelfTrade, Side

if TYPE_CHECKING:  # the package of requests imports this one
    from exchange.requests.reasons import Fault
    from exchange.venue.state import MarketState


@dataclass(slots=True)
class Deadline:
    """Until when a request may be executed, UTC nanoseconds, and the tag that says so."""

    at: int
    tag: bytes


@dataclass(slots=True)
class NewOrder:
    """NewOrderSingle; `account` is Account (1), b"" for none."""

    session: int
    message: Message
    cl_ord_id: bytes
    account: bytes
    wanted: OrderTerms
    deadline: Deadline | None = None


@dataclass(slots=True)
class CancelOrder:
    """OrderCancelRequest."""

    session: int
    message: Message
    cl_ord_id: bytes
    orig_cl_ord_id: bytes
    deadline: Deadline | None = None


@dataclass(slots=True)
class ReplaceOrder:
    """OrderCancelReplaceRequest: a new price, total quantity, display, trigger price or expiry."""

    session: int
    message: Message
    cl_ord_id: bytes
    orig_cl_ord_id: bytes
    wanted: OrderTerms
    deadline: Deadline | None = None


@dataclass(slots=True)
class QueryOrder:
    """OrderStatusRequest."""

    session: int
    message: Message
    cl_ord_id: bytes


@dataclass(slots=True)
class Selection:
    """Which orders of an account are meant; None is any."""

    instrument: Instrument | None = None
    side: Side | None = None
    account: bytes | None = None
    is_session_only: bool = False


@dataclass(slots=True)
class MassCancel:
    """OrderMassCancelRequest."""

    session: int
    message: Message
    cl_ord_id: bytes
    selection: Selection


@dataclass(slots=True)
class MassQuery:
    """OrderMassStatusRequest."""

    session: int
    message: Message
    selection: Selection


@dataclass(slots=True)
class QuoteEntry:
    """One entry of a MassQuote: prices in ticks, sizes in lots, both 0 for a side to be taken out.

    `echo` are its fields as they came, `quote_set` is the number of its set in the message. `fault`
    has a QuoteEntryRejectReason (368); without one there is an instrument.
    """

    quote_set: int
    entry_id: bytes
    echo: bytes
    instrument: Instrument | None = None
    bid_price: int = 0
    bid_size: int = 0
    offer_price: int = 0
    offer_size: int = 0
    fault: Fault | None = None


@dataclass(slots=True)
class MassQuote:
    """MassQuote; `sets` are the fields of each set as they came, `level` QuoteResponseLevel (301).

    `fault` has a QuoteRejectReason (300): all of it is refused, whatever the state of the market.
    """

    session: int
    message: Message
    level: int
    entries: list[QuoteEntry] = field(default_factory=list)
    sets: list[bytes] = field(default_factory=list)
    is_reset: bool = False
    deadline: Deadline | None = None
    fault: Fault | None = None


@dataclass(slots=True)
class CancelQuotes:
    """QuoteCancel; `instruments` None means all quotes of the session."""

    session: int
    message: Message
    level: int
    instruments: list[Instrument] | None = None
    fault: Fault | None = None


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
class NewOrderList:
    """NewOrderList of `total` orders, read one by one; `fault` is what is wrong with the whole."""

    session: int
    message: Message
    list_id: bytes
    contingency: Contingency
    total: int
    orders: list[NewOrder | Refuse]
    fault: Fault | None = None


class Scope(Enum):
    """Whose orders a lost connection cancels."""

    SESSION = b"S"
    ACCOUNT = b"A"


@dataclass(slots=True)
class DisconnectPolicy:
    """What becomes of open orders when their session is gone; `cancels` None: as the rules say.

    `after_logout`: a Logout counts like a lost connection. Within `grace_ns` of it a Logon saves
    the orders.
    """

    cancels: bool | None = None
    after_logout: bool = True
    scope: Scope = Scope.SESSION
    grace_ns: int = 0


@dataclass(slots=True)
class SessionUp:
    """A session of `account`, b"" for one of its own, is logged on.

    `wants_summary`: it is to be told what was cancelled in its absence and what is open. `copies`
    are the accounts whose reports it gets as well.
    """

    session: int
    policy: DisconnectPolicy
    account: bytes = b""
    self_trade: SelfTrade | None = None
    wants_summary: bool = False
    copies: tuple[bytes, ...] = ()


@dataclass(slots=True)
class SessionDown:
    """A session is lost, or has logged out."""

    session: int
    is_logout: bool = False


@dataclass(slots=True)
class SetRules:
    """The rules of the venue from here on."""

    rules: Rules


@dataclass(slots=True)
class PassTime:
    """Nothing but that time has passed: something is due."""


@dataclass(slots=True)
class SetMarket:
    """The operator has an instrument take something else from here on; `reason` goes to clients."""

    symbol: bytes
    state: MarketState
    reason: bytes = b""


@dataclass(slots=True)
class SetAccount:
    """The operator stops an account, or lets it trade again."""

    account: bytes
    is_stopped: bool
    reason: bytes = b""


@dataclass(slots=True)
class MoveFunds:
    """A deposit, below zero a withdrawal, in 10 ** -FUNDS_DIGITS; once for each `transfer_id`."""

    transfer_id: bytes
    account: bytes
    currency: bytes
    amount: int
    reason: bytes = b""


@dataclass(slots=True)
class SetCopies:
    """The accounts whose reports a session gets as well, from here on."""

    session: int
    copies: tuple[bytes, ...]
    reason: bytes = b""


Command = (
    NewOrder
    | NewOrderList
    | CancelOrder
    | ReplaceOrder
    | QueryOrder
    | MassCancel
    | MassQuery
    | MassQuote
    | CancelQuotes
    | Refuse
    | SessionUp
    | SessionDown
    | SetRules
    | PassTime
    | SetMarket
    | SetAccount
    | MoveFunds
    | SetCopies
)
