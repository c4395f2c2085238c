"""One TCP peer: bytes to messages to its session, and back; timers; back-pressure."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, cast

import structlog

from fix_engine.message import Message
from fix_engine.timestamps import SECOND_NS
from fix_engine.wire import MAX_FIELDS, MAX_MESSAGE_BYTES, Decoder, Garbled
from sessions.endpoint import Endpoint
from sessions.registry import Registry
from sessions.turn import Turn

log = structlog.get_logger(__name__)

_LONGEST_TIMER_S: Final = 3600.0  # a peer may ask for any HeartBtInt; the loop should not see it


@dataclass(slots=True)
class ConnectionLimits:
    """What a peer may cost us."""

    max_message_bytes: int = MAX_MESSAGE_BYTES
    max_fields: int = MAX_FIELDS
    max_logon_bytes: int = 4_096  # a Logon is short; who is not known yet gets no more
    logon_timeout_s: float = 10.0  # from connecting to a Logon
    max_connections: int = 10_000  # file descriptors are not without end
    max_strangers: int = 1_000  # connections on which nobody has logged on
    max_strangers_by_address: int = 100
    closing_timeout_s: float = 2.0  # for a peer to read our last words
    max_unread_bytes: int = 64 << 20  # of ours that a slow reader may leave; then it is cut off


class Connection(asyncio.Protocol):
    """The asyncio face of one connection; everything it knows of FIX is in its endpoint."""

    def __init__(
        self,
        registry: Registry,
        turn: Turn,
        limits: ConnectionLimits,
        on_opened: Callable[[Connection], str | None],
        on_known: Callable[[Connection], None],
        on_closed: Callable[[Connection], None],
    ) -> None:
        """`on_opened` may say why the connection cannot be had; `on_known`: a session is taken."""
        self._registry = registry
        self._turn = turn
        self._limits = limits
        self._on_opened = on_opened
        self._on_known = on_known
        self._on_closed = on_closed
        self._decoder = Decoder(limits.max_logon_bytes, limits.max_fields)
        self._endpoint: Endpoint | None = None
        self._transport: asyncio.Transport | None = None
        self._out: list[bytes] = []
        self._is_paused = False
        self._is_closing = False
        self._on_writable: Callable[[], None] | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._timer_at = 0
        self.host = self.address = "?"

    # --- asyncio.Protocol ---------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Wait for a Logon, for so long."""
        self._transport = cast(asyncio.Transport, transport)  # uvloop's is no subclass of it
        if self._is_closing:  # the venue has ended between accepting and this call
            self._transport.abort()
            return
        self.host, self.address = _address(transport.get_extra_info("peername"))
        refusal = self._on_opened(self)
        if refusal is not None:
            log.warning("refused", address=self.address, reason=refusal)
            self.abort()
            return
        loop = asyncio.get_running_loop()
        self._timer = loop.call_later(self._limits.logon_timeout_s, self._no_logon)

    def data_received(self, data: bytes) -> None:
        """Decode, and let the session and its application act on each message in turn."""
        if self._is_closing:
            return
        now = self._turn.open()
        found = self._decoder.feed(data)
        try:
            for item in found:
                if isinstance(item, Garbled):
                    self._garbled(item)
                else:
                    endpoint = self._endpoint or self._attach(item, now)
                    if endpoint is not None:
                        endpoint.receive(item, now)
                if self._is_closing:
                    return
        except Exception as error:
            self._turn.fail(error)

    def connection_lost(self, exc: Exception | None) -> None:
        """Tell the session, unless it was the one to end it."""
        if self._timer is not None:
            self._timer.cancel()
        self._is_closing = True
        self._on_writable = None
        endpoint, self._endpoint = self._endpoint, None
        if endpoint is not None and endpoint.wire is self:
            endpoint.wire = None
            self._turn.open()
            try:
                reason = f"connection lost: {exc}" if exc else "connection lost"
                endpoint.session.disconnected(reason)
                endpoint.settle()
            except Exception as error:
                self._turn.fail(error)
        self._on_closed(self)

    def pause_writing(self) -> None:
        """The peer does not read: do not take more requests from it either."""
        self._is_paused = True
        if self._transport is not None and not self._is_closing:
            self._transport.pause_reading()

    def resume_writing(self) -> None:
        """The peer has read most of it."""
        self._is_paused = False
        if self._transport is None or self._is_closing:
            return
        self._transport.resume_reading()
        callback, self._on_writable = self._on_writable, None
        if callback is not None:
            try:
                callback()
            except Exception as error:
                self._turn.fail(error)

    # --- for the endpoint ---------------------------------------------------------------

    def write(self, raw: bytes) -> None:
        """Write at the end of the turn."""
        self._out.append(raw)
        self._turn.will_flush(self)

    def when_writable(self, callback: Callable[[], None]) -> None:
        """Call back now, or when a slow reader has caught up."""
        if self._is_paused:
            self._on_writable = callback
        elif not self._is_closing:
            callback()

    def close(self, reason: str) -> None:
        """Write what is waiting at the end of the turn, then close."""
        if not self._is_closing:
            self._is_closing = True
            log.debug("closing", address=self.address, reason=reason)
            self._turn.open()
            self._turn.will_flush(self)

    def close_if_nobody(self, reason: str) -> None:
        """Close a connection on which nobody has logged on; the others are the sessions' affair."""
        if self._endpoint is None:
            self.close(reason)

    def abort(self) -> None:
        """Close at once, writing nothing more."""
        self._is_closing = True
        self._out.clear()
        if self._transport is not None:
            self._transport.abort()

    # --- for the turn -------------------------------------------------------------------

    def flush(self, now: int) -> None:
        """The batch is durable: write, and see to the timer.

        What cannot be written any more is not lost: the peer will ask for it.
        """
        out, self._out = self._out, []
        transport = self._transport
        if transport is None or transport.is_closing():
            return
        if out:
            transport.write(b"".join(out))
        unread = transport.get_write_buffer_size() if self._is_paused else 0
        if self._is_closing:
            self._finish(transport)
        elif unread > self._limits.max_unread_bytes:
            log.warning("slow reader cut off", address=self.address, unread_bytes=unread)
            transport.abort()
        else:
            self._set_timer(now)

    def _finish(self, transport: asyncio.Transport) -> None:
        """Close once the peer has read what is written, but do not wait for ever."""
        transport.close()
        wait_s = self._limits.closing_timeout_s
        if self._endpoint is not None:
            wait_s = self._endpoint.session.settings.logout_timeout_ns / SECOND_NS
        if self._timer is not None:
            self._timer.cancel()
        self._timer = asyncio.get_running_loop().call_later(wait_s, transport.abort)

    # ------------------------------------------------------------------------------------

    def _attach(self, first: Message, now: int) -> Endpoint | None:
        """Take up the session that the first message is for, or refuse the caller."""
        endpoint = self._registry.claim(first)
        if isinstance(endpoint, str):
            self._refuse(endpoint)
            return None
        self._endpoint = endpoint
        self._decoder.max_message_bytes = self._limits.max_message_bytes
        self._on_known(self)
        endpoint.wire = self
        endpoint.session.connected(now)
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        return endpoint

    def _garbled(self, item: Garbled) -> None:
        """FIX 4.4 Volume 2: a garbled message is ignored; before the Logon it ends the matter."""
        if self._endpoint is None:
            self._refuse(item.reason)
        elif item.fatal:
            log.warning("unreadable stream", address=self.address, reason=item.reason)
            self._endpoint.session.logout(item.reason.encode("latin-1"), self._turn.open())
            self._endpoint.settle()
        else:
            log.info("garbled message ignored", address=self.address, reason=item.reason)

    def _no_logon(self) -> None:
        self._refuse(f"no Logon within {self._limits.logon_timeout_s:g} s")

    def _refuse(self, reason: str) -> None:
        log.warning("refused", address=self.address, reason=reason)
        self.close(reason)

    def _set_timer(self, now: int) -> None:
        """Have `_timeout` called at the session's deadline; a later deadline keeps the timer."""
        due = self._endpoint.session.deadline() if self._endpoint is not None else None
        if due is None or (self._timer is not None and self._timer_at <= due):
            return
        if self._timer is not None:
            self._timer.cancel()
        delay = (due - now) / SECOND_NS
        self._timer_at = due
        self._timer = asyncio.get_running_loop().call_later(
            min(max(delay, 0.001), _LONGEST_TIMER_S), self._timeout
        )

    def _timeout(self) -> None:
        self._timer = None
        if self._endpoint is not None and not self._is_closing:
            now = self._turn.open()
            try:
                self._endpoint.session.timeout(now)
                self._endpoint.settle()
            except Exception as error:
                self._turn.fail(error)
            if not self._is_closing:
                self._set_timer(now)


def _address(peername: Any) -> tuple[str, str]:
    """The peer's host, and what to call it in a log."""
    if isinstance(peername, tuple) and len(peername) >= 2:
        return str(peername[0]), f"{peername[0]}:{peername[1]}"
    return str(peername or "?"), str(peername or "?")
