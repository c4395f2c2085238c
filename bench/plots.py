"""Plots as SVG: bars, and lines over a scale that may be logarithmic. No library: see and edit."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape
from math import ceil, floor, log10
from typing import Final

from bench.rounds import Spread

# Okabe and Ito's, told apart by everybody.
COLOURS: Final = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#555555")
_WIDTH: Final = 760
_INK, _FAINT = "#222222", "#d9d9d9"
_LEFT, _RIGHT, _TOP = 80, 36, 44
_LABEL_WIDTH: Final = 230  # beside bars
_BAR, _GAP = 22, 12
_PLOT_HEIGHT: Final = 260
_LEGEND_ROW, _LEGEND_WIDTH = 20, 220
_LEGEND_COLUMNS: Final = 3


@dataclass(slots=True)
class Bar:
    """A name and its figures: the bar is the median, the whisker from least to most."""

    name: str
    figures: Spread


@dataclass(slots=True)
class Line:
    """A name and its points, from left to right; where x is a text, points stand side by side."""

    name: str
    points: Sequence[tuple[float | str, float]]


def bars(title: str, some: Sequence[Bar]) -> str:
    """Horizontal, one beneath the other, from 0."""
    most = max((one.figures.high for one in some), default=0) or 1.0
    room = _WIDTH - _LABEL_WIDTH - _RIGHT - 70  # the figure stands behind the bar
    height = _TOP + len(some) * (_BAR + _GAP) + 10
    parts = []
    for index, one in enumerate(some):
        y = _TOP + index * (_BAR + _GAP)
        middle = y + _BAR / 2
        end, low, high = (
            _LABEL_WIDTH + room * figure / most
            for figure in (one.figures.median, one.figures.low, one.figures.high)
        )
        colour = COLOURS[index % len(COLOURS)]
        parts += [
            _text(_LABEL_WIDTH - 8, middle + 4, one.name, "end"),
            f'<rect x="{_LABEL_WIDTH}" y="{y}" width="{end - _LABEL_WIDTH:.1f}" height="{_BAR}" '
            f'fill="{colour}"/>',
            _path([(low, middle), (high, middle)], _INK, 1.5),
            _path([(low, middle - 5), (low, middle + 5)], _INK, 1.5),
            _path([(high, middle - 5), (high, middle + 5)], _INK, 1.5),
            _text(max(end, high) + 8, middle + 4, _number(one.figures.median)),
        ]
    return _document(title, height, parts)


def lines(
    title: str, x_label: str, some: Sequence[Line], log_x: bool = False, log_y: bool = False
) -> str:
    """One line for each name, with a legend beneath."""
    names = list(dict.fromkeys(x for one in some for x, _ in one.points if isinstance(x, str)))
    xs = [_place(x, names) for one in some for x, _ in one.points]
    ys = [y for one in some for _, y in one.points]
    across = _Scale(_LEFT, _WIDTH - _RIGHT, min(xs), max(xs), log_x)
    floor_y = min(y for y in ys if y > 0) if log_y else 0.0
    up = _Scale(_TOP + _PLOT_HEIGHT, _TOP, floor_y, max(ys) or 1.0, log_y, is_round=True)
    bottom = _TOP + _PLOT_HEIGHT
    parts = []
    for tick in up.ticks():
        y = up.at(tick)
        parts += [_path([(_LEFT, y), (_WIDTH - _RIGHT, y)], _FAINT, 1)]
        parts += [_text(_LEFT - 8, y + 4, _number(tick), "end")]
    ticks = range(len(names)) if names else sorted(set(xs))
    for tick in ticks:
        x = across.at(tick)
        parts += [_path([(x, bottom), (x, bottom + 5)], _INK, 1)]
        parts += [_text(x, bottom + 20, names[int(tick)] if names else _number(tick), "middle")]
    parts += [_path([(_LEFT, _TOP), (_LEFT, bottom), (_WIDTH - _RIGHT, bottom)], _INK, 1)]
    parts += [_text((_LEFT + _WIDTH - _RIGHT) / 2, bottom + 40, x_label, "middle")]
    for index, one in enumerate(some):
        colour = COLOURS[index % len(COLOURS)]
        places = [
            (across.at(_place(x, names)), up.at(y)) for x, y in one.points if y > 0 or not log_y
        ]
        parts += [_path(places, colour, 2)]
        parts += [f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" fill="{colour}"/>' for x, y in places]
        row, column = divmod(index, _LEGEND_COLUMNS)
        x, y = _LEFT + column * _LEGEND_WIDTH, bottom + 64 + row * _LEGEND_ROW
        parts += [_path([(x, y), (x + 22, y)], colour, 3), _text(x + 30, y + 4, one.name)]
    rows = ceil(len(some) / _LEGEND_COLUMNS)
    return _document(title, bottom + 64 + rows * _LEGEND_ROW, parts)


@dataclass(slots=True)
class _Scale:
    """From figures to places between `begin` and `end`."""

    begin: float
    end: float
    low: float
    high: float
    is_log: bool
    is_round: bool = False  # ends at a tick

    def __post_init__(self) -> None:
        if self.is_round and self.is_log:
            self.low, self.high = 10.0 ** floor(log10(self.low)), 10.0 ** ceil(log10(self.high))
        elif self.is_round:
            self.high = ceil(self.high / self._step()) * self._step()
        if self.high <= self.low:
            self.high = self.low * 10 if self.is_log else self.low + 1

    def at(self, figure: float) -> float:
        """Where it is."""
        low, high = self.low, self.high
        if self.is_log:
            low, high, figure = log10(low), log10(high), log10(figure)
        return self.begin + (self.end - self.begin) * (figure - low) / (high - low)

    def ticks(self) -> Iterator[float]:
        """Round figures from end to end."""
        figure = self.low
        while figure <= self.high * 1.0001:
            yield figure
            figure = figure * 10 if self.is_log else figure + self._step()

    def _step(self) -> float:
        """1, 2 or 5 of some power of ten, so that there are five steps or so."""
        rough = (self.high - self.low) / 5
        power = 10.0 ** floor(log10(rough))
        return next(power * one for one in (1, 2, 5, 10) if power * one >= rough * 0.999)


def _place(x: float | str, names: Sequence[str]) -> float:
    return float(names.index(x)) if isinstance(x, str) else x


def _number(figure: float) -> str:
    return f"{figure:,.0f}" if figure >= 10 or figure == int(figure) else f"{figure:.2g}"


def _text(x: float, y: float, text: str, anchor: str = "start") -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{escape(text)}</text>'


def _path(points: Sequence[tuple[float, float]], colour: str, width: float) -> str:
    places = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
    return f'<polyline points="{places}" fill="none" stroke="{colour}" stroke-width="{width}"/>'


def _document(title: str, height: float, parts: Sequence[str]) -> str:
    """On white, whatever it is shown on."""
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height:.0f}" '
        f'width="{_WIDTH}" height="{height:.0f}" font-family="sans-serif" font-size="13" '
        f'fill="{_INK}">'
    )
    ground = f'<rect width="{_WIDTH}" height="{height:.0f}" fill="#ffffff"/>'
    name = f'<text x="16" y="26" font-size="15" font-weight="bold">{escape(title)}</text>'
    return "\n".join((head, ground, name, *parts, "</svg>")) + "\n"
