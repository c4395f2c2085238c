"""A feed: what is counted, cut into messages, checked, put together, and missing."""

from __future__ import annotations

from random import Random
from zlib import crc32

import pytest

from exchange.market_data import feed
from exchange.market_data.reader import FeedReader
from tests.exchange.market_data.support import (
    EVERYTHING,
    brief,
    by_order,
    check_sent,
    entries,
    field,
    market,
    request,
    sent,
    types,
)
from tests.support.messages import decode
from tests.support.world import Client


def numbers(raws: list[bytes]) -> list[int]:
    """RptSeq of every entry."""
    return [int(one[83]) for raw in raws for one in entries(raw)]


def test_entries_are_counted_without_a_gap_and_say_which_input_it_was() -> None:
    world, (reader, maker, taker) = market("READER", "MAKER", "TAKER")
    sent(reader, request("r", kinds=EVERYTHING))
    maker.order("m1", "sell", "2", "100")
    maker.order("m2", "sell", "2", "101")
    report = taker.order("t1", "buy", "3", "101")[-1]
    assert numbers(reader.raw[1:]) == list(range(1, numbers(reader.raw[1:])[-1] + 1))
    last = entries(reader.raw[-1])
    position = report[17].partition("-")[0]
    assert {one[8023] for one in last} == {position} == {str(world.journal.position)}
    assert [one for one in brief(reader.raw[-1]) if one.startswith("0 2")] == [
        f"0 2 {position}-1 100 2",
        f"0 2 {position}-2 101 1",
    ]
    assert [one[2446] for one in last if one[269] == "2"] == ["1", "1"]
    maker_reports = [one[17] for one in maker.received if one.get(150) == "F"]
    assert {one.partition("-")[0] for one in maker_reports} == {position}
    check_sent(reader)


def test_two_views_are_counted_each_by_itself() -> None:
    _, (reader, maker) = market("READER", "MAKER")
    sent(reader, request("top", depth=1))
    sent(reader, request("all"))
    for number in range(5):
        maker.order(f"m{number}", "buy", "1", str(100 - number))
    by_name = {
        name: numbers(
            [raw for raw in reader.raw if field(raw, 262) == name and field(raw, 35) == "X"]
        )
        for name in ("top", "all")
    }
    assert by_name == {"top": [1], "all": [1, 2, 3, 4, 5]}


@pytest.mark.parametrize("wanted", [request("r"), by_order("r"), request("r", update="0")])
def test_what_is_too_long_for_a_message_comes_in_fragments(wanted: str) -> None:
    _, (reader, maker) = market("R" * 64, "MAKER")
    for number in range(300):
        maker.order(f"b{number}", "buy", "1.23456789", f"{60000 - number}.1")
    answer = sent(reader, wanted.replace("262=r|", f"262={'r' * 64}|"))
    assert len(answer) > 2
    assert max(map(len, answer)) <= 4_096
    assert [field(raw, 893) for raw in answer] == ["N"] * (len(answer) - 1) + ["Y"]
    assert sum(len(entries(raw)) for raw in answer) == 300
    assert len({(field(raw, 83), field(raw, 8023)) for raw in answer}) == 1
    check_sent(reader)
    view = FeedReader()
    for raw in answer:
        (seen,) = view.take(decode(raw))
    assert seen.is_whole
    assert len(seen.levels[b"0"]) + len(seen.orders[b"0"]) == 300


def test_updates_come_in_fragments_as_well() -> None:
    _, (reader, maker) = market("READER", "MAKER")
    sent(reader, by_order("r", more="8028=Y|"))
    sent(reader, request("p", more="8028=Y|"))
    before = len(reader.raw)
    for number in range(150):
        maker.send(
            f"35=D|11=b{number}|55=BTC/USD|54=1|60=<now>|38=1|40=2|44={60000 - number}|",
            end_turn=False,
        )
    maker.world.turn()
    for name in "rp":
        told = [raw for raw in reader.raw[before:] if field(raw, 262) == name]
        assert [field(raw, 893) for raw in told] == ["N"] * (len(told) - 1) + ["Y"]
        assert numbers(told) == list(range(1, 151))
        assert len({field(raw, 8029) for raw in told}) == 1, "of the book behind the last of them"
    check_sent(reader)


def test_the_checksum_is_that_of_ten_levels_a_side() -> None:
    _, (reader, maker) = market("READER", "MAKER")
    for number in range(12):
        maker.order(f"b{number}", "buy", f"1.{number}", f"{100 - number}.5")
        maker.order(f"s{number}", "sell", "2", f"{101 + number}")
    words = [word for n in range(10) for word in (f"{100 - n}.5", f"1.{n}".removesuffix(".0"))]
    words += [word for n in range(10) for word in (f"{101 + n}", "2")]
    for wanted in (request("r", more="8028=Y|"), by_order("o", more="8028=Y|")):
        (answer,) = sent(reader, wanted)
        assert field(answer, 8029) == str(crc32(" ".join(words).encode()))
    (answer,) = sent(reader, request("s", depth=1, more="8028=Y|"))
    assert field(answer, 8029) == str(crc32(b"100.5 1 101 2"))
    (answer,) = sent(reader, request("none", depth=1))
    assert field(answer, 8029) == ""
    (answer,) = sent(reader, request("empty", symbols=("ETH/USD",), more="8028=Y|"))
    assert (field(answer, 8029), field(answer, 268)) == ("0", "0")


def test_a_reader_order_by_order_can_check_itself_too() -> None:
    _, (reader, maker) = market("READER", "MAKER")
    view, random = FeedReader(), Random(1)
    sent(reader, by_order("r", more="8028=Y|"))
    for number in range(200):
        side = random.choice(("buy", "sell"))
        maker.order(f"m{number}", side, str(random.randint(1, 5)), str(random.randint(95, 105)))
    for raw in reader.raw:
        for seen in view.take(decode(raw)):
            assert seen.checksum == seen.own_checksum()
    assert len(reader.raw) > 100


def turn_of_orders(maker: Client, count: int, quantity: str = "1") -> None:
    """Many orders in one turn, each at the price of the one before or next to it."""
    for number in range(count):
        maker.send(
            f"35=D|11=x{maker.seq}|55=BTC/USD|54=1|60=<now>|38={quantity}|40=2"
            f"|44={100 + number % 5}|",
            end_turn=False,
        )
    maker.world.turn()


def test_under_pressure_changes_are_put_together_and_marked(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(feed, "_MOST_PENDING", 10)
    _, (reader, maker) = market("READER", "MAKER")
    sent(reader, request("r"))
    turn_of_orders(maker, 50)
    (update,) = reader.raw[1:]
    assert field(update, 8027) == "Y"
    assert len(entries(update)) == 15, "ten one by one, then five prices as they are"
    assert numbers([update]) == list(range(1, 16))
    assert [one[346] for one in entries(update)[-5:]] == ["10"] * 5
    maker.order("later", "buy", "1", "100")
    assert field(reader.raw[-1], 8027) == "", "that is over"


def test_trades_at_one_price_are_one_under_pressure(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(feed, "_MOST_PENDING", 3)
    _, (reader, maker, taker) = market("READER", "MAKER", "TAKER")
    maker.order("m", "sell", "1000", "100")
    sent(reader, request("r", kinds=("2", "B")))
    turn_of_orders(taker, 20)
    (update,) = reader.raw[1:]
    trades = [one for one in entries(update) if one[269] == "2"]
    assert [one[271] for one in trades] == ["1", "1", "18"]
    assert [one[271] for one in entries(update) if one[269] == "B"] == ["1", "2", "20"]
    assert field(update, 8027) == "Y"


def test_the_more_are_told_the_sooner_changes_are_put_together(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(feed, "_MOST_TOLD", 20)
    monkeypatch.setattr(feed, "_LEAST_PENDING", 5)
    _, (maker, taker, *readers) = market("MAKER", "TAKER", "A", "B", "C")
    maker.order("m", "sell", "1000", "100")
    for count, told in ((1, 16), (2, 11), (3, 7)):
        sent(readers[count - 1], request("r", kinds=("2",)))
        turn_of_orders(taker, 16)
        assert len(entries(readers[0].raw[-1])) == told


def test_full_refreshes_have_every_trade_since_the_last_one() -> None:
    _, (reader, maker, taker) = market("READER", "MAKER", "TAKER")
    maker.order("m", "sell", "1000", "100")
    sent(reader, request("r", kinds=("1", "2", "B"), update="0"))
    turn_of_orders(taker, 3)
    assert types(reader.raw) == "WW"
    assert [one.split()[0] for one in brief(reader.raw[-1])] == ["1", "2", "2", "2", "B"]
    assert field(reader.raw[-1], 83) == "3"
    (fresh,) = sent(reader, request("r", kinds=("1", "2", "B"), update="0"))
    assert entries(fresh) == entries(reader.raw[-2])
    taker.order("t", "buy", "1", "100")
    assert len([one for one in entries(reader.raw[-1]) if one[269] == "2"]) == 1


def test_at_an_interval_only_the_last_of_each_price_is_told() -> None:
    world, (reader, maker, taker) = market("READER", "MAKER", "TAKER")
    (answer,) = sent(reader, request("r", kinds=EVERYTHING, more="8026=100|"))
    assert field(answer, 8026) == "100"
    for number in range(10):
        maker.order(f"m{number}", "sell", "1", "100")
    taker.order("t1", "buy", "2", "100")
    taker.order("t2", "buy", "1", "100")
    assert len(reader.raw) == 1
    world.pass_time(0.099)
    assert len(reader.raw) == 1
    world.pass_time(0.001)
    (update,) = reader.raw[1:]
    told = [(one[269], one.get(271)) for one in entries(update)]
    assert told == [
        *(("2", "1"), ("2", "1"), ("2", "1"), ("1", "7")),
        *(("4", None), ("7", None), ("8", None), ("B", "3")),
    ]
    assert field(update, 8027) == "", "that is what was asked for"
    world.pass_time(1)
    assert len(reader.raw) == 2, "nothing has changed"
    check_sent(reader)
