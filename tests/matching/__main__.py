"""The differential test for as long as you like: python -m tests.matching --commands 1000000."""

from __future__ import annotations

import sys
from argparse import ArgumentParser

from tests.matching.duel import Duel

PER_FLOW = 500
REPORT_EVERY = 20_000


def main() -> int:
    """Play flows, each with a seed of its own, until one of them fails."""
    parser = ArgumentParser(prog="python -m tests.matching", description=__doc__)
    parser.add_argument("--commands", type=int, default=1_000_000, help="how many in all")
    parser.add_argument("--seed", type=int, default=1, help="the seed of the first flow")
    arguments = parser.parse_args()
    for played in range(0, arguments.commands, PER_FLOW):
        duel = Duel(arguments.seed + played // PER_FLOW)
        try:
            for _ in range(min(PER_FLOW, arguments.commands - played)):
                duel.step()
            duel.check(f"seed {duel.seed}, at the end")
        except AssertionError as error:
            print(f"{error}\nTo see it again: python -m tests.matching --seed {duel.seed}")
            return 1
        done = min(played + PER_FLOW, arguments.commands)
        if done % REPORT_EVERY == 0 or done == arguments.commands:
            print(f"{done:,} commands, last seed {duel.seed}", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
