"""A snapshot made from the journal, beside the venue that writes it.

The venue does not stop for it: another process reads the last snapshot and the journal behind it,
executes that, and checks on the way the digests that the venue left there. So what a start goes on
from has been brought about twice.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from exchange.executor import Executor
from exchange.rules import Rules
from exchange.tools.reading import JournalReader
from sessions.journal import (
    EXECUTED_KINDS,
    OFFSET_BITS,
    Batch,
    JournalError,
    Place,
    Reader,
    Segment,
)
from sessions.ledger import Ledger
from sessions.retention import Retention
from sessions.snapshot import (
    Snapshot,
    SnapshotError,
    read_snapshots,
    segment_of_last,
    write_snapshot,
)


@dataclass(slots=True)
class Checkpoint:
    """A snapshot that was written, and from which segment on the journal is still needed."""

    path: Path
    position: int
    first_segment: int


def make_checkpoint(
    directory: Path,
    retention: Retention,
    rules: Rules | None = None,
    over: Callable[[JournalReader, Iterable[Batch]], Iterable[Batch]] = lambda _, batches: batches,
    dry_run: bool = False,
) -> Checkpoint:
    """Write a snapshot of where the journal is now, durable; raises JournalError.

    `rules` are for a journal of version 1; `over` may look on while batches are read. A dry run
    writes nothing.
    """
    older = _newest(directory)
    start = older.place if older is not None else None
    executor, ledger = Executor(rules), Ledger(older.sessions if older is not None else ())
    stamp = older.stamp if older is not None else 0
    try:
        if older is not None:
            executor.restore(older.application)
    except ValueError as error:
        raise JournalError(f"{directory}: the newest snapshot cannot be used: {error}") from error
    with JournalReader(directory, start) as reader:
        if older is None and reader.first_position > 1:
            raise JournalError(f"{directory}: the journal has lost its beginning, and its snapshot")
        if older is not None and not Reader(reader.segments).holds(older.place):
            raise JournalError(f"{directory}: the journal ends before its snapshot")
        goal = reader.end_offset()  # what is written meanwhile is for the next snapshot
        for batch in over(reader, reader.batches()):
            ledger.take(batch)
            for record in batch.records:
                if record.kind in EXECUTED_KINDS:
                    executor.replay(record, batch.stamp)
            stamp = batch.stamp
            if batch.end >= goal:
                break
        if not dry_run:
            _sync(reader.segments, start)
        place = reader.place
        needed = _needed(directory, place)
        first = retention.first_kept(reader.segments, needed, stamp)
    ledger.forget_before(first << OFFSET_BITS)
    snapshot = Snapshot(place, stamp, list(ledger), executor.snapshot(), first)
    path = directory if dry_run else write_snapshot(directory, snapshot)
    return Checkpoint(path, place.position, first)


def _sync(segments: Iterable[Segment], start: Place | None) -> None:
    """A snapshot must not know more than the disk."""
    first = start.offset >> OFFSET_BITS if start is not None else 0
    for segment in segments:
        if segment.number >= first:
            segment.sync()


def _needed(directory: Path, place: Place) -> int:
    """The first segment that this snapshot, or the one before it, needs to go on from."""
    for found in read_snapshots(directory):
        if not isinstance(found, SnapshotError) and found.place.offset < place.offset:
            return segment_of_last(found)
    return 0  # there is none before it: should it be damaged, everything is needed


def _newest(directory: Path) -> Snapshot | None:
    for found in read_snapshots(directory):
        if not isinstance(found, SnapshotError):
            return found
    return None
