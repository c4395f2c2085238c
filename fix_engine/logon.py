"""What a Logon must say, and what ours says in return."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from fix_engine import tags
from fix_engine.message import Message
from fix_engine.timestamps import SECOND_NS, Precision

#: The largest message we send; a peer that cannot take it would lose its session over it.
OUR_LARGEST_MESSAGE: Final = 4_096


@dataclass(slots=True)
class SessionSettings:
    """What a session is told once; CompIDs as we write them: sender is us, target the peer."""

    sender_comp_id: bytes
    target_comp_id: bytes
    precision: Precision = Precision.MILLISECONDS
    max_latency_ns: int = 120 * SECOND_NS  # SendingTime may be this far from our clock
    logon_timeout_ns: int = 10 * SECOND_NS
    logout_timeout_ns: int = 2 * SECOND_NS  # FIX 4.4 test case 2c: "or wait 2 seconds"
    min_heartbeat_s: int = 1  # 0 would leave a dead connection undiscovered
    max_heartbeat_s: int = 3_600
    reset_on_logon: bool = False
    is_test: bool = False  # TestMessageIndicator (464) must say so, too, where it is there
    max_message_bytes: int = 64 * 1024  # announced in MaxMessageSize (383) to a peer that has it
    uses_next_expected: bool = False  # NextExpectedMsgSeqNum (789) instead of a ResendRequest
    adds_last_processed: bool = False  # LastMsgSeqNumProcessed (369) on everything we send
    max_resend_repeats: int = 10  # of one ResendRequest; a peer that goes on is in a loop
    gap_filled_types: frozenset[bytes] = frozenset()  # application messages never sent again
    echoed_logon_tags: tuple[bytes, ...] = ()  # Logon fields that our Logon repeats


def logon_fault(logon: Message, settings: SessionSettings) -> bytes | None:
    """What is wrong with a valid Logon, for a Logout's Text; None when nothing is."""
    if logon.flag(tags.RESET_SEQ_NUM_FLAG) and logon.seq != 1:
        # FIX 4.4 Volume 2, "Logon": with ResetSeqNumFlag Y, MsgSeqNum is 1.
        return b"ResetSeqNumFlag (141) Y needs MsgSeqNum 1"
    if logon.get(tags.ENCRYPT_METHOD) != b"0":
        return b"EncryptMethod (98) must be 0"
    interval = int(logon.get(tags.HEART_BT_INT) or 0)
    if not settings.min_heartbeat_s <= interval <= settings.max_heartbeat_s:
        bounds = (settings.min_heartbeat_s, settings.max_heartbeat_s)
        return b"HeartBtInt (108) %d is not within %d to %d" % (interval, *bounds)
    largest = int(logon.get(tags.MAX_MESSAGE_SIZE) or OUR_LARGEST_MESSAGE)
    if largest < OUR_LARGEST_MESSAGE:
        return b"MaxMessageSize (383) %d is too small, we need %d" % (largest, OUR_LARGEST_MESSAGE)
    test = logon.get(tags.TEST_MESSAGE_INDICATOR)
    if test is not None and (test == tags.YES) is not settings.is_test:
        ours = b"test" if settings.is_test else b"production"
        return b"TestMessageIndicator (464) %b, but this is a %b session" % (test, ours)
    return None


def next_expected(logon: Message, settings: SessionSettings) -> int | None:
    """NextExpectedMsgSeqNum, where both sides use it."""
    value = logon.get(tags.NEXT_EXPECTED_MSG_SEQ_NUM)
    return int(value) if value is not None and settings.uses_next_expected else None


def logon_body(logon: Message, settings: SessionSettings, next_expected: int) -> bytes:
    """The body of the Logon that answers `logon`; optional fields only where the peer has them."""
    body = b"98=0\x01108=%d\x01" % int(logon.get(tags.HEART_BT_INT) or 0)
    if logon.flag(tags.RESET_SEQ_NUM_FLAG):
        body += b"141=Y\x01"
    if logon.get(tags.MAX_MESSAGE_SIZE) is not None:
        body += b"383=%d\x01" % settings.max_message_bytes
    if logon.get(tags.TEST_MESSAGE_INDICATOR) is not None:
        body += b"464=%b\x01" % (tags.YES if settings.is_test else b"N")
    if settings.uses_next_expected and logon.get(tags.NEXT_EXPECTED_MSG_SEQ_NUM) is not None:
        body += b"789=%d\x01" % next_expected
    for tag in settings.echoed_logon_tags:
        value = logon.get(tag)
        if value is not None:
            body += b"%b=%b\x01" % (tag, value)
    return body
