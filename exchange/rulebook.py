"""The data dictionary as tables for people: message by message, tag by tag.

`python -m exchange.rulebook` prints the second half of docs/rules-of-engagement.md.
"""

from __future__ import annotations

from collections.abc import Iterator
from importlib.resources import files

from fix_engine.dictionary import Dictionary, FieldSet

_TO_THE_VENUE = (
    *("A", "0", "1", "2", "3", "4", "5"),
    *("D", "F", "G", "H", "q", "AF", "E", "i", "Z"),
    *("V", "x", "c", "e", "g", "AD"),
)
_FROM_THE_VENUE = (
    *("8", "9", "r", "N", "b", "AI"),
    *("W", "X", "Y", "y", "d", "f", "h", "AQ", "AE", "j", "B"),
)
_FRAMING = (b"8", b"9", b"10")


def rulebook(dictionary: Dictionary) -> str:
    """Markdown: the header, then every message, each as a table of its fields."""
    lines = ["## Every message", "", *_table("Standard header", dictionary.header, dictionary)]
    for title, msg_types in (
        ("Session messages and requests", _TO_THE_VENUE),
        ("Reports", _FROM_THE_VENUE),
    ):
        lines += [f"### {title}", ""]
        for msg_type in msg_types:
            fields = dictionary.messages[msg_type.encode()]
            lines += _table(f"{fields.name} (35={msg_type})", fields, dictionary)
    return "\n".join(lines).rstrip() + "\n"


def _table(title: str, fields: FieldSet, dictionary: Dictionary) -> list[str]:
    head = [f"#### {title}", ""]
    if not fields.members:
        return [*head, "No fields beyond header and trailer.", ""]
    rows = ["| tag | field | | type | values |", "| --- | --- | --- | --- | --- |"]
    return [*head, *rows, *_rows(fields, dictionary, ""), ""]


def _rows(fields: FieldSet, dictionary: Dictionary, indent: str) -> Iterator[str]:
    for tag in fields.members:
        if tag in _FRAMING:
            continue
        field = dictionary.fields[tag]
        required = "required" if tag in fields.required else ""
        values = ", ".join(
            f"{value.decode()} {meaning.lower().replace('_', ' ')}".strip()
            for value, meaning in field.values.items()
        )
        yield f"| {indent}{tag.decode()} | {field.name} | {required} | {field.type} | {values} |"
        if tag in fields.groups:
            yield from _rows(fields.groups[tag], dictionary, f"{indent}&rarr; ")


if __name__ == "__main__":
    print(rulebook(Dictionary((files("specs") / "FIX44.xml").read_bytes())), end="")
