"""Who gets what when.

A view has an interval: at most so often, what has changed is computed and encoded, once for all who
look at it. Who does not read fast enough is passed over, and gets everything as it is then when it
reads again; who does not read for long is to be closed. Whatever happens, little waits for anybody.

Time is told, in milliseconds; nothing here knows a socket.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Final

from exchange.screens import protocol
from exchange.screens.market import Market, OffGridError
from exchange.screens.protocol import Fault, Status, Subscribe, Unsubscribe
from exchange.screens.views import MAKERS, View, Wanted

HEARTBEAT_MS: Final = 5_000
_MOST_WAITING: Final = 64  # messages for one reader
_MOST_WAITING_CHARACTERS: Final = 128 * 1024
_MOST_ANSWERS: Final = 256  # more than that is asked by somebody who reads no answers


@dataclass(slots=True, eq=False)
class Channel:
    """A view, and who looks at it. `seq` is that of the last update."""

    wanted: Wanted
    market: Market
    view: View
    readers: dict[Reader, None] = field(default_factory=dict)
    seq: int = 0  # 0: nothing is shown yet
    due_ms: int = 0
    shown_ms: int = 0
    _texts: dict[bool, str] = field(default_factory=dict)

    def look(self, now_ms: int) -> str | None:
        """The next update; None where nothing has changed, or all is new. Raises OffGridError."""
        members = self.view.look()
        if self.seq and members is None:
            return None
        is_first = self.seq == 0
        self.seq += 1
        self.shown_ms = now_ms
        self._texts.clear()
        if is_first or members is None:
            return None
        return protocol.update(self.wanted, self.seq, now_ms, members)

    def snapshot(self, is_conflated: bool) -> str:
        """Everything that is shown, encoded once."""
        text = self._texts.get(is_conflated)
        if text is None:
            members = self.view.everything()
            text = protocol.snapshot(self.wanted, self.seq, self.shown_ms, members, is_conflated)
            self._texts[is_conflated] = text
        return text


class Reader:
    """One client: what it looks at, and what it has still to be sent.

    `wake` is called when there is something for `Hub.next_text`.
    """

    def __init__(self, wake: Callable[[], None]) -> None:
        self.wake = wake
        self.channels: dict[tuple[str, str], Channel] = {}  # by channel and symbol
        self.waiting: deque[str] = deque()
        self.waiting_characters = 0
        self.behind: dict[Channel, bool] = {}  # to be sent in whole; True: some was passed over
        self.is_status_due = False
        self.idle_since_ms = 0  # when it last took something, or had nothing to take
        self.conflated = 0

    @property
    def has_waiting(self) -> bool:
        """Whether there is anything to be sent, now or once it is known."""
        return bool(self.waiting or self.is_status_due or any(one.seq for one in self.behind))


class Hub:
    """See the module."""

    def __init__(self, markets: Iterable[Market], max_subscriptions: int, slow_ms: int) -> None:
        self.markets = {one.symbol: one for one in markets}
        self.readers: dict[Reader, None] = {}
        self.channels: dict[Wanted, Channel] = {}
        self.status = Status(list(self.markets), "not connected to the venue yet")
        self.updates = self.sent = self.conflated = 0
        self._max_subscriptions = max_subscriptions
        self._slow_ms = slow_ms
        self._by_symbol: dict[str, dict[Channel, None]] = {symbol: {} for symbol in self.markets}
        self._dirty: dict[Channel, None] = {}
        self._heartbeat_ms = 0
        self._reason = self.status.reason

    # --- the venue's side ---------------------------------------------------------------

    def changed(self, symbol: str) -> None:
        """Something of a market is not what it was."""
        self._dirty.update(self._by_symbol[symbol])

    def set_live(self, symbols: Iterable[str], is_live: bool, reason: str, now_ms: int) -> None:
        """Markets are followed, or not any more; everybody is told."""
        for symbol in symbols:
            self.markets[symbol].is_live = is_live
        stale = [symbol for symbol, market in self.markets.items() if not market.is_live]
        status = Status(stale, (self._reason if is_live else reason) if stale else "")
        self._reason = status.reason
        if status == self.status:
            return
        self.status = status
        for reader in self.readers:
            self._wake(reader, now_ms)
            reader.is_status_due = True

    def advance(self, now_ms: int) -> list[Reader]:
        """Make the updates that are due; the readers that are too slow to go on with."""
        for channel in [one for one in self._dirty if one.due_ms <= now_ms]:
            if not channel.market.is_ready:
                continue  # part of a change is on its way
            del self._dirty[channel]
            self._show(channel, now_ms)
        if now_ms >= self._heartbeat_ms:
            self._heartbeat_ms = now_ms + HEARTBEAT_MS
            text = protocol.heartbeat(self.status, now_ms)
            for reader in self.readers:
                if not reader.has_waiting:
                    self._put(reader, text, now_ms)
        return [
            one
            for one in self.readers
            if (one.has_waiting and now_ms - one.idle_since_ms > self._slow_ms)
            or len(one.waiting) > _MOST_ANSWERS
        ]

    def _show(self, channel: Channel, now_ms: int) -> None:
        if not channel.seq:  # they have waited for it
            for reader in channel.readers:
                self._wake(reader, now_ms)
        try:
            text = channel.look(now_ms)
        except OffGridError as error:
            self.set_live([channel.wanted.symbol], False, str(error), now_ms)
            return
        if text is None:
            return
        channel.due_ms = now_ms + channel.wanted.interval_ms
        self.updates += 1
        for reader in channel.readers:
            if channel in reader.behind:
                continue
            room = _MOST_WAITING_CHARACTERS - reader.waiting_characters
            if len(reader.waiting) >= _MOST_WAITING or len(text) > room:
                reader.behind[channel] = True
                reader.conflated += 1
                self.conflated += 1
            else:
                self._put(reader, text, now_ms)

    # --- the clients' side --------------------------------------------------------------

    def join(self, reader: Reader, hello: str, now_ms: int) -> None:
        """Somebody has come."""
        self.readers[reader] = None
        self._put(reader, hello, now_ms)

    def leave(self, reader: Reader) -> None:
        """Somebody has gone."""
        self.readers.pop(reader, None)
        for channel in reader.channels.values():
            self._end(channel, reader)
        reader.channels.clear()

    def subscribe(self, reader: Reader, request: Subscribe, now_ms: int) -> None:
        """Show views, each in place of the one of the same channel and symbol."""
        keys = {(one.channel, one.symbol) for one in request.views}
        if len(keys | reader.channels.keys()) > self._max_subscriptions:
            text = f"more than {self._max_subscriptions} subscriptions: unsubscribe from something"
            self.refuse(reader, Fault("too-many-subscriptions", text, request.id), now_ms)
            return
        self._put(reader, protocol.subscribed(request), now_ms)
        for wanted in request.views:
            key = wanted.channel, wanted.symbol
            former = reader.channels.get(key)
            if former is not None and former.wanted != wanted:
                self._end(former, reader)
            channel = self.channels.get(wanted)
            if channel is None:
                channel = self._open(wanted)
            channel.readers[reader] = None
            reader.channels[key] = channel
            reader.behind[channel] = False
            if not channel.seq and channel.market.is_ready:
                self._show(channel, now_ms)

    def unsubscribe(self, reader: Reader, request: Unsubscribe, now_ms: int) -> None:
        """Show views no more."""
        for symbol in request.symbols:
            channel = reader.channels.pop((request.channel, symbol), None)
            if channel is not None:
                self._end(channel, reader)
        self._put(reader, protocol.unsubscribed(request), now_ms)

    def answer(self, reader: Reader, text: str, now_ms: int) -> None:
        """Tell one client something."""
        self._put(reader, text, now_ms)

    def refuse(self, reader: Reader, fault: Fault, now_ms: int) -> None:
        """Tell one client what was wrong."""
        self._put(reader, protocol.error(fault), now_ms)

    def next_text(self, reader: Reader, now_ms: int) -> str | None:
        """What a client is to be sent next, which it can take now; None when there is nothing."""
        reader.idle_since_ms = now_ms
        if reader.waiting:
            text = reader.waiting.popleft()
            reader.waiting_characters -= len(text)
        elif reader.is_status_due:
            reader.is_status_due = False
            text = protocol.status_changed(self.status, now_ms)
        else:
            channel = next((one for one in reader.behind if one.seq), None)
            if channel is None:
                return None
            text = channel.snapshot(reader.behind.pop(channel))
        self.sent += 1
        return text

    # --- inside -------------------------------------------------------------------------

    def _open(self, wanted: Wanted) -> Channel:
        market = self.markets[wanted.symbol]
        channel = Channel(wanted, market, MAKERS[wanted.channel](market, wanted))
        self.channels[wanted] = channel
        self._by_symbol[wanted.symbol][channel] = None
        if not market.is_ready:
            self._dirty[channel] = None
        return channel

    def _end(self, channel: Channel, reader: Reader) -> None:
        channel.readers.pop(reader, None)
        reader.behind.pop(channel, None)
        if not channel.readers:
            del self.channels[channel.wanted]
            del self._by_symbol[channel.wanted.symbol][channel]
            self._dirty.pop(channel, None)

    def _put(self, reader: Reader, text: str, now_ms: int) -> None:
        self._wake(reader, now_ms)
        reader.waiting.append(text)
        reader.waiting_characters += len(text)

    def _wake(self, reader: Reader, now_ms: int) -> None:
        if not reader.has_waiting:
            reader.idle_since_ms = now_ms
        reader.wake()
