"""Tables of orders in and events out, played against the matching engine.

Each row is a command, a bar, and the first event that it causes; rows without a command hold the
further ones:

    sell 1 5@100         | accepted 1
    buy 2 8@100          | accepted 2
                         | traded 1x2 5@100 leaves 0/3     (maker x taker, leaves of maker/taker)
    book                 | buy 2 3@100

Commands:

    buy ID QTY@PRICE [ioc|fok] [#INSTRUMENT]      PRICE may be "market"; sell likewise
    replace ID QTY@PRICE
    cancel ID
    book [#INSTRUMENT]                            the resting orders, buys first, best first

After every command the invariants of the books are checked.
"""

from __future__ import annotations

from matching.book import Book
from matching.digest import check_invariants
from matching.engine import MatchingEngine
from matching.events import Accepted, Cancelled, Event, Replaced, Traded
from matching.order import Order, OrderType, Side, TimeInForce

TIMES_IN_FORCE = {
    "ioc": TimeInForce.IMMEDIATE_OR_CANCEL,
    "fok": TimeInForce.FILL_OR_KILL,
}


def describe(event: Event[Order]) -> str:
    """The event as the tables write it."""
    match event:
        case Accepted(order):
            return f"accepted {order.order_id}"
        case Cancelled(order, quantity):
            return f"cancelled {order.order_id} {quantity}"
        case Replaced(order, leaves):
            return f"replaced {order.order_id} {order.quantity}@{order.price} leaves {leaves}"
        case Traded(maker, taker, price, quantity, maker_leaves, taker_leaves):
            ids = f"{maker.order_id}x{taker.order_id}"
            return f"traded {ids} {quantity}@{price} leaves {maker_leaves}/{taker_leaves}"


def describe_book(book: Book[Order]) -> list[str]:
    """The resting orders in priority, buys first; "empty" when there are none."""
    return [
        f"{side.side.name.lower()} {order.order_id} {order.leaves}@{price}"
        for side in (book.buys, book.sells)
        for price, level in side.levels()
        for order in level.orders.values()
    ] or ["empty"]


class Market:
    """An engine that takes its commands as text and remembers the orders by their ids."""

    def __init__(self, instruments: int = 2) -> None:
        self.engine: MatchingEngine[Order] = MatchingEngine(instruments)
        self.orders: dict[int, Order] = {}

    def run(self, command: str) -> list[str]:
        """Execute one command; what it caused."""
        word, *arguments = command.split()
        if word == "book":
            instrument = int(arguments[0].removeprefix("#")) if arguments else 0
            return describe_book(self.engine.books[instrument])
        out: list[Event[Order]] = []
        rests = self._execute(word, arguments, command, out)
        self._check_rests(self.orders[int(arguments[0])], rests)
        check_invariants(self.engine)
        return [describe(event) for event in out]

    def play(self, table: str) -> None:
        """Execute a table; raise AssertionError at the first command that does not fit."""
        for command, expected in rows(table):
            actual = self.run(command)
            message = f"{command}\n  expected: {expected}\n  actual:   {actual}"
            assert actual == expected, message

    def _execute(
        self, word: str, arguments: list[str], command: str, out: list[Event[Order]]
    ) -> bool:
        order_id = int(arguments[0])
        if word == "cancel":
            self.engine.cancel(self.orders[order_id], out)
            return False
        if word == "replace":
            quantity, price = arguments[1].split("@")
            return self.engine.replace(self.orders[order_id], int(price), int(quantity), out)
        order = self.orders[order_id] = parse_order(command)
        return self.engine.submit(order, parse_time_in_force(command), out)

    def _check_rests(self, order: Order, rests: bool) -> None:
        """The engine says truly whether an order rests; when it does not, nothing is left of it."""
        levels = self.engine.books[order.instrument_id].side_of(order).levels()
        found = any(level.orders.get(order.order_id) is order for _, level in levels)
        assert found == rests, f"said to rest: {rests}, rests: {found}: {order}"
        assert (order.leaves > 0) == rests, f"said to rest: {rests}: {order}"


def play(table: str) -> Market:
    """Play a table against an empty market."""
    market = Market()
    market.play(table)
    return market


def parse_order(text: str) -> Order:
    """The order that "buy 1 5@100" or "sell 2 5@market #1" means."""
    side, order_id, lots_at_price, *options = text.split()
    quantity, price = lots_at_price.split("@")
    order_type = OrderType.MARKET if price == "market" else OrderType.LIMIT
    return Order(
        order_id=int(order_id),
        instrument_id=next((int(word[1:]) for word in options if word.startswith("#")), 0),
        side=Side[side.upper()],
        order_type=order_type,
        price=0 if order_type is OrderType.MARKET else int(price),
        quantity=int(quantity),
    )


def parse_time_in_force(text: str) -> TimeInForce:
    """Good till cancel, unless the text has another word for it."""
    found = (TIMES_IN_FORCE[word] for word in text.split() if word in TIMES_IN_FORCE)
    return next(found, TimeInForce.GOOD_TILL_CANCEL)


def rows(table: str) -> list[tuple[str, list[str]]]:
    """The commands of a table, each with all that it should cause."""
    found: list[tuple[str, list[str]]] = []
    for line in filter(str.strip, table.splitlines()):
        command, _, event = (part.strip() for part in line.partition("|"))
        if command:
            found.append((command, []))
        if event:
            found[-1][1].append(event)
    return found
