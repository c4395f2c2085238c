"""What can be wrong with a message's header beyond what the dictionary knows."""

from __future__ import annotations

from collections.abc import Callable

from fix_engine import tags
from fix_engine.errors import Reject, RejectReason
from fix_engine.logon import SessionSettings
from fix_engine.message import Message

ParseTime = Callable[[bytes], int | None]


def header_fault(
    message: Message, settings: SessionSettings, parse_time: ParseTime, now: int
) -> Reject | None:
    """A wrong CompID or SendingTime; whether they are there is the validator's question."""
    values = message.values
    sender, target, time = message.shape.header_places
    if sender is not None and values[sender] != settings.target_comp_id and values[sender]:
        return Reject(RejectReason.COMP_ID_PROBLEM)
    if target is not None and values[target] != settings.sender_comp_id and values[target]:
        return Reject(RejectReason.COMP_ID_PROBLEM)
    if time is not None:
        sent = parse_time(values[time])
        if sent is not None and abs(now - sent) > settings.max_latency_ns:
            return Reject(RejectReason.SENDING_TIME_ACCURACY)
    return None


def poss_dup_fault(message: Message, parse_time: ParseTime) -> Reject | None:
    """OrigSendingTime of a possible duplicate: missing, or later than SendingTime.

    A SequenceReset is no copy of a message sent before, and some engines leave it out there.
    """
    if message.msg_type == tags.SEQUENCE_RESET:
        return None
    original = message.get(tags.ORIG_SENDING_TIME)
    if original is None:
        return Reject(RejectReason.REQUIRED_TAG_MISSING, tags.ORIG_SENDING_TIME)
    first = parse_time(original)
    again = parse_time(message.get(tags.SENDING_TIME) or b"")
    if first is not None and again is not None and first > again:
        return Reject(RejectReason.SENDING_TIME_ACCURACY)
    return None
