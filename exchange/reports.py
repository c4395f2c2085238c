"""Events to message bodies: ExecutionReport, OrderCancelReject, BusinessMessageReject.

Fields go out in tag order, so that two messages can be laid side by side.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from exchange.compiled import executed_encoder
from exchange.conditional import conditional_report, fee_fields, query_fields
from exchange.copies import copy_of
from exchange.events import (
    BusinessRejected,
    CancelRejected,
    Copied,
    Executed,
    ListReported,
    MarketChanged,
    MassCancelled,
    MassQueryAnswered,
    OrderRejected,
    QuoteRemoved,
    QuotesAcknowledged,
    VenueEvent,
)
from exchange.list_reports import list_report
from exchange.orders import REJECTED, StaticFields, VenueOrder
from exchange.quote_reports import quote_removed, quotes_acknowledged
from exchange.requests.reasons import UNKNOWN_ORDER
from exchange.venue.state import MarketState
from fix_engine import tags
from fix_engine.message import Message
from fix_engine.timestamps import Precision, shared_formatter
from fix_engine.wire import form
from matching.order import OrderType
from sessions.application import business_reject

Encode = Callable[[Any, int, int], bytes]
_EXECUTED: Final = form(
    b"%b6=%b\x0111=%b\x0114=%b\x0117=%b-%d\x01%b%b39=%b\x01%b60=%b\x01%b150=%b\x01151=%b\x01%b"
)
_WHICH: Final = form(b"37=%d\x0138=%b\x01")
_LAST: Final = form(b"31=%b\x0132=%b\x01")
_LIMIT: Final = form(b"40=2\x01%b44=%b\x0154=%b\x0155=%b\x01%b59=%b\x01")
_MARKET: Final = form(b"40=1\x01%b54=%b\x0155=%b\x01%b59=%b\x01")
_CODES: Final = tuple(b"%d" % code for code in range(10))  # of Side and TimeInForce
_MAKER: Final = b"851=1\x01"  # LastLiquidityInd (851)
_TAKER: Final = b"851=2\x01"
_IS_LIMIT: Final = OrderType.LIMIT
_TO_CANCEL: Final = 1  # CxlRejResponseTo (434)
_TO_REPLACE: Final = 2
# SecurityTradingStatus (326): resume, trading halt, not available for trading, pre-open (nothing
# trades), ready to trade, not traded on this market
TRADING_STATUS: Final = {
    MarketState.OPEN: 3,
    MarketState.HALTED: 2,
    MarketState.CANCEL_ONLY: 18,
    MarketState.POST_ONLY: 21,
    MarketState.LIMIT_ONLY: 17,
    MarketState.DELISTED: 19,
}


class ReportEncoder:
    """Encodes the events of one venue."""

    def __init__(self, precision: Precision, comp_ids: Mapping[int, bytes]) -> None:
        """`comp_ids` has the name of each session, which copies tell."""
        self._comp_ids = comp_ids
        self._copied: Executed | OrderRejected | None = None  # the last one, and its body
        self._body = b""
        self._format_time = shared_formatter(precision).format
        self._now, self._time = -1, b""  # what was formatted last
        self._position, self._position_text = -1, b""  # likewise
        executed = executed_encoder(self._executed, self._format_time, fee_fields)
        self.encoders: Mapping[type[VenueEvent], tuple[bytes, Encode]] = {  # with their MsgType
            Executed: (tags.EXECUTION_REPORT, executed),
            OrderRejected: (tags.EXECUTION_REPORT, self._order_rejected),
            CancelRejected: (tags.ORDER_CANCEL_REJECT, self._cancel_rejected),
            BusinessRejected: (tags.BUSINESS_MESSAGE_REJECT, _business_rejected),
            MassCancelled: (tags.ORDER_MASS_CANCEL_REPORT, self._mass_cancelled),
            MassQueryAnswered: (tags.EXECUTION_REPORT, _mass_query_answered),
            ListReported: (tags.LIST_STATUS, self._list_reported),
            QuotesAcknowledged: (tags.MASS_QUOTE_ACKNOWLEDGEMENT, quotes_acknowledged),
            QuoteRemoved: (tags.QUOTE_STATUS_REPORT, self._quote_removed),
            MarketChanged: (tags.SECURITY_STATUS, self._market_changed),
            Copied: (tags.EXECUTION_REPORT, self._copy),
        }

    def encode(self, event: VenueEvent, position: int, now: int) -> tuple[bytes, bytes]:
        """MsgType and body of an event of the command at `position`, stamped `now`."""
        msg_type, encode = self.encoders[event.__class__]
        return msg_type, encode(event, position, now)

    def _executed(self, event: Executed, position: int, now: int) -> bytes:
        order, filled, last_quantity = event.order, event.filled, event.last_quantity
        if order.conditions is not None:
            return conditional_report(event, position, self._format_time(now))
        if now != self._now:
            self._now, self._time = now, self._format_time(now)
        if position != self._position:
            self._position, self._position_text = position, b"%d" % position
        prices, quantities = order.instrument.prices, order.instrument.quantities.texts
        account, which, terms = order.static_fields or _static_fields(order)
        if event.quantity:
            which = _WHICH((order.order_id, quantities[event.quantity]))
        if event.orig_cl_ord_id or event.text:
            terms = _terms(order, event.orig_cl_ord_id, event.text)
        last = fee = tail = b""
        if last_quantity:
            price = prices.texts[event.last_price]
            last = _LAST((price, quantities[last_quantity]))
            tail = _MAKER if event.is_maker else _TAKER
            if event.fee:
                fee = fee_fields(event)
            if filled != last_quantity:
                price = prices.average(event.traded_value, filled)
        else:
            price = prices.average(event.traded_value, filled) if filled else b"0"
            if event.restatement_reason is not None:
                tail = b"378=%d\x01" % event.restatement_reason
            elif event.query is not None:
                tail = query_fields(event.query)
        values = (
            account,
            price,
            event.cl_ord_id,
            quantities[filled],
            self._position_text,
            event.exec_index,
            last,
            which,
            event.ord_status,
            terms,
            self._time,
            fee,
            event.exec_type,
            quantities[event.leaves],
            tail,
        )
        return _EXECUTED(values)

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
        tail = b"58=%b\x01%b60=%b\x01%b103=%d\x01150=%b\x01151=0\x01%b" % (
            event.text,
            _repeated(message, tags.TIME_IN_FORCE),
            self._format_time(now),
            _repeated(message, tags.LIST_ID),
            event.reason,
            event.exec_type,
            _repeated(message, tags.ORD_STATUS_REQ_ID),
        )
        return head + tail

    def _cancel_rejected(self, event: CancelRejected, position: int, now: int) -> bytes:
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

    def _mass_cancelled(self, event: MassCancelled, position: int, now: int) -> bytes:
        message, is_refused = event.message, event.reason is not None
        kind, head = b"7", b""
        if message is not None:
            kind = message.get(tags.MASS_CANCEL_REQUEST_TYPE) or kind
            head = _repeated(message, tags.CL_ORD_ID)
        return b"%b%b37=%d\x01%b%b60=%b\x01530=%b\x01531=%b\x01%b533=%d\x01" % (
            _repeated(message, tags.ACCOUNT) if message is not None else b"",
            head,
            position,
            _repeated(message, tags.SIDE, tags.SYMBOL) if message is not None else b"",
            b"58=%b\x01" % event.text if event.text else b"",
            self._format_time(now),
            kind,
            b"0" if is_refused else kind,
            b"532=%d\x01" % event.reason if event.reason is not None else b"",
            event.affected,
        )

    def _copy(self, event: Copied, position: int, now: int) -> bytes:
        report = event.report
        if report is not self._copied:  # copies of the same report follow each other
            body = self.encode(report, position, now)[1]
            self._body = copy_of(body, event.account, self._comp_ids[report.session])
            self._copied = report
        return self._body

    def _list_reported(self, event: ListReported, position: int, now: int) -> bytes:
        return list_report(event, self._format_time(now))

    def _quote_removed(self, event: QuoteRemoved, position: int, now: int) -> bytes:
        return quote_removed(event, self._format_time(now))

    def _market_changed(self, event: MarketChanged, position: int, now: int) -> bytes:
        return b"55=%b\x0158=%b\x0160=%b\x01325=Y\x01326=%d\x018021=%b\x01" % (
            event.symbol,
            event.text,
            self._format_time(now),
            TRADING_STATUS[event.state],
            event.state.label,
        )


def _static_fields(order: VenueOrder) -> StaticFields:
    """The fields of an order that only a replacement changes, between those that reports vary."""
    account = b"1=%b\x01" % order.account if order.account else b""
    which = _WHICH((order.order_id, order.instrument.quantities.texts[order.quantity]))
    fields = order.static_fields = account, which, _terms(order)
    return fields


def _terms(order: VenueOrder, orig_cl_ord_id: bytes = b"", text: bytes = b"") -> bytes:
    """From OrdType (40) to TimeInForce (59)."""
    orig = b"41=%b\x01" % orig_cl_ord_id if orig_cl_ord_id else b""
    text = b"58=%b\x01" % text if text else b""
    side, time_in_force = _CODES[order.side], _CODES[order.time_in_force]
    instrument = order.instrument
    if order.order_type is not _IS_LIMIT:
        return _MARKET((orig, side, instrument.symbol, text, time_in_force))
    price = instrument.prices.texts[order.price]
    return _LIMIT((orig, price, side, instrument.symbol, text, time_in_force))


def _repeated(message: Message, *wanted: bytes) -> bytes:
    """Fields of the request as they came, those that are there."""
    fields = b""
    for tag in wanted:
        value = message.get(tag)
        if value is not None:
            fields += b"%b=%b\x01" % (tag, value)
    return fields


def _mass_query_answered(event: MassQueryAnswered, position: int, now: int) -> bytes:
    message = event.message
    return (
        b"6=0\x0114=0\x0117=%d-%d\x0137=NONE\x0139=8\x01%b58=%b\x01103=%d\x01150=I\x01151=0\x01"
        b"584=%b\x01911=0\x01912=Y\x01"
    ) % (
        position,
        event.exec_index,
        _repeated(message, tags.SIDE, tags.SYMBOL),
        event.text,
        UNKNOWN_ORDER,
        message.get(tags.MASS_STATUS_REQ_ID) or b"",
    )


def _business_rejected(event: BusinessRejected, position: int, now: int) -> bytes:
    message = event.message
    return business_reject(message, event.reason, event.text, message.get(tags.CL_ORD_ID) or b"")
