"""Session-level rejects: a reject is a value, and the value is what goes on the wire."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum


class RejectReason(IntEnum):
    """SessionRejectReason (373) of FIX 4.4, with the Text (58) that engines expect."""

    INVALID_TAG_NUMBER = 0
    REQUIRED_TAG_MISSING = 1
    TAG_NOT_DEFINED_FOR_MESSAGE_TYPE = 2
    UNDEFINED_TAG = 3
    TAG_SPECIFIED_WITHOUT_VALUE = 4
    VALUE_INCORRECT = 5
    INCORRECT_DATA_FORMAT = 6
    COMP_ID_PROBLEM = 9
    SENDING_TIME_ACCURACY = 10
    INVALID_MSG_TYPE = 11
    TAG_APPEARS_MORE_THAN_ONCE = 13
    TAG_OUT_OF_ORDER = 14
    GROUP_FIELDS_OUT_OF_ORDER = 15
    INCORRECT_NUM_IN_GROUP = 16
    OTHER = 99

    @property
    def text(self) -> bytes:
        """The Text (58) sent with this reason."""
        return _TEXTS[self]


_TEXTS = {
    RejectReason.INVALID_TAG_NUMBER: b"Invalid tag number",
    RejectReason.REQUIRED_TAG_MISSING: b"Required tag missing",
    RejectReason.TAG_NOT_DEFINED_FOR_MESSAGE_TYPE: b"Tag not defined for this message type",
    RejectReason.UNDEFINED_TAG: b"Undefined tag",
    RejectReason.TAG_SPECIFIED_WITHOUT_VALUE: b"Tag specified without a value",
    RejectReason.VALUE_INCORRECT: b"Value is incorrect (out of range) for this tag",
    RejectReason.INCORRECT_DATA_FORMAT: b"Incorrect data format for value",
    RejectReason.COMP_ID_PROBLEM: b"CompID problem",
    RejectReason.SENDING_TIME_ACCURACY: b"SendingTime accuracy problem",
    RejectReason.INVALID_MSG_TYPE: b"Invalid MsgType",
    RejectReason.TAG_APPEARS_MORE_THAN_ONCE: b"Tag appears more than once",
    RejectReason.TAG_OUT_OF_ORDER: b"Tag specified out of required order",
    RejectReason.GROUP_FIELDS_OUT_OF_ORDER: b"Repeating group fields out of order",
    RejectReason.INCORRECT_NUM_IN_GROUP: b"Incorrect NumInGroup count for repeating group",
    RejectReason.OTHER: b"Message refused",
}


@dataclass(slots=True)
class Reject:
    """Why a message is refused at session level, as Reject (35=3) will say it.

    `ref_tag` is RefTagID (371), or None where no single tag is at fault. `text` overrides the
    reason's own words.
    """

    reason: RejectReason
    ref_tag: bytes | None = None
    text: bytes | None = None


def reject_body(ref_seq: int, ref_type: bytes, fault: Reject) -> bytes:
    """The body of the Reject (35=3) of message `ref_seq`, which had MsgType `ref_type`."""
    ref_tag = b"371=%b\x01" % fault.ref_tag if fault.ref_tag is not None else b""
    text = fault.text or fault.reason.text
    return b"45=%d\x0158=%b\x01%b372=%b\x01373=%d\x01" % (
        ref_seq,
        text,
        ref_tag,
        ref_type,
        fault.reason,
    )
