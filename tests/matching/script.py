"""Tables of orders in and events out, played against the matching engine.

Each row is a command, a bar, and the first event that it causes; rows without a command hold the
further ones:

    sell 1 5@100         | accepted 1
    buy 2 8@100          | accepted 2
                         | traded 1x2 5@100 leaves 0/3     (maker x taker, leaves of maker/taker)
    book                 | buy 2 3@100

Commands:

    buy ID QTY@PRICE [OPTION ...]                 PRICE may be "market"; sell likewise
    replace ID QTY@PRICE [display=N] [trigger=N]
    cancel ID
    book [#INSTRUMENT]                            the resting orders, buys first, best first;
                                                  "4 of 10@100" for one that shows 4
    waiting [#INSTRUMENT]                         the orders that wait, with their trigger prices
    suspend, resume [#INSTRUMENT]                 the firing of triggers

Options, of orders:

    #INSTRUMENT  day  ioc  fok  gtd  display=N  min=N  budget=N  post=reject  post=reprice
    group=N  stp=none|cancel_newest|cancel_oldest|cancel_both|decrement
    last>=N  last<=N  best>=N  best<=N            the trigger; with trail=N or bps=N, 0 is no price

After every command the invariants of the books are checked.
"""

from __future__ import annotations

from matching.book import Book
from matching.digest import check_invariants
from matching.engine import MatchingEngine
from matching.events import (
    Accepted,
    Cancelled,
    CancelReason,
    Event,
    Reduced,
    Refused,
    Replaced,
    Traded,
    Triggered,
)
from matching.order import Order, OrderType, SelfTrade, Side, TimeInForce
from matching.terms import Direction, PostOnly, Reference, Terms, Trigger

TIMES_IN_FORCE = {
    "day": TimeInForce.DAY,
    "gtd": TimeInForce.GOOD_TILL_DATE,
    "ioc": TimeInForce.IMMEDIATE_OR_CANCEL,
    "fok": TimeInForce.FILL_OR_KILL,
}


def describe(event: Event[Order]) -> str:
    """The event as the tables write it."""
    match event:
        case Accepted(order):
            return f"accepted {order.order_id}"
        case Refused(order, why):
            return f"refused {order.order_id} {words(why.name)}"
        case Triggered(order):
            return f"triggered {order.order_id}"
        case Cancelled(order, quantity, reason):
            usual = reason in (CancelReason.REQUESTED, CancelReason.REMAINDER)
            why_not = "" if usual else f" {words(reason.name)}"
            return f"cancelled {order.order_id} {quantity}{why_not}"
        case Reduced(order, by, leaves):
            return f"reduced {order.order_id} by {by} leaves {leaves}"
        case Replaced(order, leaves, quantity):
            return f"replaced {order.order_id} {quantity}@{order.price} leaves {leaves}"
        case Traded(maker, taker, price, quantity, maker_leaves, taker_leaves):
            ids = f"{maker.order_id}x{taker.order_id}"
            return f"traded {ids} {quantity}@{price} leaves {maker_leaves}/{taker_leaves}"


def words(name: str) -> str:
    """The name of a constant as the tables write it."""
    return name.lower().replace("_", " ")


def describe_book(book: Book[Order]) -> list[str]:
    """The resting orders in priority, buys first; "empty" when there are none."""
    return [
        f"{side.side.name.lower()} {order.order_id} {describe_leaves(order)}@{price}"
        for side in (book.buys, book.sells)
        for price, level in side.levels()
        for order in level.orders.values()
    ] or ["empty"]


def describe_leaves(order: Order) -> str:
    """What it leaves, and before it what an iceberg shows of that."""
    terms = order.terms
    if terms is None or not terms.display:
        return str(order.leaves)
    return f"{terms.shown} of {order.leaves}"


def describe_waiting(book: Book[Order]) -> list[str]:
    """The waiting orders and their trigger prices, by entry; "empty" when there are none."""
    return [
        f"{order.side.name.lower()} {order.order_id} at {order.terms.trigger.price}"
        for order in book.waiting()
        if order.terms is not None and order.terms.trigger is not None
    ] or ["empty"]


class Market:
    """An engine that takes its commands as text and remembers the orders by their ids."""

    def __init__(self, instruments: int = 2) -> None:
        self.engine: MatchingEngine[Order] = MatchingEngine(instruments)
        self.orders: dict[int, Order] = {}

    def run(self, command: str) -> list[str]:
        """Execute one command; what it caused."""
        word, *arguments = command.split()
        out: list[Event[Order]] = []
        if word in ("book", "waiting", "suspend", "resume"):
            instrument = int(arguments[0].removeprefix("#")) if arguments else 0
            book = self.engine.books[instrument]
            if word == "book":
                return describe_book(book)
            if word == "waiting":
                return describe_waiting(book)
            book.is_suspended = word == "suspend"
            self.engine.fire(instrument, out)
        else:
            is_there = self._execute(word, arguments, command, out)
            self._check_there(self.orders[int(arguments[0])], is_there)
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
            options = parse_options(command)
            return self.engine.replace(
                self.orders[order_id],
                int(price),
                int(quantity),
                out,
                display=options.get("display"),
                trigger_price=options.get("trigger"),
            )
        order = self.orders[order_id] = parse_order(command)
        return self.engine.submit(order, parse_time_in_force(command), out)

    def _check_there(self, order: Order, is_there: bool) -> None:
        """The engine says truly whether an order is still there; if not, nothing is left of it."""
        book = self.engine.books[order.instrument_id]
        levels = book.side_of(order).levels()
        rests = any(level.orders.get(order.order_id) is order for _, level in levels)
        waits = any(waiting is order for waiting in book.waiting())
        found = rests or waits
        assert found == is_there, f"said to be there: {is_there}, rests: {rests}: {order}"
        has_budget = order.terms is not None and order.terms.budget > 0
        assert has_budget or (order.leaves > 0) == is_there, f"there: {is_there}: {order}"


def play(table: str) -> Market:
    """Play a table against an empty market."""
    market = Market()
    market.play(table)
    return market


def parse_order(text: str) -> Order:
    """The order that "buy 1 5@100" or "sell 2 5@market #1 display=2" means."""
    side, order_id, lots_at_price, *more = text.split()
    quantity, price = lots_at_price.split("@")
    order_type = OrderType.MARKET if price == "market" else OrderType.LIMIT
    options = parse_options(text)
    return Order(
        order_id=int(order_id),
        instrument_id=next((int(word[1:]) for word in more if word.startswith("#")), 0),
        side=Side[side.upper()],
        order_type=order_type,
        price=0 if order_type is OrderType.MARKET else int(price),
        quantity=int(quantity),
        self_trade_group=options.get("group", 0),
        self_trade=next(
            (SelfTrade[word[4:].upper()] for word in more if word.startswith("stp=")),
            SelfTrade.CANCEL_NEWEST,
        ),
        terms=parse_terms(more, options),
    )


def parse_options(text: str) -> dict[str, int]:
    """The options that are a name and a number."""
    pairs = (word.split("=") for word in text.split() if word[0].isalpha() and "=" in word)
    return {name: int(value) for name, value in pairs if value.isdigit()}


def parse_terms(more: list[str], options: dict[str, int]) -> Terms | None:
    """The unusual terms; None when there are none."""
    post_only = (PostOnly[word[5:].upper()] for word in more if word.startswith("post="))
    triggers = (word for word in more if word[4:6] in (">=", "<="))
    terms = Terms(
        display=options.get("display", 0),
        min_quantity=options.get("min", 0),
        post_only=next(post_only, PostOnly.NO),
        budget=options.get("budget", 0),
        trigger=next((parse_trigger(word, options) for word in triggers), None),
    )
    return terms if terms != Terms() else None


def parse_trigger(word: str, options: dict[str, int]) -> Trigger:
    """The trigger that "last>=100" means, trailing if the options say so."""
    return Trigger(
        int(word[6:]),
        Direction.RISE if word[4] == ">" else Direction.FALL,
        Reference[word[:4].upper()],
        options.get("trail", 0),
        options.get("bps", 0),
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
