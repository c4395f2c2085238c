"""The journal: the single truth of venue and sessions, and how to read it.

`records` says what is in it, `segment` how a file holds it, `reader` how to tell an end from
damage; `journal` writes, with `syncer` waiting for the disk beside the event loop.
"""

from sessions.journal.journal import SEGMENT_BYTES, Durability, Journal
from sessions.journal.reader import Place, Reader
from sessions.journal.records import INPUT_KINDS, Batch, JournalError, Kind, Record
from sessions.journal.segment import open_segments, segment_path

__all__ = [
    "INPUT_KINDS",
    "SEGMENT_BYTES",
    "Batch",
    "Durability",
    "Journal",
    "JournalError",
    "Kind",
    "Place",
    "Reader",
    "Record",
    "open_segments",
    "segment_path",
]
