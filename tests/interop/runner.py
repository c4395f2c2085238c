"""One engine's day: a venue, the proxies, the engine's program, and what came of it."""

from __future__ import annotations

import asyncio
import time
from asyncio.subprocess import PIPE, Process
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tests.interop.engine import DICTIONARY, ROLES, Day, Engine
from tests.interop.proxy import Direction, Proxy
from tests.interop.venue import Venue

_DAY_S: Final = 300  # then the program is taken to hang
_CUT_S: Final = 30


@dataclass(slots=True)
class Outcome:
    """What a day came to; a day without faults that has passed no step is none."""

    name: str
    passed: int = 0
    failed: int = 0
    seconds: float = 0.0

    @property
    def is_good(self) -> bool:
        """Whether everything went as it should."""
        return self.passed > 0 and not self.failed

    def step(self, line: str) -> None:
        """Count and show a line of a program, or of ours in its style."""
        self.passed += line.startswith("ok ")
        self.failed += line.startswith("FAIL ")
        print(f"  {line}", flush=True)


async def run_day(engine: Engine, directory: Path) -> Outcome:
    """Run an engine's program against a venue that is opened for it. Raises VenueError."""
    outcome = Outcome(engine.name)
    started = time.monotonic()
    venue = await Venue.start(directory)
    proxies = {role: Proxy(venue.port) for role in ROLES}
    try:
        for proxy in proxies.values():
            await proxy.open()
        stores = directory / "client"
        stores.mkdir()
        ports = {role: proxy.port for role, proxy in proxies.items()}
        command = engine.command(Day(DICTIONARY, stores, ports))
        await _run_program(command, venue, proxies, outcome)
    finally:
        for proxy in proxies.values():
            proxy.close()
        code = await venue.stop()
    outcome.step(f"{'FAIL' if code else 'ok  '} close the venue: exit code {code}")
    outcome.seconds = time.monotonic() - started
    return outcome


async def _run_program(
    command: list[str], venue: Venue, proxies: dict[str, Proxy], outcome: Outcome
) -> None:
    """Until the program ends, or the venue does, or it takes too long."""
    process = await asyncio.create_subprocess_exec(*command, stdin=PIPE, stdout=PIPE)
    program = asyncio.create_task(_follow(process, proxies, outcome))
    closed = asyncio.create_task(venue.ended())
    try:
        await asyncio.wait((program, closed), timeout=_DAY_S, return_when=asyncio.FIRST_COMPLETED)
        if program.done():
            code = await program
            if code and not outcome.failed:
                outcome.step(f"FAIL the program ended with exit code {code}")
        elif closed.done():
            outcome.step(f"FAIL the venue ended in the middle of the day: {await closed}")
        else:
            outcome.step(f"FAIL the program has not ended after {_DAY_S} s")
    finally:
        program.cancel()
        closed.cancel()
        if process.returncode is None:
            process.kill()
            await process.wait()


async def _follow(process: Process, proxies: dict[str, Proxy], outcome: Outcome) -> int:
    """Take the lines of a program, and do what it asks for; its exit code."""
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
