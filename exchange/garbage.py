"""The garbage collector: kept from walking what the venue remembers.

A collection of Python's looks at every object it has not set aside, two microseconds each once they
are many: with a million resting orders that is seconds. Orders, messages, sessions and connections
form no cycles (`tests/exchange/test_garbage.py`), reference counts free them. So what lives is set
aside for good a few times a second, between two turns, and each look is at what is younger than
that. It is not left to the collector's own counters: they count births less deaths, so where as
many orders end as come, they stand still while the young become a million.
"""

from __future__ import annotations

import gc
import time
from collections.abc import Callable
from typing import Final

import structlog

from fix_engine.timestamps import SECOND_NS

log = structlog.get_logger(__name__)

_TELL_EVERY_NS: Final = 3_600 * SECOND_NS
_LOOK_EVERY_NS: Final = 60 * SECOND_NS
_WHOLE_EVERY_NS: Final = 6 * 3_600 * SECOND_NS


class Garbage:
    """Collects for a venue, as somebody who is told that time passes."""

    def __init__(
        self, is_idle: Callable[[], bool], clock: Callable[[], int] = time.perf_counter_ns
    ) -> None:
        """`is_idle`: whether a pause would be nobody's, so that everything may be walked once."""
        self._is_idle = is_idle
        self._clock = clock
        self._tell_at = self._whole_at = 0
        self.longest_ns = 0  # pause since it was told last
        self.found = 0  # objects in cycles, likewise

    def begin(self) -> None:
        """Set aside what there is, and collect no more but at `on_time`."""
        gc.collect()
        gc.freeze()
        gc.disable()

    def on_time(self, now: int) -> None:
        """Look at what has come since the last time; at all there is once nobody minds."""
        if not self._tell_at:  # all that was recovered is young
            gc.freeze()
            self._tell_at, self._whole_at = now + _TELL_EVERY_NS, now + _WHOLE_EVERY_NS
            return
        self.sweep()
        if now >= self._tell_at:
            self._tell_at = now + _TELL_EVERY_NS
            log.info("garbage", longest_pause_us=self.longest_ns // 1_000, in_cycles=self.found)
            self.longest_ns = self.found = 0
        if now >= self._whole_at:
            if self._is_idle():
                self._whole_at = now + _WHOLE_EVERY_NS
                self._collect_all()
            else:
                self._whole_at = now + _LOOK_EVERY_NS

    def sweep(self) -> None:
        """Free young cycles, and set aside what lives."""
        started = self._clock()
        self.found += gc.collect(0)
        gc.freeze()
        self.longest_ns = max(self.longest_ns, self._clock() - started)

    def _collect_all(self) -> None:
        """What has become garbage since it was set aside goes, too, should there be any."""
        started = self._clock()
        gc.unfreeze()
        found = gc.collect()
        gc.freeze()
        pause_ms = (self._clock() - started) // 1_000_000
        log.info("garbage of all ages", in_cycles=found, pause_ms=pause_ms)
