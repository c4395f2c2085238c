"""SecurityListRequest (x) and SecurityList (y)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from exchange.desk import SNAPSHOT, SUBSCRIBE, UNSUBSCRIBE
from exchange.executor import Executor
from exchange.fragments import fragments_of
from exchange.instruments import Instrument
from exchange.reference.catalogue import Catalogue
from exchange.reference.fields import find_tradable, written
from exchange.reference.hours import MAIN_SESSION
from exchange.reference.ids import ResponseIds
from exchange.reference.subscriptions import Subscription, Subscriptions
from fix_engine import tags
from fix_engine.message import Message
from fix_engine.outbound import return_route
from sessions.application import Peer

#: For instruments, and what is repeated of the request: all in all a message is then no longer than
#: what we need every client to take, whatever the CompIDs are.
_ROOM_BYTES: Final = 3_300
_SYMBOL: Final = b"0"  # SecurityListRequestType (559)
_PRODUCT: Final = b"2"
_TRADING_SESSION: Final = b"3"
_ALL: Final = b"4"
#: What names the instruments that are asked for, by SecurityListRequestType.
_CRITERIA: Final = {
    _SYMBOL: (tags.SYMBOL, b"Symbol"),
    _PRODUCT: (tags.PRODUCT, b"Product"),
    _TRADING_SESSION: (tags.TRADING_SESSION_ID, b"TradingSessionID"),
}
_CURRENCY: Final = b"4"  # Product (460) of everything that is traded here
# SecurityRequestResult (560)
_VALID: Final = 0
_UNSUPPORTED: Final = 1
_NONE_FOUND: Final = 2


@dataclass(slots=True)
class _Refusal:
    result: int
    text: bytes


class Securities:
    """Answers with instruments, and tells subscribers of each that has changed."""

    def __init__(self, executor: Executor, ids: ResponseIds, subscriptions: Subscriptions) -> None:
        self._state = executor.venue.state
        self._catalogue = Catalogue(executor.venue.state)
        self._ids = ids
        self._subscriptions = subscriptions

    def answer(self, peer: Peer, message: Message) -> None:
        """One SecurityList, or more where they do not fit."""
        request_id = message.get(tags.SECURITY_REQ_ID) or b""
        kind = message.get(tags.SUBSCRIPTION_REQUEST_TYPE) or SNAPSHOT
        route, own = return_route(message), self._subscriptions
        found: list[Instrument] | _Refusal = []
        objection, text = own.objection(peer, message.msg_type, request_id, kind), b""
        if objection:
            found = _Refusal(_UNSUPPORTED, b"SecurityReqID (320): " + objection)
        elif kind == UNSUBSCRIBE:
            own.end(peer, message.msg_type, request_id)
            text = b"The subscription is ended"
        else:
            found = self._select(message)
        if isinstance(found, _Refusal):
            fields = [(b"58", found.text), (b"320", request_id), (b"322", self._ids.make())]
            body = written([*fields, (b"560", b"%d" % found.result)])
            peer.send(tags.SECURITY_LIST, body, route)
            return
        if kind == SUBSCRIBE:
            symbol = message.get(tags.SYMBOL) or b""
            own.begin(Subscription(peer, message.msg_type, request_id, route, symbol))
        self._send(peer, request_id, route, found, text)

    def tell(self, number: int, symbol: bytes) -> None:
        """An instrument is not what it was: tell this session, where it has subscribed to it."""
        for one in self._subscriptions.of(number, tags.SECURITY_LIST_REQUEST):
            instrument = find_tradable(self._state, symbol)
            if instrument is not None and one.symbol in (b"", symbol):
                self._send(one.peer, one.request_id, one.route, [instrument])

    def _select(self, message: Message) -> list[Instrument] | _Refusal:
        """The instruments that are asked for."""
        kind = message.get(tags.SECURITY_LIST_REQUEST_TYPE) or b""
        if kind != _ALL and kind not in _CRITERIA:
            text = b"SecurityListRequestType (559) %b: only 0, 2, 3 and 4, all, are answered here"
            return _Refusal(_UNSUPPORTED, text % kind)
        for one, (tag, name) in _CRITERIA.items():
            if one == kind and message.get(tag) is None:
                text = b"%b (%b) is required with SecurityListRequestType (559) %b; 4 asks for all"
                return _Refusal(_UNSUPPORTED, text % (name, tag, kind))
            if one != kind and message.get(tag) is not None:
                text = b"%b (%b) does not go with SecurityListRequestType (559) %b, but with %b"
                return _Refusal(_UNSUPPORTED, text % (name, tag, kind, one))
        if kind == _SYMBOL:
            symbol = message.get(tags.SYMBOL) or b""
            instrument = find_tradable(self._state, symbol)
            if instrument is None:
                text = b"Symbol (55) %b is not traded here; 559=4 asks for all that are"
                return _Refusal(_NONE_FOUND, text % symbol[:64])
            return [instrument]
        product, session = message.get(tags.PRODUCT), message.get(tags.TRADING_SESSION_ID)
        if product not in (None, _CURRENCY):
            text = b"Product (460) %b: everything that is traded here is 4, currency"
            return _Refusal(_NONE_FOUND, text % (product or b"")[:64])
        if session not in (None, MAIN_SESSION):
            text = b"TradingSessionID (336) %b: the only one here is %b"
            return _Refusal(_NONE_FOUND, text % ((session or b"")[:64], MAIN_SESSION))
        return self._state.listing.tradable

    def _send(
        self,
        peer: Peer,
        request_id: bytes,
        route: bytes,
        instruments: Iterable[Instrument],
        text: bytes = b"",
    ) -> None:
        account = self._state.session(peer.number).account
        entries = [self._catalogue.fields(account, one) for one in instruments]
        room = _ROOM_BYTES - len(request_id) - len(route)
        response_id, fragments = self._ids.make(), list(fragments_of(entries, room))
        for number, fragment in enumerate(fragments, 1):
            head = [
                (b"58", text or None),
                (b"320", request_id),
                (b"322", response_id),
                (b"393", b"%d" % len(entries)),
                (b"560", b"%d" % _VALID),
                (b"893", b"Y" if number == len(fragments) else b"N"),
                (b"146", b"%d" % len(fragment) if fragment else None),
            ]
            peer.send(tags.SECURITY_LIST, written(head) + b"".join(fragment), route)
