"""`python -m bench`: the order path in process and over TCP, as tables."""

from __future__ import annotations

import tempfile
from importlib.resources import files
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from bench.load import SHAPES
from bench.order_path import measure
from bench.report import console, in_one_line, machine
from bench.venue import VenueUnderTest, load
from fix_engine.dictionary import Dictionary


def main(
    orders: Annotated[int, typer.Option(help="Orders per session over TCP.")] = 20_000,
    sessions: Annotated[int, typer.Option(help="Sessions over TCP.")] = 4,
    rates: Annotated[str, typer.Option(help="Orders a second for latency.")] = "1000,5000",
    durability: Annotated[str, typer.Option(help="fsync, os or memory.")] = "os",
    rounds: Annotated[int, typer.Option(help="Rounds in process.")] = 5,
) -> None:
    """Measure; machines are noisy, so compare only what one run has measured."""
    console.print(in_one_line(machine()))
    _in_process(rounds)
    with (
        tempfile.TemporaryDirectory() as directory,
        VenueUnderTest(Path(directory), "--durability", durability) as venue,
    ):
        _over_tcp(venue.host, str(venue.port), sessions, orders, rates, durability)


def _in_process(rounds: int) -> None:
    dictionary = Dictionary((files("specs") / "FIX44.xml").read_bytes())
    table = Table(title="Order path in process: one session, crossing limit orders, CPU time")
    table.add_column("stage")
    table.add_column("us per order", justify="right")
    for stage in measure(dictionary, 10_000, rounds):
        table.add_row(stage.name, f"{stage.median_us:.1f}")
    console.print(table)


def _over_tcp(
    host: str, port: str, sessions: int, orders: int, rates: str, durability: str
) -> None:
    table = Table(title=f"Throughput over TCP: {sessions} sessions, durability {durability}")
    for name in ("shape", "requests", "per second", "fills", "rejected", "unanswered"):
        table.add_column(name, justify="right")
    for shape in SHAPES:
        found = load("throughput", host, port, sessions, orders, shape)
        table.add_row(
            shape,
            f"{found['answered']:,}",
            f"{found['per_second']:,}",
            f"{found['fills']:,}",
            f"{found['rejected']:,}",
            f"{found['unanswered']:,}",
        )
    console.print(table)
    table = Table(title="Latency over TCP, open loop, order to its report, us")
    columns = ("p25", "p50", "p95", "p99", "p99.9")
    for name in ("orders a second", *columns, "unanswered"):
        table.add_column(name, justify="right")
    for rate in rates.split(","):
        found = load("latency", host, port, sessions, rate, 5)
        figures = [f"{found[name]:,.0f}" for name in columns]
        table.add_row(f"{int(rate):,}", *figures, f"{found['unanswered']:,}")
    console.print(table)


if __name__ == "__main__":
    typer.run(main)
