"""Venue processes that start in a moment: forks of this one, which has everything loaded.

A fork runs the command line, `seamark serve`, from its beginning. Segments are small so that kills
hit their ends too; with a log, the disk is one that may lose what was not synced (see
tests/support/power.py), and takes its time.
"""

from __future__ import annotations

import functools
import os
import random
import signal
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, NoReturn

import exchange.__main__ as command_line
import exchange.service
import sessions.journal.segment
from sessions.journal import Durability, Journal
from tests.support.power import Hooks, LogFile

_SYNC_S: Final = (0.0, 0.0, 0.0005, 0.002, 0.01)


class DeadError(Exception):
    """The venue has ended before it was open."""


@dataclass(slots=True)
class Plan:
    """How a venue is to run."""

    data: Path
    durability: str
    segment_bytes: int
    seed: int
    log: Path | None = None  # of what it does to its disk


class Venue:
    """One process; `port` is known once it is open."""

    def __init__(self, plan: Plan) -> None:
        self.errors = plan.data.parent / "stderr"
        self.port = 0
        self._is_killed = False
        self._status: int | None = None
        ours, theirs = os.pipe()
        self.pid = os.fork()
        if not self.pid:
            _be_the_venue(plan, theirs, self.errors)
        os.close(theirs)
        self._out = os.fdopen(ours, encoding="utf-8", errors="replace")

    def await_open(self) -> None:
        """Return when clients may connect; raises DeadError."""
        line = ""
        while not line.startswith("Next:"):
            line = self._out.readline()
            if not line:
                raise DeadError
            if "listens on " in line:
                address = line.rsplit("listens on ", 1)[1].split(",")[0]
                self.port = int(address.rsplit(":", 1)[1])

    def kill(self) -> None:
        """With -9, as a signal handler may: nothing is waited for."""
        if self._status is None:
            self._is_killed = True
            os.kill(self.pid, signal.SIGKILL)

    def reap(self) -> str:
        """Wait for its end; what was wrong with it if it was not killed."""
        _, self._status = os.waitpid(self.pid, 0)
        self._out.close()
        is_ours = self._is_killed and os.WIFSIGNALED(self._status)
        return "" if is_ours else self.errors.read_text(errors="replace")[-2_000:] or "no word"


def load() -> None:
    """Do once what every start would do again."""
    cached = functools.cache(command_line._dictionary)
    cached(None)
    vars(command_line)["_dictionary"] = cached


def _be_the_venue(plan: Plan, out: int, errors: Path) -> NoReturn:
    code = 70
    try:
        signal.signal(signal.SIGALRM, signal.SIG_DFL)
        os.dup2(out, 1)
        os.dup2(os.open(errors, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o640), 2)
        sys.stdout = os.fdopen(1, "w", encoding="utf-8", closefd=False)
        sys.stderr = os.fdopen(2, "w", encoding="utf-8", closefd=False, buffering=1)
        _make_small(plan.segment_bytes)
        if plan.log is not None:
            _make_forgetful(plan, plan.log)
        sys.argv = ["seamark", "serve", "--data", str(plan.data), "--port", "0"]
        sys.argv += ["--durability", plan.durability]
        command_line.main()
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else 0
    except BaseException as error:
        print(repr(error), file=sys.stderr)
    finally:
        os._exit(code)


def _make_small(segment_bytes: int) -> None:
    class SmallJournal(Journal):
        def __init__(self, directory: Path, durability: Durability, *_: Any, **__: Any) -> None:
            super().__init__(directory, durability, segment_bytes)

    vars(exchange.service)["Journal"] = SmallJournal
    vars(sessions.journal.segment)["_CHUNK"] = 1 << 16


def _make_forgetful(plan: Plan, log: Path) -> None:
    rng = random.Random(plan.seed)

    def before(call: str) -> None:
        if call in ("fsync", "fdatasync"):
            time.sleep(rng.choice(_SYNC_S))

    Hooks(plan.data, LogFile(log).note, before).install()
