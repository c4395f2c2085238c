"""Subscriptions by their MDReqIDs: begun, refreshed, repaired, ended."""

from __future__ import annotations

import pytest

from exchange.market_data import desk, feed
from tests.exchange.market_data.support import (
    BOOK,
    again,
    brief,
    by_order,
    check_sent,
    ended,
    entries,
    field,
    market,
    request,
    sent,
    types,
)


def test_a_snapshot_is_told_once_and_costs_nothing_later() -> None:
    world, (reader, maker) = market("READER", "MAKER")
    maker.order("m1", "buy", "2", "100")
    (answer,) = sent(reader, request("r", kind="0", update=""))
    assert brief(answer) == ["0 100 2"]
    assert (field(answer, 83), field(answer, 8023)) == ("0", "4")
    assert world.venue.state.tape is None
    maker.order("m2", "buy", "2", "101")
    assert len(reader.raw) == 1


def test_updates_follow_a_snapshot_and_are_counted_behind_it() -> None:
    _, (reader, maker) = market("READER", "MAKER")
    maker.order("m1", "buy", "2", "100")
    (answer,) = sent(reader, request("r"))
    assert (brief(answer), field(answer, 83)) == (["0 100 2"], "0")
    maker.order("m2", "sell", "1.5", "100", more="59=4|")  # refused by nobody, fills nothing
    sent(maker, "35=D|11=m3|55=BTC/USD|54=1|60=<now>|38=1|40=2|44=100|59=1|")
    update = reader.raw[-1]
    assert types([update]) == "X"
    (entry,) = [one for one in entries(update) if one[270] == "100"]
    assert entry[279] == "1"
    assert entry[83] == str(len([one for raw in reader.raw[1:] for one in entries(raw)]))
    check_sent(reader)


def test_the_same_request_again_is_a_fresh_snapshot_within_the_subscription() -> None:
    _, (reader, maker) = market("READER", "MAKER")
    fields = request("r", symbols=("BTC/USD", "ETH/USD"))
    sent(reader, fields)
    maker.order("m1", "buy", "2", "100")
    maker.order("m2", "buy", "2", "99")
    other_way = request("r", symbols=("ETH/USD", "BTC/USD"))
    for wanted in (fields, other_way):
        fresh = sent(reader, wanted)
        assert [(field(raw, 55), field(raw, 83)) for raw in fresh] == [
            ("BTC/USD", "2"),
            ("ETH/USD", "0"),
        ]
        assert brief(fresh[0]) == ["0 100 2", "0 99 2"]
    maker.order("m3", "buy", "2", "98")
    assert entries(reader.raw[-1])[0][83] == "3", "the count goes on"


@pytest.mark.parametrize(
    "other",
    [
        request("r", depth=1),
        request("r", kinds=("0",)),
        request("r", update="0"),
        request("r", symbols=("ETH/USD",)),
        request("r", more="8026=100|"),
        by_order("r"),
        request("r", kind="0"),
        request("r", kind="0", depth=3),
    ],
)
def test_a_name_in_use_is_refused_for_anything_else(other: str) -> None:
    _, (reader, maker) = market("READER", "MAKER")
    sent(reader, request("r"))
    (answer,) = sent(reader, other)
    assert (field(answer, 35), field(answer, 281)) == ("Y", "1")
    maker.order("m1", "buy", "2", "100")
    assert types(reader.raw) == "WYX", "what there was goes on"


def test_names_are_a_sessions_own() -> None:
    _, (one, other, maker) = market("ONE", "OTHER", "MAKER")
    sent(one, request("r"))
    sent(other, request("r", depth=1))
    assert types(sent(other, ended("r"))) == ""
    maker.order("m1", "buy", "2", "100")
    assert (types(one.raw), types(other.raw)) == ("WX", "W")


def test_entries_are_told_again_by_their_numbers() -> None:
    _, (reader, maker) = market("READER", "MAKER")
    sent(reader, request("r"))
    for number in range(1, 6):
        maker.order(f"m{number}", "buy", "1", str(100 + number))
    told = [one for raw in reader.raw[1:] for one in entries(raw)]
    (repeated,) = sent(reader, again("r", 2, 4))
    assert entries(repeated) == told[1:4]
    (repeated,) = sent(reader, again("r", 3))
    assert entries(repeated) == told[2:]
    (repeated,) = sent(reader, again("r", 5, 99))
    assert entries(repeated) == told[4:]
    check_sent(reader)


def test_what_cannot_be_told_again_is_a_snapshot(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(feed, "_KEPT", 3)
    _, (reader, maker) = market("READER", "MAKER")
    sent(reader, request("r"))
    for number in range(1, 6):
        maker.order(f"m{number}", "buy", "1", str(100 + number))
    assert types(sent(reader, again("r", 3, 5))) == "X"
    (fresh,) = sent(reader, again("r", 2, 5))
    assert (types([fresh]), field(fresh, 83), len(entries(fresh))) == ("W", "5", 5)
    assert types(sent(reader, again("r", 6))) == "W", "it has not come yet"


def test_full_refreshes_are_repaired_by_a_full_refresh() -> None:
    _, (reader, maker) = market("READER", "MAKER")
    sent(reader, request("r", update="0"))
    maker.order("m1", "buy", "1", "100")
    assert types(reader.raw) == "WW"
    assert types(sent(reader, again("r", 1))) == "W"


def test_an_end_is_an_end() -> None:
    world, (reader, maker) = market("READER", "MAKER")
    sent(reader, request("r"))
    assert world.venue.state.tape is not None
    assert sent(reader, ended("r")) == []
    assert world.venue.state.tape is None
    maker.order("m1", "buy", "1", "100")
    assert types(reader.raw) == "W"
    (answer,) = sent(reader, ended("r"))
    assert (types([answer]), field(answer, 281)) == ("Y", "")
    (anew,) = sent(reader, request("r", depth=2))
    assert brief(anew) == ["0 100 1"]


@pytest.mark.parametrize("is_lost", [True, False])
def test_a_session_takes_its_subscriptions_along(is_lost: bool) -> None:
    world, (reader, maker) = market("READER", "MAKER")
    for name in ("a", "b"):
        sent(reader, request(name, symbols=("*",)))
    if is_lost:
        reader.drop()
    else:
        reader.send("35=5|")
    assert world.venue.state.tape is None
    count = len(reader.raw)
    maker.order("m1", "buy", "1", "100")
    reader.drop()
    reader.connect()
    reader.send("35=A|98=0|108=30|")
    maker.order("m2", "buy", "1", "100")
    assert types(reader.raw[count:]) == "A"
    (fresh,) = sent(reader, request("a"))
    assert brief(fresh) == ["0 100 2"]


def test_a_session_may_have_so_many_subscriptions(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(desk, "_MOST_SUBSCRIPTIONS", 3)
    _, (reader,) = market("READER")
    sent(reader, request("a", symbols=("BTC/USD", "ETH/USD")))
    (answer,) = sent(reader, request("b", symbols=("BTC/USD", "ETH/USD")))
    assert (field(answer, 281), field(answer, 58)[:25]) == ("2", "4 subscriptions are more ")
    assert types(sent(reader, request("c"))) == "W"
    sent(reader, ended("a"))
    assert types(sent(reader, request("b", symbols=("BTC/USD", "ETH/USD")))) == "WW"


def test_one_session_leaves_room_for_the_views_of_others() -> None:
    world, (reader, other) = market("READER", "OTHER")
    for depth in range(1, 17):
        assert types(sent(reader, request(f"r{depth}", depth=depth))) == "W"
    (answer,) = sent(reader, request("r17", depth=17))
    assert (field(answer, 281), field(answer, 35)) == ("2", "Y")
    assert types(sent(reader, request("one more reader of it", depth=3))) == "W"
    assert types(sent(reader, request("elsewhere", depth=17, symbols=("ETH/USD",)))) == "W"
    assert types(sent(other, request("r17", depth=17))) == "W"
    assert world.failures == []


def test_an_instrument_has_so_many_views() -> None:
    world, readers = market(*(f"READER{number}" for number in range(8)))
    depth = 0
    for one in readers[:-1]:
        for _ in range(16 if one is not readers[6] else 4):
            depth += 1
            assert types(sent(one, request(f"r{depth}", depth=depth))) == "W"
    assert depth == 100
    (answer,) = sent(readers[-1], request("r", depth=101))
    assert (field(answer, 35), field(answer, 281)) == ("Y", "2")
    assert types(sent(readers[-1], request("r", depth=100, kinds=BOOK))) == "W"
    assert world.failures == []
