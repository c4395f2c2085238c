"""SecurityStatusRequest (e), answered by SecurityStatus (f) with the ID of the request.

Changes are told by the venue itself, to every session, and are part of what follows from its
journal. So a subscription here sends nothing: the same change must not come twice.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from exchange.desk import SUBSCRIBE, UNSUBSCRIBE
from exchange.executor import Executor
from exchange.reference.fields import find_tradable, written
from exchange.reference.subscriptions import Subscription, Subscriptions
from exchange.reports import TRADING_STATUS
from exchange.venue.protections import market_text
from fix_engine import tags
from fix_engine.message import Message
from fix_engine.outbound import return_route
from fix_engine.timestamps import TimestampFormatter
from sessions.application import Peer, business_reject

_UNKNOWN: Final = b"20"  # SecurityTradingStatus (326): unknown or invalid
# BusinessRejectReason (380)
_OTHER: Final = 0
_UNKNOWN_ID: Final = 1


class Markets:
    """Answers what the market of an instrument takes."""

    def __init__(
        self, executor: Executor, now: Callable[[], int], subscriptions: Subscriptions
    ) -> None:
        self._executor = executor
        self._now = now
        self._subscriptions = subscriptions

    def answer(self, peer: Peer, message: Message) -> None:
        """One SecurityStatus, or a BusinessMessageReject for an ID that cannot be used so."""
        request_id = message.get(tags.SECURITY_STATUS_REQ_ID) or b""
        kind = message.get(tags.SUBSCRIPTION_REQUEST_TYPE) or b""
        symbol = message.get(tags.SYMBOL) or b""
        route, own = return_route(message), self._subscriptions
        objection = own.objection(peer, message.msg_type, request_id, kind)
        if objection:
            reason = _UNKNOWN_ID if kind == UNSUBSCRIBE else _OTHER
            text = b"SecurityStatusReqID (324): " + objection
            body = business_reject(message, reason, text, request_id)
            peer.send(tags.BUSINESS_MESSAGE_REJECT, body, route)
            return
        prefix = b""
        if kind == UNSUBSCRIBE:
            symbol = own.end(peer, message.msg_type, request_id).symbol
            prefix = b"The subscription is ended. "
        elif kind == SUBSCRIBE and find_tradable(self._executor.venue.state, symbol) is not None:
            own.begin(Subscription(peer, message.msg_type, request_id, route, symbol))
        peer.send(tags.SECURITY_STATUS, self._status(request_id, symbol, prefix), route)

    def _status(self, request_id: bytes, symbol: bytes, prefix: bytes) -> bytes:
        state = self._executor.venue.state
        instrument = find_tradable(state, symbol)
        text = b"Symbol (55) %b is not traded here" % symbol[:64]
        status, label = _UNKNOWN, None
        if instrument is not None:
            market = state.markets[instrument.instrument_id]
            text = prefix + market_text(instrument, market)
            status, label = b"%d" % TRADING_STATUS[market], market.label
        return written(
            [
                (b"55", symbol),
                (b"58", text),
                (b"60", TimestampFormatter(self._executor.precision).format(self._now())),
                (b"324", request_id),
                (b"325", b"N"),
                (b"326", status),
                (b"8021", label),
            ]
        )
