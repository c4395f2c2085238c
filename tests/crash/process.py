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

import exchange.executor
import exchange.sequencer
import exchange.service
import exchange.venue_cli
import sessions.journal.segment
from exchange.__main__ import main
from exchange.command_line import load_dictionary
from sessions.journal import Durability, Journal
from tests.crash.snapshots import make_in_forks
from tests.support.power import Hooks, LogFile

_SYNC_S: Final = (0.0, 0.0, 0.0005, 0.002, 0.01)
_DIGEST_EVERY: Final = 250
_FAULTS: Final = ("no snapshot", "snapshot passed over", "segments are kept")
_hooks: Hooks | None = None  # of this process


class DeadError(Exception):
    """The venue has ended before it was open."""


@dataclass(slots=True)
class Plan:
    """How a venue is to run."""

    data: Path
    durability: str
    segment_bytes: int
    snapshot_bytes: int
    seed: int
    log: Path | None = None  # of what it does to its disk


class Venue:
    """One process; `port` is known once it is open."""

    def __init__(self, plan: Plan) -> None:
        self.errors = plan.data.parent / "stderr"
        self.port = 0
        self.snapshots = 0  # that it knew of when it ended
        self._is_killed = False
        self._status: int | None = None
        self.errors.write_text("")  # it may be killed before it has made its own
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
        """Wait for its end, and its fork's; what was wrong with it if it was not killed."""
        _, self._status = os.waitpid(self.pid, 0)
        self._out.read()
        self._out.close()
        said = self.errors.read_text(errors="replace")
        self.snapshots = said.count('"event": "snapshot"')
        is_ours = self._is_killed and os.WIFSIGNALED(self._status)
        if is_ours and not any(f'"event": "{event}"' in said for event in _FAULTS):
            return ""
        return said[-2_000:] or "no word"


def load() -> None:
    """Do once what every start would do again."""
    cached = functools.cache(load_dictionary)
    cached(None)
    vars(exchange.venue_cli)["load_dictionary"] = cached


def _be_the_venue(plan: Plan, out: int, errors: Path) -> NoReturn:
    code = 70
    try:
        signal.signal(signal.SIGALRM, signal.SIG_DFL)
        os.dup2(out, 1)
        os.dup2(os.open(errors, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o640), 2)
        sys.stdout = os.fdopen(1, "w", encoding="utf-8", closefd=False)
        sys.stderr = os.fdopen(2, "w", encoding="utf-8", closefd=False, buffering=1)
        _make_small(plan)
        log = LogFile(plan.log) if plan.log is not None else None
        if log is not None:
            _make_forgetful(plan, log)
        make_in_forks(
            plan.data,
            (log.fd,) if log is not None else (),
            lambda: None if log is None else _make_forgetful(plan, log),
        )
        sys.argv = ["seamark", "serve", "--data", str(plan.data), "--port", "0"]
        sys.argv += ["--durability", plan.durability]
        main()
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else 0
    except BaseException as error:
        print(repr(error), file=sys.stderr)
    finally:
        os._exit(code)


def _make_small(plan: Plan) -> None:
    class SmallJournal(Journal):
        def __init__(self, directory: Path, durability: Durability, *_: Any, **__: Any) -> None:
            super().__init__(directory, durability, plan.segment_bytes)

    vars(exchange.service)["Journal"] = SmallJournal
    vars(sessions.journal.segment)["_CHUNK"] = 1 << 16
    for module in (exchange.executor, exchange.sequencer):
        vars(module)["DIGEST_EVERY"] = _DIGEST_EVERY
    os.environ["SEAMARK_JOURNAL__SNAPSHOT_BYTES"] = str(plan.snapshot_bytes)


def _make_forgetful(plan: Plan, log: LogFile) -> None:
    rng = random.Random(plan.seed)

    def before(call: str) -> None:
        if call in ("fsync", "fdatasync"):
            time.sleep(rng.choice(_SYNC_S))

    global _hooks
    if _hooks is not None:  # those of the venue, in a fork of it
        _hooks.remove()
    _hooks = Hooks(plan.data, log.note, before, log.guard)
    _hooks.install()
