"""What happens to orders, in the order in which it happens.

Orders change while a command is executed, so an event holds the figures as they were at its moment.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import Generic, TypeVar

from matching.order import Order

O = TypeVar("O", bound=Order)  # noqa: E741 - the caller's kind of order


class CancelReason(IntEnum):
    """Why an order is out of the market."""

    REQUESTED = 0
    REMAINDER = 1  # what could not trade at once and may not rest
    SELF_TRADE = 2
    WOULD_TRADE = 3  # a post-only order, once triggered


class RefusalReason(IntEnum):
    """Why a post-only order is not taken as it is wanted."""

    WOULD_TRADE = 1
    NO_PRICE = 2  # behind the best opposite price there is none that is at least 1


@dataclass(slots=True)
class Accepted(Generic[O]):
    """The order is in the market, at its price; it may trade at once, or wait for its trigger."""

    order: O


@dataclass(slots=True)
class Refused(Generic[O]):
    """The order is not accepted, or not replaced and as it was."""

    order: O
    why: RefusalReason


@dataclass(slots=True)
class Triggered(Generic[O]):
    """The order no longer waits; it may trade at once."""

    order: O


@dataclass(slots=True)
class Traded(Generic[O]):
    """Two orders traded `quantity` lots at the maker's price, in ticks.

    A taker with a budget leaves what the rest of it would buy at this price, 0 when it is done.
    """

    maker: O
    taker: O
    price: int
    quantity: int
    maker_leaves: int
    taker_leaves: int


@dataclass(slots=True)
class Reduced(Generic[O]):
    """Instead of trading with its own group, the order got smaller `by` lots, its quantity too."""

    order: O
    by: int
    leaves: int


@dataclass(slots=True)
class Cancelled(Generic[O]):
    """What was left of the order, `quantity` lots, is out of the market.

    Of a budget that is what the rest would buy at the last price it traded at, 0 without a trade.
    """

    order: O
    quantity: int
    reason: CancelReason = CancelReason.REQUESTED


@dataclass(slots=True)
class Replaced(Generic[O]):
    """The order has its new price and quantity.

    When `leaves` is 0 that ended the order, and its quantity is what had been filled. For an order
    with a budget, `leaves` is the budget. One that `keeps_place` rests where it did.
    """

    order: O
    leaves: int
    quantity: int = 0
    former_price: int = 0
    keeps_place: bool = False


Event = (
    Accepted[O] | Refused[O] | Triggered[O] | Traded[O] | Reduced[O] | Cancelled[O] | Replaced[O]
)


def cancel(order: O, reason: CancelReason, out: list[Event[O]]) -> None:
    """Nothing is left of the order, and it is told so."""
    quantity, order.leaves = order.leaves, 0
    out.append(Cancelled(order, quantity, reason))
