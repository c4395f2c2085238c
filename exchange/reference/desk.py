"""The desk that answers questions about instruments, markets and hours."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from exchange.desk import Question
from exchange.events import MarketChanged, VenueEvent
from exchange.reference.definitions import Definitions
from exchange.reference.hours import TradingHours
from exchange.reference.ids import ResponseIds
from exchange.reference.markets import Markets
from exchange.reference.securities import Securities
from exchange.reference.subscriptions import Subscriptions
from exchange.sequencer import Sequencer
from fix_engine import tags
from fix_engine.timestamps import SECOND_NS
from sessions.application import Peer
from sessions.timetable import Timetable

_LOOK_EVERY_NS: Final = SECOND_NS  # at the timetable


class ReferenceDesk:
    """Desk and Watcher of a venue, which it follows while there are subscriptions.

    `now` is the time stamp of the present turn.
    """

    def __init__(self, sequencer: Sequencer, now: Callable[[], int], timetable: Timetable) -> None:
        self._sequencer, executor = sequencer, sequencer.executor
        self.subscriptions = Subscriptions(self._is_asked)
        self._look_at = 0
        ids = ResponseIds(now)
        self._securities = Securities(executor, ids, self.subscriptions)
        self._definitions = Definitions(executor, ids)
        self._markets = Markets(executor, now, self.subscriptions)
        self._hours = TradingHours(timetable, now, self.subscriptions)

    @property
    def questions(self) -> Mapping[bytes, Question]:
        """Who answers, by MsgType."""
        return {
            tags.SECURITY_LIST_REQUEST: self._securities.answer,
            tags.SECURITY_DEFINITION_REQUEST: self._definitions.answer,
            tags.SECURITY_STATUS_REQUEST: self._markets.answer,
            tags.TRADING_SESSION_STATUS_REQUEST: self._hours.answer,
        }

    def _is_asked(self, is_any: bool) -> None:
        if is_any:
            self._sequencer.follow(self)
        else:
            self._sequencer.leave(self)

    def on_logout(self, peer: Peer) -> None:
        """Its subscriptions end."""
        self.subscriptions.end_all(peer)

    def on_executed(self, position: int, now: int, events: list[VenueEvent]) -> None:
        """Tell subscribers of lists what the market takes now, behind the venue's own report."""
        for event in events:
            if isinstance(event, MarketChanged):
                self._securities.tell(event.session, event.symbol)

    def on_time(self, now: int) -> None:
        """Look whether the hours are others than before, if anybody wants to know."""
        if self.subscriptions and now >= self._look_at:
            self._look_at = now + _LOOK_EVERY_NS
            self._hours.tell(now)
