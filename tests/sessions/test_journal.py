"""The journal: whole batches or none, and never a silent loss."""

from __future__ import annotations

import errno
import os
import re
import struct
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sessions.journal import FILE_NAME, Durability, Journal, JournalError, Kind

HEADER = 16  # magic, version, reserved

Entry = tuple[Kind, int, int, int, bytes]
Read = tuple[Kind, int, int, int, bytes, int]  # an entry and its position

BATCHES: list[tuple[int, list[Entry]]] = [
    (1_000, [(Kind.SESSION, 1, 0, 1, b"CLIENT"), (Kind.UP, 1, 0, 2, b"Y")]),
    (2_000, [(Kind.SENT, 1, 1, 2, b"8=FIX.4.4\x01...\x00\xff"), (Kind.RESET, 1, 0, 1, b"")]),
    (3_000, [(Kind.COMMAND, 1, 7, 8, b"order"), (Kind.SENT, 1, 1, 8, b"report")]),
    (2**63, [(Kind.DOWN, 1, 0, 2**32 - 1, b"")]),
]
EXPECTED: list[tuple[int, list[Read]]] = [
    (1_000, [(Kind.SESSION, 1, 0, 1, b"CLIENT", 0), (Kind.UP, 1, 0, 2, b"Y", 1)]),
    (2_000, [(Kind.SENT, 1, 1, 2, b"8=FIX.4.4\x01...\x00\xff", 1), (Kind.RESET, 1, 0, 1, b"", 1)]),
    (3_000, [(Kind.COMMAND, 1, 7, 8, b"order", 2), (Kind.SENT, 1, 1, 8, b"report", 2)]),
    (2**63, [(Kind.DOWN, 1, 0, 2**32 - 1, b"", 3)]),
]


def write(journal: Journal, stamp: int, entries: list[Entry]) -> list[int]:
    offsets = [journal.add(*entry) for entry in entries]
    journal.commit(stamp)
    return offsets


def read(journal: Journal) -> list[tuple[int, list[Read]]]:
    return [
        (
            batch.stamp,
            [(r.kind, r.session, r.seq, r.next_in, r.payload, r.position) for r in batch.records],
        )
        for batch in journal.recover()
    ]


def filled(directory: Path, batches: list[tuple[int, list[Entry]]]) -> list[int]:
    """A closed journal of these batches; the size of its file after each."""
    journal = Journal(directory, Durability.OS)
    sizes = []
    for stamp, entries in batches:
        write(journal, stamp, entries)
        sizes.append((directory / FILE_NAME).stat().st_size)
    journal.close()
    return sizes


def recovered(directory: Path, data: bytes | None = None) -> list[tuple[int, list[Read]]]:
    """What a new process reads in this directory, after `data` was put there."""
    if data is not None:
        (directory / FILE_NAME).write_bytes(data)
    journal = Journal(directory, Durability.OS)
    try:
        return read(journal)
    finally:
        journal.close()


# --- round trip ---------------------------------------------------------------------------


def test_batches_come_back_in_order_and_positions_count_inputs_only(tmp_path: Path) -> None:
    filled(tmp_path, BATCHES)
    journal = Journal(tmp_path, Durability.OS)
    assert journal.position == 0
    assert read(journal) == EXPECTED
    assert journal.position == 3
    assert journal.path == tmp_path / FILE_NAME
    journal.close()


@pytest.mark.parametrize("durability", Durability)
def test_a_payload_is_fetched_at_the_offset_that_add_promised(
    tmp_path: Path, durability: Durability
) -> None:
    journal = Journal(tmp_path, durability)
    for stamp, entries in BATCHES:
        for offset, entry in zip(write(journal, stamp, entries), entries, strict=True):
            assert journal.fetch(offset, len(entry[4])) == entry[4]
    journal.close()


def test_recovered_records_know_their_offsets_and_new_ones_follow_them(tmp_path: Path) -> None:
    filled(tmp_path, BATCHES)
    journal = Journal(tmp_path, Durability.OS)
    for batch in journal.recover():
        for record in batch.records:
            assert journal.fetch(record.offset, len(record.payload)) == record.payload
    (offset,) = write(journal, 9_000, [(Kind.COMMAND, 1, 8, 9, b"later")])
    assert journal.fetch(offset, 5) == b"later"
    assert journal.position == 4
    journal.close()
    later = (9_000, [(Kind.COMMAND, 1, 8, 9, b"later", 4)])
    assert recovered(tmp_path) == [*EXPECTED, later]


def test_a_batch_of_outputs_alone_moves_no_position(tmp_path: Path) -> None:
    journal = Journal(tmp_path, Durability.OS)
    for seq in (1, 2, 3):
        write(journal, seq, [(Kind.SENT, 1, seq, 1, b"heartbeat")])
    assert journal.position == 0
    write(journal, 4, [(Kind.UP, 1, 0, 2, b"")])
    journal.close()
    assert [batch[1][0][-1] for batch in recovered(tmp_path)] == [0, 0, 0, 1]


def test_nothing_is_in_the_file_before_commit_and_an_empty_commit_writes_nothing(
    tmp_path: Path,
) -> None:
    elsewhere = tmp_path / "copy"
    elsewhere.mkdir()
    path = tmp_path / FILE_NAME
    journal = Journal(tmp_path, Durability.OS)
    journal.commit(1)
    assert path.stat().st_size == HEADER
    for entry in BATCHES[0][1]:
        journal.add(*entry)
    assert recovered(elsewhere, path.read_bytes()) == []
    journal.commit(1_000)
    assert recovered(elsewhere, path.read_bytes()) == EXPECTED[:1]
    journal.commit(1_001)
    assert recovered(elsewhere, path.read_bytes()) == EXPECTED[:1]
    journal.add(*BATCHES[1][1][0])
    journal.close()
    assert recovered(tmp_path) == EXPECTED[:1], "what was not committed is dropped"


def test_a_journal_in_memory_leaves_nothing_behind(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "none", Durability.MEMORY)
    assert journal.path is None
    for stamp, entries in BATCHES:
        write(journal, stamp, entries)
    assert journal.position == 3
    journal.close()
    assert not (tmp_path / "none").exists()


def test_the_directory_is_made(tmp_path: Path) -> None:
    filled(tmp_path / "a" / "b", BATCHES)
    assert recovered(tmp_path / "a" / "b") == EXPECTED


# --- a torn tail --------------------------------------------------------------------------


def test_a_batch_cut_anywhere_never_happened(tmp_path: Path) -> None:
    *_, before, whole = filled(tmp_path, BATCHES)
    path = tmp_path / FILE_NAME
    data = path.read_bytes()
    assert len(data) == whole
    for cut in range(before, whole):
        assert recovered(tmp_path, data[:cut]) == EXPECTED[:-1], cut
        assert path.read_bytes() == data[:before], f"cut at {cut}: the rest is removed"


def test_after_a_torn_tail_the_journal_goes_on(tmp_path: Path) -> None:
    *_, before, whole = filled(tmp_path, BATCHES)
    path = tmp_path / FILE_NAME
    data = path.read_bytes()
    for cut in range(before, whole):
        path.write_bytes(data[:cut])
        journal = Journal(tmp_path, Durability.OS)
        assert read(journal) == EXPECTED[:-1]
        (offset,) = write(journal, 5_000, [(Kind.DOWN, 1, 0, 9, b"again")])
        assert journal.fetch(offset, 5) == b"again"
        journal.close()
        assert recovered(tmp_path) == [*EXPECTED[:-1], (5_000, [(Kind.DOWN, 1, 0, 9, b"again", 3)])]


def test_a_last_batch_whose_size_alone_reached_the_disk_never_happened(tmp_path: Path) -> None:
    *_, before, whole = filled(tmp_path, BATCHES[:3])
    data = (tmp_path / FILE_NAME).read_bytes()
    header_end = before + 32
    for written in (before, *range(header_end, whole - 1)):
        torn = data[:written] + bytes(whole - written)
        if torn != data:
            assert recovered(tmp_path, torn) == EXPECTED[:2], written


def test_a_last_batch_header_whose_end_is_still_zeros_never_happened(tmp_path: Path) -> None:
    """The end of one disk block can stand inside a batch header, and the next never arrive."""
    *_, before, whole = filled(tmp_path, BATCHES[:3])
    data = (tmp_path / FILE_NAME).read_bytes()
    for written in range(before + 1, before + 32):
        assert recovered(tmp_path, data[:written] + bytes(whole - written)) == EXPECTED[:2], written


@pytest.mark.parametrize("length", [1, 31, 32, 33, 4096, (1 << 20) + 5])
def test_a_tail_of_zeros_never_happened(tmp_path: Path, length: int) -> None:
    filled(tmp_path, BATCHES)
    path = tmp_path / FILE_NAME
    data = path.read_bytes()
    assert recovered(tmp_path, data + bytes(length)) == EXPECTED
    assert path.read_bytes() == data
    journal = Journal(tmp_path, Durability.OS)
    read(journal)
    write(journal, 5_000, [(Kind.DOWN, 1, 0, 9, b"")])
    journal.close()
    assert len(recovered(tmp_path)) == len(EXPECTED) + 1


entries = st.tuples(
    st.sampled_from(Kind),
    st.integers(0, 2**32 - 1),
    st.integers(0, 2**32 - 1),
    st.integers(0, 2**32 - 1),
    st.binary(max_size=40),
)
histories = st.lists(
    st.tuples(st.integers(0, 2**64 - 1), st.lists(entries, min_size=1, max_size=4)), max_size=5
)


@settings(max_examples=60, deadline=None)
@given(histories, st.data())
def test_any_prefix_of_the_file_is_a_prefix_of_the_history(
    history: list[tuple[int, list[Entry]]], data: st.DataObject
) -> None:
    with TemporaryDirectory() as name:
        directory = Path(name)
        sizes = [HEADER, *filled(directory, history)]
        whole = recovered(directory)
        assert [(stamp, [read[:5] for read in batch]) for stamp, batch in whole] == history
        content = (directory / FILE_NAME).read_bytes() if history else b""
        cut = data.draw(st.integers(HEADER, sizes[-1]))
        kept = sum(size <= cut for size in sizes[1:])
        if history:
            assert recovered(directory, content[:cut]) == whole[:kept]


# --- damage -------------------------------------------------------------------------------


def test_a_flipped_bit_in_an_earlier_batch_stops_the_start(tmp_path: Path) -> None:
    sizes = filled(tmp_path, BATCHES)
    path = tmp_path / FILE_NAME
    data = path.read_bytes()
    starts = [HEADER, *sizes]
    for place in range(HEADER, sizes[-2]):
        damaged = bytearray(data)
        damaged[place] ^= 1 << (place % 8)
        begin = max(start for start in starts if start <= place)
        with pytest.raises(JournalError) as error:
            recovered(tmp_path, bytes(damaged))
        message = str(error.value)
        assert str(path) in message, place
        assert f"damaged at byte {begin}:" in message, place
        assert re.search(r"Restore the file from a copy, or .*--data", message), place
        assert "\n" not in message
        assert path.read_bytes() == bytes(damaged), "nothing was changed"


def test_the_batches_before_the_damage_are_not_taken_for_all(tmp_path: Path) -> None:
    sizes = filled(tmp_path, BATCHES)
    data = bytearray((tmp_path / FILE_NAME).read_bytes())
    data[sizes[1] + 40] ^= 1
    (tmp_path / FILE_NAME).write_bytes(data)
    journal = Journal(tmp_path, Durability.OS)
    batches = journal.recover()
    assert next(batches).stamp == 1_000
    assert next(batches).stamp == 2_000
    with pytest.raises(JournalError):
        next(batches)
    journal.close()


def test_a_batch_that_is_missing_or_there_twice_is_noticed(tmp_path: Path) -> None:
    sizes = [HEADER, *filled(tmp_path, BATCHES)]
    data = (tmp_path / FILE_NAME).read_bytes()
    first = data[sizes[0] : sizes[1]]
    twice = data[: sizes[1]] + first + data[sizes[1] :]
    without = data[: sizes[0]] + data[sizes[1] :]
    for wrong, at in ((twice, sizes[1]), (without, sizes[0])):
        with pytest.raises(JournalError, match=f"damaged at byte {at}: expected position"):
            recovered(tmp_path, wrong)


def test_a_flipped_bit_in_the_file_header_stops_the_start(tmp_path: Path) -> None:
    filled(tmp_path, BATCHES)
    path = tmp_path / FILE_NAME
    data = path.read_bytes()
    for place in range(12):  # magic and version; the four bytes behind them mean nothing yet
        damaged = bytearray(data)
        damaged[place] ^= 1 << (place % 8)
        with pytest.raises(JournalError, match=re.escape(str(path))):
            recovered(tmp_path, bytes(damaged))
        assert path.read_bytes() == bytes(damaged), "nothing was changed"


@pytest.mark.parametrize("content", [b"x", b"x" * 16, b"#!/bin/sh\nexit 0\n" * 10])
def test_a_file_that_is_no_journal_is_left_alone(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / FILE_NAME
    with pytest.raises(JournalError, match="is not a Seamark journal; choose another --data"):
        recovered(tmp_path, content)
    assert path.read_bytes() == content


def test_a_later_format_is_not_guessed_at(tmp_path: Path) -> None:
    content = struct.pack("<8sII", b"SEAMARKJ", 2, 0) + b"who knows"
    with pytest.raises(JournalError, match="has format version 2; this Seamark reads 1"):
        recovered(tmp_path, content)
    assert (tmp_path / FILE_NAME).read_bytes() == content


# --- opening ------------------------------------------------------------------------------


def test_a_directory_belongs_to_one_journal_at_a_time(tmp_path: Path) -> None:
    first = Journal(tmp_path, Durability.OS)
    for durability in (Durability.OS, Durability.FSYNC):
        with pytest.raises(JournalError, match=r"in use by another process; .* --data"):
            Journal(tmp_path, durability)
    write(first, *BATCHES[0])
    first.close()
    assert recovered(tmp_path) == EXPECTED[:1]


def test_a_refused_journal_is_unlocked_again(tmp_path: Path) -> None:
    (tmp_path / FILE_NAME).write_bytes(b"x" * 100)
    with pytest.raises(JournalError, match="not a Seamark journal"):
        Journal(tmp_path, Durability.OS)
    (tmp_path / FILE_NAME).unlink()
    filled(tmp_path, BATCHES)
    assert recovered(tmp_path) == EXPECTED


def test_a_path_that_cannot_be_opened_is_named_with_the_reason(tmp_path: Path) -> None:
    (tmp_path / FILE_NAME).mkdir()
    with pytest.raises(JournalError, match="Is a directory; choose another --data") as error:
        Journal(tmp_path, Durability.OS)
    assert str(tmp_path / FILE_NAME) in str(error.value)
    (tmp_path / "file").write_text("")
    with pytest.raises(JournalError, match="choose another --data"):
        Journal(tmp_path / "file", Durability.OS)


# --- writing ------------------------------------------------------------------------------


def full_device(room: int) -> Callable[[int, memoryview], int]:
    """os.write on a disk that has only `room` bytes left."""
    real = os.write

    def write_what_fits(fd: int, data: memoryview) -> int:
        nonlocal room
        if not room:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        written = real(fd, data[:room])
        room -= written
        return written

    return write_what_fits


@pytest.mark.parametrize("room", [0, 1, 31, 32, 40])
def test_a_batch_that_does_not_fit_on_the_disk_is_taken_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, room: int
) -> None:
    path = tmp_path / FILE_NAME
    journal = Journal(tmp_path, Durability.OS)
    write(journal, *BATCHES[0])
    data = path.read_bytes()
    with monkeypatch.context() as patch:
        patch.setattr("sessions.journal.os.write", full_device(room))
        with pytest.raises(JournalError, match="cannot write: No space left on device") as error:
            write(journal, *BATCHES[1])
    assert str(path) in str(error.value)
    assert path.read_bytes() == data
    journal.close()
    assert recovered(tmp_path) == EXPECTED[:1]


def test_a_batch_that_does_not_reach_the_disk_is_taken_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(fd: int) -> None:
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    journal = Journal(tmp_path, Durability.FSYNC)
    write(journal, *BATCHES[0])
    with monkeypatch.context() as patch:
        patch.setattr("sessions.journal.os.fdatasync", fail)
        with pytest.raises(JournalError, match="cannot write: Input/output error"):
            write(journal, *BATCHES[1])
    journal.close()
    assert recovered(tmp_path) == EXPECTED[:1]


def test_a_write_that_the_system_splits_is_carried_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = os.write
    monkeypatch.setattr("sessions.journal.os.write", lambda fd, data: real(fd, data[:7]))
    filled(tmp_path, BATCHES)
    assert recovered(tmp_path) == EXPECTED


def calls_of_a_commit(
    directory: Path, durability: Durability, monkeypatch: pytest.MonkeyPatch
) -> list[str]:
    calls: list[str] = []
    real_write, real_sync = os.write, os.fdatasync

    def counted_write(fd: int, data: memoryview) -> int:
        calls.append("write")
        return real_write(fd, data)

    def counted_sync(fd: int) -> None:
        calls.append("sync")
        real_sync(fd)

    journal = Journal(directory, durability)
    with monkeypatch.context() as patch:
        patch.setattr("sessions.journal.os.write", counted_write)
        patch.setattr("sessions.journal.os.fdatasync", counted_sync)
        for entry in BATCHES[0][1] + BATCHES[1][1]:
            journal.add(*entry)
        assert not calls, "nothing is written before the commit"
        journal.commit(1)
        journal.commit(2)
    journal.close()
    return calls


def test_a_commit_is_one_write_and_with_fsync_one_sync(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = {
        Durability.FSYNC: ["write", "sync"],
        Durability.OS: ["write"],
        Durability.MEMORY: [],
    }
    for durability, calls in expected.items():
        assert calls_of_a_commit(tmp_path / durability.value, durability, monkeypatch) == calls
