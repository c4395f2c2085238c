"""What the journal says of sessions: their numbers, what they were sent, their proofs.

A start builds its sessions from it; a snapshot is made of it, in a process beside the venue, too.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from sessions.journal import Batch, Kind, Record


@dataclass(slots=True)
class SessionState:
    """A session at a place of the journal.

    `offsets` and `lengths` say where its messages stand in the journal, from number `first_seq`
    on: those before are not kept any more.
    """

    number: int
    comp_id: bytes
    next_in: int = 1
    begun_at: int = 0  # when the present sequence numbers began
    memories: dict[bytes, bytes] = field(default_factory=dict)  # of Logons, by what they are about
    first_seq: int = 1
    offsets: array[int] = field(default_factory=lambda: array("Q"))
    lengths: array[int] = field(default_factory=lambda: array("I"))

    def reset(self, stamp: int) -> None:
        """Both sequences begin again at 1."""
        self.begun_at, self.first_seq = stamp, 1
        self.offsets, self.lengths = array("Q"), array("I")

    def remember(self, memory: bytes) -> None:
        """Take up what a Logon left; it takes the place of what it left before."""
        self.memories[memory.partition(b" ")[0]] = memory

    def forget_before(self, offset: int) -> None:
        """What stands before an offset is not in the journal any more."""
        gone = bisect_left(self.offsets, offset)
        self.first_seq += gone
        del self.offsets[:gone], self.lengths[:gone]


class Ledger:
    """The sessions of a journal, by number; records are taken in their order."""

    def __init__(self, states: Iterable[SessionState] = ()) -> None:
        self._by_number = {state.number: state for state in states}

    def __iter__(self) -> Iterator[SessionState]:
        return iter(self._by_number.values())

    def __getitem__(self, number: int) -> SessionState:
        return self._by_number[number]

    def take(self, batch: Batch) -> None:
        """What a batch says of sessions."""
        for record in batch.records:
            if record.session:
                self._take(record, batch.stamp)

    def forget_before(self, offset: int) -> None:
        """What stands before an offset is not in the journal any more."""
        for state in self:
            state.forget_before(offset)

    def _take(self, record: Record, stamp: int) -> None:
        number, kind = record.session, record.kind
        if kind is Kind.SESSION:
            self._by_number[number] = SessionState(number, record.payload, begun_at=stamp)
        state = self._by_number[number]
        state.next_in = record.next_in
        if kind is Kind.SENT:
            expected = state.first_seq + len(state.offsets)
            assert record.seq == expected, f"sent {record.seq}, not {expected}"
            state.offsets.append(record.offset)
            state.lengths.append(len(record.payload))
        elif kind is Kind.RESET:
            state.reset(stamp)
        elif kind is Kind.CREDENTIAL:
            state.remember(record.payload)
