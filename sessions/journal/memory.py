"""A segment that is gone with the process."""

from __future__ import annotations

from pathlib import Path

from sessions.journal.records import VERSION
from sessions.journal.segment import Segment


class MemorySegment(Segment):
    """Durability `memory`: a segment without a file."""

    def __init__(self) -> None:
        super().__init__(Path("memory"), 1, VERSION, -1)
        self._data = bytearray(self.begin - self.base)

    def size(self) -> int:
        """The offset behind the last byte."""
        return self.base + len(self._data)

    def read(self, offset: int, length: int) -> bytes:
        """As in a file."""
        return bytes(self._data[offset - self.base : offset - self.base + length])

    def write(self, offset: int, data: bytes) -> None:
        """As in a file."""
        start = offset - self.base
        self._data[start : start + len(data)] = data

    def sync(self) -> None:
        """Nothing to wait for."""

    def cut(self, end: int) -> None:
        """As in a file."""
        del self._data[end - self.base :]

    def make_room(self, end: int) -> None:
        """It grows by itself."""

    def close(self) -> None:
        """Forget everything."""
        self._data.clear()
