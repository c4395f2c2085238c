"""A digest of the books, and the invariants they keep."""

from __future__ import annotations

from collections.abc import Iterator
from hashlib import sha256

from matching.book import Book, BookSide
from matching.engine import MatchingEngine
from matching.events import O
from matching.order import Order
from matching.triggers import key_of, trigger_of, watch_of


def digest(engine: MatchingEngine[O]) -> str:
    """A hash of all orders in priority and of the last prices; equal books have equal digests."""
    state = sha256()
    for instrument, book in enumerate(engine.books):
        for line in _lines(book):
            state.update(f"{instrument} {line}\n".encode())
    return state.hexdigest()


def check_invariants(engine: MatchingEngine[O]) -> None:
    """Raise AssertionError, naming the fault, when a book is not what a book must be."""
    for instrument, book in enumerate(engine.books):
        for side in (book.buys, book.sells):
            _check_side(instrument, side)
        _check_not_crossed(instrument, book)
        _check_waiting(instrument, book)


def _lines(book: Book[O]) -> Iterator[str]:
    for side in (book.buys, book.sells):
        for price, level in side.levels():
            for order in level.orders.values():
                yield f"{side.side} {price} {order.order_id} {order.leaves}{_marks(order)}"
    for order in book.waiting():
        trigger = trigger_of(order)
        watched = f"{trigger.price} {trigger.direction} {trigger.reference}"
        manner = f"{trigger.trail} {trigger.trail_bps} {trigger.time_in_force}"
        figures = f"{order.side} {order.price} {order.order_id} {order.leaves}"
        yield f"waits {watched} {manner} {order.order_type} {figures}{_marks(order)}"
    if book.last is not None:
        yield f"last {book.last}"
    if book.is_suspended:
        yield "suspended"


def _marks(order: Order) -> str:
    """What is unusual about an order; nothing about a plain one."""
    marks = {}
    if order.self_trade_group:
        marks = {"group": order.self_trade_group, "self_trade": order.self_trade}
    if (terms := order.terms) is not None:
        marks |= {
            "display": terms.display,
            "shown": terms.shown,
            "min_quantity": terms.min_quantity,
            "post_only": terms.post_only,
            "budget": terms.budget,
        }
    return "".join(f" {name}={value:d}" for name, value in marks.items() if value)


def _check_side(instrument: int, side: BookSide[O]) -> None:
    prices = [price for price, _ in side.levels()]
    best = prices[0] if prices else None
    where = f"instrument {instrument} {side.side.name}"
    assert side.best_price == best, f"{where}: best {side.best_price}, levels {prices}"
    for price, level in side.levels():
        where = f"instrument {instrument} {side.side.name} {price}"
        assert level.orders, f"{where}: empty level"
        total = sum(order.leaves for order in level.orders.values())
        assert total == level.quantity, f"{where}: quantity {level.quantity}, orders {total}"
        hidden = sum(map(_hidden, level.orders.values()))
        assert hidden == level.hidden, f"{where}: hidden {level.hidden}, orders {hidden}"
        for order_id, order in level.orders.items():
            assert order.order_id == order_id, f"{where}: holds {order} as {order_id}"
            assert order.side is side.side, f"{where}: holds {order}"
            assert order.instrument_id == instrument, f"{where}: holds {order}"
            assert order.price == price, f"{where}: holds {order}"
            assert 0 < order.leaves <= order.quantity, f"{where}: holds {order}"
            assert not order.is_waiting, f"{where}: holds {order}, which waits"
            _check_shown(where, order)


def _hidden(order: Order) -> int:
    terms = order.terms
    return order.leaves - terms.shown if terms is not None and terms.display else 0


def _check_shown(where: str, order: Order) -> None:
    if (terms := order.terms) is None:
        return
    most = min(terms.display, order.leaves)
    fits = min(most, 1) <= terms.shown <= most
    assert fits, f"{where}: {order} shows {terms.shown} of {terms.display}"


def _check_not_crossed(instrument: int, book: Book[O]) -> None:
    if book.buys and book.sells:
        assert book.buys.best < book.sells.best, f"instrument {instrument}: the book is crossed"


def _check_waiting(instrument: int, book: Book[O]) -> None:
    where, triggers = f"instrument {instrument}", book.triggers
    for entry, order in triggers.orders.items():
        trigger = trigger_of(order)
        assert order.instrument_id == instrument, f"{where}: waits for {order}"
        assert trigger.entry == entry, f"{where}: {order} waits as {entry}, not {trigger.entry}"
        found = triggers.queues[watch_of(order)].get(key_of(trigger))
        assert found is order, f"{where}: {order} is not in its queue"
    entries = list(triggers.orders)
    assert entries == sorted(entries), f"{where}: entries {entries}"
    queued = sum(map(len, triggers.queues.values()))
    assert queued == len(entries), f"{where}: {len(entries)} orders wait, {queued} are queued"
    if not book.is_suspended:
        order_due = triggers.due(book.references())
        assert order_due is None, f"{where}: {order_due} waits though it is due"
