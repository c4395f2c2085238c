"""TLS over real loopback sockets: versions, certificates of both sides, half a handshake."""

from __future__ import annotations

import asyncio
import ssl
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from fix_engine.states import State
from sessions.connection import ConnectionLimits
from sessions.tls import ServerTls, TlsFiles
from tests.sessions.gate import (
    LOGONS,
    asking,
    author,
    enter,
    everybody,
    gate,
    gone,
    is_served,
    password_logon,
    profile,
)
from tests.sessions.tcp import Run, eventually
from tests.support.certificates import (
    authority,
    client_context,
    venue_certificate,
)

FAST = ConnectionLimits(logon_timeout_s=0.3, closing_timeout_s=0.3)


@pytest.fixture
def files(tmp_path: Path) -> TlsFiles:
    """The venue's certificate and key, on disk."""
    return TlsFiles(*venue_certificate().write(tmp_path / "venue", "venue"))


# --- a session over TLS -------------------------------------------------------------------


def test_each_method_logs_on_and_trades_over_tls_and_plain_tcp_goes_on_beside_it(
    run: Run, files: TlsFiles
) -> None:
    async def scenario() -> None:
        async with gate(profiles=[*everybody(), profile()], tls=ServerTls(files)) as venue:
            plain = await venue.caller()
            await enter(plain)
            for name, logon in LOGONS.items():
                client = await venue.secure(client_context(), name.upper())
                await enter(client, logon(client))
                await client.send_raw(client.order("a") + client.order("b"))
                assert [message[11] for message in await client.fence()] == ["a", "b"]
            assert await is_served(plain)
            assert venue.counts == (4, 0, 0)
            await client.send("35=5|")
            assert (await client.receive())[35] == "5"
            assert await client.closed() == b""

    run(scenario())


@pytest.mark.parametrize("name", LOGONS)
def test_a_logon_in_one_piece_with_the_end_of_the_handshake_is_answered_by_tls(
    run: Run, files: TlsFiles, name: str
) -> None:
    async def scenario() -> None:
        bound = [
            profile(one.username.decode(), one.credential, "client.one") for one in everybody()
        ]
        own = client_context(files.certificate.parent, authority().issue("client.one"))
        async with gate(profiles=bound, tls=asking(files, "optional")) as venue:
            speaker = author(name.upper())
            said = LOGONS[name](speaker) + speaker.order("behind it")
            client = await venue.secure(own, name.upper(), and_say=said)
            assert (await client.receive())[35] == "A"
            assert (await client.receive())[11] == "behind it"
            client.seq = speaker.seq
            assert await is_served(client)

    run(scenario())


def test_many_orders_in_large_and_small_pieces_come_through(run: Run, files: TlsFiles) -> None:
    async def scenario() -> None:
        async with gate(tls=ServerTls(files)) as venue:
            client = await venue.secure(client_context())
            names = [str(number) for number in range(500)]
            await client.send_raw(password_logon(client) + b"".join(map(client.order, names)))
            for byte in client.order("slow"):
                await client.send_raw(bytes((byte,)))
            came = [message.get(11) for message in await client.fence()]
            assert came == [None, *names, "slow"]

    run(scenario())


def test_over_tls_a_refusal_says_nothing_either(run: Run, files: TlsFiles) -> None:
    async def scenario() -> None:
        async with gate(tls=ServerTls(files)) as venue:
            for said in (password_logon(author(), "wrong"), b"GET / HTTP/1.1\r\n\r\n"):
                client = await venue.secure(client_context())
                await client.send_raw(said)
                assert await client.closed() == b""
            await gone(venue)

    run(scenario())


def test_who_is_connected_by_tls_and_logs_on_too_late_is_disconnected(
    run: Run, files: TlsFiles
) -> None:
    async def scenario() -> None:
        async with gate(tls=ServerTls(files), limits=FAST) as venue:
            client = await venue.secure(client_context())
            assert venue.counts[:2] == (1, 1)
            assert await client.closed() == b""
            await gone(venue)

    run(scenario())


@pytest.mark.parametrize("how", ["close", "reset"])
def test_a_session_goes_on_after_its_tls_connection_breaks(
    run: Run, files: TlsFiles, how: str
) -> None:
    async def scenario() -> None:
        async with gate(tls=ServerTls(files)) as venue:
            client = await venue.secure(client_context())
            await enter(client)
            getattr(client, how)()
            await eventually(lambda: venue.session("CLIENT").state is State.DISCONNECTED)
            await gone(venue)
            back = await venue.secure(client_context())
            back.seq = 2
            await enter(back)

    run(scenario())


# --- half a handshake ---------------------------------------------------------------------

HALF = {
    "nothing": b"",
    "FIX": b"8=FIX.4.4\x019=5\x0135=0\x0110=163\x01",
    "HTTP": b"GET / HTTP/1.1\r\n\r\n",
    "half a hello": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
    "zeros": bytes(4_000),
}
#: RFC 8446, 5.: allowed in a handshake, and nowhere else; some engines send it too late.
CHANGE_CIPHER_SPEC = b"\x14\x03\x03\x00\x01\x01"


@pytest.mark.parametrize("said", HALF)
def test_who_does_not_finish_the_handshake_is_disconnected_and_not_counted(
    run: Run, files: TlsFiles, said: str
) -> None:
    async def scenario() -> None:
        async with gate(tls=ServerTls(files), limits=FAST) as venue:
            other = await venue.secure(client_context())
            await enter(other)
            caller = await venue.unsecured()
            await caller.send_raw(HALF[said])
            rest = await caller.closed()
            assert b"FIX" not in rest, "an alert at most"
            await eventually(lambda: venue.counts == (1, 0, 0))
            assert await is_served(other)

    run(scenario())


@pytest.mark.parametrize("how", ["close", "reset"])
@pytest.mark.parametrize("said", ["nothing", "half a hello"])
def test_who_is_gone_in_the_middle_of_the_handshake_is_not_counted(
    run: Run, files: TlsFiles, said: str, how: str
) -> None:
    async def scenario() -> None:
        limits = ConnectionLimits(max_strangers_by_address=2)
        async with gate(tls=ServerTls(files), limits=limits) as venue:
            for _ in range(3):
                caller = await venue.unsecured()
                await caller.send_raw(HALF[said])
                await eventually(lambda: venue.counts[1] == 1)
                getattr(caller, how)()
                await gone(venue)

    run(scenario())


def test_the_log_says_what_was_wrong_behind_a_handshake(run: Run, files: TlsFiles) -> None:
    async def scenario() -> None:
        async with gate(tls=ServerTls(files)) as venue:
            client = await venue.secure(client_context())
            await eventually(lambda: venue.counts[1] == 1)
            with capture_logs() as entries:
                client.send_now(CHANGE_CIPHER_SPEC)
                await gone(venue)
            assert [(entry["event"], entry["log_level"]) for entry in entries] == [
                ("TLS failed", "warning")
            ]
            assert entries[0]["reason"].isupper()

    run(scenario())


def test_handshakes_count_as_strangers_from_their_first_moment(run: Run, files: TlsFiles) -> None:
    async def scenario() -> None:
        limits = ConnectionLimits(max_strangers_by_address=2)
        async with gate(tls=ServerTls(files), limits=limits) as venue:
            waiting = [await venue.unsecured() for _ in range(2)]
            await eventually(lambda: venue.counts == (2, 2, 1))
            refused = await venue.unsecured()
            assert await refused.closed() == b""
            waiting[0].close()
            await eventually(lambda: venue.counts == (1, 1, 1))
            await enter(await venue.secure(client_context()))

    run(scenario())


def test_the_venue_closes_in_the_middle_of_handshakes(run: Run, files: TlsFiles) -> None:
    async def scenario() -> None:
        async with gate(tls=ServerTls(files)) as venue:
            callers = [await venue.unsecured() for _ in range(3)]
            await callers[0].send_raw(HALF["half a hello"])
            await eventually(lambda: venue.counts[1] == 3)
            await venue.stop()
            for caller in callers:
                await caller.closed()
            assert venue.counts == (0, 0, 0)

    run(scenario())


# --- versions -----------------------------------------------------------------------------


def test_tls_1_2_is_refused_by_default_and_accepted_by_setting(run: Run, files: TlsFiles) -> None:
    old = client_context(version=ssl.TLSVersion.TLSv1_2)

    async def scenario() -> None:
        async with gate(tls=ServerTls(files)) as venue:
            with pytest.raises((ssl.SSLError, ConnectionError)):
                await venue.secure(old)
            await gone(venue)
        files.min_version = "1.2"
        async with gate(tls=ServerTls(files)) as venue:
            for context in (old, client_context()):
                client = await venue.secure(context)
                client.seq = venue.session("CLIENT").next_in if context is not old else 1
                await enter(client)
                assert await is_served(client)
                client.close()
                await eventually(lambda: venue.session("CLIENT").state is State.DISCONNECTED)

    run(scenario())


def test_a_flood_of_handshakes_does_not_hold_up_a_live_session(run: Run, files: TlsFiles) -> None:
    async def scenario() -> None:
        async with gate(tls=ServerTls(files)) as venue:
            client = await venue.secure(client_context())
            await enter(client)
            callers = [await venue.unsecured() for _ in range(20)]
            halves = [caller.send_raw(HALF["half a hello"]) for caller in callers]
            await asyncio.gather(*halves)
            await eventually(lambda: venue.counts == (21, 20, 1))
            for number in range(10):
                assert await is_served(client, str(number))
            assert venue.counts == (21, 20, 1)

    run(scenario())
