"""A book as a screen shows it: prices put together by multiples of the tick, a few of them."""

from __future__ import annotations

from collections.abc import Iterable

Level = tuple[int, int, int]  # price in ticks, quantity in lots, orders
Rows = dict[int, tuple[int, int]]  # price -> quantity and orders, best first


def aggregate(levels: Iterable[Level], is_bid: bool, group: int, depth: int) -> Rows:
    """The `depth` best rows of a side, whose `levels` come best first.

    A row stands for `group` ticks: of bids for its own price and those above it, of offers for
    its own and those below, so no row looks better than what is in it.
    """
    rows: Rows = {}
    for price, quantity, orders in levels:
        place = price // group * group if is_bid else -(-price // group) * group
        seen = rows.get(place)
        if seen is not None:
            rows[place] = seen[0] + quantity, seen[1] + orders
        elif len(rows) < depth:
            rows[place] = quantity, orders
        else:
            break
    return rows


def difference(shown: Rows, now: Rows) -> list[Level]:
    """What makes `now` of `shown`: rows that are gone, of quantity 0, then those that differ."""
    gone = [(price, 0, 0) for price in shown if price not in now]
    changed = [(price, *row) for price, row in now.items() if shown.get(price) != row]
    return gone + changed
