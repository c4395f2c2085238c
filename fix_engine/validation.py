"""Dictionary validation: is this message what FIX 4.4 and the dictionary say it should be?

The rules about tags (known, in this message, in order, once, required, groups well formed) depend
only on the message's Shape, so they are judged once per shape and the verdict is kept: either a
Reject, or the plan of the value checks that are left to do for each message.

The compiled codec says of a message only that it is sound. What may not be is for this to judge.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Container, Mapping
from operator import itemgetter
from typing import Final

from fix_engine import codec
from fix_engine.dictionary import Dictionary, FieldSet
from fix_engine.errors import Reject, RejectReason
from fix_engine.logon import SessionSettings
from fix_engine.message import MAX_VALUE_BYTES, Message, Shape
from fix_engine.tags import APPLICATION_TYPES, DATA_LENGTHS, MSG_SEQ_NUM, TEXT
from fix_engine.timestamps import TimestampParser

_MAX_PLANS: Final = 2_048
_MAX_KNOWN: Final = 64  # combinations of allowed values, of one shape

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
    """What is left to check once a shape is known to be sound: values, by place.

    `formats` has no field whose every allowed value has the format, and not MsgSeqNum, which every
    message is asked for; `all_formats` has them. `chosen`
    takes the values out that have to be allowed ones, `known` are such that were; None where one
    of them may be many values.
    """

    __slots__ = ("all_formats", "chosen", "counts", "enums", "formats", "known")

    def __init__(self) -> None:
        self.all_formats: Formats = []
        self.formats: Formats = []
        self.enums: Enums = []
        self.counts: Counts = []
        self.chosen: Callable[[list[bytes]], object] | None = None
        self.known: set[object] = set()

    def close(self) -> None:
        """All checks are there."""
        if self.enums and not any(several for _, _, several in self.enums):
            self.chosen = itemgetter(*(place for place, _, _ in self.enums))

    def are_allowed(self, values: list[bytes]) -> bool:
        """Whether the values are such of which there is a list."""
        for place, allowed, several in self.enums:
            value = values[place]
            if value not in allowed and not (several and allowed.issuperset(value.split(b" "))):
                return False
        if self.chosen is not None:
            if len(self.known) >= _MAX_KNOWN:
                self.known.clear()
            self.known.add(self.chosen(values))
        return True

    def is_sound(self, values: list[bytes]) -> bool:
        """Whether the values that are there have no fault."""
        for place, check in self.formats:
            if not check(values[place]):
                return False
        chosen = self.chosen
        if (chosen is None or chosen(values) not in self.known) and not self.are_allowed(values):
            return False
        counts = self.counts
        return not counts or all(int(values[place]) == entries for place, entries in counts)


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
        self._are_sound: AreSound | None = None
        timestamps = TimestampParser()  # it remembers
        self.parse_timestamp: Callable[[bytes], int | None] = timestamps.parse
        self._formats: Mapping[str, Check] = {**FORMATS, "UTCTIMESTAMP": timestamps.fits}
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
        if message.seq is None:
            return _fault(message, plan)
        if self._are_sound is not None and self._are_sound(
            values, plan.formats, plan.enums, plan.counts
        ):
            return None
        if len(message.raw) <= MAX_VALUE_BYTES and b"" not in values and plan.is_sound(values):
            return None
        return _fault(message, plan)

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
        plan.close()
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
        several = definition.type.startswith("MULTIPLE")
        allowed = definition.values if tag != b"35" else ()
        if allowed:
            plan.enums.append((place, frozenset(allowed), several))
        if check is not None:
            plan.all_formats.append((place, check))
            is_known = tag == MSG_SEQ_NUM or (allowed and all(map(check, allowed)))
            if several or not is_known:
                plan.formats.append((place, check))


def _fault(message: Message, plan: _Plan) -> Reject | None:
    """The first thing that is wrong with the values of a message."""
    shape, values = message.shape, message.values
    if len(message.raw) > MAX_VALUE_BYTES and (fault := _too_long(message)) is not None:
        return fault
    if b"" in values:
        empty = shape.tags[values.index(b"")]
        return Reject(RejectReason.TAG_SPECIFIED_WITHOUT_VALUE, empty)
    for place, check in plan.all_formats:
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
