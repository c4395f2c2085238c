"""Quotes: two orders that go by one name, and what protects who makes them."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import Final

from exchange.instruments import Instrument
from exchange.orders import Conditions, VenueOrder
from fix_engine import tags
from matching.order import Side

_MILLISECOND_NS: Final = 1_000_000


@dataclass(slots=True, eq=False)
class Quote:
    """What a session quotes in one instrument; a side that is out of the market is None.

    `news` is why it has changed without its maker asking, b"" when that has been told.
    """

    session: int
    instrument: Instrument
    quote_id: bytes
    entry_id: bytes
    bid: VenueOrder | None = None
    offer: VenueOrder | None = None
    news: bytes = b""

    def orders(self) -> list[VenueOrder]:
        """The sides that are in the market, the bid first."""
        return [order for order in (self.bid, self.offer) if order is not None]

    def put(self, order: VenueOrder) -> None:
        """Have this order, whose conditions are those of a quote, as a side."""
        assert order.conditions is not None
        order.conditions.quote = self
        if order.side is Side.BUY:
            self.bid = order
        else:
            self.offer = order

    def remove(self, order: VenueOrder) -> None:
        """Be without this side."""
        if order.side is Side.BUY:
            self.bid = None
        else:
            self.offer = None

    def rename(self, quote_id: bytes, entry_id: bytes) -> None:
        """Go by other names; the reports of both sides give the new ones."""
        self.quote_id, self.entry_id = quote_id, entry_id
        for order in self.orders():
            assert order.conditions is not None
            order.conditions.repeated.update(self.repeated())

    def repeated(self) -> dict[bytes, bytes]:
        """The fields that the reports of its sides repeat."""
        return {tags.QUOTE_ID: self.quote_id, tags.QUOTE_ENTRY_ID: self.entry_id}

    def conditions(self) -> Conditions:
        """The conditions of a new side."""
        return Conditions(b"2", self.repeated(), quote=self)


@dataclass(slots=True)
class Guard:
    """Quote protection of an account in an instrument; `fills` are the times of the last ones."""

    is_tripped: bool = False
    fills: deque[int] = field(default_factory=deque)

    def count(self, now: int, most: int, window_ms: int) -> bool:
        """Count a fill; whether it is the one that trips the guard."""
        if self.is_tripped:
            return False
        fills = self.fills
        fills.append(now)
        while fills[0] < now - window_ms * _MILLISECOND_NS:
            fills.popleft()
        if len(fills) < most:
            return False
        self.reset()
        self.is_tripped = True
        return True

    def reset(self) -> None:
        """Start afresh."""
        self.is_tripped = False
        self.fills.clear()
