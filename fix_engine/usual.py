"""The usual message: an application message in its turn with which nothing is wrong.

Nearly all that a session receives is like that, and there is nothing to do with it but to deliver
it. The session machine looks at everything else.
"""

from __future__ import annotations

from collections.abc import Container

from fix_engine import tags
from fix_engine.logon import SessionSettings
from fix_engine.message import Message
from fix_engine.validation import IsUsual, Validator


def usual(settings: SessionSettings, validator: Validator, special: Container[bytes]) -> IsUsual:
    """What tells whether a message is usual: (message, expected MsgSeqNum, now) -> bool.

    `special` are the MsgTypes of the session layer, `now` is in nanoseconds, UTC.
    """
    parse_time, check, fix44 = validator.parse_timestamp, validator.check, tags.FIX44

    def is_usual(message: Message, expected: int, now: int) -> bool:
        shape, values = message.shape, message.values
        sender, target, time = shape.header_places
        if (
            message.seq != expected
            or message.msg_type in special
            or shape.poss_dup_place is not None
            or message.begin_string != fix44
            or sender is None
            or values[sender] != settings.target_comp_id
            or target is None
            or values[target] != settings.sender_comp_id
            or time is None
        ):
            return False
        sent = parse_time(values[time])
        is_timely = sent is not None and abs(now - sent) <= settings.max_latency_ns
        return is_timely and check(message) is None

    return validator.hastened(is_usual, settings, special)
