"""A session of the venue that reads every feed, repairs what is missing, and comes back.

Each instrument is a subscription of its own, so that a refusal, a gap or a wrong checksum concerns
that one alone. What is missing is asked for by RptSeq; where that does not help, or BookChecksum
(8029) differs, the whole book is; where that does not help either, the connection is made anew.
"""

from __future__ import annotations

import asyncio
import ssl
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

import structlog

from exchange.initiator import Initiator, InitiatorError, Pair
from exchange.market_data.messages import BID, HIGH, LOW, OFFER, OPEN, TRADE, VOLUME
from exchange.market_data.reader import FeedReader, SymbolView
from exchange.screens.hub import Hub
from exchange.screens.market import Market, OffGridError
from fix_engine import tags
from fix_engine.message import Message

CONNECT_S: Final = 5.0
_LOGOUT_S: Final = 1.0
_BEAT_S: Final = 0.25
_FIRST_WAIT_S: Final = 0.5
_PATIENCE_S: Final = 2.0  # for an answer to a question of ours
_MOST_REPAIRS: Final = 3  # without a while of peace in between
_PEACE_S: Final = 10.0  # without a repair, or of a connection
_KINDS: Final = (BID, OFFER, TRADE, OPEN, HIGH, LOW, VOLUME)

_log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Venue:
    """Which venue, and who we are there; `interval_ms` is that of the feeds."""

    host: str
    port: int
    target_comp_id: str
    comp_id: str
    credentials: tuple[Pair, ...] = ()
    tls: ssl.SSLContext | None = None
    interval_ms: int = 50
    heartbeat_s: int = 5
    longest_wait_s: float = 10.0


@dataclass(slots=True)
class Feed:
    """One subscription of ours; `asked_at` is when we asked for something, 0 once it has come."""

    market: Market
    reader: FeedReader
    asked_at: float = 0.0
    awaits_all: bool = False  # a full refresh: nothing else helps
    repaired_at: float = 0.0
    attempts: int = 0
    repairs: int = 0  # since the start, over all connections
    mismatches: int = 0
    messages: int = 0
    heard_at: float = 0.0
    refused: str = ""

    @property
    def view(self) -> SymbolView | None:
        """What it knows."""
        return self.reader.views.get(self.market.symbol.encode())


class Gateway:
    """See the module."""

    def __init__(self, venue: Venue, hub: Hub, clock: Callable[[], float] = time.monotonic) -> None:
        self.venue = venue
        self.connections = 0  # that were logged on
        self.feeds = {symbol: Feed(market, FeedReader()) for symbol, market in hub.markets.items()}
        self._hub = hub
        self._clock = clock
        self._link = self._new_link()
        self._watched = -1  # the socket of the link
        self._since = 0.0  # when we were logged on
        self._heard_at = 0.0
        self._tested_at = 0.0
        self._over = asyncio.Event()
        self._why = ""

    @property
    def is_connected(self) -> bool:
        """Whether we are logged on."""
        return self._link.is_up

    async def run(self) -> None:
        """Stay with the venue until cancelled, then log out."""
        wait_s = _FIRST_WAIT_S
        while True:
            before = self.connections
            try:
                await self._stay()
            except InitiatorError as error:
                self._why = str(error)
            finally:
                await self._leave()
            self._lost(self._why or self._link.ended or "the connection was lost")
            if self.connections > before and self._clock() - self._since > _PEACE_S:
                wait_s = _FIRST_WAIT_S
            await asyncio.sleep(wait_s)
            wait_s = min(wait_s * 2, self.venue.longest_wait_s)

    # --- the connection -----------------------------------------------------------------

    def _new_link(self) -> Initiator:
        venue = self.venue
        return Initiator(
            venue.comp_id.encode(),
            venue.target_comp_id.encode(),
            b"FIX.4.4",
            self._deliver,
            venue.heartbeat_s,
        )

    async def _stay(self) -> None:
        """One connection, until it is over. Raises InitiatorError."""
        venue, loop = self.venue, asyncio.get_running_loop()
        link = self._link = self._new_link()
        self._over.clear()
        self._why = ""
        await asyncio.to_thread(link.connect, venue.host, venue.port, CONNECT_S, venue.tls)
        assert link.socket is not None
        self._watched = link.socket.fileno()
        loop.add_reader(self._watched, self._readable)
        try:
            link.logon(venue.credentials, reset=True)
            self._heard_at, self._tested_at = self._clock(), 0.0
            while not self._over.is_set():
                self._look_after(link)
                try:
                    await asyncio.wait_for(self._over.wait(), _BEAT_S)
                except TimeoutError:
                    continue
        finally:
            self._unwatch()

    def _unwatch(self) -> None:
        """At once when the socket is closed: its number may soon be another's."""
        if self._watched >= 0:
            asyncio.get_running_loop().remove_reader(self._watched)
            self._watched = -1

    def _readable(self) -> None:
        link = self._link
        was_up = link.is_up
        self._heard_at, self._tested_at = self._clock(), 0.0
        try:
            link.read()
            if link.is_up and not was_up:
                self._logged_on()
        except Exception as error:  # what a peer sends must not end the process
            if not isinstance(error, InitiatorError):
                _log.exception("screens: a message could not be understood")
            self._end(str(error) or type(error).__name__)
        if link.socket is None:
            self._unwatch()
            self._end(link.ended)

    def _look_after(self, link: Initiator) -> None:
        """What time brings about: heartbeats, doubts, unanswered questions."""
        link.write()
        link.beat()
        now, limit = self._clock(), 2 * self.venue.heartbeat_s
        silence = now - self._heard_at
        if not link.is_up:
            if silence > CONNECT_S:
                self._end("no answer to our Logon")
        elif silence > limit and not self._tested_at:
            self._tested_at = now
            link.test(b"%d" % int(now * 1000))
        elif self._tested_at and now - self._tested_at > self.venue.heartbeat_s:
            self._end("the venue has gone silent")
        for feed in self.feeds.values() if link.is_up else ():
            if feed.asked_at and now - feed.asked_at > _PATIENCE_S:
                self._repair(feed, "no answer")

    def _end(self, why: str) -> None:
        self._why = self._why or why
        self._over.set()

    async def _leave(self) -> None:
        """Log out if we can, and close."""
        link = self._link
        if link.is_up and not self._over.is_set():  # we were cancelled
            link.logout()
            deadline = self._clock() + _LOGOUT_S
            while link.socket is not None and self._clock() < deadline:
                await asyncio.sleep(0.01)
                with suppress(InitiatorError):
                    link.read()
        link.close("closed")

    def _logged_on(self) -> None:
        self.connections += 1
        self._since = self._clock()
        _log.info("screens: logged on", venue=self.venue.target_comp_id)
        for feed in self.feeds.values():
            feed.reader = FeedReader()
            feed.awaits_all, feed.refused = False, ""
            self._ask(feed)

    def _lost(self, why: str) -> None:
        _log.warning("screens: not connected", why=why)
        self._set_live(self.feeds, False, f"not connected to the venue: {why}")
        for feed in self.feeds.values():
            feed.asked_at = 0.0

    # --- what the venue says ------------------------------------------------------------

    def _deliver(self, message: Message) -> None:
        msg_type = message.msg_type
        if msg_type in (tags.MARKET_DATA_SNAPSHOT, tags.MARKET_DATA_INCREMENTAL):
            feed = self.feeds.get((message.get(tags.MD_REQ_ID) or b"").decode())
            if feed is not None:
                self._take(feed, message)
        elif msg_type == tags.MARKET_DATA_REQUEST_REJECT:
            feed = self.feeds.get((message.get(tags.MD_REQ_ID) or b"").decode())
            if feed is not None:
                self._refused(feed, _words(message))
        elif msg_type in (tags.BUSINESS_MESSAGE_REJECT, tags.REJECT):
            self._end(f"the venue refuses our request: {_words(message)}")

    def _take(self, feed: Feed, message: Message) -> None:
        feed.messages += 1
        feed.heard_at = self._clock()
        if feed.awaits_all and message.msg_type != tags.MARKET_DATA_SNAPSHOT:
            return
        try:
            feed.reader.take(message)
        except (KeyError, ValueError) as error:  # it does not fit to what we know
            self._repair(feed, f"{type(error).__name__}: {error}", in_whole=True)
            return
        view = feed.view
        if view is None:
            return
        if view.missing is not None:
            if not feed.asked_at:
                self._repair(feed, f"entries from {view.missing[0]} are missing")
            return
        if view.is_whole:
            feed.awaits_all, feed.asked_at = False, 0.0
            if view.checksum is not None and view.checksum != view.own_checksum():
                feed.mismatches += 1
                self._repair(feed, "BookChecksum (8029) differs", in_whole=True)
                return
        self._show(feed, view)

    def _show(self, feed: Feed, view: SymbolView) -> None:
        """Have the hub know, of a view that is sound."""
        try:
            feed.market.take(view)
        except OffGridError as error:
            self._refused(feed, f"{error}, as the settings have it")
            return
        if view.is_whole and not feed.refused:
            self._hub.changed(feed.market.symbol)
            if not feed.market.is_live:
                self._set_live((feed.market.symbol,), True, "")

    def _refused(self, feed: Feed, why: str) -> None:
        feed.refused, feed.asked_at = why, 0.0
        _log.warning("screens: refused", symbol=feed.market.symbol, why=why)
        self._set_live((feed.market.symbol,), False, f"{feed.market.symbol}: {why}")

    def _repair(self, feed: Feed, why: str, in_whole: bool = False) -> None:
        """Ask for what is missing; after that has failed, for everything."""
        symbol, now = feed.market.symbol, self._clock()
        feed.market.hold()
        if now - feed.repaired_at > _PEACE_S:
            feed.attempts = 0
        feed.repaired_at = now
        feed.attempts += 1
        feed.repairs += 1
        _log.warning("screens: repairing", symbol=symbol, why=why, attempt=feed.attempts)
        self._set_live((symbol,), False, f"{symbol}: {why}")
        if feed.attempts > _MOST_REPAIRS:
            self._end(f"{symbol} cannot be repaired: {why}")
            return
        view = feed.view
        if view is not None and view.missing is not None and feed.attempts == 1 and not in_whole:
            # To the end, for more may be missing by now: what we have already is passed over.
            self._ask(feed, (tags.BEGIN_RPT_SEQ, b"%d" % view.missing[0]))
        else:
            feed.awaits_all = True
            self._ask(feed)

    def _ask(self, feed: Feed, *fields: Pair) -> None:
        symbol = feed.market.symbol.encode()
        feed.asked_at = self._clock()
        interval = self.venue.interval_ms
        self._link.send(
            tags.MARKET_DATA_REQUEST,
            (tags.MD_REQ_ID, symbol),
            (tags.SUBSCRIPTION_REQUEST_TYPE, b"1"),
            (tags.MARKET_DEPTH, b"0"),
            (tags.MD_UPDATE_TYPE, b"1"),
            (b"267", b"%d" % len(_KINDS)),
            *((tags.MD_ENTRY_TYPE, kind) for kind in _KINDS),
            (b"146", b"1"),
            (tags.SYMBOL, symbol),
            *(((tags.MD_UPDATE_INTERVAL, b"%d" % interval),) if interval else ()),
            (tags.BOOK_CHECKSUM_WANTED, tags.YES),
            *fields,
        )

    def _set_live(self, symbols: Iterable[str], is_live: bool, reason: str) -> None:
        self._hub.set_live(symbols, is_live, reason, time.time_ns() // 1_000_000)


def _words(message: Message) -> str:
    return (message.get(tags.TEXT) or b"no reason given").decode("latin-1")
