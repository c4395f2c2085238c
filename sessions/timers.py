"""The deadlines of all connections: those of one moment share one wake-up of the loop.

A timer of the loop for each of thousands of sessions would wake it for each by itself, with a turn
and a batch of the journal. Deadlines are put off to the next of a few moments a second instead, so
what an idle venue costs grows with heartbeats, not with wake-ups.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from heapq import heappop, heappush
from typing import Final, Protocol

from fix_engine.timestamps import SECOND_NS

MOMENT_NS: Final = 50_000_000  # nothing is later than this for having been put off
_AT_ONCE: Final = 64  # then others have their turn
_LONGEST_WAIT_S: Final = 3_600.0  # a peer may ask for any HeartBtInt; the loop should not see it
_SHORTEST_WAIT_S: Final = 0.001


class Timed(Protocol):
    """Something with a deadline."""

    def timeout(self) -> None:
        """The deadline has passed."""


class Handle(Protocol):
    """What `call_later` returns."""

    def cancel(self) -> None:
        """Do not call."""


class Timers:
    """See the module; `clock` tells nanoseconds, `call_later` calls back after so many seconds."""

    def __init__(
        self,
        clock: Callable[[], int],
        call_later: Callable[[float, Callable[[], None]], Handle],
    ) -> None:
        self._clock = clock
        self._call_later = call_later
        self._by_moment: dict[int, dict[Timed, None]] = {}
        self._moments: list[int] = []  # a heap of the keys
        self._due: deque[Timed] = deque()
        self._is_waking = False
        self._wake: Handle | None = None
        self._wake_at = 0

    def set(self, one: Timed, due: int, now: int) -> int:
        """Have it told at `due` or a little later; what to cancel it by."""
        moment = -(-due // MOMENT_NS)
        waiting = self._by_moment.get(moment)
        if waiting is None:
            waiting = self._by_moment[moment] = {}
            heappush(self._moments, moment)
            if self._wake is None or moment < self._wake_at:
                self._sleep(now)
        waiting[one] = None
        return moment

    def cancel(self, one: Timed, moment: int) -> None:
        """Do not tell it; nothing when it has been told."""
        waiting = self._by_moment.get(moment)
        if waiting is not None:
            waiting.pop(one, None)

    def _sleep(self, now: int) -> None:
        if self._wake is not None:
            self._wake.cancel()
        self._wake_at = self._moments[0]
        delay = (self._wake_at * MOMENT_NS - now) / SECOND_NS
        wait_s = min(max(delay, _SHORTEST_WAIT_S), _LONGEST_WAIT_S)
        self._wake = self._call_later(wait_s, self._look)

    def _look(self) -> None:
        self._wake = None
        now = self._clock()
        while self._moments and self._moments[0] * MOMENT_NS <= now:
            self._due += self._by_moment.pop(heappop(self._moments))
        if self._moments:
            self._sleep(now)
        if not self._is_waking:
            self._tell()

    def keep_up(self) -> None:
        """Tell some of those that should have been told: the loop is busy, and timers come last."""
        if self._due:
            self._tell()
        elif self._wake is not None and (self._wake_at + 1) * MOMENT_NS <= self._clock():
            self._wake.cancel()
            self._look()

    def _tell(self) -> None:
        """Some of those that are due; the rest when the loop has seen to everybody else."""
        due = self._due
        for _ in range(min(len(due), _AT_ONCE)):
            due.popleft().timeout()
        if due and not self._is_waking:
            self._is_waking = True
            self._call_later(0, self._go_on)

    def _go_on(self) -> None:
        self._is_waking = False
        self._tell()
