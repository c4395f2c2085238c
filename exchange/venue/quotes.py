"""MassQuote and QuoteCancel: what market makers ask for, and what protects them.

A quote is two ordinary limit orders of its session, so the market knows nothing of quotes. Here is
what ties the two together: they are set by one entry, and go together.

Quote protection acts between commands: a command that trips it is carried out to its end, so one
sweep may go through everything that an account quotes. Nothing that comes after it finds any of it.
"""

from __future__ import annotations

from typing import Final

from exchange.commands import CancelQuotes, MassQuote, QuoteEntry
from exchange.events import QuoteRemoved, QuotesAcknowledged
from exchange.orders import OrderTerms, VenueOrder, further_order_id
from exchange.quotes import Guard, Quote
from exchange.requests.reasons import (
    EXCHANGE_CLOSED,
    OTHER,
    QUOTE_EXCEEDS_LIMIT,
    QUOTE_EXCHANGE_CLOSED,
    QUOTE_NOT_AUTHORIZED,
    QUOTE_TOO_LATE,
    TOO_LATE_TO_ENTER,
    Fault,
)
from exchange.venue.lifecycle import Lifecycle
from exchange.venue.protections import Protections
from exchange.venue.quoted import pull_quote
from exchange.venue.state import AccountState, SessionState, VenueState
from fix_engine import tags
from matching.book import Book
from matching.events import CancelReason, Event, Replaced, cancel
from matching.order import OrderType, Side, TimeInForce

_NO_FUNDS: Final = b"No quotes while orders hold funds"
# QuoteStatus (297)
_ACCEPTED: Final = 0
_CANCELED_FOR_SYMBOL: Final = 1
_CANCELED_ALL: Final = 4
_REJECTED: Final = 5
# QuoteResponseLevel (301)
_ERRORS: Final = 1
_EACH: Final = 2
_MAX_TEXT: Final = 400  # the answer must fit into what every client takes
_SESSION_GONE: Final = b"Quotes end with their session"
_GTC: Final = TimeInForce.GOOD_TILL_CANCEL


class Quotes:
    """Requests about quotes, and what happens to quotes without one."""

    def __init__(self, state: VenueState, lifecycle: Lifecycle, protections: Protections) -> None:
        self._state = state
        self._life = lifecycle
        self._protections = protections
        self._made = 0  # orders of the command that is being executed

    # --- requests -----------------------------------------------------------------------

    def quote(self, command: MassQuote) -> None:
        """Say which entries are taken, then put each of these in place of the one before it."""
        session = self._state.session(command.session)
        account = session.account
        fault = command.fault
        if fault is None and self._state.has_funds:
            fault = Fault(_NO_FUNDS, QUOTE_NOT_AUTHORIZED)
        if fault is None:
            adds = any(one.bid_size or one.offer_size for one in command.entries)
            late = self._protections.cancel(command.deadline, account, 1 if adds else 2)
            if late is not None:
                is_late = late.reason == TOO_LATE_TO_ENTER
                fault = Fault(late.text, QUOTE_TOO_LATE if is_late else QUOTE_EXCEEDS_LIMIT)
        if fault is not None:
            self._refuse(command, fault)
            return
        if command.is_reset:
            _reset(account, command.entries)
        taken, faults, orders = [], [], len(account.open)
        for entry in command.entries:
            added = _more_orders(entry, session)
            opened = orders + added if added > 0 else 0
            found = entry.fault or self._objection(entry, account, opened)
            faults.append(found)
            if found is None:
                taken.append(entry)
                orders += added
        self._acknowledge(command, faults)
        self._made = 0
        for entry in taken:
            self._set(command, session, entry)

    def cancel(self, command: CancelQuotes) -> None:
        """Say how many quotes there are, then take them out."""
        session = self._state.session(command.session)
        fault = command.fault
        if fault is None:
            busy = self._protections.cancel(None, session.account)
            if busy is not None:
                fault = Fault(busy.text, QUOTE_EXCEEDS_LIMIT)
        if fault is not None:
            self._refuse(command, fault)
            return
        wanted = command.instruments
        meant = list(session.quotes.values())
        if wanted is not None:
            numbers = [one.instrument_id for one in wanted]
            meant = [one for one in meant if one.instrument.instrument_id in numbers]
        if command.level >= _EACH:
            status = _CANCELED_ALL if wanted is None else _CANCELED_FOR_SYMBOL
            text = b"%d quotes cancelled" % len(meant)
            self._state.out.append(
                QuotesAcknowledged(command.session, command.message, status, text=text)
            )
        self.withdraw([order for quote in meant for order in quote.orders()])

    def _refuse(self, command: MassQuote | CancelQuotes, fault: Fault) -> None:
        """Refuse all of a message, which is always told."""
        self._state.out.append(
            QuotesAcknowledged(
                command.session, command.message, _REJECTED, fault.reason, fault.text
            )
        )

    def _acknowledge(self, command: MassQuote, faults: list[Fault | None]) -> None:
        refused = [
            (entry.entry_id, fault)
            for entry, fault in zip(command.entries, faults, strict=True)
            if fault is not None
        ]
        is_rejected = len(refused) == len(faults)
        if not is_rejected and command.level < (_ERRORS if refused else _EACH):
            return
        told = [
            (entry, 0 if fault is None else fault.reason)
            for entry, fault in zip(command.entries, faults, strict=True)
            if fault is not None or command.level >= _EACH
        ]
        self._state.out.append(
            QuotesAcknowledged(
                command.session,
                command.message,
                _REJECTED if is_rejected else _ACCEPTED,
                refused[0][1].reason if is_rejected else 0,
                _summary(refused),
                told,
                command.sets,
            )
        )

    def _objection(self, entry: QuoteEntry, account: AccountState, orders: int) -> Fault | None:
        """Why an entry cannot be taken now; to take sides out is always possible."""
        instrument = entry.instrument
        assert instrument is not None
        if not entry.bid_size and not entry.offer_size:
            return None
        guard = account.guards.get(instrument.instrument_id)
        if guard is not None and guard.is_tripped and account.rules.protection_fills:
            text = b"Quote protection: quote %b again with ProtectionReset (8022) Y"
            return Fault(text % instrument.symbol, QUOTE_NOT_AUTHORIZED)
        sides = [
            (name, OrderTerms(instrument, side, OrderType.LIMIT, _GTC, price, size))
            for name, side, price, size in (
                (b"BidPx (132)", Side.BUY, entry.bid_price, entry.bid_size),
                (b"OfferPx (133)", Side.SELL, entry.offer_price, entry.offer_size),
            )
            if size
        ]
        fault = self._protections.quote(instrument, account, sides, orders)
        if fault is None:
            return None
        reason = QUOTE_EXCEEDS_LIMIT
        if fault.reason == EXCHANGE_CLOSED:
            reason = QUOTE_EXCHANGE_CLOSED
        elif fault.reason == OTHER and account.is_killed:
            reason = QUOTE_NOT_AUTHORIZED
        return Fault(fault.text, reason)

    # --- the market ---------------------------------------------------------------------

    def _set(self, command: MassQuote, session: SessionState, entry: QuoteEntry) -> None:
        """Let a quote be what its entry says.

        What goes or moves is out before anything can trade, and what gets smaller has done so: all
        fills behind the acknowledgement are fills of the sizes in it, and no quote meets itself.
        """
        instrument = entry.instrument
        assert instrument is not None
        quote_id = command.message.get(tags.QUOTE_ID) or b""
        quote = session.quotes.get(instrument.instrument_id)
        if quote is None:
            quote = Quote(command.session, instrument, quote_id, entry.entry_id)
        else:
            quote.rename(quote_id, entry.entry_id)
        engine = self._state.engine
        book = engine.books[instrument.instrument_id]
        # What waits for prices must not see the book while a side that moves is on its way.
        was_suspended, book.is_suspended = book.is_suspended, True
        gone, coming = [], []
        matched: list[Event[VenueOrder]] = []
        for side, price, size in (
            (Side.BUY, entry.bid_price, entry.bid_size),
            (Side.SELL, entry.offer_price, entry.offer_size),
        ):
            order = quote.bid if side is Side.BUY else quote.offer
            if order is None:
                if size:
                    coming.append(self._make(command, session, quote, side, price, size))
            elif not size:
                gone.append(order)
            elif _amend(book, order, price, size, matched):
                coming.append(order)
        matched += self._remove(gone)
        for order in coming:
            engine.submit(order, _GTC, matched)
        book.is_suspended = was_suspended
        engine.fire(instrument.instrument_id, matched)
        self._life.report(matched, is_solicited=True)

    def _make(
        self,
        command: MassQuote,
        session: SessionState,
        quote: Quote,
        side: Side,
        price: int,
        size: int,
    ) -> VenueOrder:
        """A side that was not in the market, under a name that no other order of the account has.

        An order that comes later with that name is refused, as with any name that is in use.
        """
        account = session.account
        self._made += 1
        order_id = further_order_id(self._state.position, self._made)
        name = b"Q-%d" % order_id
        while name in account.names:
            name += b"-"
        wanted = OrderTerms(
            quote.instrument, side, OrderType.LIMIT, _GTC, price, size, None, quote.conditions()
        )
        order = VenueOrder(
            order_id,
            command.session,
            account,
            wanted,
            name,
            command.message.get(tags.ACCOUNT) or b"",
            account.self_trade if session.self_trade is None else session.self_trade,
        )
        account.names[name] = order
        account.open[order_id] = order
        quote.put(order)
        session.quotes[quote.instrument.instrument_id] = quote
        return order

    def withdraw(self, orders: list[VenueOrder], text: bytes = b"") -> None:
        """Take sides out, all at once: their maker has said so, or for a reason that `text` gives.

        Only then may what waits for prices to move see that they have.
        """
        matched = self._remove(orders)
        for instrument_id in dict.fromkeys(order.instrument_id for order in orders):
            self._state.engine.fire(instrument_id, matched)
        self._life.report(matched, is_solicited=not text, text=text)

    def _remove(self, orders: list[VenueOrder]) -> list[Event[VenueOrder]]:
        matched: list[Event[VenueOrder]] = []
        for order in orders:
            self._state.engine.books[order.instrument_id].side_of(order).remove(order)
            cancel(order, CancelReason.REQUESTED, matched)
        return matched

    def leave(self, session: SessionState) -> None:
        """A session is gone, and all its quotes with it."""
        orders = [order for quote in session.quotes.values() for order in quote.orders()]
        self.withdraw(orders, _SESSION_GONE)

    # --- when a command is done ---------------------------------------------------------

    def settle(self) -> None:
        """Let quote protection act, and tell of the quotes that have changed unasked."""
        state = self._state
        while state.breaches:
            account, quote = state.breaches.pop(0)
            rules, symbol = account.rules, quote.instrument.symbol
            text = b"Quote protection: %d fills within %d ms; quote %b with ProtectionReset (8022)"
            self._protect(
                account,
                quote,
                text % (rules.protection_fills, rules.protection_window_ms, symbol),
            )
        told, state.pulled = state.pulled, []
        for quote in told:
            state.out.append(_removed(quote))
            quote.news = b""

    def _protect(self, account: AccountState, tripped: Quote, text: bytes) -> None:
        """Take out what the account quotes there, on any session; its maker is told in any case."""
        pull_quote(self._state, tripped, text)
        orders: list[VenueOrder] = []
        for number in sorted(self._state.sessions):
            session = self._state.sessions[number]
            quote = session.quotes.get(tripped.instrument.instrument_id)
            if quote is not None and session.account is account:
                orders += quote.orders()
        self.withdraw(orders, text)


def _amend(
    book: Book[VenueOrder],
    order: VenueOrder,
    price: int,
    size: int,
    out: list[Event[VenueOrder]],
) -> bool:
    """Give a side its price and what is to be open; whether it has lost its place, and is out."""
    side, filled, former_price = book.side_of(order), order.quantity - order.leaves, order.price
    keeps_place = price == order.price and size <= order.leaves
    if keeps_place:
        side.reduce(order, order.leaves - size)
    else:
        side.remove(order)
        order.price, order.leaves = price, size
    order.quantity = filled + size
    out.append(Replaced(order, size, order.quantity, former_price, keeps_place))
    return not keeps_place


def _reset(account: AccountState, entries: list[QuoteEntry]) -> None:
    for entry in entries:
        if entry.instrument is not None:
            account.guards.get(entry.instrument.instrument_id, Guard()).reset()


def _more_orders(entry: QuoteEntry, session: SessionState) -> int:
    """How many open orders more there are once the entry has been taken."""
    if entry.instrument is None:
        return 0
    quote = session.quotes.get(entry.instrument.instrument_id)
    now = len(quote.orders()) if quote is not None else 0
    return bool(entry.bid_size) + bool(entry.offer_size) - now


def _summary(refused: list[tuple[bytes, Fault]]) -> bytes:
    """What is wrong with entries, by their QuoteEntryIDs, as far as there is room for it."""
    text = b""
    for number, (entry_id, fault) in enumerate(refused):
        one = b"%b%b: %b" % (b"; " if text else b"", entry_id[:32], fault.text)
        if len(text) + len(one) > _MAX_TEXT:
            return text + b"; %d more are refused" % (len(refused) - number)
        text += one
    return text


def _removed(quote: Quote) -> QuoteRemoved:
    bid, offer = quote.bid, quote.offer
    return QuoteRemoved(
        quote.session,
        quote.instrument,
        quote.quote_id,
        quote.entry_id,
        bid.price if bid is not None else 0,
        bid.leaves if bid is not None else 0,
        offer.price if offer is not None else 0,
        offer.leaves if offer is not None else 0,
        quote.news,
    )
