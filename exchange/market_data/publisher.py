"""Who gets which message when.

What has happened in a turn is told in turns of their own behind it, to a few subscribers each, so
the reports of orders go first and other sessions have their turn in between. While a message is on
its way, what comes after it waits, and is the next one: the more there is to do, the more entries
are in a message. A subscriber that does not read is passed over; once it reads again, it gets
everything as it is then.

A large book is looked at, encoded and told in many turns, a little of one picture in each; what has
happened meanwhile is owed to the subscriber, and told behind it.
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
from exchange.market_data.picture import Picture
from fix_engine import tags
from fix_engine.timestamps import TimestampFormatter
from sessions.application import Peer
from sessions.turn import Turn

_AT_ONCE: Final = 32  # messages in a turn
_WORK_AT_ONCE: Final = 400  # entries of a large picture in a turn: about a millisecond
_MOST_OWED: Final = 4_096  # deliveries behind a picture; with more, another picture is told
_MOST_FEEDS: Final = 100  # of one instrument: each costs something at every change
_LOOKED_AT_ONCE: Final = 8  # of them; were there more, an order would wait for all to look

CallLater = Callable[[float, Callable[[], None]], object]


@dataclass(slots=True)
class Owed:
    """What somebody has still to be told, and how many messages of it have been.

    `picture` is None until the feed has looked at all there is.
    """

    msg_type: bytes
    picture: Picture | None
    told: int = 0


@dataclass(slots=True, eq=False)
class Subscription:
    """Somebody reads a feed; `own` is MDReqID (262).

    `rpt_seq` is the last entry that it was told, or will be by what it is owed.
    """

    peer: Peer
    own: bytes
    channel: Channel
    rpt_seq: int = 0
    owed: deque[Owed] = field(default_factory=deque)
    is_behind: bool = False
    is_late: bool = False  # it has its turn by itself, once it reads
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
    is_due: bool = False  # its interval is over, perhaps while something was on its way
    is_once: bool = False  # for one look, and no updates


class Publisher:
    """See the module; follows the venue while there are subscriptions."""

    def __init__(self, executor: Executor, turn: Turn, call_later: CallLater) -> None:
        self._executor = executor
        self._turn = turn
        self._call_later = call_later
        self._channels: dict[View, Channel] = {}
        self._by_instrument: dict[int, list[Channel]] = {}
        self._ready: dict[Channel, None] = {}
        self._late: deque[Subscription] = deque()  # told by themselves: they read again, or wait
        self._looking: dict[Channel, None] = {}  # at a book which takes more than a turn
        self._work_left = 0  # entries, in this turn
        self._is_going = False
        # Called when it need not follow any more.
        self.when_quiet: Callable[[], None] = _nothing

    def __bool__(self) -> bool:
        """Whether anybody reads anything."""
        return bool(self._by_instrument)

    # --- subscriptions ------------------------------------------------------------------

    def has_room_for(self, view: View) -> bool:
        """Whether one may subscribe to that."""
        others = self._by_instrument.get(view.instrument_id, ())
        return view in self._channels or len(others) < _MOST_FEEDS

    def subscribe(self, peer: Peer, own: bytes, view: View) -> Subscription:
        """Tell everything there is now, then every change."""
        channel = self._channels.get(view)
        if channel is None:
            channel = self._channels[view] = Channel(self._feed(view))
            self._add(channel)
        subscription = Subscription(peer, own, channel)
        channel.subscriptions[subscription] = None
        channel.feed.has_readers(len(channel.subscriptions))
        self.refresh(subscription)
        return subscription

    def _add(self, channel: Channel) -> None:
        """Have it be told what happens."""
        if not self:
            self._executor.venue.state.tape = []
        self._by_instrument.setdefault(channel.feed.view.instrument_id, []).append(channel)

    def _remove(self, channel: Channel) -> None:
        instrument_id = channel.feed.view.instrument_id
        others = self._by_instrument[instrument_id]
        others.remove(channel)
        if not others:
            del self._by_instrument[instrument_id]
        if not self:
            self._executor.venue.state.tape = None

    def refresh(self, subscription: Subscription, is_conflated: bool = False) -> int:
        """Tell everything once more, as it is now; in how many messages, of this turn."""
        channel, owed = subscription.channel, subscription.owed
        feed = channel.feed
        while len(owed) > 1 or (owed and not owed[0].told):
            owed.pop()  # what has not begun is part of what is told now
        if channel in self._looking or not feed.look(_WORK_AT_ONCE):
            owed.append(Owed(tags.MARKET_DATA_SNAPSHOT, None))
            self._looking[channel] = None
            self._go()
            return 0
        if feed.update() and (delivery := feed.cut()) is not None:
            channel.waiting.append(delivery)  # for the others
            self._queue(channel)
        subscription.rpt_seq = feed.rpt_seq
        return self._tell(subscription, tags.MARKET_DATA_SNAPSHOT, feed.picture(is_conflated))

    def repeat(self, subscription: Subscription, begin: int, end: int) -> None:
        """Tell entries again, or everything where they are not kept any more."""
        last = min(end or subscription.rpt_seq, subscription.rpt_seq)
        found = subscription.channel.feed.between(begin, last)
        if found is None:
            self.refresh(subscription)
        else:
            self._tell(subscription, tags.MARKET_DATA_INCREMENTAL, Picture.of(found))

    def end(self, subscription: Subscription) -> None:
        """Tell no more."""
        channel = subscription.channel
        subscription.is_over = True
        subscription.owed.clear()
        if channel.is_once:
            self._looked(channel)
            return
        del channel.subscriptions[subscription]
        if channel.subscriptions:
            channel.feed.has_readers(len(channel.subscriptions))
            return
        del self._channels[channel.feed.view]
        self._ready.pop(channel, None)
        self._looking.pop(channel, None)
        self._remove(channel)

    def show(self, peer: Peer, own: bytes, view: View) -> Subscription:
        """Tell everything there is now, and nothing later; it may take some turns."""
        channel = Channel(self._feed(view), is_once=True)
        subscription = Subscription(peer, own, channel)
        channel.subscriptions[subscription] = None
        self.refresh(subscription)
        if channel in self._looking:
            self._add(channel)
        return subscription

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
                elif feed.is_complete and (is_crowded or feed.update()):
                    self._queue(channel)

    def _wait(self, channel: Channel, interval_ms: int) -> None:
        if not channel.is_timed:
            channel.is_timed = True
            self._call_later(interval_ms / 1_000, partial(self._is_due, channel))

    def _is_due(self, channel: Channel) -> None:
        channel.is_timed, channel.is_due = False, True
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
        """A few messages and a little work, then others have their turn."""
        left = _AT_ONCE
        self._work_left = _WORK_AT_ONCE
        self._look()
        for _ in range(len(self._late)):
            if left <= (_AT_ONCE // 2 if self._ready else 0) or self._work_left <= 0:
                break
            left -= self._catch_up(self._late.popleft())
        while self._ready and left > 0:
            channel = next(iter(self._ready))
            if channel.delivery is None and not self._begin(channel):
                del self._ready[channel]
                continue
            left = self._deliver(channel, left)
        self._is_going = bool(self._ready or self._late or self._looking)
        if self._is_going:
            self._turn.after(self._go_on)

    def _look(self) -> None:
        """Go on with a book that is being looked at; behind the last of it, all wait for it."""
        for channel in self._looking:
            self._work_left //= 2
            if channel.feed.look(_WORK_AT_ONCE):
                self._looked(channel)
            else:
                del self._looking[channel]
                self._looking[channel] = None  # behind the others
            return

    def _looked(self, channel: Channel) -> None:
        """A feed is complete, or nobody wants it any more."""
        if channel not in self._looking:
            return
        del self._looking[channel]
        for one in channel.subscriptions:
            if one.owed and not one.is_over:
                one.rpt_seq = channel.feed.rpt_seq
                one.owed[-1].picture = channel.feed.picture()
                self._line_up(one)
        if channel.is_once:
            self._remove(channel)
            if not self:
                self.when_quiet()

    def _begin(self, channel: Channel) -> bool:
        """Take what is to be told next; whether there is anything."""
        if channel.waiting:
            channel.delivery = channel.waiting.popleft()
        else:
            channel.is_due = False
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
        picture = delivery.picture
        if not self._is_made(picture):
            del self._ready[channel]
            self._ready[channel] = None  # behind the others
            return left - 1
        for one in channel.targets:
            if one.is_over or one.is_behind or delivery.last <= one.rpt_seq:
                continue
            if one.owed:
                if channel.feed.view.is_full or len(one.owed) > _MOST_OWED:
                    one.is_behind = True  # and told everything behind what it is owed
                    continue
            elif not one.peer.is_ready:
                one.is_behind = True
                self._await(one)
                continue
            one.rpt_seq = delivery.last
            left -= self._tell(one, msg_type, picture)
            if left <= 0:
                return left
        channel.delivery = None
        del self._ready[channel]
        is_next = channel.waiting or channel.is_due
        if is_next or (not channel.feed.view.interval_ms and channel.feed.update()):
            self._ready[channel] = None  # behind the others
        return left

    def _is_made(self, picture: Picture) -> bool:
        """Work at it as far as this turn allows; whether it is done."""
        if not picture.is_done and self._work_left > 0:
            self._work_left -= picture.work(self._work_left)
        return picture.is_done

    def _line_up(self, subscription: Subscription) -> None:
        """Give a subscriber turns of its own."""
        if not subscription.is_late:
            subscription.is_late = True
            self._late.append(subscription)
            self._go()

    def _await(self, subscription: Subscription) -> None:
        """Go on with a subscriber that does not read once it does."""
        subscription.is_late = True
        subscription.peer.when_ready(partial(self._is_reading, subscription))

    def _is_reading(self, subscription: Subscription) -> None:
        if subscription.peer.is_ready:  # else it is about to go
            self._late.append(subscription)
            self._go()

    def _catch_up(self, subscription: Subscription) -> int:
        """Tell one that waits some of what it is owed, or everything; in how many messages."""
        if subscription.is_over:
            return 0
        if not subscription.peer.is_ready:
            self._await(subscription)
            return 0
        subscription.is_late = False
        if subscription.owed:
            return self._pay(subscription)
        if not subscription.is_behind:
            return 0
        subscription.is_behind = False
        return self.refresh(subscription, is_conflated=True)

    def _pay(self, to: Subscription) -> int:
        """Tell some of what somebody is owed; in how many messages."""
        owed = to.owed[0]
        if owed.picture is None:
            return 0  # goes on when all has been looked at
        messages = owed.picture.messages
        is_made = owed.told < len(messages) or self._is_made(owed.picture)
        some = messages[owed.told : owed.told + _AT_ONCE]
        for message in some:
            to.peer.stream(owed.msg_type, to.own, message)
        owed.told += len(some)
        if is_made and owed.picture.is_done and owed.told == len(messages):
            to.owed.popleft()
        if to.owed or to.is_behind:
            self._line_up(to)
        return len(some)

    def _tell(self, to: Subscription, msg_type: bytes, picture: Picture) -> int:
        """At once, unless it is much or something else comes before; in how many messages."""
        if not picture.messages:
            self._work_left -= picture.work(_WORK_AT_ONCE)
        if to.owed or not picture.is_done or len(picture.messages) > _AT_ONCE:
            to.owed.append(Owed(msg_type, picture))
            self._line_up(to)
            return 0
        for message in picture.messages:
            to.peer.stream(msg_type, to.own, message)
        return len(picture.messages)


def _nothing() -> None:
    """Nobody wants to know."""
