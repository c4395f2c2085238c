"""The client's engine: the session machine, and what only clients do.

A client may reset both sequences on a live session, and may say with NextExpectedMsgSeqNum (789)
what it would otherwise ask for. The acceptor's machine answers both but begins neither. And some
clients ask for the same again and again, which ours never would.
"""

from __future__ import annotations

from fix_engine import tags
from fix_engine.logon import SessionSettings, next_expected
from fix_engine.message import Message
from fix_engine.session import Session
from fix_engine.states import Input, State
from fix_engine.timestamps import SECOND_NS
from fix_engine.validation import Validator


class Initiator(Session):
    """A Session that can do all that a client does."""

    def __init__(self, settings: SessionSettings, validator: Validator) -> None:
        super().__init__(settings, validator)
        #: We have begun our sequences again and do not know yet that the peer has.
        self.reset_pending = False
        self._peer_is_told = False

    @property
    def awaits_reset(self) -> bool:
        """Whether a reset on this live session is unanswered."""
        return self.reset_pending and self.state is State.ACTIVE

    def initiate(self, heartbeat_s: int, now: int, reset: bool = False) -> None:
        """As the machine does, with 789 where it is used."""
        if not self.settings.uses_next_expected:
            super().initiate(heartbeat_s, now, reset)
            self.reset_pending = reset
            return
        if reset:
            self._reset()
        self.reset_pending = reset
        self._move(Input.LOGON_SENT)
        self._liveness.interval_ns = heartbeat_s * SECOND_NS
        self._liveness.give_up_at = now + self.settings.logon_timeout_ns
        flag = b"141=Y\x01" if reset else b""
        body = b"98=0\x01108=%d\x01%b789=%d\x01" % (heartbeat_s, flag, self.next_in)
        self._send(tags.LOGON, body, now)

    def reset_in_session(self, now: int) -> None:
        """Logon with ResetSeqNumFlag on the live session.

        What the peer still says before its own Logon has numbers of the old sequence.
        """
        assert self.state is State.ACTIVE
        self._reset()
        self.reset_pending = True
        self._send(tags.LOGON, b"98=0\x01108=%d\x01141=Y\x01" % self.heartbeat_s, now)
        self._on_message = self._await_reset

    def deadline(self) -> int | None:
        """Nothing, a heartbeat neither, goes out between a reset and its answer.

        Should the Logon be lost, the peer would take the new numbers for old ones that it misses.
        """
        return None if self.awaits_reset else super().deadline()

    def nag(self, now: int) -> None:
        """Ask for everything so often that the peer takes it for a loop and logs out."""
        for _ in range(self.settings.max_resend_repeats + 3):
            self._send(tags.RESEND_REQUEST, b"7=1\x0116=0\x01", now)

    def _await_reset(self, message: Message, now: int) -> None:
        if message.msg_type == tags.LOGON and message.flag(tags.RESET_SEQ_NUM_FLAG):
            self.reset_pending = False
            self._on_message = self._by_state[self.state]
            self._count(message.seq or 0)
        elif message.msg_type == tags.LOGOUT:
            self._receive(message, now)

    def _receive_logon_answer(self, answer: Message, now: int) -> None:
        wanted = next_expected(answer, self.settings)
        self._peer_is_told = wanted is not None
        super()._receive_logon_answer(answer, now)
        self._peer_is_told = False
        if self.state is not State.ACTIVE:
            return
        self.reset_pending = False
        if wanted is not None and wanted < self.next_out:
            self._start_resend(wanted, self.next_out - 1)

    def _came_early(
        self, seq: int, message: Message | None, now: int, is_told: bool = False
    ) -> None:
        super()._came_early(seq, message, now, is_told or self._peer_is_told)
