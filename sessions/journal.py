"""The append-only journal: atomic batches of records, the single truth of venue and sessions.

A file header (magic, version) is followed by batches. A batch header holds the length and number
of its records, the position of the first input record, the time stamp that all of it shares, and
two CRC-32: of the records, and of the header itself. So a batch is there whole or not at all: what
a crash leaves unfinished at the end of the file never happened, nobody has seen it, and FIX's own
resend heals the client.

A position counts input records only (commands, sessions up and down): what is sent follows from
them, so an order's identity does not depend on who was listening.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum, IntEnum
from pathlib import Path
from typing import Final, Protocol
from zlib import crc32

MAGIC: Final = b"SEAMARKJ"
VERSION: Final = 1
FILE_NAME: Final = "journal.seamark"

_FILE_HEADER: Final = struct.Struct("<8sII")
_BATCH_FIELDS: Final = struct.Struct("<IIQQI")  # length, records, first position, stamp, their CRC
_CRC: Final = struct.Struct("<I")
_BATCH_HEADER_SIZE: Final = _BATCH_FIELDS.size + _CRC.size
_RECORD: Final = struct.Struct("<BIQQI")  # kind, session, MsgSeqNum, next inbound, length


class JournalError(Exception):
    """The journal cannot be opened, trusted or written; says where and what to do about it."""


class Durability(Enum):
    """What a committed batch survives."""

    FSYNC = "fsync"  # power loss
    OS = "os"  # the death of the process
    MEMORY = "memory"  # nothing: for tests


class Kind(IntEnum):
    """What a record says."""

    SESSION = 1  # payload: the identity that the session number stands for
    SENT = 2  # payload: the message as written
    RESET = 3  # both sequences began again at 1
    COMMAND = 4  # payload: the message as received
    UP = 5  # payload: what the application chose to keep of the Logon
    DOWN = 6
    CREDENTIAL = 7  # payload: what is to be remembered of how the session proved itself


INPUT_KINDS: Final = frozenset((Kind.COMMAND, Kind.UP, Kind.DOWN))


@dataclass(slots=True)
class Record:
    """One record as read back; `position` is that of the input record itself or the last before.

    `offset` is where the payload stands in the file.
    """

    kind: Kind
    session: int
    seq: int
    next_in: int
    payload: bytes
    offset: int
    position: int


@dataclass(slots=True)
class Batch:
    """The records of one turn and the time stamp they share; `end` of `size` bytes are read."""

    stamp: int
    records: list[Record]
    end: int
    size: int


class _File(Protocol):
    def append(self, data: bytes) -> None: ...
    def read_at(self, offset: int, length: int) -> bytes: ...
    def size(self) -> int: ...
    def truncate(self, size: int) -> None: ...
    def close(self) -> None: ...


class _MemoryFile:
    """Durability MEMORY: a file that is gone with the process."""

    def __init__(self) -> None:
        self._data = bytearray()

    def append(self, data: bytes) -> None:
        self._data += data

    def read_at(self, offset: int, length: int) -> bytes:
        return bytes(self._data[offset : offset + length])

    def size(self) -> int:
        return len(self._data)

    def truncate(self, size: int) -> None:
        del self._data[size:]

    def close(self) -> None:
        self._data.clear()


class _DiskFile:
    """One locked file; `append` returns when the data is as durable as was asked for."""

    def __init__(self, path: Path, sync: bool) -> None:
        self._path = path
        self._sync = sync
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o640)
            if sync:
                _sync_directory(path.parent)  # or a power cut could take the file's very name
        except OSError as error:
            raise JournalError(f"{path}: {error.strerror}; choose another --data") from error
        try:
            fcntl.flock(self._fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            os.close(self._fd)
            raise JournalError(
                f"{path} is in use by another process; stop that venue or choose another --data"
            ) from error

    def append(self, data: bytes) -> None:
        size = self.size()
        try:
            view = memoryview(data)
            while view:
                view = view[os.write(self._fd, view) :]
            if self._sync:
                os.fdatasync(self._fd)
        except OSError as error:
            with contextlib.suppress(OSError):
                os.ftruncate(self._fd, size)
            raise JournalError(f"{self._path}: cannot write: {error.strerror}") from error

    def read_at(self, offset: int, length: int) -> bytes:
        try:
            return os.pread(self._fd, length, offset)
        except OSError as error:
            raise JournalError(f"{self._path}: cannot read: {error.strerror}") from error

    def size(self) -> int:
        return os.fstat(self._fd).st_size

    def truncate(self, size: int) -> None:
        os.ftruncate(self._fd, size)
        os.fsync(self._fd)

    def close(self) -> None:
        os.close(self._fd)


def _sync_directory(path: Path) -> None:
    fd = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


class Journal:
    """Append batches, read them back in order, fetch a payload by its offset."""

    def __init__(self, directory: Path, durability: Durability) -> None:
        """Raises JournalError when the file is locked, unreadable or not a journal of ours."""
        self._path = directory / FILE_NAME
        self._file: _File = (
            _MemoryFile()
            if durability is Durability.MEMORY
            else _DiskFile(self._path, durability is Durability.FSYNC)
        )
        self.path = None if durability is Durability.MEMORY else self._path
        self.position = 0  # of the last input record
        self._pending: list[bytes] = []
        self._pending_bytes = 0
        self._pending_records = 0
        self._first_position = 1
        try:
            self._check_file_header()
            self._size = self._file.size()
        except JournalError:
            self._file.close()
            raise

    def add(self, kind: Kind, session: int, seq: int, next_in: int, payload: bytes = b"") -> int:
        """Put a record into the batch that the next `commit` writes.

        Returns the offset at which the payload will stand.
        """
        if kind in INPUT_KINDS:
            self.position += 1
        start = self._size + _BATCH_HEADER_SIZE + self._pending_bytes + _RECORD.size
        size = len(payload)
        self._pending += (_RECORD.pack(kind, session, seq, next_in, size), payload)
        self._pending_bytes += _RECORD.size + size
        self._pending_records += 1
        return start

    def commit(self, stamp: int) -> None:
        """Make everything added since the last commit durable, as one batch.

        Raises JournalError when it cannot be written; then none of it has happened.
        """
        if not self._pending:
            return
        records = b"".join(self._pending)
        head = _BATCH_FIELDS.pack(
            len(records), self._pending_records, self._first_position, stamp, crc32(records)
        )
        head += _CRC.pack(crc32(head))
        self._file.append(head + records)
        self._size += len(head) + len(records)
        self._pending.clear()
        self._pending_bytes = self._pending_records = 0
        self._first_position = self.position + 1

    def fetch(self, offset: int, length: int) -> bytes:
        """The payload of a committed record."""
        return self._file.read_at(offset, length)

    def recover(self) -> Iterator[Batch]:
        """Every batch from the beginning, in order; to be read to the end before `add`.

        A batch that is cut off by the end of the file is removed: it never happened. Anything
        else that does not check is an error. Raises JournalError.
        """
        offset, size = _FILE_HEADER.size, self._file.size()
        while offset < size:
            head = self._file.read_at(offset, _BATCH_HEADER_SIZE)
            if len(head) < _BATCH_HEADER_SIZE:
                break
            length, count, first_position, stamp, crc = _BATCH_FIELDS.unpack_from(head)
            if _CRC.unpack_from(head, _BATCH_FIELDS.size)[0] != crc32(head[: -_CRC.size]):
                if self._only_zeros(offset + _BATCH_HEADER_SIZE, size):
                    break
                raise self._damaged(offset, "the CRC of a batch header does not match")
            end = offset + _BATCH_HEADER_SIZE + length
            if end > size:
                break
            records = self._file.read_at(offset + _BATCH_HEADER_SIZE, length)
            if crc32(records) != crc:
                if end == size:
                    break
                raise self._damaged(offset, "the CRC of a batch does not match")
            if first_position != self.position + 1:
                raise self._damaged(
                    offset, f"expected position {self.position + 1}, found {first_position}"
                )
            payloads = offset + _BATCH_HEADER_SIZE
            yield Batch(stamp, self._records(records, payloads, count), end, size)
            offset = end
        if offset < size:
            self._file.truncate(offset)
        self._size = offset
        self._first_position = self.position + 1

    def close(self) -> None:
        """Release the file; what was not committed is dropped."""
        self._file.close()

    def _records(self, data: bytes, base: int, count: int) -> list[Record]:
        out: list[Record] = []
        at = 0
        while at < len(data):
            kind, session, seq, next_in, length = _RECORD.unpack_from(data, at)
            at += _RECORD.size
            if kind in INPUT_KINDS:
                self.position += 1
            payload = data[at : at + length]
            out.append(Record(Kind(kind), session, seq, next_in, payload, base + at, self.position))
            at += length
        if len(out) != count:
            raise self._damaged(base, f"{len(out)} records where {count} were announced")
        return out

    def _only_zeros(self, offset: int, size: int) -> bool:
        """Whether the rest of the file was allocated but never written, as after a power cut."""
        while offset < size:
            chunk = self._file.read_at(offset, min(1 << 20, size - offset))
            if chunk.strip(b"\0"):
                return False
            offset += len(chunk)
        return True

    def _check_file_header(self) -> None:
        head = self._file.read_at(0, _FILE_HEADER.size)
        ours = _FILE_HEADER.pack(MAGIC, VERSION, 0)
        if len(head) < len(ours) and ours.startswith(head):
            # New, or its very first start was cut off: there is nothing in it yet.
            self._file.truncate(0)
            self._file.append(ours)
            return
        if not head.startswith(MAGIC):
            raise JournalError(f"{self._path} is not a Seamark journal; choose another --data")
        version = _FILE_HEADER.unpack(head)[1]
        if version != VERSION:
            raise JournalError(
                f"{self._path} has format version {version}; this Seamark reads {VERSION}. Start "
                f"the one that wrote it, or choose another --data"
            )
        if head != ours:
            raise self._damaged(0, "the file header does not match")

    def _damaged(self, offset: int, what: str) -> JournalError:
        return JournalError(
            f"{self._path} is damaged at byte {offset}: {what}. Nothing was changed. Restore the "
            f"file from a copy, or keep it aside and start with an empty --data directory."
        )
