"""Market orders that know what they may spend, not how many lots they want.

At each price such an order trades as many lots as the rest of its budget buys there. It is done
when the rest buys no further lot: neither at the price it has just traded at, nor at the best one.
Prices are positive.
"""

from __future__ import annotations

from typing import Any

from matching.book import Book
from matching.events import Event, O, Traded
from matching.terms import terms_of


def spend(book: Book[O], taker: O, out: list[Event[O]]) -> bool:
    """Trade an order with a budget; returns whether self-trade prevention ends it.

    It then leaves what the rest of the budget would buy at the last price it traded at: nothing
    when it is done, or has not traded at all.
    """
    terms, side = terms_of(taker), book.opposite(taker)
    leaves, is_ended = 0, False
    while side and not is_ended:
        price = side.best
        lots = terms.budget // price
        if not lots:
            if leaves:
                leaves = _last_trade(out).taker_leaves = 0
            break
        taker.leaves = lots
        is_ended = book.match(taker, price, out)  # no further than this level
        bought = lots - taker.leaves
        terms.budget -= bought * price
        taker.quantity += bought
        if bought:
            leaves = taker.leaves
            if not leaves:
                break
    taker.leaves = leaves
    return is_ended


def purchase(book: Book[O], taker: O) -> tuple[int, bool]:
    """How many lots the budget would buy now, and whether the order would be done then."""
    budget, bought = terms_of(taker).budget, 0
    for price, available in book.reachable(taker, None):
        lots = budget // price
        if not lots:
            return bought, bought > 0
        if lots <= available:
            return bought + lots, True
        bought += available
        budget -= available * price
    return bought, False


def _last_trade(out: list[Any]) -> Traded[Any]:
    return next(event for event in reversed(out) if isinstance(event, Traded))
