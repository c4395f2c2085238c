"""Acceptors under the same loads, in turns: rounds of fresh processes, pairs, tables and plots."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

from bench.load import PERCENTILES
from bench.plots import Bar, Line, bars, lines
from bench.report import Sheet, console
from bench.rounds import ratios, rotated, spread
from bench.venue import Acceptor, NullAcceptor, VenueUnderTest, load

_COLUMNS: Final = (*PERCENTILES, "jitter")
_WARM_UP_ORDERS: Final = 20_000
_NULL: Final = "null acceptor"
NOTE: Final = "The null acceptor reads no order: its row is what the load generator can do."


@dataclass(frozen=True, slots=True)
class Contender:
    """Something that orders can be sent to; `start` is given an empty directory."""

    name: str
    start: Callable[[Path], Acceptor]


@dataclass(frozen=True, slots=True)
class Load:
    """What `bench.load` is told, after host and port."""

    name: str
    mode: str  # throughput or latency
    arguments: tuple[object, ...]


@dataclass(slots=True)
class Measured:
    """One load on one acceptor, in one round."""

    round: int
    name: str
    load: str
    mode: str
    found: dict[str, Any]  # by bench.load
    cpu_us: float  # of the acceptor, for each order that it has answered at full load
    resident_bytes: int


def null() -> Contender:
    """Answers without reading: what the load generator can do."""
    return Contender(_NULL, lambda home: NullAcceptor())


def seamark(durability: str, name: str | None = None, busy_poll_us: int = 0) -> Contender:
    """Our venue, at a durability; it may look for more for a while before it sleeps."""
    environment = {"SEAMARK_LISTEN__BUSY_POLL_US": str(busy_poll_us)}

    def start(home: Path) -> Acceptor:
        return VenueUnderTest(home, "--durability", durability, environment=environment)

    return Contender(name or durability, start)


def full(shape: str, sessions: int, orders: int) -> Load:
    """As fast as it goes."""
    return Load(shape, "throughput", (sessions, orders, shape))


def at_rate(rate: str, sessions: int, seconds: float) -> Load:
    """Orders at fixed times."""
    return Load(f"{int(rate):,}", "latency", (sessions, rate, seconds))


def measure(
    contenders: Sequence[Contender],
    loads: Sequence[Load],
    rounds: int,
    home: Path,
    warm_up: int = _WARM_UP_ORDERS,
) -> list[Measured]:
    """Every load on every contender in every round; each has a process and a directory of its own.

    Who is first changes from round to round. Before it is measured each gets some orders, for what
    compiles while it runs.
    """
    out: list[Measured] = []
    for number in range(rounds):
        for contender in rotated(contenders, number):
            console.print(f"round {number + 1} of {rounds}: {contender.name} ...")
            data = home / f"{number}-{contender.name.replace('/', '').replace(' ', '-')}"
            data.mkdir()
            with contender.start(data) as acceptor:
                load("throughput", acceptor, 4, warm_up // 4, "cross")
                out += [_measured(number, contender.name, acceptor, one) for one in loads]
            shutil.rmtree(data)
    return out


def _measured(number: int, name: str, acceptor: Acceptor, one: Load) -> Measured:
    said = load(one.mode, acceptor, *one.arguments)
    resident = acceptor.resident_bytes()
    return Measured(number, name, one.name, one.mode, said, said["acceptor_us"], resident)


# --- what a run has found ---------------------------------------------------------------


def figures(
    benchmark: str, where: Mapping[str, Any], base: str, measured: Iterable[Measured]
) -> dict[str, Any]:
    """Everything, for programs; ratios are to `base`."""
    return {
        "benchmark": benchmark,
        "machine": dict(where),
        "base": base,
        "measured": [asdict(one) for one in measured],
    }


def sheets(found: Mapping[str, Any]) -> list[Sheet]:
    """Throughput and latency."""
    return [_throughput(found), _latency(found)]


def plots(found: Mapping[str, Any]) -> dict[str, str]:
    """Throughput, cost, and latency at each rate, as SVG by name."""
    kind, out = found["benchmark"], {}
    shape = _loads(found, "throughput")[0]
    names = _names(found)
    ours = [name for name in names if name != _NULL]
    rates = {name: spread(_column(found, name, shape, "per_second")) for name in names}
    ceiling = f"; the load generator can do {rates[_NULL].median:,.0f}" if _NULL in rates else ""
    out[f"{kind}-throughput"] = bars(
        f"Orders answered a second, each filled{ceiling}", [Bar(one, rates[one]) for one in ours]
    )
    cost = [Bar(one, spread([it["cpu_us"] for it in _of(found, one, shape)])) for one in ours]
    out[f"{kind}-cpu"] = bars("CPU of the acceptor for each order, us", cost)
    for rate_name in _loads(found, "latency"):
        series = []
        for name in names:
            points = [
                (str(p), spread(_column(found, name, rate_name, p)).median) for p in PERCENTILES
            ]
            series.append(Line(name, points))
        title = f"Latency at {rate_name} orders a second, us"
        out[f"{kind}-latency-{rate_name.replace(',', '')}"] = lines(
            title, "percentile of orders", series, log_y=True
        )
    return out


def _throughput(found: Mapping[str, Any]) -> Sheet:
    rows = []
    for shape in _loads(found, "throughput"):
        for name in _names(found):
            ours, base = _of(found, name, shape), _of(found, found["base"], shape)
            rate = [float(one["found"]["per_second"]) for one in ours]
            cost = [one["cpu_us"] for one in ours]
            lost = sum(_lost(one["found"], shape) for one in ours)
            rows.append(
                (
                    name,
                    shape,
                    spread(rate).shown(0),
                    spread(ratios(rate, [one["found"]["per_second"] for one in base])).shown(),
                    spread(cost).shown(0),
                    spread(ratios(cost, [one["cpu_us"] for one in base]) or [0.0]).shown(),
                    f"{max(one['resident_bytes'] for one in ours) / 1e6:,.0f}",
                    f"{lost:,}",
                )
            )
    columns = ("", "shape", "orders/s", "ratio", "CPU us", "CPU ratio", "MB", "lost")
    base_name = found["base"]
    return Sheet(
        f"Throughput, {_rounds(found)} rounds: median (least-most), ratios to {base_name}",
        columns,
        rows,
    )


def _latency(found: Mapping[str, Any]) -> Sheet:
    rows = []
    for rate in _loads(found, "latency"):
        for name in _names(found):
            base = _column(found, found["base"], rate, "p50")
            pairs = ratios(_column(found, name, rate, "p50"), base)
            cells = (f"{spread(_column(found, name, rate, one)).median:,.0f}" for one in _COLUMNS)
            lost = sum(one["found"]["unanswered"] for one in _of(found, name, rate))
            late = spread(_column(found, name, rate, "late_p99")).median
            rows.append(
                (name, rate, *cells, spread(pairs or [0.0]).shown(), f"{late:,.0f}", f"{lost:,}")
            )
    columns = ("", "orders/s", *_COLUMNS, "p50 ratio", "late", "lost")
    title = (
        f"Latency, open loop, order to its report, us; medians of {_rounds(found)} rounds; "
        "`late` is the p99 of how late the generator was itself"
    )
    return Sheet(title, columns, rows)


def _lost(said: Mapping[str, Any], shape: str) -> int:
    """Orders without an answer, refused, or without the fill that they should have had."""
    unfilled = said["answered"] - said["fills"] if shape == "cross" else 0
    return int(said["unanswered"] + said["rejected"] + unfilled)


def _rounds(found: Mapping[str, Any]) -> int:
    return 1 + max(int(one["round"]) for one in found["measured"])


def _names(found: Mapping[str, Any]) -> list[str]:
    """As they were in the first round."""
    return list(dict.fromkeys(one["name"] for one in found["measured"]))


def _loads(found: Mapping[str, Any], mode: str) -> list[str]:
    return list(dict.fromkeys(one["load"] for one in found["measured"] if one["mode"] == mode))


def _of(found: Mapping[str, Any], name: str, what: str) -> list[Any]:
    """In order of rounds."""
    some = [one for one in found["measured"] if (one["name"], one["load"]) == (name, what)]
    return sorted(some, key=lambda one: one["round"])


def _column(found: Mapping[str, Any], name: str, what: str, column: str) -> list[float]:
    return [float(one["found"][column]) for one in _of(found, name, what)]
