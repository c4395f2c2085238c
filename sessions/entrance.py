"""A connection on which nobody has logged on yet: limits, TLS, the first message, its credentials.

Whoever is let in leaves for a `Connection` of its own; all others are strangers, who get little
time, few bytes, and no answer.
"""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final, Protocol, cast

import structlog

from fix_engine import tags
from fix_engine.message import Message
from fix_engine.wire import Decoder, Garbled, Shapes
from sessions.authority import Authority, Caller
from sessions.connection import Connection, ConnectionLimits
from sessions.credentials import Outcome
from sessions.endpoint import Endpoint
from sessions.registry import Registry
from sessions.timers import Timers
from sessions.timetable import Timetable, farewell
from sessions.tls import ServerTls
from sessions.transport import address_of, certificate_names, tune
from sessions.turn import Turn

log = structlog.get_logger(__name__)

_LINGER_S: Final = 0.1  # from our close to the end, should the peer not close, too
_TICK_S: Final = 0.001  # uvloop's clock may be behind so much: nobody is refused sooner than said
_MAX_HELD_BYTES: Final = 1 << 20  # that a transport may still deliver after it was asked to pause


@dataclass(slots=True)
class FrontDesk:
    """What an entrance needs of the house; without an authority the registry alone decides."""

    registry: Registry
    turn: Turn
    timers: Timers
    limits: ConnectionLimits
    authority: Authority | None = None
    timetable: Timetable | None = None
    #: One for all connections: what is worked out for a shape is worked out once, and thousands of
    #: sessions weigh, and miss caches, as one.
    shapes: Shapes = field(default_factory=dict)


class Doorkeeper(Protocol):
    """Who keeps count of connections."""

    def opened(self, entrance: Entrance) -> str | None:
        """Somebody has connected; a reason to refuse the connection, or None."""

    def entered(self, entrance: Entrance, connection: Connection) -> None:
        """Somebody has logged on, or tries to as a session that is known."""

    def closed(self, connection: Entrance | Connection) -> None:
        """The connection has ended."""


class Entrance(asyncio.Protocol):
    """See the module."""

    def __init__(self, desk: FrontDesk, doorkeeper: Doorkeeper) -> None:
        self._desk = desk
        self._limits = desk.limits
        self._doorkeeper = doorkeeper
        limits = desk.limits
        self._decoder = Decoder(limits.max_logon_bytes, limits.max_fields, desk.shapes)
        self._transport: asyncio.Transport | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._handshake: asyncio.Task[None] | None = None
        self._held = b""
        self._is_judged = self._is_paused = False
        self._is_over = False
        self.host = self.address = "?"

    def shake_hands(self, plug: socket.socket, peer: object, tls: ServerTls) -> None:
        """Begin TLS on a socket that has just been accepted, unless there is no room for it."""
        if self._knock(*address_of(peer)):
            handshake = self._shake_hands(plug, tls)
            self._handshake = asyncio.get_running_loop().create_task(handshake)
        else:
            plug.close()
            self._end()

    # --- asyncio.Protocol ---------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Wait for a Logon, for so long; with TLS the time runs already."""
        self._transport = cast(asyncio.Transport, transport)  # uvloop's is no subclass of it
        if self._is_over:  # the venue has ended between accepting and this call
            self._transport.abort()
            return
        tune(transport, self._limits.keepalive_s)
        if self._handshake is None:
            name = transport.get_extra_info("peername")
            if not self._knock(*address_of(name)):
                self.abort()

    def data_received(self, data: bytes) -> None:
        """Look for the first message; what comes behind it has to wait."""
        if self._is_over:
            return
        if self._is_judged:
            self._held += data
            if len(self._held) > _MAX_HELD_BYTES:
                self._refuse("too much behind a Logon that is not accepted yet")
            elif len(self._held) > self._limits.max_message_bytes and not self._is_paused:
                self._is_paused = True
                self._wire.pause_reading()
            return
        try:
            for item in self._decoder.feed(data, at_most=1):
                if isinstance(item, Garbled):
                    self._refuse(item.reason)
                else:
                    self._meet(item)
        except Exception as error:
            self._desk.turn.fail(error)

    def connection_lost(self, exc: Exception | None) -> None:
        """Nobody has to be told but who keeps count, and the operator of what was wrong."""
        if isinstance(exc, ssl.SSLError):
            log.warning("TLS failed", address=self.address, reason=exc.reason or str(exc))
        self._end()

    # --- for the acceptor ---------------------------------------------------------------

    def close(self, reason: str) -> None:
        """Close without a word."""
        if self._is_over:
            return
        self._is_over = True
        log.debug("closing", address=self.address, reason=reason)
        if self._transport is not None:
            self._transport.close()
            self._start_timer(_LINGER_S, self._transport.abort)
        elif self._handshake is not None:
            self._handshake.cancel()

    def abort(self) -> None:
        """Close at once."""
        self._is_over = True
        if self._transport is not None:
            self._transport.abort()
        elif self._handshake is not None:
            self._handshake.cancel()

    # ------------------------------------------------------------------------------------

    def _knock(self, host: str, address: str) -> bool:
        """Have the connection counted; whether there is room for it."""
        self.host, self.address = host, address
        refusal = self._doorkeeper.opened(self)
        if refusal is not None:
            log.warning("refused", address=address, reason=refusal)
            return False
        self._start_timer(self._limits.logon_timeout_s, self._no_logon)
        return True

    async def _shake_hands(self, plug: socket.socket, tls: ServerTls) -> None:
        loop = asyncio.get_running_loop()
        try:
            await loop.connect_accepted_socket(
                lambda: self,
                plug,
                ssl=tls.context(),
                ssl_handshake_timeout=self._limits.logon_timeout_s,
                ssl_shutdown_timeout=self._limits.closing_timeout_s,
            )
        except (OSError, TimeoutError) as error:  # ssl.SSLError is an OSError, too
            reason = getattr(error, "reason", None) or str(error) or type(error).__name__
            log.warning("TLS handshake failed", address=self.address, reason=reason)
        finally:
            if self._transport is None:
                plug.close()
                self._end()

    def _meet(self, message: Message) -> None:
        fault = self._desk.registry.misaddressed(message)
        if fault is not None:
            self._refuse(fault)
        elif self._desk.authority is None:
            self._enter(message, Outcome())
        else:
            self._wait_for_judgement()
            caller = Caller(self.host, certificate_names(self._wire), lambda: self._is_over)
            loop = asyncio.get_running_loop()
            asked_at = loop.time()

            def answer(outcome: Outcome) -> None:
                self._judged(message, outcome, asked_at)

            self._desk.authority.judge(message, caller, answer)

    def _wait_for_judgement(self) -> None:
        """Reading goes on, a little: so we notice when the caller leaves."""
        self._is_judged = True
        self._stop_timer()

    def _judged(self, logon: Message, outcome: Outcome, asked_at: float) -> None:
        """The authority has spoken; a refusal waits for its time, so that it says nothing."""
        if self._is_over:
            return
        if outcome.fault is not None:
            assert self._desk.authority is not None
            log.warning("refused", address=self.address, **_who(logon), reason=outcome.fault)
            every = self._desk.authority.refusal_delay_s
            elapsed = asyncio.get_running_loop().time() - asked_at
            delay_s = every - elapsed % every + _TICK_S
            self._start_timer(delay_s, lambda: self.close("refused"))
            return
        if self._is_paused:
            self._wire.resume_reading()
        try:
            self._enter(logon, outcome)
        except Exception as error:
            self._desk.turn.fail(error)

    def _enter(self, logon: Message, outcome: Outcome) -> None:
        """Take up the session, or refuse the caller, who is known by now."""
        endpoint = self._desk.registry.claim(logon, outcome)
        if isinstance(endpoint, str):
            if self._desk.authority is not None:
                self._desk.authority.regret(logon, Caller(self.host))
            self._refuse(endpoint)
            return
        if self._desk.timetable is not None:
            _keep_hours(self._desk.timetable, endpoint, outcome, self._desk.turn.open())
        transport, held, self._held = self._wire, self._held, b""
        self._is_over = True
        self._stop_timer()
        connection = Connection(
            transport,
            endpoint,
            self._decoder,
            self._desk.turn,
            self._desk.timers,
            self._limits,
            self._doorkeeper.closed,
        )
        self._doorkeeper.entered(self, connection)
        transport.set_protocol(connection)
        connection.begin(logon, outcome)
        connection.data_received(held)

    @property
    def _wire(self) -> asyncio.Transport:
        assert self._transport is not None
        return self._transport

    def _no_logon(self) -> None:
        self._refuse(f"no Logon within {self._limits.logon_timeout_s:g} s")

    def _refuse(self, reason: str) -> None:
        if not self._is_over:
            log.warning("refused", address=self.address, reason=reason)
            self.close(reason)

    def _start_timer(self, delay_s: float, callback: Callable[[], None]) -> None:
        self._stop_timer()
        self._timer = asyncio.get_running_loop().call_later(delay_s, callback)

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _end(self) -> None:
        self._is_over = True
        self._stop_timer()
        self._doorkeeper.closed(self)


def _keep_hours(timetable: Timetable, endpoint: Endpoint, outcome: Outcome, now: int) -> None:
    """Outside opening hours a known caller is told when to come again."""
    closed = timetable.closed(now)
    if closed is not None:
        outcome.complaint = outcome.complaint or farewell(closed).encode("ascii")
    elif timetable.is_stale(endpoint.begun_at, now):
        endpoint.begin_anew()


def _who(logon: Message) -> dict[str, Any]:
    sender = logon.get(tags.SENDER_COMP_ID) or b""
    return {"peer": sender[:64].decode("latin-1")}
