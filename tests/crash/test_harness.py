"""A few kills of each kind; `python -m tests.crash` does hundreds."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize(
    "options",
    [
        ("--durability", "fsync", "--power-cut"),
        ("--durability", "os"),
    ],
    ids=["power-cut", "kill"],
)
def test_what_was_acknowledged_survives_and_happens_once(options: tuple[str, ...]) -> None:
    command = [sys.executable, "-m", "tests.crash", "--kills", "4", *options]
    done = subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.splitlines()[-1].startswith("4 kills")
    assert " snapshots, " in done.stdout.splitlines()[-1]
    assert "0 lost, 0 duplicated, 0 out of order" in done.stdout
