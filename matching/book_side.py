"""The resting orders of one side: levels of price, and what of them can be seen."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator
from typing import Final, Generic

from sortedcontainers import SortedList

from matching.events import O
from matching.order import Side
from matching.terms import Terms, terms_of

_BUY: Final = Side.BUY
_MOST_VACANT: Final = 16  # levels kept in case that their prices come back, as prices do


class Level(Generic[O]):
    """The orders at one price, first come first.

    `quantity` is the sum of their leaves, `hidden` the part of it that icebergs do not show.
    """

    __slots__ = ("hidden", "orders", "quantity")

    def __init__(self) -> None:
        # A plain dict gets slow at its front once many of its first keys are gone.
        self.orders: OrderedDict[int, O] = OrderedDict()
        self.quantity = 0
        self.hidden = 0

    def hide(self, order: O, terms: Terms) -> None:
        """Count what an order that has come does not show; it shows its display unless it did."""
        if terms.display:
            terms.shown = terms.shown or min(terms.display, order.leaves)
            self.hidden += order.leaves - terms.shown

    def reveal(self, order: O, terms: Terms) -> None:
        """Forget what an order that has gone did not show."""
        if terms.display:
            self.hidden -= order.leaves - terms.shown
            terms.shown = 0

    def shrink(self, order: O, terms: Terms, by: int) -> None:
        """Count that an order has got smaller; an iceberg loses what it hides first."""
        if terms.display:
            shown = min(terms.shown, order.leaves)
            self.hidden -= by - (terms.shown - shown)
            terms.shown = shown

    def show(self, order: O, display: int) -> None:
        """Let an order show less at a time, in its place."""
        terms = terms_of(order)
        before = terms.shown or order.leaves
        terms.display = display
        terms.shown = min(before, display)
        self.hidden += before - terms.shown

    def trade_shown(self, order: O, terms: Terms, quantity: int) -> None:
        """Count what an iceberg has traded; all of it gone, it shows more and goes to the end."""
        terms.shown -= quantity
        if not terms.shown and order.leaves:
            terms.shown = min(terms.display, order.leaves)
            terms.slices += 1
            self.hidden -= terms.shown
            self.orders.move_to_end(order.order_id)


class BookSide(Generic[O]):
    """The resting orders of one side, by price.

    `known_best` is the best price, None when nothing rests; while it is stale, the best has gone
    and the next, which takes time, has not been looked for. `best_price` is never stale.

    Inside, `_prices` has the prices of `_levels` in order, and those of `_vacant` as well: levels
    that were emptied a moment ago, and may be needed again in another.
    """

    __slots__ = ("_levels", "_prices", "_vacant", "is_stale", "known_best", "side")

    def __init__(self, side: Side) -> None:
        self.side = side
        self.known_best: int | None = None
        self.is_stale = False
        self._levels: dict[int, Level[O]] = {}
        self._prices: SortedList[int] = SortedList()
        self._vacant: dict[int, Level[O]] = {}

    def __bool__(self) -> bool:
        return bool(self._levels)

    @property
    def best_price(self) -> int | None:
        """The best price, None when nothing rests."""
        if self.is_stale:
            self.known_best = self._first()
            self.is_stale = False
        return self.known_best

    def _first(self) -> int:
        levels, prices = self._levels, self._prices
        at, step = (-1, -1) if self.side is _BUY else (0, 1)
        while True:
            price: int = prices[at]
            if price in levels:
                return price
            at += step

    @property
    def best(self) -> int:
        """The best price; raises IndexError when nothing rests."""
        return self.best_level()[0]

    def best_level(self) -> tuple[int, Level[O]]:
        """The best price and its level; raises IndexError when nothing rests."""
        price = self._first()
        return price, self._levels[price]

    def level(self, price: int) -> Level[O]:
        """The level at a price; raises KeyError when nothing rests there."""
        return self._levels[price]

    def levels(self) -> Iterator[tuple[int, Level[O]]]:
        """Price and level, best first."""
        for price in reversed(self._prices) if self.side is _BUY else self._prices:
            level = self._levels.get(price)
            if level is not None:
                yield price, level

    def visible(self, price: int) -> tuple[int, int] | None:
        """The quantity that can be seen at a price, and of how many orders; None of none."""
        level = self._levels.get(price)
        return (level.quantity - level.hidden, len(level.orders)) if level is not None else None

    def beyond(self, price: int) -> Iterator[int]:
        """The prices worse than this one, best first."""
        if self.side is _BUY:
            found = self._prices.irange(None, price, inclusive=(True, False), reverse=True)
        else:
            found = self._prices.irange(price, None, inclusive=(False, True))
        return (one for one in found if one in self._levels)

    def find(self, order: O) -> Level[O] | None:
        """The level at which an order rests; None when it does not rest here."""
        level = self._levels.get(order.price)
        return level if level is not None and order.order_id in level.orders else None

    def accepts(self, limit: int | None, price: int) -> bool:
        """Whether an order that comes from the other side, with this limit, trades at `price`."""
        if limit is None:
            return True
        return limit <= price if self.side is _BUY else limit >= price

    def add(self, order: O) -> None:
        """Rest an order behind all others at its price; an iceberg shows its display."""
        price = order.price
        level = self._levels.get(price)
        if level is None:
            level = self._vacant.pop(price, None)
            if level is None:
                self._prices.add(price)
                level = Level()
            self._levels[price] = level
            best = self.known_best
            if best is None:
                if not self.is_stale:
                    self.known_best = price
            elif price > best if self.side is _BUY else price < best:
                self.known_best = price
        level.orders[order.order_id] = order
        level.quantity += order.leaves
        if order.terms is not None:
            level.hide(order, order.terms)

    def remove(self, order: O) -> None:
        """Take a resting order out; raises KeyError when it does not rest here."""
        level = self._levels[order.price]
        del level.orders[order.order_id]
        level.quantity -= order.leaves
        if order.terms is not None:
            level.reveal(order, order.terms)
        if not level.orders:
            self.drop_level(order.price)

    def reduce(self, order: O, by: int) -> None:
        """Make a resting order smaller; it keeps its place."""
        level = self._levels[order.price]
        order.leaves -= by
        level.quantity -= by
        if order.terms is not None:
            level.shrink(order, order.terms, by)

    def drop_level(self, price: int) -> None:
        """Forget a level that has been emptied."""
        self._vacant[price] = self._levels.pop(price)
        if len(self._vacant) > _MOST_VACANT:
            for vacant in self._vacant:
                self._prices.remove(vacant)
            self._vacant.clear()
        if price == self.known_best:
            self.known_best = None
            self.is_stale = bool(self._levels)
        elif not self._levels:
            self.is_stale = False
