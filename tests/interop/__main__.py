"""`python -m tests.interop [engine ...]`: all engines, or those that are named."""

from __future__ import annotations

import argparse
import asyncio
import shutil
import sys
import tempfile
from pathlib import Path
from typing import Final

from tests.interop.engine import Engine, EngineError
from tests.interop.quickfixj import QuickFixJ
from tests.interop.runner import Outcome, run_day
from tests.interop.venue import VenueError

_ENGINES: Final[dict[str, Engine]] = {"quickfixj": QuickFixJ()}


def main() -> int:
    """Run the days one after the other; the exit code."""
    parser = argparse.ArgumentParser(prog="make interop", description=__doc__)
    parser.add_argument("engines", nargs="*", metavar="engine", help=", ".join(_ENGINES))
    names = parser.parse_args().engines or list(_ENGINES)
    unknown = [name for name in names if name not in _ENGINES]
    if unknown:
        parser.error(f"no such engine: {', '.join(unknown)}; there is {', '.join(_ENGINES)}")
    outcomes: list[Outcome] = []
    for engine in (_ENGINES[name] for name in names):
        try:
            engine.build()
            outcomes.append(_run(engine))
        except (EngineError, VenueError) as error:
            print(f"interop: {engine.name}: {error}", file=sys.stderr)
            outcomes.append(Outcome(engine.name))
    _summarize(outcomes)
    return 0 if all(outcome.is_good for outcome in outcomes) else 1


def _run(engine: Engine) -> Outcome:
    """A day in a directory of its own, which stays only when something went wrong."""
    print(engine.name, flush=True)
    directory = Path(tempfile.mkdtemp(prefix="seamark-interop-"))
    is_good = False
    try:
        outcome = asyncio.run(run_day(engine, directory))
        is_good = outcome.is_good
        return outcome
    finally:
        if is_good:
            shutil.rmtree(directory)
        else:
            print(f"  Logs, stores and journal: {directory}", flush=True)


def _summarize(outcomes: list[Outcome]) -> None:
    print(f"\n{'Engine':<16}{'Passed':>8}{'Failed':>8}{'Seconds':>9}")
    for outcome in outcomes:
        verdict = "" if outcome.passed or outcome.failed else "  did not run"
        print(
            f"{outcome.name:<16}{outcome.passed:>8}{outcome.failed:>8}"
            f"{outcome.seconds:>9.1f}{verdict}"
        )


if __name__ == "__main__":
    sys.exit(main())
