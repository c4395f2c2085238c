"""A journal read from outside: after its venue, or beside it, without disturbing it.

What a reader finds at the end may be half of what is being written at this moment; only when there
is no writer, or when it stays so, is it torn or damaged.
"""

from __future__ import annotations

import os
import re
import time
from collections.abc import Iterator
from enum import Enum
from pathlib import Path
from types import TracebackType
from typing import Final

from exchange.tools.text import printable
from sessions.journal import LOCK_NAME, Batch, JournalError, Kind, Place, Reader, open_segments
from sessions.journal.segment import OFFSET_BITS, Segment
from sessions.snapshot import Snapshot, read_snapshots

_LOCKS: Final = Path("/proc/locks")
_TRIES: Final = 25
_PAUSE_S: Final = 0.02
_POLL_S: Final = 0.1
_CHUNK: Final = 1 << 20
_PROBE: Final = 64  # bytes; a batch begins with its mark, and what is kept for later is zeros


class End(Enum):
    """How a journal ends."""

    CLOSED = "closed in good order"
    OPEN = "whole, but the venue was not closed in good order"
    TORN = "something unfinished follows, which never happened; the next start removes it"
    WRITTEN = "being written"


class JournalReader:
    """The batches of a directory; `end` is known, and `writer` its process, once all are read."""

    def __init__(self, directory: Path, start: Place | None = None) -> None:
        """Begins at `start`, or at the first segment that is there.

        Raises JournalError when there is no journal, or it cannot be read.
        """
        self.directory = directory
        self.names: dict[int, bytes] = {}  # CompIDs by session number, as far as it was read
        self.end: End | None = None
        self.writer: int | None = None
        self._signature = _signature(directory)
        self.segments = _opened(directory)
        self._reader = Reader(self.segments, start)
        self.first_position = self._reader.place.position + 1
        if self.first_position > 1:  # those who came before are told of by snapshots
            self.names.update(_names(directory))
        self._sizes = [_content(one) for one in self.segments]

    def __enter__(self) -> JournalReader:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Release the files."""
        for segment in self.segments:
            segment.close()
        self.segments = []

    @property
    def place(self) -> Place:
        """Where reading has come to."""
        return self._reader.place

    @property
    def offset(self) -> int:
        """Where the next batch will stand."""
        return self._reader.place.offset

    @property
    def position(self) -> int:
        """Of the last input that was read."""
        return self._reader.place.position

    def total_bytes(self) -> int:
        """About how much there is to read."""
        return sum(self._sizes)

    def end_offset(self) -> int:
        """Where the journal ended when its files were opened."""
        used = [one.base + size for one, size in zip(self.segments, self._sizes, strict=True)]
        begun = [end for one, end in zip(self.segments, used, strict=True) if end > one.begin]
        return begun[-1] if begun else 0

    def read_bytes(self) -> int:
        """How much of it has been read."""
        number, done = self.offset >> OFFSET_BITS, 0
        for segment, size in zip(self.segments, self._sizes, strict=False):
            if segment.number < number:
                done += size
            elif segment.number == number:
                done += self.offset - segment.base
        return done

    def used_bytes(self) -> list[int]:
        """Of each segment, up to where it has been read."""
        number = self.offset >> OFFSET_BITS
        return [
            self.offset - one.base if one.number == number else _content(one)
            for one in self.segments
        ]

    def skip_lost_beginning(self) -> Snapshot | None:
        """Where the beginning is not kept any more: go on behind the oldest snapshot.

        To be called before anything is read. Raises JournalError when there is no snapshot.
        """
        if self.first_position == 1:
            return None
        usable = [one for one in read_snapshots(self.directory) if isinstance(one, Snapshot)]
        if not usable or not self._reader.holds(usable[-1].place):
            raise JournalError(
                f"{self.directory}: the journal begins behind position {self.first_position - 1}, "
                f"and there is no snapshot of what was then"
            )
        self._reader = Reader(self.segments, usable[-1].place)
        return usable[-1]

    def name(self, session: int) -> str:
        """The CompID of a session, as may be shown; none for session 0."""
        return printable(self.names.get(session, b""))

    def where(self, offset: int) -> tuple[str, int]:
        """File name, and byte in it, of an offset of the journal."""
        for segment in self.segments:
            if segment.number == offset >> OFFSET_BITS:
                return segment.path.name, offset - segment.base
        return "?", offset

    def last_stamp(self) -> int:
        """The time stamp of the last batch, from its segment alone; 0 when there is none."""
        for segment in reversed(self.segments):
            stamp, offset = 0, segment.begin
            while (found := segment.batch_at(offset)) is not None:
                stamp, offset = found[1].stamp, found[1].end
            if stamp:
                return stamp
        return 0

    def batches(self) -> Iterator[Batch]:
        """Every batch that follows; raises JournalError where the journal is damaged."""
        tries = 0
        while True:
            for batch in self._reader.batches():
                tries = 0
                for record in batch.records:
                    if record.kind is Kind.SESSION:
                        self.names[record.session] = record.payload
                yield batch
            self.writer = writer_of(self.directory)
            self._refresh()
            if self._has_more() and tries < (_TRIES if self.writer else 1):
                tries += 1
                time.sleep(_PAUSE_S)
            elif not tries and self.writer is None:
                tries = 1  # it may have written and ended in between
            else:
                break
        if self.writer is not None and not tries:
            self.end = End.WRITTEN
            return
        is_torn = self._reader.is_torn()
        if self.writer is not None:
            self.end = End.WRITTEN
        else:
            number = self.offset >> OFFSET_BITS
            last = next(one for one in self.segments if one.number == number)
            is_closed = last.ends_at(self.offset) or last.size() == self.offset
            closed = End.CLOSED if is_closed else End.OPEN
            self.end = End.TORN if is_torn else closed

    def follow(self) -> Iterator[Batch | None]:
        """Every batch, then those that are being written; None whenever there are no more yet."""
        yield from self.batches()
        while True:
            yield None
            time.sleep(_POLL_S)
            self._refresh()
            if self._has_more():
                yield from self.batches()

    def _has_more(self) -> bool:
        """Whether a batch, or part of one, stands where the next is to be."""
        for segment in self.segments:
            here = segment.number == self.offset >> OFFSET_BITS
            if here and segment.ends_at(self.offset):
                continue
            start = self.offset if here else segment.begin
            if start >= self.offset and segment.read(start, _PROBE).strip(b"\0"):
                return True
        return False

    def _refresh(self) -> None:
        """Take up files that have appeared, or taken the place of others."""
        signature = _signature(self.directory)
        if signature == self._signature:
            return
        try:
            segments = open_segments(self.directory, is_writer=False)
        except JournalError:
            return  # files change at this moment; the next look finds them in order
        if not any(one.number == self.offset >> OFFSET_BITS for one in segments):
            for one in segments:
                one.close()
            raise JournalError(f"{self.directory}: the journal was taken away while it was read")
        self.close()
        self._signature, self.segments = signature, segments
        self._sizes = [_content(one) for one in segments]
        self._reader = Reader(segments, self._reader.place)


def writer_of(directory: Path) -> int | None:
    """The process that writes this journal; None when there is none.

    The lock itself is not tried: a venue that starts at this moment would find it taken.
    """
    path = directory / LOCK_NAME
    try:
        found = re.match(r"pid (\d+)", path.read_text("ascii", "replace"))
        inode = path.stat().st_ino
    except OSError:
        return None
    if found is None:
        return None
    pid = int(found[1])
    try:
        locks = [line.split() for line in _LOCKS.read_text().splitlines()]
    except OSError:
        return pid if _is_alive(pid) else None
    held = any(len(one) > 5 and one[5].endswith(f":{inode}") and "FLOCK" in one for one in locks)
    return pid if held else None


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except OSError:
        pass
    return True


def _names(directory: Path) -> dict[int, bytes]:
    for found in read_snapshots(directory):
        if isinstance(found, Snapshot):
            return {one.number: one.comp_id for one in found.sessions}
    return {}


def _opened(directory: Path) -> list[Segment]:
    try:
        os.listdir(directory)
    except OSError as error:
        raise JournalError(f"{directory}: {error.strerror}; --data says where it is") from error
    for tries_left in reversed(range(_TRIES)):
        try:
            segments = open_segments(directory, is_writer=False)
        except JournalError:
            if not tries_left or writer_of(directory) is None:
                raise
            time.sleep(_PAUSE_S)  # a venue that starts removes files and makes new ones
            continue
        if not segments:
            break
        return segments
    raise JournalError(f"{directory} holds no journal; --data says where it is")


def _signature(directory: Path) -> list[tuple[str, int]]:
    try:
        with os.scandir(directory) as entries:
            return sorted((one.name, one.inode()) for one in entries if ".seamark" in one.name)
    except OSError:
        return []


def _content(segment: Segment) -> int:
    """How many bytes of a segment are not the zeros at its end."""
    size = segment.size() - segment.base
    while size > 0:
        start = max(0, size - _CHUNK)
        chunk = segment.read(segment.base + start, size - start)
        if chunk != bytes(len(chunk)):
            return start + len(chunk.rstrip(b"\0"))
        size = start
    return 0
