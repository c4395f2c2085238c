"""What a session has sent, as a view of the journal."""

from __future__ import annotations

from pathlib import Path

import pytest

from sessions.journal import Durability, Journal, Kind
from sessions.sent import SentTable
from sessions.store import SentMessages


def stored(messages: list[bytes]) -> SentMessages:
    journal = Journal(Path(), Durability.MEMORY)
    sent = SentMessages(journal)
    for seq, raw in enumerate(messages, 1):
        sent.table.append(seq, journal.add(Kind.SENT, 1, seq, 1, raw), len(raw))
        if seq % 2:
            journal.add(Kind.COMMAND, 2, seq, seq, b"somebody else's")
        journal.commit(seq)
    return sent


def test_messages_come_back_by_number() -> None:
    sent = stored([b"one", b"", b"three", b"four"])
    assert sent.table.last_seq == 4
    assert sent.fetch(1, 4) == [(1, b"one"), (2, b""), (3, b"three"), (4, b"four")]
    assert sent.fetch(2, 3) == [(2, b""), (3, b"three")]
    assert sent.fetch(3, 3) == [(3, b"three")]


@pytest.mark.parametrize(
    ("size", "reads"), [(0, 1), (100, 1), (200_000, 1), (263_000, 2), (1_000_000, 2)]
)
def test_messages_close_together_are_one_read_and_others_are_not_read_with_what_is_between(
    monkeypatch: pytest.MonkeyPatch, size: int, reads: int
) -> None:
    journal = Journal(Path(), Durability.MEMORY)
    sent = SentMessages(journal)
    for seq, raw in enumerate((b"first", b"second"), 1):
        sent.table.append(seq, journal.add(Kind.SENT, 1, seq, 1, raw), len(raw))
        journal.commit(seq)
        journal.add(Kind.COMMAND, 2, seq, seq, b"x" * size)
    journal.commit(3)
    lengths: list[int] = []
    real = journal.fetch

    def counted(offset: int, length: int) -> bytes:
        lengths.append(length)
        return real(offset, length)

    monkeypatch.setattr(journal, "fetch", counted)
    assert sent.fetch(1, 2) == [(1, b"first"), (2, b"second")]
    assert len(lengths) == reads
    assert sum(lengths) < 300_000


def test_a_range_ends_with_the_last_message() -> None:
    sent = stored([b"one", b"two"])
    assert sent.fetch(2, 9) == [(2, b"two")]
    assert sent.fetch(3, 9) == []
    assert SentMessages(Journal(Path(), Durability.MEMORY)).table.last_seq == 0


def test_numbers_ascend() -> None:
    sent = stored([b"one"])
    for wrong in (0, 1):
        with pytest.raises(AssertionError, match=f"sent {wrong} after 1"):
            sent.table.append(wrong, 0, 0)


def offsets_of(sent: SentMessages) -> list[int]:
    return list(sent.table.offsets)


@pytest.mark.parametrize("kept_from", [1, 2, 3, 5])
def test_what_was_forgotten_is_left_out_and_the_rest_keeps_its_numbers(kept_from: int) -> None:
    raws = [b"one", b"two", b"three", b"four"]
    sent = stored(raws)
    behind = [*offsets_of(sent), 1 << 50]
    sent.table.forget_before(behind[kept_from - 1])
    assert sent.table.first_seq == kept_from
    assert sent.table.last_seq == 4
    kept = [(seq, raw) for seq, raw in enumerate(raws, 1) if seq >= kept_from]
    assert sent.fetch(1, 4) == kept
    assert sent.fetch(1, 99) == kept
    assert sent.fetch(1, kept_from - 1) == []
    assert sent.fetch(kept_from, 4) == kept
    assert sent.fetch(4, 4) == kept[-1:]


def test_an_offset_between_two_messages_keeps_the_later_one() -> None:
    sent = stored([b"one", b"two"])
    first, second = offsets_of(sent)
    sent.table.forget_before(first + 1)
    assert sent.fetch(1, 2) == [(2, b"two")]
    sent.table.forget_before(first)
    sent.table.forget_before(second)
    assert sent.fetch(1, 2) == [(2, b"two")], "nothing is forgotten twice"


def test_numbers_go_on_behind_what_was_forgotten() -> None:
    sent = stored([b"one", b"two"])
    sent.table.forget_before(1 << 50)
    assert (sent.table.first_seq, sent.table.last_seq) == (3, 2)
    with pytest.raises(AssertionError, match="sent 1 after 2"):
        sent.table.append(1, 0, 0)
    sent.table.append(3, 1 << 51, 5)
    assert (sent.table.first_seq, sent.table.last_seq) == (3, 3)


def test_a_table_is_taken_up_with_its_numbers() -> None:
    journal = Journal(Path(), Durability.MEMORY)
    offset = journal.add(Kind.SENT, 1, 41, 1, b"forty-one")
    journal.commit(1)
    table = SentTable()
    table.append(41, offset, 9)
    sent = SentMessages(journal, table)
    assert sent.table.last_seq == 41
    assert sent.fetch(1, 50) == [(41, b"forty-one")]
    assert sent.fetch(1, 40) == []


def test_an_empty_table_that_has_a_last_number_is_taken_up_too() -> None:
    table = SentTable()
    table.append(41, 100, 9)
    table.forget_before(1 << 50)
    assert len(table) == 0
    sent = SentMessages(Journal(Path(), Durability.MEMORY), table)
    assert (sent.table.first_seq, sent.table.last_seq) == (42, 41)
