"""What keeps an order out of the market: its state, staleness, limits of instrument and account.

Deterministic like everything here: rates are counted by the time stamps of requests. Cancels and
questions always pass, but for the rate of an account, where they pass longer than orders.
"""

from __future__ import annotations

from typing import Final

from exchange.commands import Deadline, NewOrder, ReplaceOrder
from exchange.instruments import Instrument
from exchange.orders import OrderTerms, VenueOrder
from exchange.requests.reasons import (
    EXCEEDS_LIMIT,
    EXCHANGE_CLOSED,
    OTHER,
    TOO_LATE_TO_ENTER,
    Fault,
)
from exchange.venue.state import AccountState, MarketState, VenueState
from matching.order import OrderType, Side
from matching.terms import Terms

_SECOND_NS: Final = 10**9
_MARKETS: Final = {
    MarketState.OPEN: b"is open",
    MarketState.HALTED: b"is halted: nothing but cancels",
    MarketState.CANCEL_ONLY: b"is in cancel-only: nothing but cancels",
    MarketState.POST_ONLY: b"is in post-only: limit orders with ExecInst (18) 6",
    MarketState.LIMIT_ONLY: b"is in limit-only: no market orders",
    MarketState.DELISTED: b"is not traded any more",
}


class Protections:
    """Objections to requests; None is what most get, at little cost."""

    def __init__(self, state: VenueState) -> None:
        self._state = state

    def new_order(self, command: NewOrder, account: AccountState) -> Fault | None:
        """Why an order cannot be taken now."""
        wanted = command.wanted
        instrument = wanted.instrument
        fault = None
        if command.deadline is not None:
            fault = self.stale(command.deadline)
        if fault is None and self._state.markets[instrument.instrument_id]:
            fault = self.market(instrument, wanted.order_type, wanted.terms)
        if fault is None and account.is_guarded:
            fault = self._account(account)
        if fault is None and instrument.is_guarded:
            fault = self._limits(instrument, wanted, wanted.side)
        return fault

    def replacement(
        self,
        command: ReplaceOrder,
        instrument: Instrument,
        side: Side,
        terms: Terms | None,
        account: AccountState,
    ) -> Fault | None:
        """Why an order with these terms cannot be replaced now."""
        fault = self.stale(command.deadline)
        if fault is None and self._state.markets[instrument.instrument_id]:
            fault = self.market(instrument, command.wanted.order_type, terms)
        if fault is None and account.is_guarded:
            fault = self._rate(account, 1) if not account.is_killed else _killed(account)
        if fault is None and instrument.is_guarded:
            fault = self._limits(instrument, command.wanted, side)
        return fault

    def release(self, order: VenueOrder) -> Fault | None:
        """Why an order that was taken earlier, and is counted as open, cannot come to the market.

        What was so when it was taken may have changed. It is no request: no rate, no deadline.
        """
        instrument, account = order.instrument, order.owner
        fault = self.market(instrument, order.order_type, order.terms)
        if fault is None and account.is_killed:
            fault = _killed(account)
        most = account.rules.max_open_orders
        if fault is None and most and len(account.open) > most:
            fault = _too_many(most)
        if fault is None and instrument.is_guarded:
            fault = self._limits(instrument, order, order.side)
        return fault

    def cancel(
        self, deadline: Deadline | None, account: AccountState, patience: int = 2
    ) -> Fault | None:
        """Why an order cannot be cancelled now, or quotes not be heard."""
        fault = self.stale(deadline)
        if fault is None and account.rules.max_orders_per_s:
            fault = self._rate(account, patience)
        return fault

    def quote(
        self,
        instrument: Instrument,
        account: AccountState,
        sides: list[tuple[bytes, OrderTerms]],
        orders: int,
    ) -> Fault | None:
        """Why these sides, each with the name of its price, cannot be quoted now.

        `orders` is how many open orders the account would have, 0 for no more than now.
        """
        if self._state.markets[instrument.instrument_id]:
            fault = self.market(instrument, OrderType.LIMIT, None)
            if fault is not None:
                return fault
        if account.is_killed:
            return _killed(account)
        most = account.rules.max_open_orders
        if most and orders > most:
            return _too_many(most)
        for name, one in sides if instrument.is_guarded else ():
            fault = self._limits(instrument, one, one.side, name)
            if fault is not None:
                return fault
        return None

    def stale(self, deadline: Deadline | None) -> Fault | None:
        """Whether a request has come too late for its sender."""
        if deadline is None or self._state.now <= deadline.at:
            return None
        late_ms = -((deadline.at - self._state.now) // 1_000_000)  # rounded up
        return Fault(
            b"%b ended %d ms before we read this" % (deadline.tag, late_ms), TOO_LATE_TO_ENTER
        )

    def market(
        self, instrument: Instrument, order_type: OrderType, terms: Terms | None
    ) -> Fault | None:
        """Why the state of the market keeps such an order out of it."""
        market = self._state.markets[instrument.instrument_id]
        if market is MarketState.OPEN:
            return None
        if market is MarketState.LIMIT_ONLY and order_type is OrderType.LIMIT:
            return None
        if market is MarketState.POST_ONLY and terms is not None and terms.post_only:
            return None
        return Fault(market_text(instrument, market), EXCHANGE_CLOSED)

    def _account(self, account: AccountState) -> Fault | None:
        if account.is_killed:
            return _killed(account)
        most = account.rules.max_open_orders
        if most and len(account.open) >= most:
            return _too_many(most)
        return self._rate(account, 1)

    def _rate(self, account: AccountState, patience: int) -> Fault | None:
        """`patience` 2: what passes until twice as much has come."""
        per_s, now = account.rules.max_orders_per_s, self._state.now
        if not per_s:
            return None
        most = per_s * _SECOND_NS
        gained = (now - account.allowance_at) * per_s
        account.allowance = min(most, account.allowance + gained)
        account.allowance_at = now
        left = account.allowance - _SECOND_NS + (patience - 1) * most
        if left < 0:
            wait_ms = -(left // (per_s * 1_000_000))  # rounded up
            return Fault(b"Too many requests of this account: wait %d ms" % wait_ms)
        account.allowance -= _SECOND_NS
        return None

    def _limits(
        self,
        instrument: Instrument,
        wanted: OrderTerms | VenueOrder,
        side: Side,
        name: bytes = b"Price (44)",
    ) -> Fault | None:
        book = self._state.engine.books[instrument.instrument_id]
        price, terms = wanted.price, wanted.terms
        if wanted.order_type is OrderType.LIMIT:
            value = price * wanted.quantity
            reference = book.last
            if reference is not None and instrument.collar_bps:
                room = reference * instrument.collar_bps
                away = (price - reference) * (1 if side is Side.BUY else -1) * 10_000
                if away > room:
                    return Fault(
                        b"%b %b is more than %d basis points through the last trade, %b"
                        % (
                            name,
                            instrument.prices.format(price),
                            instrument.collar_bps,
                            instrument.prices.format(reference),
                        ),
                        EXCEEDS_LIMIT,
                    )
        elif terms is not None and terms.budget:
            value = terms.budget
        else:
            opposite = book.sells if side is Side.BUY else book.buys
            value = wanted.quantity * (opposite.best_price or book.last or 0)
        if instrument.max_value and value > instrument.max_value:
            most = instrument.value_text(instrument.max_value)
            return Fault(b"The order is worth more than %b" % most, EXCEEDS_LIMIT)
        if value < instrument.min_value and value:
            least = instrument.value_text(instrument.min_value)
            return Fault(b"The order is worth less than %b" % least, OTHER)
        return None


def market_text(instrument: Instrument, market: MarketState) -> bytes:
    """What an instrument takes, in words."""
    return b"%b %b" % (instrument.symbol, _MARKETS[market])


def _too_many(most: int) -> Fault:
    return Fault(b"%d open orders are the most for this account" % most, EXCEEDS_LIMIT)


def _killed(account: AccountState) -> Fault:
    who = b"session" if account.name.startswith(b"#") else b"account %b" % account.name
    return Fault(b"The %b has been stopped by the venue: only cancels pass" % who)
