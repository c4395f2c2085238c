"""What has changed in a book: enough to know where to look, for the book itself says what is."""

from __future__ import annotations

from collections.abc import Container, Iterable
from dataclasses import dataclass, replace

from exchange.orders import VenueOrder
from matching.events import Event, Replaced, Traded
from matching.order import Side


@dataclass(slots=True)
class Trade:
    """Two orders traded; `side` is that of the one that came."""

    price: int
    quantity: int
    side: Side
    trade_id: bytes
    position: int
    at: int


class Changes:
    """The prices and orders that inputs have touched since somebody looked last.

    `moved` are orders that may have lost their place in the queue without another sign of it.
    """

    __slots__ = ("moved", "orders", "prices", "trades")

    def __init__(self) -> None:
        self.prices: dict[tuple[Side, int], None] = {}
        self.orders: dict[int, VenueOrder] = {}
        self.moved: set[int] = set()
        self.trades: list[Trade] = []

    def __bool__(self) -> bool:
        return bool(self.prices or self.trades)

    def add(self, other: Changes) -> None:
        """Take in what came later."""
        self.prices.update(other.prices)
        self.orders.update(other.orders)
        self.moved |= other.moved
        self.trades += other.trades

    def take(self, event: Event[VenueOrder], position: int, now: int) -> None:
        """What an event of the input at `position` has touched."""
        if isinstance(event, Traded):
            maker, taker = event.maker, event.taker
            trade_id = b"%d-%d" % (position, len(self.trades) + 1)
            trade = Trade(event.price, event.quantity, taker.side, trade_id, position, now)
            self.trades.append(trade)
            self.prices[maker.side, event.price] = None
            self.orders[maker.order_id] = maker
            order = taker
        else:
            order = event.order
            if isinstance(event, Replaced):
                self.prices[order.side, event.former_price] = None
                if not event.keeps_place:
                    self.moved.add(order.order_id)
        self.prices[order.side, order.price] = None
        self.orders[order.order_id] = order


def put_together(trades: Iterable[Trade]) -> list[Trade]:
    """One trade for all that came from one side at one price, in the place of the last."""
    found: dict[tuple[int, Side], Trade] = {}
    for trade in trades:
        key = trade.price, trade.side
        before = found.pop(key, None)
        found[key] = (
            trade if before is None else replace(trade, quantity=trade.quantity + before.quantity)
        )
    return list(found.values())


def changes_of(
    tape: Iterable[Event[VenueOrder]], position: int, now: int, watched: Container[int]
) -> dict[int, Changes]:
    """What the events of one input have changed, by the number of each `watched` instrument."""
    found: dict[int, Changes] = {}
    for event in tape:
        order = event.maker if isinstance(event, Traded) else event.order
        number = order.instrument_id
        if number in watched:
            found.setdefault(number, Changes()).take(event, position, now)
    return found
