"""Events to message bodies: ExecutionReport, OrderCancelReject, BusinessMessageReject.

Fields go out in tag order, so that two messages can be laid side by side.
"""

from __future__ import annotations

from typing import Final

from exchange.events import BusinessRejected, CancelRejected, Executed, OrderRejected, VenueEvent
from exchange.orders import REJECTED, VenueOrder
from fix_engine import tags
from fix_engine.message import Message
from fix_engine.timestamps import Precision, TimestampFormatter
from matching.order import OrderType
from sessions.application import business_reject

_TO_CANCEL: Final = 1  # CxlRejResponseTo (434)
_TO_REPLACE: Final = 2


class ReportEncoder:
    """Encodes the events of one venue."""

    def __init__(self, precision: Precision) -> None:
        self._format_time = TimestampFormatter(precision).format

    def encode(self, event: VenueEvent, position: int, now: int) -> tuple[bytes, bytes]:
        """MsgType and body of an event of the command at `position`, stamped `now`."""
        if isinstance(event, Executed):
            return tags.EXECUTION_REPORT, self._executed(event, position, now)
        if isinstance(event, OrderRejected):
            return tags.EXECUTION_REPORT, self._order_rejected(event, position, now)
        if isinstance(event, CancelRejected):
            return tags.ORDER_CANCEL_REJECT, self._cancel_rejected(event, now)
        return tags.BUSINESS_MESSAGE_REJECT, _business_rejected(event)

    def _executed(self, event: Executed, position: int, now: int) -> bytes:
        order = event.order
        instrument = order.instrument
        quantity = instrument.quantities.format
        static = order.static_fields
        if static is None:
            static = order.static_fields = _static_fields(order)
        orig = b"41=%b\x01" % event.orig_cl_ord_id if event.orig_cl_ord_id else b""
        last = b""
        if event.last_quantity:
            last = b"31=%b\x0132=%b\x01" % (
                instrument.prices.format(event.last_price),
                quantity(event.last_quantity),
            )
        tail = b""
        if event.restatement_reason is not None:
            tail = b"378=%d\x01" % event.restatement_reason
        if event.status_req_id is not None:
            tail = b"790=%b\x01" % event.status_req_id
        elif event.last_quantity:
            tail = b"851=1\x01" if event.is_maker else b"851=2\x01"
        text = b"58=%b\x01" % event.text if event.text else b""
        return (
            b"%b6=%b\x0111=%b\x0114=%b\x0117=%d-%d\x01%b%b39=%b\x01%b%b%b%b%b"
            b"60=%b\x01150=%b\x01151=%b\x01%b"
        ) % (
            static[0],
            instrument.prices.average(event.traded_value, event.filled),
            event.cl_ord_id,
            quantity(event.filled),
            position,
            event.exec_index,
            last,
            static[1],
            event.ord_status,
            static[2],
            orig,
            static[3],
            text,
            static[4],
            self._format_time(now),
            event.exec_type,
            quantity(event.leaves),
            tail,
        )

    def _order_rejected(self, event: OrderRejected, position: int, now: int) -> bytes:
        message = event.message
        order_id = b"%d" % event.order_id if event.order_id else b"NONE"
        head = b"%b6=0\x0111=%b\x0114=0\x0117=%d-%d\x0137=%b\x01%b39=%b\x01%b" % (
            _repeated(message, tags.ACCOUNT),
            message.get(tags.CL_ORD_ID) or b"",
            position,
            event.exec_index,
            order_id,
            _repeated(message, tags.ORDER_QTY),
            REJECTED,
            _repeated(message, tags.ORD_TYPE, tags.PRICE, tags.SIDE, tags.SYMBOL),
        )
        tail = b"58=%b\x01%b60=%b\x01103=%d\x01150=%b\x01151=0\x01%b" % (
            event.text,
            _repeated(message, tags.TIME_IN_FORCE),
            self._format_time(now),
            event.reason,
            event.exec_type,
            _repeated(message, tags.ORD_STATUS_REQ_ID),
        )
        return head + tail

    def _cancel_rejected(self, event: CancelRejected, now: int) -> bytes:
        message, order = event.message, event.order
        is_replace = message.msg_type == tags.ORDER_CANCEL_REPLACE_REQUEST
        return b"%b11=%b\x0137=%b\x0139=%b\x0141=%b\x0158=%b\x0160=%b\x01102=%d\x01434=%d\x01" % (
            _repeated(message, tags.ACCOUNT),
            message.get(tags.CL_ORD_ID) or b"",
            b"NONE" if order is None else b"%d" % order.order_id,
            REJECTED if order is None else order.status,
            message.get(tags.ORIG_CL_ORD_ID) or b"",
            event.text,
            self._format_time(now),
            event.reason,
            _TO_REPLACE if is_replace else _TO_CANCEL,
        )


def _static_fields(order: VenueOrder) -> tuple[bytes, ...]:
    """The fields of an order that only a replacement changes, between those that reports vary."""
    quantity = order.instrument.quantities.format(order.quantity)
    price = b""
    if order.order_type is OrderType.LIMIT:
        price = b"44=%b\x01" % order.instrument.prices.format(order.price)
    return (
        b"1=%b\x01" % order.account if order.account else b"",
        b"37=%d\x0138=%b\x01" % (order.order_id, quantity),
        b"40=%d\x01" % order.order_type,
        b"%b54=%d\x0155=%b\x01" % (price, order.side, order.instrument.symbol),
        b"59=%d\x01" % order.time_in_force,
    )


def _repeated(message: Message, *wanted: bytes) -> bytes:
    """Fields of the request as they came, those that are there."""
    fields = b""
    for tag in wanted:
        value = message.get(tag)
        if value is not None:
            fields += b"%b=%b\x01" % (tag, value)
    return fields


def _business_rejected(event: BusinessRejected) -> bytes:
    message = event.message
    return business_reject(message, event.reason, event.text, message.get(tags.CL_ORD_ID) or b"")
