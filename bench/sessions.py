"""Ten thousand sessions in one process: is anybody lost or late, and what do they cost?

`python -m bench.sessions`: all log on at one moment, stay alive, trade now and then, send an order
at one moment, and are logged out when the venue closes. Then storms of logons of every kind.
"""

from __future__ import annotations

import json as jsons
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from types import TracebackType
from typing import Annotated, Any, Final, Self

import typer

from bench.report import Sheet, console, in_one_line, machine, show, write_json
from bench.storm import KINDS, StormResult, storm
from bench.venue import VenueUnderTest

_SPARE: Final = 100  # files, and room in the settings, beside those of sessions
_STORM_RATE: Final = 200  # orders a second of those who are in, while the others log on
_SETTINGS: Final = """\
[session]
max_sessions = {0}
max_connections = {0}
max_strangers = {0}
max_strangers_by_address = {0}
logon_timeout_s = 60
"""


class Crowd:
    """`bench.crowd` as a context manager: a line for each thing to do."""

    def __init__(self, venue: VenueUnderTest, count: int, heartbeat_s: int) -> None:
        command = [sys.executable, "-m", "bench.crowd", venue.host, str(venue.port), str(count)]
        self._process = subprocess.Popen(
            [*command, str(heartbeat_s)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self._read()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._process.communicate()

    def say(self, *line: object) -> None:
        """Have something done."""
        assert self._process.stdin is not None
        self._process.stdin.write(" ".join(map(str, line)) + "\n")
        self._process.stdin.flush()

    def found(self) -> dict[str, Any]:
        """What came of it."""
        found: dict[str, Any] = jsons.loads(self._read())
        return found

    def _read(self) -> str:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            sys.exit("the crowd has failed")
        return line


def main(
    sessions: Annotated[int, typer.Option(help="How many.")] = 10_000,
    interval: Annotated[int, typer.Option(help="HeartBtInt in seconds.")] = 10,
    rate: Annotated[int, typer.Option(help="Orders a second, of all together.")] = 800,
    idle: Annotated[int, typer.Option(help="Seconds without orders.")] = 30,
    trading: Annotated[int, typer.Option(help="Seconds with orders.")] = 45,
    durability: Annotated[str, typer.Option(help="fsync, os or memory.")] = "os",
    stormers: Annotated[int, typer.Option(help="In storms of each kind; 0: none.")] = 2_000,
    json: Annotated[Path | None, typer.Option(help="A file for every figure.")] = None,
) -> None:
    """Measure many sessions, then storms of logons."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = max(sessions, stormers) + _SPARE
    if hard < wanted:
        sys.exit(f"this system allows {hard} open files; run with --sessions {hard - _SPARE}")
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, wanted), hard))
    figures: dict[str, Any] = {"benchmark": "sessions", "machine": machine()}
    figures |= {"sessions": sessions, "interval_s": interval, "durability": durability}
    console.print(in_one_line(figures["machine"]))
    figures["phases"] = _phases(sessions, interval, rate, idle, trading, durability)
    write_json(json, figures)  # so far
    if stormers:
        figures["storms"] = [asdict(storm(kind, stormers)) for kind in KINDS]
        write_json(json, figures)
    show(sheets(figures))


def _phases(
    sessions: int, interval: int, rate: int, idle: int, trading: int, durability: str
) -> dict[str, dict[str, Any]]:
    with tempfile.TemporaryDirectory() as directory:
        settings = Path(directory) / "venue.toml"
        settings.write_text(_SETTINGS.format(sessions + _SPARE))
        options = "--config", str(settings), "--durability", durability
        with (
            VenueUnderTest(Path(directory) / "data", *options) as venue,
            Crowd(venue, sessions, interval) as crowd,
        ):
            before = venue.resident_bytes()
            found = {"storm": _measured(venue, crowd, "storm", _STORM_RATE)}
            found["storm"]["bytes_each"] = round((venue.resident_bytes() - before) / sessions)
            found["idle"] = _measured(venue, crowd, "run", idle, 0)
            found["trading"] = _measured(venue, crowd, "run", trading, rate)
            found["burst"] = _measured(venue, crowd, "burst", venue.pid)
            found["closing"] = _closed(venue, crowd)
    return found


def _measured(venue: VenueUnderTest, crowd: Crowd, *line: object) -> dict[str, Any]:
    console.print(" ".join(map(str, line)), "...")
    cpu, started = venue.cpu_seconds(), time.perf_counter()
    crowd.say(*line)
    found = crowd.found()
    found["venue_cpu_s"] = round(venue.cpu_seconds() - cpu, 2)
    found["venue_core"] = round(found["venue_cpu_s"] / (time.perf_counter() - started), 4)
    found["venue_bytes"] = venue.resident_bytes()
    return found


def _closed(venue: VenueUnderTest, crowd: Crowd) -> dict[str, Any]:
    crowd.say("end")
    ended_s = venue.end()
    return {**crowd.found(), "ended_s": round(ended_s, 3)}


def sheets(figures: Mapping[str, Any]) -> list[Sheet]:
    """What is printed."""
    phases, sessions = figures["phases"], figures["sessions"]
    one, closing = phases["storm"], phases["closing"]
    out = [
        Sheet(
            f"{sessions:,} sessions log on at one moment, durability {figures['durability']}",
            ("refused", "s", "a second", "p50 s", "p99 s", "CPU us each", "KB each", "dropped"),
            [
                (
                    f"{one['asked'] - one['in']:,}",
                    f"{one['seconds']:.2f}",
                    f"{one['in'] / one['seconds']:,.0f}",
                    *(f"{one[f'logon_{name}']:.2f}" for name in ("p50", "p99")),
                    f"{1e6 * one['venue_cpu_s'] / sessions:,.0f}",
                    f"{one['bytes_each'] / 1_000:.1f}",
                    f"{one['dropped']:,}",
                )
            ],
        ),
        Sheet(
            f"Then, HeartBtInt {figures['interval_s']} s",
            (
                *("", "orders", "unanswered", "first ms", "p50 ms", "p99 ms", "worst ms"),
                *("heartbeats", "late p99 ms", "late worst ms", "lost", "core"),
            ),
            [_row(name, phases[name]) for name in ("storm", "idle", "trading", "burst")],
        ),
        Sheet(
            "At the end, SIGTERM",
            ("Logouts", "closed by the venue", "all closed after s", "process ended after s"),
            [
                (
                    f"{closing['logouts']:,}",
                    f"{closing['closed']:,}",
                    f"{closing['seconds']:.2f}",
                    f"{closing['ended_s']:.2f}",
                )
            ],
        ),
    ]
    if figures.get("storms"):
        out.append(_storms([StormResult(**some) for some in figures["storms"]]))
    return out


def _row(name: str, found: Mapping[str, Any]) -> tuple[str, ...]:
    has_orders = bool(found["orders"])
    return (
        name,
        f"{found['orders']:,}",
        f"{found['unanswered'] + found['refused']:,}",
        f"{1_000 * found['first_s']:.1f}" if "first_s" in found else "",
        *(
            f"{1_000 * found[f'order_{share}']:.1f}" if has_orders else ""
            for share in ("p50", "p99", "worst")
        ),
        f"{found['heartbeats']:,}",
        *(
            f"{1_000 * found[f'late_{share}']:.0f}" if found["heartbeats"] else ""
            for share in ("p99", "worst")
        ),
        f"{found['lost']:,}",
        f"{100 * found['venue_core']:.1f} %",
    )


def _storms(some: list[StormResult]) -> Sheet:
    return Sheet(
        f"{some[0].sessions:,} sessions log on at the same moment",
        (
            "over",
            "refused",
            "all in after s",
            "venue CPU s",
            "CPU ms each",
            "median s",
            "slowest s",
        ),
        [
            (
                one.kind,
                f"{one.refused:,}",
                f"{one.all_in_s:.2f}",
                f"{one.venue_cpu_s:.2f}",
                f"{1000 * one.venue_cpu_s / one.sessions:.2f}",
                f"{one.logons[len(one.logons) // 2]:.2f}" if one.logons else "-",
                f"{one.logons[-1]:.2f}" if one.logons else "-",
            )
            for one in some
        ],
    )


if __name__ == "__main__":
    typer.run(main)
