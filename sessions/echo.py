"""The echo application: what conformance scripts expect to talk to.

It answers NewOrderSingle, SecurityDefinition and Email with the same message, body fields in tag
order; ignores a PossResend order whose ClOrdID it has seen since the last logout; and answers any
other application message with BusinessMessageReject, "Unsupported Message Type".
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from fix_engine import tags
from fix_engine.dictionary import Dictionary
from fix_engine.groups import group_end
from fix_engine.message import Message
from sessions.application import Peer, business_reject
from sessions.journal import Record

ECHOED_TYPES: Final = frozenset((tags.NEW_ORDER_SINGLE, b"d", b"C"))
_UNSUPPORTED_MESSAGE_TYPE: Final = 3  # BusinessRejectReason (380)


class EchoApplication:
    """See the module."""

    def __init__(self, dictionary: Dictionary) -> None:
        self._dictionary = dictionary
        self._seen: dict[int, set[bytes]] = {}

    def on_logon(self, peer: Peer, logon: Message) -> None:
        """Nothing has been seen yet."""
        self._seen[peer.number] = set()

    def on_message(self, peer: Peer, message: Message) -> None:
        """Echo it, ignore it or refuse it."""
        if message.msg_type not in ECHOED_TYPES:
            body = business_reject(message, _UNSUPPORTED_MESSAGE_TYPE, b"Unsupported Message Type")
            peer.send(tags.BUSINESS_MESSAGE_REJECT, body)
            return
        header = b""
        if message.msg_type == tags.NEW_ORDER_SINGLE:
            cl_ord_id = message.get(tags.CL_ORD_ID) or b""
            seen = self._seen.setdefault(peer.number, set())
            if message.flag(tags.POSS_RESEND) and cl_ord_id in seen:
                return
            seen.add(cl_ord_id)
        if message.get(tags.POSS_RESEND) is not None:
            header = b"97=%b\x01" % (message.get(tags.POSS_RESEND) or b"")
        peer.send(message.msg_type, self._body(message), header)

    def on_logout(self, peer: Peer, is_logout: bool) -> None:
        """Forget what was seen."""
        self._seen.pop(peer.number, None)

    def on_time(self, now: int) -> None:
        """Nothing is ever due."""

    def on_recovered(self, record: Record, stamp: int) -> None:
        """Nothing: it keeps no state and writes no input records."""

    def snapshot(self) -> bytes:
        """It has nothing to keep."""
        return b""

    def restore(self, state: bytes) -> None:
        """Nothing."""

    def on_started(self, peers: Mapping[int, Peer]) -> None:
        """Nothing either."""

    def _body(self, message: Message) -> bytes:
        """The body in tag order; a group stays whole behind its NumInGroup field."""
        sequence, values = message.shape.tags, message.values
        blocks: list[tuple[int, bytes]] = []
        place = 0
        while place < len(sequence):
            tag, start = sequence[place], place
            group = self._dictionary.group(message.msg_type, tag)
            place = place + 1 if group is None else group_end(message, place, group)
            if tag in self._dictionary.header.members or tag in self._dictionary.trailer.members:
                continue
            pairs = zip(sequence[start:place], values[start:place], strict=True)
            blocks.append((int(tag), b"".join(b"%b=%b\x01" % pair for pair in pairs)))
        blocks.sort(key=lambda block: block[0])
        return b"".join(block for _, block in blocks)
