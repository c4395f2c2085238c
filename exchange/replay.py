"""Plays the requests of a recording against a venue, and compares what it answers.

Requests go out in recorded order, over all sessions, each on a connection of its own session, which
logs on and off where the recorded one did. At any speed a request waits for the answers that were
recorded before it, in all sessions: so it finds the venue in the state in which it found it then.
Answers that do not come in time are waited for no more, and are missing in the end unless they have
come by then. The time to wait halves each time, so that a silent venue does not take for ever.

A session begins with both sequences at 1 and keeps its numbers from then on, so reports that were
made while it was away come at its next Logon, and those at the end are fetched by one more.
"""

from __future__ import annotations

import secrets
import selectors
import string
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from exchange.compare import Comparison, Difference
from exchange.initiator import Initiator, InitiatorError, Pair
from exchange.recording import Event, EventKind, Recording
from fix_engine import tags
from fix_engine.dictionary import Dictionary
from fix_engine.message import Message
from fix_engine.timestamps import SECOND_NS, Precision, TimestampFormatter, TimestampParser

_SHORTEST_WAIT_S: Final = 0.05
_LOGOUT_S: Final = 2.0
_BEAT_S: Final = 1.0
_SUFFIX_LETTERS: Final = string.ascii_lowercase + string.digits

_TRANSACT_TIME: Final = b"60"
_NAMES: Final = (tags.CL_ORD_ID, tags.ORIG_CL_ORD_ID, tags.LIST_ID)
_MOVED_TIMES: Final = frozenset((b"62", b"126", b"168"))  # ValidUntil, Expire, EffectiveTime
_DROPPED: Final = frozenset((tags.POSS_DUP_FLAG, tags.ORIG_SENDING_TIME, b"369"))
_TIME_LENGTHS: Final = (17, 21, 24, 27)  # to the second, milli-, micro- and nanosecond


class ReplayError(Exception):
    """It cannot be played, or not to its end; says why in one line."""


@dataclass(slots=True)
class Target:
    """Whom to play to, and as whom; CompIDs that are not given are the recorded ones.

    `logon_fields` go into the Logons of a session, those of session b"" into every one.
    `timeout_s`: for a Logon, and for the answers to a request.
    """

    host: str
    port: int
    target_comp_id: bytes = b""
    names: dict[bytes, bytes] = field(default_factory=dict)  # recorded CompID -> CompID to use
    logon_fields: list[tuple[bytes, Pair]] = field(default_factory=list)
    timeout_s: float = 5.0


@dataclass(slots=True)
class Outcome:
    """What came of a replay; `answers` were recorded, `received` came now."""

    requests: int
    answers: int
    received: int
    equal: int
    differences: list[Difference]
    seconds: float


def replay(
    recording: Recording,
    target: Target,
    dictionary: Dictionary,
    speed: float | None = None,
    keep_ids: bool = False,
    ignored: frozenset[bytes] = frozenset(),
    progress: Callable[[int], None] = lambda done: None,
) -> Outcome:
    """Play a recording, `speed` times as fast as it was, or None: as fast as answers come.

    ClOrdIDs get a suffix of this replay unless `keep_ids`; tags that are `ignored` are not
    compared. Raises ReplayError and RecordingError.
    """
    suffix = "" if keep_ids else "-" + "".join(secrets.choice(_SUFFIX_LETTERS) for _ in range(5))
    comparison = Comparison(dictionary, suffix.encode(), ignored)
    player = Player(recording, target, comparison, suffix.encode(), speed)
    started = time.monotonic()
    try:
        requests = player.play(progress)
    except InitiatorError as error:
        raise ReplayError(str(error)) from error
    finally:
        player.close()
    seconds = time.monotonic() - started
    differences = comparison.differences()
    return Outcome(
        requests, recording.answers, comparison.received, comparison.equal, differences, seconds
    )


class Player:
    """The sessions of a replay, and the clock by which they play; see the module."""

    def __init__(
        self,
        recording: Recording,
        target: Target,
        comparison: Comparison,
        suffix: bytes,
        speed: float | None,
    ) -> None:
        self._recording = recording
        self._target = target
        self._comparison = comparison
        self._suffix = suffix
        self._speed = speed
        self._patience_s = target.timeout_s
        self._selector = selectors.DefaultSelector()
        self._links: dict[bytes, Initiator] = {}
        self._away: set[bytes] = set()  # logged out as recorded
        self._logons: dict[bytes, tuple[Pair, ...]] = {}  # the last recorded one, by session
        self._blocked: set[Initiator] = set()  # with more to write than the socket took
        self._next_beat = 0.0
        self._is_closing = False
        self._origin: tuple[float, int] | None = None  # our clock and the recording's, at the start
        self._parse_time = TimestampParser().parse
        self._format_time = TimestampFormatter(Precision.NANOSECONDS).format

    def play(self, progress: Callable[[int], None]) -> int:
        """Play to the end; how many requests were sent. Raises ReplayError, InitiatorError."""
        done = 0
        for event in self._recording.events():
            message = event.message
            if event.kind is EventKind.ANSWER and message is not None:
                self._comparison.expect(event.session, message)
                continue
            self._settle()
            self._await_time(event.time_ns)
            if event.kind is EventKind.REQUEST and message is not None:
                self._request(event, message)
                done += 1
                progress(done)
            elif event.kind is EventKind.UP:
                self._logons[event.session] = event.logon
                self._log_on(event.session)
            else:
                self._log_off(event.session)
        self._collect()
        return done

    def close(self) -> None:
        """Close every connection, whatever its state."""
        for link in self._links.values():
            self._forget(link)
            link.close("")
        self._selector.close()

    # --- events -------------------------------------------------------------------------

    def _request(self, event: Event, message: Message) -> None:
        link = self._links.get(event.session)
        if link is None or event.session in self._away:
            self._log_on(event.session)
            link = self._links[event.session]
        self._check(link)
        self._comparison.requested(event.session, message, link.next_out)
        link.send_as(self._renewed(message))
        if link.has_unsent:
            self._blocked.add(link)

    def _renewed(self, message: Message) -> list[Pair]:
        """The fields of a request with everything fresh that must be."""
        now = time.time_ns()
        sent = self._parse_time(message.get(tags.SENDING_TIME) or b"") or now
        pairs: list[Pair] = []
        for tag, value in message.pairs():
            if tag in _DROPPED:
                continue
            if tag == _TRANSACT_TIME:
                value = self._stamp(now, value)
            elif tag in _MOVED_TIMES:
                value = self._stamp(now - sent + (self._parse_time(value) or 0), value)
            elif tag in _NAMES and value:
                value += self._suffix
            elif tag == tags.ORDER_ID:
                value = self._comparison.order_id(value)
            pairs.append((tag, value))
        return pairs

    def _stamp(self, moment: int, like: bytes) -> bytes:
        """A timestamp as precise as another; what is none stays as it is."""
        if self._parse_time(like) is None or len(like) not in _TIME_LENGTHS:
            return like
        return self._format_time(moment)[: len(like)]

    def _log_on(self, session: bytes) -> None:
        target, recorded = self._target, self._recording.sessions[session]
        link = self._links.get(session)
        is_first = link is None
        if link is None:
            comp_id = target.names.get(session, session)
            target_comp_id = target.target_comp_id or self._target_comp_id(session)
            link = Initiator(
                comp_id,
                target_comp_id,
                recorded.begin_string,
                lambda message: self._deliver(session, message),
            )
            self._links[session] = link
        elif link.socket is not None:  # the recorded connection was lost
            self._log_off(session)
        self._away.discard(session)
        plug = link.connect(target.host, target.port, target.timeout_s)
        self._selector.register(plug, selectors.EVENT_READ, link)
        fields = dict(self._logons.get(session, ()))
        for name, (tag, value) in target.logon_fields:
            if name in (b"", session):
                fields[tag] = value
        link.logon(fields.items(), reset=is_first)
        if not self._pump_until(lambda: link.is_up or bool(link.ended), target.timeout_s):
            raise ReplayError(
                f"no answer to the Logon of {link.name} in {target.timeout_s:g} s from "
                f"{target.host}:{target.port}"
            )
        if not link.is_up:
            why = link.ended.removeprefix("refused: ")
            raise ReplayError(f"the Logon of {link.name} was refused: {why}")

    def _target_comp_id(self, session: bytes) -> bytes:
        """The venue's CompID, that of another session when this one said nothing."""
        sessions = self._recording.sessions
        found = [sessions[session], *sessions.values()]
        return next((one.target_comp_id for one in found if one.target_comp_id), b"")

    def _log_off(self, session: bytes) -> None:
        link = self._links.get(session)
        if link is None:
            return
        self._away.add(session)
        if link.socket is not None:
            link.logout()
            self._pump_until(lambda: link.socket is None, _LOGOUT_S)
            self._forget(link)
            link.close("logged out")

    def _deliver(self, session: bytes, message: Message) -> None:
        if not self._is_closing and message.msg_type != tags.NEWS:
            self._comparison.receive(session, message)

    # --- the end ------------------------------------------------------------------------

    def _collect(self) -> None:
        """Wait for everything that is still due, and for what nobody expects."""
        self._patience_s = self._target.timeout_s
        self._settle()
        for session in self._comparison.short_sessions():
            if session in self._away:
                self._log_on(session)
        self._settle()
        links = [link for link in self._links.values() if link.is_up]
        for link in links:
            link.test(b"end of replay")
        self._pump_until(
            lambda: all(link.last_mark or link.ended for link in links), self._target.timeout_s
        )
        self._is_closing = True  # cancel-on-disconnect, which was not recorded
        for link in links:
            if link.is_up:
                link.logout()
        self._pump_until(lambda: all(link.socket is None for link in links), _LOGOUT_S)

    # --- waiting ------------------------------------------------------------------------

    def _settle(self) -> None:
        """Wait for the answers that are due, as long as there is patience."""
        if not self._pump_until(lambda: not self._due(), self._patience_s):
            for session in self._due():
                self._comparison.give_up(session)
            self._patience_s = max(self._patience_s / 2, _SHORTEST_WAIT_S)

    def _due(self) -> list[bytes]:
        """The sessions that are logged on and short of answers; raises ReplayError."""
        due = [
            session
            for session in self._comparison.short_sessions()
            if session in self._links and session not in self._away
        ]
        for session in due:
            self._check(self._links[session])
        return due

    def _check(self, link: Initiator) -> None:
        if link.socket is None:
            raise ReplayError(f"{link.name} can play no further: {link.ended}")

    def _await_time(self, time_ns: int) -> None:
        """Wait for the moment at which something was recorded, at the speed that is wanted."""
        if self._speed is None:
            return
        if self._origin is None:
            self._origin = time.monotonic(), time_ns
        start, first = self._origin
        due = start + (time_ns - first) / SECOND_NS / self._speed
        self._pump_until(lambda: False, due - time.monotonic())

    def _pump_until(self, is_done: Callable[[], bool], timeout_s: float) -> bool:
        """Let the connections work until something is so, or the time is up; which of the two."""
        deadline = time.monotonic() + timeout_s
        while not is_done():
            now = time.monotonic()
            if now >= deadline:
                return False
            if now >= self._next_beat:
                self._next_beat = now + _BEAT_S
                for link in self._links.values():
                    link.beat()
            for link in self._blocked:
                if link.socket is not None:
                    both = selectors.EVENT_READ | selectors.EVENT_WRITE
                    self._selector.modify(link.socket, both, link)
            for key, _ in self._selector.select(min(deadline - now, _BEAT_S)):
                self._work(key)
        return True

    def _work(self, key: selectors.SelectorKey) -> None:
        link: Initiator = key.data
        plug = link.socket
        link.write()
        link.read()
        if link.socket is None:
            self._selector.unregister(key.fileobj)
            self._blocked.discard(link)
        elif link in self._blocked and not link.has_unsent and plug is not None:
            self._blocked.discard(link)
            self._selector.modify(plug, selectors.EVENT_READ, link)

    def _forget(self, link: Initiator) -> None:
        """Watch a connection no more."""
        self._blocked.discard(link)
        if link.socket is not None:
            self._selector.unregister(link.socket)
