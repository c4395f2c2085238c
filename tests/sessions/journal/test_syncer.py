"""The thread that waits for the disk: what it says is durable is, and nobody is shown more."""

from __future__ import annotations

import errno
import os
import queue
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from sessions.journal import Durability, Journal, JournalError, segment_path
from sessions.journal.segment import Segment, make_segment
from sessions.journal.syncer import Syncer
from sessions.turn import Turn
from tests.sessions.journal.support import SEED, message, recovered, stamps, write

SMALL = 4_000
PATIENCE_S = 10.0


class Disk:
    """os.fdatasync on a disk that takes its time: every sync waits to be let go."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.begun: queue.Queue[int] = queue.Queue()
        self._answers: queue.Queue[OSError | None] = queue.Queue()
        self._is_slow = True
        self._has_begun = False
        monkeypatch.setattr(os, "fdatasync", self._sync)

    def begin(self) -> None:
        """Return when a sync waits: what is written from now on is not for it."""
        if not self._has_begun:
            self.begun.get(timeout=PATIENCE_S)
            self._has_begun = True

    def answer(self, error: int = 0) -> None:
        """Let the sync that waits go, or fail."""
        self.begin()
        self._has_begun = False
        self._answers.put(OSError(error, os.strerror(error)) if error else None)

    def hurry(self) -> None:
        """Take no time any more."""
        self._is_slow = False
        self._answers.put(None)

    def _sync(self, fd: int) -> None:
        if self._is_slow:
            self.begun.put(fd)
            answer = self._answers.get(timeout=PATIENCE_S)
            if answer is not None:
                raise answer


class Line:
    """A connection; what it was given to write waits for its turn to settle."""

    def __init__(self, log: list[str]) -> None:
        self._log = log
        self._out: list[str] = []
        self._sealed: list[list[str]] = []

    def write(self, text: str) -> None:
        self._out.append(text)

    def seal(self) -> None:
        self._sealed.append(self._out)
        self._out = []

    def flush(self, now: int) -> None:
        self._log += self._sealed.pop(0)


class Venue:
    """A turn and its journal, and the news from the sync thread in place of an event loop."""

    def __init__(self, directory: Path, segment_bytes: int = 1 << 16) -> None:
        self.log: list[str] = []
        self.news: queue.Queue[Callable[[], None]] = queue.Queue()
        self.journal = Journal(directory, Durability.FSYNC, segment_bytes)
        self.turn = Turn(self.journal, lambda: 1, lambda callback: None, self._failed)
        self.journal.settle_with(self.news.put, self.turn.settled, self.turn.fail)
        self.line = Line(self.log)
        self._number = 0

    def live(self, after: bool = False) -> int:
        """A turn with something to write; its number."""
        self._number += 1
        number = self._number
        self.turn.open()
        _, entries = message(number, 900)
        for entry in entries:
            self.journal.add(*entry)
        self.line.write(f"shown {number}")
        self.turn.will_flush(self.line)
        if after:
            self.turn.after(lambda: self.log.append(f"after {number}"))
        self.turn.close()
        return number

    def hear(self) -> None:
        """The next news from the thread."""
        self.news.get(timeout=PATIENCE_S)()

    def _failed(self, error: Exception) -> None:
        self.log.append(f"failed: {error}")


@pytest.fixture
def disk(monkeypatch: pytest.MonkeyPatch) -> Iterator[Disk]:
    disk = Disk(monkeypatch)
    yield disk
    disk.hurry()


# --- turns that settle --------------------------------------------------------------------


def test_nothing_is_shown_before_its_batch_has_settled(tmp_path: Path, disk: Disk) -> None:
    venue = Venue(tmp_path)
    venue.live(after=True)
    assert venue.log == []
    disk.answer()
    venue.hear()
    assert venue.log == ["shown 1", "after 1"]
    disk.hurry()
    venue.journal.close()


def test_turns_go_on_while_the_disk_is_busy_and_are_shown_in_order(
    tmp_path: Path, disk: Disk
) -> None:
    venue = Venue(tmp_path)
    venue.live(after=True)
    disk.begin()
    for _ in range(3):
        venue.live(after=True)
    begun = venue.journal.settled
    assert begun < venue.journal.written
    disk.answer()
    venue.hear()
    assert venue.log == ["shown 1", "after 1"], "the others came after the sync had begun"
    disk.answer()
    venue.hear()
    last = [f"{what} {n}" for what in ("shown", "after") for n in (2, 3, 4)]
    assert venue.log == ["shown 1", "after 1", *last]
    assert venue.journal.settled == venue.journal.written
    assert venue.news.empty(), "one sync was enough for three batches"
    disk.hurry()
    venue.journal.close()


def test_a_turn_without_a_batch_waits_for_those_before_it(tmp_path: Path, disk: Disk) -> None:
    venue = Venue(tmp_path)
    venue.live()
    venue.turn.open()
    venue.line.write("sent again")
    venue.turn.will_flush(venue.line)
    venue.turn.close()
    assert venue.log == []
    disk.answer()
    venue.hear()
    assert venue.log == ["shown 1", "sent again"]
    venue.turn.open()
    venue.line.write("at once")
    venue.turn.will_flush(venue.line)
    venue.turn.close()
    assert venue.log[-1] == "at once", "there is nothing to wait for"
    disk.hurry()
    venue.journal.close()


def test_when_a_sync_fails_nothing_more_is_shown(tmp_path: Path, disk: Disk) -> None:
    venue = Venue(tmp_path)
    venue.live()
    disk.answer()
    venue.live()
    disk.answer(errno.EIO)
    venue.live()
    venue.hear()
    venue.hear()
    expected = f"failed: {segment_path(tmp_path, 1)}: cannot sync: Input/output error"
    assert venue.log == ["shown 1", expected]
    venue.live()
    assert venue.log == ["shown 1", expected]
    disk.hurry()
    venue.journal.close()
    assert stamps(recovered(tmp_path))[:1] == [1], "what was shown is there"


def test_what_breaks_as_a_turn_is_shown_ends_the_rest(tmp_path: Path, disk: Disk) -> None:
    venue = Venue(tmp_path)

    def broken() -> None:
        raise ValueError("a bug")

    venue.turn.after(broken)
    venue.live()
    disk.begin()
    venue.live()
    disk.answer()
    venue.hear()
    disk.answer()
    venue.hear()
    assert venue.log == ["shown 1", "failed: a bug"]
    disk.hurry()
    venue.journal.close()


def test_turns_are_shown_in_order_across_segments(tmp_path: Path) -> None:
    venue = Venue(tmp_path, SMALL)
    for _ in range(40):
        venue.live()
    while venue.journal.settled < venue.journal.written:
        venue.hear()
    assert venue.log == [f"shown {n}" for n in range(1, 41)]
    venue.journal.close()
    assert len(list(tmp_path.glob("journal-*"))) > 5
    assert len(recovered(tmp_path, SMALL)) == 40


def test_at_durability_os_nobody_waits_for_the_disk(tmp_path: Path, disk: Disk) -> None:
    journal = Journal(tmp_path, Durability.OS, SMALL)
    news: queue.Queue[Callable[[], None]] = queue.Queue()
    journal.settle_with(news.put, lambda end: None, lambda error: pytest.fail(str(error)))
    write(journal, *message(1))
    assert journal.settled == journal.written
    disk.hurry()
    journal.close()
    assert stamps(recovered(tmp_path, SMALL)) == [1]


def test_closing_waits_until_everything_is_durable(tmp_path: Path, disk: Disk) -> None:
    venue = Venue(tmp_path)
    venue.live()
    closing = threading.Thread(target=venue.journal.close)
    closing.start()
    disk.answer()
    disk.hurry()
    closing.join(PATIENCE_S)
    assert not closing.is_alive()
    venue.hear()
    assert venue.log == ["shown 1"]
    assert stamps(recovered(tmp_path)) == [1]


# --- the next segment ---------------------------------------------------------------------


def test_the_next_segment_is_ready_before_it_is_needed_and_full_ones_are_cut(
    tmp_path: Path,
) -> None:
    venue = Venue(tmp_path, SMALL)
    venue.live()
    venue.journal.sync()
    for number in range(3):
        venue.live()
        assert venue.journal.end >> 40 == 1 + (number == 2)
    venue.live()
    venue.journal.close()
    sizes = [path.stat().st_size for path in sorted(tmp_path.glob("journal-*"))]
    assert SMALL <= sizes[0] < SMALL + 1_100
    assert len(recovered(tmp_path, SMALL)) == 5


def test_lack_appears_while_there_is_no_room_and_goes_away(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sessions.journal.syncer._RETRY_S", 0.001)
    journal = Journal(tmp_path, Durability.FSYNC, SMALL)
    is_full = threading.Event()
    is_full.set()

    def make(directory: Path, number: int, size: int, seed: int) -> Segment:
        if is_full.is_set():
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return make_segment(directory, number, size, seed)

    monkeypatch.setattr("sessions.journal.syncer.make_segment", make)
    failures: list[JournalError] = []
    journal.settle_with(lambda callback: callback(), lambda end: None, failures.append)
    assert journal.lack is None
    for number in range(8):  # the segment grows beyond its size
        write(journal, *message(number, 900))
    assert journal.lack == "No space left on device"
    assert journal.written >> 40 == 1
    is_full.clear()
    syncer = journal._syncer
    assert syncer is not None
    with syncer._condition:
        assert syncer._condition.wait_for(lambda: journal.lack is None, PATIENCE_S)
    write(journal, *message(8, 900))
    write(journal, *message(9, 900))
    assert journal.written >> 40 == 2
    journal.close()
    assert failures == []
    assert stamps(recovered(tmp_path, SMALL)) == list(range(10))


def after_a_failure(tmp_path: Path, disk: Disk) -> Syncer:
    """A thread that has ended because a sync failed, with a segment still to be made."""
    failures: queue.Queue[JournalError] = queue.Queue()
    segment = make_segment(tmp_path, 1, SMALL, SEED)
    syncer = Syncer(tmp_path, SMALL, SEED, lambda end: None, failures.put)
    syncer.sync(segment, segment.begin)
    syncer.prepare(2)
    disk.answer(errno.EIO)
    failures.get(timeout=PATIENCE_S)
    syncer._thread.join(PATIENCE_S)
    return syncer


def ends(work: Callable[[], object]) -> bool:
    """Whether this returns, or waits for somebody who will not come."""
    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    thread.join(1.0)
    return not thread.is_alive()


def test_nobody_waits_for_a_segment_from_a_thread_that_has_failed(
    tmp_path: Path, disk: Disk
) -> None:
    assert ends(after_a_failure(tmp_path, disk).take_spare)


def test_nobody_waits_for_syncs_of_a_thread_that_has_failed(tmp_path: Path, disk: Disk) -> None:
    syncer = after_a_failure(tmp_path, disk)
    segment = make_segment(tmp_path, 3, SMALL, SEED)
    syncer.sync(segment, segment.begin)
    assert ends(syncer.drain)
    assert ends(syncer.stop)
    segment.close()


def test_a_thread_that_is_stopped_finishes_what_was_asked_for(tmp_path: Path) -> None:
    durable: list[int] = []
    one, two = make_segment(tmp_path, 1, SMALL, SEED), make_segment(tmp_path, 2, SMALL, SEED)
    syncer = Syncer(tmp_path, SMALL, SEED, durable.append, lambda error: pytest.fail(str(error)))
    one.write(one.begin, b"full")
    for number in range(5):
        syncer.sync(one, one.begin + number)
    syncer.sync(one, one.begin + 4, is_last=True)
    syncer.sync(two, two.begin + 7)
    syncer.drain()
    assert durable[-1] == two.begin + 7
    assert durable == sorted(durable)
    syncer.stop()
    assert one.is_complete()
    assert one.ends_at(one.begin + 4)
    assert not two.is_complete()
    assert two.size() > two.begin + SMALL
    one.close()
    two.close()
