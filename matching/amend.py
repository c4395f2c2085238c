"""Replacing an order that waits, or what an order shows."""

from __future__ import annotations

from matching.book import Book
from matching.events import Event, O, Replaced
from matching.order import OrderType
from matching.terms import Terms, terms_of
from matching.triggers import trigger_of


def replace_waiting(
    book: Book[O],
    order: O,
    price: int,
    quantity: int,
    display: int | None,
    trigger_price: int | None,
    out: list[Event[O]],
) -> None:
    """Replace an order that waits; it goes on waiting, until triggers are looked at."""
    quantity = max(quantity, 0)
    if order.order_type is not OrderType.MARKET:
        order.price = price
    terms = terms_of(order)
    if terms.budget:
        terms.budget = quantity
    else:
        order.quantity = order.leaves = quantity
    if display is not None:
        terms.display = display
    trigger = trigger_of(order)
    if not quantity:
        book.triggers.remove(order)
    elif trigger_price is not None and trigger_price != trigger.price:
        book.triggers.remove(order)
        trigger.price = trigger_price
        book.triggers.add(order)
    out.append(Replaced(order, quantity, order.quantity))


def shows_more(display: int, terms: Terms | None) -> bool:
    """Whether an order with these terms would show more with this display; 0 is all of it."""
    now = terms.display if terms is not None else 0
    return now > 0 and (display > now or not display)
