"""What is due at some time: state of the venue, and nothing of it is a clock."""

from __future__ import annotations

from collections.abc import Iterator
from enum import IntEnum
from heapq import heapify, heappop, heappush
from typing import Final, NamedTuple

_MOST_VACANT: Final = 64


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
    """Timers in the order in which they are due; `next_at` is the first, 0 without any.

    Many orders end at one moment, the end of the day: they are one entry of a heap.
    """

    def __init__(self) -> None:
        self.next_at = 0
        self._numbers: dict[tuple[int, Due], dict[int, None]] = {}
        self._moments: list[tuple[int, Due]] = []  # a heap of the keys
        self._sorted: list[int] = []  # the numbers of the first, backwards; some may be dropped
        self._vacant = 0  # moments at which nothing happens any more

    def set(self, at: int, due: Due, number: int) -> None:
        """Have something happen at a time, UTC nanoseconds."""
        key = at, due
        numbers = self._numbers.get(key)
        if numbers is None:
            numbers = self._numbers[key] = {}
            heappush(self._moments, key)
            if self._moments[0] == key:
                self._look()
        elif not numbers:
            self._vacant -= 1
        elif self._sorted and key == self._moments[0]:
            self._sorted.clear()
        numbers[number] = None

    def drop(self, at: int, due: Due, number: int) -> None:
        """Have it not happen, if it was to."""
        numbers = self._numbers.get((at, due))
        if numbers is not None and number in numbers:
            del numbers[number]
            if not numbers:
                self._vacate()

    def pop(self, now: int) -> Timer | None:
        """What is due first at `now`, or None."""
        if not 0 < self.next_at <= now:
            return None
        at, due = self._moments[0]
        numbers = self._numbers[at, due]
        if not self._sorted:
            self._sorted = sorted(numbers, reverse=True)
        while (number := self._sorted.pop()) not in numbers:
            pass
        del numbers[number]
        if not numbers:
            self._vacate()
        return Timer(at, due, number)

    def __iter__(self) -> Iterator[Timer]:
        """All of them, in order."""
        for key in sorted(self._numbers):
            yield from (Timer(*key, number) for number in sorted(self._numbers[key]))

    def _vacate(self) -> None:
        """Nothing happens at a moment any more: forget it, now or once there are many of them."""
        self._vacant += 1
        moments = self._moments
        while moments and not self._numbers[moments[0]]:
            del self._numbers[heappop(moments)]
            self._vacant -= 1
        if self._vacant > max(_MOST_VACANT, len(moments) // 2):
            self._numbers = {key: numbers for key, numbers in self._numbers.items() if numbers}
            self._moments = list(self._numbers)
            heapify(self._moments)
            self._vacant = 0
        self._look()

    def _look(self) -> None:
        self._sorted.clear()
        self.next_at = self._moments[0][0] if self._moments else 0
