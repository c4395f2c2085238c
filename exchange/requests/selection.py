"""Which orders a mass cancel or a mass status request means."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from exchange.commands import Selection
from exchange.instruments import Instrument
from exchange.requests.reasons import UNKNOWN_SYMBOL, Fault, missing
from exchange.requests.terms import SIDES
from fix_engine import tags
from fix_engine.message import Message

_SECURITY: Final = b"1"
_PRODUCT: Final = b"3"
_SESSION: Final = b"6"
_ALL: Final = b"7"
MASS_KINDS: Final = (_SECURITY, _PRODUCT, _SESSION, _ALL)  # MassCancelRequestType (530), taken
_CURRENCY: Final = b"4"  # Product (460) of everything that is traded here


def parse_selection(
    instruments: Mapping[bytes, Instrument], message: Message, kind: bytes | None
) -> Selection | Fault:
    """The orders that MassCancelRequestType (530) or MassStatusReqType (585) `kind` means."""
    get = message.get
    selection = Selection(account=get(tags.ACCOUNT))
    side = get(tags.SIDE)
    if side is not None:
        selection.side = SIDES.get(side)
        if selection.side is None:
            return Fault(b"Side (54) must be 1, buy, or 2, sell, or not there")
    symbol = get(tags.SYMBOL)
    if kind == _SECURITY:
        if symbol is None:
            return missing(b"Symbol (55) is required to mean the orders of one security")
        selection.instrument = instruments.get(symbol)
        if selection.instrument is None:
            return Fault(b"Symbol (55) %b is not traded here" % symbol[:64], UNKNOWN_SYMBOL)
    elif kind == _PRODUCT:
        if get(tags.PRODUCT) != _CURRENCY:
            return Fault(b"Product (460) must be 4, currency: nothing else is traded here")
    elif kind == _SESSION:
        selection.is_session_only = True
    elif kind != _ALL:
        return Fault(b"only 1, security, 3, product, 6, this FIX session, and 7, all, are taken")
    return selection
