"""Streams over real sockets: readers that are slow, that are cut off, and that ask again."""

from __future__ import annotations

import asyncio

from fix_engine.message import Message
from fix_engine.outbound import SharedFields
from fix_engine.states import State
from sessions.application import Peer
from sessions.connection import Connection, ConnectionLimits
from sessions.echo import EchoApplication
from sessions.endpoint import Endpoint
from tests.sessions.tcp import SMALL_BUFFER, Client, House, Run, eventually, house
from tests.support.messages import dictionary

TICK = SharedFields.of(b"58=" + b"x" * 1_000 + b"\x01")


class Ticker(EchoApplication):
    """Answers Email (35=C) by as many streamed messages as its Subject says, echoes the rest."""

    def __init__(self) -> None:
        super().__init__(dictionary())
        self.streamed = 0

    def on_message(self, peer: Peer, message: Message) -> None:
        if message.msg_type != b"C":
            return super().on_message(peer, message)
        for _ in range(int(message.get(b"147") or 0)):
            self.tick(peer)
        return None

    def tick(self, peer: Peer) -> None:
        """Stream one message; nothing comes of it when the peer is away."""
        self.streamed += 1
        peer.stream(b"W", b"262=%d\x01" % self.streamed, TICK)


def endpoint_of(venue: House, comp_id: str) -> Endpoint:
    (found,) = [one for one in venue.server.registry if one.comp_id == comp_id.encode()]
    return found


async def ask(client: Client, count: int) -> None:
    await client.send(f"35=C|164=a|94=0|147={count}|33=1|58=x|")


async def fill(venue: House, ticker: Ticker, client: str) -> None:
    """Stream until the reader does not keep up."""
    endpoint = endpoint_of(venue, client)
    while endpoint.is_ready:
        ticker.tick(endpoint)
        await asyncio.sleep(0)


def test_a_client_that_asks_for_a_stream_again_gets_gap_fills_and_goes_on(run: Run) -> None:
    async def scenario() -> None:
        async with house(application=Ticker()) as venue:
            client = await venue.client("CLIENT")
            await ask(client, 300)
            await client.send_raw(client.order("one"))
            await ask(client, 2)
            came = await client.fence()
            assert [one[35] for one in came] == ["W"] * 300 + ["D"] + ["W"] * 2
            assert [int(one[34]) for one in came] == list(range(2, 305))
            assert [one[262] for one in came if one[35] == "W"] == [str(n) for n in range(1, 303)]
            await client.send("35=2|7=1|16=0|")
            fill, again, rest = [await client.receive() for _ in range(3)]
            assert (fill[35], fill[34], fill[36], fill[123]) == ("4", "1", "302", "Y")
            assert (again[35], again[34], again[43], again[11]) == ("D", "302", "Y", "one")
            assert (rest[35], rest[34], rest[36]) == ("4", "303", "306")
            await ask(client, 1)
            assert (await client.receive())[34] == "306"
            # It is away, and what is streamed meanwhile is for nobody: it misses nothing.
            client.close()
            session = venue.session("CLIENT")
            await eventually(lambda: session.state is State.DISCONNECTED)
            endpoint_of(venue, "CLIENT").stream(b"W", b"", TICK)
            back = await venue.caller("CLIENT")
            back.seq = client.seq
            await back.send("35=A|98=0|108=30|")
            assert (await back.receive())[34] == "307"

    run(scenario())


def test_all_who_wait_for_a_slow_reader_are_called_once_it_reads(run: Run) -> None:
    async def scenario() -> None:
        ticker = Ticker()
        async with house(application=ticker) as venue:
            slow = await venue.client("SLOW", read=SMALL_BUFFER, write=SMALL_BUFFER)
            endpoint = endpoint_of(venue, "SLOW")
            assert endpoint.is_ready
            await fill(venue, ticker, "SLOW")
            called: list[str] = []

            def goes_on(name: str) -> None:
                called.append(name)
                ticker.tick(endpoint)

            endpoint.when_ready(lambda: goes_on("first"))
            endpoint.when_ready(lambda: goes_on("second"))
            await asyncio.sleep(0.05)
            assert called == []
            count = ticker.streamed
            numbers = [int((await slow.receive())[34]) for _ in range(count + 2)]
            assert numbers == list(range(2, count + 4))
            assert called == ["first", "second"]
            assert endpoint.is_ready

    run(scenario())


def test_who_is_closed_by_the_first_that_is_called_is_nobody_to_call_for(run: Run) -> None:
    async def scenario() -> None:
        ticker = Ticker()
        async with house(application=ticker) as venue:
            slow = await venue.client("SLOW", read=SMALL_BUFFER, write=SMALL_BUFFER)
            endpoint = endpoint_of(venue, "SLOW")
            await fill(venue, ticker, "SLOW")
            wire = endpoint.wire
            assert isinstance(wire, Connection)
            called: list[str] = []
            endpoint.when_ready(lambda: wire.close("enough"))
            endpoint.when_ready(lambda: called.append("second"))
            await slow.closed()
            assert not wire.is_writable
            assert called == []

    run(scenario())


def test_a_slow_reader_of_a_stream_is_cut_off_at_its_limit(run: Run) -> None:
    async def scenario() -> None:
        ticker = Ticker()
        limits = ConnectionLimits(max_unread_bytes=65_536)
        async with house(limits, application=ticker) as venue:
            slow = await venue.client("SLOW", read=SMALL_BUFFER, write=SMALL_BUFFER)
            quick = await venue.client("QUICK")
            endpoint = endpoint_of(venue, "SLOW")
            await fill(venue, ticker, "SLOW")
            called: list[str] = []
            endpoint.when_ready(lambda: called.append("never"))
            while endpoint.session.state is State.ACTIVE:
                ticker.tick(endpoint)
                await asyncio.sleep(0)
            assert not endpoint.is_ready
            assert await quick.fence() == []
            ticks = ticker.streamed
            next_out = endpoint.session.next_out
            assert next_out == ticks + 3, "a Logon, the stream, and a Logout behind it"
            slow.close()
            await eventually(lambda: endpoint.session.state is State.DISCONNECTED)
            assert called == []
            back = await venue.caller("SLOW")
            back.seq = slow.seq
            await back.send("35=A|98=0|108=30|")
            assert (await back.receive())[34] == str(next_out)
            await back.send("35=2|7=2|16=0|")
            fill_ = await back.receive()
            assert (fill_[35], fill_[34], fill_[36]) == ("4", "2", str(next_out + 1))
            await ask(back, 1)
            assert (await back.receive())[34] == str(next_out + 1)

    run(scenario())
