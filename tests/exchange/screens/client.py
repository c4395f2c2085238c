"""A screen: what it knows, from snapshots and updates alone; and markets for it to look at."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

from exchange.instruments import Grid
from exchange.market_data.messages import BID, OFFER
from exchange.market_data.reader import Level, SymbolView
from exchange.screens.book import aggregate
from exchange.screens.market import Market
from exchange.screens.views import Wanted

Row = tuple[str, int]  # quantity and orders


class Screen:
    """Takes messages as they come, and holds them to what the protocol promises."""

    def __init__(self) -> None:
        self.seqs: dict[tuple[str, str], int] = {}
        self.books: dict[str, tuple[dict[Decimal, Row], dict[Decimal, Row]]] = {}
        self.trades: dict[str, list[str]] = {}
        self.tickers: dict[str, dict[str, Any]] = {}
        self.state = ""
        self.stale: list[str] = []
        self.reason = ""
        self.messages: list[dict[str, Any]] = []

    def take(self, text: str) -> dict[str, Any]:
        """The next message."""
        message: dict[str, Any] = json.loads(text)
        self.messages.append(message)
        kind = message["type"]
        if "state" in message:
            self.state, self.stale = message["state"], message["stale"]
            self.reason = message["reason"]
        if kind in ("snapshot", "update"):
            self._shown(message, kind == "snapshot")
        return message

    def of(self, kind: str) -> list[dict[str, Any]]:
        """What has come of one type."""
        return [one for one in self.messages if one["type"] == kind]

    def _shown(self, message: dict[str, Any], is_snapshot: bool) -> None:
        channel, symbol = message["channel"], message["symbol"]
        if not is_snapshot:
            assert message["prev"] == self.seqs[channel, symbol] == message["seq"] - 1
        self.seqs[channel, symbol] = message["seq"]
        if channel == "book":
            if is_snapshot:
                self.books[symbol] = {}, {}
            for side, name in zip(self.books[symbol], ("bids", "asks"), strict=True):
                for price, quantity, orders in message[name]:
                    if quantity == "0":
                        del side[Decimal(price)]
                    else:
                        side[Decimal(price)] = quantity, orders
        elif channel == "trades":
            before = [] if is_snapshot else self.trades[symbol]
            self.trades[symbol] = before + [one["id"] for one in message["trades"]]
        else:
            before_it = {} if is_snapshot else self.tickers[symbol]
            named = ("type", "channel", "symbol", "prev", "seq", "time", "interval_ms")
            self.tickers[symbol] = before_it | {
                name: value for name, value in message.items() if name not in named
            }


def market(symbol: str = "BTC/USD") -> tuple[Market, SymbolView]:
    """One with an empty book, ticks of 0.5 and lots of 0.01, and its view to be changed."""
    found = Market(symbol, "USD", Grid(Decimal("0.5")), Grid(Decimal("0.01")))
    view = SymbolView(symbol.encode())
    found.take(view)
    found.is_live = True
    return found, view


def put(market: Market, view: SymbolView, is_bid: bool, ticks: int, lots: int, orders: int) -> None:
    """Have the venue tell what is at a price; 0 lots: nothing."""
    price = market.prices.format(ticks)
    levels = view.levels[BID if is_bid else OFFER]
    key = Decimal(price.decode())
    if lots:
        levels[key] = Level(price, market.sizes.format(lots), b"%d" % orders)
    else:
        levels.pop(key, None)
    market.take(view)


def trade(market: Market, view: SymbolView, number: int, ticks: int = 200) -> None:
    """Have the venue tell a trade."""
    view.trades.append(
        {
            b"278": b"%d-1" % number,
            b"270": market.prices.format(ticks),
            b"271": b"1.5",
            b"272": b"20261122",
            b"273": b"10:00:00.%03d" % (number % 1_000),
            b"2446": b"1",
        }
    )
    market.take(view)


def expected(market: Market, wanted: Wanted) -> tuple[dict[Decimal, Row], dict[Decimal, Row]]:
    """The book as a screen should have it."""
    sides = []
    for kind, is_bid in ((BID, True), (OFFER, False)):
        rows = aggregate(market.levels(kind), is_bid, wanted.group, wanted.depth)
        sides.append(
            {
                Decimal(market.prices.format(price).decode()): (
                    market.sizes.format(quantity).decode(),
                    orders,
                )
                for price, (quantity, orders) in rows.items()
            }
        )
    return sides[0], sides[1]
