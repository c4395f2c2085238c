"""Who is told more than once, for as long as the session is logged on."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

from exchange.desk import SUBSCRIBE, UNSUBSCRIBE
from sessions.application import Peer

MAX_SUBSCRIPTIONS: Final = 64  # of a session, of all kinds together


@dataclass(slots=True)
class Subscription:
    """One request that goes on: of this MsgType, with this ID.

    `route` brings what is told to where in the client it belongs. `symbol` is what it is about,
    b"" for everything; `told` is what was told last.
    """

    peer: Peer
    msg_type: bytes
    request_id: bytes
    route: bytes
    symbol: bytes = b""
    told: bytes = b""


class Subscriptions:
    """All of them, by session and then in the order in which they were asked for."""

    def __init__(self, on_any: Callable[[bool], None]) -> None:
        """`on_any`: there is one, after there was none; or none, after there was one."""
        self._on_any = on_any
        self._sessions: dict[int, dict[tuple[bytes, bytes], Subscription]] = {}

    def objection(self, peer: Peer, msg_type: bytes, request_id: bytes, kind: bytes) -> bytes:
        """Why a request of this SubscriptionRequestType (263) cannot be carried out; else b""."""
        own = self._sessions.get(peer.number, {})
        is_known = (msg_type, request_id) in own
        if kind == UNSUBSCRIBE:
            text = b"%b is the ID of no subscription that is there to be ended by 263=2"
            return b"" if is_known else text % request_id[:64]
        if is_known:
            text = b"%b is the ID of a subscription: end that by 263=2, or use another ID"
            return text % request_id[:64]
        if kind == SUBSCRIBE and len(own) >= MAX_SUBSCRIPTIONS:
            text = b"a session has %d subscriptions at most: end one by 263=2, or log on again"
            return text % MAX_SUBSCRIPTIONS
        return b""

    def begin(self, subscription: Subscription) -> None:
        """From now on; there must be no objection to it."""
        if not self._sessions:
            self._on_any(True)
        own = self._sessions.setdefault(subscription.peer.number, {})
        own[subscription.msg_type, subscription.request_id] = subscription

    def end(self, peer: Peer, msg_type: bytes, request_id: bytes) -> Subscription:
        """No more; there must be such a one."""
        own = self._sessions[peer.number]
        ended = own.pop((msg_type, request_id))
        if not own:
            self.end_all(peer)
        return ended

    def end_all(self, peer: Peer) -> None:
        """The session is gone."""
        if self._sessions.pop(peer.number, None) is not None and not self._sessions:
            self._on_any(False)

    def of(self, number: int, msg_type: bytes) -> list[Subscription]:
        """Those that a session has asked for by such a message."""
        own = self._sessions.get(number, {})
        return [one for one in own.values() if one.msg_type == msg_type]

    def every(self, msg_type: bytes) -> Iterator[Subscription]:
        """Those that anybody has asked for by such a message."""
        for number in list(self._sessions):
            yield from self.of(number, msg_type)

    def __bool__(self) -> bool:
        """Whether there is any."""
        return bool(self._sessions)
