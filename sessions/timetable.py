"""Opening hours and maintenance together: is the venue open, until when, and when is it back?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from fix_engine.timestamps import SECOND_NS, Precision, TimestampFormatter
from sessions.hours import FOREVER_NS, Hours

_END_OF_HOURS = "the end of the session"


@dataclass(frozen=True, slots=True)
class Closure:
    """A time in which nobody can be logged on: `starts` to before `ends`, nanoseconds, UTC."""

    starts: int
    ends: int
    reason: str


@dataclass(frozen=True, slots=True)
class Announcement:
    """What to tell everybody who is logged on."""

    headline: str
    text: str


class Timetable:
    """See the module; `planned` is the maintenance that is planned or under way, if any."""

    def __init__(
        self, hours: Hours | None, resets: bool = False, announce_s: Sequence[int] = ()
    ) -> None:
        """`resets`: sequences begin anew with each opening of `hours` (None: always open)."""
        self.planned: Closure | None = None
        self._hours = hours
        self._resets = resets and hours is not None
        self._announce_ns = sorted(seconds * SECOND_NS for seconds in announce_s)
        self._announced: dict[Closure, int] = {}  # and how long before their start, last

    def closure(self, now: int) -> Closure | None:
        """The closure that is on, or else the next one; None when none is in sight."""
        found = self._closures(now)
        on = [one for one in found if one.starts <= now]
        if on:
            return self._real(max(on, key=lambda one: one.ends))
        return self._real(min(found, key=lambda one: one.starts)) if found else None

    def closed(self, now: int) -> Closure | None:
        """The closure that is on."""
        found = self.closure(now)
        return found if found is not None and found.starts <= now else None

    def announced_from(self, closure: Closure) -> int:
        """When the first announcement of a closure is due; its start if none ever is."""
        return closure.starts - max(self._announce_ns, default=0)

    def is_stale(self, begun_at: int, now: int) -> bool:
        """Whether sequences that began at `begun_at` belong to an earlier period."""
        if not self._resets or self._hours is None:
            return False
        period = self._hours.period(now)
        return period is not None and begun_at < period[0]

    def announcement(self, now: int) -> Announcement | None:
        """What has to be announced by now, once; a countdown, or that it is called off."""
        found = [self._real(one) for one in self._closures(now)]
        for told in [one for one in self._announced if one not in found]:
            del self._announced[told]
            if now < told.starts and all(one.starts != told.starts for one in found):
                text = f"The closure at {utc(told.starts)} UTC is called off: {told.reason}"
                return Announcement("Closure called off", text)
        coming = self.closure(now)
        if coming is None or coming.starts <= now:
            return None
        due = [before for before in self._announce_ns if coming.starts - before <= now]
        if not due or due[0] >= self._announced.get(coming, FOREVER_NS):
            return None
        self._announced[coming] = due[0]
        left_s = -(-(coming.starts - now) // SECOND_NS)
        numbers = "begin anew" if self.is_stale(now, coming.ends) else "stay"
        return Announcement(
            f"Closing in {left_s} s",
            f"Seamark closes at {utc(coming.starts)} UTC for {coming.reason} and is back at "
            f"{utc(coming.ends)} UTC; sequence numbers {numbers}",
        )

    def next_event(self, now: int) -> int:
        """When something may have to be done next."""
        coming = self.closure(now)
        if coming is None or coming.starts <= now:
            return FOREVER_NS
        times = [coming.starts - before for before in self._announce_ns]
        return min([at for at in times if at > now], default=coming.starts)

    def _closures(self, now: int) -> list[Closure]:
        """The maintenance and the end of hours that are on or come next, each for itself."""
        planned = self.planned if self.planned is not None and now < self.planned.ends else None
        return [one for one in (planned, self._off_hours(now)) if one is not None]

    def _real(self, closure: Closure) -> Closure:
        """A closure with the end that it has together with all others."""
        return Closure(closure.starts, self._return(closure.ends), closure.reason)

    def _off_hours(self, now: int) -> Closure | None:
        if self._hours is None:
            return None
        period = self._hours.period(now)
        starts = period[1] if period is not None else self._hours.last_closing(now)
        return Closure(starts, self._hours.next_opening(max(starts, now)), _END_OF_HOURS)

    def _return(self, at: int) -> int:
        """The first moment from `at` on that is within the hours and in no maintenance."""
        for _ in range(2):
            if self._hours is not None and self._hours.period(at) is None:
                at = self._hours.next_opening(at)
            if self.planned is not None and self.planned.starts <= at < self.planned.ends:
                at = self.planned.ends
        return at


def farewell(closure: Closure) -> str:
    """The Text of a Logout in a closure."""
    return f"Closed for {closure.reason} until {utc(closure.ends)} UTC"


def utc(at: int) -> str:
    """A time as FIX writes it, to the second."""
    return TimestampFormatter(Precision.MILLISECONDS).format(at)[:17].decode()
