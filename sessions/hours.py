"""When a venue is open: always, or in periods that begin and end at times of day in a time zone."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from typing import Final

from fix_engine.timestamps import SECOND_NS

FOREVER_NS: Final = 1 << 62
_DAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_EVERY_DAY: Final = frozenset(range(7))
_MOMENT: Final = re.compile(
    r"(?:(?P<first>[a-z]{3})(?:-(?P<last>[a-z]{3}))? )?(?P<h>\d\d):(?P<m>\d\d)(?::(?P<s>\d\d))?",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Moment:
    """A time of day, on these days of the week (0 is Monday)."""

    weekdays: frozenset[int]
    at: time


def parse_moment(text: str) -> Moment:
    """`17:00`, `17:00:30`, `Sun 17:00` or `Mon-Fri 09:00`; raises ValueError."""
    found = _MOMENT.fullmatch(text.strip())
    if found is None:
        raise ValueError(f"{text!r} is no time such as 17:00, 'Sun 17:00' or 'Mon-Fri 09:00:30'")
    try:
        at = time(int(found["h"]), int(found["m"]), int(found["s"] or 0))
        first = _DAYS.index(found["first"].lower()) if found["first"] else None
        last = _DAYS.index(found["last"].lower()) if found["last"] else first
    except ValueError as error:
        raise ValueError(
            f"{text!r} has no such time or day: Mon to Sun, 00:00:00 to 23:59:59"
        ) from error
    if first is None or last is None:
        return Moment(_EVERY_DAY, at)
    return Moment(frozenset((first + step) % 7 for step in range((last - first) % 7 + 1)), at)


class Hours:
    """Periods from an opening to the next closing; all times are nanoseconds since 1970, UTC."""

    def __init__(self, opens: Moment, closes: Moment, zone: tzinfo) -> None:
        self._opens = opens
        self._closes = closes
        self._zone = zone

    def period(self, now: int) -> tuple[int, int] | None:
        """Beginning and end of the open period that `now` is in, or None."""
        opened = _last(self._opens, now, self._zone)
        closes = _next(self._closes, opened, self._zone)
        return (opened, closes) if now < closes else None

    def next_opening(self, now: int) -> int:
        """When the first period after `now` begins."""
        return _next(self._opens, now, self._zone)

    def last_closing(self, now: int) -> int:
        """When the last period that is over ended."""
        return _next(self._closes, _last(self._opens, now, self._zone), self._zone)


def _last(moment: Moment, now: int, zone: tzinfo) -> int:
    """The last such moment that is not after `now`."""
    today = datetime.fromtimestamp(now // SECOND_NS, zone).date()
    for days in range(1, -9, -1):
        found = _on(moment, today + timedelta(days=days), zone)
        if found is not None and found <= now:
            return found
    raise AssertionError("every moment comes once a week")


def _next(moment: Moment, now: int, zone: tzinfo) -> int:
    """The first such moment after `now`."""
    today = datetime.fromtimestamp(now // SECOND_NS, zone).date()
    for days in range(-1, 9):
        found = _on(moment, today + timedelta(days=days), zone)
        if found is not None and found > now:
            return found
    raise AssertionError("every moment comes once a week")


def _on(moment: Moment, day: date, zone: tzinfo) -> int | None:
    if day.weekday() not in moment.weekdays:
        return None
    local = datetime.combine(day, moment.at, zone)
    return int(local.astimezone(UTC).timestamp()) * SECOND_NS
