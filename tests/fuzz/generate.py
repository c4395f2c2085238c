"""Messages made from the dictionary: right ones, and wrong ones that say what is wrong with them.

Every choice is drawn from one `random.Random`, so that a seed, hypothesis or the bytes of a
coverage-guided fuzzer can stand behind it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from random import Random
from typing import Final

from fix_engine.dictionary import Dictionary, FieldDef, FieldSet
from fix_engine.errors import RejectReason
from fix_engine.tags import DATA_LENGTHS
from fix_engine.wire import encode

Field = tuple[bytes, bytes]
Unit = list[Field]  # one field; a length with its data; or a count with the entries of its group

_FRAMING: Final = frozenset((b"8", b"9", b"10", b"35"))
_DATA_LENGTH_OF: Final = {data: length for length, data in DATA_LENGTHS.items()}
_NUMBERS: Final = (b"0", b"1", b"2", b"5", b"100", b"007", b"2147483648", b"9" * 18)
_FLOATS: Final = (b"1", b"0.5", b"100.25", b"-3", b".5", b"5.", b"-0", b"0" * 30 + b"1", b"9" * 40)
_TIMES: Final = (
    *(b"20240229-12:00:00", b"20240229-12:00:00.000", b"19700101-00:00:00.999999"),
    *(b"99991231-23:59:60.123456789", b"20000229-00:00:00.001"),
)
_TEXTS: Final = (b"x", b"BTC/USD", b"a=b", b"=", b" ", b"\xff\x00", b"10=000", b"8=FIX.4.4", b"-")
_RIGHT: Final[Mapping[str, tuple[bytes, ...]]] = {
    **dict.fromkeys(("INT", "DAYOFMONTH"), (*_NUMBERS, b"-1", b"-" + b"9" * 18)),
    **dict.fromkeys(("LENGTH", "SEQNUM", "NUMINGROUP"), _NUMBERS),
    **dict.fromkeys(("FLOAT", "PRICE", "QTY", "AMT", "PRICEOFFSET", "PERCENTAGE"), _FLOATS),
    "UTCTIMESTAMP": _TIMES,
    **dict.fromkeys(("LOCALMKTDATE", "UTCDATEONLY"), (b"20240229", b"19700101", b"99991231")),
    "UTCTIMEONLY": (b"00:00:00", b"12:00:00.000", b"23:59:60.999999", b"08:00:00.123456789"),
    "CHAR": (b"1", b"A", b"=", b"\xfe"),
    "BOOLEAN": (b"Y", b"N"),
}
_NO_NUMBER: Final = (b"x", b"1e9", b"--1", b"NaN", b"+1", b" 1", b"1 ", b"9" * 19 + b"x", b"1.2.3")
_WRONG: Final[Mapping[str, tuple[bytes, ...]]] = {
    **dict.fromkeys(("INT", "LENGTH", "SEQNUM"), (*_NO_NUMBER, b"1.0", b"9" * 19, b"\xb2")),
    **dict.fromkeys(("FLOAT", "PRICE", "QTY", "AMT"), (*_NO_NUMBER, b".", b"-", b"-.")),
    "UTCTIMESTAMP": (
        *(b"20240230-12:00:00", b"20240229-24:00:00", b"20240229-12:00:00.", b"19691231-23:59:59"),
        *(b"20240229-12:00:00.1", b"20240229", b"20240229-12:00:00Z", b"00000101-00:00:00"),
    ),
    "LOCALMKTDATE": (b"20240230", b"2024-02-29", b"20240229-12:00:00", b"240229"),
    "UTCDATEONLY": (b"20240232", b"2024-02-29", b"20240229-12:00:00", b"240229"),
    "UTCTIMEONLY": (b"24:00:00", b"12:00", b"12:00:00.", b"12:00:61", b"12:00:00.1", b"120000"),
    "CHAR": (b"12", b"AB"),
    "BOOLEAN": (b"y", b"YES", b"0"),
}

Hints = Mapping[bytes, Callable[[Random], bytes]]


class Generator:
    """Draws messages of every type that the dictionary has."""

    def __init__(self, rng: Random, dictionary: Dictionary, hints: Hints | None = None) -> None:
        """`hints` gives the values of tags whose meaning matters more than their type."""
        self.rng = rng
        self.dictionary = dictionary
        self._hints = hints or {}
        self._types = sorted(dictionary.messages)

    def msg_type(self) -> bytes:
        """A MsgType that the dictionary knows."""
        return self.rng.choice(self._types)

    def value(self, tag: bytes) -> bytes:
        """A value that this field may have."""
        hint = self._hints.get(tag)
        if hint is not None:
            return hint(self.rng)
        definition = self.dictionary.fields[tag]
        if definition.values:
            return self.rng.choice(sorted(definition.values))
        choices = _RIGHT.get(definition.type)
        if choices is not None:
            return self.rng.choice(choices)
        if self.rng.random() < 0.5:
            return self.rng.choice(_TEXTS)
        return bytes(self.rng.choice(b"AZaz09 =|.-") for _ in range(self.rng.randint(1, 12)))

    def data(self) -> bytes:
        """What a data field may hold: anything, delimiters and things like trailers included."""
        if self.rng.random() < 0.5:
            tricky = (b"\x01", b"a\x0110=000\x01", b"\x018=FIX.4.4\x019=5\x01", b"=", b"\x0196=x")
            return self.rng.choice(tricky)
        return bytes(self.rng.randrange(256) for _ in range(self.rng.randint(1, 8)))

    def units(self, fields: FieldSet, density: float = 0.4) -> list[Unit]:
        """The fields of a set as they may stand: the required ones, and some of the others."""
        found: list[Unit] = []
        for tag in fields.members:
            is_wanted = tag in fields.required or self.rng.random() < density
            if tag in _FRAMING or tag in _DATA_LENGTH_OF or not is_wanted:
                continue
            if tag in fields.groups:
                found.append(self.group(tag, fields.groups[tag]))
            elif tag in DATA_LENGTHS:
                data = self.data()
                found.append([(tag, b"%d" % len(data)), (DATA_LENGTHS[tag], data)])
            else:
                found.append([(tag, self.value(tag))])
        return found

    def group(self, count_tag: bytes, group: FieldSet) -> Unit:
        """A NumInGroup field and its entries, each begun by the group's first field."""
        entries = self.rng.randint(0, 3)
        unit = [(count_tag, b"%d" % entries)]
        for _ in range(entries):
            unit.append((group.delimiter, self.value(group.delimiter)))
            rest = [inner for inner in self.units(group) if inner[0][0] != group.delimiter]
            self.rng.shuffle(rest)
            unit += [field for inner in rest for field in inner]
        return unit

    def header(self, fixed: list[Field], density: float = 0.05) -> list[Unit]:
        """A standard header with these fields and perhaps others, MsgType left to `assemble`."""
        own = {tag for tag, _ in fixed}
        units = [[field] for field in fixed]
        units += [
            unit
            for unit in self.units(self.dictionary.header, density)
            if unit[0][0] not in own and unit[0][0] not in (b"43", b"122")
        ]
        self.rng.shuffle(units)
        return units

    def body(self, msg_type: bytes) -> list[Unit]:
        """The body of a message, in an order that FIX leaves free."""
        units = self.units(self.dictionary.messages[msg_type])
        if self.rng.random() < 0.5:
            self.rng.shuffle(units)
        return units

    def trailer(self) -> list[Unit]:
        """A standard trailer without CheckSum: now and then a signature."""
        return self.units(self.dictionary.trailer, 0.05)

    # --- wrong on purpose ---------------------------------------------------------------

    def damage(self, msg_type: bytes, body: list[Unit]) -> tuple[RejectReason, bytes] | None:
        """Spoil a sound body in one way; what validation must say, or None when it had no place."""
        kinds = (
            *(self._drop_required, self._repeat, self._unknown_tag, self._foreign_tag),
            *(self._empty, self._wrong_value, self._wrong_count, self._headless_entry),
        )
        return self.rng.choice(kinds)(self.dictionary.messages[msg_type], body)

    def _drop_required(
        self, fields: FieldSet, body: list[Unit]
    ) -> tuple[RejectReason, bytes] | None:
        places = [n for n, unit in enumerate(body) if unit[0][0] in fields.required]
        if not places:
            return None
        dropped = body.pop(self.rng.choice(places))
        return RejectReason.REQUIRED_TAG_MISSING, dropped[0][0]

    def _repeat(self, fields: FieldSet, body: list[Unit]) -> tuple[RejectReason, bytes] | None:
        if not body:
            return None
        unit = self.rng.choice(body)
        body.insert(self.rng.randint(0, len(body)), list(unit))
        return RejectReason.TAG_APPEARS_MORE_THAN_ONCE, unit[0][0]

    def _unknown_tag(self, fields: FieldSet, body: list[Unit]) -> tuple[RejectReason, bytes] | None:
        tag = self.rng.choice((b"0", b"-5", b"4999", b"999999999", b"058", b"-0"))
        body.insert(self.rng.randint(0, len(body)), [(tag, b"x")])
        return RejectReason.INVALID_TAG_NUMBER, tag

    def _foreign_tag(self, fields: FieldSet, body: list[Unit]) -> tuple[RejectReason, bytes] | None:
        header, trailer = self.dictionary.header.members, self.dictionary.trailer.members
        taken = {*header, *trailer, *fields.members, *DATA_LENGTHS, *_DATA_LENGTH_OF}
        for group in fields.groups.values():
            taken |= group.members.keys()
        for group in self.dictionary.header.groups.values():
            taken |= group.members.keys()
        tag = self.rng.choice(sorted(self.dictionary.fields.keys() - taken))
        body.insert(self.rng.randint(0, len(body)), [(tag, self.value(tag))])
        return RejectReason.TAG_NOT_DEFINED_FOR_MESSAGE_TYPE, tag

    def _empty(self, fields: FieldSet, body: list[Unit]) -> tuple[RejectReason, bytes] | None:
        places = [n for n, unit in enumerate(body) if len(unit) == 1]
        if not places:
            return None
        unit = body[self.rng.choice(places)]
        unit[0] = (unit[0][0], b"")
        return RejectReason.TAG_SPECIFIED_WITHOUT_VALUE, unit[0][0]

    def _wrong_value(self, fields: FieldSet, body: list[Unit]) -> tuple[RejectReason, bytes] | None:
        places = [n for n, unit in enumerate(body) if len(unit) == 1 and self._wrong(unit[0][0])]
        if not places:
            return None
        unit = body[self.rng.choice(places)]
        tag = unit[0][0]
        definition = self.dictionary.fields[tag]
        if definition.values and self.rng.random() < 0.5:
            right = sorted(definition.values)[0]
            unit[0] = (tag, b"~" if len(right) == 1 else right + b"~")
            if definition.type not in ("INT", "BOOLEAN"):
                return RejectReason.VALUE_INCORRECT, tag
        elif definition.type in _WRONG:
            unit[0] = (tag, self.rng.choice(_WRONG[definition.type]))
        else:
            unit[0] = (tag, b"~~~")
            return RejectReason.VALUE_INCORRECT, tag
        return RejectReason.INCORRECT_DATA_FORMAT, tag

    def _wrong(self, tag: bytes) -> bool:
        definition: FieldDef = self.dictionary.fields[tag]
        return definition.type in _WRONG or bool(definition.values)

    def _wrong_count(self, fields: FieldSet, body: list[Unit]) -> tuple[RejectReason, bytes] | None:
        places = [n for n, unit in enumerate(body) if unit[0][0] in fields.groups]
        if not places:
            return None
        unit = body[self.rng.choice(places)]
        tag, count = unit[0]
        unit[0] = (tag, b"%d" % (int(count) + self.rng.choice((1, 2, 10**9))))
        return RejectReason.INCORRECT_NUM_IN_GROUP, tag

    def _headless_entry(
        self, fields: FieldSet, body: list[Unit]
    ) -> tuple[RejectReason, bytes] | None:
        for unit in body:
            group = fields.groups.get(unit[0][0])
            if group and len(unit) > 2 and unit[2][0] != group.delimiter:
                del unit[1]
                return RejectReason.GROUP_FIELDS_OUT_OF_ORDER, unit[1][0]
        return None


def assemble(msg_type: bytes, *parts: list[Unit]) -> bytes:
    """The message on the wire, BodyLength and CheckSum right."""
    fields = [(b"35", msg_type), *(field for part in parts for unit in part for field in unit)]
    return encode(b"".join(b"%b=%b\x01" % field for field in fields))


def flat(msg_type: bytes, *parts: list[Unit]) -> list[Field]:
    """All fields in order, MsgType first."""
    return [(b"35", msg_type), *(field for part in parts for unit in part for field in unit)]
