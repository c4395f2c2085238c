"""NewOrderList: orders that come together, and what becomes of one when another trades or ends.

What a list has to do follows from where its orders stand: it is looked at after whatever happened
to one of them, and that again, until nothing more follows.
"""

from __future__ import annotations

from typing import Final

from exchange.commands import NewOrder, NewOrderList, Refuse
from exchange.events import Executed, ListEntry, ListReported, OrderRejected
from exchange.order_lists import Contingency, OrderList, has_moved
from exchange.orders import CANCELED, EXPIRED, REJECTED, VenueOrder
from exchange.requests.reasons import DUPLICATE_ORDER, EXCEEDS_LIMIT, OTHER, Fault
from exchange.venue.lifecycle import REFUSED, Lifecycle
from exchange.venue.names import already_used
from exchange.venue.orders import Orders
from exchange.venue.protections import Protections
from exchange.venue.state import AccountState, VenueState
from fix_engine import tags
from matching.post_only import passive_price, refusal

# ListStatusType (429)
_ACK: Final = 1
_TYPE_ALL_DONE: Final = 5
# ListOrderStatus (431)
_EXECUTING: Final = 3
_ALL_DONE: Final = 6
_REJECT: Final = 7

_NO_FUNDS: Final = b"ContingencyType (1385): not while orders hold funds; send a batch"
_OTHER_OF_PAIR: Final = b"OCO: the other order of list %b has traded or ended"
_NOT_RELEASED: Final = b"OTO: the first order of list %b is filled, but now: %b"
_FIRST_HAS_ENDED: Final = b"OTO: the first order of list %b has ended without being filled"


class Lists:
    """Takes lists, and carries out what their orders lead to."""

    def __init__(
        self, state: VenueState, lifecycle: Lifecycle, orders: Orders, protections: Protections
    ) -> None:
        self._state = state
        self._life = lifecycle
        self._orders = orders
        self._protections = protections

    def new(self, command: NewOrderList) -> None:
        """Take a list, or refuse it; a batch may be taken in part."""
        account = self._state.session(command.session).account
        if command.list_id in account.lists:
            known = account.lists[command.list_id]
            now = b"all done" if known is None else b"executing"
            text = b"ListID (66) %b was used before, for a list that is %b" % (command.list_id, now)
            self._reject(command, Fault(text, DUPLICATE_ORDER))
        elif command.fault is not None:
            self._reject(command, command.fault)
        elif command.contingency is Contingency.NONE:
            self._batch(command, account)
        else:
            self._contingent(command, account)

    def follow(self, place: int = 0) -> None:
        """Do what follows for lists from the events from `place` on, and from that in turn."""
        out = self._state.out
        while place < len(out):
            event = out[place]
            place += 1
            if event.__class__ is not Executed:
                continue
            order = event.order
            if order.conditions is not None and tags.LIST_ID in order.conditions.repeated:
                one = order.owner.lists.get(order.conditions.repeated[tags.LIST_ID])
                if one is not None:
                    one.note(order)
                    self._settle(one, order.owner)

    # --- taking -------------------------------------------------------------------------

    def _batch(self, command: NewOrderList, account: AccountState) -> None:
        """Each order for itself, and then where they stand."""
        out, taken = self._state.out, list[VenueOrder]()
        standing: list[ListEntry | VenueOrder] = []
        for place, one in enumerate(command.orders):
            before = len(out)
            order = None
            if isinstance(one, Refuse):
                self._orders.refuse(one)
            else:
                order = self._orders.new(one, place)
            if order is not None and order.ended != REJECTED:
                taken.append(order)
                standing.append(order)
            else:
                said = next(event for event in out[before:] if isinstance(event, OrderRejected))
                standing.append(_refused(one, said.reason, said.text))
        entries = [_entry(one) if isinstance(one, VenueOrder) else one for one in standing]
        if taken:
            self._take(command, account, taken, entries)
        else:
            text = b"No order of the list is taken: see Text (58) of each"
            self._report(command.session, command, _ACK, _REJECT, entries, text)

    def _contingent(self, command: NewOrderList, account: AccountState) -> None:
        """All orders or none."""
        if self._state.has_funds:
            self._reject(command, Fault(_NO_FUNDS))
            return
        most = account.rules.max_open_orders
        if most and len(account.open) + len(command.orders) > most:
            text = b"%d open orders are the most for this account" % most
            self._reject(command, Fault(text, EXCEEDS_LIMIT))
            return
        orders: list[VenueOrder] = []
        for place, one in enumerate(command.orders):
            if isinstance(one, Refuse):
                self._reject(command, Fault(one.text, one.ord_rej_reason), place)
                return
            order = self._orders.make(one, self._state.session(command.session), place)
            assert order.conditions is not None
            order.conditions.is_held = place > 0
            fault = self._objection(one, order, command.contingency)
            if fault is not None:
                self._reject(command, fault, place)
                return
            orders.append(order)
        for order in orders:
            self._orders.admit(order)
        self._orders.enter(orders[0], command.orders[0])
        if command.contingency is Contingency.OCO and not has_moved(orders[0]):
            self._let_go(orders[1], command.orders[1])
        for order in orders:
            if order.is_pending:
                self._life.pending(order)
        self._take(command, account, orders, [_entry(order) for order in orders])

    def _objection(
        self, one: NewOrder, order: VenueOrder, contingency: Contingency
    ) -> Fault | None:
        """Why one order of a list that is taken as a whole cannot be taken now."""
        account, terms = order.owner, order.terms
        if one.cl_ord_id in account.names:
            return Fault(already_used(account, one.cl_ord_id), DUPLICATE_ORDER)
        fault = self._protections.new_order(one, account)
        if fault is not None:
            return fault
        if (
            one.wanted.conditions is not None
            and 0 < one.wanted.conditions.expires_at <= self._state.now
        ):
            return Fault(b"ExpireTime (126) or ExpireDate (432) has passed")
        comes_later = order.is_pending and contingency is Contingency.OTO
        if comes_later or terms is None or not terms.post_only or terms.trigger is not None:
            return None
        book = self._state.engine.books[order.instrument_id]
        if passive_price(book, order, order.price) is None:
            return Fault(REFUSED[refusal(terms)])
        return None

    def _take(
        self,
        command: NewOrderList,
        account: AccountState,
        orders: list[VenueOrder],
        entries: list[ListEntry],
    ) -> None:
        taken = OrderList(command.list_id, command.contingency, command.session, orders)
        account.lists[command.list_id] = taken
        self._state.live_lists += 1
        self._report(command.session, taken, _ACK, _EXECUTING, entries)
        for order in orders:
            taken.note(order)
        self._settle(taken, account)

    def _reject(self, command: NewOrderList, fault: Fault, place: int | None = None) -> None:
        """Refuse a list as a whole; `place` is that of the order at fault, if one is."""
        entries = []
        for number, one in enumerate(command.orders):
            if place is None:
                entries.append(_refused(one, fault.reason))
            elif number == place:
                entries.append(_refused(one, fault.reason, fault.text))
            else:
                entries.append(_refused(one, OTHER))
        text = fault.text
        if place is not None:
            text = b"Order %d of the list: %b" % (place + 1, text)
        self._report(command.session, command, _ACK, _REJECT, entries, text)

    # --- what follows -------------------------------------------------------------------

    def _settle(self, one: OrderList, account: AccountState) -> None:
        """Do what the orders of a list lead to by where they stand."""
        if one.contingency is Contingency.OTO:
            first = one.orders[0]
            if first.ended:
                self._cancel(one.orders[1:], _FIRST_HAS_ENDED % one.list_id)
            elif not first.is_open:
                self._release(one)
        moved = one.moved
        if moved is not None:
            first, second = one.pair
            other = second if moved is first else first
            if not _expire_together(moved, other):
                self._cancel([other], _OTHER_OF_PAIR % one.list_id)
        if not any(order.is_open for order in one.orders):
            self._finish(one, account)

    def _release(self, one: OrderList) -> None:
        """The first order is filled: the others come to the market, unless one has no need to."""
        for order in one.orders[1:]:
            if order.is_open and order.is_pending and not any(map(has_moved, one.pair)):
                fault = self._protections.release(order)
                if fault is None:
                    self._let_go(order)
                else:
                    self._orders.take_out(order, text=_NOT_RELEASED % (one.list_id, fault.text))

    def _let_go(self, order: VenueOrder, request: NewOrder | Refuse | None = None) -> None:
        """An order that waited for another one of its list comes to the market."""
        assert order.conditions is not None
        order.conditions.is_held = False
        self._orders.enter(order, request)

    def _cancel(self, orders: list[VenueOrder], text: bytes) -> None:
        for order in orders:
            if order.is_open:  # cancelling one may have set another free
                self._orders.take_out(order, text=text)

    def _finish(self, one: OrderList, account: AccountState) -> None:
        account.finish_list(one.list_id, self._state.remembered)
        self._state.live_lists -= 1
        entries = [_entry(order) for order in one.orders]
        self._report(one.session, one, _TYPE_ALL_DONE, _ALL_DONE, entries)

    def _report(
        self,
        session: int,
        one: OrderList | NewOrderList,
        kind: int,
        status: int,
        entries: list[ListEntry],
        text: bytes = b"",
    ) -> None:
        total = one.total if isinstance(one, NewOrderList) else len(entries)
        self._state.out.append(
            ListReported(session, one.list_id, one.contingency, kind, status, total, entries, text)
        )


def _expire_together(order: VenueOrder, other: VenueOrder) -> bool:
    """Whether the time of one order is over, and that of the other is over in the same moment."""
    return order.ended == EXPIRED and order.expires_at == other.expires_at


def _entry(order: VenueOrder) -> ListEntry:
    """Where an order stands."""
    leaves = order.leaves if order.is_open else 0
    is_cut = order.ended in (CANCELED, EXPIRED)
    cancelled = order.quantity - order.filled if is_cut else 0
    figures = leaves, order.filled, cancelled, order.traded_value
    return ListEntry(order.cl_ord_id, order.status, order, *figures)


def _refused(one: NewOrder | Refuse, reason: int, text: bytes = b"") -> ListEntry:
    """An order that is not taken."""
    name = one.message.get(tags.CL_ORD_ID) or b""
    return ListEntry(name, REJECTED, reason=reason, text=text)
