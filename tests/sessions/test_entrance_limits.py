"""What strangers may cost: time, bytes, places; and that nobody is counted who is gone."""

from __future__ import annotations

from pathlib import Path

import pytest

from sessions.connection import ConnectionLimits
from sessions.credentials import PasswordCredential
from sessions.journal import Durability, Journal, Kind
from tests.sessions.gate import (
    LOGONS,
    Held,
    enter,
    everybody,
    gate,
    gone,
    password_hash,
    password_logon,
    profile,
)
from tests.sessions.tcp import Run, eventually
from tests.support.proofs import PASSWORD

# --- time, size and number ----------------------------------------------------------------


def test_the_deadline_before_the_logon_is_not_one_for_the_check_itself(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def scenario() -> None:
        with monkeypatch.context() as patch:
            held = Held(patch)
            async with gate(limits=ConnectionLimits(logon_timeout_s=0.2)) as venue:
                client, idle = await venue.caller(), await venue.caller()
                await client.send_raw(password_logon(client))
                await held.one()
                assert await idle.closed() == b"", "it was met"
                held.release()
                assert (await client.receive())[35] == "A"

    run(scenario())


def test_too_much_behind_a_logon_that_is_not_accepted_yet_is_refused(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Reading is paused, but a transport may have more to deliver."""

    async def scenario() -> None:
        with monkeypatch.context() as patch:
            patch.setattr("sessions.entrance._MAX_HELD_BYTES", 10_000)
            held = Held(patch)
            async with gate() as venue:
                client = await venue.caller()
                await client.send_raw(password_logon(client))
                await held.one()
                (entrance,) = venue.server._acceptor._strangers
                entrance.data_received(b"x" * 10_000)
                assert venue.counts == (1, 1, 1)
                entrance.data_received(b"x")
                assert await client.closed() == b""
                assert venue.counts == (0, 0, 0)
                held.release()

    run(scenario())


@pytest.mark.parametrize("how", ["close", "reset"])
@pytest.mark.parametrize("said", ["nothing", "half", "wrong", "right", "session"])
def test_who_is_gone_is_not_counted_however_it_went(run: Run, how: str, said: str) -> None:
    async def scenario() -> None:
        async with gate(limits=ConnectionLimits(max_strangers_by_address=2)) as venue:
            for _ in range(3):  # more than may wait at once
                caller = await venue.caller()
                if venue.server.registry._by_peer:
                    caller.seq = venue.session("CLIENT").next_in
                logon = password_logon(caller, "wrong" if said == "wrong" else PASSWORD)
                if said == "session":
                    await enter(caller, logon)
                elif said != "nothing":
                    await caller.send_raw(logon[:50] if said == "half" else logon)
                else:
                    await eventually(lambda: venue.counts[1] == 1)
                getattr(caller, how)()
                await gone(venue)

    run(scenario())


def test_the_venue_may_close_while_passwords_are_being_checked(
    run: Run, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async def scenario() -> None:
        with monkeypatch.context() as patch:
            held = Held(patch)
            async with gate() as venue:
                callers = [await venue.caller() for _ in range(3)]
                for caller in callers:
                    await caller.send_raw(password_logon(caller))
                await held.one()
                await venue.stop()
                for caller in callers:
                    assert await caller.closed() == b""
                assert venue.counts == (0, 0, 0)
                held.release()
                assert held.began == 1, "those who have gone are not checked any more"

    run(scenario())
    assert caplog.records == []


def test_whose_address_is_in_no_network_is_not_even_listened_to(run: Run) -> None:
    async def scenario() -> None:
        inside, outside = (
            profile(networks=[net]).networks for net in ("127.0.0.0/8", "10.0.0.0/8")
        )
        async with gate(limits=ConnectionLimits(networks=inside)) as venue:
            await enter(await venue.caller())
        async with gate(limits=ConnectionLimits(networks=outside)) as venue:
            caller = await venue.caller()
            assert await caller.closed() == b""
            assert venue.counts == (0, 0, 0)

    run(scenario())


def test_a_session_may_log_on_from_its_own_networks_alone(run: Run) -> None:
    async def scenario() -> None:
        ours = profile(networks=["192.0.2.0/24", "127.0.0.1/32"])
        async with gate(profiles=[ours]) as venue:
            await enter(await venue.caller())

    run(scenario())


def test_a_proof_and_a_new_password_are_in_the_journal(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def scenario() -> None:
        kept: list[tuple[Kind, bytes]] = []
        journal = Journal(Path(), Durability.MEMORY)
        real = journal.add

        def add(kind: Kind, session: int, seq: int, next_in: int, payload: bytes = b"") -> int:
            kept.append((kind, payload))
            return real(kind, session, seq, next_in, payload)

        monkeypatch.setattr(journal, "add", add)
        people = [profile("PASSWORD", PasswordCredential(password_hash())), *everybody()[1:]]
        async with gate(profiles=people, journal=journal) as venue:
            for name, logon in LOGONS.items():
                client = await venue.caller(name.upper())
                if name == "password":
                    await enter(client, password_logon(client, more="925=a longer new one|"))
                else:
                    await enter(client, logon(client))
        found = [payload.split(b" ")[0] for kind, payload in kept if kind is Kind.CREDENTIAL]
        assert found == [b"host", b"password", b"host", b"proof", b"host", b"proof"]

    run(scenario())
