"""Who is let in and who is not, over real loopback sockets."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from fix_engine.states import State
from sessions.authority import AccessRules
from sessions.credentials import Outcome, PasswordCredential
from tests.sessions.gate import (
    DELAY_S,
    LOGONS,
    Held,
    enter,
    everybody,
    gate,
    hmac_logon,
    is_served,
    password_logon,
    profile,
    refused_after,
    signed_logon,
)
from tests.sessions.tcp import Client, Run, eventually
from tests.support.proofs import PASSWORD

# --- who is let in ------------------------------------------------------------------------


def test_each_method_lets_its_session_in_and_orders_right_behind_the_logon_are_served(
    run: Run,
) -> None:
    async def scenario() -> None:
        async with gate(profiles=everybody()) as venue:
            for name, logon in LOGONS.items():
                client = await venue.caller(name.upper())
                packet = logon(client) + client.order("a") + client.order("b")
                await client.send_raw(packet)
                came = await client.fence()
                assert [(m[35], m.get(11)) for m in came] == [("A", None), ("D", "a"), ("D", "b")]
            assert venue.counts == (3, 0, 0)

    run(scenario())


def test_orders_that_come_while_the_password_is_checked_wait_and_are_served_in_order(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def scenario() -> None:
        with monkeypatch.context() as patch:
            held = Held(patch)
            async with gate() as venue:
                client = await venue.caller()
                await client.send_raw(password_logon(client) + client.order("0"))
                await held.one()
                names = [str(number) for number in range(1, 200)]
                for name in names:
                    await client.send_raw(client.order(name))
                assert venue.counts == (1, 1, 1), "nobody yet"
                held.release()
                came = await client.fence()
                assert [message.get(11) for message in came] == [None, "0", *names]

    run(scenario())


def test_half_of_an_order_behind_the_logon_waits_for_its_other_half(run: Run) -> None:
    async def scenario() -> None:
        async with gate() as venue:
            client = await venue.caller()
            logon, order = password_logon(client), client.order("whole")
            await client.send_raw(logon + order[:40])
            assert (await client.receive())[35] == "A"
            await client.send_raw(order[40:])
            assert (await client.receive())[11] == "whole"

    run(scenario())


def test_a_logon_in_pieces_is_one_logon(run: Run) -> None:
    async def scenario() -> None:
        async with gate() as venue:
            client = await venue.caller()
            for byte in password_logon(client):
                await client.send_raw(bytes((byte,)))
                await asyncio.sleep(0)
            assert (await client.receive())[35] == "A"
            assert await is_served(client)

    run(scenario())


def test_the_answer_to_a_logon_repeats_no_secret(run: Run) -> None:
    async def scenario() -> None:
        async with gate(profiles=everybody()) as venue:
            for name, logon in LOGONS.items():
                client = await venue.caller(name.upper())
                await client.send_raw(logon(client))
                assert {95, 96, 553, 554, 925, 5025}.isdisjoint(await client.receive())

    run(scenario())


def test_a_new_password_holds_from_now_on(run: Run) -> None:
    async def scenario() -> None:
        async with gate() as venue:
            client = await venue.caller()
            await enter(client, password_logon(client, more="925=a longer new one|"))
            client.close()
            await eventually(lambda: venue.session("CLIENT").state is State.DISCONNECTED)
            old = await venue.caller()
            await refused_after(old, password_logon(old))
            new = await venue.caller()
            new.seq = 2
            await enter(new, password_logon(new, "a longer new one"))

    run(scenario())


def test_a_new_password_that_will_not_do_is_answered_by_a_logout_that_says_so(run: Run) -> None:
    async def scenario() -> None:
        async with gate() as venue:
            client = await venue.caller()
            await client.send_raw(password_logon(client, more="925=short|"))
            logout = await client.receive()
            assert logout[35] == "5"
            assert logout[58].startswith("NewPassword (925) must have 12 to 256 bytes")
            assert await client.closed() == b""
            again = await venue.caller()
            again.seq = venue.session("CLIENT").next_in
            await enter(again)

    run(scenario())


def test_a_new_password_is_kept_only_when_the_logon_is_accepted(run: Run) -> None:
    async def scenario() -> None:
        async with gate() as venue:
            client = await venue.caller()
            await enter(client)
            await client.fence()
            client.close()
            await eventually(lambda: venue.session("CLIENT").state is State.DISCONNECTED)
            low = await venue.caller()
            await low.send_raw(password_logon(low, more="925=a longer new one|"))
            assert (await low.receive())[58].startswith("MsgSeqNum too low")
            assert await low.closed() == b""
            again = await venue.caller()
            again.seq = 3
            await enter(again, password_logon(again))

    run(scenario())


def test_a_proof_that_was_overheard_is_worth_nothing(run: Run) -> None:
    async def scenario() -> None:
        for name, make in (("SIGNATURE", signed_logon), ("HMAC", hmac_logon)):
            async with gate(profiles=everybody()) as venue:
                client = await venue.caller(name)
                logon = make(client)
                await enter(client, logon)
                client.close()
                await eventually(lambda: venue.session(name).state is State.DISCONNECTED)  # noqa: B023
                thief = await venue.caller(name)
                await refused_after(thief, logon)
                back = await venue.caller(name)
                back.seq = 2
                await enter(back, make(back))

    run(scenario())


def test_a_proof_whose_logon_was_refused_aloud_is_used_up_too(run: Run) -> None:
    async def scenario() -> None:
        async with gate(profiles=everybody()) as venue:
            client = await venue.caller("SIGNATURE")
            await enter(client, signed_logon(client))
            client.close()
            await eventually(lambda: venue.session("SIGNATURE").state is State.DISCONNECTED)
            low = await venue.caller("SIGNATURE")
            logon = signed_logon(low)
            await low.send_raw(logon)
            assert (await low.receive())[58].startswith("MsgSeqNum too low")
            thief = await venue.caller("SIGNATURE")
            await refused_after(thief, logon)

    run(scenario())


def test_a_proof_of_a_session_that_is_live_already_is_used_up_too(run: Run) -> None:
    async def scenario() -> None:
        async with gate(profiles=everybody()) as venue:
            client = await venue.caller("SIGNATURE")
            await enter(client, signed_logon(client))
            second = await venue.caller("SIGNATURE")
            second.seq = 2
            overheard = signed_logon(second)
            await refused_after(second, overheard)
            client.close()
            await eventually(lambda: venue.session("SIGNATURE").state is State.DISCONNECTED)
            thief = await venue.caller("SIGNATURE")
            await refused_after(thief, overheard)

    run(scenario())


# --- who is not ---------------------------------------------------------------------------

WRONG: dict[str, tuple[str, Callable[[Client], bytes]]] = {
    "password": ("PASSWORD", lambda c: password_logon(c, "wrong")),
    "unknown": ("NOBODY", password_logon),
    "no-credentials": ("PASSWORD", lambda c: c.message("35=A|98=0|108=30|")),
    "username": ("PASSWORD", lambda c: c.message(f"35=A|98=0|108=30|553=X|554={PASSWORD}|")),
    "method": ("PASSWORD", signed_logon),
    "signature": ("SIGNATURE", lambda c: c.message("35=A|98=0|108=30|95=4|96=AAAA|")),
    "hmac": ("HMAC", lambda c: c.message("35=A|98=0|108=30|553=HMAC|554=AAAA|5025=1|")),
    "address": ("BOUND", password_logon),
    "certificate": ("CERTIFIED", password_logon),
}


def test_whatever_is_wrong_nothing_is_said_and_the_end_comes_after_the_same_time(run: Run) -> None:
    async def scenario() -> None:
        special = [
            profile("BOUND", networks=["192.0.2.0/24"]),
            profile("CERTIFIED", certificate="client.one"),
        ]
        delay_s = 0.2  # what a slow machine adds is little of it
        rules = AccessRules(free_failures=100, refusal_delay_s=delay_s, checks_at_once=4)
        async with gate(profiles=[*everybody(), *special], access=rules) as venue:
            callers = {what: await venue.caller(comp_id) for what, (comp_id, _) in WRONG.items()}
            ends = await asyncio.gather(
                *(
                    refused_after(callers[what], make(callers[what]))
                    for what, (_, make) in WRONG.items()
                )
            )
            for what, after in zip(WRONG, ends, strict=True):
                assert after >= delay_s, what
            assert venue.counts == (0, 0, 0)
            assert all(endpoint.session.next_in == 1 for endpoint in venue.server.registry)

    run(scenario())


def test_who_has_failed_too_often_sees_the_same_as_who_fails(run: Run) -> None:
    async def scenario() -> None:
        rules = AccessRules(free_failures=1, longest_wait_s=60, refusal_delay_s=DELAY_S)
        async with gate(access=rules) as venue:
            for password in ("wrong", "wrong", PASSWORD, PASSWORD):
                caller = await venue.caller()
                assert await refused_after(caller, password_logon(caller, password)) >= DELAY_S
            assert list(venue.server.registry) == [], "the right one came too late"

    run(scenario())


def test_who_is_refused_cannot_try_again_on_the_same_connection(run: Run) -> None:
    async def scenario() -> None:
        async with gate() as venue:
            caller = await venue.caller()
            await refused_after(caller, password_logon(caller, "wrong") + password_logon(caller))
            assert list(venue.server.registry) == []

    run(scenario())


@pytest.mark.parametrize("replaces_live", [False, True])
def test_a_live_session_is_not_ended_by_somebody_who_cannot_prove_who_he_is(
    run: Run, replaces_live: bool
) -> None:
    async def scenario() -> None:
        async with gate(profiles=everybody(), replaces_live=replaces_live) as venue:
            client = await venue.caller("PASSWORD")
            await enter(client)
            for what in ("password", "no-credentials", "username", "method"):
                caller = await venue.caller("PASSWORD")
                await refused_after(caller, WRONG[what][1](caller))
                assert await is_served(client, what)

    run(scenario())


@pytest.mark.parametrize("replaces_live", [False, True])
def test_a_second_logon_that_proves_itself_is_refused_or_replaces_the_first(
    run: Run, replaces_live: bool
) -> None:
    async def scenario() -> None:
        async with gate(replaces_live=replaces_live) as venue:
            first, second = await venue.caller(), await venue.caller()
            await enter(first)
            second.seq = first.seq
            await second.send_raw(password_logon(second))
            if replaces_live:
                assert (await first.receive())[58].startswith("Another connection")
                assert await first.closed() == b""
                assert (await second.receive())[35] == "A"
                assert await is_served(second)
            else:
                assert await second.closed() == b""
                assert await is_served(first)

    run(scenario())


def test_of_two_that_prove_themselves_at_once_one_is_let_in(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def scenario() -> None:
        with monkeypatch.context() as patch:
            held = Held(patch)
            async with gate() as venue:
                callers = [await venue.caller() for _ in range(2)]
                for caller in callers:
                    await caller.send_raw(password_logon(caller))
                await eventually(lambda: venue.counts == (2, 2, 1))
                await held.one()
                held.release()
                await eventually(lambda: venue.counts == (1, 0, 0))
                assert venue.session("CLIENT").state is State.ACTIVE

    run(scenario())


def test_a_flood_of_wrong_passwords_does_not_hold_up_a_live_session(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def scenario() -> None:
        with monkeypatch.context() as patch:
            async with gate() as venue:
                client = await venue.caller()
                await enter(client)
                held = Held(patch)
                callers = [await venue.caller() for _ in range(15)]
                for caller in callers:
                    await caller.send_raw(password_logon(caller, "wrong"))
                await held.one()
                for number in range(20):
                    assert await is_served(client, str(number))
                assert held.began == 1, "one at once, and it is still running"
                assert venue.counts == (16, 15, 1)
                held.release()
                for caller in callers:
                    assert await caller.closed() == b""
                assert venue.counts == (1, 0, 0)

    run(scenario())


def test_a_check_that_breaks_refuses_and_harms_nobody(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> Outcome:
        raise MemoryError("no memory for argon2")

    async def scenario() -> None:
        with monkeypatch.context() as patch:
            async with gate() as venue:
                client = await venue.caller()
                await enter(client)
                patch.setattr(PasswordCredential, "check", broken)
                caller = await venue.caller()
                await refused_after(caller, password_logon(caller))
                assert await is_served(client)

    run(scenario())
