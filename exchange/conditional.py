"""ExecutionReports of orders with conditions, which repeat what was asked for."""

from __future__ import annotations

from exchange.events import Executed, QueryAnswer
from exchange.venue.state import FEE_DIGITS
from matching.order import OrderType


def conditional_report(event: Executed, position: int, time: bytes) -> bytes:
    """The body of a report of an order that has conditions, in tag order."""
    order = event.order
    conditions, instrument = order.conditions, order.instrument
    assert conditions is not None
    quantity, price = instrument.quantities.format, instrument.prices.format
    fields = {
        6: instrument.prices.average(event.traded_value, event.filled),
        11: event.cl_ord_id,
        14: quantity(event.filled),
        17: b"%d-%d" % (position, event.exec_index),
        37: b"%d" % order.order_id,
        39: event.ord_status,
        40: conditions.ord_type,
        54: b"%d" % order.side,
        55: instrument.symbol,
        59: b"%d" % order.time_in_force,
        60: time,
        150: event.exec_type,
        151: quantity(event.leaves),
    }
    fields.update((int(tag), value) for tag, value in conditions.repeated.items())
    terms = order.terms
    if 152 not in fields:
        fields[38] = quantity(event.quantity or order.quantity)
    if order.order_type is OrderType.LIMIT:
        fields[44] = price(order.price)
    if terms is not None and terms.trigger is not None and terms.trigger.price:
        fields[99] = price(terms.trigger.price)
    optional = {1: order.account, 41: event.orig_cl_ord_id, 58: event.text}
    fields.update((tag, value) for tag, value in optional.items() if value)
    if event.last_quantity:
        fields[31], fields[32] = price(event.last_price), quantity(event.last_quantity)
        fields[851] = b"1" if event.is_maker else b"2"
    if event.restatement_reason is not None:
        fields[378] = b"%d" % event.restatement_reason
    blocks = [(tag, b"%d=%b\x01" % (tag, value)) for tag, value in fields.items()]
    if event.fee:
        blocks.append((136, fee_fields(event)))
    if event.query is not None:
        asked = query_fields(event.query).split(b"\x01")[:-1]
        blocks += ((int(one.partition(b"=")[0]), one + b"\x01") for one in asked)
    return b"".join(block for _, block in sorted(blocks))


def fee_fields(event: Executed) -> bytes:
    """The fee of a fill: NoMiscFees (136) and its group, of type 4, exchange fees."""
    instrument = event.order.instrument
    amount = instrument.value_text(event.fee, FEE_DIGITS)
    return b"136=1\x01137=%b\x01138=%b\x01139=4\x01" % (amount, instrument.currency)


def query_fields(query: QueryAnswer) -> bytes:
    """The fields that tell which question a report answers."""
    if not query.total:
        return query.fields
    last = b"Y" if query.is_last else b"N"
    return b"%b911=%d\x01912=%b\x01" % (query.fields, query.total, last)
