"""`python -m tests.crash`: kill a venue hundreds of times; nothing is lost and nothing twice."""

from __future__ import annotations

import argparse
import gc
import random
import shutil
import sys
import tempfile
from pathlib import Path
from time import monotonic
from typing import Final

from tests.crash.client import BrokenWordError
from tests.crash.life import Life, Options, Tally
from tests.crash.process import load

_KILLS_IN_A_LIFE: Final = 20
_REPORT_EVERY_S: Final = 5.0


def main(arguments: list[str] | None = None) -> int:
    """Live and die until there were enough kills, or something is wrong."""
    parser = _parser()
    args = parser.parse_args(arguments)
    if args.power_cut and args.durability != "fsync":
        parser.error("what a loss of power leaves is promised with --durability fsync only")
    options = Options(args.durability, args.power_cut)
    load()
    gc.freeze()
    total, began = Tally(), monotonic()
    reported = began
    for seed in range(args.seed, args.seed + args.kills):
        directory = Path(tempfile.mkdtemp(prefix="seamark-crash-"))
        life = Life(directory, seed, options)
        try:
            for _ in range(min(_KILLS_IN_A_LIFE, args.kills - total.kills)):
                life.die()
                now = monotonic()
                if now - reported >= _REPORT_EVERY_S:
                    reported = now
                    done = total.kills + life.tally.kills
                    print(f"{done} of {args.kills} kills, {done / (now - began):.1f}/s", flush=True)
            life.reckon()
        except BrokenWordError as error:
            print(f"{error}\nkept: {directory}", file=sys.stderr)
            print(f"FAILED at kill {total.kills + life.tally.kills}, seed {seed}: {error.what}")
            return 1
        shutil.rmtree(directory)
        total.add(life.tally)
        if total.kills >= args.kills:
            break
    print(
        f"{total.kills} kills ({total.power_cuts} with a loss of power, {total.before_open} while "
        f"starting) at {args.durability}: 0 lost, 0 duplicated, 0 out of order; "
        f"{total.requests} requests, {total.reports} reports ({total.resent} messages sent again), "
        f"{total.trades} trades, {total.snapshots} snapshots, {total.digests} digests; "
        f"{total.kills / (monotonic() - began):.1f} kills/s, "
        f"seed {args.seed}"
    )
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.crash", description=__doc__)
    parser.add_argument("--kills", type=int, default=500, help="so many (500)")
    parser.add_argument(
        "--seed", type=int, default=random.randrange(10**6), help="of the first life (random)"
    )
    parser.add_argument("--durability", choices=("fsync", "os"), default="fsync")
    parser.add_argument(
        "--power-cut", action="store_true", help="most kills lose what was not synced"
    )
    return parser


if __name__ == "__main__":
    sys.exit(main())
