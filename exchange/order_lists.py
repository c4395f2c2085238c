"""Lists of orders: what came in one message, and may depend on each other."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

from exchange.orders import VenueOrder


class Contingency(IntEnum):
    """ContingencyType (1385) of FIX 5.0."""

    NONE = 0  # a batch: nothing
    OCO = 1  # one cancels the other
    OTO = 2  # the first triggers the second; or two, which are an OCO then


@dataclass(slots=True)
class OrderList:
    """A list of which an order is open; `session` sent it, `orders` are those that were taken.

    `moved` is the order of `pair` that has traded, was triggered or has ended first.
    """

    list_id: bytes
    contingency: Contingency
    session: int
    orders: list[VenueOrder]
    moved: VenueOrder | None = None

    @property
    def pair(self) -> list[VenueOrder]:
        """The two orders of which one cancels the other; none where that is not so."""
        if self.contingency is Contingency.OCO:
            return self.orders
        is_oto = self.contingency is Contingency.OTO
        return self.orders[1:] if is_oto and len(self.orders) == 3 else []

    def note(self, order: VenueOrder) -> None:
        """Something has happened to an order."""
        if self.moved is None and order in self.pair and has_moved(order):
            self.moved = order


def has_moved(order: VenueOrder) -> bool:
    """Whether an order has traded, was triggered, or has ended."""
    if order.filled or not order.is_open:
        return True
    terms = order.terms
    has_trigger = terms is not None and terms.trigger is not None
    return has_trigger and not order.is_pending and not order.is_waiting
