"""A decoded message: its fields by tag."""

from __future__ import annotations

import pytest

from tests.fix_engine.support import message


def test_get_is_the_first_of_its_tag() -> None:
    found = message("35=0|34=2|58=first|58=second|112=")
    assert found.get(b"58") == b"first"
    assert found.get(b"112") == b""
    assert found.get(b"999") is None


@pytest.mark.parametrize(("value", "flag"), [("Y", True), ("N", False), ("y", False), ("", False)])
def test_a_flag_is_y(value: str, flag: bool) -> None:
    assert message(f"35=0|34=2|43={value}").flag(b"43") is flag
    assert message("35=0|34=2").flag(b"43") is False


@pytest.mark.parametrize(
    ("value", "seq"),
    [
        ("2", 2),
        ("0", 0),
        ("007", 7),
        ("9" * 18, 10**18 - 1),
        ("9" * 19, None),
        ("", None),
        ("-1", None),
        ("+1", None),
        ("1.0", None),
        ("x", None),
        ("\xb2", None),
    ],
)
def test_seq_is_a_number_or_none(value: str, seq: int | None) -> None:
    assert message(f"35=0|34={value}").seq == seq
    assert message("35=0|58=x").seq is None


def test_a_message_shows_itself() -> None:
    assert repr(message("35=0|34=2")) == "Message(8=FIX.4.4|9=10|35=0|34=2|10=166|)"
