"""The judges for as long as you like: python -m tests.judge --commands 1000000."""

from __future__ import annotations

import sys
from argparse import ArgumentParser
from collections import Counter
from time import perf_counter

from exchange.snapshot import digest_of
from tests.judge.court import FlowError, minimise, play_flow

REPORT_EVERY = 20_000


def main() -> int:
    """Play flows, each with a seed of its own, until one of them fails."""
    parser = ArgumentParser(prog="python -m tests.judge", description=__doc__)
    parser.add_argument("--commands", type=int, default=1_000_000, help="how many in all")
    parser.add_argument("--seed", type=int, default=1, help="the seed of the first flow")
    parser.add_argument("--per-flow", type=int, default=1_000, help="how many in one venue")
    parser.add_argument("--keep-going", action="store_true", help="list every kind of failure")
    parser.add_argument("--digest", action="store_true", help="print a hash of all that was said")
    arguments = parser.parse_args()
    per_flow = arguments.per_flow
    kinds: Counter[str] = Counter()
    seen: Counter[str] = Counter()
    start = perf_counter()
    for played in range(0, arguments.commands, per_flow):
        seed = arguments.seed + played // per_flow
        try:
            court = play_flow(seed, min(per_flow, arguments.commands - played))
        except FlowError as failure:
            head = "".join(c for c in failure.text.split(" in: ")[0][:90] if not c.isdigit())
            kinds[head] += 1
            if kinds[head] == 1:
                _tell(failure, seed)
            if not arguments.keep_going:
                return 1
            continue
        seen.update(court.clients.seen)
        if arguments.digest:
            print(court.digest.hexdigest(), digest_of(court.executor.venue))
        done = min(played + per_flow, arguments.commands)
        if not arguments.digest and (done % REPORT_EVERY == 0 or done == arguments.commands):
            rate = done / (perf_counter() - start)
            print(f"{done:,} commands, {rate:,.0f}/s, last seed {seed}", flush=True)
    if not arguments.digest:
        print("  ".join(f"{name}: {count:,}" for name, count in sorted(seen.items())))
    for kind, count in kinds.most_common():
        print(f"{count:6,} x {kind!r}")
    return 1 if kinds else 0


def _tell(failure: FlowError, seed: int) -> None:
    played = failure.court.steps[-1].position
    again = f"--commands {played} --per-flow {played}"
    steps, text = minimise(failure)
    print(f"seed {seed}, position {failure.court.steps[-1].position}: {failure.text}")
    print(f"minimised to {len(steps)} steps: {text}")
    for step in steps:
        print(f"    {step}")
    print(f"To see it again: python -m tests.judge {again} --seed {seed}\n", flush=True)


if __name__ == "__main__":
    sys.exit(main())
