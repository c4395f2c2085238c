"""A session as the process holds it: the machine, its journal view, and today's connection.

Endpoint is the interpreter of the machine's effects. It is also the Peer that applications send
to, whether or not somebody is connected.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, Protocol

import structlog

from fix_engine import tags
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
from fix_engine.message import Message
from fix_engine.outbound import SharedFields, return_route
from fix_engine.session import Session
from fix_engine.states import State
from sessions.application import Application, Sending, business_reject
from sessions.compiled import sending
from sessions.credentials import Outcome
from sessions.journal import Journal, Kind
from sessions.ledger import SessionState
from sessions.profile import Profile
from sessions.sent import SentTable
from sessions.store import SentMessages
from sessions.throttle import Throttle
from sessions.turn import Turn

log = structlog.get_logger(__name__)

_ACTIVE: Final = State.ACTIVE
_SENT: Final = Kind.SENT
# BusinessRejectReason (380); FIX 4.4 has none for too many messages.
_OTHER: Final = 0
_NOT_AUTHORIZED: Final = 6
_NUMBERED_AHEAD: Final = 1_000


class Wire(Protocol):
    """What an endpoint needs of its connection."""

    @property
    def is_writable(self) -> bool:
        """Whether the peer reads, as far as one can see."""

    def write(self, raw: bytes) -> None:
        """Write at the end of the turn."""

    def close(self, reason: str) -> None:
        """Write what is waiting, then close."""

    def when_writable(self, callback: Callable[[], None]) -> None:
        """Call back now, or when a slow reader has caught up; never once the wire is closed."""


class Endpoint:
    """One session identity; see the module."""

    __slots__ = (
        *("_add", "_application", "_carry_out", "_gone", "_memories", "_noted_in", "_numbered"),
        *("_page_is_due", "_settling", "_throttle", "_turn", "_wanted"),
        *("begun_at", "comp_id", "number", "profile", "send", "sent", "session", "wire"),
    )

    def __init__(
        self,
        number: int,
        session: Session,
        profile: Profile,
        journal: Journal,
        turn: Turn,
        application: Application,
    ) -> None:
        self.number = number
        self.session = session
        self.profile = profile
        self.comp_id = session.settings.target_comp_id
        self.sent = SentMessages(journal)
        self._memories: dict[bytes, bytes] = {}  # of Logons, by what they are about
        self.begun_at = 0  # when the present sequence numbers began
        self.wire: Wire | None = None
        self._add = journal.add
        self._turn = turn
        self._application = application
        self._throttle = Throttle(profile.rate_limit)
        self._wanted: Fetch | None = None
        self._page_is_due = False
        self._numbered = 0  # up to here the journal lets us number what is not stored
        self._noted_in = 0  # the next inbound number when it was told so
        self._gone = ""  # why the peer, which was online, was gone last
        self._settling = False
        self.send: Sending = sending(self._send_stored, self, turn, journal.add)
        self._carry_out: dict[type[Effect], Callable[[Any], None]] = {
            Send: self._send,
            Store: lambda effect: self._store(effect.seq, effect.raw),
            Transmit: self._transmit,
            Retransmit: self._retransmit,
            Fetch: self._fetch,
            Deliver: lambda effect: self._deliver(effect.message),
            Online: self._online,
            Offline: self._offline,
            Reset: self._reset,
            Disconnect: self._disconnect,
        }

    @property
    def next_in(self) -> int:
        """The MsgSeqNum expected from the peer next."""
        return self.session.inbound.expected

    def _send_stored(self, msg_type: bytes, body: bytes, header: bytes = b"") -> int:
        session, now = self.session, self._turn.now or self._turn.open()
        if self._settling or session.effects:  # they come first
            seq = session.send(msg_type, body, now, header)
            if not self._settling:
                self.settle()
            return seq
        number, add, wire = session.number, self._add, self.wire
        seq, raw = number(msg_type, body, now, header)
        # Not by `_store`: every report comes by here, and calls cost.
        offset = add(_SENT, self.number, seq, session.inbound.expected, raw)
        self.sent.table.append(seq, offset, len(raw))
        if wire is not None and session.state is _ACTIVE:
            wire.write(raw)
        return seq

    @property
    def is_ready(self) -> bool:
        """Whether the peer is logged on and reads what it is sent."""
        return self.wire is not None and self.wire.is_writable and self.session.state is _ACTIVE

    def stream(self, msg_type: bytes, own: bytes, shared: SharedFields) -> None:
        """Send what is not stored: at a resend, a gap fill will stand for it.

        `own` fields go before those that it shares with what others are sent. Nothing happens
        when the peer is away.
        """
        self.session.stream(msg_type, own, shared, self._turn.open())
        if not self._settling:
            self.settle()

    def when_ready(self, callback: Callable[[], None]) -> None:
        """Call back now, or when a slow reader has caught up; never once it is gone."""
        if self.wire is not None:
            self.wire.when_writable(callback)

    def state(self) -> SessionState:
        """What there is to know of it, between two turns."""
        return SessionState(
            self.number,
            self.comp_id,
            self.next_in,
            self.begun_at,
            self._memories,
            self.sent.table,
            self._numbered,
        )

    def resume(self, state: SessionState) -> None:
        """Go on from what the journal says."""
        self.begun_at = state.begun_at
        self.sent.table = state.sent
        self._numbered = state.numbered
        for memory in state.memories.values():
            self._recall(memory)
        self.session.resume(state.next_in, state.next_out)

    def begin_anew(self) -> None:
        """Begin both sequences at 1 again, with nobody connected."""
        self.session.begin_anew()
        self.settle()

    def replace_wire(self) -> None:
        """Log the present connection out at once, for another one takes its place."""
        wire = self.wire
        assert wire is not None
        self.session.logout(b"Another connection has logged on as this session", self._turn.open())
        self.settle()
        self.wire = None
        self.session.disconnected("replaced by another connection")
        self.settle()
        wire.close("replaced by another connection")

    def receive(self, message: Message, now: int) -> None:
        """A message from the peer: the machine acts on it, and its effects are carried out."""
        session = self.session
        next_in = session.inbound.expected
        try:
            is_for_us = session.accept(message, now)
        except Exception as error:
            self._renew(error, next_in)
            is_for_us = False
        if is_for_us:
            if self.profile.withheld or self._throttle.is_limited:
                self._deliver(message)
            else:
                self._application.on_message(self, message)
        if session.effects or session.inbound.early:
            self.settle()

    def remember(self, outcome: Outcome, is_online: bool) -> None:
        """Keep, in the journal, too, how and from where the peer has proved itself.

        A password that is to change is kept once the peer is online, everything else before.
        """
        if outcome.host and outcome.host != self.profile.last_host:
            self._keep(b"host " + outcome.host.encode("ascii", "replace"))
        if outcome.memory and outcome.only_online is is_online:
            self._keep(outcome.memory)

    def _keep(self, memory: bytes) -> None:
        self._turn.open()
        self._add(Kind.CREDENTIAL, self.number, 0, self.session.next_in, memory)
        self._recall(memory)

    def _recall(self, memory: bytes) -> None:
        """Take up what an earlier Logon left to be remembered."""
        kind, _, value = memory.partition(b" ")
        self._memories[kind] = memory
        if kind == b"host":
            self.profile.last_host = value.decode("ascii")
        elif self.profile.credential is not None:
            self.profile.credential.recall(memory)

    def _renew(self, error: Exception, next_in: int) -> None:
        """The machine broke over a message: a bug of ours that must not be everybody's.

        Nothing of what it was about to do has been done. The journal knows what was, so a new
        machine takes its place, the message uncounted, and only this peer is disconnected.
        """
        log.critical("session machine failed", peer=self.comp_id, exc_info=error)
        was_online = self.session.state in (State.ACTIVE, State.LOGGING_OUT)
        self.session = self.session.renewed(next_in, self.state().next_out)
        if was_online:
            self._offline(Offline("the session machine failed"))
        self._disconnect(Disconnect("the session machine failed"))

    def settle(self) -> None:
        """Carry out the machine's effects in order, with those that they cause."""
        self._settling = True
        try:
            while effects := self._take_effects():
                for effect in effects:
                    self._carry_out[effect.__class__](effect)
        finally:
            self._settling = False

    def _take_effects(self) -> list[Effect]:
        """What the machine wants done; it may still have to obey messages from behind a gap."""
        next_in = self.session.next_in
        try:
            return self.session.take_effects()
        except Exception as error:
            self._renew(error, next_in)
            return []

    # --- effects ------------------------------------------------------------------------

    def _store(self, seq: int, raw: bytes) -> None:
        offset = self._add(_SENT, self.number, seq, self.next_in, raw)
        self.sent.table.append(seq, offset, len(raw))

    def _send(self, effect: Send) -> None:
        self._store(effect.seq, effect.raw)
        if self.wire is not None:
            self.wire.write(effect.raw)

    def _transmit(self, effect: Transmit) -> None:
        if effect.seq > self._numbered or self._noted_in != self.session.next_in:
            self._note(effect.seq + _NUMBERED_AHEAD)
        if self.wire is not None:
            self.wire.write(effect.raw)

    def _note(self, numbered: int) -> None:
        """Have the journal know which numbers may be in use that it has no message of.

        A number that a peer may have seen is never used again, so the journal says so before; a
        thousand at a time, for most of these messages are small and there are many.
        """
        self._numbered, self._noted_in = numbered, self.session.next_in
        self._add(Kind.NUMBERED, self.number, numbered, self._noted_in)

    def _retransmit(self, effect: Retransmit) -> None:
        if self.wire is not None:
            self.wire.write(effect.raw)

    def _fetch(self, effect: Fetch) -> None:
        # Answered in a later turn: what was sent in this one is not in the journal yet, and other
        # sessions get their turn between two pages. A newer request replaces an older one.
        self._wanted = effect
        if not self._page_is_due:
            self._page_is_due = True
            self._turn.after(self._next_page)

    def _next_page(self) -> None:
        self._page_is_due = False
        if self.wire is not None and self._wanted is not None:
            self.wire.when_writable(self._answer_fetch)

    def _answer_fetch(self) -> None:
        wanted, self._wanted = self._wanted, None
        if wanted is not None:
            stored = self.sent.fetch(wanted.begin, wanted.end, wanted.at_most)
            self.session.replay(stored, self._turn.open())
            self.settle()

    def _deliver(self, message: Message) -> None:
        wait_ns = 0
        if message.msg_type in self.profile.withheld:
            right = self.profile.withheld[message.msg_type]
            text = b"The rights of %b do not include %b" % (self.comp_id, right.encode())
            return self._refuse(message, _NOT_AUTHORIZED, text)
        if self._throttle.is_limited:
            wait_ns = self._throttle.wait_ns(message.msg_type, self._turn.open())
        if not wait_ns:
            self._application.on_message(self, message)
        elif self._throttle.is_abused:
            self.session.logout(b"Too many messages in spite of refusals", self._turn.open())
        else:
            text = b"Too many messages: wait %d ms" % (wait_ns // 1_000_000 + 1)
            self._refuse(message, _OTHER, text)
        return None

    def _refuse(self, message: Message, reason: int, text: bytes) -> None:
        body = business_reject(message, reason, text, message.get(tags.CL_ORD_ID) or b"")
        self.send(tags.BUSINESS_MESSAGE_REJECT, body, return_route(message))

    def _online(self, effect: Online) -> None:
        log.info(
            "logged on",
            peer=self.comp_id.decode("latin-1"),
            next_in=self.session.next_in,
            next_out=self.session.next_out,
            heartbeat_s=self.session.heartbeat_s,
        )
        self._application.on_logon(self, effect.logon)

    def _offline(self, effect: Offline) -> None:
        log.info("gone", peer=self.comp_id.decode("latin-1"), reason=effect.reason)
        self._gone = effect.reason
        if self._numbered >= self.session.next_out:
            self._note(self.session.next_out - 1)
        self._application.on_logout(self, effect.is_logout)

    def _reset(self, _: Reset) -> None:
        self._add(Kind.RESET, self.number, 0, 1)
        self.sent.table, self._numbered = SentTable(), 0
        self.begun_at = self._turn.open()
        self._wanted = None

    def _disconnect(self, effect: Disconnect) -> None:
        wire, self.wire, self._wanted = self.wire, None, None
        if effect.reason != self._gone:
            log.warning("refused", peer=self.comp_id.decode("latin-1"), reason=effect.reason)
        if wire is not None:
            wire.close(effect.reason)
