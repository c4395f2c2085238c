"""Rows of a book, against the same said the long way."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from exchange.screens.book import Level, aggregate, difference

SIDES = st.dictionaries(
    st.integers(-50, 200), st.tuples(st.integers(1, 10**30), st.integers(1, 9)), max_size=60
)
GROUPS = st.sampled_from([1, 2, 3, 5, 10, 1_000])
DEPTHS = st.integers(1, 30)


def levels(side: dict[int, tuple[int, int]], is_bid: bool) -> list[Level]:
    return [(price, *side[price]) for price in sorted(side, reverse=is_bid)]


@given(SIDES, st.booleans(), GROUPS, DEPTHS)
def test_rows_hold_what_is_in_them_and_never_look_better(
    side: dict[int, tuple[int, int]], is_bid: bool, group: int, depth: int
) -> None:
    rows = aggregate(levels(side, is_bid), is_bid, group, depth)
    sign = -1 if is_bid else 1
    assert list(rows) == sorted(rows, key=lambda price: sign * price), "best first"
    assert len(rows) <= depth
    for price, (quantity, orders) in rows.items():
        assert price % group == 0
        inside = [one for one in side if 0 <= (price - one) * sign < group]
        assert quantity == sum(side[one][0] for one in inside) > 0
        assert orders == sum(side[one][1] for one in inside)
    covered = {one for one in side if any(0 <= (row - one) * sign < group for row in rows)}
    assert len(rows) == depth or covered == set(side)
    assert all(sign * (other - one) > 0 for one in covered for other in set(side) - covered)


@given(SIDES, SIDES, st.booleans(), GROUPS, DEPTHS)
def test_a_difference_makes_one_book_of_another(
    before: dict[int, tuple[int, int]],
    after: dict[int, tuple[int, int]],
    is_bid: bool,
    group: int,
    depth: int,
) -> None:
    shown = aggregate(levels(before, is_bid), is_bid, group, depth)
    now = aggregate(levels(after, is_bid), is_bid, group, depth)
    mine = dict(shown)
    for price, quantity, orders in difference(shown, now):
        if quantity:
            assert mine.get(price) != (quantity, orders), "told for nothing"
            mine[price] = quantity, orders
        else:
            del mine[price]
    assert mine == now
