"""Scenarios without sockets: the real machine, endpoint, registry and journal, time as a number.

The event loop is replaced by `_end_turn`, and a connection by `_Wire`, which does with bytes and
deadlines what sessions.connection.Connection does.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from exchange.sequencer import Sequencer
from fix_engine.message import Message
from fix_engine.timestamps import SECOND_NS
from fix_engine.validation import Validator
from fix_engine.wire import Decoder, Garbled
from sessions.endpoint import Endpoint
from sessions.journal import Durability, Journal
from sessions.registry import Registry
from sessions.turn import Turn
from tests.scenarios.player import Link
from tests.scenarios.script import Script
from tests.scenarios.venue import START_NS, VENUE, admission_of, application_of, order_of_operator
from tests.support.messages import decode, dictionary, fix


class InProcess:
    """A Transport; see the module."""

    def __init__(self, script: Script) -> None:
        self._now = START_NS
        admission = admission_of(script)
        self.settings = admission.settings
        journal = Journal(Path(), Durability.MEMORY)
        self._due: list[Callable[[], None]] = []
        self._failures: list[Exception] = []
        self._wires: list[_Wire] = []
        self.turn = Turn(journal, lambda: self._now, self._due.append, self._failures.append)
        self._timers: list[tuple[int, Callable[[], None]]] = []
        self.application = application_of(script, journal, self.turn, self._call_later)
        self.registry = Registry(
            admission, Validator(dictionary()), journal, self.turn, self.application
        )
        self.registry.recover()
        self.application.on_started(self.registry.peers)
        self.end_turn()

    @property
    def now(self) -> int:
        return self._now

    def connect(self) -> Link:
        return self._wire()

    def connect_known(self, comp_id: str) -> Link:
        wire = self._wire()
        wire.take_up(self._session_of(comp_id))
        self.end_turn()
        return wire

    def venue_connects(self, comp_id: str) -> Link:
        wire, endpoint = self._wire(), self._session_of(comp_id)
        wire.endpoint, endpoint.wire = endpoint, wire
        endpoint.session.initiate(30, self.turn.open())
        endpoint.settle()
        self.end_turn()
        return wire

    def venue_sends(self, comp_id: str, msg_type: str, body: bytes) -> None:
        self._session_of(comp_id).send(msg_type.encode(), body)
        self.end_turn()

    def venue_logs_out(self, comp_id: str, text: str) -> None:
        endpoint = self._session_of(comp_id)
        endpoint.session.logout(text.encode("latin-1"), self.turn.open())
        endpoint.settle()
        self.end_turn()

    def operator(self, text: str) -> None:
        assert isinstance(self.application, Sequencer)
        self.application.obey(order_of_operator(text))
        self.end_turn()

    def advance(self, duration: int) -> None:
        end = self._now + duration
        while (due := min(self._deadlines(), default=end + 1)) <= end:
            self._now = due
            for wire in self._wires:
                wire.timeout(due)
            timers, self._timers = self._timers, []
            for moment, callback in timers:
                if moment <= due:
                    callback()
                else:
                    self._timers.append((moment, callback))
            self.application.on_time(due)
            self.end_turn()
            assert min(self._deadlines(), default=end + 1) > due, "a deadline that does not pass"
        self._now = end

    def close(self) -> None:
        """There is nothing to release."""

    def end_turn(self) -> None:
        """End the turn and those that it causes: journal, then deliver."""
        while self._due:
            due, self._due[:] = list(self._due), []
            for callback in due:
                callback()
        for failure in self._failures:
            raise failure

    def _wire(self) -> _Wire:
        self._wires.append(_Wire(self))
        return self._wires[-1]

    def _deadlines(self) -> list[int]:
        found = (wire.deadline() for wire in self._wires)
        deadlines = [deadline for deadline in found if deadline is not None]
        if isinstance(self.application, Sequencer) and self.application.venue.next_due:
            deadlines.append(self.application.venue.next_due)
        return deadlines + [moment for moment, _ in self._timers]

    def _call_later(self, delay_s: float, callback: Callable[[], None]) -> None:
        self._timers.append((self._now + round(delay_s * SECOND_NS), callback))

    def _session_of(self, comp_id: str) -> Endpoint:
        for endpoint in self.registry:
            if endpoint.comp_id == comp_id.encode():
                return endpoint
        claimed = self.registry.claim(decode(fix(f"35=A|49={comp_id}|56={VENUE}|")))
        assert isinstance(claimed, Endpoint), claimed
        return claimed


class _Wire(Link):
    """Both ends of a connection: the client's, and the one that the endpoint writes to."""

    def __init__(self, house: InProcess) -> None:
        super().__init__()
        self.endpoint: Endpoint | None = None
        self._house = house
        self._decoder = Decoder(house.settings.max_message_bytes)
        self._out: list[bytes] = []
        self._is_closing = False
        self._logon_due = house.now + house.settings.logon_timeout_ns

    # --- the client ---------------------------------------------------------------------

    def send(self, data: bytes) -> None:
        for item in self._decoder.feed(data):
            if not self._is_closing:
                self._receive(item, self._house.turn.open())
        self._house.end_turn()

    def drop(self) -> None:
        self.is_open, self._is_closing = False, True
        endpoint, self.endpoint = self.endpoint, None
        if endpoint is not None and endpoint.wire is self:
            endpoint.wire = None
            self._house.turn.open()
            endpoint.session.disconnected("connection lost")
            endpoint.settle()
        self._house.end_turn()

    # --- the connection -----------------------------------------------------------------

    def take_up(self, endpoint: Endpoint) -> None:
        """The connection is for this session."""
        self.endpoint, endpoint.wire = endpoint, self
        endpoint.session.connected(self._house.turn.open())

    def deadline(self) -> int | None:
        """When `timeout` is due."""
        if self._is_closing:
            return None
        return self._logon_due if self.endpoint is None else self.endpoint.session.deadline()

    def timeout(self, now: int) -> None:
        """Let the session do what is due."""
        due = self.deadline()
        if due is None or now < due:
            return
        if self.endpoint is None:
            self.close("no Logon in time")
        else:
            self._house.turn.open()
            self.endpoint.session.timeout(now)
            self.endpoint.settle()

    def _receive(self, item: Message | Garbled, now: int) -> None:
        if self.endpoint is None:
            claimed = item.reason if isinstance(item, Garbled) else self._house.registry.claim(item)
            if isinstance(claimed, str):
                self.close(claimed)
                return
            self.take_up(claimed)
        assert self.endpoint is not None
        if isinstance(item, Message):
            self.endpoint.receive(item, now)
        elif item.fatal:
            self.endpoint.session.logout(item.reason.encode("latin-1"), now)
            self.endpoint.settle()

    # --- sessions.endpoint.Wire and sessions.turn.Flushable -------------------------------

    def write(self, raw: bytes) -> None:
        self._out.append(raw)
        self._house.turn.will_flush(self)

    def close(self, reason: str) -> None:
        self._is_closing = True
        self._house.turn.open()
        self._house.turn.will_flush(self)

    @property
    def is_writable(self) -> bool:
        """Whether the peer reads."""
        return True

    def when_writable(self, callback: Callable[[], None]) -> None:
        callback()

    def seal(self) -> None:
        """Turns settle at once here, so there is nothing to keep apart."""

    def flush(self, now: int) -> None:
        data, self._out = b"".join(self._out), []
        if self.is_open:
            self.take_in(data)
        self.is_open = self.is_open and not self._is_closing
