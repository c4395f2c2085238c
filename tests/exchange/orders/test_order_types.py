"""OrdType (40): market and limit, by quantity or by cash, and all that waits for a price."""

from __future__ import annotations

import pytest

from tests.exchange.orders.market import MakeWorld, happened, place, told, two
from tests.support.world import Client

LIMIT = "38={}|40=2|44={}|59=1|"


def trade_at(one: Client, other: Client, price: str, tag: str) -> None:
    """Have the last trade be at this price, without anything left."""
    one.order(f"{tag}-m", "sell", "0.01", price)
    other.order(f"{tag}-t", "buy", "0.01", price)


def test_market_and_limit(make: MakeWorld) -> None:
    buyer, seller = two(make())
    assert happened(seller.order("s1", "sell", "2", "100")) == ["0 0 s1 2 0"]
    assert happened(buyer.order("b1", "buy", "0.5")) == ["0 0 b1 0.5 0", "F 2 b1 0 0.5"]
    assert happened(buyer.order("b2", "buy", "3", "101")) == [
        "0 0 b2 3 0",
        "F 1 b2 1.5 1.5",
    ]
    assert happened(seller.order("s2", "sell", "2")) == [
        "0 0 s2 2 0",
        "F 1 s2 0.5 1.5",
        "4 4 s2 0 1.5",
    ]


def test_a_market_order_by_cash(make: MakeWorld) -> None:
    buyer, seller = two(make())
    seller.order("s1", "sell", "1", "100")
    seller.order("s2", "sell", "1", "200")
    reports = place(buyer, "b1", "buy", "40=1|152=250|")
    assert told(reports, 150, 39, 32, 31, 151, 14, 152, 38) == [
        "0 0 - - 0 0 250 -",
        "F 1 1 100 1.5 1 250 -",
        "F 2 0.75 200 0 1.75 250 -",
    ]
    buyer.order("rest", "buy", "1", "90")
    reports = place(seller, "s3", "sell", "40=1|152=45|59=3|")
    assert told(reports, 150, 39, 32, 31, 151, 14) == [
        "0 0 - - 0 0",
        "F 2 0.5 90 0 0.5",
    ]
    reports = place(seller, "s4", "sell", "40=1|152=90|")
    assert told(reports, 150, 39, 14, 58) == [
        "0 0 0 -",
        "F 1 0.5 -",
        "4 4 0.5 Market order: nothing is left to trade with",
    ]


def test_cash_that_buys_nothing_comes_back(make: MakeWorld) -> None:
    buyer, seller = two(make())
    assert happened(place(buyer, "b0", "buy", "40=1|152=100|")) == ["0 0 b0 0 0", "4 4 b0 0 0"]
    seller.order("s1", "sell", "1", "100")
    fok = place(buyer, "b1", "buy", "40=1|152=150|59=4|")
    assert told(fok, 150, 39, 58) == [
        "0 0 -",
        "4 4 Fill or kill: the whole quantity could not trade",
    ]
    assert happened(place(buyer, "b2", "buy", "40=1|152=50|59=4|")) == [
        "0 0 b2 0 0",
        "F 2 b2 0 0.5",
    ]


def test_cash_of_any_size_is_understood(make: MakeWorld) -> None:
    """A Decimal of the context's 28 digits could not hold the first of these."""
    buyer, seller = two(make())
    seller.order("s1", "sell", "1", "0.05", symbol="ETH/BTC")
    head = "35=D|55=ETH/BTC|54=1|60=<now>|40=1|"
    reports = buyer.ask(f"{head}11=b1|152=999999999999999999.999999999999999999|")
    assert told(reports, 150, 39, 14) == ["0 0 0", "F 1 1", "4 4 1"]
    (answer,) = buyer.ask(f"{head}11=b2|152=0.000000000000000001|")
    assert told([answer], 39, 103) == ["8 13"]


@pytest.mark.parametrize(
    ("side", "stop", "quiet", "fires"), [("buy", "110", "109", "110"), ("sell", "90", "91", "89")]
)
def test_a_stop_waits_for_the_last_trade(
    make: MakeWorld, side: str, stop: str, quiet: str, fires: str
) -> None:
    world = make()
    buyer, seller = two(world)
    stopper = world.client("STOPPER")
    stopper.take()
    (new,) = place(stopper, "t1", side, f"38=1|40=3|99={stop}|")
    assert told([new], 150, 39, 40, 99, 151) == [f"0 0 3 {stop} 1"]
    assert 44 not in new
    trade_at(seller, buyer, quiet, "quiet")
    assert stopper.take()[1:] == []
    if side == "buy":
        seller.order("far", "sell", "5", "120")
    else:
        buyer.order("far", "buy", "5", "80")
    trade_at(seller, buyer, fires, "fires")
    assert told(stopper.take(), 150, 39, 151, 378, 58, 31) == [
        "D 0 1 99 Triggered -",
        f"F 2 0 - - {'120' if side == 'buy' else '80'}",
    ]


def test_a_stop_limit_rests_once_it_is_triggered(make: MakeWorld) -> None:
    world = make()
    buyer, seller = two(world)
    place(buyer, "t1", "buy", "38=2|40=4|99=110|44=111|59=1|")
    trade_at(seller, buyer, "110", "x")
    taken = [one for one in buyer.take() if one.get(11) == "t1"]
    assert told(taken, 150, 39, 40, 44, 99, 151) == ["0 0 4 111 110 2", "D 0 4 111 110 2"]
    assert happened(seller.order("s1", "sell", "0.5", "105"))[1:] == ["F 2 s1 0 0.5"]
    assert told(buyer.take(), 150, 39, 11, 31, 151) == ["F 1 t1 111 1.5"]


def test_a_stop_whose_condition_holds_already_fires_at_once(make: MakeWorld) -> None:
    world = make()
    buyer, seller = two(world)
    trade_at(seller, buyer, "110", "x")
    seller.order("s1", "sell", "1", "112")
    reports = place(buyer, "t1", "buy", "38=3|40=3|99=105|")
    assert told(reports, 150, 39, 151, 14, 58) == [
        "0 0 3 0 -",
        "D 0 3 0 Triggered",
        "F 1 2 1 -",
        "4 4 0 1 Market order: nothing is left to trade with",
    ]


def test_if_touched_waits_for_the_better_price(make: MakeWorld) -> None:
    world = make()
    buyer, seller = two(world)
    stopper = world.client("STOPPER")
    trade_at(seller, buyer, "100", "a")
    stopper.take()
    place(stopper, "t1", "buy", "38=1|40=J|99=95|")
    place(stopper, "t2", "buy", "38=1|40=J|99=95|44=94|59=1|")
    assert told(stopper.take(), 150, 40, 44, 99) == ["0 J - 95", "0 J 94 95"]
    trade_at(seller, buyer, "96", "b")
    assert stopper.take() == []
    trade_at(seller, buyer, "95", "c")
    assert told(stopper.take(), 150, 39, 11, 58) == [
        "D 0 t1 Triggered",
        "4 4 t1 Market order: nothing is left to trade with",
        "D 0 t2 Triggered",
    ]
    assert happened(seller.order("s1", "sell", "1", "94"))[1:] == ["F 2 s1 0 1"]
    place(stopper, "t3", "sell", "38=1|40=J|99=105|")
    trade_at(seller, buyer, "106", "d")
    assert told(stopper.take()[-2:], 150, 11) == ["D t3", "4 t3"]


@pytest.mark.parametrize(
    ("offset", "followed"),
    [
        ("211=5|836=0|", ["105", "101", "101", "101"]),
        ("211=5|", ["105", "101", "101", "101"]),
        ("211=500|836=1|", ["105", "100.8", "100.8", "100.8"]),
        ("211=50|836=2|", ["105", "101", "101", "101"]),
    ],
)
def test_a_trailing_stop_follows_and_never_goes_back(
    make: MakeWorld, offset: str, followed: list[str]
) -> None:
    world = make()
    buyer, seller = two(world)
    trade_at(seller, buyer, "100", "a")
    stopper = world.client("STOPPER")
    stopper.take()
    place(stopper, "t1", "buy", f"38=1|40=P|18=a|{offset}")
    for number, price in enumerate(("100", "96", "99", "100")):
        trade_at(seller, buyer, price, f"p{number}")
        (report,) = stopper.ask(f"35=H|11=t1|790=q{number}|55=BTC/USD|54=1|")
        assert report[99] == followed[number], price
        assert report[790] == f"q{number}"
    stopper.take()
    trade_at(seller, buyer, followed[-1], "z")
    assert told(stopper.take(), 150, 58) == [
        "D Triggered",
        "4 Market order: nothing is left to trade with",
    ]


def test_a_trailing_stop_may_begin_at_a_price(make: MakeWorld) -> None:
    world = make()
    buyer, seller = two(world)
    (new,) = place(buyer, "t1", "sell", "38=1|40=P|18=a|211=10|99=80|")
    assert new[99] == "80"
    trade_at(seller, buyer, "85", "a")
    (report,) = buyer.ask("35=H|11=t1|55=BTC/USD|54=2|")
    assert report[99] == "80", "75 would be further away"
    trade_at(seller, buyer, "95", "b")
    (report,) = buyer.ask("35=H|11=t1|55=BTC/USD|54=2|")
    assert report[99] == "85"


def test_a_trailing_stop_without_a_price_waits_for_the_first(make: MakeWorld) -> None:
    world = make()
    buyer, seller = two(world)
    (new,) = place(buyer, "t1", "sell", "38=1|40=P|18=a|211=10|")
    assert 99 not in new
    trade_at(seller, buyer, "95", "b")
    (report,) = buyer.ask("35=H|11=t1|55=BTC/USD|54=2|")
    assert report[99] == "85"


@pytest.mark.parametrize(("side", "reference"), [("buy", "1"), ("sell", "3")])
def test_a_trigger_may_look_at_the_best_price_on_the_other_side(
    make: MakeWorld, side: str, reference: str
) -> None:
    world = make()
    buyer, seller = two(world)
    opposite, other = (seller, "sell") if side == "buy" else (buyer, "buy")
    near, far, stop = ("100", "120", "110") if side == "buy" else ("100", "80", "90")
    opposite.order("near", other, "1", near)
    opposite.order("far", other, "1", far)
    stopper = world.client("STOPPER")
    stopper.take()
    (new,) = place(stopper, "t1", side, f"38=1|40=3|99={stop}|1107={reference}|")
    assert told([new], 150, 1107) == [f"0 {reference}"]
    code = 2 if side == "buy" else 1
    opposite.ask(f"35=F|11=gone|41=near|55=BTC/USD|54={code}|60=<now>|")
    assert told(stopper.take()[1:], 150, 31) == ["D -", f"F {far}"], "no trade has happened"


def test_triggers_go_off_one_after_the_other(make: MakeWorld) -> None:
    """What one sets free may set free the next, all within one request."""
    world = make()
    buyer, seller = two(world)
    for price in ("100", "105", "110", "115"):
        seller.order(f"s{price}", "sell", "1", price)
    place(buyer, "t1", "buy", "38=1|40=3|99=100|")
    place(buyer, "t2", "buy", "38=1|40=3|99=105|")
    place(buyer, "t3", "buy", "38=1|40=3|99=115|")
    buyer.take()
    buyer.order("b1", "buy", "1", "100")
    assert told(buyer.take(), 150, 11, 31) == [
        "0 b1 -",
        "F b1 100",
        "D t1 -",
        "F t1 105",
        "D t2 -",
        "F t2 110",
    ]
    assert told(seller.take()[-3:], 150, 11, 851) == ["F s100 1", "F s105 1", "F s110 1"]


def test_a_stop_by_cash(make: MakeWorld) -> None:
    world = make()
    buyer, seller = two(world)
    seller.order("s1", "sell", "1", "100")
    (new,) = place(buyer, "t1", "buy", "40=3|152=50|99=90|")
    assert told([new], 150, 151, 152, 99) == ["0 0 50 90"]
    trade_at(seller, buyer, "100", "x")
    reports = [one for one in buyer.take() if one.get(11) == "t1"]
    assert told(reports[1:], 150, 39, 151, 14) == ["D 0 0 0", "F 2 0 0.5"]


def test_a_stop_with_a_time_in_force_of_its_own(make: MakeWorld) -> None:
    world = make()
    buyer, seller = two(world)
    seller.order("s1", "sell", "1", "100")
    place(buyer, "t1", "buy", "38=2|40=4|99=90|44=100|59=4|")
    place(buyer, "t2", "buy", "38=2|40=4|99=90|44=100|59=3|")
    buyer.take()
    seller.order("a", "sell", "0.01", "95")
    world.client("THIRD").order("b", "buy", "0.01", "95")
    assert told(buyer.take(), 150, 39, 11, 14, 59) == [
        "D 0 t1 0 4",
        "4 4 t1 0 4",
        "D 0 t2 0 3",
        "F 1 t2 1 3",
        "4 4 t2 1 3",
    ]
