"""How fast a session may ask: a limit that answers before it punishes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from fix_engine import tags
from fix_engine.timestamps import SECOND_NS

#: Requests that reduce risk pass at twice the burst: nobody should be kept from cancelling.
_CANCELS: Final = frozenset((tags.ORDER_CANCEL_REQUEST, b"q"))


@dataclass(slots=True)
class RateLimit:
    """So many application messages a second, so many at once; 0 a second is no limit."""

    per_second: int = 0
    burst: int = 1
    max_refused: int = 1_000  # in a row; a client that does not heed them is logged out


class Throttle:
    """Measures one session's application messages against a limit (a leaky bucket, in integers)."""

    __slots__ = ("_burst_ns", "_empty_at", "_interval_ns", "_max_refused", "_refused", "is_limited")

    def __init__(self, limit: RateLimit) -> None:
        self._interval_ns = SECOND_NS // limit.per_second if limit.per_second else 0
        self._burst_ns = self._interval_ns * limit.burst
        self.is_limited = self._interval_ns > 0
        self._max_refused = limit.max_refused
        self._empty_at = 0  # when all that has passed so far will have drained
        self._refused = 0

    @property
    def is_abused(self) -> bool:
        """Whether refusals are no longer heeded."""
        return self._refused > self._max_refused

    def wait_ns(self, msg_type: bytes, now: int) -> int:
        """0 when a message may pass now, and it is counted; otherwise how long to wait for it."""
        if not self._interval_ns:
            return 0
        room = 2 * self._burst_ns if msg_type in _CANCELS else self._burst_ns
        empty_at = max(self._empty_at, now) + self._interval_ns
        wait = empty_at - now - room
        if wait > 0:
            self._refused += 1
            return wait
        self._empty_at = empty_at
        self._refused = 0
        return 0
