"""What is known of one instrument: the book of its feed, the latest trades, the day's figures."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Final

from exchange.instruments import Grid
from exchange.market_data.messages import BID, HIGH, LOW, OFFER, OPEN, VOLUME
from exchange.market_data.reader import Fields, SymbolView
from exchange.screens.book import Level

KEPT_TRADES: Final = 500

_PRICE: Final = b"270"
_SIZE: Final = b"271"
_DATE: Final = b"272"
_TIME: Final = b"273"
_NAME: Final = b"278"
_AGGRESSOR: Final = b"2446"
_SIDES: Final = {b"1": "buy", b"2": "sell"}
_FIGURES: Final = {"open": OPEN, "high": HIGH, "low": LOW, "volume": VOLUME}


class OffGridError(ValueError):
    """A price or quantity that is no multiple of what the settings say."""


@dataclass(frozen=True, slots=True)
class Trade:
    """One trade; `number` counts those that we were told, `name` is its TradeID or empty."""

    number: int
    name: str
    price: str
    size: str
    side: str
    time: str


class Market:
    """See the module. Its book is complete where `is_ready`; it may be old where not `is_live`."""

    def __init__(self, symbol: str, currency: str, prices: Grid, sizes: Grid) -> None:
        self.symbol = symbol
        self.currency = currency
        self.prices = prices
        self.sizes = sizes
        self.is_live = False
        self.tape: deque[Trade] = deque(maxlen=KEPT_TRADES)
        self.last: Trade | None = None
        self.told = 0  # trades
        self._view: SymbolView | None = None
        self._is_held = False
        self._levels: dict[bytes, list[Level]] = {}

    @property
    def is_ready(self) -> bool:
        """Whether there is a book, and no part of a change to it is still on its way."""
        view = self._view
        is_whole = view is not None and view.is_whole and view.missing is None
        return is_whole and not self._is_held

    def hold(self) -> None:
        """What its view says is in doubt: not ready until something is taken again."""
        self._is_held = True

    def take(self, view: SymbolView) -> None:
        """The feed has changed its view; trades are taken over, and taken out of it.

        Raises OffGridError.
        """
        if view is not self._view and not view.is_whole:
            return  # what there was is better than the beginning of what comes
        self._view, self._is_held = view, False
        self._levels.clear()
        trades, view.trades = view.trades, []
        for entry in trades:
            self._trade(entry)

    def levels(self, kind: bytes) -> list[Level]:
        """A side, best first, where the market is ready; raises OffGridError."""
        found = self._levels.get(kind)
        if found is None:
            assert self._view is not None
            found = [
                (self._number(one.price), self._count(one.size), int(one.orders))
                for one in self._view.best(kind)
            ]
            self._levels[kind] = found
        return found

    def trades_behind(self, number: int) -> list[Trade]:
        """The trades that are kept and came behind that one."""
        new = min(self.told - number, len(self.tape))
        return list(islice(self.tape, len(self.tape) - new, None)) if new > 0 else []

    def ticker(self) -> dict[str, str | None]:
        """Best prices, the last trade and the day's figures; None where there is none."""
        return dict(self._ticker())

    def _ticker(self) -> Iterator[tuple[str, str | None]]:
        assert self._view is not None
        for name, kind in (("bid", BID), ("ask", OFFER)):
            best = next(iter(self.levels(kind)), None)
            yield name, self.prices.format(best[0]).decode() if best else None
            yield f"{name}_size", self.sizes.format(best[1]).decode() if best else None
        last = self.last
        yield "last", last.price if last else None
        yield "last_size", last.size if last else None
        yield "last_side", last.side if last else None
        yield "last_time", last.time if last else None
        for name, kind in _FIGURES.items():
            value = self._view.statistics.get(kind)
            yield name, value.decode() if value is not None else None

    def _trade(self, entry: Fields) -> None:
        name = entry.get(_NAME, b"").decode()
        date, time = entry[_DATE].decode(), entry[_TIME].decode()
        trade = Trade(
            self.told + 1,
            name,
            self.prices.format(self._number(entry[_PRICE])).decode(),
            self.sizes.format(self._count(entry[_SIZE])).decode(),
            _SIDES.get(entry.get(_AGGRESSOR, b""), ""),
            f"{date[:4]}-{date[4:6]}-{date[6:]}T{time}Z",
        )
        if not name and self.last is not None:
            # A full refresh repeats the last trade, which may be one that we missed.
            was = self.last
            if (was.time, was.price, was.size) == (trade.time, trade.price, trade.size):
                return
        self.last = trade
        self.told += 1
        self.tape.append(trade)

    def _number(self, price: bytes) -> int:
        number = self.prices.parse(price)
        if number is None:
            raise OffGridError(f"price {price.decode()} is no multiple of {self.prices.step}")
        return number

    def _count(self, size: bytes) -> int:
        number = self.sizes.parse(size)
        if number is None:
            raise OffGridError(f"quantity {size.decode()} is no multiple of {self.sizes.step}")
        return number
