"""Books too large for one turn: taken down, encoded and told in many, and consistent."""

from __future__ import annotations

import pytest

from exchange.market_data import publisher
from exchange.market_data.reader import FeedReader, SymbolView
from tests.exchange.market_data.support import (
    by_order,
    ended,
    entries,
    field,
    market,
    request,
    sent,
    types,
)
from tests.exchange.market_data.test_publisher import one_turn, publishers
from tests.support.messages import decode
from tests.support.world import Client, World

_ORDERS = 300


@pytest.fixture(autouse=True)
def _little_in_a_turn(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(publisher, "_WORK_AT_ONCE", 25)
    monkeypatch.setattr(publisher, "_AT_ONCE", 4)


def filled(*readers: str) -> tuple[World, Client, list[Client]]:
    """A book of many orders, those of one price among them, and who may read it."""
    world, (maker, *others) = market("MAKER", *readers)
    for number in range(_ORDERS):
        side, price = ("buy", 900 - number % 90) if number % 2 else ("sell", 1000 + number % 90)
        maker.order(f"m{number}", side, "2", str(price))
    return world, maker, others


def told(client: Client) -> SymbolView:
    """What a reader knows by all that it was sent."""
    reader = FeedReader()
    for raw in client.raw:
        for view in reader.take(decode(raw)):
            assert view.missing is None
    return reader.views[b"BTC/USD"]


def in_order(seen: SymbolView, kind: bytes) -> list[int]:
    """OrderIDs by price, best first, then as they came."""
    sign = -1 if kind == b"0" else 1
    found = sorted(seen.orders[kind].items(), key=lambda one: sign * float(one[1][b"270"]))
    return [int(name) for name, _ in found]


def resting(world: World) -> tuple[list[int], list[int]]:
    """OrderIDs in the book."""
    book = world.venue.state.engine.books[0]
    buys, sells = (
        [order.order_id for _, level in side.levels() for order in level.orders.values()]
        for side in (book.buys, book.sells)
    )
    return buys, sells


def stir(maker: Client, number: int) -> None:
    """Orders come, go, change and trade, at the best prices and at the worst."""
    maker.send(
        f"35=F|11=c{number}|41=m{7 * number}|55=BTC/USD|54={1 + (7 * number + 1) % 2}|60=<now>|",
        end_turn=False,
    )
    for side, price in ((1, 811 + number), (2, 1089 - number), (1, 1000)):
        maker.send(
            f"35=D|11=n{number}-{price}|55=BTC/USD|54={side}|60=<now>|38=1|40=2|44={price}|",
            end_turn=False,
        )
    maker.send(
        f"35=G|11=r{number}|41=m{7 * number + 3}|55=BTC/USD|54={1 + (7 * number + 4) % 2}"
        f"|60=<now>|38=5|40=2|44={850 if (7 * number + 3) % 2 else 1050}|",
        end_turn=False,
    )


def test_a_large_book_takes_many_turns_in_which_others_are_served() -> None:
    world, maker, (reader,) = filled("READER")
    reader.send(by_order("r"), end_turn=False)
    turns, number = 0, 0
    while world._due:
        before, answered = len(reader.raw), len(maker.raw)
        if number < 20:
            stir(maker, number)
            number += 1
        one_turn(world)
        assert number >= 20 or len(maker.raw) - answered >= 5
        assert len(reader.raw) - before <= 5, "a few messages in a turn"
        turns += 1
    assert turns > _ORDERS / 25 * 2
    shown = types(reader.raw)
    assert shown.startswith("WWW")
    assert "XW" not in shown, "updates come behind the last fragment"
    snapshot = [raw for raw in reader.raw if b"\x0135=W\x01" in raw]
    assert {(field(raw, 83), field(raw, 8023)) for raw in snapshot} == {
        (field(snapshot[0], 83), field(snapshot[0], 8023))
    }
    assert [field(raw, 893) for raw in snapshot] == ["N"] * (len(snapshot) - 1) + ["Y"]
    seen = told(reader)
    assert (in_order(seen, b"0"), in_order(seen, b"1")) == resting(world)
    assert world.failures == []


def test_a_picture_is_of_its_moment_whatever_happens_while_it_is_encoded() -> None:
    world, maker, (reader,) = filled("READER")
    reader.send(by_order("r"), end_turn=False)
    while not reader.raw:
        one_turn(world)
    expected = resting(world)
    assert field(reader.raw[0], 8023) == str(world.venue.state.position)
    for number in range(20):
        stir(maker, number)
        one_turn(world)
    world.turn()
    snapshot = [one for raw in reader.raw if b"\x0135=W\x01" in raw for one in entries(raw)]
    for kind, ours in zip("01", expected, strict=True):
        assert [int(one[278]) for one in snapshot if one[269] == kind] == ours
    seen = told(reader)
    assert (in_order(seen, b"0"), in_order(seen, b"1")) == resting(world) != expected


def test_it_is_made_once_for_all_who_wait_for_it() -> None:
    world, maker, readers = filled("R1", "R2", "R3")
    for one in readers:
        one.send(by_order("r"), end_turn=False)
    for number in range(20):
        stir(maker, number)
        one_turn(world)
    world.turn()
    (publisher_of,) = publishers(world)
    assert len(publisher_of._channels) == 1
    snapshots = {
        tuple(str(entries(raw)) for raw in one.raw if b"\x0135=W\x01" in raw) for one in readers
    }
    assert len(snapshots) == 1
    for one in readers:
        seen = told(one)
        assert (in_order(seen, b"0"), in_order(seen, b"1")) == resting(world)


def test_a_snapshot_without_updates_takes_turns_and_then_nobody_follows() -> None:
    world, maker, (reader,) = filled("READER")
    reader.send(by_order("once", kind="0"), end_turn=False)
    for number in range(8):
        stir(maker, number)
        one_turn(world)
    assert len(publishers(world)) == 1
    world.turn()
    assert set(types(reader.raw)) == {"W"}
    assert field(reader.raw[-1], 893) == "Y"
    assert field(reader.raw[-1], 83) == "0"
    assert publishers(world) == []
    assert world.venue.state.tape is None


@pytest.mark.parametrize("kind", ["0", "1"])
@pytest.mark.parametrize("turns", [1, 5, 20])
def test_it_ends_with_the_connection(kind: str, turns: int) -> None:
    world, _, (reader,) = filled("READER")
    reader.send(by_order("r", kind=kind), end_turn=False)
    for _ in range(turns):
        one_turn(world)
    reader.send("35=5|", end_turn=False)
    world.turn()
    assert "Y" not in [field(raw, 893) for raw in reader.raw]
    assert publishers(world) == []
    assert world.venue.state.tape is None
    assert world._due == []


@pytest.mark.parametrize("turns", [1, 5, 20])
def test_it_ends_when_nobody_wants_it_any_more(turns: int) -> None:
    world, _, (reader,) = filled("READER")
    reader.send(by_order("r"), end_turn=False)
    for _ in range(turns):
        one_turn(world)
    sent(reader, ended("r"))
    assert "Y" not in [field(raw, 893) for raw in reader.raw]
    assert world.venue.state.tape is None


def test_asked_for_again_before_it_has_begun_it_comes_once() -> None:
    _, maker, (reader,) = filled("READER")
    for _ in range(5):
        reader.send(by_order("r"), end_turn=False)
    sent(reader, by_order("r"))
    assert [field(raw, 893) for raw in reader.raw].count("Y") == 1
    maker.order("late", "buy", "1", "700")
    assert types(reader.raw[-1:]) == "X"
    assert len(told(reader).orders[b"0"]) == _ORDERS // 2 + 1


def test_who_does_not_read_on_in_the_middle_of_it_gets_the_rest_later() -> None:
    world, maker, (slow, fast) = filled("SLOW", "FAST")
    for one in (slow, fast):
        one.send(by_order("r"), end_turn=False)
    while not slow.raw:
        one_turn(world)
    slow.is_writable = False
    for number in range(20):
        stir(maker, number)
        world.turn()
    assert field(fast.raw[-1], 893) != "N"
    assert "Y" not in [field(raw, 893) for raw in slow.raw]
    slow.read_on()
    world.turn()
    for one in (slow, fast):
        seen = told(one)
        assert (in_order(seen, b"0"), in_order(seen, b"1")) == resting(world)


def test_who_is_owed_too_much_is_told_everything_instead(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(publisher, "_MOST_OWED", 3)
    world, maker, (slow,) = filled("SLOW")
    slow.send(by_order("r"), end_turn=False)
    while not slow.raw:
        one_turn(world)
    slow.is_writable = False
    for number in range(12):
        stir(maker, number)
        world.turn()
    slow.read_on()
    world.turn()
    assert [field(raw, 893) for raw in slow.raw].count("Y") >= 2
    assert field(slow.raw[-1], 8027) == "Y"
    seen = told(slow)
    assert (in_order(seen, b"0"), in_order(seen, b"1")) == resting(world)


def test_full_refreshes_of_a_large_book_take_turns_too() -> None:
    world, maker, (reader,) = filled("READER")
    sent(reader, by_order("r", update="0"))
    for number in range(20):
        stir(maker, number)
        one_turn(world)
    world.turn()
    assert set(types(reader.raw)) == {"W"}
    assert len({field(raw, 83) for raw in reader.raw}) > 1
    buys, sells = resting(world)
    last = [raw for raw in reader.raw if field(raw, 83) == field(reader.raw[-1], 83)]
    shown = [int(one[278]) for raw in last for one in entries(raw)]
    assert shown == [*buys, *sells]


def test_many_large_snapshots_at_once_are_refused() -> None:
    world, _, (reader,) = filled("READER")
    for number in range(20):
        reader.send(by_order(f"r{number}", kind="0"), end_turn=False)
    world.turn()
    assert types(reader.raw).count("Y") == 4
    assert [field(raw, 893) for raw in reader.raw].count("Y") == 16
    assert field(next(raw for raw in reader.raw if b"\x0135=Y\x01" in raw), 281) == "2"
    assert types(sent(reader, by_order("again", kind="0"))[-1:]) == "W"


def test_what_happens_while_an_interval_is_being_told_is_told_at_the_next() -> None:
    names = [f"R{number}" for number in range(30)]
    world, (maker, *readers) = market("MAKER", *names)
    for one in readers:
        sent(one, request("r", more="8026=10|"))
    maker.order("m1", "buy", "1", "100")
    world.pass_time(0.009)
    timers = [callback for _, callback in world._timers]
    world._timers.clear()
    for callback in timers:
        callback()
    one_turn(world)
    one_turn(world)  # some have been told
    maker.send("35=D|11=m2|55=BTC/USD|54=1|60=<now>|38=1|40=2|44=101|", end_turn=False)
    timers = [callback for _, callback in world._timers]
    world._timers.clear()
    for callback in timers:
        callback()
    world.turn()
    for one in readers:
        assert len(told(one).levels[b"0"]) == 2
