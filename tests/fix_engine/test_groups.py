"""Repeating groups, read from messages that validation has passed."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from fix_engine.dictionary import FieldSet
from fix_engine.groups import Entry, group_end, read_group
from tests.fix_engine.support import dictionary, examples, message

PARTY = FieldSet("NoParties", dict.fromkeys([b"211", b"212"]))
LEG = FieldSet(
    "NoLegs", dict.fromkeys([b"201", b"202", b"210", b"203"]), groups={b"210": PARTY}
)  # fmt: skip


def legs(text: str) -> list[Entry]:
    return read_group(message(f"35=n|{text}"), b"200", LEG)


def test_entries_come_in_order_with_the_fields_they_have() -> None:
    assert legs("58=before|200=2|201=A|202=1|201=B|203=5|58=after") == [
        {b"201": b"A", b"202": b"1"},
        {b"201": b"B", b"203": b"5"},
    ]


def test_an_absent_group_has_no_entries() -> None:
    assert legs("58=x") == []


def test_a_group_of_zero_has_no_entries() -> None:
    assert legs("200=0|58=x") == []
    assert legs("200=0") == []


def test_a_group_at_the_end_of_the_message() -> None:
    assert legs("200=1|201=A") == [{b"201": b"A"}]


def test_inner_groups_are_lists_in_their_entry() -> None:
    assert legs("200=2|201=A|210=2|211=P|212=7|211=Q|203=5|201=B|210=1|211=R") == [
        {
            b"201": b"A",
            b"210": [{b"211": b"P", b"212": b"7"}, {b"211": b"Q"}],
            b"203": b"5",
        },
        {b"201": b"B", b"210": [{b"211": b"R"}]},
    ]


def test_an_inner_group_of_zero_is_an_empty_list() -> None:
    assert legs("200=1|201=A|210=0|203=5") == [{b"201": b"A", b"210": [], b"203": b"5"}]


def test_the_end_of_a_group_is_the_place_after_its_last_field() -> None:
    found = message("35=n|58=x|200=2|201=A|210=1|211=P|201=B|110=after")
    place = found.shape.index[b"200"]
    assert place == 2
    assert group_end(found, place, LEG) == 7
    assert found.shape.tags[7] == b"110"
    assert group_end(found, 4, PARTY) == 6
    assert group_end(message("35=n|200=0"), 1, LEG) == 2


def test_with_our_dictionary() -> None:
    parties = dictionary().group(b"D", b"453")
    assert parties is not None
    order = message("35=D|34=2|11=x|453=2|448=A|447=D|452=1|448=B|55=X")
    assert read_group(order, b"453", parties) == [
        {b"448": b"A", b"447": b"D", b"452": b"1"},
        {b"448": b"B"},
    ]


WRITTEN = [b"201", b"202", b"210", b"203", b"211", b"212"]

party_entries = st.fixed_dictionaries({b"211": st.just(b"P")}, optional={b"212": st.just(b"7")})
leg_entries = st.fixed_dictionaries(
    {b"201": st.sampled_from([b"A", b"B"])},
    optional={
        b"202": st.just(b"1"),
        b"210": st.lists(party_entries, max_size=3),
        b"203": st.just(b"5"),
    },
)


def flat(count_tag: bytes, entries: list[Entry]) -> str:
    text = f"{count_tag.decode()}={len(entries)}"
    for entry in entries:
        for tag, value in sorted(entry.items(), key=lambda field: WRITTEN.index(field[0])):
            field = (
                flat(tag, value) if isinstance(value, list) else f"{tag.decode()}={value.decode()}"
            )
            text += f"|{field}"
    return text


@examples(120)
@given(st.lists(leg_entries, max_size=4), st.booleans())
def test_what_is_written_is_read(entries: list[Entry], more: bool) -> None:
    found = message(f"35=n|{flat(b'200', entries)}{'|58=after' * more}")
    assert read_group(found, b"200", LEG) == entries
    assert group_end(found, 1, LEG) == len(found.shape.tags) - more
