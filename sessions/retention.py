"""How long the journal is kept: what may be removed once a snapshot knows what it led to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

from sessions.journal import Segment

DAY_NS: Final = 86_400 * 10**9


@dataclass(frozen=True, slots=True)
class Retention:
    """What is kept; 0 days or bytes to keep set no limit.

    What is younger than `resend_days` is kept in any case: a session may ask for it.
    """

    resend_days: int = 7
    keep_days: int = 0
    keep_bytes: int = 0

    def first_kept(self, segments: Sequence[Segment], needed: int, now: int) -> int:
        """The number of the first segment to be kept; those from `needed` on are, in any case."""
        total = sum(segment.size() - segment.base for segment in segments)
        for segment, after in pairwise(segments):
            found = after.batch_at(after.begin)
            if found is None or segment.number >= needed:
                return segment.number
            age = now - found[1].stamp  # all that is in the segment is older than that
            is_old = self.keep_days > 0 and age > self.keep_days * DAY_NS
            is_too_much = 0 < self.keep_bytes < total
            if age <= self.resend_days * DAY_NS or not (is_old or is_too_much):
                return segment.number
            total -= segment.size() - segment.base
        return segments[-1].number
