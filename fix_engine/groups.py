"""Repeating groups, parsed on demand: most messages are read without ever looking into one."""

from __future__ import annotations

from fix_engine.dictionary import FieldSet
from fix_engine.message import Message

Entry = dict[bytes, "bytes | list[Entry]"]


def read_group(message: Message, count_tag: bytes, group: FieldSet) -> list[Entry]:
    """The entries of a group of a validated message, nested groups as lists; [] when absent."""
    place = message.shape.index.get(count_tag)
    if place is None:
        return []
    return _entries(message, place + 1, group)[0]


def group_end(message: Message, count_place: int, group: FieldSet) -> int:
    """The place after the last field of the group whose NumInGroup stands at `count_place`."""
    return _entries(message, count_place + 1, group)[1]


def _entries(message: Message, place: int, group: FieldSet) -> tuple[list[Entry], int]:
    sequence, values = message.shape.tags, message.values
    entries: list[Entry] = []
    while place < len(sequence) and sequence[place] in group.members:
        tag, value = sequence[place], values[place]
        if tag == group.delimiter or not entries:
            entries.append({})
        nested = group.groups.get(tag)
        place += 1
        if nested is None:
            entries[-1][tag] = value
        else:
            entries[-1][tag], place = _entries(message, place, nested)
    return entries, place
