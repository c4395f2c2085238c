"""Post-only orders: they add to the book, and never take from it when they come.

One that would trade is refused, or gets the best price at which it does not, if that is at least 1.
Only prices count: an order of its own group is one to trade with. So it is with a replacement.
"""

from __future__ import annotations

from matching.book import Book
from matching.events import O, RefusalReason
from matching.order import Side
from matching.terms import PostOnly, Terms


def passive_price(book: Book[O], order: O, price: int) -> int | None:
    """The price at which the order may come; None when it is post-only and there is none."""
    terms = order.terms
    if terms is None or not terms.post_only or not book.would_trade(order, price):
        return price
    if terms.post_only is PostOnly.REJECT:
        return None
    best = book.opposite(order).best
    behind = best - 1 if order.side is Side.BUY else best + 1
    return behind if behind >= 1 else None


def refusal(terms: Terms) -> RefusalReason:
    """Why there is no such price."""
    is_strict = terms.post_only is PostOnly.REJECT
    return RefusalReason.WOULD_TRADE if is_strict else RefusalReason.NO_PRICE
