"""Whoever answers what is no input of the venue: questions, and subscriptions to what it does.

What a desk is asked changes nothing in the venue, so it is not journaled; what it says through
`Peer.send` is. A desk that shows what happens follows the venue: it is told of each input, once
that has been executed and the reports of it have been sent.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Protocol

from exchange.events import VenueEvent
from fix_engine.message import Message
from sessions.application import Peer

Question = Callable[[Peer, Message], None]


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
