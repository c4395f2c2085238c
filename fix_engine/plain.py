"""The wire codec in plain Python, the reference: bytes to messages and back.

What runs is chosen by `codec.py` and imported from `wire.py`. It may be the compiled one, which
does the same, byte for byte, or leaves it to this one.

Where a message ends. BodyLength (9) says; CheckSum (10) must stand there. When it does not, the
message reaches to the first CheckSum field at or after that place and is garbled as a whole, so
that the stream never loses its footing. FIX 4.4 Volume 2, "Garbled message processing": the
first three fields are BeginString, BodyLength and MsgType; BodyLength and CheckSum are right; a
message for which this does not hold is ignored, its MsgSeqNum not counted.

The fast path takes a message with exactly one "=" per field and no Length/data pair; everything
else is walked field by field. A shape that comes again and again gets a pattern of its own, which
finds all of such a message at once; what it does not match goes the usual way.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final
from zlib import adler32

from fix_engine.message import Message, Shape
from fix_engine.tags import DATA_LENGTHS, FIX44, SOH

MAX_MESSAGE_BYTES: Final = 64 * 1024  # a client that needs more is told so by Logout
MAX_FIELDS: Final = 2_000
_MAX_SHAPES: Final = 2_048  # peers that vary their tags must not grow our memory
_MAX_SHAPE_FIELDS: Final = 128
_MAX_MSG_TYPE_BYTES: Final = 16
_OFTEN: Final = 32  # messages of a shape; then a pattern is worth being compiled
# Where MsgType stands in most messages, those with a BodyLength of three digits
_HINT_FROM: Final = len(b"8=FIX.4.4|9=123|")
_HINT_TO: Final = _HINT_FROM + len(b"35=AE")
_BEFORE_TYPE: Final = len(b"35=")
_MAX_LIKELY: Final = 64  # beginnings; there are fewer types of messages that anybody sends
_CHECKSUM_BLOCK: Final = 256  # 256 * 255 < 65,521, the modulus of Adler-32
_CHECKSUM_ASCII: Final = 515  # 515 * 127, likewise

_PREFIX: Final = b"8=" + FIX44 + b"\x019="
_MARK: Final = b"8=FIX"  # where reading resumes after bytes that make no sense
_SEPARATORS: Final = b"=\x01"
_NOT_SEPARATORS: Final = bytes(b for b in range(256) if b not in _SEPARATORS)
_HEAD = re.compile(rb"8=([^\x01]{1,16})\x019=(\d{1,20})\x01")
_TRAILER = re.compile(rb"\x0110=(\d{3})\x01")
_PARTIAL_HEAD = re.compile(rb"8(?:=(?:[^\x01]{1,16}(?:\x01(?:9(?:=\d{0,20})?)?)?)?)?")
_INTEGER = re.compile(rb"-?\d{1,9}")


#: By MsgType and the tags behind it, SOH between.
Shapes = dict[bytes, Shape]
Form = Callable[[tuple[bytes | int, ...]], bytes]


@dataclass(slots=True)
class Garbled:
    """Bytes that are no message: ignored, unless `fatal`, when the stream cannot go on."""

    reason: str
    fatal: bool = False


def checksum(data: bytes) -> int:
    """CheckSum (10): the sum of all bytes modulo 256.

    The low half of Adler-32 is one plus that sum, exact for blocks below its modulus.
    """
    if len(data) <= _CHECKSUM_BLOCK or (len(data) <= _CHECKSUM_ASCII and data.isascii()):
        return (adler32(data) - 1) & 0xFF
    total = 0
    for start in range(0, len(data), _CHECKSUM_BLOCK):
        total += (adler32(data[start : start + _CHECKSUM_BLOCK]) & 0xFFFF) - 1
    return total & 0xFF


def _head(body_length: int) -> tuple[bytes, int]:
    head = b"%b%d\x01" % (_PREFIX, body_length)
    return head, checksum(head)


#: By CheckSum, and by BodyLength up to the longest usual one, each with its share of the CheckSum.
_TRAILERS: Final = tuple(b"10=%03d\x01" % total for total in range(256))
_HEADS: Final = tuple(map(_head, range(1_024)))


def encode(body: bytes) -> bytes:
    """A whole FIX.4.4 message around `body`, the fields from MsgType to the last, SOH included."""
    length = len(body)
    head, share = _HEADS[length] if length < len(_HEADS) else _head(length)
    return head + body + _TRAILERS[(checksum(body) + share) & 0xFF]


def encode_shared(head: bytes, shared: bytes, shared_checksum: int) -> bytes:
    """As `encode` of both one after the other, where the sum of the second part is known."""
    begin, share = _head(len(head) + len(shared))
    return begin + head + shared + _TRAILERS[(checksum(head) + share + shared_checksum) & 0xFF]


def encode_numbered(
    msg_type: bytes,
    seq: int,
    before_time: bytes,
    time: bytes,
    after_time: bytes,
    header: bytes,
    body: bytes,
) -> bytes:
    """A message from its parts: fields, encoded, stand on both sides of SendingTime's value."""
    parts = (msg_type, seq, before_time, time, after_time, header, body)
    fields = b"35=%b\x0134=%d%b%b%b%b%b" % parts
    length = len(fields)
    if length >= len(_HEADS):
        return encode(fields)
    head, share = _HEADS[length]  # as `encode` and `checksum` have it, but calls cost
    total = adler32(fields) - 1 if length <= _CHECKSUM_BLOCK else checksum(fields)
    return head + fields + _TRAILERS[(total + share) & 0xFF]


def encode_numbered_shared(
    msg_type: bytes,
    seq: int,
    before_time: bytes,
    time: bytes,
    after_time: bytes,
    own: bytes,
    shared: bytes,
    shared_checksum: int,
) -> bytes:
    """As `encode_numbered`, with fields at the end whose sum is known."""
    head = b"35=%b\x0134=%d%b%b%b%b" % (msg_type, seq, before_time, time, after_time, own)
    return encode_shared(head, shared, shared_checksum)


def form(pattern: bytes) -> Form:
    """What fills a pattern in; it has %b for bytes and %d for integers."""
    return pattern.__mod__


class Decoder:
    """Cuts one connection's bytes into messages, whatever way the network split them.

    Decoders that are given the same `shapes` know what the others have met.
    """

    __slots__ = ("_buffer", "_likely", "_max_fields", "_shapes", "has_more", "max_message_bytes")

    def __init__(
        self,
        max_message_bytes: int = MAX_MESSAGE_BYTES,
        max_fields: int = MAX_FIELDS,
        shapes: Shapes | None = None,
    ) -> None:
        self._buffer = b""
        self.max_message_bytes = max_message_bytes
        self._max_fields = max_fields
        self.has_more = False
        self._shapes: Shapes = {} if shapes is None else shapes
        self._likely: dict[bytes, Shape] = {}  # by the bytes where MsgType mostly is

    @property
    def buffered(self) -> int:
        """Bytes that wait for the rest of their message."""
        return len(self._buffer)

    def hold(self, data: bytes) -> None:
        """Keep bytes for the next `feed`."""
        self._buffer += data

    def feed(
        self, data: bytes, at_most: int = sys.maxsize, bytes_at_most: int = sys.maxsize
    ) -> list[Message | Garbled]:
        """What is complete after `data`, in order.

        Stops after `at_most` messages, or with the one that reaches `bytes_at_most`; then
        `has_more` and the rest waits for the next call. After a fatal Garbled the rest of the
        bytes there were is dropped.
        """
        buffer = self._buffer + data if self._buffer else data
        out: list[Message | Garbled] = []
        position, size = 0, len(buffer)
        while position < size and len(out) < at_most and position < bytes_at_most:
            position, is_waiting = self._step(buffer, position, out)
            if is_waiting:
                break
        self.has_more = position < size and (len(out) >= at_most or position >= bytes_at_most)
        self._buffer = buffer[position:]
        return out

    def _step(self, buffer: bytes, position: int, out: list[Message | Garbled]) -> tuple[int, bool]:
        """Take one message, or bytes that are none; true when more must arrive first."""
        likely = self._likely.get(buffer[position + _HINT_FROM : position + _HINT_TO])
        if likely is not None and (match := likely.pattern.match(buffer, position)) is not None:
            raw, length, after = match[0], int(match[1]), match.end()
            if (
                match.start(2) - _BEFORE_TYPE + length + 7 == after
                and length <= self.max_message_bytes
                and raw.endswith(_TRAILERS[checksum(raw[:-7])])
            ):
                _, *values, _ = match.groups()
                out.append(Message(FIX44, likely, values, raw))
                return after, False
        head, size = _HEAD.match(buffer, position), len(buffer)
        if head is None:
            return _skip(buffer, position, out)
        body, length = head.end(), int(head[2])
        end = body + length  # where 10= should begin
        if length > self.max_message_bytes:
            limit = f"is over the limit of {self.max_message_bytes} bytes"
            out.append(Garbled(f"BodyLength (9) {length} {limit}", fatal=True))
            return size, False
        if end + 7 > size:
            return position, True
        trailer = _TRAILER.match(buffer, end - 1)
        if trailer is not None:
            raw = buffer[position : end + 7]
            message = self._message(head[1], raw, body - position, int(trailer[1]))
            if isinstance(message, Message):
                self._meet(message.shape, raw)
            out.append(message)
            return end + 7, False
        found = buffer.find(b"\x0110=", end - 1)
        after = buffer.find(SOH, found + 4) + 1 if found >= 0 else 0
        if after:
            out.append(Garbled("CheckSum (10) does not stand where BodyLength (9) ends"))
            return after, False
        if size - end > self.max_message_bytes:
            out.append(Garbled("no CheckSum (10) follows where BodyLength (9) ends", fatal=True))
            return size, False
        return position, True

    def _message(
        self, begin_string: bytes, raw: bytes, body: int, claimed: int
    ) -> Message | Garbled:
        found = checksum(raw[:-7])
        if found != claimed:
            return Garbled(f"CheckSum (10) is {found:03}, the message says otherwise")
        fields = raw[body:-7]
        separators = fields.translate(None, _NOT_SEPARATORS)
        if separators and separators == _SEPARATORS * (len(separators) >> 1):
            parts = fields.replace(b"=", SOH).split(SOH)
            parts[0] = parts[1]  # a shape is known by its MsgType and the tags that follow
            shape = self._shapes.get(SOH.join(parts[:-1:2]))
            if shape is not None and fields.startswith(b"35="):
                return Message(begin_string, shape, parts[1::2], raw)
        return self._walked(begin_string, fields, raw)

    def _meet(self, shape: Shape, raw: bytes) -> None:
        """Expect more of a shape that has been met often; not of one with a length and data."""
        shape.met += 1
        if shape.met > _OFTEN and shape.is_remembered:
            if len(self._likely) >= _MAX_LIKELY:
                self._likely.clear()
            self._likely[raw[_HINT_FROM:_HINT_TO]] = shape

    def _walked(self, begin_string: bytes, fields: bytes, raw: bytes) -> Message | Garbled:
        """The slow, exact path: Length/data pairs, and values with "=" in them."""
        sequence: list[bytes] = []
        values: list[bytes] = []
        position, data_tag, data_length = 0, b"", 0
        while position < len(fields):
            equals = fields.find(b"=", position)
            if equals < 0:
                return Garbled("a field without '='")
            tag = fields[position:equals]
            if tag == data_tag:
                stop = equals + 1 + data_length
                if fields[stop : stop + 1] != SOH:
                    return Garbled(f"data field {tag.decode('latin-1')} does not fit its length")
            else:
                stop = fields.find(SOH, equals)
            value = fields[equals + 1 : stop]
            data_tag = b""
            if tag in DATA_LENGTHS and value.isdigit() and len(value) < 9:
                data_tag, data_length = DATA_LENGTHS[tag], int(value)
            sequence.append(tag)
            values.append(value)
            position = stop + 1
        return self._shaped(begin_string, tuple(sequence), values, raw)

    def _shaped(
        self, begin_string: bytes, sequence: tuple[bytes, ...], values: list[bytes], raw: bytes
    ) -> Message | Garbled:
        if not sequence or sequence[0] != b"35":
            return Garbled("MsgType (35) is not the third field")
        if not 1 <= len(values[0]) <= _MAX_MSG_TYPE_BYTES:
            return Garbled(f"MsgType (35) has {len(values[0])} characters")
        if len(sequence) > self._max_fields:
            return Garbled(f"{len(sequence)} fields, the limit is {self._max_fields}", fatal=True)
        key = SOH.join((values[0], *sequence[1:]))
        shape = self._shapes.get(key)
        if shape is None or len(shape.tags) != len(sequence):  # SOH within what should be a tag
            for tag in sequence:
                if _INTEGER.fullmatch(tag) is None:
                    return Garbled("a tag that is not a number")  # it may be half of a secret
            is_plain = DATA_LENGTHS.keys().isdisjoint(sequence)
            shape = Shape(values[0], sequence, is_plain and len(sequence) <= _MAX_SHAPE_FIELDS)
            if shape.is_remembered:
                if len(self._shapes) >= _MAX_SHAPES:
                    self._shapes.clear()
                self._shapes[key] = shape
        return Message(begin_string, shape, values, raw)


def _skip(buffer: bytes, position: int, out: list[Message | Garbled]) -> tuple[int, bool]:
    """Pass over what begins no message; true when the beginning of one may be arriving."""
    partial = _PARTIAL_HEAD.match(buffer, position)
    if partial is not None and partial.end() == len(buffer):
        return position, True
    found = buffer.find(_MARK, position + 1)
    if found < 0:
        found = len(buffer)
        for keep in range(min(len(_MARK) - 1, found - position - 1), 0, -1):
            if buffer.endswith(_MARK[:keep]):
                found -= keep
                break
    out.append(Garbled(f"{found - position} bytes that begin no FIX message"))
    return found, False
