"""The unusual conditions of an order: how it shows itself, what it insists on, what wakes it.

A plain order has none of them, and costs nothing for there being some.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import Final

from matching.order import Order, TimeInForce

_BASIS_POINTS: Final = 10_000


class PostOnly(IntEnum):
    """What happens to an order that may only rest when it would trade at once."""

    NO = 0
    REJECT = 1
    REPRICE = 2


class Direction(IntEnum):
    """Where the reference must come from; the value is the sign that makes a fall a rise."""

    RISE = 1
    FALL = -1


class Reference(IntEnum):
    """What a trigger looks at."""

    LAST = 0  # the price of the last trade
    BEST = 1  # the best price on the other side of the order


@dataclass(slots=True)
class Trigger:
    """Keeps an order out of the book until the reference is at `price` or beyond it.

    With `trail` (ticks) or `trail_bps` (basis points of the reference) the price follows the
    reference at that distance, towards it and never away, and is never below one tick; 0 is then a
    price that is not yet set.
    The rest is state: the `time_in_force` of the order once it is awake, and `entry`, its place
    among those that wait, 0 when it does not wait.
    """

    price: int
    direction: Direction
    reference: Reference = Reference.LAST
    trail: int = 0
    trail_bps: int = 0
    time_in_force: TimeInForce = TimeInForce.GOOD_TILL_CANCEL
    entry: int = 0

    @property
    def trails(self) -> bool:
        """Whether the price follows the reference."""
        return self.trail > 0 or self.trail_bps > 0

    def followed(self, reference: int) -> int:
        """The price once it has followed the reference."""
        # Rounded up: a distance of no tick would fire at once.
        distance = self.trail or max(-(-abs(reference) * self.trail_bps // _BASIS_POINTS), 1)
        # A distance beyond zero leaves the lowest price there is: 0 would be a price not yet set.
        price = max(reference + self.direction * distance, 1)
        if not self.price:
            return price
        nearer = min if self.direction is Direction.RISE else max
        return nearer(self.price, price)


@dataclass(slots=True)
class Terms:
    """The conditions of one order; 0, NO and None are the lack of one.

    - `display` lots of an iceberg are seen at a time; state: `shown`, what is left of them while it
      rests, and `slices`, how often it has shown more and lost its place.
    - `min_quantity` lots, or all if there are fewer, trade at once, or it is cancelled in full.
    - `post_only`: a limit order comes to rest without having traded.
    - `budget`, in ticks times lots, is what a market order may spend instead of a quantity; state:
      what is left of it.
    - `trigger`: it waits outside of the book until that fires.
    """

    display: int = 0
    shown: int = 0
    min_quantity: int = 0
    post_only: PostOnly = PostOnly.NO
    budget: int = 0
    trigger: Trigger | None = None
    slices: int = 0


def terms_of(order: Order) -> Terms:
    """The terms of an order; one without gets some that say nothing yet."""
    terms = order.terms
    if terms is None:
        terms = order.terms = Terms()
    return terms
