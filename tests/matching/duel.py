"""Both engines side by side: the same commands, and what each of them says."""

from __future__ import annotations

from typing import NamedTuple

from matching.digest import check_invariants, digest
from matching.engine import MatchingEngine
from matching.events import (
    Accepted,
    Cancelled,
    Event,
    Reduced,
    Refused,
    Replaced,
    Traded,
    Triggered,
)
from matching.order import Order, OrderType
from matching.terms import Terms, Trigger
from tests.matching.flow import (
    INSTRUMENTS,
    Cancel,
    Command,
    Flow,
    Replace,
    Resume,
    Submit,
    Suspend,
)
from tests.matching.naive import NaiveEngine, NaiveOrder, NaiveTrigger, PlainEvent

CHECK_EVERY = 50


class Real:
    """The engine under test, with commands and events as plain as those of its judge."""

    def __init__(self) -> None:
        self.engine: MatchingEngine[Order] = MatchingEngine(INSTRUMENTS)
        self.orders: dict[int, Order] = {}

    def execute(self, command: Command) -> tuple[list[PlainEvent], bool]:
        """The events, and whether the order is still in the market afterwards."""
        out: list[Event[Order]] = []
        is_there = False
        match command:
            case Submit():
                order = self.orders[command.order_id] = real_order(command)
                is_there = self.engine.submit(order, command.time_in_force, out)
            case Cancel(order_id):
                self.engine.cancel(self.orders[order_id], out)
            case Replace(order_id, price, quantity, display, trigger_price):
                order = self.orders[order_id]
                is_there = self.engine.replace(
                    order, price, quantity, out, display=display, trigger_price=trigger_price
                )
            case Suspend(instrument):
                self.engine.books[instrument].is_suspended = True
            case Resume(instrument):
                self.engine.books[instrument].is_suspended = False
                self.engine.fire(instrument, out)
        return [plain(event) for event in out], is_there

    def restart(self) -> None:
        """Go on in a new engine, as from a snapshot."""
        old, self.engine = self.engine, MatchingEngine(INSTRUMENTS)
        for before, after in zip(old.books, self.engine.books, strict=True):
            after.last, after.is_suspended = before.last, before.is_suspended
            for order in before.orders():
                after.side_of(order).add(order)
            for order in before.waiting():
                after.triggers.add(order)


class Judge:
    """The naive engine, as `Real` is to the other."""

    def __init__(self) -> None:
        self.engine = NaiveEngine()

    def execute(self, command: Command) -> tuple[list[PlainEvent], bool]:
        engine = self.engine
        match command:
            case Submit():
                events = engine.submit(naive_order(command))
            case Cancel(order_id):
                events = engine.cancel(order_id)
            case Replace():
                events = engine.replace(*command)
            case Suspend(instrument):
                engine.suspended = sorted({*engine.suspended, instrument})
                return [], False
            case Resume(instrument):
                engine.suspended.remove(instrument)
                return engine.fire(instrument), False
        return events, engine.is_there(command.order_id)


def real_order(command: Submit) -> Order:
    wanted = command.trigger
    terms = Terms(
        display=command.display,
        min_quantity=command.min_quantity,
        post_only=command.post_only,
        budget=command.budget,
        trigger=Trigger(*wanted) if wanted is not None else None,
    )
    return Order(
        *command[:6],
        self_trade_group=command.group,
        self_trade=command.self_trade,
        terms=terms if command.has_terms else None,
    )


def naive_order(command: Submit) -> NaiveOrder:
    wanted = command.trigger
    return NaiveOrder(
        command.order_id,
        command.instrument,
        command.side,
        command.price if command.order_type is OrderType.LIMIT else None,
        command.quantity,
        command.time_in_force,
        command.group,
        command.self_trade,
        command.display,
        command.min_quantity,
        command.post_only,
        command.budget,
        NaiveTrigger(*wanted) if wanted is not None else None,
    )


def plain(event: Event[Order]) -> PlainEvent:
    match event:
        case Accepted(order):
            return "accepted", order.order_id, order.price
        case Refused(order, why):
            return "refused", order.order_id, why.name
        case Triggered(order):
            return "triggered", order.order_id
        case Cancelled(order, quantity, reason):
            return "cancelled", order.order_id, quantity, reason.name
        case Reduced(order, by, leaves):
            return "reduced", order.order_id, by, leaves
        case Replaced(order, leaves, quantity):
            return "replaced", order.order_id, order.price, quantity, leaves
        case Traded(maker, taker, price, quantity, maker_leaves, taker_leaves):
            ids = maker.order_id, taker.order_id
            return "traded", *ids, price, quantity, maker_leaves, taker_leaves


class Step(NamedTuple):
    command: Command
    events: list[PlainEvent]
    is_there: bool


class Duel:
    """One flow through both engines."""

    def __init__(self, seed: int) -> None:
        self.seed = seed
        self.real, self.judge = Real(), Judge()
        self._flow = Flow(seed)
        self._number = 0

    def step(self) -> Step:
        """Play one command; raise AssertionError where the engines part."""
        command = self._flow.next(self.judge.engine)
        where = f"seed {self.seed}, command {self._number}: {command}"
        try:
            actual = self.real.execute(command)
        except Exception as error:
            raise AssertionError(f"{where}: {error!r}") from error
        expected = self.judge.execute(command)
        assert actual == expected, f"{where}\n  expected: {expected}\n  actual:   {actual}"
        if self._number % CHECK_EVERY == 0:
            self.check(where)
            self.real.restart()
            self.check(f"{where}: after a restart")
        self._number += 1
        return Step(command, *actual)

    def check(self, where: str) -> None:
        """Compare the books, and see that they are what books must be."""
        real, judge = self.real.engine, self.judge.engine
        same = digest(real) == judge.digest(INSTRUMENTS)
        assert same, f"{where}: the books differ"
        for there in judge.resting + judge.waiting:
            order = self.real.orders[there.order_id]
            assert (order.quantity, order.leaves) == (there.quantity, there.leaves), (
                f"{where}: {order} is {there}"
            )
        try:
            check_invariants(real)
        except AssertionError as error:
            raise AssertionError(f"{where}: {error}") from error
