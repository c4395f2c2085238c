"""One file of the journal: a header, then batches, then zeros that are kept for more.

Every byte of the journal has one offset, whichever file it is in: the number of the segment in the
high bits, the place in the file in the low ones. While it is written a segment is longer than what
it holds, so that appending changes no length and cannot run out of space. When it is full, or the
venue closes, it is cut to what it holds.
"""

from __future__ import annotations

import errno
import os
import struct
from collections.abc import Iterable
from itertools import pairwise
from pathlib import Path
from typing import Final
from zlib import crc32

from sessions.journal.records import (
    BATCH_MARK,
    FORMATS,
    VERSION,
    Batch,
    BatchHeader,
    JournalError,
    unpack_records,
)

MAGIC: Final = b"SEAMARKJ"
OFFSET_BITS: Final = 40
_PREFIX: Final = struct.Struct("<8sI")  # magic, version
_HEADER: Final = struct.Struct("<8sIIQI")  # magic, version, its length, segment number, seed
_CRC: Final = struct.Struct("<I")
_END_MARK: Final = b"\xf0SME"  # then a CRC of where it stands: the segment is complete
_END_SIZE: Final = 8
_OFFSET: Final = struct.Struct("<Q")
HEADER_SIZE: Final = _HEADER.size + _CRC.size
_V1_HEADER_SIZE: Final = 16
_V1_NAME: Final = "journal.seamark"
_CHUNK: Final = 1 << 20
_CANNOT_RESERVE: Final = (errno.EOPNOTSUPP, errno.EINVAL)


class Segment:
    """One file, read at offsets of the journal; see the module."""

    def __init__(self, path: Path, number: int, version: int, fd: int, seed: int = 0) -> None:
        self.path = path
        self.number = number
        self.seed = seed
        self.base = number << OFFSET_BITS
        self.format = FORMATS[version]
        self.begin = self.base + (HEADER_SIZE if version > 1 else _V1_HEADER_SIZE)
        self._fd = fd

    def size(self) -> int:
        """The offset at which the file ends, zeros included."""
        return self.base + os.fstat(self._fd).st_size

    def read(self, offset: int, length: int) -> bytes:
        """Bytes at an offset of the journal; fewer at the end of the file."""
        try:
            return os.pread(self._fd, length, offset - self.base)
        except OSError as error:
            raise JournalError(f"{self.path}: cannot read: {error.strerror}") from error

    def write(self, offset: int, data: bytes) -> None:
        """Put `data` at an offset of the journal; raises JournalError."""
        try:
            view = memoryview(data)
            at = offset - self.base
            while view:
                done = os.pwrite(self._fd, view, at)
                view, at = view[done:], at + done
        except OSError as error:
            raise JournalError(f"{self.path}: cannot write: {error.strerror}") from error

    def sync(self) -> None:
        """Return when everything that was written survives a loss of power."""
        try:
            os.fdatasync(self._fd)
        except OSError as error:
            raise JournalError(f"{self.path}: cannot sync: {error.strerror}") from error

    def complete(self, end: int) -> None:
        """Mark the segment as complete at an offset, and end the file there; raises JournalError.

        The mark comes last: what it stands behind is durable by then.
        """
        if self.format.is_chained:
            self.write(end, self._end_at(end))
            end += _END_SIZE
        self.cut(end)

    def is_complete(self) -> bool:
        """Whether the file was completed: then nothing in it can be unfinished."""
        end = self.size() - _END_SIZE
        return self.format.is_chained and end >= self.begin and self.ends_at(end)

    def ends_at(self, offset: int) -> bool:
        """Whether the segment was completed at this offset, or its completion begun."""
        is_marked = self.read(offset, _END_SIZE) == self._end_at(offset)
        return is_marked and self.is_blank_from(offset + _END_SIZE)

    def _end_at(self, offset: int) -> bytes:
        return _END_MARK + _CRC.pack(crc32(_OFFSET.pack(offset), self.seed))

    def cut(self, end: int) -> None:
        """End the file at an offset; raises JournalError."""
        try:
            os.ftruncate(self._fd, end - self.base)
            os.fsync(self._fd)
        except OSError as error:
            raise JournalError(f"{self.path}: cannot cut: {error.strerror}") from error

    def make_room(self, end: int) -> None:
        """Let the file reach beyond an offset: it ends in zeros until it is cut.

        Raises JournalError.
        """
        try:
            reserve(self._fd, end - self.base + _CHUNK)
        except OSError as error:
            raise JournalError(f"{self.path}: cannot grow: {error.strerror}") from error

    def close(self) -> None:
        """Release the file."""
        os.close(self._fd)

    def batch_at(self, offset: int) -> tuple[BatchHeader, Batch] | None:
        """The batch that stands at an offset; None when no whole one does.

        Raises JournalError when its checks hold and it makes no sense all the same.
        """
        head = self.format.unpack(self.read(offset, self.format.head_size), self.seed)
        if head is None:
            return None
        payloads = offset + self.format.head_size
        data = self.read(payloads, head.length)
        if len(data) < head.length or crc32(data) != head.crc:
            return None
        try:
            records = unpack_records(data, payloads, head)
        except (ValueError, struct.error) as error:
            raise damaged(self, offset, str(error)) from error
        end = payloads + head.length
        return head, Batch(head.stamp, records, offset, end, head.first_position)

    def has_batches(self) -> bool:
        """Whether something is in it."""
        return not self.is_blank_from(self.begin)

    def durable_beyond(self, offset: int) -> int:
        """How far heads behind `offset` say that the journal was durable; 0 when there are none.

        After a loss of power, later bytes may have reached the disk and earlier ones not.
        """
        furthest, size, rest = 0, self.format.head_size, b""
        while chunk := self.read(offset, _CHUNK):
            rest += chunk
            offset += len(chunk)
            mark = rest.find(BATCH_MARK)
            while mark >= 0:
                found = self.format.unpack(rest[mark : mark + size], self.seed)
                furthest = max(furthest, found.durable if found is not None else 0)
                mark = rest.find(BATCH_MARK, mark + 1)
            rest = rest[-size:]
        return furthest

    def is_blank_from(self, offset: int) -> bool:
        """Whether nothing but zeros follows, if anything."""
        while chunk := self.read(offset, _CHUNK):
            if chunk != bytes(len(chunk)):  # much faster than to strip it
                return False
            offset += len(chunk)
        return True


def damaged(segment: Segment, offset: int, what: str) -> JournalError:
    """The error of a journal that cannot be trusted."""
    return JournalError(
        f"{segment.path} is damaged at byte {offset - segment.base}: {what}. Nothing was changed. "
        f"Restore the file from a copy, or keep the directory aside and start with an empty --data."
    )


def segment_path(directory: Path, number: int) -> Path:
    """Where segment `number` is."""
    return directory / (f"journal-{number:06d}.seamark" if number else _V1_NAME)


def open_segments(directory: Path, is_writer: bool) -> list[Segment]:
    """The segments of a directory, in order of their numbers.

    Raises JournalError when one of them is none, is missing, or cannot be opened.
    """
    paths = sorted(directory.glob("journal-*.seamark"))
    if (directory / _V1_NAME).exists():
        paths.insert(0, directory / _V1_NAME)
    segments: list[Segment] = []
    try:
        segments += (_open(path, is_writer) for path in paths)
        segments.sort(key=lambda segment: segment.number)
        _check_names(directory, segments)
        for one, after in pairwise(segments):
            if after.number != one.number + 1:
                raise JournalError(
                    f"{directory}: after {one.path.name} comes {after.path.name}. Restore what is "
                    f"missing from a copy, or start with an empty --data."
                )
    except BaseException:
        for segment in segments:
            segment.close()
        raise
    return segments


def _check_names(directory: Path, segments: list[Segment]) -> None:
    for segment in segments:
        if segment.path != segment_path(directory, segment.number):
            raise JournalError(
                f"{segment.path} says that it is segment {segment.number}: it has another's name. "
                f"Give it its own, {segment_path(directory, segment.number).name}, again."
            )


def make_segment(directory: Path, number: int, size: int, seed: int) -> Segment:
    """A new, empty segment with room for `size` bytes, durable before it has its name.

    Raises OSError.
    """
    path = segment_path(directory, number)
    draft = path.with_suffix(".new")
    fd = os.open(draft, os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o640)
    try:
        reserve(fd, size + _CHUNK)  # the last batch may reach beyond
        header = _HEADER.pack(MAGIC, VERSION, HEADER_SIZE, number, seed)
        os.pwrite(fd, header + _CRC.pack(crc32(header)), 0)
        os.fsync(fd)
        os.rename(draft, path)
        sync_directory(directory)
    except OSError:
        os.close(fd)
        draft.unlink(missing_ok=True)
        raise
    return Segment(path, number, VERSION, fd, seed)


def remove_segments(directory: Path, segments: Iterable[Segment]) -> None:
    """Close and remove files that are not needed any more; raises JournalError.

    The first ones go first, so that whatever interrupts this, no hole is left.
    """
    try:
        for segment in segments:
            segment.close()
            segment.path.unlink(missing_ok=True)
        sync_directory(directory)
    except OSError as error:
        raise JournalError(f"{directory}: cannot remove a segment: {error.strerror}") from error


def reserve(fd: int, size: int) -> None:
    """Take space from the file system, or at least the length where it cannot reserve."""
    try:
        os.posix_fallocate(fd, 0, size)
    except OSError as error:
        if error.errno not in _CANNOT_RESERVE:
            raise
        os.ftruncate(fd, size)


def sync_directory(path: Path) -> None:
    """Make the names in a directory durable."""
    fd = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


def _open(path: Path, is_writer: bool) -> Segment:
    try:
        fd = os.open(path, (os.O_RDWR if is_writer else os.O_RDONLY) | os.O_CLOEXEC)
    except OSError as error:
        raise JournalError(f"{path}: {error.strerror}") from error
    try:
        return _identified(path, fd)
    except BaseException:
        os.close(fd)
        raise


def _identified(path: Path, fd: int) -> Segment:
    head = os.pread(fd, HEADER_SIZE, 0)
    if not head.startswith(MAGIC) or len(head) < _PREFIX.size:
        raise JournalError(f"{path} is not part of a Seamark journal; choose another --data")
    version = _PREFIX.unpack_from(head)[1]
    if version not in FORMATS:
        raise JournalError(
            f"{path} has format version {version}; this Seamark reads up to {VERSION}. Start the "
            f"one that wrote it, or choose another --data"
        )
    if version == 1:
        return Segment(path, 0, version, fd)
    whole = len(head) == HEADER_SIZE
    if not whole or _CRC.unpack_from(head, _HEADER.size)[0] != crc32(head[: _HEADER.size]):
        raise damaged(Segment(path, 0, version, fd), 0, "the CRC of its header does not match")
    number, seed = _HEADER.unpack_from(head)[3:5]
    return Segment(path, number, version, fd, seed)
