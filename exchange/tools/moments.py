"""Moments of a journal as people give them: a time of day, a date and time, or a position."""

from __future__ import annotations

import re
from calendar import timegm
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from fix_engine.timestamps import SECOND_NS

_DAY_NS: Final = 86_400 * SECOND_NS
_MOMENT: Final = re.compile(
    r"(?:(\d{4})-?(\d\d)-?(\d\d)(?:[-T ](?=\d)|$))?"
    r"(?:(\d\d?):(\d\d)(?::(\d\d)(?:[.,](\d{1,9}))?)?)?(?:Z|\+00:?00)?"
)


class MomentError(Exception):
    """A moment cannot be understood; says why in one line."""


@dataclass(frozen=True, slots=True)
class Moment:
    """A position, or the times from `first_ns` to `last_ns`: a minute is all of its 60 seconds."""

    position: int | None = None
    first_ns: int = 0
    last_ns: int = 0

    def ends_before(self, position: int, stamp: int) -> bool:
        """Whether it is over before the input at `position`, executed at `stamp`."""
        return self.position < position if self.position is not None else self.last_ns < stamp


def parse_moment(text: str, last_day: Callable[[], int]) -> Moment:
    """What `text` means; a time without a date is of the day of the time `last_day()`, UTC.

    Raises MomentError.
    """
    if text.isascii() and text.isdigit() and len(text) <= 18:
        return Moment(int(text))
    found = _MOMENT.fullmatch(text.strip())
    if found is None or not text.strip():
        raise MomentError(
            f"{text!r} is no time and no position: try 16:31, 16:31:58.123, 2026-11-22T16:31 or 42"
        )
    year, month, day, hour, minute, second, fraction = found.groups()
    if year is None:
        start = last_day() // _DAY_NS * _DAY_NS
    else:
        start = _date(text, int(year), int(month), int(day))
    if hour is None:
        return Moment(None, start, start + _DAY_NS - 1)
    if int(hour) > 23 or int(minute) > 59 or int(second or 0) > 59:
        raise MomentError(f"{text!r}: there is no such time of day")
    start += (int(hour) * 3600 + int(minute) * 60 + int(second or 0)) * SECOND_NS
    start += int((fraction or "").ljust(9, "0"))
    unit = SECOND_NS if second else 60 * SECOND_NS
    if fraction:
        unit = int(10 ** (9 - len(fraction)))
    return Moment(None, start, start + unit - 1)


def _date(text: str, year: int, month: int, day: int) -> int:
    leap = year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)
    days = (31, 29 if leap else 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
    if year < 1970 or not 1 <= month <= 12 or not 1 <= day <= days[month - 1]:
        raise MomentError(f"{text!r}: there is no such day")
    return timegm((year, month, day, 0, 0, 0)) * SECOND_NS


@dataclass(frozen=True, slots=True)
class Window:
    """From one moment to another, both included; None is open."""

    begin: Moment | None = None
    end: Moment | None = None

    def has(self, stamp: int, position: int) -> bool:
        """Whether what happened then is inside."""
        begin = self.begin
        if begin is not None:
            if begin.position is not None and position < begin.position:
                return False
            if begin.position is None and stamp < begin.first_ns:
                return False
        return not self.is_over(stamp, position)

    def is_over(self, stamp: int, position: int) -> bool:
        """Whether nothing from here on can be inside."""
        end = self.end
        if end is None:
            return False
        return position > end.position if end.position is not None else stamp > end.last_ns
