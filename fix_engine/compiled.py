"""The compiled codec: what the functions of `_native` need around them in Python.

C takes what nearly every message is like. Whatever it does not take goes through the very code of
the reference, so that there is one place only that says what is garbled, and how.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Final

from fix_engine import plain
from fix_engine._native import (
    Form,
    are_sound,
    checksum,
    encode,
    encode_numbered,
    encode_numbered_shared,
    encode_shared,
    is_boolean,
    is_char,
    is_count,
    is_float,
    is_int,
    is_timestamp,
    numbering,
    parse_timestamp,
    take,
    usual,
)
from fix_engine.message import Message
from fix_engine.plain import Garbled

__all__ = [
    "FORMATS",
    "Decoder",
    "are_sound",
    "checksum",
    "encode",
    "encode_numbered",
    "encode_numbered_shared",
    "encode_shared",
    "form",
    "numbering",
    "parse_timestamp",
    "usual",
]

form = Form
_FLOATS: Final = ("FLOAT", "PRICE", "QTY", "AMT", "PRICEOFFSET", "PERCENTAGE", "QUANTITY")

#: Field type -> format check, for the types that are met in nearly every message.
FORMATS: Final[dict[str, Callable[[bytes], bool]]] = {
    **dict.fromkeys(("INT", "DAYOFMONTH"), is_int),
    **dict.fromkeys(("LENGTH", "SEQNUM", "NUMINGROUP"), is_count),
    **dict.fromkeys(_FLOATS, is_float),
    "CHAR": is_char,
    "BOOLEAN": is_boolean,
    "UTCTIMESTAMP": is_timestamp,
}


class Decoder(plain.Decoder):
    """Cuts one connection's bytes into messages, whatever way the network split them."""

    __slots__ = ()

    def feed(
        self, data: bytes, at_most: int = sys.maxsize, bytes_at_most: int = sys.maxsize
    ) -> list[Message | Garbled]:
        """What is complete after `data`, in order; see the reference."""
        buffer = self._buffer + data if self._buffer else data
        out: list[Message | Garbled] = []
        most, size = self.max_message_bytes, len(buffer)
        position, is_waiting, is_enough = 0, False, False
        while not is_waiting:
            position = take(buffer, position, at_most, bytes_at_most, most, self._shapes, out)
            if position == size:
                self._buffer, self.has_more = b"", False
                return out
            is_enough = len(out) >= at_most or position >= bytes_at_most
            if is_enough:
                break
            position, is_waiting = self._step(buffer, position, out)
        self.has_more = position < size and is_enough
        self._buffer = buffer[position:]
        return out
