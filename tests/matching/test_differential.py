"""Random order flow through the engine and through its naive judge: both must say the same.

A failure names its seed; to see it again, run that one case, or call `play_flow(seed)`.
"""

from __future__ import annotations

from collections import Counter
from functools import cache
from random import Random
from typing import NamedTuple

import pytest

from matching.digest import check_invariants, digest
from matching.engine import MatchingEngine
from matching.events import Accepted, Cancelled, Event, Replaced, Traded
from matching.order import Order, OrderType, Side, TimeInForce
from tests.matching.naive import NaiveEngine, NaiveOrder, PlainEvent

SEEDS = range(16)
COMMANDS = 1_500
CHECK_EVERY = 50
INSTRUMENTS = 3


class Submit(NamedTuple):
    order_id: int
    instrument: int
    side: Side
    order_type: OrderType
    price: int
    quantity: int
    time_in_force: TimeInForce


class Cancel(NamedTuple):
    order_id: int


class Replace(NamedTuple):
    order_id: int
    price: int
    quantity: int


Command = Submit | Cancel | Replace


class Flow:
    """Random commands; the prices lie so close together that much of it trades."""

    def __init__(self, seed: int) -> None:
        self._random = Random(seed)
        self._next_id = 1
        # Some markets are one level deep, others hold twenty; some rest little, others much.
        lowest = self._random.choice([-2, 100])
        self._prices = range(lowest, lowest + self._random.choice([1, 3, 8, 21]))
        self._largest = self._random.choice([3, 10, 40])
        self._most_resting = self._random.choice([8, 30, 80])

    def next(self, resting: list[NaiveOrder]) -> Command:
        """The next command, given what may be cancelled or replaced."""
        cancels = 45 if len(resting) > self._most_resting else 12
        dice = self._random.randrange(100)
        if not resting or dice >= cancels + 25:
            return self._submit()
        order = self._random.choice(resting)
        return Cancel(order.order_id) if dice < cancels else self._replace(order)

    def _submit(self) -> Submit:
        order_id, self._next_id = self._next_id, self._next_id + 1
        order_type = self._random.choices(list(OrderType), weights=[1, 6])[0]
        return Submit(
            order_id,
            self._random.randrange(INSTRUMENTS),
            self._random.choice(list(Side)),
            order_type,
            0 if order_type is OrderType.MARKET else self._random.choice(self._prices),
            self._random.randint(1, self._largest),
            self._random.choices(list(TimeInForce), weights=[8, 1, 2])[0],
        )

    def _replace(self, order: NaiveOrder) -> Replace:
        price = order.price if self._random.random() < 0.6 else None
        quantity = order.quantity if self._random.random() < 0.2 else None
        return Replace(
            order.order_id,
            self._random.choice(self._prices) if price is None else price,
            self._random.randint(1, order.quantity + 5) if quantity is None else quantity,
        )


class Real:
    """The engine under test, with commands and events as plain as those of its judge."""

    def __init__(self) -> None:
        self.engine: MatchingEngine[Order] = MatchingEngine(INSTRUMENTS)
        self.orders: dict[int, Order] = {}

    def execute(self, command: Command) -> tuple[list[PlainEvent], bool]:
        """The events, and whether the order rests afterwards."""
        out: list[Event[Order]] = []
        rests = False
        match command:
            case Submit():
                order = self.orders[command.order_id] = Order(*command[:-1])
                rests = self.engine.submit(order, command.time_in_force, out)
            case Cancel(order_id):
                self.engine.cancel(self.orders[order_id], out)
            case Replace(order_id, price, quantity):
                rests = self.engine.replace(self.orders[order_id], price, quantity, out)
        return [plain(event) for event in out], rests


class Judge:
    """The naive engine, as `Real` is to the other."""

    def __init__(self) -> None:
        self.engine = NaiveEngine()

    def execute(self, command: Command) -> tuple[list[PlainEvent], bool]:
        match command:
            case Submit():
                events = self.engine.submit(*command)
            case Cancel(order_id):
                events = self.engine.cancel(order_id)
            case Replace(order_id, price, quantity):
                events = self.engine.replace(order_id, price, quantity)
        rests = any(order.order_id == command.order_id for order in self.engine.resting)
        return events, rests


def plain(event: Event[Order]) -> PlainEvent:
    match event:
        case Accepted(order):
            return "accepted", order.order_id
        case Cancelled(order, quantity):
            return "cancelled", order.order_id, quantity
        case Replaced(order, leaves):
            return "replaced", order.order_id, order.price, order.quantity, leaves
        case Traded(maker, taker, price, quantity, maker_leaves, taker_leaves):
            ids = maker.order_id, taker.order_id
            return "traded", *ids, price, quantity, maker_leaves, taker_leaves


class Step(NamedTuple):
    command: Command
    events: list[PlainEvent]
    rests: bool


class Played(NamedTuple):
    """One flow after its last command, and all that the real engine said."""

    real: Real
    judge: Judge
    steps: list[Step]


@cache
def play_flow(seed: int) -> Played:
    """Play one flow; raise AssertionError where the engines part."""
    flow, real, judge = Flow(seed), Real(), Judge()
    steps: list[Step] = []
    for number in range(COMMANDS):
        command = flow.next(judge.engine.resting)
        where = f"seed {seed}, command {number}: {command}"
        actual, expected = real.execute(command), judge.execute(command)
        assert actual == expected, f"{where}\n  expected: {expected}\n  actual:   {actual}"
        steps.append(Step(command, *actual))
        if number % CHECK_EVERY == 0:
            check_books(real, judge, where)
    check_books(real, judge, f"seed {seed}, at the end")
    return Played(real, judge, steps)


def check_books(real: Real, judge: Judge, where: str) -> None:
    assert digest(real.engine) == judge.engine.digest(), f"{where}: the books differ"
    try:
        check_invariants(real.engine)
    except AssertionError as error:
        raise AssertionError(f"{where}: {error}") from error


@pytest.mark.parametrize("seed", SEEDS)
def test_both_engines_say_the_same(seed: int) -> None:
    play_flow(seed)


@pytest.mark.parametrize("seed", SEEDS)
def test_every_lot_is_traded_cancelled_or_resting(seed: int) -> None:
    played = play_flow(seed)
    lots, resting = Lots(played.steps), resting_lots(played.real.engine)
    assert lots.submitted.keys() == played.real.orders.keys()
    for order_id, quantity in lots.submitted.items():
        parts = lots.traded[order_id], lots.cancelled[order_id], resting[order_id]
        assert sum(parts) == quantity, f"seed {seed}: order {order_id}: {parts} of {quantity}"


@pytest.mark.parametrize("seed", SEEDS)
def test_orders_know_what_they_leave(seed: int) -> None:
    played = play_flow(seed)
    resting = resting_lots(played.real.engine)
    for order in played.real.orders.values():
        assert order.leaves == resting[order.order_id], f"seed {seed}: {order}"


def test_cancelling_all_that_rests_empties_the_books() -> None:
    for seed in SEEDS:
        flow, real, judge = Flow(seed), Real(), Judge()
        for _ in range(COMMANDS // 10):
            command = flow.next(judge.engine.resting)
            real.execute(command)
            judge.execute(command)
        for order in judge.engine.resting:
            events, _ = real.execute(Cancel(order.order_id))
            assert events == [("cancelled", order.order_id, order.leaves)], f"seed {seed}"
        assert not any(book.buys or book.sells for book in real.engine.books), f"seed {seed}"


def test_the_same_flow_twice_ends_in_the_same_books() -> None:
    first = play_flow(SEEDS[0])
    again = Real()
    for command, events, rests in first.steps:
        assert again.execute(command) == (events, rests)
    assert digest(again.engine) == digest(first.real.engine)


class Lots:
    """What became of each order, told from commands and events alone."""

    def __init__(self, steps: list[Step]) -> None:
        self.submitted: dict[int, int] = {}
        self.traded: Counter[int] = Counter()
        self.cancelled: Counter[int] = Counter()
        for command, events, _ in steps:
            if not isinstance(command, Cancel):
                # A replace cannot take back what has traded by then.
                traded = self.traded[command.order_id]
                self.submitted[command.order_id] = max(command.quantity, traded)
            for event in events:
                self._count(event)

    def _count(self, event: PlainEvent) -> None:
        match event:
            case ("traded", int(maker), int(taker), _, int(quantity), _, _):
                self.traded[maker] += quantity
                self.traded[taker] += quantity
            case ("cancelled", int(order_id), int(quantity)):
                self.cancelled[order_id] += quantity


def resting_lots(engine: MatchingEngine[Order]) -> Counter[int]:
    """What each order has in the books, by id; it may be there only once."""
    found: Counter[int] = Counter()
    for book in engine.books:
        for side in (book.buys, book.sells):
            for _, level in side.levels():
                for order in level.orders.values():
                    assert order.order_id not in found, f"twice in the books: {order}"
                    found[order.order_id] = order.leaves
    return found


# A judge is worth only as much as the cases put before it: what commands can lead to.
IMMEDIATE = ["trades, is done", "trades, is cancelled", "does not trade, is cancelled"]
ALL_OR_NONE = ["trades, is done", "does not trade, is cancelled"]
OUTCOMES = {
    "LIMIT GOOD_TILL_CANCEL": ["does not trade, rests", "trades, rests", "trades, is done"],
    "LIMIT IMMEDIATE_OR_CANCEL": IMMEDIATE,
    "LIMIT FILL_OR_KILL": ALL_OR_NONE,
    "MARKET GOOD_TILL_CANCEL": IMMEDIATE,
    "MARKET IMMEDIATE_OR_CANCEL": IMMEDIATE,
    "MARKET FILL_OR_KILL": ALL_OR_NONE,
    "Replace": [
        "does not trade, rests",
        "does not trade, is done",
        "trades, rests",
        "trades, is done",
    ],
    "Cancel": ["does not trade, is cancelled"],
}


def outcome(step: Step) -> tuple[str, str]:
    command, names = step.command, [event[0] for event in step.events]
    kind = type(command).__name__
    if isinstance(command, Submit):
        kind = f"{command.order_type.name} {command.time_in_force.name}"
    trades = "trades" if "traded" in names else "does not trade"
    end = "rests" if step.rests else "is cancelled" if "cancelled" in names else "is done"
    return kind, f"{trades}, {end}"


def test_the_flow_has_every_possible_outcome_and_no_other() -> None:
    found = Counter(outcome(step) for seed in SEEDS for step in play_flow(seed).steps)
    assert found.keys() == {(kind, end) for kind, ends in OUTCOMES.items() for end in ends}
    assert min(found.values()) >= 20, found
