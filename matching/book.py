"""The order book of one instrument: strict price-time priority."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator
from typing import Final, Generic

from sortedcontainers import SortedDict

from matching.events import Event, O, Traded
from matching.order import Order, Side

_BUY: Final = Side.BUY


class Level(Generic[O]):
    """The orders at one price, first come first; `quantity` is the sum of their leaves."""

    __slots__ = ("orders", "quantity")

    def __init__(self) -> None:
        # A plain dict gets slow at its front once many of its first keys are gone.
        self.orders: OrderedDict[int, O] = OrderedDict()
        self.quantity = 0


class BookSide(Generic[O]):
    """The resting orders of one side, by price."""

    __slots__ = ("_best_index", "_levels", "side")

    def __init__(self, side: Side) -> None:
        self.side = side
        self._levels: SortedDict[int, Level[O]] = SortedDict()
        self._best_index = -1 if side is Side.BUY else 0

    def __bool__(self) -> bool:
        return bool(self._levels)

    @property
    def best(self) -> int:
        """The best price; raises IndexError when nothing rests."""
        return self.best_level()[0]

    def best_level(self) -> tuple[int, Level[O]]:
        """The best price and its level; raises IndexError when nothing rests."""
        found: tuple[int, Level[O]] = self._levels.peekitem(self._best_index)
        return found

    def levels(self) -> Iterator[tuple[int, Level[O]]]:
        """Price and level, best first."""
        prices = reversed(self._levels) if self.side is _BUY else iter(self._levels)
        for price in prices:
            yield price, self._levels[price]

    def accepts(self, limit: int | None, price: int) -> bool:
        """Whether an order that comes from the other side, with this limit, trades at `price`."""
        if limit is None:
            return True
        return limit <= price if self.side is _BUY else limit >= price

    def add(self, order: O) -> None:
        """Rest an order behind all others at its price."""
        level = self._levels.get(order.price)
        if level is None:
            level = self._levels[order.price] = Level()
        level.orders[order.order_id] = order
        level.quantity += order.leaves

    def remove(self, order: O) -> None:
        """Take a resting order out; raises KeyError when it does not rest here."""
        level = self._levels[order.price]
        del level.orders[order.order_id]
        level.quantity -= order.leaves
        if not level.orders:
            del self._levels[order.price]

    def reduce(self, order: O, by: int) -> None:
        """Make a resting order smaller; it keeps its place."""
        order.leaves -= by
        self._levels[order.price].quantity -= by

    def drop_level(self, price: int) -> None:
        """Forget a level that has been emptied."""
        del self._levels[price]


class Book(Generic[O]):
    """Both sides of one instrument."""

    __slots__ = ("buys", "sells")

    def __init__(self) -> None:
        self.buys: BookSide[O] = BookSide(Side.BUY)
        self.sells: BookSide[O] = BookSide(Side.SELL)

    def orders(self) -> Iterator[O]:
        """Every resting order: buys, then sells, each best price first and in order of time."""
        for side in (self.buys, self.sells):
            for _, level in side.levels():
                yield from level.orders.values()

    def side_of(self, order: Order) -> BookSide[O]:
        """The side on which the order rests."""
        return self.buys if order.side is _BUY else self.sells

    def opposite(self, order: Order) -> BookSide[O]:
        """The side with which the order trades."""
        return self.sells if order.side is _BUY else self.buys

    def can_fill(self, order: O, limit: int | None) -> bool:
        """Whether all that the order leaves could trade now."""
        side, wanted = self.opposite(order), order.leaves
        for price, level in side.levels():
            if not side.accepts(limit, price):
                break
            wanted -= level.quantity
            if wanted <= 0:
                return True
        return False

    def match(self, taker: O, limit: int | None, out: list[Event[O]]) -> None:
        """Trade `taker` against the other side, best price first, as far as `limit` allows."""
        side = self.opposite(taker)
        while taker.leaves and side:
            price, level = side.best_level()
            if not side.accepts(limit, price):
                return
            orders = level.orders
            while taker.leaves and orders:
                maker = next(iter(orders.values()))
                quantity = min(maker.leaves, taker.leaves)
                maker.leaves -= quantity
                taker.leaves -= quantity
                level.quantity -= quantity
                if not maker.leaves:
                    del orders[maker.order_id]
                out.append(Traded(maker, taker, price, quantity, maker.leaves, taker.leaves))
            if not orders:
                side.drop_level(price)
