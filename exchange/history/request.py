"""TradeCaptureReportRequest: what is asked for, or what is wrong with it."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Final

from exchange.copies import is_original
from exchange.venue import Venue
from exchange.venue.copies import EVERY, sees
from fix_engine import tags
from fix_engine.message import Message
from fix_engine.timestamps import SECOND_NS, TimestampParser
from sessions.journal.pages import Span

# TradeRequestResult (749)
UNKNOWN_INSTRUMENT: Final = 1
TYPE_NOT_SUPPORTED: Final = 8
NOT_AUTHORIZED: Final = 9
OTHER: Final = 99

_TYPES: Final = (b"0", b"1")  # TradeRequestType (569): all, and those that match: the same here
_EXEC_ID: Final = re.compile(rb"(\d{1,18})-(\d{1,9})")
_EXEC_ID_FIELD: Final = b"\x0117="
_DAY_NS: Final = 86_400 * SECOND_NS
_MAX_ID: Final = 64
_MAX_NAMED: Final = 10  # accounts in a Text
_BEGINNING: Final = b"-00:00:00"

ExecId = tuple[int, int]


class RefusedError(Exception):
    """A request is refused, with this TradeRequestResult (749) and Text (58)."""

    def __init__(self, result: int, text: bytes) -> None:
        super().__init__(text)
        self.result = result
        self.text = text


@dataclass(slots=True)
class Wanted:
    """What is asked for: drop copies behind ExecID `after` up to `end`, or trades.

    `accounts` are names, or `*`. `is_live`: trades to come, too.
    """

    request: Message
    accounts: tuple[bytes, ...]
    symbol: bytes | None
    span: Span = field(default_factory=Span)
    after: ExecId | None = None
    end: ExecId | None = None
    is_live: bool = False

    def means(self, fields: dict[bytes, bytes], account: bytes) -> bool:
        """Whether a report of an order of the account is asked for."""
        if not sees(self.accounts, account) or self.symbol not in (None, fields.get(tags.SYMBOL)):
            return False
        if self.after is None:
            return fields.get(tags.EXEC_TYPE) == b"F"
        exec_id = parse_exec_id(fields[tags.EXEC_ID])
        return (
            exec_id is not None
            and exec_id > self.after
            and (self.end is None or exec_id <= self.end)
        )


def parse_exec_id(text: bytes) -> ExecId | None:
    """An ExecID of the venue as two numbers, in the order of events; None when it is none."""
    found = _EXEC_ID.fullmatch(text)
    return (int(found[1]), int(found[2])) if found is not None else None


def rank_of_original(raw: bytes) -> ExecId | None:
    """The ExecID of an ExecutionReport as it was sent; None of one that is no original."""
    begin = raw.find(_EXEC_ID_FIELD) + len(_EXEC_ID_FIELD)
    return parse_exec_id(raw[begin : raw.find(tags.SOH, begin)]) if is_original(raw) else None


def read_request(message: Message, session: int, venue: Venue, last_position: int) -> Wanted:
    """What a session asks for; raises RefusedError."""
    kind = message.get(tags.TRADE_REQUEST_TYPE) or b""
    if kind not in _TYPES:
        text = b"TradeRequestType (569) %b is not supported: ask with 0 or 1" % kind
        raise RefusedError(TYPE_NOT_SUPPORTED, text)
    if len(message.get(tags.TRADE_REQUEST_ID) or b"") > _MAX_ID:
        raise RefusedError(OTHER, b"TradeRequestID (568) has more than %d characters" % _MAX_ID)
    symbol = message.get(tags.SYMBOL)
    if symbol is not None and venue.state.listing.find(symbol) is None:
        text = (
            b"Symbol (55) %b is not traded here: ask for one that is, or leave it out" % symbol[:32]
        )
        raise RefusedError(UNKNOWN_INSTRUMENT, text)
    wanted = Wanted(message, _accounts(message, session, venue), symbol)
    wanted.is_live = message.get(tags.SUBSCRIPTION_REQUEST_TYPE) == b"1"
    _read_dates(message, wanted)
    _read_exec_ids(message, wanted, last_position)
    return wanted


def _accounts(message: Message, number: int, venue: Venue) -> tuple[bytes, ...]:
    """Those that a session may see, or the one of them that it asks about."""
    session = venue.state.session(number)
    entitled = session.copies or (session.account.name,)
    account = message.get(tags.ACCOUNT)
    if account is None:
        return entitled
    if sees(entitled, account) and account != EVERY:
        return (account,)
    named = b", ".join(entitled[:_MAX_NAMED])
    more = b" and %d more" % (len(entitled) - _MAX_NAMED) if len(entitled) > _MAX_NAMED else b""
    text = b"Account (1) %b is none that you may ask about, which are %b%b" % (
        account[:64],
        named,
        more,
    )
    raise RefusedError(NOT_AUTHORIZED, text)


def _read_dates(message: Message, wanted: Wanted) -> None:
    """NoDates: one entry is a day, or from a time to the end of its day; two are from and to."""
    entries: list[tuple[bytes, bytes | None]] = []
    for tag, value in message.pairs():
        if tag == tags.TRADE_DATE:
            entries.append((value, None))
        elif tag == tags.TRANSACT_TIME and entries:
            entries[-1] = (entries[-1][0], value)
    if not entries:
        return
    if len(entries) > 2:
        raise RefusedError(OTHER, b"NoDates (580) has %d entries: 2 at most" % len(entries))
    first, last = _moments(*entries[0]), _moments(*entries[-1])
    wanted.span.since = first[0]
    wanted.span.until = last[1] if len(entries) == 2 else _moments(entries[0][0], None)[1]
    if wanted.span.until < wanted.span.since:
        raise RefusedError(OTHER, b"NoDates (580) ends before it begins: the earlier entry first")
    if wanted.is_live:
        if len(entries) == 2:
            text = b"SubscriptionRequestType (263) 1 has no end: give NoDates (580) one entry"
            raise RefusedError(OTHER, text)
        wanted.span.until = None


def _moments(day: bytes, time: bytes | None) -> tuple[int, int]:
    """When it begins and ends: a day, or a time as exactly as it was given."""
    parse = TimestampParser().parse
    begin = parse(day + _BEGINNING)
    assert begin is not None  # validated: it is a day
    if time is None:
        return begin, begin + _DAY_NS - 1
    moment = parse(time)
    if moment is None or not begin <= moment < begin + _DAY_NS:
        text = b"TransactTime (60) %b is not on TradeDate (75) %b" % (time[:32], day[:32])
        raise RefusedError(OTHER, text)
    digits = len(time.partition(b".")[2])
    return moment, moment + int(10 ** (9 - digits)) - 1


def _read_exec_ids(message: Message, wanted: Wanted, last_position: int) -> None:
    after, end = (_exec_id(message, tag) for tag in (tags.AFTER_EXEC_ID, tags.END_EXEC_ID))
    if after is None:
        if end is not None:
            text = b"EndExecID (8061) goes with AfterExecID (8060); 0-0 is before the first"
            raise RefusedError(OTHER, text)
        return
    if wanted.is_live:
        text = b"AfterExecID (8060) asks for the past: leave SubscriptionRequestType (263) out"
        raise RefusedError(OTHER, text)
    if after[0] > last_position:
        text = b"AfterExecID (8060) %d-%d was never given; none is beyond %d"
        raise RefusedError(OTHER, text % (*after, last_position))
    if end is not None and end < after:
        text = b"EndExecID (8061) %d-%d comes before AfterExecID (8060) %d-%d"
        raise RefusedError(OTHER, text % (*end, *after))
    wanted.after, wanted.end = after, end
    wanted.span.first_position = after[0]
    wanted.span.last_position = end[0] if end is not None else None


def _exec_id(message: Message, tag: bytes) -> ExecId | None:
    value = message.get(tag)
    if value is None:
        return None
    exec_id = parse_exec_id(value)
    if exec_id is None:
        name = b"AfterExecID" if tag == tags.AFTER_EXEC_ID else b"EndExecID"
        text = b"%b (%b) %b is no ExecID of this venue, such as 4711-1" % (name, tag, value[:32])
        raise RefusedError(OTHER, text)
    return exec_id
