"""A TCP proxy that can be cut after so many bytes, in the middle of a message if need be."""

from __future__ import annotations

import asyncio
import re
from contextlib import suppress
from enum import StrEnum
from typing import Final

_HOST: Final = "127.0.0.1"
_CHUNK: Final = 8192
_MESSAGE: Final = re.compile(rb"(8=FIX\.4\.4\x01)9=\d+\x01(.+?\x01)10=\d{3}\x01", re.DOTALL)


class Direction(StrEnum):
    """Whose bytes are counted: where they go."""

    TO_CLIENT = "to-client"
    TO_VENUE = "to-venue"


class Proxy:
    """Forwards connections to the venue; one port, which stays the same across cuts."""

    def __init__(self, venue_port: int) -> None:
        self.port = 0
        self.venue_port = venue_port  # of connections to come
        self._server: asyncio.Server | None = None
        self._ends: dict[Direction, asyncio.StreamWriter] = {}
        self._left: dict[Direction, int] = {}  # bytes until the cut, where one is ordered
        self._was_cut = asyncio.Event()
        self._lie: tuple[bytes, bytes] | None = None  # what takes the place of what
        self._pumps: set[asyncio.Task[None]] = set()

    async def open(self) -> None:
        """Let clients connect."""
        if self._server is None:
            self._server = await asyncio.start_server(self._connected, _HOST, self.port)
            self.port = self._server.sockets[0].getsockname()[1]

    def cut_after(self, count: int, direction: Direction) -> None:
        """Cut when `count` more bytes have gone in a direction; at once when it is 0."""
        self._was_cut.clear()
        self._left[direction] = count
        if not count:
            self._cut(direction)

    async def until_cut(self) -> None:
        """Wait for the cut that was ordered last."""
        await self._was_cut.wait()

    def falsify(self, old: bytes, new: bytes) -> None:
        """Put something else into the next message to the client that has it, in its frame."""
        self._lie = old, new

    def close(self) -> None:
        """Stop listening, and drop what is connected."""
        if self._server is not None:
            self._server.close()
            self._server = None
        for writer in self._ends.values():
            writer.transport.abort()
        self._ends.clear()

    async def _connected(
        self, from_client: asyncio.StreamReader, to_client: asyncio.StreamWriter
    ) -> None:
        try:
            from_venue, to_venue = await asyncio.open_connection(_HOST, self.venue_port)
        except OSError:
            to_client.transport.abort()
            return
        self._ends = {Direction.TO_CLIENT: to_client, Direction.TO_VENUE: to_venue}
        for direction, reader, writer in (
            (Direction.TO_CLIENT, from_venue, to_client),
            (Direction.TO_VENUE, from_client, to_venue),
        ):
            task = asyncio.create_task(self._pump(direction, reader, writer))
            self._pumps.add(task)
            task.add_done_callback(self._pumps.discard)

    async def _pump(
        self, direction: Direction, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        with suppress(ConnectionError):  # a reset is the end of it as well
            while data := await reader.read(_CHUNK):
                if self._ends.get(direction) is not writer:
                    return  # cut meanwhile: what was in flight is lost
                if direction is Direction.TO_CLIENT and self._lie is not None:
                    data = self._falsified(data, *self._lie)
                left = self._left.get(direction)
                if left is not None and len(data) >= left:
                    writer.write(data[:left])
                    self._cut(direction)
                    return
                if left is not None:
                    self._left[direction] = left - len(data)
                writer.write(data)
                await writer.drain()
        writer.close()

    def _falsified(self, data: bytes, old: bytes, new: bytes) -> bytes:
        """The message has to be all in what was read at once."""
        for found in _MESSAGE.finditer(data):
            if old in found[0]:
                self._lie = None
                body = found[2].replace(old, new)
                message = b"%b9=%d\x01%b" % (found[1], len(body), body)
                message += b"10=%03d\x01" % (sum(message) % 256)
                return data[: found.start()] + message + data[found.end() :]
        return data

    def _cut(self, direction: Direction) -> None:
        """Drop both directions; the bytes that were counted still get to where they go."""
        counted = self._ends.pop(direction, None)
        if counted is not None:
            counted.close()
        self.close()
        self._left.clear()
        self._was_cut.set()
