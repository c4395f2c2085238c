"""One engine's day: its parts, each with a venue, the proxies and the program; what came of it."""

from __future__ import annotations

import asyncio
import time
from asyncio.subprocess import PIPE
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Final

from tests.interop.engine import DICTIONARY, ROLES, Engine, Part
from tests.interop.keys import Keys, make_keys
from tests.interop.proxy import Proxy
from tests.interop.report import Outcome
from tests.interop.script.checks import Step, play
from tests.interop.script.client import Program
from tests.interop.script.day import Day
from tests.interop.script.secure import Secure
from tests.interop.script.watched import Watched
from tests.interop.settings import secure_settings, watched_settings
from tests.interop.venue import Venue

_PART_S: Final = 300  # then the program is taken to hang
_LINE_BYTES: Final = 1 << 20  # the longest line that a program may print


async def run_day(engine: Engine, directory: Path, outcome: Outcome) -> None:
    """Run an engine's program against venues that are opened for it. Raises VenueError."""
    started = time.monotonic()
    comp_ids = {role: f"{engine.initials}_{role.upper()}" for role in ROLES}
    await _run_part(engine, directory / "tcp", outcome, "", _day)
    settings = watched_settings(comp_ids)

    def watched(program: Program, venue: Venue) -> Iterable[Step]:
        return Watched(program.clients, venue.tell, checks_order=engine.checks_order).steps()

    await _run_part(engine, directory / "watched", outcome, settings, watched)
    keys = make_keys(directory / "keys")

    def secure(program: Program, venue: Venue) -> Iterable[Step]:
        names = engine.checks_names
        return Secure(program.clients, keys, venue.refusals, checks_names=names).steps()

    settings = secure_settings(keys, comp_ids)
    await _run_part(engine, directory / "tls", outcome, settings, secure, keys)
    outcome.seconds = time.monotonic() - started


def _day(program: Program, _: Venue) -> Iterable[Step]:
    return Day(program.clients).steps()


async def _run_part(
    engine: Engine,
    directory: Path,
    outcome: Outcome,
    settings: str,
    script: Callable[[Program, Venue], Iterable[Step]],
    keys: Keys | None = None,
) -> None:
    """One part, with a venue of its own; with keys it is over TLS."""
    stores = directory / "client"
    stores.mkdir(parents=True)
    comp_ids = {role: f"{engine.initials}_{role.upper()}" for role in ROLES}
    venue = await Venue.start(directory, settings)
    proxies = {role: Proxy(venue.tls_port if keys else venue.port) for role in ROLES}
    try:
        for proxy in proxies.values():
            await proxy.open()
        ports = {role: proxy.port for role, proxy in proxies.items()}
        part = Part(DICTIONARY, stores, ports, keys.engine if keys else None)
        process = await asyncio.create_subprocess_exec(
            *engine.command(part), stdin=PIPE, stdout=PIPE, limit=_LINE_BYTES
        )
        program = Program(process, proxies, comp_ids)
        await _watch(program, script(program, venue), venue, outcome)
    finally:
        for proxy in proxies.values():
            proxy.close()
        code = await venue.stop()
    (outcome.bad if code else outcome.good)("session", "close the venue", f"exit code {code}")


async def _watch(program: Program, steps: Iterable[Step], venue: Venue, outcome: Outcome) -> None:
    """Until the program ends, or the venue does, or it takes too long."""
    playing = asyncio.create_task(_play(program, steps, outcome))
    closed = asyncio.create_task(venue.ended())
    try:
        await asyncio.wait((playing, closed), timeout=_PART_S, return_when=asyncio.FIRST_COMPLETED)
        if closed.done():
            outcome.bad("session", "the venue ended in the middle of the day", await closed)
        elif not playing.done():
            outcome.bad("session", "the program has not ended", f"{_PART_S} s")
        elif (code := await playing) and not outcome.failed:
            outcome.bad("session", "the program ended", f"exit code {code}")
    finally:
        playing.cancel()
        closed.cancel()
        await program.kill()


async def _play(program: Program, steps: Iterable[Step], outcome: Outcome) -> int:
    """Have the program do what the steps say, and end; its exit code."""
    following = asyncio.create_task(program.follow())
    try:
        await play(steps, outcome)
        program.end()
        return await following
    finally:
        following.cancel()
