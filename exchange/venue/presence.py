"""Sessions that come and go, and what becomes of their orders meanwhile."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from exchange.commands import Scope, SessionDown, SessionUp
from exchange.events import MarketChanged, MassCancelled
from exchange.venue.copies import Copies
from exchange.venue.mass import MassActions
from exchange.venue.orders import Orders
from exchange.venue.protections import market_text
from exchange.venue.quotes import Quotes
from exchange.venue.state import MarketState, SessionState, VenueState
from exchange.venue.timers import Due

_MOVED: Final = b"The session belongs to another account now"
_ON_DISCONNECT: Final = b"Cancelled on disconnect (8013)"


class Presence:
    """Carries out the policy that each session has chosen at its Logon."""

    def __init__(
        self,
        state: VenueState,
        orders: Orders,
        mass: MassActions,
        quotes: Quotes,
        copies: Copies,
    ) -> None:
        self._state = state
        self._orders = orders
        self._mass = mass
        self._quotes = quotes
        self._copies = copies

    def up(self, command: SessionUp) -> None:
        """A session is there: its orders are saved, and it is told what it has to know."""
        state, number = self._state, command.session
        account = state.account(command.account, number)
        session = state.sessions.get(number)
        if session is None:
            session = state.sessions[number] = SessionState(account)
        if session.account is not account:
            self._leave(number, session)
            session.former.append((state.position, session.account.name))
            session.account = account
        if session.grace_until:
            state.timers.drop(session.grace_until, Due.GRACE, number)
            session.grace_until = 0
        session.is_up = True
        self._copies.entitle(session, command.copies)
        session.self_trade = command.self_trade
        session.policy = command.policy
        if session.policy.cancels is None:
            assert state.rules is not None
            session.policy = replace(session.policy, cancels=state.rules.cancel_on_disconnect)
        if command.wants_summary:
            text = b"%d orders were cancelled in your absence, %d are open" % (
                session.cancelled,
                len(account.open),
            )
            state.out.append(MassCancelled(number, None, session.cancelled, None, text))
            self._mass.tell(list(account.open.values()), number, b"")
        session.cancelled = 0
        self._tell_markets(number)

    def _tell_markets(self, number: int) -> None:
        """What has changed while a session was away, or before it ever came: all that is not open.

        In the order of the rules, and only what they still list: nobody asks for anything else.
        """
        state = self._state
        for instrument in state.listing.tradable:
            market = state.markets[instrument.instrument_id]
            if market is not MarketState.OPEN:
                text = market_text(instrument, market)
                state.out.append(MarketChanged(number, instrument.symbol, market, text))

    def _leave(self, number: int, session: SessionState) -> None:
        """The session has another account now, which cannot know the orders of this one."""
        for order in list(session.account.open.values()):
            if order.session == number and order.is_open:
                session.cancelled += 1
                self._orders.take_out(order, text=_MOVED)

    def down(self, command: SessionDown) -> None:
        """A session is gone: its quotes go, its orders go, stay, or wait for it a while."""
        state = self._state
        session = state.session(command.session)
        session.is_up = False
        if session.quotes:
            self._quotes.leave(session)
        policy = session.policy
        if command.is_logout and not policy.after_logout:
            return
        if policy.grace_ns:
            session.grace_until = state.now + policy.grace_ns
            state.timers.set(session.grace_until, Due.GRACE, command.session)
        else:
            self._cancel(command.session, session)

    def is_late(self, number: int) -> None:
        """A session has not come back in time."""
        session = self._state.sessions[number]
        session.grace_until = 0
        self._cancel(number, session)

    def _cancel(self, number: int, session: SessionState) -> None:
        policy = session.policy
        for order in list(session.account.open.values()):
            if order.session != number and policy.scope is Scope.SESSION:
                continue
            conditions, cancels = order.conditions, policy.cancels
            if conditions is not None and conditions.cancel_on_disconnect is not None:
                cancels = conditions.cancel_on_disconnect
            if cancels and order.is_open:
                session.cancelled += 1
                self._orders.take_out(order, text=_ON_DISCONNECT)
