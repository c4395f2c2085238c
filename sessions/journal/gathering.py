"""The records of the batch that is being gathered, encoded one by one.

Like the codec there are two that do the same: in C where an install found a compiler, and in
Python. `SEAMARK_CODEC` chooses for both.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from fix_engine import codec
from sessions.journal.records import RECORD_HEADER_SIZE, pack_record

_REVISION: Final = 3  # of sessions/native; an older build is not used


class PlainRecords:
    """`count` records; `add` and `take` are the whole of it.

    `begin` is the offset at which the first of them will stand; `position` counts those of the
    kinds that are inputs, from whatever it was set to on.
    """

    __slots__ = ("_begin", "_inputs", "_next", "_parts", "position")

    def __init__(self, inputs: Iterable[int]) -> None:
        self._inputs = frozenset(inputs)
        self.position = 0
        self._parts: list[bytes] = []
        self.begin = 0

    @property
    def begin(self) -> int:
        """The offset at which the first record stands."""
        return self._begin

    @begin.setter
    def begin(self, offset: int) -> None:
        self._begin = offset
        self._next = offset + sum(map(len, self._parts)) + RECORD_HEADER_SIZE

    @property
    def count(self) -> int:
        """How many there are."""
        return len(self._parts) // 2

    def add(self, kind: int, session: int, seq: int, next_in: int, payload: bytes = b"") -> int:
        """One more; the offset at which its payload will stand."""
        length, offset = len(payload), self._next
        self._parts += (pack_record(kind, session, seq, next_in, length), payload)
        self._next = offset + length + RECORD_HEADER_SIZE
        if kind in self._inputs:
            self.position += 1
        return offset

    def take(self) -> bytes:
        """All of them; there are none from then on."""
        records = b"".join(self._parts)
        self._parts.clear()
        self.begin = self._begin
        return records


NATIVE: Final = codec.native("sessions", _REVISION)
Records: type[PlainRecords] = PlainRecords if NATIVE is None else NATIVE.Records
