"""What durability costs: fsync, os and memory side by side, in one run, round by round.

`python -m bench.durability`. Every measurement has a fresh venue on a fresh directory. Compare
only within the run: the ratios are of pairs of one round.
"""

from __future__ import annotations

import shutil
import tempfile
import time
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median
from typing import Annotated, Any, Final

import typer

from bench.counted import VARIABLE, read_syncs
from bench.journals import Batching, count_batches
from bench.report import console, in_one_line, machine, table, write_json
from bench.rounds import ratios, rotated, spread
from bench.venue import VenueUnderTest, load

DURABILITIES: Final = ("fsync", "os", "memory")
FULL: Final = "full"  # the load that is as fast as the venue answers
_PERCENTILES: Final = ("p25", "p50", "p95", "p99")


@dataclass(slots=True)
class Measured:
    """One load against one venue; `load` is "full" or orders a second.

    Batches are those that hold an order; in memory nothing can be read, so there are 0.
    """

    round: int
    durability: str
    load: str
    found: dict[str, Any]  # by bench.load
    orders: int = 0
    batches: int = 0
    syncs: int = 0
    sync_ns: int = 0


def main(
    rounds: Annotated[int, typer.Option(help="Rounds; each has every durability.", min=1)] = 5,
    orders: Annotated[int, typer.Option(help="Orders per session at full load.")] = 20_000,
    sessions: Annotated[int, typer.Option(help="Sessions.")] = 4,
    shape: Annotated[str, typer.Option(help="cross, rest or cancel, at full load.")] = "cross",
    rates: Annotated[str, typer.Option(help="Orders a second for latency.")] = "500,2000,5000",
    seconds: Annotated[float, typer.Option(help="Of each measurement of latency.")] = 5,
    directory: Annotated[Path | None, typer.Option(help="Where journals go for a while.")] = None,
    json: Annotated[Path | None, typer.Option(help="A file for every figure.")] = None,
) -> None:
    """Measure throughput, latency and group commit by durability."""
    with tempfile.TemporaryDirectory(dir=directory) as home:
        where = machine(Path(home))
        console.print(in_one_line(where))
        measured: list[Measured] = []
        loads = [FULL, *rates.split(",")]
        for number in range(rounds):
            for durability in rotated(DURABILITIES, number):
                console.print(f"round {number + 1} of {rounds}: {durability} ...")
                data = Path(home) / f"{number}-{durability}"
                commands = {one: _command(one, sessions, orders, shape, seconds) for one in loads}
                measured += _one_venue(data, number, durability, commands)
                shutil.rmtree(data)
    _show_throughput(measured, rounds, sessions, shape)
    _show_latency(measured, rounds, loads[1:])
    _show_batching(measured, loads)
    figures = [asdict(one) for one in measured]
    write_json(json, {"benchmark": "durability", "machine": where, "measured": figures})


def _command(name: str, sessions: int, orders: int, shape: str, seconds: float) -> list[object]:
    if name == FULL:
        return [sessions, orders, shape]
    return [sessions, name, seconds]


def _one_venue(
    data: Path, number: int, durability: str, loads: dict[str, list[object]]
) -> list[Measured]:
    """Every load against one fresh venue."""
    out, windows = [], []
    data.mkdir()
    counter = data.with_suffix(".syncs")
    venue = VenueUnderTest(
        data,
        "--durability",
        durability,
        program="bench.counted",
        environment={VARIABLE: str(counter)},
    )
    with venue:
        for name, command in loads.items():
            mode = "throughput" if name == FULL else "latency"
            begin, before = time.time_ns(), read_syncs(counter)
            found = load(mode, venue, *command)
            windows.append(Batching(begin, time.time_ns()))
            syncs, taken = (
                now - then for now, then in zip(read_syncs(counter), before, strict=True)
            )
            out.append(Measured(number, durability, name, found, syncs=syncs, sync_ns=taken))
    if durability != "memory":
        count_batches(data, windows)
    for one, window in zip(out, windows, strict=True):
        one.orders, one.batches = window.orders, window.batches
    return out


def _of(measured: Iterable[Measured], durability: str, name: str) -> list[Measured]:
    """Those of a durability and a load, in order of their rounds."""
    return [one for one in measured if (one.durability, one.load) == (durability, name)]


def _figures(measured: Iterable[Measured], name: str) -> list[float]:
    return [float(one.found[name]) for one in measured]


def _show_throughput(measured: Sequence[Measured], rounds: int, sessions: int, shape: str) -> None:
    memory = _figures(_of(measured, "memory", FULL), "per_second")
    rows = []
    for durability in DURABILITIES:
        ours = _of(measured, durability, FULL)
        figures = _figures(ours, "per_second")
        whole, pairs = spread(figures), spread(ratios(figures, memory) or [0.0])
        lost = sum(one.found["unanswered"] + one.found["rejected"] for one in ours)
        row = (whole.median, whole.low, whole.high)
        rows.append([durability, *(f"{one:,.0f}" for one in row), pairs.shown(), f"{lost:,}"])
    title = f"Throughput: {shape}, {sessions} sessions, {rounds} rounds, orders answered a second"
    columns = ("durability", "median", "min", "max", "to memory, by pairs", "unanswered")
    console.print(table(title, columns, rows))


def _show_latency(measured: Sequence[Measured], rounds: int, rates: Sequence[str]) -> None:
    rows = []
    for rate in rates:
        memory = _figures(_of(measured, "memory", rate), "p50")
        for durability in DURABILITIES:
            ours = _of(measured, durability, rate)
            cells = [f"{median(_figures(ours, name)):,.0f}" for name in _PERCENTILES]
            pairs = spread(ratios(_figures(ours, "p50"), memory) or [0.0])
            lost = sum(one.found["unanswered"] for one in ours)
            rows.append([f"{int(rate):,}", durability, *cells, pairs.shown(), f"{lost:,}"])
    title = f"Latency, open loop, order to its report, us, medians of {rounds} rounds"
    columns = (
        "orders a second",
        "durability",
        *_PERCENTILES,
        "p50 to memory, by pairs",
        "unanswered",
    )
    console.print(table(title, columns, rows))


def _show_batching(measured: Sequence[Measured], loads: Sequence[str]) -> None:
    rows = []
    for name in loads:
        for durability in DURABILITIES[:2]:
            ours = _of(measured, durability, name)
            orders, batches, syncs, taken = (
                sum(figures)
                for figures in zip(
                    *((one.orders, one.batches, one.syncs, one.sync_ns) for one in ours),
                    strict=True,
                )
            )
            rows.append(
                [
                    name if name == FULL else f"{int(name):,}",
                    durability,
                    _quotient(orders, batches, 1),
                    _quotient(batches, syncs, 1),
                    _quotient(orders, syncs, 1),
                    f"{syncs:,}",
                    _quotient(taken / 1_000, syncs, 0),
                ]
            )
    columns = (
        "orders a second",
        "durability",
        "orders a batch",
        "batches a sync",
        "orders a sync",
        "syncs",
        "us a sync",
    )
    console.print(table("Group commit, all rounds together", columns, rows))


def _quotient(figure: float, by: float, decimals: int) -> str:
    return f"{figure / by:,.{decimals}f}" if by else "-"


if __name__ == "__main__":
    typer.run(main)
