"""Plays a script, action by action, to whatever is at the other end of a Transport."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import deque
from dataclasses import dataclass
from typing import Protocol

from tests.scenarios.fields import (
    Fields,
    addressed,
    encode,
    expand,
    from_text,
    raw,
    split,
    stamp,
    to_text,
    value,
)
from tests.scenarios.script import OTHER, Action, Script, Verb, duration_ns
from tests.scenarios.venue import VENUE

_UNSAID = ("8", "9", "10", "49", "52", "56", "122")  # compared only where a script writes them


class DeviationError(AssertionError):
    """The venue did not do what the scenario says; `str` says where, and what it did."""


class Link(ABC):
    """One connection, as its client sees it."""

    def __init__(self) -> None:
        self.arrived: deque[Fields] = deque()
        self.is_open = True
        self._rest = b""

    @abstractmethod
    def send(self, data: bytes) -> None:
        """Send, and let the venue do all that it does about it."""

    @abstractmethod
    def drop(self) -> None:
        """End the connection without a word."""

    def take_in(self, data: bytes) -> None:
        """Bytes have arrived."""
        found, self._rest = split(self._rest + data)
        self.arrived += found


class Transport(Protocol):
    """A venue and the way to it. When a method returns, the venue has nothing more to do."""

    @property
    def now(self) -> int:
        """UTC in nanoseconds, as the venue sees it."""

    def connect(self) -> Link:
        """A connection of which nobody knows yet whose it is."""

    def connect_known(self, comp_id: str) -> Link:
        """A connection that is known to be this client's before it has said anything."""

    def venue_connects(self, comp_id: str) -> Link:
        """The venue connects to this client, and sends its Logon."""

    def venue_sends(self, comp_id: str, msg_type: str, body: bytes) -> None:
        """The venue's application sends to this client, who may be away."""

    def venue_logs_out(self, comp_id: str, text: str) -> None:
        """The venue ends this client's session in good order."""

    def operator(self, text: str) -> None:
        """The operator tells the venue something."""

    def advance(self, duration: int) -> None:
        """So many nanoseconds pass."""

    def close(self) -> None:
        """End the venue."""


@dataclass(slots=True)
class _Numbers:
    """The last MsgSeqNum of each direction; they outlive connections."""

    sent: int = 0
    received: int = 0


class _Client:
    """One of the speakers of a script, with its present connection."""

    def __init__(self, comp_id: str = "CLIENT") -> None:
        self.comp_id = comp_id
        self.link: Link | None = None
        self.has_seen_end = True

    def on(self, link: Link) -> None:
        self.link = link
        self.has_seen_end = False


class Player:
    """See the module."""

    def __init__(self, script: Script, transport: Transport) -> None:
        self._script = script
        self._transport = transport
        self._clients = {"": _Client(), OTHER: _Client()}
        self._clients |= {name: _Client(name) for name in script.clients}
        self._numbers: dict[str, _Numbers] = {}
        self._since = transport.now  # nothing that arrives now was sent before
        self._line = 0

    def play(self) -> None:
        """Play it to the end; raises DeviationError."""
        for action in self._script.actions:
            self._line = action.line
            try:
                self._do(action, self._clients[action.who])
            except Exception as error:
                if not isinstance(error, DeviationError):
                    error.add_note(f"at {self._script.path}:{self._line}")
                raise
        self._nothing_is_left()

    def _do(self, action: Action, client: _Client) -> None:
        match action.verb:
            case Verb.EXPECT:
                return self._expect(client, expand(action.text, self._transport.now))
            case Verb.EXPECT_NOTHING:
                return self._nothing_is_left()
            case Verb.EXPECT_DISCONNECT:
                return self._expect_end(client)
        self._nothing_is_left()
        self._since = self._transport.now
        match action.verb:
            case Verb.CONNECT | Verb.CONNECT_KNOWN | Verb.VENUE_CONNECTS:
                self._connect(client, action)
            case Verb.DISCONNECT:
                client.has_seen_end = True
                self._open_link(client).drop()
            case Verb.SEND:
                self._send(client, expand(action.text, self._transport.now))
            case Verb.SEND_RAW:
                self._open_link(client).send(raw(expand(action.text, self._transport.now)))
            case Verb.ADVANCE:
                self._transport.advance(duration_ns(action.text) or 0)
            case Verb.OPERATOR:
                self._transport.operator(action.text)
            case Verb.VENUE_SENDS:
                msg_type, _, body = expand(action.text, self._transport.now)[3:].partition("|")
                self._transport.venue_sends(client.comp_id, msg_type, raw(body))
            case Verb.VENUE_LOGS_OUT:
                self._transport.venue_logs_out(client.comp_id, action.text)
        return None

    # --- what the client does -----------------------------------------------------------

    def _connect(self, client: _Client, action: Action) -> None:
        if client.link is not None and client.link.is_open:
            raise self._deviation("the connection before this one is still open")
        client.comp_id = action.text.removeprefix("as ") or client.comp_id
        match action.verb:
            case Verb.CONNECT:
                client.on(self._transport.connect())
            case Verb.CONNECT_KNOWN:
                client.on(self._transport.connect_known(client.comp_id))
            case _:
                client.on(self._transport.venue_connects(client.comp_id))

    def _send(self, client: _Client, text: str) -> None:
        numbers = self._numbers_of(client)
        fields = addressed(
            from_text(text),
            t34=str(self._next(numbers.sent, from_text(text))),
            t49=client.comp_id,
            t52=stamp(self._transport.now),
            t56=VENUE,
        )
        if value(fields, "43") != "Y" and value(fields, "34").isdigit():
            numbers.sent = int(value(fields, "34"))
        self._open_link(client).send(encode(fields))

    # --- what it expects ----------------------------------------------------------------

    def _expect(self, client: _Client, text: str) -> None:
        link = client.link
        if link is None or not link.arrived:
            state = "nothing" if link is not None and link.is_open else "nothing, no connection"
            raise self._deviation(f"not as expected\n  expected  {text}\n  received  {state}")
        received = link.arrived.popleft()
        numbers = self._numbers_of(client)
        expected = addressed(
            from_text(text), t34=str(self._next(numbers.received, from_text(text)))
        )
        if value(received, "43") != "Y":
            numbers.received = int(value(received, "34"))
        unsaid = set(_UNSAID) - {tag for tag, _ in expected}
        compared = [field for field in received if field[0] not in unsaid]
        if compared != expected:
            raise self._deviation(
                f"not as expected\n  expected  {to_text(expected)}\n  received  {to_text(compared)}"
            )
        for tag, right in (("49", VENUE), ("56", client.comp_id)):
            if tag in unsaid and value(received, tag) != right:
                raise self._deviation(f"{tag} is not {right} in {to_text(received)}")
        if not stamp(self._since) <= value(received, "52") <= stamp(self._transport.now):
            raise self._deviation(f"52 is not the time of sending in {to_text(received)}")

    def _expect_end(self, client: _Client) -> None:
        self._nothing_is_left(but_the_end_of=client)
        if client.link is None or client.has_seen_end or client.link.is_open:
            raise self._deviation("the connection is not at its end")
        client.has_seen_end = True

    def _nothing_is_left(self, but_the_end_of: _Client | None = None) -> None:
        """Whatever came before this line was expected, the end of a connection included."""
        for client in self._clients.values():
            link = client.link
            if link is not None and link.arrived:
                more = "".join(f"\n  received  {to_text(message)}" for message in link.arrived)
                raise self._deviation("not expected" + more)
            ended = link is not None and not link.is_open and not client.has_seen_end
            if ended and client is not but_the_end_of:
                raise self._deviation("not expected\n  received  disconnect")

    # ------------------------------------------------------------------------------------

    def _numbers_of(self, client: _Client) -> _Numbers:
        return self._numbers.setdefault(client.comp_id, _Numbers())

    @staticmethod
    def _next(last: int, fields: Fields) -> int:
        """The number of the message after `last`; a Logon that resets is number 1."""
        return 1 if value(fields, "141") == "Y" else last + 1

    def _open_link(self, client: _Client) -> Link:
        if client.link is None or not client.link.is_open:
            raise self._deviation("there is no connection")
        return client.link

    def _deviation(self, what: str) -> DeviationError:
        return DeviationError(f"{self._script.path}:{self._line}: {what}")
