"""OrderMassCancelRequest and OrderMassStatusRequest: many orders at once."""

from __future__ import annotations

from typing import Final

from exchange.commands import MassCancel, MassQuery, Selection
from exchange.events import MassCancelled, MassQueryAnswered, QueryAnswer
from exchange.orders import VenueOrder
from exchange.venue.lifecycle import Lifecycle
from exchange.venue.names import already_used, use_up
from exchange.venue.orders import Orders
from exchange.venue.state import VenueState
from fix_engine import tags

_OTHER: Final = 99  # MassCancelRejectReason (532)
_CANCELLED: Final = b"Mass cancel %b"


class MassActions:
    """Requests about all orders of an account that a selection means."""

    def __init__(self, state: VenueState, lifecycle: Lifecycle, orders: Orders) -> None:
        self._state = state
        self._life = lifecycle
        self._orders = orders

    def cancel(self, command: MassCancel) -> None:
        """Say how many there are, then cancel each: its report goes to the session that has it."""
        state, session = self._state, command.session
        account = state.session(session).account
        if command.cl_ord_id in account.names:
            text = already_used(account, command.cl_ord_id)
            state.out.append(MassCancelled(session, command.message, 0, _OTHER, text))
            return
        use_up(account, command.cl_ord_id, state.remembered)
        meant = self._meant(session, command.selection)
        state.out.append(MassCancelled(session, command.message, len(meant)))
        for order in meant:
            if order.is_open:  # cancelling one may have set another free
                self._orders.take_out(order, text=_CANCELLED % command.cl_ord_id)

    def query(self, command: MassQuery) -> None:
        """Report each of them, numbered."""
        message = command.message
        request_id = message.get(tags.MASS_STATUS_REQ_ID) or b""
        meant = self._meant(command.session, command.selection)
        if not meant:
            out = self._state.out
            text = b"No open order is meant"
            out.append(MassQueryAnswered(command.session, message, len(out) + 1, text))
        self.tell(meant, command.session, b"584=%b\x01" % request_id)

    def tell(self, orders: list[VenueOrder], session: int, fields: bytes) -> None:
        """Where each of these orders stands; `fields` go into every report."""
        for number, order in enumerate(orders, start=1):
            answer = QueryAnswer(fields, len(orders), number == len(orders))
            self._life.status_of(order, session, answer)

    def _meant(self, session: int, selection: Selection) -> list[VenueOrder]:
        instrument = selection.instrument
        return [
            order
            for order in self._state.session(session).account.open.values()
            if (instrument is None or order.instrument.symbol == instrument.symbol)
            and (selection.side is None or order.side is selection.side)
            and (selection.account is None or order.account == selection.account)
            and (not selection.is_session_only or order.session == session)
        ]
