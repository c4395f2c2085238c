"""An order as the market sees it: integers only, prices in ticks, quantities in lots."""

from __future__ import annotations

from enum import IntEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from matching.terms import Terms


class Side(IntEnum):
    """Side (54)."""

    BUY = 1
    SELL = 2


class OrderType(IntEnum):
    """OrdType (40)."""

    MARKET = 1
    LIMIT = 2


class TimeInForce(IntEnum):
    """TimeInForce (59); all but 3 and 4 may rest, and when that ends is the caller's business."""

    DAY = 0
    GOOD_TILL_CANCEL = 1
    IMMEDIATE_OR_CANCEL = 3
    FILL_OR_KILL = 4
    GOOD_TILL_DATE = 6


class SelfTrade(IntEnum):
    """What happens when an order meets one of its own group; the one that comes decides."""

    NONE = 0  # they trade
    CANCEL_NEWEST = 1
    CANCEL_OLDEST = 2
    CANCEL_BOTH = 3
    DECREMENT = 4  # both get smaller by what would have traded


class Order:
    """One order; `leaves` lots of `quantity` can still trade.

    `price` is 0 for a market order, `quantity` what has traded so far for one with a budget. Orders
    of the same `self_trade_group`, 0 being none, do not trade with each other unless `self_trade`
    says so. The engine changes `price`, `quantity`, `leaves` and the state in `terms`; everything
    else belongs to whoever made the order.
    """

    __slots__ = (
        "instrument_id",
        "leaves",
        "order_id",
        "order_type",
        "price",
        "quantity",
        "self_trade",
        "self_trade_group",
        "side",
        "terms",
    )

    def __init__(
        self,
        order_id: int,
        instrument_id: int,
        side: Side,
        order_type: OrderType,
        price: int,
        quantity: int,
        self_trade_group: int = 0,
        self_trade: SelfTrade = SelfTrade.CANCEL_NEWEST,
        terms: Terms | None = None,
    ) -> None:
        self.order_id = order_id
        self.instrument_id = instrument_id
        self.side = side
        self.order_type = order_type
        self.price = price
        self.quantity = quantity
        self.leaves = quantity
        self.self_trade_group = self_trade_group
        self.self_trade = self_trade
        self.terms = terms

    @property
    def is_waiting(self) -> bool:
        """Whether it waits for its trigger, outside of the book."""
        terms = self.terms
        return terms is not None and terms.trigger is not None and terms.trigger.entry > 0

    def __repr__(self) -> str:
        return (
            f"Order({self.order_id}: {self.side.name} {self.leaves}/{self.quantity} "
            f"@ {self.price} #{self.instrument_id})"
        )
