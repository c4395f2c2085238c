"""From MsgType to the command that a request asks for."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Final

from exchange.commands import (
    CancelOrder,
    Command,
    Deadline,
    MassCancel,
    MassQuery,
    NewOrder,
    QueryOrder,
    Refuse,
    ReplaceOrder,
)
from exchange.compiled import order_parser
from exchange.instruments import Instrument
from exchange.orders import OrderTerms
from exchange.remembered import Remembered
from exchange.requests.conditions import (
    CONDITION_TAGS,
    DEADLINE_TAGS,
    TRIGGERED,
    conditional_terms,
    parse_deadline,
)
from exchange.requests.lists import parse_list
from exchange.requests.quotes import parse_mass_quote, parse_quote_cancel
from exchange.requests.reasons import OTHER, UNSUPPORTED_MESSAGE_TYPE, Fault
from exchange.requests.selection import parse_selection
from exchange.requests.terms import (
    ORDER_TYPES,
    PLAIN_TIMES_IN_FORCE,
    SIDES,
    Places,
    plain_terms,
)
from fix_engine import tags
from fix_engine.message import Message, Shape

_MOST_SHAPES: Final = 2_048  # as many as decoders remember
Parser = Callable[[int, Message], Command]


class RequestParser:
    """Turns valid messages into commands; what cannot be one becomes Refuse.

    `parsers` does so by MsgType.
    """

    def __init__(self, instruments: Iterable[Instrument]) -> None:
        self._instruments = {instrument.symbol: instrument for instrument in instruments}
        self._places = Remembered(
            _places_of_plain, lambda shape, _: shape.is_remembered, _MOST_SHAPES
        )
        new_order: Parser = order_parser(
            self._new_order,
            self._instruments,
            self._places,
            SIDES,
            ORDER_TYPES,
            PLAIN_TIMES_IN_FORCE,
        )
        self.parsers: Mapping[bytes, Parser] = {
            tags.NEW_ORDER_SINGLE: new_order,
            tags.NEW_ORDER_LIST: self._new_list,
            tags.ORDER_CANCEL_REQUEST: self._cancel,
            tags.ORDER_CANCEL_REPLACE_REQUEST: self._replace,
            tags.ORDER_STATUS_REQUEST: self._query,
            tags.ORDER_MASS_CANCEL_REQUEST: self._mass_cancel,
            tags.ORDER_MASS_STATUS_REQUEST: self._mass_query,
            tags.MASS_QUOTE: lambda *args: parse_mass_quote(self._instruments, *args),
            tags.QUOTE_CANCEL: lambda *args: parse_quote_cancel(self._instruments, *args),
        }

    def parse(self, session: int, message: Message) -> Command:
        """The command that a message of this session asks for."""
        parser = self.parsers.get(message.msg_type)
        if parser is None:
            text = b"Unsupported Message Type"
            return Refuse(session, message, text, OTHER, UNSUPPORTED_MESSAGE_TYPE)
        return parser(session, message)

    def _new_order(self, session: int, message: Message) -> Command:
        values, places = message.values, self._places[message.shape]
        if places is not None and values[places.ord_type] not in TRIGGERED:
            terms = plain_terms(self._instruments, message, places)
            if terms.__class__ is OrderTerms:
                account = values[places.account] if places.account >= 0 else b""
                return NewOrder(session, message, values[places.cl_ord_id], account, terms)
        else:
            terms = conditional_terms(self._instruments, message)
        deadline = self._deadline(message)
        if isinstance(deadline, Fault):
            return _refused(session, message, deadline)
        if isinstance(terms, Fault):
            return _refused(session, message, terms)
        name, account = message.get(tags.CL_ORD_ID) or b"", message.get(tags.ACCOUNT) or b""
        return NewOrder(session, message, name, account, terms, deadline)

    def _new_list(self, session: int, message: Message) -> Command:
        return parse_list(session, message, self._new_order)

    def _cancel(self, session: int, message: Message) -> Command:
        get = message.get
        deadline = self._deadline(message)
        if isinstance(deadline, Fault):
            return _refused(session, message, deadline)
        name, previous = get(tags.CL_ORD_ID) or b"", get(tags.ORIG_CL_ORD_ID) or b""
        return CancelOrder(session, message, name, previous, deadline)

    def _replace(self, session: int, message: Message) -> Command:
        get = message.get
        places = self._places[message.shape]
        terms: OrderTerms | Fault
        if places is not None and message.values[places.ord_type] not in TRIGGERED:
            terms = plain_terms(self._instruments, message, places, is_replacement=True)
        else:
            terms = conditional_terms(self._instruments, message, is_replacement=True)
        if isinstance(terms, Fault):
            return _refused(session, message, terms)
        deadline = self._deadline(message)
        if isinstance(deadline, Fault):
            return _refused(session, message, deadline)
        return ReplaceOrder(
            session,
            message,
            get(tags.CL_ORD_ID) or b"",
            get(tags.ORIG_CL_ORD_ID) or b"",
            terms,
            deadline,
        )

    def _query(self, session: int, message: Message) -> Command:
        return QueryOrder(session, message, message.get(tags.CL_ORD_ID) or b"")

    def _mass_cancel(self, session: int, message: Message) -> Command:
        kind = message.get(tags.MASS_CANCEL_REQUEST_TYPE)
        selection = parse_selection(self._instruments, message, kind)
        if isinstance(selection, Fault):
            return _refused(session, message, selection)
        return MassCancel(session, message, message.get(tags.CL_ORD_ID) or b"", selection)

    def _mass_query(self, session: int, message: Message) -> Command:
        kind = message.get(tags.MASS_STATUS_REQ_TYPE)
        selection = parse_selection(self._instruments, message, kind)
        if isinstance(selection, Fault):
            return _refused(session, message, selection)
        return MassQuery(session, message, selection)

    def _deadline(self, message: Message) -> Deadline | Fault | None:
        return None if DEADLINE_TAGS.isdisjoint(message.shape.index) else parse_deadline(message)


def _places_of_plain(shape: Shape) -> Places | None:
    """Where to look in orders without conditions, None of others."""
    index = shape.index
    is_plain = CONDITION_TAGS.isdisjoint(index) and DEADLINE_TAGS.isdisjoint(index)
    return Places.of(shape) if is_plain else None


def _refused(session: int, message: Message, fault: Fault) -> Refuse:
    return Refuse(session, message, fault.text, fault.reason, fault.business_reason)
