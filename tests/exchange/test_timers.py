"""What is due, beside a list that is sorted each time."""

from __future__ import annotations

import random

import pytest

from exchange.venue.timers import Due, Timer, Timers


@pytest.mark.parametrize("seed", range(30))
def test_timers_are_due_in_order_whatever_is_set_and_dropped(seed: int) -> None:
    chance = random.Random(seed)
    timers, naive = Timers(), set[Timer]()
    moments = chance.choice((3, 40, 3_000))
    now = 0
    for _ in range(1_500):
        timer = Timer(
            now + chance.randint(1, moments), chance.choice(list(Due)), chance.randint(1, 50)
        )
        act = chance.random()
        if act < 0.45:
            timers.set(*timer)
            naive.add(timer)
        elif act < 0.8:
            if naive and chance.random() < 0.8:
                timer = chance.choice(sorted(naive))
            timers.drop(*timer)
            naive.discard(timer)
        else:
            now += chance.randint(0, 2)
            expected = min(naive, default=None)
            if expected is not None and expected.at > now:
                expected = None
            assert timers.pop(now) == expected, seed
            naive.discard(expected) if expected is not None else None
        assert timers.next_at == min((one.at for one in naive), default=0), seed
    assert list(timers) == sorted(naive), seed


def test_what_was_dropped_is_not_kept() -> None:
    timers = Timers()
    timers.set(1, Due.EXPIRY, 1)
    for number in range(2, 10_000):
        timers.set(number, Due.EXPIRY, number)
        timers.drop(number, Due.EXPIRY, number)
    assert len(timers._numbers) < 200
    assert len(timers._moments) < 200


def test_a_hundred_thousand_of_one_moment_are_one_entry() -> None:
    timers = Timers()
    for number in range(100_000, 0, -1):
        timers.set(7, Due.EXPIRY, number)
    assert len(timers._moments) == 1
    assert [timers.pop(7) for _ in range(3)] == [Timer(7, Due.EXPIRY, one) for one in (1, 2, 3)]
    assert timers.pop(6) is None
