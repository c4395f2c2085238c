"""The data dictionary: ours as it is, others as they should not be."""

from __future__ import annotations

import re

import pytest

from fix_engine.dictionary import Dictionary, DictionaryError
from tests.fix_engine.support import SPECS, dictionary

ADMIN = {b"0", b"1", b"2", b"3", b"4", b"5", b"A"}
APPLICATION = {b"D", b"F", b"G", b"H", b"8", b"9", b"j"}


def xml(
    body: str = "", *, components: str = "", fields: str = "", header: str = "", trailer: str = ""
) -> str:
    """A small dictionary with one message M (MsgType m) that holds `body`."""
    return f"""
        <fix>
          <header>{header}</header>
          <trailer>{trailer}</trailer>
          <messages><message name="M" msgtype="m">{body}</message></messages>
          <components>{components}</components>
          <fields>
            <field number="1" name="One" type="INT"/>
            <field number="2" name="Two" type="STRING"/>
            <field number="3" name="Three" type="char"/>
            <field number="90" name="NoOuter" type="NUMINGROUP"/>
            <field number="91" name="NoInner" type="NUMINGROUP"/>
            {fields}
          </fields>
        </fix>"""


# Ours


def test_ours_speaks_the_messages_of_the_venue() -> None:
    assert dictionary().messages.keys() >= ADMIN | APPLICATION


def test_ours_has_the_header_and_trailer_of_fix() -> None:
    """FIX 4.4 Volume 1: 8, 9, 35 first and in that order; 10 last."""
    ours = dictionary()
    assert list(ours.header.members)[:3] == [b"8", b"9", b"35"]
    assert set(ours.header.required) == {b"8", b"9", b"35", b"49", b"56", b"34", b"52"}
    assert list(ours.trailer.members) == [b"93", b"89", b"10"]
    assert ours.trailer.required == [b"10"]


def test_ours_expands_components() -> None:
    order = dictionary().messages[b"D"]
    assert order.name == "NewOrderSingle"
    assert {b"55", b"453"} <= order.members.keys()
    assert set(order.required) == {b"11", b"55", b"54", b"40", b"60"}


def test_ours_has_groups_with_their_first_field_first() -> None:
    parties = dictionary().group(b"D", b"453")
    assert parties is not None
    assert list(parties.members) == [b"448", b"447", b"452"]
    assert parties.delimiter == b"448"
    hops = dictionary().group(b"D", b"627")
    assert hops is not None, "groups of the header belong to every message"
    assert hops.delimiter == b"628"
    assert dictionary().group(b"D", b"384") is None
    assert dictionary().group(b"nope", b"453") is None


def test_ours_knows_fields_by_tag_and_by_name() -> None:
    side = dictionary().fields[b"54"]
    assert (side.tag, side.name, side.type) == (b"54", "Side", "CHAR")
    assert side.values == {b"1": "BUY", b"2": "SELL"}
    assert dictionary().field_named("Side") is side
    with pytest.raises(KeyError):
        dictionary().field_named("side")


def test_ours_defines_no_field_that_nothing_uses() -> None:
    ours = dictionary()
    used: set[bytes] = set()
    sets = [ours.header, ours.trailer, *ours.messages.values()]
    while sets:
        fields = sets.pop()
        used |= fields.members.keys()
        sets += fields.groups.values()
    assert used == ours.fields.keys()


def test_it_loads_from_text_as_from_bytes() -> None:
    source = (SPECS / "FIX44.xml").read_text(encoding="utf-8")
    assert Dictionary(source).messages == dictionary().messages


# Small ones


def test_required_is_what_says_y() -> None:
    fields = Dictionary(
        xml('<field name="One" required="Y"/><field name="Two" required="y"/><field name="Three"/>')
    ).messages[b"m"]
    assert list(fields.members) == [b"1", b"2", b"3"]
    assert fields.required == [b"1", b"2"]


@pytest.mark.parametrize(("outer", "required"), [("Y", [b"1"]), ("N", [])])
def test_what_a_component_requires_is_required_where_the_component_is(
    outer: str, required: list[bytes]
) -> None:
    loaded = Dictionary(
        xml(
            f'<component name="Outer" required="{outer}"/>',
            components=(
                '<component name="Outer"><component name="Inner" required="Y"/></component>'
                '<component name="Inner"><field name="One" required="Y"/></component>'
            ),
        )
    )
    assert loaded.messages[b"m"].required == required


def test_groups_nest_and_keep_their_own_requirements() -> None:
    fields = Dictionary(
        xml(
            '<field name="Three"/><component name="Block" required="N"/>',
            components=(
                '<component name="Block"><group name="NoOuter" required="N">'
                '<field name="One" required="Y"/>'
                '<group name="NoInner" required="N"><field name="Two" required="Y"/></group>'
                "</group></component>"
            ),
        )
    ).messages[b"m"]
    assert list(fields.members) == [b"3", b"90"]
    assert fields.required == []
    outer = fields.groups[b"90"]
    assert (outer.name, outer.delimiter, outer.required) == ("NoOuter", b"1", [b"1"])
    inner = outer.groups[b"91"]
    assert (inner.name, inner.delimiter, inner.required) == ("NoInner", b"2", [b"2"])


def test_types_are_spelt_in_capitals_and_values_may_lack_a_description() -> None:
    loaded = Dictionary(
        xml(fields='<field number="4" name="Four" type="char"><value enum="A"/></field>')
    )
    assert loaded.fields[b"3"].type == "CHAR"
    assert loaded.fields[b"4"].values == {b"A": ""}


def test_components_may_stand_in_two_places_but_not_in_themselves() -> None:
    pair = '<component name="C"><field name="Two"/></component>'
    loaded = Dictionary(
        xml(
            '<component name="C"/><group name="NoOuter"><component name="C"/></group>',
            components=pair,
        )
    )
    assert list(loaded.messages[b"m"].members) == [b"2", b"90"]
    assert list(loaded.messages[b"m"].groups[b"90"].members) == [b"2"]


# What is wrong is named


MALFORMED = {
    "not XML": ("FIX.4.4", "not well-formed XML"),
    "empty": ("", "not well-formed XML"),
    "cut off": ("<fix><header>", "not well-formed XML"),
    "two attributes of one name": ('<fix a="1" a="2"/>', "not well-formed XML"),
    "an undefined entity": ("<fix>&x;</fix>", "not well-formed XML"),
    "another root": ("<html/>", "the root element is <html>, expected <fix>"),
    "no header": ("<fix><trailer/></fix>", "<header> is missing"),
    "no trailer": ("<fix><header/></fix>", "<trailer> is missing"),
    "a field without a number": (
        xml(fields='<field name="Four" type="INT"/>'),
        "<field> {'name': 'Four', 'type': 'INT'} lacks 'number'",
    ),
    "a field without a name": (
        xml(fields='<field number="4" type="INT"/>'),
        "<field> {'number': '4', 'type': 'INT'} lacks 'name'",
    ),
    "a field without a type": (
        xml(fields='<field number="4" name="Four"/>'),
        "<field> {'number': '4', 'name': 'Four'} lacks 'type'",
    ),
    "a field with an empty name": (xml(fields='<field number="4" name="" type="INT"/>'), "lacks"),
    "a field number that is none": (
        xml(fields='<field number="x4" name="Four" type="INT"/>'),
        "field Four: number 'x4' is not a number",
    ),
    "a negative field number": (
        xml(fields='<field number="-4" name="Four" type="INT"/>'),
        "field Four: number '-4' is not a number",
    ),
    "a field number defined twice": (
        xml(fields='<field number="1" name="Uno" type="INT"/>'),
        "field number 1 is defined twice",
    ),
    "a value without an enum": (
        xml(fields='<field number="4" name="Four" type="INT"><value description="X"/></field>'),
        "<value> {'description': 'X'} lacks 'enum'",
    ),
    "a message without a MsgType": (
        "<fix><header/><trailer/><messages><message name='M'/></messages></fix>",
        "<message> {'name': 'M'} lacks 'msgtype'",
    ),
    "a message without a name": (
        "<fix><header/><trailer/><messages><message msgtype='m'/></messages></fix>",
        "<message> {'msgtype': 'm'} lacks 'name'",
    ),
    "a component without a name": (xml(components="<component/>"), "<component> {} lacks 'name'"),
    "an undefined field in a message": (
        xml('<field name="Four"/>'),
        "M refers to field Four, which is not defined",
    ),
    "an undefined field in the header": (
        xml(header='<field name="Four"/>'),
        "header refers to field Four, which is not defined",
    ),
    "an undefined field in the trailer": (
        xml(trailer='<field name="Four"/>'),
        "trailer refers to field Four, which is not defined",
    ),
    "an undefined field in a group": (
        xml('<group name="NoOuter"><field name="Four"/></group>'),
        "NoOuter refers to field Four, which is not defined",
    ),
    "an undefined field in a component": (
        xml(
            '<component name="C"/>',
            components='<component name="C"><field name="Four"/></component>',
        ),
        "M refers to field Four, which is not defined",
    ),
    "an undefined group": (
        xml('<group name="NoSuch"><field name="One"/></group>'),
        "M refers to field NoSuch, which is not defined",
    ),
    "an undefined component": (
        xml('<component name="Nope"/>'),
        "M: component Nope is undefined or recursive",
    ),
    "a component in itself": (
        xml(
            '<component name="C"/>',
            components='<component name="C"><component name="C"/></component>',
        ),
        "M: component C is undefined or recursive",
    ),
    "two components in each other": (
        xml(
            '<component name="C"/>',
            components=(
                '<component name="C"><component name="D"/></component>'
                '<component name="D"><component name="C"/></component>'
            ),
        ),
        "M: component C is undefined or recursive",
    ),
    "a member without a name": (xml('<field required="Y"/>'), "<field> {'required': 'Y'} lacks"),
    "a member of no known kind": (xml('<fields name="One"/>'), "M: unexpected element <fields>"),
}


@pytest.mark.parametrize(("source", "complaint"), MALFORMED.values(), ids=MALFORMED.keys())
def test_a_faulty_dictionary_is_refused_by_name(source: str, complaint: str) -> None:
    with pytest.raises(DictionaryError, match=re.escape(complaint)):
        Dictionary(source)


def test_a_dictionary_error_is_a_value_error() -> None:
    assert issubclass(DictionaryError, ValueError)


def test_bytes_that_are_no_utf_8_are_refused() -> None:
    with pytest.raises(DictionaryError, match="not well-formed XML"):
        Dictionary(b"<fix>\xff</fix>")
