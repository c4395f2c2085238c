"""Self-trade prevention: orders of one group do not trade with each other.

The one that comes, the taker, is the newest, and its mode decides. An order that is replaced or
triggered comes anew.
"""

from __future__ import annotations

from typing import Final

from matching.book_side import BookSide
from matching.events import CancelReason, Event, O, Reduced, cancel
from matching.order import SelfTrade

_SELF_TRADE: Final = CancelReason.SELF_TRADE
NO_GROUP: Final = -1  # the number of none, not even of those without a group


def group_to_avoid(taker: O) -> int:
    """The group with which the taker must not trade, NO_GROUP when it may with all.

    So one comparison per maker is all that it costs.
    """
    group = taker.self_trade_group
    return group if group and taker.self_trade is not SelfTrade.NONE else NO_GROUP


def prevent(side: BookSide[O], maker: O, taker: O, out: list[Event[O]]) -> bool:
    """Do what the taker's mode wants instead of the trade; whether that ends the taker.

    The taker is left to the caller to cancel. The maker's event comes before the taker's.
    """
    mode = taker.self_trade
    if mode is SelfTrade.DECREMENT and not (taker.terms is not None and taker.terms.budget):
        return _decrement(side, maker, taker, out)
    if mode is SelfTrade.CANCEL_OLDEST or mode is SelfTrade.CANCEL_BOTH:
        side.remove(maker)
        cancel(maker, _SELF_TRADE, out)
    return mode is not SelfTrade.CANCEL_OLDEST


def _decrement(side: BookSide[O], maker: O, taker: O, out: list[Event[O]]) -> bool:
    """Make both smaller by the lesser leaves; what an iceberg hides counts."""
    by = min(maker.leaves, taker.leaves)
    if maker.leaves == by:
        side.remove(maker)
        cancel(maker, _SELF_TRADE, out)
    else:
        side.reduce(maker, by)
        maker.quantity -= by
        out.append(Reduced(maker, by, maker.leaves))
    if taker.leaves == by:
        return True
    taker.leaves -= by
    taker.quantity -= by
    out.append(Reduced(taker, by, taker.leaves))
    return False
