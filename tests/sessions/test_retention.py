"""What is removed of a journal, and what never is."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from random import Random

import pytest

from sessions.journal import Kind, Segment, open_segments
from sessions.retention import DAY_NS, Retention
from tests.sessions.journal.support import Entry, filled

ALL = 1 << 30
SIZE = 600  # of a segment, about


def day(number: float) -> tuple[int, list[Entry]]:
    """The batch of a day; each fills a segment."""
    return int(number * DAY_NS), [(Kind.COMMAND, 1, 1, 2, b"x" * SIZE)]


@pytest.fixture(autouse=True)
def small_growth(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sessions.journal.segment._CHUNK", 1 << 13)
    for name in ("fsync", "fdatasync"):  # nothing here asks what a loss of power leaves
        monkeypatch.setattr(f"os.{name}", lambda fd: None)


@contextmanager
def segments_of(directory: Path, *days: float) -> Iterator[list[Segment]]:
    """Segments 1, 2 and so on, each begun on its day, and an empty one behind them."""
    filled(directory, [day(number) for number in days], segment_bytes=1)
    segments = open_segments(directory, is_writer=False)
    try:
        yield segments
    finally:
        for segment in segments:
            segment.close()


def first(directory: Path, retention: Retention, now: float, needed: int = ALL) -> int:
    with segments_of(directory, *range(10)) as segments:
        return retention.first_kept(segments, needed, int(now * DAY_NS))


def test_without_limits_everything_is_kept(tmp_path: Path) -> None:
    assert first(tmp_path, Retention(), 1_000) == 1


@pytest.mark.parametrize(
    ("keep_days", "now", "number"),
    [(20, 20, 1), (20, 21, 1), (20, 21.1, 2), (20, 25.5, 6), (20, 1000, 10), (8, 9.5, 2)],
)
def test_a_segment_goes_when_all_of_it_is_too_old(
    keep_days: int, now: float, number: int, tmp_path: Path
) -> None:
    """Segment 1 ends where the batch of day 1 begins."""
    assert first(tmp_path, Retention(7, keep_days), now) == number


@pytest.mark.parametrize(("kept", "number"), [(0, 11), (1, 10), (3, 8), (5, 6), (9, 2), (10, 1)])
@pytest.mark.parametrize("spare", [0, 1])
def test_the_oldest_go_when_there_is_too_much(
    kept: int, number: int, spare: int, tmp_path: Path
) -> None:
    """As many segments as are to be kept fit exactly, or with a byte to spare."""
    with segments_of(tmp_path, *range(11)) as segments:
        last = segments[10:]  # the one that is written, and an empty one; they are counted, too
        room = sum(one.size() - one.base for one in last)
        one = segments[0].size() - segments[0].base
        retention = Retention(1, 0, room + kept * one + spare)
        assert retention.first_kept(segments, ALL, 100 * DAY_NS) == number
        less = Retention(1, 0, room + kept * one - 1)
        assert less.first_kept(segments, ALL, 100 * DAY_NS) == min(number + 1, 11)


@pytest.mark.parametrize("limit", [{"keep_bytes": 1}, {"keep_days": 1}])
@pytest.mark.parametrize(("now", "number"), [(7, 1), (8, 1), (8.1, 2), (12.1, 6), (9.99, 3)])
def test_what_a_session_may_ask_for_is_kept_whatever_the_limits_are(
    limit: dict[str, int], now: float, number: int, tmp_path: Path
) -> None:
    assert first(tmp_path, Retention(resend_days=7, **limit), now) == number


@pytest.mark.parametrize("needed", [0, 1, 4, 9])
def test_what_a_snapshot_needs_is_kept(needed: int, tmp_path: Path) -> None:
    found = first(tmp_path, Retention(1, 1, 1), 1_000, needed)
    assert found == max(needed, 1)


def test_a_clock_that_went_back_removes_nothing(tmp_path: Path) -> None:
    assert first(tmp_path, Retention(1, 1, 1), -50) == 1


def test_the_only_segment_is_kept(tmp_path: Path) -> None:
    with segments_of(tmp_path) as segments:
        assert len(segments) == 1
        assert Retention(1, 1, 1).first_kept(segments, ALL, 1_000 * DAY_NS) == 1


def test_numbers_are_those_of_a_journal_that_was_shortened_before(tmp_path: Path) -> None:
    with segments_of(tmp_path, *range(10)) as segments:
        assert Retention(1, 5).first_kept(segments[4:], ALL, 12 * DAY_NS) == 7
        assert Retention().first_kept(segments[4:], ALL, 12 * DAY_NS) == 5


@pytest.mark.parametrize("seed", range(20))
def test_no_promise_is_broken_by_any_limits(seed: int, tmp_path: Path) -> None:
    rng = Random(seed)
    days = sorted(rng.uniform(0, 30) for _ in range(rng.randint(1, 12)))
    retention = Retention(rng.randint(1, 20), rng.randint(0, 20), rng.choice((0, 1, 2_000, 9_000)))
    now, needed = days[-1] + rng.uniform(0, 5), rng.randint(0, 14)
    with segments_of(tmp_path, *days) as segments:
        found = retention.first_kept(segments, needed, int(now * DAY_NS))
        assert 1 <= found <= max(needed, 1), f"seed {seed}"
        assert found <= len(segments)
    for number, begun in enumerate(days, 1):
        if begun >= now - retention.resend_days:
            assert found <= number, f"seed {seed}: segment {number} of day {begun} would go"
