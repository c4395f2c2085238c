"""The outbound sequence: number, time, header and frame of what we send."""

from __future__ import annotations

import pytest

from fix_engine.outbound import Outbound, return_route
from fix_engine.timestamps import Precision
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
