"""Message logs of QuickFIX engines: what was said, when, and in which direction.

Read are the message logs of QuickFIX (C++), QuickFIX/J, QuickFIX/n and quickfixgo, files or screen,
and the `.body` file of a message store. A message is found by its BeginString and BodyLength,
whatever stands around it; so a log may also have been through an editor, a mail or another logger:

    20261122-16:00:00.123456789 : 8=FIX.4.4|9=...     QuickFIX, QuickFIX/n
    20261122-16:00:00.123: 8=FIX.4.4|9=...            QuickFIX/J, with or without time
    2026/11/22 16:00:00.123456 8=FIX.4.4|9=...        quickfixgo
    <20261122-16:00:00, FIX.4.4:A->B, incoming> (8=FIX.4.4|9=...)    on the screen

Between fields stands SOH, "|" or "^A". Where a log has no time, SendingTime (52) is taken for it.
"""

from __future__ import annotations

import re
from calendar import timegm
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Final

from fix_engine.tags import SOH
from fix_engine.timestamps import SECOND_NS, TimestampParser
from fix_engine.wire import checksum

_CHUNK: Final = 1 << 20
_BEFORE: Final = 512  # bytes before a message in which its time is looked for
_MAX_LINE: Final = 1 << 24
_MORE: Final = -1  # the end of the message has not been read yet

_HEAD: Final = re.compile(rb"8=(FIXT?\.\d\.\d[A-Z0-9]{0,6})(\x01|\||\^A)9=(\d{1,8})(\x01|\||\^A)")
_TIME: Final = re.compile(
    rb"(\d{4})[/-]?(\d\d)[/-]?(\d\d)[- T](\d\d):(\d\d):(\d\d)(?:[.,](\d{1,9}))?"
)
_DIRECTION: Final = re.compile(rb"\b(incoming|outgoing)\b", re.IGNORECASE)
_TRAILER: Final = re.compile(rb"10=\d{3}(?:\x01|\||\^A)?")
_LATE_TRAILER: Final = re.compile(rb"(?:\x01|\||\^A)10=\d{3}(?:\x01|\||\^A)?(?!\d)")
#: A separator that may stand in a value, too, is one only where a tag follows.
_SEPARATORS: Final = {
    b"|": re.compile(rb"\|(?=\d+=|$)"),
    b"^A": re.compile(rb"\^A(?=\d+=|$)"),
}


class QuickfixLogError(Exception):
    """The log cannot be read; says why in one line."""


@dataclass(slots=True)
class LoggedMessage:
    """One message of a log; `raw` has SOH between its fields, BodyLength and CheckSum are right.

    `time_ns` is UTC, 0 when neither log nor message tells one. `is_incoming`, seen from the engine
    that wrote the log, is None where nothing tells: neither a word beside the message nor the
    CompIDs in the name of the file. `is_reframed`: BodyLength or CheckSum had to be made right.
    """

    time_ns: int
    sender: bytes
    target: bytes
    is_incoming: bool | None
    raw: bytes
    is_reframed: bool


class QuickfixLog:
    """The messages of one file, in its order; after reading, `unreadable` counts what was none."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.unreadable = 0
        self._parse_time = TimestampParser().parse
        name = re.match(r"FIXT?\.\d\.\d\w*-(.+?)\.(?:messages|body|event)", path.name)
        self._parties = name[1].encode() if name else b""

    def __iter__(self) -> Iterator[LoggedMessage]:
        """Read the file from its beginning; raises QuickfixLogError."""
        try:
            with self.path.open("rb") as file:
                yield from self._messages(file)
        except OSError as error:
            raise QuickfixLogError(f"{self.path}: {error.strerror}") from error

    def _messages(self, file: BinaryIO) -> Iterator[LoggedMessage]:
        self.unreadable = 0
        buffer, at, is_whole = b"", 0, False
        while True:
            head = _HEAD.search(buffer, at)
            end = _MORE if head is None else _end(buffer, head, is_whole)
            if head is not None and end != _MORE:
                if end:
                    before = buffer[max(at, head.start() - _BEFORE) : head.start()]
                    yield self._message(before, head, buffer[head.end() : end])
                else:
                    self.unreadable += 1
                at = end or head.end()
                continue
            if is_whole:
                return
            first = len(buffer) if head is None else head.start()
            chunk = file.read(_CHUNK)
            is_whole = not chunk
            buffer, at = buffer[max(at, first - _BEFORE) :] + chunk, 0

    def _message(self, before: bytes, head: re.Match[bytes], rest: bytes) -> LoggedMessage:
        """`rest` is what follows BodyLength, CheckSum included."""
        separator = head[2]
        if separator != SOH:
            rest = _SEPARATORS[separator].sub(SOH, rest)
        body = rest[: rest.rindex(b"10=")]
        start = b"8=%b\x019=%d\x01%b" % (head[1], len(body), body)
        raw = b"%b10=%03d\x01" % (start, checksum(start))
        sender, target, sent = (_field(raw, tag) for tag in (b"49", b"56", b"52"))
        is_framed = int(head[3]) == len(body) and rest.rstrip(SOH)[-3:] == raw[-4:-1]
        time_ns = _time_of(before)
        if time_ns is None:
            time_ns = self._parse_time(sent) or 0
        is_incoming = self._is_incoming(before, sender, target)
        return LoggedMessage(time_ns, sender, target, is_incoming, raw, not is_framed)

    def _is_incoming(self, before: bytes, sender: bytes, target: bytes) -> bool | None:
        words = _DIRECTION.findall(before)
        if words:
            return bool(words[-1].lower() == b"incoming")
        if self._parties.startswith(b"%b-%b" % (sender, target)):
            return False
        if self._parties.startswith(b"%b-%b" % (target, sender)):
            return True
        return None


def _end(buffer: bytes, head: re.Match[bytes], is_whole: bool) -> int:
    """Where the message ends; 0 when it is none, _MORE when more must be read to know."""
    separator = head[4]
    if head[2] != separator:
        return 0
    if len(separator) == 1:
        # BodyLength tells, for a data field may hold a line end.
        end = head.end() + int(head[3])
        trailer = _TRAILER.match(buffer, end)
        if trailer is not None and buffer[end - 1 : end] == separator:
            return trailer.end()
        if end + 7 > len(buffer) and not is_whole and int(head[3]) < _MAX_LINE:
            return _MORE
    # The log has been edited, or written with two characters for one: the line tells.
    line_end = buffer.find(b"\n", head.end())
    if line_end < 0:
        if not is_whole and len(buffer) - head.end() < _MAX_LINE:
            return _MORE
        line_end = len(buffer)
    late = _LATE_TRAILER.search(buffer, head.end() - len(separator), line_end)
    return late.end() if late is not None else 0


def _time_of(text: bytes) -> int | None:
    """The last time in what stands before a message, in nanoseconds UTC."""
    found = _TIME.findall(text)
    if not found:
        return None
    *parts, fraction = found[-1]
    try:
        second = timegm(tuple(map(int, parts)))
    except ValueError:  # digits that look like a time and are none
        return None
    return second * SECOND_NS + int(fraction.ljust(9, b"0"))


def _field(raw: bytes, tag: bytes) -> bytes:
    """The first value of a tag, b"" without one."""
    start = raw.find(b"\x01%b=" % tag)
    if start < 0:
        return b""
    start += len(tag) + 2
    return raw[start : raw.index(SOH, start)]
