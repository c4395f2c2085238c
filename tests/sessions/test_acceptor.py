"""The server as a whole: its beginning, and its end in good order or at once."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

import pytest

from fix_engine.states import State
from sessions.acceptor import ListenError, bind, is_loopback
from sessions.journal import Durability, Journal, JournalError, segment_path
from tests.sessions.tcp import FAREWELL, SMALL_BUFFER, Run, eventually, house
from tests.sessions.test_connection import LOGON, fill


class Failing(Journal):
    """A journal whose disk is full when it is told so."""

    def __init__(self) -> None:
        super().__init__(Path(), Durability.MEMORY)
        self.is_full = False

    def commit(self, stamp: int) -> None:
        if self.is_full:
            raise JournalError("no room")
        super().commit(stamp)


# --- an address ---------------------------------------------------------------------------


def test_a_taken_port_is_told_in_one_line() -> None:
    with bind("127.0.0.1", 0) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(ListenError) as error:
            bind("127.0.0.1", port)
    assert str(error.value) == (
        f"cannot listen on 127.0.0.1:{port}: something listens there already; "
        "stop it or choose another --port"
    )


def test_an_address_that_is_not_ours_is_told_in_one_line() -> None:
    for host in ("192.0.2.1", "no such host.invalid"):
        with pytest.raises(ListenError, match=f"cannot listen on {host}:0: .+") as error:
            bind(host, 0)
        assert "\n" not in str(error.value)


def test_a_port_is_free_again_when_its_listener_is_closed() -> None:
    with bind("127.0.0.1", 0) as first:
        port = first.getsockname()[1]
    with bind("127.0.0.1", port) as second:
        assert second.getsockname()[1] == port


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("127.0.0.1", True),
        ("127.8.9.1", True),
        ("localhost", True),
        ("::1", True),
        ("0.0.0.0", False),
        ("::", False),
        ("192.0.2.1", False),
        ("", False),
        ("no such host.invalid", False),
    ],
)
def test_loopback_is_told_from_the_rest(host: str, expected: bool) -> None:
    assert is_loopback(host) is expected


# --- an end in good order -----------------------------------------------------------------


def test_everybody_is_logged_out_with_the_farewell(run: Run) -> None:
    async def scenario() -> None:
        async with house(logout_timeout_s=5) as venue:
            clients = [await venue.client(name) for name in ("A", "B", "C")]
            caller = await venue.caller()
            await asyncio.sleep(0.01)
            stopping = asyncio.create_task(venue.stop())
            for client in clients:
                logout = await client.receive()
                assert (logout[35], logout[58]) == ("5", FAREWELL)
                await client.send("35=5|")
            assert await caller.closed() == b""
            for client in clients:
                assert await client.closed() == b""
            started = time.monotonic()
            await stopping
            assert time.monotonic() - started < 3, "nobody is waited for who has gone"
            with pytest.raises(ConnectionRefusedError):
                await venue.caller()

    run(scenario())


def test_a_peer_that_does_not_answer_is_waited_for_and_then_left(run: Run) -> None:
    async def scenario() -> None:
        async with house(logout_timeout_s=0.2) as venue:
            client = await venue.client("A")
            started = time.monotonic()
            await venue.stop()
            assert 0.15 < time.monotonic() - started < 3
            assert (await client.receive())[35] == "5"
            assert await client.closed() == b""

    run(scenario())


def test_with_nobody_there_the_end_is_at_once(run: Run) -> None:
    async def scenario() -> None:
        async with house(logout_timeout_s=5) as venue:
            gone = await venue.client("A")
            gone.close()
            await eventually(lambda: venue.session("A").state is State.DISCONNECTED)
            started = time.monotonic()
            await venue.stop()
            assert time.monotonic() - started < 3

    run(scenario())


def test_what_was_asked_before_the_end_is_answered_before_the_logout(run: Run) -> None:
    async def scenario() -> None:
        async with house() as venue:
            client = await venue.client("A")
            await client.send_raw(b"".join(client.order(str(number)) for number in range(50)))
            await client.until("D")
            await venue.stop()
            names = []
            while (message := await client.receive())[35] == "D":
                names.append(message[11])
            assert names == [str(number) for number in range(1, 50)]
            assert message[35] == "5"

    run(scenario())


def test_a_peer_that_does_not_read_does_not_keep_the_venue_open(run: Run) -> None:
    async def scenario() -> None:
        async with house(logout_timeout_s=0.1) as venue:
            slow = await venue.client("A", read=SMALL_BUFFER, write=SMALL_BUFFER)
            filling = asyncio.create_task(fill(slow, 300))
            await asyncio.sleep(0.1)
            started = time.monotonic()
            await venue.stop()
            assert time.monotonic() - started < 3
            filling.cancel()
            await asyncio.wait([filling])

    run(scenario())


# --- a restart ----------------------------------------------------------------------------


def test_a_session_is_taken_up_after_a_restart(run: Run, tmp_path: Path) -> None:
    async def before() -> None:
        async with house(journal=Journal(tmp_path, Durability.OS)) as venue:
            client = await venue.client("A")
            await client.send_raw(client.order("a"))
            await client.until("D")
            await venue.stop()

    async def after() -> None:
        async with house(journal=Journal(tmp_path, Durability.OS)) as venue:
            client = await venue.caller("A")
            client.seq = 3
            await client.send(LOGON)
            assert (await client.receive())[34] == "4", "after Logon, echo and Logout"
            await client.send("35=2|7=2|16=0|")
            echoed, skipped = await client.receive(), await client.receive()
            assert (echoed[35], echoed[34], echoed[43], echoed[11]) == ("D", "2", "Y", "a")
            assert (skipped[35], skipped[34], skipped[36]) == ("4", "3", "5")

    run(before())
    run(after())


# --- a journal that fails -----------------------------------------------------------------


def test_when_the_journal_fails_nobody_is_told_anything_more(run: Run) -> None:
    async def scenario() -> None:
        journal = Failing()
        async with house(journal=journal) as venue:
            clients = [await venue.client(name) for name in ("A", "B")]
            caller = await venue.caller()
            journal.is_full = True
            await clients[0].send_raw(clients[0].order("a"))
            for client in (*clients, caller):
                assert await client.closed() == b""
            with pytest.raises(JournalError, match="no room"):
                await venue.stop()

    run(scenario())


def test_the_end_after_a_full_disk_is_quiet(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Connections end after the journal is closed; that must not write to it any more."""

    async def scenario() -> None:
        async with house(journal=Journal(tmp_path, Durability.OS)) as venue:
            client = await venue.client("A")

            def fail(*_: object) -> int:
                raise OSError(28, "No space left on device")

            with monkeypatch.context() as patch:
                patch.setattr("sessions.journal.segment.os.pwrite", fail)
                await client.send_raw(client.order("a"))
                assert await client.closed() == b""
                with pytest.raises(JournalError, match="No space left on device"):
                    await venue.stop()

    run(scenario())


def test_a_connection_that_is_just_being_made_does_not_hinder_the_end() -> None:
    """The loop makes a protocol first and calls connection_made in a later iteration."""

    async def scenario() -> None:
        journal = Failing()
        async with house(journal=journal) as venue:
            venue.server._acceptor._entrance()
            journal.is_full = True
            venue.server.turn.open()
            with pytest.raises(JournalError):
                await asyncio.wait_for(asyncio.shield(venue.run), 0.5)

    asyncio.run(scenario())


def test_a_journal_that_cannot_be_trusted_stops_the_start(run: Run, tmp_path: Path) -> None:
    async def scenario() -> None:
        async with house(journal=Journal(tmp_path, Durability.OS)) as venue:
            for name in ("A", "B"):
                client = await venue.client(name)
                client.close()

    async def again() -> None:
        path = segment_path(tmp_path, 1)
        data = bytearray(path.read_bytes())
        data[60] ^= 1
        path.write_bytes(data)
        for snapshot in tmp_path.glob("snapshot-*"):  # with one, the start is read from there
            snapshot.unlink()
        journal = Journal(tmp_path, Durability.OS)
        with pytest.raises(JournalError, match="damaged at byte 32"):
            async with house(journal=journal):
                pass
        journal.close()

    run(scenario())
    run(again())
