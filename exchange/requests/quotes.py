"""MassQuote and QuoteCancel to commands: entries of nested groups, each judged for itself."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from exchange.commands import CancelQuotes, MassQuote, QuoteEntry
from exchange.instruments import Instrument
from exchange.requests.conditions import parse_deadline
from exchange.requests.reasons import (
    OTHER,
    QUOTE_DUPLICATE,
    QUOTE_EXCEEDS_LIMIT,
    QUOTE_INVALID_PRICE,
    QUOTE_INVALID_SPREAD,
    QUOTE_UNKNOWN_SYMBOL,
    Fault,
)
from fix_engine import tags
from fix_engine.dictionary import FieldSet
from fix_engine.groups import Entry, read_group
from fix_engine.message import Message

_SECURITY_EXCHANGE: Final = b"207"
_ECHOED: Final = (
    *(tags.QUOTE_ENTRY_ID, tags.SYMBOL, tags.BID_PX, tags.OFFER_PX, tags.BID_SIZE),
    tags.OFFER_SIZE,
)
_SET_FIELDS: Final = (tags.QUOTE_SET_ID, tags.TOT_NO_QUOTE_ENTRIES)
#: As the dictionary has them, which is a file and not for the venue to read.
QUOTE_ENTRIES: Final = FieldSet(
    "NoQuoteEntries", dict.fromkeys((*_ECHOED[:2], _SECURITY_EXCHANGE, *_ECHOED[2:]))
)
QUOTE_SETS: Final = FieldSet(
    "NoQuoteSets",
    dict.fromkeys((*_SET_FIELDS, tags.NO_QUOTE_ENTRIES)),
    groups={tags.NO_QUOTE_ENTRIES: QUOTE_ENTRIES},
)
CANCEL_ENTRIES: Final = FieldSet("NoQuoteEntries", dict.fromkeys((tags.SYMBOL, _SECURITY_EXCHANGE)))
#: What an answer may repeat of entries and sets: it must fit into what every client takes.
_MAX_ECHO: Final = 2_600
_REJECT_REASON_BYTES: Final = 6
_LEVELS: Final = {b"0": 0, b"1": 1}
_EACH: Final = 2
_FOR_SYMBOLS: Final = b"1"
_ALL: Final = b"4"
_UNTRADED: Final = b"Symbol (55) %b is not traded here"
_NAMES: Final = {
    tags.BID_PX: b"BidPx (132)",
    tags.OFFER_PX: b"OfferPx (133)",
    tags.BID_SIZE: b"BidSize (134)",
    tags.OFFER_SIZE: b"OfferSize (135)",
}


def parse_mass_quote(
    instruments: Mapping[bytes, Instrument], session: int, message: Message
) -> MassQuote:
    """The command of a MassQuote; an entry that is at fault is in it with its fault."""
    command = MassQuote(session, message, _level(message))
    command.is_reset = message.flag(tags.PROTECTION_RESET)
    room, seen = _MAX_ECHO, set[bytes]()
    for number, one in enumerate(read_group(message, tags.NO_QUOTE_SETS, QUOTE_SETS)):
        command.sets.append(_echo(one, _SET_FIELDS))
        room -= len(command.sets[-1])
        quoted = one.get(tags.NO_QUOTE_ENTRIES)
        for fields in quoted if isinstance(quoted, list) else ():
            entry = _entry(instruments, number, fields, seen)
            command.entries.append(entry)
            room -= len(entry.echo) + _REJECT_REASON_BYTES
    deadline = parse_deadline(message)
    if isinstance(deadline, Fault):
        command.fault = Fault(deadline.text, OTHER)
    else:
        command.deadline = deadline
    if not command.entries:
        command.fault = Fault(b"NoQuoteEntries (295): nothing is quoted", OTHER)
    elif room < 0:
        text = b"The entries have %d bytes more than one answer has room for: send fewer at once"
        command.fault = Fault(text % -room, QUOTE_EXCEEDS_LIMIT)
    return command


def parse_quote_cancel(
    instruments: Mapping[bytes, Instrument], session: int, message: Message
) -> CancelQuotes:
    """The command of a QuoteCancel."""
    command = CancelQuotes(session, message, _level(message))
    kind = message.get(tags.QUOTE_CANCEL_TYPE)
    if kind == _ALL:
        return command
    if kind != _FOR_SYMBOLS:
        text = b"QuoteCancelType (298) must be 1, for symbols, or 4, all quotes"
        command.fault = Fault(text, OTHER)
        return command
    command.instruments = []
    for one in read_group(message, tags.NO_QUOTE_ENTRIES, CANCEL_ENTRIES):
        symbol = _value(one, tags.SYMBOL)
        instrument = instruments.get(symbol)
        if instrument is None:
            command.fault = Fault(_UNTRADED % symbol[:64], QUOTE_UNKNOWN_SYMBOL)
            return command
        command.instruments.append(instrument)
    if not command.instruments:
        text = b"NoQuoteEntries (295) with Symbols (55) is required with QuoteCancelType (298) 1"
        command.fault = Fault(text, OTHER)
    return command


def _entry(
    instruments: Mapping[bytes, Instrument], number: int, fields: Entry, seen: set[bytes]
) -> QuoteEntry:
    entry = QuoteEntry(number, _value(fields, tags.QUOTE_ENTRY_ID), _echo(fields, _ECHOED))
    symbol = _value(fields, tags.SYMBOL)
    entry.instrument = instrument = instruments.get(symbol)
    if instrument is None:
        entry.fault = Fault(_UNTRADED % symbol[:64], QUOTE_UNKNOWN_SYMBOL)
        return entry
    if symbol in seen:
        text = b"Symbol (55) %b is quoted twice in one message: the first one counts"
        entry.fault = Fault(text % symbol, QUOTE_DUPLICATE)
        return entry
    seen.add(symbol)
    bid = _side(instrument, fields, tags.BID_PX, tags.BID_SIZE)
    offer = _side(instrument, fields, tags.OFFER_PX, tags.OFFER_SIZE)
    if isinstance(bid, Fault):
        entry.fault = bid
    elif isinstance(offer, Fault):
        entry.fault = offer
    elif bid[1] and offer[1] and bid[0] >= offer[0]:
        prices = instrument.prices.format(bid[0]), instrument.prices.format(offer[0])
        text = b"BidPx (132) %b must be below OfferPx (133) %b"
        entry.fault = Fault(text % prices, QUOTE_INVALID_SPREAD)
    else:
        entry.bid_price, entry.bid_size = bid
        entry.offer_price, entry.offer_size = offer
    return entry


def _side(
    instrument: Instrument, fields: Entry, price_tag: bytes, size_tag: bytes
) -> tuple[int, int] | Fault:
    """Price in ticks and size in lots; both 0 when the side is to be taken out."""
    price_text, size_text = _value(fields, price_tag), _value(fields, size_tag)
    if not price_text or not size_text:
        return 0, 0
    price, size = instrument.prices.parse(price_text), instrument.quantities.parse(size_text)
    if price == 0 or size == 0:
        return 0, 0
    if price is None:
        tick = instrument.prices.format(1)
        text = b"%b %b is not a multiple of the tick %b" % (
            _NAMES[price_tag],
            price_text[:40],
            tick,
        )
        return Fault(text, QUOTE_INVALID_PRICE)
    if price < 0:
        text = b"%b %b must not be below zero" % (_NAMES[price_tag], price_text[:40])
        return Fault(text, QUOTE_INVALID_PRICE)
    if size is None:
        wrong = b"is not a multiple of the lot %b" % instrument.quantities.format(1)
    elif size < instrument.min_quantity:
        least = instrument.quantities.format(instrument.min_quantity)
        wrong = b"is below the minimum of %b; 0 takes the side out" % least
    elif size > instrument.max_quantity:
        most = instrument.quantities.format(instrument.max_quantity)
        wrong = b"is above the maximum of %b" % most
    else:
        return price, size
    text = b"%b %b %b" % (_NAMES[size_tag], size_text[:40], wrong)
    return Fault(text, QUOTE_EXCEEDS_LIMIT)


def _level(message: Message) -> int:
    return _LEVELS.get(message.get(tags.QUOTE_RESPONSE_LEVEL) or b"", _EACH)


def _value(entry: Entry, tag: bytes) -> bytes:
    """The value of a field that is no group, b"" without it."""
    value = entry.get(tag)
    return value if isinstance(value, bytes) else b""


def _echo(entry: Entry, wanted: tuple[bytes, ...]) -> bytes:
    """Fields of an entry as they came, those that are there."""
    return b"".join(b"%b=%b\x01" % (tag, value) for tag in wanted if (value := _value(entry, tag)))
