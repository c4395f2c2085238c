"""`python -m tests.interop [engine ...]`: all engines, or those that are named."""

from __future__ import annotations

import argparse
import asyncio
import shutil
import sys
import tempfile
from pathlib import Path
from typing import Final

from tests.interop import report
from tests.interop.engine import Engine, EngineError, NotInstalledError
from tests.interop.quickfixcpp import QuickFixCpp
from tests.interop.quickfixgo import QuickFixGo
from tests.interop.quickfixj import QuickFixJ
from tests.interop.report import Outcome, Verdict
from tests.interop.runner import run_day
from tests.interop.venue import VenueError

_ENGINES: Final[dict[str, Engine]] = {
    "quickfixj": QuickFixJ(),
    "quickfixcpp": QuickFixCpp(),
    "quickfixgo": QuickFixGo(),
}
_REMEDY: Final = "on Debian, tests/interop/install installs what is missing"


def main() -> int:
    """Run the days one after the other; the exit code."""
    arguments = _arguments()
    outcomes = [_outcome(_ENGINES[name]) for name in arguments.engines or _ENGINES]
    print(f"\n{report.plain(outcomes)}")
    if arguments.markdown:
        arguments.markdown.write_text(report.markdown(outcomes))
    good = {Verdict.PASSED, *([Verdict.NOT_INSTALLED] if arguments.available else [])}
    return 0 if all(outcome.verdict in good for outcome in outcomes) else 1


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.interop", description=__doc__)
    parser.add_argument("engines", nargs="*", metavar="engine", help=", ".join(_ENGINES))
    parser.add_argument(
        "--available", action="store_true", help="leave out engines that are not installed"
    )
    parser.add_argument(
        "--markdown", metavar="FILE", type=Path, help="write the table at the end there as well"
    )
    arguments = parser.parse_args()
    unknown = [name for name in arguments.engines if name not in _ENGINES]
    if unknown:
        parser.error(f"no such engine: {', '.join(unknown)}; there is {', '.join(_ENGINES)}")
    return arguments


def _outcome(engine: Engine) -> Outcome:
    """Build an engine's program and run its day, as far as that is possible here."""
    outcome = Outcome(engine.name)
    try:
        engine.build()
        outcome.version = engine.version()
        _run(engine, outcome)
    except NotInstalledError as error:
        outcome.is_installed = False
        print(f"{engine.name}: not installed: {error}; {_REMEDY}", file=sys.stderr)
    except (EngineError, VenueError) as error:
        print(f"{engine.name}: {error}", file=sys.stderr)
    return outcome


def _run(engine: Engine, outcome: Outcome) -> None:
    """A day in a directory of its own, which stays only when something went wrong."""
    print(f"{outcome.name} {outcome.version}", flush=True)
    directory = Path(tempfile.mkdtemp(prefix="seamark-interop-"))
    try:
        asyncio.run(run_day(engine, directory, outcome))
    finally:
        if outcome.verdict is Verdict.PASSED:
            shutil.rmtree(directory)
        else:
            print(f"  Logs, stores and journal: {directory}", flush=True)
    print(f"  {outcome.seconds:.1f} s", flush=True)


if __name__ == "__main__":
    sys.exit(main())
