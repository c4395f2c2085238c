"""`python -m tests.sim`: seeds without end, or one of them in all detail."""

from __future__ import annotations

import argparse
import sys
from itertools import count
from time import monotonic
from typing import Final

from tests.sim.checker import SimulationError
from tests.sim.link import Garble
from tests.sim.world import Options, Totals, simulate

_REPORT_EVERY_S: Final = 5.0


def main(arguments: list[str] | None = None) -> int:
    """Run seeds until one fails, the time is up or they are done."""
    args = _parser().parse_args(arguments)
    options = Options(
        garble=Garble(args.garble),
        nags=args.nags,
        stale_resets=args.stale_resets,
        verbose=args.v,
    )
    if args.seed is not None:
        seeds = iter([args.seed])
    elif args.seeds:
        first, _, last = args.seeds.partition("-")
        seeds = iter(range(int(first), int(last or first) + 1))
    else:
        seeds = count(args.start)
    totals, began = Totals(), monotonic()
    reported = began
    try:
        for seed in seeds:
            try:
                totals.add(simulate(seed, options))
            except SimulationError as error:
                print(error, file=sys.stderr)
                return 1
            now = monotonic()
            if now - reported >= _REPORT_EVERY_S:
                reported = now
                _report(totals, now - began, seed)
            if args.seconds is not None and now - began >= args.seconds:
                break
    except KeyboardInterrupt:
        print()
    _report(totals, monotonic() - began, None)
    return 0


def _report(totals: Totals, elapsed: float, seed: int | None) -> None:
    where = "done" if seed is None else f"seed {seed}"
    print(
        f"{where}: {totals.seeds} seeds, {totals.seeds / max(elapsed, 0.001):.0f}/s; "
        f"{totals.messages} messages, {totals.streamed} of them streamed, {totals.resent} resent, "
        f"{totals.asks} ResendRequests, {totals.delivered} delivered; {totals.cuts} cuts, "
        f"{totals.crashes} crashes, {totals.resets} resets",
        flush=True,
    )


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.sim", description=__doc__)
    parser.add_argument("--seconds", type=float, help="stop after so long")
    parser.add_argument("--start", type=int, default=1, help="the first seed (1)")
    parser.add_argument("--seeds", metavar="A-B", help="these seeds and no others")
    parser.add_argument("--seed", type=int, help="this seed alone")
    parser.add_argument("-v", action="store_true", help="print all that happens")
    kinds = [kind.value for kind in Garble]
    parser.add_argument(
        "--garble", choices=kinds, default=Options().garble.value, help="which messages get noise"
    )
    parser.add_argument(
        "--nags",
        action=argparse.BooleanOptionalAction,
        default=Options().nags,
        help="clients that ask in a loop",
    )
    parser.add_argument(
        "--stale-resets", action="store_true", help="Logons that reset, heard after newer ones"
    )
    return parser


if __name__ == "__main__":
    sys.exit(main())
