"""Venues that grow, small ones here."""

from __future__ import annotations

from pathlib import Path

import pytest

from bench.growth import KINDS, grow
from bench.scale import drawn, sheets
from tests.bench.test_plots import drawn as well_drawn


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_grows(kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bench.growth._ORDERS", 256)
    found = grow(kind, 3, tmp_path)
    assert len(found["us"]) == 5
    assert min(found["us"]) > 0


def test_costs_are_compared_with_those_of_the_least() -> None:
    sizes = {"1": [{"us": [80, 90, 100], "bytes": 5}], "10": [{"us": [180], "bytes": 7}]}
    found = {"series": {"sessions": sizes, "readers": {"1": [{"us": [50.0]}]}}}
    cost, weight = sheets(found)
    assert list(cost.rows[1]) == ["sessions", "10", "180.0 (180.0-180.0)", "2.00 (2.00-2.00)"]
    assert list(weight.rows) == [("a session", "7 (7-7)", "10")]
    plots = drawn(found)
    assert set(plots) == {"scale-in-process", "scale-over-tcp"}
    for text in plots.values():
        well_drawn(text)
