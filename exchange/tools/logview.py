"""Messages on one line each, decoded with the names of the dictionary."""

from __future__ import annotations

from array import array
from collections.abc import Iterable
from typing import Any, Final

from rich.text import Text

from exchange.tools.entries import Entry
from exchange.tools.text import iso_time, printable, shown_raw, shown_time
from fix_engine import tags
from fix_engine.dictionary import Dictionary
from fix_engine.message import Message, masked
from fix_engine.timestamps import TimestampParser

#: What a line leaves out: framing, who to whom, and what its beginning says already.
_LEFT_OUT: Final = frozenset((b"8", b"9", b"10", b"35", b"34", b"49", b"52", b"56", b"60"))
_FIRST_TAGS: Final = (
    *(b"150", b"39", b"11", b"41", b"37", b"54", b"38", b"55", b"40", b"44", b"59"),
    *(b"32", b"31", b"14", b"151", b"6", b"58"),
)
_FIRST: Final = {tag: place for place, tag in enumerate(_FIRST_TAGS)}
_BAD_TYPES: Final = (tags.REJECT, tags.ORDER_CANCEL_REJECT, tags.BUSINESS_MESSAGE_REJECT)
_REJECTED: Final = b"8"
_MS_NS: Final = 1_000_000

LATENCY_MEANS: Final = (
    "Latency: from SendingTime (52) of the client to the time stamp of the venue. It holds the\n"
    "network, what waited in buffers, and how far the two clocks are apart. Inside the venue a\n"
    "request and its answers are one turn and share one time stamp: there it is 0 by construction."
)


class Latencies:
    """How long requests took to reach the venue, in nanoseconds."""

    def __init__(self) -> None:
        self._all = array("q")
        self._parse = TimestampParser().parse

    def of(self, entry: Entry) -> int | None:
        """That of a request, which is counted; None for anything else."""
        message = entry.message
        if not entry.is_request or entry.note or isinstance(message, str):
            return None
        sent = self._parse(message.get(tags.SENDING_TIME) or b"")
        if sent is None:
            return None
        self._all.append(entry.stamp - sent)
        return entry.stamp - sent

    def summary(self) -> dict[str, float]:
        """Count and quantiles in milliseconds; empty when there were no requests."""
        found = sorted(self._all)
        if not found:
            return {}
        out = {"requests": float(len(found)), "min": found[0] / _MS_NS}
        for share in (50, 95, 99):
            out[f"p{share}"] = found[min(len(found) - 1, len(found) * share // 100)] / _MS_NS
        out["max"] = found[-1] / _MS_NS
        return out


class LogView:
    """Describes entries by one dictionary."""

    def __init__(self, dictionary: Dictionary) -> None:
        self._dictionary = dictionary

    def type_codes(self, wanted: Iterable[str]) -> frozenset[bytes] | str:
        """MsgTypes by code (8) or name (executionreport), or the one that there is not."""
        by_name = {one.name.lower(): code for code, one in self._dictionary.messages.items()}
        codes = set()
        for text in wanted:
            code = text.encode("utf-8")
            if code in self._dictionary.messages:
                codes.add(code)
            elif text.lower() in by_name:
                codes.add(by_name[text.lower()])
            else:
                return text
        return frozenset(codes)

    def line(self, entry: Entry, latency_ns: int | None = None) -> Text:
        """One entry on one line."""
        out = Text()
        out.append(shown_time(entry.stamp), style="dim")
        out.append(f" {entry.position:>6}" if entry.position else "", style="dim")
        out.append(f" {entry.session:<10} ", style="bold")
        if entry.note:
            out.append(f"- {entry.note}", style="yellow")
            return out
        message = entry.message
        if isinstance(message, str):
            out.append(f"? {message}: ", style="red")
            out.append(shown_raw(entry.raw))
            return out
        out.append("> " if entry.is_request else "< ", style=self._style(entry, message))
        out.append(self.name(message.msg_type), style=self._style(entry, message))
        out.append(f" {printable(message.get(tags.MSG_SEQ_NUM) or b'?')}", style="dim")
        if latency_ns is not None:
            out.append(f"  {latency_ns / _MS_NS:+.3f} ms", style="magenta")
        pairs = [(tag, value) for tag, value in masked(message) if tag not in _LEFT_OUT]
        for tag, value in sorted(pairs, key=lambda pair: _FIRST.get(pair[0], len(_FIRST))):
            out.append(f"  {self.field(tag)}=", style="dim")
            meaning = self.meaning(tag, value)
            out.append(meaning.lower().replace("_", " ") if meaning else printable(value))
        return out

    def as_json(self, entry: Entry, latency_ns: int | None = None) -> dict[str, Any]:
        """One entry for programs; a field that comes more than once is a list."""
        out: dict[str, Any] = {
            "time": iso_time(entry.stamp),
            "position": entry.position or None,
            "session": entry.session,
        }
        message = entry.message if not entry.note else entry.note
        if isinstance(message, str):
            return {**out, "note" if entry.note else "fault": message}
        out["direction"] = "in" if entry.is_request else "out"
        out["msg_type"] = printable(message.msg_type)
        out["name"] = self.name(message.msg_type)
        out["seq"] = message.seq
        if latency_ns is not None:
            out["latency_ns"] = latency_ns
        fields: dict[str, Any] = {}
        for tag, value in masked(message)[1:]:
            name, shown = self.field(tag), printable(value)
            if name not in fields:
                fields[name] = shown
            elif isinstance(fields[name], list):
                fields[name].append(shown)
            else:
                fields[name] = [fields[name], shown]
        out["fields"] = fields
        meanings = {
            self.field(tag): meaning
            for tag, value in message.pairs()[1:]
            if (meaning := self.meaning(tag, value))
        }
        return {**out, "meanings": meanings}

    def name(self, msg_type: bytes) -> str:
        """NewOrderSingle for D, and so on."""
        message = self._dictionary.messages.get(msg_type)
        return message.name if message else printable(msg_type)

    def field(self, tag: bytes) -> str:
        """ClOrdID for 11, and so on."""
        field = self._dictionary.fields.get(tag)
        return field.name if field else printable(tag)

    def meaning(self, tag: bytes, value: bytes) -> str:
        """What an enumerated value stands for, or nothing."""
        field = self._dictionary.fields.get(tag)
        return field.values.get(value, "") if field else ""

    @staticmethod
    def _style(entry: Entry, message: Message) -> str:
        if message.msg_type in _BAD_TYPES or message.get(b"39") == _REJECTED:
            return "red"
        return "cyan" if entry.is_request else "green"
