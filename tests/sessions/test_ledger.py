"""What the journal says of sessions, record by record."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import pytest

from sessions.journal import Batch, Durability, Journal, Kind
from sessions.ledger import Ledger, SessionState
from tests.sessions.journal.support import Entry, write

ONE: tuple[int, list[Entry]] = (
    1_000,
    [(Kind.SESSION, 1, 0, 1, b"ONE"), (Kind.UP, 1, 0, 2, b"Y"), (Kind.SENT, 1, 1, 2, b"logon")],
)


def journal_of(history: Iterable[tuple[int, list[Entry]]]) -> Journal:
    journal = Journal(Path(), Durability.MEMORY)
    for stamp, entries in history:
        write(journal, stamp, entries)
    return journal


def batches_of(journal: Journal) -> list[Batch]:
    return list(journal.recover())


def ledger_of(*history: tuple[int, list[Entry]]) -> tuple[Ledger, Journal]:
    journal, ledger = journal_of(history), Ledger()
    for batch in batches_of(journal):
        ledger.take(batch)
    return ledger, journal


def test_a_session_is_what_its_records_say() -> None:
    ledger, journal = ledger_of(ONE, (2_000, [(Kind.SENT, 1, 2, 5, b"report")]))
    (state,) = ledger
    assert state is ledger[1]
    assert (state.number, state.comp_id, state.begun_at) == (1, b"ONE", 1_000)
    assert (state.next_in, state.sent.first_seq) == (5, 1)
    found = [
        journal.fetch(*row) for row in zip(state.sent.offsets, state.sent.lengths, strict=True)
    ]
    assert found == [b"logon", b"report"]


def test_a_reset_begins_both_sequences_and_their_time_again() -> None:
    reset: list[Entry] = [(Kind.RESET, 1, 0, 1, b""), (Kind.SENT, 1, 1, 2, b"again")]
    ledger, journal = ledger_of(ONE, (2_000, reset))
    state = ledger[1]
    assert (state.begun_at, state.next_in, state.sent.first_seq) == (2_000, 2, 1)
    (offset,), (length,) = state.sent.offsets, state.sent.lengths
    assert journal.fetch(offset, length) == b"again"


def test_what_a_logon_leaves_takes_the_place_of_what_was_left_about_the_same() -> None:
    left = (b"proof 10", b"host 127.0.0.1", b"proof 11", b"password x y")
    entries: list[Entry] = [(Kind.CREDENTIAL, 1, 0, 2, memory) for memory in left]
    ledger, _ = ledger_of(ONE, (2_000, entries))
    assert sorted(ledger[1].memories.values()) == [b"host 127.0.0.1", b"password x y", b"proof 11"]


def test_records_of_no_session_say_nothing_of_sessions() -> None:
    ledger, _ = ledger_of((1, [(Kind.RULES, 0, 0, 0, b"{}"), (Kind.DIGEST, 0, 0, 0, b"x" * 16)]))
    assert list(ledger) == []


def test_sessions_are_apart_and_in_the_order_of_their_numbers() -> None:
    two: list[Entry] = [(Kind.SESSION, 2, 0, 1, b"TWO"), (Kind.SENT, 2, 1, 9, b"hello")]
    ledger, _ = ledger_of(ONE, (2_000, two))
    assert [(one.comp_id, one.next_in, len(one.sent)) for one in ledger] == [
        (b"ONE", 2, 1),
        (b"TWO", 9, 1),
    ]


@pytest.mark.parametrize("seq", [1, 3])
def test_a_number_that_does_not_follow_is_no_journal_of_ours(seq: int) -> None:
    with pytest.raises(AssertionError, match=f"sent {seq}, not 2"):
        ledger_of(ONE, (2_000, [(Kind.SENT, 1, seq, 2, b"report")]))


@pytest.mark.parametrize("cut", range(5))
def test_a_ledger_goes_on_from_the_states_of_another(cut: int) -> None:
    history: list[tuple[int, list[Entry]]] = [
        ONE,
        (2_000, [(Kind.CREDENTIAL, 1, 0, 2, b"proof 1"), (Kind.SENT, 1, 2, 3, b"two")]),
        (3_000, [(Kind.SESSION, 2, 0, 1, b"TWO"), (Kind.RESET, 1, 0, 1, b"")]),
        (4_000, [(Kind.SENT, 1, 1, 2, b"one"), (Kind.SENT, 2, 1, 7, b"hello")]),
    ]
    batches = batches_of(journal_of(history))
    whole, first = Ledger(), Ledger()
    for batch in batches:
        whole.take(batch)
    for batch in batches[:cut]:
        first.take(batch)
    second = Ledger(first)
    for batch in batches[cut:]:
        second.take(batch)
    assert list(second) == list(whole)


def state_at(*offsets: int) -> SessionState:
    state = SessionState(1, b"ONE")
    for seq, offset in enumerate(offsets, 4):
        state.sent.append(seq, offset, 7)
    return state


@pytest.mark.parametrize(
    ("offset", "first_seq", "kept"),
    [
        (0, 4, [10, 20, 30]),
        (10, 4, [10, 20, 30]),
        (11, 5, [20, 30]),
        (20, 5, [20, 30]),
        (30, 6, [30]),
        (31, 7, []),
        (1 << 50, 7, []),
    ],
)
def test_what_stands_before_an_offset_is_forgotten(
    offset: int, first_seq: int, kept: list[int]
) -> None:
    ledger = Ledger([state_at(10, 20, 30)])
    ledger.forget_before(offset)
    state = ledger[1]
    assert (state.sent.first_seq, list(state.sent.offsets), len(state.sent.lengths)) == (
        first_seq,
        kept,
        len(kept),
    )
    ledger.forget_before(offset)
    assert state.sent.first_seq == first_seq, "and only once"


def test_numbers_go_on_behind_those_that_were_forgotten() -> None:
    state = state_at(10, 20)
    ledger = Ledger([state])
    ledger.forget_before(1 << 39)
    (batch,) = batches_of(journal_of([(1, [(Kind.SENT, 1, 6, 2, b"next")])]))
    ledger.take(batch)
    assert (state.sent.first_seq, list(state.sent.offsets)) == (6, [batch.records[0].offset])
