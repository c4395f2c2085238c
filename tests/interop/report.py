"""What came of the days: counted by area, and shown as a table."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

#: What the steps of a day are about. "session": to log on, to stay alive, to have nothing refused.
AREAS: Final = (
    *("session", "orders", "bad input", "market data", "reference data", "drop copy"),
    *("resend", "cuts", "reset", "disconnect", "logout"),
    *("TLS", "credentials"),
)
_PASSED: Final = "ok   "
_FAILED: Final = "FAIL "


class Verdict(StrEnum):
    """The last column."""

    PASSED = "passed"
    FAILED = "FAILED"
    DID_NOT_RUN = "did not run"
    NOT_INSTALLED = "not installed"


@dataclass(slots=True)
class Outcome:
    """What a day came to."""

    name: str
    version: str = ""
    is_installed: bool = True
    seconds: float = 0.0
    passed: Counter[str] = field(default_factory=Counter)
    failed: Counter[str] = field(default_factory=Counter)

    @property
    def verdict(self) -> Verdict:
        """Passed is only what has passed a step in every area: a day that ends early has not."""
        if not self.is_installed:
            return Verdict.NOT_INSTALLED
        if not self.passed and not self.failed:
            return Verdict.DID_NOT_RUN
        is_whole = not self.failed and all(self.passed[area] for area in AREAS)
        return Verdict.PASSED if is_whole else Verdict.FAILED

    def step(self, line: str) -> None:
        """Count and show a line of a program, or of ours in its style, see engine.py."""
        area = line[len(_PASSED) :].partition(":")[0]
        if area not in AREAS:
            area = AREAS[0]
        if line.startswith(_PASSED):
            self.passed[area] += 1
        elif line.startswith(_FAILED):
            self.failed[area] += 1
        print(f"  {line}", flush=True)

    def good(self, area: str, name: str, remark: str) -> None:
        """A step of ours that went well."""
        self.step(f"{_PASSED}{area}: {name}{': ' if remark else ''}{remark}")

    def bad(self, area: str, name: str, why: str) -> None:
        """A step of ours that did not."""
        self.step(f"{_FAILED}{area}: {name}: {why}")

    def row(self) -> list[str]:
        """A line of the table."""
        cells = [f"{self.name} {self.version}".strip()]
        for area in AREAS:
            passed, failed = self.passed[area], self.failed[area]
            cells.append(f"{passed}/{failed}" if passed or failed else "-")
        return [*cells, self.verdict]


def plain(outcomes: Iterable[Outcome]) -> str:
    """The table for a terminal."""
    rows = _rows(outcomes)
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = (
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    )
    return "\n".join(lines)


def markdown(outcomes: Iterable[Outcome]) -> str:
    """The same for a page of the documentation."""
    head, *body = _rows(outcomes)
    rows = [head, ["---", *("---:" for _ in AREAS), "---"], *body]
    return "".join(f"| {' | '.join(row)} |\n" for row in rows)


def _rows(outcomes: Iterable[Outcome]) -> Sequence[Sequence[str]]:
    return [["steps passed/failed", *AREAS, "day"], *(outcome.row() for outcome in outcomes)]
