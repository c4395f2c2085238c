"""The venue is a function of its journal: replayed it is the same, cut off nothing is lost."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from exchange.snapshot import digest_of
from sessions.journal import segment_path
from tests.support.world import STREAMED, Client, World


def trade_at_random(world: World, clients: list[Client], rng: random.Random, steps: int) -> None:
    """Orders, cancels and replacements, near each other so that they trade; and some streaming."""
    for _ in range(steps):
        client = rng.choice(clients)
        name, side = f"{client.comp_id}-{client.seq}", rng.choice("12")
        price, quantity = f"{rng.randint(95, 105)}", f"{rng.randint(1, 9)}"
        known = [report[11] for report in client.received if report.get(150) == "0"]
        what = rng.random()
        if what < 0.6 or not known:
            more = rng.choice(("59=1|", "59=1|", "59=3|", "59=4|"))
            client.order(name, side, quantity, price, more)
            continue
        target = rng.choice(known)
        sides = {r[11]: r[54] for r in client.received if 54 in r}
        head = f"11={name}|41={target}|55=BTC/USD|54={sides[target]}|60=<now>|38={quantity}|"
        if what < 0.8:
            client.ask(f"35=F|{head}")
        elif what < 0.95:
            client.ask(f"35=G|{head}40=2|44={price}|")
        else:
            client.drop()
            client.connect()
            client.send("35=A|98=0|108=30|" + rng.choice(("8013=Y|", "8013=N|", "")))
        if client.seq % 4 == 0:
            client.stream(client.seq % 3)
        world.now += rng.randint(1, 10**9)


@pytest.mark.parametrize("seed", range(12))
def test_a_replayed_journal_gives_the_same_state(seed: int, tmp_path: Path) -> None:
    rng = random.Random(seed)
    world = World(tmp_path)
    clients = [world.client(f"C{number}") for number in range(4)]
    trade_at_random(world, clients, rng, 250)
    for client in clients:
        client.drop()
    before = digest_of(world.venue)
    numbers = [(e.comp_id, e.session.next_in, e.session.next_out) for e in world.registry]
    position = world.journal.position
    world.journal.close()

    again = World(tmp_path)
    assert digest_of(again.venue) == before, f"seed {seed}"
    assert again.journal.position == position
    assert numbers == [
        (e.comp_id, e.session.next_in, e.session.next_out) for e in again.registry
    ], f"seed {seed}"


@pytest.mark.parametrize("seed", range(8))
def test_a_crash_at_any_byte_loses_nothing_that_was_seen(seed: int, tmp_path: Path) -> None:
    """Cut the journal anywhere: what remains is a past state, and the clients heal from it."""
    rng = random.Random(seed)
    world = World(tmp_path / "live")
    sizes: list[tuple[int, dict[str, int]]] = []
    clients = [world.client(f"C{number}") for number in range(3)]
    for _ in range(40):
        trade_at_random(world, clients, rng, 3)
        size = segment_path(tmp_path / "live", 1).stat().st_size
        sizes.append((size, {client.comp_id: len(client.raw) for client in clients}))
    whole = segment_path(tmp_path / "live", 1).read_bytes()
    by_number = {client.comp_id: client.raw for client in clients}
    for attempt in range(6):
        durable, seen = rng.choice(sizes)
        cut = min(len(whole), durable + rng.randint(0, 400))
        directory = tmp_path / f"cut{attempt}"
        directory.mkdir()
        segment_path(directory, 1).write_bytes(whole[:cut])
        again = World(directory)
        for client in clients:
            check_client(again, client.comp_id, by_number[client.comp_id][: seen[client.comp_id]])
        again.journal.close()


def check_client(world: World, comp_id: str, seen: list[bytes]) -> None:
    """A client that saw these messages before the crash finds each of them stored, unchanged.

    Of what was streamed nothing is stored, and its number is not used again.
    """
    first_again = max(
        (place for place, raw in enumerate(seen) if b"\x0135=A\x01" in raw and b"141=Y" in raw),
        default=0,
    )
    endpoint = next(e for e in world.registry if e.comp_id == comp_id.encode())
    stored = dict(endpoint.sent.fetch(1, endpoint.session.next_out))
    for raw in seen[first_again:]:
        seq = int(raw.split(b"\x0134=", 1)[1].split(b"\x01", 1)[0])
        if STREAMED in raw:
            assert seq not in stored
            assert seq < endpoint.session.next_out
        elif b"\x0143=Y\x01" not in raw:
            assert stored[seq] == raw


def test_a_client_gets_each_report_it_missed_exactly_once(tmp_path: Path) -> None:
    world = World(tmp_path)
    maker, taker = world.client("MAKER"), world.client("TAKER")
    for number in range(20):
        maker.order(f"m{number}", "sell", "1", "100")
    expected = maker.received[-1][34]
    maker.drop()
    taker.order("t", "buy", "20", "100")
    world.journal.close()

    again = World(tmp_path)
    maker = Client(again, "MAKER")
    maker.seq = 22
    maker.connect()
    maker.send("35=A|98=0|108=30|")
    (logon,) = maker.take()
    missed = range(int(expected) + 1, int(logon[34]))
    maker.send(f"35=2|7={missed[0]}|16=0|")
    resent = maker.take()
    fills = [report for report in resent if report.get(150) == "F"]
    assert [report[11] for report in fills] == [f"m{number}" for number in range(20)]
    assert [int(report[34]) for report in resent if report[35] == "8"] == list(missed)
    assert all(report[43] == "Y" and 122 in report for report in fills)


def test_sessions_that_were_up_at_the_crash_are_lost(tmp_path: Path) -> None:
    world = World(tmp_path)
    careful, careless = world.client("CAREFUL", "108=30|8013=Y|"), world.client("CARELESS")
    careful.order("a", "buy", "1", "100")
    careless.order("b", "buy", "1", "100")
    world.journal.close()  # kill -9: nobody is told
    again = World(tmp_path)
    assert again.venue.open_orders() == 1
    assert again.venue.sessions_up() == []
