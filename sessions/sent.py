"""Where in the journal each message of a session stands, by MsgSeqNum."""

from __future__ import annotations

import sys
from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Iterator

Row = tuple[int, int, int]  # MsgSeqNum, offset, length


class SentTable:
    """Offset and length of every stored message since the last sequence reset.

    12 bytes of memory a message, and 16 for each run of numbers without a gap: what was sent and
    not stored, market data, has numbers and stands nowhere. `last_seq` is the number of the last
    message that was stored, whether or not it is still kept.
    """

    __slots__ = ("_firsts", "_starts", "last_seq", "lengths", "offsets")

    def __init__(self) -> None:
        self.last_seq = 0
        self.offsets = array("Q")
        self.lengths = array("I")
        self._firsts = array("Q")  # of each run, its first number
        self._starts = array("Q")  # and its place in `offsets`, counted with those forgotten

    def __len__(self) -> int:
        return len(self.offsets)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, SentTable) and (
            self.last_seq == other.last_seq
            and self.offsets == other.offsets
            and self.lengths == other.lengths
            and list(self._runs(0)) == list(other._runs(0))
        )

    __hash__ = None  # type: ignore[assignment]

    @property
    def first_seq(self) -> int:
        """The number of the first message that is kept; of the next one where there is none."""
        return self._firsts[0] if self._firsts else self.last_seq + 1

    def append(self, seq: int, offset: int, length: int) -> None:
        """Note where message `seq` stands; numbers ascend."""
        if seq != self.last_seq + 1 or not self._firsts:
            assert seq > self.last_seq, f"sent {seq} after {self.last_seq}"
            self._starts.append(self._forgotten + len(self.offsets))
            self._firsts.append(seq)
        self.last_seq = seq
        self.offsets.append(offset)
        self.lengths.append(length)

    def begin_run(self, first: int, count: int) -> None:
        """Number `count` messages from `first` on, whose offsets and lengths are still to come."""
        self.last_seq = first + count - 1
        if count:
            self._firsts.append(first)
            self._starts.append(0)

    def rows(self, begin: int, end: int, at_most: int = sys.maxsize) -> list[Row]:
        """The first `at_most` of the messages `begin` to `end`, both included, that are kept."""
        out: list[Row] = []
        for first, start, stop in self._runs(max(bisect_right(self._firsts, begin) - 1, 0)):
            if first > end or len(out) == at_most:
                break
            low = start + max(begin - first, 0)
            high = min(start + end - first + 1, stop, low + at_most - len(out))
            numbers = range(first + low - start, first + high - start)
            out += zip(numbers, self.offsets[low:high], self.lengths[low:high], strict=True)
        return out

    def forget_before(self, offset: int) -> None:
        """What stands in the journal before an offset is not kept any more."""
        gone = bisect_left(self.offsets, offset)
        if not gone:
            return
        start = self._forgotten + gone
        run = bisect_right(self._starts, start) - 1
        self._firsts[run] += start - self._starts[run]
        self._starts[run] = start
        del self.offsets[:gone], self.lengths[:gone]
        kept = run if self.offsets else len(self._starts)
        del self._firsts[:kept], self._starts[:kept]

    @property
    def _forgotten(self) -> int:
        """How many messages stood before the first that is kept; 0 where none is."""
        return self._starts[0] if self._starts else 0

    def columns(self) -> tuple[array[int], ...]:
        """All there is to it besides `last_seq`, to be written down."""
        return self.offsets, self.lengths, self._firsts, self._starts

    def _runs(self, at: int) -> Iterator[Row]:
        """First number, start and end in `offsets` of each run from the one at `at` on."""
        starts, forgotten = self._starts, self._forgotten
        for index in range(at, len(starts)):
            stop = len(self.offsets)
            if index + 1 < len(starts):
                stop = starts[index + 1] - forgotten
            yield self._firsts[index], starts[index] - forgotten, stop
