"""What a journal says: kinds of records, batches of them, and how both stand in a file.

`specs/journal.md` has every byte. A batch is there whole or not at all: its head holds length and
number of records, the position of the first input, the time stamp that all of it shares, how far
the journal was durable when it was written, the CRC of the head before it, so that nothing can be
missing in between, and two CRC-32 of its own, of the records and of the head itself.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from enum import IntEnum
from typing import Final
from zlib import crc32

_RECORD: Final = struct.Struct("<BIQQI")  # kind, session, MsgSeqNum, next inbound, length
RECORD_HEADER_SIZE: Final = _RECORD.size
_CRC: Final = struct.Struct("<I")
BATCH_MARK: Final = b"\xf0SMB"


class JournalError(Exception):
    """The journal cannot be opened, trusted or written; says where and what to do about it."""


class Kind(IntEnum):
    """What a record says."""

    SESSION = 1  # payload: the identity that the session number stands for
    SENT = 2  # payload: the message as written
    RESET = 3  # both sequences began again at 1
    COMMAND = 4  # payload: the message as received
    UP = 5  # payload: what the application chose to keep of the Logon
    DOWN = 6
    CREDENTIAL = 7  # payload: what is to be remembered of how the session proved itself
    RULES = 8  # payload: the rules of the venue from here on; of session 0
    DIGEST = 9  # payload: a digest of the venue behind the last input; of session 0
    TIME = 10  # nothing but that something is due; of session 0
    CONTROL = 11  # payload: what the operator wants of the venue; of session 0
    NUMBERED = 12  # numbers up to this MsgSeqNum may have been used for what was not stored


INPUT_KINDS: Final = frozenset(
    (Kind.COMMAND, Kind.UP, Kind.DOWN, Kind.RULES, Kind.TIME, Kind.CONTROL)
)
EXECUTED_KINDS: Final = INPUT_KINDS | {Kind.DIGEST}  # what concerns the application


@dataclass(slots=True)
class Record:
    """One record as read back; `position` is that of the input record itself or the last before.

    `offset` is where the payload stands in the journal.
    """

    kind: Kind
    session: int
    seq: int
    next_in: int
    payload: bytes
    offset: int
    position: int


@dataclass(slots=True)
class BatchHeader:
    """The head of a batch; `durable` is an offset before which nothing can be lost any more."""

    length: int
    count: int
    first_position: int
    stamp: int
    durable: int
    chain: int
    crc: int
    own_crc: int


@dataclass(slots=True)
class Batch:
    """The records of one turn and the time stamp they share; they stand from `start` to `end`.

    `share` is how much of the journal is read with it, from 0 to 1.
    """

    stamp: int
    records: list[Record]
    start: int
    end: int
    first_position: int
    share: float = 0.0


class BatchFormat:
    """How one version of the format writes the head of a batch."""

    def __init__(self, fields: str, mark: bytes) -> None:
        self._fields = struct.Struct(fields)
        self._mark = mark
        self.is_chained = bool(mark)
        self.head_size = len(mark) + self._fields.size + _CRC.size

    def pack(
        self,
        records: bytes,
        count: int,
        first_position: int,
        stamp: int,
        durable: int,
        chain: int,
        seed: int,
    ) -> tuple[bytes, int]:
        """The head of a batch of `count` encoded records, and the head's own CRC.

        `seed` begins that CRC: a number of this journal alone, so that nothing that somebody
        puts into a message can be taken for a head.
        """
        figures = [len(records), count, first_position, stamp, durable, chain, crc32(records)]
        if not self.is_chained:
            del figures[4:6]
        head = self._mark + self._fields.pack(*figures)
        crc = crc32(head, seed)
        return head + _CRC.pack(crc), crc

    def unpack(self, head: bytes, seed: int) -> BatchHeader | None:
        """The head, or None when this is none of the journal with this seed."""
        size = self.head_size - _CRC.size
        if len(head) < self.head_size or not head.startswith(self._mark):
            return None
        (crc,) = _CRC.unpack_from(head, size)
        if crc != crc32(head[:size], seed):
            return None
        figures = list(self._fields.unpack_from(head, len(self._mark)))
        if not self.is_chained:
            figures[4:4] = [0, 0]
        figures.append(crc)
        return BatchHeader(*figures)


#: By version of the format; a reader has all of them, a writer writes the last.
FORMATS: Final = {1: BatchFormat("<IIQQI", b""), 2: BatchFormat("<IIQQQII", BATCH_MARK)}
VERSION: Final = max(FORMATS)


#: What stands before a payload: kind, session, MsgSeqNum, next inbound, and its size.
pack_record: Final = _RECORD.pack


def unpack_record_header(data: bytes) -> tuple[int, int, int]:
    """Kind, session and size of the payload, from what stands before it."""
    kind, session, _, _, length = _RECORD.unpack(data)
    return kind, session, length


def unpack_records(data: bytes, base: int, head: BatchHeader) -> list[Record]:
    """The records of a batch, whose first byte stands at offset `base` of the journal.

    Raises ValueError when they are not what the head announces.
    """
    out: list[Record] = []
    at, position = 0, head.first_position - 1
    while at < len(data):
        kind, session, seq, next_in, length = _RECORD.unpack_from(data, at)
        at += _RECORD.size
        if kind in INPUT_KINDS:
            position += 1
        payload = data[at : at + length]
        if len(payload) != length:
            raise ValueError("a record is longer than its batch")
        out.append(Record(Kind(kind), session, seq, next_in, payload, base + at, position))
        at += length
    if len(out) != head.count:
        raise ValueError(f"{len(out)} records where {head.count} were announced")
    return out
