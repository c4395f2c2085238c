"""The best prices of one side, and how they change."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from sortedcontainers import SortedDict

from exchange.orders import VenueOrder
from matching.book_side import BookSide
from matching.order import Side

Seen = tuple[int, int]  # the quantity at a price, and of how many orders


class Depth:
    """What a reader has been shown of one side: its `size` best prices, 0 for all.

    Whatever happened in between, `update` compares what was shown with what is.
    """

    __slots__ = ("_shown", "_sign", "book_side", "size")

    def __init__(self, book_side: BookSide[VenueOrder], size: int) -> None:
        self.book_side = book_side
        self.size = size
        self._sign = -1 if book_side.side is Side.BUY else 1  # so that the best has the least key
        self._shown: SortedDict[int, Seen] = SortedDict()
        self._fill((price for price, _ in book_side.levels()), {})

    def levels(self) -> Iterator[tuple[int, Seen]]:
        """Price, and what is seen at it, best first."""
        for key, seen in self._shown.items():
            yield key * self._sign, seen

    def update(self, prices: Iterable[int]) -> list[tuple[int, Seen | None, bool]]:
        """What has changed, of which `prices` are the cause: deletions first.

        Price, what is seen there now (None: it is not shown any more), and whether it was shown.
        """
        shown, sign, size = self._shown, self._sign, self.size
        before: dict[int, Seen | None] = {}
        was_full = size > 0 and len(shown) >= size
        bound = shown.peekitem(-1)[0] if was_full else 0
        for price in prices:
            key = price * sign
            if was_full and key > bound:
                continue  # it may come into sight below, with all that is beyond the bound
            was, now = shown.get(key), self.book_side.visible(price)
            if was == now:
                continue
            before.setdefault(key, was)
            if now is None:
                del shown[key]
            else:
                shown[key] = now
        if size and len(shown) > size:
            while len(shown) > size:
                key, was = shown.popitem(-1)
                before.setdefault(key, was)
        elif was_full and len(shown) < size:
            # The bound may have gone, and better prices have come: all that is beyond the worst.
            worst = shown.peekitem(-1)[0] if shown else None
            if worst is None:
                self._fill((price for price, _ in self.book_side.levels()), before)
            else:
                self._fill(self.book_side.beyond(worst * sign), before)
        gone = [(key * sign, None, True) for key in before if key not in shown]
        return [
            *(one for one in gone if before[one[0] * sign] is not None),
            *(
                (key * sign, shown[key], was is not None)
                for key, was in before.items()
                if key in shown and shown[key] != was
            ),
        ]

    def _fill(self, prices: Iterator[int], before: dict[int, Seen | None]) -> None:
        """Show prices, which come best first, until there are enough."""
        for price in prices:
            if self.size and len(self._shown) >= self.size:
                return
            key, seen = price * self._sign, self.book_side.visible(price)
            assert seen is not None
            before.setdefault(key, None)
            self._shown[key] = seen
