"""Peers that talk nonsense, before a Logon and after it, while a well-behaved one is served."""

from __future__ import annotations

import asyncio
import random

import pytest

from fix_engine.states import State
from fix_engine.wire import encode
from sessions.connection import ConnectionLimits
from tests.sessions.hostile import (
    LOGON,
    arrive,
    counts,
    end_of,
    enter,
    send_all,
    somebody_is_served,
)
from tests.sessions.tcp import House, Run, eventually, house


def garbage(rng: random.Random, size: int) -> bytes:
    """Noise, fragments of FIX, and other people's protocols."""
    pieces = (
        lambda: rng.randbytes(rng.randint(1, 200)),
        lambda: b"\x01" * rng.randint(1, 50),
        lambda: b"8=FIX.4.4\x019=%d\x0135=" % rng.choice((0, 5, 60, 2_000, 10**12)),
        lambda: b"8=FIX" * rng.randint(1, 50),
        lambda: b"8=" + b"9=" * rng.randint(1, 50),
        lambda: b"10=%03d\x01" % rng.randint(0, 999),
        lambda: b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        lambda: b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n",
        lambda: encode(b"35=%b\x0134=1\x01" % rng.choice((b"A", b"0", b"D", b"\xff", b""))),
        lambda: encode(b"35=A\x0134=1\x0149=\x0156=SEAMARK\x0198=0\x01108=30\x01"),
    )
    out = b""
    while len(out) < size:
        out += rng.choice(pieces)()
    return out


def mangled(rng: random.Random, message: bytes) -> bytes:
    """A message with bytes changed, lost, or doubled."""
    out = bytearray(message)
    for _ in range(rng.randint(1, 4)):
        place = rng.randrange(len(out))
        how = rng.randrange(3)
        if how == 0:
            out[place] = rng.randrange(256)
        elif how == 1:
            del out[place : place + rng.randint(1, 20)]
        else:
            out[place:place] = out[place : place + 20]
        if not out:
            return b"8"
    return bytes(out)


@pytest.mark.parametrize("seed", [1, 2])
def test_strangers_that_talk_nonsense_are_closed_without_a_word(run: Run, seed: int) -> None:
    async def stranger(venue: House, rng: random.Random) -> None:
        caller = await arrive(venue)
        await send_all(caller, garbage(rng, rng.choice((1, 20, 500, 20_000))))
        assert await end_of(caller) == b"", f"seed {seed}"

    async def scenario() -> None:
        rng = random.Random(seed)
        limits = ConnectionLimits(logon_timeout_s=0.15)
        async with house(limits) as venue, somebody_is_served(venue):
            for _ in range(2):
                await asyncio.gather(*(stranger(venue, rng) for _ in range(30)))
            await eventually(lambda: counts(venue) == (1, 0, 0))
            assert len(list(venue.server.registry)) == 1, f"seed {seed}"

    run(scenario())


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_sessions_that_begin_to_talk_nonsense_harm_only_themselves(run: Run, seed: int) -> None:
    async def gone_mad(venue: House, name: str, rng: random.Random) -> None:
        client = await enter(venue, name)
        parts = [
            mangled(rng, client.order("a")) if rng.random() < 0.9 else garbage(rng, 300)
            for _ in range(300)
        ]
        await send_all(client, b"".join(parts))
        client.close()
        session = venue.session(name)
        await eventually(lambda: session.state is State.DISCONNECTED)
        back = await arrive(venue, name)
        back.seq = session.next_in
        await back.send(LOGON)
        assert (await back.receive())[35] == "A", f"seed {seed}"
        assert await back.fence() == [], f"seed {seed}"

    async def scenario() -> None:
        rng = random.Random(seed)
        async with house() as venue, somebody_is_served(venue):
            await asyncio.gather(*(gone_mad(venue, f"MAD{number}", rng) for number in range(8)))

    run(scenario())
