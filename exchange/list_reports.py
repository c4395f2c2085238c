"""ListStatus: where a list and each of its orders stand."""

from __future__ import annotations

from typing import Final

from exchange.events import ListEntry, ListReported

_MAX_TEXT: Final = 128  # a list of any names stays within what one message may have


def list_report(event: ListReported, time: bytes) -> bytes:
    """The body of a ListStatus, in tag order; the group comes in the order of the dictionary."""
    text = b"444=%b\x01" % event.text if event.text else b""
    contingency = b"1385=%d\x01" % event.contingency if event.contingency else b""
    head = b"60=%b\x0166=%b\x0168=%d\x0173=%d\x01" % (
        time,
        event.list_id,
        event.total,
        len(event.entries),
    )
    tail = b"82=1\x0183=1\x01429=%d\x01431=%d\x01%b%b" % (
        event.status_type,
        event.list_status,
        text,
        contingency,
    )
    return head + b"".join(map(_entry, event.entries)) + tail


def _entry(entry: ListEntry) -> bytes:
    order = entry.order
    figures = b"14=0\x0139=%b\x01151=0\x0184=0\x016=0\x01" % entry.ord_status
    if order is not None:
        quantity = order.instrument.quantities.format
        figures = b"14=%b\x0139=%b\x01151=%b\x0184=%b\x016=%b\x01" % (
            quantity(entry.filled),
            entry.ord_status,
            quantity(entry.leaves),
            quantity(entry.cancelled),
            order.instrument.prices.average(entry.traded_value, entry.filled),
        )
    reason = b"103=%d\x01" % entry.reason if entry.reason is not None else b""
    text = b"58=%b\x01" % entry.text[:_MAX_TEXT] if entry.text else b""
    return b"11=%b\x01%b%b%b" % (entry.cl_ord_id, figures, reason, text)
