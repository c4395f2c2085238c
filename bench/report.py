"""What the benchmarks print: the machine, tables, and all figures as JSON."""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from fix_engine import codec

console = Console(width=132, highlight=False, soft_wrap=False)


def table(title: str, columns: Sequence[str], rows: Iterable[Sequence[str]]) -> Table:
    """Names on the left, figures on the right."""
    out = Table(title=title)
    for index, name in enumerate(columns):
        out.add_column(name, justify="right" if index else "left")
    for row in rows:
        out.add_row(*row)
    return out


@dataclass(slots=True)
class Sheet:
    """A table that is printed, and put into a page."""

    title: str
    columns: Sequence[str]
    rows: Sequence[Sequence[str]]

    def markdown(self) -> str:
        """For docs/: names on the left, figures on the right."""
        rules = ["---:" if index else "---" for index in range(len(self.columns))]
        lines = [f"| {' | '.join(row)} |" for row in (self.columns, rules, *self.rows)]
        return "\n".join((f"{self.title}:", "", *lines, ""))


def show(sheets: Iterable[Sheet]) -> None:
    """Print them."""
    for one in sheets:
        console.print(table(one.title, one.columns, one.rows))


def write_plots(directory: Path | None, plots: Mapping[str, str]) -> None:
    """SVG files, by name."""
    if directory is not None:
        directory.mkdir(parents=True, exist_ok=True)
        for name, text in plots.items():
            (directory / f"{name}.svg").write_text(text)


def machine(directory: Path | None = None) -> dict[str, Any]:
    """Where figures come from; with a directory, what is beneath it."""
    out = {
        "python": platform.python_version(),
        "kernel": platform.release(),
        "processor": processor(),
        "codec": codec.described(),
        "load": round(os.getloadavg()[0], 2),
    }
    if directory is not None:
        out["files"] = file_system(directory)
    return out


def in_one_line(found: dict[str, Any]) -> str:
    """A machine, for people."""
    where = f", journals on {found['files']}" if "files" in found else ""
    return (
        f"Python {found['python']}, Linux {found['kernel']}, {found['processor']}{where}; "
        f"codec: {found.get('codec', 'not said')}; "
        f"load before: {found['load']}"
    )


def processor() -> str:
    """How many of which."""
    try:
        with open("/proc/cpuinfo", encoding="ascii", errors="replace") as lines:
            names = [line.partition(":")[2].strip() for line in lines if "model name" in line]
    except OSError:
        return platform.processor()
    return f"{len(names)} x {names[0]}" if names else platform.processor()


def file_system(directory: Path) -> str:
    """Type and device of the file system: a sync on tmpfs would say nothing."""
    path, best = str(directory.resolve()), ("", "?")
    for line in Path("/proc/mounts").read_text().splitlines():
        device, mount, kind = line.split()[:3]
        is_above = path == mount or path.startswith(mount.rstrip("/") + "/")
        if is_above and len(mount) >= len(best[0]):
            best = (mount, f"{kind} ({device})")
    return best[1]


def write_json(path: Path | None, figures: dict[str, Any]) -> None:
    """Every figure, for programs."""
    if path is not None:
        path.write_text(json.dumps(figures, indent=1) + "\n")
