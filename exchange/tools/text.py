"""Messages and times as text that is safe to show: secrets masked, nothing a terminal obeys."""

from __future__ import annotations

import re
from time import gmtime, strftime
from typing import Final

from fix_engine.message import Message, masked
from fix_engine.timestamps import SECOND_NS
from fix_engine.wire import Decoder, Garbled

_SECRET: Final = re.compile(rb"((?:^|\x01)(?:554|925|96)=)[^\x01]*")
_UNPRINTABLE: Final = re.compile(r"[^\x20-\x7e\xa1-\xac\xae-\xff]")


def printable(value: bytes) -> str:
    r"""Bytes as Latin-1, with \xNN for what a terminal would obey instead of show."""
    text = value.decode("latin-1")
    if text.isascii() and text.isprintable():
        return text
    return _UNPRINTABLE.sub(lambda found: f"\\x{ord(found[0]):02x}", text)


class _Reader:
    """One decoder for all messages, since it remembers their shapes."""

    def __init__(self) -> None:
        self._decoder = Decoder(max_message_bytes=1 << 30)

    def read(self, raw: bytes) -> Message | str:
        """The one message that these bytes are, or why they are none."""
        decoder = self._decoder
        found = decoder.feed(raw)
        if len(found) == 1 and isinstance(found[0], Message) and not decoder.buffered:
            return found[0]
        self._decoder = Decoder(max_message_bytes=1 << 30)
        if found and isinstance(found[0], Garbled):
            return found[0].reason
        return f"{len(found)} messages" if found else "it ends before BodyLength (9) says"


message_of: Final = _Reader().read


def pairs_of(raw: bytes) -> list[tuple[bytes, bytes]]:
    """All fields as they stand, also of what is no sound message."""
    pairs = (field.partition(b"=") for field in raw.removesuffix(b"\x01").split(b"\x01"))
    return [(tag, value) for tag, _, value in pairs]


def shown_raw(raw: bytes) -> str:
    """A whole message on one line, "|" for SOH, secrets masked."""
    message = message_of(raw)
    if isinstance(message, Message) and message.shape.has_secrets:
        raw = b"".join(b"%b=%b\x01" % pair for pair in masked(message))
    elif not isinstance(message, Message):
        raw = _SECRET.sub(rb"\1***", raw)
    return printable(raw.replace(b"\x01", b"|"))


def shown_time(stamp: int) -> str:
    """`2026-11-22 16:31:58.123456`, UTC."""
    second, rest = divmod(stamp, SECOND_NS)
    return f"{strftime('%Y-%m-%d %H:%M:%S', gmtime(second))}.{rest // 1000:06d}"


def iso_time(stamp: int) -> str:
    """The same as ISO 8601, to the nanosecond."""
    second, rest = divmod(stamp, SECOND_NS)
    return f"{strftime('%Y-%m-%dT%H:%M:%S', gmtime(second))}.{rest:09d}Z"


def shown_size(size: int) -> str:
    """Bytes as people say them."""
    amount = float(size)
    for unit in ("bytes", "kB", "MB", "GB"):
        if amount < 1000 or unit == "GB":
            return f"{size:,} bytes" if unit == "bytes" else f"{amount:,.1f} {unit}"
        amount /= 1000
    raise AssertionError
