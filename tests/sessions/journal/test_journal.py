"""The journal as its users see it: whole batches or none, and never a silent loss."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sessions.journal import Durability, Journal, JournalError, Kind, segment_path
from tests.sessions.journal.support import (
    BATCHES,
    END,
    EXPECTED,
    FILE_HEADER,
    ROOM,
    Entry,
    contents,
    filled,
    kill,
    message,
    opened,
    read,
    recovered,
    stamps,
    v1_file,
    why_not,
    write,
)

SMALL = 4_000

entries = st.tuples(
    st.sampled_from(Kind),
    st.integers(0, 2**32 - 1),
    st.integers(0, 2**64 - 1),
    st.integers(0, 2**64 - 1),
    st.binary(max_size=300),
)
histories = st.lists(
    st.tuples(st.integers(0, 2**64 - 1), st.lists(entries, min_size=1, max_size=4)), max_size=30
)


# --- round trip ---------------------------------------------------------------------------


def test_batches_come_back_in_order_and_positions_count_inputs_only(tmp_path: Path) -> None:
    filled(tmp_path, BATCHES)
    journal = Journal(tmp_path, Durability.OS, ROOM)
    assert journal.position == 0
    assert read(journal) == EXPECTED
    assert journal.position == 3
    assert not journal.was_torn
    assert journal.path == tmp_path
    journal.close()


@settings(max_examples=60, deadline=None)
@given(histories, st.integers(100, 2_000), st.booleans())
def test_any_history_comes_back_however_it_is_divided(
    history: list[tuple[int, list[Entry]]], segment_bytes: int, is_killed: bool
) -> None:
    with TemporaryDirectory() as name:
        half = len(history) // 2
        filled(Path(name), history[:half], segment_bytes, is_killed)
        filled(Path(name), history[half:], segment_bytes, is_killed)
        found = recovered(Path(name), segment_bytes)
        assert [(stamp, [one[:5] for one in batch]) for stamp, batch in found] == history


@pytest.mark.parametrize("durability", Durability)
def test_a_payload_is_fetched_at_the_offset_that_add_promised(
    tmp_path: Path, durability: Durability
) -> None:
    journal = Journal(tmp_path, durability, SMALL)
    promised: list[tuple[int, bytes]] = []
    for number in range(30):
        stamp, batch = message(number, 700)
        promised += zip(write(journal, stamp, batch), (entry[4] for entry in batch), strict=True)
        for offset, payload in promised:
            assert journal.fetch(offset, len(payload)) == payload
    journal.close()
    if durability is not Durability.MEMORY:
        journal = Journal(tmp_path, durability, SMALL)
        found = [(r.offset, r.payload) for batch in journal.recover() for r in batch.records]
        assert found == promised
        assert all(journal.fetch(offset, len(payload)) == payload for offset, payload in promised)
        journal.close()


def test_new_batches_follow_those_that_were_recovered(tmp_path: Path) -> None:
    filled(tmp_path, BATCHES)
    journal = opened(tmp_path)
    assert read(journal) == EXPECTED
    (offset,) = write(journal, 9_000, [(Kind.COMMAND, 1, 8, 9, b"later")])
    assert journal.fetch(offset, 5) == b"later"
    assert journal.position == 4
    journal.close()
    assert recovered(tmp_path) == [*EXPECTED, (9_000, [(Kind.COMMAND, 1, 8, 9, b"later", 4)])]


def test_a_batch_of_outputs_alone_moves_no_position(tmp_path: Path) -> None:
    journal = opened(tmp_path)
    for seq in (1, 2, 3):
        write(journal, seq, [(Kind.SENT, 1, seq, 1, b"heartbeat")])
    assert journal.position == 0
    write(journal, 4, [(Kind.UP, 1, 0, 2, b"")])
    journal.close()
    assert [batch[1][0][-1] for batch in recovered(tmp_path)] == [0, 0, 0, 1]


def test_nothing_is_in_the_file_before_commit_and_an_empty_commit_writes_nothing(
    tmp_path: Path,
) -> None:
    path = segment_path(tmp_path, 1)
    journal = opened(tmp_path)
    journal.commit(1)
    for entry in BATCHES[0][1]:
        journal.add(*entry)
    assert not path.read_bytes()[FILE_HEADER:].strip(b"\0")
    journal.commit(1_000)
    written = path.read_bytes()
    journal.commit(1_001)
    assert path.read_bytes() == written
    journal.add(*BATCHES[1][1][0])
    journal.close()
    assert recovered(tmp_path) == EXPECTED[:1], "what was not committed is dropped"


def test_a_journal_in_memory_leaves_nothing_behind(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "none", Durability.MEMORY)
    assert journal.path is None
    for stamp, batch in BATCHES:
        write(journal, stamp, batch)
    assert journal.position == 3
    assert read(journal) == EXPECTED
    journal.close()
    assert not (tmp_path / "none").exists()


def test_the_directory_is_made(tmp_path: Path) -> None:
    filled(tmp_path / "a" / "b", BATCHES)
    assert recovered(tmp_path / "a" / "b") == EXPECTED


# --- segments -----------------------------------------------------------------------------


def test_segments_follow_each_other_and_full_ones_are_cut(tmp_path: Path) -> None:
    journal = opened(tmp_path, SMALL)
    ends = []
    for number in range(20):
        write(journal, *message(number, 900))
        ends.append(journal.written)
    last_of = {end >> 40: end & (1 << 40) - 1 for end in ends}
    assert list(last_of) == list(range(1, len(last_of) + 1))
    for number, end in list(last_of.items())[:-1]:
        assert SMALL <= end < SMALL + 1_100
        assert segment_path(tmp_path, number).stat().st_size == end + END
    journal.close()
    assert stamps(recovered(tmp_path, SMALL)) == list(range(20))


def test_a_batch_may_be_larger_than_a_segment_and_its_spare_room(tmp_path: Path) -> None:
    sizes = [10, 300_000, 10, 5_000, 5_000, 10]
    journal = opened(tmp_path, SMALL)
    for number, size in enumerate(sizes):
        *_, offset = write(journal, *message(number, size))
        text = b"%d " % number + b"x" * size
        assert journal.fetch(offset, len(text)) == text
    kill(journal)
    found = recovered(tmp_path, SMALL)
    assert stamps(found) == list(range(6))
    assert [len(batch[1][1][4]) - 2 for batch in found] == sizes


def test_a_segment_that_was_made_ready_and_not_begun_is_made_anew(tmp_path: Path) -> None:
    filled(tmp_path, [message(n, 900) for n in range(4)], SMALL, is_killed=True)
    assert segment_path(tmp_path, 2).exists(), "the fourth batch has filled the first"
    journal = opened(tmp_path, SMALL)
    assert stamps(read(journal)) == [0, 1, 2, 3]
    for number in range(4, 12):
        write(journal, *message(number, 900))
    journal.close()
    assert stamps(recovered(tmp_path, SMALL)) == list(range(12))


def test_a_clean_close_cuts_the_file_and_the_next_start_goes_on_in_it(tmp_path: Path) -> None:
    (*_, end) = filled(tmp_path, BATCHES[:2])
    path = segment_path(tmp_path, 1)
    assert path.stat().st_size == (end & (1 << 40) - 1) + END
    filled(tmp_path, BATCHES[2:])
    assert list(contents(tmp_path)) == [path.name]
    assert recovered(tmp_path) == EXPECTED


def test_a_crash_leaves_zeros_and_the_next_start_goes_on_before_them(tmp_path: Path) -> None:
    (*_, end) = filled(tmp_path, BATCHES[:2], is_killed=True)
    data = segment_path(tmp_path, 1).read_bytes()
    size = end & (1 << 40) - 1
    assert len(data) > size
    assert not data[size:].strip(b"\0")
    journal = opened(tmp_path)
    assert read(journal) == EXPECTED[:2]
    assert not journal.was_torn
    for stamp, batch in BATCHES[2:]:
        write(journal, stamp, batch)
    kill(journal)
    assert segment_path(tmp_path, 1).read_bytes()[:size] == data[:size]
    assert recovered(tmp_path) == EXPECTED


def test_reading_may_begin_at_a_place_that_was_noted(tmp_path: Path) -> None:
    journal = opened(tmp_path, SMALL)
    places = [journal.place]
    for number in range(12):
        write(journal, *message(number, 900))
        places.append(journal.place)
    journal.close()
    for number, place in enumerate(places):
        journal = opened(tmp_path, SMALL)
        assert journal.holds(place)
        found = [batch.stamp for batch in journal.recover(place)]
        assert found == list(range(number, 12))
        assert journal.position == 12
        journal.close()


# --- version 1 ----------------------------------------------------------------------------


def test_version_1_is_read_and_gone_on_from_in_version_2(tmp_path: Path) -> None:
    v1_file(tmp_path)
    before = (tmp_path / "journal.seamark").read_bytes()
    later = [message(4), message(5)]
    journal = opened(tmp_path)
    assert read(journal) == EXPECTED
    for stamp, batch in later:
        write(journal, stamp, batch)
    assert journal.position == 5
    journal.close()
    assert (tmp_path / "journal.seamark").read_bytes() == before
    found = recovered(tmp_path)
    assert found[:4] == EXPECTED
    assert [batch[1][0][-1] for batch in found[4:]] == [4, 5]
    journal = opened(tmp_path)
    for batch_read in journal.recover():
        for record in batch_read.records:
            assert journal.fetch(record.offset, len(record.payload)) == record.payload
    journal.close()


def test_version_1_without_a_batch_is_gone_on_from(tmp_path: Path) -> None:
    path = tmp_path / "journal.seamark"
    v1_file(tmp_path)
    path.write_bytes(path.read_bytes()[:16])
    filled(tmp_path, BATCHES)
    assert recovered(tmp_path) == EXPECTED


def test_a_last_batch_of_version_1_cut_anywhere_never_happened(tmp_path: Path) -> None:
    *_, before, whole = v1_file(tmp_path / "whole")
    data = (tmp_path / "whole" / "journal.seamark").read_bytes()
    for cut in range(before, whole):
        directory = tmp_path / str(cut)
        directory.mkdir()
        (directory / "journal.seamark").write_bytes(data[:cut])
        filled(directory, BATCHES[3:])
        assert recovered(directory) == EXPECTED


# --- opening ------------------------------------------------------------------------------

_HOLD = """
import sys
from pathlib import Path
from sessions.journal import Durability, Journal
journal = Journal(Path(sys.argv[1]), Durability.OS)
print("held", flush=True)
sys.stdin.read()
"""


def test_a_directory_belongs_to_one_process_and_the_refusal_names_it(tmp_path: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", _HOLD, str(tmp_path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        for durability in (Durability.OS, Durability.FSYNC):
            with pytest.raises(JournalError) as error:
                Journal(tmp_path, durability)
            assert str(error.value) == (
                f"{tmp_path} is in use by another process, pid {holder.pid}; stop that venue or "
                f"choose another --data"
            )
        holder.kill()
    filled(tmp_path, BATCHES)
    assert recovered(tmp_path) == EXPECTED


def test_a_refused_journal_is_unlocked_again(tmp_path: Path) -> None:
    segment_path(tmp_path, 1).write_bytes(b"x" * 100)
    assert "not part of a Seamark journal" in why_not(tmp_path)
    segment_path(tmp_path, 1).unlink()
    filled(tmp_path, BATCHES)
    assert recovered(tmp_path) == EXPECTED


def failing(code: int) -> Callable[..., int]:
    def fail(*arguments: object, **named: object) -> int:
        raise OSError(code, os.strerror(code))

    return fail


def test_a_directory_that_cannot_be_written_is_named_with_the_reason(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    filled(tmp_path, BATCHES)
    monkeypatch.setattr(os, "open", failing(errno.EROFS))
    assert why_not(tmp_path) == f"{tmp_path / 'lock'}: Read-only file system; choose another --data"
    (tmp_path / "file").write_text("")
    text = why_not(tmp_path / "file")
    assert text == f"{tmp_path / 'file' / 'lock'}: File exists; choose another --data"


# --- disks that are full or broken --------------------------------------------------------


def test_a_disk_too_full_for_the_first_segment_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(os, "posix_fallocate", failing(errno.ENOSPC))
        assert why_not(tmp_path) == (f"{tmp_path}: cannot make segment 1: No space left on device")
    assert contents(tmp_path) == {}
    filled(tmp_path, BATCHES)
    assert recovered(tmp_path) == EXPECTED


def test_a_disk_too_full_to_go_on_is_named_and_nothing_is_lost(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    filled(tmp_path, BATCHES)
    with monkeypatch.context() as patch:
        patch.setattr(os, "posix_fallocate", failing(errno.ENOSPC))
        assert "cannot grow: No space left on device" in why_not(tmp_path)
    assert recovered(tmp_path) == EXPECTED


def test_a_batch_that_finds_no_room_has_not_happened(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    journal = opened(tmp_path, SMALL)
    write(journal, *BATCHES[0])
    with monkeypatch.context() as patch:
        patch.setattr(os, "posix_fallocate", failing(errno.ENOSPC))
        with pytest.raises(JournalError, match="cannot grow: No space left on device"):
            write(journal, *message(9, 200_000))
    journal.close()
    assert recovered(tmp_path) == EXPECTED[:1]


def full_device(room: int) -> Callable[[int, memoryview, int], int]:
    """os.pwrite on a disk that has only `room` bytes left."""
    real = os.pwrite

    def write_what_fits(fd: int, data: memoryview, offset: int) -> int:
        nonlocal room
        if not room:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        written = real(fd, data[:room], offset)
        room -= written
        return written

    return write_what_fits


@pytest.mark.parametrize("room", [0, 1, 47, 48, 49, 60])
@pytest.mark.parametrize("is_killed", [False, True])
def test_a_batch_that_is_half_written_has_not_happened(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, room: int, is_killed: bool
) -> None:
    journal = opened(tmp_path)
    write(journal, *BATCHES[0])
    with monkeypatch.context() as patch:
        patch.setattr(os, "pwrite", full_device(room))
        with pytest.raises(JournalError, match="cannot write: No space left on device") as error:
            write(journal, *BATCHES[1])
    assert str(segment_path(tmp_path, 1)) in str(error.value)
    (kill if is_killed else Journal.close)(journal)
    assert recovered(tmp_path) == EXPECTED[:1]


def test_a_sync_that_fails_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    journal = opened(tmp_path)
    write(journal, *BATCHES[0])
    settled = journal.settled
    with monkeypatch.context() as patch:
        patch.setattr(os, "fdatasync", failing(errno.EIO))
        with pytest.raises(JournalError, match="cannot sync: Input/output error"):
            write(journal, *BATCHES[1])
        assert journal.settled == settled
    journal.close()


def test_a_write_that_the_system_splits_is_carried_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    filled(tmp_path, BATCHES[:1])
    real = os.pwrite
    with monkeypatch.context() as patch:
        patch.setattr(os, "pwrite", lambda fd, data, at: real(fd, data[:7], at))
        filled(tmp_path, BATCHES[1:])
    assert recovered(tmp_path) == EXPECTED


def calls_of_a_commit(
    directory: Path, durability: Durability, monkeypatch: pytest.MonkeyPatch
) -> list[str]:
    calls: list[str] = []

    def counted(name: str, real: Callable[..., object]) -> Callable[..., object]:
        def call(*arguments: object) -> object:
            calls.append(name)
            return real(*arguments)

        return call

    journal = Journal(directory, durability)
    with monkeypatch.context() as patch:
        for name in ("pwrite", "fdatasync", "fsync", "ftruncate", "posix_fallocate"):
            patch.setattr(os, name, counted(name, getattr(os, name)))
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
        Durability.FSYNC: ["pwrite", "fdatasync"],
        Durability.OS: ["pwrite"],
        Durability.MEMORY: [],
    }
    for durability, calls in expected.items():
        assert calls_of_a_commit(tmp_path / durability.value, durability, monkeypatch) == calls
