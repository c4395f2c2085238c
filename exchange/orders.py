"""An order as the venue knows it: the market's order with its owner and its names."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from exchange.instruments import Instrument
from matching.order import Order, OrderType, SelfTrade, Side, TimeInForce
from matching.terms import Terms

if TYPE_CHECKING:
    from exchange.quotes import Quote
    from exchange.venue.state import AccountState

_FURTHER: Final = 10**15
StaticFields = tuple[bytes, bytes, bytes]

NEW = b"0"
PARTIALLY_FILLED = b"1"
FILLED = b"2"
CANCELED = b"4"
REJECTED = b"8"
PENDING_NEW = b"A"
EXPIRED = b"C"
STATUS_NAMES = {
    NEW: b"New",
    PARTIALLY_FILLED: b"Partially filled",
    FILLED: b"Filled",
    CANCELED: b"Canceled",
    REJECTED: b"Rejected",
    PENDING_NEW: b"Pending new",
    EXPIRED: b"Expired",
}


@dataclass(slots=True)
class Conditions:
    """What few orders have besides their terms in the market; times in nanoseconds, 0 for none.

    `ord_type` is OrdType (40) as it was asked for; `repeated` are the fields that reports repeat as
    they came, by tag. `expires_at` is when it was asked to end. `cancel_on_disconnect` None leaves
    it to the session. `starts_at` is 0 again once the order is in the market. `price_wanted` may
    differ from the price of a post-only order. `is_held`: it waits for another order of its list.
    `quote` is the one that the order is a side of.
    """

    ord_type: bytes
    repeated: dict[bytes, bytes] = field(default_factory=dict)
    expires_at: int = 0
    starts_at: int = 0
    price_wanted: int = 0
    cancel_on_disconnect: bool | None = None
    is_held: bool = False
    quote: Quote | None = None


@dataclass(slots=True)
class OrderTerms:
    """What an order is asked to be: price in ticks, 0 for a market order, quantity in lots.

    The last three are None for most orders; `self_trade` None leaves it to the session.
    """

    instrument: Instrument
    side: Side
    order_type: OrderType
    time_in_force: TimeInForce
    price: int
    quantity: int
    terms: Terms | None = None
    conditions: Conditions | None = None
    self_trade: SelfTrade | None = None


class VenueOrder(Order):
    """The market's order, whose it is, and what its owner has called it.

    `session` gets the reports: the one that placed or replaced it last. `cl_ord_id` is the present
    one of the order's chain. `filled` lots have traded for `traded_value`, the sum of price times
    quantity. `account` is Account (1) as the client gave it, b"" for none. `expires_at` is when its
    time is over, UTC nanoseconds, 0 for never. `ended` is the OrdStatus
    of an order that was cancelled or has expired. `static_fields` is a place for the report encoder
    to keep what does not change between two replacements.
    """

    __slots__ = (
        "account",
        "cl_ord_id",
        "conditions",
        "ended",
        "expires_at",
        "filled",
        "instrument",
        "is_open",
        "owner",
        "session",
        "static_fields",
        "time_in_force",
        "traded_value",
    )

    def __init__(
        self,
        order_id: int,
        session: int,
        owner: AccountState,
        wanted: OrderTerms,
        cl_ord_id: bytes,
        account: bytes,
        self_trade: SelfTrade = SelfTrade.CANCEL_NEWEST,
    ) -> None:
        # Not by `super`: every order comes by here, and calls cost.
        self.order_id = order_id
        self.instrument = instrument = wanted.instrument
        self.instrument_id = instrument.instrument_id
        self.side = wanted.side
        self.order_type = wanted.order_type
        self.price = wanted.price
        self.quantity = self.leaves = wanted.quantity
        self.self_trade_group = owner.self_trade_group
        self.self_trade = self_trade
        self.terms = wanted.terms
        self.session = session
        self.owner = owner
        self.time_in_force = wanted.time_in_force
        self.account = account
        self.cl_ord_id = cl_ord_id
        self.conditions = wanted.conditions
        self.filled = self.traded_value = self.expires_at = 0
        self.is_open = True
        self.ended = b""
        self.static_fields: StaticFields | None = None

    @property
    def status(self) -> bytes:
        """OrdStatus (39) now."""
        if self.ended:
            return self.ended
        if self.is_pending:
            return PENDING_NEW
        if self.is_open and not self.filled:
            return NEW  # one with a budget leaves no quantity
        return status(self.filled, self.leaves)

    @property
    def is_pending(self) -> bool:
        """Whether it is not in the market before its time, or before another one of its list."""
        conditions = self.conditions
        return conditions is not None and (conditions.starts_at > 0 or conditions.is_held)


def status(filled: int, leaves: int) -> bytes:
    """OrdStatus (39) of an order that has not been ended otherwise."""
    if not leaves:
        return FILLED
    return PARTIALLY_FILLED if filled else NEW


def further_order_id(position: int, number: int) -> int:
    """The OrderID of the `number`th order, from 0, of a command that makes many.

    The first, or only one, has the position of its command: no journal comes to so many positions.
    """
    return number * _FURTHER + position
