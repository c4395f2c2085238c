"""When a venue is open: always, or in periods that begin and end at times of day in a time zone."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from typing import Final

from fix_engine.timestamps import SECOND_NS

FOREVER_NS: Final = 1 << 62
_DAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_MAX_KEPT: Final = 8  # days; a question looks at two or three
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
        # Somebody asks every second, and the answer needs every day of some weeks in the zone.
        self._around: dict[date, list[tuple[int, int]]] = {}

    def period(self, now: int) -> tuple[int, int] | None:
        """Beginning and end of the open period that `now` is in, or None."""
        found = [period for period in self._periods(now) if period[0] <= now < period[1]]
        return found[-1] if found else None

    def next_opening(self, now: int) -> int:
        """When the first period after `now` begins."""
        return next(opens for opens, _ in self._periods(now) if opens > now)

    def last_closing(self, now: int) -> int:
        """When the last period that is over ended."""
        return max(closes for _, closes in self._periods(now) if closes <= now)

    def _periods(self, now: int) -> list[tuple[int, int]]:
        """The periods of some weeks around `now`, in order."""
        today = datetime.fromtimestamp(now // SECOND_NS, self._zone).date()
        if today not in self._around:
            if len(self._around) == _MAX_KEPT:
                self._around.clear()
            self._around[today] = list(self._periods_around(today))
        return self._around[today]

    def _periods_around(self, today: date) -> Iterator[tuple[int, int]]:
        """Times are paired as they stand on the wall, and only then looked up in the zone.

        A time that clocks pass over is as long after midnight as it says, and a period that this
        leaves empty is none.
        """
        for days in range(-15, 16):
            day = today + timedelta(days=days)
            if day.weekday() in self._opens.weekdays:
                opens = datetime.combine(day, self._opens.at)
                closes = self._closing_after(opens)
                period = (self._utc(opens), self._utc(closes))
                if period[0] < period[1]:
                    yield period

    def _closing_after(self, opens: datetime) -> datetime:
        for days in range(9):
            closes = datetime.combine(opens.date() + timedelta(days=days), self._closes.at)
            if closes > opens and closes.weekday() in self._closes.weekdays:
                return closes
        raise AssertionError("every moment comes once a week")

    def _utc(self, wall: datetime) -> int:
        return int(wall.replace(tzinfo=self._zone).astimezone(UTC).timestamp()) * SECOND_NS
