"""The data dictionary: which fields a message has, in QuickFIX's XML format.

The format is the one that clients load into their own engines, so that one file says the same to
both ends. Components are expanded while loading: what is left are messages, groups and fields.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from xml.etree import ElementTree
from xml.etree.ElementTree import Element


class DictionaryError(ValueError):
    """The XML is not a usable data dictionary; says what is wrong and where."""


@dataclass(slots=True)
class FieldDef:
    """A field: its type as the dictionary spells it, and its enumerated values, if any."""

    tag: bytes
    name: str
    type: str
    values: dict[bytes, str] = field(default_factory=dict)


@dataclass(slots=True)
class FieldSet:
    """The fields of a message, header, trailer or group entry, in the dictionary's order."""

    name: str
    members: dict[bytes, None] = field(default_factory=dict)
    required: list[bytes] = field(default_factory=list)
    groups: dict[bytes, FieldSet] = field(default_factory=dict)

    @property
    def delimiter(self) -> bytes:
        """The first field, which begins every entry of a group."""
        return next(iter(self.members))


class Dictionary:
    """Lookup tables by tag and MsgType, loaded from QuickFIX's XML format."""

    def __init__(self, xml: str | bytes) -> None:
        """Raises DictionaryError when `xml` is malformed or refers to what it does not define."""
        try:
            root = ElementTree.fromstring(xml)
        except (ElementTree.ParseError, LookupError, ValueError) as error:
            raise DictionaryError(f"not well-formed XML: {error}") from error
        try:
            self._load(root)
        except RecursionError as error:
            raise DictionaryError("a component contains itself") from error

    def _load(self, root: Element) -> None:
        if root.tag != "fix":
            raise DictionaryError(f"the root element is <{root.tag}>, expected <fix>")
        self.fields: dict[bytes, FieldDef] = {}
        self._by_name: dict[str, FieldDef] = {}
        for element in root.iterfind("fields/field"):
            self._add_field(element)
        self._components = {_need(e, "name"): e for e in root.iterfind("components/component")}
        self.header = self._field_set(root.find("header"), "header")
        self.trailer = self._field_set(root.find("trailer"), "trailer")
        self.messages: dict[bytes, FieldSet] = {}
        for element in root.iterfind("messages/message"):
            msg_type = _need(element, "msgtype").encode()
            if msg_type in self.messages:
                raise DictionaryError(f"message type {msg_type.decode()} is defined twice")
            self.messages[msg_type] = self._field_set(element, _need(element, "name"))

    def field_named(self, name: str) -> FieldDef:
        """The field called `name`; raises KeyError."""
        return self._by_name[name]

    def group(self, msg_type: bytes, count_tag: bytes) -> FieldSet | None:
        """The entry definition of a repeating group at the top level of a message, or None."""
        for fields in (self.messages.get(msg_type), self.header, self.trailer):
            if fields is not None and count_tag in fields.groups:
                return fields.groups[count_tag]
        return None

    def _add_field(self, element: Element) -> None:
        number, name = _need(element, "number"), _need(element, "name")
        if re.fullmatch("[1-9][0-9]*", number) is None:
            raise DictionaryError(f"field {name}: number {number!r} is not a number")
        values = {
            _need(value, "enum").encode(): value.get("description", "")
            for value in element.iterfind("value")
        }
        definition = FieldDef(number.encode(), name, _need(element, "type").upper(), values)
        if definition.tag in self.fields:
            raise DictionaryError(f"field number {number} is defined twice")
        if name in self._by_name:
            raise DictionaryError(f"field {name} is defined twice")
        self.fields[definition.tag] = self._by_name[name] = definition

    def _field_set(self, element: Element | None, name: str) -> FieldSet:
        if element is None:
            raise DictionaryError(f"<{name}> is missing")
        result = FieldSet(name)
        for kind, member, required in self._expand(element, name, True, frozenset()):
            tag = self._tag(_need(member, "name"), name)
            result.members[tag] = None
            if required:
                result.required.append(tag)
            if kind == "group":
                group = self._field_set(member, _need(member, "name"))
                if not group.members:
                    raise DictionaryError(f"{name}: group {group.name} has no fields")
                result.groups[tag] = group
        return result

    def _expand(
        self, element: Element, where: str, required: bool, inside: frozenset[str]
    ) -> Iterator[tuple[str, Element, bool]]:
        """Fields and groups with components opened; a component's own `required` counts too."""
        for member in element:
            needed = required and member.get("required", "N").upper() == "Y"
            if member.tag in ("field", "group"):
                yield member.tag, member, needed
            elif member.tag == "component":
                name = _need(member, "name")
                if name not in self._components or name in inside:
                    raise DictionaryError(f"{where}: component {name} is undefined or recursive")
                yield from self._expand(self._components[name], where, needed, inside | {name})
            else:
                raise DictionaryError(f"{where}: unexpected element <{member.tag}>")

    def _tag(self, name: str, where: str) -> bytes:
        if name not in self._by_name:
            raise DictionaryError(f"{where} refers to field {name}, which is not defined")
        return self._by_name[name].tag


def _need(element: Element, attribute: str) -> str:
    value = element.get(attribute)
    if not value:
        raise DictionaryError(f"<{element.tag}> {element.attrib} lacks '{attribute}'")
    return value
