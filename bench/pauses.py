"""The longest turns while a book grows, and while it then trades; what of them is the collector.

`python -m bench.pauses` makes a venue of each size in a process of its own, once with the collector
as a venue has it and once as Python has it. No sockets: as in growth. CPU time of the thread.
"""

from __future__ import annotations

import gc
import json as jsons
import logging
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Annotated, Any, Final

import typer

from bench.growth import Floor, crossing, resting
from bench.report import Sheet, console, in_one_line, machine, show, write_json
from exchange.garbage import Garbage
from fix_engine.timestamps import SECOND_NS
from sessions.telemetry import configure_logging

_PORTION: Final = 4_096
_TRADES: Final = 65_536
_TICK_NS: Final = SECOND_NS // 10  # a venue tells that time passes ten times a second
_SIZES: Final = "100,100000,1000000"


class Pauses:
    """Turns by their time, and those of the collector, in milliseconds."""

    def __init__(self, garbage: Garbage | None) -> None:
        self._garbage = garbage
        self._swept_at = self._started = time.thread_time_ns()
        self.turns: list[float] = []
        self.collections: list[float] = []
        gc.callbacks.append(self._collecting)

    def _collecting(self, phase: str, info: dict[str, int]) -> None:
        if phase == "start":
            self._started = time.thread_time_ns()
        else:
            self.collections.append(_since(self._started))

    def trade(self, floor: Floor, requests: list[tuple[int, bytes]]) -> None:
        """As `floor` does it, one turn after the other, and the collector in between."""
        for turn in floor.turns_of(requests):
            started = time.thread_time_ns()
            turn()
            self.turns.append(_since(started))
            if self._garbage is not None and started - self._swept_at > _TICK_NS:
                self._swept_at = started
                self._garbage.sweep()

    def told(self) -> dict[str, float]:
        """The figures so far, which begin anew."""
        turns, collections = sorted(self.turns), self.collections or [0.0]
        found = {
            "median": turns[len(turns) // 2],
            "p99": turns[len(turns) * 99 // 100],
            "longest": turns[-1],
            "collector": max(collections),
            "share": sum(collections) / sum(turns),
        }
        self.turns, self.collections = [], []
        return found


def _since(started: int) -> float:
    return (time.thread_time_ns() - started) / 1_000_000


def measured(size: int, is_ours: bool, directory: Path) -> dict[str, dict[str, float]]:
    """What turns take while a book grows to `size` orders, and in trading then."""
    garbage = Garbage(lambda: False) if is_ours else None
    if garbage is not None:
        garbage.begin()
    floor = Floor(directory, 8, 1)
    pauses = Pauses(garbage)
    for _ in range(-(-size // _PORTION)):
        pauses.trade(floor, resting(floor, min(size, _PORTION)))
    found = {"growing": pauses.told()}
    for _ in range(_TRADES // _PORTION):
        pauses.trade(floor, crossing(floor, _PORTION, 1))
    gc.callbacks.pop()
    return found | {"trading": pauses.told()}


def main(
    sizes: Annotated[str, typer.Option(help="Resting orders.")] = _SIZES,
    json: Annotated[Path | None, typer.Option(help="A file for every figure.")] = None,
) -> None:
    """Measure both collectors at every size."""
    where = machine()
    console.print(in_one_line(where))
    found: dict[str, dict[str, Any]] = {}
    for size in sizes.split(","):
        for whose in ("Python's", "ours"):
            console.print(f"{int(size):,} resting orders, {whose} collector ...")
            command = [sys.executable, "-m", "bench.pauses", "one", size, whose]
            done = subprocess.run(command, capture_output=True, text=True, check=False)
            if done.returncode:
                sys.exit(f"bench.pauses failed: {done.stderr}")
            found.setdefault(size, {})[whose] = jsons.loads(done.stdout)
    write_json(json, {"benchmark": "pauses", "machine": where, "sizes": found})
    show([sheet(found)])


def sheet(found: dict[str, dict[str, Any]]) -> Sheet:
    """A row for each size, collector and phase."""
    rows = [
        (
            *(f"{int(size):,}", whose, phase),
            *(f"{one[name]:.1f}" for name in ("median", "p99", "longest", "collector")),
            f"{one['share']:.1%}",
        )
        for size, both in found.items()
        for whose, phases in both.items()
        for phase, one in phases.items()
    ]
    columns = ("resting", "collector", "while", "median", "p99", "longest", "its longest", "share")
    return Sheet("Turns of 64 orders, CPU ms", columns, rows)


if __name__ == "__main__":
    if sys.argv[1:2] == ["one"]:
        configure_logging(logging.WARNING)
        with tempfile.TemporaryDirectory() as home:
            print(jsons.dumps(measured(int(sys.argv[2]), sys.argv[3] == "ours", Path(home))))
    else:
        typer.run(main)
