"""The operator's hand on the market: what instruments take, and accounts that are stopped.

While an instrument is anything but open, no trigger of it fires; those that are due by then fire
when it is open again. What nobody but the operator wanted to happen is told with a Text that says
so.
"""

from __future__ import annotations

from typing import Final

from exchange.commands import MoveFunds, SetAccount, SetMarket
from exchange.events import MarketChanged
from exchange.orders import VenueOrder
from exchange.venue.lifecycle import Lifecycle
from exchange.venue.orders import Orders
from exchange.venue.protections import market_text
from exchange.venue.state import MarketState, VenueState
from matching.events import Event

_STOPPED: Final = b"Cancelled: the venue has stopped the account"
_DELISTED: Final = b"Cancelled: %b is not traded any more"


class Control:
    """Carries out what an operator has told the venue."""

    def __init__(self, state: VenueState, lifecycle: Lifecycle, orders: Orders) -> None:
        self._state = state
        self._life = lifecycle
        self._orders = orders

    def set_market(self, command: SetMarket) -> None:
        """Have an instrument take something else, and say so to everybody who is there."""
        state = self._state
        instrument = state.listing.find(command.symbol)
        if instrument is None:
            return
        number, symbol = instrument.instrument_id, instrument.symbol
        if state.markets[number] in (command.state, MarketState.DELISTED):
            return
        state.markets[number] = command.state
        state.engine.books[number].is_suspended = command.state is not MarketState.OPEN
        text = _because(market_text(instrument, command.state), command.reason)
        state.out.extend(
            MarketChanged(session, symbol, command.state, text)
            for session, one in state.sessions.items()
            if one.is_up
        )
        if command.state is MarketState.OPEN:
            self._fire(number)
        elif command.state is MarketState.DELISTED:
            orders = [
                order
                for account in state.accounts.values()
                for order in account.open.values()
                if order.instrument_id == number
            ]
            orders.sort(key=lambda order: order.order_id)
            self._cancel(orders, _because(_DELISTED % symbol, command.reason))

    def set_account(self, command: SetAccount) -> None:
        """Stop an account, whose open orders go, or let it trade again."""
        account = self._state.account(command.account)
        account.stop(command.is_stopped)
        if command.is_stopped:
            self._cancel(list(account.open.values()), _because(_STOPPED, command.reason))

    def move_funds(self, command: MoveFunds) -> None:
        """Deposit or withdraw, if it was not done before and is covered."""
        self._state.funds.transfer(
            command.transfer_id, command.account, command.currency, command.amount
        )

    def _cancel(self, orders: list[VenueOrder], text: bytes) -> None:
        """Cancel all of them before any trigger sees what that does to the prices."""
        books = self._state.engine.books
        numbers = sorted({order.instrument_id for order in orders})
        paused = [number for number in numbers if not books[number].is_suspended]
        for number in paused:
            books[number].is_suspended = True
        for order in orders:
            if order.is_open:  # cancelling one may have ended another
                self._orders.take_out(order, text=text)
        for number in paused:
            books[number].is_suspended = False
            self._fire(number)

    def _fire(self, number: int) -> None:
        matched: list[Event[VenueOrder]] = []
        self._state.engine.fire(number, matched)
        self._life.report(matched)


def _because(text: bytes, reason: bytes) -> bytes:
    return b"%b (%b)" % (text, reason) if reason else text
