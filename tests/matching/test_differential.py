"""Random order flow through the engine and through its naive judge: both must say the same.

A failure names its seed; to see it again, run that one case, or call `play_flow(seed)`.
`python -m tests.matching` plays on for as long as you like.
"""

from __future__ import annotations

from collections import Counter
from functools import cache
from typing import NamedTuple

import pytest

from matching.digest import digest
from matching.engine import MatchingEngine
from matching.order import Order, TimeInForce
from tests.matching.duel import Duel, Judge, Real, Step
from tests.matching.flow import Cancel, Flow, Replace, Submit
from tests.matching.naive import PlainEvent
from tests.matching.outcomes import FEATURES, features

SEEDS = range(40)
COMMANDS = 500


class Played(NamedTuple):
    """One flow after its last command, and all that the real engine said."""

    real: Real
    judge: Judge
    steps: list[Step]


@cache
def play_flow(seed: int) -> Played:
    """Play one flow; raise AssertionError where the engines part."""
    duel = Duel(seed)
    steps = [duel.step() for _ in range(COMMANDS)]
    duel.check(f"seed {seed}, at the end")
    return Played(duel.real, duel.judge, steps)


@pytest.mark.parametrize("seed", SEEDS)
def test_both_engines_say_the_same(seed: int) -> None:
    play_flow(seed)


@pytest.mark.parametrize("seed", SEEDS)
def test_every_lot_is_traded_cancelled_reduced_or_there(seed: int) -> None:
    played = play_flow(seed)
    lots, there = Lots(played.steps), lots_there(played.real.engine)
    for order_id, quantity in lots.submitted.items():
        parts = lots.traded[order_id], lots.gone[order_id], there[order_id]
        assert sum(parts) == quantity, f"seed {seed}: order {order_id}: {parts} of {quantity}"


@pytest.mark.parametrize("seed", SEEDS)
def test_orders_know_what_they_leave_and_what_has_traded(seed: int) -> None:
    played = play_flow(seed)
    lots, there = Lots(played.steps), lots_there(played.real.engine)
    for order in played.real.orders.values():
        order_id = order.order_id
        assert order.leaves == there[order_id], f"seed {seed}: {order}"
        if order_id in there:
            assert order.quantity - order.leaves == lots.traded[order_id], f"seed {seed}: {order}"


@pytest.mark.parametrize("seed", SEEDS)
def test_budgets_are_spent_to_the_last_lot(seed: int) -> None:
    played = play_flow(seed)
    spent: Counter[int] = Counter()
    for step in played.steps:
        for event in step.events:
            match event:
                case ("traded", _, int(taker), int(price), int(quantity), _, _):
                    spent[taker] += price * quantity
    replaced = {step.command.order_id for step in played.steps if isinstance(step.command, Replace)}
    for step in played.steps:
        command = step.command
        if isinstance(command, Submit) and command.budget and command.order_id not in replaced:
            order = played.real.orders[command.order_id]
            assert order.terms is not None
            parts = spent[order.order_id], order.terms.budget
            assert sum(parts) == command.budget, f"seed {seed}: {order}: {parts}"


def test_cancelling_all_that_is_there_empties_the_books() -> None:
    for seed in SEEDS:
        flow, real, judge = Flow(seed), Real(), Judge()
        for _ in range(COMMANDS // 4):
            command = flow.next(judge.engine)
            real.execute(command)
            judge.execute(command)
        while there := judge.engine.waiting + judge.engine.resting:
            command = Cancel(there[0].order_id)
            assert real.execute(command) == judge.execute(command), f"seed {seed}"
        for book in real.engine.books:
            assert not any(book.orders()), f"seed {seed}"
            assert not any(book.waiting()), f"seed {seed}"


def test_the_same_flow_twice_ends_in_the_same_books() -> None:
    """Without the restarts of the first time, too."""
    first = play_flow(SEEDS[0])
    again = Real()
    for command, events, is_there in first.steps:
        assert again.execute(command) == (events, is_there)
    assert digest(again.engine) == digest(first.real.engine)


class Lots:
    """What became of each order with a quantity, told from commands and events alone."""

    def __init__(self, steps: list[Step]) -> None:
        self.submitted: dict[int, int] = {}
        self.traded: Counter[int] = Counter()
        self.gone: Counter[int] = Counter()  # cancelled or decremented
        self._decremented: Counter[int] = Counter()
        for command, events, _ in steps:
            first = events[0][0] if events else ""
            if isinstance(command, Submit) and first == "accepted" and not command.budget:
                self.submitted[command.order_id] = command.quantity
            if isinstance(command, Replace) and first == "replaced":
                self._replace(command)
            for event in events:
                self._count(event)

    def _replace(self, command: Replace) -> None:
        order_id = command.order_id
        if order_id in self.submitted:
            # A replace cannot take back what has traded by then.
            most = max(command.quantity, self.traded[order_id])
            self.submitted[order_id] = most + self._decremented[order_id]

    def _count(self, event: PlainEvent) -> None:
        match event:
            case ("traded", int(maker), int(taker), _, int(quantity), _, _):
                self.traded[maker] += quantity
                self.traded[taker] += quantity
            case ("cancelled", int(order_id), int(quantity), _):
                self.gone[order_id] += quantity
            case ("reduced", int(order_id), int(quantity), _):
                self.gone[order_id] += quantity
                self._decremented[order_id] += quantity


def lots_there(engine: MatchingEngine[Order]) -> Counter[int]:
    """What each order has in the market, by id; it may be there only once."""
    found: Counter[int] = Counter()
    for book in engine.books:
        for order in (*book.orders(), *book.waiting()):
            assert order.order_id not in found, f"twice in the market: {order}"
            found[order.order_id] = order.leaves
    return found


# A judge is worth only as much as the cases put before it: what commands can lead to.
IMMEDIATE = ["trades, is done", "trades, is cancelled", "does not trade, is cancelled"]
ALL_OR_NONE = ["trades, is done", "does not trade, is cancelled"]
RESTING = ["does not trade, rests", "trades, rests", "trades, is done"]
OUTCOMES = {
    "LIMIT DAY": RESTING,
    "LIMIT GOOD_TILL_CANCEL": RESTING,
    "LIMIT GOOD_TILL_DATE": RESTING,
    "LIMIT IMMEDIATE_OR_CANCEL": IMMEDIATE,
    "LIMIT FILL_OR_KILL": ALL_OR_NONE,
    **{f"MARKET {each.name}": IMMEDIATE for each in TimeInForce},
    "MARKET FILL_OR_KILL": ALL_OR_NONE,
}


def outcome(step: Step, command: Submit) -> tuple[str, str]:
    """What became of the order that the command brought."""
    order_id = command.order_id
    trades = any(event[0] == "traded" and order_id in event[1:3] for event in step.events)
    is_cancelled = any(event[:2] == ("cancelled", order_id) for event in step.events)
    end = "rests" if step.is_there else "is cancelled" if is_cancelled else "is done"
    kind = f"{command.order_type.name} {command.time_in_force.name}"
    return kind, f"{'trades' if trades else 'does not trade'}, {end}"


def test_plain_orders_have_every_possible_outcome_and_no_other() -> None:
    found: Counter[tuple[str, str]] = Counter()
    for seed in SEEDS:
        for step in play_flow(seed).steps:
            command = step.command
            if isinstance(command, Submit) and not command.has_terms and not command.group:
                found[outcome(step, command)] += 1
    assert found.keys() == {(kind, end) for kind, ends in OUTCOMES.items() for end in ends}
    assert min(found.values()) >= 3, found


def test_every_feature_does_what_it_can() -> None:
    found: Counter[str] = Counter()
    for seed in SEEDS:
        found += features(play_flow(seed).steps)
    assert found.keys() == FEATURES
    assert min(found.values()) >= 3, found
