"""The door over real sockets, with the client of somebody else."""

from __future__ import annotations

import asyncio
import contextlib
import json
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from typing import Any

import aiohttp
import pytest

from exchange.screens.gateway import Gateway, Venue
from exchange.screens.hub import Hub
from exchange.screens.protocol import TOO_MANY_MESSAGES, TOO_SLOW, Offer
from exchange.screens.server import Limits, ScreenServer
from exchange.screens.views import Wanted
from sessions.throttle import RateLimit
from tests.exchange.screens.client import Screen, expected, market, put

PATIENCE_S = 10.0
SYMBOL = "BTC/USD"
SUBSCRIBE: dict[str, Any] = {"op": "subscribe", "id": 1, "channel": "book", "symbols": [SYMBOL]}
VIEW = Wanted("book", SYMBOL, 100, 20, 1)


class Door:
    """A server, its market, and clients of it."""

    def __init__(self, limits: Limits) -> None:
        self.market, self.view = market(SYMBOL)
        self.hub = Hub([self.market], limits.max_subscriptions, int(limits.slow_client_s * 1_000))
        self.gateway = Gateway(Venue("127.0.0.1", 1, "SEAMARK", "SCREENS"), self.hub)
        offer = Offer((SYMBOL,), (20, 1, 1_000), (1, 10), (100, 500, 1))
        self.server = ScreenServer(self.hub, self.gateway, offer, limits, "SEAMARK")
        self.session = aiohttp.ClientSession()
        self.address = ""
        self.port = 0

    async def open(self) -> None:
        _, self.port = await self.server.start("127.0.0.1", 0)
        self.address = f"http://127.0.0.1:{self.port}"
        self.set_live()

    def set_live(self) -> None:
        self.hub.set_live([SYMBOL], True, "", 0)

    def change(self, ticks: int, lots: int) -> None:
        put(self.market, self.view, True, ticks, lots, 1)
        self.hub.changed(SYMBOL)

    async def connect(self, **options: Any) -> aiohttp.ClientWebSocketResponse:
        plug: aiohttp.ClientWebSocketResponse = await self.session.ws_connect(
            f"{self.address}/ws", **options
        )
        return plug

    async def close(self) -> None:
        await self.session.close()
        await self.server.close()


@contextlib.asynccontextmanager
async def opened(**limits: Any) -> AsyncIterator[Door]:
    door = Door(Limits(**limits))
    await door.open()
    try:
        yield door
    finally:
        await door.close()


def run(test: Coroutine[Any, Any, None]) -> None:
    async def bounded() -> None:
        async with asyncio.timeout(3 * PATIENCE_S):
            await test

    asyncio.run(bounded())


async def until(socket: aiohttp.ClientWebSocketResponse, screen: Screen, kind: str) -> Any:
    """Read until a message of a type has come."""
    while True:
        message = screen.take(await socket.receive_str(timeout=PATIENCE_S))
        if message["type"] == kind:
            return message


async def true_of(question: Callable[[], bool]) -> None:
    for _ in range(int(PATIENCE_S * 100)):
        if question():
            return
        await asyncio.sleep(0.01)
    raise AssertionError("it does not come true")


async def code_of(socket: aiohttp.ClientWebSocketResponse) -> tuple[int | None, str]:
    """Read to the end; with which code and reason we were closed."""
    while True:
        message = await socket.receive(timeout=PATIENCE_S)
        if message.type is aiohttp.WSMsgType.CLOSE:
            return message.data, str(message.extra)
        if message.type in (aiohttp.WSMsgType.CLOSED, aiohttp.WSMsgType.CLOSING):
            return socket.close_code, ""


def test_several_clients_see_the_same_compressed_or_not() -> None:
    async def test() -> None:
        async with opened() as door:
            pairs = []
            for compress in (0, 15, 15):
                plug = await door.connect(compress=compress)
                assert plug.compress == compress
                screen = Screen()
                hello = await until(plug, screen, "hello")
                assert hello["schema"] == 1
                assert hello["symbols"][0]["tick"] == "0.5"
                assert (hello["state"], hello["stale"]) == ("live", [])
                await plug.send_json(SUBSCRIBE | {"interval_ms": 100})
                await until(plug, screen, "snapshot")
                pairs.append((plug, screen))
            for step in range(5):
                door.change(100 + step, 10 + step)
                for plug, screen in pairs:
                    await until(plug, screen, "update")
            for _, screen in pairs:
                assert screen.books[SYMBOL] == expected(door.market, VIEW)
            assert len(door.hub.channels) == 1
            assert door.hub.updates == 5

    run(test())


def test_nonsense_is_answered_and_the_connection_stays() -> None:
    async def test() -> None:
        async with opened() as door:
            plug, screen = await door.connect(), Screen()
            for text in ("{", "[]", '{"op":"order"}', json.dumps(SUBSCRIBE | {"depth": 3})):
                await plug.send_str(text)
            codes = [(await until(plug, screen, "error"))["code"] for _ in range(4)]
            assert codes == ["not-json", "not-json", "unknown-op", "bad-depth"]
            await plug.send_json({"op": "ping", "id": "x"})
            assert (await until(plug, screen, "pong"))["id"] == "x"
            await plug.ping(b"still there")

    run(test())


@pytest.mark.parametrize("kind", ["text", "ping"])
def test_too_many_messages_end_the_connection(kind: str) -> None:
    async def test() -> None:
        async with opened(messages=RateLimit(1, 10)) as door:
            plug = await door.connect()
            with contextlib.suppress(ConnectionError):
                for _ in range(50):
                    await (plug.send_str('{"op":"ping"}') if kind == "text" else plug.ping())
            assert await code_of(plug) == (TOO_MANY_MESSAGES, "too many messages")
            await true_of(lambda: not door.hub.readers)

    run(test())


def test_a_message_that_is_too_long_or_not_text_ends_the_connection() -> None:
    async def test() -> None:
        async with opened(max_message_bytes=256) as door:
            for compress in (0, 15):
                plug = await door.connect(compress=compress)
                await plug.send_str(" " * 100_000)
                assert (await code_of(plug))[0] == 1009
            plug = await door.connect()
            await plug.send_bytes(b"x")
            assert await code_of(plug) == (1003, "messages are text")
            await true_of(lambda: not door.hub.readers)

    run(test())


def test_clients_are_limited_by_address_and_in_all() -> None:
    async def test() -> None:
        proxied = {"max_clients": 3, "max_clients_by_address": 2, "behind_proxy": True}
        async with opened(**proxied) as door:

            async def come(address: str) -> aiohttp.ClientWebSocketResponse:
                # What stands before the last one is what the client itself has said.
                return await door.connect(headers={"X-Forwarded-For": f"192.0.2.99, {address}"})

            async def refused(address: str) -> int:
                with pytest.raises(aiohttp.WSServerHandshakeError) as error:
                    await come(address)
                return error.value.status

            there = [await come("192.0.2.1"), await come("192.0.2.1")]
            assert await refused("192.0.2.1") == 429
            there.append(await come("192.0.2.2"))
            assert await refused("192.0.2.3") == 503
            await there[0].close()
            await true_of(lambda: len(door.hub.readers) == 2)
            there[0] = await come("192.0.2.1")

    run(test())


def test_pages_of_others_may_not_connect_unless_they_are_named() -> None:
    async def test() -> None:
        async with opened(origins=("https://good.example",)) as door:

            async def status(origin: str) -> int:
                try:
                    await door.connect(headers={"Origin": origin})
                except aiohttp.WSServerHandshakeError as error:
                    return error.status
                return 101

            assert await status(door.address) == 101
            assert await status("https://good.example") == 101
            assert await status("https://evil.example") == 403
            assert await status("https://good.example.evil.example") == 403
            assert await status("null") == 403

    run(test())


async def _shout(door: Door, is_enough: Callable[[], bool]) -> None:
    """Change so much so often that nobody's buffers hold it."""
    number = 0
    while not is_enough():
        number += 1
        for ticks in range(100, 500):
            door.change(ticks, number * 977 + ticks * 7_919 % 1_009)
        await asyncio.sleep(0.02)


async def _silent_client(door: Door) -> asyncio.StreamWriter:
    """Subscribes, and reads nothing any more."""
    plug = socket.socket()
    plug.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
    plug.setblocking(False)
    await asyncio.get_running_loop().sock_connect(plug, ("127.0.0.1", door.port))
    reader, writer = await asyncio.open_connection(sock=plug, limit=1_024)
    writer.write(
        b"GET /ws HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
    )
    await reader.readuntil(b"\r\n\r\n")
    text = json.dumps(SUBSCRIBE | {"depth": 1_000, "interval_ms": 1}).encode()
    assert len(text) < 126
    writer.write(bytes([0x81, 0x80 + len(text)]) + bytes(4) + text)
    transport = writer.transport
    assert isinstance(transport, asyncio.ReadTransport)
    transport.pause_reading()
    return writer


def test_a_slow_reader_costs_little_and_is_closed_while_others_read_on() -> None:
    async def test() -> None:
        async with opened(slow_client_s=2.0) as door:
            writer = await _silent_client(door)
            await true_of(lambda: len(door.hub.channels) == 1)
            (slow,) = door.hub.readers
            plug, screen = await door.connect(), Screen()
            await plug.send_json(SUBSCRIBE | {"interval_ms": 100})

            async def read() -> None:
                async for message in plug:
                    screen.take(message.data)

            reading = asyncio.create_task(read())
            most = 0

            def is_closed() -> bool:
                nonlocal most
                most = max(most, slow.waiting_characters)
                return slow not in door.hub.readers

            await _shout(door, is_closed)
            assert most < 300_000
            assert slow.conflated
            await true_of(lambda: screen.books.get(SYMBOL) == expected(door.market, VIEW))
            assert not plug.closed
            async with door.session.get(f"{door.address}/health") as response:
                found = await response.json()
            assert found["closed"] == {"too slow: messages are not read": 1}
            assert found["clients"] == 1
            reading.cancel()
            writer.close()
            assert TOO_SLOW == 4000

    run(test())


def test_health_says_how_we_are_and_where_it_hurts() -> None:
    async def test() -> None:
        async with opened() as door:

            async def health() -> tuple[int, dict[str, Any]]:
                async with door.session.get(f"{door.address}/health") as response:
                    return response.status, await response.json()

            status, found = await health()
            assert (status, found["state"], found["symbols"][SYMBOL]["state"]) == (
                (200, "live", "live")
            )
            door.hub.set_live([SYMBOL], False, "the venue is away", 1)
            status, found = await health()
            assert (status, found["state"], found["reason"]) == (503, "stale", "the venue is away")
            assert found["venue"]["is_connected"] is False

    run(test())


def test_the_page_asks_nobody_else_for_anything() -> None:
    async def test() -> None:
        async with opened() as door:
            for path, kind in (
                ("/", "html"),
                ("/screens.js", "javascript"),
                ("/screens.css", "css"),
            ):
                async with door.session.get(door.address + path) as response:
                    assert response.status == 200
                    assert kind in response.headers["Content-Type"]
                    assert "default-src 'none'" in response.headers["Content-Security-Policy"]
                    assert "aiohttp" not in response.headers["Server"]
                    text = await response.text()
                assert "http://" not in text
                assert "https://" not in text
            for path in ("/../config/exchange.toml", "/screens.py", "/page/index.html"):
                async with door.session.get(door.address + path) as response:
                    assert response.status == 404
            async with door.session.get(f"{door.address}/ws") as response:
                assert response.status == 426

    run(test())


def test_who_connects_and_says_nothing_is_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("exchange.screens.server._STRANGER_S", 0.2)

    async def test() -> None:
        async with opened() as door:
            reader, writer = await asyncio.open_connection("127.0.0.1", door.port)
            writer.write(b"GET / HTTP/1.1\r\nHost:")
            plug, screen = await door.connect(), Screen()
            await until(plug, screen, "hello")
            assert await asyncio.wait_for(reader.read(), PATIENCE_S) == b""
            writer.close()
            await asyncio.sleep(0.3)
            await plug.send_json({"op": "ping"})
            await until(plug, screen, "pong")

    run(test())


def test_closing_says_so() -> None:
    async def test() -> None:
        async with opened() as door:
            plug = await door.connect()
            closing: Awaitable[None] = asyncio.ensure_future(door.server.close())
            assert await code_of(plug) == (1001, "the screens are closing")
            await closing

    run(test())
