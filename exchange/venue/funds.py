"""Funds: what accounts have, what their open orders hold of it, and who pays whom at a fill.

Only where the rules say so. Amounts of every currency are counted in units of 10 ** -FUNDS_DIGITS:
a tick and a lot have 12 decimals at most and a fee has 8, so the value of every fill and every fee
is a whole number of them, and nothing is ever rounded.

An order holds what it can cost, which is a function of what is left of it, so that a fill, a
cancel, an expiry, a decrement and a replacement all do the same: settle, and hold what is needed
from then on.

- A sell holds its quantity, of the base currency, which is the part of the symbol before the slash.
- A buy with a limit holds price times quantity, a buy with a budget the rest of the budget, and
  both the account's higher fee on it, of the currency of the instrument.
- A market buy by quantity holds what sweeping the book would cost: it trades at once, if at all.
- What comes to the market later and has no price that bounds it is refused: a buy by quantity
  without a limit, and a sell by amount.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from exchange.instruments import Instrument, decimal_text
from exchange.orders import VenueOrder
from exchange.requests.reasons import EXCEEDS_LIMIT, OTHER, Fault
from matching.book import Book
from matching.budget import purchase
from matching.events import Traded
from matching.order import OrderType, Side
from matching.self_trade import NO_GROUP, group_to_avoid

if TYPE_CHECKING:
    from exchange.venue.state import AccountState

FUNDS_DIGITS: Final = 32
_STEP_DIGITS: Final = 24  # of a tick times a lot
_FEE_DIGITS: Final = FUNDS_DIGITS - _STEP_DIGITS
_WHOLE: Final = 10**_FEE_DIGITS
_UNBOUNDED: Final = (
    b"Funds are held for what an order can cost: one that comes to the market later needs "
    b"OrdType (40) with a limit, or to buy by CashOrderQty (152)"
)


class Balance:
    """What an account has of one currency, and how much of it its orders hold."""

    __slots__ = ("held", "total")

    def __init__(self, total: int = 0, held: int = 0) -> None:
        self.total = total
        self.held = held


class Funds:
    """All balances by account and currency; `fees` is what the venue has earned.

    The totals of all accounts and the fees together are what was deposited, in each currency.
    `transfers` are the ids of those that were done, or could not be.
    """

    def __init__(self) -> None:
        self.balances: dict[bytes, dict[bytes, Balance]] = {}
        self.holds: dict[int, int] = {}  # by OrderID
        self.fees: dict[bytes, int] = {}
        self.transfers: dict[bytes, bool] = {}

    def of(self, account: bytes, currency: bytes) -> Balance:
        """What an account has."""
        own = self.balances.get(account)
        if own is None:
            own = self.balances[account] = {}
        found = own.get(currency)
        if found is None:
            found = own[currency] = Balance()
        return found

    def transfer(self, transfer_id: bytes, account: bytes, currency: bytes, amount: int) -> None:
        """Deposit, or withdraw what is below zero, once for each id; no more than is free."""
        if transfer_id in self.transfers:
            return
        balance = self.of(account, currency)
        is_covered = amount >= 0 or balance.total - balance.held + amount >= 0
        if is_covered:
            balance.total += amount
        self.transfers[transfer_id] = is_covered

    # --- orders -------------------------------------------------------------------------

    def admit(self, order: VenueOrder, book: Book[VenueOrder]) -> Fault | None:
        """Hold what a new order can cost, or say why that is not possible."""
        need = self._at_entry(order, book)
        if need is None:
            return Fault(_UNBOUNDED, OTHER)
        fault = self._lack(order, need)
        if fault is None:
            self._hold(order, need)
        return fault

    def objection(self, order: VenueOrder, price: int, quantity: int) -> Fault | None:
        """Why an order cannot have these terms instead; where it has a budget, that is it."""
        terms = order.terms
        if terms is not None and terms.budget:
            need = _with_fee(order, quantity)
        else:
            leaves = max(quantity - order.quantity + order.leaves, 0)
            need = _need(order, price, leaves)
        return self._lack(order, need)

    def adjust(self, order: VenueOrder) -> None:
        """Hold what is needed for what is left of an order."""
        if not order.is_open:
            self.release(order)
        elif order.order_id in self.holds:
            terms = order.terms
            if terms is not None and terms.budget:
                need = _with_fee(order, terms.budget) if order.side is Side.BUY else 0
            else:
                need = _need(order, order.price, order.leaves)
            self._hold(order, need)

    def release(self, order: VenueOrder) -> None:
        """Hold nothing for an order any more."""
        held = self.holds.pop(order.order_id, 0)
        if held:
            self.of(order.owner.name, _currency(order)).held -= held

    def settle(self, event: Traded[VenueOrder]) -> None:
        """Let the buyer of a fill pay the seller, and both their fees."""
        instrument = event.taker.instrument
        quote, base = instrument.currency, base_of(instrument)
        value, lots = event.price * event.quantity, _lots(instrument, event.quantity)
        for order, is_maker in ((event.taker, False), (event.maker, True)):
            owner, sign = order.owner, 1 if order.side is Side.BUY else -1
            fee = _fee(instrument, value, owner.maker_fee if is_maker else owner.taker_fee)
            self.of(owner.name, base).total += sign * lots
            self.of(owner.name, quote).total -= sign * _value(instrument, value) + fee
            self.fees[quote] = self.fees.get(quote, 0) + fee
            self.adjust(order)

    def _hold(self, order: VenueOrder, need: int) -> None:
        self.of(order.owner.name, _currency(order)).held += need - self.holds.get(order.order_id, 0)
        self.holds[order.order_id] = need

    def _lack(self, order: VenueOrder, need: int) -> Fault | None:
        currency = _currency(order)
        balance = self.of(order.owner.name, currency)
        free = balance.total - balance.held + self.holds.get(order.order_id, 0)
        if need <= free:
            return None
        text = (
            b"The order needs %b %b, fee included; %b are free"
            if order.side is Side.BUY
            else (b"The order needs %b %b; %b are free")
        )
        return Fault(text % (amount_text(need), currency, amount_text(free)), EXCEEDS_LIMIT)

    def _at_entry(self, order: VenueOrder, book: Book[VenueOrder]) -> int | None:
        """What a new order can cost; None where nothing bounds it."""
        terms = order.terms
        is_later = (terms is not None and terms.trigger is not None) or order.is_pending
        if terms is not None and terms.budget:
            if order.side is Side.BUY:
                return _with_fee(order, terms.budget)
            return None if is_later else _lots(order.instrument, purchase(book, order)[0])
        if order.side is Side.SELL or order.order_type is OrderType.LIMIT:
            return _need(order, order.price, order.quantity)
        return None if is_later else _with_fee(order, _sweep(order, book))


def _sweep(order: VenueOrder, book: Book[VenueOrder]) -> int:
    """The most that a market buy can cost now; those with whom it does not trade do not count."""
    avoided, wanted, value = group_to_avoid(order), order.quantity, 0
    for price, level in book.sells.levels():
        lots = level.quantity
        if avoided != NO_GROUP:
            own = (one.leaves for one in level.orders.values() if one.self_trade_group == avoided)
            lots -= sum(own)
        lots = min(lots, wanted)
        value += price * lots
        wanted -= lots
        if not wanted:
            break
    return value


def base_of(instrument: Instrument) -> bytes:
    """What is bought and sold."""
    return instrument.symbol.partition(b"/")[0]


def amount_text(amount: int) -> bytes:
    """An amount as people write it."""
    return decimal_text(amount, FUNDS_DIGITS)


def _currency(order: VenueOrder) -> bytes:
    """What an order holds."""
    is_buy = order.side is Side.BUY
    return order.instrument.currency if is_buy else base_of(order.instrument)


def _need(order: VenueOrder, price: int, leaves: int) -> int:
    if order.side is Side.SELL:
        return _lots(order.instrument, leaves)
    return _with_fee(order, price * leaves)


def _with_fee(order: VenueOrder, value: int) -> int:
    """Nobody knows yet on which side of a trade it will be."""
    owner: AccountState = order.owner
    highest = max(owner.maker_fee, owner.taker_fee, 0)
    return _value(order.instrument, value) + _fee(order.instrument, value, highest)


def _lots(instrument: Instrument, lots: int) -> int:
    grid = instrument.quantities
    step: int = 10 ** (FUNDS_DIGITS - grid.scale)
    return lots * grid.unit * step


def _value(instrument: Instrument, value: int) -> int:
    return _fee(instrument, value, _WHOLE)


def _fee(instrument: Instrument, value: int, share: int) -> int:
    """A share, in 10 ** -8, of a value in ticks times lots."""
    prices, quantities = instrument.prices, instrument.quantities
    step: int = 10 ** (_STEP_DIGITS - prices.scale - quantities.scale)
    return value * share * prices.unit * quantities.unit * step
