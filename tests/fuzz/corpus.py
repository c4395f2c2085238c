"""What fuzzing starts from: the messages of specs/scenarios, and the words that FIX is made of."""

from __future__ import annotations

import re
import time
from functools import cache
from typing import Final

from fix_engine.dictionary import Dictionary
from fix_engine.timestamps import TimestampFormatter
from tests.support.messages import ROOT, dictionary

_PLACEHOLDER: Final = re.compile(rb"<now(?:[+-][\d.]+s)?>")
NOW: Final = b"<now>"  # stands for the SendingTime in a template
_clock = TimestampFormatter()
_FILLED_IN: Final = (b"34=", b"49=", b"52=", b"56=", b"9=", b"10=", b"8=")


@cache
def scenario_messages() -> tuple[bytes, ...]:
    """Each `send` of the scenarios as fields from MsgType on, without those that a sender adds.

    Times are written `<now>`.
    """
    found: dict[bytes, None] = {}
    for path in sorted((ROOT / "specs" / "scenarios" / "session").glob("*.fix")):
        for line in path.read_bytes().splitlines():
            match = re.match(rb"(?:other )?(?:send|log on) +(35=[^#]*\||\d[^#]*\|)", line)
            if match is None:
                continue
            text = match[1] if match[1].startswith(b"35=") else b"35=A|98=0|108=30|" + match[1]
            text = _PLACEHOLDER.sub(NOW, text.replace(b"<SOH>", b"\x02"))
            fields = [f for f in text.split(b"|") if f and not f.startswith(_FILLED_IN)]
            found[b"\x01".join(fields).replace(b"\x02", b"\x01") + b"\x01"] = None
    return tuple(found)


def now_text() -> str:
    """The real time as SendingTime has it."""
    return _clock.format(time.time_ns()).decode()


def tokens(source: Dictionary | None = None) -> list[bytes]:
    """Tags, enumerated values and delimiters as a fuzzer's dictionary wants them."""
    source = source or dictionary()
    words: dict[bytes, None] = dict.fromkeys((b"\x01", b"=", b"8=FIX.4.4\x019=", b"\x0110="))
    for msg_type in sorted(source.messages):
        words[b"35=" + msg_type + b"|"] = None
    for tag, definition in source.fields.items():
        words[tag + b"="] = None
        for value in sorted(definition.values)[:3]:
            words[tag + b"=" + value + b"|"] = None
    words.update(dict.fromkeys((b"<now>", b"9" * 18, b"9" * 19, b"-1", b"0", b"43=Y|122=<now>|")))
    return list(words)


def as_fuzzer_dictionary() -> str:
    """`tokens` in the file format of libFuzzer."""
    return "".join('"' + "".join(f"\\x{byte:02x}" for byte in word) + '"\n' for word in tokens())
