"""What hostile peers do, while a well-behaved one is served all along."""

from __future__ import annotations

import asyncio
import re
from collections import Counter
from collections.abc import Callable
from functools import partial

import pytest
import uvloop

from fix_engine.message import Message
from fix_engine.states import State
from sessions.acceptor import Acceptor
from sessions.application import Peer
from sessions.connection import ConnectionLimits
from sessions.echo import EchoApplication
from sessions.entrance import Entrance
from sessions.throttle import RateLimit
from tests.sessions.hostile import (
    ELSEWHERE,
    LOGON,
    arrive,
    counts,
    end_of,
    enter,
    send_all,
    somebody_is_served,
)
from tests.sessions.tcp import PATIENCE_S, SMALL_BUFFER, Client, House, Run, eventually, house
from tests.support.messages import dictionary

# --- connections that say nothing ---------------------------------------------------------


def test_a_flood_of_silent_connections_takes_the_places_of_one_address_only(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = Acceptor.opened

    def opened(self: Acceptor, entrance: Entrance) -> str | None:
        if int(entrance.address.rpartition(":")[2]) in ELSEWHERE:
            entrance.host = "192.0.2.1"
        return real(self, entrance)

    monkeypatch.setattr(Acceptor, "opened", opened)

    async def scenario() -> None:
        async with (
            house(ConnectionLimits(max_strangers_by_address=5)) as venue,
            somebody_is_served(venue),
        ):
            silent = [await venue.caller() for _ in range(60)]
            assert [await end_of(caller) for caller in silent[5:]] == [b""] * 55
            assert counts(venue) == (6, 5, 1)
            other = await arrive(venue, "OTHER", is_elsewhere=True)
            await eventually(lambda: counts(venue) == (7, 6, 2))
            await other.send(LOGON)
            assert (await other.receive())[35] == "A"
            assert counts(venue) == (7, 5, 1)
            for caller in silent[:5]:
                caller.close()
            await eventually(lambda: counts(venue) == (2, 0, 0))
            late = await venue.client("LATE")
            assert await late.fence() == []

    run(scenario())


def test_silent_connections_from_everywhere_are_gone_in_time_and_their_places_free(
    run: Run,
) -> None:
    async def scenario() -> None:
        limits = ConnectionLimits(max_strangers=40, logon_timeout_s=0.15)
        async with house(limits) as venue, somebody_is_served(venue):
            for _ in range(2):
                silent = [await venue.caller() for _ in range(50)]
                assert await asyncio.gather(*map(end_of, silent)) == [b""] * 50
                await eventually(lambda: counts(venue) == (1, 0, 0))
            late = await venue.client("LATE")
            assert await late.fence() == []
            assert len(list(venue.server.registry)) == 2, "they have cost no session"

    run(scenario())


class Broadcast(EchoApplication):
    """Echoes to who has ordered, and tells everybody else."""

    def __init__(self) -> None:
        super().__init__(dictionary())
        self._peers: dict[int, Peer] = {}

    def on_logon(self, peer: Peer, logon: Message) -> None:
        super().on_logon(peer, logon)
        self._peers[peer.number] = peer

    def on_message(self, peer: Peer, message: Message) -> None:
        super().on_message(peer, message)
        for number, other in self._peers.items():
            if number != peer.number:
                other.send(b"D", b"11=told\x0158=%b\x01" % (b"x" * 4_000))


def test_who_vanishes_in_the_middle_of_being_written_to_is_found_out_and_loses_nothing() -> None:
    """No reading, no writing, no FIN: as when a cable is cut."""

    async def scenario() -> None:
        async with house(application=Broadcast()) as venue, somebody_is_served(venue):
            names = [f"GONE{number}" for number in range(10)]
            for name in names:
                await venue.client(name, "98=0|108=1|", read=SMALL_BUFFER)
            assert counts(venue) == (11, 0, 0)
            await eventually(lambda: counts(venue) == (1, 0, 0))
            for name in names:
                session = venue.session(name)
                assert session.state is State.DISCONNECTED
                back = await venue.caller(name)
                back.seq = session.next_in
                await back.send(LOGON)
                assert (await back.until("A"))[35] == "A"
                await back.send("35=2|7=2|16=2|")
                while (again := await back.until("D"))[34] != "2":
                    assert again.get(43) is None
                assert (again[43], again[11]) == ("Y", "told")
                back.close()

    uvloop.run(scenario())


# --- sizes --------------------------------------------------------------------------------


def sized(client: Client, fields: Callable[[int], str], size: int) -> bytes:
    """A message whose BodyLength is `size`, with as much filler as that takes."""
    seq = client.seq
    for filler in range(size):
        client.seq = seq
        message = client.message(fields(filler))
        if b"\x019=%d\x01" % size in message:
            return message
    raise AssertionError("no such size")


def long_logon(filler: int) -> str:
    return f"{LOGON}95={filler}|96={'x' * filler}|"


def long_order(filler: int) -> str:
    return f"35=D|11=a|55=EUR|54=1|60=<now>|38=1|40=1|58={'x' * filler}|"


@pytest.mark.parametrize("excess", [0, 1])
def test_a_logon_of_the_largest_size_is_heard_and_one_byte_more_is_not(
    run: Run, excess: int
) -> None:
    async def scenario() -> None:
        async with (
            house(ConnectionLimits(max_logon_bytes=1_000)) as venue,
            somebody_is_served(venue),
        ):
            caller = await venue.caller("CLIENT")
            await caller.send_raw(sized(caller, long_logon, 1_000 + excess))
            if excess:
                assert await end_of(caller) == b""
            else:
                assert (await caller.receive())[35] == "A"

    run(scenario())


@pytest.mark.parametrize("excess", [0, 1])
def test_a_message_of_the_largest_size_is_served_and_one_byte_more_is_the_end(
    run: Run, excess: int
) -> None:
    async def scenario() -> None:
        async with (
            house(ConnectionLimits(max_message_bytes=2_000)) as venue,
            somebody_is_served(venue),
        ):
            client = await venue.client("CLIENT")
            await client.send_raw(sized(client, long_order, 2_000 + excess))
            answer = await client.receive()
            if excess:
                assert answer[58] == "BodyLength (9) 2001 is over the limit of 2000 bytes"
                await client.send("35=5|")
                assert await end_of(client) == b""
            else:
                assert (answer[35], answer[11]) == ("D", "a")

    run(scenario())


BODY_LENGTHS = {
    "negative": ("-1", False),
    "empty": ("", False),
    "zero": ("0", False),
    "in words": ("ten", False),
    "a power": ("1e3", False),
    "too short": ("5", False),
    "with zeros before it": ("000", False),
    "beyond the limit": ("65537", True),
    "beyond all limits": ("9" * 20, True),
}


@pytest.mark.parametrize(("length", "is_fatal"), BODY_LENGTHS.values(), ids=BODY_LENGTHS)
def test_a_body_length_that_lies_costs_its_sender_the_message_or_the_session(
    run: Run, length: str, is_fatal: bool
) -> None:
    liar = b"8=FIX.4.4\x019=%b\x0135=0\x0134=2\x0110=000\x01" % length.encode()

    async def scenario() -> None:
        async with house() as venue, somebody_is_served(venue):
            caller = await venue.caller()
            await send_all(caller, liar)
            assert await end_of(caller) == b""
            client = await venue.client("CLIENT")
            await client.send_raw(liar)
            if is_fatal:
                logout = await client.receive()
                assert logout[35] == "5"
                assert logout[58] == f"BodyLength (9) {length} is over the limit of 65536 bytes"
                await client.send("35=5|")
                assert await client.closed() == b""
            else:
                await client.send_raw(client.order("kept"))
                assert [echoed[11] for echoed in await client.fence()] == ["kept"]

    run(scenario())


def test_many_that_announce_giants_at_once_are_all_disconnected(run: Run) -> None:
    giant = b"8=FIX.4.4\x019=999999999\x0135=D\x01" + b"x" * 4_000

    async def scenario() -> None:
        async with house(logout_timeout_s=0.1) as venue, somebody_is_served(venue):
            clients = [await venue.client(f"C{number}") for number in range(20)]
            callers = [await venue.caller() for _ in range(20)]
            await asyncio.gather(*(send_all(peer, giant) for peer in (*clients, *callers)))
            last = await asyncio.gather(*map(end_of, clients))
            assert all(data.count(b"\x0135=5\x01") == 1 for data in last)
            assert await asyncio.gather(*map(end_of, callers)) == [b""] * 20
            await eventually(lambda: counts(venue) == (1, 0, 0))

    run(scenario())


# --- slow peers ---------------------------------------------------------------------------


async def drip(client: Client, data: bytes, pause_s: float) -> bool:
    """Send byte by byte; whether all of it went before the connection was closed."""
    ended = asyncio.create_task(end_of(client))
    for byte in data:
        await send_all(client, bytes((byte,)))
        await asyncio.wait([ended], timeout=pause_s)
        if ended.done():
            return False
    ended.cancel()
    await asyncio.wait([ended])
    return True


def test_a_logon_that_comes_byte_by_byte_does_not_put_off_its_deadline(run: Run) -> None:
    async def scenario() -> None:
        limits = ConnectionLimits(logon_timeout_s=0.15)
        async with house(limits) as venue, somebody_is_served(venue):
            callers = [await venue.caller(f"SLOW{number}") for number in range(10)]
            went = await asyncio.gather(*(drip(c, c.message(LOGON), 0.02) for c in callers))
            assert went == [False] * 10
            await eventually(lambda: counts(venue) == (1, 0, 0))
            assert len(list(venue.server.registry)) == 1

    run(scenario())


def test_a_logon_that_comes_byte_by_byte_in_time_is_one(run: Run) -> None:
    async def scenario() -> None:
        async with house() as venue, somebody_is_served(venue):
            caller = await venue.caller("SLOW")
            logon = caller.message(LOGON)
            assert await drip(caller, logon[:-1], 0.001)
            await caller.send_raw(logon[-1:])
            assert (await caller.receive())[35] == "A"

    run(scenario())


def is_logging_out(venue: House, comp_id: str) -> bool:
    return venue.session(comp_id).state is State.LOGGING_OUT


def test_slow_readers_that_only_listen_are_logged_out_and_told_why(run: Run) -> None:
    async def scenario() -> None:
        limits = ConnectionLimits(max_unread_bytes=65_536)
        async with (
            house(limits, PATIENCE_S, application=Broadcast()) as venue,
            somebody_is_served(venue),
        ):
            slow = [await venue.client(f"SLOW{n}", read=SMALL_BUFFER) for n in range(3)]
            for reader in slow:
                await eventually(partial(is_logging_out, venue, reader.comp_id))
            for reader in slow:
                logout = await reader.until("5")
                assert logout[58].startswith("More than 65536 bytes are unread")
                await reader.send("35=5|")
                assert await end_of(reader) == b"", "nothing comes behind the Logout"
                assert venue.session(reader.comp_id).next_in == 3

    run(scenario())


# --- too many messages --------------------------------------------------------------------


def test_a_flood_is_answered_with_the_wait_then_logged_out_and_a_wait_that_is_heeded_helps(
    run: Run,
) -> None:
    async def scenario() -> None:
        limit = RateLimit(per_second=5, burst=5, max_refused=30)
        async with house(rate_limit=limit) as venue:
            client, modest = await venue.client("FLOOD"), await venue.client("MODEST")
            flood = b"".join(client.order(str(number)) for number in range(1_000))
            sending = asyncio.create_task(send_all(client, flood))
            assert await modest.fence() == []
            await modest.send_raw(modest.order("mine"))
            assert (await modest.receive())[11] == "mine", "each session has a limit of its own"
            answers = []
            while (answer := await client.receive())[35] != "5":
                answers.append(answer)
            await sending
            assert answer[58] == "Too many messages in spite of refusals"
            kinds = "".join(one[35] for one in answers)
            assert re.fullmatch("DDDDD[Dj]*j{30}", kinds), "refused in a row, until that is enough"
            refused = [one for one in answers if one[35] == "j"]
            assert {(one[372], one[380]) for one in refused} == {("D", "0")}
            assert len({one[379] for one in refused}) == len(refused), "each names its order"
            waits = [int(one[58].removeprefix("Too many messages: wait ")[:-3]) for one in refused]
            assert all(0 < wait <= 201 for wait in waits)
            await client.send("35=5|")
            await end_of(client)

            back = await venue.caller("FLOOD")
            back.seq = venue.session("FLOOD").next_in
            await back.send(LOGON)
            await back.until("A")
            await asyncio.sleep(0.201)  # as it was told
            await back.send_raw(b"".join(back.order(str(number)) for number in range(8)))
            kinds = "".join(one[35] for one in await back.fence())
            assert re.fullmatch("D+j+", kinds), "what was refused before is forgiven"

    run(scenario())


def test_a_flood_of_administrative_messages_is_answered_and_others_are_served(run: Run) -> None:
    async def scenario() -> None:
        async with house() as venue, somebody_is_served(venue):
            client = await venue.client("FLOOD")
            requests = b"".join(client.message(f"35=1|112={n}|") for n in range(3_000))
            sending = asyncio.create_task(send_all(client, requests))
            assert [(await client.receive())[112] for _ in range(3_000)] == [
                str(number) for number in range(3_000)
            ]
            await sending

    run(scenario())


# --- everybody at once --------------------------------------------------------------------

STORM = 200


def test_a_storm_of_logons_lets_everybody_in_again_and_again(run: Run) -> None:
    async def scenario() -> None:
        limits = ConnectionLimits(max_strangers=STORM, max_strangers_by_address=STORM)
        async with house(limits) as venue, somebody_is_served(venue):
            for seq in (1, 2, 3):
                clients = await asyncio.gather(
                    *(enter(venue, f"STORM{n}", seq) for n in range(STORM))
                )
                assert counts(venue) == (STORM + 1, 0, 0)
                states = Counter(endpoint.session.state for endpoint in venue.server.registry)
                assert states == {State.ACTIVE: STORM + 1}
                if seq == 3:
                    fences = await asyncio.gather(*(client.fence() for client in clients))
                    assert fences == [[]] * STORM
                    break
                for endpoint in venue.server.registry:
                    if endpoint.comp_id != b"GOOD" and endpoint.wire is not None:
                        endpoint.wire.abort()  # type: ignore[attr-defined]
                assert set(await asyncio.gather(*map(end_of, clients))) == {b""}
                await eventually(lambda: counts(venue) == (1, 0, 0))

    run(scenario())
