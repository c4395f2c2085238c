"""Writing to a socket at once, or leaving it to the transport."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Iterator
from typing import Any

import pytest

from sessions.transport import writer


class Transport(asyncio.Transport):
    """One of uvloop's that only notes what it is left with."""

    __module__ = "uvloop.loop"

    def __init__(self, plug: socket.socket | None, is_secure: bool = False) -> None:
        super().__init__({"socket": plug, "ssl_object": object() if is_secure else None})
        self.left: list[bytes] = []
        self.waiting = 0

    def write(self, data: Any) -> None:
        self.left.append(bytes(data))

    def get_write_buffer_size(self) -> int:
        return self.waiting


class Own(Transport):
    """One of asyncio's, which writes at once by itself."""

    __module__ = "asyncio"


@pytest.fixture
def ends() -> Iterator[tuple[socket.socket, socket.socket]]:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        ours.setblocking(False)
        yield ours, theirs


def test_what_the_socket_takes_is_written_at_once(
    ends: tuple[socket.socket, socket.socket],
) -> None:
    transport = Transport(ends[0])
    writer(transport)(b"8=FIX")
    assert ends[1].recv(100) == b"8=FIX"
    assert transport.left == []


def test_what_it_does_not_take_is_left_to_the_transport(
    ends: tuple[socket.socket, socket.socket],
) -> None:
    ends[0].setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4_096)
    transport, data = Transport(ends[0]), bytes(range(256)) * 40_000
    write = writer(transport)
    write(data)
    (rest,) = transport.left
    assert 0 < len(rest) < len(data)
    write(b"and more")  # the transport has not been told to say that something waits
    assert transport.left[1:] == [b"and more"], "the socket is full"
    arrived = b""
    while len(arrived) < len(data) - len(rest):
        arrived += ends[1].recv(1 << 20)
    assert arrived + rest == data


def test_nothing_overtakes_what_waits(ends: tuple[socket.socket, socket.socket]) -> None:
    transport = Transport(ends[0])
    transport.waiting = 1
    writer(transport)(b"later")
    assert transport.left == [b"later"]


def test_who_has_gone_is_for_the_transport_to_find(
    ends: tuple[socket.socket, socket.socket],
) -> None:
    ends[1].close()
    transport = Transport(ends[0])
    writer(transport)(b"nobody reads this")
    assert transport.left == [b"nobody reads this"]


def test_what_is_sealed_or_written_at_once_anyway_goes_through_the_transport(
    ends: tuple[socket.socket, socket.socket],
) -> None:
    for transport in (Transport(ends[0], is_secure=True), Transport(None), Own(ends[0])):
        writer(transport)(b"secret")
        assert transport.left == [b"secret"]
