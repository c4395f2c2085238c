"""What every message passes on its way to the journal, in C where an install found a compiler.

`SEAMARK_CODEC` chooses for the codec and for this. What is not compiled is done by its reference in
Python.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from fix_engine.sequence import InboundSequence
from fix_engine.session import Session
from fix_engine.states import State
from sessions.application import Sending
from sessions.journal import Kind
from sessions.journal.gathering import NATIVE
from sessions.sent import SentTable
from sessions.store import SentMessages
from sessions.turn import Turn

if TYPE_CHECKING:
    from sessions.endpoint import Endpoint


def sending(reference: Sending, endpoint: Endpoint, turn: Turn, add: Callable[..., int]) -> Sending:
    """What sends as `reference`, a method of the endpoint, does; `add` is the journal's."""
    if NATIVE is None:
        return reference
    NATIVE.describe(type(endpoint), Session, InboundSequence, Turn, SentMessages, SentTable)
    send: Sending = NATIVE.sending(reference, endpoint, turn, add, Kind.SENT, State.ACTIVE)
    return send
