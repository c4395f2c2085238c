"""The journal: the single truth of venue and sessions, and how to read it.

`records` says what is in it, `segment` how a file holds it, `reader` how to tell an end from
damage; `journal` writes, with `syncer` waiting for the disk beside the event loop.
"""

from sessions.journal.journal import (
    LOCK_NAME,
    SEGMENT_BYTES,
    Durability,
    Journal,
    lock_directory,
)
from sessions.journal.reader import Place, Reader
from sessions.journal.records import (
    EXECUTED_KINDS,
    INPUT_KINDS,
    Batch,
    JournalError,
    Kind,
    Record,
)
from sessions.journal.segment import (
    OFFSET_BITS,
    Segment,
    open_segments,
    remove_segments,
    segment_path,
)

__all__ = [
    "EXECUTED_KINDS",
    "INPUT_KINDS",
    "LOCK_NAME",
    "OFFSET_BITS",
    "SEGMENT_BYTES",
    "Batch",
    "Durability",
    "Journal",
    "JournalError",
    "Kind",
    "Place",
    "Reader",
    "Record",
    "Segment",
    "lock_directory",
    "open_segments",
    "remove_segments",
    "segment_path",
]
