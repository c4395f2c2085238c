"""Bytes changed on the way: what noise, broken engines and people with bad intentions send."""

from __future__ import annotations

import re
from collections.abc import Callable
from random import Random
from typing import Final

from fix_engine.wire import encode

_FRAME: Final = re.compile(rb"8=[^\x01]*\x019=[^\x01]*\x01(.*?)(?:10=[^\x01]*\x01)?", re.DOTALL)
TOKENS: Final = (
    *(b"\x01", b"=", b"8=FIX.4.4\x01", b"8=FIX", b"9=", b"10=000\x01", b"\x0110=", b"35=", b"34="),
    *(b"43=Y\x01", b"123=Y\x01", b"141=Y\x01", b"36=", b"7=", b"16=0\x01", b"95=5\x0196=", b"89="),
    *(b"453=2\x01448=", b"627=1\x01628=", b"122=", b"115=x\x01", b"212=3\x01213=a\x01b\x01"),
    *(b"8013=Y\x01", b"383=1\x01", b"789=5\x01", b"464=Y\x01", b"112=", b"108=1\x01", b"50=\x01"),
)
VALUES: Final = (
    *(b"", b"0", b"1", b"-1", b"+1", b"00", b"2147483648", b"9" * 18, b"9" * 19, b"9" * 400),
    *(b"1e9", b"NaN", b"0.00000001", b"-0", b".5", b"5.", b"1.2.3", b"Y", b"N", b"A" * 2_000),
    *(b"20240229-12:00:00", b"20240230-25:61:61.999", b"\x00", b"\xff\xfe", b"=", b" ", b"SEAMARK"),
)

Mutation = Callable[[Random, bytes, bytes], bytes]


def _place(rng: Random, raw: bytes) -> int:
    return rng.randrange(len(raw) + 1)


def _flip(rng: Random, raw: bytes, _: bytes) -> bytes:
    data = bytearray(raw)
    for _unused in range(rng.randint(1, 3)):
        data[rng.randrange(len(data))] ^= 1 << rng.randrange(8)
    return bytes(data)


def _insert(rng: Random, raw: bytes, _: bytes) -> bytes:
    place = _place(rng, raw)
    return raw[:place] + rng.randbytes(rng.randint(1, 8)) + raw[place:]


def _insert_token(rng: Random, raw: bytes, _: bytes) -> bytes:
    # Behind a delimiter, where fields begin: most other places only make one value longer.
    place = raw.find(b"\x01", _place(rng, raw)) + 1
    return raw[:place] + rng.choice(TOKENS) + raw[place:]


def _delete(rng: Random, raw: bytes, _: bytes) -> bytes:
    place = _place(rng, raw)
    return raw[:place] + raw[place + rng.randint(1, 12) :]


def _duplicate(rng: Random, raw: bytes, _: bytes) -> bytes:
    place = _place(rng, raw)
    end = place + rng.randint(1, 40)
    return raw[:end] + raw[place:end] + raw[end:]


def _splice(rng: Random, raw: bytes, other: bytes) -> bytes:
    return raw[: _place(rng, raw)] + other[_place(rng, other) :]


def _truncate(rng: Random, raw: bytes, _: bytes) -> bytes:
    return raw[: rng.randrange(1, len(raw))]


def _repeat(rng: Random, raw: bytes, _: bytes) -> bytes:
    return raw * rng.randint(2, 5)


def _swap_fields(rng: Random, raw: bytes, _: bytes) -> bytes:
    fields = raw.split(b"\x01")
    first, second = rng.randrange(len(fields)), rng.randrange(len(fields))
    fields[first], fields[second] = fields[second], fields[first]
    return b"\x01".join(fields)


def _set_value(rng: Random, raw: bytes, _: bytes) -> bytes:
    fields = raw.split(b"\x01")
    place = rng.randrange(len(fields))
    fields[place] = fields[place].partition(b"=")[0] + b"=" + rng.choice(VALUES)
    return b"\x01".join(fields)


def _set_tag(rng: Random, raw: bytes, other: bytes) -> bytes:
    fields, others = raw.split(b"\x01"), other.split(b"\x01")
    place = rng.randrange(len(fields))
    tag = rng.choice(others).partition(b"=")[0]
    fields[place] = tag + b"=" + fields[place].partition(b"=")[2]
    return b"\x01".join(fields)


def _body_length(rng: Random, raw: bytes, _: bytes) -> bytes:
    wrong = rng.choice((b"0", b"1", b"%d" % rng.randrange(400), b"%d" % rng.randrange(400)))
    if rng.random() < 0.05:  # these swallow what follows, or end the session
        wrong = rng.choice((b"65536", b"65537", b"9" * 20, b"9" * 21))
    return re.sub(rb"\x019=\d*", lambda _: b"\x019=" + wrong, raw, count=1)


def _check_sum(rng: Random, raw: bytes, _: bytes) -> bytes:
    wrong = rng.choice((b"", b"1", b"256", b"999", b"%03d" % rng.randrange(256), b"0000", b"-01"))
    return raw[:-4] + wrong + b"\x01"


MUTATIONS: Final[tuple[Mutation, ...]] = (
    *(_flip, _insert, _insert_token, _delete, _duplicate, _splice, _truncate, _repeat),
    *(_swap_fields, _set_value, _set_value, _set_tag, _set_tag),
)
FRAME_MUTATIONS: Final[tuple[Mutation, ...]] = (_body_length, _check_sum)


def repair(raw: bytes) -> bytes:
    """The same body in a sound frame, so that what is wrong gets past the codec."""
    match = _FRAME.fullmatch(raw)
    body = match[1] if match is not None else raw
    return encode(body if body.endswith(b"\x01") else body + b"\x01")


def mutate(rng: Random, raw: bytes, other: bytes, spared: int = 0) -> tuple[bytes, bool]:
    """`raw` with something wrong, perhaps mixed with `other`; whether the frame was repaired.

    The first `spared` bytes stay as they are, BodyLength in them apart.
    """
    if rng.random() < 0.15:
        return rng.choice(FRAME_MUTATIONS)(rng, raw, other), False
    head, rest = raw[:spared], raw[spared:]
    for _ in range(rng.choice((1, 1, 1, 2, 4))):
        rest = rng.choice(MUTATIONS)(rng, rest, other) or b"8"
        if len(rest) < 2:
            break
    if rng.random() < 0.6:
        return repair(head + rest), True
    return head + rest, False


def hostile(rng: Random) -> bytes:
    """Kilobytes, sometimes hundreds of them, made to cost as much as they can."""
    count = 40_000 if rng.random() < 0.05 else rng.choice((500, 2_000, 4_000))
    many = encode(b"35=0\x01" + b"".join(b"%d=x\x01" % (5_000 + n) for n in range(count)))
    return rng.choice(
        (
            b"8=FIX" * count,  # each of them may begin a message, and none does
            b"8=F\x019=5\x0135=0\x0110=000\x01" * count,
            b"8=FIX.4.4\x019=1\x01\x0110=\x01" * count,
            b"=" * count * 10,
            many,
            encode(b"35=D\x01" + b"453=1\x01448=x\x01" * (count // 3)),
            encode(b"35=0\x01" + b"90=1\x0191=\x01\x01" * (count // 3)),
            encode(b"35=0\x0158=" + b"=" * count * 10 + b"\x01"),
            encode(b"35=0\x01" + b"9" * count * 10 + b"=x\x01"),
        )
    )


def split(rng: Random, raw: bytes) -> list[bytes]:
    """The same bytes as the network may cut them: whole, in some pieces, or byte by byte."""
    kind = rng.random()
    if kind < 0.7 or len(raw) < 2:
        return [raw]
    if kind < 0.72 and len(raw) < 2_000:
        return [raw[n : n + 1] for n in range(len(raw))]
    cuts = sorted(rng.randrange(len(raw)) for _ in range(rng.randint(1, 4)))
    return [raw[a:b] for a, b in zip([0, *cuts], [*cuts, len(raw)], strict=True)]
