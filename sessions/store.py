"""What a session has sent, by MsgSeqNum: a view of the journal, not a second truth."""

from __future__ import annotations

import sys
from typing import Final

from sessions.journal import Journal
from sessions.sent import SentTable

_ONE_READ_BYTES: Final = 1 << 18  # messages this close together are cheaper to read at once


class SentMessages:
    """The messages that `table` says where to find; they stay in the journal."""

    __slots__ = ("_journal", "table")

    def __init__(self, journal: Journal, table: SentTable | None = None) -> None:
        self._journal = journal
        self.table = SentTable() if table is None else table

    def fetch(self, begin: int, end: int, at_most: int = sys.maxsize) -> list[tuple[int, bytes]]:
        """The first `at_most` committed messages of `begin` to `end`, both included, by number.

        Those that were not stored, or are not kept any more, are left out.
        """
        rows = self.table.rows(begin, end, at_most)
        if not rows:
            return []
        start = rows[0][1]
        span = rows[-1][1] + rows[-1][2] - start
        if span <= _ONE_READ_BYTES:
            page = self._journal.fetch(start, span)
            return [(seq, page[at - start : at - start + length]) for seq, at, length in rows]
        return [(seq, self._journal.fetch(at, length)) for seq, at, length in rows]
