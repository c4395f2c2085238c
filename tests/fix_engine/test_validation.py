"""Messages, and what session-level Reject has to say about them."""

from __future__ import annotations

import gc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fix_engine.dictionary import Dictionary
from fix_engine.errors import Reject, RejectReason
from fix_engine.message import Message, Shape
from fix_engine.validation import FORMATS, Validator
from fix_engine.wire import Decoder, encode
from tests.fix_engine.support import ORDER, dictionary, examples, expand, frame, message

HEADER = "34=2|49=TW44|52=<now>|56=ISLD"

#: One field of every type, two groups one in the other, and what is required.
TYPES = Dictionary("""
    <fix>
      <header>
        <field name="BeginString" required="Y"/>
        <field name="BodyLength" required="Y"/>
        <field name="MsgType" required="Y"/>
      </header>
      <trailer><field name="CheckSum" required="Y"/></trailer>
      <messages>
        <message name="AllTypes" msgtype="t">
          <field name="Int" required="N"/><field name="Float" required="N"/>
          <field name="Date" required="N"/><field name="MonthYear" required="N"/>
          <field name="TimeOnly" required="N"/><field name="Timestamp" required="N"/>
          <field name="SeqNum" required="N"/><field name="Char" required="N"/>
          <field name="Boolean" required="N"/><field name="String" required="N"/>
          <field name="Chars" required="N"/><field name="Strings" required="N"/>
          <field name="OneOf" required="N"/>
        </message>
        <message name="Nested" msgtype="n">
          <group name="NoLegs" required="N">
            <field name="LegSymbol" required="Y"/>
            <field name="LegSide" required="Y"/>
            <group name="NoParties" required="N">
              <field name="Party" required="Y"/>
              <field name="Role" required="N"/>
            </group>
            <field name="LegQty" required="N"/>
          </group>
          <field name="String" required="N"/>
        </message>
      </messages>
      <components/>
      <fields>
        <field number="8" name="BeginString" type="STRING"/>
        <field number="9" name="BodyLength" type="LENGTH"/>
        <field number="10" name="CheckSum" type="STRING"/>
        <field number="35" name="MsgType" type="STRING"/>
        <field number="101" name="Int" type="INT"/>
        <field number="102" name="Float" type="FLOAT"/>
        <field number="103" name="Date" type="UTCDATEONLY"/>
        <field number="104" name="MonthYear" type="MONTHYEAR"/>
        <field number="105" name="TimeOnly" type="UTCTIMEONLY"/>
        <field number="106" name="Timestamp" type="UTCTIMESTAMP"/>
        <field number="107" name="SeqNum" type="SEQNUM"/>
        <field number="108" name="Char" type="CHAR"/>
        <field number="109" name="Boolean" type="BOOLEAN"/>
        <field number="110" name="String" type="STRING"/>
        <field number="111" name="Chars" type="MULTIPLEVALUESTRING">
          <value enum="A"/><value enum="B"/><value enum="1"/>
        </field>
        <field number="112" name="Strings" type="MULTIPLESTRINGVALUE">
          <value enum="AA"/><value enum="BB"/>
        </field>
        <field number="113" name="OneOf" type="STRING">
          <value enum="A"/><value enum="B"/><value enum="A B"/>
        </field>
        <field number="200" name="NoLegs" type="NUMINGROUP"/>
        <field number="201" name="LegSymbol" type="STRING"/>
        <field number="202" name="LegSide" type="CHAR"><value enum="1"/><value enum="2"/></field>
        <field number="203" name="LegQty" type="QTY"/>
        <field number="210" name="NoParties" type="NUMINGROUP"/>
        <field number="211" name="Party" type="STRING"/>
        <field number="212" name="Role" type="INT"/>
      </fields>
    </fix>""")


def said(reject: Reject | None) -> str:
    """A verdict in words: "ok", or the reason and the tag."""
    if reject is None:
        return "ok"
    return f"{reject.reason.name} {(reject.ref_tag or b'-').decode()}"


def judge(text: str, dictionary: Dictionary = dictionary()) -> str:  # noqa: B008
    """The verdict on the fields of a message, the same at first and second sight."""
    validator = Validator(dictionary)
    found = message(text)
    first = said(validator.check(found))
    assert said(validator.check(found)) == first
    return first


def order(text: str = ORDER, header: str = HEADER) -> str:
    """The verdict on a NewOrderSingle."""
    return judge(f"35=D|{header}|{text}")


# Sound messages


@pytest.mark.parametrize(
    "text",
    [
        "35=0|{}",
        "35=0|{}|112=x",
        "35=1|{}|112=x",
        "35=2|{}|7=1|16=0",
        "35=3|{}|45=2|372=ZZ|371=-1|373=11|58=why",
        "35=4|{}|123=Y|36=7",
        "35=5|{}|58=bye|354=3|355=a\x01b",
        "35=A|{}|98=0|108=30|141=Y|95=3|96=a\x01b|384=2|372=D|385=S|372=8|385=R|8013=Y",
        "35=D|{}|<order>",
        "35=D|{}|<order>|44=1.5|453=2|448=A|447=D|452=1|448=B|58=note",
        "35=D|{}|50=DESK|115=X|128=Y|43=N|97=Y|122=<now>|627=1|628=A|629=<now>|630=3|<order>",
        "35=F|{}|41=o|11=c|55=S|54=2|60=<now>",
        "35=H|{}|11=c|55=S|54=2",
        "35=0|{}|93=3|89=a\x01b",
    ],
)
def test_sound_messages_pass(text: str) -> None:
    assert judge(text.format(HEADER)) == "ok"


def test_header_and_body_fields_may_be_in_any_order_of_their_own() -> None:
    """QuickFIX 15: differently ordered, accepted."""
    assert judge("35=D|49=TW44|34=3|56=ISLD|52=<now>|40=1|55=X|60=<now>|54=1|38=5|11=x") == "ok"


# FIX 4.4 Volume 2, "Reject", SessionRejectReason by SessionRejectReason


@pytest.mark.parametrize("tag", ["999", "0", "-1", "5000", "20000", "035"])
def test_0_invalid_tag_number(tag: str) -> None:
    """QuickFIX 14a: not defined in the specification, below, negative, above."""
    assert judge(f"35=0|{HEADER}|{tag}=HI") == f"INVALID_TAG_NUMBER {tag}"


@pytest.mark.parametrize("tag", ["49", "56", "52", "34"])
def test_1_required_tag_missing_in_the_header(tag: str) -> None:
    header = "|".join(part for part in HEADER.split("|") if not part.startswith(tag))
    assert judge(f"35=0|{header}") == f"REQUIRED_TAG_MISSING {tag}"


@pytest.mark.parametrize("tag", ["11", "55", "54", "40", "60"])
def test_1_required_tag_missing_in_the_body(tag: str) -> None:
    """QuickFIX 14b. 55 is required by a component."""
    body = "|".join(part for part in ORDER.split("|") if not part.startswith(f"{tag}="))
    assert order(body) == f"REQUIRED_TAG_MISSING {tag}"


def test_2_tag_not_defined_for_this_message_type() -> None:
    """QuickFIX 14c: identified in the specification, but not for this message type."""
    assert judge(f"35=0|{HEADER}|55=MSFT") == "TAG_NOT_DEFINED_FOR_MESSAGE_TYPE 55"
    assert order(f"{ORDER}|448=A") == "TAG_NOT_DEFINED_FOR_MESSAGE_TYPE 448"
    assert judge(f"35=1|{HEADER}|112=x|98=0") == "TAG_NOT_DEFINED_FOR_MESSAGE_TYPE 98"


@pytest.mark.parametrize("tag", ["49", "52", "56", "50", "115", "11", "58", "453"])
def test_4_tag_specified_without_a_value(tag: str) -> None:
    """QuickFIX 14d."""
    body = f"{HEADER}|50=S|115=B|<order>|58=t|453=0"
    fields = [f"{tag}=" if part.startswith(f"{tag}=") else part for part in body.split("|")]
    text = "|".join(fields).replace("<order>", ORDER)
    text = text.replace("11=id", "11=") if tag == "11" else text
    assert judge(f"35=D|{text}") == f"TAG_SPECIFIED_WITHOUT_VALUE {tag}"


def test_4_the_first_of_several_empty_fields_is_named() -> None:
    assert order(f"{ORDER}|58=|44=") == "TAG_SPECIFIED_WITHOUT_VALUE 58"


@pytest.mark.parametrize(
    ("field", "verdict"),
    [
        ("21=4", "VALUE_INCORRECT 21"),
        ("59=2", "VALUE_INCORRECT 59"),
        ("528=x", "VALUE_INCORRECT 528"),
        ("453=1|448=A|447=Z", "VALUE_INCORRECT 447"),
        ("453=1|448=A|452=23", "VALUE_INCORRECT 452"),
        ("453=1|448=A|452=-1", "VALUE_INCORRECT 452"),
    ],
)
def test_5_value_is_incorrect_for_this_tag(field: str, verdict: str) -> None:
    """QuickFIX 14e: the right format, but not one of the enumerated values."""
    assert order(f"{ORDER}|{field}") == verdict


@pytest.mark.parametrize(
    ("field", "verdict"),
    [
        ("44=+200.00", "INCORRECT_DATA_FORMAT 44"),
        ("44=1e5", "INCORRECT_DATA_FORMAT 44"),
        ("21=11", "INCORRECT_DATA_FORMAT 21"),
        ("453=x", "INCORRECT_DATA_FORMAT 453"),
        ("453=-1", "INCORRECT_DATA_FORMAT 453"),
        ("453=1.0", "INCORRECT_DATA_FORMAT 453"),
        ("453=1|448=A|452=1.5", "INCORRECT_DATA_FORMAT 452"),
    ],
)
def test_6_incorrect_data_format(field: str, verdict: str) -> None:
    """QuickFIX 14f."""
    assert order(f"{ORDER}|{field}") == verdict


def test_6_in_the_header() -> None:
    assert order(header="34=2|49=TW44|52=noon|56=ISLD") == "INCORRECT_DATA_FORMAT 52"
    assert order(header=f"{HEADER}|97=y") == "INCORRECT_DATA_FORMAT 97"
    assert order(header=f"{HEADER}|122=x") == "INCORRECT_DATA_FORMAT 122"
    assert order(header=f"{HEADER}|369=x") == "INCORRECT_DATA_FORMAT 369"


@pytest.mark.parametrize("msg_type", ["*", "ZZ", "DD", "00"])
def test_11_invalid_msg_type(msg_type: str) -> None:
    """QuickFIX 2q."""
    assert judge(f"35={msg_type}|{HEADER}|999=x") == "INVALID_MSG_TYPE -"


@pytest.mark.parametrize("msg_type", ["k", "R", "AK"])
def test_a_message_of_fix_44_that_is_not_ours_is_for_the_application(msg_type: str) -> None:
    """Its answer is BusinessMessageReject: unsupported message type. QuickFIX 2r."""
    assert judge(f"35={msg_type}|{HEADER}|58=x") == "ok"


def test_13_tag_appears_more_than_once() -> None:
    """QuickFIX 14h: not part of a repeating group, specified more than once."""
    assert order(f"{ORDER}|40=2") == "TAG_APPEARS_MORE_THAN_ONCE 40"
    assert order(header=f"{HEADER}|34=2") == "TAG_APPEARS_MORE_THAN_ONCE 34"
    assert order(header=f"{HEADER}|35=D") == "TAG_APPEARS_MORE_THAN_ONCE 35"
    assert judge(f"35=0|{HEADER}|89=x|89=y") == "TAG_APPEARS_MORE_THAN_ONCE 89"
    assert order(f"{ORDER}|453=0|453=0") == "TAG_APPEARS_MORE_THAN_ONCE 453"


def test_14_tag_out_of_required_order() -> None:
    """QuickFIX 14g: header, body, trailer is the order."""
    assert judge(f"35=D|{ORDER}|{HEADER}") == "TAG_OUT_OF_ORDER 34"
    assert judge(f"35=D|55=MSFT|{HEADER}|11=x") == "TAG_OUT_OF_ORDER 34"
    assert order(f"{ORDER}|97=Y") == "TAG_OUT_OF_ORDER 97"
    assert judge(f"35=0|{HEADER}|93=1|89=x|112=x") == "TAG_OUT_OF_ORDER 112"
    assert judge(f"35=0|93=1|89=x|{HEADER}") == "TAG_OUT_OF_ORDER 34"


# Repeating groups. FIX 4.4 Volume 1: each entry begins with the first field of the group, and the
# NumInGroup field comes right before the entries.


@pytest.mark.parametrize(
    ("group", "verdict"),
    [
        ("453=1|448=A", "ok"),
        ("453=2|448=A|448=B|447=D|452=1", "ok"),
        ("453=3|448=A|447=D|448=B|452=1|448=C", "ok"),
        ("453=0", "ok"),
        ("453=01|448=A", "ok"),
        ("453=2|448=A", "INCORRECT_NUM_IN_GROUP 453"),
        ("453=1|448=A|448=B", "INCORRECT_NUM_IN_GROUP 453"),
        ("453=0|448=A", "INCORRECT_NUM_IN_GROUP 453"),
        ("453=1", "INCORRECT_NUM_IN_GROUP 453"),
        ("453=999999999999999999", "INCORRECT_NUM_IN_GROUP 453"),
        ("453=1|58=x|448=A", "TAG_NOT_DEFINED_FOR_MESSAGE_TYPE 448"),
        ("453=1|447=D|448=A", "GROUP_FIELDS_OUT_OF_ORDER 447"),
        ("453=1|448=A|447=D|447=D", "GROUP_FIELDS_OUT_OF_ORDER 447"),
        ("453=0|452=1", "GROUP_FIELDS_OUT_OF_ORDER 452"),
    ],
)
def test_groups(group: str, verdict: str) -> None:
    """QuickFIX 14i (count not equal) and 21 (count of zero)."""
    assert order(f"{ORDER}|{group}") == verdict
    assert order(f"{group}|{ORDER}") == verdict


def test_groups_of_the_header() -> None:
    assert order(header=f"{HEADER}|627=2|628=A|628=B|630=7") == "ok"
    assert order(header=f"627=1|628=A|{HEADER}") == "ok"
    assert order(header=f"{HEADER}|627=2|628=A") == "INCORRECT_NUM_IN_GROUP 627"
    assert order(header=f"{HEADER}|627=1|628=A|629=x") == "INCORRECT_DATA_FORMAT 629"


@pytest.mark.parametrize(
    ("group", "verdict"),
    [
        ("200=1|201=A|202=1", "ok"),
        ("200=2|201=A|202=1|210=2|211=P|211=Q|212=7|203=5|201=B|202=2|210=1|211=R", "ok"),
        ("200=1|201=A|202=1|210=0|203=5", "ok"),
        # what is required, in the first entry, the last, and an inner one
        ("200=1|201=A", "REQUIRED_TAG_MISSING 202"),
        ("200=2|201=A|201=B|202=1", "REQUIRED_TAG_MISSING 202"),
        ("200=2|201=A|202=1|201=B|203=5", "REQUIRED_TAG_MISSING 202"),
        # counts, outer and inner
        ("200=1|201=A|202=1|210=2|211=P", "INCORRECT_NUM_IN_GROUP 210"),
        ("200=2|201=A|202=1|210=1|211=P", "INCORRECT_NUM_IN_GROUP 200"),
        ("200=2|201=A|202=1|210=1|211=P|201=B|202=1|210=2|211=R", "INCORRECT_NUM_IN_GROUP 210"),
        # order
        ("200=1|202=1|201=A", "GROUP_FIELDS_OUT_OF_ORDER 202"),
        ("200=1|201=A|202=1|210=1|212=7|211=P", "GROUP_FIELDS_OUT_OF_ORDER 212"),
        ("200=1|201=A|202=1|210=1|211=P|210=1|211=Q", "GROUP_FIELDS_OUT_OF_ORDER 210"),
        ("200=1|201=A|202=1|212=7", "TAG_NOT_DEFINED_FOR_MESSAGE_TYPE 212"),
        # values
        ("200=1|201=A|202=3", "VALUE_INCORRECT 202"),
        ("200=2|201=A|202=1|203=5|201=B|202=2|203=x", "INCORRECT_DATA_FORMAT 203"),
        ("200=1|201=A|202=1|210=1|211=|212=7", "TAG_SPECIFIED_WITHOUT_VALUE 211"),
        ("200=1|201=A|202=1|210=2|211=P|211=Q|212=x", "INCORRECT_DATA_FORMAT 212"),
        ("200=1|201=A|202=1|999=x", "INVALID_TAG_NUMBER 999"),
    ],
)
def test_groups_in_groups(group: str, verdict: str) -> None:
    assert judge(f"35=n|{group}", TYPES) == verdict
    assert judge(f"35=n|{group}|110=after", TYPES) == verdict


# Data types, FIX 4.4 Volume 1

FIELD_OF = {
    "INT": 101, "FLOAT": 102, "UTCDATEONLY": 103, "MONTHYEAR": 104, "UTCTIMEONLY": 105,
    "UTCTIMESTAMP": 106, "SEQNUM": 107, "CHAR": 108, "BOOLEAN": 109, "STRING": 110,
}  # fmt: skip

FORMAT_CASES = {
    "INT": ("0 1 -1 007 -007 999999999999999999", "+1 1.0 - 1- 1,000 x 0x1 9999999999999999999"),
    "FLOAT": ("0 1 -1 23 23.23 0023.2300 -23.0 .5 5. -.5", "+1 1e5 . - 1.2.3 1,5 NaN inf x 1_0"),
    "UTCDATEONLY": (
        "20240229 19700101",
        "2024022 202402290 20240001 20241301 20240132 20240230 20230229 x",
    ),
    "MONTHYEAR": ("202402 20240229 202402w1 202402w5", "2024 202413 202402w0 202402w6 202402w x"),
    "UTCTIMEONLY": (
        "00:00:00 23:59:60 12:00:00.123 12:00:00.123456 12:00:00.123456789",
        "24:00:00 12:60:00 12:00:61 12:00 12:00:00. 12:00:00.12 12:00:00.1234 1:00:00 x",
    ),
    "UTCTIMESTAMP": (
        "20240229-12:00:00 20240229-12:00:00.123 20161231-23:59:60",
        "20240230-12:00:00 20240229 12:00:00 20240229-12:00:00.1 x",
    ),
    "SEQNUM": ("0 1 007 999999999999999999", "-1 +1 1.0 x 9999999999999999999"),
    "CHAR": ("a 1 *", "ab 12"),
    "BOOLEAN": ("Y N", "y n YES 1 T x"),
    "STRING": ("x = a=b \xe9", ""),
}


@pytest.mark.parametrize(
    ("type_name", "value"),
    [(name, value) for name, (good, _) in FORMAT_CASES.items() for value in good.split()],
)
def test_values_that_have_the_format_of_their_type(type_name: str, value: str) -> None:
    assert judge(f"35=t|{FIELD_OF[type_name]}={value}", TYPES) == "ok"


@pytest.mark.parametrize(
    ("type_name", "value"),
    [(name, value) for name, (_, bad) in FORMAT_CASES.items() for value in bad.split()],
)
def test_values_that_do_not(type_name: str, value: str) -> None:
    tag = FIELD_OF[type_name]
    assert judge(f"35=t|{tag}={value}", TYPES) == f"INCORRECT_DATA_FORMAT {tag}"


def test_no_format_ends_before_the_value_does() -> None:
    for tag in set(FIELD_OF.values()) - {FIELD_OF["STRING"]}:
        assert judge(f"35=t|{tag}=Y\n", TYPES) == f"INCORRECT_DATA_FORMAT {tag}"
        assert judge(f"35=t|{tag}=1\n", TYPES) == f"INCORRECT_DATA_FORMAT {tag}"


@pytest.mark.parametrize("type_name", ["PRICE", "QTY", "AMT", "PRICEOFFSET", "PERCENTAGE"])
def test_the_kinds_of_float(type_name: str) -> None:
    """FIX 4.4 Volume 1: Qty, Price, PriceOffset, Amt and Percentage are float fields."""
    assert FORMATS[type_name](b"-1.5")
    assert not FORMATS[type_name](b"x")


@pytest.mark.parametrize(
    ("field", "verdict"),
    [
        ("111=A", "ok"),
        ("111=A B", "ok"),
        ("111=B 1 A", "ok"),
        ("112=AA BB", "ok"),
        ("111=C", "VALUE_INCORRECT 111"),
        ("111=A C", "VALUE_INCORRECT 111"),
        ("111=A  B", "VALUE_INCORRECT 111"),
        ("111= A", "VALUE_INCORRECT 111"),
        ("111=AB", "VALUE_INCORRECT 111"),
        ("111=A,B", "VALUE_INCORRECT 111"),
        ("112=AA B", "VALUE_INCORRECT 112"),
        # only MULTIPLE... fields hold several; another's enumerated value may have a blank in it
        ("113=A", "ok"),
        ("113=A B", "ok"),
        ("113=B A", "VALUE_INCORRECT 113"),
    ],
)
def test_several_values_in_one_field(field: str, verdict: str) -> None:
    """FIX 4.4 Volume 1, MultipleValueString: one or more values, delimited by a space."""
    assert judge(f"35=t|{field}", TYPES) == verdict


# Remembered shapes


def test_one_shape_many_values() -> None:
    """What is remembered is the sequence of tags; each message's values are judged anew."""
    validator, decoder = Validator(dictionary()), Decoder()
    verdicts = []
    for values in ("1 1 100", "3 1 100", "1 9 100", "1 1 x", "2 2 .5", "1 1 ", "2 1 7"):
        side, order_type, quantity = values.split(" ")
        text = f"35=D|{HEADER}|11=a|55=B|54={side}|38={quantity}|40={order_type}|60=<now>"
        (found,) = decoder.feed(frame(expand(text)))
        assert isinstance(found, Message)
        verdicts.append(said(validator.check(found)))
    assert verdicts == [
        "ok",
        "VALUE_INCORRECT 54",
        "VALUE_INCORRECT 40",
        "INCORRECT_DATA_FORMAT 38",
        "ok",
        "TAG_SPECIFIED_WITHOUT_VALUE 38",
        "ok",
    ]


def test_one_shape_many_counts() -> None:
    validator, decoder = Validator(dictionary()), Decoder()
    for count, verdict in [(2, "ok"), (1, "INCORRECT_NUM_IN_GROUP 453"), (2, "ok")]:
        text = f"35=D|{HEADER}|<order>|453={count}|448=A|448=B"
        (found,) = decoder.feed(frame(expand(text)))
        assert isinstance(found, Message)
        assert said(validator.check(found)) == verdict


def test_a_faulty_shape_stays_faulty_and_does_not_spoil_the_next() -> None:
    validator, decoder = Validator(dictionary()), Decoder()
    faulty, sound = frame(expand(f"35=0|{HEADER}|55=X")), frame(expand(f"35=0|{HEADER}|112=X"))
    for raw, verdict in [(faulty, "TAG_NOT_DEFINED_FOR_MESSAGE_TYPE 55"), (sound, "ok")] * 2:
        (found,) = decoder.feed(raw)
        assert isinstance(found, Message)
        assert said(validator.check(found)) == verdict


def test_remembered_shapes_are_bounded() -> None:
    """A peer that varies its tags must not grow our memory, over however many connections."""

    def shapes_alive() -> int:
        gc.collect()
        return sum(type(thing) is Shape for thing in gc.get_objects())

    before = shapes_alive()
    validator = Validator(dictionary())
    for number in range(9_000):
        (found,) = Decoder().feed(encode(b"35=0\x01%d=x\x01" % (number + 1_000)))
        assert isinstance(found, Message)
        assert validator.check(found) is not None
    assert shapes_alive() - before < 4_200
    del found
    assert said(validator.check(message(f"35=D|{HEADER}|{ORDER}"))) == "ok"


# Whatever comes


# CheckSum ends a message wherever it stands.
TAGS = sorted(int(tag) for tag in dictionary().fields if tag != b"10")
values = st.one_of(
    st.sampled_from(["", "0", "1", "2", "Y", "-1", "x", "A B"]), st.text("0123.", max_size=4)
)


@examples(150)
@given(
    st.sampled_from(["0", "A", "D", "8", "*"]),
    st.booleans(),
    st.lists(st.tuples(st.sampled_from([*TAGS, 999, 0]), values), max_size=10),
)
def test_every_message_gets_a_verdict(
    msg_type: str, with_header: bool, fields: list[tuple[int, str]]
) -> None:
    data = {b"%d" % tag for tag, _ in fields} & {b"90", b"93", b"95", b"212", b"354"}
    text = "|".join([f"35={msg_type}", *[HEADER] * with_header, *[f"{t}={v}" for t, v in fields]])
    if data:
        return  # their lengths would have to be right
    reject = Validator(dictionary()).check(message(text))
    if reject is not None and reject.ref_tag is not None:
        missing = reject.reason is RejectReason.REQUIRED_TAG_MISSING
        assert (reject.ref_tag in message(text).shape.tags) != missing


@pytest.mark.parametrize("reason", RejectReason)
def test_every_reason_has_its_words(reason: RejectReason) -> None:
    """The wording that engines (and QuickFIX's acceptance tests) expect in Text (58)."""
    assert reason.text
    assert RejectReason.REQUIRED_TAG_MISSING.text == b"Required tag missing"
    assert RejectReason(5).text == b"Value is incorrect (out of range) for this tag"
