"""MassQuoteAcknowledgement and QuoteStatusReport."""

from __future__ import annotations

from itertools import groupby

from exchange.commands import QuoteEntry
from exchange.events import QuoteRemoved, QuotesAcknowledged
from fix_engine import tags

_REMOVED_FROM_MARKET = 6  # QuoteStatus (297)


def quotes_acknowledged(event: QuotesAcknowledged, position: int, now: int) -> bytes:
    """The body of the answer to a MassQuote or a QuoteCancel.

    In tag order, but for the sets, which come last: quickfixgo takes what follows a group that has
    groups of its own for a part of it.
    """
    get = event.message.get
    fields = [
        (b"1", get(tags.ACCOUNT)),
        (b"58", event.text or None),
        (b"117", get(tags.QUOTE_ID)),
        (b"131", get(tags.QUOTE_REQ_ID)),
        (b"297", b"%d" % event.status),
        (b"300", b"%d" % event.reason if event.reason else None),
        (b"301", get(tags.QUOTE_RESPONSE_LEVEL)),
    ]
    return _written(fields) + _sets(event)


def quote_removed(event: QuoteRemoved, time: bytes) -> bytes:
    """The body of what is told unasked of a quote; prices only of the sides that are left."""
    price, size = event.instrument.prices.format, event.instrument.quantities.format
    return _written(
        [
            (b"55", event.instrument.symbol),
            (b"58", event.text),
            (b"60", time),
            (b"117", event.quote_id),
            (b"132", price(event.bid_price) if event.bid_size else None),
            (b"133", price(event.offer_price) if event.offer_size else None),
            (b"134", size(event.bid_size)),
            (b"135", size(event.offer_size)),
            (b"297", b"%d" % _REMOVED_FROM_MARKET),
            (b"299", event.entry_id),
        ]
    )


def _sets(event: QuotesAcknowledged) -> bytes:
    groups = [
        event.sets[number] + _entries(list(entries))
        for number, entries in groupby(event.entries, key=lambda one: one[0].quote_set)
    ]
    return b"296=%d\x01%b" % (len(groups), b"".join(groups)) if groups else b""


def _entries(entries: list[tuple[QuoteEntry, int]]) -> bytes:
    told = (one.echo + (b"368=%d\x01" % reason if reason else b"") for one, reason in entries)
    return b"295=%d\x01%b" % (len(entries), b"".join(told))


def _written(fields: list[tuple[bytes, bytes | None]]) -> bytes:
    return b"".join(b"%b=%b\x01" % (tag, value) for tag, value in fields if value is not None)
