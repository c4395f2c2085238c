"""How many instructions an order takes, stage by stage: the same number every time.

`python -m bench.instructions` counts with valgrind's callgrind and compares with what is kept in
the repository. Times depend on the machine and its other work; these counts on the interpreter
only, so a change that makes the order path longer shows, and it shows before it is merged. It is
no time: instructions that wait for memory are as short here as any other.
"""

from __future__ import annotations

import json
import os
import platform
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Annotated, Any, Final

import typer

from bench.hot_path import LENGTHS
from bench.order_path import Stage, in_order
from bench.report import Sheet, console, show, write_json
from fix_engine import codec

_ROOT: Final = Path(__file__).parents[1]
KEPT: Final = _ROOT / "bench" / "instructions.json"
_COUNTED = re.compile(
    r"^desc: Trigger: --dump-before=getppid$.*?^(?:summary|totals): (\d+)$", re.M | re.S
)


def main(
    against: Annotated[
        str | None, typer.Option(help="Count this revision as well, and compare with that.")
    ] = None,
    tolerance: Annotated[float, typer.Option(help="Percent that a stage may be longer.")] = 3.0,
    write: Annotated[bool, typer.Option("--write", help="Keep what is counted.")] = False,
    json: Annotated[Path | None, typer.Option(help="A file for every figure.")] = None,
) -> None:
    """Count, compare, and fail when a stage has become longer."""
    if shutil.which("valgrind") is None:
        sys.exit("bench-check needs valgrind, which is not on the PATH")
    base: dict[str, int] | None = None
    if against is not None:
        base = _counted_at(against)
    elif not write:
        base = _kept()
    console.print("Counting the order path with callgrind; about two minutes ...")
    found = counted(_ROOT)
    write_json(json, {"benchmark": "instructions", "python": _interpreter(), "counts": found})
    if write:
        write_json(KEPT, {"python": _interpreter(), "counts": found})
    show([sheet(found, base)])
    if base is not None and (longer := slower(found, base, tolerance)):
        sys.exit(
            f"Longer by more than {tolerance:g} %: {', '.join(longer)}. "
            "If it has to be: `make bench-check ARGS=--write`, and say why in the commit."
        )


def slower(found: Mapping[str, int], base: Mapping[str, int], tolerance: float) -> list[str]:
    """The stages whose count has grown by more than so many percent."""
    return [
        name
        for name, count in found.items()
        if name in base and count > base[name] * (1 + tolerance / 100)
    ]


def sheet(found: Mapping[str, int], base: Mapping[str, int] | None) -> Sheet:
    """Instructions of each stage, and what they were."""
    rows = []
    for name, count in found.items():
        before = base.get(name) if base is not None else None
        change = f"{100 * (count / before - 1):+.1f} %" if before else "-"
        rows.append((name, f"{count:,}", f"{before:,}" if before else "-", change))
    return Sheet("Instructions for one order", ("stage", "now", "before", "change"), rows)


def counted(tree: Path) -> dict[str, int]:
    """Instructions per order by stage, of the code in a directory."""
    with tempfile.TemporaryDirectory() as home:
        out = Path(home) / "callgrind"
        command = (
            *("valgrind", "--tool=callgrind", "--dump-before=getppid"),
            *(f"--callgrind-out-file={out}", sys.executable, "-m", "bench.hot_path"),
        )
        done = subprocess.run(
            command,
            cwd=tree,
            env={**os.environ, "PYTHONHASHSEED": "0", "PYTHONPATH": str(tree), "TMPDIR": home},
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            sys.exit(f"callgrind failed:\n{done.stderr}")
        said = json.loads(done.stdout)
        dumps = sorted(out.parent.glob("callgrind.*"), key=lambda path: int(path.suffix[1:]))
        counts = [int(found[1]) for one in dumps if (found := _COUNTED.search(one.read_text()))]
    return per_order(said, counts)


def per_order(said: Mapping[str, Any], counts: list[int]) -> dict[str, int]:
    """From what was counted before each call; before our own the interpreter may have made some."""
    ours = counts[len(counts) - said["calls"] :]
    short, long = LENGTHS
    stages = {}
    for name, last in said["behind"][str(long)].items():
        first = said["behind"][str(short)][name]
        stages[name] = Stage(name, [(ours[last - 1] - ours[first - 1]) / (long - short)])
    return {one.name: round(one.rounds[0]) for one in in_order(stages)}


def _counted_at(revision: str) -> dict[str, int]:
    console.print(f"Counting {revision} ...")
    with ExitStack() as stack:
        tree = Path(stack.enter_context(tempfile.TemporaryDirectory())) / "tree"
        git = ("git", "-C", str(_ROOT), "worktree")
        subprocess.run((*git, "add", "--quiet", "--detach", str(tree), revision), check=True)
        stack.callback(subprocess.run, (*git, "remove", "--force", str(tree)), check=True)
        return counted(tree)


def _kept() -> dict[str, int]:
    """What the repository has, if it is of this interpreter."""
    kept = json.loads(KEPT.read_text())
    if kept["python"] != _interpreter():
        sys.exit(
            f"{KEPT.name} was counted with another interpreter ({kept['python']}, this is "
            f'{_interpreter()}); compare with a revision: `make bench-check ARGS="--against main"`'
        )
    counts: dict[str, int] = kept["counts"]
    return counts


def _interpreter() -> str:
    """Counts depend on how it was compiled, too, and on which codec runs."""
    python = f"{platform.python_implementation()} {sys.version} {platform.machine()}"
    return f"{python}, codec {codec.described()}"


if __name__ == "__main__":
    typer.run(main)
