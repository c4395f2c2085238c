"""The asyncio server: listens, makes connections, and ends them in good order."""

from __future__ import annotations

import asyncio
import errno
import socket
from collections import Counter
from dataclasses import dataclass
from typing import Final

import structlog

from sessions.authority import Authority
from sessions.connection import Connection, ConnectionLimits
from sessions.entrance import Entrance, FrontDesk
from sessions.profile import is_within, neighbourhood
from sessions.registry import Registry
from sessions.timers import Timers
from sessions.timetable import Timetable
from sessions.tls import ServerTls
from sessions.turn import Turn

log = structlog.get_logger(__name__)

_BACKLOG: Final = 65_535  # the kernel knows a limit of its own
_NOTHING_LEFT: Final = (errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM)
_ACCEPT_AGAIN_S: Final = 1.0
_AT_ONCE: Final = 64  # sessions that are logged out in one turn
_GRACE_S: Final = 1.0  # beyond the sessions' own Logout time-out


class ListenError(Exception):
    """The address cannot be listened on; says why in one line."""


@dataclass(slots=True)
class Doors:
    """The bound sockets to accept on: one for plain TCP, one for TLS."""

    plain: socket.socket | None = None
    tls: tuple[socket.socket, ServerTls] | None = None


class Acceptor:
    """Accepts FIX connections."""

    def __init__(
        self,
        registry: Registry,
        turn: Turn,
        limits: ConnectionLimits,
        authority: Authority | None = None,
        timetable: Timetable | None = None,
    ) -> None:
        self._registry = registry
        self._turn = turn
        self._limits = limits
        timers = Timers(turn.open, asyncio.get_running_loop().call_later)
        self._desk = FrontDesk(registry, turn, timers, limits, authority, timetable)
        self._connections: set[Entrance | Connection] = set()
        self._strangers: dict[Entrance, str] = {}  # on which nobody has logged on, by host
        self._strangers_by_host: Counter[str] = Counter()
        self._servers: list[asyncio.Server] = []
        self._accepting: asyncio.Task[None] | None = None
        self._all_closed = asyncio.Event()

    async def listen(self, doors: Doors) -> None:
        """Begin to accept on bound sockets."""
        if doors.plain is not None:
            await self._listen(doors.plain)
        if doors.tls is not None:
            self._accepting = asyncio.create_task(self._accept_tls(*doors.tls))

    async def _listen(self, listener: socket.socket) -> None:
        loop = asyncio.get_running_loop()
        server = await loop.create_server(self._entrance, sock=listener, backlog=_BACKLOG)
        self._servers.append(server)

    async def _accept_tls(self, listener: socket.socket, tls: ServerTls) -> None:
        """Accept by ourselves: a stranger counts, and its time runs, before it shakes hands."""
        loop = asyncio.get_running_loop()
        listener.setblocking(False)
        while True:
            try:
                plug, peer = await loop.sock_accept(listener)
            except OSError as error:
                if error.errno in _NOTHING_LEFT:
                    log.error("cannot accept", error=error.strerror)
                    await asyncio.sleep(_ACCEPT_AGAIN_S)
                continue
            self._entrance().shake_hands(plug, peer, tls)

    async def close(self, text: str) -> None:
        """Stop accepting, log every peer out with `text`, and wait for their connections to end."""
        self._stop_accepting()
        for stranger in list(self._strangers):
            stranger.close(text)
        timeout_ns = 0
        for number, endpoint in enumerate(self._registry, start=1):
            if endpoint.wire is not None:
                timeout_ns = max(timeout_ns, endpoint.session.settings.logout_timeout_ns)
                endpoint.session.logout(text.encode("latin-1"), self._turn.open())
                endpoint.settle()
            if number % _AT_ONCE == 0:  # or the first would wait for their answers to be read
                await asyncio.sleep(0)
        self._turn.open()
        if self._connections:
            try:
                async with asyncio.timeout(timeout_ns / 1e9 + _GRACE_S):
                    await self._all_closed.wait()
            except TimeoutError:
                log.warning("cut off at the end", connections=len(self._connections))
                self.abort()
                await asyncio.sleep(0)
        self._turn.close()

    def abort(self) -> None:
        """Drop everything at once: what has not been written must not be."""
        self._stop_accepting()
        for connection in list(self._connections):
            connection.abort()

    def _stop_accepting(self) -> None:
        for server in self._servers:
            server.close()
        if self._accepting is not None:
            self._accepting.cancel()

    def _entrance(self) -> Entrance:
        entrance = Entrance(self._desk, self)
        self._connections.add(entrance)
        self._all_closed.clear()
        return entrance

    # --- sessions.entrance.Doorkeeper ---------------------------------------------------

    def opened(self, entrance: Entrance) -> str | None:
        """Count a stranger, or say which limit keeps it out."""
        limits, host = self._limits, neighbourhood(entrance.host)
        if not is_within(limits.networks, entrance.host):
            return "its address is not in access.addresses"
        if len(self._connections) > limits.max_connections:
            return f"the limit of {limits.max_connections} connections is reached"
        if self._strangers_by_host[host] >= limits.max_strangers_by_address:
            count = limits.max_strangers_by_address
            return f"{count} connections from {host} wait for a Logon already"
        if len(self._strangers) >= limits.max_strangers and not self._make_room(host):
            return f"{limits.max_strangers} connections wait for a Logon already"
        self._strangers[entrance] = host
        self._strangers_by_host[host] += 1
        return None

    def _make_room(self, host: str) -> bool:
        """End the oldest stranger of whoever has most, so that a few do not keep out the rest."""
        busiest, count = self._strangers_by_host.most_common(1)[0]
        if busiest == host or count == 1:
            return False
        oldest = next(one for one, of in self._strangers.items() if of == busiest)
        self.closed(oldest)
        oldest.close("its place goes to somebody else")
        return True

    def entered(self, entrance: Entrance, connection: Connection) -> None:
        """A stranger has become somebody."""
        self._connections.add(connection)
        self.closed(entrance)

    def closed(self, connection: Entrance | Connection) -> None:
        """Count it no more."""
        host = self._strangers.pop(connection, None) if isinstance(connection, Entrance) else None
        if host is not None:
            self._strangers_by_host[host] -= 1
            if not self._strangers_by_host[host]:
                del self._strangers_by_host[host]
        self._connections.discard(connection)
        if not self._connections:
            self._all_closed.set()


def bind(host: str, port: int) -> socket.socket:
    """A socket bound to an address, before anything else is begun; port 0 is chosen by the system.

    Raises ListenError.
    """
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        listener = socket.socket(family, kind, protocol)
        try:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind(address)
            listener.listen(_BACKLOG)  # or a second process could bind it, too
        except OSError:
            listener.close()
            raise
    except OSError as error:
        reason = error.strerror or str(error)
        if error.errno == errno.EADDRINUSE:
            reason = "something listens there already; stop it or choose another --port"
        raise ListenError(f"cannot listen on {host}:{port}: {reason}") from error
    return listener


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach `host`."""
    try:
        found = socket.getaddrinfo(host, None)
    except OSError:
        return False
    return all(entry[4][0] in ("::1",) or str(entry[4][0]).startswith("127.") for entry in found)
