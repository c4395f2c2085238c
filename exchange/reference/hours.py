"""TradingSessionStatusRequest (g) and TradingSessionStatus (h): the venue as a whole.

There is one trading session, which all instruments share. It is open until the next closure: the
end of hours, or maintenance. What single instruments take is told by SecurityStatus (f).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from exchange.desk import SUBSCRIBE, UNSUBSCRIBE
from exchange.reference.fields import written
from exchange.reference.subscriptions import Subscription, Subscriptions
from fix_engine import tags
from fix_engine.message import Message
from fix_engine.outbound import return_route
from fix_engine.timestamps import TimestampFormatter
from sessions.application import Peer
from sessions.timetable import Timetable, utc

MAIN_SESSION: Final = b"MAIN"  # TradingSessionID (336)
# TradSesStatus (340)
_OPEN: Final = b"2"
_CLOSED: Final = b"3"
_PRE_CLOSE: Final = b"5"
_REQUEST_REJECTED: Final = b"6"
_UNKNOWN_SESSION: Final = b"1"  # TradSesStatusRejReason (567)
_NOT_IN_SIGHT: Final = b"Open; no closure is in sight"


class TradingHours:
    """Answers when the venue is open, and tells subscribers when that changes."""

    def __init__(
        self, timetable: Timetable, now: Callable[[], int], subscriptions: Subscriptions
    ) -> None:
        self._timetable = timetable
        self._now = now
        self._subscriptions = subscriptions

    def answer(self, peer: Peer, message: Message) -> None:
        """One TradingSessionStatus."""
        request_id = message.get(tags.TRAD_SES_REQ_ID) or b""
        kind = message.get(tags.SUBSCRIPTION_REQUEST_TYPE) or b""
        session = message.get(tags.TRADING_SESSION_ID)
        route, own, reason = return_route(message), self._subscriptions, None
        refusal = own.objection(peer, message.msg_type, request_id, kind)
        if refusal:
            refusal = b"TradSesReqID (335): " + refusal
        elif session not in (None, MAIN_SESSION):
            reason, text = _UNKNOWN_SESSION, b"TradingSessionID (336) %b: the only one here is %b"
            refusal = text % ((session or b"")[:64], MAIN_SESSION)
        if refusal:
            fields = [(b"58", refusal), (b"325", b"N"), (b"335", request_id)]
            fields += [(b"336", session or MAIN_SESSION), (b"340", _REQUEST_REJECTED)]
            peer.send(tags.TRADING_SESSION_STATUS, written([*fields, (b"567", reason)]), route)
            return
        body = self._status(request_id, self._now(), kind == UNSUBSCRIBE)
        if kind == UNSUBSCRIBE:
            own.end(peer, message.msg_type, request_id)
        elif kind == SUBSCRIBE:
            own.begin(Subscription(peer, message.msg_type, request_id, route, told=body))
        peer.send(tags.TRADING_SESSION_STATUS, body, route)

    def tell(self, now: int) -> None:
        """Tell subscribers, if it is not what they were told last."""
        for one in self._subscriptions.every(tags.TRADING_SESSION_STATUS_REQUEST):
            body = self._status(one.request_id, now)
            if body != one.told:
                one.told = body
                one.peer.send(tags.TRADING_SESSION_STATUS, body, one.route)

    def _status(self, request_id: bytes, now: int, is_ended: bool = False) -> bytes:
        """The same bytes for as long as nothing has changed."""
        closure = self._timetable.closure(now)
        status, text, times = _OPEN, _NOT_IN_SIGHT, list[tuple[bytes, bytes | None]]()
        if closure is not None:
            begins, back = utc(closure.starts), utc(closure.ends)
            told = f"{begins} UTC for {closure.reason}; back at {back} UTC"
            announced_from, moment = self._timetable.announced_from(closure), TimestampFormatter()
            if closure.starts <= now:
                status, told = _CLOSED, f"Closed since {told}"
            elif announced_from <= now:
                status, told = _PRE_CLOSE, f"Open, but closes at {told}"
            else:
                told = f"Open until {told}"
            text = told.encode("ascii")
            times = [
                (b"343", moment.format(announced_from)),
                (b"344", moment.format(closure.starts)),
                (b"8046", moment.format(closure.ends)),
                (b"8047", closure.reason.encode("ascii")),
            ]
        if is_ended:
            text = b"The subscription is ended. " + text
        head = [(b"58", text), (b"325", b"N"), (b"335", request_id), (b"336", MAIN_SESSION)]
        return written([*head, (b"340", status), *times])
