"""Bytes to messages and back, whatever the network and the peer do to them."""

from __future__ import annotations

import gc
import re
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from simplefix import FixMessage, FixParser
from simplefix.data import RAW_DATA_TAGS, RAW_LEN_TAGS

from fix_engine.message import Message, Shape
from fix_engine.tags import DATA_LENGTHS
from fix_engine.wire import Decoder, Garbled, Shapes, checksum, encode
from tests.fix_engine.support import decode, examples, frame, message, show

HEARTBEAT = "35=0|34=2|49=TW44|52=20240229-12:00:00|56=ISLD"
ORDER = "35=D|34=3|49=TW44|52=20240229-12:00:00|56=ISLD|11=ID|21=3|40=1|54=1|55=INTC"


def read(*chunks: bytes, decoder: Decoder | None = None) -> list[str]:
    """What comes of chunks: the fields of each message, "garbled: why" or "fatal: why"."""
    decoder = decoder or Decoder()
    return [show(item) for chunk in chunks for item in decoder.feed(chunk)]


def kinds(*chunks: bytes, decoder: Decoder | None = None) -> list[str]:
    """The same without the reasons."""
    return [re.sub("^(garbled|fatal): .*", r"\1", text) for text in read(*chunks, decoder=decoder)]


def shapes_alive() -> int:
    """How many tag sequences are held in memory, by whomever."""
    gc.collect()
    return sum(type(thing) is Shape for thing in gc.get_objects())


# Strategies

FRAME_TAGS = {8, 9, 10, 35}
DATA_TAGS = {int(tag) for pair in DATA_LENGTHS.items() for tag in pair}
LATER_DATA_TAGS = {*RAW_LEN_TAGS, *RAW_DATA_TAGS}  # those of later versions of FIX, too
tag_numbers = st.integers(1, 9999).filter(
    lambda tag: tag not in FRAME_TAGS | DATA_TAGS | LATER_DATA_TAGS
)
values = st.binary(max_size=12).map(lambda value: value.replace(b"\x01", b"|"))
msg_types = st.sampled_from([b"0", b"D", b"8", b"AE", b"="])
fields = st.tuples(tag_numbers.map(lambda tag: b"%d" % tag), values)
data_pairs = st.tuples(st.sampled_from(sorted(DATA_LENGTHS.items())), st.binary(max_size=12)).map(
    lambda pair: [(pair[0][0], b"%d" % len(pair[1])), (pair[0][1], pair[1])]
)
bodies = st.tuples(
    msg_types, st.lists(st.one_of(fields.map(lambda field: [field]), data_pairs), max_size=8)
).map(lambda body: [(b"35", body[0]), *(field for part in body[1] for field in part)])


def joined(body: list[tuple[bytes, bytes]]) -> bytes:
    return b"".join(b"%b=%b\x01" % field for field in body)


# Framing


def test_a_message_is_its_tags_in_order_its_values_in_order_and_its_bytes() -> None:
    raw = frame(ORDER)
    (found,) = Decoder().feed(raw)
    assert isinstance(found, Message)
    assert found.begin_string == b"FIX.4.4"
    assert found.msg_type == b"D"
    assert found.raw == raw
    assert found.pairs()[:3] == [(b"35", b"D"), (b"34", b"3"), (b"49", b"TW44")]
    assert show(found) == ORDER


def test_several_messages_in_one_chunk_come_in_order() -> None:
    assert read(frame(HEARTBEAT) + frame(ORDER) + frame(HEARTBEAT)) == [HEARTBEAT, ORDER, HEARTBEAT]


def test_a_message_comes_with_its_last_byte_and_not_before() -> None:
    decoder, raw = Decoder(), frame(ORDER)
    for end in range(len(raw) - 1):
        assert decoder.feed(raw[end : end + 1]) == []
        assert decoder.buffered == end + 1
    assert read(raw[-1:], decoder=decoder) == [ORDER]
    assert decoder.buffered == 0


@pytest.mark.parametrize("length", range(1, 13))
def test_the_beginning_of_a_message_at_the_end_of_a_chunk_waits_for_the_rest(length: int) -> None:
    raw = frame(ORDER)
    decoder = Decoder()
    assert read(frame(HEARTBEAT) + raw[:length], decoder=decoder) == [HEARTBEAT]
    assert decoder.buffered == length
    assert read(raw[length:], decoder=decoder) == [ORDER]


@pytest.mark.parametrize("length", range(1, 6))
def test_it_waits_behind_garbage_too(length: int) -> None:
    raw = frame(ORDER)
    decoder = Decoder()
    assert kinds(b"garbage" + raw[:length], decoder=decoder) == ["garbled"]
    assert decoder.buffered == length
    assert read(raw[length:], decoder=decoder) == [ORDER]


def test_garbage_between_messages_is_passed_over() -> None:
    stream = b"HTTP/1.1 400\r\n" + frame(HEARTBEAT) + b"\x01\x00=" + frame(ORDER) + b"\xff"
    assert read(stream) == [
        "garbled: 14 bytes that begin no FIX message",
        HEARTBEAT,
        "garbled: 3 bytes that begin no FIX message",
        ORDER,
        "garbled: 1 bytes that begin no FIX message",
    ]


def test_a_beginning_that_turns_out_to_be_none_is_garbage() -> None:
    assert kinds(b"8=FIX", b" is fun", frame(ORDER)) == ["garbled", ORDER]
    assert kinds(b"8=FIX.4.4\x0135=0\x01", frame(ORDER)) == ["garbled", ORDER]
    assert kinds(b"8=FIX.4.4\x019=x\x01", frame(ORDER)) == ["garbled", ORDER]
    assert kinds(b"8=FIX.4.4\x019=\x01", frame(ORDER)) == ["garbled", ORDER]
    assert kinds(b"8=FIX.4.4\x019=-5\x01", frame(ORDER)) == ["garbled", ORDER]
    assert kinds(b"8=\x019=5\x01", frame(ORDER)) == ["garbled", ORDER]
    assert kinds(b"8=FIX.4.4.4.4.4.4.4\x019=5\x01", frame(ORDER)) == ["garbled", ORDER]


@pytest.mark.parametrize("begin_string", ["FIX.4.2", "FIX.4.4.", "FIXT.1.1", "FIX.3.9", "F"])
def test_another_version_of_fix_is_read_as_such(begin_string: str) -> None:
    """Session level decides what to do about it (2i: Logout "Incorrect BeginString")."""
    found = decode(frame(f"8={begin_string}|{HEARTBEAT}"))
    assert found.begin_string.decode() == begin_string
    assert show(found) == HEARTBEAT


def merged(items: list[str]) -> list[str]:
    """Runs of passed-over bytes as one: a chunk's end may split such a run."""
    out: list[str] = []
    for item in items:
        count = re.fullmatch(r"garbled: (\d+) bytes that begin no FIX message", item)
        if count is None:
            out.append(item)
        elif out and out[-1].startswith("skipped "):
            out[-1] = f"skipped {int(out[-1][8:]) + int(count[1])}"
        else:
            out.append(f"skipped {count[1]}")
    return out


pieces = st.one_of(
    bodies.map(lambda body: encode(joined(body))),
    st.sampled_from(
        [
            frame(HEARTBEAT),
            frame(f"8=FIX.4.2|{HEARTBEAT}"),
            frame(f"{HEARTBEAT}|10=256"),
            frame(f"9=30|{ORDER}"),
            frame(f"9=150|{ORDER}"),
            frame("35=0|34=2|4garbled9=TW|56=ISLD"),
            frame("35=A|34=1|95=5|96=1\x0110=|98=0"),
            b"8=FIX.4.4\x019=",
            b"8=FIX",
        ]
    ),
    st.binary(max_size=6).map(lambda garbage: garbage.replace(b"8", b"7")),
)


@examples(150)
@given(st.lists(pieces, max_size=8), st.lists(st.integers(0, 1500), max_size=12), st.booleans())
def test_any_split_of_the_stream_gives_the_same_result(
    parts: list[bytes], cuts: list[int], by_byte: bool
) -> None:
    stream = b"".join(parts)
    places = range(len(stream) + 1) if by_byte else sorted({0, *cuts, len(stream)})
    whole, split = Decoder(), Decoder()
    expected = merged(read(stream, decoder=whole))
    chunks = [stream[a:b] for a, b in pairwise(places)]
    assert merged(read(*chunks, decoder=split)) == expected
    assert split.buffered == whole.buffered


@examples(150)
@given(st.lists(st.binary(max_size=40), max_size=8))
def test_any_bytes_are_something(chunks: list[bytes]) -> None:
    decoder = Decoder()
    for chunk in chunks:
        decoder.feed(chunk)
    assert decoder.buffered <= sum(map(len, chunks))


# BodyLength and CheckSum. FIX 4.4 Volume 2: a garbled message is ignored; processing goes on
# with the next valid one.


@examples(150)
@given(st.binary(max_size=2_000))
def test_checksum_is_the_sum_of_all_bytes_modulo_256(data: bytes) -> None:
    assert checksum(data) == sum(data) % 256


@pytest.mark.parametrize(
    "length", [0, 1, 255, 256, 257, 258, 511, 512, 513, 514, 515, 516, 517, 1_000, 65_536]
)
@pytest.mark.parametrize("byte", [0x00, 0x01, 0x7F, 0x80, 0xFF])
def test_checksum_is_exact_where_adler_32_wraps(length: int, byte: int) -> None:
    assert checksum(bytes([byte]) * length) == length * byte % 256


@pytest.mark.parametrize("trailer", ["10=256", "10=999", "10=000"])
def test_a_wrong_checksum_garbles_the_message_and_not_its_neighbours(trailer: str) -> None:
    """QuickFIX 3b: "If message has incorrect checksum, it should be ignored"."""
    stream = frame(HEARTBEAT) + frame(f"{HEARTBEAT}|{trailer}") + frame(ORDER)
    good, bad, next_good = read(stream)
    assert (good, next_good) == (HEARTBEAT, ORDER)
    assert bad.startswith("garbled: CheckSum (10) is ")


@pytest.mark.parametrize("place", [0, 5, 20, 40])
def test_one_wrong_bit_garbles_the_message(place: int) -> None:
    raw = bytearray(frame(ORDER))
    raw[len("8=FIX.4.4|9=112|35=D|34=3|49=") + place] ^= 2
    assert kinds(bytes(raw) + frame(HEARTBEAT)) == ["garbled", HEARTBEAT]


@pytest.mark.parametrize("trailer", ["10=", "10=0", "10=77", "10=0x7", "10=1234", "10= 12"])
def test_a_checksum_is_three_digits(trailer: str) -> None:
    assert kinds(frame(f"{ORDER}|{trailer}") + frame(HEARTBEAT)) == ["garbled", HEARTBEAT]


def test_too_short_a_body_length_garbles_the_message_alone() -> None:
    """QuickFIX 2m: the message is ignored, the valid one that follows is processed."""
    assert kinds(frame(f"9=30|{ORDER}") + frame(HEARTBEAT)) == ["garbled", HEARTBEAT]


def test_too_long_a_body_length_garbles_the_message_and_the_next() -> None:
    """QuickFIX 2m: "it will combine with the next message and be ignored"."""
    stream = frame(f"9=130|{ORDER}") + frame(ORDER) + frame(HEARTBEAT)
    assert kinds(stream) == ["garbled", HEARTBEAT]


@pytest.mark.parametrize("wrong", [*range(-40, 0), *range(1, 40)])
def test_no_wrong_body_length_is_taken_for_right(wrong: int) -> None:
    body = len(frame(HEARTBEAT)) - len("8=FIX.4.4|9=55|10=123|")
    stream = frame(f"9={body + wrong}|{HEARTBEAT}") + frame(ORDER) + frame(HEARTBEAT)
    found = kinds(stream)
    assert found in (["garbled", ORDER, HEARTBEAT], ["garbled", HEARTBEAT])


def test_a_body_length_over_the_limit_is_fatal() -> None:
    decoder = Decoder(max_message_bytes=100)
    at_limit = "35=0|58=".ljust(99, "x")
    assert read(frame(at_limit), decoder=decoder) == [at_limit]
    assert read(frame(at_limit + "x"), decoder=decoder) == [
        "fatal: BodyLength (9) 101 is over the limit of 100 bytes"
    ]
    assert decoder.buffered == 0


@pytest.mark.parametrize("length", ["99999999", "999999999", "9999999999", "9" * 20])
def test_a_giant_body_length_is_fatal_before_its_bytes_arrive(length: str) -> None:
    assert kinds(f"8=FIX.4.4\x019={length}\x01".encode()) == ["fatal"]


def test_a_body_length_of_more_digits_than_any_number_is_no_message() -> None:
    assert kinds(b"8=FIX.4.4\x019=" + b"9" * 21 + b"\x01", frame(ORDER)) == ["garbled", ORDER]


def test_no_checksum_anywhere_near_is_fatal() -> None:
    decoder = Decoder(max_message_bytes=100)
    assert kinds(b"8=FIX.4.4\x019=20\x01" + b"x" * 110, decoder=decoder) == []
    assert kinds(b"x" * 20, decoder=decoder) == ["fatal"]
    assert decoder.buffered == 0


def test_what_waits_is_bounded() -> None:
    """A peer that never ends a message must not grow our memory."""
    decoder = Decoder(max_message_bytes=1_000)
    most = 0
    for _ in range(100):
        decoder.feed(b"8=FIX.4.4\x019=900\x01" + b"x" * 90)
        most = max(most, decoder.buffered)
    assert most < 2_200


# Fields


GARBLED_FIELDS = [
    ("34=2|35=0|49=TW44", "MsgType (35) is not the third field"),
    ("34=0|34=2|58=x", "MsgType (35) is not the third field"),
    ("35=0|34=2|4garbled9=TW", "a tag that is not a number"),
    ("35=0|34=2|+1=x", "a tag that is not a number"),
    ("35=0|34=2| 1=x", "a tag that is not a number"),
    ("35=0|34=2|1234567890=x", "a tag that is not a number"),
    ("35=0|34=2|58", "a field without '='"),
    ("35=0|34=2|58=a=b|112", "a field without '='"),
    ("35=0|34=2|112|58=a=b", "a tag that is not a number"),
    ("35=0||34=2=58|x=", "a tag that is not a number"),
    ("35=0|95=2|96=abc", "data field 96 does not fit its length"),
    ("35=0|95=4|96=abc", "data field 96 does not fit its length"),
    ("35=0|95=99999|96=abc", "data field 96 does not fit its length"),
]


@pytest.mark.parametrize(("text", "reason"), GARBLED_FIELDS)
def test_fields_that_are_none_garble_the_message(text: str, reason: str) -> None:
    """QuickFIX 2d, 2t and 3c: a garbled message is ignored, its MsgSeqNum not counted."""
    assert read(frame(text) + frame(ORDER)) == [f"garbled: {reason}", ORDER]


@pytest.mark.parametrize(("text", "reason"), GARBLED_FIELDS)
def test_known_tag_sequences_do_not_let_them_through(text: str, reason: str) -> None:
    """The count of "=" equals the count of fields; still it is no message."""
    decoder = Decoder()
    for known in ("35=0|34=2", "35=0|34=2|58=x", "35=0|34=2|112=x|58=y", "35=0|34=2|58=x|112=y"):
        assert read(frame(known), decoder=decoder) == [known]
    assert read(frame(text), decoder=decoder) == [f"garbled: {reason}"]


@pytest.mark.parametrize("text", ["35=0|34=2|=x", "35=0|34=2|=", "35=0|95=1|96=x|=x", "=0|34=2"])
def test_a_field_without_a_tag_garbles_the_message(text: str) -> None:
    assert kinds(frame(text) + frame(ORDER)) == ["garbled", ORDER]


@pytest.mark.parametrize(
    "text",
    [
        "35=0|58=a=b",
        "35=0|58===",
        "35=0|58=",
        "35=0|58=|58=|58=",
        "35=0|-1=x|0=y",
        "35=0|58=\xe9\xff\x00\r\n",
        "35=A=B|58=x",
        "35=0|999999999=x",
    ],
)
def test_any_value_is_a_value(text: str) -> None:
    """What a value may be is for validation to say; twice, as the second time is another path."""
    decoder = Decoder()
    assert read(frame(text) + frame(text), decoder=decoder) == [text, text]


@pytest.mark.parametrize(
    "text",
    [
        "35=A|95=3|96=a\x01b|98=0",
        "35=A|95=7|96=\x0110=000|98=0",
        "35=A|95=9|96=58=x\x0159=y|98=0",
        "35=A|95=0|96=|98=0",
        "35=A|95=1|96=\x01|354=2|355=\x01\x01|93=1|89=\x01",
    ],
)
def test_a_data_field_holds_any_byte_for_the_length_before_it(text: str) -> None:
    found = decode(frame(text))
    assert show(found) == text
    assert found.shape.tags[1:3] == (b"95", b"96")


@pytest.mark.parametrize(
    "text",
    [
        "35=A|95=3|98=0",
        "35=A|95=3|58=between|96=abcdef",
        "35=A|96=abcdef",
        "35=A|95=x|96=abcdef",
        "35=A|95=|96=abcdef",
        "35=A|95=-3|96=abcdef",
        "35=A|96=abcdef|95=3",
        "35=A|95=3|95=3|98=0",
        "35=A|95=3",
    ],
)
def test_a_length_without_its_data_and_data_without_length_are_plain_fields(text: str) -> None:
    decoder = Decoder()
    assert read(frame(text) + frame(text), decoder=decoder) == [text, text]


def test_each_length_governs_its_own_data_field_alone() -> None:
    assert kinds(frame("35=A|95=3|96=a\x01b")) == ["35=A|95=3|96=a\x01b"]
    assert kinds(frame("35=A|95=3|355=a\x01b")) == ["garbled"]


def test_too_many_fields_are_fatal() -> None:
    decoder = Decoder(max_fields=5)
    assert kinds(frame("35=0|1=a|2=b|3=c|4=d"), decoder=decoder) == ["35=0|1=a|2=b|3=c|4=d"]
    assert read(frame("35=0|1=a|2=b|3=c|4=d|5=e"), decoder=decoder) == [
        "fatal: 6 fields, the limit is 5"
    ]


# Shapes


def test_equal_tag_sequences_share_their_shape() -> None:
    first, other_type, other_tags, again, data, more_data = (
        found
        for found in Decoder().feed(
            frame("35=0|34=2|58=x")
            + frame("35=1|34=4|58=x")
            + frame("35=0|58=x|34=2")
            + frame("35=0|34=3|58=y=z")
            + frame("35=0|34=2|95=1|96=x")
            + frame("35=0|34=2|95=1|96=x")
        )
        if isinstance(found, Message)
    )
    assert first.shape is again.shape
    assert (first.get(b"58"), again.get(b"58")) == (b"x", b"y=z")
    assert other_type.shape is not first.shape
    assert other_tags.shape is not first.shape
    assert data.shape is not more_data.shape  # data may hide fields: read afresh each time


def test_decoders_do_not_share_shapes_unless_they_are_given_the_same() -> None:
    assert message("35=0|34=2").shape is not message("35=0|34=2").shape
    shapes: Shapes = {}
    one, other = (Decoder(shapes=shapes).feed(frame("35=0|34=2"))[0] for _ in range(2))
    assert isinstance(one, Message)
    assert isinstance(other, Message)
    assert one.shape is other.shape


def test_shapes_held_are_bounded() -> None:
    before = shapes_alive()
    decoder = Decoder()
    for number in range(10_000):
        (found,) = decoder.feed(encode(b"35=0\x01%d=x\x01" % (number + 100)))
        assert isinstance(found, Message)
    assert shapes_alive() - before < 4_200
    assert show(decoder.feed(frame(ORDER))[0]) == ORDER


def test_shapes_of_many_fields_are_not_held() -> None:
    before = shapes_alive()
    decoder = Decoder()
    tail = b"".join(b"%d=x\x01" % tag for tag in range(1000, 1200))
    for number in range(300):
        assert isinstance(
            decoder.feed(encode(b"35=0\x01%d=x\x01%b" % (number + 100, tail)))[0], Message
        )
    assert shapes_alive() - before < 5


# Second opinions


@examples(150)
@given(bodies)
def test_what_is_encoded_decodes_to_the_same(body: list[tuple[bytes, bytes]]) -> None:
    raw = encode(joined(body))
    decoder = Decoder()
    for found in decoder.feed(raw + raw):
        assert isinstance(found, Message)
        assert found.pairs() == body
        assert found.raw == raw


@examples(150)
@given(bodies)
def test_encode_agrees_with_simplefix(body: list[tuple[bytes, bytes]]) -> None:
    judge: Any = FixMessage()
    judge.append_pair(8, b"FIX.4.4")
    for tag, value in body:
        judge.append_pair(tag, value)
    assert judge.encode() == encode(joined(body))


@examples(120)
@given(st.lists(bodies, min_size=1, max_size=4))
def test_decoder_agrees_with_simplefix(stream: list[list[tuple[bytes, bytes]]]) -> None:
    # simplefix takes a data field of length 0 for a field of another kind; leave those out.
    stream = [[field for field in body if field[1]] for body in stream]
    stream = [[f for f in body if f[1] != b"0" or f[0] not in DATA_LENGTHS] for body in stream]
    raw = b"".join(encode(joined(body)) for body in stream)
    judge: Any = FixParser()
    judge.append_buffer(raw)
    decoder = Decoder()
    for found in decoder.feed(raw):
        assert isinstance(found, Message)
        opinion = judge.get_message().pairs
        assert opinion[0] == (b"8", b"FIX.4.4")
        assert found.pairs() == opinion[2:-1]
    assert judge.get_message() is None
    assert decoder.buffered == 0


def test_garbled_is_not_fatal_unless_it_says_so() -> None:
    assert not Garbled("why").fatal


@pytest.mark.parametrize("body", [b"", b"35=\x0134=1\x01", b"35=" + b"x" * 17 + b"\x01"])
def test_a_body_without_a_msg_type_that_could_be_one_is_garbled(body: bytes) -> None:
    (found,) = Decoder().feed(encode(body))
    assert isinstance(found, Garbled)
    assert not found.fatal
