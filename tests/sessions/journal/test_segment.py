"""One file of the journal: made, opened, grown, cut, and refused when it is not ours."""

from __future__ import annotations

import errno
import os
import struct
from pathlib import Path
from zlib import crc32

import pytest

from sessions.journal import JournalError, open_segments, segment_path
from sessions.journal.records import FORMATS
from sessions.journal.segment import HEADER_SIZE, OFFSET_BITS, Segment, make_segment
from tests.sessions.journal.support import (
    BATCHES,
    EXPECTED,
    SEED,
    contents,
    filled,
    message,
    recovered,
    restore,
    stamps,
    v1_file,
    why_not,
)

SMALL = 4_000


def failing(code: int) -> object:
    def fail(*arguments: object) -> None:
        raise OSError(code, os.strerror(code))

    return fail


def test_a_new_segment_has_room_is_blank_and_says_its_number(tmp_path: Path) -> None:
    segment = make_segment(tmp_path, 1, 10_000, SEED)
    assert segment.path == segment_path(tmp_path, 1) == tmp_path / "journal-000001.seamark"
    assert segment.base == 1 << OFFSET_BITS
    assert segment.begin == segment.base + HEADER_SIZE
    assert segment.size() >= segment.base + 10_000
    assert segment.is_blank_from(segment.begin)
    segment.close()
    head = struct.pack("<8sIIQI", b"SEAMARKJ", 2, HEADER_SIZE, 1, SEED)
    data = segment.path.read_bytes()
    assert data[:HEADER_SIZE] == head + struct.pack("<I", crc32(head))
    (again,) = open_segments(tmp_path, is_writer=False)
    assert (again.number, again.begin, again.seed) == (1, segment.begin, SEED)
    again.close()


def test_a_segment_that_could_not_be_made_leaves_no_trace(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for call in ("posix_fallocate", "pwrite", "fsync", "rename"):
        with monkeypatch.context() as patch:
            patch.setattr(os, call, failing(errno.ENOSPC))
            with pytest.raises(OSError, match="No space left"):
                make_segment(tmp_path, 1, 1_000, SEED)
        assert list(tmp_path.iterdir()) == [], call


def test_bytes_are_read_at_offsets_of_the_journal(tmp_path: Path) -> None:
    segment = make_segment(tmp_path, 3, 100, SEED)
    offset = (3 << OFFSET_BITS) + 50
    segment.write(offset, b"here")
    assert segment.read(offset, 4) == b"here"
    assert segment.read(offset + 2, 4) == b"re\0\0"
    assert not segment.is_blank_from(offset + 3)
    assert segment.is_blank_from(offset + 4)
    segment.cut(offset + 3)
    assert segment.read(offset, 100) == b"her"
    assert segment.size() == offset + 3
    segment.make_room(offset + 1_000)
    assert segment.size() > offset + 1_000
    assert segment.read(offset, 6) == b"her\0\0\0"
    segment.close()


def test_room_is_taken_where_the_file_system_cannot_reserve(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for code in (errno.EOPNOTSUPP, errno.EINVAL):
        with monkeypatch.context() as patch:
            patch.setattr(os, "posix_fallocate", failing(code))
            segment = make_segment(tmp_path, 1, 10_000, SEED)
        assert segment.size() >= segment.base + 10_000
        segment.close()


@pytest.mark.parametrize(
    ("method", "call", "word"),
    [
        ("sync", "fdatasync", "sync"),
        ("cut", "ftruncate", "cut"),
        ("cut", "fsync", "cut"),
        ("write", "pwrite", "write"),
        ("read", "pread", "read"),
        ("make_room", "posix_fallocate", "grow"),
    ],
)
def test_an_error_of_the_disk_names_the_file_and_what_could_not_be_done(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, method: str, call: str, word: str
) -> None:
    segment = make_segment(tmp_path, 1, 100, SEED)
    arguments = {"sync": (), "write": (segment.begin, b"x"), "read": (segment.begin, 1)}
    with monkeypatch.context() as patch:
        patch.setattr(os, call, failing(errno.EIO))
        with pytest.raises(JournalError, match=f"cannot {word}: Input/output error") as error:
            getattr(segment, method)(*arguments.get(method, (segment.begin,)))
    assert str(segment.path) in str(error.value)
    segment.close()


def test_a_write_that_the_system_splits_is_carried_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = os.pwrite
    monkeypatch.setattr(os, "pwrite", lambda fd, data, at: real(fd, data[:7], at))
    segment = Segment(tmp_path / "x", 1, 2, os.open(tmp_path / "x", os.O_RDWR | os.O_CREAT), SEED)
    segment.write(segment.begin, bytes(range(100)))
    assert segment.read(segment.begin, 200) == bytes(range(100))
    segment.close()


def test_what_heads_further_on_say_is_found_wherever_they_stand(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also where two chunks of the search meet."""
    monkeypatch.setattr("sessions.journal.segment._CHUNK", 256)
    segment = make_segment(tmp_path, 1, 4_000, SEED)
    head, _ = FORMATS[2].pack(b"", 0, 1, 0, 4321, 0, SEED)
    for place in range(64, 600):
        segment.write(segment.begin, bytes(1_000))
        segment.write(segment.begin + place, head)
        assert segment.durable_beyond(segment.begin) == 4321, place
        assert segment.durable_beyond(segment.begin + place + 1) == 0, place
    segment.close()


# --- files that are not what they should be -------------------------------------------------


@pytest.mark.parametrize("content", [b"x", b"x" * 16, b"#!/bin/sh\nexit 0\n" * 10, b"SEAMARK"])
@pytest.mark.parametrize("name", ["journal-000001.seamark", "journal.seamark"])
def test_a_file_of_another_kind_is_left_alone(tmp_path: Path, content: bytes, name: str) -> None:
    (tmp_path / name).write_bytes(content)
    assert why_not(tmp_path) == (
        f"{tmp_path / name} is not part of a Seamark journal; choose another --data"
    )
    assert contents(tmp_path) == {name: content}


def test_a_newer_version_is_not_guessed_at(tmp_path: Path) -> None:
    content = struct.pack("<8sII", b"SEAMARKJ", 3, 0) + b"who knows"
    path = segment_path(tmp_path, 1)
    path.write_bytes(content)
    text = why_not(tmp_path)
    assert f"{path} has format version 3; this Seamark reads up to 2. Start the one that" in text
    assert contents(tmp_path) == {path.name: content}


def test_a_header_with_any_bit_flipped_stops_the_start(tmp_path: Path) -> None:
    filled(tmp_path, BATCHES)
    files = contents(tmp_path)
    ((name, data),) = files.items()
    for place in range(HEADER_SIZE):
        wrong = bytearray(data)
        wrong[place] ^= 1 << place % 8
        restore(tmp_path, {name: bytes(wrong)})
        text = why_not(tmp_path)
        assert name in text, place
        assert "is damaged at byte 0:" in text or "format version" in text or "not part" in text
        assert contents(tmp_path) == {name: bytes(wrong)}, "nothing was changed"
    restore(tmp_path, files)
    assert recovered(tmp_path) == EXPECTED


def test_a_header_that_is_cut_off_stops_the_start(tmp_path: Path) -> None:
    filled(tmp_path, BATCHES)
    ((name, data),) = contents(tmp_path).items()
    for size in range(HEADER_SIZE):
        restore(tmp_path, {name: data[:size]})
        assert name in why_not(tmp_path), size
        assert contents(tmp_path) == {name: data[:size]}


def test_a_segment_that_is_missing_is_missed(tmp_path: Path) -> None:
    filled(tmp_path, [message(n, 900) for n in range(30)], SMALL)
    files = contents(tmp_path)
    assert len(files) > 5
    for name in list(files)[:-2]:
        fewer = {other: data for other, data in files.items() if other != name}
        restore(tmp_path, fewer)
        assert "journal-00000" in why_not(tmp_path, SMALL)
        assert contents(tmp_path) == fewer, f"without {name}: nothing was changed"


def test_the_first_segment_is_missed_even_when_the_rest_is_empty(tmp_path: Path) -> None:
    make_segment(tmp_path, 2, 100, SEED).close()
    files = contents(tmp_path)
    assert "journal-000001.seamark" in why_not(tmp_path)
    assert contents(tmp_path) == files


def test_segments_that_have_changed_places_are_noticed(tmp_path: Path) -> None:
    filled(tmp_path, [message(n, 900) for n in range(30)], SMALL)
    files = contents(tmp_path)
    first, second, third, *_ = files
    for one, other in ((first, second), (second, third)):
        wrong = {**files, one: files[other], other: files[one]}
        restore(tmp_path, wrong)
        assert "says that it is segment" in why_not(tmp_path, SMALL)
        assert contents(tmp_path) == wrong


@pytest.mark.parametrize("count", [1, 30])
def test_a_segment_with_a_new_name_is_noticed(tmp_path: Path, count: int) -> None:
    filled(tmp_path, [message(n, 900) for n in range(count)], SMALL)
    files = contents(tmp_path)
    renamed = {**files, "journal-000077.seamark": files["journal-000001.seamark"]}
    del renamed["journal-000001.seamark"]
    restore(tmp_path, renamed)
    assert "journal-000077.seamark" in why_not(tmp_path, SMALL)
    assert contents(tmp_path) == renamed


@pytest.mark.parametrize("name", ["journal-000001 (copy).seamark", "journal-000077.seamark"])
def test_a_segment_that_is_there_twice_is_noticed(tmp_path: Path, name: str) -> None:
    filled(tmp_path, BATCHES)
    files = contents(tmp_path)
    twice = {**files, name: files["journal-000001.seamark"]}
    restore(tmp_path, twice)
    assert name in why_not(tmp_path)
    assert contents(tmp_path) == twice


def test_a_draft_that_a_crash_has_left_is_no_part_of_the_journal(tmp_path: Path) -> None:
    filled(tmp_path, [message(n, 900) for n in range(3)], SMALL)
    (tmp_path / "journal-000002.new").write_bytes(b"half a header")
    assert stamps(recovered(tmp_path, SMALL)) == [0, 1, 2]


def test_a_path_that_cannot_be_opened_is_named_with_the_reason(tmp_path: Path) -> None:
    v1_file(tmp_path)
    segment_path(tmp_path, 1).mkdir()
    assert why_not(tmp_path) == f"{segment_path(tmp_path, 1)}: Is a directory"
