"""Messages as they may be shown: without what proves who somebody is."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fix_engine.message import masked
from fix_engine.wire import encode
from tests.fix_engine.support import examples, message
from tests.support.messages import decode

SECRET = "c0ffee-c0ffee"


def shown(text: str) -> str:
    """The masked pairs as one line."""
    return "|".join(f"{tag.decode()}={value.decode()}" for tag, value in masked(message(text)))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (f"35=A|34=1|553=me|554={SECRET}", "35=A|34=1|553=me|554=***"),
        (f"35=A|554={SECRET}|925=new {SECRET}|98=0", "35=A|554=***|925=***|98=0"),
        (f"35=A|95=13|96={SECRET}|98=0", "35=A|95=3|96=***|98=0"),
        (f"35=A|554={SECRET}|554={SECRET}2", "35=A|554=***|554=***"),
        (
            f"35=BE|923=r|924=3|553=me|554={SECRET}|925=n",
            "35=BE|923=r|924=3|553=me|554=***|925=***",
        ),
        ("35=A|554=", "35=A|554=***"),
        ("35=D|34=2|11=a|38=1", "35=D|34=2|11=a|38=1"),
        (f"35=D|58={SECRET}|355=554", f"35=D|58={SECRET}|355=554"),
        ("35=B|95=3|148=x", "35=B|95=3|148=x"),
    ],
)
def test_secrets_are_masked_and_nothing_else(text: str, expected: str) -> None:
    assert shown(text) == expected


def test_data_with_separators_in_it_is_masked_as_one() -> None:
    raw = encode(b"35=A\x0195=12\x0196=a\x01554=pass\x01b\x0198=0\x01")
    assert masked(decode(raw)) == [(b"35", b"A"), (b"95", b"3"), (b"96", b"***"), (b"98", b"0")]


def test_a_message_shows_itself_without_secrets() -> None:
    text = repr(message(f"35=A|34=1|554={SECRET}|95=13|96={SECRET}|925={SECRET}"))
    assert text == "Message(35=A|34=1|554=***|95=3|96=***|925=***|)"


def test_a_masked_message_can_be_written_and_read_again() -> None:
    pairs = masked(message(f"35=A|34=1|95=13|96={SECRET}|98=0"))
    again = decode(encode(b"".join(b"%b=%b\x01" % pair for pair in pairs)))
    assert again.pairs() == pairs


def test_masking_leaves_the_message_itself_as_it_is() -> None:
    found = message(f"35=A|34=1|554={SECRET}")
    masked(found)
    assert found.get(b"554") == SECRET.encode()
    assert SECRET.encode() in found.raw


@examples(80)
@given(
    st.lists(
        st.tuples(st.sampled_from(["58", "96", "553", "554", "925"]), st.integers(1, 10**9)),
        max_size=8,
    )
)
def test_no_secret_is_shown_wherever_it_stands(fields: list[tuple[str, int]]) -> None:
    body = "".join(f"|{tag}=<{number}>" for tag, number in fields)
    found = message(f"35=A|34=1{body}")
    for text in (repr(found), str(masked(found))):
        for tag, number in fields:
            if tag in ("96", "554", "925") and (("58", number) not in fields):
                is_plain = ("553", number) in fields
                assert is_plain or f"<{number}>" not in text
