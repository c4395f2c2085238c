"""One engine's day: a venue, the proxies, the engine's program, and what came of it."""

from __future__ import annotations

import asyncio
import time
from asyncio.subprocess import PIPE, Process
from pathlib import Path
from typing import Final

from tests.interop.engine import DICTIONARY, ROLES, Day, Engine
from tests.interop.proxy import Direction, Proxy
from tests.interop.report import Outcome
from tests.interop.script.client import Program
from tests.interop.script.day import play
from tests.interop.venue import Venue

_DAY_S: Final = 300  # then the program is taken to hang
_CUT_S: Final = 30
_LINE_BYTES: Final = 1 << 20  # the longest line that a program may print


async def run_day(engine: Engine, directory: Path, outcome: Outcome) -> None:
    """Run an engine's program against a venue that is opened for it. Raises VenueError."""
    started = time.monotonic()
    venue = await Venue.start(directory)
    proxies = {role: Proxy(venue.port) for role in ROLES}
    try:
        for proxy in proxies.values():
            await proxy.open()
        stores = directory / "client"
        stores.mkdir()
        ports = {role: proxy.port for role, proxy in proxies.items()}
        await _run_program(engine, Day(DICTIONARY, stores, ports), venue, proxies, outcome)
    finally:
        for proxy in proxies.values():
            proxy.close()
        code = await venue.stop()
    (outcome.bad if code else outcome.good)("session", "close the venue", f"exit code {code}")
    outcome.seconds = time.monotonic() - started


async def _run_program(
    engine: Engine, day: Day, venue: Venue, proxies: dict[str, Proxy], outcome: Outcome
) -> None:
    """Until the program ends, or the venue does, or it takes too long."""
    process = await asyncio.create_subprocess_exec(
        *engine.command(day), stdin=PIPE, stdout=PIPE, limit=_LINE_BYTES
    )
    follow = _follow if engine.has_script else _lead
    program = asyncio.create_task(follow(process, proxies, outcome))
    closed = asyncio.create_task(venue.ended())
    try:
        await asyncio.wait((program, closed), timeout=_DAY_S, return_when=asyncio.FIRST_COMPLETED)
        if closed.done():
            outcome.bad("session", "the venue ended in the middle of the day", await closed)
        elif not program.done():
            outcome.bad("session", "the program has not ended", f"{_DAY_S} s")
        elif (code := await program) and not outcome.failed:
            outcome.bad("session", "the program ended", f"exit code {code}")
    finally:
        program.cancel()
        closed.cancel()
        if process.returncode is None:
            process.kill()
            await process.wait()


async def _lead(process: Process, proxies: dict[str, Proxy], outcome: Outcome) -> int:
    """Play the common script with a program that has none; its exit code."""
    program = Program(process, proxies)
    following = asyncio.create_task(program.follow())
    try:
        await play(program, outcome)
        program.end()
        return await following
    finally:
        following.cancel()


async def _follow(process: Process, proxies: dict[str, Proxy], outcome: Outcome) -> int:
    """Take the lines of a program with its own script, do what it asks for; its exit code."""
    assert process.stdin is not None
    assert process.stdout is not None
    async for raw in process.stdout:
        line = raw.decode(errors="replace").rstrip()
        if line.startswith("> "):
            answer = await _obey(line[2:].split(), proxies)
            process.stdin.write(f"{answer}\n".encode())
        else:
            outcome.step(line)
    return await process.wait()


async def _obey(request: list[str], proxies: dict[str, Proxy]) -> str:
    """Carry out a request of the program, see engine.py; the answer."""
    match request:
        case ["cut", role, direction, count]:
            proxies[role].cut_after(int(count), Direction(direction))
        case ["open", role]:
            await proxies[role].open()
        case ["wait", role]:
            try:
                async with asyncio.timeout(_CUT_S):
                    await proxies[role].until_cut()
            except TimeoutError:
                return f"not cut after {_CUT_S} s"
        case _:
            return "not understood"
    return "ok"
