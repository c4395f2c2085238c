"""The usual message: an application message in its turn with which nothing is wrong.

Nearly all that a session receives is like that, and there is nothing to do with it but to deliver
it. The session machine looks at everything else.
"""

from __future__ import annotations

from collections.abc import Container

from fix_engine import tags
from fix_engine.header import header_fault
from fix_engine.logon import SessionSettings
from fix_engine.message import Message
from fix_engine.validation import IsUsual, Validator


def usual(settings: SessionSettings, validator: Validator, special: Container[bytes]) -> IsUsual:
    """What tells whether a message is usual: (message, expected MsgSeqNum, now) -> bool.

    `special` are the MsgTypes of the session layer, `now` is in nanoseconds, UTC.
    """
    parse_time, check, fix44 = validator.parse_timestamp, validator.check, tags.FIX44

    def is_usual(message: Message, expected: int, now: int) -> bool:
        return (
            message.seq == expected
            and message.msg_type not in special
            and message.shape.poss_dup_place is None
            and message.begin_string == fix44
            and header_fault(message, settings, parse_time, now) is None
            and check(message) is None
        )

    return validator.hastened(is_usual, settings, special)
