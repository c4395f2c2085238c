"""`python -m bench.peers`: Seamark beside small exchanges on other engines, under the same load."""

from __future__ import annotations

import tempfile
from importlib.resources import files
from pathlib import Path
from typing import Annotated, Final

import typer

from bench import side_by_side
from bench.peers.engines import PEERS, Peer, built
from bench.report import console, in_one_line, machine, show, write_json, write_plots
from bench.side_by_side import Contender, at_rate, full, null, seamark

_OURS: Final = "Seamark, os"
_BUSY_POLL_US: Final = 2_000  # for latency where there is a core to spare


def main(
    engines: Annotated[str, typer.Option(help="Of these.")] = ",".join(PEERS),
    orders: Annotated[int, typer.Option(help="Of each session, as fast as it goes.")] = 20_000,
    sessions: Annotated[int, typer.Option(help="Sessions.", min=4)] = 4,
    rates: Annotated[str, typer.Option(help="Orders a second, for latency.")] = "500,1000,3000",
    seconds: Annotated[float, typer.Option(help="Of each measurement of latency.")] = 5,
    rounds: Annotated[int, typer.Option(help="Each: all of them, in turns.", min=1)] = 5,
    dictionary: Annotated[
        Path | None, typer.Option(help="Of the peers; by default the one of Seamark.")
    ] = None,
    directory: Annotated[Path | None, typer.Option(help="Where stores go for a while.")] = None,
    json: Annotated[Path | None, typer.Option(help="A file for every figure.")] = None,
    plots: Annotated[Path | None, typer.Option(help="A directory for plots.")] = None,
) -> None:
    """Measure throughput, cost and latency side by side."""
    peers, missing = built(engines.split(","))
    for line in missing:
        console.print(line)
    with tempfile.TemporaryDirectory(dir=directory) as home:
        where = machine(Path(home))
        where["engines"] = {peer.name: peer.version() for peer in peers}
        console.print(in_one_line(where))
        loads = [full("cross", sessions, orders), full("rest", sessions, orders)]
        loads += [at_rate(rate, sessions, seconds) for rate in rates.split(",")]
        path = dictionary or Path(str(files("specs") / "FIX44.xml"))
        contenders = [
            seamark("os", _OURS),
            seamark("os", "Seamark, busy poll", busy_poll_us=_BUSY_POLL_US),
            seamark("fsync", "Seamark, fsync"),
            *(_contender(peer, path.resolve(), sessions) for peer in peers),
            null(),
        ]
        measured = side_by_side.measure(contenders, loads, rounds, Path(home))
    found = side_by_side.figures("peers", where, _OURS, measured)
    show(side_by_side.sheets(found))
    console.print(side_by_side.NOTE)
    write_json(json, found)
    write_plots(plots, side_by_side.plots(found))


def _contender(peer: Peer, dictionary: Path, sessions: int) -> Contender:
    return Contender(peer.name, lambda home: peer.start(dictionary, home, sessions))


if __name__ == "__main__":
    typer.run(main)
