"""What is computed from several rounds."""

from __future__ import annotations

import pytest

from bench.load import Result
from bench.rounds import at_shares, ratios, rotated, spread


def test_ratios_are_those_of_pairs_not_of_medians() -> None:
    slow_round, quick_round = (50.0, 100.0), (100.0, 400.0)
    ours, base = zip(slow_round, quick_round, strict=True)
    assert ratios(ours, base) == [0.5, 0.25]


def test_a_round_without_a_base_has_no_ratio() -> None:
    assert ratios([1, 2], [0, 4]) == [0.5]


def test_every_round_must_have_both() -> None:
    with pytest.raises(ValueError, match="zip"):
        ratios([1, 2], [1])


def test_a_spread_shows_median_and_both_ends() -> None:
    found = spread([3, 1, 2, 10])
    assert (found.median, found.low, found.high) == (2.5, 1, 10)
    assert found.shown(1) == "2.5 (1.0-10.0)"


def test_every_item_is_first_in_its_turn() -> None:
    items = ("a", "b", "c")
    assert [rotated(items, by)[0] for by in range(4)] == ["a", "b", "c", "a"]
    assert sorted(rotated(items, 2)) == ["a", "b", "c"]
    assert rotated((), 3) == []


def test_samples_at_shares_of_the_time() -> None:
    samples = [(0.0, 10.0), (2.0, 20.0), (6.0, 30.0), (8.0, 40.0)]
    assert at_shares(samples, (0.25, 0.5, 0.75, 1.0)) == [20, 20, 30, 40]
    assert at_shares([(5.0, 7.0)], (0.1, 1.0)) == [7, 7]
    assert at_shares([], (0.5,)) == [0]


def test_percentiles_of_a_load() -> None:
    latencies = [number / 1e6 for number in range(100)]
    result = Result(100, 0, 0, 0, 1.0, latencies)
    assert [round(result.percentile_us(share)) for share in (0.25, 0.5, 0.99)] == [25, 50, 99]
    assert Result(0, 0, 0, 0, 1.0, []).percentile_us(0.5) == 0
