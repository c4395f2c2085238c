"""Quotes at random, among orders of every kind: what must hold, whatever comes."""

from __future__ import annotations

import random
from decimal import Decimal
from pathlib import Path

import pytest

from exchange.executor import Executor
from exchange.rerun import Rerun
from exchange.snapshot import digest_of, dump_venue
from exchange.tools.verify import Verifier
from matching.digest import check_invariants
from matching.order import Side
from sessions.endpoint import Endpoint
from tests.exchange.test_fuzz import Vandal, mutate, whole_message
from tests.exchange.test_fuzz import _give_up as give_up
from tests.exchange.tools.days import batches_of
from tests.support.messages import dictionary
from tests.support.quoting import (
    check_sent,
    entry,
    guarded_rules,
    maker,
    mass_quote,
    quote_cancel,
)
from tests.support.world import Client, World

_SYMBOLS = ("BTC/USD", "ETH/USD")
Sizes = dict[tuple[str, str], Decimal]  # by Symbol and Side: what a maker believes to be open


@pytest.fixture(autouse=True)
def _guarded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tests.support.world.make_rules", guarded_rules)
    # Stops are in the parser and not yet in the dictionary.
    monkeypatch.setitem(dictionary().field_named("OrdType").values, b"4", "STOP_LIMIT")


def quote_at_random(client: Client, rng: random.Random) -> None:
    entries = []
    for symbol in rng.sample(_SYMBOLS, rng.randint(1, 2)):
        bid = rng.randint(96, 103)
        prices = (f"{bid}", f"{bid + rng.randint(0, 3)}")
        sizes = rng.choice(("0", "1", "2", "", "0.5")), rng.choice(("0", "1", "2", "3"))
        entries.append(entry(f"e{client.seq}", *prices, *sizes, symbol=symbol))
    more = rng.choice(("", "", "8022=Y|"))
    client.ask(mass_quote(f"q{client.seq}", *entries, more=more))


def order_at_random(client: Client, rng: random.Random) -> None:
    """Limit and market orders, stops among them, that may meet the client's own quotes."""
    side, symbol = rng.choice(("buy", "sell")), rng.choice(_SYMBOLS)
    more = rng.choice(("59=1|", "59=3|", "59=1|7928=D|", "59=1|7928=O|", "59=1|7928=B|"))
    price = f"{rng.randint(96, 106)}"
    name = f"{client.comp_id}-{client.seq}"
    if rng.random() < 0.25:
        reference = ("1" if side == "buy" else "3") if rng.random() < 0.5 else "2"
        terms = f"38=1|40=4|44={price}|99={rng.randint(96, 106)}|1107={reference}|59=1|"
        code = "1" if side == "buy" else "2"
        client.ask(f"35=D|11={name}|55={symbol}|54={code}|60=<now>|{terms}")
    else:
        client.order(name, side, rng.choice(("0.3", "1", "4")), price, more, symbol)


def act_at_random(world: World, clients: list[Client], rng: random.Random, steps: int) -> None:
    for _ in range(steps):
        client = rng.choice(clients)
        what = rng.random()
        if what < 0.45:
            quote_at_random(client, rng)
        elif what < 0.85:
            order_at_random(client, rng)
        elif what < 0.93:
            client.ask(quote_cancel(f"z{client.seq}", *rng.choice(((), _SYMBOLS[:1]))))
        elif what < 0.97:
            client.ask(f"35=q|11=m{client.seq}|530=7|54={rng.choice('12')}|60=<now>|")
        else:
            client.drop()
            client.connect()
            client.send("35=A|98=0|108=30|")
        world.now += rng.choice((0, 1_000_000, 400_000_000))


def check_quotes(world: World, where: str) -> None:
    """One quote for each session and instrument, not crossed, of orders that are open."""
    state = world.venue.state
    check_invariants(state.engine)
    sides = 0
    for number, session in state.sessions.items():
        assert session.is_up or not session.quotes, where
        for instrument_id, quote in session.quotes.items():
            orders = quote.orders()
            assert orders, where
            sides += len(orders)
            for order in orders:
                assert order.conditions is not None
                assert order.conditions.quote is quote, where
                assert (order.session, order.instrument_id) == (number, instrument_id), where
                assert order.owner.open[order.order_id] is order, where
                assert order.owner.names[order.cl_ord_id] is order, where
                assert order.leaves > 0, where
                assert order in list(state.engine.books[instrument_id].orders()), where
            if quote.bid is not None and quote.offer is not None:
                assert quote.bid.price < quote.offer.price, where
    quoted = [
        order
        for account in state.accounts.values()
        for order in account.open.values()
        if order.conditions is not None and order.conditions.quote is not None
    ]
    assert len(quoted) == sides, where
    assert not state.pulled, where
    assert not state.breaches, where


def believe(sizes: Sizes, raw: bytes, is_cancel: bool) -> None:
    """What a maker makes of a message of the venue."""
    fields = [pair.partition("=")[::2] for pair in raw.decode().split("\x01")[:-1]]
    first = dict(reversed(fields))
    if first["35"] == "8" and first["150"] == "F" and "299" in first:
        sizes[first["55"], first["54"]] = Decimal(first["151"])
    elif first["35"] == "AI":
        sizes[first["55"], "1"], sizes[first["55"], "2"] = (
            Decimal(first["134"]),
            Decimal(first["135"]),
        )
    elif first["35"] == "b" and first["297"] == "0":
        entries: list[dict[str, str]] = []
        for tag, value in fields:
            if tag == "299":
                entries.append({})
            if entries:
                entries[-1].setdefault(tag, value)
        for one in entries:
            if "368" not in one:
                sizes[one["55"], "1"] = Decimal(one.get("134", "0"))
                sizes[one["55"], "2"] = Decimal(one.get("135", "0"))
    elif first["35"] == "b" and is_cancel:
        for symbol, side in sizes:
            if first["297"] == "4" or symbol == _SYMBOLS[0]:
                sizes[symbol, side] = Decimal(0)


def open_sizes(world: World, number: int) -> Sizes:
    found = {}
    for quote in world.venue.state.sessions[number].quotes.values():
        for order in quote.orders():
            size = order.instrument.quantities.format(order.leaves).decode()
            symbol = order.instrument.symbol.decode()
            found[symbol, "1" if order.side is Side.BUY else "2"] = Decimal(size)
    return found


@pytest.mark.parametrize("seed", range(12))
def test_random_quotes_keep_the_invariants_and_their_makers_informed(seed: int) -> None:
    rng = random.Random(seed)
    world = World()
    clients = [maker(world, f"C{number}", ("MM", "MM", "")[number]) for number in range(3)]
    believed: list[Sizes] = [{} for _ in clients]
    read = [len(client.raw) for client in clients]
    for step in range(250):
        where = f"seed {seed}, step {step}"
        act_at_random(world, clients, rng, 1)
        assert not world.failures, where
        check_quotes(world, where)
        for number, client in enumerate(clients):
            sent = client.sent[-1]
            for raw in client.raw[read[number] :]:
                believe(believed[number], raw, b"\x0135=Z\x01" in sent)
                if b"\x0135=A\x01" in raw:
                    believed[number].clear()
            read[number] = len(client.raw)
            told = {side: size for side, size in believed[number].items() if size}
            assert told == open_sizes(world, number + 1), where
    for client in clients:
        check_sent(client)


def verified(directory: Path) -> Verifier:
    verifier = Verifier(Rerun())
    for batch in batches_of(directory):
        assert verifier.check(batch) is None
    return verifier


@pytest.mark.parametrize("seed", range(5))
def test_a_journal_with_quotes_is_verified_and_a_restart_takes_them_out(
    seed: int, tmp_path: Path
) -> None:
    rng = random.Random(seed)
    world = World(tmp_path)
    clients = [maker(world, f"C{number}") for number in range(3)]
    act_at_random(world, clients, rng, 200)
    digest = digest_of(world.venue)
    world.journal.close()
    verifier = verified(tmp_path)
    assert digest_of(verifier.rerun.venue) == digest, f"seed {seed}"
    again = World(tmp_path)
    check_quotes(again, f"seed {seed}")
    assert all(not one.quotes for one in again.venue.state.sessions.values())


@pytest.mark.parametrize("seed", range(8))
def test_a_restored_venue_goes_on_identically(seed: int, tmp_path: Path) -> None:
    """With its quotes in the market and the fills of its protection counted."""
    rng = random.Random(seed)
    world = World(tmp_path)
    clients = [maker(world, f"C{number}") for number in range(3)]
    act_at_random(world, clients, rng, 120)
    for client in clients:
        quote_at_random(client, rng)
    dump, position = dump_venue(world.venue), world.journal.position
    restored = Executor()
    restored.restore(dump)
    assert restored.snapshot() == dump, f"seed {seed}"
    act_at_random(world, clients, rng, 120)
    world.journal.close()
    verifier = Verifier(Rerun())
    for batch in batches_of(tmp_path):
        if batch.first_position > position:
            verifier.rerun.executor = restored
        assert verifier.check(batch) is None, f"seed {seed}"
    assert restored.snapshot() == dump_venue(world.venue), f"seed {seed}"


def hostile(rng: random.Random, number: int) -> list[str]:
    """A request about quotes with something wrong in it."""
    prices = f"{rng.randint(98, 102)}", f"{rng.randint(98, 104)}"
    entries = [entry(f"e{n}", *prices, symbol=_SYMBOLS[n]) for n in range(rng.randint(1, 2))]
    request = rng.choice(
        (
            mass_quote(f"q{number}", *entries),
            mass_quote(f"q{number}", *entries, more=f"301={rng.randint(0, 3)}|8022=Y|8016=9|"),
            quote_cancel(f"z{number}", *_SYMBOLS),
            quote_cancel(f"z{number}"),
        )
    )
    return mutate(rng, request[:-1].split("|"))


@pytest.mark.parametrize("seed", range(10))
def test_hostile_quotes_are_answered_and_break_nothing(
    seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Endpoint, "_renew", give_up)  # it would hide what we are looking for
    rng = random.Random(seed)
    world = World()
    vandal = Vandal(world, "VANDAL")
    vandal.log_on_again()
    for number in range(250):
        if not vandal.is_connected:
            vandal.log_on_again()
        before = len(vandal.received)
        fields = hostile(rng, number)
        raw = whole_message(vandal, rng, fields)
        vandal.feed(raw)
        world.turn()
        assert not world.failures, f"seed {seed}, message {number}: {raw!r}"
        answers = [one[35] for one in vandal.received[before:]]
        assert answers.count("b") <= 1, f"seed {seed}, message {number}: {raw!r}"
        check_quotes(world, f"seed {seed}, message {number}: {raw!r}")
    check_sent(vandal)
