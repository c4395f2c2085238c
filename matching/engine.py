"""Order types and what they do to the books; orders in, events out."""

from __future__ import annotations

from typing import Final, Generic

from matching.book import Book
from matching.events import Accepted, Cancelled, Event, O, Replaced
from matching.order import OrderType, TimeInForce

_MARKET: Final = OrderType.MARKET
_GOOD_TILL_CANCEL: Final = TimeInForce.GOOD_TILL_CANCEL
_FILL_OR_KILL: Final = TimeInForce.FILL_OR_KILL


class MatchingEngine(Generic[O]):
    """The books of all instruments.

    The caller keeps the rules that need no book: quantities are positive, order ids are new, and
    only orders that rest are cancelled or replaced.
    """

    def __init__(self, instruments: int) -> None:
        self.books: list[Book[O]] = [Book() for _ in range(instruments)]

    def list_up_to(self, instruments: int) -> None:
        """Have books for so many instruments; those that there are stay as they are."""
        self.books += (Book() for _ in range(len(self.books), instruments))

    def submit(self, order: O, time_in_force: TimeInForce, out: list[Event[O]]) -> bool:
        """Accept an order, trade it, and rest what is left or cancel it; whether it rests.

        A market order never rests. Fill-or-kill trades in full at once or not at all.
        """
        book = self.books[order.instrument_id]
        limit = None if order.order_type is _MARKET else order.price
        out.append(Accepted(order))
        if time_in_force is not _FILL_OR_KILL or book.can_fill(order, limit):
            book.match(order, limit, out)
        if not order.leaves:
            return False
        if limit is not None and time_in_force is _GOOD_TILL_CANCEL:
            book.side_of(order).add(order)
            return True
        self._cancel_rest(order, out)
        return False

    def cancel(self, order: O, out: list[Event[O]]) -> None:
        """Take a resting order out of its book."""
        self.books[order.instrument_id].side_of(order).remove(order)
        self._cancel_rest(order, out)

    def replace(self, order: O, price: int, quantity: int, out: list[Event[O]]) -> bool:
        """Give a resting order a new price and total quantity; whether it rests afterwards.

        A smaller quantity at the same price keeps its place in time; anything else loses it, and
        may trade at once. What has been filled counts: a quantity at or below it ends the order.
        """
        book = self.books[order.instrument_id]
        filled = order.quantity - order.leaves
        leaves = max(quantity - filled, 0)
        if leaves and price == order.price and leaves <= order.leaves:
            book.side_of(order).reduce(order, order.leaves - leaves)
            order.quantity = quantity
            out.append(Replaced(order, leaves))
            return True
        book.side_of(order).remove(order)
        order.price, order.quantity, order.leaves = price, filled + leaves, leaves
        out.append(Replaced(order, leaves))
        if leaves:
            book.match(order, price, out)
        if order.leaves:
            book.side_of(order).add(order)
            return True
        return False

    @staticmethod
    def _cancel_rest(order: O, out: list[Event[O]]) -> None:
        quantity, order.leaves = order.leaves, 0
        out.append(Cancelled(order, quantity))
