"""Readers of market data rebuild the venue's books; and the judge objects when a feed is broken."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

from exchange.market_data.depth import Depth
from exchange.market_data.feed import Feed
from exchange.market_data.orders import OrderView
from tests.judge.market import play
from tests.judge.view import ObjectionError

SEEDS = range(1, 7)
COMMANDS = 600


def test_every_view_rebuilt_from_its_feed_is_the_book() -> None:
    seen = play_all(SEEDS)
    assert min(seen["W"], seen["X"], seen["repair"]) > 0, f"a flow that proves nothing: {seen}"


def forgets_what_comes_into_sight(self: Depth, prices: Any, before: Any) -> None:
    """Breaks the window where a level goes and another comes into sight behind it."""
    if self._shown:
        return
    original_fill(self, prices, before)


original_fill = Depth._fill


def counts_too_fast(self: Feed, entries: Any) -> None:
    original_count(self, entries)
    self.rpt_seq += bool(entries)


original_count = Feed._count


def puts_arrivals_in_any_order(self: OrderView, arrivals: Any) -> Any:
    return reversed(list(original_arrived(self, arrivals)))


original_arrived = OrderView._arrived


def play_all(seeds: range) -> Counter[str]:
    seen: Counter[str] = Counter()
    for seed in seeds:
        seen.update(play(seed, COMMANDS))
    return seen


@pytest.mark.parametrize(
    ("owner", "name", "broken"),
    [
        (Depth, "_fill", forgets_what_comes_into_sight),
        (Feed, "_count", counts_too_fast),
        (OrderView, "_arrived", puts_arrivals_in_any_order),
    ],
)
def test_the_judge_objects_to_a_broken_feed(
    monkeypatch: pytest.MonkeyPatch, owner: type, name: str, broken: Any
) -> None:
    monkeypatch.setattr(owner, name, broken)
    with pytest.raises(ObjectionError):
        play_all(range(1, 40))
