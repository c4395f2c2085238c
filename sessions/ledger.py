"""What the journal says of sessions: their numbers, what they were sent, their proofs.

A start builds its sessions from it; a snapshot is made of it, in a process beside the venue, too.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from sessions.journal import Batch, Kind, Record
from sessions.sent import SentTable


@dataclass(slots=True)
class SessionState:
    """A session at a place of the journal.

    Numbers up to `numbered` may have been used for messages that were not stored.
    """

    number: int
    comp_id: bytes
    next_in: int = 1
    begun_at: int = 0  # when the present sequence numbers began
    memories: dict[bytes, bytes] = field(default_factory=dict)  # of Logons, by what they are about
    sent: SentTable = field(default_factory=SentTable)
    numbered: int = 0

    @property
    def next_out(self) -> int:
        """The number of our next message."""
        return max(self.sent.last_seq, self.numbered) + 1

    def reset(self, stamp: int) -> None:
        """Both sequences begin again at 1."""
        self.begun_at, self.sent, self.numbered = stamp, SentTable(), 0

    def remember(self, memory: bytes) -> None:
        """Take up what a Logon left; it takes the place of what it left before."""
        self.memories[memory.partition(b" ")[0]] = memory


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
            state.sent.forget_before(offset)

    def _take(self, record: Record, stamp: int) -> None:
        number, kind = record.session, record.kind
        if kind is Kind.SESSION:
            self._by_number[number] = SessionState(number, record.payload, begun_at=stamp)
        state = self._by_number[number]
        state.next_in = record.next_in
        if kind is Kind.SENT:
            expected = state.sent.last_seq + 1
            is_next = expected <= record.seq <= max(expected, state.numbered + 1)
            assert is_next, f"sent {record.seq}, not {expected}"
            state.sent.append(record.seq, record.offset, len(record.payload))
        elif kind is Kind.NUMBERED:
            state.numbered = record.seq
        elif kind is Kind.RESET:
            state.reset(stamp)
        elif kind is Kind.CREDENTIAL:
            state.remember(record.payload)
