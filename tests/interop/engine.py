"""What the runner knows of an engine, and what an engine's program has to do.

The program is two clients of the venue, a buyer and a seller, each with a session of its own. It
does what the script says, line by line: see script/client.py. Its arguments are what a Part has. It
is run three times: over TCP, where nobody asks who it is; where the seller watches what the buyer
does; and over TLS, where it has to show who it is.

Its connections run through proxies, each client's through a port of its own.
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


@dataclass(frozen=True, slots=True)
class Part:
    """What an engine's program is told: of one part of the day."""

    dictionary: Path
    directory: Path  # for message stores and logs; empty at the beginning
    ports: Mapping[str, int]  # by role
    keys: Path | None = None  # a folder, see keys.py; with it: connect by TLS

    def arguments(self) -> list[str]:
        """The same as the arguments of a command line: our programs all take these."""
        ports = [str(self.ports[role]) for role in ROLES]
        keys = [] if self.keys is None else [str(self.keys)]
        return [str(self.dictionary), str(self.directory), *ports, *keys]


class Engine(Protocol):
    """One engine."""

    name: str
    initials: str  # its CompIDs are these with _BUYER and _SELLER
    checks_order: bool  # whether it rejects entries of groups whose fields come in another order
    checks_names: bool  # whether the certificate of a server has to be for the host it is on

    def version(self) -> str:
        """Of the engine; asked for after it was built."""

    def build(self) -> None:
        """Make the program ready to run, if it is not. Raises EngineError."""

    def command(self, part: Part) -> list[str]:
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
