"""The one order of events: every input gets its position, is journaled, executed and answered.

Commands are executed when they arrive, inside the turn of the event loop that brought them, and
all that a turn did reaches the journal as one batch at its end, before anybody sees any of it. So
the answers of a session come in the order of its requests, administrative ones included: a
Heartbeat that answers a TestRequest tells that what was asked before it has been dealt with.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from exchange.commands import Command, SessionDown
from exchange.executor import DIGEST_EVERY, Executor, session_up
from exchange.requests import UNSUPPORTED_MESSAGE_TYPE
from exchange.rules import Rules, RulesError
from exchange.venue import Venue
from fix_engine import tags
from fix_engine.message import Message, masked
from fix_engine.outbound import return_route
from fix_engine.wire import encode
from sessions.application import Peer, business_reject
from sessions.journal import Journal, Kind, Record
from sessions.turn import Turn

_ADDING: Final = frozenset((tags.NEW_ORDER_SINGLE, tags.ORDER_CANCEL_REPLACE_REQUEST))
_NOT_AVAILABLE: Final = 4  # BusinessRejectReason (380): application not available
_WISHES: Final = {True: b"Y", False: b"N", None: b""}  # None: as the venue's rules say


class Sequencer:
    """The venue as an application of the session layer."""

    def __init__(self, rules: Rules, journal: Journal, turn: Turn) -> None:
        """`rules` are those that the venue is to have from its next start on."""
        self._executor = Executor(rules)
        self._wanted = rules
        self._journal = journal
        self._turn = turn
        self._peers: dict[int, Peer] = {}
        self._digest_at = 0  # the position behind which the next digest is due

    @property
    def venue(self) -> Venue:
        """The venue that requests are executed by."""
        return self._executor.venue

    # --- live ---------------------------------------------------------------------------

    def on_logon(self, peer: Peer, logon: Message) -> None:
        """The session is up; whether a lost connection cancels its orders is kept."""
        self._peers[peer.number] = peer
        wish = logon.get(tags.CANCEL_ON_DISCONNECT) or _WISHES[peer.profile.cancel_on_disconnect]
        self._execute(Kind.UP, 0, wish, session_up(peer.number, wish), peer)

    def on_message(self, peer: Peer, message: Message) -> None:
        """A request: journal it, execute it, send what comes of it."""
        if not self._executor.parser.knows(message.msg_type):  # nothing for the venue to remember
            self._refuse(peer, message, UNSUPPORTED_MESSAGE_TYPE, b"Unsupported Message Type")
            return
        if self._journal.lack is not None and message.msg_type in _ADDING:
            text = (
                f"No orders for now: the journal has no room ({self._journal.lack}); cancels pass"
            )
            self._refuse(peer, message, _NOT_AVAILABLE, text.encode("ascii", "replace"))
            return
        command = self._executor.parser.parse(peer.number, message)
        route = return_route(message) if message.shape.return_route else b""
        raw = message.raw
        if message.shape.has_secrets:
            raw = encode(b"".join(b"%b=%b\x01" % pair for pair in masked(message)))
        self._execute(Kind.COMMAND, message.seq or 0, raw, command, peer, route)

    def _refuse(self, peer: Peer, message: Message, reason: int, text: bytes) -> None:
        """Answer what is no input of the venue."""
        body = business_reject(message, reason, text, message.get(tags.CL_ORD_ID) or b"")
        peer.send(tags.BUSINESS_MESSAGE_REJECT, body, return_route(message))

    def on_logout(self, peer: Peer, reason: str) -> None:
        """The session is down; a command behind every order that was received from it."""
        self._execute(Kind.DOWN, 0, b"", SessionDown(peer.number), peer)

    def _execute(
        self,
        kind: Kind,
        seq: int,
        payload: bytes,
        command: Command,
        peer: Peer,
        route: bytes = b"",
    ) -> None:
        """`route`: header fields that bring answers back to where in the client they belong."""
        now = self._turn.open()
        self._journal.add(kind, peer.number, seq, peer.next_in, payload)
        position = self._journal.position
        executor = self._executor
        peers, encode = self._peers, executor.encoder.encode
        for event in executor.venue.apply(position, command):
            msg_type, body = encode(event, position, now)
            header = route if event.session == peer.number else b""
            peers[event.session].send(msg_type, body, header)
        if position >= self._digest_at:
            self._journal.add(Kind.DIGEST, 0, 0, 0, executor.digest(position))
            self._digest_at = position + DIGEST_EVERY

    # --- after a restart ----------------------------------------------------------------

    def on_recovered(self, record: Record, stamp: int) -> None:
        """Execute an input of the journal again; what came of it is in the journal too."""
        self._executor.replay(record)

    def snapshot(self) -> bytes:
        """The venue."""
        return self._executor.snapshot()

    def restore(self, state: bytes) -> None:
        """Go on from where another sequencer was."""
        self._executor.restore(state)

    def on_started(self, peers: Mapping[int, Peer]) -> None:
        """Take up the rules of the settings, and declare lost sessions down.

        Those that were up when the process ended were lost with it. Raises RulesError.
        """
        self._peers.update(peers)
        self._digest_at = self._journal.position + DIGEST_EVERY
        if self.venue.rules != self._wanted:
            objection = self.venue.objection(self._wanted)
            if objection is not None:
                raise RulesError(objection)
            self._turn.open()
            self._journal.add(Kind.RULES, 0, 0, 0, self._wanted.encode())
            self._executor.set_rules(self._journal.position, self._wanted)
        for number in self.venue.sessions_up():
            self._execute(Kind.DOWN, 0, b"", SessionDown(number), self._peers[number])
