"""Orders while many sessions read the market data of one instrument.

`python -m bench.market_data`: throughput and latency of orders, with nobody reading and with so
many, in turns. The readers are a process of their own, on the same cores as the load.
"""

from __future__ import annotations

import resource
import subprocess
import sys
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path
from types import TracebackType
from typing import Annotated, Any, Final, Self

import typer

from bench.report import console, in_one_line, machine, table, write_json
from bench.rounds import ratios, spread
from bench.venue import VenueUnderTest, load

_NONE, _READERS = "nobody reads", "readers"
_PERCENTILES: Final = ("p50", "p95", "p99")
SETTINGS: Final = """\
[session]
max_strangers = {0}
max_strangers_by_address = {0}
"""


class Readers:
    """`bench.readers` as a context manager; `found` is what they have read."""

    def __init__(self, venue: VenueUnderTest, count: int, interval_ms: int) -> None:
        command = [sys.executable, "-m", "bench.readers", venue.host, str(venue.port), str(count)]
        self.found = ""
        self._process = subprocess.Popen(
            [*command, str(interval_ms)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def __enter__(self) -> Self:
        assert self._process.stdout is not None
        if self._process.stdout.readline() != "reading\n":
            sys.exit("the readers did not get in")
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.found = self._process.communicate("")[0].strip()


@dataclass(slots=True)
class Phase:
    """What the orders were like."""

    round: int
    name: str
    throughput: dict[str, Any]
    latency: dict[str, Any]


def main(
    readers: Annotated[int, typer.Option(help="Sessions that read market data.")] = 1_000,
    interval: Annotated[int, typer.Option(help="Milliseconds between updates; 0: every one.")] = 0,
    orders: Annotated[int, typer.Option(help="Of each of 4 sessions.")] = 10_000,
    rate: Annotated[int, typer.Option(help="Orders a second, for latency.")] = 1_000,
    seconds: Annotated[float, typer.Option(help="Of latency.")] = 5,
    rounds: Annotated[int, typer.Option(help="Each: without, with.", min=1)] = 3,
    durability: Annotated[str, typer.Option(help="fsync, os or memory.")] = "os",
    json: Annotated[Path | None, typer.Option(help="A file for every figure.")] = None,
) -> None:
    """Measure orders with and without readers, in turns."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, min(hard, readers + 100)), hard))
    where = machine()
    console.print(in_one_line(where))
    phases: list[Phase] = []
    with tempfile.TemporaryDirectory() as home:
        settings = Path(home) / "venue.toml"
        settings.write_text(SETTINGS.format(readers + 100))
        options = "--config", str(settings), "--durability", durability
        with VenueUnderTest(Path(home) / "data", *options) as venue:
            for number in range(rounds):
                phases.append(_phase(number, _NONE, venue, orders, rate, seconds))
                with Readers(venue, readers, interval) as some:
                    phases.append(_phase(number, _READERS, venue, orders, rate, seconds))
                console.print(f"round {number + 1} of {rounds}: {some.found}")
    every = f"every {interval} ms" if interval else "every update"
    _show(f"{readers:,} readers of one instrument, {every}, durability {durability}", phases)
    figures = [asdict(one) for one in phases]
    write_json(json, {"benchmark": "market data", "machine": where, "phases": figures})


def _phase(
    number: int, name: str, venue: VenueUnderTest, orders: int, rate: int, seconds: float
) -> Phase:
    throughput = load("throughput", venue, 4, orders, "cross")
    return Phase(number, name, throughput, load("latency", venue, 1, rate, seconds))


def _show(title: str, phases: list[Phase]) -> None:
    rows: list[tuple[str, ...]] = []
    for name in (_NONE, _READERS):
        some = [one for one in phases if one.name == name]
        rows.append(
            (
                name,
                spread([one.throughput["per_second"] for one in some]).shown(0),
                *(spread([one.latency[f"{p}"] for one in some]).shown(0) for p in _PERCENTILES),
            )
        )
    console.print(table(title, ("", "orders/s", "p50 us", "p95 us", "p99 us"), rows))
    with_readers = [p.throughput["per_second"] for p in phases if p.name == _READERS]
    without = [p.throughput["per_second"] for p in phases if p.name == _NONE]
    ratio = spread(ratios(with_readers, without)).shown()
    console.print(f"throughput with readers to without: {ratio}")


if __name__ == "__main__":
    typer.run(main)
