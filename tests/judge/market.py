"""Readers of market data, who know nothing else, before the venue's own book.

`python -m tests.judge.market --commands 1000000` plays random flows; readers subscribe to random
views, lose messages and ask for them again, read slowly, leave and come back.
"""

from __future__ import annotations

import sys
from argparse import ArgumentParser
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from random import Random
from time import perf_counter

from exchange.market_data import messages, publisher
from exchange.market_data.feed import View
from exchange.market_data.messages import BID, HIGH, LOW, OFFER, OPEN, TRADE, VOLUME
from exchange.market_data.publisher import Publisher, Subscription
from exchange.market_data.reader import FeedReader, SymbolView
from exchange.orders import VenueOrder
from exchange.venue import Venue
from fix_engine.logon import OUR_LARGEST_MESSAGE
from fix_engine.message import Message
from fix_engine.outbound import Outbound, SharedFields
from fix_engine.timestamps import Precision
from fix_engine.validation import Validator
from matching.book import Book
from sessions.profile import Profile
from tests.judge.court import new_executor
from tests.judge.flow import ACCOUNTS, Flow
from tests.judge.steps import execute
from tests.judge.view import Clients, ObjectionError, must
from tests.support.messages import decode, dictionary

READERS = 8
LOOK_EVERY = 20


class Turns:
    """What comes behind a turn, and timers, at the hand of the judge."""

    def __init__(self, clock: Callable[[], int]) -> None:
        self.open = clock
        self.due: list[Callable[[], None]] = []
        self.timers: list[Callable[[], None]] = []

    def after(self, callback: Callable[[], None]) -> None:
        self.due.append(callback)

    def call_later(self, delay_s: float, callback: Callable[[], None]) -> None:
        self.timers.append(callback)

    def turn(self) -> None:
        """One turn."""
        due, self.due = self.due, []
        for callback in due:
            callback()

    def settle(self) -> None:
        """Every turn, and every timer, until nothing is left."""
        while self.due or self.timers:
            self.turn()
            timers, self.timers = self.timers, []
            for callback in timers:
                callback()


class Reader:
    """A session that reads one view; as a Peer, what it is sent goes through the codec."""

    number, comp_id, profile, next_in = 1, b"READER", Profile, 1

    def __init__(self, view: View, name: int, validator: Validator) -> None:
        self.view = view
        self.own = b"262=%d\x01" % name
        self.reader = FeedReader()
        self.is_ready = True
        self.loses = False
        self.lost = 0
        self.subscription: Subscription | None = None
        self.messages: Counter[str] = Counter()
        self._waiting: list[Callable[[], None]] = []
        self._outbound = Outbound(b"V" * 64, b"R" * 64, Precision.NANOSECONDS)
        self._validator = validator

    def stream(self, msg_type: bytes, own: bytes, shared: SharedFields) -> None:
        must(own == self.own, "somebody else's MDReqID")
        _, raw = self._outbound.number_shared(msg_type, own, shared, 0)
        must(len(raw) <= OUR_LARGEST_MESSAGE, f"a message of {len(raw)} bytes")
        message = decode(raw)
        self.messages[message.msg_type.decode()] += 1
        if self.messages.total() % 50 == 1:
            fault = self._validator.check(message)
            must(fault is None, f"{fault} of {raw!r}")
        self.take(message)

    def take(self, message: Message) -> None:
        if self.loses and message.msg_type == b"X":
            self.lost += 1
            return
        for view in self.reader.take(message):
            if view.is_whole and view.missing is None and view.checksum is not None:
                must(view.checksum == view.own_checksum(), "BookChecksum differs")

    def when_ready(self, callback: Callable[[], None]) -> None:
        self._waiting.append(callback)

    def read_on(self) -> None:
        self.is_ready = True
        waiting, self._waiting = self._waiting, []
        for callback in waiting:
            callback()


class Market:
    """A venue, its publisher and its readers; see the module."""

    def __init__(self, seed: int) -> None:
        self.random = Random(seed)
        self.flow = Flow(seed)
        self.executor = new_executor()
        self.clients = Clients(ACCOUNTS, self.flow.fees())
        self.turns = Turns(lambda: self.executor.venue.state.now)
        self.publisher = Publisher(self.executor, self.turns, self.turns.call_later)  # type: ignore[arg-type]
        self.readers: list[Reader] = []
        self.seen: Counter[str] = Counter()
        self.trades: dict[int, list[tuple[int, int]]] = {}
        self._names = 0
        self._validator = Validator(dictionary())

    def play(self, commands: int) -> None:
        """So many commands, with looks in between."""
        random = self.random
        for number in range(commands):
            step = self.flow.next(self.clients, self.executor.venue.next_due)
            outcome = execute(self.executor, step)
            self.clients.take(step, [one for one in outcome.reports if one.session in ACCOUNTS])
            self.publisher.on_executed(step.position, step.now, [])
            if self.executor.venue.rules is None or not len(self.executor.venue.state.listing):
                continue
            self._stir()
            if random.random() < 0.5:
                self.turns.turn()
            if number % LOOK_EVERY == LOOK_EVERY - 1:
                self.look()

    def _stir(self) -> None:
        """Readers come, go, stop reading, lose what they are sent."""
        random = self.random
        if len(self.readers) < READERS and random.random() < 0.3:
            self._join()
        for one in list(self.readers):
            chance = random.random()
            if chance < 0.01:
                self._leave(one)
            elif chance < 0.03:
                one.is_ready = False
            elif chance < 0.06:
                one.read_on()
            elif chance < 0.09:
                one.loses = True
            elif one.loses and chance < 0.5:
                self._repair(one)
            elif chance > 0.99:
                assert one.subscription is not None
                self.publisher.refresh(one.subscription)

    def _join(self) -> None:
        random = self.random
        kinds = random.sample([BID, OFFER, TRADE, OPEN, HIGH, LOW, VOLUME], random.randint(1, 7))
        is_aggregated = random.random() < 0.7
        view = View(
            random.randrange(len(self.executor.venue.state.listing)),
            frozenset(kinds),
            random.choice([0, 1, 2, 3, 5, 10]) if is_aggregated else 0,
            is_aggregated,
            random.random() < 0.3,
            random.choice([0, 0, 50]),
            is_aggregated and {BID, OFFER} <= set(kinds) and random.random() < 0.5,
        )
        self._names += 1
        reader = Reader(view, self._names, self._validator)
        self.readers.append(reader)
        reader.subscription = self.publisher.subscribe(reader, reader.own, view)  # type: ignore[arg-type]

    def _leave(self, reader: Reader) -> None:
        assert reader.subscription is not None
        self.readers.remove(reader)
        self.seen.update(reader.messages)
        self.publisher.end(reader.subscription)

    def _repair(self, reader: Reader) -> None:
        """What any client does that has missed something."""
        reader.loses = False
        assert reader.subscription is not None
        for view in reader.reader.views.values():
            if view.missing is not None:
                self.seen["repair"] += 1
                self.publisher.repeat(reader.subscription, *view.missing)

    def look(self) -> None:
        """Let all be told, then compare each reader's book with the venue's."""
        for one in self.readers:
            one.read_on()
        self.turns.settle()
        for one in self.readers:
            self._repair(one)
            if one.lost:  # the last messages, so nothing says that they are missing
                one.lost = 0
                assert one.subscription is not None
                self.publisher.refresh(one.subscription)
        self.turns.settle()
        for one in self.readers:
            compare(self.executor.venue, one.view, next(iter(one.reader.views.values())))


def compare(venue: Venue, wanted: View, seen: SymbolView) -> None:
    """Raise ObjectionError where a view is not what the venue has."""
    state = venue.state
    number = wanted.instrument_id
    book, instrument = state.engine.books[number], state.listing[number]
    must(seen.is_whole and seen.missing is None, f"{wanted}: not whole: {seen}")
    prices, quantities = instrument.prices.format, instrument.quantities.format
    for kind, side in ((BID, book.buys), (OFFER, book.sells)):
        if kind not in wanted.kinds:
            must(not seen.levels[kind] and not seen.orders[kind], f"{wanted}: unasked")
        elif wanted.is_aggregated:
            ours = [
                (prices(price), quantities(level.quantity - level.hidden), len(level.orders))
                for price, level in side.levels()
            ]
            theirs = [(one.price, one.size, int(one.orders)) for one in seen.best(kind)]
            ours = ours[: wanted.depth] if wanted.depth else ours
            must(ours == theirs, f"{wanted}: {kind!r}\n  {ours}\n  {theirs}")
        else:
            orders = _orders(book, kind == BID)
            mine = [
                (b"%d" % one.order_id, prices(one.price), quantities(shown))
                for one, shown in orders
            ]
            read = [
                (order_id, entry[b"270"], entry[b"271"])
                for order_id, entry in _by_priority(seen, kind)
            ]
            must(mine == read, f"{wanted}: {kind!r}\n  {mine}\n  {read}")
    day = state.days[number]
    if day.is_over(state.now):
        return
    figures = {OPEN: day.open, HIGH: day.high, LOW: day.low}
    expected = {kind: prices(value) for kind, value in figures.items() if kind in wanted.kinds}
    if VOLUME in wanted.kinds:
        expected[VOLUME] = quantities(day.volume)
    must(expected == seen.statistics, f"{wanted}: {expected} {seen.statistics}")
    if TRADE in wanted.kinds and seen.trades:
        last = seen.trades[-1]
        must((last[b"270"], last[b"271"]) == (prices(day.last), quantities(day.last_quantity)), "")


def _orders(book: Book[VenueOrder], are_buys: bool) -> list[tuple[VenueOrder, int]]:
    side = book.buys if are_buys else book.sells
    return [
        (order, (order.terms is not None and order.terms.shown) or order.leaves)
        for _, level in side.levels()
        for order in level.orders.values()
    ]


def _by_priority(seen: SymbolView, kind: bytes) -> list[tuple[bytes, dict[bytes, bytes]]]:
    """Best price first, then as they came: what the feed promises about order."""
    sign = -1 if kind == BID else 1
    return sorted(seen.orders[kind].items(), key=lambda one: sign * float(one[1][b"270"]))


@contextmanager
def small_turns(random: Random) -> Iterator[None]:
    """So little in a turn, in most flows, that small books take many, and messages."""
    with ExitStack() as stack:
        if random.random() < 0.75:
            for owner, name, most in (
                (publisher, "_WORK_AT_ONCE", 12),
                (publisher, "_AT_ONCE", 8),
                (messages, "_MAX_ENTRIES_BYTES", 600),
            ):
                former = getattr(owner, name)
                stack.callback(setattr, owner, name, former)
                setattr(owner, name, random.randint(most // 6, most))
        yield


def play(seed: int, commands: int) -> Counter[str]:
    """One flow; what was seen. Raises ObjectionError with the seed."""
    market = Market(seed)
    try:
        with small_turns(Random(seed)):
            market.play(commands)
            market.look()
    except (ObjectionError, AssertionError, KeyError) as error:
        position = market.executor.venue.state.position
        raise ObjectionError(f"seed {seed}, position {position}: {error!r}") from error
    for one in list(market.readers):
        market._leave(one)
    must(market.executor.venue.state.tape is None, "still watched")
    return market.seen


def main() -> int:
    """Play flows until one fails."""
    parser = ArgumentParser(prog="python -m tests.judge.market", description=__doc__)
    parser.add_argument("--commands", type=int, default=1_000_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--per-flow", type=int, default=1_000)
    arguments = parser.parse_args()
    seen: Counter[str] = Counter()
    start = perf_counter()
    for played in range(0, arguments.commands, arguments.per_flow):
        seed = arguments.seed + played // arguments.per_flow
        seen.update(play(seed, arguments.per_flow))
        done = played + arguments.per_flow
        if done % 20_000 == 0 or done >= arguments.commands:
            rate = done / (perf_counter() - start)
            print(f"{done:,} commands, {rate:,.0f}/s, last seed {seed}, {dict(seen)}", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
