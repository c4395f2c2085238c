"""Histories to write into journals, and what a new process reads of them."""

from __future__ import annotations

import struct
from collections.abc import Iterable
from pathlib import Path
from zlib import crc32

from sessions.journal import Batch, Durability, Journal, JournalError, Kind
from sessions.journal.segment import Segment

FILE_HEADER = 32
HEAD = 48
SEED = 0x5EA3A2C5
END = 8  # bytes of the mark behind a segment that is complete
ROOM = 1 << 16  # of a segment, enough for all that is written into one here

Entry = tuple[Kind, int, int, int, bytes]
Read = tuple[Kind, int, int, int, bytes, int]  # an entry and its position

BATCHES: list[tuple[int, list[Entry]]] = [
    (1_000, [(Kind.SESSION, 1, 0, 1, b"CLIENT"), (Kind.UP, 1, 0, 2, b"Y")]),
    (2_000, [(Kind.SENT, 1, 1, 2, b"8=FIX.4.4\x01...\x00\xff"), (Kind.RESET, 1, 0, 1, b"")]),
    (3_000, [(Kind.COMMAND, 1, 7, 8, b"order"), (Kind.SENT, 1, 1, 8, b"report")]),
    (2**63, [(Kind.DOWN, 1, 0, 2**64 - 1, b"")]),
]
EXPECTED: list[tuple[int, list[Read]]] = [
    (1_000, [(Kind.SESSION, 1, 0, 1, b"CLIENT", 0), (Kind.UP, 1, 0, 2, b"Y", 1)]),
    (2_000, [(Kind.SENT, 1, 1, 2, b"8=FIX.4.4\x01...\x00\xff", 1), (Kind.RESET, 1, 0, 1, b"", 1)]),
    (3_000, [(Kind.COMMAND, 1, 7, 8, b"order", 2), (Kind.SENT, 1, 1, 8, b"report", 2)]),
    (2**63, [(Kind.DOWN, 1, 0, 2**64 - 1, b"", 3)]),
]


def write(journal: Journal, stamp: int, entries: Iterable[Entry]) -> list[int]:
    """One batch; the offsets that were promised."""
    offsets = [journal.add(*entry) for entry in entries]
    journal.commit(stamp)
    return offsets


def message(number: int, size: int = 0) -> tuple[int, list[Entry]]:
    """Batch `number` of a history without end: an order and its report."""
    text = b"%d " % number
    return number, [
        (Kind.COMMAND, 1, number, number + 1, text + b"order"),
        (Kind.SENT, 1, number, number + 1, text + b"x" * size),
    ]


def shown(batch: Batch) -> tuple[int, list[Read]]:
    """A batch to compare."""
    return (
        batch.stamp,
        [(r.kind, r.session, r.seq, r.next_in, r.payload, r.position) for r in batch.records],
    )


def read(journal: Journal) -> list[tuple[int, list[Read]]]:
    """Everything that is recovered."""
    return [shown(batch) for batch in journal.recover()]


def stamps(history: Iterable[tuple[int, object]]) -> list[int]:
    """The time stamps, which tell the batches apart."""
    return [stamp for stamp, _ in history]


def opened(directory: Path, segment_bytes: int = ROOM) -> Journal:
    """A journal that is synced with every commit."""
    return Journal(directory, Durability.FSYNC, segment_bytes)


def filled(
    directory: Path,
    batches: Iterable[tuple[int, list[Entry]]],
    segment_bytes: int = ROOM,
    is_killed: bool = False,
) -> list[int]:
    """A journal of these batches, closed or killed; the offset behind each of them."""
    journal = opened(directory, segment_bytes)
    list(journal.recover())
    ends = []
    for stamp, entries in batches:
        write(journal, stamp, entries)
        ends.append(journal.written)
    if is_killed:
        kill(journal)
    else:
        journal.close()
    return ends


def kill(journal: Journal) -> None:
    """What is left of a journal whose process is dead: the files as they were."""

    def nothing(self: Segment, *arguments: object) -> None:
        """The dead do not do it."""

    kept = Segment.complete, Segment.sync
    Segment.complete = Segment.sync = nothing  # type: ignore[method-assign, assignment]
    try:
        journal.close()
    finally:
        Segment.complete, Segment.sync = kept  # type: ignore[method-assign]


def recovered(directory: Path, segment_bytes: int = ROOM) -> list[tuple[int, list[Read]]]:
    """What a new process reads in this directory, without writing anything."""
    journal = Journal(directory, Durability.OS, segment_bytes)
    try:
        return read(journal)
    finally:
        journal.close()


def contents(directory: Path) -> dict[str, bytes]:
    """The files of a journal; its lock is none of it."""
    return {path.name: path.read_bytes() for path in sorted(directory.glob("*.*"))}


def restore(directory: Path, files: dict[str, bytes]) -> None:
    """Make a directory what it was."""
    directory.mkdir(exist_ok=True)
    for path in directory.glob("*.*"):
        path.unlink()
    for name, data in files.items():
        (directory / name).write_bytes(data)


def why_not(directory: Path, segment_bytes: int = ROOM) -> str:
    """Why this journal is refused."""
    try:
        found = recovered(directory, segment_bytes)
    except JournalError as error:
        return str(error)
    return f"it was not: {len(found)} batches were read"


# --- version 1, which is read and not written any more --------------------------------------

V1_HEADER = struct.pack("<8sII", b"SEAMARKJ", 1, 0)


def v1_batch(stamp: int, first_position: int, entries: Iterable[Entry]) -> bytes:
    """A batch as version 1 wrote it."""
    entries = list(entries)
    records = b"".join(
        struct.pack("<BIQQI", *entry[:4], len(entry[4])) + entry[4] for entry in entries
    )
    head = struct.pack("<IIQQI", len(records), len(entries), first_position, stamp, crc32(records))
    return head + struct.pack("<I", crc32(head)) + records


def v1_file(directory: Path) -> list[int]:
    """BATCHES in a file of version 1; where each of them ends."""
    data, position, ends = V1_HEADER, 1, []
    for stamp, entries in BATCHES:
        data += v1_batch(stamp, position, entries)
        position += sum(
            entry[0] in (Kind.COMMAND, Kind.UP, Kind.DOWN, Kind.RULES) for entry in entries
        )
        ends.append(len(data))
    directory.mkdir(exist_ok=True)
    (directory / "journal.seamark").write_bytes(data)
    return ends
