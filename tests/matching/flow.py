"""Random commands for a market, all features mixed; the same seed gives the same commands."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random
from typing import NamedTuple, TypeVar

from matching.order import OrderType, SelfTrade, Side, TimeInForce
from matching.terms import Direction, PostOnly, Reference
from tests.matching.naive import NaiveEngine, NaiveOrder

T = TypeVar("T")

INSTRUMENTS = 3


class TriggerSpec(NamedTuple):
    price: int
    direction: Direction
    reference: Reference
    trail: int = 0
    trail_bps: int = 0


class Submit(NamedTuple):
    order_id: int
    instrument: int
    side: Side
    order_type: OrderType
    price: int
    quantity: int
    time_in_force: TimeInForce
    group: int = 0
    self_trade: SelfTrade = SelfTrade.CANCEL_NEWEST
    display: int = 0
    min_quantity: int = 0
    post_only: PostOnly = PostOnly.NO
    budget: int = 0
    trigger: TriggerSpec | None = None

    @property
    def has_terms(self) -> bool:
        return any(self[9:])


class Cancel(NamedTuple):
    order_id: int


class Replace(NamedTuple):
    order_id: int
    price: int
    quantity: int
    display: int | None = None
    trigger_price: int | None = None


class Suspend(NamedTuple):
    instrument: int


class Resume(NamedTuple):
    instrument: int


Command = Submit | Cancel | Replace | Suspend | Resume


class Flow:
    """Random commands; the prices lie so close together that much of it trades."""

    def __init__(self, seed: int) -> None:
        self._random = Random(seed)
        self._next_id = 1
        # Some markets are one level deep, others hold twenty; some rest little, others much.
        lowest = self._random.choice([-2, 1, 1, 100])
        self._prices = range(lowest, lowest + self._random.choice([1, 3, 8, 21]))
        self._largest = self._random.choice([3, 10, 40])
        self._most_there = self._random.choice([8, 30, 60])
        # Some markets know nothing of a feature, in others it is everywhere.
        self._groups = self._chance(0.9)
        self._icebergs = self._chance(0.4)
        self._minimums = self._chance(0.5)
        self._post_only = self._chance(0.4)
        self._budgets = 0.5 if lowest > 0 else 0
        self._triggers = self._chance(0.6)

    def next(self, market: NaiveEngine) -> Command:
        """The next command, given what may be cancelled or replaced."""
        there = market.resting + market.waiting
        cancels = 45 if len(there) > self._most_there else 12
        dice = self._random.randrange(100)
        if self._triggers and dice == 99:
            return self._suspend_or_resume(market)
        if not there or dice >= cancels + 25:
            return self._submit()
        order = self._random.choice(there)
        return Cancel(order.order_id) if dice < cancels else self._replace(order)

    def _chance(self, most: float) -> float:
        return self._random.choice([0, most / 4, most])

    def _happens(self, chance: float) -> bool:
        return chance > 0 and self._random.random() < chance

    def _one_of(self, choices: Sequence[T]) -> T:
        return self._random.choice(choices)

    def _submit(self) -> Submit:
        order_id, self._next_id = self._next_id, self._next_id + 1
        order_type = self._random.choices(list(OrderType), weights=[2, 7])[0]
        quantity = self._random.randint(1, self._largest)
        is_market = order_type is OrderType.MARKET
        budget = self._budget() if is_market and self._happens(self._budgets) else 0
        wants_post_only = not is_market and self._happens(self._post_only)
        return Submit(
            order_id,
            self._random.randrange(INSTRUMENTS),
            self._one_of(list(Side)),
            order_type,
            0 if is_market else self._one_of(self._prices),
            0 if budget else quantity,
            self._random.choices(list(TimeInForce), weights=[1, 8, 1, 3, 1])[0],
            self._random.randint(1, 2) if self._happens(self._groups) else 0,
            self._one_of(list(SelfTrade)),
            self._random.randint(1, quantity) if self._happens(self._icebergs) else 0,
            self._random.randint(1, quantity) if self._happens(self._minimums) else 0,
            self._one_of(list(PostOnly)[1:]) if wants_post_only else PostOnly.NO,
            budget,
            self._trigger() if self._happens(self._triggers) else None,
        )

    def _budget(self) -> int:
        most = self._random.choice([2, self._largest])
        return self._random.randint(1, most * self._prices[-1])

    def _trigger(self) -> TriggerSpec:
        trail, trail_bps = self._random.choice(
            [(0, 0), (0, 0), (1, 0), (3, 0), (0, 1), (0, 250), (99, 0)]
        )
        has_price = not (trail or trail_bps) or self._random.random() < 0.5
        return TriggerSpec(
            self._trigger_price() if has_price else 0,
            self._one_of(list(Direction)),
            self._one_of(list(Reference)),
            trail,
            trail_bps,
        )

    def _trigger_price(self) -> int:
        return self._random.randint(self._prices[0] - 2, self._prices[-1] + 2)

    def _replace(self, order: NaiveOrder) -> Replace:
        price = order.price if self._random.random() < 0.6 else None
        largest = (self._budget() if order.budget else order.quantity) + 5
        quantity = order.quantity if self._random.random() < 0.2 and not order.budget else None
        new_trigger = order.trigger is not None and self._happens(0.3)
        return Replace(
            order.order_id,
            self._one_of(self._prices) if price is None else price,
            self._random.randint(0 if self._happens(0.15) else 1, largest)
            if quantity is None
            else quantity,
            self._display(order) if self._happens(self._icebergs) else None,
            self._trigger_price() if new_trigger else None,
        )

    def _display(self, order: NaiveOrder) -> int:
        is_smaller = order.display and self._random.random() < 0.5
        return self._random.randint(0, order.display if is_smaller else order.quantity + 1)

    def _suspend_or_resume(self, market: NaiveEngine) -> Suspend | Resume:
        if market.suspended and self._random.random() < 0.9:
            return Resume(self._one_of(market.suspended))
        return Suspend(self._random.randrange(INSTRUMENTS))
