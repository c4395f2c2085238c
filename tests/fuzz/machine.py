"""Decoder, session machine and validator in process, on a virtual clock, watched at every step.

`Machine` is one session with what surrounds it: whatever it is fed, it checks that the effects obey
the protocol. `play` feeds it a seeded conversation of messages made from the dictionary.
"""

from __future__ import annotations

from dataclasses import dataclass
from time import perf_counter
from typing import Final

from fix_engine.effects import (
    Deliver,
    Disconnect,
    Effect,
    Fetch,
    Offline,
    Online,
    Reset,
    Retransmit,
    Send,
    Store,
    Transmit,
)
from fix_engine.logon import SessionSettings
from fix_engine.message import Message
from fix_engine.outbound import SharedFields
from fix_engine.resend import PAGE_MESSAGES
from fix_engine.sequence import MAX_EARLY_BYTES, MAX_EARLY_MESSAGES
from fix_engine.session import Session
from fix_engine.states import TRANSITIONS, Input, State
from fix_engine.timestamps import SECOND_NS, TimestampFormatter
from fix_engine.validation import Validator
from fix_engine.wire import MAX_MESSAGE_BYTES, Decoder, encode
from tests.support.messages import dictionary

START_NS: Final = 1_709_208_000 * SECOND_NS  # 2024-02-29 12:00:00 UTC
US: Final = b"SEAMARK"
PEER: Final = b"FUZZ"
_MAX_NUMBER: Final = 1 << 64  # what the journal has room for
_MAX_STORED: Final = 2_000
_LIVE: Final = (State.ACTIVE, State.LOGGING_OUT)


class BrokenError(AssertionError):
    """Something that must always be true was not."""


class SlowError(BrokenError):
    """One input took too long; worth a second look, for the machine may have been busy."""


@dataclass(slots=True)
class Totals:
    """What a run has done."""

    inputs: int = 0
    messages: int = 0
    garbled: int = 0
    delivered: int = 0
    sent: int = 0
    retransmitted: int = 0
    logons: int = 0
    slowest_s: float = 0.0


def _reachable() -> dict[State, frozenset[State]]:
    """From each state, where the table can lead without a new connection."""
    made = (Input.CONNECTION_MADE, Input.LOGON_SENT)
    found = {state: {state} for state in State}
    for _ in State:
        for (before, event), after in TRANSITIONS.items():
            if event not in made:
                for states in found.values():
                    if before in states:
                        states.add(after)
    return {state: frozenset(states) for state, states in found.items()}


_REACHABLE: Final = _reachable()


class Machine:
    """One session, its decoder, its store and its clock; raises BrokenError at what is wrong."""

    def __init__(
        self,
        totals: Totals | None = None,
        budget_s: float = 0.0,
        settings: SessionSettings | None = None,
    ) -> None:
        """`budget_s` is the time that one input may take; 0 does not look."""
        self.totals = totals or Totals()
        self.validator = Validator(dictionary())
        self.session = Session(settings or SessionSettings(US, PEER), self.validator)
        self.now = START_NS
        self.is_linked = False
        self.fetch: Fetch | None = None
        self.written: list[bytes] = []
        self._budget_s = budget_s
        self._format = TimestampFormatter().format
        self._stored: dict[int, bytes] = {}
        self._decoder = Decoder()
        self._reader = Decoder()  # the peer's
        self._is_online = False
        self._last_out = self._last_delivered = 0

    @property
    def time(self) -> bytes:
        """The virtual time as SendingTime has it."""
        return self._format(self.now)

    # --- inputs -------------------------------------------------------------------------

    def connect(self) -> None:
        """A new connection, unless there is one."""
        if not self.is_linked:
            self._decoder, self._reader = Decoder(), Decoder()
            self.is_linked = True
            self.session.connected(self.now)
            self._settle(State.CONNECTED)

    def initiate(self, is_reset: bool) -> None:
        """A new connection that is ours, unless there is one: we say Logon first."""
        if not self.is_linked:
            self._decoder, self._reader = Decoder(), Decoder()
            self.is_linked = True
            self.session.initiate(30, self.now, reset=is_reset)
            self._settle(State.LOGGING_ON)

    def lose(self) -> None:
        """The connection is gone."""
        if self.is_linked:
            before = self.session.state
            self.is_linked = False
            self.session.disconnected("lost")
            self._settle(before)

    def feed(self, data: bytes) -> None:
        """Bytes from the peer, treated as a connection does."""
        if not self.is_linked:
            return
        began = perf_counter()
        for item in self._decoder.feed(data):
            before = self.session.state
            if isinstance(item, Message):
                self.totals.messages += 1
                self.session.receive(item, self.now)
            else:
                self.totals.garbled += 1
                if item.fatal:
                    self.session.logout(item.reason.encode("latin-1"), self.now)
            self._settle(before)
            if not self.is_linked:
                break
        spent = perf_counter() - began
        self.totals.slowest_s = max(self.totals.slowest_s, spent)
        if self._budget_s and spent > self._budget_s:
            raise SlowError(f"{len(data)} bytes took {spent * 1000:.0f} ms")
        self._check_stash()
        if self._decoder.buffered > 2 * MAX_MESSAGE_BYTES + len(data) + 64:
            raise BrokenError(f"{self._decoder.buffered} bytes are waiting")

    def wait(self, duration_ns: int) -> None:
        """Time passes, and what is due happens at its moment."""
        end = self.now + duration_ns
        while (due := self.session.deadline()) is not None and due <= end:
            before = self.session.state
            self.now = max(due, self.now)
            self.session.timeout(self.now)
            if not self._settle(before):
                raise BrokenError("timeout() did nothing at its deadline")
        self.now = end

    def send(self, text: bytes = b"x") -> None:
        """The application sends."""
        self.session.send(b"j", b"372=D\x01380=0\x0158=" + text + b"\x01", self.now)
        self._settle(self.session.state)

    def stream(self, text: bytes = b"x") -> None:
        """Our application has something to say that is not stored."""
        shared = SharedFields.of(b"58=" + text + b"\x01")
        self.session.stream(b"j", b"372=D\x01380=0\x01", shared, self.now)
        self._settle(self.session.state)

    def log_out(self) -> None:
        """We end the session."""
        before = self.session.state
        self.session.logout(b"enough", self.now)
        self._settle(before)

    def replay(self) -> None:
        """The store answers the last Fetch."""
        fetch, self.fetch = self.fetch, None
        if fetch is not None:
            begin, end = fetch.begin, fetch.end
            stored = [found for found in self._stored.items() if begin <= found[0] <= end]
            self.session.replay(stored[: fetch.at_most], self.now)
            self._settle(self.session.state)

    # --- what must be true --------------------------------------------------------------

    def _settle(self, before: State) -> int:
        """Carry out the effects until there are none; returns how many there were."""
        session, count = self.session, 0
        while effects := session.take_effects():
            for effect in effects:
                self._check(effect)
            count += len(effects)
            if count > 8 * MAX_EARLY_MESSAGES:
                raise BrokenError(f"{count} effects of one input")
        if session.state not in _REACHABLE[before]:
            raise BrokenError(f"{before.name} became {session.state.name}")
        if self._is_online != (session.state in _LIVE):
            raise BrokenError(f"online is {self._is_online} in {session.state.name}")
        if self.is_linked == (session.state is State.DISCONNECTED):
            raise BrokenError(f"linked is {self.is_linked} in {session.state.name}")
        if session.next_out != self._last_out + 1:
            raise BrokenError(f"next out is {session.next_out} after {self._last_out}")
        if not 1 <= session.next_in < _MAX_NUMBER:
            raise BrokenError(f"next in is {session.next_in}")
        return count

    def _check_stash(self) -> None:
        inbound = self.session.inbound
        if not inbound.early:
            return
        size = sum(len(kept.raw) for kept in inbound.early.values() if kept is not None)
        if len(inbound.early) > MAX_EARLY_MESSAGES or size > MAX_EARLY_BYTES:
            raise BrokenError(f"{len(inbound.early)} messages of {size} bytes wait in the stash")
        if size != inbound._early_bytes:
            raise BrokenError(f"the stash holds {size} bytes and counts {inbound._early_bytes}")
        if min(inbound.early) <= inbound.expected and self.session.state is State.ACTIVE:
            raise BrokenError(f"{min(inbound.early)} waits, {inbound.expected} is expected")

    def _check(self, effect: Effect) -> None:
        match effect:
            case Send(seq, raw) | Store(seq, raw):
                self._check_outbound(raw, seq, isinstance(effect, Send))
                self._stored[seq] = raw
                if len(self._stored) > _MAX_STORED:
                    del self._stored[next(iter(self._stored))]
            case Transmit(seq, raw):
                self._check_outbound(raw, seq, is_written=True)
            case Retransmit(raw):
                self.totals.retransmitted += 1
                self._check_retransmitted(raw)
            case Fetch(begin, end, at_most):
                if not 1 <= begin <= end <= self._last_out or at_most != PAGE_MESSAGES:
                    raise BrokenError(f"fetch {begin} to {end}, the last sent is {self._last_out}")
                self.fetch = effect
            case Deliver(message):
                self._check_delivered(message)
            case Online():
                self._expect(self.is_linked and not self._is_online, "online twice, or alone")
                self.totals.logons += 1
                self._is_online = True
            case Offline():
                self._expect(self._is_online, "offline twice")
                self._is_online = False
            case Reset():
                self._last_out = self._last_delivered = 0
                self._stored.clear()
                self.fetch = None
            case Disconnect():
                self._expect(self.is_linked, "disconnected twice")
                self.is_linked = False
                self.fetch = None

    def _check_outbound(self, raw: bytes, seq: int, is_written: bool) -> None:
        self.totals.sent += 1
        self._expect(seq == self._last_out + 1, f"{seq} is sent after {self._last_out}")
        self._expect(self.is_linked or not is_written, "sent to nobody")
        self._last_out = seq
        message = self._check_sound(raw)
        self._expect(message.seq == seq, "the number within is another one")

    def _check_retransmitted(self, raw: bytes) -> None:
        message = self._check_sound(raw)
        self._expect(self.is_linked, "sent again to nobody")
        self._expect(message.is_poss_dup, "sent again without PossDupFlag")
        self._expect(0 < (message.seq or 0) <= self._last_out, "sent again before it was sent")

    def _check_sound(self, raw: bytes) -> Message:
        """What we write is a message by our own dictionary, whatever made us write it."""
        self.written.append(raw)
        del self.written[:-50]
        (message,) = self._reader.feed(raw)
        if not isinstance(message, Message):
            raise BrokenError(f"we send {raw!r}: {message.reason}")
        fault = self.validator.check(message)
        if fault is not None:
            raise BrokenError(f"we send {raw!r}: {fault}")
        return message

    def _check_delivered(self, message: Message) -> None:
        self.totals.delivered += 1
        seq = message.seq or 0
        self._expect(self._is_online, "delivered while offline")
        self._expect(seq > self._last_delivered, f"{seq} after {self._last_delivered}")
        self._expect(seq < self.session.next_in, f"{seq} is delivered and not counted")
        self._expect(self.validator.check(message) is None, "delivered though it is not sound")
        self._last_delivered = seq
        if seq % 3 == 0:  # an application answers some of what it is given, at once
            self.session.send(b"j", b"372=D\x01380=0\x0158=answer\x01", self.now)

    def _expect(self, is_so: bool, otherwise: str) -> None:
        if not is_so:
            raise BrokenError(otherwise)


def framed(machine: Machine, fields: bytes, seq: int | None = None) -> bytes:
    """`35=D|...` (SOH for the bar) as this machine's peer sends it now: header and frame added."""
    msg_type, _, rest = fields.partition(b"\x01")
    number = machine.session.next_in if seq is None else seq
    header = b"34=%d\x0149=%b\x0152=%b\x0156=%b\x01" % (number, PEER, machine.time, US)
    return encode(msg_type + b"\x01" + header + rest.replace(b"<now>", machine.time))
