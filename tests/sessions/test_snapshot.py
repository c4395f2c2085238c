"""Snapshots on the disk: what is written is read, and what version 2 wrote is, too."""

from __future__ import annotations

import json
import random
import struct
from array import array
from base64 import b64encode
from hashlib import sha256
from pathlib import Path

import pytest

from sessions.journal import Place
from sessions.ledger import SessionState
from sessions.snapshot import Snapshot, SnapshotError, read_snapshots, write_snapshot

PLACE = Place((1 << 40) + 4_711, 17, 0xC0FFEE, (1 << 40) + 4_000)


@pytest.fixture(autouse=True)
def no_sync(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.fsync", lambda fd: None)


def only(directory: Path) -> Snapshot:
    (found,) = read_snapshots(directory)
    assert isinstance(found, Snapshot), found
    return found


def at_random(rng: random.Random, number: int) -> SessionState:
    state = SessionState(number, b"C%d" % number, rng.randint(1, 9), rng.randint(0, 2**60))
    for memory in (b"host 127.0.0.1", b"proof 1"):
        if rng.random() < 0.5:
            state.remember(memory)
    offset = 1 << 40
    for _ in range(rng.choice((0, 1, 50))):
        gap = rng.choice((1, 1, 1, 2, 1_000))
        state.sent.append(state.sent.last_seq + gap, offset, rng.randint(0, 300))
        offset += rng.randint(325, 900)
    state.sent.forget_before(rng.choice((0, offset // 2, offset - 2_000, offset)))
    state.numbered = rng.choice((0, state.sent.last_seq + 1_000))
    return state


@pytest.mark.parametrize("seed", range(30))
def test_what_is_written_is_read(seed: int, tmp_path: Path) -> None:
    rng = random.Random(seed)
    sessions = [at_random(rng, number) for number in range(1, rng.randint(1, 5))]
    written = Snapshot(PLACE, 9, sessions, rng.randbytes(rng.choice((0, 7, 999))), 3)
    write_snapshot(tmp_path, written)
    found = only(tmp_path)
    assert found == written, f"seed {seed}"
    assert [one.next_out for one in found.sessions] == [one.next_out for one in sessions]


def version_2(directory: Path, sessions: list[tuple[int, list[tuple[int, int]]]]) -> None:
    """A snapshot as version 2 wrote it: of each session the first number and all messages."""
    rest = b"the venue"
    told = []
    for number, (first_seq, rows) in enumerate(sessions, 1):
        rest += array("Q", [offset for offset, _ in rows]).tobytes()
        rest += array("I", [length for _, length in rows]).tobytes()
        told.append(
            {
                "number": number,
                "comp_id": f"C{number}",
                "next_in": 5 + number,
                "begun_at": 1_000,
                "memories": [b64encode(b"host ::1").decode()],
                "first_seq": first_seq,
                "sent": len(rows),
            }
        )
    index = {
        "place": [PLACE.offset, PLACE.position, PLACE.chain, PLACE.last],
        "stamp": 9,
        "first_segment": 1,
        "application": len(b"the venue"),
        "sessions": told,
    }
    head = json.dumps(index).encode()
    data = struct.pack("<8sIIQ", b"SEAMARKS", 2, len(head), len(rest)) + head + rest
    path = directory / f"snapshot-{PLACE.offset:016x}.seamark"
    path.write_bytes(data + sha256(data).digest())


def test_a_snapshot_of_version_2_is_read_as_one_run_of_each_session(tmp_path: Path) -> None:
    rows = [((1 << 40) + 100, 90), ((1 << 40) + 300, 0), ((1 << 40) + 500, 77)]
    version_2(tmp_path, [(1, rows), (41, rows), (8, []), (1, [])])
    found = only(tmp_path)
    assert (found.place, found.stamp, found.application) == (PLACE, 9, b"the venue")
    assert [(one.comp_id, one.next_in, one.next_out) for one in found.sessions] == [
        (b"C1", 6, 4),
        (b"C2", 7, 44),
        (b"C3", 8, 8),
        (b"C4", 9, 1),
    ]
    assert [one.numbered for one in found.sessions] == [0] * 4
    assert [one.sent.first_seq for one in found.sessions] == [1, 41, 8, 1]
    assert found.sessions[1].sent.rows(1, 99) == [
        (seq, *row) for seq, row in zip((41, 42, 43), rows, strict=True)
    ]
    assert found.sessions[0].memories == {b"host": b"host ::1"}
    # Numbers go on from there, and what is written again is of the present version.
    for one in found.sessions:
        one.sent.append(one.next_out + 5, 1 << 41, 10)
    write_snapshot(tmp_path, found)
    assert only(tmp_path) == found
    assert found.sessions[2].sent.rows(1, 99) == [(13, 1 << 41, 10)]


@pytest.mark.parametrize("version", [0, 1, 4])
def test_other_versions_are_passed_over(version: int, tmp_path: Path) -> None:
    version_2(tmp_path, [(1, [])])
    (path,) = tmp_path.iterdir()
    data = bytearray(path.read_bytes()[:-32])
    data[8] = version
    path.write_bytes(data + sha256(data).digest())
    (found,) = read_snapshots(tmp_path)
    assert isinstance(found, SnapshotError)
    assert f"version {version}" in str(found)
