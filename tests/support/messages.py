"""FIX messages as people write them: fields with "|" between them."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from fix_engine.dictionary import Dictionary
from fix_engine.message import Message
from fix_engine.wire import Decoder, encode

ROOT = Path(__file__).parents[2]


@cache
def dictionary() -> Dictionary:
    """Our own dictionary, read once."""
    return Dictionary((ROOT / "specs" / "FIX44.xml").read_bytes())


def fix(text: str) -> bytes:
    """`35=0|34=2|` as bytes on the wire: BeginString, BodyLength and CheckSum are added."""
    return encode(text.rstrip("|").encode("latin-1").replace(b"|", b"\x01") + b"\x01")


def show(raw: bytes, without: tuple[str, ...] = ("8", "9", "10", "49", "52", "56", "60")) -> str:
    """A message on one line, "|" for SOH, without the fields that say nothing in a test."""
    fields = raw.decode("latin-1").rstrip("\x01").split("\x01")
    return "|".join(field for field in fields if field.partition("=")[0] not in without)


def as_dict(raw: bytes) -> dict[int, str]:
    """The fields by tag; the last of a repeated one."""
    pairs = (field.partition("=") for field in raw.decode("latin-1").rstrip("\x01").split("\x01"))
    return {int(tag): value for tag, _, value in pairs}


def decode(raw: bytes) -> Message:
    """One whole message, decoded."""
    found = Decoder().feed(raw)
    assert len(found) == 1, f"{len(found)} messages in {raw!r}"
    assert isinstance(found[0], Message), f"{found[0]} in {raw!r}"
    return found[0]
