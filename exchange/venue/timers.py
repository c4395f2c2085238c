"""What is due at some time: state of the venue, and nothing of it is a clock."""

from __future__ import annotations

from enum import IntEnum
from typing import NamedTuple

from sortedcontainers import SortedList


class Due(IntEnum):
    """What is due, in the order in which it happens at one moment."""

    GRACE = 0  # a lost session has not come back
    EXPIRY = 1  # of an order
    START = 2  # of an order


class Timer(NamedTuple):
    """`number` is that of the session, or the OrderID."""

    at: int
    due: Due
    number: int


class Timers:
    """Timers in the order in which they are due; `next_at` is the first, 0 without any."""

    def __init__(self) -> None:
        self._all: SortedList[Timer] = SortedList()
        self.next_at = 0

    def set(self, at: int, due: Due, number: int) -> None:
        """Have something happen at a time, UTC nanoseconds."""
        self._all.add(Timer(at, due, number))
        self.next_at = self._all[0].at

    def drop(self, at: int, due: Due, number: int) -> None:
        """Have it not happen, if it was to."""
        self._all.discard(Timer(at, due, number))
        self.next_at = self._all[0].at if self._all else 0

    def pop(self, now: int) -> Timer | None:
        """What is due first at `now`, or None."""
        if not self._all or self._all[0].at > now:
            return None
        found: Timer = self._all.pop(0)
        self.next_at = self._all[0].at if self._all else 0
        return found
