"""Looking for more instead of sleeping, for a while after something has happened.

A processor that sleeps until a message arrives takes longer to wake than an order takes, and has
forgotten by then what it needs for one. Who has a core to spare keeps it awake while clients are
active; who has not lets it sleep at once.

While the journal is synced there is nothing to be gained: whoever has been answered waits for the
disk, and the thread that does waits for the interpreter, which a loop that never sleeps holds.
"""

from __future__ import annotations

from collections.abc import Callable


class BusyPoll:
    """Keeps an event loop from sleeping for `time_ns` after each call of `stir`."""

    def __init__(
        self,
        time_ns: int,
        call_soon: Callable[[Callable[[], None]], object],
        clock: Callable[[], int],
        is_settling: Callable[[], bool],
    ) -> None:
        """`clock` tells nanoseconds and never goes back; `is_settling`, whether the disk is due."""
        self._time_ns = time_ns
        self._call_soon = call_soon
        self._clock = clock
        self._is_settling = is_settling
        self._until = 0
        self._is_polling = False

    def stir(self) -> None:
        """Something has happened."""
        self._until = self._clock() + self._time_ns
        if not self._is_polling:
            self._is_polling = True
            self._call_soon(self._poll)

    def _poll(self) -> None:
        """What is to be called soon lets the loop look at its sockets, but not wait for them."""
        if self._clock() < self._until and not self._is_settling():
            self._call_soon(self._poll)
        else:
            self._is_polling = False
