"""Who gets which message when.

What has happened in a turn is told in turns of their own behind it, to a few subscribers each, so
the reports of orders go first and other sessions have their turn in between. While a message is on
its way, what comes after it waits, and is the next one: the more there is to do, the more entries
are in a message. A subscriber that does not read is passed over; once it reads again, it gets
everything as it is then.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from typing import Final

from exchange.events import VenueEvent
from exchange.executor import Executor
from exchange.market_data.changes import changes_of
from exchange.market_data.feed import Delivery, Feed, View
from fix_engine import tags
from fix_engine.outbound import SharedFields
from fix_engine.timestamps import TimestampFormatter
from sessions.application import Peer
from sessions.turn import Turn

_AT_ONCE: Final = 32  # messages in a turn
_MOST_FEEDS: Final = 100  # of one instrument: each costs something at every change
_LOOKED_AT_ONCE: Final = 8  # of them; were there more, an order would wait for all to look

CallLater = Callable[[float, Callable[[], None]], object]


@dataclass(slots=True, eq=False)
class Subscription:
    """Somebody reads a feed; `own` is MDReqID (262), `rpt_seq` the last entry it was told."""

    peer: Peer
    own: bytes
    channel: Channel
    rpt_seq: int = 0
    is_behind: bool = False
    is_over: bool = False


@dataclass(slots=True, eq=False)
class Channel:
    """A feed and who reads it; what is on its way, and to whom it still has to go."""

    feed: Feed
    subscriptions: dict[Subscription, None] = field(default_factory=dict)
    delivery: Delivery | None = None
    targets: Iterator[Subscription] = field(default_factory=lambda: iter(()))
    waiting: deque[Delivery] = field(default_factory=deque)
    is_timed: bool = False


class Publisher:
    """See the module; follows the venue while there are subscriptions."""

    def __init__(self, executor: Executor, turn: Turn, call_later: CallLater) -> None:
        self._executor = executor
        self._turn = turn
        self._call_later = call_later
        self._channels: dict[View, Channel] = {}
        self._by_instrument: dict[int, list[Channel]] = {}
        self._ready: dict[Channel, None] = {}
        self._late: deque[Subscription] = deque()  # they read again
        self._is_going = False

    def __bool__(self) -> bool:
        """Whether anybody reads anything."""
        return bool(self._channels)

    # --- subscriptions ------------------------------------------------------------------

    def has_room_for(self, view: View) -> bool:
        """Whether one may subscribe to that."""
        others = self._by_instrument.get(view.instrument_id, ())
        return view in self._channels or len(others) < _MOST_FEEDS

    def subscribe(self, peer: Peer, own: bytes, view: View) -> Subscription:
        """Tell everything there is now, then every change."""
        channel = self._channels.get(view)
        if channel is None:
            if not self._channels:
                self._executor.venue.state.tape = []
            channel = self._channels[view] = Channel(self._feed(view))
            self._by_instrument.setdefault(view.instrument_id, []).append(channel)
        subscription = Subscription(peer, own, channel)
        channel.subscriptions[subscription] = None
        channel.feed.has_readers(len(channel.subscriptions))
        self.refresh(subscription)
        return subscription

    def refresh(self, subscription: Subscription, is_conflated: bool = False) -> int:
        """Tell everything once more, as it is now; in how many messages."""
        channel = subscription.channel
        feed = channel.feed
        if feed.update() and (delivery := feed.cut()) is not None:
            channel.waiting.append(delivery)  # for the others
            self._queue(channel)
        subscription.rpt_seq = feed.rpt_seq
        messages = feed.snapshot(is_conflated)
        self._tell(subscription, tags.MARKET_DATA_SNAPSHOT, messages)
        return len(messages)

    def repeat(self, subscription: Subscription, begin: int, end: int) -> None:
        """Tell entries again, or everything where they are not kept any more."""
        last = min(end or subscription.rpt_seq, subscription.rpt_seq)
        found = subscription.channel.feed.between(begin, last)
        if found is None:
            self.refresh(subscription)
        else:
            self._tell(subscription, tags.MARKET_DATA_INCREMENTAL, found)

    def end(self, subscription: Subscription) -> None:
        """Tell no more."""
        channel = subscription.channel
        view = channel.feed.view
        subscription.is_over = True
        del channel.subscriptions[subscription]
        if channel.subscriptions:
            channel.feed.has_readers(len(channel.subscriptions))
            return
        del self._channels[view]
        self._ready.pop(channel, None)
        others = self._by_instrument[view.instrument_id]
        others.remove(channel)
        if not others:
            del self._by_instrument[view.instrument_id]
        if not self._channels:
            self._executor.venue.state.tape = None

    def show(self, peer: Peer, own: bytes, view: View) -> None:
        """Tell everything there is now, and nothing later."""
        for message in self._feed(view).snapshot():
            peer.stream(tags.MARKET_DATA_SNAPSHOT, own, message)

    def _feed(self, view: View) -> Feed:
        state = self._executor.venue.state
        time = TimestampFormatter(self._executor.precision)
        return Feed(view, state.listing[view.instrument_id], state, self._turn.open, time)

    # --- what happens -------------------------------------------------------------------

    def on_executed(self, position: int, now: int, events: list[VenueEvent]) -> None:
        """An input was executed: have the feeds see what it has changed."""
        state = self._executor.venue.state
        tape = state.tape
        if not tape:
            return
        state.tape = []
        for number, changes in changes_of(tape, position, now, self._by_instrument).items():
            channels = self._by_instrument[number]
            is_crowded = len(channels) > _LOOKED_AT_ONCE
            for channel in channels:
                feed = channel.feed
                feed.follow(changes, position)
                if feed.view.interval_ms:
                    self._wait(channel, feed.view.interval_ms)
                elif feed.is_pressed:
                    feed.is_conflated = True
                elif is_crowded or feed.update():
                    self._queue(channel)

    def _wait(self, channel: Channel, interval_ms: int) -> None:
        if not channel.is_timed:
            channel.is_timed = True
            self._call_later(interval_ms / 1_000, partial(self._is_due, channel))

    def _is_due(self, channel: Channel) -> None:
        channel.is_timed = False
        if channel.subscriptions:
            self._queue(channel)

    # --- what is told -------------------------------------------------------------------

    def _queue(self, channel: Channel) -> None:
        self._ready[channel] = None
        self._go()

    def _go(self) -> None:
        if not self._is_going:
            self._is_going = True
            self._turn.after(self._go_on)

    def _go_on(self) -> None:
        """A few messages, then others have their turn."""
        left = _AT_ONCE
        while self._late and left > 0:
            left -= self._catch_up(self._late.popleft())
        while self._ready and left > 0:
            channel = next(iter(self._ready))
            if channel.delivery is None and not self._begin(channel):
                del self._ready[channel]
                continue
            left = self._deliver(channel, left)
        self._is_going = bool(self._ready or self._late)
        if self._is_going:
            self._turn.after(self._go_on)

    def _begin(self, channel: Channel) -> bool:
        """Take what is to be told next; whether there is anything."""
        if channel.waiting:
            channel.delivery = channel.waiting.popleft()
        else:
            channel.feed.update()
            channel.delivery = channel.feed.cut()
        channel.targets = iter(list(channel.subscriptions))
        return channel.delivery is not None

    def _deliver(self, channel: Channel, left: int) -> int:
        """Tell some subscribers; how many messages may still be sent in this turn."""
        delivery = channel.delivery
        assert delivery is not None
        msg_type = tags.MARKET_DATA_INCREMENTAL
        if channel.feed.view.is_full:
            msg_type = tags.MARKET_DATA_SNAPSHOT
        for one in channel.targets:
            if one.is_over or one.is_behind or delivery.last <= one.rpt_seq:
                continue
            if not one.peer.is_ready:
                one.is_behind = True
                self._await(one)
                continue
            one.rpt_seq = delivery.last
            self._tell(one, msg_type, delivery.messages)
            left -= len(delivery.messages)
            if left <= 0:
                return left
        channel.delivery = None
        del self._ready[channel]
        if channel.waiting or (not channel.feed.view.interval_ms and channel.feed.update()):
            self._ready[channel] = None  # behind the others
        return left

    def _await(self, subscription: Subscription) -> None:
        """Go on with a subscriber that does not read once it does."""
        subscription.peer.when_ready(partial(self._is_reading, subscription))

    def _is_reading(self, subscription: Subscription) -> None:
        if subscription.peer.is_ready:  # else it is about to go
            self._late.append(subscription)
            self._go()

    def _catch_up(self, subscription: Subscription) -> int:
        """Tell one that reads again everything; how many messages that took."""
        if subscription.is_over:
            return 0
        if not subscription.peer.is_ready:
            self._await(subscription)
            return 0
        subscription.is_behind = False
        return self.refresh(subscription, is_conflated=True)

    def _tell(self, to: Subscription, msg_type: bytes, messages: list[SharedFields]) -> None:
        for message in messages:
            to.peer.stream(msg_type, to.own, message)
