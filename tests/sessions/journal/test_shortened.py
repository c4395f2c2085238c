"""A journal whose first segments are not needed any more."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from sessions.journal import (
    OFFSET_BITS,
    Durability,
    Journal,
    JournalError,
    Place,
    open_segments,
    remove_segments,
    segment_path,
)
from tests.sessions.journal.support import contents, filled, message, shown, write

COUNT = 8


@pytest.fixture(autouse=True)
def quick_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("fsync", "fdatasync"):  # nothing here asks what a loss of power leaves
        monkeypatch.setattr(f"os.{name}", lambda fd: None)


def full_segments(directory: Path) -> None:
    """A batch in each of eight segments, and an empty one behind them."""
    filled(directory, [message(number, 300) for number in range(1, COUNT + 1)], segment_bytes=1)


def opened(directory: Path) -> Journal:
    return Journal(directory, Durability.OS, 1)


def place_behind(directory: Path, count: int) -> Place:
    """Where reading has come to behind so many batches."""
    journal = opened(directory)
    for number, _ in enumerate(journal.recover(), 1):
        if number == count:
            break
    segment = journal._segments[count - 1]
    found = segment.batch_at(segment.begin)
    assert found is not None
    head, batch = found
    journal.close()
    return Place(batch.end, count, head.own_crc, batch.start)


def files(directory: Path) -> list[int]:
    return sorted(int(name[8:14]) for name in contents(directory))


@pytest.mark.parametrize("number", [0, 1, 2, 5, COUNT])
def test_what_is_released_is_read_no_more_and_the_rest_is(number: int, tmp_path: Path) -> None:
    full_segments(tmp_path)
    journal = opened(tmp_path)
    batches = list(journal.recover())
    gone = journal.release_before(number)
    assert [one.number for one in gone] == list(range(1, number))
    assert journal.begin >> OFFSET_BITS == max(number, 1)
    for batch in batches[max(number, 1) - 1 :]:
        for record in batch.records:
            assert journal.fetch(record.offset, len(record.payload)) == record.payload
    assert files(tmp_path) == list(range(1, COUNT + 1)), "nothing is removed yet"
    remove_segments(tmp_path, gone)
    assert files(tmp_path) == list(range(max(number, 1), COUNT + 1))
    assert journal.release_before(number) == []
    (offset, _) = write(journal, 99, message(99)[1])
    assert journal.fetch(offset, 8) == b"99 order"
    journal.close()


def test_more_than_there_is_cannot_be_released(tmp_path: Path) -> None:
    full_segments(tmp_path)
    journal = opened(tmp_path)
    list(journal.recover())
    with pytest.raises(JournalError, match=r"journal-000009\.seamark is missing"):
        journal.release_before(COUNT + 1)
    remove_segments(tmp_path, journal.release_before(4))
    with pytest.raises(JournalError, match=r"journal-000002\.seamark is missing"):
        journal.release_before(2)
    assert journal.begin >> OFFSET_BITS == 4
    journal.close()
    assert files(tmp_path) == list(range(4, COUNT + 1))


@pytest.mark.parametrize("kept_from", [1, 3, 5])
def test_a_shortened_journal_is_read_from_a_place_in_it(kept_from: int, tmp_path: Path) -> None:
    full_segments(tmp_path)
    place = place_behind(tmp_path, 5)
    journal = opened(tmp_path)
    whole = [shown(batch) for batch in journal.recover()]
    remove_segments(tmp_path, journal.release_before(kept_from))
    journal.close()
    again = opened(tmp_path)
    assert again.holds(place)
    assert [shown(batch) for batch in again.recover(place)] == whole[5:]
    assert again.position == COUNT
    write(again, 77, message(77)[1])
    assert again.position == COUNT + 1
    again.close()


@pytest.mark.parametrize("lost", [1, 4, COUNT])
def test_a_lost_beginning_and_no_place_is_an_error_that_names_the_file(
    lost: int, tmp_path: Path
) -> None:
    full_segments(tmp_path)
    for number in range(1, lost + 1):
        segment_path(tmp_path, number).unlink()
    before = contents(tmp_path)
    journal = opened(tmp_path)
    with pytest.raises(JournalError, match=rf"journal-{lost:06d}\.seamark is missing: the journal"):
        list(journal.recover())
    journal.close()
    assert contents(tmp_path) == before


def test_a_place_that_is_gone_is_not_held(tmp_path: Path) -> None:
    full_segments(tmp_path)
    place = place_behind(tmp_path, 3)
    for number in (1, 2, 3):
        segment_path(tmp_path, number).unlink()
    journal = opened(tmp_path)
    assert not journal.holds(place)
    journal.close()


@pytest.mark.parametrize("done", range(5))
def test_an_interrupted_removal_leaves_no_hole(
    done: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    full_segments(tmp_path)
    journal = opened(tmp_path)
    list(journal.recover())
    real, removed = os.unlink, 0

    def unlink(path: Path) -> None:
        nonlocal removed
        if removed == done:
            raise OSError(5, "Input/output error")
        removed += 1
        real(path)

    gone = journal.release_before(5)
    with monkeypatch.context() as patch:
        patch.setattr(os, "unlink", unlink)
        if done < len(gone):
            with pytest.raises(JournalError, match="cannot remove a segment: Input/output error"):
                remove_segments(tmp_path, gone)
        else:
            remove_segments(tmp_path, gone)
    journal.close()
    assert files(tmp_path) == list(range(done + 1, COUNT + 1))
    again = opened(tmp_path)
    remove_segments(tmp_path, again.release_before(5))
    again.close()
    segments = open_segments(tmp_path, is_writer=False)
    assert [one.number for one in segments] == list(range(5, COUNT + 1))
    for one in segments:
        one.close()


def test_a_file_that_is_gone_already_is_removed(tmp_path: Path) -> None:
    full_segments(tmp_path)
    journal = opened(tmp_path)
    list(journal.recover())
    segment_path(tmp_path, 1).unlink()
    remove_segments(tmp_path, journal.release_before(3))
    journal.close()
    assert files(tmp_path) == list(range(3, COUNT + 1))
