"""Where each message stands, against a dictionary that is asked the same."""

from __future__ import annotations

import random
from collections.abc import Callable

import pytest

from sessions.sent import Row, SentTable


class Model:
    """A dictionary of the messages that are kept, and the last number."""

    def __init__(self) -> None:
        self.kept: dict[int, tuple[int, int]] = {}
        self.last_seq = 0

    def rows(self, begin: int, end: int) -> list[Row]:
        return [(seq, *where) for seq, where in self.kept.items() if begin <= seq <= end]

    def forget_before(self, offset: int) -> None:
        self.kept = {seq: where for seq, where in self.kept.items() if where[0] >= offset}


def compare(table: SentTable, model: Model, rng: random.Random, where: str) -> None:
    last = model.last_seq
    assert table.last_seq == last, where
    assert table.first_seq == min(model.kept, default=last + 1), where
    assert len(table) == len(model.kept), where
    assert table.rows(1, last) == model.rows(1, last), where
    assert table.rows(1, 10**15) == model.rows(1, last), where
    for _ in range(10):
        begin, end = rng.randint(1, last + 3), rng.randint(1, last + 3)
        rows, at_most = model.rows(begin, end), rng.randint(0, 5)
        assert table.rows(begin, end) == rows, f"{where}: {begin} to {end}"
        assert table.rows(begin, end, at_most) == rows[:at_most], f"{where}: {begin} to {end}"


def copied(table: SentTable) -> SentTable:
    """What a snapshot makes of it."""
    copy = SentTable()
    copy.last_seq = table.last_seq
    for ours, theirs in zip(copy.columns(), table.columns(), strict=True):
        ours.frombytes(theirs.tobytes())
    return copy


@pytest.mark.parametrize("seed", range(40))
def test_it_is_as_a_dictionary_whatever_is_done_to_it(seed: int) -> None:
    rng = random.Random(seed)
    table, model = SentTable(), Model()
    offset = rng.choice((0, 1 << 40))
    gaps = rng.choice((0.0, 0.05, 0.5, 1.0))
    for step in range(rng.randint(1, 150)):
        what = rng.random()
        if what < 0.85:
            seq = model.last_seq + 1 + (rng.randint(1, 1_000) if rng.random() < gaps else 0)
            length = rng.randint(0, 300)
            table.append(seq, offset, length)
            model.kept[seq], model.last_seq = (offset, length), seq
            offset += length + 25 + rng.randint(0, 100)
        elif what < 0.93:
            stands = [at for at, _ in model.kept.values()] or [offset]
            at = rng.choice((rng.choice(stands), rng.choice(stands) + 1, offset, 0))
            table.forget_before(at)
            model.forget_before(at)
        else:
            again = copied(table)
            assert again == table, f"seed {seed}, step {step}"
            table = again
        compare(table, model, rng, f"seed {seed}, step {step}")


def test_numbers_without_a_gap_are_one_run_and_each_gap_begins_another() -> None:
    table = SentTable()
    for seq in (1, 2, 3, 10, 11, 5_000):
        table.append(seq, seq * 100, 7)
    *_, firsts, starts = table.columns()
    assert (list(firsts), list(starts)) == ([1, 10, 5_000], [0, 3, 5])
    assert table.rows(3, 10) == [(3, 300, 7), (10, 1_000, 7)]
    assert table.rows(4, 9) == []
    assert table.rows(11, 4_999) == [(11, 1_100, 7)]
    assert table.rows(5_001, 9_999) == []


@pytest.mark.parametrize(
    ("offset", "first_seq", "rows"),
    [
        (100, 1, [1, 2, 10, 11, 20]),
        (101, 2, [2, 10, 11, 20]),
        (201, 10, [10, 11, 20]),
        (1_000, 10, [10, 11, 20]),
        (1_001, 11, [11, 20]),
        (1_101, 20, [20]),
        (2_001, 21, []),
    ],
)
def test_forgetting_ends_within_a_run_or_between_two(
    offset: int, first_seq: int, rows: list[int]
) -> None:
    table = SentTable()
    for seq in (1, 2, 10, 11, 20):
        table.append(seq, seq * 100, 7)
    for _ in range(2):
        table.forget_before(offset)
        assert [seq for seq, _, _ in table.rows(1, 99)] == rows
        assert (table.first_seq, table.last_seq) == (first_seq, 20)
    table.append(30, 3_000, 7)
    assert [seq for seq, _, _ in table.rows(1, 99)] == [*rows, 30]
    assert table.first_seq == (rows or [30])[0]


def test_tables_that_forgot_at_different_times_are_equal() -> None:
    one, other = SentTable(), SentTable()
    for table, forgets in ((one, (250, 1_050)), (other, (1_050,))):
        for seq in (1, 2, 3, 10, 11, 20):
            table.append(seq, seq * 100, 7)
        for offset in forgets:
            table.forget_before(offset)
    later = SentTable()
    later.begin_run(11, 1)
    for column, values in zip(later.columns(), ([1_100], [7]), strict=False):
        column.extend(values)
    later.append(20, 2_000, 7)
    assert one == other == later
    assert one.rows(1, 99) == later.rows(1, 99) == [(11, 1_100, 7), (20, 2_000, 7)]


def test_an_empty_table_begins_with_any_number() -> None:
    table = SentTable()
    assert (table.first_seq, table.last_seq, table.rows(1, 9)) == (1, 0, [])
    table.append(7, 0, 1)
    assert (table.first_seq, table.last_seq, table.rows(1, 9)) == (7, 7, [(7, 0, 1)])


@pytest.mark.parametrize(
    "change",
    [
        lambda table: table.append(9, 900, 1),
        lambda table: table.forget_before(101),
        lambda table: setattr(table, "last_seq", 9),
    ],
)
def test_tables_are_equal_when_all_of_them_is(change: Callable[[SentTable], None]) -> None:
    one, other = SentTable(), SentTable()
    for table in (one, other):
        for seq in (1, 2, 5):
            table.append(seq, seq * 100, 7)
    assert one == other
    change(one)
    assert one != other
    assert one != "a table"
