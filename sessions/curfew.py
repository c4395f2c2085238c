"""Keeps to the timetable: tells everybody what is coming, and logs them out when it is there."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, Protocol

import structlog

from fix_engine import tags
from fix_engine.states import State
from fix_engine.timestamps import SECOND_NS, TimestampFormatter
from sessions.maintenance import MaintenancePlan
from sessions.registry import Registry
from sessions.timetable import Announcement, Closure, Timetable, farewell
from sessions.turn import Turn

log = structlog.get_logger(__name__)

_LOOK_EVERY_NS: Final = SECOND_NS  # at the plan of maintenance


class Timer(Protocol):
    """What `call_later` returns."""

    def cancel(self) -> None:
        """Do not call."""


class Curfew:
    """See the module."""

    def __init__(
        self,
        timetable: Timetable,
        plan: MaintenancePlan | None,
        registry: Registry,
        turn: Turn,
        call_later: Callable[[float, Callable[[], None]], Timer],
    ) -> None:
        self._timetable = timetable
        self._plan = plan
        self._registry = registry
        self._turn = turn
        self._call_later = call_later
        self._timer: Timer | None = None
        self._closed: Closure | None = None

    def look(self) -> None:
        """Do what is due, and come back when more is."""
        now = self._turn.open()
        try:
            if self._plan is not None:
                self._timetable.planned = self._plan.current()
            self._keep(now)
        except Exception as error:
            self._turn.fail(error)
            return
        wait_ns = min(self._timetable.next_event(now) - now, _LOOK_EVERY_NS)
        self._timer = self._call_later(max(wait_ns, 1) / SECOND_NS, self.look)

    def stop(self) -> None:
        """Look no more."""
        if self._timer is not None:
            self._timer.cancel()

    def _keep(self, now: int) -> None:
        announcement = self._timetable.announcement(now)
        if announcement is not None:
            self._announce(announcement, now)
        closed = self._timetable.closed(now)
        if closed is not None:
            self._log_out_everybody(farewell(closed), now)
        if (closed is None) != (self._closed is None):
            event = "closed" if closed is not None else "open again"
            log.info(event, reason=closed.reason if closed else None)
        self._closed = closed

    def _announce(self, announcement: Announcement, now: int) -> None:
        log.info("announced", headline=announcement.headline, text=announcement.text)
        body = b"42=%b\x0161=1\x01148=%b\x0133=1\x0158=%b\x01" % (
            TimestampFormatter().format(now),
            announcement.headline.encode("ascii"),
            announcement.text.encode("ascii"),
        )
        for endpoint in self._registry:
            if endpoint.session.state is State.ACTIVE:
                endpoint.send(tags.NEWS, body)

    def _log_out_everybody(self, text: str, now: int) -> None:
        for endpoint in self._registry:
            if endpoint.session.state is State.ACTIVE:
                endpoint.session.logout(text.encode("ascii"), now)
                endpoint.settle()
