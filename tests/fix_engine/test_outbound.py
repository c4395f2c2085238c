"""The outbound sequence: number, time, header and frame of what we send."""

from __future__ import annotations

import random

import pytest

from fix_engine.outbound import Outbound, SharedFields, return_route
from fix_engine.timestamps import Precision
from fix_engine.wire import checksum, encode, encode_shared
from tests.fix_engine.support import NOON, decode, frame, message, show

TIME = "20240229-12:00:00.000"


def outbound() -> Outbound:
    return Outbound(b"ISLD", b"TW44", Precision.MILLISECONDS)


def test_numbers_begin_at_1_and_go_on() -> None:
    numbers = outbound()
    assert [numbers.number(b"0", b"", NOON)[0] for _ in range(3)] == [1, 2, 3]
    assert numbers.next_seq == 4
    numbers.next_seq = 10
    assert numbers.number(b"0", b"", NOON)[0] == 10


def test_a_message_is_header_and_body_in_a_frame() -> None:
    seq, raw = outbound().number(b"8", b"37=x\x0158=a=b\x01", NOON, header=b"57=DESK\x01")
    assert seq == 1
    assert show(decode(raw)) == f"35=8|34=1|49=ISLD|52={TIME}|56=TW44|57=DESK|37=x|58=a=b"
    assert raw == frame(show(decode(raw)))


def test_a_body_may_be_empty() -> None:
    _, raw = outbound().number(b"0", b"", NOON)
    assert show(decode(raw)) == f"35=0|34=1|49=ISLD|52={TIME}|56=TW44"


def test_the_time_is_that_of_each_message() -> None:
    numbers = outbound()
    times = [
        decode(numbers.number(b"0", b"", now)[1]).get(b"52")
        for now in (NOON, NOON + 1_000_000, NOON)
    ]
    assert times == [b"20240229-12:00:00.000", b"20240229-12:00:00.001", b"20240229-12:00:00.000"]


def test_a_gap_fill_takes_a_number_that_was_used() -> None:
    numbers = outbound()
    numbers.next_seq = 10
    raw = numbers.gap_fill(3, 8, NOON)
    assert show(decode(raw)) == (f"35=4|34=3|43=Y|49=ISLD|52={TIME}|56=TW44|122={TIME}|36=8|123=Y")
    assert raw == frame(show(decode(raw)))
    assert numbers.next_seq == 10


@pytest.mark.parametrize(
    ("came", "goes"),
    [
        ("35=D|34=2", ""),
        ("35=D|115=A|116=B|144=C", "128=A|129=B|145=C|"),
        ("35=D|128=A|129=B|145=C", "115=A|116=B|144=C|"),
        ("35=D|115=|128=X", "115=X|"),
        ("35=D|50=S|57=T", "57=S|"),
    ],
)
def test_an_answer_goes_the_way_the_message_came(came: str, goes: str) -> None:
    assert return_route(message(came)).replace(b"\x01", b"|").decode() == goes


@pytest.mark.parametrize("own", [b"", b"262=mine\x01", b"369=7\x01262=mine\x01"])
@pytest.mark.parametrize("shared", [b"", b"268=0\x01", b"58=" + b"\xff=" * 900 + b"\x01"])
def test_a_message_that_shares_its_fields_is_as_if_it_had_them_alone(
    own: bytes, shared: bytes
) -> None:
    one, other = outbound(), outbound()
    for numbers in (one, other):
        numbers.next_seq = 41
    alone = one.number(b"W", own + shared, NOON)
    assert other.number_shared(b"W", own, SharedFields.of(shared), NOON) == alone
    assert other.next_seq == 42


@pytest.mark.parametrize("seed", range(20))
def test_a_message_with_a_shared_part_is_encoded_as_one_of_the_same_bytes(seed: int) -> None:
    """Any bytes, and lengths around the blocks in which a CheckSum is summed up."""
    rng = random.Random(seed)
    edges = (0, 1, 127, 128, 255, 256, 257, 514, 515, 516, 4_096, 70_000)
    for _ in range(50):
        values = bytes(range(128)) * 2 if rng.random() < 0.5 else bytes(range(256))
        head, shared = (
            rng.randbytes(max(rng.choice(edges) + rng.randint(-1, 1), 0)).translate(values)
            for _ in range(2)
        )
        whole = encode(head + shared)
        sizes = f"seed {seed}: {len(head)} and {len(shared)} bytes"
        assert encode_shared(head, shared, checksum(shared)) == whole, sizes
        assert sum(whole[:-7]) % 256 == int(whole[-4:-1]), sizes


@pytest.mark.parametrize("size", [0, 1, 257, 516, 65_536])
@pytest.mark.parametrize("byte", [b"\x00", b"\x7f", b"\xff"])
def test_a_shared_part_of_the_largest_bytes_has_its_sum(byte: bytes, size: int) -> None:
    head, shared = b"35=W\x01", byte * size
    assert encode_shared(head, shared, checksum(shared)) == encode(head + shared)
