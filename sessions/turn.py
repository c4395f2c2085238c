"""One turn of the event loop: one time stamp, one journal batch, one write for each connection.

Nothing is visible before it is durable. Whatever happens in a turn, a heartbeat included, is
written to the journal as one batch at the end of the turn, and only then do the connections write.
A MsgSeqNum that a client may have seen is therefore never used again after a crash.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from sessions.journal import Journal


class Flushable(Protocol):
    """Something that has output waiting for the end of the turn."""

    def flush(self, now: int) -> None:
        """Write what is waiting; `now` is the turn's time stamp."""


class Turn:
    """Opened by the first event of a turn, closed by the loop when the turn ends."""

    def __init__(
        self,
        journal: Journal,
        clock: Callable[[], int],
        call_soon: Callable[[Callable[[], None]], object],
        on_failure: Callable[[Exception], None],
    ) -> None:
        self._journal = journal
        self._clock = clock
        self._call_soon = call_soon
        self._on_failure = on_failure
        self._is_open = False
        self._has_failed = False
        self._now = 0
        self._waiting: dict[Flushable, None] = {}
        self._after: list[Callable[[], None]] = []

    def open(self) -> int:
        """The turn's time stamp; the first call of a turn arranges for its end."""
        if not self._is_open:
            self._is_open = True
            self._now = self._clock()
            self._call_soon(self.close)
        return self._now

    def will_flush(self, connection: Flushable) -> None:
        """Have `connection` write when the batch is durable."""
        self._waiting[connection] = None

    def after(self, callback: Callable[[], None]) -> None:
        """Call back once the batch is durable and written, in a turn of its own."""
        self.open()
        self._after.append(callback)

    def fail(self, error: Exception) -> None:
        """Something broke in the middle of this turn: nothing of it is journaled or shown.

        What memory holds can no longer be trusted; the journal can. There is no turn after this.
        """
        if not self._has_failed:
            self._has_failed = True
            self._on_failure(error)

    def close(self) -> None:
        """Journal, then write. When the journal fails, nothing of this turn is shown."""
        if not self._is_open:
            return
        self._is_open = False
        waiting, self._waiting = self._waiting, {}
        after, self._after = self._after, []
        if self._has_failed:
            return
        try:
            self._journal.commit(self._now)
            for connection in waiting:
                connection.flush(self._now)
            for callback in after:
                callback()
        except Exception as error:
            self.fail(error)
