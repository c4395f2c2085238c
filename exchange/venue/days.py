"""What was traded in an instrument today: open, high, low, last, volume."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from fix_engine.timestamps import SECOND_NS
from matching.events import Traded
from matching.order import Side

DAY_NS: Final = 86_400 * SECOND_NS


class TradingDay:
    """The figures of one day, which begins at 00:00 UTC; prices in ticks, volume in lots.

    They are of `day`, in days since 1970, the last one on which anything was traded; `last` is the
    price of the last trade, `last_side` who came to the other one.
    """

    __slots__ = (
        "day",
        "ends_at",
        "high",
        "last",
        "last_at",
        "last_quantity",
        "last_side",
        "low",
        "open",
        "volume",
    )

    def __init__(self) -> None:
        self.day = -1
        self.ends_at = 0
        self.open = self.high = self.low = self.volume = 0
        self.last = self.last_quantity = self.last_at = 0
        self.last_side = Side.BUY

    def trade(self, event: Traded[Any], now: int) -> None:
        """Count a trade of this moment."""
        price = event.price
        if now >= self.ends_at:
            self.begin(now // DAY_NS)
            self.open = self.high = self.low = price
            self.volume = 0
        elif price > self.high:
            self.high = price
        elif price < self.low:
            self.low = price
        self.last, self.last_quantity, self.last_at = price, event.quantity, now
        self.last_side = event.taker.side
        self.volume += event.quantity

    def figures(self) -> tuple[int, ...]:
        """All there is to it, to be written down."""
        last = self.last, self.last_quantity, self.last_at, int(self.last_side)
        return self.day, self.open, self.high, self.low, self.volume, *last

    def resume(self, figures: Sequence[int]) -> None:
        """Take up what `figures` said once."""
        self.begin(figures[0])
        self.open, self.high, self.low, self.volume = figures[1:5]
        self.last, self.last_quantity, self.last_at = figures[5:8]
        self.last_side = Side(figures[8])

    def begin(self, day: int) -> None:
        """Let it be this day."""
        self.day, self.ends_at = day, (day + 1) * DAY_NS

    def is_over(self, now: int) -> bool:
        """Whether another day has begun since."""
        return now >= self.ends_at
