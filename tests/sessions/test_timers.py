"""Deadlines of many, told together."""

from __future__ import annotations

from collections.abc import Callable
from itertools import count

from fix_engine.timestamps import SECOND_NS
from sessions.timers import MOMENT_NS, Timers

START = 1_800_000_000 * SECOND_NS


class Alarm:
    """What a loop would call."""

    def __init__(self, at: int, callback: Callable[[], None]) -> None:
        self.at, self.callback = at, callback
        self.is_cancelled = False

    def cancel(self) -> None:
        self.is_cancelled = True


class World:
    """Timers and a loop; `told` has who was told when, in seconds from the start."""

    def __init__(self) -> None:
        self.now = START
        self.alarms: list[Alarm] = []
        self.timers = Timers(lambda: self.now, self._call_later)
        self.told: list[tuple[str, float]] = []
        self.rounds = 0

    def _call_later(self, delay: float, callback: Callable[[], None]) -> Alarm:
        alarm = Alarm(self.now + round(delay * SECOND_NS), callback)
        self.alarms.append(alarm)
        return alarm

    def run(self) -> None:
        """Let time pass until nobody waits any more."""
        while waiting := [one for one in self.alarms if not one.is_cancelled]:
            alarm = min(waiting, key=lambda one: one.at)
            self.alarms.remove(alarm)
            self.now = max(self.now, alarm.at)
            self.rounds += 1
            alarm.callback()


class One:
    def __init__(self, world: World, name: str) -> None:
        self.world, self.name = world, name

    def timeout(self) -> None:
        self.world.told.append((self.name, (self.world.now - START) / SECOND_NS))

    def at(self, seconds: float) -> int:
        due = START + round(seconds * SECOND_NS)
        return self.world.timers.set(self, due, self.world.now)


def test_nobody_is_told_early_nor_later_than_a_moment() -> None:
    world, late = World(), MOMENT_NS / SECOND_NS
    for number in range(100):
        One(world, f"{number}").at(number / 77)
    world.run()
    assert [name for name, _ in world.told] == [f"{number}" for number in range(100)]
    for name, at in world.told:
        assert 0 <= round(at - int(name) / 77, 6) <= late


def test_an_earlier_deadline_wakes_earlier() -> None:
    world = World()
    One(world, "late").at(30)
    One(world, "early").at(1)
    world.run()
    assert [name for name, _ in world.told] == ["early", "late"]
    assert world.told[0][1] < 1.1


def test_those_of_one_moment_share_a_wake_up_and_leave_room_for_others() -> None:
    world = World()
    for number in range(200):
        One(world, f"{number}").at(10)
    assert sum(not one.is_cancelled for one in world.alarms) == 1
    world.run()
    assert len(world.told) == 200
    assert world.rounds == 4  # of the loop, 64 in each


def test_who_has_cancelled_is_not_told() -> None:
    world = World()
    one, other = One(world, "one"), One(world, "other")
    world.timers.cancel(one, one.at(5))
    other.at(5)
    world.run()
    assert [name for name, _ in world.told] == ["other"]
    world.timers.cancel(other, 0)


def test_a_deadline_far_away_is_not_the_loops_business() -> None:
    world = World()
    One(world, "patient").at(400 * 86_400)
    for _ in range(24 * 400 - 1):
        (alarm,) = (one for one in world.alarms if not one.is_cancelled)
        assert alarm.at - world.now <= 3_600 * SECOND_NS
        world.alarms.remove(alarm)
        world.now = alarm.at
        alarm.callback()
    assert not world.told
    world.run()
    assert len(world.told) == 1


def test_who_is_told_may_set_its_next_deadline() -> None:
    world, left = World(), count(3, -1)

    class Again(One):
        def timeout(self) -> None:
            super().timeout()
            if next(left):
                self.at((world.now - START) / SECOND_NS + 10)

    Again(world, "again").at(10)
    world.run()
    assert [round(at) for _, at in world.told] == [10, 20, 30, 40]


def test_who_keeps_the_loop_busy_tells_those_that_are_overdue() -> None:
    world = World()
    for number in range(100):
        One(world, f"s{number}").at(1)
    One(world, "later").at(9)
    world.now = START + 1 * SECOND_NS
    world.timers.keep_up()
    assert not world.told, "the loop is on time"
    world.now = START + 2 * SECOND_NS
    world.timers.keep_up()
    assert 0 < len(world.told) < 100, "some; those that are served have their turn in between"
    world.timers.keep_up()
    assert [name for name, _ in world.told] == [f"s{number}" for number in range(100)]
    assert {at for _, at in world.told} == {2.0}
    world.timers.keep_up()
    world.run()
    assert [(name, at) for name, at in world.told[100:] if at >= 9] == [
        ("later", world.told[-1][1])
    ]
    assert len(world.told) == 101, "nobody is told twice"
