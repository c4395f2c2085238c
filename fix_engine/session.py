"""The session machine: FIX 4.4 Volume 2 as inputs and effects, without a socket or a clock.

Inputs are method calls that carry `now` (integer nanoseconds, UTC). What has to be done about
them is one ordered list of effects, taken with `take_effects` after each input. The machine never
calls the application, the store or the clock; `deadline` says when `timeout` is due next.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from fix_engine import effects, tags
from fix_engine.errors import Reject, RejectReason, reject_body
from fix_engine.header import header_fault, poss_dup_fault
from fix_engine.liveness import Due, Liveness
from fix_engine.logon import SessionSettings, logon_body, logon_fault, next_expected
from fix_engine.message import Message
from fix_engine.outbound import Outbound, SharedFields, numbering, return_route
from fix_engine.resend import Repeats, Resend, asked_for
from fix_engine.sequence import InboundSequence, too_low_text
from fix_engine.states import TRANSITIONS, Input, SequenceRule, State, sequence_rule
from fix_engine.timestamps import SECOND_NS
from fix_engine.usual import usual
from fix_engine.validation import Validator

_NO_NUMBER: Final = SequenceRule.NO_NUMBER
_ANY_NUMBER: Final = SequenceRule.ANY_NUMBER
_ACTIVE: Final = State.ACTIVE
_MAX_NEW_SEQ_NO: Final = 10**15  # numbers that follow it can still be read


class Session:
    """One FIX session: sequence numbers, liveness and the state of the present connection."""

    __slots__ = (
        *("_by_state", "_by_type", "_is_usual", "_liveness", "_next_message", "_on_message"),
        *("_outbound", "_parse_time", "_requests", "_resend", "_validator"),
        *("effects", "inbound", "number", "settings", "state"),
    )

    def __init__(self, settings: SessionSettings, validator: Validator) -> None:
        self.settings = settings
        self.state = State.DISCONNECTED
        self._validator = validator
        self.inbound = InboundSequence()  # the numbers of the peer
        self.effects: list[effects.Effect] = []  # that wait to be taken
        self._resend: Resend | None = None
        self._requests = Repeats(settings.max_resend_repeats)
        self._parse_time = validator.parse_timestamp
        self._outbound = Outbound(
            settings.sender_comp_id, settings.target_comp_id, settings.precision
        )
        self._liveness = Liveness(self._outbound)
        # Like `send`, for who stores and writes it at once: not while an effect waits.
        self._next_message = numbering(self._outbound)
        self.number = self._number if settings.adds_last_processed else self._next_message
        self._on_message: Callable[[Message, int], None] = _ignore
        self._by_state: dict[State, Callable[[Message, int], None]] = {
            State.DISCONNECTED: _ignore,  # the connection has ended, but for what still arrives
            State.CONNECTED: self._receive_logon,
            State.LOGGING_ON: self._receive_logon_answer,
            State.ACTIVE: self._receive,
            State.LOGGING_OUT: self._receive_last,
        }
        self._by_type: dict[bytes, Callable[[Message, int, int], None]] = {
            tags.HEARTBEAT: _ignore,  # to have been received, and counted, is all
            tags.REJECT: _ignore,
            tags.TEST_REQUEST: self._answer_test_request,
            tags.RESEND_REQUEST: self._answer_resend_request,
            tags.SEQUENCE_RESET: self._obey_sequence_reset,
            tags.LOGOUT: self._answer_logout,
            tags.LOGON: self._reset_in_session,
        }
        self._is_usual = usual(settings, validator, self._by_type)

    # --- inputs -------------------------------------------------------------------------

    @property
    def next_in(self) -> int:
        """The MsgSeqNum expected from the peer next."""
        return self.inbound.expected

    def renewed(self, next_in: int, next_out: int) -> Session:
        """A new machine for the same session, with nobody connected and these numbers."""
        session = Session(self.settings, self._validator)
        session.resume(next_in, next_out)
        return session

    @property
    def heartbeat_s(self) -> int:
        """HeartBtInt of the present connection, or of the last."""
        return self._liveness.interval_ns // SECOND_NS

    @property
    def next_out(self) -> int:
        """The MsgSeqNum of our next message."""
        return self._outbound.next_seq

    def resume(self, next_in: int, next_out: int) -> None:
        """Take up the numbers of an earlier life, before anybody connects."""
        assert self.state is State.DISCONNECTED
        self.inbound.reset(next_in)
        self._outbound.next_seq = next_out

    def take_effects(self) -> list[effects.Effect]:
        """What has to be done next, in order; to be called, and obeyed, until nothing is left.

        Messages that waited behind a gap are obeyed one delivery at a time, so that what the
        application answers to one is numbered before what we answer to the next.
        """
        if self.inbound.early and not self.effects:
            self._obey_early()
        taken, self.effects = self.effects, []
        return taken

    def connected(self, now: int) -> None:
        """A peer has connected and its Logon is awaited."""
        self._move(Input.CONNECTION_MADE)
        self._liveness.give_up_at = now + self.settings.logon_timeout_ns

    def initiate(self, heartbeat_s: int, now: int, reset: bool = False) -> None:
        """We have connected, as an initiator: send a Logon; `reset` begins both sequences again."""
        self._move(Input.LOGON_SENT)
        if reset:
            self._reset()
        self._liveness.interval_ns = heartbeat_s * SECOND_NS
        self._liveness.give_up_at = now + self.settings.logon_timeout_ns
        flag = b"141=Y\x01" if reset else b""
        self._send(tags.LOGON, b"98=0\x01108=%d\x01%b" % (heartbeat_s, flag), now)

    def disconnected(self, reason: str) -> None:
        """The connection is gone; nothing when the machine has ended it itself."""
        if self.state is not State.DISCONNECTED:
            self._leave(Input.CONNECTION_LOST, reason, close=False)

    def receive(self, message: Message, now: int) -> None:
        """A complete message has arrived from the peer."""
        if self.accept(message, now):
            self.effects.append(effects.Deliver(message))

    def accept(self, message: Message, now: int) -> bool:
        """Like `receive`; true: there is nothing to do but to deliver it, and no effect says so.

        That is how it is with an application message in its turn, which nearly all are.
        """
        liveness, inbound = self._liveness, self.inbound
        liveness.last_received, liveness.probed_at = now, 0
        expected, is_usual = inbound.expected, self._is_usual
        if self.state is _ACTIVE and is_usual(message, expected, now):
            inbound.expected = expected + 1
            return True
        self._on_message(message, now)
        return False

    def send(self, msg_type: bytes, body: bytes, now: int, header: bytes = b"") -> int:
        """Number, stamp and store an application message, and write it to a peer who is logged on.

        `body` and `header` (fields after TargetCompID) are encoded fields, each ending in SOH.
        """
        seq, raw = self.number(msg_type, body, now, header)
        effect = effects.Send if self.state is _ACTIVE else effects.Store
        self.effects.append(effect(seq, raw))
        return seq

    def _number(
        self, msg_type: bytes, body: bytes, now: int, header: bytes = b""
    ) -> tuple[int, bytes]:
        header += b"369=%d\x01" % (self.next_in - 1)  # LastMsgSeqNumProcessed
        return self._next_message(msg_type, body, now, header)

    def stream(self, msg_type: bytes, own: bytes, shared: SharedFields, now: int) -> None:
        """Number, stamp and write an application message that is not stored.

        `own` fields come before those that it shares with others. Nothing, to a peer away.
        """
        if self.state is not _ACTIVE:
            return
        if self.settings.adds_last_processed:
            own = b"369=%d\x01%b" % (self.next_in - 1, own)
        seq, raw = self._outbound.number_shared(msg_type, own, shared, now)
        self.effects.append(effects.Transmit(seq, raw))

    def replay(self, stored: list[tuple[int, bytes]], now: int) -> None:
        """The answer to a Fetch: what is stored of its range, by number, ascending."""
        if self._resend is None:
            return
        self.effects += map(effects.Retransmit, self._resend.messages(stored, self._outbound, now))
        self._outbound.stamp(now)
        if self._resend.finished:
            self._resend = None
        else:
            self.effects.append(self._resend.page)

    def begin_anew(self) -> None:
        """Begin both sequences at 1 again, before anybody connects."""
        assert self.state is State.DISCONNECTED
        self._reset()

    def refuse(self, text: bytes, now: int) -> None:
        """Answer the Logon of a known peer by a Logout that says why not, and leave."""
        assert self.state is State.CONNECTED
        self._refuse_aloud(text, now)

    def logout(self, text: bytes, now: int) -> None:
        """End the session in good order: Logout, then a bounded wait for the peer's."""
        if self.state is State.ACTIVE:
            self._end(text, now)
        elif self.state in (State.CONNECTED, State.LOGGING_ON):
            self._refuse(text.decode("latin-1"))

    def deadline(self) -> int | None:
        """When `timeout` is due, or None when nothing is being waited for."""
        return self._liveness.deadline(self.state)

    def timeout(self, now: int) -> None:
        """The deadline may have passed; does nothing when it has not."""
        due = self.deadline()
        if due is None or now < due:
            return
        if self.state is State.ACTIVE:
            self._keep_alive(now)
        else:
            awaited = "Logout from the peer" if self.state is State.LOGGING_OUT else "Logon"
            self._leave(Input.EXPIRED, f"no {awaited} in time")

    def _keep_alive(self, now: int) -> None:
        due = self._liveness.due(now)
        if due is Due.HEARTBEAT:
            self._send(tags.HEARTBEAT, b"", now)
        elif due is Due.TEST_REQUEST:
            self._send(tags.TEST_REQUEST, b"112=TEST\x01", now)
            self._liveness.probed_at = now
        elif due is Due.GIVE_UP:
            self._leave(Input.EXPIRED, "no answer to TestRequest")

    # --- messages, by state of the connection -------------------------------------------

    def _receive_logon(self, logon: Message, now: int) -> None:
        """The first message; a refusal before the peer is known stays without an answer."""
        if not self._is_sound_logon(logon, now):
            return None
        seq = logon.seq or 0
        wrong = logon_fault(logon, self.settings)
        if wrong is not None:
            return self._refuse_aloud(wrong, now)
        if logon.flag(tags.RESET_SEQ_NUM_FLAG) or self.settings.reset_on_logon:
            self._reset()
        if seq < self.next_in:
            return self._refuse_aloud(too_low_text(self.next_in, seq), now)
        wanted = next_expected(logon, self.settings)
        if wanted is not None and not 1 <= wanted <= self.next_out:
            text = b"NextExpectedMsgSeqNum (789) %d is not possible, our next is %d"
            return self._refuse_aloud(text % (wanted, self.next_out), now)
        self._accept_logon(logon, seq, wanted, now)
        return None

    def _receive_logon_answer(self, answer: Message, now: int) -> None:
        """What the acceptor says to our Logon: Logon, or Logout with its reason."""
        fault = header_fault(answer, self.settings, self._parse_time, now)
        if answer.msg_type == tags.LOGOUT and answer.begin_string == tags.FIX44 and not fault:
            text = (answer.get(tags.TEXT) or b"").decode("latin-1")
            self._count(answer.seq or 0)
            return self._leave(Input.LOGOUT_RECEIVED, f"Logon refused by the peer: {text}")
        if not self._is_sound_logon(answer, now):
            return None
        seq = answer.seq or 0
        if seq < self.next_in:
            return self._refuse_aloud(too_low_text(self.next_in, seq), now)
        self._move(Input.LOGON_ACCEPTED)
        self.effects.append(effects.Online(answer))
        self._count(seq)
        if seq >= self.next_in:
            self._came_early(seq, None, now)
        return None

    def _is_sound_logon(self, logon: Message, now: int) -> bool:
        """Whether the first message is a Logon, for us, and valid; if not it is refused here."""
        if logon.msg_type != tags.LOGON:
            self._refuse("the first message is not a Logon")
            return False
        fault = header_fault(logon, self.settings, self._parse_time, now)
        if logon.begin_string != tags.FIX44 or fault is not None:
            self._refuse(fault.reason.text.decode() if fault else "Incorrect BeginString")
            return False
        reject = self._validator.check(logon)
        if reject is not None:
            text = reject.text or reject.reason.text
            where = b" (tag %b)" % reject.ref_tag if reject.ref_tag else b""
            self._refuse_aloud(text + where, now)
            return False
        return True

    def _accept_logon(self, logon: Message, seq: int, wanted: int | None, now: int) -> None:
        self._move(Input.LOGON_ACCEPTED)
        self._count(seq)
        self._answer_logon(logon, now)
        self.effects.append(effects.Online(logon))
        if wanted is not None and wanted < self.next_out - 1:
            # The peer's 789 does what its ResendRequest would; our Logon is gap-filled with it.
            self._start_resend(wanted, self.next_out - 1)
        if seq >= self.next_in:
            # FIX 4.4 Volume 2, "Logon": a Logon with a number too high is answered by Logon
            # first, then by a ResendRequest for what came before it, unless our 789 has said so.
            self._came_early(seq, None, now, is_told=wanted is not None)

    def _answer_logon(self, logon: Message, now: int) -> None:
        self._liveness.interval_ns = int(logon.get(tags.HEART_BT_INT) or 0) * SECOND_NS
        self._send(tags.LOGON, logon_body(logon, self.settings, self.next_in), now)

    def _receive(self, message: Message, now: int) -> None:
        """A message on a live session: is it from this peer, is it its turn, is it sound?"""
        if message.begin_string != tags.FIX44:
            return self._end(b"Incorrect BeginString", now)
        seq = message.seq
        if seq is None:
            # FIX 4.4 Volume 2, "Logout": a message without MsgSeqNum is a serious error.
            return self._end(b"MsgSeqNum (34) is missing or not a number", now)
        fault = header_fault(message, self.settings, self._parse_time, now)
        if fault is None and message.is_poss_dup:
            fault = poss_dup_fault(message, self._parse_time)
        if fault is not None:
            self._count(seq)
            self._reject(message, seq, fault, now)
            if fault.reason is not RejectReason.REQUIRED_TAG_MISSING:
                self._end(b"", now)
            return None
        expected = self.inbound.expected
        rule = sequence_rule(message)
        if rule is _NO_NUMBER:
            self._obey(message, seq, now)
        elif seq == expected:
            self.inbound.expected = expected + 1
            self._obey(message, seq, now)
        elif rule is _ANY_NUMBER:
            self._obey(message, seq, now)
            if seq > expected and self.state is State.ACTIVE:
                self._came_early(seq, None, now)
        elif seq > expected:
            self._came_early(seq, message, now)
        elif not message.is_poss_dup:
            return self._end(too_low_text(self.next_in, seq), now)
        return None

    def _receive_last(self, message: Message, now: int) -> None:
        """We have sent Logout: the peer may still ask for what it misses, then says Logout."""
        seq = message.seq
        fault = header_fault(message, self.settings, self._parse_time, now)
        if message.begin_string != tags.FIX44 or fault is not None or seq is None:
            return
        if message.msg_type == tags.LOGOUT:
            self._count(seq)
            self._leave(Input.LOGOUT_RECEIVED, "logged out")
        elif message.msg_type == tags.RESEND_REQUEST:
            self._count(seq)
            self._obey(message, seq, now)

    def _obey(self, message: Message, seq: int, now: int) -> None:
        """A message whose turn has come, and which is already counted."""
        fault = self._validator.check(message)
        if fault is not None:
            if message.msg_type != tags.REJECT:  # two engines must not reject each other for ever
                self._reject(message, seq, fault, now)
            return None
        handler = self._by_type.get(message.msg_type)
        if handler is None:
            self.effects.append(effects.Deliver(message))
            return None
        return handler(message, seq, now)

    def _came_early(
        self, seq: int, message: Message | None, now: int, is_told: bool = False
    ) -> None:
        """A gap: keep the message (None: one that needs only counting), ask for what is missing."""
        self.inbound.keep(seq, message)
        poss_dup = message is not None and message.is_poss_dup
        if self.inbound.must_ask(seq, poss_dup, now) and not is_told:
            body = b"7=%d\x0116=0\x01" % self.inbound.expected
            self._send(tags.RESEND_REQUEST, body, now)

    def _obey_early(self) -> None:
        """Messages from behind the gap whose turn has come, up to one for the application."""
        while self.state is State.ACTIVE and not self.effects:
            seq = self.inbound.expected
            found, message = self.inbound.take_next()
            if not found:
                return
            if message is not None:
                self._obey(message, seq, self._liveness.last_received)

    # --- administrative messages --------------------------------------------------------

    def _answer_test_request(self, message: Message, seq: int, now: int) -> None:
        self._send(tags.HEARTBEAT, b"112=%b\x01" % (message.get(tags.TEST_REQ_ID) or b""), now)

    def _answer_resend_request(self, message: Message, seq: int, now: int) -> None:
        begin, end, last, wrong = asked_for(message, self.next_out)
        if wrong is not None:
            fault = Reject(RejectReason.VALUE_INCORRECT, wrong)
            return self._reject(message, seq, fault, now)
        if self._requests.is_too_often(begin, end):
            return self._end(b"ResendRequest %d to %d comes again and again" % (begin, end), now)
        return self._start_resend(begin, last)

    def _start_resend(self, begin: int, end: int) -> None:
        self._resend = Resend(begin, end, self.settings.gap_filled_types)
        self.effects.append(self._resend.page)

    def _obey_sequence_reset(self, message: Message, seq: int, now: int) -> None:
        """Gap fill, which is already counted, or reset; neither may go back, or out of sight."""
        new_seq_no = int(message.get(tags.NEW_SEQ_NO) or 0)
        if not self.inbound.expected <= new_seq_no <= _MAX_NEW_SEQ_NO:
            return self._reject(message, seq, Reject(RejectReason.VALUE_INCORRECT), now)
        self.inbound.advance(new_seq_no)
        return None

    def _answer_logout(self, message: Message, seq: int, now: int) -> None:
        self._send(tags.LOGOUT, b"", now)
        self._leave(Input.LOGOUT_RECEIVED, "logged out")

    def _reset_in_session(self, logon: Message, seq: int, now: int) -> None:
        """A Logon on a live session may only reset both sequences."""
        if not logon.flag(tags.RESET_SEQ_NUM_FLAG):
            fault = Reject(RejectReason.OTHER, text=b"Logon on a session that is logged on")
            return self._reject(logon, seq, fault, now)
        text = logon_fault(logon, self.settings)
        if text is not None:
            return self._end(text, now)
        self._reset()
        self._count(seq)
        self._answer_logon(logon, now)
        return None

    # --- outbound -----------------------------------------------------------------------

    def _send(self, msg_type: bytes, body: bytes, now: int, header: bytes = b"") -> None:
        """An administrative message, to a peer that is there."""
        self.effects.append(effects.Send(*self.number(msg_type, body, now, header)))

    def _reject(self, message: Message, seq: int, fault: Reject, now: int) -> None:
        """Say what is wrong with a message, but nothing more behind our own Logout."""
        if self.state is State.LOGGING_OUT:
            return
        body = reject_body(seq, message.msg_type, fault)
        self._send(tags.REJECT, body, now, return_route(message))

    # --- the end, and the beginning -----------------------------------------------------

    def _move(self, event: Input) -> None:
        self.state = TRANSITIONS[self.state, event]
        self._on_message = self._by_state[self.state]

    def _end(self, text: bytes, now: int) -> None:
        """Logout first; the peer has a bounded time to answer. Once is enough."""
        if self.state is State.LOGGING_OUT:
            return
        self._send(tags.LOGOUT, b"58=%b\x01" % text if text else b"", now)
        self._move(Input.LOGOUT_SENT)
        self._liveness.give_up_at = now + self.settings.logout_timeout_ns

    def _leave(self, event: Input, reason: str, close: bool = True) -> None:
        self._requests.forget()
        was_online = self.state in (State.ACTIVE, State.LOGGING_OUT)
        is_logout = event is Input.LOGOUT_RECEIVED or self.state is State.LOGGING_OUT
        self._move(event)
        self._resend = None
        self._liveness.probed_at = 0
        # What waits behind a gap is asked for again when the peer is back.
        self.inbound.reset(self.inbound.expected)
        if was_online:
            self.effects.append(effects.Offline(reason, is_logout))
        if close:
            self.effects.append(effects.Disconnect(reason))

    def _refuse(self, reason: str) -> None:
        self._leave(Input.LOGON_REFUSED, f"Logon refused: {reason}")

    def _refuse_aloud(self, text: bytes, now: int) -> None:
        self._send(tags.LOGOUT, b"58=%b\x01" % text, now)
        self._refuse(text.decode("latin-1"))

    def _reset(self) -> None:
        self._outbound.next_seq = 1
        self.inbound.reset()
        self._resend = None
        self._requests.forget()
        self.effects.append(effects.Reset())

    def _count(self, seq: int) -> None:
        if seq == self.inbound.expected:
            self.inbound.expected += 1


def _ignore(*_: object) -> None:
    """Nothing is to be done about a message."""
