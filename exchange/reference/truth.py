"""Whether what the desk once said of instruments was so, by a venue that is where it was then."""

from __future__ import annotations

from itertools import zip_longest
from typing import Final

from exchange.reference.fields import find_tradable, instrument_fields
from exchange.reports import TRADING_STATUS
from exchange.venue.state import VenueState
from fix_engine import tags
from fix_engine.message import Message

Untruth = tuple[bytes, bytes | None, bytes | None]  # tag, what it must be, what it is
_TRADING_STATUS: Final = b"326"


def untruths(state: VenueState, session: int, message: Message) -> list[Untruth]:
    """The fields of a message of this desk to `session` that are not as the venue has them.

    What it says of hours, and of requests, which no journal has, is not looked at.
    """
    if message.msg_type == tags.SECURITY_STATUS:
        return _of_status(state, message)
    if message.msg_type == tags.SECURITY_LIST or message.get(b"323") == b"1":
        return _of_instruments(state, session, message)
    return []


def _of_status(state: VenueState, message: Message) -> list[Untruth]:
    instrument = find_tradable(state, message.get(tags.SYMBOL) or b"")
    status: bytes = b"20"
    label: bytes | None = None
    if instrument is not None:
        market = state.markets[instrument.instrument_id]
        status, label = b"%d" % TRADING_STATUS[market], market.label
    pairs = ((_TRADING_STATUS, status), (tags.MARKET_STATE, label))
    return [(tag, must, message.get(tag)) for tag, must in pairs if message.get(tag) != must]


def _of_instruments(state: VenueState, number: int, message: Message) -> list[Untruth]:
    entries: list[list[tuple[bytes, bytes]]] = []
    for tag, value in message.pairs():
        if tag == tags.SYMBOL:
            entries.append([])
        if entries:
            entries[-1].append((tag, value))
    session, wrong = state.sessions.get(number), list[Untruth]()
    for entry in entries:
        symbol = entry[0][1]
        instrument = find_tradable(state, symbol)
        if instrument is None or session is None:
            wrong.append((tags.SYMBOL, None, symbol))
            continue
        raw = instrument_fields(state, session.account, instrument)
        must = [tuple(field.split(b"=", 1)) for field in raw.split(tags.SOH)[:-1]]
        for one, other in zip_longest(must, entry, fillvalue=(b"", b"")):
            if one != other:
                wrong.append((other[0] or one[0], one[1] or None, other[1] or None))
    return wrong
