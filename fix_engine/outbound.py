"""The outbound sequence: every message we send gets its number, its time and its frame here.

Header fields go out in tag order behind BeginString, BodyLength and MsgType, so the header of a
session is a constant but for number and time.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from fix_engine import codec
from fix_engine.message import MAX_VALUE_BYTES, Message
from fix_engine.timestamps import Precision, shared_formatter
from fix_engine.wire import checksum, encode, encode_numbered, encode_numbered_shared

Number = Callable[..., tuple[int, bytes]]


@dataclass(slots=True)
class SharedFields:
    """Encoded fields that many messages end with, and what they add to the CheckSum."""

    fields: bytes
    checksum: int

    @classmethod
    def of(cls, fields: bytes) -> SharedFields:
        """Sum them up once, for all the messages."""
        return cls(fields, checksum(fields))


def return_route(message: Message) -> bytes:
    """The header fields, encoded, that send an answer back the way `message` came."""
    route = b""
    for tag, place in message.shape.return_route:
        value = message.values[place]
        if 0 < len(value) <= MAX_VALUE_BYTES:
            route += b"%b=%b\x01" % (tag, value)
    return route


class Outbound:
    """Numbers and frames the messages of one session; `next_seq` is the next number.

    `last_sent` is when something was sent last, in nanoseconds, UTC; -1 for never.
    """

    __slots__ = ("_after_time", "_before_time", "_format_time", "_time", "last_sent", "next_seq")

    def __init__(self, sender_comp_id: bytes, target_comp_id: bytes, precision: Precision) -> None:
        self.next_seq = 1
        self.last_sent, self._time = -1, b""
        self._format_time = shared_formatter(precision).format
        self._before_time = b"\x0149=%b\x0152=" % sender_comp_id
        self._after_time = b"\x0156=%b\x01" % target_comp_id

    def number(
        self, msg_type: bytes, body: bytes, now: int, header: bytes = b""
    ) -> tuple[int, bytes]:
        """The next message: its MsgSeqNum, and itself as it goes on the wire.

        `body` and `header` (fields after TargetCompID) are encoded fields, each ending in SOH.
        """
        seq = self.next_seq
        self.next_seq = seq + 1
        time = self._time if now == self.last_sent else self.stamp(now)
        before, after = self._before_time, self._after_time
        return seq, encode_numbered(msg_type, seq, before, time, after, header, body)

    def stamp(self, now: int) -> bytes:
        """SendingTime of what is sent now."""
        if now != self.last_sent:
            self.last_sent, self._time = now, self._format_time(now)
        return self._time

    def number_shared(
        self, msg_type: bytes, own: bytes, shared: SharedFields, now: int
    ) -> tuple[int, bytes]:
        """The next message, `own` fields behind the header and then those that it shares."""
        seq = self.next_seq
        self.next_seq = seq + 1
        before, after, time = self._before_time, self._after_time, self.stamp(now)
        return seq, encode_numbered_shared(
            msg_type, seq, before, time, after, own, shared.fields, shared.checksum
        )

    def gap_fill(self, begin: int, new_seq_no: int, now: int) -> bytes:
        """A SequenceReset-GapFill in place of the messages from `begin` to before `new_seq_no`."""
        time = self.stamp(now)
        return encode(
            b"35=4\x0134=%d\x0143=Y%b%b%b122=%b\x0136=%d\x01123=Y\x01"
            % (begin, self._before_time, time, self._after_time, time, new_seq_no)
        )


def numbering(outbound: Outbound) -> Number:
    """`outbound.number`, in C where that is compiled."""
    if not codec.IS_COMPILED:
        return outbound.number
    from fix_engine import compiled

    return compiled.numbering(outbound.number, outbound)
