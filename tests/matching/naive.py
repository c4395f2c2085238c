"""A second matching engine, written from the rules alone, as judge of the first.

It is slow on purpose: flat lists of resting and of waiting orders, scanned and sorted whenever
anything is asked of them, time stamps that say how long an order has been there, and "what would
trade?" answered by trading in a copy of the market. The rules:

- An order trades with the other side of its instrument: the best price first, and at one price the
  order that has waited longest first. The price of a trade is that of the order that rested.
- What a limit order leaves rests if it is good for the day, till cancel or till a date; what an
  immediate-or-cancel or a market order leaves is cancelled. Fill-or-kill trades in full at once or
  is cancelled in full. An order with a minimum trades so much at once, or all if it is less, or it
  is cancelled in full.
- An iceberg shows its display at a time. Only what it shows trades; when that is used up it shows
  its display again, or all if it is less, and its time is new. As taker it trades all that it has.
- An order of the taker's own group, at the moment they would trade: they trade, or the taker is
  cancelled, or the maker is and the taker goes on, or both are, or both get smaller by the lesser
  leaves (all leaves of an iceberg, hidden first) and one of which nothing would be left is
  cancelled. "All at once" counts what really trades before an own order ends the taker; one that
  makes both smaller counts as the end.
- A post-only order that meets a price at which it would trade is refused, or gets the next price
  behind the best opposite one, if that is at least 1. That goes for its replacement too: refused,
  it is as it was. When it comes from a trigger it is cancelled.
- A budget buys, at each price in turn, as many lots as it can pay. The order is done when the rest
  pays no lot at the price it has traded at, or at the best one; then its last trade leaves nothing.
  Otherwise it is cancelled, with what the rest would buy at the last price it traded at, or with 0
  if it has not traded. Fill-or-kill: only if it would be done. Its own group cannot make it
  smaller: it is cancelled instead.
- An order with a trigger waits outside of the book until the last price, or the best price of the
  other side, is at its trigger price or beyond: at or above for a rise, at or below for a fall.
  After each command the first one fires whose condition holds: those on a rise by ascending price,
  then those on a fall by descending price, then by entry. Then conditions are looked at again.
- A trailing price is, before each look, the nearer one of itself and the reference plus (rise) or
  minus (fall) the distance, but 1 where that is less; 0 is a price not yet set. A distance in basis
  points is rounded up.
- A resting order may be given a new price, total quantity and display. It keeps its time if the
  price stays the same and neither quantity nor display grow (no display is the largest); otherwise
  it is as if it came anew, and may trade at once. A quantity at or below what it has traded already
  ends it. A waiting one goes on waiting with what it was given; only a new trigger price makes its
  entry new.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from hashlib import sha256

from matching.order import OrderType, SelfTrade, Side, TimeInForce
from matching.terms import Direction, PostOnly, Reference

PlainEvent = tuple[str | int, ...]


@dataclass
class NaiveTrigger:
    price: int
    direction: Direction
    reference: Reference
    trail: int = 0
    trail_bps: int = 0


@dataclass(eq=False)
class NaiveOrder:
    order_id: int
    instrument: int
    side: Side
    price: int | None  # None: any price will do
    quantity: int
    time_in_force: TimeInForce
    group: int = 0
    self_trade: SelfTrade = SelfTrade.CANCEL_NEWEST
    display: int = 0
    min_quantity: int = 0
    post_only: PostOnly = PostOnly.NO
    budget: int = 0
    trigger: NaiveTrigger | None = None
    traded: int = 0
    time: int = 0
    shown: int = 0
    is_ended: bool = False

    @property
    def leaves(self) -> int:
        return self.quantity - self.traded

    @property
    def available(self) -> int:
        return self.shown if self.display else self.leaves

    def would_trade_at(self, price: int) -> bool:
        if self.price is None:
            return True
        return price <= self.price if self.side is Side.BUY else price >= self.price


class NaiveEngine:
    def __init__(self) -> None:
        self.resting: list[NaiveOrder] = []
        self.waiting: list[NaiveOrder] = []
        self.last: dict[int, int] = {}
        self.suspended: list[int] = []
        self.time = 0

    # --- commands -----------------------------------------------------------------------

    def submit(self, order: NaiveOrder) -> list[PlainEvent]:
        events: list[PlainEvent] = []
        if order.trigger is not None:
            order.time = self._now()
            self.waiting.append(order)
            events.append(("accepted", order.order_id, order.price or 0))
        elif (refusal := self._make_passive(order)) is not None:
            events.append(refusal)
        else:
            events.append(("accepted", order.order_id, order.price or 0))
            events += self._arrive(order)
        return events + self.fire(order.instrument)

    def cancel(self, order_id: int) -> list[PlainEvent]:
        order = self.find(order_id)
        self._take(order)
        return [("cancelled", order_id, order.leaves, "REQUESTED"), *self.fire(order.instrument)]

    def replace(
        self,
        order_id: int,
        price: int,
        quantity: int,
        display: int | None = None,
        trigger_price: int | None = None,
    ) -> list[PlainEvent]:
        order = self.find(order_id)
        if order in self.waiting:
            events = self._replace_waiting(order, price, quantity, display, trigger_price)
        else:
            events = self._replace_resting(order, price, quantity, display)
        return events + self.fire(order.instrument)

    def fire(self, instrument: int) -> list[PlainEvent]:
        """Let the triggers go that hold, one after the other."""
        events: list[PlainEvent] = []
        while instrument not in self.suspended:
            ready = self._ready(instrument)
            if not ready:
                break
            order = ready[0]
            self.waiting.remove(order)
            events.append(("triggered", order.order_id))
            if order.post_only and self._partners(order):
                events.append(("cancelled", order.order_id, order.leaves, "WOULD_TRADE"))
            else:
                events += self._arrive(order)
        return events

    def find(self, order_id: int) -> NaiveOrder:
        (order,) = (o for o in self.resting + self.waiting if o.order_id == order_id)
        return order

    def is_there(self, order_id: int) -> bool:
        return any(order.order_id == order_id for order in self.resting + self.waiting)

    # --- arrival and trading ------------------------------------------------------------

    def _arrive(self, order: NaiveOrder) -> list[PlainEvent]:
        """An order comes to the book."""
        if order.budget:
            return self._arrive_with_budget(order)
        whole = order.time_in_force is TimeInForce.FILL_OR_KILL
        wanted = order.leaves if whole else min(order.min_quantity, order.leaves)
        if wanted and self._would_trade(order) < wanted:
            return [("cancelled", order.order_id, order.leaves, "REMAINDER")]
        events = self._trade(order)
        if order.is_ended or order.leaves == 0:
            return events
        if order.price is not None and order.time_in_force in (
            TimeInForce.DAY,
            TimeInForce.GOOD_TILL_CANCEL,
            TimeInForce.GOOD_TILL_DATE,
        ):
            self._rest(order)
        else:
            events.append(("cancelled", order.order_id, order.leaves, "REMAINDER"))
        return events

    def _would_trade(self, order: NaiveOrder) -> int:
        """How much of the order trades if it comes now: let it, in a copy of the market."""
        copy, taker = self._copy(), replace(order)
        if taker.self_trade is SelfTrade.DECREMENT:
            taker.self_trade = SelfTrade.CANCEL_NEWEST
        copy._trade(taker)
        return taker.traded - order.traded

    def _copy(self) -> NaiveEngine:
        copy = NaiveEngine()
        copy.resting = [replace(order) for order in self.resting]
        copy.time = self.time
        return copy

    def _rest(self, order: NaiveOrder) -> None:
        order.time = self._now()
        order.shown = min(order.display, order.leaves)
        self.resting.append(order)

    def _trade(self, taker: NaiveOrder) -> list[PlainEvent]:
        events: list[PlainEvent] = []
        while taker.leaves > 0 and not taker.is_ended:
            partners = self._partners(taker)
            if not partners:
                break
            maker = partners[0]
            if taker.group != 0 and taker.group == maker.group and taker.self_trade:
                events += self._avoid(maker, taker)
            else:
                events.append(self._trade_with(maker, taker, min(maker.available, taker.leaves)))
        return events

    def _trade_with(self, maker: NaiveOrder, taker: NaiveOrder, quantity: int) -> PlainEvent:
        maker.traded += quantity
        taker.traded += quantity
        self.last[maker.instrument] = maker.price or 0
        if maker.leaves == 0:
            self.resting.remove(maker)
        elif maker.display:
            maker.shown -= quantity
            if maker.shown == 0:
                maker.shown = min(maker.display, maker.leaves)
                maker.time = self._now()
        ids = maker.order_id, taker.order_id
        return "traded", *ids, maker.price or 0, quantity, maker.leaves, taker.leaves

    def _avoid(self, maker: NaiveOrder, taker: NaiveOrder) -> list[PlainEvent]:
        """What happens instead of a trade with the own group: the maker's part, the taker's."""
        mode = taker.self_trade
        if mode is SelfTrade.DECREMENT:
            by = min(maker.leaves, taker.leaves)
            return self._decrement(maker, by) + self._decrement(taker, by)
        events: list[PlainEvent] = []
        if mode in (SelfTrade.CANCEL_OLDEST, SelfTrade.CANCEL_BOTH):
            events.append(self._end(maker))
        if mode in (SelfTrade.CANCEL_NEWEST, SelfTrade.CANCEL_BOTH):
            events.append(self._end(taker))
        return events

    def _decrement(self, order: NaiveOrder, by: int) -> list[PlainEvent]:
        if order.leaves == by:
            return [self._end(order)]
        order.quantity -= by
        order.shown = min(order.shown, order.leaves)
        return [("reduced", order.order_id, by, order.leaves)]

    def _end(self, order: NaiveOrder) -> PlainEvent:
        if order in self.resting:
            self.resting.remove(order)
        order.is_ended = True
        return "cancelled", order.order_id, order.leaves, "SELF_TRADE"

    # --- budgets ------------------------------------------------------------------------

    def _arrive_with_budget(self, order: NaiveOrder) -> list[PlainEvent]:
        trial = replace(order)
        self._copy()._spend(trial)
        is_done = trial.traded > 0 and not trial.is_ended
        whole = order.time_in_force is TimeInForce.FILL_OR_KILL
        if trial.traded < order.min_quantity or (whole and not is_done):
            return [("cancelled", order.order_id, 0, "REMAINDER")]
        return self._spend(order)

    def _spend(self, taker: NaiveOrder) -> list[PlainEvent]:
        """Trade for as long as there is money; the end is told as the last event."""
        events: list[PlainEvent] = []
        last_trade = last_price = None
        why = "REMAINDER"
        while partners := self._partners(taker):
            maker = partners[0]
            price = maker.price or 0
            if taker.budget < price or (last_price and taker.budget < last_price):
                if last_trade is None:
                    break
                events[last_trade] = (*events[last_trade][:-1], 0)
                return events
            if taker.group != 0 and taker.group == maker.group and taker.self_trade:
                if taker.self_trade in (SelfTrade.CANCEL_OLDEST, SelfTrade.CANCEL_BOTH):
                    events.append(self._end(maker))
                if taker.self_trade is SelfTrade.CANCEL_OLDEST:
                    continue
                why = "SELF_TRADE"
                break
            quantity = min(maker.available, taker.budget // price)
            taker.quantity += quantity
            taker.budget -= quantity * price
            traded = self._trade_with(maker, taker, quantity)
            last_trade, last_price = len(events), price
            events.append((*traded[:-1], taker.budget // price))
        if last_price and taker.budget < last_price:
            return events
        taker.is_ended = True
        estimate = taker.budget // last_price if last_price else 0
        events.append(("cancelled", taker.order_id, estimate, why))
        return events

    # --- post-only, replace -------------------------------------------------------------

    def _make_passive(self, order: NaiveOrder) -> PlainEvent | None:
        """Give a post-only order a price at which it does not trade, or say why there is none."""
        if not order.post_only:
            return None
        partners = self._partners(order)
        if not partners:
            return None
        if order.post_only is PostOnly.REJECT:
            return "refused", order.order_id, "WOULD_TRADE"
        behind = (partners[0].price or 0) + (-1 if order.side is Side.BUY else 1)
        if behind < 1:
            return "refused", order.order_id, "NO_PRICE"
        order.price = behind
        return None

    def _replace_resting(
        self, order: NaiveOrder, price: int, quantity: int, display: int | None
    ) -> list[PlainEvent]:
        new = replace(order, price=price)
        if quantity > order.traded:
            refusal = self._make_passive(new)
            if refusal is not None:
                return [refusal]
        display = order.display if display is None else display
        shows_more = (display or 10**9) > (order.display or 10**9)
        keeps_time = new.price == order.price and quantity <= order.quantity and not shows_more
        shown = order.available
        self._take(order)
        order.price, order.display = new.price, display
        order.quantity = max(quantity, order.traded)
        figures = order.price or 0, order.quantity, order.leaves
        events: list[PlainEvent] = [("replaced", order.order_id, *figures)]
        if order.leaves == 0:
            return events
        if keeps_time:
            order.shown = min(shown, display, order.leaves) if display else 0
            self.resting.append(order)
            return events
        events += self._trade(order)
        if order.leaves > 0 and not order.is_ended:
            self._rest(order)
        return events

    def _replace_waiting(
        self,
        order: NaiveOrder,
        price: int,
        quantity: int,
        display: int | None,
        trigger_price: int | None,
    ) -> list[PlainEvent]:
        if order.price is not None:
            order.price = price
        if order.budget:
            order.budget = quantity
        else:
            order.quantity = quantity
        if display is not None:
            order.display = display
        trigger = order.trigger
        assert trigger is not None
        if quantity == 0:
            self.waiting.remove(order)
        elif trigger_price is not None and trigger_price != trigger.price:
            trigger.price = trigger_price
            order.time = self._now()
        return [("replaced", order.order_id, order.price or 0, order.quantity, quantity)]

    # --- triggers -----------------------------------------------------------------------

    def _ready(self, instrument: int) -> list[NaiveOrder]:
        """The waiting orders that fire, the first one first."""
        rises: list[tuple[int, int, NaiveOrder]] = []
        falls: list[tuple[int, int, NaiveOrder]] = []
        for order in self.waiting:
            trigger, reference = order.trigger, self._reference(order)
            if order.instrument != instrument or trigger is None or reference is None:
                continue
            self._trail(trigger, reference)
            if trigger.direction is Direction.RISE and reference >= trigger.price:
                rises.append((trigger.price, order.time, order))
            if trigger.direction is Direction.FALL and reference <= trigger.price:
                falls.append((-trigger.price, order.time, order))
        rises.sort(key=lambda found: found[:2])
        falls.sort(key=lambda found: found[:2])
        return [order for _, _, order in rises + falls]

    def _reference(self, order: NaiveOrder) -> int | None:
        assert order.trigger is not None
        if order.trigger.reference is Reference.LAST:
            return self.last.get(order.instrument)
        other = Side.SELL if order.side is Side.BUY else Side.BUY
        queue = self._queue(order.instrument, other)
        return queue[0].price if queue else None

    @staticmethod
    def _trail(trigger: NaiveTrigger, reference: int) -> None:
        distance = trigger.trail
        if trigger.trail_bps:
            exact, over = divmod(abs(reference) * trigger.trail_bps, 10_000)
            distance = max(exact + (1 if over else 0), 1)
        if distance == 0:
            return
        rises = trigger.direction is Direction.RISE
        price = reference + distance if rises else reference - distance
        if price < 1:
            price = 1
        if trigger.price == 0:
            trigger.price = price
        elif rises:
            trigger.price = min(trigger.price, price)
        else:
            trigger.price = max(trigger.price, price)

    # --- lists --------------------------------------------------------------------------

    def _now(self) -> int:
        self.time += 1
        return self.time

    def _take(self, order: NaiveOrder) -> None:
        self.resting = [other for other in self.resting if other is not order]
        self.waiting = [other for other in self.waiting if other is not order]

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

    # --- digest -------------------------------------------------------------------------

    def digest(self, instruments: int) -> str:
        lines: list[str] = []
        for number in range(instruments):
            for side in (Side.BUY, Side.SELL):
                for order in self._queue(number, side):
                    figures = f"{side:d} {order.price} {order.order_id} {order.leaves}"
                    lines.append(f"{number} {figures}{marks(order)}\n")
            lines += self._waiting_lines(number)
            if number in self.last:
                lines.append(f"{number} last {self.last[number]}\n")
            if number in self.suspended:
                lines.append(f"{number} suspended\n")
        return sha256("".join(lines).encode()).hexdigest()

    def _waiting_lines(self, instrument: int) -> list[str]:
        lines = []
        for order in sorted(self.waiting, key=lambda order: order.time):
            trigger = order.trigger
            if order.instrument != instrument or trigger is None:
                continue
            order_type = OrderType.MARKET if order.price is None else OrderType.LIMIT
            words = (
                trigger.price,
                trigger.direction,
                trigger.reference,
                trigger.trail,
                trigger.trail_bps,
                order.time_in_force,
                order_type,
                order.side,
                order.price or 0,
                order.order_id,
                order.leaves,
            )
            text = " ".join(f"{word:d}" for word in words)
            lines.append(f"{instrument} waits {text}{marks(order)}\n")
        return lines


def marks(order: NaiveOrder) -> str:
    text = ""
    if order.group:
        text += f" group={order.group}"
        text += f" self_trade={order.self_trade:d}" if order.self_trade else ""
    text += f" display={order.display}" if order.display else ""
    text += f" shown={order.shown}" if order.shown else ""
    text += f" min_quantity={order.min_quantity}" if order.min_quantity else ""
    text += f" post_only={order.post_only:d}" if order.post_only else ""
    return text + (f" budget={order.budget}" if order.budget else "")
