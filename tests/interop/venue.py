"""A `seamark serve` of our own, on free ports and with an empty journal."""

from __future__ import annotations

import asyncio
import re
import sys
from asyncio.subprocess import PIPE, STDOUT, Process
from pathlib import Path
from typing import Final

_SEAMARK: Final = str(Path(sys.executable).with_name("seamark"))
_LOG: Final = "venue.log"
_SETTINGS: Final = "exchange.toml"
_PATIENCE_S: Final = 30
_SHOWN: Final = 400  # characters of a log line
_LISTENS = re.compile(r"listens on \S+:(\d+)")
_LISTENS_TLS = re.compile(r"^\s*TLS\s+on \S+:(\d+)")
_IS_OPEN: Final = "Next:"


class VenueError(Exception):
    """The venue did not open; says why."""


class Venue:
    """The process."""

    def __init__(self, process: Process, directory: Path) -> None:
        self.port = 0
        self.tls_port = 0
        self._process = process
        self._log = directory / _LOG
        self._own = _own(directory)

    @classmethod
    async def start(cls, directory: Path, settings: str = "") -> Venue:
        """Open a venue that keeps all that it has in a directory. Raises VenueError."""
        log = directory / _LOG
        (directory / _SETTINGS).write_text(settings)
        options = ["--port", "0", "--durability", "os"]
        with log.open("wb") as stderr:
            process = await asyncio.create_subprocess_exec(
                *(_SEAMARK, "serve", *_own(directory), *options),
                stdout=PIPE,
                stderr=stderr,
            )
        venue = cls(process, directory)
        try:
            async with asyncio.timeout(_PATIENCE_S):
                if await venue._opens():
                    return venue
        except TimeoutError:
            process.kill()
        await process.wait()
        raise VenueError(f"the venue did not open:\n{log.read_text()}")

    async def _opens(self) -> bool:
        """Read where it listens; whether it got that far."""
        assert self._process.stdout is not None
        async for raw in self._process.stdout:
            line = raw.decode()
            if found := _LISTENS.search(line):
                self.port = int(found[1])
            elif found := _LISTENS_TLS.search(line):
                self.tls_port = int(found[1])
            elif line.startswith(_IS_OPEN):
                return True
        return False

    async def tell(self, *words: str) -> None:
        """What its operator would type behind `seamark`. Raises VenueError."""
        process = await asyncio.create_subprocess_exec(
            _SEAMARK, *words, *self._own, stdout=PIPE, stderr=STDOUT
        )
        said, _ = await process.communicate()
        if process.returncode:
            raise VenueError(f"seamark {' '.join(words)}: {said.decode()}")

    def refusals(self) -> int:
        """How many connections it has refused so far, by its log."""
        return self._log.read_text().count('"event": "refused"')

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


def _own(directory: Path) -> tuple[str, ...]:
    """The options that say which venue is meant."""
    return "--config", str(directory / _SETTINGS), "--data", str(directory / "journal")
