"""Tables and plots of runs that are over: `python -m bench.draw FILE.json ... --plots DIR`.

The tables are printed as they go into docs/performance.md.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any, Final

import typer

from bench import __main__ as path
from bench import scale, side_by_side
from bench.report import Sheet, in_one_line, write_plots

_KINDS: Final[dict[str, tuple[Callable[[Any], list[Sheet]], Callable[[Any], dict[str, str]]]]] = {
    "bench": (path.sheets, path.drawn),
    "peers": (side_by_side.sheets, side_by_side.plots),
    "scale": (scale.sheets, scale.drawn),
}


def main(
    files: Annotated[list[Path], typer.Argument(help="What --json has written.")],
    plots: Annotated[Path | None, typer.Option(help="A directory for plots.")] = None,
) -> None:
    """Print the tables, draw the plots."""
    for file in files:
        found = json.loads(file.read_text())
        sheets, drawn = _KINDS[found["benchmark"]]
        print(f"{in_one_line(found['machine'])}\n")
        for one in sheets(found):
            print(one.markdown())
        write_plots(plots, drawn(found))


if __name__ == "__main__":
    typer.run(main)
