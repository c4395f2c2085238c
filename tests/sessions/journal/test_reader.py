"""Telling an end from damage: what never happened, what was lost, and what is still to come."""

from __future__ import annotations

import os
import re
import threading
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest

from sessions.journal import Batch, Durability, Journal, JournalError, Kind, Reader, open_segments
from sessions.journal.records import BATCH_MARK, FORMATS
from sessions.journal.segment import Segment
from tests.sessions.journal.support import (
    BATCHES,
    EXPECTED,
    FILE_HEADER,
    ROOM,
    V1_HEADER,
    contents,
    filled,
    kill,
    message,
    opened,
    read,
    recovered,
    restore,
    shown,
    stamps,
    v1_batch,
    v1_file,
    why_not,
    write,
)

SMALL = 4_000
IN_FILE = (1 << 40) - 1
NAME = "journal-000001.seamark"
GARBAGE = bytes(range(1, 256))


def in_file(ends: list[int]) -> list[int]:
    """Where batches begin in a file, and the last ends, from the offsets behind them."""
    return [FILE_HEADER, *(end & IN_FILE for end in ends)]


# --- a torn tail --------------------------------------------------------------------------


@pytest.mark.parametrize("tail", ["zeros", "garbage", "nothing"])
def test_a_last_batch_cut_anywhere_never_happened(tmp_path: Path, tail: str) -> None:
    *_, before, whole = in_file(filled(tmp_path, BATCHES[:3], is_killed=True))
    data = contents(tmp_path)[NAME]
    for cut in range(before, whole):
        rest = bytes(len(data) - cut)
        if tail == "garbage":
            rest = (GARBAGE * 2)[: whole + 50 - cut] + bytes(len(data) - whole - 50)
        restore(tmp_path, {NAME: data[:cut] + rest})
        journal = opened(tmp_path)
        assert read(journal) == EXPECTED[:2], cut
        assert journal.was_torn is (cut > before or tail == "garbage"), cut
        write(journal, 5_000, [(Kind.DOWN, 1, 0, 9, b"again")])
        kill(journal)
        again = (5_000, [(Kind.DOWN, 1, 0, 9, b"again", 2)])
        assert recovered(tmp_path) == [*EXPECTED[:2], again], cut
        left = contents(tmp_path)[NAME]
        assert left[:before] == data[:before], "what is whole is not touched"


def test_a_last_batch_of_which_any_page_is_missing_never_happened(tmp_path: Path) -> None:
    *_, before, whole = in_file(filled(tmp_path, [message(1), message(2, 20_000)], is_killed=True))
    data = contents(tmp_path)[NAME]
    for page in range(before // 4096, (whole - 1) // 4096 + 1):
        begin, end = max(page * 4096, before), (page + 1) * 4096
        restore(tmp_path, {NAME: data[:begin] + bytes(end - begin) + data[end:]})
        assert stamps(recovered(tmp_path)) == [1], page


@pytest.mark.parametrize("tail", ["zeros", "garbage"])
def test_an_end_torn_in_two_segments_never_happened(tmp_path: Path, tail: str) -> None:
    """The first fills its segment, the second begins the next; neither was durable."""
    journal = Journal(tmp_path, Durability.OS, SMALL)
    for number in range(4):
        write(journal, *message(number, 900))
        before, after = journal.written & IN_FILE, journal.written >> 40
        if number == 2:
            start = before
    assert after == 1
    write(journal, *message(4, 900))
    assert journal.written >> 40 == 2
    kill(journal)
    (first, data), (second, behind) = contents(tmp_path).items()
    room = bytes(1 << 20)  # the first was not cut yet
    for cut in range(start, before, 37):
        rest = bytes(before - cut) if tail == "zeros" else (GARBAGE * 5)[: before - cut]
        restore(tmp_path, {first: data[:cut] + rest + room, second: behind})
        journal = Journal(tmp_path, Durability.FSYNC, SMALL)
        assert stamps(read(journal)) == [0, 1, 2], cut
        assert journal.was_torn
        for number in range(10, 16):
            write(journal, *message(number, 900))
        journal.close()
        assert stamps(recovered(tmp_path, SMALL)) == [0, 1, 2, *range(10, 16)], cut


@pytest.mark.parametrize("length", [1, 47, 48, 49, 4096, (1 << 20) + 5])
def test_a_tail_of_zeros_is_room(tmp_path: Path, length: int) -> None:
    filled(tmp_path, BATCHES)
    data = contents(tmp_path)[NAME]
    restore(tmp_path, {NAME: data + bytes(length)})
    assert recovered(tmp_path) == EXPECTED


def test_an_end_is_tidied_from_behind_so_that_a_second_crash_finds_no_hole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    journal = Journal(tmp_path, Durability.OS, SMALL)
    with monkeypatch.context() as patch:
        patch.setattr(Segment, "complete", lambda segment, end: segment.cut(end + 1_000))
        for number in range(14):
            write(journal, *message(number, 900))
        kill(journal)
    files = contents(tmp_path)
    assert len(files) == 4
    data = files[NAME]
    torn = {**files, NAME: data[:-1_500] + bytes(1_500)}
    unlink, removed = Path.unlink, list[str]()

    def crash_after_one(path: Path, missing_ok: bool = False) -> None:
        if removed:
            raise KeyboardInterrupt
        removed.append(path.name)
        unlink(path, missing_ok)

    restore(tmp_path, torn)
    journal = Journal(tmp_path, Durability.OS, SMALL)
    with monkeypatch.context() as patch:
        patch.setattr(Path, "unlink", crash_after_one)
        with pytest.raises(KeyboardInterrupt):
            read(journal)
    kill(journal)
    assert stamps(recovered(tmp_path, SMALL)) == [0, 1, 2]


# --- damage -------------------------------------------------------------------------------


def flipped(data: bytes, place: int) -> bytes:
    wrong = bytearray(data)
    wrong[place] ^= 1 << (place % 8)
    return bytes(wrong)


@pytest.mark.parametrize("is_killed", [True, False])
def test_a_flipped_bit_in_what_was_durable_stops_the_start(tmp_path: Path, is_killed: bool) -> None:
    """A later batch says so, or the file was cut and so is complete."""
    places = in_file(filled(tmp_path, BATCHES, is_killed=is_killed))
    data = contents(tmp_path)[NAME]
    last = places[-2] if is_killed else places[-1]
    for place in range(FILE_HEADER, last):
        begin = max(start for start in places if start <= place)
        restore(tmp_path, {NAME: flipped(data, place)})
        text = why_not(tmp_path)
        assert f"{tmp_path / NAME} is damaged at byte {begin}:" in text, f"at {place}: {text}"
        assert re.search(r"Nothing was changed\. Restore the file from a copy, or .*--data", text)
        assert "\n" not in text
        assert contents(tmp_path) == {NAME: flipped(data, place)}, f"at {place}"


def test_a_flipped_bit_in_any_segment_stops_the_start(tmp_path: Path) -> None:
    history = [message(n, 300) for n in range(24)]
    ends = filled(tmp_path, history, 2_000, is_killed=True)
    files = contents(tmp_path)
    assert len(files) > 4
    for number, name in enumerate(files, start=1):
        places = [FILE_HEADER, *(end & IN_FILE for end in ends if end >> 40 == number)]
        for place in range(FILE_HEADER, places[-1], 23):
            begin = max(start for start in places if start <= place)
            if number == ends[-1] >> 40 and begin == places[-2]:
                break  # the very last batch: nobody says that it was durable
            wrong = {**files, name: flipped(files[name], place)}
            restore(tmp_path, wrong)
            text = why_not(tmp_path, 2_000)
            assert f"{name} is damaged at byte {begin}:" in text, f"at {place}: {text}"
            assert contents(tmp_path) == wrong, f"{name} at {place}"


def test_a_segment_that_was_cut_is_complete_even_when_it_ends_in_zeros(tmp_path: Path) -> None:
    """The last record of a session that is lost has no payload: its length is four zeros."""
    history = [(1, BATCHES[0][1]), (2, [(Kind.DOWN, 1, 0, 2, b"")])]
    _, before, whole = in_file(filled(tmp_path, history))
    data = contents(tmp_path)[NAME]
    assert data[whole - 4 : whole] == bytes(4)
    for place in range(before, whole):
        restore(tmp_path, {NAME: flipped(data, place)})
        assert f"{NAME} is damaged at byte {before}:" in why_not(tmp_path), place


def test_a_file_that_was_cut_short_stops_the_start(tmp_path: Path) -> None:
    ends = filled(tmp_path, [message(n, 300) for n in range(12)], 2_000)
    files = contents(tmp_path)
    first = [FILE_HEADER, *(end & IN_FILE for end in ends if end >> 40 == 1)]
    for size in range(FILE_HEADER, first[-1], 5):
        wrong = {**files, NAME: files[NAME][:size]}
        restore(tmp_path, wrong)
        assert "is damaged at byte" in why_not(tmp_path, 2_000), size
        assert contents(tmp_path) == wrong, size


def test_the_batches_before_the_damage_are_not_taken_for_all(tmp_path: Path) -> None:
    places = in_file(filled(tmp_path, BATCHES))
    data = contents(tmp_path)[NAME]
    restore(tmp_path, {NAME: flipped(data, places[2] + 40)})
    journal = Journal(tmp_path, Durability.OS, ROOM)
    batches = journal.recover()
    assert shown(next(batches)) == EXPECTED[0]
    assert shown(next(batches)) == EXPECTED[1]
    with pytest.raises(JournalError):
        next(batches)
    journal.close()


def test_a_batch_that_is_missing_there_twice_or_elsewhere_is_noticed(tmp_path: Path) -> None:
    outputs = [(n, [(Kind.SENT, 1, n, 1, b"the same")]) for n in range(1, 5)]
    places = in_file(filled(tmp_path, outputs, is_killed=True))
    data = contents(tmp_path)[NAME]
    one, two, three, four = (data[a:b] for a, b in pairwise(places))
    head, rest = data[:FILE_HEADER], bytes(1_000)
    wrongs = {
        "without the first": (two, three, four),
        "without the second": (one, three, four),
        "the first twice": (one, one, two, three, four),
        "in another order": (one, three, two, four),
    }
    for what, batches in wrongs.items():
        restore(tmp_path, {NAME: head + b"".join(batches) + rest})
        text = why_not(tmp_path)
        assert "is damaged at byte" in text, what
        assert "a batch is missing before this one" in text, what


def test_a_batch_of_another_journal_is_noticed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Even should both have drawn the same seed."""
    monkeypatch.setattr(os, "urandom", lambda size: b"seed")
    filled(tmp_path / "one", BATCHES, is_killed=True)
    places = in_file(filled(tmp_path / "other", [(7, BATCHES[0][1]), *BATCHES[1:]], is_killed=True))
    mixed, other = (contents(tmp_path / name)[NAME] for name in ("one", "other"))
    restore(tmp_path / "one", {NAME: mixed[: places[1]] + other[places[1] :]})
    assert f"damaged at byte {places[1]}: a batch is missing" in why_not(tmp_path / "one")


@pytest.mark.parametrize("ahead", [1, 1 << 50])
def test_a_message_that_looks_like_a_batch_stops_no_start(tmp_path: Path, ahead: int) -> None:
    """A client may send what it likes, a head with a right CRC that says it was durable, too."""
    (end,) = filled(tmp_path, BATCHES[:1], is_killed=True)
    forged, _ = FORMATS[2].pack(b"", 0, 1, 0, end + ahead, 0, 0)
    assert forged.startswith(BATCH_MARK)
    journal = opened(tmp_path)
    list(journal.recover())
    write(journal, 2, [(Kind.COMMAND, 1, 2, 3, b"x" * 100 + forged + b"y" * 5_000)])
    kill(journal)
    data = contents(tmp_path)[NAME]
    torn = journal.written - 2_000 & IN_FILE
    restore(tmp_path, {NAME: data[:torn] + bytes(len(data) - torn)})
    assert recovered(tmp_path) == EXPECTED[:1], "a power cut tore it, so it never happened"


# --- version 1 ----------------------------------------------------------------------------


def test_a_flipped_bit_in_version_1_stops_the_start(tmp_path: Path) -> None:
    starts = [len(V1_HEADER), *v1_file(tmp_path)]
    data = contents(tmp_path)["journal.seamark"]
    for place in range(len(V1_HEADER), starts[-2]):
        begin = max(start for start in starts if start <= place)
        restore(tmp_path, {"journal.seamark": flipped(data, place)})
        assert f"journal.seamark is damaged at byte {begin}:" in why_not(tmp_path), place
        assert contents(tmp_path)["journal.seamark"] == flipped(data, place)


def test_damage_in_version_1_is_seen_when_version_2_has_gone_on(tmp_path: Path) -> None:
    """Also in its last batch, which was durable: the first batch of version 2 says so."""
    starts = [len(V1_HEADER), *v1_file(tmp_path)]
    filled(tmp_path, [message(5), message(6)])
    files = contents(tmp_path)
    data = files["journal.seamark"]
    for place in range(len(V1_HEADER), starts[-1]):
        wrong = {**files, "journal.seamark": flipped(data, place)}
        restore(tmp_path, wrong)
        begin = max(start for start in starts if start <= place)
        assert f"journal.seamark is damaged at byte {begin}:" in why_not(tmp_path), place
        assert contents(tmp_path) == wrong, place


def test_a_batch_of_version_1_at_the_wrong_position_is_noticed(tmp_path: Path) -> None:
    data = V1_HEADER + v1_batch(1, 1, BATCHES[0][1]) + v1_batch(2, 3, BATCHES[2][1])
    restore(tmp_path, {"journal.seamark": data})
    assert "position 2 expected, 3 found" in why_not(tmp_path)


# --- while it is being written ------------------------------------------------------------


class Follower:
    """Reads the journal in a directory on and on, as another process does."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._segments: list[Segment] = []
        self._look()
        self._reader = Reader(self._segments)

    def take(self) -> Iterator[Batch]:
        """What has come since."""
        yield from self._reader.batches()
        self._look()

    def close(self) -> None:
        for segment in self._segments:
            segment.close()

    def _look(self) -> None:
        known = {segment.number for segment in self._segments}
        for segment in open_segments(self._directory, is_writer=False):
            if segment.number in known:
                segment.close()
            else:
                self._segments.append(segment)


@pytest.mark.parametrize("durability", [Durability.OS, Durability.FSYNC])
def test_a_reader_beside_the_writer_sees_whole_batches_in_order(
    tmp_path: Path, durability: Durability
) -> None:
    journal = Journal(tmp_path, durability, SMALL)
    number, is_over = 200, threading.Event()

    def work() -> None:
        for stamp in range(number):
            write(journal, *message(stamp, stamp * 37 % 900))
        is_over.set()

    follower, seen = Follower(tmp_path), list[tuple[int, object]]()
    writer = threading.Thread(target=work)
    writer.start()
    was_over = False
    while not was_over:
        was_over = is_over.is_set()
        seen += map(shown, follower.take())
    writer.join()
    for _ in range(number):  # a look at a time: every one brings the next segment
        seen += map(shown, follower.take())
    follower.close()
    journal.close()
    assert seen == recovered(tmp_path, SMALL)
    assert stamps(seen) == list(range(number))


def test_a_reader_that_was_asleep_between_two_looks_misses_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The writer fills a segment and begins the next while a reader has found the first blank."""
    journal = Journal(tmp_path, Durability.OS, SMALL)
    for number in range(3):
        write(journal, *message(number, 900))
    follower = Follower(tmp_path)
    assert [batch.stamp for batch in follower.take()] == [0, 1, 2]
    blank = Segment.is_blank_from

    def slow(self: Segment, offset: int) -> bool:
        found = blank(self, offset)
        monkeypatch.undo()
        for number in range(3, 6):
            write(journal, *message(number, 900))
        follower._look()
        return found

    monkeypatch.setattr(Segment, "is_blank_from", slow)
    seen = [batch.stamp for _ in range(3) for batch in follower.take()]
    assert seen == [3, 4, 5]
    follower.close()
    journal.close()


def test_a_reader_changes_nothing(tmp_path: Path) -> None:
    filled(tmp_path, BATCHES, is_killed=True)
    files = contents(tmp_path)
    follower = Follower(tmp_path)
    assert [shown(batch) for batch in follower.take()] == EXPECTED
    follower.close()
    assert contents(tmp_path) == files
