"""Post-only, icebergs, least quantities, and what a spot market does not have."""

from __future__ import annotations

import pytest

from tests.exchange.orders.market import (
    MakeWorld,
    ask_about,
    change,
    happened,
    place,
    told,
    two,
)


@pytest.mark.parametrize("instruction", ["6", "A"])
def test_post_only_is_refused_where_it_would_trade(make: MakeWorld, instruction: str) -> None:
    buyer, seller = two(make())
    seller.order("s1", "sell", "1", "100")
    for number, action in enumerate(("", "8019=0|")):
        terms = f"38=1|40=2|44=100|18={instruction}|{action}"
        (refused,) = place(buyer, f"b{number}", "buy", terms)
        assert told([refused], 150, 39, 103, 58) == [
            "8 8 99 Post-only: the order would trade at once"
        ]
        assert ask_about(buyer, f"b{number}")[39] == "8"
    (new,) = place(buyer, "b9", "buy", f"38=1|40=2|44=99.9|18={instruction}|")
    assert told([new], 150, 18, 44) == [f"0 {instruction} 99.9"]
    (again,) = place(buyer, "b0", "buy", f"38=1|40=2|44=99|18={instruction}|")
    assert told([again], 150, 103) == ["8 6"], "the name is used up"


def test_post_only_may_be_repriced(make: MakeWorld) -> None:
    buyer, seller = two(make())
    seller.order("s1", "sell", "1", "100")
    (new,) = place(buyer, "b1", "buy", "38=1|40=2|44=105|18=6|8019=1|")
    assert told([new], 150, 44, 18, 8019, 58) == [
        "0 99.9 6 1 Post-only: repriced, the order would have traded at once"
    ]
    (new,) = place(seller, "s2", "sell", "38=1|40=2|44=95|18=A|8019=1|")
    assert told([new], 150, 44) == ["0 100"]
    (new,) = place(seller, "s3", "sell", "38=1|40=2|44=101|18=A|8019=1|")
    assert 58 not in new, "it got what it wanted"
    seller.order("low", "sell", "1", "0.1", symbol="ETH/USD")
    seller.order("lowest", "sell", "1", "0.01", symbol="ETH/USD")
    (refused,) = buyer.ask("35=D|11=b3|55=ETH/USD|54=1|60=<now>|38=1|40=2|44=1|18=6|8019=1|")
    assert told([refused], 39, 103, 58) == [
        "8 99 Post-only: there is no price at which the order would rest"
    ]


def test_a_replacement_of_a_post_only_order(make: MakeWorld) -> None:
    buyer, seller = two(make())
    seller.order("s1", "sell", "1", "100")
    place(buyer, "b1", "buy", "38=1|40=2|44=99|18=6|")
    (refused,) = change(buyer, "b2", "b1", "buy", "38=1|40=2|44=100|18=6|")
    assert told([refused], 35, 102, 434, 39) == ["9 99 2 0"]
    for terms in ("", "18=6|8019=1|"):
        (refused,) = change(buyer, "b2", "b1", "buy", f"38=1|40=2|44=98|{terms}")
        assert refused[58] == "ExecInst (18) and PostOnlyAction (8019) cannot be changed"
    place(buyer, "c1", "buy", "38=1|40=2|44=99|18=6|8019=1|")
    (replaced,) = change(buyer, "c2", "c1", "buy", "38=1|40=2|44=101|18=6|8019=1|")
    assert told([replaced], 150, 44, 8019, 58) == [
        "5 99.9 1 Post-only: repriced, the order would have traded at once"
    ]
    (replaced,) = change(buyer, "c3", "c2", "buy", "38=1|40=2|44=98|18=6|8019=1|")
    assert told([replaced], 150, 44, 58) == ["5 98 -"]
    (refused,) = change(buyer, "c4", "c3", "buy", "38=1|40=2|44=98|18=6|")
    assert refused[35] == "9"


def test_a_post_only_stop_that_would_trade_is_cancelled(make: MakeWorld) -> None:
    world = make()
    buyer, seller = two(world)
    place(buyer, "t1", "buy", "38=1|40=4|99=100|44=101|18=6|8019=1|")
    seller.order("s1", "sell", "2", "100")
    buyer.take()
    world.client("THIRD").order("x", "buy", "1", "100")
    assert told(buyer.take(), 150, 39, 378, 58) == [
        "D 0 99 Triggered",
        "4 4 8 Post-only: the triggered order would have traded at once",
    ]


def test_an_iceberg_shows_a_part_at_a_time_and_queues_again_with_each(make: MakeWorld) -> None:
    world = make()
    buyer, seller = two(world)
    other = world.client("OTHER")
    (new,) = place(seller, "s1", "sell", "38=3|40=2|44=100|111=1|")
    assert told([new], 150, 111, 38, 151) == ["0 1 3 3"]
    other.order("o1", "sell", "1", "100")
    seller.take()
    other.take()
    reports = buyer.order("b1", "buy", "1.5", "100")
    assert told(reports, 150, 32, 151) == ["0 - 1.5", "F 1 0.5", "F 0.5 0"]
    assert told(seller.take(), 150, 32, 151) == ["F 1 2"]
    assert told(other.take(), 150, 32, 151) == ["F 0.5 0.5"]
    reports = buyer.order("b2", "buy", "2", "100")
    assert told(reports, 150, 32, 151) == ["0 - 2", "F 0.5 1.5", "F 1 0.5", "F 0.5 0"]
    assert told(seller.take(), 150, 32, 151, 14) == ["F 1 1 2", "F 0.5 0.5 2.5"]


def test_what_an_iceberg_shows_can_be_changed(make: MakeWorld) -> None:
    world = make()
    buyer, seller = two(world)
    other = world.client("OTHER")
    place(seller, "s1", "sell", "38=4|40=2|44=100|111=2|")
    other.order("o1", "sell", "1", "100")
    (smaller,) = change(seller, "s2", "s1", "sell", "38=4|40=2|44=100|111=1|")
    assert told([smaller], 150, 111, 151) == ["5 1 4"]
    seller.take()
    buyer.order("b1", "buy", "1.5", "100")
    assert told(seller.take(), 150, 32) == ["F 1"], "less kept its place, and showed 1"
    (larger,) = change(seller, "s3", "s2", "sell", "38=4|40=2|44=100|111=3|")
    assert told([larger], 150, 111) == ["5 3"]
    (whole,) = change(seller, "s4", "s3", "sell", "38=4|40=2|44=100|")
    assert told([whole], 150, 111, 151) == ["5 - 3"]
    (report,) = seller.ask("35=H|11=s4|55=BTC/USD|54=2|")
    assert 111 not in report


def test_a_plain_order_becomes_an_iceberg(make: MakeWorld) -> None:
    world = make()
    buyer, seller = two(world)
    seller.order("s1", "sell", "4", "100")
    (hidden,) = change(seller, "s2", "s1", "sell", "38=4|40=2|44=100|111=1|")
    assert told([hidden], 150, 111) == ["5 1"]
    world.client("OTHER").order("o1", "sell", "1", "100")
    seller.take()
    reports = buyer.order("b1", "buy", "3", "100")
    assert told(reports, 150, 32) == ["0 -", "F 1", "F 1", "F 1"]
    assert told(seller.take(), 150, 32, 111) == ["F 1 1", "F 1 1"]


def test_a_least_quantity_trades_at_once_or_nothing_does(make: MakeWorld) -> None:
    buyer, seller = two(make())
    seller.order("s1", "sell", "1", "100")
    reports = place(buyer, "b1", "buy", "38=3|40=2|44=100|110=2|")
    assert told(reports, 150, 39, 110, 58) == [
        "0 0 2 -",
        "4 4 2 MinQty (110) could not trade at once",
    ]
    reports = place(buyer, "b2", "buy", "38=3|40=2|44=100|110=1|59=1|")
    assert happened(reports) == ["0 0 b2 3 0", "F 1 b2 2 1"]
    (refused,) = change(buyer, "b3", "b2", "buy", "38=3|40=2|44=90|")
    assert refused[58] == "MinQty (110) cannot be changed"
    (replaced,) = change(buyer, "b3", "b2", "buy", "38=3|40=2|44=90|110=1|")
    assert told([replaced], 150, 39, 110, 151) == ["5 1 1 2"]
    seller.order("s2", "sell", "1", "95")
    reports = place(buyer, "b4", "buy", "38=3|40=2|44=95|110=1|59=3|")
    assert told(reports, 150, 39, 14) == ["0 0 0", "F 1 1", "4 4 1"]


def test_a_least_quantity_of_a_market_order_and_of_a_stop(make: MakeWorld) -> None:
    world = make()
    buyer, seller = two(world)
    seller.order("s1", "sell", "1", "100")
    assert told(place(buyer, "b1", "buy", "38=3|40=1|110=2|"), 150) == ["0", "4"]
    place(buyer, "t1", "buy", "38=3|40=3|99=100|110=2|")
    buyer.take()
    world.client("THIRD").order("x", "buy", "0.5", "100")
    assert told(buyer.take(), 150, 58) == [
        "D Triggered",
        "4 MinQty (110) could not trade at once",
    ]


def test_there_is_nothing_to_reduce(make: MakeWorld) -> None:
    buyer, _ = two(make())
    (refused,) = place(buyer, "b1", "buy", "38=1|40=2|44=100|18=E|")
    assert told([refused], 150, 39, 103) == ["8 8 11"]
    assert "nothing to reduce" in refused[58]
