"""A reader of journals made from specs/journal.md alone: it shares no code with the journal."""

from __future__ import annotations

import zlib
from pathlib import Path
from typing import NamedTuple


class Row(NamedTuple):
    """One record, with everything that is said of it."""

    stamp: int
    kind: int
    session: int
    seq: int
    next_in: int
    payload: bytes
    position: int
    offset: int  # of the payload


INPUTS = (4, 5, 6, 8, 10, 11)


def rows(directory: Path) -> list[Row]:
    """Every record of a journal that is not damaged; what is unfinished is left out."""
    out: list[Row] = []
    position = chain = 0
    for number, data in segments(directory):
        version = u(data, 8, 4)
        at = u(data, 12, 4) if version == 2 else 16
        if version == 2:
            assert zlib.crc32(data[:28]) == u(data, 28, 4)
            assert u(data, 16, 8) == number
        seed = u(data, 24, 4) if version == 2 else 0
        while (batch := whole_batch(data, at, version, seed)) is not None:
            begin, end, crc = batch
            fields = at + 4 if version == 2 else at
            assert u(data, fields + 8, 8) == position + 1
            if version == 2:
                assert u(data, at + 36, 4) == chain
                chain = crc
            stamp, count = u(data, fields + 16, 8), u(data, fields + 4, 4)
            for _ in range(count):
                kind, length = data[begin], u(data, begin + 21, 4)
                position += kind in INPUTS
                payload = data[begin + 25 : begin + 25 + length]
                session, seq, next_in = (
                    u(data, begin + place, size) for place, size in ((1, 4), (5, 8), (13, 8))
                )
                offset = (number << 40) + begin + 25
                out.append(Row(stamp, kind, session, seq, next_in, payload, position, offset))
                begin += 25 + length
            assert begin == end
            at = end
        stands = ((number << 40) + at).to_bytes(8, "little")
        mark = b"\xf0SME" + zlib.crc32(stands, seed).to_bytes(4, "little")
        rest = data[at:]
        if rest[:8] == mark and version == 2:
            rest = rest[8:]
        if rest.strip(b"\0"):
            break  # unfinished: nothing behind it has happened
    return out


def segments(directory: Path) -> list[tuple[int, bytes]]:
    """Number and content of every file."""
    found = [(int(path.name[8:-8]), path) for path in directory.glob("journal-*.seamark")]
    if (directory / "journal.seamark").exists():
        found.append((0, directory / "journal.seamark"))
    files = [(number, path.read_bytes()) for number, path in sorted(found)]
    assert all(data[:8] == b"SEAMARKJ" for _, data in files)
    assert [number for number, _ in files] == list(range(files[0][0], files[0][0] + len(files)))
    return files


def whole_batch(data: bytes, at: int, version: int, seed: int) -> tuple[int, int, int] | None:
    """Where the records of the batch at a place begin and end, and the CRC of its head."""
    size = 48 if version == 2 else 32
    head = data[at : at + size]
    if len(head) < size or zlib.crc32(head[:-4], seed) != u(head, size - 4, 4):
        return None
    if version == 2 and head[:4] != b"\xf0SMB":
        return None
    begin = at + size
    end = begin + u(head, 4 if version == 2 else 0, 4)
    if end > len(data) or zlib.crc32(data[begin:end]) != u(head, size - 8, 4):
        return None
    return begin, end, u(head, size - 4, 4)


def u(data: bytes, at: int, size: int) -> int:
    """An unsigned integer."""
    return int.from_bytes(data[at : at + size], "little")
