"""The life of orders: what the market did to them becomes reports to their owners."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from exchange.commands import NewOrder, Refuse, ReplaceOrder
from exchange.events import CancelRejected, Executed, OrderRejected, QueryAnswer
from exchange.orders import (
    CANCELED,
    EXPIRED,
    FILLED,
    NEW,
    PARTIALLY_FILLED,
    REJECTED,
    VenueOrder,
    status,
)
from exchange.requests.reasons import OTHER
from exchange.venue.expiry import forget_times
from exchange.venue.names import retire
from exchange.venue.quoted import count_fill, leave_quote, pull_quote
from exchange.venue.state import VenueState
from fix_engine import tags
from fix_engine.message import Message
from matching.events import (
    Accepted,
    Cancelled,
    CancelReason,
    Event,
    Reduced,
    RefusalReason,
    Refused,
    Replaced,
    Traded,
    Triggered,
)
from matching.order import TimeInForce

# ExecType (150)
_NEW: Final = b"0"
_CANCELED: Final = b"4"
_REPLACED: Final = b"5"
_REJECTED: Final = b"8"
_PENDING_NEW: Final = b"A"
_EXPIRED: Final = b"C"
_RESTATED: Final = b"D"
_TRADE: Final = b"F"
_ORDER_STATUS: Final = b"I"
# ExecRestatementReason (378)
_PARTIAL_DECLINE: Final = 5
_EXCHANGE_OPTION: Final = 8
_OTHER_REASON: Final = 99

_REST_CANCELLED: Final = {
    TimeInForce.IMMEDIATE_OR_CANCEL: b"Immediate or cancel: the rest could not trade",
    TimeInForce.FILL_OR_KILL: b"Fill or kill: the whole quantity could not trade",
}
_NOTHING_LEFT: Final = b"Market order: nothing is left to trade with"
_TOO_LITTLE: Final = b"MinQty (110) could not trade at once"
_CANCELLED: Final = {
    CancelReason.SELF_TRADE: b"Self-trade prevention (7928)",
    CancelReason.WOULD_TRADE: b"Post-only: the triggered order would have traded at once",
}
REFUSED: Final = {
    RefusalReason.WOULD_TRADE: b"Post-only: the order would trade at once",
    RefusalReason.NO_PRICE: b"Post-only: there is no price at which the order would rest",
}


Request = NewOrder | ReplaceOrder | Refuse


class Lifecycle:
    """Keeps the orders of the venue as the market leaves them, and says so."""

    def __init__(self, state: VenueState) -> None:
        self._state = state
        self._request: Request | None = None
        self._matched: list[Event[VenueOrder]] = []
        self._decremented: dict[int, int] | None = None  # lots by OrderID, once they were asked for
        self._last_decrement: dict[int, int] = {}  # its place in `out`, by OrderID
        self._orig_cl_ord_id = b""
        self._is_solicited = False
        self._text = b""
        self._handlers: dict[type[Event[VenueOrder]], Callable[[Any], None]] = {
            Accepted: self._accepted,
            Traded: self._traded,
            Cancelled: self._cancelled,
            Replaced: self._replaced,
            Refused: self._refused,
            Triggered: self._triggered,
            Reduced: self._reduced,
        }

    def report(
        self,
        matched: list[Event[VenueOrder]],
        request: Request | None = None,
        orig_cl_ord_id: bytes = b"",
        is_solicited: bool = False,
        text: bytes = b"",
    ) -> None:
        """Turn what the market did into reports.

        `request` is what a refusal answers. `orig_cl_ord_id` belongs to the answer
        to a request, the first cancel or replacement; `text` says why orders are cancelled that
        nobody asked to cancel.
        """
        tape = self._state.tape
        if tape is not None:
            tape += matched
        self._matched, self._decremented, self._request = matched, None, request
        self._orig_cl_ord_id, self._is_solicited, self._text = orig_cl_ord_id, is_solicited, text
        handlers = self._handlers
        for event in matched:
            handlers[event.__class__](event)
        if self._last_decrement:
            self._tell_former_quantities()

    def pending(self, order: VenueOrder) -> None:
        """The order is taken, and comes to the market later."""
        self.execution(order, _PENDING_NEW, order.status, order.leaves)

    def accept(self, order: VenueOrder) -> None:
        """The order is taken."""
        self.execution(order, _NEW, NEW, order.leaves)

    def cancel_pending(self, order: VenueOrder, orig_cl_ord_id: bytes, text: bytes) -> None:
        """The order never comes to the market."""
        order.ended = CANCELED
        reason = None if orig_cl_ord_id else _EXCHANGE_OPTION
        self.execution(order, _CANCELED, CANCELED, 0, orig_cl_ord_id, text, reason)
        self.close(order)

    @staticmethod
    def refuses(matched: list[Event[VenueOrder]]) -> bool:
        """Whether the market has refused a replacement, and the order is as it was."""
        return bool(matched) and isinstance(matched[0], Refused)

    def expire(self, order: VenueOrder, matched: list[Event[VenueOrder]]) -> None:
        """The order's time is over; `matched` is what taking it out of the market has led to."""
        order.ended = EXPIRED
        self.execution(order, _EXPIRED, EXPIRED, 0)
        self.close(order)
        if self._state.tape is not None:
            self._state.tape += (event for event in matched if _ends(event, order))
        self.report([event for event in matched if not _ends(event, order)])

    def status_of(self, order: VenueOrder, session: int, query: QueryAnswer) -> None:
        """Tell where an order stands."""
        leaves = 0 if order.ended else order.leaves
        self.execution(order, _ORDER_STATUS, order.status, leaves, session=session, query=query)

    def execution(
        self,
        order: VenueOrder,
        exec_type: bytes,
        ord_status: bytes,
        leaves: int,
        orig_cl_ord_id: bytes = b"",
        text: bytes = b"",
        restatement_reason: int | None = None,
        session: int = 0,
        query: QueryAnswer | None = None,
    ) -> None:
        """One ExecutionReport that is no fill, to the order's session or to another one."""
        out = self._state.out
        out.append(
            Executed(
                session or order.session,
                order,
                len(out) + 1,
                exec_type,
                ord_status,
                order.cl_ord_id,
                orig_cl_ord_id,
                leaves,
                order.filled,
                order.traded_value,
                text=text,
                restatement_reason=restatement_reason,
                query=query,
            )
        )

    def reject_order(
        self, session: int, message: Message, reason: int, text: bytes, order_id: int = 0
    ) -> None:
        """Refuse a new order; `order_id` is that of the order that goes by its ClOrdID."""
        out = self._state.out
        out.append(OrderRejected(session, message, len(out) + 1, _REJECTED, reason, text, order_id))

    def reject_query(self, session: int, message: Message, reason: int, text: bytes) -> None:
        """There is no order that a question could be about."""
        out = self._state.out
        out.append(OrderRejected(session, message, len(out) + 1, _ORDER_STATUS, reason, text))

    def reject_cancel(
        self, session: int, message: Message, order: VenueOrder | None, reason: int, text: bytes
    ) -> None:
        """Refuse a cancel or replace."""
        self._state.out.append(CancelRejected(session, message, order, reason, text))

    def close(self, order: VenueOrder) -> None:
        """The order is out of the market; its names stay known for a while, but for a quote's."""
        order.is_open = False
        del order.owner.open[order.order_id]
        conditions = order.conditions
        if conditions is not None and conditions.quote is not None:
            leave_quote(self._state, order, conditions.quote)
            return
        retire(order.owner, order.cl_ord_id, self._state.remembered)
        if order.expires_at or conditions is not None:
            forget_times(self._state, order)
        if self._state.has_funds:
            self._state.funds.release(order)

    # --- what the market did ------------------------------------------------------------

    def _accepted(self, event: Accepted[VenueOrder]) -> None:
        order, text, out = event.order, b"", self._state.out
        if order.conditions is not None and order.conditions.quote is not None:
            return  # its acknowledgement has told
        is_whole = len(self._matched) == 1 or (
            order.conditions is None and not order.self_trade_group
        )
        leaves = order.quantity if is_whole else self._untraded(order)
        if order.terms is not None:
            text = _repriced(order)
            if self._state.has_funds:
                self._state.funds.adjust(order)
        # Not by `execution`: every order comes by here, and calls cost.
        number, name = len(out) + 1, order.cl_ord_id
        report = Executed(order.session, order, number, _NEW, NEW, name, b"", leaves, 0, 0)
        if text:
            report.text = text
        out.append(report)

    def _traded(self, event: Traded[VenueOrder]) -> None:
        state, maker, taker = self._state, event.maker, event.taker
        quantity, price = event.quantity, event.price
        value = price * quantity
        state.days[maker.instrument_id].trade(event, state.now)
        fee = value * taker.owner.taker_fee
        self._filled(taker, event.taker_leaves, quantity, price, value, False, fee)
        fee = value * maker.owner.maker_fee
        self._filled(maker, event.maker_leaves, quantity, price, value, True, fee)
        if state.has_funds:
            state.funds.settle(event)

    def _filled(
        self,
        order: VenueOrder,
        leaves: int,
        quantity: int,
        price: int,
        value: int,
        is_maker: bool,
        fee: int,
    ) -> None:
        out = self._state.out
        filled = order.filled = order.filled + quantity
        traded = order.traded_value = order.traded_value + value
        now = PARTIALLY_FILLED if leaves else FILLED
        out.append(
            Executed(
                order.session,
                order,
                len(out) + 1,
                _TRADE,
                now,
                order.cl_ord_id,
                b"",
                leaves,
                filled,
                traded,
                quantity,
                price,
                is_maker,
                fee,
            )
        )
        conditions = order.conditions
        if conditions is not None and conditions.quote is not None:
            count_fill(self._state, order, conditions.quote)
        if not leaves:
            self.close(order)

    def _replaced(self, event: Replaced[VenueOrder]) -> None:
        order, leaves = event.order, event.leaves
        if order.conditions is not None and order.conditions.quote is not None:
            return
        if self._state.has_funds and leaves:
            self._state.funds.adjust(order)
        if _is_by_cash(order):  # it waits: nothing is filled
            self.execution(order, _REPLACED, NEW, 0, self._orig_cl_ord_id)
            return
        now = status(order.filled, leaves)
        text = _repriced(order) if leaves else b""
        self.execution(order, _REPLACED, now, leaves, self._orig_cl_ord_id, text)
        if not leaves:
            self.close(order)

    def _cancelled(self, event: Cancelled[VenueOrder]) -> None:
        order = event.order
        is_answer = self._is_solicited and event.reason is CancelReason.REQUESTED
        order.ended = CANCELED
        if order.conditions is not None and order.conditions.quote is not None:
            if not is_answer:
                pull_quote(self._state, order.conditions.quote, self._why(event))
            self.close(order)
            return
        self.execution(
            order,
            _CANCELED,
            CANCELED,
            0,
            self._orig_cl_ord_id if is_answer else b"",
            b"" if is_answer else self._why(event),
            None if is_answer else _EXCHANGE_OPTION,
        )
        self.close(order)

    def _why(self, event: Cancelled[VenueOrder]) -> bytes:
        order = event.order
        if event.reason is CancelReason.REQUESTED:
            return self._text
        if event.reason is not CancelReason.REMAINDER:
            return _CANCELLED[event.reason]
        if order.terms is not None and order.terms.min_quantity > order.filled:
            return _TOO_LITTLE
        return _REST_CANCELLED.get(order.time_in_force, _NOTHING_LEFT)

    def _refused(self, event: Refused[VenueOrder]) -> None:
        order, request, text = event.order, self._request, REFUSED[event.why]
        if request is None:  # it was taken before, to start now
            self.cancel_pending(order, b"", text)
            return
        if self._orig_cl_ord_id:  # a replacement; the order is as it was
            self.reject_cancel(request.session, request.message, order, OTHER, text)
            return
        order.ended = REJECTED
        self.reject_order(order.session, request.message, OTHER, text, order.order_id)
        self.close(order)

    def _triggered(self, event: Triggered[VenueOrder]) -> None:
        order = event.order
        self.execution(
            order,
            _RESTATED,
            NEW,
            self._untraded(order),
            text=b"Triggered",
            restatement_reason=_OTHER_REASON,
        )

    def _reduced(self, event: Reduced[VenueOrder]) -> None:
        order, text = event.order, b"Self-trade prevention (7928): decremented"
        if order.conditions is not None and order.conditions.quote is not None:
            pull_quote(self._state, order.conditions.quote, text)
            self._last_decrement[order.order_id] = len(self._state.out) - 1  # of its fills so far
            return
        order.static_fields = None
        if self._state.has_funds:
            self._state.funds.adjust(order)
        self.execution(
            order,
            _RESTATED,
            status(order.filled, event.leaves),
            event.leaves,
            text=text,
            restatement_reason=_PARTIAL_DECLINE,
        )
        self._last_decrement[order.order_id] = len(self._state.out) - 1

    def _tell_former_quantities(self) -> None:
        """Give reports the OrderQty of their moment: it has changed since, within this command."""
        last = self._last_decrement
        for place, one in enumerate(self._state.out):
            if not isinstance(one, Executed) or one.quantity:
                continue
            if place <= last.get(one.order.order_id, -1):
                one.quantity = one.filled + one.leaves
        last.clear()

    def _untraded(self, order: VenueOrder) -> int:
        """What an order that comes to the market could trade, before all that has matched."""
        if _is_by_cash(order):
            return 0
        if not order.self_trade_group:
            return order.quantity
        if self._decremented is None:  # once for all the orders that one command sets free
            self._decremented = {}
            for event in self._matched:
                if isinstance(event, Reduced):
                    number = event.order.order_id
                    self._decremented[number] = self._decremented.get(number, 0) + event.by
        return order.quantity + self._decremented.get(order.order_id, 0)


def _is_by_cash(order: VenueOrder) -> bool:
    """Whether it knows what it may spend; that is spent by the time of its reports."""
    return order.conditions is not None and tags.CASH_ORDER_QTY in order.conditions.repeated


def _repriced(order: VenueOrder) -> bytes:
    """Text of a post-only order that did not get the price it wanted."""
    if order.terms is None or not order.terms.post_only or order.conditions is None:
        return b""
    if order.conditions.price_wanted in (0, order.price):
        return b""
    return b"Post-only: repriced, the order would have traded at once"


def _ends(event: Event[VenueOrder], order: VenueOrder) -> bool:
    return isinstance(event, Cancelled) and event.order is order
