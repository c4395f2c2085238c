"""The figures of a day, its end, and what survives the end of the process."""

from __future__ import annotations

from pathlib import Path

import pytest

from exchange.snapshot import digest_of, dump_venue
from tests.exchange.market_data.support import (
    STATISTICS,
    entries,
    field,
    market,
    request,
    sent,
    types,
)
from tests.support.world import Client, World


def figures(raw: bytes) -> dict[str, str]:
    """Open, high, low and volume as they are told."""
    return {one[269]: one.get(270) or one[271] for one in entries(raw) if one[269] in STATISTICS}


def trade(maker: Client, taker: Client, price: str, quantity: str) -> None:
    """A trade at a price."""
    maker.order(f"m{maker.seq}", "sell", quantity, price)
    taker.order(f"t{taker.seq}", "buy", quantity, price)


def test_open_high_low_and_volume() -> None:
    _, (reader, maker, taker) = market("READER", "MAKER", "TAKER")
    (before,) = sent(reader, request("r", kinds=STATISTICS))
    assert entries(before) == []
    told = []
    for price, quantity in (("100", "1"), ("102", "2"), ("99.5", "0.5"), ("101", "1")):
        count = len(reader.raw)
        trade(maker, taker, price, quantity)
        (update,) = reader.raw[count:]
        told.append([(one[279], one[269]) for one in entries(update)])
    assert told == [
        [("0", "4"), ("0", "7"), ("0", "8"), ("0", "B")],
        [("1", "7"), ("1", "B")],
        [("1", "8"), ("1", "B")],
        [("1", "B")],
    ]
    (after,) = sent(reader, request("s", kinds=(*STATISTICS, "2"), kind="0", update=""))
    assert figures(after) == {"4": "100", "7": "102", "8": "99.5", "B": "4.5"}
    (last,) = [one for one in entries(after) if one[269] == "2"]
    assert (last[270], last[271], last[2446], 278 in last) == ("101", "1", "1", False)
    assert (last[272], last[273][:8]) == ("20270115", "08:00:00")


def test_some_figures_of_it() -> None:
    _, (reader, maker, taker) = market("READER", "MAKER", "TAKER")
    sent(reader, request("r", kinds=("7",)))
    trade(maker, taker, "100", "1")
    trade(maker, taker, "99", "1")
    assert types(reader.raw) == "WX"
    assert figures(reader.raw[-1]) == {"7": "100"}


def test_a_day_begins_with_its_first_trade_and_its_figures_are_new() -> None:
    world, (reader, maker, taker) = market("READER", "MAKER", "TAKER")
    sent(reader, request("r", kinds=STATISTICS))
    trade(maker, taker, "100", "3")
    (evening,) = sent(reader, request("r", kinds=STATISTICS))
    assert figures(evening) == {"4": "100", "7": "100", "8": "100", "B": "3"}
    world.pass_time(16 * 3600)  # it was 08:00
    reader.send("35=0|")
    (night,) = sent(reader, request("r", kinds=STATISTICS))
    assert figures(night) == {}, "of a day without a trade there is nothing to say"
    (shown,) = sent(reader, request("s", kinds=STATISTICS, kind="0", update=""))
    assert figures(shown) == {}
    count = len(reader.raw)
    trade(maker, taker, "100", "1")
    (morning,) = reader.raw[count:]
    assert [(one[279], one[269]) for one in entries(morning)] == [
        *(("0", "4"), ("0", "7"), ("0", "8"), ("0", "B"))
    ]
    assert figures(morning) == {"4": "100", "7": "100", "8": "100", "B": "1"}


def test_midnight_is_utc() -> None:
    world, (reader, maker, taker) = market("READER", "MAKER", "TAKER")
    trade(maker, taker, "100", "3")
    world.pass_time(16 * 3600 - 0.001)
    (answer,) = sent(reader, request("s", kinds=STATISTICS, kind="0", update=""))
    assert figures(answer)["B"] == "3"
    world.pass_time(0.001)
    (answer,) = sent(reader, request("s", kinds=STATISTICS, kind="0", update=""))
    assert figures(answer) == {}


@pytest.mark.parametrize("is_crash", [True, False])
def test_figures_survive_subscriptions_do_not_and_no_number_is_used_twice(
    tmp_path: Path, is_crash: bool
) -> None:
    world = World(tmp_path)
    reader, maker, taker = (world.client(name) for name in ("READER", "MAKER", "TAKER"))
    sent(reader, request("r", kinds=(*STATISTICS, "2")))
    for price in ("100", "103", "98"):
        trade(maker, taker, price, "1")
    used = int(field(reader.raw[-1], 34))
    if not is_crash:
        reader.send("35=5|")
        used = int(field(reader.raw[-1], 34))
    before = dump_venue(world.venue) if is_crash else b""
    world.journal.close()

    again = World(tmp_path)
    assert again.venue.state.tape is None
    if is_crash:
        assert dump_venue(world.venue) == before
    reader = again.client("READER")
    reader.send("35=0|", seq=1)  # whatever it says: what counts is where the venue goes on
    first = int(field(reader.raw[0], 34))
    assert first == used + 1 if not is_crash else first > used
    other = again.client("OTHER")
    (answer,) = sent(other, request("r", kinds=STATISTICS))
    assert figures(answer) == {"4": "100", "7": "103", "8": "98", "B": "3"}


def test_figures_are_part_of_the_state(tmp_path: Path) -> None:
    world = World(tmp_path)
    maker, taker = world.client("MAKER"), world.client("TAKER")
    trade(maker, taker, "100", "1")
    trade(maker, taker, "104", "2")
    for client in (maker, taker):
        client.drop()
    restored, replayed = World(), World()
    restored.sequencer.restore(world.sequencer.snapshot())
    world.journal.close()
    replayed = World(tmp_path)
    for one in (restored, replayed):
        assert digest_of(one.venue) == digest_of(world.venue)
        assert one.venue.state.days[0].figures() == world.venue.state.days[0].figures()
        reader = one.client("READER")
        (answer,) = sent(reader, request("r", kinds=STATISTICS))
        assert figures(answer) == {"4": "100", "7": "104", "8": "100", "B": "3"}


def test_what_was_streamed_is_a_gap_fill_at_a_resend() -> None:
    _, (reader, maker) = market("READER", "MAKER")
    sent(reader, request("r"))
    for number in range(3):
        maker.order(f"m{number}", "buy", "1", str(100 + number))
    reader.order("o", "buy", "1", "50")
    numbers = [field(raw, 34) for raw in reader.raw]
    assert numbers == [str(number) for number in range(2, 2 + len(numbers))]
    assert types(reader.raw) == "WXXX8X"
    reader.send("35=2|7=2|16=0|")
    assert types(reader.raw[6:]) == "484"
    assert [field(raw, 36) for raw in reader.raw[6:]] == ["6", "", "8"]


def test_a_subscription_outlives_a_reset_of_the_numbers() -> None:
    _, (reader, maker) = market("READER", "MAKER")
    sent(reader, request("r"))
    maker.order("m1", "buy", "1", "100")
    reader.seq = 1
    reader.send("35=A|98=0|108=30|141=Y|")
    reader.seq = 2
    assert types(reader.raw) == "WXA"
    maker.order("m2", "buy", "1", "101")
    assert types(reader.raw) == "WXAX"
    assert field(reader.raw[-1], 34) == "2"
    assert entries(reader.raw[-1])[0][83] == "2"
    reader.send("35=2|7=1|16=0|")
    assert [field(raw, 36) for raw in reader.raw[4:]] == ["3"]
