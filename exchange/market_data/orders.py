"""The whole book, order by order: of an iceberg, what it shows."""

from __future__ import annotations

from collections.abc import Iterator

from exchange.market_data.changes import Changes
from exchange.orders import VenueOrder
from matching.book import Book
from matching.order import Side

Place = tuple[Side, int, int, int]  # side, price, quantity that can be seen, slices shown before


class OrderView:
    """What a reader has been shown of the orders of one book, in the order of their priority."""

    __slots__ = ("_book", "_shown")

    def __init__(self, book: Book[VenueOrder]) -> None:
        self._book = book
        self._shown = {order.order_id: _place(order) for order in book.orders()}

    def entries(self) -> Iterator[tuple[int, Side, int, int]]:
        """OrderID, side, price and quantity: buys, then sells, by their priority."""
        for order in self._book.orders():
            yield order.order_id, *_place(order)[:3]

    def update(self, changes: Changes) -> list[tuple[bytes, int, Side, int, int]]:
        """What has changed: action (279), OrderID, side, price and quantity, to be applied in turn.

        An order that is new, at a price or at all, is the last there: one that has lost its place
        is deleted and comes anew.
        """
        shown = self._shown
        deleted: list[tuple[bytes, int, Side, int, int]] = []
        changed: list[tuple[bytes, int, Side, int, int]] = []
        arrivals: dict[tuple[Side, int], set[int]] = {}
        for number, order in changes.orders.items():
            was = shown.get(number)
            rests = order.leaves > 0 and self._book.side_of(order).find(order) is not None
            now = _place(order) if rests else None
            if was is not None and now is not None and number not in changes.moved:
                if was == now:
                    continue
                if was[1] == now[1] and was[3] == now[3] and now[2] < was[2]:
                    shown[number] = now
                    changed.append((b"1", number, *now[:3]))
                    continue
            if was is not None:
                del shown[number]
                deleted.append((b"2", number, *was[:3]))
            if now is not None:
                arrivals.setdefault(now[:2], set()).add(number)
        return [*deleted, *changed, *self._arrived(arrivals)]

    def _arrived(
        self, arrivals: dict[tuple[Side, int], set[int]]
    ) -> Iterator[tuple[bytes, int, Side, int, int]]:
        """Those that have come to a price stand at its end, so look there for their order."""
        book = self._book
        for (side, price), numbers in arrivals.items():
            level = (book.buys if side is Side.BUY else book.sells).level(price)
            last: list[VenueOrder] = []
            for order in reversed(level.orders.values()):
                if len(last) == len(numbers):
                    break
                if order.order_id in numbers:
                    last.append(order)
            for order in reversed(last):
                place = _place(order)
                self._shown[order.order_id] = place
                yield b"0", order.order_id, *place[:3]


def _place(order: VenueOrder) -> Place:
    terms = order.terms
    if terms is None:
        return order.side, order.price, order.leaves, 0
    return order.side, order.price, terms.shown or order.leaves, terms.slices
