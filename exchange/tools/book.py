"""The book of an instrument as it stood at a moment of the journal."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from exchange.instruments import Instrument
from exchange.orders import VenueOrder
from exchange.rerun import Rerun
from exchange.tools.moments import Moment
from exchange.tools.text import iso_time, printable
from exchange.venue import Venue
from matching.book import Book, BookSide
from sessions.journal import INPUT_KINDS, Batch


@dataclass(slots=True)
class Moments:
    """Where a journal was read to: after which input, and when that was; 0 when there was none."""

    position: int = 0
    stamp: int = 0


def play_until(rerun: Rerun, batches: Iterable[Batch], at: Moment | None) -> Moments:
    """Execute everything up to a moment, and that moment included; None: everything.

    Raises JournalError.
    """
    reached = Moments()
    for batch in batches:
        if at is not None and at.position is None and batch.stamp > at.last_ns:
            break
        for record in batch.records:
            if at is not None and at.position is not None and record.position > at.position:
                return reached
            rerun.apply(record, batch.stamp)
            if record.kind in INPUT_KINDS:
                reached.position, reached.stamp = record.position, batch.stamp
    return reached


def find_book(venue: Venue, symbol: bytes) -> tuple[Instrument, Book[VenueOrder]] | None:
    """The instrument of that name and its book; None when there never was one.

    One whose steps were changed was listed again, and nothing rests in the old one.
    """
    for number in reversed(range(len(venue.state.listing))):
        if venue.state.listing[number].symbol == symbol:
            return venue.state.listing[number], venue.state.engine.books[number]
    return None


@dataclass(slots=True)
class Line:
    """One price of one side, or one order there; as text."""

    price: str
    quantity: str
    orders: int
    owner: str = ""
    account: str = ""
    cl_ord_id: str = ""
    order_id: str = ""

    def as_json(self, with_orders: bool) -> dict[str, Any]:
        """A level, or an order."""
        head = {"price": self.price, "quantity": self.quantity}
        if not with_orders:
            return {**head, "orders": self.orders}
        return {
            **head,
            "session": self.owner,
            "account": self.account,
            "cl_ord_id": self.cl_ord_id,
            "order_id": self.order_id,
        }


def levels(side: BookSide[VenueOrder], instrument: Instrument) -> Iterator[Line]:
    """Every price, best first."""
    for price, level in side.levels():
        quantity = instrument.quantities.format(level.quantity).decode()
        yield Line(instrument.prices.format(price).decode(), quantity, len(level.orders))


def orders(
    side: BookSide[VenueOrder], instrument: Instrument, peers: dict[int, bytes]
) -> Iterator[Line]:
    """Every order, in the order in which they would trade."""
    for price, level in side.levels():
        shown = instrument.prices.format(price).decode()
        for order in level.orders.values():
            yield Line(
                shown,
                instrument.quantities.format(order.leaves).decode(),
                1,
                printable(peers.get(order.session, b"")),
                printable(order.account),
                printable(order.cl_ord_id),
                str(order.order_id),
            )


def book_json(
    symbol: str, reached: Moments, bids: list[Line], asks: list[Line], with_orders: bool
) -> dict[str, Any]:
    """A book for programs."""
    return {
        "symbol": symbol,
        "position": reached.position,
        "time": iso_time(reached.stamp) if reached.position else None,
        "bids": [line.as_json(with_orders) for line in bids],
        "asks": [line.as_json(with_orders) for line in asks],
    }
