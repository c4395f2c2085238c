"""Power cuts and crashes at any moment, at any system call, over and over in one directory."""

from __future__ import annotations

import contextlib
import os
import random
from collections import deque
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from sessions.journal import INPUT_KINDS, Durability, Journal, JournalError, Kind
from sessions.journal.segment import Segment, make_segment
from tests.sessions.journal.support import Read, read, write
from tests.support.power import Entry, Hooks, Medium, hooked

_SEGMENT_BYTES = 12_000
_GROWTH_BYTES = 4_096


class Death(BaseException):
    """The process is no more."""


class SteppedSyncer:
    """What the sync thread does, one job at a time, when it is told to."""

    lack: str | None = None

    def __init__(
        self,
        directory: Path,
        segment_bytes: int,
        seed: int,
        on_durable: Callable[[int], None],
        on_failure: Callable[[JournalError], None],
    ) -> None:
        self._directory = directory
        self._segment_bytes = segment_bytes
        self._seed = seed
        self._on_durable = on_durable
        self._jobs: deque[tuple[Segment, int, bool]] = deque()
        self._wanted = 0
        self._spare: Segment | None = None

    def sync(self, segment: Segment, end: int, is_last: bool = False) -> None:
        self._jobs.append((segment, end, is_last))

    def prepare(self, number: int) -> None:
        self._wanted = number

    def take_spare(self) -> Segment | None:
        self._make_ready()
        spare, self._spare = self._spare, None
        return spare

    def keep_up(self, full_segments: int) -> None:
        while sum(is_last for _, _, is_last in self._jobs) > full_segments:
            self.step()

    def drain(self) -> None:
        while self._jobs:
            self.step()

    def stop(self) -> None:
        self.drain()

    def step(self) -> None:
        """The next job, or the next segment."""
        if not self._jobs:
            return self._make_ready()
        segment, end, is_last = self._jobs.popleft()
        segment.sync()
        if is_last:
            segment.complete(end)
        return self._on_durable(end)

    def _make_ready(self) -> None:
        if self._wanted:
            self._spare = make_segment(
                self._directory, self._wanted, self._segment_bytes, self._seed
            )
            self._wanted = 0


class Machine:
    """One computer with one journal; `lives` are processes, each ended by a death."""

    def __init__(self, directory: Path, seed: int, durability: Durability) -> None:
        self._directory = directory
        self._rng = random.Random(seed)
        self._durability = durability
        self._medium = Medium(directory)
        self._log: list[Entry] = []
        self._calls_left = 0
        self._history: list[tuple[int, list[Read]]] = []  # written, and not known to be lost
        self._written = self._settled = 0  # so many of them for certain
        self._stamp = 0

    def live(self) -> None:
        """Start, recover, write, die."""
        rng = self._rng
        self._log.clear()
        self._calls_left = rng.choice((3, 8, 20, 60, 200))
        hooks = Hooks(self._directory, self._log.append, self._called)
        with hooked(hooks), contextlib.suppress(Death):
            self._work(rng)
        for fd in hooks.descriptors():
            os.close(fd)
        self._medium.read(self._log)
        if rng.random() < 0.5:
            self._medium.after_power_cut(rng)
            if self._durability is Durability.OS:
                self._settled = self._written = 0
        else:
            self._medium.after_kill()
            if self._durability is Durability.OS:
                self._settled = self._written

    def _called(self, name: str) -> None:
        self._calls_left -= 1
        if self._calls_left < 0:
            raise Death

    def _take_back(self, journal: Journal) -> None:
        found = read(journal)
        assert found == self._history[: len(found)]
        assert len(found) >= self._settled, f"{self._settled} had settled, {len(found)} are there"
        self._history = found
        self._written = self._settled = len(found)

    def _work(self, rng: random.Random) -> None:
        journal = Journal(self._directory, self._durability, _SEGMENT_BYTES)
        ends: deque[int] = deque()

        def settled(end: int) -> None:
            while ends and ends[0] <= end:
                ends.popleft()
                self._settled += 1
            assert journal.settled >= end

        journal.settle_with(lambda callback: callback(), settled, self._failed)
        self._take_back(journal)
        while True:
            if rng.random() < 0.5:
                before = journal.position
                entries = [self._entry(rng) for _ in range(rng.randint(1, 3))]
                batch = self._expected(entries, before)
                self._history.append(batch)
                write(journal, batch[0], entries)
                ends.append(journal.written)
                self._written = len(self._history)
            else:
                syncer = journal._syncer
                assert isinstance(syncer, SteppedSyncer)
                syncer.step()

    def _failed(self, error: JournalError) -> None:
        raise error

    def _entry(self, rng: random.Random) -> tuple[Kind, int, int, int, bytes]:
        size = rng.choice((0, 1, 30, 300, 3_000, rng.choice((9, 9, 9, 30_000))))
        return rng.choice(list(Kind)), 1, 2, 3, rng.randbytes(size)

    def _expected(
        self, entries: list[tuple[Kind, int, int, int, bytes]], position: int
    ) -> tuple[int, list[Read]]:
        self._stamp += self._rng.randint(1, 10**9)
        out: list[Read] = []
        for entry in entries:
            position += entry[0] in INPUT_KINDS
            out.append((*entry, position))
        return self._stamp, out


@pytest.fixture(autouse=True)
def small_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sessions.journal.journal.Syncer", SteppedSyncer)
    monkeypatch.setattr("sessions.journal.segment._CHUNK", _GROWTH_BYTES)


@pytest.mark.parametrize("durability", [Durability.FSYNC, Durability.OS])
@pytest.mark.parametrize("block", range(4))
def test_what_has_settled_survives_any_number_of_deaths(durability: Durability, block: int) -> None:
    for seed in range(block * 12, block * 12 + 12):
        with TemporaryDirectory() as name:
            machine = Machine(Path(name), seed, durability)
            for life in range(6):
                try:
                    machine.live()
                except (JournalError, AssertionError) as error:
                    error.add_note(f"seed {seed}, life {life}, {durability}")
                    raise
