"""Reading a journal from beginning to end, and telling an end from damage."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final

from sessions.journal.records import Batch, JournalError
from sessions.journal.segment import OFFSET_BITS, Segment, damaged

_IN_FILE: Final = (1 << OFFSET_BITS) - 1


@dataclass(slots=True)
class Place:
    """Where reading has come to: the next batch, its first position, and the CRC it must name."""

    offset: int
    position: int = 0  # of the last input
    chain: int = 0
    last: int = 0  # where the last batch begins, 0 when there is none


class Reader:
    """Yields batches from a place on; `place` is where it has come to, and moves on.

    Without a place from the first segment on, whichever it is: `place.position` then tells how
    much came before that. Segments may be added to the sequence while it is read.
    """

    def __init__(self, segments: Sequence[Segment], place: Place | None = None) -> None:
        self._segments = segments
        self.place = replace(place) if place is not None else beginning(segments)
        self.uncut: list[tuple[Segment, int]] = []  # segments that were left, and where they end

    def batches(self) -> Iterator[Batch]:
        """Every whole batch that follows; ends where none does. Raises JournalError."""
        index = self._index()
        while index < len(self._segments):
            segment = self._segments[index]
            found = segment.batch_at(self.place.offset)
            if found is not None:
                head, batch = found
                self._check(segment, batch, head.chain, index)
                batch.share = self._share(segment, batch.end, index)
                self.place.last, self.place.offset = batch.start, batch.end
                self.place.chain = head.own_crc if segment.format.is_chained else 0
                self.place.position = max(
                    self.place.position, batch.records[-1].position if batch.records else 0
                )
                yield batch
            elif (after := self._next_begun(index)) is not None:
                if not segment.ends_at(self.place.offset):
                    self.uncut.append((segment, self.place.offset))
                index = after
                self.place.offset = self._segments[index].begin
            else:
                return

    def holds(self, place: Place) -> bool:
        """Whether the journal has the batch with which `place` ends."""
        for segment in self._segments:
            if segment.number == place.last >> OFFSET_BITS:
                found = segment.batch_at(place.last)
                return found is not None and (
                    not segment.format.is_chained or found[0].own_crc == place.chain
                )
        return not place.last

    def _share(self, segment: Segment, end: int, index: int) -> float:
        """How much of the journal is read, from 0 to 1."""
        done = (end - segment.base) / max(segment.size() - segment.base, 1)
        return (index + done) / len(self._segments)

    def is_torn(self) -> bool:
        """After `batches` has ended: whether something unfinished stands behind the last batch.

        Raises JournalError when it was durable once, or is not unfinished but damaged.
        """
        index = self._index()
        left = [self._left(segment) for segment in self._segments[index:]]
        if not any(left):
            return False
        segment, place = self._segments[index], self.place
        if not segment.format.is_chained:
            self._check_v1(segment, others_follow=any(left[1:]))
            return True
        durable = 0
        for one in self._segments[index:]:
            start = max(one.begin, place.offset)
            if self._left(one) and one.is_complete():
                raise damaged(one, start, "a batch that was complete is not whole")
            durable = max(durable, one.durable_beyond(start))
        if durable > place.offset:
            first = self._segments[index + left.index(True)]
            start = max(first.begin, place.offset)
            raise damaged(first, start, "a batch that was durable is not whole")
        return True

    def _left(self, segment: Segment) -> bool:
        """Whether there is something in a segment behind the place that has been read to."""
        start = max(segment.begin, self.place.offset)
        return not segment.ends_at(start) and not segment.is_blank_from(start)

    def _next_begun(self, index: int) -> int | None:
        """The segment in which the journal goes on, when this one has nothing more.

        Its first batch must follow. When it does not, something in between is not there: yet, if
        somebody is writing, or no more.
        """
        if self._left(self._segments[index]):
            return None
        for after in range(index + 1, len(self._segments)):
            segment = self._segments[after]
            found = segment.batch_at(segment.begin)
            if found is not None:
                head, batch = found
                is_next = batch.first_position == self.place.position + 1
                return after if is_next and head.chain == self.place.chain else None
        return None

    def _check(self, segment: Segment, batch: Batch, chain: int, index: int) -> None:
        expected = self.place.position + 1
        if batch.first_position != expected:
            what = f"position {expected} expected, {batch.first_position} found"
            raise damaged(segment, batch.start, what)
        if segment.format.is_chained and chain != self.place.chain:
            raise damaged(segment, batch.start, "a batch is missing before this one")

    def _check_v1(self, segment: Segment, others_follow: bool) -> None:
        """Version 1 had no zeros at the end: only a batch that reaches to the end may be torn."""
        if others_follow:
            raise damaged(segment, self.place.offset, "a batch is not whole, and others follow")
        head = segment.format.unpack(
            segment.read(self.place.offset, segment.format.head_size), segment.seed
        )
        size = segment.size()
        if head is None and size - self.place.offset >= segment.format.head_size:
            raise damaged(segment, self.place.offset, "the CRC of a batch header does not match")
        if head is not None:
            end = self.place.offset + segment.format.head_size + head.length
            if end < size:
                raise damaged(segment, self.place.offset, "the CRC of a batch does not match")

    def _index(self) -> int:
        number = self.place.offset >> OFFSET_BITS
        for index, segment in enumerate(self._segments):
            if segment.number == number:
                return index
        raise JournalError(f"segment {number} of the journal is not there")


def beginning(segments: Sequence[Segment]) -> Place:
    """Where the first segment begins; what came before it is taken for granted."""
    if not segments:
        return Place(0)
    first = segments[0]
    found = first.batch_at(first.begin) if first.number > 0 else None
    if found is None:
        return Place(first.begin)
    head, batch = found
    if first.number == 1 and head.chain:  # only behind a file of version 1 could it have begun
        return Place(first.begin)
    return Place(first.begin, batch.first_position - 1, head.chain)
