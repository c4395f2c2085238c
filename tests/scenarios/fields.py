"""FIX messages for scripts: written and taken apart here, not by the codec under test."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Final

from fix_engine.timestamps import SECOND_NS

Fields = list[tuple[str, str]]

_NOW = re.compile(r"<now(?:([+-]\d+(?:\.\d{1,9})?)s)?>")
_HEAD = re.compile(rb"8=FIX\.4\.4\x019=(\d+)\x01(?=35=)")
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


def stamp(now: int) -> str:
    """UTCTimestamp with milliseconds."""
    moment = _EPOCH + timedelta(microseconds=now // 1000)
    return f"{moment:%Y%m%d-%H:%M:%S}.{moment.microsecond // 1000:03}"


def expand(text: str, now: int) -> str:
    """The text with <now>, <now+10s> and <now-0.5s> written out, and <SOH>."""
    text = text.replace("<SOH>", "\x01")
    return _NOW.sub(lambda found: stamp(now + int(Decimal(found[1] or 0) * SECOND_NS)), text)


def from_text(text: str) -> Fields:
    """`35=0|112=x|` as fields."""
    pairs = (part.partition("=") for part in text.removesuffix("|").split("|"))
    return [(tag, value) for tag, _, value in pairs]


def to_text(fields: Fields) -> str:
    """Fields as `35=0|112=x|`."""
    return "".join(f"{tag}={value}|" for tag, value in fields)


def value(fields: Fields, tag: str) -> str:
    """The value of the first field with this tag, "" when there is none."""
    return next((value for name, value in fields if name == tag), "")


def addressed(fields: Fields, **header: str) -> Fields:
    """With the header fields that are not written (t34="2"), behind MsgType; `-` leaves one out."""
    written = {tag for tag, _ in fields}
    added = [(name[1:], value) for name, value in header.items() if name[1:] not in written]
    place = next(place for place, (tag, _) in enumerate(fields) if tag == "35") + 1
    whole = fields[:place] + added + fields[place:]
    return [(tag, value) for tag, value in whole if value != "-"]


def encode(fields: Fields) -> bytes:
    """On the wire, with BeginString, BodyLength and CheckSum as written, or else right."""
    begin = value(fields, "8") or "FIX.4.4"
    body = raw(to_text([field for field in fields if field[0] not in ("8", "9", "10")]))
    head = raw(f"8={begin}|9={value(fields, '9') or len(body)}|") + body
    return head + raw(f"10={value(fields, '10') or f'{sum(head) % 256:03}'}|")


def raw(text: str) -> bytes:
    """The bytes of `text`, with SOH for "|"."""
    return text.replace("|", "\x01").encode("latin-1")


def split(data: bytes) -> tuple[list[Fields], bytes]:
    """The whole messages in `data`, and what is left; their length and sum must be right."""
    found: list[Fields] = []
    while head := _HEAD.match(data):
        end = head.end() + int(head[1])
        if len(data) < end + 7:
            break
        trailer = b"10=%03d\x01" % (sum(data[:end]) % 256)
        assert data[end : end + 7] == trailer, f"wrong BodyLength or CheckSum: {data!r}"
        found.append(from_text(data[: end + 7].decode("latin-1").replace("\x01", "|")))
        data = data[end + 7 :]
    assert _HEAD.match(data) or len(data) < 20, f"no FIX message: {data!r}"
    return found, data
