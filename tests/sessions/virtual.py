"""A whole server on virtual time: an event loop that waits for nothing, and wires in memory."""

from __future__ import annotations

import asyncio
import contextlib
import selectors
from collections.abc import AsyncIterator, Coroutine, Iterable
from pathlib import Path
from typing import Any, Final, cast

from fix_engine.logon import SessionSettings
from fix_engine.message import Message
from fix_engine.timestamps import SECOND_NS, TimestampFormatter
from fix_engine.validation import Validator
from fix_engine.wire import Decoder
from sessions.acceptor import Doors
from sessions.connection import ConnectionLimits
from sessions.echo import EchoApplication
from sessions.endpoint import Endpoint
from sessions.journal import Durability, Journal, Record
from sessions.maintenance import MaintenancePlan
from sessions.registry import Admission
from sessions.server import Server
from sessions.timetable import Timetable
from tests.support.messages import as_dict, dictionary, fix

FAREWELL: Final = "The venue is closing"


class _Selector(selectors.SelectSelector):
    """Instead of waiting it moves the time."""

    now = 0.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        found = super().select(0)
        if not found:
            assert timeout is not None, "everybody waits for somebody else"
            self.now += max(timeout, 0.0)
        return found


class _Loop(asyncio.SelectorEventLoop):
    def __init__(self) -> None:
        self._virtual = _Selector()
        super().__init__(self._virtual)

    def time(self) -> float:
        return self._virtual.now


def run(scenario: Coroutine[Any, Any, None]) -> None:
    """Run a scenario; time passes only while everybody waits."""
    with asyncio.Runner(loop_factory=_Loop) as runner:
        runner.run(scenario)


class Transport(asyncio.Transport):
    """A connection whose other end is a list of messages."""

    def __init__(self, server: Server[EchoApplication]) -> None:
        super().__init__()
        self.received: list[dict[int, str]] = []
        self._decoder = Decoder()
        self._loop = asyncio.get_running_loop()
        self._is_closing = False
        entrance = server._acceptor._entrance()
        self._protocol: asyncio.BaseProtocol = entrance
        entrance.connection_made(self)

    def arrive(self, data: bytes) -> None:
        """Something comes from the peer."""
        if not self._is_closing:
            cast(asyncio.Protocol, self._protocol).data_received(data)

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        return ("127.0.0.1", 9) if name == "peername" else default

    def set_protocol(self, protocol: asyncio.BaseProtocol) -> None:
        self._protocol = protocol

    def write(self, data: bytes | bytearray | memoryview) -> None:
        assert not self._is_closing
        for item in self._decoder.feed(bytes(data)):
            assert isinstance(item, Message), item
            self.received.append(as_dict(item.raw))

    def is_closing(self) -> bool:
        return self._is_closing

    def close(self) -> None:
        if not self._is_closing:
            self._is_closing = True
            self._loop.call_soon(self._protocol.connection_lost, None)

    def abort(self) -> None:
        self.close()

    def pause_reading(self) -> None:
        """Nobody reads too slowly here."""

    def resume_reading(self) -> None:
        """Nor does the venue."""

    def get_write_buffer_size(self) -> int:
        return 0


class Caller:
    """One client, with what it has received since it was last asked."""

    def __init__(self, venue: VirtualVenue, comp_id: str, seq: int) -> None:
        self.comp_id = comp_id
        self.seq = seq
        self._venue = venue
        self._transport = Transport(venue.server)

    async def say(self, fields: str, seq: int | None = None) -> list[dict[int, str]]:
        """Send `35=D|...|`, its number taken; what comes back at once."""
        now = TimestampFormatter().format(self._venue.now()).decode()
        msg_type, _, body = fields.partition("|")
        number = self.seq if seq is None else seq
        self.seq += seq is None
        head = f"{msg_type}|34={number}|49={self.comp_id}|52={now}|56=SEAMARK|"
        self._transport.arrive(fix(head + body.replace("<now>", now)))
        return await self.told()

    async def told(self) -> list[dict[int, str]]:
        """What has come since; all that is under way arrives first."""
        for _ in range(10):
            await asyncio.sleep(0)
        received, self._transport.received = self._transport.received, []
        return received

    @property
    def is_connected(self) -> bool:
        return not self._transport.is_closing()

    def leave(self) -> None:
        """Be gone without a word."""
        self._transport.close()


class VirtualVenue:
    """A server that nobody can reach over a network."""

    def __init__(self, now: int, **parts: Any) -> None:
        loop = asyncio.get_running_loop()
        self._ahead = now - round(loop.time() * SECOND_NS)
        self._loop = loop
        self.server = Server(clock=self.now, **parts)

    def now(self) -> int:
        """UTC in nanoseconds: the loop's time, and what it was put forward by."""
        return round(self._loop.time() * SECOND_NS) + self._ahead

    async def until(self, moment: int) -> None:
        """Let time pass, second by second as the venue sees it."""
        while (left := moment - self.now()) > 0:
            await asyncio.sleep(left / SECOND_NS)

    async def leap(self, moment: int) -> None:
        """Put the clock forward to a moment, as after a sleep, and let the venue see it."""
        assert moment >= self.now()
        self._ahead += moment - self.now()
        await asyncio.sleep(1.001)

    def client(self, comp_id: str, seq: int = 1) -> Caller:
        """A client that has connected."""
        return Caller(self, comp_id, seq)

    async def online(self, comp_id: str, seq: int = 1, logon: str = "98=0|108=3600|") -> Caller:
        """A client that has logged on."""
        caller = self.client(comp_id, seq)
        (answer,) = await caller.say("35=A|" + logon)
        assert answer[35] == "A", answer
        return caller

    def endpoint(self, comp_id: str) -> Endpoint:
        """The venue's side of a session."""
        (found,) = [e for e in self.server.registry if e.comp_id == comp_id.encode()]
        return found


@contextlib.asynccontextmanager
async def venue(
    now: int,
    timetable: Timetable,
    directory: Path | None = None,
    gap_filled_types: Iterable[bytes] = (b"B",),
    crashes: bool = False,
) -> AsyncIterator[VirtualVenue]:
    """A server for as long as the block lasts; journal and plan of maintenance in `directory`.

    With `crashes` nobody is logged out at the end, and the journal ends where it does.
    """
    journal = Journal(directory or Path(), Durability.OS if directory else Durability.MEMORY)
    common = SessionSettings(b"SEAMARK", b"", gap_filled_types=frozenset(gap_filled_types))
    running = VirtualVenue(
        now,
        journal=journal,
        validator=Validator(dictionary()),
        admission=Admission(common),
        limits=ConnectionLimits(),
        make_application=lambda journal, turn: EchoApplication(dictionary()),
        timetable=timetable,
        plan=MaintenancePlan(directory) if directory is not None else None,
    )
    await running.server.start(Doors())
    serving = asyncio.create_task(running.server.run(FAREWELL))
    try:
        yield running
        assert not serving.done()
    finally:
        if crashes:
            assert running.server._curfew is not None
            running.server._curfew.stop()
            journal.close()
            serving.cancel()
        else:
            running.server.stop()
        await asyncio.wait([serving])
    if not crashes:
        serving.result()


def journaled(running: VirtualVenue) -> list[Record]:
    """All that is in the journal."""
    return [record for batch in running.server._journal.recover() for record in batch.records]
