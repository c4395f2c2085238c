"""Wall time that never runs back."""

from __future__ import annotations

from time import monotonic_ns, time_ns
from typing import Final

_CHECK_EVERY_NS: Final = 1_000_000_000
_SLEW: Final = 2_000  # at most one part in this many while wall time is behind


class Clock:
    """UTC in nanoseconds: monotonic time plus an offset that follows the wall clock.

    When the wall clock is set forward the offset follows at once; when it is set back the offset
    is slewed, so that two readings are never out of order and timers do not stand still.
    """

    def __init__(self) -> None:
        self._checked = monotonic_ns()
        self._offset = time_ns() - self._checked
        self._last = 0

    def now(self) -> int:
        """Nanoseconds since 1970, UTC, never less than what was returned before."""
        monotonic = monotonic_ns()
        elapsed = monotonic - self._checked
        if elapsed >= _CHECK_EVERY_NS:
            self._checked = monotonic
            target = time_ns() - monotonic
            self._offset = max(target, self._offset - elapsed // _SLEW)
        self._last = max(self._last, monotonic + self._offset)
        return self._last
