"""Answering a ResendRequest: stored messages as possible duplicates, gap fills for the rest.

FIX 4.4 Volume 2, "Resend Request": application messages are sent again with PossDupFlag (43) Y and
OrigSendingTime (122); a run of administrative messages is skipped by one SequenceReset-GapFill
that bears the number of the first of them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from fix_engine import tags
from fix_engine.effects import Fetch
from fix_engine.message import Message
from fix_engine.outbound import Outbound
from fix_engine.wire import encode

PAGE_MESSAGES: Final = 128  # fetched and written at a time; others get their turn in between

#: Header fields that come before OrigSendingTime (122), headers being written in tag order.
_BEFORE_ORIG_SENDING_TIME = (b"49", b"50", b"52", b"56", b"57", b"97", b"115", b"116")


def possible_duplicate(raw: bytes, sending_time: bytes) -> bytes:
    """A message we once sent, as it is sent again at `sending_time`."""
    msg_type, seq, rest = raw.split(tags.SOH, 4)[2:]
    rest = rest[:-7]  # without CheckSum
    head, original_time = [msg_type, seq, b"43=Y"], b""
    while True:
        field, _, after = rest.partition(tags.SOH)
        tag, _, value = field.partition(b"=")
        if tag not in _BEFORE_ORIG_SENDING_TIME:
            break
        if tag == tags.SENDING_TIME:
            original_time, field = value, b"52=" + sending_time
        head.append(field)
        rest = after
    head.append(b"122=" + original_time)
    return encode(tags.SOH.join(head) + tags.SOH + rest)


def asked_for(request: Message, next_out: int) -> tuple[int, int, int, bytes | None]:
    """BeginSeqNo and EndSeqNo of a ResendRequest, the last number there is of them, a wrong tag."""
    begin = int(request.get(tags.BEGIN_SEQ_NO) or 0)
    end = int(request.get(tags.END_SEQ_NO) or 0)
    # FIX 4.4 Volume 2, "Resend Request": EndSeqNo 0 represents infinity.
    last = min(end or next_out, next_out - 1)
    if not 1 <= begin < next_out:
        return begin, end, last, tags.BEGIN_SEQ_NO
    return begin, end, last, tags.END_SEQ_NO if end and end < begin else None


def msg_type_of(raw: bytes) -> bytes:
    """The MsgType of a message that we sent."""
    start = raw.index(b"\x0135=") + 4
    return raw[start : raw.index(tags.SOH, start)]


class Resend:
    """One ResendRequest being answered, page by page; never more than a page in memory."""

    __slots__ = ("_gap_begin", "_skipped", "end", "next")

    def __init__(self, begin: int, end: int, gap_filled_types: frozenset[bytes]) -> None:
        """Administrative messages are always gap-filled, `gap_filled_types` besides."""
        self._skipped = tags.ADMIN_TYPES | gap_filled_types
        self.next = begin
        self.end = end
        self._gap_begin = 0  # first number of a run to be skipped, 0 when there is none

    @property
    def page(self) -> Fetch:
        """What is wanted next. Numbers that nothing is stored for cost nothing, however many."""
        return Fetch(self.next, self.end, PAGE_MESSAGES)

    @property
    def finished(self) -> bool:
        """Whether every page has been answered."""
        return self.next > self.end

    def messages(
        self, stored: Sequence[tuple[int, bytes]], outbound: Outbound, now: int
    ) -> Iterator[bytes]:
        """The answer to a page as it goes on the wire."""
        for first, second in self.answer(stored):
            if isinstance(second, bytes):
                yield possible_duplicate(second, outbound.stamp(now))
            else:
                yield outbound.gap_fill(first, second, now)

    def answer(
        self, stored: Sequence[tuple[int, bytes]]
    ) -> Iterator[tuple[int, bytes] | tuple[int, int]]:
        """What to send for the page: (seq, stored message) or (gap begin, NewSeqNo), in order.

        `stored` holds the page's messages by number; numbers without one are skipped too. A page
        that is not full is the last.
        """
        last = stored[-1][0] if len(stored) >= PAGE_MESSAGES else self.end
        expected = self.next
        for seq, raw in stored:
            if seq > expected and not self._gap_begin:
                self._gap_begin = expected
            expected = seq + 1
            if msg_type_of(raw) in self._skipped:
                self._gap_begin = self._gap_begin or seq
                continue
            if self._gap_begin:
                yield self._gap_begin, seq
                self._gap_begin = 0
            yield seq, raw
        if expected <= last and not self._gap_begin:
            self._gap_begin = expected
        self.next = last + 1
        if self._gap_begin and self.finished:
            yield self._gap_begin, self.next
            self._gap_begin = 0


class Repeats:
    """Tells a peer that asks for the same again and again: it is in a loop."""

    __slots__ = ("_at_most", "_count", "_last")

    def __init__(self, at_most: int) -> None:
        self._at_most = at_most
        self.forget()

    def forget(self) -> None:
        """Begin to count anew."""
        self._last, self._count = (0, 0), 0

    def is_too_often(self, begin: int, end: int) -> bool:
        """Count a ResendRequest; whether it came more often than may be."""
        self._count = self._count + 1 if (begin, end) == self._last else 0
        self._last = (begin, end)
        return self._count > self._at_most
