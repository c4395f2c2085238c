"""What the runner knows of an engine, and what an engine's program has to do.

The program is two clients of the venue, a buyer and a seller, each with a session of its own. There
are two kinds of programs:

- One that has no script does what the common one says, line by line: see script/client.py.
- One that has a script of its own plays the day by itself and exits with 0 when all went well. It
  prints one line for each step, "ok   area: name: remark" or "FAIL area: name: what is wrong".

The connections of both kinds run through proxies, each client's through a port of its own. To have
one cut, a program with its own script prints a request and reads the answer, "ok" or what is wrong,
from its standard input:

    > cut buyer to-client 5000    after 5000 more bytes to the client drop both directions
    > wait buyer                  answered once that has happened
    > open buyer                  let the client connect again
"""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Final, Protocol

ROLES: Final = ("buyer", "seller")
DICTIONARY: Final = Path(__file__).parents[2] / "specs" / "FIX44.xml"
_TARGET: Final = "target"


class EngineError(Exception):
    """An engine's program cannot be built or run; says why."""


class NotInstalledError(EngineError):
    """What it takes to build an engine's program is not on this machine; says what."""


@dataclass(slots=True)
class Day:
    """What an engine's program is told."""

    dictionary: Path
    directory: Path  # for message stores and logs; empty at the beginning
    ports: Mapping[str, int]  # by role

    def arguments(self) -> list[str]:
        """The same as the arguments of a command line: our programs all take these."""
        ports = [str(self.ports[role]) for role in ROLES]
        return [str(self.dictionary), str(self.directory), *ports]


class Engine(Protocol):
    """One engine."""

    name: str
    has_script: bool

    def version(self) -> str:
        """Of the engine; asked for after it was built."""

    def build(self) -> None:
        """Make the program ready to run, if it is not. Raises EngineError."""

    def command(self, day: Day) -> list[str]:
        """The command line of the program."""


@dataclass(frozen=True, slots=True)
class Project:
    """The sources of a program, in a folder of their own, and what makes it from them."""

    directory: Path
    sources: tuple[str, ...]  # patterns
    command: tuple[str, ...]

    @property
    def target(self) -> Path:
        """Where everything goes that is built."""
        return self.directory / _TARGET

    def build(self, *made_with: str) -> None:
        """Run the command if the sources, or what they are made with, are not those of last time.

        Raises EngineError.
        """
        stamp = self.target / "built-from"
        digest = self._digest(made_with)
        if stamp.is_file() and stamp.read_text() == digest:
            return
        print(f"Building {self.directory.name} with {self.command[0]} ...", flush=True)
        shutil.rmtree(self.target, ignore_errors=True)
        self.target.mkdir()
        done = subprocess.run(
            self.command, cwd=self.directory, capture_output=True, text=True, check=False
        )
        if done.returncode:
            output = (done.stdout + done.stderr).strip()
            raise EngineError(f"{' '.join(self.command)} failed:\n{output}")
        stamp.write_text(digest)

    def _digest(self, made_with: Sequence[str]) -> str:
        """What the program is made from, in short."""
        digest = sha256("\n".join((*self.command, *made_with)).encode())
        for pattern in self.sources:
            for path in sorted(self.directory.glob(pattern)):
                digest.update(f"{path.relative_to(self.directory)}\n".encode())
                digest.update(path.read_bytes())
        return digest.hexdigest()


def require(*programs: str) -> None:
    """Raise NotInstalledError when one of the programs is not on the PATH."""
    missing = [program for program in programs if shutil.which(program) is None]
    if missing:
        raise NotInstalledError(f"needs {' and '.join(programs)}; not found: {', '.join(missing)}")
