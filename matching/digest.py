"""A digest of the books, and the invariants they keep."""

from __future__ import annotations

from hashlib import sha256

from matching.book import Book, BookSide
from matching.engine import MatchingEngine
from matching.events import O


def digest(engine: MatchingEngine[O]) -> str:
    """A hash of every resting order in priority; equal books have equal digests."""
    state = sha256()
    for instrument, book in enumerate(engine.books):
        for side in (book.buys, book.sells):
            for price, level in side.levels():
                for order in level.orders.values():
                    line = f"{instrument} {side.side} {price} {order.order_id} {order.leaves}\n"
                    state.update(line.encode())
    return state.hexdigest()


def check_invariants(engine: MatchingEngine[O]) -> None:
    """Raise AssertionError, naming the fault, when a book is not what a book must be."""
    for instrument, book in enumerate(engine.books):
        for side in (book.buys, book.sells):
            _check_side(instrument, side)
        _check_not_crossed(instrument, book)


def _check_side(instrument: int, side: BookSide[O]) -> None:
    for price, level in side.levels():
        where = f"instrument {instrument} {side.side.name} {price}"
        assert level.orders, f"{where}: empty level"
        total = sum(order.leaves for order in level.orders.values())
        assert total == level.quantity, f"{where}: quantity {level.quantity}, orders {total}"
        for order_id, order in level.orders.items():
            assert order.order_id == order_id, f"{where}: holds {order} as {order_id}"
            assert order.side is side.side, f"{where}: holds {order}"
            assert order.instrument_id == instrument, f"{where}: holds {order}"
            assert order.price == price, f"{where}: holds {order}"
            assert 0 < order.leaves <= order.quantity, f"{where}: holds {order}"


def _check_not_crossed(instrument: int, book: Book[O]) -> None:
    if book.buys and book.sells:
        assert book.buys.best < book.sells.best, f"instrument {instrument}: the book is crossed"
