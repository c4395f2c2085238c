"""A `seamark serve` of our own, on a free port and with an empty journal."""

from __future__ import annotations

import asyncio
import re
import sys
from asyncio.subprocess import PIPE, Process
from pathlib import Path
from typing import Final

_PATIENCE_S: Final = 30
_SHOWN: Final = 400  # characters of a log line
_LISTENS = re.compile(r"listens on \S+:(\d+)")


class VenueError(Exception):
    """The venue did not open; says why."""


class Venue:
    """The process."""

    def __init__(self, process: Process, port: int, log: Path) -> None:
        self.port = port
        self._process = process
        self._log = log

    @classmethod
    async def start(cls, directory: Path) -> Venue:
        """Open a venue that keeps its journal and its log in a directory. Raises VenueError."""
        log = directory / "venue.log"
        seamark = Path(sys.executable).with_name("seamark")
        options = ["--data", str(directory / "journal"), "--port", "0", "--durability", "os"]
        with log.open("wb") as stderr:
            process = await asyncio.create_subprocess_exec(
                str(seamark), "serve", *options, stdout=PIPE, stderr=stderr
            )
        assert process.stdout is not None
        try:
            async with asyncio.timeout(_PATIENCE_S):
                async for line in process.stdout:
                    found = _LISTENS.search(line.decode())
                    if found:
                        return cls(process, int(found[1]), log)
        except TimeoutError:
            process.kill()
        await process.wait()
        raise VenueError(f"the venue did not open:\n{log.read_text()}")

    async def ended(self) -> str:
        """Wait until it ends without being asked to; how, with the last line of its log."""
        code = await self._process.wait()
        last = self._log.read_text().splitlines()[-1:]
        return f"exit code {code}, {' '.join(last)[:_SHOWN]}"

    async def stop(self) -> int:
        """SIGTERM; its exit code, or that of SIGKILL when it does not end."""
        if self._process.returncode is None:
            self._process.terminate()
        try:
            async with asyncio.timeout(_PATIENCE_S):
                await self._process.communicate()
        except TimeoutError:
            self._process.kill()
        return await self._process.wait()
