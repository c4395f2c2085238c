"""Who has not logged on yet may cost little."""

from __future__ import annotations

import socket

from sessions.connection import ConnectionLimits
from tests.sessions.tcp import Client, Run, eventually, house


def test_strangers_from_one_address_are_few(run: Run) -> None:
    async def scenario() -> None:
        async with house(ConnectionLimits(max_strangers_by_address=2)) as venue:
            known = [await venue.client(f"C{number}") for number in range(3)]
            waiting = [await venue.caller() for _ in range(2)]
            refused = await venue.caller()
            assert await refused.closed() == b""
            waiting[0].close()
            await waiting[1].send("35=A|98=0|108=30|")
            assert (await waiting[1].receive())[35] == "A", "a place that was had is kept"
            late = await venue.client("LATE")
            assert await late.fence() == []
            assert await known[0].fence() == [], "who has logged on does not count"

    run(scenario())


def test_strangers_and_connections_in_total_are_limited(run: Run) -> None:
    async def scenario() -> None:
        for limits in (
            ConnectionLimits(max_strangers=1),
            ConnectionLimits(max_connections=2),
        ):
            async with house(limits) as venue:
                client = await venue.client("CLIENT")
                stranger = await venue.caller()
                refused = await venue.caller()
                assert await refused.closed() == b""
                assert await client.fence() == []
                stranger.close()

    run(scenario())


def test_a_stranger_gets_no_memory(run: Run) -> None:
    async def scenario() -> None:
        async with house(ConnectionLimits(max_logon_bytes=1_000)) as venue:
            caller = await venue.caller()
            await caller.send("35=A|98=0|108=30|58=" + "x" * 2_000 + "|")
            assert await caller.closed() == b""
            client = await venue.client("CLIENT")
            await client.send("35=1|112=" + "x" * 2_000 + "|")
            reject = await client.receive()
            assert (reject[35], reject[371], reject[373]) == ("3", "112", "5")
            assert reject[58] == "Value has 2000 bytes, the limit is 256", "who is known is told"

    run(scenario())


def test_a_few_addresses_do_not_take_every_place(run: Run) -> None:
    async def scenario() -> None:
        async with house(ConnectionLimits(max_strangers=3)) as venue:
            crowd = [await venue.caller() for _ in range(3)]
            for client in crowd:
                await client.send_raw(b"8=FIX.4.4")
            await eventually(lambda: len(venue.server._acceptor._strangers) == 3)
            plug = socket.create_connection(("127.0.0.1", venue.port), 5, ("127.0.0.9", 0))
            plug.setblocking(False)
            other = Client("OTHER", plug)
            await other.send("35=A|98=0|108=30|")
            assert (await other.receive())[35] == "A"
            assert await crowd[0].closed() == b"", "the oldest made room"
            for client in (*crowd[1:], other):
                client.close()

    run(scenario())
