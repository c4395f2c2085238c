"""One TCP peer, over real loopback sockets."""

from __future__ import annotations

import asyncio
import time

import pytest
import uvloop

from fix_engine.message import Message
from fix_engine.resend import PAGE_MESSAGES
from fix_engine.states import State
from sessions.application import Peer
from sessions.connection import ConnectionLimits
from sessions.echo import EchoApplication
from sessions.store import SentMessages
from tests.sessions.tcp import PATIENCE_S, SMALL_BUFFER, Client, Run, eventually, house
from tests.support.messages import as_dict, dictionary, fix

LOGON = "35=A|98=0|108=30|"
LONG = "58=" + "x" * 1_000 + "|"


# --- before the Logon ---------------------------------------------------------------------


@pytest.mark.parametrize("said", [b"", b"8=FIX.4.4\x019=70\x0135=A\x0134=1\x01", b"8"])
def test_who_does_not_log_on_in_time_is_disconnected(run: Run, said: bytes) -> None:
    async def scenario() -> None:
        async with house(ConnectionLimits(logon_timeout_s=0.05)) as venue:
            caller = await venue.caller()
            if said:
                await caller.send_raw(said)
            started = time.monotonic()
            assert await caller.closed() == b""
            assert time.monotonic() - started < 2
            assert list(venue.server.registry) == []

    run(scenario())


def test_who_has_logged_on_is_left_alone_by_the_logon_timeout(run: Run) -> None:
    async def scenario() -> None:
        async with house(ConnectionLimits(logon_timeout_s=0.05)) as venue:
            client = await venue.client("CLIENT")
            late = await venue.caller()
            await late.closed()
            assert await client.fence() == []

    run(scenario())


@pytest.mark.parametrize(
    "said",
    [
        b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        fix("35=A|34=1|49=CLIENT|52=x|56=SEAMARK|98=0|108=30|").replace(b"10=", b"10=9")[:-2]
        + b"\x01",
        fix("35=0|34=1|49=CLIENT|56=SEAMARK|"),
        fix("35=A|34=1|49=CLIENT|56=ELSEWHERE|98=0|108=30|"),
        b"8=FIX.4.4\x019=99999999\x0135=A\x01",
    ],
    ids=["http", "tls", "garbled", "no-logon", "not-ours", "giant"],
)
def test_a_stranger_is_disconnected_without_a_word(run: Run, said: bytes) -> None:
    async def scenario() -> None:
        async with house() as venue:
            client = await venue.client("CLIENT")
            caller = await venue.caller()
            await caller.send_raw(said)
            assert await caller.closed() == b""
            assert await client.fence() == []
            assert len(list(venue.server.registry)) == 1

    run(scenario())


def test_what_follows_a_refused_message_is_not_looked_at(run: Run) -> None:
    async def scenario() -> None:
        async with house() as venue:
            caller = await venue.caller()
            await caller.send_raw(b"garbage" + caller.message(LOGON))
            assert await caller.closed() == b""
            assert list(venue.server.registry) == []

    run(scenario())


def test_the_second_logon_of_a_live_identity_is_closed_and_the_first_goes_on(run: Run) -> None:
    async def scenario() -> None:
        async with house() as venue:
            first = await venue.client("CLIENT")
            second = await venue.caller("CLIENT")
            second.seq = 2
            await second.send(LOGON)
            assert await second.closed() == b""
            await first.send_raw(first.order("a"))
            assert [echoed[11] for echoed in await first.fence()] == ["a"]
            assert venue.session("CLIENT").next_in == 4
            first.close()
            await eventually(lambda: venue.session("CLIENT").state is State.DISCONNECTED)
            third = await venue.caller("CLIENT")
            third.seq = 4
            await third.send(LOGON)
            assert (await third.receive())[34] == "4"

    run(scenario())


# --- framing ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("right", "wrong"),
    [(b"11=lost", b"11=Lost"), (b"\x019=11", b"\x019=10"), (b"\x0135=D", b"\x0136=D")],
    ids=["CheckSum", "BodyLength", "MsgType"],
)
def test_a_garbled_message_is_ignored_and_its_number_not_counted(
    run: Run, right: bytes, wrong: bytes
) -> None:
    async def scenario() -> None:
        async with house() as venue:
            client = await venue.client("CLIENT")
            lost = client.order("lost")
            assert right in lost
            client.seq -= 1
            await client.send_raw(lost.replace(right, wrong) + client.order("kept"))
            (echoed,) = await client.fence()
            assert (echoed[35], echoed[11]) == ("D", "kept")

    run(scenario())


def test_a_giant_body_length_is_answered_by_logout_with_text_and_the_end(run: Run) -> None:
    async def scenario() -> None:
        async with house(ConnectionLimits(max_message_bytes=2_000)) as venue:
            client = await venue.client("CLIENT")
            await client.send_raw(b"8=FIX.4.4\x019=2001\x0135=D\x01" + b"x" * 100)
            logout = await client.receive()
            assert logout[35] == "5"
            assert logout[58] == "BodyLength (9) 2001 is over the limit of 2000 bytes"
            assert await client.closed() == b""
            assert venue.session("CLIENT").state is State.DISCONNECTED

    run(scenario())


def test_a_logout_after_a_giant_body_length_ends_it_at_once(run: Run) -> None:
    async def scenario() -> None:
        async with house(ConnectionLimits(max_message_bytes=2_000), logout_timeout_s=60) as venue:
            client = await venue.client("CLIENT")
            await client.send_raw(b"8=FIX.4.4\x019=2001\x0135=D\x01")
            assert (await client.receive())[35] == "5"
            await client.send("35=5|")
            assert await client.closed() == b""

    run(scenario())


def test_many_messages_in_one_segment_are_answered_in_order(run: Run) -> None:
    async def scenario() -> None:
        async with house() as venue:
            client = await venue.caller()
            names = [str(number) for number in range(300)]
            await client.send_raw(client.message(LOGON) + b"".join(map(client.order, names)))
            came = await client.fence()
            assert [message[35] for message in came] == ["A"] + ["D"] * 300
            assert [message[11] for message in came[1:]] == names
            assert [int(message[34]) for message in came] == list(range(1, 302))

    run(scenario())


def test_a_message_in_many_segments_is_one_message(run: Run) -> None:
    async def scenario() -> None:
        async with house() as venue:
            client = await venue.client("CLIENT")
            for byte in client.order("a") + client.order("b"):
                await client.send_raw(bytes((byte,)))
                await asyncio.sleep(0)
            assert [message[11] for message in await client.fence()] == ["a", "b"]

    run(scenario())


# --- slow readers -------------------------------------------------------------------------


async def fill(client: Client, orders: int) -> None:
    """Order on and on, reading nothing, for as long as the venue takes it."""
    try:
        for number in range(orders):
            await client.send_raw(client.order(str(number), LONG))
    except (ConnectionError, TimeoutError):
        pass


def test_a_slow_reader_is_cut_off_at_its_limit_and_nobody_else_feels_it(run: Run) -> None:
    async def scenario() -> None:
        async with house(ConnectionLimits(max_unread_bytes=65_536)) as venue:
            slow = await venue.client("SLOW", read=SMALL_BUFFER, write=SMALL_BUFFER)
            quick = await venue.client("QUICK")
            filling = asyncio.create_task(fill(slow, 1_000))
            session = venue.session("SLOW")
            while session.state is not State.DISCONNECTED:
                started = time.monotonic()
                assert await quick.fence() == []
                assert time.monotonic() - started < 1
            filling.cancel()
            await asyncio.wait([filling])
            slow.close()
            # Nothing is lost: all that was echoed is asked for at the next logon.
            back = await venue.caller("SLOW")
            back.seq = session.next_in
            echoed = session.next_out - 3  # without Logon and Logout
            assert echoed >= 65
            await back.send(LOGON)
            assert (await back.receive())[34] == str(echoed + 3)
            for number in range(echoed):
                if number % 40 == 0:  # as much as it may leave unread
                    await back.send(f"35=2|7={number + 2}|16={min(number + 41, echoed + 1)}|")
                assert (await back.receive())[11] == str(number)

    run(scenario())


def test_a_slow_reader_that_reads_on_finds_out_why_it_was_logged_out(run: Run) -> None:
    async def scenario() -> None:
        limits = ConnectionLimits(max_unread_bytes=65_536)
        async with house(limits, logout_timeout_s=PATIENCE_S) as venue:
            slow = await venue.client("SLOW", read=SMALL_BUFFER, write=SMALL_BUFFER)
            filling = asyncio.create_task(fill(slow, 1_000))
            await eventually(lambda: venue.session("SLOW").state is State.LOGGING_OUT)
            farewell = await slow.until("5")
            assert farewell[58].startswith("More than 65536 bytes are unread")
            filling.cancel()
            await asyncio.wait([filling])

    run(scenario())


def test_a_slow_reader_within_its_limit_gets_everything_when_it_reads(run: Run) -> None:
    async def scenario() -> None:
        async with house() as venue:
            slow = await venue.client("SLOW", read=SMALL_BUFFER, write=SMALL_BUFFER)
            quick = await venue.client("QUICK")
            filling = asyncio.create_task(fill(slow, 2_000))
            session = venue.session("SLOW")
            seen = 0
            while seen < session.next_in:  # until the venue has stopped reading
                seen = session.next_in
                assert await quick.fence() == []
                await asyncio.sleep(0.05)
            assert seen < 2_000, "it takes no more requests than it can answer"
            names = [(await slow.receive())[11] for _ in range(2_000)]
            assert names == [str(number) for number in range(2_000)]
            await filling

    run(scenario())


def test_a_resend_to_a_slow_reader_waits_for_it(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    pages: list[int] = []
    real = SentMessages.fetch

    def counted(self: SentMessages, begin: int, end: int, at_most: int) -> list[tuple[int, bytes]]:
        pages.append(begin)
        return real(self, begin, end, at_most)

    monkeypatch.setattr(SentMessages, "fetch", counted)

    async def scenario() -> None:
        pages.clear()
        async with house() as venue:
            client = await venue.client("CLIENT", read=SMALL_BUFFER)
            count = 4 * PAGE_MESSAGES - 1
            ordering = asyncio.create_task(fill(client, count))
            for _ in range(count):
                await client.receive()
            await ordering
            await client.send("35=2|7=1|16=0|")
            quick = await venue.client("QUICK")
            await eventually(lambda: bool(pages))
            await asyncio.sleep(0.1)
            assert await quick.fence() == []
            assert len(pages) == 1, "the first page fills the buffers; the next one is not fetched"
            numbers = [int((await client.receive())[34]) for _ in range(count + 1)]
            assert numbers == list(range(1, count + 2))
            assert len(pages) == 4

    run(scenario())


def ask_without_reading(client: Client, last: bytes = b"") -> None:
    """Orders and something last, all in one piece; more comes back than the buffers take."""
    text = "58=" + "x" * 10_000 + "|"
    orders = [client.order(str(number), text) for number in range(6)]
    client.send_now(b"".join(orders) + (last or client.message("35=5|")))


def test_who_does_not_read_our_logout_is_disconnected_in_time(run: Run) -> None:
    async def scenario() -> None:
        async with house(logout_timeout_s=0.1) as venue:
            client = await venue.client("CLIENT", "98=0|108=0|", read=SMALL_BUFFER)
            ask_without_reading(client, b"8=FIX.4.4\x019=99999999\x0135=D\x01")
            await eventually(lambda: venue.session("CLIENT").state is State.LOGGING_OUT)
            await asyncio.sleep(0.5)
            assert venue.session("CLIENT").state is State.DISCONNECTED

    run(scenario())


def test_who_does_not_read_the_last_of_it_does_not_keep_the_connection(run: Run) -> None:
    async def scenario() -> None:
        async with house(logout_timeout_s=0.1) as venue:
            client = await venue.client("CLIENT", read=SMALL_BUFFER)
            ask_without_reading(client)
            await eventually(lambda: venue.session("CLIENT").state is State.DISCONNECTED)
            await asyncio.sleep(0.5)
            assert not venue.server._acceptor._connections

    run(scenario())


# --- time ---------------------------------------------------------------------------------


def test_heartbeats_a_test_request_and_the_end_of_a_silent_peer() -> None:
    async def silent(client: Client) -> list[tuple[str, float]]:
        started = time.monotonic()
        came = [((await client.receive())[35], time.monotonic() - started) for _ in range(2)]
        assert await client.closed() == b""
        return [*came, ("end", time.monotonic() - started)]

    async def alive(client: Client) -> list[str]:
        came: list[str] = []
        while came.count("1") < 2:
            message = await client.receive()
            came.append(message[35])
            if message[35] == "1":
                await client.send(f"35=0|112={message[112]}|")
        return came

    async def scenario() -> None:
        async with house() as venue:
            dead, well = [await venue.client(name, "98=0|108=1|") for name in ("DEAD", "WELL")]
            came, types = await asyncio.gather(silent(dead), alive(well))
            assert [what for what, _ in came] == ["0", "1", "end"]
            for (what, when), due in zip(came, (1.0, 1.2, 2.2), strict=True):
                assert due - 0.05 <= when < due + 1, what
            assert types == ["0", "1", "0", "1"]
            assert await well.fence() == []

    uvloop.run(scenario())


def test_without_an_interval_there_are_no_timers(run: Run) -> None:
    async def scenario() -> None:
        async with house() as venue:
            client = await venue.client("CLIENT", "98=0|108=0|")
            assert venue.session("CLIENT").deadline() is None
            assert await client.fence() == []

    run(scenario())


@pytest.mark.parametrize("interval", [2**31 - 1, 10**9])
def test_an_absurd_interval_does_no_harm(run: Run, interval: int) -> None:
    async def scenario() -> None:
        async with house() as venue:
            client = await venue.client("CLIENT", f"98=0|108={interval}|")
            assert await client.fence() == []

    run(scenario())


# --- the end of a connection --------------------------------------------------------------


def test_a_logout_is_answered_and_the_connection_closed(run: Run) -> None:
    async def scenario() -> None:
        async with house() as venue:
            client = await venue.client("CLIENT")
            await client.send_raw(client.order("a") + client.message("35=5|"))
            assert (await client.receive())[35] == "D"
            assert (await client.receive())[35] == "5"
            assert await client.closed() == b""

    run(scenario())


@pytest.mark.parametrize("how", ["close", "reset"])
def test_a_session_goes_on_after_its_connection_breaks(run: Run, how: str) -> None:
    async def scenario() -> None:
        async with house() as venue:
            client = await venue.client("CLIENT")
            await client.send_raw(client.order("a"))
            await client.until("D")
            getattr(client, how)()
            session = venue.session("CLIENT")
            await eventually(lambda: session.state is State.DISCONNECTED)
            for endpoint in venue.server.registry:
                endpoint.send(b"D", b"11=away\x01")
            back = await venue.caller("CLIENT")
            back.seq = client.seq
            await back.send(LOGON)
            assert (await back.receive())[34] == "4"
            await back.send("35=2|7=3|16=3|")
            missed = await back.receive()
            assert (missed[34], missed[43], missed[11]) == ("3", "Y", "away")

    run(scenario())


@pytest.mark.parametrize("how", ["close", "reset"])
def test_who_asks_and_is_gone_at_once_harms_nobody(run: Run, how: str) -> None:
    async def scenario() -> None:
        async with house() as venue:
            other = await venue.client("OTHER")
            for number in range(20):
                client = await venue.client(f"C{number}")
                await client.send_raw(client.order("a"))
                getattr(client, how)()
                assert await other.fence() == []
                assert not venue.run.done()

    run(scenario())


class Relay(EchoApplication):
    """Sends every order to everybody else."""

    def __init__(self) -> None:
        super().__init__(dictionary())
        self._peers: dict[int, Peer] = {}

    def on_logon(self, peer: Peer, logon: Message) -> None:
        super().on_logon(peer, logon)
        self._peers[peer.number] = peer

    def on_message(self, peer: Peer, message: Message) -> None:
        for number, other in self._peers.items():
            if number != peer.number:
                other.send(message.msg_type, b"11=relayed\x01")


@pytest.mark.parametrize("how", ["close", "reset"])
def test_who_is_gone_when_something_is_written_to_it_harms_nobody(run: Run, how: str) -> None:
    """On uvloop a transport that is closed may not be written to."""

    async def scenario() -> None:
        async with house(application=Relay()) as venue:
            other = await venue.client("OTHER")
            for seq in range(1, 21, 2):
                client = await venue.caller("CLIENT")
                client.seq = (seq + 1) // 2
                await client.send(LOGON)
                assert (await client.receive())[34] == str(seq)
                order = other.order("a")
                getattr(client, how)()
                other.send_now(order)
                assert await other.fence() == []
                await eventually(lambda: venue.session("CLIENT").state is State.DISCONNECTED)

    run(scenario())


def test_what_a_peer_sends_after_the_end_is_not_read(run: Run) -> None:
    async def scenario() -> None:
        async with house() as venue:
            client = await venue.client("CLIENT")
            await client.send_raw(client.message("35=5|") + client.order("a"))
            (last,) = [as_dict(raw + b"\x01") for raw in [await client.closed()] if raw]
            assert last[35] == "5"
            assert venue.session("CLIENT").next_in == 3

    run(scenario())
