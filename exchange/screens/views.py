"""What a screen sees of a market: a snapshot, then what changes, both told in the same members.

A view knows what it has shown last, so it tells one change for whatever has happened since. Each
update has a number, one above the one before; a snapshot has that of the last update in it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Protocol

from exchange.market_data.messages import BID, OFFER
from exchange.screens.book import Level, Rows, aggregate, difference
from exchange.screens.market import Market, Trade

BOOK: Final = "book"
TRADES: Final = "trades"
TICKER: Final = "ticker"
CHANNELS: Final = (BOOK, TRADES, TICKER)

FIRST_TRADES: Final = 50  # of a snapshot
MOST_TRADES: Final = 100  # of an update; of more, the latest

Members = dict[str, object]


@dataclass(frozen=True, slots=True)
class Wanted:
    """A view, by what it shows; who wants the same gets the same messages.

    `depth` and `group` (ticks in a row) are those of a book, 0 for other channels.
    """

    channel: str
    symbol: str
    interval_ms: int
    depth: int = 0
    group: int = 0


class View(Protocol):
    """What there is to show; nothing is shown before the first `look`."""

    def look(self) -> Members | None:
        """Show what the market is now, which must be ready; what has changed, None if nothing."""

    def everything(self) -> Members:
        """All that is shown."""


class BookView:
    """Rows of bids and asks: price, quantity, orders; in an update quantity 0 takes one away."""

    def __init__(self, market: Market, wanted: Wanted) -> None:
        self._market = market
        self._wanted = wanted
        self._bids: Rows = {}
        self._asks: Rows = {}

    def look(self) -> Members | None:
        """See View."""
        market, wanted = self._market, self._wanted
        bids = aggregate(market.levels(BID), True, wanted.group, wanted.depth)
        asks = aggregate(market.levels(OFFER), False, wanted.group, wanted.depth)
        changes = difference(self._bids, bids), difference(self._asks, asks)
        self._bids, self._asks = bids, asks
        if not any(changes):
            return None
        return {"bids": self._rows(changes[0]), "asks": self._rows(changes[1])}

    def everything(self) -> Members:
        """See View; best first."""
        bids = [(price, *row) for price, row in self._bids.items()]
        asks = [(price, *row) for price, row in self._asks.items()]
        return {"bids": self._rows(bids), "asks": self._rows(asks)}

    def _rows(self, levels: list[Level]) -> list[list[str | int]]:
        price_text, size_text = self._market.prices.format, self._market.sizes.format
        return [
            [price_text(price).decode(), size_text(quantity).decode(), orders]
            for price, quantity, orders in levels
        ]


class TradesView:
    """Trades, oldest first; `omitted` are those of a busy moment for which there was no room."""

    def __init__(self, market: Market, wanted: Wanted) -> None:
        self._market = market
        self._shown: list[Trade] = []
        self._told = 0
        self._is_new = True

    def look(self) -> Members | None:
        """See View."""
        market = self._market
        count = market.told - self._told
        if count <= 0 and not self._is_new:
            return None
        most = FIRST_TRADES if self._is_new else MOST_TRADES
        new = market.trades_behind(self._told)[-most:]
        omitted = 0 if self._is_new else count - len(new)
        self._told, self._is_new = market.told, False
        self._shown = (self._shown + new)[-FIRST_TRADES:]
        return {"trades": [_trade(one) for one in new], "omitted": omitted} if new else None

    def everything(self) -> Members:
        """See View; the latest of them."""
        return {"trades": [_trade(one) for one in self._shown], "omitted": 0}


class TickerView:
    """Best prices, last trade, the day's figures; an update has the members that differ."""

    def __init__(self, market: Market, wanted: Wanted) -> None:
        self._market = market
        self._shown: dict[str, str | None] = {}

    def look(self) -> Members | None:
        """See View."""
        shown, self._shown = self._shown, self._market.ticker()
        return {
            name: value
            for name, value in self._shown.items()
            if name not in shown or shown[name] != value
        } or None

    def everything(self) -> Members:
        """See View."""
        return dict(self._shown)


MAKERS: Final[dict[str, Callable[[Market, Wanted], View]]] = {
    BOOK: BookView,
    TRADES: TradesView,
    TICKER: TickerView,
}


def _trade(trade: Trade) -> Members:
    return {
        "id": trade.name or None,
        "price": trade.price,
        "size": trade.size,
        "side": trade.side,
        "time": trade.time,
    }
