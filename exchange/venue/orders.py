"""NewOrderSingle, OrderCancelRequest, OrderCancelReplaceRequest, OrderStatusRequest."""

from __future__ import annotations

from typing import Final

from exchange.commands import CancelOrder, NewOrder, QueryOrder, Refuse, ReplaceOrder
from exchange.compiled import order_maker
from exchange.events import BusinessRejected, MassCancelled, MassQueryAnswered, QueryAnswer
from exchange.orders import STATUS_NAMES, Conditions, VenueOrder, further_order_id
from exchange.requests.reasons import DUPLICATE_ORDER, UNKNOWN_ORDER, UNKNOWN_SYMBOL
from exchange.requests.selection import MASS_KINDS
from exchange.requests.terms import SIDES
from exchange.venue.expiry import forget_times, remember_times
from exchange.venue.lifecycle import Lifecycle
from exchange.venue.names import already_used, rename
from exchange.venue.protections import Protections
from exchange.venue.state import AccountState, SessionState, VenueState
from fix_engine import tags
from fix_engine.message import Message
from matching.events import Event
from matching.order import Side, TimeInForce

# CxlRejReason (102)
_TOO_LATE: Final = 0
_UNKNOWN: Final = 1
_DUPLICATE: Final = 6
_OTHER: Final = 99
# MassCancelRejectReason (532)
_NOT_SUPPORTED: Final = 0
_UNKNOWN_SECURITY: Final = 1
_UNKNOWN_PRODUCT: Final = 3
_MASS_CANCEL_OTHER: Final = 99
# What a replacement leaves as it is: it may say so again, or nothing
_FIXED: Final = {
    tags.EFFECTIVE_TIME: b"EffectiveTime (168)",
    tags.SELF_TRADE_PREVENTION: b"SelfTradePrevention (7928)",
}
_KEPT: Final = (*_FIXED, tags.CANCEL_ON_DISCONNECT, tags.LIST_ID, tags.CONTINGENCY_TYPE)
# A replacement says these again; without them it means what comes second.
_OF_TRIGGERS: Final = {
    tags.TRIGGER_PRICE_TYPE: (b"TriggerPriceType (1107)", b"2"),
    tags.PEG_OFFSET_VALUE: (b"PegOffsetValue (211)", None),
    tags.PEG_OFFSET_TYPE: (b"PegOffsetType (836)", b"0"),
}
_DAY: Final = TimeInForce.DAY
_CHANGING: Final = (tags.ORDER_CANCEL_REQUEST, tags.ORDER_CANCEL_REPLACE_REQUEST)


class Orders:
    """Requests about one order."""

    def __init__(self, state: VenueState, lifecycle: Lifecycle, protections: Protections) -> None:
        self._state = state
        self._life = lifecycle
        self._protections = protections
        self._make_order = order_maker(VenueOrder, AccountState)

    def new(self, command: NewOrder, place: int = 0) -> VenueOrder | None:
        """Take an order, or refuse it; `place` is that in a list."""
        state = self._state
        session = state.sessions.get(command.session) or state.session(command.session)
        account = session.account
        if command.cl_ord_id in account.names:
            known = account.names[command.cl_ord_id]
            text = already_used(account, command.cl_ord_id)
            order_id = known.order_id if known is not None else 0
            self._life.reject_order(
                command.session, command.message, DUPLICATE_ORDER, text, order_id
            )
            return None
        fault = self._protections.new_order(command, account)
        if fault is not None:
            self._life.reject_order(command.session, command.message, fault.reason, fault.text)
            return None
        order = self.make(command, session, place)
        if state.has_funds:
            fault = state.funds.admit(order, state.engine.books[order.instrument_id])
            if fault is not None:
                self._life.reject_order(command.session, command.message, fault.reason, fault.text)
                return None
        # Not by `admit` and `enter`: this is the way of nearly all orders, and calls cost.
        account.names[command.cl_ord_id] = order
        account.open[order.order_id] = order
        time_in_force = order.time_in_force
        if order.conditions is not None or time_in_force is _DAY:
            remember_times(state, order)
            if order.conditions is not None and self._is_early_or_late(order, order.conditions):
                return order
        matched: list[Event[VenueOrder]] = []
        state.engine.submit(order, time_in_force, matched)
        self._life.report(matched, command)
        return order

    def make(self, command: NewOrder, session: SessionState, place: int = 0) -> VenueOrder:
        """The order that is asked for, of which nobody knows yet; `place` is that in a list."""
        account, wanted = session.account, command.wanted
        self_trade = wanted.self_trade
        if self_trade is None:
            self_trade = session.self_trade
            if self_trade is None:
                self_trade = account.self_trade
        return self._make_order(
            further_order_id(self._state.position, place) if place else self._state.position,
            command.session,
            account,
            wanted,
            command.cl_ord_id,
            command.account,
            self_trade,
        )

    def admit(self, order: VenueOrder) -> None:
        """Let an order be known, and open."""
        account = order.owner
        account.names[order.cl_ord_id] = order
        account.open[order.order_id] = order
        if order.conditions is not None or order.time_in_force is TimeInForce.DAY:
            remember_times(self._state, order)

    def enter(self, order: VenueOrder, request: NewOrder | Refuse | None = None) -> None:
        """Bring an open order to the market; `request` when that has just asked for it."""
        matched: list[Event[VenueOrder]] = []
        self._state.engine.submit(order, order.time_in_force, matched)
        self._life.report(matched, request)

    def start(self, order: VenueOrder) -> None:
        """The effective time of an order has come."""
        conditions = order.conditions
        assert conditions is not None
        fault = self._protections.market(order.instrument, order.order_type, order.terms)
        if fault is not None:
            self.take_out(order, text=fault.text)
            return
        conditions.starts_at = 0
        self.enter(order)

    def expire(self, order: VenueOrder) -> None:
        """The time of an order is over."""
        matched: list[Event[VenueOrder]] = []
        if not order.is_pending:
            self._state.engine.cancel(order, matched)
        self._life.expire(order, matched)

    def cancel(self, command: CancelOrder) -> None:
        """Cancel an order, or refuse to."""
        order = self._find(command)
        if order is None:
            return
        fault = self._protections.cancel(command.deadline, order.owner)
        if fault is not None:
            self._life.reject_cancel(command.session, command.message, order, _OTHER, fault.text)
            return
        previous = rename(order, command.cl_ord_id, self._state.remembered)
        order.session = command.session
        self.take_out(order, previous)

    def take_out(self, order: VenueOrder, orig_cl_ord_id: bytes = b"", text: bytes = b"") -> None:
        """Cancel an open order: at a request that named it, or for a reason that `text` gives."""
        matched: list[Event[VenueOrder]] = []
        if order.is_pending:
            self._life.cancel_pending(order, orig_cl_ord_id, text)
            return
        self._state.engine.cancel(order, matched)
        self._life.report(matched, None, orig_cl_ord_id, bool(orig_cl_ord_id), text)

    def replace(self, command: ReplaceOrder) -> None:
        """Give an order other terms, or refuse to."""
        order, wanted = self._find(command), command.wanted
        if order is None:
            return
        text = _not_replaceable(order, command)
        if text is None:
            fault = self._protections.replacement(
                command, order.instrument, order.side, order.terms, order.owner
            )
            if fault is None and self._state.has_funds:
                budget = wanted.terms.budget if wanted.terms is not None else 0
                fault = self._state.funds.objection(order, wanted.price, budget or wanted.quantity)
            text = fault.text if fault is not None else None
        if text is not None:
            self._life.reject_cancel(command.session, command.message, order, _OTHER, text)
            return
        matched: list[Event[VenueOrder]] = []
        terms, display, trigger_price = wanted.terms, None, None
        quantity = wanted.quantity
        if terms is not None:
            trigger = terms.trigger
            if trigger is not None and order.is_waiting:
                trigger_price = trigger.price or None  # a trailing stop without goes on trailing
            quantity = terms.budget or quantity
        if (order.terms is not None and order.terms.display) or (
            terms is not None and terms.display
        ):
            display = terms.display if terms is not None else 0
        self._state.engine.replace(
            order,
            wanted.price,
            quantity,
            matched,
            display=display,
            trigger_price=trigger_price,
        )
        previous = order.cl_ord_id
        if not self._life.refuses(matched):
            rename(order, command.cl_ord_id, self._state.remembered)
            order.session = command.session
            order.static_fields = None
            self._take_up(order, wanted.conditions)
        self._life.report(matched, command, previous)

    def query(self, command: QueryOrder) -> None:
        """Tell where an order stands."""
        message = command.message
        account = self._state.session(command.session).account
        order = account.names.get(command.cl_ord_id)
        text = _not_meant(order, command)
        if order is None or text:
            self._life.reject_query(command.session, message, UNKNOWN_ORDER, text)
            return
        request_id = message.get(tags.ORD_STATUS_REQ_ID)
        fields = b"790=%b\x01" % request_id if request_id is not None else b""
        self._life.status_of(order, command.session, QueryAnswer(fields))

    def refuse(self, command: Refuse) -> None:
        """Answer what no state of the market could make possible."""
        message, session, out = command.message, command.session, self._state.out
        if command.business_reason is not None:
            out.append(BusinessRejected(session, message, command.business_reason, command.text))
        elif message.msg_type == tags.NEW_ORDER_SINGLE:
            self._life.reject_order(session, message, command.ord_rej_reason, command.text)
        elif message.msg_type in _CHANGING:
            orig_cl_ord_id = message.get(tags.ORIG_CL_ORD_ID) or b""
            order = self._state.session(session).account.names.get(orig_cl_ord_id)
            self._life.reject_cancel(session, message, order, _OTHER, command.text)
        elif message.msg_type == tags.ORDER_MASS_CANCEL_REQUEST:
            reason = _mass_cancel_reason(command)
            out.append(MassCancelled(session, message, 0, reason, command.text))
        else:
            out.append(MassQueryAnswered(session, message, len(out) + 1, command.text))

    def _is_early_or_late(self, order: VenueOrder, conditions: Conditions) -> bool:
        """Whether an order does not come to the market now, and has been told so."""
        if 0 < order.expires_at <= self._state.now:
            matched: list[Event[VenueOrder]] = []
            self._life.accept(order)
            self._life.expire(order, matched)
            return True
        if conditions.starts_at:
            self._life.pending(order)
            return True
        return False

    def _take_up(self, order: VenueOrder, wanted: Conditions | None) -> None:
        """The conditions of a replacement that are not the market's business."""
        had = order.conditions
        if wanted is None:
            if had is not None:
                had.repeated.pop(tags.MAX_FLOOR, None)
                had.price_wanted = order.price
            return
        wanted.starts_at = 0
        forget_times(self._state, order)
        if had is not None:
            kept = {tag: had.repeated[tag] for tag in _KEPT if tag in had.repeated}
            wanted.repeated = kept | wanted.repeated
            if wanted.cancel_on_disconnect is None:
                wanted.cancel_on_disconnect = had.cancel_on_disconnect
        order.conditions = wanted
        remember_times(self._state, order)

    def _find(self, command: CancelOrder | ReplaceOrder) -> VenueOrder | None:
        """The open order that is meant, or None once the request has been refused."""
        account, message = self._state.session(command.session).account, command.message
        order = account.names.get(command.orig_cl_ord_id)
        found = _fault_of(account, order, command)
        if found is None:
            return order
        reason, text, is_known = found
        named = order if is_known else None
        self._life.reject_cancel(command.session, message, named, reason, text)
        return None


def _fault_of(
    account: AccountState, order: VenueOrder | None, command: CancelOrder | ReplaceOrder
) -> tuple[int, bytes, bool] | None:
    """CxlRejReason (102), Text, and whether the answer may name the order; None: all is well."""
    message = command.message
    if command.cl_ord_id in account.names:
        return _DUPLICATE, already_used(account, command.cl_ord_id), True
    if order is None:
        text = b"No order is known by OrigClOrdID (41) %b" % command.orig_cl_ord_id
        return _UNKNOWN, text, False
    if message.get(tags.ORDER_ID) not in (None, b"%d" % order.order_id):
        return _UNKNOWN, b"OrderID (37) of OrigClOrdID (41) is %d" % order.order_id, False
    if not order.is_open:
        return _TOO_LATE, b"Too late: the order is %b" % STATUS_NAMES[order.status], True
    if order.conditions is not None and order.conditions.quote is not None:
        text = b"The order is a side of a quote: change it by MassQuote (i) or QuoteCancel (Z)"
        return _OTHER, text, True
    if order.cl_ord_id != command.orig_cl_ord_id:
        text = b"OrigClOrdID (41) was replaced; the order is now %b" % order.cl_ord_id
        return _UNKNOWN, text, True
    text_or_none = _not_the_same(order, message)
    return None if text_or_none is None else (_OTHER, text_or_none, True)


def _mass_cancel_reason(command: Refuse) -> int:
    """MassCancelRejectReason (532) of a request that cannot be understood."""
    kind = command.message.get(tags.MASS_CANCEL_REQUEST_TYPE) or b""
    if kind not in MASS_KINDS:
        return _NOT_SUPPORTED
    if command.ord_rej_reason == UNKNOWN_SYMBOL:
        return _UNKNOWN_SECURITY
    is_side = command.message.get(tags.SIDE) not in (None, *SIDES)
    return _UNKNOWN_PRODUCT if kind == b"3" and not is_side else _MASS_CANCEL_OTHER


def _not_the_same(order: VenueOrder, message: Message) -> bytes | None:
    """What a cancel or replace says of the order that is not so."""
    if message.get(tags.SYMBOL) != order.instrument.symbol:
        return b"Symbol (55) of the order is %b" % order.instrument.symbol
    if message.get(tags.SIDE) != b"%d" % order.side:
        side = b"1, buy" if order.side is Side.BUY else b"2, sell"
        return b"Side (54) of the order is %b" % side
    return None


def _not_meant(order: VenueOrder | None, command: QueryOrder) -> bytes:
    """Why a question cannot mean the order by its ClOrdID: what it says of it is not so."""
    if order is None:
        return b"No order is known by ClOrdID (11) %b" % command.cl_ord_id
    message = command.message
    for name, tag, known in (
        (b"OrderID (37)", tags.ORDER_ID, b"%d" % order.order_id),
        (b"Symbol (55)", tags.SYMBOL, order.instrument.symbol),
        (b"Side (54)", tags.SIDE, b"%d" % order.side),
    ):
        said = message.get(tag)
        if said is not None and said != known:
            named = command.cl_ord_id, name, known, said[:64]
            return b"The order by ClOrdID (11) %b has %b %b, not %b" % named
    return b""


def _not_replaceable(order: VenueOrder, command: ReplaceOrder) -> bytes | None:
    """What of an order a replacement would change that cannot be changed."""
    asked = command.wanted
    if order.conditions is not None and order.conditions.is_held:
        return b"The order waits for another one of its list: cancel it instead"
    if order.is_pending:
        return b"The order is not in the market before its EffectiveTime (168): cancel it instead"
    if asked.quantity and (text := _too_little(order, command)) is not None:
        return text
    ord_type = b"%d" % order.order_type
    if order.conditions is not None:
        ord_type = order.conditions.ord_type
    if command.message.get(tags.ORD_TYPE) != ord_type:
        return b"OrdType (40) cannot be changed"
    if asked.time_in_force is not order.time_in_force:
        return b"TimeInForce (59) cannot be changed"
    if asked.order_type is not order.order_type:
        return b"Price (44) cannot come or go: cancel the order, and enter another one"
    had, wanted = order.terms, asked.terms
    if (had.min_quantity if had else 0) != (wanted.min_quantity if wanted else 0):
        return b"MinQty (110) cannot be changed"
    if (had.post_only if had else 0) != (wanted.post_only if wanted else 0):
        return b"ExecInst (18) and PostOnlyAction (8019) cannot be changed"
    if bool(had and had.budget) != bool(wanted and wanted.budget):
        return b"OrderQty (38) and CashOrderQty (152) cannot take each other's place"
    return _not_changeable(order, command) if asked.conditions is not None else None


def _too_little(order: VenueOrder, command: ReplaceOrder) -> bytes | None:
    """Which quantity is too small; what the order has already may stay, however little it is.

    Self-trade prevention makes orders smaller than any that could be entered, and rules change.
    """
    least, quantity = order.instrument.min_quantity, command.wanted.quantity
    text = order.instrument.quantities.format
    if quantity < least and quantity != order.quantity:
        fault = b"OrderQty (38) %b is below the minimum of %b" % (text(quantity), text(least))
        if 0 < order.quantity < least:
            fault += b"; it may stay %b" % text(order.quantity)
        return fault
    terms = command.wanted.terms
    shown = terms.display if terms is not None else 0
    had = order.terms.display if order.terms is not None else 0
    if not shown or (shown == had and quantity == order.quantity):
        return None
    if shown > quantity:
        return b"MaxFloor (111) %b is above OrderQty (38)" % text(shown)
    return b"MaxFloor (111) %b is below the least order" % text(shown) if shown < least else None


def _not_changeable(order: VenueOrder, command: ReplaceOrder) -> bytes | None:
    """What a replacement says of conditions that stay as they were when the order came."""
    wanted = command.message.get
    had = order.conditions.repeated if order.conditions is not None else {}
    for tag, name in _FIXED.items():
        if wanted(tag) is not None and wanted(tag) != had.get(tag):
            return b"%b cannot be changed" % name
    for tag, (name, default) in _OF_TRIGGERS.items():
        if (wanted(tag) or default) != had.get(tag, default):
            return b"%b cannot be changed" % name
    before = order.terms.trigger if order.terms is not None else None
    terms = command.wanted.terms
    after = terms.trigger if terms is not None else None
    if before and after and not order.is_waiting and before.price != after.price:
        return b"StopPx (99) cannot be changed: the order has been triggered"
    return None
