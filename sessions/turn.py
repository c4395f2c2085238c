"""One turn of the event loop: one time stamp, one journal batch, one write for each connection.

Nothing is visible before it is durable. Whatever happens in a turn, a heartbeat included, is
written to the journal as one batch at the end of the turn, and only when that has settled do the
connections write. With durability `fsync` that may be some turns later, in their order. A
MsgSeqNum that a client may have seen is therefore never used again after a crash.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from sessions.journal import Journal


class Flushable(Protocol):
    """Something that has output waiting for the end of the turn."""

    def seal(self) -> None:
        """The turn is over: what is waiting belongs to it, what comes later does not."""

    def flush(self, now: int) -> None:
        """Write what was sealed first; `now` is the time stamp of its turn."""


@dataclass(slots=True)
class _Sealed:
    """A turn that is over, and whose batch may not have settled yet."""

    end: int  # of its batch in the journal
    now: int
    waiting: dict[Flushable, None]
    after: list[Callable[[], None]]


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
        self._sealed: deque[_Sealed] = deque()
        self._due: list[Callable[[], None]] = []

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
        sealed = _Sealed(0, self._now, self._waiting, self._after)
        self._waiting, self._after = {}, []
        if self._has_failed:
            return
        try:
            for connection in sealed.waiting:
                connection.seal()
            self._journal.commit(self._now)
            sealed.end = self._journal.written
            self._sealed.append(sealed)
            self.settled(self._journal.settled)
        except Exception as error:
            self.fail(error)

    def settled(self, end: int) -> None:
        """Every batch that ends at `end` or before survives what it has to: write what waits."""
        sealed = self._sealed
        while sealed and sealed[0].end <= end and not self._has_failed:
            turn = sealed.popleft()
            try:
                for connection in turn.waiting:
                    connection.flush(turn.now)
            except Exception as error:
                self.fail(error)
            self._due += turn.after
        if not self._is_open:
            self._call_back()

    def _call_back(self) -> None:
        """What comes after a turn, but never within another: all that was said is written then."""
        due, self._due = self._due, []
        for callback in due:
            if not self._has_failed:
                try:
                    callback()
                except Exception as error:
                    self.fail(error)
