"""Waiting times after failures."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sessions.backoff import Backoff
from tests.fix_engine.support import examples

SECOND = 1_000_000_000
KEY = "192.0.2.1"


def test_some_failures_are_free_and_each_further_one_doubles_the_wait_up_to_a_limit() -> None:
    backoff = Backoff(free=3, longest_wait_ns=10 * SECOND)
    waits = []
    for _ in range(10):
        backoff.failed(KEY, 0)
        waits.append(backoff.wait_ns(KEY, 0) / SECOND)
    assert waits == [0, 0, 0, 1, 2, 4, 8, 10, 10, 10]


def test_a_wait_passes() -> None:
    backoff = Backoff(free=1, longest_wait_ns=60 * SECOND)
    for _ in range(3):
        backoff.failed(KEY, 5 * SECOND)
    assert [backoff.wait_ns(KEY, at * SECOND) for at in (5, 6, 7, 8, 100)] == [
        *(2 * SECOND, 1 * SECOND),
        *(0, 0, 0),
    ]
    assert backoff.wait_ns(KEY, 7 * SECOND - 1) == 1


def test_who_has_not_failed_need_not_wait() -> None:
    backoff = Backoff(free=1, longest_wait_ns=60 * SECOND)
    for _ in range(5):
        backoff.failed("somebody", 0)
    assert backoff.wait_ns("somebody else", 0) == 0
    assert len(backoff) == 1, "asking is not remembered"


def test_success_forgets() -> None:
    backoff = Backoff(free=1, longest_wait_ns=60 * SECOND)
    for key in ("a", "b"):
        for _ in range(5):
            backoff.failed(key, 0)
    backoff.succeeded("a")
    backoff.succeeded("nobody")
    assert backoff.wait_ns("a", 0) == 0
    assert backoff.wait_ns("b", 0) > 0
    backoff.failed("a", 0)
    assert backoff.wait_ns("a", 0) == 0, "the free ones are there again"


@pytest.mark.parametrize(("later", "is_forgotten"), [(0, False), (1, True)])
def test_failures_are_forgotten_when_the_longest_wait_has_passed_since(
    later: int, is_forgotten: bool
) -> None:
    backoff = Backoff(free=1, longest_wait_ns=60 * SECOND)
    for _ in range(3):
        backoff.failed(KEY, 0)  # to wait until 2
    now = 62 * SECOND + later
    backoff.failed(KEY, now)
    assert backoff.wait_ns(KEY, now) == (0 if is_forgotten else 4 * SECOND)


def test_failures_without_a_wait_are_forgotten_in_the_same_time() -> None:
    backoff = Backoff(free=2, longest_wait_ns=60 * SECOND)
    for number in range(10):
        backoff.failed(KEY, number * 61 * SECOND)
        assert backoff.wait_ns(KEY, number * 61 * SECOND) == 0


def test_memory_is_bounded_and_who_failed_longest_ago_is_forgotten_first() -> None:
    backoff = Backoff(free=1, longest_wait_ns=60 * SECOND)
    for _ in range(2):
        for key in ("first", "second"):
            backoff.failed(key, 0)
    for number in range(9_998):
        backoff.failed(number, 0)
    assert len(backoff) == 10_000
    backoff.failed("first", 0)
    for number in range(10_000, 10_004):
        backoff.failed(number, 0)
    assert len(backoff) == 10_000
    assert backoff.wait_ns("first", 0) > 0
    assert backoff.wait_ns("second", 0) == 0


def test_any_number_of_failures_can_be_counted() -> None:
    backoff = Backoff(free=1, longest_wait_ns=3_600 * SECOND)
    for _ in range(2_000):
        backoff.failed(KEY, 0)
    assert backoff.wait_ns(KEY, 0) == 3_600 * SECOND


@examples(60)
@given(
    st.integers(1, 5),
    st.lists(st.tuples(st.sampled_from("ab"), st.integers(0, 90)), max_size=30),
)
def test_a_wait_is_never_longer_than_the_longest_and_grows_with_failures(
    free: int, steps: list[tuple[str, int]]
) -> None:
    backoff, now = Backoff(free, 16 * SECOND), 0
    counts = {"a": 0, "b": 0}
    idle_since = {"a": 0, "b": 0}
    for key, pause in steps:
        now += pause * SECOND
        if now - idle_since[key] > 16 * SECOND:
            counts[key] = 0
        backoff.failed(key, now)
        counts[key] += 1
        expected = min(2 ** (counts[key] - free - 1), 16) if counts[key] > free else 0
        assert backoff.wait_ns(key, now) == expected * SECOND
        idle_since[key] = now + expected * SECOND
