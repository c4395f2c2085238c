"""Who is told what when: in small turns, encoded once, and nobody waits for who does not read."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise
from typing import Any

import pytest

from exchange.market_data import feed, messages, picture, publisher
from exchange.market_data.reader import FeedReader
from fix_engine.outbound import SharedFields
from tests.exchange.market_data.support import (
    EVERYTHING,
    again,
    brief,
    by_order,
    check_sent,
    ended,
    entries,
    field,
    market,
    pairs,
    request,
    sent,
    types,
)
from tests.support.messages import decode
from tests.support.world import World


def one_turn(world: World) -> None:
    """End the turn that is open, but none of those that it causes."""
    due, world._due[:] = list(world._due), []
    for callback in due:
        callback()


@pytest.fixture(autouse=True)
def _messages_in_a_turn(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(publisher, "_AT_ONCE", 64)


def publishers(world: World) -> list[publisher.Publisher]:
    """Those that follow the venue."""
    return [one for one in world.sequencer._followers if isinstance(one, publisher.Publisher)]


def test_a_turn_tells_so_many_and_others_have_theirs_in_between() -> None:
    names = [f"R{number}" for number in range(150)]
    world, (maker, *readers) = market("MAKER", *names)
    for one in readers:
        sent(one, request("r"))
    maker.send("35=D|11=m1|55=BTC/USD|54=1|60=<now>|38=1|40=2|44=100|", end_turn=False)
    told = []
    for _ in range(5):
        one_turn(world)
        told.append(sum(types(one.raw) == "WX" for one in readers))
    assert told[0] == 0, "in the turn of the order only reports go out"
    assert [one[35] for one in maker.received] == ["8"]
    assert [now - before for before, now in pairwise(told)] == [64, 64, 22, 0]


def test_reports_of_orders_come_before_the_market_data_of_the_same_turn() -> None:
    _, (trader, maker) = market("TRADER", "MAKER")
    maker.order("m1", "sell", "5", "100")
    sent(trader, request("r", kinds=EVERYTHING))
    count = len(trader.raw)
    trader.order("t1", "buy", "1", "100")
    assert types(trader.raw[count:]) == "88X"
    report, update = trader.raw[-2:]
    assert {one[8023] for one in entries(update)} == {field(report, 17).partition("-")[0]}


def test_what_all_read_is_encoded_once(monkeypatch: pytest.MonkeyPatch) -> None:
    calls: Counter[str] = Counter()
    for owner, name in (
        (feed, "incremental_entry"),
        (picture, "full_entry"),
        (messages, "fragments_of"),
    ):
        original = getattr(owner, name)

        def counted(*arguments: Any, _name: str = name, _original: Any = original) -> Any:
            calls[_name] += 1
            return _original(*arguments)

        monkeypatch.setattr(owner, name, counted)
    sums = SharedFields.of

    def summed(fields: bytes) -> SharedFields:
        calls["of"] += 1
        return sums(fields)

    monkeypatch.setattr(SharedFields, "of", summed)
    _, (maker, *readers) = market("MAKER", *(f"R{number}" for number in range(40)))
    maker.order("m0", "buy", "1", "99")
    for one in readers:
        sent(one, request("r"))
    assert calls == {"full_entry": 1, "of": 1}
    calls.clear()
    maker.order("m1", "buy", "1", "100")
    assert calls == {"incremental_entry": 1, "fragments_of": 1, "of": 1}
    bodies = {tuple(pairs(one.raw[-1])[7:-1]) for one in readers}
    assert len(bodies) == 1
    assert {types(one.raw) for one in readers} == {"WX"}
    for one in readers:
        check_sent(one)


def test_who_does_not_read_is_passed_over_and_then_told_everything_with_a_mark() -> None:
    _, (slow, fast, maker) = market("SLOW", "FAST", "MAKER")
    for one in (slow, fast):
        sent(one, request("r"))
    maker.order("m1", "buy", "1", "100")
    slow.is_writable = False
    for number in range(2, 12):
        maker.order(f"m{number}", "buy", "1", str(100 - number))
    assert types(slow.raw) == "WX"
    assert types(fast.raw) == "W" + "X" * 11
    slow.read_on()
    assert types(slow.raw) == "WXW"
    (caught_up,) = slow.raw[2:]
    assert (field(caught_up, 8027), field(caught_up, 83)) == ("Y", "11")
    assert len(entries(caught_up)) == 11
    assert types(fast.raw) == "W" + "X" * 11, "nobody else is told anything"
    maker.order("m12", "buy", "1", "50")
    for one in (slow, fast):
        assert entries(one.raw[-1])[0][83] == "12"
        assert field(one.raw[-1], 8027) == ""
    assert types(sent(slow, again("r", 2, 11))) == "X", "what was passed over can be had"
    check_sent(slow)


def test_many_that_read_again_are_told_in_small_turns_from_one_snapshot(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    world, (maker, *readers) = market("MAKER", *(f"R{number}" for number in range(100)))
    for one in readers:
        sent(one, request("r"))
        one.is_writable = False
    maker.order("m1", "buy", "1", "100")
    made = Counter[str]()
    original = feed.Feed._take_down

    def counted(self: feed.Feed, mark: bytes) -> picture.Picture:
        made[mark.decode()] += 1
        return original(self, mark)

    monkeypatch.setattr(feed.Feed, "_take_down", counted)
    for one in readers:
        one.is_writable = True
        callbacks, one._on_writable = one._on_writable, []
        for callback in callbacks:
            callback()
    told = []
    for _ in range(4):
        one_turn(world)
        told.append(sum(types(one.raw) == "WW" for one in readers))
    assert told == [0, 64, 100, 100]
    assert made == {"8027=Y\x01": 1}


def test_who_stops_reading_again_before_it_is_told_waits_once_more() -> None:
    world, (slow, maker) = market("SLOW", "MAKER")
    sent(slow, request("r"))
    slow.is_writable = False
    maker.order("m1", "buy", "1", "100")
    slow.is_writable = True
    callbacks, slow._on_writable = slow._on_writable, []
    for callback in callbacks:
        callback()
    slow.is_writable = False
    world.turn()
    assert types(slow.raw) == "W"
    slow.read_on()
    assert types(slow.raw) == "WW"


@pytest.mark.parametrize("ending", ["35=5|", ended("r")])
def test_who_leaves_while_it_is_behind_is_not_told_any_more(ending: str) -> None:
    world, (slow, maker) = market("SLOW", "MAKER")
    sent(slow, request("r"))
    slow.is_writable = False
    maker.order("m1", "buy", "1", "100")
    slow.send(ending)
    slow.read_on()
    assert types(slow.raw).startswith("W")
    assert types(slow.raw).count("W") == 1
    assert world.venue.state.tape is None
    assert world.failures == []


def test_who_is_being_logged_out_does_not_keep_the_publisher_busy() -> None:
    world, (going, maker) = market("GOING", "MAKER")
    sent(going, request("r"))
    assert going._endpoint is not None
    going._endpoint.session.logout(b"Good night", world.open_turn())
    going._endpoint.settle()
    maker.order("m1", "buy", "1", "100")  # returns: there is an end to the turns
    assert types(going.raw) == "W5"
    assert world._due == []


def test_who_joins_while_a_delivery_is_on_its_way_hears_nothing_twice() -> None:
    names = [f"R{number}" for number in range(150)]
    world, (maker, late, *readers) = market("MAKER", "LATE", *names)
    for one in readers:
        sent(one, request("r"))
    maker.send("35=D|11=m1|55=BTC/USD|54=1|60=<now>|38=1|40=2|44=100|", end_turn=False)
    one_turn(world)
    one_turn(world)
    assert sorted({types(one.raw) for one in readers}) == ["W", "WX"]
    maker.send("35=D|11=m2|55=BTC/USD|54=1|60=<now>|38=1|40=2|44=101|", end_turn=False)
    late.send(request("r"), end_turn=False)
    readers[0].send(request("r"), end_turn=False)
    readers[-1].send(request("r"), end_turn=False)
    world.turn()
    assert types(late.raw) == "W"
    assert (field(late.raw[0], 83), brief(late.raw[0])) == ("2", ["0 101 1", "0 100 1"])
    assert (types(readers[0].raw), types(readers[-1].raw)) == ("WXW", "WW")
    assert {types(one.raw) for one in readers[1:-1]} == {"WXX"}
    maker.order("m3", "buy", "1", "102")
    for one in (late, *readers):
        assert [entry[83] for entry in entries(one.raw[-1])] == ["3"]
        view = FeedReader()
        for raw in one.raw:
            for seen in view.take(decode(raw)):
                assert seen.missing is None
        assert len(view.views[b"BTC/USD"].levels[b"0"]) == 3


def test_who_leaves_while_a_delivery_is_on_its_way_ends_it_for_nobody_else() -> None:
    names = [f"R{number}" for number in range(150)]
    world, (maker, *readers) = market("MAKER", *names)
    for one in readers:
        sent(one, request("r"))
    maker.send("35=D|11=m1|55=BTC/USD|54=1|60=<now>|38=1|40=2|44=100|", end_turn=False)
    one_turn(world)
    one_turn(world)
    for one in readers[:140]:
        one.send(ended("r"), end_turn=False)
    world.turn()
    assert {types(one.raw) for one in readers[:128]} == {"WX"}
    assert {types(one.raw) for one in readers[128:140]} == {"W"}
    assert {types(one.raw) for one in readers[140:]} == {"WX"}


def test_all_may_leave_while_a_delivery_is_on_its_way() -> None:
    world, (maker, *readers) = market("MAKER", *(f"R{number}" for number in range(100)))
    for one in readers:
        sent(one, request("r", more="8026=10|"))
        sent(one, request("now"))
    maker.send("35=D|11=m1|55=BTC/USD|54=1|60=<now>|38=1|40=2|44=100|", end_turn=False)
    one_turn(world)
    one_turn(world)
    for one in readers:
        one.send(ended("r"), end_turn=False)
        one.send(ended("now"), end_turn=False)
    world.turn()
    world.pass_time(1)
    assert world.venue.state.tape is None
    assert not publishers(world)
    assert world.failures == []


def test_channels_take_turns_and_what_comes_meanwhile_is_one_message() -> None:
    world, (maker, *readers) = market("MAKER", *(f"R{number}" for number in range(70)))
    for one in readers:
        sent(one, request("all"))
        sent(one, request("top", depth=1))

    def buy(price: int) -> None:
        maker.send(
            f"35=D|11=m{price}|55=BTC/USD|54=1|60=<now>|38=1|40=2|44={price}|", end_turn=False
        )

    buy(100)
    one_turn(world)
    one_turn(world)
    buy(101)
    buy(102)
    world.turn()
    for one in readers:
        by_name = {
            name: [
                [entry[83] for entry in entries(raw)]
                for raw in one.raw[2:]
                if field(raw, 262) == name
            ]
            for name in ("all", "top")
        }
        assert by_name["all"] == [["1"], ["2", "3"]]
        assert [one for told in by_name["top"] for one in told] == ["1", "2", "3", "4", "5"]


def test_an_order_does_not_wait_for_many_views_to_look(monkeypatch: pytest.MonkeyPatch) -> None:
    world, (maker, *readers) = market("MAKER", *(f"R{number}" for number in range(9)))
    looks = Counter[str]()
    original = feed.Feed.update

    def counted(self: feed.Feed) -> bool:
        looks["now"] += 1
        return original(self)

    def buy(number: int, price: int) -> int:
        before = looks["now"]
        maker.send(
            f"35=D|11=m{number}|55=BTC/USD|54=1|60=<now>|38=1|40=2|44={price}|", end_turn=False
        )
        return looks["now"] - before

    monkeypatch.setattr(feed.Feed, "update", counted)
    for depth, one in enumerate(readers[:8]):
        sent(one, request("r", depth=depth))
    assert buy(1, 100) == 8
    assert buy(2, 100) == 8
    world.turn()
    assert {len(entries(one.raw[-1])) for one in readers[:8]} == {2}
    sent(readers[8], request("r", depth=8))
    assert buy(3, 100) == 0
    world.turn()
    assert {field(one.raw[-1], 8027) for one in readers} == {""}, "one input, one look"
    assert buy(4, 100) == 0
    assert buy(5, 100) == 0
    world.turn()
    for one in readers:
        assert field(one.raw[-1], 8027) == "Y"
        assert [(entry[271], entry[346]) for entry in entries(one.raw[-1])] == [("5", "5")]
    assert buy(6, 100) == 0
    world.turn()
    assert {field(one.raw[-1], 8027) for one in readers} == {""}


def test_only_what_was_put_together_is_marked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(publisher, "_LOOKED_AT_ONCE", 0)
    world, (maker, top, full) = market("MAKER", "TOP", "FULL")
    sent(top, request("r", depth=1))
    sent(full, request("r", depth=1, update="0"))
    maker.order("m1", "buy", "1", "100")

    def buy_two(price: int) -> None:
        for _ in range(2):
            maker.send(
                f"35=D|11=m{maker.seq}|55=BTC/USD|54=1|60=<now>|38=1|40=2|44={price}|",
                end_turn=False,
            )
        world.turn()

    buy_two(99)
    assert (types(top.raw), types(full.raw)) == ("WX", "WW"), "out of sight"
    maker.order("m2", "buy", "1", "100")
    assert (field(top.raw[-1], 8027), field(full.raw[-1], 8027)) == ("", "")
    buy_two(100)
    assert (field(top.raw[-1], 8027), field(full.raw[-1], 8027)) == ("Y", "Y")
    for one, wanted in ((top, request("r", depth=1)), (full, request("r", depth=1, update="0"))):
        (fresh,) = sent(one, wanted)
        assert (types([fresh]), field(fresh, 8027)) == ("W", "")
    maker.order("m3", "buy", "1", "100")
    assert (field(top.raw[-1], 8027), field(full.raw[-1], 8027)) == ("", "")


def test_it_costs_nothing_while_nobody_reads() -> None:
    world, (reader, maker) = market("READER", "MAKER")
    assert world.venue.state.tape is None
    assert not publishers(world)
    for wanted in (request("a"), by_order("b"), request("c", kinds=("2",), more="8026=10|")):
        sent(reader, wanted)
    assert len(publishers(world)) == 1
    maker.order("m1", "buy", "1", "100")
    assert world.venue.state.tape == [], "taken in, and not kept"
    for name in "abc":
        sent(reader, ended(name))
    assert world.venue.state.tape is None
    assert not publishers(world)
    world.pass_time(1)
    assert types(reader.raw) == "WWWXX"


def test_an_instrument_that_nobody_reads_is_not_looked_at() -> None:
    _, (reader, maker) = market("READER", "MAKER")
    sent(reader, request("a", symbols=("ETH/USD",)))
    maker.order("m1", "buy", "1", "100")
    assert types(reader.raw) == "W"
    maker.order("m2", "buy", "1", "100", symbol="ETH/USD")
    assert types(reader.raw) == "WX"


def test_a_slow_reader_may_ask_and_is_answered(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its connection takes no more requests then, but those that have come are dealt with."""
    monkeypatch.setattr(publisher, "_AT_ONCE", 1)
    _, (slow, maker) = market("SLOW", "MAKER")
    sent(slow, request("r"))
    slow.is_writable = False
    maker.order("m1", "buy", "1", "100")
    assert brief(sent(slow, request("r"))[0]) == ["0 100 1"]
    maker.order("m2", "buy", "1", "101")
    slow.read_on()
    assert types(slow.raw) == "WWW"
    assert (field(slow.raw[-1], 83), field(slow.raw[-1], 8027)) == ("2", "Y")
