"""One turn of the event loop: one time stamp, one journal batch, one write for each connection.

Nothing is visible before it is durable. Whatever happens in a turn, a heartbeat included, is
written to the journal as one batch at the end of the turn, and only when that has settled do the
connections write. With durability `fsync` that may be some turns later, in their order. A
MsgSeqNum that a client may have seen is therefore never used again after a crash.

Where thousands of connections have something to say at one moment, all of it arrives in one round
of the loop. So a turn that has taken enough ends at once, between two connections, and what comes
next is another turn: the first need not wait for the last.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Protocol

from fix_engine.records import hasten
from sessions.journal import Journal

_ENOUGH: Final = 64  # messages of one turn: a batch of so many costs each of them next to nothing
_ENOUGH_BYTES: Final = 32_768  # likewise, for few large ones take as long as many small ones


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


hasten(_Sealed)


class Turn:
    """Opened by the first event of a turn, closed by the loop when the turn ends."""

    __slots__ = (
        "_after",
        "_call_soon",
        "_clock",
        "_due",
        "_has_failed",
        "_is_scheduled",
        "_journal",
        "_on_end",
        "_on_failure",
        "_sealed",
        "_taken",
        "_taken_bytes",
        "_waiting",
        "now",
    )

    def __init__(
        self,
        journal: Journal,
        clock: Callable[[], int],
        call_soon: Callable[[Callable[[], None]], object],
        on_failure: Callable[[Exception], None],
        on_end: Callable[[], None] | None = None,
    ) -> None:
        """`on_end` is called when a round of the loop is over in which something was done."""
        self._journal = journal
        self._clock = clock
        self._call_soon = call_soon
        self._on_failure = on_failure
        self._on_end = on_end
        self.now = 0  # the time stamp of the turn that is open; 0: none is
        self._is_scheduled = False  # the loop will call `close`
        self._has_failed = False
        self._taken = self._taken_bytes = 0  # in this turn
        self._waiting: dict[Flushable, None] = {}
        self._after: list[Callable[[], None]] = []
        self._sealed: deque[_Sealed] = deque()
        self._due: list[Callable[[], None]] = []

    def open(self) -> int:
        """The turn's time stamp; the first call of a turn arranges for its end."""
        if not self.now:
            self.now = self._clock()
            if not self._is_scheduled:
                self._is_scheduled = True
                self._call_soon(self._end)
        return self.now

    def took(self, messages: int, size: int) -> bool:
        """Count what was dealt with; whether that is enough, and the turn has ended here.

        To be called last by who has taken something, for the next call of `open` begins another
        turn. What is to come after the turn still waits for the end of the loop's round, so that
        it does not come in the middle of whatever is going on.
        """
        self._taken += messages
        self._taken_bytes += size
        if self._taken < _ENOUGH and self._taken_bytes < _ENOUGH_BYTES:
            return False
        if self.now:
            self._commit()
        return True

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
        if self.now:
            self._commit()
            self._call_back()

    def _end(self) -> None:
        """The loop's round is over."""
        self._is_scheduled = False
        if self.now:
            self._commit()
        self._call_back()
        if self._on_end is not None:
            self._on_end()

    def _commit(self) -> None:
        now, self.now = self.now, 0
        self._taken = self._taken_bytes = 0
        sealed = _Sealed(0, now, self._waiting, self._after)
        self._waiting, self._after = {}, []
        if self._has_failed:
            return
        try:
            for connection in sealed.waiting:
                connection.seal()
            self._journal.commit(now)
            sealed.end = self._journal.written
            self._sealed.append(sealed)
            self._write(self._journal.settled)
        except Exception as error:
            self.fail(error)

    def settled(self, end: int) -> None:
        """Every batch that ends at `end` or before survives what it has to: write what waits."""
        self._write(end)
        if not self.now:  # otherwise the turn that is open sees to it
            self._call_back()
            if self._on_end is not None:
                self._on_end()

    @property
    def is_settling(self) -> bool:
        """Whether what was said waits for the journal."""
        return bool(self._sealed)

    def _write(self, end: int) -> None:
        sealed = self._sealed
        while sealed and sealed[0].end <= end and not self._has_failed:
            turn = sealed.popleft()
            try:
                for connection in turn.waiting:
                    connection.flush(turn.now)
            except Exception as error:
                self.fail(error)
            self._due += turn.after

    def _call_back(self) -> None:
        """What comes after a turn, but never within another: all that was said is written then."""
        due, self._due = self._due, []
        for callback in due:
            if not self._has_failed:
                try:
                    callback()
                except Exception as error:
                    self.fail(error)
