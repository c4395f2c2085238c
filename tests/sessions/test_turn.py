"""One turn: journal, then write, then what comes after."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from sessions.journal import Durability, Journal, JournalError, Kind
from sessions.turn import Turn


class Loop:
    """A turn with its surroundings; `log` is what happened, in order."""

    def __init__(self) -> None:
        self.log: list[str] = []
        self.now = 100
        self.due: list[Callable[[], None]] = []
        self.journal = Recorded(self.log)
        self.turn = Turn(self.journal, self._clock, self.due.append, self._failed)

    def run(self) -> None:
        """What the event loop does between two polls."""
        due, self.due[:] = list(self.due), []
        for callback in due:
            callback()

    def _clock(self) -> int:
        self.now += 1
        return self.now

    def _failed(self, error: Exception) -> None:
        self.log.append(f"failed: {error}")


class Recorded(Journal):
    """A journal in memory that notes its commits, and fails when it is told to."""

    def __init__(self, log: list[str]) -> None:
        super().__init__(Path(), Durability.MEMORY)
        self.log = log
        self.is_broken = False

    def commit(self, stamp: int) -> None:
        if self.is_broken:
            raise JournalError("disk full")
        self.log.append(f"commit {stamp}")
        super().commit(stamp)


class Line:
    """A connection with something to write."""

    def __init__(self, name: str, log: list[str]) -> None:
        self.name = name
        self.log = log

    def seal(self) -> None:
        """Turns settle at once here, so there is nothing to keep apart."""

    def flush(self, now: int) -> None:
        self.log.append(f"flush {self.name} {now}")


def test_the_journal_comes_before_the_connections_and_they_before_what_is_after() -> None:
    loop = Loop()
    a, b = Line("a", loop.log), Line("b", loop.log)
    loop.turn.after(lambda: loop.log.append("after"))
    loop.turn.open()
    loop.turn.will_flush(b)
    loop.journal.add(Kind.UP, 1, 0, 1)
    loop.turn.will_flush(a)
    loop.turn.will_flush(b)
    assert not loop.log
    loop.run()
    assert loop.log == ["commit 101", "flush b 101", "flush a 101", "after"]


def test_a_turn_has_one_stamp_and_one_commit_however_often_it_is_opened() -> None:
    loop = Loop()
    assert {loop.turn.open() for _ in range(5)} == {101}
    assert len(loop.due) == 1
    loop.run()
    loop.run()
    assert loop.log == ["commit 101"]
    assert loop.turn.open() == 102
    loop.run()
    assert loop.log == ["commit 101", "commit 102"]


def test_a_turn_that_is_not_open_closes_without_a_word() -> None:
    loop = Loop()
    loop.turn.close()
    assert loop.log == []


def test_closing_early_leaves_nothing_for_the_loop() -> None:
    loop = Loop()
    loop.turn.open()
    loop.turn.close()
    loop.run()
    assert loop.log == ["commit 101"]


def test_what_comes_after_is_a_turn_of_its_own() -> None:
    loop = Loop()
    line = Line("a", loop.log)

    def page() -> None:
        loop.log.append(f"page {loop.turn.open()}")
        loop.turn.will_flush(line)
        if loop.now == 102:
            loop.turn.after(page)

    loop.turn.after(page)
    loop.run()
    assert loop.log == ["commit 101", "page 102"]
    loop.run()
    assert loop.log == ["commit 101", "page 102", "commit 102", "flush a 102", "page 103"]
    loop.run()
    loop.run()
    assert loop.log[5:] == ["commit 103", "flush a 103"]


def test_when_the_journal_fails_nothing_is_shown_and_it_is_reported() -> None:
    loop = Loop()
    loop.turn.open()
    loop.turn.will_flush(Line("a", loop.log))
    loop.turn.after(lambda: loop.log.append("after"))
    loop.journal.is_broken = True
    loop.run()
    assert loop.log == ["failed: disk full"]
    loop.journal.is_broken = False
    loop.turn.open()
    loop.run()
    assert loop.log == ["failed: disk full"], "there is no turn after this"


def test_what_breaks_in_the_middle_of_a_turn_leaves_no_trace_of_it() -> None:
    loop = Loop()
    loop.turn.open()
    loop.journal.add(Kind.COMMAND, 1, 2, 3, b"half done")
    loop.turn.will_flush(Line("a", loop.log))
    loop.turn.fail(ValueError("a bug"))
    loop.turn.fail(ValueError("and another"))
    loop.run()
    loop.turn.open()
    loop.run()
    assert loop.log == ["failed: a bug"], "told once, nothing journaled, nothing written"
    assert list(loop.journal.recover()) == []


def test_what_breaks_after_the_turn_ends_it_too() -> None:
    loop = Loop()

    def broken() -> None:
        raise ValueError("a bug")

    loop.turn.after(broken)
    loop.run()
    loop.turn.open()
    loop.run()
    assert loop.log == ["commit 101", "failed: a bug"]


class Slow(Recorded):
    """A journal whose batches settle when they are told to."""

    @property
    def settled(self) -> int:
        return self.durable

    durable = 0


def test_what_comes_after_a_turn_does_not_come_within_another() -> None:
    """It may read what was said meanwhile, and that is not written before its turn has ended."""
    loop = Loop()
    loop.journal = journal = Slow(loop.log)
    loop.turn = turn = Turn(journal, loop._clock, loop.due.append, loop._failed)
    turn.after(lambda: loop.log.append("after"))
    journal.add(Kind.UP, 1, 0, 1)
    loop.run()
    first = journal.written
    turn.open()
    journal.add(Kind.UP, 1, 0, 1)
    journal.durable = first
    turn.settled(first)
    assert loop.log == ["commit 101"], "the next turn is open"
    loop.run()
    assert loop.log == ["commit 101", "commit 102", "after"]


def test_a_turn_that_has_taken_enough_ends_at_once_and_the_next_is_another() -> None:
    loop = Loop()
    line = Line("a", loop.log)
    for _ in range(65):
        loop.turn.open()
        loop.turn.will_flush(line)
        loop.turn.took(1, 100)
    assert loop.log == ["commit 101", "flush a 101"], "the first 64 do not wait for the loop"
    assert len(loop.due) == 1
    loop.run()
    assert loop.log[2:] == ["commit 102", "flush a 102"]


def test_few_that_are_large_are_enough_too() -> None:
    loop = Loop()
    for _ in range(3):
        loop.turn.open()
        loop.turn.took(1, 16_384)
    assert loop.log == ["commit 101"]


def test_what_comes_after_a_turn_that_had_enough_waits_for_the_loop() -> None:
    """Who counts last is in the middle of something; others would meddle, and more would nest."""
    loop = Loop()

    def again() -> None:
        loop.log.append(f"after {loop.turn.open()}")
        if loop.now < 103:
            loop.turn.after(again)
        loop.turn.took(64, 0)

    loop.turn.after(again)
    loop.turn.took(64, 0)
    assert loop.log == ["commit 101"]
    loop.run()
    assert loop.log == ["commit 101", "after 102", "commit 102"]
    loop.run()
    assert loop.log[3:] == ["after 103", "commit 103"]


def test_when_the_journal_fails_in_a_turn_that_had_enough_there_is_no_other() -> None:
    loop = Loop()
    loop.turn.open()
    loop.turn.will_flush(Line("a", loop.log))
    loop.turn.after(lambda: loop.log.append("after"))
    loop.journal.is_broken = True
    loop.turn.took(64, 0)
    loop.journal.is_broken = False
    loop.run()
    assert loop.log == ["failed: disk full"]
