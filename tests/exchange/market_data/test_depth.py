"""A window on the best prices, against the best prices of a book that anybody can work out."""

from __future__ import annotations

from dataclasses import dataclass, field
from random import Random
from typing import Any

import pytest

from exchange.market_data.depth import Depth
from matching.order import Side
from tests.exchange.market_data.support import market


@dataclass
class Naive:
    """As much of a BookSide as a window looks at."""

    side: Side
    seen: dict[int, tuple[int, int]] = field(default_factory=dict)

    def visible(self, price: int) -> tuple[int, int] | None:
        return self.seen.get(price)

    def levels(self) -> Any:
        for price in sorted(self.seen, reverse=self.side is Side.BUY):
            yield price, self.seen[price]

    def beyond(self, price: int) -> Any:
        for one, _ in self.levels():
            if (one < price) if self.side is Side.BUY else (one > price):
                yield one


@pytest.mark.parametrize("side", [Side.BUY, Side.SELL])
@pytest.mark.parametrize("size", [0, 1, 2, 3, 5, 20])
@pytest.mark.parametrize("most_changes", [1, 4, 30])
def test_changes_make_of_what_was_shown_what_is(side: Side, size: int, most_changes: int) -> None:
    random = Random(f"{side} {size} {most_changes}")
    for _ in range(30):
        book = Naive(side, {random.randrange(15): (1, 1) for _ in range(random.randrange(12))})
        depth = Depth(book, size)  # type: ignore[arg-type]
        mine = dict(depth.levels())
        for _ in range(40):
            touched: dict[int, None] = {}
            for _ in range(random.randint(1, most_changes)):
                price = random.randrange(15)
                touched[price] = None
                if random.random() < 0.5:
                    book.seen.pop(price, None)
                else:
                    book.seen[price] = random.randint(1, 3), random.randint(1, 2)
            changes = depth.update(touched)
            apply(mine, changes, size)
            wanted = list(book.levels())
            assert list(depth.levels()) == (wanted[:size] if size else wanted)
            assert mine == dict(depth.levels())


def apply(
    mine: dict[int, tuple[int, int]],
    changes: list[tuple[int, tuple[int, int] | None, bool]],
    size: int,
) -> None:
    """What a reader does with changes; no more levels than there may be on the way."""
    for price, seen, was_shown in changes:
        assert (price in mine) is was_shown
        if seen is None:
            del mine[price]
        else:
            assert mine.get(price) != seen, "nothing has changed"
            mine[price] = seen
        assert not size or len(mine) <= size
    assert len({price for price, _, _ in changes}) == len(changes)


def test_beyond_is_what_the_books_of_the_venue_have() -> None:
    """The stand-in above says what a BookSide says."""
    world, (maker,) = market("MAKER")
    for number, price in enumerate((100, 101, 103, 99)):
        maker.order(f"b{number}", "buy", "1", str(price))
        maker.order(f"s{number}", "sell", "2", str(price + 10))
    book = world.venue.state.engine.books[0]
    for side in (book.buys, book.sells):
        naive = Naive(side.side, {price: (1, 1) for price, _ in side.levels()})
        for price in [*naive.seen, *(p + 5 for p in naive.seen), 0, 10**6]:
            assert list(side.beyond(price)) == list(naive.beyond(price))
