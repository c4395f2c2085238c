"""A session's connection: bytes to messages to its session, and back; timers; back-pressure."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import structlog

from fix_engine.message import Message
from fix_engine.states import State
from fix_engine.timestamps import SECOND_NS
from fix_engine.wire import MAX_FIELDS, MAX_MESSAGE_BYTES, Decoder, Garbled
from sessions.credentials import Outcome
from sessions.endpoint import Endpoint
from sessions.profile import Networks
from sessions.timers import Timers
from sessions.transport import address_of, writer
from sessions.turn import Turn

log = structlog.get_logger(__name__)

_AT_ONCE: Final = 64  # messages of one peer in one turn; then the others have theirs
_BYTES_AT_ONCE: Final = 16_384  # likewise, for few large ones cost as much as many small ones


@dataclass(slots=True)
class ConnectionLimits:
    """What a peer may cost us."""

    max_message_bytes: int = MAX_MESSAGE_BYTES
    max_fields: int = MAX_FIELDS
    max_garbled: int = 100  # garbled messages of a connection; a sane engine sends none
    max_logon_bytes: int = 4_096  # a Logon is short; who is not known yet gets no more
    logon_timeout_s: float = 10.0  # from connecting to a Logon
    max_connections: int = 10_000  # file descriptors are not without end
    max_strangers: int = 1_000  # connections on which nobody has logged on
    max_strangers_by_address: int = 100
    keepalive_s: int = 30  # of silence, then the kernel probes; 0: never
    closing_timeout_s: float = 2.0  # for a peer to read our last words
    max_unread_bytes: int = 64 << 20  # of ours that a slow reader may leave; then it is logged out
    networks: Networks = ()  # that may connect at all; none: any


class Connection(asyncio.Protocol):
    """The asyncio face of one session's connection; all that it knows of FIX is in its endpoint."""

    def __init__(
        self,
        transport: asyncio.Transport,
        endpoint: Endpoint,
        decoder: Decoder,
        turn: Turn,
        timers: Timers,
        limits: ConnectionLimits,
        on_closed: Callable[[Connection], None],
    ) -> None:
        """Takes over from an entrance, with what its decoder has not looked at yet."""
        self._transport = transport
        self._write = writer(transport)
        self._endpoint: Endpoint | None = endpoint
        self._decoder = decoder
        self._turn = turn
        self._timers = timers
        self._limits = limits
        self._on_closed = on_closed
        self._out: list[bytes] = []
        self._sealed: deque[tuple[bytes, bool]] = deque()  # turns that have not settled yet
        self._is_paused = False  # the peer does not read
        self._is_behind = False  # what has arrived is not all dealt with
        self._is_reading = True
        self._served_in = self._portion = self._portion_bytes = 0  # of the present turn
        self._is_closing = False
        self._is_too_slow = False
        self._garbled = 0
        self._on_writable: list[Callable[[], None]] = []
        self._timer_at = self._timer = 0  # the deadline, and what it is cancelled by; 0: none
        self._ending: asyncio.TimerHandle | None = None
        self._decoder.max_message_bytes = limits.max_message_bytes
        _, self.address = address_of(transport.get_extra_info("peername"))

    def begin(self, logon: Message, outcome: Outcome) -> None:
        """Have the session judge the Logon, whose sender has proved who it is."""
        now = self._turn.open()
        endpoint = self._endpoint
        assert endpoint is not None
        endpoint.wire = self
        endpoint.session.connected(now)
        if outcome.complaint:
            endpoint.session.refuse(outcome.complaint, now)
            endpoint.settle()
        else:
            endpoint.receive(logon, now)
        if endpoint.session.state is State.ACTIVE:
            endpoint.remember(outcome, is_online=True)

    # --- asyncio.Protocol ---------------------------------------------------------------

    def data_received(self, data: bytes) -> None:
        """Decode, and let the session and its application act on each message in turn."""
        if self._is_behind:
            self._decoder.hold(data)
        else:
            self._take(data)

    def _take(self, data: bytes) -> None:
        """Some messages; should there be more, reading pauses and others have their turn first."""
        endpoint = self._endpoint
        if self._is_closing or endpoint is None:
            return
        now = self._turn.open()
        taken = 0
        try:
            if now != self._served_in:
                self._served_in, self._portion, self._portion_bytes = now, _AT_ONCE, _BYTES_AT_ONCE
            found = self._decoder.feed(data, self._portion, self._portion_bytes)
            taken = len(found)
            self._portion -= taken
            self._portion_bytes -= len(data)
            for item in found:
                if isinstance(item, Garbled):
                    self._pass_over(item, endpoint)
                else:
                    endpoint.receive(item, now)
                if self._is_closing:
                    return
        except Exception as error:
            self._turn.fail(error)
            return
        if self._decoder.has_more or self._portion <= 0 or self._portion_bytes <= 0:
            self._is_behind = True
            self._choose_reading()
            self._turn.after(self._catch_up)
        if self._turn.took(taken, len(data)):
            self._timers.keep_up()

    def _catch_up(self) -> None:
        if self._is_behind and not self._is_paused and not self._is_closing:
            self._is_behind = False
            self._take(b"")
            self._choose_reading()

    def _choose_reading(self) -> None:
        """Read while the peer reads, and while we keep up with it."""
        wanted = not (self._is_paused or self._is_behind)
        if wanted is not self._is_reading and not self._is_closing:
            self._is_reading = wanted
            if wanted:
                self._transport.resume_reading()
            else:
                self._transport.pause_reading()

    def connection_lost(self, exc: Exception | None) -> None:
        """Tell the session, unless it was the one to end it."""
        self._stop_timer()
        if self._ending is not None:
            self._ending.cancel()
        self._is_closing = True
        self._on_writable.clear()
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
        self._choose_reading()

    def resume_writing(self) -> None:
        """The peer has read most of it."""
        self._is_paused = False
        if self._is_closing:
            return
        self._choose_reading()
        callbacks, self._on_writable = self._on_writable, []
        try:
            for callback in callbacks:
                self.when_writable(callback)  # one of them may have closed the connection
            self._catch_up()
        except Exception as error:
            self._turn.fail(error)

    # --- for the endpoint ---------------------------------------------------------------

    def write(self, raw: bytes) -> None:
        """Write at the end of the turn."""
        if not self._out:
            self._turn.will_flush(self)
        self._out.append(raw)

    @property
    def is_writable(self) -> bool:
        """Whether the peer reads, as far as one can see."""
        return not (self._is_paused or self._is_closing)

    def when_writable(self, callback: Callable[[], None]) -> None:
        """Call back now, or when a slow reader has caught up."""
        if self._is_paused:
            self._on_writable.append(callback)
        elif not self._is_closing:
            callback()

    def close(self, reason: str) -> None:
        """Write what is waiting at the end of the turn, then close."""
        if not self._is_closing:
            self._is_closing = True
            log.debug("closing", address=self.address, reason=reason)
            self._turn.open()
            self._turn.will_flush(self)

    def abort(self) -> None:
        """Close at once, writing nothing more."""
        self._is_closing = True
        self._transport.abort()

    # --- for the turn -------------------------------------------------------------------

    def seal(self) -> None:
        """What was written in this turn goes out when its batch has settled."""
        out, self._out = self._out, []
        self._sealed.append((b"".join(out), self._is_closing))

    def flush(self, now: int) -> None:
        """The batch has settled: write, and see to the timer.

        What cannot be written any more is not lost: the peer will ask for it.
        """
        out, is_last = self._sealed.popleft()
        transport = self._transport
        if transport.is_closing():
            return
        if out:
            self._write(out)
        if is_last:
            self._finish(transport)
            return
        if self._is_paused and not self._is_too_slow:
            unread = transport.get_write_buffer_size()
            if unread > self._limits.max_unread_bytes:
                self._is_too_slow = True
                log.warning("slow reader cut off", address=self.address, unread_bytes=unread)
                self._turn.after(self._cut_off)
        self._set_timer(now)

    def _finish(self, transport: asyncio.Transport) -> None:
        """Close once the peer has read what is written, but do not wait for ever."""
        transport.close()
        wait_s = self._limits.closing_timeout_s
        if self._endpoint is not None:
            wait_s = self._endpoint.session.settings.logout_timeout_ns / SECOND_NS
        self._stop_timer()
        self._ending = asyncio.get_running_loop().call_later(wait_s, transport.abort)

    def _cut_off(self) -> None:
        """Log a slow reader out; it reads why behind the rest, now or when it asks for it."""
        if self._endpoint is not None and not self._is_closing:
            limit = self._limits.max_unread_bytes
            text = b"More than %d bytes are unread: read faster, or subscribe to less" % limit
            self._endpoint.session.logout(text, self._turn.open())
            self._endpoint.settle()

    # ------------------------------------------------------------------------------------

    def _pass_over(self, item: Garbled, endpoint: Endpoint) -> None:
        """FIX 4.4 Volume 2: a garbled message is ignored; a peer that sends many is not sane."""
        self._garbled += 1
        if self._garbled == 1:
            log.info("garbled message ignored", address=self.address, reason=item.reason)
        is_much = item.fatal or self._garbled > self._limits.max_garbled
        if is_much and endpoint.session.state is State.ACTIVE:
            reason = item.reason if item.fatal else f"{self._garbled} garbled messages"
            log.warning("unreadable stream", address=self.address, reason=reason)
            endpoint.session.logout(reason.encode("latin-1"), self._turn.open())
            endpoint.settle()

    def _set_timer(self, now: int) -> None:
        """Have `timeout` called at the session's deadline; a later deadline keeps the timer."""
        due = self._endpoint.session.deadline() if self._endpoint is not None else None
        if due is None or 0 < self._timer_at <= due:
            return
        self._stop_timer()
        self._timer_at, self._timer = due, self._timers.set(self, due, now)

    def _stop_timer(self) -> None:
        if self._timer_at:
            self._timers.cancel(self, self._timer)
            self._timer_at = 0

    def timeout(self) -> None:
        """The deadline has passed, unless it was put off since."""
        self._timer_at = 0
        if self._endpoint is not None and not self._is_closing:
            now = self._turn.open()
            try:
                self._endpoint.session.timeout(now)
                self._endpoint.settle()
            except Exception as error:
                self._turn.fail(error)
            if not self._is_closing:
                self._set_timer(now)
            self._turn.took(1, 0)
