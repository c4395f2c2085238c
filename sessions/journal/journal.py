"""The append-only journal: atomic batches of records, the single truth of venue and sessions.

A position counts input records only (commands, sessions up and down, rules): what is sent follows
from them, so an order's identity does not depend on who was listening.

What a batch survives once it is `settled` is the durability: `fsync`, a loss of power; `os`, the
death of the process; `memory`, nothing. With `fsync` and `settle_with`, syncing happens beside the
event loop: the next batch is written and executed while the disk is still busy with the last.
"""

from __future__ import annotations

import fcntl
import os
import sys
from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from enum import Enum
from pathlib import Path
from typing import Final

from sessions.journal.gathering import Records
from sessions.journal.memory import MemorySegment
from sessions.journal.reader import Place, Reader
from sessions.journal.records import (
    INPUT_KINDS,
    Batch,
    JournalError,
)
from sessions.journal.segment import (
    Segment,
    make_segment,
    open_segments,
    segment_path,
    sync_directory,
)
from sessions.journal.syncer import Syncer

SEGMENT_BYTES: Final = 32 << 20
LOCK_NAME: Final = "lock"
_SYNC_EVERY_NS: Final = 1_000_000_000  # at durability os, so that a loss of power costs no more
_MAX_FULL_SEGMENTS: Final = 4  # that are not durable; then the venue waits for the disk


class Durability(Enum):
    """What a settled batch survives."""

    FSYNC = "fsync"  # power loss
    OS = "os"  # the death of the process
    MEMORY = "memory"  # nothing: for tests


class Journal:
    """Append batches, read them back in order, fetch a payload by its offset."""

    def __init__(
        self, directory: Path, durability: Durability, segment_bytes: int = SEGMENT_BYTES
    ) -> None:
        """Raises JournalError when it is locked, unreadable, or not a journal of ours."""
        self.path = None if durability is Durability.MEMORY else directory
        self.end = 0  # offset of the next batch
        self.written = 0  # offset behind the last one, which may be in the segment before
        self.stamp = 0  # of the last batch
        self.volume = 0  # bytes that were written, or read back, in this life
        self.was_torn = False  # `recover` found, and removed, something unfinished at the end
        self._directory = directory
        self._durability = durability
        is_memory = durability is Durability.MEMORY
        self._segment_bytes = sys.maxsize if is_memory else segment_bytes
        self._has_failed = False  # to sync: what the disk holds is not known any more
        self._durable = 0
        self._synced_at = 0
        self._chain = self._last = 0
        self._prepared = 0  # the segment whose successor was asked for
        self.gathered = Records(INPUT_KINDS)  # of the batch that the next `commit` writes
        self.add = self.gathered.add
        self._first_position = 1
        self._seed = 0
        self._syncer: Syncer | None = None
        self._on_settled: Callable[[int], None] | None = None
        self._lock: int | None = None
        self._is_open = False
        self._segments: list[Segment] = []
        if durability is Durability.MEMORY:
            self._segments.append(MemorySegment())
        else:
            self._lock = lock_directory(directory)
            try:
                self._segments += open_segments(directory, is_writer=True)
                self._seed = self._segments[-1].seed if self._segments else 0
                self._seed = self._seed or int.from_bytes(os.urandom(4), "little")
                if not self._segments or self._segments[-1].number == 0:
                    self._segments.append(self._made(1))
            except JournalError:
                self.close()
                raise
        self._bases = [segment.base for segment in self._segments]
        self._current = self._segments[-1]
        self._room_until = self._current.size()
        self.written = self._durable = self._current.begin
        self._go_on_at(self.written)
        self._is_open = self._current.number == 1 and not self._current.has_batches()

    # --- writing ------------------------------------------------------------------------

    def settle_with(
        self,
        call_soon: Callable[[Callable[[], None]], object],
        on_settled: Callable[[int], None],
        on_failure: Callable[[JournalError], None],
    ) -> None:
        """Sync in a thread from now on; `call_soon` brings its news to the event loop.

        `on_settled(offset)`: every batch that ends there or before has settled.
        """
        if self._durability is Durability.MEMORY:
            return

        def durable(end: int) -> None:
            call_soon(lambda: self._has_become_durable(end))

        def failed(error: JournalError) -> None:
            self._has_failed = True
            call_soon(lambda: on_failure(error))

        self._on_settled = on_settled
        self._syncer = Syncer(self._directory, self._segment_bytes, self._seed, durable, failed)

    @property
    def settled(self) -> int:
        """The offset before which every batch survives what it is to survive."""
        return self._durable if self._durability is Durability.FSYNC else self.written

    @property
    def lack(self) -> str | None:
        """Why the journal will have no room before long; None when it will have."""
        return self._syncer.lack if self._syncer is not None else None

    @property
    def position(self) -> int:
        """Of the last input record."""
        return self.gathered.position

    def commit(self, stamp: int) -> None:
        """Write everything added since the last commit, as one batch.

        It is `settled` at once, or when `on_settled` says so. Raises JournalError when it cannot
        be written; then none of it has happened.
        """
        count = self.gathered.count
        if not count:
            return
        records = self.gathered.take()
        segment = self._current
        head, chain = segment.format.pack(
            records,
            count,
            self._first_position,
            stamp,
            self._durable,
            self._chain,
            segment.seed,
        )
        end = self.end + len(head) + len(records)
        if end >= self._room_until:
            segment.make_room(end)
            self._room_until = segment.size()
        segment.write(self.end, head + records)
        self._last, self._chain, self.stamp = self.end, chain, stamp
        self.volume += end - self.end
        self.written = end
        self._go_on_at(end)
        self._first_position = self.position + 1
        after = self._next_segment() if end - segment.base >= self._segment_bytes else None
        self._sync(segment, stamp, after is not None)
        if after is not None:
            self._go_on_in(after)

    def _sync(self, segment: Segment, stamp: int, is_full: bool) -> None:
        is_strict = self._durability is Durability.FSYNC
        if self._syncer is None:
            if is_strict:
                segment.sync()
                self._has_become_durable(self.end)
            if is_full:
                segment.sync()
                segment.complete(self.end)
            return
        if self._prepared != segment.number:
            self._prepared = segment.number
            self._syncer.prepare(segment.number + 1)
        if is_strict or is_full or stamp - self._synced_at >= _SYNC_EVERY_NS:
            self._synced_at = stamp
            self._syncer.sync(segment, self.end, is_full)
        if is_full:
            self._syncer.keep_up(_MAX_FULL_SEGMENTS)

    def _next_segment(self) -> Segment | None:
        """The segment to go on in; None while there is no room, then the present one grows."""
        if self._syncer is None:
            return self._made(self._current.number + 1)
        return self._syncer.take_spare()

    def _go_on_in(self, segment: Segment) -> None:
        self._current = segment
        self._segments.append(segment)
        self._bases.append(segment.base)
        self._room_until = segment.size()
        self._go_on_at(segment.begin)

    def _go_on_at(self, end: int) -> None:
        """Have the next batch stand there."""
        self.end = end
        self.gathered.begin = end + self._current.format.head_size

    def _has_become_durable(self, end: int) -> None:
        self._durable = max(self._durable, end)
        if self._on_settled is not None and self._durability is Durability.FSYNC:
            self._on_settled(self._durable)

    # --- reading ------------------------------------------------------------------------

    def fetch(self, offset: int, length: int) -> bytes:
        """The payload of a committed record."""
        return self._segments[bisect_right(self._bases, offset) - 1].read(offset, length)

    @property
    def place(self) -> Place:
        """Where the journal goes on; to be asked between two turns."""
        return Place(self.written, self.position, self._chain, self._last)

    @property
    def segments(self) -> Sequence[Segment]:
        """What is there, in order; more may be added, and the first ones removed."""
        return self._segments

    @property
    def is_committed(self) -> bool:
        """Whether everything that was added is written."""
        return not self.gathered.count

    @property
    def begin(self) -> int:
        """The offset of the first segment that is there."""
        return self._bases[0]

    def release_before(self, number: int, needed: int | None = None) -> list[Segment]:
        """Read nothing before segment `number` any more; what is to be removed then.

        Raises JournalError when segment `needed`, by default that one, is not there.
        """
        first = number if needed is None else needed
        gone = [segment for segment in self._segments if segment.number < number]
        if len(gone) == len(self._segments) or self._segments[len(gone)].number > max(first, 1):
            raise JournalError(
                f"{segment_path(self._directory, first)} is missing, and the snapshot goes on from "
                f"there. Restore it from a copy, or start with an empty --data."
            )
        del self._segments[: len(gone)], self._bases[: len(gone)]
        return gone

    def holds(self, place: Place) -> bool:
        """Whether the journal reaches up to `place`."""
        return Reader(self._segments).holds(place)

    def recover(self, start: Place | None = None) -> Iterator[Batch]:
        """Every batch from the beginning, or from `start`; to be read to the end before `add`.

        What is unfinished at the end is removed: it never happened. Anything else that does not
        check is an error. Raises JournalError.
        """
        reader = Reader(self._segments, start)
        first = self._segments[0]
        if start is None and (reader.place.position or first.number > 1):
            raise JournalError(
                f"{segment_path(self._directory, first.number - 1)} is missing: the journal begins "
                f"with {first.path.name}, behind position {reader.place.position}, and there is no "
                f"snapshot to go on from. Restore what is missing from a copy, or start with an "
                f"empty --data."
            )
        for batch in reader.batches():
            self.gathered.position, self.stamp = reader.place.position, batch.stamp
            self.volume += batch.end - batch.start
            yield batch
        self.gathered.position = reader.place.position
        self._take_up(reader)

    def _take_up(self, reader: Reader) -> None:
        """Write on from where reading has ended."""
        place = reader.place
        self.was_torn = self.path is not None and reader.is_torn()
        last = self._segments[bisect_right(self._bases, place.offset) - 1]
        self._chain, self._last = place.chain, place.last
        self._first_position = self.position + 1
        self._durable = place.offset
        if self.path is None:
            self.written = self._durable
            self._go_on_at(self.written)
            return
        for segment in self._segments:  # what a killed process has written may not be durable yet
            segment.sync()
        for segment, end in reader.uncut:
            segment.complete(end)
        self._drop([segment for segment in self._segments if segment.number > last.number])
        if self.was_torn or not last.number:
            last.cut(place.offset)
        if not last.number:  # of version 1, which is not written any more
            last = self._made(1)
            self._segments.append(last)
            self._bases.append(last.base)
        self._current = last
        self.written = self._durable = max(place.offset, last.begin)
        self._go_on_at(self.written)
        last.make_room(max(self.end, last.base + self._segment_bytes))
        self._room_until = last.size()
        self._is_open = True

    def _drop(self, empty: list[Segment]) -> None:
        """Forget segments that were made ready and not begun: there will be new ones."""
        for segment in reversed(empty):  # or a crash would leave a hole in the numbers
            self._segments.remove(segment)
            self._bases.remove(segment.base)
            segment.close()
            with suppress(OSError):
                segment.path.unlink()
        if empty:
            sync_directory(self._directory)

    def sync(self) -> None:
        """Wait until everything that was committed is durable; raises JournalError."""
        if self._syncer is not None:
            self._syncer.drain()
        self._current.sync()

    def close(self) -> None:
        """Make everything that was committed durable, and release the files.

        What was not committed is dropped.
        """
        if self._syncer is not None:
            self._syncer.stop()
            self._syncer = None
        with suppress(JournalError):
            if self.path is not None and self._is_open and not self._has_failed:
                self._current.sync()
                self._current.complete(self.end)
        for segment in self._segments:
            segment.close()
        self._segments.clear()
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def _made(self, number: int) -> Segment:
        try:
            return make_segment(self._directory, number, self._segment_bytes, self._seed)
        except OSError as error:
            raise JournalError(
                f"{self._directory}: cannot make segment {number}: {error.strerror}"
            ) from error


def lock_directory(directory: Path) -> int:
    """Take the lock of a directory until the descriptor is closed.

    Raises JournalError, which says who has it.
    """
    path = directory / LOCK_NAME
    try:
        directory.mkdir(parents=True, exist_ok=True)
        fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o640)
    except OSError as error:
        raise JournalError(f"{path}: {error.strerror}; choose another --data") from error
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        holder = os.pread(fd, 32, 0).decode("ascii", "replace").strip()
        os.close(fd)
        raise JournalError(
            f"{directory} is in use by another process{f', {holder}' if holder else ''}; stop that "
            f"venue or choose another --data"
        ) from error
    os.ftruncate(fd, 0)
    os.pwrite(fd, f"pid {os.getpid()}\n".encode(), 0)
    return fd
