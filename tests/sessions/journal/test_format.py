"""specs/journal.md says what is in the files: its tables are the structs, and it is enough."""

from __future__ import annotations

import ast
import random
import re
import struct
from pathlib import Path

import pytest

from sessions.journal import INPUT_KINDS, Kind, Reader, open_segments, segment_path
from sessions.journal import records as records_module
from sessions.journal import segment as segment_module
from sessions.journal.records import BATCH_MARK, FORMATS, VERSION
from tests.exchange.test_recovery import trade_at_random
from tests.sessions.journal import independent
from tests.sessions.journal.support import (
    BATCHES,
    contents,
    filled,
    kill,
    message,
    opened,
    v1_file,
    write,
)
from tests.support.world import World

PAGE = (Path(__file__).parents[3] / "specs" / "journal.md").read_text()
CODES = {"u8": "B", "u32": "I", "u64": "Q"}


def tables() -> list[list[list[str]]]:
    """The tables of the page, as rows of cells, without their heads."""
    out, rows = [], list[list[str]]()
    for line in [*PAGE.splitlines(), ""]:
        if line.startswith("|"):
            rows.append([cell.strip() for cell in line.strip("|").split("|")])
        elif rows:
            out.append(rows[2:] if rows[1][0] == "---" else rows)
            rows = []
    return out


FILES, HEADER, HEAD, END_MARK, RECORD, KINDS, V1_HEADER, V1_HEAD = tables()


def layout(table: list[list[str]], after: int = 0) -> str:
    """The struct format of a table, from its row `after` on; its offsets must add up."""
    at, out = 0, "<"
    for number, (offset, size, kind, *_) in enumerate(table):
        assert int(offset) == at, table[number]
        code = f"{size}s" if kind == "bytes" else CODES[kind]
        assert struct.calcsize(f"<{code}") == int(size), table[number]
        at += int(size)
        if number >= after:
            out += code
    return out


def names(table: list[list[str]]) -> list[str]:
    return [row[3] for row in table]


def test_the_tables_are_the_structs() -> None:
    crc = records_module._CRC.format.removeprefix("<")
    assert layout(HEADER) == segment_module._HEADER.format + crc
    assert layout(RECORD) == records_module._RECORD.format
    for version, table, marks in ((2, HEAD, 1), (1, V1_HEAD, 0)):
        form = FORMATS[version]
        assert layout(table[:-1], marks) == form._fields.format
        assert sum(int(row[1]) for row in table) == form.head_size
    assert struct.calcsize(layout(END_MARK)) == segment_module._END_SIZE
    assert layout(V1_HEADER) == "<8sII"
    assert sum(int(row[1]) for row in V1_HEADER) == segment_module._V1_HEADER_SIZE
    assert sum(int(row[1]) for row in HEADER) == segment_module.HEADER_SIZE


def test_the_fields_are_in_the_order_of_the_code() -> None:
    head = ["length", "count", "first_position", "stamp", "durable", "chain", "records_crc", "crc"]
    assert names(HEAD) == ["mark", *head]
    assert names(V1_HEAD) == [name for name in head if name not in ("durable", "chain")]
    form = FORMATS[2]
    raw, crc = form.pack(b"12345", 2, 3, 4, 5, 6, 7)
    found = dict(zip(names(HEAD), struct.unpack(layout(HEAD), raw), strict=True))
    assert found["mark"] == BATCH_MARK
    assert [found[name] for name in head[:6]] == [5, 2, 3, 4, 5, 6]
    assert found["crc"] == crc


def test_the_page_has_the_constants_of_the_code() -> None:
    assert f"`{segment_module.MAGIC.decode()}`" in HEADER[0][4]
    assert HEADER[1][4] == str(VERSION)
    assert HEAD[0][4].strip("`") == BATCH_MARK.hex(" ").upper()
    assert END_MARK[0][4].strip("`") == segment_module._END_MARK.hex(" ").upper()
    assert f"left by {segment_module.OFFSET_BITS} bits" in re.sub(r"\s+", " ", PAGE)
    first = (1 << segment_module.OFFSET_BITS) + segment_module.HEADER_SIZE
    assert f"is at offset {first}" in re.sub(r"\s+", " ", PAGE)
    assert segment_path(Path(), 1).name in PAGE
    assert FILES[1][0] == f"`{segment_path(Path(), 0).name}`"


def test_the_page_has_every_kind() -> None:
    told = {int(number): (name, given) for number, name, given, _ in KINDS}
    assert told == {
        kind.value: (kind.name, "yes" if kind in INPUT_KINDS else "no") for kind in Kind
    }
    assert set(independent.INPUTS) == set(INPUT_KINDS)


def test_the_independent_reader_is_independent() -> None:
    tree = ast.parse(Path(independent.__file__).read_text())
    modules = {
        alias.name
        for node in ast.walk(tree)
        if isinstance(node, ast.Import)
        for alias in node.names
    } | {node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    assert modules == {"__future__", "zlib", "pathlib", "typing"}


def ours(directory: Path) -> list[independent.Row]:
    segments = open_segments(directory, is_writer=False)
    out = [
        independent.Row(
            batch.stamp,
            record.kind,
            record.session,
            record.seq,
            record.next_in,
            record.payload,
            record.position,
            record.offset,
        )
        for batch in Reader(segments).batches()
        for record in batch.records
    ]
    for segment in segments:
        segment.close()
    return out


@pytest.mark.parametrize("is_killed", [False, True])
@pytest.mark.parametrize("has_past", [False, True])
def test_a_reader_made_from_the_page_reads_the_same(
    tmp_path: Path, is_killed: bool, has_past: bool
) -> None:
    if has_past:
        v1_file(tmp_path)
    filled(tmp_path, [*BATCHES, *(message(n, n * 31 % 700) for n in range(60))], 4_000, is_killed)
    assert len(contents(tmp_path)) > 4
    found = independent.rows(tmp_path)
    assert found == ours(tmp_path)
    assert len(found) == (14 if has_past else 7) + 120
    for row in found[-20:]:
        data = segment_path(tmp_path, row.offset >> 40).read_bytes()
        at = row.offset & (1 << 40) - 1
        assert data[at : at + len(row.payload)] == row.payload


def test_both_readers_end_before_what_is_unfinished(tmp_path: Path) -> None:
    journal = opened(tmp_path)
    write(journal, *message(1))
    before = journal.written & (1 << 40) - 1
    write(journal, *message(2, 100))
    whole = journal.written & (1 << 40) - 1
    kill(journal)
    ((name, data),) = contents(tmp_path).items()
    for cut in range(before, whole):
        (tmp_path / name).write_bytes(data[:cut] + bytes(whole + 100 - cut))
        found = independent.rows(tmp_path)
        assert found == ours(tmp_path)
        assert {row.stamp for row in found} == {1}, cut


def test_a_day_of_trading_reads_the_same(tmp_path: Path) -> None:
    world = World(tmp_path)
    clients = [world.client(f"C{number}") for number in range(3)]
    trade_at_random(world, clients, random.Random(5), 120)
    world.journal.close()
    found = independent.rows(tmp_path)
    assert found == ours(tmp_path)
    assert {row.kind for row in found} >= {
        Kind.SESSION,
        Kind.SENT,
        Kind.COMMAND,
        Kind.UP,
        Kind.DOWN,
        Kind.NUMBERED,
    }
    assert found[-1].position == world.journal.position


@pytest.mark.parametrize("seed", range(4))
def test_numbers_of_what_was_sent_are_as_the_page_says(seed: int, tmp_path: Path) -> None:
    """They ascend, and pass over no more than the last NUMBERED record allows."""
    world = World(tmp_path)
    clients = [world.client(f"C{number}") for number in range(3)]
    trade_at_random(world, clients, random.Random(seed), 100)
    world.journal.close()
    last: dict[int, int] = {}
    numbered: dict[int, int] = {}
    gaps = 0
    for row in independent.rows(tmp_path):
        if row.kind == Kind.RESET:
            last[row.session] = numbered[row.session] = 0
        elif row.kind == Kind.NUMBERED:
            numbered[row.session] = row.seq
            assert row.payload == b""
        elif row.kind == Kind.SENT:
            expected = last.get(row.session, 0) + 1
            highest = max(expected, numbered.get(row.session, 0) + 1)
            assert expected <= row.seq <= highest, f"seed {seed}"
            gaps += row.seq > expected
            last[row.session] = row.seq
    assert gaps > 3, f"seed {seed}"
