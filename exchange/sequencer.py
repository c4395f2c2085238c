"""The one order of events: every input gets its position, is journaled, executed and answered.

Commands are executed when they arrive, inside the turn of the event loop that brought them, and
all that a turn did reaches the journal as one batch at its end, before anybody sees any of it. So
the answers of a session come in the order of its requests, administrative ones included: a
Heartbeat that answers a TestRequest tells that what was asked before it has been dealt with.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import structlog

from exchange.answers import answer
from exchange.commands import (
    Command,
    MoveFunds,
    PassTime,
    SessionDown,
    SetAccount,
    SetCopies,
    SetMarket,
)
from exchange.control_file import STOPPED, ControlFile, Wanted
from exchange.controls import MARKET_STATES, Action, encode_control, parse_amount
from exchange.desk import Desk, Follower, Question, Watcher
from exchange.executor import DIGEST_EVERY, Executor
from exchange.logons import LOGGED_OUT, decode_up, encode_up
from exchange.requests.reasons import UNSUPPORTED_MESSAGE_TYPE
from exchange.rules import Rules, RulesError
from exchange.venue import Venue
from exchange.venue.state import MarketState
from fix_engine import tags
from fix_engine.message import Message, masked
from fix_engine.outbound import return_route
from fix_engine.timestamps import SECOND_NS
from fix_engine.wire import encode
from sessions.application import Peer, business_reject
from sessions.journal import Journal, Kind, Record
from sessions.turn import Turn

log = structlog.get_logger(__name__)

_COMMAND: Final = Kind.COMMAND
_TIME: Final = Kind.TIME
_LOOK_EVERY_NS: Final = SECOND_NS  # at what the operator wants
_ADDING: Final = frozenset(
    (
        *(tags.NEW_ORDER_SINGLE, tags.NEW_ORDER_LIST, tags.ORDER_CANCEL_REPLACE_REQUEST),
        tags.MASS_QUOTE,
    )
)
_NOT_AVAILABLE: Final = 4  # BusinessRejectReason (380): application not available


class Sequencer:
    """The venue as an application of the session layer."""

    def __init__(
        self, rules: Rules, journal: Journal, turn: Turn, control: ControlFile | None = None
    ) -> None:
        """`rules` are those that the venue is to have from its next start on.

        `control` is where the operator says what he wants.
        """
        self.executor = Executor(rules)
        self._wanted = rules
        self._journal = journal
        self._gathered = journal.gathered
        self._turn = turn
        self._peers: dict[int, Peer] = {}
        self._desks: list[Desk] = []
        self._questions: dict[bytes, Question] = {}
        self._followers: list[Follower] = []
        self._watchers: list[Watcher] = []
        self._control = control
        self._look_at = 0  # when to look at it next
        self._digest_at = 0  # the position behind which the next digest is due

    @property
    def venue(self) -> Venue:
        """The venue that requests are executed by."""
        return self.executor.venue

    def open_desk(self, desk: Desk) -> None:
        """Have a desk answer its questions."""
        self._desks.append(desk)
        self._questions.update(desk.questions)

    def follow(self, follower: Follower) -> None:
        """Tell of every input from the next on."""
        self._followers.append(follower)

    def leave(self, follower: Follower) -> None:
        """Tell no more."""
        self._followers.remove(follower)

    def watch(self, watcher: Watcher) -> None:
        """Tell that time passes."""
        self._watchers.append(watcher)

    # --- live ---------------------------------------------------------------------------

    def on_logon(self, peer: Peer, logon: Message) -> None:
        """The session is up; whether a lost connection cancels its orders is kept."""
        self._know(peer)
        profile = peer.profile
        said = encode_up(logon, profile.account, profile.cancel_on_disconnect, profile.copies)
        self._execute(Kind.UP, 0, said, decode_up(peer.number, said), peer)

    def _know(self, peer: Peer) -> None:
        self._peers[peer.number] = peer
        self.executor.comp_ids[peer.number] = peer.comp_id

    def on_message(self, peer: Peer, message: Message) -> None:
        """A request: journal it, execute it, send what comes of it."""
        parse = self.executor.parser.parsers.get(message.msg_type)
        if parse is None:  # nothing for the venue to remember
            if (answer := self._questions.get(message.msg_type)) is not None:
                answer(peer, message)
                return
            self._refuse(peer, message, UNSUPPORTED_MESSAGE_TYPE, b"Unsupported Message Type")
            return
        if self._journal.lack is not None and message.msg_type in _ADDING:
            text = (
                f"No orders for now: the journal has no room ({self._journal.lack}); cancels pass"
            )
            self._refuse(peer, message, _NOT_AVAILABLE, text.encode("ascii", "replace"))
            return
        command = parse(peer.number, message)
        route = return_route(message) if message.shape.return_route else b""
        raw = message.raw
        if message.shape.has_secrets:
            raw = encode(b"".join(b"%b=%b\x01" % pair for pair in masked(message)))
        self._execute(_COMMAND, message.seq or 0, raw, command, peer, route)

    def _refuse(self, peer: Peer, message: Message, reason: int, text: bytes) -> None:
        """Answer what is no input of the venue."""
        named = message.get(tags.CL_ORD_ID) or message.get(tags.QUOTE_ID) or b""
        body = business_reject(message, reason, text, named)
        peer.send(tags.BUSINESS_MESSAGE_REJECT, body, return_route(message))

    def on_logout(self, peer: Peer, is_logout: bool) -> None:
        """The session is down; a command behind every order that was received from it."""
        said = LOGGED_OUT if is_logout else b""
        self._execute(Kind.DOWN, 0, said, SessionDown(peer.number, is_logout), peer)
        for desk in self._desks:
            desk.on_logout(peer)

    def on_time(self, now: int) -> None:
        """Let happen what is due at `now`, if anything is."""
        self._let_happen(now)
        if now >= self._look_at:
            self._look_at = now + _LOOK_EVERY_NS
            self.look()
        for watcher in self._watchers:
            watcher.on_time(now)

    def look(self) -> None:
        """Do at once what the operator wants by now; `on_time` does it once in a while."""
        if self._control is not None:
            self.obey(self._control.current())

    def obey(self, wanted: Wanted) -> None:
        """Journal and carry out what the operator wants and is not so."""
        markets, listing = self.venue.state.markets, self.venue.state.listing
        for symbol, wish in wanted.markets.items():
            instrument = listing.find(symbol.encode())
            state = MARKET_STATES[wish.state]
            # What is delisted stays so.
            if instrument is not None and markets[instrument.instrument_id] not in (
                state,
                MarketState.DELISTED,
            ):
                self._do(SetMarket(symbol.encode(), state, wish.reason.encode()))
        keys = self._account_keys() if wanted.accounts or wanted.transfers else {}
        for name, wish in wanted.accounts.items():
            key = keys.get(name.encode())
            if key is None:  # nobody has come by that name yet
                continue
            account = self.venue.state.accounts.get(key)
            is_killed = account is not None and account.is_killed
            if is_killed != (wish.state == STOPPED):
                self._do(SetAccount(key, wish.state == STOPPED, wish.reason.encode()))
        funds = self.venue.state.funds
        for name, one in wanted.transfers.items():
            transfer_id, key = name.encode(), keys.get(one.account.encode())
            if key is None or transfer_id in funds.transfers:
                continue
            amount, currency = parse_amount(one.amount), one.currency.encode()
            self._do(MoveFunds(transfer_id, key, currency, amount, one.reason.encode()))
            if not funds.transfers[transfer_id]:
                log.warning("withdrawal refused: not so much is free", id=name)

    def _do(self, command: Action) -> None:
        payload = encode_control(command)
        log.info("told by the operator", action=payload.decode())
        self._execute(Kind.CONTROL, 0, payload, command)

    def _let_happen(self, now: int) -> None:
        """What is due comes first, as an input of its own, so its reports are its own."""
        if 0 < self.executor.venue.next_due <= now:
            self._execute(Kind.TIME, 0, b"", PassTime())

    def _account_keys(self) -> dict[bytes, bytes]:
        """What the venue calls accounts, by their names, or by CompIDs where there are none."""
        rules = self.venue.rules
        if rules is not None and rules.accounts:
            return {one.name.encode(): one.name.encode() for one in rules.accounts}
        return {peer.comp_id: b"#%d" % number for number, peer in self._peers.items()}

    def _execute(
        self,
        kind: Kind,
        seq: int,
        payload: bytes,
        command: Command,
        peer: Peer | None = None,
        route: bytes = b"",
    ) -> None:
        """`route`: header fields that bring answers back to where in the client they belong."""
        now, executor = self._turn.now or self._turn.open(), self.executor
        venue = executor.venue
        if 0 < venue.state.timers.next_at <= now and kind is not _TIME:
            self._let_happen(now)
        number, next_in = (peer.number, peer.next_in) if peer is not None else (0, 0)
        gathered = self._gathered
        gathered.add(kind, number, seq, next_in, payload)
        position = gathered.position
        events = venue.apply(position, now, command)
        answer(events, executor.encoder.encoders, self._peers, position, now, number, route)
        for follower in self._followers:
            follower.on_executed(position, now, events)
        if position >= self._digest_at:
            self._journal.add(Kind.DIGEST, 0, 0, 0, executor.digest(position))
            self._digest_at = position + DIGEST_EVERY

    # --- after a restart ----------------------------------------------------------------

    def on_recovered(self, record: Record, stamp: int) -> None:
        """Execute an input of the journal again; what came of it is in the journal too."""
        self.executor.replay(record, stamp)

    def snapshot(self) -> bytes:
        """The venue."""
        return self.executor.snapshot()

    def restore(self, state: bytes) -> None:
        """Go on from where another sequencer was."""
        self.executor.restore(state)

    def on_started(self, peers: Mapping[int, Peer]) -> None:
        """Declare lost sessions down, then take up the rules of the settings.

        Those that were up when the process ended were lost with it. Raises RulesError.
        """
        for peer in peers.values():
            self._know(peer)
        self._digest_at = self._journal.position + DIGEST_EVERY
        self._let_happen(self._turn.open())
        for number in self.venue.sessions_up():
            self._execute(Kind.DOWN, 0, b"", SessionDown(number), self._peers[number])
        if self.venue.rules != self._wanted:
            objection = self.venue.objection(self._wanted)
            if objection is not None:
                raise RulesError(objection)
            now = self._turn.open()
            self._journal.add(Kind.RULES, 0, 0, 0, self._wanted.encode())
            self.executor.set_rules(self._journal.position, now, self._wanted)
        self._settle_copies()
        self.look()

    def _settle_copies(self) -> None:
        """Let a session that is away get copies of what the settings say now, and no others.

        Its next Logon would say so too late: what is stored for it until then is sent then.
        """
        for number, one in list(self.venue.state.sessions.items()):
            copies = tuple(name.encode() for name in self._peers[number].profile.copies)
            if one.copies and one.copies != copies:
                command = SetCopies(number, copies)
                self._execute(Kind.CONTROL, 0, encode_control(command), command)
