"""Hostile peers over real sockets, and a well-behaved one that is served all along."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator

from tests.sessions.tcp import Client, House

LOGON = "35=A|98=0|108=30|"
ELSEWHERE: set[int] = set()  # ports that stand for another address: loopback has but one


@contextlib.asynccontextmanager
async def somebody_is_served(venue: House) -> AsyncIterator[None]:
    """For as long as the block lasts one client orders on and on, and each order is answered."""
    client = await venue.client("GOOD")
    served = 0
    is_over = asyncio.Event()

    async def trade() -> None:
        nonlocal served
        while not is_over.is_set() or not served:
            await client.send_raw(client.order(str(served)))
            assert (await client.until("D"))[11] == str(served)
            served += 1
            await asyncio.sleep(0.002)  # others would like the processor, too

    trading = asyncio.create_task(trade())
    try:
        yield
        assert not trading.done()
    finally:
        is_over.set()
        await trading


def counts(venue: House) -> tuple[int, int, int]:
    """Connections, strangers among them, and the addresses that these are from."""
    acceptor = venue.server._acceptor
    return (
        len(acceptor._connections),
        len(acceptor._strangers),
        len(acceptor._strangers_by_host),
    )


async def arrive(venue: House, comp_id: str = "CLIENT", is_elsewhere: bool = False) -> Client:
    """A client that has connected; many may arrive at the same time."""
    plug = socket.socket()
    plug.setblocking(False)
    plug.bind(("127.0.0.1", 0))
    if is_elsewhere:
        ELSEWHERE.add(plug.getsockname()[1])
    client = Client(comp_id, plug)
    venue.clients.append(client)
    await asyncio.get_running_loop().sock_connect(plug, ("127.0.0.1", venue.port))
    return client


async def enter(venue: House, comp_id: str, seq: int = 1, more: str = "") -> Client:
    """A client that has connected and logged on, the venue's numbers being the same as its own."""
    client = await arrive(venue, comp_id)
    client.seq = seq
    await client.send(LOGON + more)
    answer = await client.receive()
    assert (answer[35], answer[34]) == ("A", str(seq)), comp_id
    return client


async def end_of(client: Client) -> bytes:
    """What still comes until the end, however the connection ends."""
    with contextlib.suppress(OSError):
        return await client.closed()
    return b""


async def send_all(client: Client, data: bytes) -> None:
    """Send for as long as the venue takes it."""
    with contextlib.suppress(OSError, TimeoutError):
        await client.send_raw(data)
