"""Peers that want more than their share, in sense or in nonsense."""

from __future__ import annotations

import asyncio

from sessions.connection import ConnectionLimits
from tests.sessions.tcp import Run, house


def test_who_sends_much_at_once_does_not_keep_others_waiting(run: Run) -> None:
    async def scenario() -> None:
        async with house() as venue:
            greedy, modest = await venue.client("GREEDY"), await venue.client("MODEST")
            many = 5_000
            flood = b"".join(greedy.message("35=0|") for _ in range(many))
            sending = asyncio.create_task(greedy.send_raw(flood))
            assert await modest.fence() == []
            assert venue.session("GREEDY").next_in < many, "all of it went before"
            await sending
            assert await greedy.fence() == []
            assert venue.session("GREEDY").next_in == many + 3

    run(scenario())


def test_a_peer_that_makes_no_sense_for_long_is_logged_out(run: Run) -> None:
    async def scenario() -> None:
        async with house(ConnectionLimits(max_garbled=5)) as venue:
            garbled = await venue.client("GARBLED")
            await garbled.send_raw(b"8=F\x019=5\x0135=0\x0110=000\x01" * 5)
            assert await garbled.fence() == []
            await garbled.send_raw(b"8=F\x019=5\x0135=0\x0110=000\x01" * 50_000)
            assert (await garbled.until("5"))[58] == "6 garbled messages"

    run(scenario())


def test_few_messages_that_cost_much_do_not_keep_others_waiting_either(run: Run) -> None:
    async def scenario() -> None:
        async with house() as venue:
            greedy, modest = await venue.client("GREEDY"), await venue.client("MODEST")
            many, fields = 300, "1=1|" * 1_900
            flood = b"".join(greedy.message(f"35=0|{fields}") for _ in range(many))
            sending = asyncio.create_task(greedy.send_raw(flood))
            assert await modest.fence() == []
            assert venue.session("GREEDY").next_in < many / 2, "much of it went before"
            sending.cancel()
            await asyncio.wait([sending])

    run(scenario())
