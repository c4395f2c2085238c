"""Order types and what they do to the books; orders in, events out.

The rules of triggers, which wait in `matching.triggers`:

- They are looked at after every command. The waiting orders whose condition holds fire one at a
  time: those on a rise by ascending price, then those on a fall by descending price, each then by
  entry. After each one, conditions are looked at again from the start.
- A post-only order that would trade when it fires is cancelled, whatever it wanted to happen then.
"""

from __future__ import annotations

from typing import Final, Generic

from matching.amend import replace_waiting, shows_more
from matching.book import Book
from matching.budget import purchase, spend
from matching.events import (
    Accepted,
    Cancelled,
    CancelReason,
    Event,
    O,
    Refused,
    Replaced,
    Triggered,
    cancel,
)
from matching.order import OrderType, Side, TimeInForce
from matching.post_only import passive_price, refusal
from matching.terms import Terms, terms_of
from matching.triggers import trigger_of

_BUY: Final = Side.BUY
_MARKET: Final = OrderType.MARKET
_IMMEDIATE_OR_CANCEL: Final = TimeInForce.IMMEDIATE_OR_CANCEL
_FILL_OR_KILL: Final = TimeInForce.FILL_OR_KILL
_REMAINDER: Final = CancelReason.REMAINDER
_SELF_TRADE: Final = CancelReason.SELF_TRADE


class MatchingEngine(Generic[O]):
    """The books of all instruments.

    The caller keeps the rules that need no book: quantities are positive, order ids are new, and
    only orders that rest or wait are cancelled or replaced.
    """

    def __init__(self, instruments: int) -> None:
        self.books: list[Book[O]] = [Book() for _ in range(instruments)]

    def list_up_to(self, instruments: int) -> None:
        """Have books for so many instruments; those that there are stay as they are."""
        self.books += (Book() for _ in range(len(self.books), instruments))

    def submit(self, order: O, time_in_force: TimeInForce, out: list[Event[O]]) -> bool:
        """Accept an order, trade it, and rest what is left or cancel it; whether it is still there.

        A market order never rests. Fill-or-kill trades in full at once or not at all. An order
        with a trigger waits for it first.
        """
        book = self.books[order.instrument_id]
        terms = order.terms
        if terms is None:
            out.append(Accepted(order))
            _enter(book, order, time_in_force, out)
        elif terms.trigger is not None:
            out.append(Accepted(order))
            terms.trigger.time_in_force = time_in_force
            book.triggers.add(order)
        elif (price := passive_price(book, order, order.price)) is None:
            order.leaves = 0
            out.append(Refused(order, refusal(terms)))
        else:
            order.price = price
            out.append(Accepted(order))
            _enter(book, order, time_in_force, out)
        if book.triggers.orders:
            _fire(book, out)
        return order.leaves > 0 or (terms is not None and order.is_waiting)

    def cancel(self, order: O, out: list[Event[O]]) -> None:
        """Take an order out of its book, or let it wait no longer."""
        book = self.books[order.instrument_id]
        if order.terms is not None and order.is_waiting:
            book.triggers.remove(order)
        elif order.side is _BUY:
            book.buys.remove(order)
        else:
            book.sells.remove(order)
        quantity, order.leaves = order.leaves, 0
        out.append(Cancelled(order, quantity))
        if book.triggers.orders:
            _fire(book, out)

    def replace(
        self,
        order: O,
        price: int,
        quantity: int,
        out: list[Event[O]],
        *,
        display: int | None = None,
        trigger_price: int | None = None,
    ) -> bool:
        """Give an order a new price and total quantity; whether it is still there afterwards.

        A smaller quantity or display at the same price keeps the place in time; anything else loses
        it, and may trade at once. What has been filled counts: a quantity at or below it ends the
        order. Of an order that waits, only a new trigger price loses the place; where it has a
        budget, `quantity` is the new one.
        """
        book = self.books[order.instrument_id]
        terms = order.terms
        if terms is not None and order.is_waiting:
            replace_waiting(book, order, price, quantity, display, trigger_price, out)
            _fire(book, out)
            return order.leaves > 0 or order.is_waiting
        filled = order.quantity - order.leaves
        leaves = max(quantity - filled, 0)
        if terms is not None and leaves:
            passive = passive_price(book, order, price)
            if passive is None:
                out.append(Refused(order, refusal(terms)))
                return True
            price = passive
        side, other = (book.buys, book.sells) if order.side is _BUY else (book.sells, book.buys)
        keeps_place = leaves and price == order.price and leaves <= order.leaves
        if keeps_place and (display is None or not shows_more(display, terms)):
            side.reduce(order, order.leaves - leaves)
            order.quantity = quantity
            if display:
                side.level(price).show(order, display)
            out.append(Replaced(order, leaves, quantity, price, keeps_place=True))
            return True  # no price has moved for a trigger to see
        side.remove(order)
        former_price = order.price
        order.price, order.quantity, order.leaves = price, filled + leaves, leaves
        if display is not None:
            terms_of(order).display = display
        out.append(Replaced(order, leaves, order.quantity, former_price))
        if leaves:
            best = other.best_price if other.is_stale else other.known_best
            if best is not None and other.accepts(price, best) and book.match(order, price, out):
                cancel(order, _SELF_TRADE, out)
            elif order.leaves:
                side.add(order)
        if book.triggers.orders:
            _fire(book, out)
        return order.leaves > 0

    def fire(self, instrument_id: int, out: list[Event[O]]) -> None:
        """Look at the triggers of one book, as after a command."""
        _fire(self.books[instrument_id], out)


def _enter(book: Book[O], order: O, time_in_force: TimeInForce, out: list[Event[O]]) -> None:
    """Trade an order that comes to the book, and rest what is left or cancel it."""
    limit = None if order.order_type is _MARKET else order.price
    terms = order.terms
    if terms is None:
        may_trade = time_in_force is not _FILL_OR_KILL or book.can_fill(order, limit, order.leaves)
    elif terms.budget:
        _enter_with_budget(book, order, terms, time_in_force, out)
        return
    else:
        is_whole = time_in_force is _FILL_OR_KILL
        wanted = order.leaves if is_whole else min(terms.min_quantity, order.leaves)
        may_trade = book.can_fill(order, limit, wanted)
    reason = _REMAINDER
    if may_trade:
        side, other = (book.buys, book.sells) if order.side is _BUY else (book.sells, book.buys)
        best = other.best_price if other.is_stale else other.known_best
        # Most orders do not trade at once: they need not go through `match` to find that out.
        if best is not None and other.accepts(limit, best) and book.match(order, limit, out):
            reason = _SELF_TRADE
        elif (
            order.leaves
            and limit is not None
            and time_in_force is not _IMMEDIATE_OR_CANCEL
            and time_in_force is not _FILL_OR_KILL
        ):
            side.add(order)
            return
    if order.leaves:
        cancel(order, reason, out)


def _enter_with_budget(
    book: Book[O], order: O, terms: Terms, time_in_force: TimeInForce, out: list[Event[O]]
) -> None:
    reason = _REMAINDER
    lots, is_done = purchase(book, order)
    may_trade = lots >= terms.min_quantity and (is_done or time_in_force is not _FILL_OR_KILL)
    if may_trade and spend(book, order, out):
        reason = _SELF_TRADE
    if order.leaves or not order.quantity:
        cancel(order, reason, out)


def _fire(book: Book[O], out: list[Event[O]]) -> None:
    """Let the waiting orders go whose condition holds, one after the other."""
    triggers = book.triggers
    while not book.is_suspended and (order := triggers.pop_due(book.references())) is not None:
        out.append(Triggered(order))
        terms = order.terms
        if terms is not None and terms.post_only and book.would_trade(order, order.price):
            cancel(order, CancelReason.WOULD_TRADE, out)
        else:
            _enter(book, order, trigger_of(order).time_in_force, out)
