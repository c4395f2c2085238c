"""An order as the market sees it: integers only, prices in ticks, quantities in lots."""

from __future__ import annotations

from enum import IntEnum


class Side(IntEnum):
    """Side (54)."""

    BUY = 1
    SELL = 2


class OrderType(IntEnum):
    """OrdType (40)."""

    MARKET = 1
    LIMIT = 2


class TimeInForce(IntEnum):
    """TimeInForce (59)."""

    GOOD_TILL_CANCEL = 1
    IMMEDIATE_OR_CANCEL = 3
    FILL_OR_KILL = 4


class Order:
    """One order; `leaves` lots of `quantity` can still trade.

    `price` is 0 for a market order. The engine changes `price`, `quantity` and `leaves`; everything
    else belongs to whoever made the order.
    """

    __slots__ = ("instrument_id", "leaves", "order_id", "order_type", "price", "quantity", "side")

    def __init__(
        self,
        order_id: int,
        instrument_id: int,
        side: Side,
        order_type: OrderType,
        price: int,
        quantity: int,
    ) -> None:
        self.order_id = order_id
        self.instrument_id = instrument_id
        self.side = side
        self.order_type = order_type
        self.price = price
        self.quantity = quantity
        self.leaves = quantity

    def __repr__(self) -> str:
        return (
            f"Order({self.order_id}: {self.side.name} {self.leaves}/{self.quantity} "
            f"@ {self.price} #{self.instrument_id})"
        )
