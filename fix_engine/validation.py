"""Dictionary validation: is this message what FIX 4.4 and the dictionary say it should be?

The rules about tags (known, in this message, in order, once, required, groups well formed) depend
only on the message's Shape, so they are judged once per shape and the verdict is kept: either a
Reject, or the plan of the value checks that are left to do for each message.

The compiled codec says of a message only that it is sound. What may not be is for this to judge.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Container, Mapping
from typing import Final

from fix_engine import codec
from fix_engine.dictionary import Dictionary, FieldSet
from fix_engine.errors import Reject, RejectReason
from fix_engine.logon import SessionSettings
from fix_engine.message import MAX_VALUE_BYTES, Message, Shape
from fix_engine.tags import APPLICATION_TYPES, DATA_LENGTHS, TEXT
from fix_engine.timestamps import TimestampParser

_MAX_PLANS: Final = 2_048

_FLOAT = re.compile(rb"-?(?:\d+(?:\.\d*)?|\.\d+)")
_INT = re.compile(rb"-?\d{1,18}")  # bounded: what comes after may convert it
_DATE = re.compile(rb"\d{4}(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])")
_MIDNIGHT: Final = b"-00:00:00"
_MONTH_YEAR = re.compile(rb"\d{4}(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01]|w[1-5])?")
_TIME = re.compile(rb"(?:[01]\d|2[0-3]):[0-5]\d:(?:[0-5]\d|60)(?:\.\d{3}(?:\d{3}){0,2})?")

#: Values that may be longer than MAX_VALUE_BYTES: we never send them back.
_ANY_LENGTH: Final = frozenset((TEXT, *DATA_LENGTHS.values()))
_FRAMING: Final = (b"8", b"9", b"10")  # always there, and not in a shape

Check = Callable[[bytes], object]  # truthy when the value has the type's format
Formats = list[tuple[int, Check]]  # by place in the message
Enums = list[tuple[int, frozenset[bytes], bool]]  # true: several, by blanks
Counts = list[tuple[int, int]]  # place of a NumInGroup, entries that follow it
IsUsual = Callable[[Message, int, int], bool]
AreSound = Callable[[list[bytes], Formats, Enums, Counts], bool]


def _matcher(*types: str, pattern: re.Pattern[bytes]) -> dict[str, Check]:
    return dict.fromkeys(types, pattern.fullmatch)


def _is_day(value: bytes) -> bool:
    """Whether it is a day of the calendar: there is no 30th of February."""
    return bool(_DATE.fullmatch(value)) and TimestampParser().parse(value + _MIDNIGHT) is not None


#: Field type -> format check. A type that is not here (STRING and its kin) takes any value.
FORMATS: dict[str, Check] = {
    **_matcher("INT", "DAYOFMONTH", pattern=_INT),
    **_matcher(
        "FLOAT", "PRICE", "QTY", "AMT", "PRICEOFFSET", "PERCENTAGE", "QUANTITY", pattern=_FLOAT
    ),
    **dict.fromkeys(("UTCDATE", "UTCDATEONLY", "LOCALMKTDATE", "DATE"), _is_day),
    **_matcher("MONTHYEAR", pattern=_MONTH_YEAR),
    **_matcher("UTCTIMEONLY", pattern=_TIME),
    **_matcher("LENGTH", "SEQNUM", "NUMINGROUP", pattern=re.compile(rb"\d{1,18}")),
    "CHAR": lambda value: len(value) == 1,
    "BOOLEAN": lambda value: value in (b"Y", b"N"),
}


class _Plan:
    """What is left to check once a shape is known to be sound: values, by place."""

    __slots__ = ("counts", "enums", "formats")

    def __init__(self) -> None:
        self.formats: Formats = []
        self.enums: Enums = []
        self.counts: Counts = []


class _ShapeError(Exception):
    """Raised while a plan is made, never per message: the shape itself is at fault."""

    def __init__(self, reason: RejectReason, tag: bytes | None) -> None:
        super().__init__(reason, tag)
        self.reject = Reject(reason, tag)


class Validator:
    """Judges messages by one dictionary; FIX 4.4 Volume 2, "Reject" lists the reasons."""

    def __init__(self, dictionary: Dictionary, is_compiled: bool = codec.IS_COMPILED) -> None:
        self._dictionary = dictionary
        self._plans: dict[Shape, _Plan | Reject] = {}
        self._formats: Mapping[str, Check] = FORMATS
        self._are_sound: AreSound | None = None
        self.parse_timestamp: Callable[[bytes], int | None] = (
            TimestampParser().parse
        )  # it remembers
        if is_compiled:
            from fix_engine import compiled

            self._formats = {**FORMATS, **compiled.FORMATS}
            self._are_sound = compiled.are_sound
            self.parse_timestamp = compiled.parse_timestamp

    def hastened(
        self, reference: IsUsual, settings: SessionSettings, special: Container[bytes]
    ) -> IsUsual:
        """What does in C as `reference` does, of `usual.py`; that itself where none is compiled."""
        if self._are_sound is None:
            return reference
        from fix_engine import compiled

        return compiled.usual(reference, settings, special, self._plans, _Plan)

    def check(self, message: Message) -> Reject | None:
        """None for a sound message, otherwise the first thing that is wrong with it."""
        shape = message.shape
        plan = self._plans.get(shape)
        if plan is None:
            plan = self._plan(shape)
            if shape.is_remembered:
                if len(self._plans) >= _MAX_PLANS:
                    self._plans.clear()
                self._plans[shape] = plan
        if isinstance(plan, Reject):
            return plan
        values = message.values
        if self._are_sound is not None and self._are_sound(
            values, plan.formats, plan.enums, plan.counts
        ):
            return None
        if len(message.raw) > MAX_VALUE_BYTES and (fault := _too_long(message)) is not None:
            return fault
        if b"" in values:
            empty = shape.tags[values.index(b"")]
            return Reject(RejectReason.TAG_SPECIFIED_WITHOUT_VALUE, empty)
        for place, check in plan.formats:
            if not check(values[place]):
                return Reject(RejectReason.INCORRECT_DATA_FORMAT, shape.tags[place])
        for place, allowed, several in plan.enums:
            value = values[place]
            if value not in allowed and not (several and allowed.issuperset(value.split(b" "))):
                return Reject(RejectReason.VALUE_INCORRECT, shape.tags[place])
        for place, entries in plan.counts:
            if int(values[place]) != entries:
                return Reject(RejectReason.INCORRECT_NUM_IN_GROUP, shape.tags[place])
        return None

    def _plan(self, shape: Shape) -> _Plan | Reject:
        fields = self._dictionary.messages.get(shape.msg_type)
        plan = _Plan()
        header, trailer = self._dictionary.header, self._dictionary.trailer
        if fields is None:
            # Not supported is for the application to say; only an unknown type is invalid.
            if shape.msg_type not in APPLICATION_TYPES:
                return Reject(RejectReason.INVALID_MSG_TYPE)
            return _missing(shape, header) or plan
        try:
            self._walk_message(shape, fields, plan)
        except _ShapeError as faulty:
            return faulty.reject
        return _missing(shape, header, fields, trailer) or plan

    def _walk_message(self, shape: Shape, fields: FieldSet, plan: _Plan) -> None:
        """The header, then the body, then the trailer; each tag once outside of groups."""
        header, trailer = self._dictionary.header, self._dictionary.trailer
        parts = (header, fields, trailer)
        sequence, seen, current, place = shape.tags, set[bytes](), 0, 0
        while place < len(sequence):
            tag = sequence[place]
            if tag not in self._dictionary.fields:
                raise _ShapeError(RejectReason.INVALID_TAG_NUMBER, tag)
            part = 0 if tag in header.members else 2 if tag in trailer.members else 1
            if part < current:
                raise _ShapeError(RejectReason.TAG_OUT_OF_ORDER, tag)
            current = part
            if tag not in parts[part].members:
                raise _ShapeError(RejectReason.TAG_NOT_DEFINED_FOR_MESSAGE_TYPE, tag)
            if tag in seen or tag in _FRAMING:
                raise _ShapeError(RejectReason.TAG_APPEARS_MORE_THAN_ONCE, tag)
            seen.add(tag)
            self._add_check(plan, place, tag)
            group = parts[part].groups.get(tag)
            if group is None:
                place += 1
            else:
                place = self._walk_group(sequence, place, group, plan)

    def _walk_group(
        self, sequence: tuple[bytes, ...], count_place: int, group: FieldSet, plan: _Plan
    ) -> int:
        """The entries after a NumInGroup field, each begun by the group's first field."""
        place, entries = count_place + 1, 0
        seen: set[bytes] = set()
        while place < len(sequence) and sequence[place] in group.members:
            tag = sequence[place]
            if tag == group.delimiter:
                self._require(group, seen, entries)
                entries, seen = entries + 1, set()
            elif not entries or tag in seen:
                raise _ShapeError(RejectReason.GROUP_FIELDS_OUT_OF_ORDER, tag)
            seen.add(tag)
            self._add_check(plan, place, tag)
            nested = group.groups.get(tag)
            if nested is None:
                place += 1
            else:
                place = self._walk_group(sequence, place, nested, plan)
        self._require(group, seen, entries)
        plan.counts.append((count_place, entries))
        return place

    @staticmethod
    def _require(group: FieldSet, seen: set[bytes], entries: int) -> None:
        if entries:
            for tag in group.required:
                if tag not in seen:
                    raise _ShapeError(RejectReason.REQUIRED_TAG_MISSING, tag)

    def _add_check(self, plan: _Plan, place: int, tag: bytes) -> None:
        definition = self._dictionary.fields[tag]
        check = self._formats.get(definition.type)
        if check is None and definition.type == "UTCTIMESTAMP":
            check = self._is_timestamp
        if check is not None:
            plan.formats.append((place, check))
        if definition.values and tag != b"35":
            several = definition.type.startswith("MULTIPLE")
            plan.enums.append((place, frozenset(definition.values), several))

    def _is_timestamp(self, value: bytes) -> bool:
        return self.parse_timestamp(value) is not None


def _too_long(message: Message) -> Reject | None:
    """A value that is longer than what we send back could be; free text and data may be."""
    for tag, value in zip(message.shape.tags, message.values, strict=True):
        if len(value) > MAX_VALUE_BYTES and tag not in _ANY_LENGTH:
            text = b"Value has %d bytes, the limit is %d" % (len(value), MAX_VALUE_BYTES)
            return Reject(RejectReason.VALUE_INCORRECT, tag, text)
    return None


def _missing(shape: Shape, *parts: FieldSet) -> Reject | None:
    for part in parts:
        for tag in part.required:
            if tag not in shape.index and tag not in _FRAMING:
                return Reject(RejectReason.REQUIRED_TAG_MISSING, tag)
    return None
