"""WebSocket, the page and its parts, and how we are, over HTTP.

Whoever connects is a stranger: what it says is bounded in size, number and time, what it does not
read is not kept, and it can change nothing but what it is shown.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from importlib.resources import files
from socket import SO_SNDBUF, SOL_SOCKET
from typing import Final
from urllib.parse import urlsplit

import structlog
from aiohttp import WSCloseCode, WSMsgType, web

from exchange.screens import protocol
from exchange.screens.gateway import Gateway
from exchange.screens.hub import Hub, Reader
from exchange.screens.protocol import Fault, Offer, Subscribe, Unsubscribe
from exchange.screens.views import Members
from sessions.throttle import RateLimit, Throttle

TICK_S: Final = 0.025
_STRANGER_S: Final = 10.0  # from connecting to the end of a request's head
_PING_S: Final = 20.0
_SEND_BUFFER_BYTES: Final = 32 * 1024  # of a client, in the kernel: what is in it gets old
_WRITE_BUFFER_BYTES: Final = 16 * 1024  # likewise, in the process
_CLOSE_S: Final = 2.0

_PAGE: Final = {
    "/": ("index.html", "text/html"),
    "/screens.css": ("screens.css", "text/css"),
    "/screens.js": ("screens.js", "text/javascript"),
}
_HEADERS: Final = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; "
    "connect-src 'self'; img-src 'self' data:; base-uri 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-cache",
}

_log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Limits:
    """How much there is for everybody."""

    max_clients: int = 1_000
    max_clients_by_address: int = 100
    max_subscriptions: int = 50
    messages: RateLimit = field(default_factory=lambda: RateLimit(5, 40))
    max_message_bytes: int = 4_096
    slow_client_s: float = 20.0
    origins: tuple[str, ...] = ()
    behind_proxy: bool = False

    def told(self) -> dict[str, int]:
        """What clients should know of them."""
        return {
            "subscriptions": self.max_subscriptions,
            "messages_per_s": self.messages.per_second,
            "messages_at_once": self.messages.burst,
            "message_bytes": self.max_message_bytes,
        }


class ScreenServer:
    """See the module."""

    def __init__(
        self, hub: Hub, gateway: Gateway, offer: Offer, limits: Limits, venue: str
    ) -> None:
        self._hub = hub
        self._gateway = gateway
        self._offer = offer
        self._limits = limits
        self._venue = venue
        self._sockets: dict[Reader, tuple[web.WebSocketResponse, asyncio.Transport | None]] = {}
        self._addresses = Counter[str]()
        self._closed = Counter[str]()
        self._strangers: set[object] = set()  # connections on which no request has come yet
        self._closing: set[asyncio.Task[None]] = set()
        self._runner: web.AppRunner | None = None
        self._server: asyncio.Server | None = None
        self._ticker: asyncio.Task[None] | None = None
        self._started = time.monotonic()

    # --- the life of the server ---------------------------------------------------------

    async def start(self, host: str, port: int) -> tuple[str, int]:
        """Listen; where. Raises OSError."""
        app = web.Application(middlewares=[self._known_by_now])
        app.on_response_prepare.append(_sign)
        for path in _PAGE:
            app.router.add_get(path, self._page)
        app.router.add_get("/health", self._health)
        app.router.add_get("/ws", self._socket)
        runner = self._runner = web.AppRunner(
            app, access_log=None, handle_signals=False, shutdown_timeout=_CLOSE_S
        )
        await runner.setup()
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(self._protocol, host, port)
        for plug in self._server.sockets:  # those of clients inherit it
            plug.setsockopt(SOL_SOCKET, SO_SNDBUF, _SEND_BUFFER_BYTES)
        self._ticker = asyncio.create_task(self._tick())
        bound: tuple[str, int] = self._server.sockets[0].getsockname()[:2]
        return bound

    async def close(self) -> None:
        """Close every connection in good order, then the door."""
        if self._ticker is not None:
            self._ticker.cancel()
        if self._server is not None:
            self._server.close()
        for reader in list(self._sockets):
            self._dismiss(reader, WSCloseCode.GOING_AWAY, "the screens are closing")
        if self._closing:
            await asyncio.wait(self._closing, timeout=_CLOSE_S)
        if self._runner is not None:
            await self._runner.cleanup()

    def _protocol(self) -> asyncio.Protocol:
        """One more connection, which must say something soon, or be cut."""
        assert self._runner is not None
        assert self._runner.server is not None
        handler = self._runner.server()
        room = 2 * self._limits.max_clients + 100  # pages and their parts besides
        is_full = len(self._runner.server.connections) >= room

        def look() -> None:
            if handler in self._strangers:
                self._strangers.discard(handler)
                handler.force_close()

        self._strangers.add(handler)
        asyncio.get_running_loop().call_later(0 if is_full else _STRANGER_S, look)
        return handler

    @web.middleware
    async def _known_by_now(
        self,
        request: web.Request,
        handler: Callable[[web.Request], Awaitable[web.StreamResponse]],
    ) -> web.StreamResponse:
        self._strangers.discard(request.protocol)
        return await handler(request)

    async def _tick(self) -> None:
        while True:
            await asyncio.sleep(TICK_S)
            for reader in self._hub.advance(_now_ms()):
                self._dismiss(reader, protocol.TOO_SLOW, "too slow: messages are not read")

    def _dismiss(self, reader: Reader, code: int, reason: str) -> None:
        """Close a connection without waiting for it."""
        task = asyncio.create_task(self._close(reader, code, reason))
        self._closing.add(task)
        task.add_done_callback(self._closing.discard)

    async def _close(self, reader: Reader, code: int, reason: str) -> None:
        """Close a connection, for the reason that its client is told if it still reads."""
        found = self._sockets.pop(reader, None)
        self._hub.leave(reader)
        if found is None:
            return
        self._closed[reason] += 1
        socket, transport = found
        try:
            async with asyncio.timeout(_CLOSE_S):
                await socket.close(code=code, message=reason.encode(), drain=False)
        except (TimeoutError, ConnectionError):
            pass
        finally:
            if transport is not None:
                transport.abort()  # what it has not read, it will not read

    # --- HTTP ---------------------------------------------------------------------------

    async def _page(self, request: web.Request) -> web.Response:
        name, kind = _PAGE[request.path]
        text = (files("exchange.screens") / "page" / name).read_text("utf-8")
        return web.Response(text=text, content_type=kind, headers=_HEADERS)

    async def _health(self, request: web.Request) -> web.Response:
        """How we are: 200 while everything is live, else 503."""
        hub, gateway, now = self._hub, self._gateway, time.monotonic()
        status = hub.status
        symbols = {
            symbol: {
                "state": "live" if feed.market.is_live else "stale",
                "rpt_seq": feed.view.rpt_seq if feed.view else 0,
                "messages": feed.messages,
                "quiet_s": round(now - feed.heard_at, 1) if feed.heard_at else None,
                "repairs": feed.repairs,
                "checksums_wrong": feed.mismatches,
            }
            for symbol, feed in gateway.feeds.items()
        }
        body = {
            **status.members(),
            "venue": {
                "comp_id": self._venue,
                "address": f"{gateway.venue.host}:{gateway.venue.port}",
                "is_connected": gateway.is_connected,
                "connections": gateway.connections,
            },
            "symbols": symbols,
            "clients": len(self._sockets),
            "views": len(hub.channels),
            "updates": hub.updates,
            "sent": hub.sent,
            "conflated": hub.conflated,
            "closed": dict(self._closed),
            "up_s": round(now - self._started, 1),
        }
        code = 200 if status.state == "live" else 503
        return web.json_response(body, status=code, headers={"Cache-Control": "no-store"})

    # --- WebSocket ----------------------------------------------------------------------

    async def _socket(self, request: web.Request) -> web.StreamResponse:
        limits, address = self._limits, self._address(request)
        if not self._may_come(request):
            return web.Response(status=403, text="this origin may not connect\n")
        if len(self._sockets) >= limits.max_clients:
            return web.Response(status=503, text="too many clients\n", headers={"Retry-After": "5"})
        if self._addresses[address] >= limits.max_clients_by_address:
            return web.Response(status=429, text="too many clients from your address\n")
        socket = web.WebSocketResponse(
            timeout=_CLOSE_S,
            heartbeat=_PING_S,
            autoping=False,
            compress=True,
            max_msg_size=limits.max_message_bytes,
            writer_limit=_WRITE_BUFFER_BYTES,
        )
        if not socket.can_prepare(request).ok:
            return web.Response(status=426, text="this is for WebSocket\n")
        event = asyncio.Event()
        reader = Reader(event.set)
        self._addresses[address] += 1
        self._sockets[reader] = socket, request.transport
        try:
            await socket.prepare(request)
            if request.transport is not None:
                request.transport.set_write_buffer_limits(_WRITE_BUFFER_BYTES)
            self._hub.join(reader, self._hello(), _now_ms())
            writer = asyncio.create_task(self._write(reader, socket, event))
            try:
                await self._read(reader, socket)
            finally:
                writer.cancel()
        finally:
            self._sockets.pop(reader, None)
            self._hub.leave(reader)
            self._addresses[address] -= 1
            if not self._addresses[address]:
                del self._addresses[address]
        return socket

    async def _write(
        self, reader: Reader, socket: web.WebSocketResponse, event: asyncio.Event
    ) -> None:
        """Send what there is, as fast as the client takes it."""
        try:
            while True:
                while (text := self._hub.next_text(reader, _now_ms())) is not None:
                    await socket.send_str(text)
                event.clear()
                await event.wait()
        except (ConnectionError, RuntimeError):
            return  # it is gone, which its reading side sees, too

    async def _read(self, reader: Reader, socket: web.WebSocketResponse) -> None:
        """Do what a client says, until it has gone or must go."""
        throttle = Throttle(self._limits.messages)
        async for message in socket:
            if reader not in self._sockets:
                return
            if throttle.wait_ns(b"", time.monotonic_ns()):
                await self._close(reader, protocol.TOO_MANY_MESSAGES, "too many messages")
                return
            if message.type is WSMsgType.TEXT:
                self._obey(reader, message.data)
            elif message.type is WSMsgType.PING:
                await socket.pong(message.data)
            elif message.type is WSMsgType.BINARY:
                await self._close(reader, WSCloseCode.UNSUPPORTED_DATA, "messages are text")
                return

    def _obey(self, reader: Reader, text: str) -> None:
        hub, now_ms = self._hub, _now_ms()
        request = protocol.parse(text, self._offer)
        if isinstance(request, Fault):
            hub.refuse(reader, request, now_ms)
        elif isinstance(request, Subscribe):
            hub.subscribe(reader, request, now_ms)
        elif isinstance(request, Unsubscribe):
            hub.unsubscribe(reader, request, now_ms)
        else:
            hub.answer(reader, protocol.pong(request, now_ms), now_ms)

    def _hello(self) -> str:
        markets = [self._hub.markets[symbol] for symbol in self._offer.symbols]
        symbols: list[Members] = [
            {
                "symbol": one.symbol,
                "currency": one.currency,
                "tick": one.prices.format(1).decode(),
                "lot": one.sizes.format(1).decode(),
            }
            for one in markets
        ]
        return protocol.hello(
            self._venue, self._offer, symbols, self._limits.told(), self._hub.status, _now_ms()
        )

    def _may_come(self, request: web.Request) -> bool:
        """Whether the page that connects may: browsers say which it is, others say nothing."""
        origin = request.headers.get("Origin")
        if origin is None or "*" in self._limits.origins:
            return True
        if origin.lower() in self._limits.origins:
            return True
        return urlsplit(origin).netloc.lower() == request.host.lower()

    def _address(self, request: web.Request) -> str:
        if self._limits.behind_proxy:
            # The last one is what our own proxy has added; those before it anybody can write.
            told = request.headers.getall("X-Forwarded-For", [""])[-1].rpartition(",")[2].strip()
            if told:
                return told
        return request.remote or ""


async def _sign(request: web.Request, response: web.StreamResponse) -> None:
    response.headers["Server"] = "Seamark"


def _now_ms() -> int:
    return time.time_ns() // 1_000_000
