"""Plots are well-formed, and stay within their frame."""

from __future__ import annotations

import re
from xml.etree import ElementTree

from bench.plots import Bar, Line, bars, lines
from bench.rounds import Spread


def drawn(text: str) -> ElementTree.Element:
    root = ElementTree.fromstring(text)
    width, height = float(root.attrib["width"]), float(root.attrib["height"])
    for line in root.iter("{http://www.w3.org/2000/svg}polyline"):
        for x, y in re.findall(r"([-\d.]+),([-\d.]+)", line.attrib["points"]):
            assert 0 <= float(x) <= width
            assert 0 <= float(y) <= height
    return root


def texts(root: ElementTree.Element) -> list[str]:
    return [one.text or "" for one in root.iter("{http://www.w3.org/2000/svg}text")]


def test_bars_have_names_figures_and_whiskers() -> None:
    root = drawn(bars("a < b", [Bar("ours", Spread(50, 40, 100)), Bar("none", Spread(0, 0, 0))]))
    assert texts(root) == ["a < b", "ours", "50", "none", "0"]
    widths = [float(one.attrib["width"]) for one in root.iter("{http://www.w3.org/2000/svg}rect")]
    assert widths[2] == 0 < widths[1]


def test_a_logarithmic_axis_has_the_powers_of_ten() -> None:
    line = Line("cost", [(1.0, 80), (10.0, 90), (10_000.0, 500)])
    root = drawn(lines("t", "how many", [line], log_x=True, log_y=True))
    assert {"1", "10", "100", "1,000", "10,000", "cost", "how many"} <= set(texts(root))


def test_names_stand_side_by_side() -> None:
    some = [Line("a", [("p25", 1), ("p50", 2)]), Line("b", [("p25", 3), ("p50", 17)])]
    root = drawn(lines("t", "percentile", some))
    assert {"p25", "p50", "0", "5", "10", "15", "20"} <= set(texts(root))


def test_a_line_that_stays_the_same_is_drawn() -> None:
    drawn(lines("t", "x", [Line("flat", [(5.0, 3)])], log_x=True, log_y=True))
    drawn(lines("t", "x", [Line("zero", [(5.0, 0)])]))
