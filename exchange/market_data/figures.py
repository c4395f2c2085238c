"""Trades and the day's statistics, as entries."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from exchange.instruments import Instrument
from exchange.market_data.changes import Trade
from exchange.market_data.messages import CHANGE, HIGH, LOW, NEW, OPEN, TRADE, VOLUME, Entry
from exchange.venue.days import TradingDay
from fix_engine.timestamps import TimestampFormatter
from matching.order import Side

STATISTICS: Final = (OPEN, HIGH, LOW, VOLUME)


class Trades:
    """Every trade, one entry each; of those before, the last is known."""

    def __init__(self, instrument: Instrument, day: TradingDay, time: TimestampFormatter) -> None:
        self._instrument = instrument
        self._day = day
        self._time = time

    def last(self) -> Iterator[Entry]:
        """The last trade, if there was one."""
        day = self._day
        if day.last_at:
            yield self._entry(b"", day.last, day.last_quantity, day.last_side, day.last_at)

    def entry(self, trade: Trade) -> Entry:
        """A trade that has just happened."""
        name = b"278=%b\x01" % trade.trade_id
        return self._entry(name, trade.price, trade.quantity, trade.side, trade.at, trade.position)

    def _entry(
        self, name: bytes, price: int, quantity: int, side: Side, at: int, position: int = 0
    ) -> Entry:
        date, _, time = self._time.format(at).partition(b"-")
        rest = b"270=%b\x01271=%b\x01272=%b\x01273=%b\x012446=%d\x01" % (
            self._instrument.prices.format(price),
            self._instrument.quantities.format(quantity),
            date,
            time,
            side,
        )
        return Entry(NEW, b"269=%b\x01%b" % (TRADE, name), rest, position)


class Statistics:
    """Those figures of the day that a reader wants, and what it has been shown of them."""

    def __init__(self, instrument: Instrument, day: TradingDay, wanted: tuple[bytes, ...]) -> None:
        self._instrument = instrument
        self._day = day
        self._wanted = wanted
        self._shown: dict[bytes, int] = {}
        self._shown_of = -1  # the day

    def entries(self, now: int) -> Iterator[Entry]:
        """All of today."""
        for kind, value in self._values(now).items():
            yield self._entry(NEW, kind, value)

    def load(self, now: int) -> None:
        """Take what there is for shown."""
        self._shown, self._shown_of = self._values(now), self._day.day

    def update(self, now: int) -> Iterator[Entry]:
        """Those that are not what was shown."""
        values, shown = self._values(now), self._shown
        if self._day.day != self._shown_of:
            shown = {}
        self._shown, self._shown_of = values, self._day.day
        for kind, value in values.items():
            if shown.get(kind) != value:
                yield self._entry(CHANGE if kind in shown else NEW, kind, value)

    def _values(self, now: int) -> dict[bytes, int]:
        day = self._day
        if day.is_over(now):
            return {}
        values = {OPEN: day.open, HIGH: day.high, LOW: day.low, VOLUME: day.volume}
        return {kind: values[kind] for kind in self._wanted}

    def _entry(self, action: bytes, kind: bytes, value: int) -> Entry:
        if kind == VOLUME:
            rest = b"271=%b\x01" % self._instrument.quantities.format(value)
        else:
            rest = b"270=%b\x01" % self._instrument.prices.format(value)
        return Entry(action, b"269=%b\x01" % kind, rest)
