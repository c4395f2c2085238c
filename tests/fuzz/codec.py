"""Both codecs before the same bytes: whatever the reference makes of them, the compiled one must.

Streams of right, damaged and mutated messages, cut anywhere; and values, one by one. `Duel` raises
DifferentError when the two disagree about a message, its shape, what was garbled and why, the bytes
kept, what is sound, or what is written.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from random import Random
from typing import Any, Final

from fix_engine import codec, plain
from fix_engine.errors import Reject
from fix_engine.logon import SessionSettings
from fix_engine.message import Message, Shape
from fix_engine.outbound import Outbound
from fix_engine.plain import Garbled
from fix_engine.timestamps import Precision, TimestampParser
from fix_engine.usual import usual
from fix_engine.validation import FORMATS, Validator
from tests.fuzz.corpus import NOW, now_text, scenario_messages
from tests.fuzz.generate import Field, Generator, assemble
from tests.fuzz.mutate import VALUES, hostile, mutate, split
from tests.support.messages import dictionary

POOL: Final = 60
EPISODE_INPUTS: Final = 1_500
_HEADER: Final[list[Field]] = [
    *((b"34", b"2"), (b"49", b"PEER"), (b"52", b"20240229-12:00:00"), (b"56", b"SEAMARK")),
]
_NUMBERS: Final = (0, 1, -1, 9, 10, 255, 256, 10**18, 2**63 - 1, 2**63, -(2**63), 10**40, True)
_VALUE_BYTES: Final = b"0123456789-.:Yw N+=\x01\xb2"


class DifferentError(Exception):
    """The codecs disagree."""


@dataclass(slots=True)
class Totals:
    """What was compared."""

    inputs: int = 0
    messages: int = 0
    garbled: int = 0
    rejected: int = 0
    usual: int = 0
    values: int = 0


_SETTINGS: Final = SessionSettings(b"SEAMARK", b"PEER")
_SPECIAL: Final = (b"0", b"1", b"2", b"3", b"4", b"5", b"A")  # of the session layer
_OF_SHAPES = set(Shape.__slots__) - {"met", "_pattern"}  # those are for the reference alone


class Duel:
    """One episode: a pool of messages, a decoder of each codec, and what they are fed."""

    def __init__(self, rng: Random, totals: Totals) -> None:
        self._rng = rng
        self._totals = totals
        self._pool = _pool(rng)
        self._reference = Validator(dictionary(), is_compiled=False)
        self._other = Validator(dictionary(), is_compiled=codec.is_built())
        special = dict.fromkeys(_SPECIAL)
        self._is_usual = usual(_SETTINGS, self._reference, special)
        self._is_usual_too = usual(_SETTINGS, self._other, special)
        self.fed: list[bytes] = []
        self._renew()

    def step(self) -> None:
        """One input to both decoders, and a value to both of everything else."""
        self._totals.inputs += 1
        for piece in split(self._rng, self._input()):
            self._feed(piece)
        self._drain()
        if self._plain.buffered and self._rng.random() < 0.3:
            self._renew()
        self._totals.values += 1
        compare_values(self._rng)

    def _renew(self) -> None:
        most, fields = plain.MAX_MESSAGE_BYTES, plain.MAX_FIELDS
        if self._rng.random() < 0.15:
            most, fields = self._rng.choice((most, 400, 100)), self._rng.choice((fields, 12))
        self._plain = plain.Decoder(most, fields)
        self._compiled = compiled_codec().Decoder(most, fields)
        self._shapes: dict[Shape, Shape] = {}
        self.fed.clear()

    def _input(self) -> bytes:
        rng = self._rng
        if rng.random() < 0.0005:
            return hostile(rng)
        parts = []
        for _ in range(rng.choice((1, 1, 2, 5))):
            raw = rng.choice(self._pool)
            if rng.random() < 0.5:
                raw = mutate(rng, raw, rng.choice(self._pool))[0]
            parts.append(raw)
        return b"".join(parts)

    def _feed(self, data: bytes) -> None:
        limits: tuple[int, ...] = ()
        if self._rng.random() < 0.1:
            limits = (self._rng.randint(0, 3), self._rng.randint(0, 400))
        self.fed.append(data)
        self._compare(self._plain.feed(data, *limits), self._compiled.feed(data, *limits))

    def _drain(self) -> None:
        while self._plain.has_more:
            self._compare(self._plain.feed(b"", 1_000), self._compiled.feed(b"", 1_000))

    def _compare(self, expected: list[Message | Garbled], found: list[Message | Garbled]) -> None:
        same(len(expected), len(found))
        for one, other in zip(expected, found, strict=True):
            if isinstance(one, Message):
                self._totals.messages += 1
                self._compare_messages(one, other)
            else:
                self._totals.garbled += 1
                same(one, other)
        same(self._plain._buffer, self._compiled._buffer)
        same(self._plain.has_more, self._compiled.has_more)
        same(list(self._plain._shapes), list(self._compiled._shapes))

    def _compare_messages(self, one: Message, other: Any) -> None:
        same(type(one), type(other))
        for name in ("begin_string", "msg_type", "raw", "seq", "values"):
            same(getattr(one, name), getattr(other, name))
            same(type(getattr(one, name)), type(getattr(other, name)))
        same([bytes] * len(one.values), [type(value) for value in other.values])
        if one.shape.is_remembered and one.shape in self._shapes:
            same(self._shapes[one.shape] is other.shape, True)
        else:
            for name in _OF_SHAPES:
                same(getattr(one.shape, name), getattr(other.shape, name))
            if one.shape.is_remembered:
                self._shapes[one.shape] = other.shape
        verdict = self._reference.check(one)
        same(verdict, self._other.check(other))
        self._totals.rejected += isinstance(verdict, Reject)
        expected, now = self._circumstances(one)
        is_usual = self._is_usual(one, expected, now)
        same(is_usual, self._is_usual_too(other, expected, now), (one, expected, now))
        self._totals.usual += is_usual

    def _circumstances(self, message: Message) -> tuple[int, int]:
        """The MsgSeqNum that is expected and the time: most messages are usual by them."""
        expected, sent = message.seq, TimestampParser().parse(message.get(b"52") or b"")
        if expected is None or self._rng.random() < 0.1:
            expected = self._rng.choice((0, 1, 2, 3, 10**30))
        late = self._rng.choice((0, 0, 1, -1)) * _SETTINGS.max_latency_ns
        return expected, (sent or 0) + late + self._rng.choice((0, 0, 1, -1))


def _pool(rng: Random) -> list[bytes]:
    generator, texts = Generator(rng, dictionary()), scenario_messages()
    now, pool = now_text().encode(), list[bytes]()
    for n in range(POOL):
        if n % 3 == 0:
            pool.append(plain.encode(rng.choice(texts).replace(NOW, now)))
            continue
        msg_type = rng.choice((b"D", b"F", b"0", generator.msg_type()))
        body = generator.body(msg_type)
        if n % 3 == 1:
            generator.damage(msg_type, body)
        pool.append(assemble(msg_type, generator.header(_HEADER), body, generator.trailer()))
    return pool


def compare_values(rng: Random) -> None:
    """One value of every kind before both codecs."""
    other = compiled_codec()
    value = _value(rng)
    for kind, check in FORMATS.items():
        if kind in other.FORMATS:
            same(check(value) not in (None, False), other.FORMATS[kind](value), (kind, value))
    time = _timestamp(rng)
    expected = TimestampParser().parse(time)
    same(expected, other.parse_timestamp(time), time)
    same(expected is not None, other.FORMATS["UTCTIMESTAMP"](time), time)
    parts = [_text(rng) for _ in range(7)]
    seq, known = rng.choice(_NUMBERS), rng.choice(_NUMBERS)
    for name, arguments in (
        ("checksum", parts[:1]),
        ("encode", parts[:1]),
        ("encode_shared", [*parts[:2], known]),
        ("encode_numbered", [parts[0], seq, *parts[1:6]]),
        ("encode_numbered_shared", [parts[0], seq, *parts[1:6], known]),
    ):
        same(outcome(getattr(plain, name), *arguments), outcome(getattr(other, name), *arguments))
    _compare_numbering(rng)
    kinds = [rng.choice((b"%b", b"%d")) for _ in range(rng.randint(0, 9))]
    pattern = b"".join(b"%d=%b\x01" % (n, kind) for n, kind in enumerate(kinds))
    values = tuple(_text(rng) if kind == b"%b" else rng.choice(_NUMBERS) for kind in kinds)
    if rng.random() < 0.1:
        values = (*values, rng.choice((b"x", 5, "text", None)))[rng.randint(0, 1) :]
    same(
        outcome(plain.form(pattern), values),
        outcome(other.form(pattern), values),
        (pattern, values),
    )


def _compare_numbering(rng: Random) -> None:
    """Two senders that have come to the same number send the same."""
    one, two = (Outbound(b"SEAMARK", b"PEER", Precision.MILLISECONDS) for _ in range(2))
    number = compiled_codec().numbering(two.number, two)
    one.next_seq = two.next_seq = rng.choice(_NUMBERS)
    now = rng.choice((0, 1, 10**18))
    for _ in range(3):
        now += rng.choice((0, 0, 1))
        arguments = (_text(rng), _text(rng), now, *[_text(rng)][: rng.randint(0, 1)])
        same(outcome(one.number, *arguments), outcome(number, *arguments), arguments)
        same((one.next_seq, one.last_sent), (two.next_seq, two.last_sent), arguments)


def _value(rng: Random) -> bytes:
    if rng.random() < 0.3:
        return rng.choice(VALUES)
    return bytes(rng.choices(_VALUE_BYTES, k=rng.choice((0, 1, 1, 2, 3, 5, 18, 19, 20))))


def _timestamp(rng: Random) -> bytes:
    """A UTCTimestamp, mostly; at the edges of what there is, often."""
    day = b"%04d%02d%02d" % (
        rng.choice((1969, 1970, 2000, 2024, 2100, 2255, 2262, 2400, 9999, rng.randrange(10_000))),
        rng.choice((1, 2, 2, 12, rng.randint(0, 13))),
        rng.choice((1, 28, 29, 30, 31, rng.randint(0, 32))),
    )
    time = b"%02d:%02d:%02d" % (rng.randint(0, 24), rng.randint(0, 60), rng.randint(0, 61))
    fraction = rng.choice(
        (b"", b".", b".123", b".123456", b".000000001", b".1234", b".12a", b".-12")
    )
    text = bytearray(day + b"-" + time + fraction)
    if rng.random() < 0.2:
        text[rng.randrange(len(text))] = rng.choice(_VALUE_BYTES)
    return bytes(text)


def _text(rng: Random) -> Any:
    if rng.random() < 0.02:
        return rng.choice((bytearray(b"x"), memoryview(b"xy"), "text", None, 7))
    return rng.randbytes(rng.choice((0, 1, 3, 10, 30, 60, 300, 700)))


def outcome(function: Callable[..., Any], *arguments: Any) -> Any:
    """What a call returns, or the type of what it raises."""
    try:
        return function(*arguments)
    except Exception as error:
        return type(error)


def same(expected: object, found: object, about: object = None) -> None:
    """Raise DifferentError unless both are equal, and of one type."""
    if expected != found or type(expected) is not type(found):
        raise DifferentError(f"{about!r}: reference {expected!r}, compiled {found!r}")


def compiled_codec() -> Any:
    """The compiled codec; where it could not be built, the reference stands in for itself."""
    if not codec.is_built():
        return _StandIn
    from fix_engine import compiled

    return compiled


class _StandIn:
    """The reference under the names of the compiled codec."""

    Decoder = plain.Decoder
    FORMATS: Final = {"UTCTIMESTAMP": lambda text: TimestampParser().parse(text) is not None}
    parse_timestamp = staticmethod(TimestampParser().parse)
    checksum = staticmethod(plain.checksum)
    encode = staticmethod(plain.encode)
    encode_shared = staticmethod(plain.encode_shared)
    encode_numbered = staticmethod(plain.encode_numbered)
    encode_numbered_shared = staticmethod(plain.encode_numbered_shared)
    form = staticmethod(plain.form)

    @staticmethod
    def numbering(reference: Any, outbound: Outbound) -> Any:
        """The reference."""
        return reference
