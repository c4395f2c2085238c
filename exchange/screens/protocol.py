"""The messages between a screen and us: JSON objects, a text frame each.

Prices and quantities are decimals in strings, so that nobody's floats round them. docs/screens.md
is the description; SCHEMA counts its changes that a client must know of.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from exchange.screens.views import BOOK, CHANNELS, Members, Wanted

SCHEMA: Final = 1

#: Why a connection was closed by us: WebSocket leaves 4000 and above to applications.
TOO_SLOW: Final = 4000
TOO_MANY_MESSAGES: Final = 4001

_MAX_ID_LENGTH: Final = 64
_FIELDS: Final = {
    "subscribe": {"op", "id", "channel", "symbols", "depth", "group", "interval_ms"},
    "unsubscribe": {"op", "id", "channel", "symbols"},
    "ping": {"op", "id"},
}

Id = str | int | None


@dataclass(frozen=True, slots=True)
class Offer:
    """What can be subscribed to; the first of each is what one gets who does not choose."""

    symbols: tuple[str, ...]
    depths: tuple[int, ...]
    groups: tuple[int, ...]
    intervals_ms: tuple[int, ...]


@dataclass(slots=True)
class Subscribe:
    """Show these, in place of what was shown of the same channel and symbol."""

    id: Id
    views: list[Wanted]


@dataclass(slots=True)
class Unsubscribe:
    """Show these no more."""

    id: Id
    channel: str
    symbols: list[str]


@dataclass(slots=True)
class Ping:
    """Answer at once."""

    id: Id


@dataclass(slots=True)
class Fault:
    """What is wrong with a message; `code` for programs, `text` for people."""

    code: str
    text: str
    id: Id = None


Request = Subscribe | Unsubscribe | Ping


def parse(text: str, offer: Offer) -> Request | Fault:
    """What a client wants."""
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return Fault("not-json", "a message is one JSON object")
    if not isinstance(found, dict):
        return Fault("not-json", "a message is one JSON object")
    own = found.get("id")
    is_id = isinstance(own, str | int) and not isinstance(own, bool) and len(str(own)) <= 64
    if own is not None and not is_id:
        return Fault("bad-id", f"id is a number or text of up to {_MAX_ID_LENGTH} characters")
    outcome = _parse(found, offer)
    outcome.id = own
    return outcome


def _parse(found: dict[str, Any], offer: Offer) -> Request | Fault:
    op = found.get("op")
    if not isinstance(op, str) or op not in _FIELDS:
        return Fault("unknown-op", f"op is one of {', '.join(_FIELDS)}")
    unknown = sorted(found.keys() - _FIELDS[op])
    if unknown:
        return Fault("unknown-member", f"{op} has no member {unknown[0][:40]!r}")
    if op == "ping":
        return Ping(None)
    channel = found.get("channel")
    if not isinstance(channel, str) or channel not in CHANNELS:
        return Fault("unknown-channel", f"channel is one of {', '.join(CHANNELS)}")
    symbols = found.get("symbols")
    if symbols == "*":
        symbols = list(offer.symbols)
    if not isinstance(symbols, list) or not symbols or len(symbols) > len(offer.symbols):
        return Fault("unknown-symbol", 'symbols is a list of symbols, none twice, or "*" for all')
    for symbol in symbols:
        if not isinstance(symbol, str) or symbol not in offer.symbols:
            return Fault("unknown-symbol", f"{str(symbol)[:40]!r} is not shown here")
    symbols = list(dict.fromkeys(symbols))
    if op == "unsubscribe":
        return Unsubscribe(None, channel, symbols)
    return _subscribe(found, channel, symbols, offer)


def _subscribe(
    found: dict[str, Any], channel: str, symbols: list[str], offer: Offer
) -> Request | Fault:
    chosen: dict[str, int] = {}
    for name, choices in (
        ("interval_ms", offer.intervals_ms),
        ("depth", offer.depths),
        ("group", offer.groups),
    ):
        if name != "interval_ms" and channel != BOOK:
            if name in found:
                return Fault("unknown-member", f"{name} is for the channel {BOOK}")
            continue
        value = found.get(name, choices[0])
        if type(value) is not int or value not in choices:
            words = ", ".join(map(str, sorted(choices)))
            return Fault(f"bad-{name.replace('_', '-')}", f"{name} is one of {words}")
        chosen[name] = value
    return Subscribe(None, [Wanted(channel, symbol, **chosen) for symbol in symbols])


# --- what we say ----------------------------------------------------------------------------


@dataclass(slots=True)
class Status:
    """How far what we show can be trusted: `stale` symbols are not followed at present."""

    stale: list[str] = field(default_factory=list)
    reason: str = ""

    @property
    def state(self) -> str:
        """In a word."""
        return "stale" if self.stale else "live"

    def members(self) -> Members:
        """As it stands in a message."""
        return {"state": self.state, "stale": self.stale, "reason": self.reason}


def hello(
    venue: str,
    offer: Offer,
    symbols: Iterable[Members],
    limits: Mapping[str, int],
    status: Status,
    now_ms: int,
) -> str:
    """The first message to everybody."""
    return _text(
        "hello",
        {
            "schema": SCHEMA,
            "time": now_ms,
            "venue": venue,
            **status.members(),
            "symbols": list(symbols),
            "channels": CHANNELS,
            "depths": sorted(offer.depths),
            "groups": sorted(offer.groups),
            "intervals_ms": sorted(offer.intervals_ms),
            "limits": dict(limits),
        },
    )


def subscribed(request: Subscribe) -> str:
    """What was understood."""
    one = request.views[0]
    symbols = [view.symbol for view in request.views]
    return _text("subscribed", {"id": request.id, **_name(one, symbols=symbols), **_shape(one)})


def unsubscribed(request: Unsubscribe) -> str:
    """What was understood."""
    return _text(
        "unsubscribed",
        {"id": request.id, "channel": request.channel, "symbols": request.symbols},
    )


def pong(request: Ping, now_ms: int) -> str:
    """The answer to a ping."""
    return _text("pong", {"id": request.id, "time": now_ms})


def snapshot(wanted: Wanted, seq: int, now_ms: int, members: Members, is_conflated: bool) -> str:
    """Everything that a view shows."""
    start: Members = {**_name(wanted), **_shape(wanted), "seq": seq, "time": now_ms}
    if is_conflated:
        start["conflated"] = True
    return _text("snapshot", start | members)


def update(wanted: Wanted, seq: int, now_ms: int, members: Members) -> str:
    """What has changed since `seq` - 1."""
    return _text("update", {**_name(wanted), "prev": seq - 1, "seq": seq, "time": now_ms} | members)


def heartbeat(status: Status, now_ms: int) -> str:
    """We are there, and that is how things are."""
    return _text("heartbeat", {"time": now_ms, **status.members()})


def status_changed(status: Status, now_ms: int) -> str:
    """How things have become."""
    return _text("status", {"time": now_ms, **status.members()})


def error(fault: Fault) -> str:
    """What was wrong with what a client said; nothing has changed by it."""
    return _text("error", {"id": fault.id, "code": fault.code, "text": fault.text})


def _name(wanted: Wanted, symbols: Sequence[str] | None = None) -> Members:
    if symbols is not None:
        return {"channel": wanted.channel, "symbols": list(symbols)}
    return {"channel": wanted.channel, "symbol": wanted.symbol}


def _shape(wanted: Wanted) -> Members:
    shape: Members = {"interval_ms": wanted.interval_ms}
    if wanted.channel == BOOK:
        shape |= {"depth": wanted.depth, "group": wanted.group}
    return shape


def _text(kind: str, members: Members) -> str:
    return json.dumps({"type": kind, **members}, separators=(",", ":"))
