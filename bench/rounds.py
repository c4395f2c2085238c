"""Figures of several rounds: what is measured side by side is compared pair by pair."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median
from typing import TypeVar

T = TypeVar("T")


@dataclass(slots=True)
class Spread:
    """Median, least and most of some figures."""

    median: float
    low: float
    high: float

    def shown(self, decimals: int = 2) -> str:
        """As a cell of a table: the median, and from where to where."""
        return f"{self.median:,.{decimals}f} ({self.low:,.{decimals}f}-{self.high:,.{decimals}f})"


def spread(figures: Sequence[float]) -> Spread:
    """Of at least one figure."""
    return Spread(median(figures), min(figures), max(figures))


def ratios(figures: Sequence[float], bases: Sequence[float]) -> list[float]:
    """Each figure over the base of its own round; rounds whose base is 0 say nothing."""
    return [figure / base for figure, base in zip(figures, bases, strict=True) if base]


def rotated(items: Sequence[T], by: int) -> list[T]:
    """The same items, beginning with another, so that none is always measured first."""
    at = by % len(items) if items else 0
    return [*items[at:], *items[:at]]


def at_shares(samples: Sequence[tuple[float, float]], shares: Sequence[float]) -> list[float]:
    """What was sampled last at each share of the time; samples are (second, figure), ascending."""
    if not samples:
        return [0.0] * len(shares)
    end = samples[-1][0]
    return [
        next((figure for at, figure in reversed(samples) if at <= end * share), samples[0][1])
        for share in shares
    ]
