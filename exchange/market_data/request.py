"""MarketDataRequest (V): what somebody wants to see, or why not."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

from exchange.desk import SUBSCRIBE, UNSUBSCRIBE
from exchange.instruments import Instrument
from exchange.market_data.feed import View
from exchange.market_data.figures import STATISTICS
from exchange.market_data.messages import BID, MAX_REQUEST_ID_BYTES, OFFER, TRADE
from fix_engine import tags
from fix_engine.message import Message

# MDReqRejReason (281)
UNKNOWN_SYMBOL: Final = b"0"
DUPLICATE: Final = b"1"
INSUFFICIENT_BANDWIDTH: Final = b"2"
_UNSUPPORTED_REQUEST_TYPE: Final = b"4"
_UNSUPPORTED_DEPTH: Final = b"5"
_UNSUPPORTED_UPDATE_TYPE: Final = b"6"
_UNSUPPORTED_ENTRY_TYPE: Final = b"8"

_ALL: Final = b"*"
_KINDS: Final = frozenset((BID, OFFER, TRADE, *STATISTICS))
_INTERVALS_MS: Final = range(10, 60_001)


@dataclass(slots=True)
class Refusal:
    """Why a request cannot be met; `reason` b"" where FIX has none for it."""

    reason: bytes
    text: bytes


@dataclass(slots=True)
class MarketDataRequest:
    """What was asked for; `begin` is not 0 where entries are to be told again."""

    request_id: bytes
    kind: bytes
    views: list[View] = field(default_factory=list)
    begin: int = 0
    end: int = 0


def parse_request(
    message: Message, instruments: Iterable[Instrument]
) -> MarketDataRequest | Refusal:
    """What a valid MarketDataRequest asks for."""
    request_id = message.get(tags.MD_REQ_ID) or b""
    kind = message.get(tags.SUBSCRIPTION_REQUEST_TYPE) or b""
    if len(request_id) > MAX_REQUEST_ID_BYTES:
        return Refusal(b"", b"MDReqID (262) has more than %d characters" % MAX_REQUEST_ID_BYTES)
    request = MarketDataRequest(request_id, kind)
    if kind == UNSUBSCRIBE:
        return request
    if not {tags.BEGIN_RPT_SEQ, tags.END_RPT_SEQ}.isdisjoint(message.shape.tags):
        return _range(message, request)
    wanted = _view(message, kind)
    if isinstance(wanted, Refusal):
        return wanted
    known = {one.symbol: one for one in instruments}
    symbols = _values(message, tags.SYMBOL)
    if symbols == [_ALL]:
        symbols = list(known)
    if not symbols:
        return Refusal(UNKNOWN_SYMBOL, b"NoRelatedSym (146) names no Symbol (55); * means all")
    for symbol in symbols:
        if symbol not in known:
            return Refusal(UNKNOWN_SYMBOL, b"Symbol (55) %b is not traded here" % symbol)
    request.views = [
        View(known[symbol].instrument_id, *wanted) for symbol in dict.fromkeys(symbols)
    ]
    return request


def _range(message: Message, request: MarketDataRequest) -> MarketDataRequest | Refusal:
    """Of a subscription that there is, what is to be told again."""
    begin, end = (int(message.get(tag) or 0) for tag in (tags.BEGIN_RPT_SEQ, tags.END_RPT_SEQ))
    if request.kind != SUBSCRIBE:
        text = b"BeginRptSeq (8024) needs SubscriptionRequestType (263) 1"
        return Refusal(_UNSUPPORTED_REQUEST_TYPE, text)
    if begin < 1 or 0 != end < begin:
        text = b"BeginRptSeq (8024) %d to EndRptSeq (8025) %d is no range"
        return Refusal(b"", text % (begin, end))
    request.begin, request.end = begin, end
    return request


def _view(
    message: Message, kind: bytes
) -> tuple[frozenset[bytes], int, bool, bool, int, bool] | Refusal:
    """Everything of a view but its instrument."""
    kinds = _values(message, tags.MD_ENTRY_TYPE)
    if not kinds:
        return Refusal(_UNSUPPORTED_ENTRY_TYPE, b"NoMDEntryTypes (267) names no MDEntryType (269)")
    for one in kinds:
        if one not in _KINDS:
            known = b", ".join(sorted(_KINDS))
            text = b"MDEntryType (269) %b is not served; there are %b" % (one, known)
            return Refusal(_UNSUPPORTED_ENTRY_TYPE, text)
    depth = int(message.get(tags.MARKET_DEPTH) or 0)
    is_aggregated = message.get(tags.AGGREGATED_BOOK) != b"N"
    if depth < 0 or (depth and not is_aggregated):
        text = b"MarketDepth (264) %d is not served; 0 is all, and all there is order by order"
        return Refusal(_UNSUPPORTED_DEPTH, text % depth)
    update_type = message.get(tags.MD_UPDATE_TYPE)
    if update_type not in (b"0", b"1") and (kind == SUBSCRIBE or update_type is not None):
        text = b"MDUpdateType (265) %b is neither 0, full, nor 1, incremental"
        return Refusal(_UNSUPPORTED_UPDATE_TYPE, text % (update_type or b"is missing: it"))
    interval_ms = int(message.get(tags.MD_UPDATE_INTERVAL) or 0)
    if interval_ms and interval_ms not in _INTERVALS_MS:
        text = b"MDUpdateInterval (8026) %d is neither 0, every update, nor within %d to %d ms"
        bounds = _INTERVALS_MS[0], _INTERVALS_MS[-1]
        return Refusal(b"", text % (interval_ms, *bounds))
    has_checksum = message.get(tags.BOOK_CHECKSUM_WANTED) == tags.YES
    if has_checksum and not {BID, OFFER}.issubset(kinds):
        return Refusal(b"", b"BookChecksumWanted (8028) needs MDEntryType (269) 0 and 1")
    is_full = update_type == b"0"
    return frozenset(kinds), depth, is_aggregated, is_full, interval_ms, has_checksum


def _values(message: Message, tag: bytes) -> list[bytes]:
    """The values of a field that stands in each entry of a group, and nowhere else."""
    pairs = zip(message.shape.tags, message.values, strict=True)
    return [value for one, value in pairs if one == tag]
