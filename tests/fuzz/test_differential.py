"""simplefix as a second opinion on messages made from the dictionary, where it is right.

Where it is not, and so is not asked: it takes any BodyLength and CheckSum, a data field of length 0
for another kind of field, and, cut between a data field and its delimiter, loses its footing.
"""

from __future__ import annotations

from random import Random
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from simplefix import FixMessage, FixParser

from fix_engine.groups import Entry, read_group
from fix_engine.message import Message
from fix_engine.tags import DATA_LENGTHS
from fix_engine.wire import Decoder
from tests.fuzz.conversation import Conversation
from tests.fuzz.generate import Field, Generator, Unit, assemble, flat
from tests.fuzz.machine import PEER, US, Machine
from tests.fuzz.test_machine import examples, numbers
from tests.support.messages import dictionary

_HEADER: list[Field] = [
    *((b"34", b"2"), (b"49", PEER), (b"52", b"20240229-12:00:00"), (b"56", US)),
]
_GROUPS = {b"D": b"453", b"A": b"384", b"8": b"453", b"F": b"453"}
types = st.sampled_from(sorted(dictionary().messages))


def drawn(rng: Random, msg_type: bytes, is_damaged: bool) -> list[list[Unit]]:
    """Header, body and trailer of one message, the body perhaps spoiled."""
    generator = Generator(rng, dictionary())
    header, body = generator.header(_HEADER, 0.3), generator.body(msg_type)
    if is_damaged:
        generator.damage(msg_type, body)
    return [header, body, generator.trailer()]


def opinion(judge: Any) -> list[Field] | None:
    """The next message as simplefix has it, without its frame."""
    message = judge.get_message()
    return None if message is None else message.pairs[2:-1]


@examples(200)
@given(numbers, types, st.booleans())
def test_simplefix_writes_the_same_bytes(seed: int, msg_type: bytes, is_damaged: bool) -> None:
    parts = drawn(Random(seed), msg_type, is_damaged)
    judge: Any = FixMessage()
    judge.append_pair(8, b"FIX.4.4")
    for tag, value in flat(msg_type, *parts):
        judge.append_pair(tag, value)
    assert judge.encode() == assemble(msg_type, *parts)


@examples(100)
@given(numbers, st.lists(st.tuples(types, st.booleans()), min_size=1, max_size=4), st.booleans())
def test_simplefix_reads_the_same_fields(
    seed: int, kinds: list[tuple[bytes, bool]], is_cut: bool
) -> None:
    rng = Random(seed)
    sent = [(kind, drawn(rng, kind, is_damaged)) for kind, is_damaged in kinds]
    stream = b"".join(assemble(kind, *parts) for kind, parts in sent)
    judge: Any = FixParser(allow_empty_values=True)
    decoder, found, said = Decoder(), list[list[Field]](), list[list[Field]]()
    for piece in _cut(stream, sent) if is_cut else [stream]:
        judge.append_buffer(piece)
        while (pairs := opinion(judge)) is not None:
            said.append(pairs)
        for item in decoder.feed(piece):
            assert isinstance(item, Message)
            found.append(item.pairs())
    assert found == [flat(kind, *parts) for kind, parts in sent]
    assert [plain(fields) for fields in found] == said


def plain(fields: list[Field]) -> list[Field]:
    """With tags as simplefix has them: it takes 058 for 58."""
    return [(b"%d" % int(tag), value) for tag, value in fields]


def _cut(stream: bytes, sent: list[tuple[bytes, list[list[Unit]]]]) -> list[bytes]:
    """Pieces of 7 bytes, longer where simplefix would stumble: no cut just behind data."""
    data = [
        b"%b=%b" % field
        for kind, parts in sent
        for field in flat(kind, *parts)
        if field[0] in DATA_LENGTHS.values()
    ]
    pieces, start = [], 0
    for end in range(7, len(stream), 7):
        if not any(stream[:end].endswith(text) for text in data):
            pieces.append(stream[start:end])
            start = end
    return [*pieces, stream[start:]]


@examples(150)
@given(numbers, st.sampled_from(sorted(_GROUPS)))
def test_the_entries_of_a_group_are_those_that_were_put_there(seed: int, msg_type: bytes) -> None:
    rng = Random(seed)
    generator = Generator(rng, dictionary())
    count_tag = _GROUPS[msg_type]
    group = dictionary().messages[msg_type].groups[count_tag]
    unit = generator.group(count_tag, group)
    body = [other for other in generator.body(msg_type) if other[0][0] != count_tag]
    body.insert(rng.randint(0, len(body)), unit)
    (found,) = Decoder().feed(assemble(msg_type, generator.header(_HEADER), body))
    assert isinstance(found, Message)
    expected: list[Entry] = []
    for tag, value in unit[1:]:
        if tag == group.delimiter:
            expected.append({})
        expected[-1][tag] = value
    assert read_group(found, count_tag, group) == expected


@examples(40)
@given(numbers)
def test_simplefix_reads_all_that_the_machine_writes(seed: int) -> None:
    machine = Machine()
    conversation = Conversation(Random(seed), machine)
    for _ in range(12):
        conversation.step()
    reader = Decoder()
    for raw in machine.written:
        judge: Any = FixParser()
        judge.append_buffer(raw)
        (found,) = reader.feed(raw)
        assert isinstance(found, Message)
        assert opinion(judge) == plain(found.pairs())
