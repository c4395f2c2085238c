"""Messages for people: names and meanings from the dictionary instead of numbers."""

from __future__ import annotations

from collections.abc import Iterable

from rich.text import Text

from fix_engine import tags
from fix_engine.dictionary import Dictionary

_SECRET_TAGS = tags.SECRETS | {tags.RAW_DATA_LENGTH}
_FRAMING_TAGS = frozenset((b"8", b"9", b"10", b"35", b"49", b"52", b"56", b"60"))
#: What a person looks for first in a report, in this order; the rest follows as it came.
_FIRST_TAGS = (b"34", b"58", b"150", b"39", b"54", b"38", b"55", b"44", b"32", b"31", b"14", b"151")
_FIRST = {tag: place for place, tag in enumerate(_FIRST_TAGS)}


class Viewer:
    """Describes the fields of a message by one dictionary."""

    def __init__(self, dictionary: Dictionary) -> None:
        self._dictionary = dictionary

    def name(self, msg_type: bytes) -> str:
        """NewOrderSingle for D, and so on."""
        message = self._dictionary.messages.get(msg_type)
        return message.name if message else msg_type.decode("latin-1")

    def fields(self, pairs: Iterable[tuple[bytes, bytes]]) -> Text:
        """The fields as Name=value, enumerated values spelled out, secrets masked.

        What every message has (framing, CompIDs, times) is left out.
        """
        shown = Text()
        wanted = [(tag, value) for tag, value in pairs if tag not in _FRAMING_TAGS]
        for tag, value in sorted(wanted, key=lambda pair: _FIRST.get(pair[0], len(_FIRST))):
            field = self._dictionary.fields.get(tag)
            name = field.name if field else tag.decode("latin-1")
            meaning = field.values.get(value) if field else None
            text = "***" if tag in _SECRET_TAGS else value.decode("latin-1")
            shown.append("  " if shown else "")
            shown.append(f"{name}=", style="dim")
            shown.append(meaning.lower().replace("_", " ") if meaning else text)
        return shown
