"""What the runner knows of an engine, and what an engine's program has to do.

The program logs two sessions on, a buyer and a seller, each through a port of its own, runs its
scripted day and exits with 0 when all went well. It prints one line for each step, "ok   name: ..."
or "FAIL name: ...".

Its connections run through proxies. To have one cut it prints a request and reads the answer, "ok"
or what is wrong, from its standard input:

    > cut buyer to-client 5000    after 5000 more bytes to the client drop both directions
    > wait buyer                  answered once that has happened
    > open buyer                  let the client connect again
"""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Protocol

ROLES: Final = ("buyer", "seller")
DICTIONARY: Final = Path(__file__).parents[2] / "specs" / "FIX44.xml"


class EngineError(Exception):
    """An engine's program cannot be built or run; says why."""


@dataclass(slots=True)
class Day:
    """What an engine's program is told."""

    dictionary: Path
    directory: Path  # for message stores and logs; empty at the beginning
    ports: Mapping[str, int]  # by role


class Engine(Protocol):
    """One engine."""

    name: str

    def build(self) -> None:
        """Make the program ready to run, if it is not. Raises EngineError."""

    def command(self, day: Day) -> list[str]:
        """The command line of the program."""


def require(*programs: str) -> None:
    """Raise EngineError when one of the programs is not on the PATH."""
    missing = [program for program in programs if shutil.which(program) is None]
    if missing:
        raise EngineError(f"needs {' and '.join(programs)}; not found: {', '.join(missing)}")
