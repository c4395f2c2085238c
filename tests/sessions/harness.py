"""Sessions without sockets: real registry, endpoints, machine and journal, a wire that records.

The event loop is replaced by `Desk.turn`, which ends one turn; the clock is a number.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from fix_engine.dictionary import Dictionary
from fix_engine.logon import SessionSettings
from fix_engine.message import Message
from fix_engine.timestamps import SECOND_NS, TimestampFormatter
from fix_engine.validation import Validator
from sessions.application import Application, Peer
from sessions.endpoint import Endpoint
from sessions.journal import Durability, Journal, Kind, Record
from sessions.registry import Admission, Registry
from sessions.turn import Turn
from tests.support.messages import decode, dictionary, fix, show

START_NS = 1_800_000_000 * SECOND_NS


class Notes:
    """An application that writes down what it is told, and answers what `answer` says."""

    def __init__(self) -> None:
        self.heard: list[str] = []
        self.recovered: list[tuple[Record, int]] = []
        self.answer: Callable[[Peer, Message], None] = lambda peer, message: None

    def on_logon(self, peer: Peer, logon: Message) -> None:
        self.heard.append(f"up {peer.comp_id.decode()}")

    def on_message(self, peer: Peer, message: Message) -> None:
        self.heard.append(f"{message.msg_type.decode()} {message.seq}")
        self.answer(peer, message)

    def on_logout(self, peer: Peer, is_logout: bool) -> None:
        self.heard.append(f"down {peer.comp_id.decode()}{': logged out' if is_logout else ''}")

    def on_time(self, now: int) -> None: ...

    def on_recovered(self, record: Record, stamp: int) -> None:
        self.recovered.append((record, stamp))

    def snapshot(self) -> bytes:
        return b""

    def restore(self, state: bytes) -> None:
        assert state == b""

    def on_started(self, peers: Mapping[int, Peer]) -> None:
        self.heard.append("started")


class Desk:
    """A registry and all that it needs; `directory` None keeps the journal in memory."""

    def __init__(
        self,
        directory: Path | None = None,
        application: Application | None = None,
        target: bytes = b"",
        max_sessions: int = 10_000,
        spoken: Dictionary | None = None,
    ) -> None:
        self.now = START_NS
        durability = Durability.MEMORY if directory is None else Durability.OS
        self.journal = Journal(directory or Path(), durability)
        self.notes = Notes()
        self.failures: list[Exception] = []
        self.due: list[Callable[[], None]] = []
        self.open_turn = Turn(self.journal, lambda: self.now, self.due.append, self.failures.append)
        self.registry = Registry(
            Admission(SessionSettings(b"SEAMARK", target), max_sessions),
            Validator(spoken or dictionary()),
            self.journal,
            self.open_turn,
            application or self.notes,
        )
        self.registry.recover()

    def turn(self) -> bool:
        """End one turn; whether there was one to end."""
        due, self.due[:] = list(self.due), []
        for callback in due:
            callback()
        return bool(due)

    def turns(self) -> None:
        """End this turn and all those that it causes."""
        while self.turn():
            pass

    def claim(self, fields: str) -> Endpoint | str:
        """What the registry says to a first message."""
        return self.registry.claim(decode(self.message(fields)))

    def line(self, comp_id: str, logon: str = "98=0|108=30|") -> Line:
        """A client that is connected, and logged on in a turn of its own."""
        line = Line(self, comp_id)
        line.send("35=A|" + logon)
        self.turns()
        return line

    def message(self, fields: str, comp_id: str = "CLIENT", seq: int = 1) -> bytes:
        """`35=D|11=...|` as `comp_id` sends it, header fields added, `<now>` filled in."""
        time = TimestampFormatter().format(self.now).decode()
        msg_type, _, body = fields.partition("|")
        head = f"{msg_type}|34={seq}|49={comp_id}|52={time}|56=SEAMARK|"
        return fix(head + body.replace("<now>", time))

    def commit(self, kind: Kind, endpoint: Endpoint, seq: int, payload: bytes = b"") -> None:
        """What a venue writes besides what the endpoint does."""
        self.journal.add(kind, endpoint.number, seq, endpoint.next_in, payload)
        self.journal.commit(self.now)


class Line:
    """A client and its wire. `sent` are the messages written to it, a list for each flush."""

    def __init__(self, desk: Desk, comp_id: str) -> None:
        self.desk = desk
        self.comp_id = comp_id
        self.seq = 1
        self.sent: list[list[bytes]] = []
        self.is_paused = False
        self.closed: str | None = None
        self._out: list[bytes] = []
        self._waiting: list[Callable[[], None]] = []
        self._claimed: Endpoint | None = None

    @property
    def endpoint(self) -> Endpoint:
        """The session that the first message was for."""
        assert self._claimed is not None
        return self._claimed

    def send(self, fields: str, seq: int | None = None) -> None:
        """Send one message; the turn stays open."""
        if seq is None:
            seq = self.seq
            self.seq += 1
        message = decode(self.desk.message(fields, self.comp_id, seq))
        now = self.desk.open_turn.open()
        if self._claimed is None:
            claimed = self.desk.registry.claim(message)
            assert isinstance(claimed, Endpoint), claimed
            self._claimed = claimed
            claimed.wire = self
            claimed.session.connected(now)
        self.endpoint.receive(message, now)

    def order(self, name: str) -> None:
        """A valid order; the turn stays open."""
        self.send(f"35=D|11={name}|55=EUR|54=1|60=<now>|38=1|40=1|")

    def told(self) -> list[str]:
        """All that was written, as text, since this was last called."""
        sent, self.sent = self.sent, []
        return [show(raw) for batch in sent for raw in batch]

    def lose(self) -> None:
        """The connection breaks."""
        self._waiting.clear()
        self.endpoint.wire = None
        self.desk.open_turn.open()
        self.endpoint.session.disconnected("broken")
        self.endpoint.settle()

    def read_on(self) -> None:
        """A slow reader has caught up."""
        self.is_paused = False
        waiting, self._waiting = self._waiting, []
        for callback in waiting:
            callback()

    # --- sessions.endpoint.Wire and sessions.turn.Flushable --------------------------------

    def write(self, raw: bytes) -> None:
        self._out.append(raw)
        self.desk.open_turn.will_flush(self)

    def close(self, reason: str) -> None:
        self.closed = reason
        self.desk.open_turn.open()
        self.desk.open_turn.will_flush(self)

    @property
    def is_writable(self) -> bool:
        """Whether the peer reads."""
        return not self.is_paused

    def when_writable(self, callback: Callable[[], None]) -> None:
        if self.is_paused:
            self._waiting.append(callback)
        else:
            callback()

    def seal(self) -> None:
        """Turns settle at once here, so there is nothing to keep apart."""

    def flush(self, now: int) -> None:
        self.sent.append(self._out)
        self._out = []
