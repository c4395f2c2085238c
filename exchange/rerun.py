"""A journal executed again: what came of each input, and the messages that had to be sent.

The venue is a function of its journal, so this is what tools stand on: `verify` compares with what
was sent, `book` looks at a moment of the past. Nothing is written, and no settings are needed: the
rules are in the journal, too.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from exchange.commands import Command, SessionDown, SessionUp, SetRules
from exchange.events import VenueEvent
from exchange.reports import ReportEncoder
from exchange.requests import RequestParser
from exchange.rules import Rules, RulesError, decode_rules
from exchange.venue import Venue
from fix_engine import tags
from fix_engine.message import Message
from fix_engine.outbound import Outbound, return_route
from fix_engine.timestamps import Precision
from fix_engine.wire import Decoder, Garbled
from sessions.journal import INPUT_KINDS, Batch, JournalError, Kind, Record

_WISHES = {b"Y": True, b"N": False}


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
        self.venue = Venue()
        self.peers: dict[int, bytes] = {}
        self.sender_comp_id = b""
        self.precision = Precision.MILLISECONDS
        self._rules = rules
        self._decoder = Decoder(max_message_bytes=1 << 30)
        self._parser = RequestParser(())
        self._encoder = ReportEncoder(self.precision)
        self._outbound: dict[int, Outbound] = {}

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
        events, route = self._execute(record)
        if record.kind not in INPUT_KINDS:
            return None
        reports: list[Report] = []
        for event in events:
            msg_type, body = self._encoder.encode(event, record.position, stamp)
            header = route if event.session == record.session else b""
            reports.append(Report(event.session, record.position, msg_type, body, header))
        return Step(record, stamp, events, reports)

    def apply(self, record: Record) -> list[VenueEvent]:
        """Execute a record, encode nothing; raises JournalError."""
        return self._execute(record)[0]

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

    def _execute(self, record: Record) -> tuple[list[VenueEvent], bytes]:
        """What comes of a record, and the header fields for answers to its own session."""
        kind = record.kind
        if kind is Kind.SESSION:
            self.peers[record.session] = record.payload
        elif kind is Kind.SENT and not self.sender_comp_id:
            self.sender_comp_id = self.message(record).get(tags.SENDER_COMP_ID) or b""
            self._outbound.clear()
        elif kind is Kind.RULES:
            self._take_up(record.position, record.payload)
        if kind is not Kind.RULES and record.session not in self.peers:
            raise JournalError(f"session {record.session} has a record before it is introduced")
        if kind not in INPUT_KINDS or kind is Kind.RULES:
            return [], b""
        if self.venue.rules is None:
            self._take_up(0, b"")
        command: Command
        route = b""
        if kind is Kind.UP:
            command = SessionUp(record.session, _WISHES.get(record.payload))
        elif kind is Kind.DOWN:
            command = SessionDown(record.session)
        else:
            message = self.message(record)
            route = return_route(message) if message.shape.return_route else b""
            command = self._parser.parse(record.session, message)
        return self.venue.apply(record.position, command), route

    def message(self, record: Record) -> Message:
        """The message that a record holds; raises JournalError when it holds none."""
        found = self._decoder.feed(record.payload)
        if len(found) != 1 or isinstance(found[0], Garbled) or self._decoder.buffered:
            self._decoder = Decoder(max_message_bytes=1 << 30)
            raise JournalError(f"the record behind position {record.position} holds no message")
        return found[0]

    def _take_up(self, position: int, payload: bytes) -> None:
        try:
            rules = decode_rules(payload) if payload else self._rules
        except RulesError as error:
            raise JournalError(f"position {position}: {error}") from error
        if rules is None:
            raise JournalError(
                "a journal of version 1 has no rules: give the settings of its venue by --config"
            )
        self.venue.apply(position, SetRules(rules))
        self.precision = Precision(rules.time_precision)
        self._parser = RequestParser(self.venue.listing.tradable)
        self._encoder = ReportEncoder(self.precision)
        self._outbound.clear()
