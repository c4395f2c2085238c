"""Wall time that never runs back."""

from __future__ import annotations

from random import Random

import pytest

from sessions.clock import Clock

SECOND = 1_000_000_000
EPOCH = 1_800_000_000 * SECOND


class Hands:
    """What the machine's two clocks show."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.monotonic = 5 * SECOND
        self.wall = EPOCH
        monkeypatch.setattr("sessions.clock.monotonic_ns", lambda: self.monotonic)
        monkeypatch.setattr("sessions.clock.time_ns", lambda: self.wall)

    def pass_time(self, elapsed: int) -> None:
        self.monotonic += elapsed
        self.wall += elapsed


@pytest.fixture
def hands(monkeypatch: pytest.MonkeyPatch) -> Hands:
    return Hands(monkeypatch)


def test_it_shows_wall_time(hands: Hands) -> None:
    clock = Clock()
    assert clock.now() == EPOCH
    for _ in range(50):
        hands.pass_time(SECOND // 7)
        assert clock.now() == hands.wall


def test_a_step_forward_is_followed_within_a_second(hands: Hands) -> None:
    clock = Clock()
    hands.wall += 3600 * SECOND
    hands.pass_time(SECOND)
    assert clock.now() == hands.wall


def test_a_step_back_is_slewed_until_wall_time_is_met_again(hands: Hands) -> None:
    clock = Clock()
    hands.wall -= SECOND // 100
    before = clock.now()
    for _ in range(19):
        hands.pass_time(SECOND)
        now = clock.now()
        assert SECOND * 999 // 1000 <= now - before < SECOND, "time goes on, a little slower"
        assert now > hands.wall
        before = now
    hands.pass_time(SECOND)
    assert clock.now() == hands.wall
    hands.pass_time(SECOND)
    assert clock.now() == hands.wall


def test_a_day_back_does_not_stop_the_timers(hands: Hands) -> None:
    clock = Clock()
    first = clock.now()
    hands.wall -= 86_400 * SECOND
    for _ in range(600):
        hands.pass_time(SECOND // 10)
        clock.now()
    assert 59 * SECOND < clock.now() - first <= 60 * SECOND


def test_after_a_long_sleep_it_is_right_at_once(hands: Hands) -> None:
    """A suspended machine: wall time goes on where monotonic time stands still."""
    clock = Clock()
    hands.wall += 8 * 3600 * SECOND
    hands.pass_time(2 * SECOND)
    assert clock.now() == hands.wall


def test_two_readings_close_together_are_in_order_while_it_is_slewed(hands: Hands) -> None:
    clock = Clock()
    hands.wall -= SECOND
    hands.pass_time(SECOND - 1)
    before = clock.now()
    hands.pass_time(1)
    assert clock.now() >= before


def test_it_never_runs_back_whatever_wall_time_does(hands: Hands) -> None:
    random = Random(44)
    clock = Clock()
    before = clock.now()
    for _ in range(5_000):
        hands.pass_time(random.choice((0, 1, 1_000, SECOND // 1000, SECOND // 3, 2 * SECOND)))
        if random.random() < 0.02:
            hands.wall += random.randrange(-5 * SECOND, 5 * SECOND)
        now = clock.now()
        assert now >= before
        before = now
