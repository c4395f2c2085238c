"""SecurityResponseID (322): what the answers of a desk are called."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

_MILLISECOND_NS: Final = 1_000_000


class ResponseIds:
    """Makes IDs that no answer of this kind has had before, restarts included."""

    def __init__(self, now: Callable[[], int]) -> None:
        self._now = now
        self._count = 0

    def make(self) -> bytes:
        """The moment, and a number: the clock never goes back, and a restart takes longer."""
        self._count += 1
        return b"%d-%d" % (self._now() // _MILLISECOND_NS, self._count)
