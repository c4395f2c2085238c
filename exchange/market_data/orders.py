"""The whole book, order by order: of an iceberg, what it shows."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import chain
from typing import Final
from weakref import ref

from exchange.market_data.changes import Changes
from exchange.orders import VenueOrder
from matching.book import Book
from matching.order import Side

Key = tuple[Side, int]  # side and price
Place = tuple[int, int]  # quantity that can be seen, slices shown before
Shown = tuple[int, Side, int, int]  # OrderID, side, price, quantity

_PARTS: Final = 64  # one dict of a million takes a tenth of a second to grow


class _Moment:
    """What was shown at one moment, level by level; copies are made of levels that change later."""

    __slots__ = ("__weakref__", "copies", "wanted")

    def __init__(self, keys: Iterable[Key]) -> None:
        self.wanted = dict.fromkeys(keys)
        self.copies: dict[Key, dict[int, Place]] = {}


class OrderView:
    """What a reader has been shown of the orders of one book, in the order of their priority.

    A large book is not looked at all at once: `look` goes on from price to price, and meanwhile
    `update` keeps right what has been seen, the best prices of each side.
    """

    __slots__ = ("_ahead", "_book", "_count", "_keys", "_levels", "_moments", "_seen_to")

    def __init__(self, book: Book[VenueOrder]) -> None:
        self._book = book
        self._levels: dict[Key, dict[int, Place]] = {}
        self._keys: list[dict[int, Key]] = [{} for _ in range(_PARTS)]  # by OrderID
        self._count = 0
        self._moments: list[ref[_Moment]] = []
        self._ahead: list[Side] = [Side.SELL, Side.BUY]
        self._seen_to: dict[Side, int] = {}  # the worst price that has been looked at

    @property
    def is_complete(self) -> bool:
        """Whether everything has been looked at."""
        return not self._ahead

    def look(self, most: int) -> None:
        """Look at about so many more orders; every change before must have been told."""
        wanted = self._count + most
        while self._ahead:
            side = self._ahead[-1]
            book_side = self._book.buys if side is Side.BUY else self._book.sells
            seen_to = self._seen_to.get(side)
            prices: Iterator[int]
            if seen_to is None:
                prices = (price for price, _ in book_side.levels())
            else:
                prices = book_side.beyond(seen_to)
            for price in prices:
                for order in book_side.level(price).orders.values():
                    self._show(order)
                self._seen_to[side] = price
                if self._count >= wanted:
                    return
            self._ahead.pop()

    def entries(self) -> Iterator[Shown]:
        """OrderID, side, price, quantity: buys, then sells, by priority, as of the call."""
        levels = self._levels
        buys, sells = ([p for one, p in levels if one is side] for side in (Side.BUY, Side.SELL))
        buys.sort(reverse=True)
        sells.sort()
        keys = chain(((Side.BUY, price) for price in buys), ((Side.SELL, price) for price in sells))
        moment = _Moment(keys)
        self._moments = [one for one in self._moments if one() is not None]
        self._moments.append(ref(moment))
        return self._shown_at(moment)

    def _shown_at(self, moment: _Moment) -> Iterator[Shown]:
        for key in list(moment.wanted):
            del moment.wanted[key]
            level = moment.copies.pop(key, None) or self._levels[key]
            for number, place in list(level.items()):
                yield number, *key, place[0]

    def _keep(self, key: Key) -> None:
        """A level is about to change: keep it for who has still to tell what it was."""
        for one in self._moments:
            moment = one()
            if moment is not None and key in moment.wanted and key not in moment.copies:
                moment.copies[key] = self._levels[key].copy()

    def _show(self, order: VenueOrder) -> Place:
        """Behind all others at its price."""
        key, place = (order.side, order.price), _place(order)
        self._keep(key)
        self._levels.setdefault(key, {})[order.order_id] = place
        self._keys[order.order_id % _PARTS][order.order_id] = key
        self._count += 1
        return place

    def _hide(self, number: int, key: Key) -> Place:
        self._keep(key)
        level = self._levels[key]
        place = level.pop(number)
        if not level:
            del self._levels[key]
        del self._keys[number % _PARTS][number]
        self._count -= 1
        return place

    def update(self, changes: Changes) -> list[tuple[bytes, int, Side, int, int]]:
        """What has changed: action (279), OrderID, side, price and quantity, to be applied in turn.

        An order that is new, at a price or at all, is the last there: one that has lost its place
        is deleted and comes anew.
        """
        deleted: list[tuple[bytes, int, Side, int, int]] = []
        changed: list[tuple[bytes, int, Side, int, int]] = []
        arrivals: dict[Key, set[int]] = {}
        for number, order in changes.orders.items():
            key = self._keys[number % _PARTS].get(number)
            rests = (
                order.leaves > 0
                and self._has_seen(order)
                and self._book.side_of(order).find(order) is not None
            )
            if key is not None and rests and number not in changes.moved:
                was, now = self._levels[key][number], _place(order)
                is_there = order.price == key[1] and was[1] == now[1]
                if is_there and now[0] == was[0]:
                    continue
                if is_there and now[0] < was[0]:
                    self._keep(key)
                    self._levels[key][number] = now
                    changed.append((b"1", number, *key, now[0]))
                    continue
            if key is not None:
                deleted.append((b"2", number, *key, self._hide(number, key)[0]))
            if rests:
                arrivals.setdefault((order.side, order.price), set()).add(number)
        return [*deleted, *changed, *self._arrived(arrivals)]

    def _has_seen(self, order: VenueOrder) -> bool:
        """Whether it would have been found had it been at its price before."""
        if order.side not in self._ahead:
            return True
        seen_to = self._seen_to.get(order.side)
        if seen_to is None:
            return False
        return order.price >= seen_to if order.side is Side.BUY else order.price <= seen_to

    def _arrived(
        self, arrivals: dict[Key, set[int]]
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
                yield b"0", order.order_id, side, price, self._show(order)[0]


def _place(order: VenueOrder) -> Place:
    terms = order.terms
    if terms is None:
        return order.leaves, 0
    return terms.shown or order.leaves, terms.slices
