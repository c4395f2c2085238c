"""Reading the history of a running journal in small pages, between which others have their turn.

A page ends after so many heads of batches and records, whatever they hold, so its time is bounded
and so is what is kept of it. Batches outside of the positions and times that are wanted are passed
over by their heads alone, and segments without opening them.

Within a batch messages stand as sessions were served, not in the order of events. Those that are
wanted are put in order batch by batch; until then only where they stand is kept of them.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from sessions.journal.journal import Journal
from sessions.journal.records import (
    INPUT_KINDS,
    RECORD_HEADER_SIZE,
    BatchHeader,
    Kind,
    unpack_record_header,
)
from sessions.journal.segment import OFFSET_BITS, Segment

_CHUNK: Final = 1 << 16
_OF_A_READ: Final = 20  # heads or records could be looked at in the time of a read
_INPUTS: Final = frozenset(int(kind) for kind in INPUT_KINDS)
_SENT: Final = int(Kind.SENT)
_TYPE_WITHIN: Final = 24  # bytes in which BeginString and BodyLength end

Wanted = Callable[[int, int], bool]
Rank = tuple[int, int]
RankOf = Callable[[bytes], Rank | None]


class ReleasedError(Exception):
    """What comes next is not kept any more."""


@dataclass(slots=True)
class SentRecord:
    """A message that was sent to a session, and its place among those of its batch."""

    session: int
    rank: Rank
    payload: bytes


@dataclass(slots=True)
class Span:
    """Positions of inputs and times that are wanted, both ends included; None: no end."""

    first_position: int = 0
    last_position: int | None = None
    since: int = 0
    until: int | None = None

    def passes_over(self, head: BatchHeader) -> bool:
        """Whether nothing in the batch is wanted: all of it comes too early."""
        return head.stamp < self.since or head.first_position + head.count - 1 < self.first_position

    def ends_before(self, head: BatchHeader) -> bool:
        """Whether nothing is wanted from this batch on."""
        return (self.until is not None and head.stamp > self.until) or (
            self.last_position is not None and head.first_position > self.last_position
        )


class HistoryReader:
    """Messages of one MsgType, by batch and rank."""

    def __init__(
        self,
        journal: Journal,
        msg_type: bytes,
        span: Span,
        wanted: Wanted,
        rank_of: RankOf,
        end: int | None = None,
    ) -> None:
        """`wanted(session, position)` tells of which sessions messages are read at all.

        `rank_of(message)` is None for one that is not wanted.
        `end` is the offset behind which nothing is read; None: whatever is committed by then.
        """
        self._journal = journal
        self._mark = b"\x0135=%b\x01" % msg_type
        self._span = span
        self._wanted = wanted
        self._rank_of = rank_of
        self._end = end
        self._segment = first_segment(journal, span)
        self._at = self._segment.begin
        self._batch_end = self._at
        self._position = 0
        self._gathered: list[tuple[Rank, int, int, int]] = []  # session, offset, length
        self._due: list[tuple[Rank, int, int, int]] = []  # the same, the last one first
        self._buffer = b""
        self._buffer_at = self._buffer_end = 0
        self._effort = 0  # that is left in this page
        self._is_over = False  # the span is: there will never be more
        self.is_at_end = False

    def page(self, effort: int, most: int) -> list[SentRecord]:
        """What comes next, at most so many; `is_at_end` tells whether that is all there is now.

        `effort` is how many heads and records may be looked at, reads of the file counted as
        several. Raises ReleasedError.
        """
        if self._journal.segments[0].number > self._segment.number:
            raise ReleasedError
        found: list[SentRecord] = []
        self._effort = effort
        while self._effort > 0 and len(found) < most:
            self._effort -= 1
            if self._due:
                rank, session, offset, length = self._due.pop()
                found.append(SentRecord(session, rank, self._bytes(offset, length)))
            elif self._at < self._batch_end:
                self._record()
            elif not self._next_batch():
                break
        self.is_at_end = not self._due and self._at >= self._batch_end and not self._has_next()
        return found

    def _next_batch(self) -> bool:
        """Go to the next batch that may hold something; whether there was a batch at all."""
        if not self._has_next():
            return False
        segment = self._segment
        size = segment.format.head_size
        head = segment.format.unpack(self._bytes(self._at, size), segment.seed)
        if head is None:
            return self._next_segment()
        start = self._at + size
        self._batch_end = start + head.length
        if self._span.ends_before(head):
            self._is_over = True
        elif self._span.passes_over(head):
            self._at = self._batch_end
        else:
            self._at, self._position = start, head.first_position - 1
        return not self._is_over

    def _has_next(self) -> bool:
        end = self._journal.written if self._end is None else self._end
        return not self._is_over and self._at < end

    def _next_segment(self) -> bool:
        segments = self._journal.segments
        after = bisect_right([one.number for one in segments], self._segment.number)
        if after == len(segments):
            return False
        self._segment = segments[after]
        self._at = self._batch_end = self._segment.begin
        self._buffer_at = self._buffer_end = 0
        return True

    def _record(self) -> None:
        head = self._bytes(self._at, RECORD_HEADER_SIZE)
        kind, session, length = unpack_record_header(head)
        start = self._at + RECORD_HEADER_SIZE
        self._at = start + length
        if kind in _INPUTS:
            self._position += 1
        elif kind == _SENT and self._wanted(session, self._position):
            payload = self._bytes(start, length)
            if payload.find(self._mark, 0, _TYPE_WITHIN + len(self._mark)) >= 0:
                rank = self._rank_of(payload)
                if rank is not None:
                    self._gathered.append((rank, session, start, length))
        if self._at >= self._batch_end and self._gathered:
            self._gathered.sort(reverse=True)
            self._due, self._gathered = self._gathered, []

    def _bytes(self, at: int, length: int) -> bytes:
        """Committed bytes, mostly from what was read before."""
        if not (self._buffer_at <= at and at + length <= self._buffer_end):
            self._effort -= _OF_A_READ
            size, written = max(length, _CHUNK), self._journal.written
            if (
                written >> OFFSET_BITS == self._segment.number
            ):  # what is behind that may still change
                size = min(size, written - at)
            self._buffer = self._segment.read(at, size)
            self._buffer_at, self._buffer_end = at, at + len(self._buffer)
        start = at - self._buffer_at
        return self._buffer[start : start + length]


def first_segment(journal: Journal, span: Span) -> Segment:
    """The last segment before which nothing of a span can be."""
    segments = journal.segments
    low, high = 0, len(segments) - 1
    while low < high:
        middle = (low + high + 1) >> 1
        head = first_head(segments[middle])
        is_late = head is None or (
            head.first_position > span.first_position
            if span.first_position
            else head.stamp >= span.since
        )
        if is_late:
            high = middle - 1
        else:
            low = middle
    return segments[low]


def first_head(segment: Segment) -> BatchHeader | None:
    """The head of the first batch of a segment; None when it has none yet."""
    size = segment.format.head_size
    return segment.format.unpack(segment.read(segment.begin, size), segment.seed)
