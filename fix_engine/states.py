"""The states of a session's connection, and the rules by which it moves between them.

Theory of operation
-------------------
A session outlives its connections. Its two sequence numbers and its stored messages are there
whether the peer is connected or not; what this table describes is only where the current
connection stands:

- DISCONNECTED: nobody is there. Messages sent are numbered and stored.
- CONNECTED: somebody is there and has said nothing yet. FIX 4.4 Volume 2, "Logon": the first
  message must be a Logon; anything else, and a Logon that is not for us, ends the connection
  without an answer.
- LOGGING_ON: we have connected, as an initiator does, sent our Logon and wait for the peer's.
- ACTIVE: Logon was answered by Logon. Only here does the application hear from the peer.
- LOGGING_OUT: we have sent Logout and wait for the peer's, for a bounded time. Orders that still
  arrive are not counted as received: the peer's next Logon shows the gap and they come again.

Two smaller machines run beside it and have no states of their own to name: the inbound sequence
(`sequence.py`: in order, gap, duplicate, too low) and liveness (quiet, probed, dead: two
deadlines in `session.py`).

Rule 1: every change of state is a row of TRANSITIONS; a pair that is not there cannot happen.
Rule 2: what a message's MsgSeqNum must be to be obeyed is a row of SEQUENCE_RULES.
"""

from __future__ import annotations

from enum import Enum, auto

from fix_engine import tags
from fix_engine.message import Message


class State(Enum):
    """Where the connection of a session stands."""

    DISCONNECTED = auto()
    CONNECTED = auto()
    LOGGING_ON = auto()
    ACTIVE = auto()
    LOGGING_OUT = auto()


class Input(Enum):
    """What moves a connection from one state to another."""

    CONNECTION_MADE = "connection made"
    LOGON_SENT = "connection made, Logon sent first"
    LOGON_ACCEPTED = "Logon accepted"
    LOGON_REFUSED = "Logon refused, or not a Logon"
    LOGOUT_RECEIVED = "Logout received"
    LOGOUT_SENT = "Logout sent first"
    EXPIRED = "peer silent past its time"
    CONNECTION_LOST = "connection lost"


TRANSITIONS: dict[tuple[State, Input], State] = {
    (State.DISCONNECTED, Input.CONNECTION_MADE): State.CONNECTED,
    (State.DISCONNECTED, Input.LOGON_SENT): State.LOGGING_ON,
    (State.CONNECTED, Input.LOGON_ACCEPTED): State.ACTIVE,
    (State.CONNECTED, Input.LOGON_REFUSED): State.DISCONNECTED,
    (State.CONNECTED, Input.EXPIRED): State.DISCONNECTED,
    (State.CONNECTED, Input.CONNECTION_LOST): State.DISCONNECTED,
    (State.LOGGING_ON, Input.LOGON_ACCEPTED): State.ACTIVE,
    (State.LOGGING_ON, Input.LOGON_REFUSED): State.DISCONNECTED,
    (State.LOGGING_ON, Input.LOGOUT_RECEIVED): State.DISCONNECTED,
    (State.LOGGING_ON, Input.EXPIRED): State.DISCONNECTED,
    (State.LOGGING_ON, Input.CONNECTION_LOST): State.DISCONNECTED,
    (State.ACTIVE, Input.LOGOUT_RECEIVED): State.DISCONNECTED,
    (State.ACTIVE, Input.LOGOUT_SENT): State.LOGGING_OUT,
    (State.ACTIVE, Input.EXPIRED): State.DISCONNECTED,
    (State.ACTIVE, Input.CONNECTION_LOST): State.DISCONNECTED,
    (State.LOGGING_OUT, Input.LOGOUT_RECEIVED): State.DISCONNECTED,
    (State.LOGGING_OUT, Input.EXPIRED): State.DISCONNECTED,
    (State.LOGGING_OUT, Input.CONNECTION_LOST): State.DISCONNECTED,
}


class SequenceRule(Enum):
    """How a message's MsgSeqNum decides whether it is obeyed now."""

    #: Obeyed in order; kept behind a gap; refused when too low.
    IN_ORDER = "in order"
    #: Obeyed whatever its number, and counted when it is the expected one. A ResendRequest is
    #: served before our own gap is filled, or two peers with gaps would wait for each other; a
    #: peer that logs out is leaving, gap or not.
    ANY_NUMBER = "any number"
    #: The number is not looked at: SequenceReset in reset mode serves to recover when numbers are
    #: out of all order (FIX 4.4 Volume 2, "Sequence Reset"), and so does a Logon that resets.
    NO_NUMBER = "not looked at"


#: MsgType -> (flag, rule with the flag N or absent, rule with it Y); any other type is IN_ORDER.
SEQUENCE_RULES: dict[bytes, tuple[bytes, SequenceRule, SequenceRule]] = {
    tags.RESEND_REQUEST: (b"", SequenceRule.ANY_NUMBER, SequenceRule.ANY_NUMBER),
    tags.LOGOUT: (b"", SequenceRule.ANY_NUMBER, SequenceRule.ANY_NUMBER),
    tags.SEQUENCE_RESET: (tags.GAP_FILL_FLAG, SequenceRule.NO_NUMBER, SequenceRule.IN_ORDER),
    tags.LOGON: (tags.RESET_SEQ_NUM_FLAG, SequenceRule.IN_ORDER, SequenceRule.NO_NUMBER),
}


def sequence_rule(message: Message) -> SequenceRule:
    """The row of SEQUENCE_RULES for this message."""
    row = SEQUENCE_RULES.get(message.msg_type)
    if row is None:
        return SequenceRule.IN_ORDER
    flag, without, with_flag = row
    return with_flag if message.flag(flag) else without


def table() -> str:
    """TRANSITIONS as the Markdown table that the documentation shows."""
    rows = ["| state | input | next state |", "| --- | --- | --- |"]
    rows += [
        f"| {state.name} | {event.value} | {after.name} |"
        for (state, event), after in TRANSITIONS.items()
    ]
    return "\n".join(rows)
