"""The order book of one instrument: strict price-time priority."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, Generic

from matching.book_side import BookSide, Level
from matching.events import Event, O, Traded
from matching.order import Order, SelfTrade, Side
from matching.self_trade import NO_GROUP, group_to_avoid, prevent
from matching.triggers import References, TriggerQueue

__all__ = ["Book", "BookSide", "Level"]

_BUY: Final = Side.BUY


class Book(Generic[O]):
    """Both sides of one instrument, and what waits for them to move.

    `last` is the price of the last trade. While `is_suspended`, no trigger fires.
    """

    __slots__ = ("buys", "is_suspended", "last", "sells", "triggers")

    def __init__(self) -> None:
        self.buys: BookSide[O] = BookSide(Side.BUY)
        self.sells: BookSide[O] = BookSide(Side.SELL)
        self.triggers: TriggerQueue[O] = TriggerQueue()
        self.last: int | None = None
        self.is_suspended = False

    def orders(self) -> Iterator[O]:
        """Every resting order: buys, then sells, each best price first and in order of time."""
        for side in (self.buys, self.sells):
            for _, level in side.levels():
                yield from level.orders.values()

    def waiting(self) -> Iterator[O]:
        """Every order that waits for its trigger, in order of entry."""
        return iter(self.triggers)

    def side_of(self, order: Order) -> BookSide[O]:
        """The side on which the order rests."""
        return self.buys if order.side is _BUY else self.sells

    def opposite(self, order: Order) -> BookSide[O]:
        """The side with which the order trades."""
        return self.sells if order.side is _BUY else self.buys

    def references(self) -> References:
        """What triggers look at."""
        return self.last, self.buys.best_price, self.sells.best_price

    def would_trade(self, order: O, limit: int | None) -> bool:
        """Whether an order at this limit would meet another one at once."""
        side = self.opposite(order)
        best = side.best_price
        return best is not None and side.accepts(limit, best)

    def reachable(self, order: O, limit: int | None) -> Iterator[tuple[int, int]]:
        """Price and quantity that the order could trade, up to what would end it.

        Self-trade prevention ends it at the first order of its own group, unless that gives way.
        """
        avoided = group_to_avoid(order)
        gives_way = order.self_trade is SelfTrade.CANCEL_OLDEST
        side = self.opposite(order)
        for price, level in side.levels():
            if not side.accepts(limit, price):
                return
            quantity, ahead = level.quantity, 0
            for maker in level.orders.values() if avoided != NO_GROUP else ():
                if maker.self_trade_group != avoided:
                    # What an iceberg hides comes behind all that is at its price now.
                    ahead += (maker.terms is not None and maker.terms.shown) or maker.leaves
                elif gives_way:
                    quantity -= maker.leaves
                else:
                    yield price, ahead
                    return
            yield price, quantity

    def can_fill(self, order: O, limit: int | None, wanted: int) -> bool:
        """Whether so many lots of the order could trade now."""
        for _, quantity in self.reachable(order, limit) if wanted else ():
            wanted -= quantity
            if wanted <= 0:
                return True
        return not wanted

    def match(self, taker: O, limit: int | None, out: list[Event[O]]) -> bool:
        """Trade `taker` against the other side, best price first, as far as `limit` allows.

        Returns whether self-trade prevention ends it; to cancel what it leaves is the caller's.
        """
        side = self.opposite(taker)
        avoided = group_to_avoid(taker) if taker.self_trade_group else NO_GROUP
        is_ended = False
        while taker.leaves and not is_ended:
            price = side.best_price if side.is_stale else side.known_best
            if price is None or not side.accepts(limit, price):
                break
            level = side.level(price)
            orders = level.orders
            while taker.leaves and orders:
                maker = next(iter(orders.values()))
                if maker.self_trade_group == avoided:
                    is_ended = prevent(side, maker, taker, out)
                    if is_ended or not orders:
                        break  # a level goes with the last order that is cancelled
                    continue
                quantity, terms = maker.leaves, maker.terms
                if terms is not None and terms.shown:
                    quantity = terms.shown
                if quantity > taker.leaves:
                    quantity = taker.leaves
                maker.leaves -= quantity
                taker.leaves -= quantity
                level.quantity -= quantity
                if terms is not None and terms.shown:
                    level.trade_shown(maker, terms, quantity)
                if not maker.leaves:
                    del orders[maker.order_id]
                self.last = price
                out.append(Traded(maker, taker, price, quantity, maker.leaves, taker.leaves))
            else:
                if not orders:
                    side.drop_level(price)
        return is_ended
