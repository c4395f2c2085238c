"""The venue: a deterministic state machine of orders and sessions around the matching engine.

`apply` is pure: no clock, no random, no I/O. Time comes as an argument, identities derive from the
position of the command in the journal, and every output is an event of exactly one input. So the
journal, replayed, gives the same state and the same events.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from hashlib import sha256
from typing import Any, Final

from exchange.commands import (
    CancelOrder,
    Command,
    NewOrder,
    QueryOrder,
    Refuse,
    ReplaceOrder,
    SessionDown,
    SessionUp,
    SetRules,
)
from exchange.events import BusinessRejected, CancelRejected, Executed, OrderRejected, VenueEvent
from exchange.listing import Listing
from exchange.orders import CANCELED, NEW, STATUS_NAMES, VenueOrder, status
from exchange.requests import DUPLICATE_ORDER
from exchange.rules import InstrumentRules, Rules
from fix_engine import tags
from fix_engine.message import Message
from matching.digest import digest
from matching.engine import MatchingEngine
from matching.events import Accepted, Cancelled, Event, Replaced, Traded
from matching.order import OrderType, Side, TimeInForce

# ExecType (150)
_NEW: Final = b"0"
_CANCELED: Final = b"4"
_REPLACED: Final = b"5"
_REJECTED: Final = b"8"
_TRADE: Final = b"F"
_ORDER_STATUS: Final = b"I"

# CxlRejReason (102)
_TOO_LATE: Final = 0
_UNKNOWN: Final = 1
_DUPLICATE: Final = 6
_OTHER: Final = 99

_UNKNOWN_ORDER: Final = 5  # OrdRejReason (103)
_EXCHANGE_OPTION: Final = 8  # ExecRestatementReason (378)

_REST_CANCELLED: Final = {
    TimeInForce.IMMEDIATE_OR_CANCEL: b"Immediate or cancel: the rest could not trade",
    TimeInForce.FILL_OR_KILL: b"Fill or kill: the whole quantity could not trade",
    TimeInForce.GOOD_TILL_CANCEL: b"Market order: nothing is left to trade with",
}


class SessionState:
    """What the venue knows of a session."""

    __slots__ = ("by_cl_ord_id", "cancel_on_disconnect", "is_up", "open", "retired")

    def __init__(self) -> None:
        self.is_up = False
        self.cancel_on_disconnect = False
        self.by_cl_ord_id: dict[bytes, VenueOrder] = {}
        self.open: dict[int, VenueOrder] = {}
        self.retired: deque[bytes] = deque()  # ClOrdIDs that name no open order any more


class Venue:
    """Orders, their names and their owners; see the module."""

    def __init__(self) -> None:
        """Without rules there is nothing to trade: SetRules comes first."""
        self.rules: Rules | None = None
        self.listing = Listing()
        self.engine: MatchingEngine[VenueOrder] = MatchingEngine(0)
        self.sessions: dict[int, SessionState] = {}
        self._position = 0
        self._remembered = 0
        self._default_cancel_on_disconnect = False
        self._out: list[VenueEvent] = []
        self._handlers: dict[type[Command], Callable[[Any], None]] = {
            NewOrder: self._new_order,
            CancelOrder: self._cancel_order,
            ReplaceOrder: self._replace_order,
            QueryOrder: self._query_order,
            Refuse: self._refuse,
            SessionUp: self._session_up,
            SessionDown: self._session_down,
            SetRules: self._set_rules,
        }

    def apply(self, position: int, command: Command) -> list[VenueEvent]:
        """Execute the command that stands at `position` of the journal; what came of it."""
        self._position = position
        out: list[VenueEvent] = []
        self._out = out
        self._handlers[command.__class__](command)
        return out

    def objection(self, rules: Rules) -> str | None:
        """Why these rules cannot be taken up now, or None."""
        for instrument in self.listing.changed_steps(rules):
            if any(self.engine.books[instrument.instrument_id].orders()):
                symbol = instrument.symbol.decode("ascii")
                return (
                    f"tick and lot of {symbol} cannot change while orders rest in it: open with "
                    f"the old ones, have them cancelled, and close before you change them"
                )
        return None

    def resume_rules(self, rules: Rules, listed: Sequence[InstrumentRules]) -> None:
        """Take up the rules of a snapshot, with every instrument that there ever was, in order."""
        self.listing.resume(listed)
        self._set_rules(SetRules(rules))

    def sessions_up(self) -> list[int]:
        """The numbers of the sessions that are logged on."""
        return [number for number, state in self.sessions.items() if state.is_up]

    def open_orders(self) -> int:
        """How many orders rest in the books."""
        return sum(len(state.open) for state in self.sessions.values())

    def digest(self) -> str:
        """A hash of the whole state: equal venues have equal digests."""
        state = sha256(digest(self.engine).encode())
        for number, session in sorted(self.sessions.items()):
            state.update(b"%d %d %d\n" % (number, session.is_up, session.cancel_on_disconnect))
            for name, order in session.by_cl_ord_id.items():
                figures = (order.order_id, order.quantity, order.leaves, order.traded_value)
                state.update(b"%b %d %d %d %d " % (name, *figures))
                state.update(b"%b %b\n" % (order.status, order.cl_ord_id))
        return state.hexdigest()

    # --- commands -----------------------------------------------------------------------

    def _new_order(self, command: NewOrder) -> None:
        session = self._session(command.session)
        known = session.by_cl_ord_id.get(command.cl_ord_id)
        if known is not None:
            text = _already_used(known, command.cl_ord_id)
            self._reject_order(command, DUPLICATE_ORDER, text, known.order_id)
            return
        account = command.message.get(tags.ACCOUNT) or b""
        order = VenueOrder(
            self._position,
            command.session,
            command.instrument,
            command.side,
            command.order_type,
            command.time_in_force,
            command.price,
            command.quantity,
            command.cl_ord_id,
            account,
        )
        session.by_cl_ord_id[command.cl_ord_id] = order
        session.open[order.order_id] = order
        matched: list[Event[VenueOrder]] = []
        self.engine.submit(order, command.time_in_force, matched)
        self._report(matched)

    def _cancel_order(self, command: CancelOrder) -> None:
        order = self._find(command)
        if order is None:
            return
        previous = self._rename(order, command.cl_ord_id)
        matched: list[Event[VenueOrder]] = []
        self.engine.cancel(order, matched)
        self._report(matched, orig_cl_ord_id=previous, is_solicited=True)

    def _replace_order(self, command: ReplaceOrder) -> None:
        order = self._find(command)
        if order is None:
            return
        if command.order_type is not OrderType.LIMIT:
            self._reject_cancel(command, order, _OTHER, b"OrdType (40) cannot be changed")
            return
        if command.time_in_force is not TimeInForce.GOOD_TILL_CANCEL:
            self._reject_cancel(command, order, _OTHER, b"TimeInForce (59) cannot be changed")
            return
        previous = self._rename(order, command.cl_ord_id)
        order.static_fields = None
        matched: list[Event[VenueOrder]] = []
        self.engine.replace(order, command.price, command.quantity, matched)
        self._report(matched, orig_cl_ord_id=previous)

    def _query_order(self, command: QueryOrder) -> None:
        message = command.message
        order = self._session(command.session).by_cl_ord_id.get(command.cl_ord_id)
        order_id = message.get(tags.ORDER_ID)
        if order is None or (order_id is not None and order_id != b"%d" % order.order_id):
            text = b"No order is known by ClOrdID (11) %b" % command.cl_ord_id
            self._out.append(
                OrderRejected(
                    command.session,
                    message,
                    len(self._out) + 1,
                    _ORDER_STATUS,
                    _UNKNOWN_ORDER,
                    text,
                )
            )
            return
        self._execution(
            order,
            _ORDER_STATUS,
            order.status,
            order.leaves,
            status_req_id=message.get(tags.ORD_STATUS_REQ_ID),
        )

    def _refuse(self, command: Refuse) -> None:
        message = command.message
        if command.business_reason is not None:
            self._out.append(
                BusinessRejected(command.session, message, command.business_reason, command.text)
            )
        elif message.msg_type == tags.NEW_ORDER_SINGLE:
            self._reject_order(command, command.ord_rej_reason, command.text)
        else:
            orig_cl_ord_id = message.get(tags.ORIG_CL_ORD_ID) or b""
            order = self._session(command.session).by_cl_ord_id.get(orig_cl_ord_id)
            self._reject_cancel(command, order, _OTHER, command.text)

    def _session_up(self, command: SessionUp) -> None:
        session = self._session(command.session)
        session.is_up = True
        wish = command.cancel_on_disconnect
        session.cancel_on_disconnect = self._default_cancel_on_disconnect if wish is None else wish

    def _session_down(self, command: SessionDown) -> None:
        session = self._session(command.session)
        session.is_up = False
        if not session.cancel_on_disconnect:
            return
        for order in list(session.open.values()):
            matched: list[Event[VenueOrder]] = []
            self.engine.cancel(order, matched)
            self._report(matched, text=b"Cancelled on disconnect (8013)")

    def _set_rules(self, command: SetRules) -> None:
        self.rules = command.rules
        self._remembered = command.rules.remembered_orders
        self._default_cancel_on_disconnect = command.rules.cancel_on_disconnect
        self.listing.take_up(command.rules)
        self.engine.list_up_to(len(self.listing))

    # --- what orders are called ---------------------------------------------------------

    def _session(self, number: int) -> SessionState:
        session = self.sessions.get(number)
        if session is None:
            session = self.sessions[number] = SessionState()
        return session

    def _find(self, command: CancelOrder | ReplaceOrder) -> VenueOrder | None:
        """The open order that is meant, or None once the request has been refused."""
        session, message = self._session(command.session), command.message
        order = session.by_cl_ord_id.get(command.orig_cl_ord_id)
        used = session.by_cl_ord_id.get(command.cl_ord_id)
        if used is not None:
            text = _already_used(used, command.cl_ord_id)
            self._reject_cancel(command, order, _DUPLICATE, text)
        elif order is None:
            text = b"No order is known by OrigClOrdID (41) %b" % command.orig_cl_ord_id
            self._reject_cancel(command, None, _UNKNOWN, text)
        elif message.get(tags.ORDER_ID) not in (None, b"%d" % order.order_id):
            text = b"OrderID (37) of OrigClOrdID (41) is %d" % order.order_id
            self._reject_cancel(command, None, _UNKNOWN, text)
        elif not order.is_open:
            text = b"Too late: the order is %b" % STATUS_NAMES[order.status]
            self._reject_cancel(command, order, _TOO_LATE, text)
        elif order.cl_ord_id != command.orig_cl_ord_id:
            text = b"OrigClOrdID (41) was replaced; the order is now %b" % order.cl_ord_id
            self._reject_cancel(command, order, _UNKNOWN, text)
        elif (fault := _not_the_same(order, message)) is not None:
            self._reject_cancel(command, order, _OTHER, fault)
        else:
            return order
        return None

    def _rename(self, order: VenueOrder, cl_ord_id: bytes) -> bytes:
        """Let the order be known by the request's ClOrdID; returns the one before."""
        previous, order.cl_ord_id = order.cl_ord_id, cl_ord_id
        session = self._session(order.session)
        session.by_cl_ord_id[cl_ord_id] = order
        self._retire(session, previous)
        return previous

    def _closed(self, order: VenueOrder) -> None:
        """The order is out of the market; its names stay known for a while."""
        order.is_open = False
        session = self._session(order.session)
        del session.open[order.order_id]
        self._retire(session, order.cl_ord_id)

    def _retire(self, session: SessionState, cl_ord_id: bytes) -> None:
        """Keep a name that is no more in use among the last ones of its session."""
        session.retired.append(cl_ord_id)
        if len(session.retired) > self._remembered:
            del session.by_cl_ord_id[session.retired.popleft()]

    # --- events -------------------------------------------------------------------------

    def _report(
        self,
        matched: list[Event[VenueOrder]],
        orig_cl_ord_id: bytes = b"",
        is_solicited: bool = False,
        text: bytes = b"",
    ) -> None:
        """Turn what the market did into reports to the owners.

        `orig_cl_ord_id` belongs to the answer to a request, the first event; `text` says why
        orders are cancelled that nobody asked to cancel.
        """
        for event in matched:
            if isinstance(event, Traded):
                self._trade(event)
            elif isinstance(event, Accepted):
                self._execution(event.order, _NEW, NEW, event.order.quantity)
            elif isinstance(event, Replaced):
                order = event.order
                now = status(order.quantity, event.leaves)
                self._execution(order, _REPLACED, now, event.leaves, orig_cl_ord_id)
                if not event.leaves:
                    self._closed(order)
            elif isinstance(event, Cancelled):
                order = event.order
                order.was_cancelled = True
                self._execution(
                    order,
                    _CANCELED,
                    CANCELED,
                    0,
                    orig_cl_ord_id,
                    text=b"" if is_solicited else text or _REST_CANCELLED[order.time_in_force],
                    restatement_reason=None if is_solicited else _EXCHANGE_OPTION,
                )
                self._closed(order)

    def _trade(self, event: Traded[VenueOrder]) -> None:
        value = event.price * event.quantity
        for order, leaves, is_maker in (
            (event.taker, event.taker_leaves, False),
            (event.maker, event.maker_leaves, True),
        ):
            order.filled += event.quantity
            order.traded_value += value
            self._out.append(
                Executed(
                    order.session,
                    order,
                    len(self._out) + 1,
                    _TRADE,
                    status(order.quantity, leaves),
                    order.cl_ord_id,
                    b"",
                    leaves,
                    order.filled,
                    order.traded_value,
                    event.quantity,
                    event.price,
                    is_maker,
                )
            )
            if not leaves:
                self._closed(order)

    def _execution(
        self,
        order: VenueOrder,
        exec_type: bytes,
        ord_status: bytes,
        leaves: int,
        orig_cl_ord_id: bytes = b"",
        text: bytes = b"",
        restatement_reason: int | None = None,
        status_req_id: bytes | None = None,
    ) -> None:
        self._out.append(
            Executed(
                order.session,
                order,
                len(self._out) + 1,
                exec_type,
                ord_status,
                order.cl_ord_id,
                orig_cl_ord_id,
                leaves,
                order.filled,
                order.traded_value,
                text=text,
                restatement_reason=restatement_reason,
                status_req_id=status_req_id,
            )
        )

    def _reject_order(
        self, command: NewOrder | Refuse, reason: int, text: bytes, order_id: int = 0
    ) -> None:
        index = len(self._out) + 1
        self._out.append(
            OrderRejected(
                command.session, command.message, index, _REJECTED, reason, text, order_id
            )
        )

    def _reject_cancel(
        self,
        command: CancelOrder | ReplaceOrder | Refuse,
        order: VenueOrder | None,
        reason: int,
        text: bytes,
    ) -> None:
        self._out.append(CancelRejected(command.session, command.message, order, reason, text))


def _already_used(order: VenueOrder, cl_ord_id: bytes) -> bytes:
    return b"ClOrdID (11) %b was used before, for order %d, which is %b" % (
        cl_ord_id,
        order.order_id,
        STATUS_NAMES[order.status],
    )


def _not_the_same(order: VenueOrder, message: Message) -> bytes | None:
    """What a cancel or replace says of the order that is not so."""
    if message.get(tags.SYMBOL) != order.instrument.symbol:
        return b"Symbol (55) of the order is %b" % order.instrument.symbol
    if message.get(tags.SIDE) != b"%d" % order.side:
        side = b"1, buy" if order.side is Side.BUY else b"2, sell"
        return b"Side (54) of the order is %b" % side
    return None
