"""What a session has sent, as a view of the journal."""

from __future__ import annotations

from pathlib import Path

import pytest

from sessions.journal import Durability, Journal, Kind
from sessions.store import SentMessages


def stored(messages: list[bytes]) -> SentMessages:
    journal = Journal(Path(), Durability.MEMORY)
    sent = SentMessages(journal)
    for seq, raw in enumerate(messages, 1):
        sent.append(seq, journal.add(Kind.SENT, 1, seq, 1, raw), len(raw))
        if seq % 2:
            journal.add(Kind.COMMAND, 2, seq, seq, b"somebody else's")
        journal.commit(seq)
    return sent


def test_messages_come_back_by_number() -> None:
    sent = stored([b"one", b"", b"three", b"four"])
    assert sent.last_seq == 4
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
        sent.append(seq, journal.add(Kind.SENT, 1, seq, 1, raw), len(raw))
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
    assert SentMessages(Journal(Path(), Durability.MEMORY)).last_seq == 0


def test_numbers_come_without_a_gap() -> None:
    sent = stored([b"one"])
    for wrong in (1, 3):
        with pytest.raises(AssertionError, match=f"sent {wrong} after 1"):
            sent.append(wrong, 0, 0)


def test_a_reset_begins_again_at_one() -> None:
    sent = stored([b"one", b"two"])
    sent.reset()
    assert sent.last_seq == 0
    assert sent.fetch(1, 2) == []
    sent.append(1, 0, 0)
    assert sent.last_seq == 1
