"""Records gathered in C are those gathered in Python, byte for byte."""

from __future__ import annotations

import random
import struct
import tracemalloc
from typing import Any

import pytest

from fix_engine import codec
from sessions.journal import INPUT_KINDS
from sessions.journal.gathering import PlainRecords, Records

_native = pytest.importorskip("sessions._native")
BOTH: list[Any] = [PlainRecords, _native.Records]


@pytest.mark.parametrize("seed", range(20))
def test_both_gather_the_same(seed: int) -> None:
    chance = random.Random(seed)
    plain, native = PlainRecords(INPUT_KINDS), _native.Records(INPUT_KINDS)
    for _ in range(200):
        if chance.random() < 0.02:
            plain.begin = native.begin = chance.randrange(1 << 40)
        entry = (
            chance.choice((*INPUT_KINDS, chance.randrange(256))),
            chance.choice((0, 1, chance.randrange(1 << 32), (1 << 32) - 1)),
            chance.choice((0, chance.randrange(1 << 64), (1 << 64) - 1)),
            chance.choice((1, chance.randrange(1 << 64), (1 << 63))),
            chance.randbytes(chance.choice((0, 1, chance.randrange(400), 70_000))),
        )
        assert plain.add(*entry) == native.add(*entry), (seed, entry[:4])
        assert plain.count == native.count
        assert plain.position == native.position
        if chance.random() < 0.05:
            assert plain.take() == native.take(), seed
            assert plain.count == native.count == 0
    assert plain.take() == native.take(), seed
    assert plain.take() == native.take() == b""


@pytest.mark.parametrize("records", BOTH)
@pytest.mark.parametrize(
    "entry",
    [
        *((256, 1, 1, 1, b""), (-1, 1, 1, 1, b""), (1, 1 << 32, 1, 1, b"")),
        *((1, 1, 1 << 64, 1, b""), (1, 1, 1, -1, b""), (1, 1, 1, 1 << 70, b"")),
    ],
)
def test_numbers_that_do_not_fit_are_refused_and_leave_nothing(
    records: Any, entry: tuple[int, int, int, int, bytes]
) -> None:
    gathered = records(INPUT_KINDS)
    with pytest.raises((OverflowError, struct.error)):
        gathered.add(*entry)
    assert gathered.take() == b""
    assert gathered.position == 0


def test_other_things_than_numbers_and_bytes_are_refused() -> None:
    gathered = _native.Records(INPUT_KINDS)
    for entry in ((1.5, 1, 1, 1, b""), (1, 1, 1, 1, "text"), (1, 1, 1), (1,) * 4 + (b"",) * 2):
        with pytest.raises((TypeError, OverflowError)):
            gathered.add(*entry)
    assert gathered.count == 0


@pytest.mark.parametrize("records", BOTH)
def test_without_a_payload_it_is_empty(records: Any) -> None:
    one, other = records(INPUT_KINDS), records(INPUT_KINDS)
    assert one.add(1, 2, 3, 4) == other.add(1, 2, 3, 4, b"")
    assert one.take() == other.take() != b""


@pytest.mark.parametrize("inputs", [(256,), ("kind",), (-1,), 5])
def test_inputs_are_kinds(inputs: Any) -> None:
    with pytest.raises((TypeError, OverflowError)):
        _native.Records(inputs)


def test_memory_of_a_large_batch_is_given_back() -> None:
    gathered = _native.Records(INPUT_KINDS)
    tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        gathered.add(1, 1, 1, 1, bytes(8 << 20))
        gathered.take()
        assert tracemalloc.get_traced_memory()[0] - before < 1 << 20
    finally:
        tracemalloc.stop()


def test_the_choice_is_that_of_the_codec() -> None:
    assert (Records is PlainRecords) is not codec.IS_COMPILED


@pytest.mark.parametrize("at", range(4))
@pytest.mark.parametrize("wrong", ["1", None, 1.5, b"1"])
def test_what_is_no_number_is_refused(at: int, wrong: object) -> None:
    records = _native.Records(INPUT_KINDS)
    entry: list[object] = [1, 2, 3, 4]
    entry[at] = wrong
    with pytest.raises(TypeError):
        records.add(*entry)
    assert records.take() == b""
