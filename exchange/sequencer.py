"""The one order of events: every input gets its position, is journaled, executed and answered.

Commands are executed when they arrive, inside the turn of the event loop that brought them, and
all that a turn did reaches the journal as one batch at its end, before anybody sees any of it. So
the answers of a session come in the order of its requests, administrative ones included: a
Heartbeat that answers a TestRequest tells that what was asked before it has been dealt with.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from exchange.commands import Command, SessionDown, SessionUp, SetRules
from exchange.reports import ReportEncoder
from exchange.requests import UNSUPPORTED_MESSAGE_TYPE, RequestParser
from exchange.rules import Rules, RulesError, decode_rules
from exchange.snapshot import dump_venue, load_venue
from exchange.venue import Venue
from fix_engine import tags
from fix_engine.message import Message, masked
from fix_engine.outbound import return_route
from fix_engine.timestamps import Precision
from fix_engine.wire import Decoder, Garbled, encode
from sessions.application import Peer, business_reject
from sessions.journal import Journal, JournalError, Kind, Record
from sessions.turn import Turn

_ADDING: Final = frozenset((tags.NEW_ORDER_SINGLE, tags.ORDER_CANCEL_REPLACE_REQUEST))
_NOT_AVAILABLE: Final = 4  # BusinessRejectReason (380): application not available
_WISHES: Final = {True: b"Y", False: b"N", None: b""}  # None: as the venue's rules say


class Sequencer:
    """The venue as an application of the session layer."""

    def __init__(self, rules: Rules, journal: Journal, turn: Turn) -> None:
        """`rules` are those that the venue is to have from its next start on."""
        self.venue = Venue()
        self._wanted = rules
        self._take_up(rules)
        self._journal = journal
        self._turn = turn
        self._peers: dict[int, Peer] = {}
        self._decoder = Decoder(max_message_bytes=1 << 30)  # of what was once accepted

    # --- live ---------------------------------------------------------------------------

    def on_logon(self, peer: Peer, logon: Message) -> None:
        """The session is up; whether a lost connection cancels its orders is kept."""
        self._peers[peer.number] = peer
        wish = logon.get(tags.CANCEL_ON_DISCONNECT) or _WISHES[peer.profile.cancel_on_disconnect]
        self._execute(Kind.UP, 0, wish, _session_up(peer.number, wish), peer)

    def on_message(self, peer: Peer, message: Message) -> None:
        """A request: journal it, execute it, send what comes of it."""
        if not self._parser.knows(message.msg_type):  # nothing that the venue would remember
            self._refuse(peer, message, UNSUPPORTED_MESSAGE_TYPE, b"Unsupported Message Type")
            return
        if self._journal.lack is not None and message.msg_type in _ADDING:
            text = (
                f"No orders for now: the journal has no room ({self._journal.lack}); cancels pass"
            )
            self._refuse(peer, message, _NOT_AVAILABLE, text.encode("ascii", "replace"))
            return
        command = self._parser.parse(peer.number, message)
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
        peers, encode = self._peers, self._encoder.encode
        for event in self.venue.apply(position, command):
            msg_type, body = encode(event, position, now)
            header = route if event.session == peer.number else b""
            peers[event.session].send(msg_type, body, header)

    # --- after a restart ----------------------------------------------------------------

    def on_recovered(self, peer: Peer | None, record: Record, stamp: int) -> None:
        """Execute an input of the journal again; what came of it is in the journal too."""
        if record.kind is Kind.RULES:
            self._set_rules(record.position, decode_rules(record.payload))
            return
        if self.venue.rules is None:  # a journal of version 1, which has no rules in it
            self._set_rules(0, self._wanted)
        assert peer is not None
        self._peers[peer.number] = peer
        self.venue.apply(record.position, self._command(peer.number, record))

    def snapshot(self) -> bytes:
        """The venue."""
        return dump_venue(self.venue)

    def restore(self, state: bytes, peers: Mapping[int, Peer]) -> None:
        """Go on from where another sequencer was."""
        load_venue(state, self.venue)
        self._peers.update(peers)
        assert self.venue.rules is not None
        self._take_up(self.venue.rules)

    def on_started(self) -> None:
        """Take up the rules of the settings, and declare lost sessions down.

        Those that were up when the process ended were lost with it. Raises RulesError.
        """
        if self.venue.rules != self._wanted:
            objection = self.venue.objection(self._wanted)
            if objection is not None:
                raise RulesError(objection)
            self._turn.open()
            self._journal.add(Kind.RULES, 0, 0, 0, self._wanted.encode())
            self._set_rules(self._journal.position, self._wanted)
        for number in self.venue.sessions_up():
            self._execute(Kind.DOWN, 0, b"", SessionDown(number), self._peers[number])

    def _set_rules(self, position: int, rules: Rules) -> None:
        self.venue.apply(position, SetRules(rules))
        self._take_up(rules)

    def _take_up(self, rules: Rules) -> None:
        self._parser = RequestParser(self.venue.listing.tradable)
        self._encoder = ReportEncoder(Precision(rules.time_precision))

    def _command(self, session: int, record: Record) -> Command:
        if record.kind is Kind.UP:
            return _session_up(session, record.payload)
        if record.kind is Kind.DOWN:
            return SessionDown(session)
        found = self._decoder.feed(record.payload)
        if len(found) != 1 or isinstance(found[0], Garbled):
            raise JournalError(f"record at position {record.position} holds no message: {found}")
        return self._parser.parse(session, found[0])


def _session_up(session: int, wish: bytes) -> SessionUp:
    return SessionUp(session, {b"Y": True, b"N": False}.get(wish))
