"""What a journal tells about a measurement, and how to have it read from the disk."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from exchange.tools.reading import JournalReader
from sessions.journal import Batch, Kind


@dataclass(slots=True)
class Batching:
    """What shared a batch, between two moments (UTC, nanoseconds, both included)."""

    begin: int
    end: int
    orders: int = 0
    batches: int = 0  # that have one at least

    def take(self, batch: Batch) -> None:
        """Count a batch, if it is of this time."""
        orders = sum(record.kind is Kind.COMMAND for record in batch.records)
        if orders and self.begin <= batch.stamp <= self.end:
            self.orders += orders
            self.batches += 1


def count_batches(directory: Path, windows: Sequence[Batching]) -> None:
    """Fill the windows from a journal."""
    with JournalReader(directory) as reader:
        for batch in reader.batches():
            for window in windows:
                window.take(batch)


def segment_files(directory: Path) -> list[Path]:
    """The files of a journal, in order."""
    return sorted(directory.glob("journal-*.seamark"))


def journal_bytes(directory: Path) -> int:
    """How much is in the files, zeros included."""
    return sum(path.stat().st_size for path in segment_files(directory))


def drop_pages(paths: Sequence[Path]) -> None:
    """Have files leave the page cache: who reads them next waits for the disk.

    Pages that are not on the disk yet cannot leave, so they are synced first.
    """
    for path in paths:
        fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        try:
            os.fsync(fd)
            os.posix_fadvise(fd, 0, 0, os.POSIX_FADV_DONTNEED)
        finally:
            os.close(fd)
