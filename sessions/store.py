"""What a session has sent, by MsgSeqNum: a view of the journal, not a second truth."""

from __future__ import annotations

from array import array
from typing import Final

from sessions.journal import Journal

_ONE_READ_BYTES: Final = 1 << 18  # messages this close together are cheaper to read at once


class SentMessages:
    """Offset and length in the journal of every message since the last sequence reset.

    12 bytes of memory a message; the messages themselves stay in the journal.
    """

    __slots__ = ("_journal", "_lengths", "_offsets")

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self._offsets = array("Q")
        self._lengths = array("I")

    def table(self) -> tuple[array[int], array[int]]:
        """Offsets and lengths, by MsgSeqNum from 1 on."""
        return self._offsets, self._lengths

    def resume(self, offsets: array[int], lengths: array[int]) -> None:
        """Take up the table of an earlier life."""
        self._offsets, self._lengths = offsets, lengths

    @property
    def last_seq(self) -> int:
        """The MsgSeqNum of the last message, 0 when there is none."""
        return len(self._offsets)

    def append(self, seq: int, offset: int, length: int) -> None:
        """Note where message `seq` stands; numbers come without a gap."""
        assert seq == len(self._offsets) + 1, f"sent {seq} after {len(self._offsets)}"
        self._offsets.append(offset)
        self._lengths.append(length)

    def reset(self) -> None:
        """Forget everything: the sequence begins again at 1."""
        self._offsets = array("Q")
        self._lengths = array("I")

    def fetch(self, begin: int, end: int) -> list[tuple[int, bytes]]:
        """The committed messages `begin` to `end`, both included, by number."""
        offsets, lengths = self._offsets, self._lengths
        last = min(end, len(offsets))
        if begin > last:
            return []
        start = offsets[begin - 1]
        span = offsets[last - 1] + lengths[last - 1] - start
        if span <= _ONE_READ_BYTES:
            page = self._journal.fetch(start, span)
            return [
                (seq, page[at - start : at - start + length])
                for seq, at, length in zip(
                    range(begin, last + 1),
                    offsets[begin - 1 : last],
                    lengths[begin - 1 : last],
                    strict=True,
                )
            ]
        return [
            (seq, self._journal.fetch(offsets[seq - 1], lengths[seq - 1]))
            for seq in range(begin, last + 1)
        ]
