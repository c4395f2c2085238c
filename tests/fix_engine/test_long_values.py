"""No answer is longer than what we announce: values that answers repeat are bounded."""

from __future__ import annotations

from fix_engine.outbound import return_route
from tests.fix_engine.support import message
from tests.fix_engine.test_validation import HEADER, judge


def test_values_that_answers_repeat_are_bounded() -> None:
    """MaxMessageSize (383) of a peer is honoured: no answer is longer than we announce."""
    assert judge(f"35=1|{HEADER}|112={'x' * 256}") == "ok"
    assert judge(f"35=1|{HEADER}|112={'x' * 257}") == "VALUE_INCORRECT 112"
    assert judge(f"35=1|{HEADER}|50={'x' * 257}|112=x") == "VALUE_INCORRECT 50"
    assert judge(f"35=5|{HEADER}|58={'x' * 9_000}") == "ok", "Text is not repeated"


def test_a_route_that_is_too_long_is_not_turned_round() -> None:
    assert return_route(message(f"35=1|50={'x' * 257}|142=y|112=x")) == b"143=y\x01"
    assert return_route(message(f"35=1|50={'x' * 256}|112=x")) == b"57=" + b"x" * 256 + b"\x01"
