"""History in pages: what a reading of the whole journal finds, in order, a little at a time."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from fix_engine.wire import encode
from sessions.journal import Durability, Journal, Kind, remove_segments
from sessions.journal.pages import HistoryReader, ReleasedError, SentRecord, Span, first_segment


def message(msg_type: bytes, position: int, index: int, size: int) -> bytes:
    return encode(b"35=%b\x0117=%d-%d\x0158=%b\x01" % (msg_type, position, index, b"x" * size))


def rank_of(raw: bytes) -> tuple[int, int] | None:
    text = raw.partition(b"\x0117=")[2].partition(b"\x01")[0]
    position, _, index = text.partition(b"-")
    return None if index == b"13" else (int(position), int(index))


class History:
    """A journal of several segments, and all that a reader of it may find."""

    def __init__(self, directory: Path, seed: int, batches: int = 300) -> None:
        self.random = rng = random.Random(seed)
        self.journal = Journal(directory, Durability.OS, 1 << 16)
        list(self.journal.recover())
        self.all: list[tuple[int, SentRecord]] = []  # with the time
        for number in range(batches):
            stamp = 1_000 + number * 10
            told = [one for _ in range(rng.randint(0, 4)) for one in self._input()]
            rng.shuffle(told)  # as sessions are served
            for one in told:
                self.journal.add(Kind.SENT, one.session, 1, 1, one.payload)
            self.all += ((stamp, one) for one in sorted(told, key=lambda one: one.rank))
            if rng.random() < 0.3:
                other = message(rng.choice([b"AE", b"0"]), self.journal.position, 1, 10)
                self.journal.add(Kind.SENT, 1, 1, 1, other)
            self.journal.commit(stamp)

    def _input(self) -> list[SentRecord]:
        rng = self.random
        self.journal.add(rng.choice([Kind.COMMAND, Kind.TIME]), 1, 1, 1, b"x" * rng.randint(0, 90))
        position = self.journal.position
        size = 70_000 if rng.random() < 0.005 else rng.randint(0, 200)
        return [
            SentRecord(rng.randint(1, 3), (position, index), message(b"8", position, index, size))
            for index in range(1, rng.choice([1, 2, 3, 15]))
        ]

    def expected(self, span: Span, sessions: set[int]) -> list[SentRecord]:
        return [
            one
            for stamp, one in self.all
            if one.session in sessions
            and one.rank[1] != 13
            and span.first_position <= one.rank[0]
            and (span.last_position is None or one.rank[0] <= span.last_position)
            and span.since <= stamp
            and (span.until is None or stamp <= span.until)
        ]


def read(reader: HistoryReader, effort: int, most: int) -> list[SentRecord]:
    found: list[SentRecord] = []
    for _ in range(1_000_000):
        page = reader.page(effort, most)
        assert len(page) <= most
        found += page
        if reader.is_at_end:
            return found
    raise AssertionError("it has no end")


@pytest.mark.parametrize("seed", range(8))
def test_pages_of_any_size_find_what_is_wanted_in_order(seed: int, tmp_path: Path) -> None:
    history = History(tmp_path, seed)
    rng, journal = history.random, history.journal
    assert len(journal.segments) > 2
    for _ in range(40):
        span = Span()
        if rng.random() < 0.6:
            span.first_position = rng.randint(1, journal.position)
            if rng.random() < 0.5:
                span.last_position = rng.randint(span.first_position, journal.position)
        else:
            span.since = rng.randint(900, 4_100)
            if rng.random() < 0.5:
                span.until = rng.randint(span.since, 4_200)
        sessions = set(rng.sample([1, 2, 3], rng.randint(1, 3)))

        def is_one(session: int, position: int, some: set[int] = sessions) -> bool:
            return session in some

        reader = HistoryReader(journal, b"8", span, is_one, rank_of)
        effort, most = rng.choice([(1, 1), (7, 3), (400, 16), (10**6, 10**6)])
        found = read(reader, effort, most)
        # A batch is read whole: what else its inputs led to may come, too.
        kept = [
            one
            for one in found
            if span.first_position <= one.rank[0]
            and (span.last_position is None or one.rank[0] <= span.last_position)
        ]
        assert kept == history.expected(span, sessions), span
        assert [one.rank for one in found] == sorted(one.rank for one in found)
    journal.close()


def test_a_reader_goes_on_where_the_journal_goes_on_and_no_further_than_its_end(
    tmp_path: Path,
) -> None:
    history = History(tmp_path, 1, 20)
    journal = history.journal
    open_end, closed = (
        HistoryReader(journal, b"8", Span(), lambda session, position: True, rank_of, end)
        for end in (None, journal.written)
    )
    first = read(open_end, 400, 16)
    assert open_end.page(400, 16) == []
    journal.add(Kind.COMMAND, 1, 1, 1, b"")
    new = message(b"8", journal.position, 1, 5)
    journal.add(Kind.SENT, 2, 1, 1, new)
    assert open_end.page(400, 16) == [], "not committed yet"
    journal.commit(5_000)
    assert [one.payload for one in read(open_end, 400, 16)] == [new]
    assert read(closed, 400, 16) == first
    journal.close()


def test_what_is_released_under_a_reader_is_said(tmp_path: Path) -> None:
    history = History(tmp_path, 2)
    journal = history.journal
    reader = HistoryReader(journal, b"8", Span(), lambda session, position: True, rank_of)
    assert reader.page(10, 10) is not None
    remove_segments(tmp_path, journal.release_before(2))
    with pytest.raises(ReleasedError):
        reader.page(10, 10)
    again = HistoryReader(journal, b"8", Span(), lambda session, position: True, rank_of)
    assert read(again, 400, 16) != []
    journal.close()


def test_the_segment_to_begin_with_is_found_by_heads_alone(tmp_path: Path) -> None:
    history = History(tmp_path, 3)
    journal = history.journal
    numbers = [first_segment(journal, Span(first_position=at)).number for at in (1, 300, 10**6)]
    assert numbers[0] == 1
    assert numbers == sorted(numbers)
    assert numbers[-1] == journal.segments[-1].number
    assert first_segment(journal, Span(since=10**9)).number == numbers[-1]
    journal.close()
