"""What a session has sent, by MsgSeqNum: a view of the journal, not a second truth."""

from __future__ import annotations

from array import array
from bisect import bisect_left
from typing import Final

from sessions.journal import Journal

_ONE_READ_BYTES: Final = 1 << 18  # messages this close together are cheaper to read at once


class SentMessages:
    """Offset and length in the journal of every message since the last sequence reset.

    12 bytes of memory a message; the messages themselves stay in the journal. Those before
    `first_seq` are not kept any more.
    """

    __slots__ = ("_journal", "_lengths", "_offsets", "first_seq")

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self.first_seq = 1
        self._offsets = array("Q")
        self._lengths = array("I")

    def table(self) -> tuple[array[int], array[int]]:
        """Offsets and lengths, by MsgSeqNum from `first_seq` on."""
        return self._offsets, self._lengths

    def resume(self, first_seq: int, offsets: array[int], lengths: array[int]) -> None:
        """Take up the table of an earlier life."""
        self.first_seq, self._offsets, self._lengths = first_seq, offsets, lengths

    @property
    def last_seq(self) -> int:
        """The MsgSeqNum of the last message, 0 when there is none."""
        return self.first_seq + len(self._offsets) - 1

    def append(self, seq: int, offset: int, length: int) -> None:
        """Note where message `seq` stands; numbers come without a gap."""
        assert seq == self.last_seq + 1, f"sent {seq} after {self.last_seq}"
        self._offsets.append(offset)
        self._lengths.append(length)

    def reset(self) -> None:
        """Forget everything: the sequence begins again at 1."""
        self.resume(1, array("Q"), array("I"))

    def forget_before(self, offset: int) -> None:
        """What stands in the journal before an offset is not kept any more."""
        gone = bisect_left(self._offsets, offset)
        self.first_seq += gone
        del self._offsets[:gone], self._lengths[:gone]

    def fetch(self, begin: int, end: int) -> list[tuple[int, bytes]]:
        """The committed messages `begin` to `end`, both included, by number.

        Those that are not kept any more are left out.
        """
        first, last = max(begin, self.first_seq), min(end, self.last_seq)
        if first > last:
            return []
        rows = slice(first - self.first_seq, last - self.first_seq + 1)
        offsets, lengths = self._offsets[rows], self._lengths[rows]
        start = offsets[0]
        span = offsets[-1] + lengths[-1] - start
        numbers = range(first, last + 1)
        if span <= _ONE_READ_BYTES:
            page = self._journal.fetch(start, span)
            return [
                (seq, page[at - start : at - start + length])
                for seq, at, length in zip(numbers, offsets, lengths, strict=True)
            ]
        return [
            (seq, self._journal.fetch(at, length))
            for seq, at, length in zip(numbers, offsets, lengths, strict=True)
        ]
