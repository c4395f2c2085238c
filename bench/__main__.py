"""`python -m bench`: the order path in process, then over TCP at each durability."""

from __future__ import annotations

import tempfile
from importlib.resources import files
from pathlib import Path
from typing import Annotated, Any

import typer

from bench import side_by_side
from bench.load import SHAPES
from bench.order_path import WHOLE, measure
from bench.plots import Bar, bars
from bench.report import Sheet, console, in_one_line, machine, show, write_json, write_plots
from bench.rounds import Spread, spread
from bench.side_by_side import at_rate, full, null, seamark
from fix_engine.dictionary import Dictionary


def main(
    orders: Annotated[int, typer.Option(help="Of each session, as fast as it goes.")] = 5_000,
    sessions: Annotated[int, typer.Option(help="Sessions over TCP.")] = 4,
    rates: Annotated[str, typer.Option(help="Orders a second, for latency.")] = "1000,5000",
    seconds: Annotated[float, typer.Option(help="Of each measurement of latency.")] = 2,
    rounds: Annotated[int, typer.Option(help="Rounds, in process and over TCP.", min=1)] = 3,
    directory: Annotated[Path | None, typer.Option(help="Where journals go for a while.")] = None,
    json: Annotated[Path | None, typer.Option(help="A file for every figure.")] = None,
    plots: Annotated[Path | None, typer.Option(help="A directory for plots.")] = None,
) -> None:
    """Measure; machines are noisy, so compare only what one run has measured."""
    with tempfile.TemporaryDirectory(dir=directory) as home:
        where = machine(Path(home))
        console.print(in_one_line(where))
        stages = _in_process(rounds)
        show([stages_sheet(stages)])
        loads = [*(full(shape, sessions, orders) for shape in SHAPES)]
        loads += [at_rate(rate, sessions, seconds) for rate in rates.split(",")]
        contenders = [null(), *(seamark(one) for one in ("os", "fsync", "memory"))]
        measured = side_by_side.measure(contenders, loads, rounds, Path(home), warm_up=4_000)
    found = side_by_side.figures("bench", where, "os", measured) | {"stages": stages}
    show(side_by_side.sheets(found))
    console.print(side_by_side.NOTE)
    write_json(json, found)
    write_plots(plots, drawn(found))


def sheets(found: dict[str, Any]) -> list[Sheet]:
    """All that a run has found."""
    return [stages_sheet(found["stages"]), *side_by_side.sheets(found)]


def drawn(found: dict[str, Any]) -> dict[str, str]:
    """Plots of it, as SVG by name."""
    parts = [Bar(name, _spread(one)) for name, one in found["stages"].items() if name != WHOLE]
    title = "The way of one order, acknowledged and filled: CPU us"
    return {"bench-stages": bars(title, parts)} | side_by_side.plots(found)


def stages_sheet(stages: dict[str, list[float]]) -> Sheet:
    """`stages` has the microseconds of each round."""
    whole = spread(stages[WHOLE]).median
    rows = []
    for name, figures in stages.items():
        share = spread(figures).median / whole
        rows.append((name, spread(figures).shown(1), f"{share:.0%}"))
    columns = ("stage", "CPU us per order", "of the whole path")
    return Sheet("The order path in process: one session, crossing orders", columns, rows)


def _spread(figures: list[float]) -> Spread:
    found = spread(figures)
    return Spread(*(max(0.0, one) for one in (found.median, found.low, found.high)))


def _in_process(rounds: int) -> dict[str, list[float]]:
    dictionary = Dictionary((files("specs") / "FIX44.xml").read_bytes())
    found = measure(dictionary, 10_000, max(rounds, 3))
    return {one.name: [round(figure / 1_000, 2) for figure in one.rounds] for one in found}


if __name__ == "__main__":
    typer.run(main)
