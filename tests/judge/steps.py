"""What happens to a venue, one step at a time, and what comes of it as bytes."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

from exchange.events import VenueEvent
from exchange.executor import Executor
from fix_engine.message import Message
from fix_engine.wire import encode
from sessions.journal import Kind, Record
from tests.support.messages import decode

Fields = dict[int, str]


@dataclass(slots=True)
class Step:
    """One input at its place; `fields` are those of a request, or of what a Logon said.

    `flaw` names what was spoilt on purpose, so that the request must be refused.
    """

    position: int
    now: int
    kind: Kind
    session: int = 0
    payload: bytes = b""
    fields: Fields = field(default_factory=dict)
    flaw: str = ""

    def __str__(self) -> str:
        shown = self.payload.decode("latin-1").replace("\x01", "|")
        return f"{self.position} @{self.now} {self.kind.name} session {self.session}: {shown}"


class Report(NamedTuple):
    """One message of the venue to a session."""

    session: int
    msg_type: str
    body: bytes

    def __str__(self) -> str:
        shown = self.body.decode("latin-1").replace("\x01", "|")
        return f"to {self.session} 35={self.msg_type}|{shown}"


class Outcome(NamedTuple):
    """What came of a step."""

    reports: list[Report]
    events: list[VenueEvent]
    message: Message | None


def execute(executor: Executor, step: Step) -> Outcome:
    """Execute a step as a replay of the journal would, and encode what comes of it."""
    record = Record(step.kind, step.session, 0, 0, step.payload, 0, step.position)
    events, message = executor.replay(record, step.now)
    encode = executor.encoder.encode
    reports = []
    for event in events:
        msg_type, body = encode(event, step.position, step.now)
        reports.append(Report(event.session, msg_type.decode("ascii"), body))
    return Outcome(reports, events, message)


def pairs_of(body: bytes) -> list[tuple[int, str]]:
    """The fields of a body in their order."""
    pairs = (part.partition("=") for part in body.decode("latin-1").split("\x01")[:-1])
    return [(int(tag), value) for tag, _, value in pairs]


def as_message(report: Report) -> Message:
    """A report with a header around it, as a client decodes it."""
    head = b"35=%b\x0134=1\x0149=X\x0152=20270101-00:00:00\x0156=Y\x01" % report.msg_type.encode()
    return decode(encode(head + report.body))
