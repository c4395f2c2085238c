"""How long a venue with a long journal takes to open, and its tools to read it.

`python -m bench.restart`. The journal is made once; with `--data` it is kept, and used again.
Snapshots that a measurement must not find are put aside meanwhile.
"""

from __future__ import annotations

import json as jsons
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from statistics import median
from typing import Annotated, Any, Final

import typer

from bench.journals import drop_pages, segment_files
from bench.making import Made, have_journal
from bench.report import console, in_one_line, machine, table, write_json
from bench.rounds import at_shares, rotated
from bench.venue import VenueUnderTest, resident_bytes

_SHARES: Final = (0.25, 0.5, 0.75, 1.0)
_SAMPLE_EVERY_S: Final = 0.25
_ASIDE: Final = "aside"


@dataclass(slots=True)
class Start:
    """One start: from the process to the open venue, and what of it was recovery."""

    name: str
    opened_s: float
    recovery_s: float
    most_resident: int
    disk_bytes: int


@dataclass(slots=True)
class Tool:
    """One run of a tool, with its memory at the time; samples are (second, bytes)."""

    name: str
    seconds: float
    cpu_s: float
    most_resident: int
    output: dict[str, Any]
    samples: list[tuple[float, float]] = field(default_factory=list)


def main(
    messages: Annotated[int, typer.Option(help="In the journal, both directions.")] = 10_000_000,
    sessions: Annotated[int, typer.Option(help="That they are of.")] = 4,
    behind: Annotated[int, typer.Option(help="Messages after the older snapshot.")] = 100_000,
    starts: Annotated[int, typer.Option(help="Of each kind, in turns.", min=1)] = 5,
    data: Annotated[Path | None, typer.Option(help="Where the journal is to be kept.")] = None,
    cold_start: Annotated[
        bool, typer.Option("--cold-start", help="Also start once without any snapshot.")
    ] = False,
    cold_cache: Annotated[
        bool, typer.Option("--cold-cache", help="Drop the files from the page cache every time.")
    ] = False,
    json: Annotated[Path | None, typer.Option(help="A file for every figure.")] = None,
) -> None:
    """Measure starts, `journal verify` and `journal info` on one long journal."""
    with ExitStack() as stack:
        home = data or Path(stack.enter_context(tempfile.TemporaryDirectory()))
        home.mkdir(parents=True, exist_ok=True)
        where = machine(home)
        console.print(in_one_line(where))
        _restore(home)
        made = have_journal(home, Made(messages, sessions, min(behind, messages)))
        console.print(
            f"{made.messages:,} messages, {made.inputs:,} of them inputs, in {made.batches:,} "
            f"batches; {made.bytes / 1e9:.2f} GB, {len(segment_files(home))} segments, "
            f"{made.open_orders:,} open orders; made in {made.seconds:,.0f} s"
        )
        found = _starts(home, made, starts, cold_start, cold_cache)
        _show_starts(found, cold_cache)
        tools = [_tool(home, name, cold_cache) for name in ("verify", "info")]
        _show_tools(tools, made)
        problem = _problem(tools[0], made)
        figures = {
            "benchmark": "restart",
            "machine": where,
            "journal": asdict(made),
            "snapshots": [one.stat().st_size for one in _snapshots(home)],
            "cold_cache": cold_cache,
            "starts": [asdict(one) for one in found],
            "tools": [asdict(one) for one in tools],
        }
        write_json(json, figures)
        if problem:
            sys.exit(problem)


def _starts(home: Path, made: Made, count: int, cold_start: bool, cold_cache: bool) -> list[Start]:
    """Starts of every kind, in turns; none of them is closed in good order."""
    kinds: list[tuple[str, Callable[[list[Path]], list[Path]]]] = [
        ("snapshot at the end", lambda found: []),
        (f"snapshot {made.behind:,} messages behind", lambda found: found[-1:]),
    ]
    out: list[Start] = []
    for number in range(count):
        for name, unwanted in rotated(kinds, number):
            out.append(_start(home, name, unwanted, cold_cache))
    if cold_start:
        console.print("Starting without a snapshot ...")
        out.append(_start(home, "no snapshot", lambda found: found, cold_cache))
    return out


def _start(
    home: Path, name: str, unwanted: Callable[[list[Path]], list[Path]], cold_cache: bool
) -> Start:
    with _put_aside(home, unwanted(_snapshots(home))):
        if cold_cache:
            drop_pages([*segment_files(home), *_snapshots(home)])
        venue = VenueUnderTest(home)
        try:
            return Start(
                name,
                venue.opened_s,
                venue.recovery_s(),
                venue.most_resident_bytes(),
                venue.disk_read_bytes(),
            )
        finally:
            venue.kill()  # closing would write a snapshot


def _snapshots(home: Path) -> list[Path]:
    """Oldest first."""
    return sorted(home.glob("snapshot-*.seamark"))


@contextmanager
def _put_aside(home: Path, unwanted: Sequence[Path]) -> Iterator[None]:
    aside = home / _ASIDE
    aside.mkdir(exist_ok=True)
    try:
        for path in unwanted:
            path.rename(aside / path.name)
        yield
    finally:
        _restore(home)


def _restore(home: Path) -> None:
    """Bring back what was put aside; also what an interrupted run has left there."""
    aside = home / _ASIDE
    if aside.is_dir():
        for path in aside.iterdir():
            path.rename(home / path.name)
        aside.rmdir()


def _tool(home: Path, name: str, cold_cache: bool) -> Tool:
    """`seamark journal NAME`, with its memory sampled."""
    if cold_cache:
        drop_pages(segment_files(home))
    console.print(f"seamark journal {name} ...")
    command = [sys.executable, "-m", "exchange", "journal", name, "--data", str(home), "--json"]
    samples: list[tuple[float, float]] = []
    with tempfile.TemporaryFile() as output:
        started = time.perf_counter()
        child = subprocess.Popen(command, stdout=output)
        is_over = threading.Event()
        peaks: list[int] = []
        watch = threading.Thread(target=_sample, args=(child.pid, started, samples, peaks, is_over))
        watch.start()
        _, status, usage = os.wait4(child.pid, 0)
        seconds = time.perf_counter() - started
        child.returncode = os.waitstatus_to_exitcode(status)
        is_over.set()
        watch.join()
        output.seek(0)
        said = output.read()
    try:
        found: dict[str, Any] = jsons.loads(said)
    except ValueError:
        sys.exit(f"journal {name} failed, exit code {child.returncode}")
    cpu_s = usage.ru_utime + usage.ru_stime
    return Tool(name, seconds, cpu_s, max(peaks, default=0), found, samples)


def _sample(
    pid: int,
    started: float,
    samples: list[tuple[float, float]],
    peaks: list[int],
    is_over: threading.Event,
) -> None:
    """The peak is that of the program: ru_maxrss would begin with what its parent had."""
    while not is_over.wait(_SAMPLE_EVERY_S):
        if resident := resident_bytes(pid):
            samples.append((time.perf_counter() - started, resident))
            peaks.append(resident_bytes(pid, "VmHWM"))


def _problem(verify: Tool, made: Made) -> str | None:
    """Why the figures are not to be believed, or None."""
    found = verify.output
    if found["ok"] and found["inputs"] == made.inputs:
        return None
    return f"verify has found something else than was made: {jsons.dumps(found)}"


def _show_starts(found: Sequence[Start], cold_cache: bool) -> None:
    rows = []
    for name in dict.fromkeys(one.name for one in found):
        ours = [one for one in found if one.name == name]
        opened = [one.opened_s for one in ours]
        rows.append(
            [
                name,
                str(len(ours)),
                f"{median(opened):,.2f}",
                f"{min(opened):,.2f}",
                f"{max(opened):,.2f}",
                f"{median(one.recovery_s for one in ours):,.1f}",
                f"{median(one.most_resident for one in ours) / 1e6:,.0f}",
                f"{median(one.disk_bytes for one in ours) / 1e6:,.0f}",
            ]
        )
    cache = "nothing in the page cache" if cold_cache else "with the page cache as it was"
    title = f"From the command to the open venue, {cache}"
    columns = (
        "start",
        "times",
        "median s",
        "min s",
        "max s",
        "of it recovery s",
        "peak MB",
        "MB from disk",
    )
    console.print(table(title, columns, rows))


def _show_tools(tools: Sequence[Tool], made: Made) -> None:
    rows = []
    for one in tools:
        memory = [f"{figure / 1e6:,.0f}" for figure in at_shares(one.samples, _SHARES)]
        rows.append(
            [
                one.name,
                f"{one.seconds:,.1f}",
                f"{one.cpu_s:,.1f}",
                f"{made.messages / one.seconds:,.0f}",
                f"{made.bytes / one.seconds / 1e6:,.1f}",
                *memory,
                f"{one.most_resident / 1e6:,.0f}",
            ]
        )
    marks = [f"MB at {share:.0%}" for share in _SHARES]
    columns = ("journal", "s", "CPU s", "messages/s", "MB/s", *marks, "peak MB")
    console.print(table("Reading all of it; memory at shares of the time", columns, rows))


if __name__ == "__main__":
    typer.run(main)
