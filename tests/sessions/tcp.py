"""The echo application behind real sockets on loopback, and clients to talk to it."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import time
from collections.abc import AsyncIterator, Callable, Coroutine
from pathlib import Path
from typing import Any, Final

from fix_engine.logon import SessionSettings
from fix_engine.message import Message
from fix_engine.session import Session
from fix_engine.timestamps import TimestampFormatter
from fix_engine.validation import Validator
from fix_engine.wire import Decoder
from sessions.acceptor import Doors, bind
from sessions.connection import ConnectionLimits
from sessions.echo import EchoApplication
from sessions.journal import Durability, Journal
from sessions.registry import Admission
from sessions.server import Server
from sessions.throttle import RateLimit
from tests.support.messages import as_dict, dictionary, fix

PATIENCE_S: Final = 5.0  # for what should come at once
FAREWELL: Final = "The venue is closing"
SMALL_BUFFER: Final = 16_384  # of the kernel, so that a slow reader shows soon
LARGE_BUFFER: Final = 1 << 18  # so that much is read at once

Run = Callable[[Coroutine[Any, Any, None]], None]  # the fixture `run`


class House:
    """A running server. `log` is what the event loop complained of; it must stay empty."""

    def __init__(self, server: Server[EchoApplication], port: int) -> None:
        self.server = server
        self.port = port
        self.log: list[str] = []
        self.clients: list[Client] = []
        self.run: asyncio.Task[None]

    async def stop(self) -> None:
        """Close in good order; raises what `Server.run` raises."""
        self.server.stop()
        await asyncio.wait_for(self.run, PATIENCE_S)

    async def end(self) -> None:
        """Close what a test has left open."""
        for client in self.clients:
            client.close()
        if not self.run.done():
            await eventually(lambda: all(e.wire is None for e in self.server.registry))
            await self.stop()
        await asyncio.sleep(0.01)  # callbacks of closed transports

    async def client(self, comp_id: str, logon: str = "98=0|108=30|", **options: int) -> Client:
        """A client that has logged on."""
        client = await self.caller(comp_id, **options)
        await client.send("35=A|" + logon)
        assert (await client.receive())[35] == "A"
        return client

    async def caller(self, comp_id: str = "CLIENT", read: int = 0, write: int = 0) -> Client:
        """A client that has connected and says nothing yet; the sizes of its kernel buffers."""
        plug = socket.socket()
        self.clients.append(Client(comp_id, plug))
        for option, size in ((socket.SO_RCVBUF, read), (socket.SO_SNDBUF, write)):
            if size:
                plug.setsockopt(socket.SOL_SOCKET, option, size)
        plug.setblocking(False)
        plug.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        await asyncio.get_running_loop().sock_connect(plug, ("127.0.0.1", self.port))
        return self.clients[-1]

    def session(self, comp_id: str) -> Session:
        """The session machine of this client."""
        found = [e.session for e in self.server.registry if e.comp_id == comp_id.encode()]
        assert len(found) == 1
        return found[0]


class Client:
    """One TCP peer that reads only when it is told to."""

    def __init__(self, comp_id: str, plug: socket.socket) -> None:
        self.comp_id = comp_id
        self.seq = 1
        self._plug = plug
        self._decoder = Decoder()
        self._arrived: list[dict[int, str]] = []

    def message(self, fields: str) -> bytes:
        """`35=D|11=...|` with header fields added, its number taken."""
        now = TimestampFormatter().format(time.time_ns()).decode()
        msg_type, _, body = fields.partition("|")
        head = f"{msg_type}|34={self.seq}|49={self.comp_id}|52={now}|56=SEAMARK|"
        self.seq += 1
        return fix(head + body.replace("<now>", now))

    def order(self, name: str, more: str = "") -> bytes:
        """A valid order."""
        return self.message(f"35=D|11={name}|55=EUR|54=1|60=<now>|38=1|40=1|{more}")

    async def send(self, fields: str) -> None:
        await self.send_raw(self.message(fields))

    async def send_raw(self, data: bytes) -> None:
        async with asyncio.timeout(PATIENCE_S):
            await asyncio.get_running_loop().sock_sendall(self._plug, data)

    async def receive(self) -> dict[int, str]:
        """The next message; fails when the connection ends first."""
        while not self._arrived:
            data = await self._read()
            assert data, "the connection was closed"
            for item in self._decoder.feed(data):
                assert isinstance(item, Message), item
                self._arrived.append(as_dict(item.raw))
        return self._arrived.pop(0)

    async def until(self, msg_type: str) -> dict[int, str]:
        """The next message of this type; others before it are passed over."""
        while (message := await self.receive())[35] != msg_type:
            pass
        return message

    async def fence(self) -> list[dict[int, str]]:
        """What came until the answer to a TestRequest that is sent now."""
        await self.send("35=1|112=fence|")
        came = []
        while (message := await self.receive()).get(112) != "fence":
            came.append(message)
        return came

    async def closed(self) -> bytes:
        """What still comes until the connection is closed."""
        rest = b""
        with contextlib.suppress(ConnectionResetError):
            while data := await self._read():
                rest += data
        self.close()
        return rest

    def send_now(self, data: bytes) -> None:
        """Send without giving the venue a turn."""
        assert self._plug.send(data) == len(data)

    def close(self) -> None:
        """Close without a word."""
        self._plug.close()

    def reset(self) -> None:
        """Close with a TCP reset."""
        linger = b"\x01\x00\x00\x00\x00\x00\x00\x00"
        self._plug.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        self._plug.close()

    async def _read(self) -> bytes:
        async with asyncio.timeout(PATIENCE_S):
            return await asyncio.get_running_loop().sock_recv(self._plug, 1 << 16)


@contextlib.asynccontextmanager
async def house(
    limits: ConnectionLimits | None = None,
    logout_timeout_s: float = 0.3,
    journal: Journal | None = None,
    application: EchoApplication | None = None,
    rate_limit: RateLimit | None = None,
    busy_poll_ns: int = 0,
) -> AsyncIterator[House]:
    """A server on a port of its own, for as long as the block lasts."""
    server = Server(
        journal or Journal(Path(), Durability.MEMORY),
        Validator(dictionary()),
        Admission(
            SessionSettings(
                b"SEAMARK",
                b"",
                logout_timeout_ns=int(logout_timeout_s * 1e9),
                min_heartbeat_s=0,
                max_heartbeat_s=2**31,
            ),
            rate_limit=rate_limit or RateLimit(),
        ),
        limits or ConnectionLimits(),
        lambda journal, turn: application or EchoApplication(dictionary()),
        busy_poll_ns=busy_poll_ns,
    )
    listener = bind("127.0.0.1", 0)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SMALL_BUFFER)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, LARGE_BUFFER)
    with listener:
        await server.start(Doors(listener))
        running = House(server, listener.getsockname()[1])
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(lambda _, context: running.log.append(_complaint(context)))
        running.run = asyncio.create_task(server.run(FAREWELL))
        try:
            yield running
        finally:
            await running.end()
        assert running.log == []


async def eventually(condition: Callable[[], bool]) -> None:
    """Wait until `condition` holds."""
    async with asyncio.timeout(PATIENCE_S):
        while not condition():
            await asyncio.sleep(0.005)


def _complaint(context: dict[str, Any]) -> str:
    return f"{context.get('message')}: {context.get('exception')!r}"
