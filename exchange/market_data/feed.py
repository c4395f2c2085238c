"""One view of one book, made once for all who read it.

Its entries are counted by RptSeq (83) from 1 on, as long as somebody reads it. `update` compares
what was shown with what is, so it can be called after each input or seldom: then what was changed
in between is one change. Trades are all told, unless there are more than so many readers can be
told of: then those at one price are one, and the message says so.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import chain
from typing import Final
from zlib import crc32

from exchange.instruments import Instrument
from exchange.market_data.changes import Changes, put_together
from exchange.market_data.depth import Depth, Seen
from exchange.market_data.figures import STATISTICS, Statistics, Trades
from exchange.market_data.messages import (
    BID,
    CHANGE,
    DELETE,
    NEW,
    OFFER,
    TRADE,
    Entry,
    fragments,
    incremental_entry,
)
from exchange.market_data.orders import OrderView, Shown
from exchange.market_data.picture import Picture
from exchange.venue.days import DAY_NS
from exchange.venue.state import VenueState
from fix_engine.outbound import SharedFields
from fix_engine.timestamps import TimestampFormatter
from matching.order import Side

_KEPT: Final = 4_096  # entries that can be told again
_MOST_PENDING: Final = 2_000  # entries; with more of them, changes are put together
_MOST_TOLD: Final = 30_000  # entries in one round to all readers; so with many, sooner
_LEAST_PENDING: Final = 20
_CHECKED_LEVELS: Final = 10


@dataclass(frozen=True, slots=True)
class View:
    """What a subscription is for; who wants the same, reads the same feed.

    `kinds` are MDEntryType (269). `depth` 0 is all; `interval_ms` 0 is every update.
    """

    instrument_id: int
    kinds: frozenset[bytes]
    depth: int = 0
    is_aggregated: bool = True
    is_full: bool = False
    interval_ms: int = 0
    has_checksum: bool = False


@dataclass(slots=True)
class Delivery:
    """What has the entries `first` to `last`."""

    first: int
    last: int
    picture: Picture


class Feed:
    """See the module."""

    def __init__(
        self,
        view: View,
        instrument: Instrument,
        state: VenueState,
        clock: Callable[[], int],
        time: TimestampFormatter,
    ) -> None:
        """`clock` says which day it is, also when the venue has had nothing to do in it yet."""
        self.view = view
        self.instrument = instrument
        self.rpt_seq = 0  # of the last entry there is
        self.is_conflated = False  # by us: more has happened than could be told
        self._most_pending = _MOST_PENDING
        self._state = state
        self._clock = clock
        self._book = book = state.engine.books[instrument.instrument_id]
        day = state.days[instrument.instrument_id]
        self._changes = Changes()
        self._pending: list[bytes] = []
        self._untold: deque[Entry] = deque(maxlen=_KEPT)  # trades, of a full refresh
        self._kept: deque[bytes] = deque(maxlen=_KEPT)
        self._pictures: dict[bool, tuple[int, int, Picture]] = {}  # conflated or not
        self._sent_seq = 0
        self._position = state.position
        self._trades: Trades | None = None
        if TRADE in view.kinds:
            self._trades = Trades(instrument, day, time)
        wanted = tuple(kind for kind in STATISTICS if kind in view.kinds)
        self._statistics = Statistics(instrument, day, wanted) if wanted else None
        self._sides: list[tuple[bytes, Depth]] = []
        self._orders: OrderView | None = None
        if not view.is_aggregated and not view.kinds.isdisjoint((BID, OFFER)):
            self._orders = OrderView(book)
        elif view.is_aggregated:
            for kind, side in ((BID, book.buys), (OFFER, book.sells)):
                if kind in view.kinds:
                    self._sides.append((kind, Depth(side, view.depth)))

        self.is_complete = False  # until all that there is has been looked at

    def look(self, most: int) -> bool:
        """Look at about so many orders more of those that there are; whether that was all.

        Before, there is nothing to count: what happens is part of what is there.
        """
        if not self.is_complete:
            self.update()
            if self._orders is not None:
                self._orders.look(most)
                if not self._orders.is_complete:
                    return False
            if self._statistics is not None:
                self._statistics.load(self._clock())
            self.is_complete, self.is_conflated = True, False
        return True

    # --- what happens -------------------------------------------------------------------

    def follow(self, changes: Changes, position: int) -> None:
        """Something has changed by the input at `position`."""
        if self._changes and not self.view.interval_ms:
            self.is_conflated = True  # two inputs at one look
        self._changes.add(changes)
        self._position = position

    def has_readers(self, count: int) -> None:
        """So many are told."""
        self._most_pending = min(_MOST_PENDING, max(_MOST_TOLD // count, _LEAST_PENDING))

    @property
    def is_pressed(self) -> bool:
        """Whether so much waits to be sent that no more should be told one by one."""
        return len(self._pending) >= self._most_pending

    def update(self) -> bool:
        """Make entries of what has changed; whether there is anything to send."""
        changes = self._changes
        if changes:
            self._changes = Changes()
            self._pictures.clear()
            entries = list(self._entries(changes)) if self.is_complete else self._repair(changes)
            if self.view.is_full:
                self._untold += (one for one in entries if one.action == NEW and one.position)
                self.rpt_seq += bool(entries)
            else:
                self._count(entries)
        is_new = self.rpt_seq > self._sent_seq
        self.is_conflated = self.is_conflated and is_new  # what nobody sees is not put together
        return is_new

    def _repair(self, changes: Changes) -> list[Entry]:
        """Keep right what has been looked at; nobody has been told of it yet."""
        for _, depth in self._sides:
            side = depth.book_side.side
            depth.update(price for one, price in changes.prices if one is side)
        if self._orders is not None:
            self._orders.update(changes)
        return []

    def _count(self, entries: list[Entry]) -> None:
        symbol, position, seq = self.instrument.symbol, self._position, self.rpt_seq
        for entry in entries:
            seq += 1
            encoded = incremental_entry(entry, symbol, seq, position)
            self._pending.append(encoded)
            self._kept.append(encoded)
        self.rpt_seq = seq

    def _entries(self, changes: Changes) -> Iterator[Entry]:
        if self._trades is not None:
            trades = changes.trades
            if len(trades) + len(self._pending) > self._most_pending:
                trades, self.is_conflated = put_together(trades), True
            for trade in trades:
                yield self._trades.entry(trade)
        for kind, depth in self._sides:
            side = depth.book_side.side
            prices = [price for one, price in changes.prices if one is side]
            for price, seen, was_shown in depth.update(prices):
                if seen is None:
                    rest = b"270=%b\x01" % self.instrument.prices.format(price)
                    yield Entry(DELETE, b"269=%b\x01" % kind, rest)
                else:
                    yield self._level(CHANGE if was_shown else NEW, kind, price, seen)
        if self._orders is not None:
            for action, number, side, price, quantity in self._orders.update(changes):
                kind = BID if side is Side.BUY else OFFER
                if kind in self.view.kinds:
                    yield self._order(action, number, kind, price, quantity)
        if self._statistics is not None and changes.trades:
            yield from self._statistics.update(self._clock())

    # --- what is sent -------------------------------------------------------------------

    def cut(self) -> Delivery | None:
        """What is to be sent next, None when nothing is; what comes later is not in it."""
        first, last = self._sent_seq + 1, self.rpt_seq
        if first > last:
            return None
        self._sent_seq = last
        pending, self._pending = self._pending, []
        if self.view.is_full:
            picture = self.picture(self.is_conflated)
        else:
            head = _mark(self.is_conflated) + self._checksum()
            picture = Picture.of(fragments(head, pending))
        self.is_conflated = False
        self._untold.clear()
        return Delivery(first, last, picture)

    def picture(self, is_conflated: bool = False) -> Picture:
        """Everything as it is behind the last entry, of a feed that is complete."""
        today = self._clock() // DAY_NS  # the figures of a day end with it
        made = self._pictures.get(is_conflated)
        if made is None or made[:2] != (self.rpt_seq, today):
            picture = self._take_down(_mark(is_conflated))
            made = self._pictures[is_conflated] = self.rpt_seq, today, picture
        return made[2]

    def between(self, begin: int, end: int) -> list[SharedFields] | None:
        """The entries `begin` to `end` once more; None when not all of them are kept.

        Of what was not sent yet, nothing: it will be.
        """
        first_kept = self.rpt_seq - len(self._kept) + 1
        end = min(end or self._sent_seq, self._sent_seq)
        if self.view.is_full or not first_kept <= begin <= end:
            return None
        start = begin - first_kept
        return fragments(b"", [self._kept[at] for at in range(start, start + end - begin + 1)])

    def _take_down(self, mark: bytes) -> Picture:
        interval = self.view.interval_ms
        head = b"55=%b\x0183=%d\x018023=%d\x01%b%b%b" % (
            self.instrument.symbol,
            self.rpt_seq,
            self._state.position,
            b"8026=%d\x01" % interval if interval else b"",
            mark,
            self._checksum(),
        )
        return Picture(head, self._everything())

    def _everything(self) -> Iterator[Entry | None]:
        """What is to be seen now, whatever happens while it is encoded."""
        levels = [(kind, list(depth.levels())) for kind, depth in self._sides]
        orders = self._orders.entries() if self._orders is not None else iter(())
        others: list[Entry] = []
        if self._trades is not None:
            others += self._untold or self._trades.last()
        if self._statistics is not None:
            others += self._statistics.entries(self._clock())
        return chain(self._level_entries(levels), self._order_entries(orders), others)

    def _level_entries(
        self, levels: list[tuple[bytes, list[tuple[int, Seen]]]]
    ) -> Iterator[Entry | None]:
        for kind, side in levels:
            for price, seen in side:
                yield self._level(NEW, kind, price, seen)

    def _order_entries(self, orders: Iterator[Shown]) -> Iterator[Entry | None]:
        for number, side, price, quantity in orders:
            kind = BID if side is Side.BUY else OFFER
            yield (
                self._order(NEW, number, kind, price, quantity) if kind in self.view.kinds else None
            )

    def _checksum(self) -> bytes:
        """CRC-32 of the ten best prices and quantities that are shown, bids first."""
        if not self.view.has_checksum:
            return b""
        prices, quantities = self.instrument.prices.format, self.instrument.quantities.format
        words: list[bytes] = []
        most = min(self.view.depth or _CHECKED_LEVELS, _CHECKED_LEVELS)
        for side in (self._book.buys, self._book.sells):
            for _, (price, level) in zip(range(most), side.levels(), strict=False):
                words += prices(price), quantities(level.quantity - level.hidden)
        return b"8029=%d\x01" % crc32(b" ".join(words))

    def _level(self, action: bytes, kind: bytes, price: int, seen: tuple[int, int]) -> Entry:
        rest = b"270=%b\x01271=%b\x01346=%d\x01" % (
            self.instrument.prices.format(price),
            self.instrument.quantities.format(seen[0]),
            seen[1],
        )
        return Entry(action, b"269=%b\x01" % kind, rest)

    def _order(self, action: bytes, number: int, kind: bytes, price: int, quantity: int) -> Entry:
        rest = b"270=%b\x01" % self.instrument.prices.format(price)
        if action != DELETE:
            rest += b"271=%b\x01" % self.instrument.quantities.format(quantity)
        return Entry(action, b"269=%b\x01278=%d\x01" % (kind, number), rest)


def _mark(is_conflated: bool) -> bytes:
    return b"8027=Y\x01" if is_conflated else b""
