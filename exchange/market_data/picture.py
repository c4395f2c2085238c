"""Everything in a feed as it was at one moment, made into messages a little at a time.

To encode a book of 100,000 orders takes a quarter of a second, in which nobody else would be
served. So what is there is taken down at once, and its messages are made in as many turns as it
takes; what happens meanwhile is told behind them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from exchange.market_data.messages import Entry, fragment, full_entry, room_behind, whole
from fix_engine.outbound import SharedFields


class Picture:
    """See the module; made once for all who are shown it."""

    __slots__ = ("_steps", "is_done", "messages")

    def __init__(self, head: bytes, entries: Iterable[Entry | None]) -> None:
        """`entries` must not depend on what happens later; None stands for work without one."""
        self.messages: list[SharedFields] = []
        self.is_done = False
        self._steps = self._make(head, entries)

    @classmethod
    def of(cls, messages: list[SharedFields]) -> Picture:
        """One that is made already."""
        picture = cls(b"", ())
        picture.messages, picture.is_done = messages, True
        return picture

    def work(self, most: int) -> int:
        """Make so many entries more, and messages of those that fill one; how many that were."""
        for done in range(most):
            if self.is_done:
                return done
            next(self._steps, None)
        return most

    def _make(self, head: bytes, entries: Iterable[Entry | None]) -> Iterator[None]:
        room = room_behind(head)
        page: list[bytes] = []
        size = 0
        for entry in entries:
            if entry is not None:
                encoded = full_entry(entry)
                if page and size + len(encoded) > room:
                    self.messages.append(fragment(head, page, is_last=False))
                    page, size = [], 0
                page.append(encoded)
                size += len(encoded)
            yield
        last = fragment(head, page, is_last=True) if self.messages else whole(head, page)
        self.messages.append(last)
        self.is_done = True
