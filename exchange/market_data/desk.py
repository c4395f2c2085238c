"""Answers MarketDataRequest (V)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from exchange.desk import SNAPSHOT, UNSUBSCRIBE, Question
from exchange.market_data.feed import View
from exchange.market_data.publisher import CallLater, Publisher, Subscription
from exchange.market_data.request import (
    DUPLICATE,
    INSUFFICIENT_BANDWIDTH,
    MarketDataRequest,
    Refusal,
    parse_request,
)
from exchange.sequencer import Sequencer
from fix_engine import tags
from fix_engine.message import Message
from fix_engine.outbound import return_route
from sessions.application import Peer
from sessions.turn import Turn

_MOST_SUBSCRIPTIONS: Final = 1_000  # of a session, an instrument each
_MOST_SHOWN: Final = 16  # large snapshots of a session on their way
_MOST_VIEWS: Final = 16  # of a session of one instrument, that others may have theirs


@dataclass(slots=True)
class _Wanted:
    """What goes by one MDReqID (262) of a session."""

    views: list[View]
    subscriptions: list[Subscription]


class MarketDataDesk:
    """Keeps who has subscribed to what; a subscription lasts as long as its connection."""

    def __init__(self, sequencer: Sequencer, turn: Turn, call_later: CallLater) -> None:
        self._sequencer = sequencer
        self._publisher = Publisher(sequencer.executor, turn, call_later)
        self._publisher.when_quiet = self._settle_following
        self._is_following = False
        self._wanted: dict[int, dict[bytes, _Wanted]] = {}
        self._shown: dict[int, list[Subscription]] = {}  # once, as far as it takes some turns

    @property
    def questions(self) -> Mapping[bytes, Question]:
        """Who answers, by MsgType."""
        return {tags.MARKET_DATA_REQUEST: self._ask}

    def on_logout(self, peer: Peer) -> None:
        """A session is gone, and with it what it has subscribed to."""
        for wanted in self._wanted.pop(peer.number, {}).values():
            self._end(wanted)
        for one in self._shown.pop(peer.number, ()):
            self._publisher.end(one)

    def _ask(self, peer: Peer, message: Message) -> None:
        request = parse_request(message, self._sequencer.venue.state.listing.tradable)
        if not isinstance(request, Refusal):
            refusal = self._obey(peer, request, return_route(message))
            if refusal is None:
                return
            request = refusal
        reason = b"281=%b\x01" % request.reason if request.reason else b""
        body = b"58=%b\x01262=%b\x01%b" % (
            request.text,
            message.get(tags.MD_REQ_ID) or b"",
            reason,
        )
        peer.send(tags.MARKET_DATA_REQUEST_REJECT, body, return_route(message))

    def _obey(self, peer: Peer, request: MarketDataRequest, route: bytes) -> Refusal | None:
        """`route`: header fields that bring answers back to where in the client they belong."""
        by_id = self._wanted.setdefault(peer.number, {})
        own = b"%b262=%b\x01" % (route, request.request_id)
        wanted = by_id.get(request.request_id)
        if request.kind == SNAPSHOT:
            if wanted is not None:
                return _in_use(request)
            return self._show(peer, request, own)
        if wanted is None:
            if request.kind == UNSUBSCRIBE or request.begin:
                text = b"There is no subscription by MDReqID (262) %b" % request.request_id
                return Refusal(b"", text)
            return self._subscribe(peer, request, own, by_id)
        if request.kind == UNSUBSCRIBE:
            self._end(by_id.pop(request.request_id))
        elif request.begin:
            for one in wanted.subscriptions:
                self._publisher.repeat(one, request.begin, request.end)
        elif set(request.views) == set(wanted.views):
            for one in wanted.subscriptions:
                self._publisher.refresh(one)
        else:
            return _in_use(request)
        return None

    def _show(self, peer: Peer, request: MarketDataRequest, own: bytes) -> Refusal | None:
        """Tell it once; what takes some turns is kept, so that it ends with the connection."""
        shown = [one for one in self._shown.get(peer.number, ()) if one.owed]
        if len(shown) >= _MOST_SHOWN:
            text = b"%d large snapshots are on their way: wait for one of them"
            return Refusal(INSUFFICIENT_BANDWIDTH, text % len(shown))
        for view in request.views:
            one = self._publisher.show(peer, own, view)
            if one.owed:
                shown.append(one)
        self._shown[peer.number] = shown
        self._settle_following()
        return None

    def _subscribe(
        self, peer: Peer, request: MarketDataRequest, own: bytes, by_id: dict[bytes, _Wanted]
    ) -> Refusal | None:
        count = sum(len(one.views) for one in by_id.values()) + len(request.views)
        if count > _MOST_SUBSCRIPTIONS:
            text = b"%d subscriptions are more than %d: unsubscribe from something"
            return Refusal(INSUFFICIENT_BANDWIDTH, text % (count, _MOST_SUBSCRIPTIONS))
        publisher = self._publisher
        own_views = {view for one in by_id.values() for view in one.views} | set(request.views)
        views = Counter(view.instrument_id for view in own_views)
        if max(views.values()) > _MOST_VIEWS:
            text = b"More than %d different views of one instrument: unsubscribe from something"
            return Refusal(INSUFFICIENT_BANDWIDTH, text % _MOST_VIEWS)
        if not all(publisher.has_room_for(view) for view in request.views):
            text = b"Too many different views of one instrument: choose a usual depth and interval"
            return Refusal(INSUFFICIENT_BANDWIDTH, text)
        subscriptions = [publisher.subscribe(peer, own, view) for view in request.views]
        by_id[request.request_id] = _Wanted(request.views, subscriptions)
        self._settle_following()
        return None

    def _end(self, wanted: _Wanted) -> None:
        for one in wanted.subscriptions:
            self._publisher.end(one)
        self._settle_following()

    def _settle_following(self) -> None:
        """Follow the venue no longer than somebody has to know."""
        wanted = bool(self._publisher)
        if wanted is not self._is_following:
            self._is_following = wanted
            (self._sequencer.follow if wanted else self._sequencer.leave)(self._publisher)


def _in_use(request: MarketDataRequest) -> Refusal:
    text = b"MDReqID (262) %b is in use for something else: unsubscribe, or use another"
    return Refusal(DUPLICATE, text % request.request_id)
