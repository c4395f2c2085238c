"""Scenarios over TCP: the real server on a loopback port, in a loop whose time stands still.

Loop and venue read one clock, which only `advance` moves; so the timers of connections fire when
a scenario says so, and a scenario of an hour takes no longer than its sockets do. The loop counts
the bytes that pass each connection. So a runner can tell when nothing is under way any more: both
ends have read all that the other has written, and no turn has begun for a while.
"""

from __future__ import annotations

import asyncio
import heapq
import socket
import time
from collections.abc import Callable
from contextvars import Context
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final, TypeVarTuple, cast

from exchange.control_file import ControlFile, Wanted
from exchange.sequencer import Sequencer
from fix_engine.timestamps import SECOND_NS
from fix_engine.validation import Validator
from sessions.acceptor import Doors, bind
from sessions.endpoint import Endpoint
from sessions.journal import Durability, Journal
from sessions.server import Server
from tests.scenarios.player import Link
from tests.scenarios.script import Script
from tests.scenarios.venue import (
    START_NS,
    admission_of,
    application_of,
    limits_of,
    order_of_operator,
)
from tests.support.messages import dictionary

_PATIENCE_S: Final = 10.0  # for what takes milliseconds
_QUIET_ROUNDS: Final = 3  # of the loop: an event, the end of its turn, the turn that follows


Ts = TypeVarTuple("Ts")


class _Clock:
    """Stands still unless it is set; `readings` tells whether a turn began, for each reads it."""

    def __init__(self) -> None:
        self.ns = START_NS
        self.readings = 0

    def now(self) -> int:
        self.readings += 1
        return self.ns


class _Loop(asyncio.SelectorEventLoop):
    """An event loop on that clock, whose servers have a meter on every connection."""

    def __init__(self, clock: _Clock) -> None:
        self._stopped_clock = clock
        self._alarms: list[float] = []
        self.meters: dict[Any, _Meter] = {}  # by the peer's address
        super().__init__()

    def time(self) -> float:
        return (self._stopped_clock.ns - START_NS) / SECOND_NS

    def call_at(
        self,
        when: float,
        callback: Callable[[*Ts], object],
        *args: *Ts,
        context: Context | None = None,
    ) -> asyncio.TimerHandle:
        heapq.heappush(self._alarms, when)
        return super().call_at(when, callback, *args, context=context)

    def next_alarm(self, end: int) -> int | None:
        """The first time, `end` or before, for which something was arranged; once."""
        if not self._alarms or START_NS + round(self._alarms[0] * SECOND_NS) > end:
            return None
        return START_NS + round(heapq.heappop(self._alarms) * SECOND_NS)

    async def create_server(self, *args: Any, **options: Any) -> asyncio.Server:
        factory, *rest = args
        return await super().create_server(lambda: _Meter(factory(), self.meters), *rest, **options)


class _Meter(asyncio.Protocol):
    """Stands between a connection and its transport, and counts."""

    def __init__(self, connection: asyncio.Protocol, meters: dict[Any, _Meter]) -> None:
        self._connection = connection
        self._meters = meters
        self._transport: asyncio.Transport
        self.read = self.written = 0
        self.is_over = False

    def is_closing(self) -> bool:
        return self._transport.is_closing()

    def set_protocol(self, connection: asyncio.Protocol) -> None:
        self._connection = connection

    def pause_writing(self) -> None:
        self._connection.pause_writing()

    def resume_writing(self) -> None:
        self._connection.resume_writing()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._meters[transport.get_extra_info("peername")] = self
        self._connection.connection_made(cast(asyncio.Transport, self))

    def data_received(self, data: bytes) -> None:
        self._connection.data_received(data)
        self.read += len(data)

    def connection_lost(self, exc: Exception | None) -> None:
        self.is_over = True
        self._connection.connection_lost(exc)

    def write(self, data: bytes) -> None:
        self.written += len(data)
        self._transport.write(data)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)


class OverTcp:
    """A Transport; see the module."""

    def __init__(self, script: Script) -> None:
        self._clock = _Clock()
        self._loop = _Loop(self._clock)
        self._runner = asyncio.Runner(loop_factory=lambda: self._loop)
        self._links: list[_Plug] = []
        self._listener = bind("127.0.0.1", 0)
        self._directory = TemporaryDirectory()
        self._control = ControlFile(Path(self._directory.name))
        self._runner.run(self._start(script))

    async def _start(self, script: Script) -> None:
        admission = admission_of(script)
        self._server = Server(
            Journal(Path(), Durability.MEMORY),
            Validator(dictionary()),
            admission,
            limits_of(admission.settings),
            lambda journal, turn: application_of(
                script, journal, turn, self._loop.call_later, self._control
            ),
            self._clock.now,
            # Hours pass in scenarios: who has no timers need not count their tenths of seconds.
            tick_s=0.1 if script.application == "venue" else 86_400.0,
        )
        await self._server.start(Doors(self._listener))
        self._run = asyncio.create_task(self._server.run("The venue is closing"))

    @property
    def now(self) -> int:
        return self._clock.ns

    def connect(self) -> Link:
        self._links.append(_Plug(self, self._listener.getsockname()))
        self.settle()
        return self._links[-1]

    def connect_known(self, comp_id: str) -> Link:
        raise NotImplementedError

    def venue_connects(self, comp_id: str) -> Link:
        raise NotImplementedError

    def venue_sends(self, comp_id: str, msg_type: str, body: bytes) -> None:
        self._in_loop(lambda: self._session_of(comp_id).send(msg_type.encode(), body))

    def venue_logs_out(self, comp_id: str, text: str) -> None:
        def log_out() -> None:
            endpoint = self._session_of(comp_id)
            endpoint.session.logout(text.encode("latin-1"), self._server.turn.open())
            endpoint.settle()

        self._in_loop(log_out)

    def operator(self, text: str) -> None:
        """By the file that an operator's command would write; the venue looks at it at once."""
        order = order_of_operator(text)

        def edit(wanted: Wanted) -> None:
            wanted.markets.update(order.markets)
            wanted.accounts.update(order.accounts)

        self._control.change(edit)
        application = self._server.application
        assert isinstance(application, Sequencer)
        self._in_loop(application.look)

    def advance(self, duration: int) -> None:
        end = self._clock.ns + duration
        while (at := self._loop.next_alarm(end)) is not None:
            self._clock.ns = max(self._clock.ns, at)
            self.settle()
        self._clock.ns = end
        self.settle()

    def close(self) -> None:
        try:
            for link in self._links:
                link.close()
            if not self._run.done():
                self.settle()
                self._server.stop()
                self._runner.run(self._stopped())
        finally:
            self._runner.close()
            self._listener.close()
            self._directory.cleanup()

    def settle(self) -> None:
        """Have everything happen that follows from what has happened."""
        self._runner.run(self._settle())

    async def _settle(self) -> None:
        give_up, quiet = time.monotonic() + _PATIENCE_S, 0
        while quiet < _QUIET_ROUNDS:
            before = self._clock.readings
            await asyncio.sleep(0)
            if self._run.done():
                raise RuntimeError("the server has stopped") from self._run.exception()
            for link in self._links:
                link.read()
            is_quiet = self._clock.readings == before
            is_quiet &= all(link.is_settled(self._loop.meters) for link in self._links)
            quiet = quiet + 1 if is_quiet else 0
            assert time.monotonic() < give_up, "the sockets do not come to rest"

    async def _stopped(self) -> None:
        await self._run

    def _in_loop(self, action: Callable[[], object]) -> None:
        async def act() -> None:
            action()
            await self._settle()

        self._runner.run(act())

    def _session_of(self, comp_id: str) -> Endpoint:
        found = [e for e in self._server.registry if e.comp_id == comp_id.encode()]
        assert found, f"{comp_id} has never logged on"
        return found[0]


class _Plug(Link):
    """The client's end of a TCP connection."""

    def __init__(self, house: OverTcp, address: tuple[str, int]) -> None:
        super().__init__()
        self._house = house
        self._sent = self._received = 0
        self._plug = socket.create_connection(address, _PATIENCE_S)
        self._plug.setblocking(False)
        self._plug.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._name = self._plug.getsockname()
        self._meter: _Meter | None = None

    def send(self, data: bytes) -> None:
        self._sent += len(data)
        self._plug.sendall(data)
        self._house.settle()

    def drop(self) -> None:
        self.close()
        self._house.settle()

    def close(self) -> None:
        """Close, if it is open."""
        self.is_open = False
        self._plug.close()

    def is_settled(self, meters: dict[Any, _Meter]) -> bool:
        """Whether nothing is under way, in either direction."""
        meter = self._meter = self._meter or meters.pop(self._name, None)
        if meter is None:
            return False
        if not self.is_open or meter.is_closing():
            return meter.is_over and not self.is_open
        return (meter.read, meter.written) == (self._sent, self._received)

    def read(self) -> None:
        """Read what has arrived."""
        while self.is_open:
            try:
                data = self._plug.recv(1 << 16)
            except BlockingIOError:
                return
            except ConnectionResetError:
                data = b""
            self._received += len(data)
            if data:
                self.take_in(data)
            else:
                self.close()
