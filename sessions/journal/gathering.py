"""The records of the batch that is being gathered, encoded one by one.

Like the codec there are two that do the same: in C where an install found a compiler, and in
Python. `SEAMARK_CODEC` chooses for both.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from fix_engine import codec
from sessions.journal.records import RECORD_HEADER_SIZE, pack_record

REVISION: Final = 3  # of sessions/native; an older build is not used


class PlainRecords:
    """`count` records; `add` and `take` are the whole of it.

    `begin` is the offset at which the first of them will stand; `position` counts those of the
    kinds that are inputs, from whatever it was set to on.
    """

    __slots__ = ("_inputs", "_parts", "_size", "begin", "count", "position")

    def __init__(self, inputs: Iterable[int]) -> None:
        self._inputs = frozenset(inputs)
        self.begin = self.position = self.count = self._size = 0
        self._parts: list[bytes] = []

    def add(self, kind: int, session: int, seq: int, next_in: int, payload: bytes = b"") -> int:
        """One more; the offset at which its payload will stand."""
        length, at = len(payload), self._size + RECORD_HEADER_SIZE
        self._parts += (pack_record(kind, session, seq, next_in, length), payload)
        self._size = at + length
        self.count += 1
        if kind in self._inputs:
            self.position += 1
        return self.begin + at

    def take(self) -> bytes:
        """All of them; there are none from then on."""
        records = b"".join(self._parts)
        self._parts.clear()
        self.count = self._size = 0
        return records


_native: Final = codec.native("sessions", REVISION)
Records: type[PlainRecords] = PlainRecords if _native is None else _native.Records
