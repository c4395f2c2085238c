"""Records and heads of batches: there and back, and nothing else is taken for one."""

from __future__ import annotations

import struct
from zlib import crc32

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sessions.journal.records import (
    BATCH_MARK,
    FORMATS,
    INPUT_KINDS,
    RECORD_HEADER_SIZE,
    VERSION,
    BatchHeader,
    Kind,
    pack_record,
    unpack_records,
)

U32, U64 = st.integers(0, 2**32 - 1), st.integers(0, 2**64 - 1)
ENTRIES = st.lists(st.tuples(st.sampled_from(Kind), U32, U64, U64, st.binary(max_size=50)))


def packed(entries: list[tuple[Kind, int, int, int, bytes]]) -> bytes:
    return b"".join(pack_record(*entry[:4], len(entry[4])) + entry[4] for entry in entries)


def header(data: bytes, count: int, first_position: int = 1) -> BatchHeader:
    return BatchHeader(len(data), count, first_position, 0, 0, 0, crc32(data), 0)


@given(ENTRIES, U32)
def test_records_come_back_with_their_offsets_and_positions(
    entries: list[tuple[Kind, int, int, int, bytes]], first_position: int
) -> None:
    data = packed(entries)
    records = unpack_records(data, 1_000, header(data, len(entries), first_position))
    position, at = first_position - 1, 1_000
    for entry, record in zip(entries, records, strict=True):
        kind, session, seq, next_in, payload = entry
        position += kind in INPUT_KINDS
        at += RECORD_HEADER_SIZE
        assert (record.kind, record.session, record.seq) == (kind, session, seq)
        assert (record.next_in, record.payload) == (next_in, payload)
        assert (record.offset, record.position) == (at, position)
        at += len(payload)


def test_a_record_longer_than_its_batch_is_refused() -> None:
    data = pack_record(Kind.SENT, 1, 1, 1, 5) + b"four"
    with pytest.raises(ValueError, match="longer than its batch"):
        unpack_records(data, 0, header(data, 1))


@pytest.mark.parametrize("count", [0, 1, 3])
def test_another_number_of_records_than_announced_is_refused(count: int) -> None:
    data = packed([(Kind.UP, 1, 0, 1, b"Y"), (Kind.DOWN, 1, 0, 1, b"")])
    with pytest.raises(ValueError, match=f"2 records where {count} were announced"):
        unpack_records(data, 0, header(data, count))


def test_an_unknown_kind_is_refused() -> None:
    data = struct.pack("<BIQQI", 99, 1, 1, 1, 0)
    with pytest.raises(ValueError, match="99"):
        unpack_records(data, 0, header(data, 1))


@given(st.sampled_from(sorted(FORMATS)), st.binary(max_size=60), U32, U64, U64, U64, U32, U32)
def test_a_head_comes_back(
    version: int,
    records: bytes,
    count: int,
    first: int,
    stamp: int,
    durable: int,
    chain: int,
    seed: int,
) -> None:
    form = FORMATS[version]
    head, crc = form.pack(records, count, first, stamp, durable, chain, seed)
    assert len(head) == form.head_size
    found = form.unpack(head + b"what follows", seed)
    if version == 1:
        durable = chain = 0  # version 1 knows neither
    assert found == BatchHeader(
        len(records), count, first, stamp, durable, chain, crc32(records), crc
    )


@pytest.mark.parametrize("version", sorted(FORMATS))
def test_a_head_with_any_bit_flipped_or_any_byte_missing_is_none(version: int) -> None:
    form = FORMATS[version]
    head, _ = form.pack(b"records", 3, 9, 1_000, 777, 12345, 99)
    for place in range(len(head) * 8):
        wrong = bytearray(head)
        wrong[place // 8] ^= 1 << place % 8
        assert form.unpack(bytes(wrong), 99) is None, place
    for size in range(len(head)):
        assert form.unpack(head[:size], 99) is None, size
    assert form.unpack(bytes(len(head)), 99) is None, "zeros are no head"
    assert form.unpack(head, 98) is None, "it is of another journal"


def test_the_last_version_is_written_and_it_alone_has_mark_and_chain() -> None:
    assert max(FORMATS) == VERSION
    assert [version for version, form in FORMATS.items() if form.is_chained] == [2]
    head, crc = FORMATS[2].pack(b"", 0, 1, 0, 0, 0, 7)
    assert head.startswith(BATCH_MARK)
    assert struct.unpack("<I", head[-4:]) == (crc,)
