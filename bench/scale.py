"""What an order costs as the venue grows, and what sessions, orders and messages weigh.

`python -m bench.scale`. In process, CPU time: sessions, resting orders, instruments, orders that
there were before (the age of the journal). Over TCP, CPU time of the venue: sessions that trade,
and readers of market data. Sizes of one kind take turns in every round.
"""

from __future__ import annotations

import json as jsons
import resource
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import Annotated, Any, Final

import typer

from bench.growth import KINDS
from bench.market_data import SETTINGS, Readers
from bench.plots import Line, lines
from bench.report import Sheet, console, in_one_line, machine, show, write_json, write_plots
from bench.rounds import ratios, rotated, spread
from bench.venue import VenueUnderTest, load

_SIZES: Final[Mapping[str, Sequence[int]]] = {
    "sessions": (1, 10, 100, 1_000, 10_000),
    "resting": (10, 100, 1_000, 10_000, 100_000, 1_000_000),
    "instruments": (1, 10, 100, 1_000),
    "age": (1_000, 10_000, 100_000, 1_000_000),
    "stored": (1_000, 10_000, 100_000, 1_000_000),
    "sessions over TCP": (1, 10, 100, 1_000, 10_000),
    "readers": (1, 10, 100, 1_000),
}
_NAMES: Final = {
    "sessions": "sessions",
    "resting": "resting orders",
    "instruments": "instruments",
    "age": "orders before",
    "stored": "stored messages",
    "sessions over TCP": "sessions, over TCP",
    "readers": "readers, over TCP",
}
_UNITS: Final = {
    "sessions": "a session",
    "resting": "a resting order",
    "age": "an order of the past",
    "stored": "a stored message",
}
_IN_FLIGHT: Final = 1_024  # orders unanswered, of all sessions together


def main(
    kinds: Annotated[str, typer.Option(help="Which of them.")] = ",".join(_SIZES),
    most: Annotated[int, typer.Option(help="The largest size.")] = 1_000_000,
    orders: Annotated[int, typer.Option(help="Over TCP, at each size.")] = 20_000,
    rounds: Annotated[int, typer.Option(help="Each: all sizes, in turns.", min=1)] = 3,
    json: Annotated[Path | None, typer.Option(help="A file for every figure.")] = None,
    plots: Annotated[Path | None, typer.Option(help="A directory for plots.")] = None,
) -> None:
    """Measure every kind at every size."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    where = machine()
    console.print(in_one_line(where))
    series: dict[str, dict[str, Any]] = {}
    for kind in kinds.split(","):
        sizes = [size for size in _SIZES[kind] if size <= most]
        if "TCP" in kind or kind == "readers":
            sizes = [size for size in sizes if size < hard - 100]
        found: dict[int, list[dict[str, Any]]] = {size: [] for size in sizes}
        for number in range(rounds):
            for size in rotated(sizes, number):
                console.print(f"round {number + 1} of {rounds}: {size:,} {_NAMES[kind]} ...")
                found[size].append(_grown(kind, size, orders))
        series[kind] = {str(size): some for size, some in found.items()}
        figures = {"benchmark": "scale", "machine": where, "series": series}
        write_json(json, figures)  # so far
    show(sheets(figures))
    write_plots(plots, drawn(figures))


def _grown(kind: str, size: int, orders: int) -> dict[str, Any]:
    if kind in KINDS:
        command = [sys.executable, "-m", "bench.growth", kind, str(size)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            sys.exit(f"bench.growth failed: {done.stderr}")
        found: dict[str, Any] = jsons.loads(done.stdout)
        return found
    with tempfile.TemporaryDirectory() as home:
        settings = Path(home) / "venue.toml"
        settings.write_text(SETTINGS.format(size + 100))
        options = "--config", str(settings), "--durability", "os"
        with VenueUnderTest(Path(home) / "data", *options) as venue:
            is_reading = kind == "readers"
            sessions = 4 if is_reading else size
            each, window = max(2, orders // sessions), max(1, min(256, _IN_FLIGHT // sessions))
            with Readers(venue, size, 0) if is_reading else nullcontext():
                said = load("throughput", venue, sessions, each, "cross", "--window", window)
    lost = said["unanswered"] + said["rejected"]
    if lost:
        console.print(f"{lost:,} orders were not answered by a venue of {size:,} {_NAMES[kind]}!")
    return {"us": [said["acceptor_us"]], "per_second": said["per_second"], "lost": lost}


def sheets(found: Mapping[str, Any]) -> list[Sheet]:
    """Cost by size, and weights."""
    rows = []
    for kind, sizes in found["series"].items():
        base = _costs(next(iter(sizes.values())))
        for size, some in sizes.items():
            cost = _costs(some)
            ratio = spread(ratios(cost, base)).shown()
            rows.append((_NAMES[kind], f"{int(size):,}", spread(cost).shown(1), ratio))
    columns = ("grown", "to", "CPU us per order", "to the least")
    out = [Sheet("What an order costs in a venue that has grown", columns, rows)]
    weights = []
    for kind, unit in _UNITS.items():
        if kind in found["series"]:
            size, some = list(found["series"][kind].items())[-1]
            each = spread([one["bytes"] for one in some]).shown(0)
            weights.append((unit, each, f"{int(size):,}"))
    if weights:
        out.append(Sheet("What it weighs in memory", ("", "bytes", "measured on"), weights))
    return out


def drawn(found: Mapping[str, Any]) -> dict[str, str]:
    """Cost by size, as SVG: in process, and over TCP."""
    out = {}
    for name, is_tcp in (("scale-in-process", False), ("scale-over-tcp", True)):
        series = [
            Line(
                _NAMES[kind],
                [(float(size), spread(_costs(some)).median) for size, some in sizes.items()],
            )
            for kind, sizes in found["series"].items()
            if (kind not in KINDS) is is_tcp
        ]
        if series:
            where = "of the venue, over TCP" if is_tcp else "in process"
            title = f"CPU us for one order, {where}, as the venue grows"
            out[name] = lines(title, "how many", series, log_x=True)
    return out


def _costs(some: Sequence[Mapping[str, Any]]) -> list[float]:
    """The median of each round."""
    return [spread(one["us"]).median for one in some]


if __name__ == "__main__":
    typer.run(main)
