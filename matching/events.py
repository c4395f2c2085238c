"""What happens to orders, in the order in which it happens.

Orders change while a command is executed, so an event holds the figures as they were at its moment.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Generic, TypeVar

from matching.order import Order

O = TypeVar("O", bound=Order)  # noqa: E741 - the caller's kind of order


@dataclass(slots=True)
class Accepted(Generic[O]):
    """The order is in the market; it may trade at once."""

    order: O


@dataclass(slots=True)
class Traded(Generic[O]):
    """Two orders traded `quantity` lots at the maker's price, in ticks."""

    maker: O
    taker: O
    price: int
    quantity: int
    maker_leaves: int
    taker_leaves: int


@dataclass(slots=True)
class Cancelled(Generic[O]):
    """What was left of the order, `quantity` lots, is out of the market."""

    order: O
    quantity: int


@dataclass(slots=True)
class Replaced(Generic[O]):
    """The order has its new price and quantity.

    When `leaves` is 0 that ended the order, and its quantity is what had been filled.
    """

    order: O
    leaves: int


Event = Accepted[O] | Traded[O] | Cancelled[O] | Replaced[O]
