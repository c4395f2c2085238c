"""Virtual time: events on a heap, and a short memory of what happened."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from heapq import heappop, heappush
from typing import Final

SECOND: Final = 1_000_000_000
MILLISECOND: Final = 1_000_000
START: Final = 1_709_208_000 * SECOND  # 2024-02-29 12:00:00 UTC
_REMEMBERED: Final = 40
_MOST_AT_ONCE: Final = 5_000  # events of one moment; more is a loop that never lets time pass

_TOLD: Final = (b"34", b"43", b"7", b"16", b"36", b"141", b"789", b"112", b"58")


class Timeline:
    """What is due when; nothing here waits in real time."""

    def __init__(self) -> None:
        self.now = START
        self._due: list[tuple[int, int, Callable[[], None]]] = []
        self._count = 0

    def after(self, delay: int, call: Callable[[], None]) -> None:
        """Have `call` called in `delay` ns; events of one moment keep their order."""
        self._count += 1
        heappush(self._due, (self.now + delay, self._count, call))

    def run(self, duration: int) -> None:
        """Let so much time pass."""
        end = self.now + duration
        at_once = 0
        while self._due and self._due[0][0] <= end:
            moment, _, call = heappop(self._due)
            at_once = at_once + 1 if moment == self.now else 0
            if at_once > _MOST_AT_ONCE:
                raise RuntimeError("time stands still")
            self.now = moment
            call()
        self.now = end


class Trace:
    """The last things that happened, put into words only when somebody asks."""

    def __init__(self, timeline: Timeline, verbose: bool = False) -> None:
        self._timeline = timeline
        self._verbose = verbose
        self._last: deque[tuple[int, str, bytes]] = deque(maxlen=_REMEMBERED)

    def note(self, what: str, raw: bytes = b"") -> None:
        """Remember an event; `raw` is the message that it is about."""
        self._last.append((self._timeline.now, what, raw))
        if self._verbose:
            print(_line(*self._last[-1]))

    def lines(self) -> list[str]:
        """`1.204s A>B 35=C 34=12 58=app 1.7`, the oldest first."""
        return [_line(*entry) for entry in self._last]


def _line(now: int, what: str, raw: bytes) -> str:
    words = f"{(now - START) / SECOND:8.3f}s {what}"
    if not raw:
        return words
    fields = [field.partition(b"=") for field in raw.split(b"\x01")[2:]]
    told = [f"{tag.decode('latin-1')}={_short(value)}" for tag, _, value in fields if tag in _TOLD]
    return " ".join((words, f"35={fields[0][2].decode('latin-1')}", *told))


def _short(value: bytes) -> str:
    return value.partition(b"~")[0].decode("latin-1").strip()[:60]
