"""A journal executed again: what came of each input, and the messages that had to be sent.

The venue is a function of its journal, so this is what tools stand on: `verify` compares with what
was sent, `book` looks at a moment of the past. Nothing is written, and no settings are needed: the
rules are in the journal, too.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from exchange.events import VenueEvent
from exchange.executor import Executor
from exchange.rules import Rules
from exchange.venue import Venue
from fix_engine import tags
from fix_engine.outbound import Outbound, return_route
from fix_engine.timestamps import Precision
from sessions.journal import EXECUTED_KINDS, INPUT_KINDS, Batch, JournalError, Kind, Record
from sessions.snapshot import Snapshot


@dataclass(slots=True)
class Report:
    """A message that follows from an input; `header` are its fields behind TargetCompID (56)."""

    session: int
    position: int
    msg_type: bytes
    body: bytes
    header: bytes


@dataclass(slots=True)
class Step:
    """One input, executed; `reports` belong to `events`, one for each, in the same order."""

    record: Record
    stamp: int
    events: list[VenueEvent]
    reports: list[Report]


class Rerun:
    """Executes records as the sequencer does at a start; `venue` is where that has come to.

    `peers` are CompIDs by session number. `sender_comp_id`, ours, is of the first message sent.
    """

    def __init__(self, rules: Rules | None = None) -> None:
        """`rules` are for a journal of version 1, which has none in it."""
        self.executor = Executor(rules)
        self.peers = self.executor.comp_ids
        self.sender_comp_id = b""
        self._outbound: dict[int, Outbound] = {}

    @property
    def venue(self) -> Venue:
        """Where the records have led to."""
        return self.executor.venue

    @property
    def precision(self) -> Precision:
        """Of time in messages, at present."""
        return self.executor.precision

    def resume(self, snapshot: Snapshot) -> None:
        """Go on from a snapshot; raises JournalError when it cannot be understood."""
        try:
            self.executor.restore(snapshot.application)
        except ValueError as error:
            raise JournalError(f"a snapshot cannot be used: {error}") from error
        self.peers.clear()
        self.peers.update((one.number, one.comp_id) for one in snapshot.sessions)

    def steps(self, batches: Iterable[Batch]) -> Iterator[Step]:
        """Every input of these batches, executed; raises JournalError where one makes no sense."""
        for batch in batches:
            for record in batch.records:
                if (step := self.step(record, batch.stamp)) is not None:
                    yield step

    def step(self, record: Record, stamp: int) -> Step | None:
        """Execute a record and encode what follows; None when it is no input.

        Raises JournalError.
        """
        events, route = self._execute(record, stamp)
        if record.kind not in INPUT_KINDS:
            return None
        reports: list[Report] = []
        for event in events:
            msg_type, body = self.executor.encoder.encode(event, record.position, stamp)
            header = route if event.session == record.session else b""
            reports.append(Report(event.session, record.position, msg_type, body, header))
        return Step(record, stamp, events, reports)

    def apply(self, record: Record, stamp: int) -> list[VenueEvent]:
        """Execute a record, encode nothing; raises JournalError."""
        return self._execute(record, stamp)[0]

    def raw(self, report: Report, sent: Record, stamp: int) -> bytes:
        """The report as it must have been sent when `sent` is the record of it.

        Number and LastMsgSeqNumProcessed (369), where the session has it, are those of the record.
        """
        header = report.header
        if b"\x01369=" in sent.payload:
            header += b"369=%d\x01" % (sent.next_in - 1)
        outbound = self.outbound(report.session)
        outbound.next_seq = sent.seq
        return outbound.number(report.msg_type, report.body, stamp, header)[1]

    def outbound(self, session: int) -> Outbound:
        """What numbers and frames the messages of a session that was introduced."""
        outbound = self._outbound.get(session)
        if outbound is None:
            outbound = Outbound(self.sender_comp_id, self.peers[session], self.precision)
            self._outbound[session] = outbound
        return outbound

    def _execute(self, record: Record, stamp: int) -> tuple[list[VenueEvent], bytes]:
        """What comes of a record, and the header fields for answers to its own session."""
        kind = record.kind
        if kind is Kind.SESSION:
            self.peers[record.session] = record.payload
        elif kind is Kind.SENT and not self.sender_comp_id:
            message = self.executor.message(record)
            self.sender_comp_id = message.get(tags.SENDER_COMP_ID) or b""
            self._outbound.clear()
        elif kind is Kind.RULES:
            self._outbound.clear()
        if record.session and record.session not in self.peers:
            raise JournalError(f"session {record.session} has a record before it is introduced")
        if kind not in EXECUTED_KINDS:
            return [], b""
        events, request = self.executor.replay(record, stamp)
        route = return_route(request) if request and request.shape.return_route else b""
        return events, route
