"""SecurityDefinitionRequest (c) and SecurityDefinition (d)."""

from __future__ import annotations

from typing import Final

from exchange.executor import Executor
from exchange.reference.fields import find_tradable, instrument_fields, written
from exchange.reference.ids import ResponseIds
from fix_engine import tags
from fix_engine.message import Message
from fix_engine.outbound import return_route
from sessions.application import Peer

_IDENTITY_AND_SPECIFICATIONS: Final = b"0"  # SecurityRequestType (321)
# SecurityResponseType (323)
_ACCEPTED: Final = b"1"
_REJECTED: Final = b"5"
_NO_MATCH: Final = b"6"


class Definitions:
    """Answers with one instrument."""

    def __init__(self, executor: Executor, ids: ResponseIds) -> None:
        self._state = executor.venue.state
        self._ids = ids

    def answer(self, peer: Peer, message: Message) -> None:
        """One SecurityDefinition, whatever is asked."""
        kind = message.get(tags.SECURITY_REQUEST_TYPE) or b""
        symbol = message.get(tags.SYMBOL)
        text, response, entry = b"", _REJECTED, written([(b"55", symbol)])
        if kind != _IDENTITY_AND_SPECIFICATIONS:
            text = (
                b"SecurityRequestType (321) %b: only 0, identity and specifications of a Symbol, "
                b"is answered here; SecurityListRequest (x) with 559=4 asks for all instruments"
            ) % kind
        elif symbol is None:
            text = b"Symbol (55) is required with SecurityRequestType (321) 0"
        elif (instrument := find_tradable(self._state, symbol)) is None:
            response = _NO_MATCH
            text = (
                b"Symbol (55) %b is not traded here; SecurityListRequest (x) with 559=4 asks for "
                b"all that are"
            ) % symbol[:64]
        else:
            response = _ACCEPTED
            account = self._state.session(peer.number).account
            entry = instrument_fields(self._state, account, instrument)
        head = [
            (b"58", text or None),
            (b"320", message.get(tags.SECURITY_REQ_ID)),
            (b"322", self._ids.make()),
            (b"323", response),
        ]
        peer.send(tags.SECURITY_DEFINITION, written(head) + entry, return_route(message))
