"""Whoever answers what is no input of the venue: questions, and subscriptions to what it does.

What a desk is asked changes nothing in the venue, so it is not journaled; what it says through
`Peer.send` is. A desk that shows what happens follows the venue: it is told of each input, once
that has been executed and the reports of it have been sent.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final, Protocol

from exchange.events import VenueEvent
from fix_engine import tags
from fix_engine.message import Message
from sessions.application import Peer

Question = Callable[[Peer, Message], None]

SNAPSHOT: Final = b"0"  # SubscriptionRequestType (263)
SUBSCRIBE: Final = b"1"
UNSUBSCRIBE: Final = b"2"

_OF_DESKS: Final = (
    *(tags.SECURITY_LIST, tags.SECURITY_DEFINITION, tags.TRADING_SESSION_STATUS),
    tags.MARKET_DATA_REQUEST_REJECT,
    *(tags.TRADE_CAPTURE_REPORT, tags.TRADE_CAPTURE_REPORT_REQUEST_ACK),
)


class Desk(Protocol):
    """Called from inside a turn, as applications are."""

    @property
    def questions(self) -> Mapping[bytes, Question]:
        """Who answers, by MsgType."""

    def on_logout(self, peer: Peer) -> None:
        """A session is gone, and with it what it has subscribed to."""


class Follower(Protocol):
    """Somebody who is told what the venue does, from `Sequencer.follow` on."""

    def on_executed(self, position: int, now: int, events: list[VenueEvent]) -> None:
        """The input at `position` was executed at `now`, and this is what came of it."""


class Watcher(Protocol):
    """Somebody who is told that time passes, from `Sequencer.watch` on."""

    def on_time(self, now: int) -> None:
        """Several times a second, between two turns."""


def is_from_desk(message: Message) -> bool:
    """Whether a desk has sent this, so that it follows from no input.

    What the market takes is told by the venue, to everybody; to a question it has the ID of that.
    A report that is asked for once more says so.
    """
    if message.msg_type == tags.EXECUTION_REPORT:
        return message.flag(tags.POSS_RESEND)
    if message.msg_type == tags.SECURITY_STATUS:
        return tags.SECURITY_STATUS_REQ_ID in message.shape.index
    return message.msg_type in _OF_DESKS
