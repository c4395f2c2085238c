"""Whether the peer is still there: heartbeats of ours, silence of the peer's, and last deadlines.

FIX 4.4 Volume 2, "Heartbeat": after HeartBtInt seconds without a message of ours a Heartbeat goes
out; after HeartBtInt plus "some reasonable transmission time" without one of the peer's a
TestRequest does, and a peer that leaves that unanswered is gone.
"""

from __future__ import annotations

from enum import Enum, auto
from typing import Final

from fix_engine.outbound import Outbound
from fix_engine.states import State

_PROBE_AFTER: Final = 1.2  # of HeartBtInt: the interval plus the transmission time


class Due(Enum):
    """What a live session has to do now."""

    NOTHING = auto()
    HEARTBEAT = auto()
    TEST_REQUEST = auto()
    GIVE_UP = auto()


class Liveness:
    """The times at which something was last heard and is due, all in nanoseconds, UTC.

    `interval_ns` is HeartBtInt, 0 for none; `give_up_at` ends the wait for a Logon or a Logout.
    `probed_at` is when a TestRequest was sent that nothing has been heard since, 0 for none.
    """

    __slots__ = ("_outbound", "give_up_at", "interval_ns", "last_received", "probed_at")

    def __init__(self, outbound: Outbound) -> None:
        """`outbound` knows when something was said last."""
        self._outbound = outbound
        self.interval_ns = 0
        self.last_received = self.probed_at = self.give_up_at = 0

    def deadline(self, state: State = State.ACTIVE) -> int | None:
        """When something is due on a session in this state, None for never."""
        if state is not State.ACTIVE:
            return None if state is State.DISCONNECTED else self.give_up_at
        if not self.interval_ns:
            return None
        if self.probed_at:
            return self.probed_at + self.interval_ns
        return min(self._outbound.last_sent + self.interval_ns, self._probe_at())

    def due(self, now: int) -> Due:
        """What is due on a live session by now."""
        at = self.deadline()
        if at is None or now < at:
            return Due.NOTHING
        if self.probed_at:
            return Due.GIVE_UP
        return Due.TEST_REQUEST if now >= self._probe_at() else Due.HEARTBEAT

    def _probe_at(self) -> int:
        return self.last_received + int(self.interval_ns * _PROBE_AFTER)
