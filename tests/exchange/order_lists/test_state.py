"""Lists survive: snapshots, replays, and whatever chance brings about."""

from __future__ import annotations

import random
import shutil
from pathlib import Path

import pytest

from exchange.order_lists import OrderList, has_moved
from exchange.rerun import Rerun
from exchange.rights import withheld_types
from exchange.snapshot import digest_of, dump_venue, load_venue
from exchange.tools.verify import Verifier
from exchange.venue import Venue
from sessions.snapshot import Snapshot, read_snapshots, write_snapshot
from tests.exchange.order_lists.support import (
    OCO,
    OTO,
    lines,
    member,
    oco,
    otoco,
    request,
    send,
    traders,
)
from tests.exchange.test_recovery import trade_at_random
from tests.exchange.tools.days import batches_of
from tests.support.messages import decode
from tests.support.world import Client, World

DAY_NS = 24 * 3600 * 10**9


def list_at_random(client: Client, rng: random.Random) -> str:
    """A list of any kind, most of which can be taken."""
    name = f"{client.comp_id}-L{client.seq}"
    side, other = rng.choice((("buy", "sell"), ("sell", "buy")))
    sign = 1 if side == "buy" else -1
    more = rng.choice(("59=1|", "59=1|", "59=0|", "59=1|8013=Y|", "59=1|18=6|"))

    def limit(number: int, side: str) -> tuple[str, str]:
        price = rng.randint(96, 104)
        return member(f"{name}.{number}", side, f"{rng.randint(1, 9)}", f"{price}", more=more)

    def stop(number: int, sign: int) -> tuple[str, str]:
        price = 100 + sign * rng.randint(0, 4)
        side = "buy" if sign > 0 else "sell"
        return member(f"{name}.{number}", side, f"{rng.randint(1, 9)}", stop=f"{price}")

    kind = rng.randrange(4)
    if kind == 0:
        orders = [limit(number, rng.choice((side, other))) for number in range(rng.randint(1, 5))]
        return request(name, "", *orders)
    if kind == 1:
        return request(name, OCO, limit(0, side), stop(1, sign))
    if kind == 2:
        return request(name, OTO, limit(0, side), limit(1, other))
    return request(name, OTO, limit(0, side), limit(1, other), stop(2, -sign))


def trade_lists(world: World, clients: list[Client], rng: random.Random, steps: int) -> None:
    """Lists among orders, cancels, replacements, lost connections, and ends of days."""
    for _ in range(steps):
        trade_at_random(world, clients, rng, rng.randint(0, 3))
        client = rng.choice(clients)
        if client.is_connected:
            client.ask(list_at_random(client, rng))
        check(world)
        if rng.random() < 0.05:
            world.now += DAY_NS // 2
            world.sequencer.on_time(world.open_turn())
            world.turn()
            check(world)


def live(world: World) -> list[OrderList]:
    """The lists that are not done."""
    accounts = world.venue.state.accounts.values()
    return [one for account in accounts for one in account.lists.values() if one is not None]


def check(world: World) -> None:
    """No list has anything left to do."""
    found = live(world)
    assert world.venue.state.live_lists == len(found)
    for one in found:
        assert any(order.is_open for order in one.orders), one.list_id
        pair = one.pair
        if any(has_moved(order) for order in pair):
            assert one.moved in pair
            assert sum(order.is_open for order in pair) <= 1, one.list_id
        if one.contingency == 2:
            first, *others = one.orders
            assert first.is_open or not any(order.is_pending for order in others if order.is_open)
            if first.is_open:
                assert all(order.is_pending or not order.is_open for order in others)


@pytest.mark.parametrize("seed", range(8))
def test_every_list_is_answered_once_and_done_once(seed: int) -> None:
    rng, world = random.Random(seed), World()
    clients = [world.client(f"C{number}") for number in range(3)]
    trade_lists(world, clients, rng, 60)
    said = {endpoint.comp_id.decode(): endpoint for endpoint in world.registry}
    for client in clients:
        client.ask("35=q|11=last|530=7|60=<now>|")
        sent = [decode(raw) for raw in client.sent]
        asked = [message.get(b"66") for message in sent if message.msg_type == b"E"]
        endpoint = said[client.comp_id]
        told = [
            (message.get(b"429"), message.get(b"66"), message.get(b"431"))
            for _, raw in endpoint.sent.fetch(1, endpoint.session.next_out - 1)
            if (message := decode(raw)).msg_type == b"N"
        ]
        answered = [list_id for kind, list_id, _ in told if kind == b"1"]
        taken = {list_id for kind, list_id, status in told if kind == b"1" and status == b"3"}
        done = [list_id for kind, list_id, _ in told if kind == b"5"]
        assert asked == answered, f"seed {seed}"
        assert len(done) == len(set(done)), f"seed {seed}"
        assert set(done) == taken, f"seed {seed}"
    check(world)
    assert not live(world), f"seed {seed}"


@pytest.mark.parametrize("seed", range(6))
def test_a_venue_with_lists_is_what_its_dump_says(seed: int) -> None:
    rng, world = random.Random(seed), World()
    clients = [world.client(f"C{number}") for number in range(3)]
    trade_lists(world, clients, rng, 40)
    assert live(world), "there is something to dump"
    dump = dump_venue(world.venue)
    again = Venue()
    load_venue(dump, again)
    assert dump_venue(again) == dump, f"seed {seed}"
    assert again.state.live_lists == world.venue.state.live_lists


@pytest.mark.parametrize("seed", range(5))
def test_a_start_from_a_snapshot_goes_on_as_one_from_the_beginning(
    seed: int, tmp_path: Path
) -> None:
    live_directory, plain = tmp_path / "live", tmp_path / "plain"
    rng, world = random.Random(seed), World(live_directory)
    clients = [world.client(f"C{number}") for number in range(3)]
    trade_lists(world, clients, rng, 30)
    write_snapshot(live_directory, world.registry.snapshot())
    trade_lists(world, clients, rng, 30)
    digest = digest_of(world.venue)
    for client in clients:
        client.drop()
    world.journal.close()
    (snapshot,) = read_snapshots(live_directory)
    assert isinstance(snapshot, Snapshot)
    shutil.copytree(live_directory, plain, ignore=shutil.ignore_patterns("snapshot-*"))
    for begin in (None, snapshot):  # to the byte, from either place
        verifier = Verifier(Rerun())
        verifier.snapshots = {} if begin else {snapshot.place.offset: snapshot}
        if begin:
            verifier.resume(begin)
        for batch in batches_of(plain):
            if begin is None or batch.end > begin.place.offset:
                assert verifier.check(batch) is None, f"seed {seed}"
    quick, slow = World(live_directory), World(plain)
    assert digest_of(quick.venue) == digest_of(slow.venue), f"seed {seed}"
    assert quick.venue.state.live_lists == slow.venue.state.live_lists
    assert digest


def test_the_orders_of_a_list_that_is_not_done_outlive_their_names() -> None:
    world, one, two = traders()
    world.venue.state.remembered = 0
    otoco(one)
    two.order("s", "sell", "1", "100")
    assert not any(b"first" in account.names for account in world.venue.state.accounts.values())
    dump = dump_venue(world.venue)
    again = Venue()
    load_venue(dump, again)
    assert dump_venue(again) == dump
    lines(one)
    one.send("35=F|11=x|41=stop|55=BTC/USD|54=2|60=<now>|")
    assert lines(one)[-1] == "N L 5/6 [first:2 1 0 0, limit:4 0 0 1, x:4 0 0 1]"


def test_a_list_is_refused_while_the_journal_has_no_room(monkeypatch: pytest.MonkeyPatch) -> None:
    world, one, _ = traders()
    monkeypatch.setattr(type(world.journal), "lack", "disk full", raising=False)
    assert oco(one)[0].startswith("j None No orders for now: the journal has no room")
    assert not live(world)


def test_a_list_is_found_among_the_orders_that_need_their_right() -> None:

    assert withheld_types([])[b"E"] == "orders"


def test_a_post_only_order_that_would_trade_at_its_effective_time_is_cancelled() -> None:
    """It has no request any more that could be refused."""
    world, one, two = traders()
    more = "18=6|59=1|168=20270115-08:00:05|"
    assert send(one, "L", "", member("a", "buy", "1", "100", more=more))[0] == "8 a A/A 0 1"
    two.order("s", "sell", "1", "100")
    world.now += 6 * 10**9
    world.sequencer.on_time(world.open_turn())
    world.turn()
    assert lines(one) == ["8 a 4/4 0 0", "N L 5/6 [a:4 0 0 1]"]
