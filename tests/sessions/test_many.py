"""Many connections at one moment."""

from __future__ import annotations

import asyncio

from fix_engine.timestamps import SECOND_NS
from sessions.timetable import Timetable
from tests.sessions.virtual import FAREWELL, Caller, VirtualVenue, run, venue
from tests.support.messages import fix

NOW = 1_800_000_000 * SECOND_NS
MANY = 200


def always() -> Timetable:
    return Timetable(None, False, ())


async def crowd(running: VirtualVenue, heartbeat_s: int = 3_600) -> list[Caller]:
    logon = f"98=0|108={heartbeat_s}|"
    return [await running.online(f"C{number}", 1, logon) for number in range(MANY)]


def test_the_first_of_many_at_one_moment_does_not_wait_for_the_last() -> None:
    async def scenario() -> None:
        async with venue(NOW, always()) as running:
            callers = await crowd(running)
            answered = []
            for one in callers:  # one round of the loop
                head = f"35=1|34={one.seq}|49={one.comp_id}|52=20270115-08:00:00|56=SEAMARK|"
                one._transport.arrive(fix(head + "112=x|"))
                answered.append(sum(bool(each._transport.received) for each in callers))
            assert answered[62] == 0, "one batch and one write for as many as that"
            assert answered[63:127] == [64] * 64
            assert answered[-1] == 192
            await asyncio.sleep(0)
            for one in callers:
                (answer,) = await one.told()
                assert (answer[35], answer[112]) == ("0", "x")

    run(scenario())


def test_heartbeats_of_all_are_due_at_one_moment_and_all_are_on_time() -> None:
    async def scenario() -> None:
        async with venue(NOW, always()) as running:
            callers = await crowd(running, heartbeat_s=10)
            await running.until(NOW + 9 * SECOND_NS)
            assert [await one.told() for one in callers] == [[]] * MANY
            await running.until(NOW + 10 * SECOND_NS + SECOND_NS // 10)
            for one in callers:
                assert [message[35] for message in await one.told()] == ["0"]

    run(scenario())


def test_heartbeats_that_are_overdue_do_not_wait_for_all_that_was_readable() -> None:
    async def scenario() -> None:
        async with venue(NOW, always()) as running:
            callers = await crowd(running, heartbeat_s=10)
            running._ahead += 11 * SECOND_NS  # and the loop has not come to its timers
            for one in callers[-64:]:  # one round of the loop
                head = f"35=1|34={one.seq}|49={one.comp_id}|52=20270115-08:00:11|56=SEAMARK|"
                one._transport.arrive(fix(head + "112=x|"))
            told = [[each[35] for each in one._transport.received] for one in callers[:64]]
            assert told == [["0"]] * 64

    run(scenario())


def test_connections_share_what_is_known_of_shapes() -> None:
    async def scenario() -> None:
        async with venue(NOW, always()) as running:
            await running.online("A")
            await running.online("B")
            one, other = (running.endpoint(name).wire._decoder for name in "AB")  # type: ignore[union-attr]
            assert one._shapes is other._shapes
            assert len(one._shapes) == 1

    run(scenario())


def test_all_are_told_that_the_venue_closes_and_nobody_keeps_it() -> None:
    async def scenario() -> None:
        async with venue(NOW, always()) as running:
            callers = await crowd(running)
            stranger = running.client("STRANGER")
        assert not stranger.is_connected
        for one in callers:
            assert not one.is_connected
            assert [(last[35], last[58]) for last in await one.told()] == [("5", FAREWELL)]

    run(scenario())
