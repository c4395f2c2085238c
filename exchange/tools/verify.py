"""Whether a journal holds exactly the messages that its inputs had to bring about.

Reports are compared byte by byte. What the session layer says by itself, administrative messages,
News, and BusinessMessageReject where no command brought it, follows from no input, and neither do
the answers of desks, for questions are not journaled, nor what is asked for again. That is checked
for being a sound message of this session, with its number and its time; what a desk says of
instruments must have been so.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from itertools import zip_longest
from typing import Final

from exchange.desk import is_from_desk
from exchange.reference.truth import untruths
from exchange.rerun import Report, Rerun
from exchange.tools.text import message_of, pairs_of
from fix_engine import tags
from fix_engine.message import Message
from fix_engine.timestamps import TimestampFormatter
from sessions.journal import INPUT_KINDS, Batch, JournalError, Kind, Record
from sessions.snapshot import Snapshot

_FRAMING: Final = (b"9", b"10")  # they differ because something else does


@dataclass(slots=True)
class Difference:
    """A field that is not what it must be; None where it is not there."""

    tag: bytes
    expected: bytes | None
    found: bytes | None


@dataclass(slots=True)
class Divergence:
    """The first place where journal and venue part; offsets are those of the journal.

    `expected` and `found` are raw messages, None where there is none to show.
    """

    what: str
    offset: int
    stamp: int
    position: int
    session: str
    seq: int
    expected: bytes | None = None
    found: bytes | None = None
    differences: list[Difference] = field(default_factory=list)


@dataclass(slots=True)
class Counts:
    """What was checked."""

    batches: int = 0
    inputs: int = 0
    reports: int = 0
    others: int = 0  # messages of the session layer, and of desks
    digests: int = 0
    snapshots: int = 0


class Verifier:
    """Takes batches in their order; `rerun.venue` is where they have led to."""

    def __init__(self, rerun: Rerun) -> None:
        self.rerun = rerun
        self.counts = Counts()
        self.snapshots: dict[int, Snapshot] = {}  # to compare with, by where they stand
        self._due: dict[int, deque[Report]] = {}
        self._next_seq: dict[int, int] = {}
        self._numbered: dict[int, int] = {}  # up to which numbers may stand for nothing stored
        self._time = TimestampFormatter(rerun.precision)
        self._precision = rerun.precision

    def resume(self, snapshot: Snapshot) -> None:
        """Go on from a snapshot; raises JournalError when it cannot be understood."""
        self.rerun.resume(snapshot)
        for one in snapshot.sessions:
            self._next_seq[one.number] = one.sent.last_seq + 1
            self._numbered[one.number] = one.numbered

    def check(self, batch: Batch) -> Divergence | None:
        """The first thing that is wrong with a batch, or None."""
        self.counts.batches += 1
        for record in batch.records:
            try:
                found = self._record(batch, record)
            except JournalError as error:
                return self._divergence(str(error), batch, record)
            if found is not None:
                return found
        for session, due in self._due.items():
            if due:
                seq = self._next_seq.get(session, 1)
                last = batch.records[-1]
                sent = Record(Kind.SENT, session, seq, last.next_in, b"", 0, due[0].position)
                expected = self.rerun.raw(due[0], sent, batch.stamp)
                what = f"a report is missing, and {len(due) - 1:,} more after it"
                what = what if len(due) > 1 else "a report is missing"
                return self._divergence(what, batch, sent, expected)
        snapshot = self.snapshots.get(batch.end)
        if snapshot is not None:
            self.counts.snapshots += 1
            if not self._is_equal(snapshot):
                what = "the snapshot of this place is not what the journal leads to"
                return self._divergence(what, batch, batch.records[-1])
        return None

    def _is_equal(self, snapshot: Snapshot) -> bool:
        numbers = {one.number: (one.sent.last_seq + 1, one.numbered) for one in snapshot.sessions}
        return snapshot.application == self.rerun.executor.snapshot() and numbers == {
            number: (self._next_seq.get(number, 1), self._numbered.get(number, 0))
            for number in self.rerun.peers
        }

    def _record(self, batch: Batch, record: Record) -> Divergence | None:
        step = self.rerun.step(record, batch.stamp)
        if step is not None:
            self.counts.inputs += 1
            for report in step.reports:
                self._due.setdefault(report.session, deque()).append(report)
            if record.kind is Kind.COMMAND and b"\x0134=%d\x01" % record.seq not in record.payload:
                what = "the record of a request has another number than MsgSeqNum (34) of it"
                return self._divergence(what, batch, record, None, record.payload)
        elif record.kind is Kind.DIGEST:
            self.counts.digests += 1
        elif record.kind is Kind.RESET:
            self._next_seq[record.session], self._numbered[record.session] = 1, 0
        elif record.kind is Kind.NUMBERED:
            self._numbered[record.session] = record.seq
        elif record.kind is Kind.SENT:
            return self._sent(batch, record)
        return None

    def _sent(self, batch: Batch, record: Record) -> Divergence | None:
        raw, session = record.payload, record.session
        expected_seq = self._next_seq.get(session, 1)
        last_seq = max(expected_seq, self._numbered.get(session, 0) + 1)
        if not expected_seq <= record.seq <= last_seq:
            what = f"message {expected_seq:,} of the session must come next, {record.seq:,} does"
            return self._divergence(what, batch, record, None, raw)
        self._next_seq[session] = record.seq + 1
        due = self._due.get(session)
        expected = self.rerun.raw(due[0], record, batch.stamp) if due else None
        if due and raw == expected:
            due.popleft()
            self.counts.reports += 1
            return None
        message = message_of(raw)
        if isinstance(message, str):
            return self._divergence(f"not a message: {message}", batch, record, expected, raw)
        is_asked = is_from_desk(message)
        if due and not is_asked and (_is_report(message) or due[0].msg_type == message.msg_type):
            what = "a report is not what it must be"
            return self._divergence(what, batch, record, expected, raw)
        if not is_asked and _is_report(message):
            what = "a report that nothing has brought about"
            return self._divergence(what, batch, record, None, raw)
        self.counts.others += 1
        return self._unsound(batch, record, message)

    def _unsound(self, batch: Batch, record: Record, message: Message) -> Divergence | None:
        """What is wrong with a message that follows from no input."""
        if self._precision != self.rerun.precision:
            self._precision = self.rerun.precision
            self._time = TimestampFormatter(self._precision)
        head = (
            (tags.MSG_SEQ_NUM, b"%d" % record.seq),
            (tags.SENDER_COMP_ID, self.rerun.sender_comp_id),
            (tags.SENDING_TIME, self._time.format(batch.stamp)),
            (tags.TARGET_COMP_ID, self.rerun.peers.get(record.session, b"")),
        )
        wrong = [
            Difference(tag, value, message.get(tag))
            for tag, value in head
            if message.get(tag) != value
        ]
        what = "a message of the session layer has a header that cannot be"
        if not wrong and is_from_desk(message):
            found = untruths(self.rerun.venue.state, record.session, message)
            wrong = [Difference(*one) for one in found]
            what = "an answer says of an instrument what was not so"
        if not wrong:
            return None
        divergence = self._divergence(what, batch, record, None, record.payload)
        divergence.differences = wrong
        return divergence

    def _divergence(
        self,
        what: str,
        batch: Batch,
        record: Record,
        expected: bytes | None = None,
        found: bytes | None = None,
    ) -> Divergence:
        name = self.rerun.peers.get(record.session, b"").decode("latin-1")
        differences = []
        if expected is not None and found is not None:
            differences = differing(expected, found)
        return Divergence(
            what,
            batch.start,
            batch.stamp,
            record.position,
            name,
            record.seq if record.kind is Kind.SENT or record.kind in INPUT_KINDS else 0,
            expected,
            found,
            differences,
        )


def differing(expected: bytes, found: bytes) -> list[Difference]:
    """The fields in which two messages differ, by tag; framing last, for it only follows.

    Tag b"" stands for messages whose fields are equal and come in another order.
    """
    by_tag: dict[bytes, tuple[list[bytes], list[bytes]]] = {}
    for place, raw in enumerate((expected, found)):
        for tag, value in pairs_of(raw):
            by_tag.setdefault(tag, ([], []))[place].append(value)
    out = [
        Difference(tag, wanted, there)
        for tag, (one, other) in by_tag.items()
        for wanted, there in zip_longest(one, other)
        if wanted != there
    ]
    out.sort(key=lambda difference: difference.tag in _FRAMING)
    return out or [Difference(b"", None, None)]


def _is_report(message: Message) -> bool:
    """Whether the session layer never sends such a message by itself."""
    return message.msg_type not in tags.ADMIN_TYPES and message.msg_type not in (
        tags.NEWS,
        tags.BUSINESS_MESSAGE_REJECT,
    )
