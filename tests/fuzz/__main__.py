"""`python -m tests.fuzz`: mutated input for the real venue, the session machine, or both codecs.

The coverage-guided target is `python -m tests.fuzz.guided`.
"""

from __future__ import annotations

import argparse
import gc
import signal
import sys
from pathlib import Path
from random import Random
from time import monotonic
from typing import Final

from fix_engine.codec import is_built
from tests.fuzz import codec, live
from tests.fuzz.conversation import EPISODE_INPUTS, Conversation, drawn_settings
from tests.fuzz.machine import Machine, SlowError, Totals
from tests.fuzz.venue import FuzzError

_TELL_EVERY_S: Final = 5.0
_BUDGET_MS: Final = 250.0  # a few bytes may set free a thousand messages that waited


def main(arguments: list[str] | None = None) -> int:
    """Run what is asked for; 0 when nothing was found."""
    args = _parser().parse_args(arguments)
    if args.what == "live":
        return _live(args)
    if args.what == "codec":
        return _codec(args)
    return _machine(args)


def _codec(args: argparse.Namespace) -> int:
    """Episodes until there were inputs enough; each of them has a seed of its own."""
    totals, began, seed = codec.Totals(), monotonic(), args.seed
    print(f"the compiled codec {'' if is_built() else 'was not built: the reference '}is judged")
    seconds = args.seconds if args.seconds is not None else (0.0 if args.inputs else 60.0)
    told = began
    while not (seconds and monotonic() - began >= seconds):
        duel = codec.Duel(Random(seed), totals)
        try:
            for _ in range(codec.EPISODE_INPUTS):
                duel.step()
        except Exception as error:
            path = Path(f"fuzz-codec-{seed}.txt").absolute()
            path.write_text("".join(f"{chunk!r}\n" for chunk in duel.fed))
            print(f"FAILED: --seed {seed}: {error!r}\nwhat was fed: {path}", file=sys.stderr)
            return 1
        seed += 1
        if monotonic() - told >= _TELL_EVERY_S * 6:
            told = monotonic()
            print(f"seed {seed}: {totals}", flush=True)
        if args.inputs and totals.inputs >= args.inputs:
            break
    print(f"passed: seeds {args.seed} to {seed - 1}, {totals}, {monotonic() - began:.0f} s")
    return 0


def _live(args: argparse.Namespace) -> int:
    seconds = args.seconds if args.seconds is not None else (0.0 if args.inputs else 60.0)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # or the venue would be left running
    options = live.Options(args.seed, seconds, args.inputs, args.sessions)
    try:
        print(live.run(options))
    except FuzzError as error:
        print(f"FAILED: {error}", file=sys.stderr)
        return 1
    return 0


def _machine(args: argparse.Namespace) -> int:
    """Episodes without end: the one of seed N+i is what `--seed N+i` begins with."""
    seconds = args.seconds if args.seconds is not None else (0.0 if args.inputs else 60.0)
    totals, began, seed = Totals(), monotonic(), args.seed
    told = began
    gc.disable()  # or a collection would be taken for a slow input
    while not (seconds and monotonic() - began >= seconds):
        found = _episode(seed, totals, args.budget_ms)
        if isinstance(found, SlowError):  # by itself, or because the machine was busy?
            found = _episode(seed, totals, args.budget_ms)
        if found is not None:
            notes = "\n".join(getattr(found, "__notes__", ()))
            print(f"FAILED: --seed {seed}: {found!r}\n{notes}", file=sys.stderr)
            if args.traceback:
                raise found
            return 1
        seed += 1
        if seed % 20 == 0:
            gc.collect()
        if monotonic() - told >= _TELL_EVERY_S:
            told = monotonic()
            print(f"seed {seed}: {_shown(totals, told - began)}", flush=True)
        if args.inputs and totals.inputs >= args.inputs:
            break
    print(f"passed: seeds {args.seed} to {seed - 1}, {_shown(totals, monotonic() - began)}")
    return 0


def _episode(seed: int, totals: Totals, budget_ms: float) -> Exception | None:
    """One conversation; what went wrong, after what was fed has been saved."""
    rng = Random(seed)
    machine = Machine(totals, budget_ms / 1000, drawn_settings(rng))
    conversation = Conversation(rng, machine)
    try:
        for _ in range(EPISODE_INPUTS):
            conversation.step()
    except Exception as error:
        path = Path(f"fuzz-machine-{seed}.txt").absolute()
        path.write_text("".join(f"{chunk!r}\n" for chunk in conversation.fed))
        error.add_note(f"what was fed: {path}")
        return error
    return None


def _shown(totals: Totals, elapsed_s: float) -> str:
    return (
        f"{totals.inputs:,} inputs at {totals.inputs / max(elapsed_s, 0.001):,.0f}/s; "
        f"{totals.messages:,} messages, {totals.garbled:,} garbled, {totals.logons:,} logons, "
        f"{totals.delivered:,} delivered, {totals.sent:,} sent, "
        f"{totals.retransmitted:,} sent again; slowest {totals.slowest_s * 1000:.1f} ms"
    )


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    commands = parser.add_subparsers(dest="what", required=True)
    kinds = {
        "live": "the real venue, over TCP",
        "machine": "the session machine",
        "codec": "the compiled codec beside the plain one",
    }
    for name, text in kinds.items():
        command = commands.add_parser(name, help=text)
        command.add_argument("--seconds", type=float, help="stop after so long (60)")
        command.add_argument("--inputs", type=int, default=0, help="stop after so many")
        command.add_argument("--seed", type=int, default=1, help="1 unless given")
        if name == "live":
            command.add_argument("--sessions", type=int, default=8, help="mutated ones (8)")
        elif name == "machine":
            command.add_argument(
                "--budget-ms", type=float, default=_BUDGET_MS, help="for one input (250)"
            )
            command.add_argument("--traceback", action="store_true", help="raise what was found")
    return parser


if __name__ == "__main__":
    sys.exit(main())
