"""UTCTimestamp to and from integer nanoseconds since 1970, UTC.

FIX 4.4 Volume 1 defines YYYYMMDD-HH:MM:SS with optional milliseconds; micro- and nanoseconds
are what later versions of FIX and today's clients send. All are understood; one is written.
"""

from __future__ import annotations

import re
from calendar import timegm
from enum import IntEnum
from functools import cache
from time import gmtime, strftime
from typing import Final

SECOND_NS: Final = 1_000_000_000

_SHAPE = re.compile(
    rb"(\d{4})(0[1-9]|1[0-2])(0[1-9]|[12]\d|3[01])-([01]\d|2[0-3]):([0-5]\d):([0-5]\d|60)"
)
_FRACTION = re.compile(rb"\.(?:\d{3}|\d{6}|\d{9})")
_MONTH_DAYS = (0, 31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)


class Precision(IntEnum):
    """Digits of the fraction of a second that are written."""

    MILLISECONDS = 3
    MICROSECONDS = 6
    NANOSECONDS = 9


class TimestampFormatter:
    """Writes timestamps of one precision; remembers the last, since a batch shares one."""

    __slots__ = ("_digits", "_last_ns", "_last_text", "_second", "_second_text", "_unit")

    def __init__(self, precision: Precision = Precision.MILLISECONDS) -> None:
        self._digits = int(precision)
        self._unit = int(10 ** (9 - precision))
        self._second = -1
        self._second_text = b""
        self._last_ns = -1
        self._last_text = b""

    def format(self, now: int) -> bytes:
        """`now` (nanoseconds, UTC) as UTCTimestamp, cut, not rounded, to the precision."""
        if now == self._last_ns:
            return self._last_text
        second, rest = divmod(now, SECOND_NS)
        if second != self._second:
            self._second_text = strftime("%Y%m%d-%H:%M:%S", gmtime(second)).encode()
            self._second = second
        self._last_ns = now
        self._last_text = b"%b.%0*d" % (self._second_text, self._digits, rest // self._unit)
        return self._last_text


@cache
def shared_formatter(precision: Precision) -> TimestampFormatter:
    """The one that all sessions and reports write with: those of a turn share its moment."""
    return TimestampFormatter(precision)


class TimestampParser:
    """Reads timestamps; remembers the last and its second, since neighbours share them."""

    __slots__ = ("_last", "_last_ns", "_second_ns", "_second_text")

    def __init__(self) -> None:
        self._last = b""
        self._last_ns: int | None = None
        self._second_text = b"none yet"
        self._second_ns = 0

    def parse(self, value: bytes) -> int | None:
        """Nanoseconds since 1970, or None when `value` is not a UTCTimestamp.

        A leap second (:60) counts as the first moment of the next minute.
        """
        if value != self._last:
            self._last_ns = self._parse(value)
            self._last = value
        return self._last_ns

    def fits(self, value: bytes) -> bool:
        """Whether `value` is a UTCTimestamp."""
        return (self._last_ns if value == self._last else self.parse(value)) is not None

    def _parse(self, value: bytes) -> int | None:
        head, fraction = value[:17], value[17:]
        if head != self._second_text:
            second = _parse_second(head)
            if second is None:
                return None
            self._second_text, self._second_ns = head, second * SECOND_NS
        if not fraction:
            return self._second_ns
        if _FRACTION.fullmatch(fraction) is None:
            return None
        return self._second_ns + int(fraction[1:].ljust(9, b"0"))


def _parse_second(text: bytes) -> int | None:
    match = _SHAPE.fullmatch(text)
    if match is None:
        return None
    year, month, day, hour, minute, second = map(int, match.groups())
    leap_year = year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)
    if year < 1970 or day > _MONTH_DAYS[month] or (month == 2 and day == 29 and not leap_year):
        return None
    return timegm((year, month, day, hour, minute, second))
