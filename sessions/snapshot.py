"""Snapshots: what a journal led to, so that a start need not read it from its beginning.

A snapshot holds the place in the journal up to which it goes, the sessions, what the application
says of itself, and the first segment that is to be kept. It is written beside the journal under its
final name only once it is durable, and it is not believed unless its SHA-256 is right: without one,
the journal is read from an earlier one, or from the beginning.
"""

from __future__ import annotations

import json
import os
import struct
from base64 import b64decode, b64encode
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

from sessions.journal import JournalError, Place
from sessions.journal.segment import OFFSET_BITS, sync_directory
from sessions.ledger import SessionState

MAGIC: Final = b"SEAMARKS"
_VERSION: Final = 3
_WITHOUT_RUNS: Final = 2  # every message was stored then, so numbers were one run
_HEAD: Final = struct.Struct("<8sIIQ")  # magic, version, length of the index, and of the rest


class SnapshotError(Exception):
    """A snapshot cannot be used; the journal can be read without it."""


@dataclass(slots=True)
class Snapshot:
    """The state at a place in the journal; `stamp` is the time of its last batch.

    Segments before `first_segment` may be gone: nothing in them is needed any more.
    """

    place: Place
    stamp: int
    sessions: list[SessionState]
    application: bytes
    first_segment: int = 0


def write_snapshot(directory: Path, snapshot: Snapshot) -> Path:
    """Write a snapshot, and remove those that are too old; raises JournalError."""
    body = [snapshot.application]
    sessions = []
    for one in snapshot.sessions:
        columns = one.sent.columns()
        body += (column.tobytes() for column in columns)
        sessions.append(
            {
                "number": one.number,
                "comp_id": one.comp_id.decode("latin-1"),
                "next_in": one.next_in,
                "begun_at": one.begun_at,
                "memories": [b64encode(memory).decode() for memory in one.memories.values()],
                "last_seq": one.sent.last_seq,
                "sent": [len(column) for column in columns],
                "numbered": one.numbered,
            }
        )
    place = snapshot.place
    index = json.dumps(
        {
            "place": [place.offset, place.position, place.chain, place.last],
            "stamp": snapshot.stamp,
            "first_segment": snapshot.first_segment,
            "application": len(snapshot.application),
            "sessions": sessions,
        },
        sort_keys=True,
    ).encode()
    rest = b"".join(body)
    data = _HEAD.pack(MAGIC, _VERSION, len(index), len(rest)) + index + rest
    path = directory / f"snapshot-{place.offset:016x}.seamark"
    try:
        _write_durably(path, data + sha256(data).digest())
        _remove_older(directory, path)
    except OSError as error:
        raise JournalError(f"{path}: {error.strerror}") from error
    return path


def read_snapshots(directory: Path) -> Iterator[Snapshot | SnapshotError]:
    """The snapshots of a directory, newest first; those that cannot be used as errors."""
    for path in _paths(directory):
        yield _read(path)


def _remove_older(directory: Path, newest: Path) -> None:
    """Keep one more that can be used, should the newest be damaged one day."""
    spares = 0
    for path in _paths(directory):
        if path >= newest:
            continue
        if spares:
            path.unlink(missing_ok=True)
        spares += isinstance(_read(path), Snapshot)
    for draft in directory.glob("snapshot-*.new"):
        draft.unlink(missing_ok=True)


def segment_of_last(snapshot: Snapshot) -> int:
    """The number of the segment with which a snapshot must be found to agree."""
    return min(snapshot.place.last or snapshot.place.offset, snapshot.place.offset) >> OFFSET_BITS


def _paths(directory: Path) -> list[Path]:
    """Newest first."""
    return sorted(directory.glob("snapshot-*.seamark"), reverse=True)


def _read(path: Path) -> Snapshot | SnapshotError:
    try:
        return _understood(path.read_bytes())
    except OSError as error:
        return SnapshotError(f"{path}: {error.strerror}")
    except (SnapshotError, ValueError, KeyError, TypeError, struct.error) as error:
        return SnapshotError(f"{path}: {error}")


def _understood(data: bytes) -> Snapshot:
    digest = sha256(data[:-32]).digest()
    if len(data) < _HEAD.size + len(digest) or data[-len(digest) :] != digest:
        raise SnapshotError("its SHA-256 does not match")
    magic, version, index_size, rest_size = _HEAD.unpack_from(data)
    if magic != MAGIC or version not in (_WITHOUT_RUNS, _VERSION):
        raise SnapshotError(f"it has version {version}, this Seamark reads {_VERSION}")
    at = _HEAD.size + index_size
    index: dict[str, Any] = json.loads(data[_HEAD.size : at])
    rest = memoryview(data)[at : at + rest_size]
    application, at = bytes(rest[: index["application"]]), index["application"]
    sessions = []
    for one in index["sessions"]:
        state = SessionState(
            one["number"],
            one["comp_id"].encode("latin-1"),
            one["next_in"],
            one["begun_at"],
        )
        for memory in one["memories"]:
            state.remember(b64decode(memory))
        if version == _WITHOUT_RUNS:
            count, first = one["sent"], one["first_seq"]
            one["sent"] = [count, count]
            state.sent.begin_run(first, count)
        else:
            state.numbered, state.sent.last_seq = one["numbered"], one["last_seq"]
        for column, count in zip(state.sent.columns(), one["sent"], strict=False):
            size = count * column.itemsize
            column.frombytes(rest[at : at + size])
            at += size
        sessions.append(state)
    place = Place(*index["place"])
    return Snapshot(place, index["stamp"], sessions, application, index["first_segment"])


def _write_durably(path: Path, data: bytes) -> None:
    draft = path.with_suffix(".new")
    fd = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o640)
    try:
        view = memoryview(data)
        while view:
            view = view[os.write(fd, view) :]
        os.fsync(fd)
    finally:
        os.close(fd)
    os.rename(draft, path)
    sync_directory(path.parent)
