"""A second matching engine, written from the rules alone, as judge of the first.

It is slow on purpose: one flat list of resting orders, scanned and sorted whenever anything is
asked of it, and a time stamp on each order that says how long it has been waiting. The rules:

- An order trades with the other side of its instrument: the best price first, and at one price the
  order that has waited longest first. The price of a trade is that of the order that rested.
- What a limit order leaves rests if it is good till cancel; what an immediate-or-cancel or a
  market order leaves is cancelled. Fill-or-kill trades in full at once or is cancelled in full.
- A resting order may be given a new price and total quantity. It keeps its time if the price stays
  the same and the quantity does not grow; otherwise it is as if it came anew, and may trade at
  once. A quantity at or below what it has traded already ends it.
"""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256

from matching.order import OrderType, Side, TimeInForce

PlainEvent = tuple[str | int, ...]


@dataclass
class NaiveOrder:
    order_id: int
    instrument: int
    side: Side
    price: int | None  # None: any price will do
    quantity: int
    traded: int
    time: int

    @property
    def leaves(self) -> int:
        return self.quantity - self.traded

    def would_trade_at(self, price: int) -> bool:
        if self.price is None:
            return True
        return price <= self.price if self.side is Side.BUY else price >= self.price


class NaiveEngine:
    def __init__(self) -> None:
        self.resting: list[NaiveOrder] = []
        self.time = 0

    def submit(
        self,
        order_id: int,
        instrument: int,
        side: Side,
        order_type: OrderType,
        price: int,
        quantity: int,
        time_in_force: TimeInForce,
    ) -> list[PlainEvent]:
        limit = price if order_type is OrderType.LIMIT else None
        order = NaiveOrder(order_id, instrument, side, limit, quantity, 0, self._now())
        available = sum(maker.leaves for maker in self._partners(order))
        events: list[PlainEvent] = [("accepted", order_id)]
        if time_in_force is not TimeInForce.FILL_OR_KILL or available >= quantity:
            events += self._trade(order)
        if order.leaves > 0:
            if order_type is OrderType.LIMIT and time_in_force is TimeInForce.GOOD_TILL_CANCEL:
                self.resting.append(order)
            else:
                events.append(("cancelled", order_id, order.leaves))
        return events

    def cancel(self, order_id: int) -> list[PlainEvent]:
        order = self._take(order_id)
        return [("cancelled", order_id, order.leaves)]

    def replace(self, order_id: int, price: int, quantity: int) -> list[PlainEvent]:
        order = self._take(order_id)
        keeps_time = price == order.price and quantity <= order.quantity
        order.price = price
        order.quantity = max(quantity, order.traded)
        events: list[PlainEvent] = [("replaced", order_id, price, order.quantity, order.leaves)]
        if not keeps_time:
            order.time = self._now()
            events += self._trade(order)
        if order.leaves > 0:
            self.resting.append(order)
        return events

    def digest(self) -> str:
        lines = [
            f"{instrument} {int(side)} {order.price} {order.order_id} {order.leaves}\n"
            for instrument in sorted({order.instrument for order in self.resting})
            for side in (Side.BUY, Side.SELL)
            for order in self._queue(instrument, side)
        ]
        return sha256("".join(lines).encode()).hexdigest()

    def _now(self) -> int:
        self.time += 1
        return self.time

    def _take(self, order_id: int) -> NaiveOrder:
        (order,) = (order for order in self.resting if order.order_id == order_id)
        self.resting = [order for order in self.resting if order.order_id != order_id]
        return order

    def _queue(self, instrument: int, side: Side) -> list[NaiveOrder]:
        """One side of one instrument: by price, the best first, then by time."""
        queue = [o for o in self.resting if o.instrument == instrument and o.side is side]
        sign = -1 if side is Side.BUY else 1
        return sorted(queue, key=lambda order: (sign * (order.price or 0), order.time))

    def _partners(self, taker: NaiveOrder) -> list[NaiveOrder]:
        """The orders with which the taker could trade, the first one first."""
        other = Side.SELL if taker.side is Side.BUY else Side.BUY
        queue = self._queue(taker.instrument, other)
        return [maker for maker in queue if taker.would_trade_at(maker.price or 0)]

    def _trade(self, taker: NaiveOrder) -> list[PlainEvent]:
        events: list[PlainEvent] = []
        for maker in self._partners(taker):
            quantity = min(maker.leaves, taker.leaves)
            if quantity > 0:
                maker.traded += quantity
                taker.traded += quantity
                ids = maker.order_id, taker.order_id
                figures = maker.price or 0, quantity, maker.leaves, taker.leaves
                events.append(("traded", *ids, *figures))
        self.resting = [order for order in self.resting if order.leaves > 0]
        return events
