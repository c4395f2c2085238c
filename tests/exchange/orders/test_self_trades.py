"""Orders of one account do not trade with each other: who gives way, and who says so."""

from __future__ import annotations

import pytest

from exchange.rules import AccountRules
from tests.exchange.orders.market import (
    MakeWorld,
    change,
    make_market_rules,
    place,
    told,
)
from tests.support.world import Client, World

ACCOUNTS = {"A1": "ACME", "A2": "ACME", "B": "BETA", "G": "GAMMA"}
PREVENTED = "Self-trade prevention (7928)"


def market(make: MakeWorld, mode: str = "N", logon: str = "") -> tuple[World, Client, Client]:
    rules = make_market_rules(
        AccountRules("ACME", self_trade=mode, trade_group="HOUSE"),
        AccountRules("BETA"),
        AccountRules("GAMMA", trade_group="HOUSE"),
    )
    world = make(rules, ACCOUNTS)
    one, other = world.client("A1", f"108=30|{logon}"), world.client("A2", f"108=30|{logon}")
    one.take()
    other.take()
    return world, one, other


@pytest.mark.parametrize("where", ["account", "session", "order"])
@pytest.mark.parametrize(
    ("mode", "maker", "taker"),
    [
        ("X", ["F 2 1 0 1 -"], ["0 0 2 2 0 -", "F 1 2 1 1 -"]),
        ("N", [], ["0 0 2 2 0 -", "4 4 2 0 0 8"]),
        ("O", ["4 4 1 0 0 8"], ["0 0 2 2 0 -"]),
        ("B", ["4 4 1 0 0 8"], ["0 0 2 2 0 -", "4 4 2 0 0 8"]),
        ("D", ["4 4 1 0 0 8"], ["0 0 2 2 0 -", "D 0 1 1 0 5"]),
    ],
)
def test_each_mode_wherever_it_is_chosen(
    make: MakeWorld, where: str, mode: str, maker: list[str], taker: list[str]
) -> None:
    usual = "B" if mode != "B" else "N"
    account = mode if where == "account" else usual
    logon = f"7928={mode}|" if where == "session" else ""
    world, one, other = market(make, account, logon)
    one.order("m", "sell", "1", "100")
    one.take()
    more = f"7928={mode}|" if where == "order" else ""
    reports = place(other, "t", "buy", f"38=2|40=2|44=100|{more}")
    assert told(one.take(), 150, 39, 38, 151, 14, 378) == maker
    assert told(reports, 150, 39, 38, 151, 14, 378) == taker
    for report in reports[1:]:
        if mode != "X":
            assert report[58].startswith(PREVENTED)
    open_orders = {"X": 1, "N": 1, "O": 1, "B": 0, "D": 1}
    assert world.venue.open_orders() == open_orders[mode]


def test_decrement_of_a_larger_order_that_rests(make: MakeWorld) -> None:
    world, one, other = market(make, "D")
    one.order("m", "sell", "5", "100")
    world.client("B").order("b", "sell", "1", "100")
    one.take()
    reports = other.order("t", "buy", "2", "100")
    assert told(one.take(), 150, 39, 38, 151, 14, 378) == ["D 0 3 3 0 5"]
    assert told(reports, 150, 39, 38, 151, 14) == ["0 0 2 2 0", "4 4 2 0 0"]


def test_decrement_goes_on_with_what_is_left(make: MakeWorld) -> None:
    """OrderQty (38) of each report is that of its moment."""
    world, one, other = market(make, "D")
    one.order("m1", "sell", "1", "100")
    stranger = world.client("B")
    stranger.order("b", "sell", "1", "100")
    one.order("m2", "sell", "1", "100")
    reports = other.order("t", "buy", "5", "100")
    assert told(reports, 150, 39, 38, 151, 14) == [
        "0 0 5 5 0",
        "D 0 4 4 0",
        "F 1 4 3 1",
        "D 1 3 2 1",
    ]
    reports = change(other, "t2", "t", "buy", "38=4|40=2|44=101|")
    assert told(reports, 150, 39, 38, 151, 14) == ["5 1 4 3 1"]
    place(one, "i", "sell", "38=2|40=2|44=105|111=0.5|")
    reports = change(other, "t3", "t2", "buy", "38=4|40=2|44=105|")
    assert told(reports, 150, 39, 38, 151, 14) == ["5 1 4 3 1", "D 1 2 1 1"]


def test_an_order_decremented_below_the_minimum_can_be_repriced(make: MakeWorld) -> None:
    _, one, other = market(make, "D")
    place(one, "m", "sell", "38=1|40=2|44=100|")
    other.order("t", "buy", "0.99995", "100")
    assert told(one.take()[-1:], 150, 38) == ["D 0.00005"]
    text = "OrderQty (38) {} is below the minimum of 0.0001; it may stay 0.00005"
    for quantity in ("0.00002", "0.00006"):
        (answer,) = change(one, "x", "m", "sell", f"38={quantity}|40=2|44=100|")
        assert told([answer], 35, 102, 39) == ["9 99 0"]
        assert answer[58] == text.format(quantity)
    (answer,) = change(one, "m2", "m", "sell", "38=0.00005|40=2|44=101|")
    assert told([answer], 150, 39, 38, 44, 151) == ["5 0 0.00005 101 0.00005"]
    (answer,) = change(one, "m3", "m2", "sell", "38=0.0001|40=2|44=101|")
    assert told([answer], 150, 38) == ["5 0.0001"]
    (answer,) = change(one, "x", "m3", "sell", "38=0.00005|40=2|44=101|")
    assert answer[58] == "OrderQty (38) 0.00005 is below the minimum of 0.0001"


def test_a_decremented_iceberg_may_keep_what_it_shows(make: MakeWorld) -> None:
    _, one, other = market(make, "D")
    place(one, "m", "sell", "38=1|40=2|44=100|111=0.5|")
    other.order("t", "buy", "0.99995", "100")
    assert told(one.take()[-1:], 150, 38) == ["D 0.00005"]
    same = "38=0.00005|40=2|44=101|"
    (answer,) = change(one, "x", "m", "sell", f"{same}111=0.4|")
    assert answer[58] == "MaxFloor (111) 0.4 is above OrderQty (38)"
    (answer,) = change(one, "x", "m", "sell", f"{same}111=0.00004|")
    assert answer[58] == "MaxFloor (111) 0.00004 is below the least order"
    (answer,) = change(one, "m2", "m", "sell", f"{same}111=0.5|")
    assert told([answer], 150, 38, 111) == ["5 0.00005 0.5"]
    (answer,) = change(one, "m3", "m2", "sell", "38=0.0001|40=2|44=101|")
    assert told([answer], 150, 38, 111) == ["5 0.0001 -"]


def test_decrement_of_orders_with_conditions(make: MakeWorld) -> None:
    _, one, other = market(make, "D")
    place(one, "m", "sell", "38=3|40=2|44=100|111=1|")
    one.take()
    reports = place(other, "t", "buy", "38=1|40=2|44=100|59=0|")
    assert told(reports, 150, 39, 38, 151, 59) == ["0 0 1 1 0", "4 4 1 0 0"]
    assert told(one.take(), 150, 38, 151, 111, 378) == ["D 2 2 1 5"]


def test_a_stop_that_wakes_is_the_newest(make: MakeWorld) -> None:
    world, one, other = market(make, "D")
    stranger = world.client("B")
    one.order("m", "sell", "1", "101")
    place(other, "t", "buy", "38=3|40=4|99=100|44=101|")
    stranger.order("b1", "sell", "1", "100")
    other.take()
    one.take()
    one.order("x", "buy", "1", "100")
    assert told(other.take(), 150, 39, 38, 151) == ["D 0 3 3", "D 0 2 2"]
    assert told(one.take(), 150, 11) == ["0 x", "F x", "4 m"]


def test_accounts_of_a_trade_group_are_one(make: MakeWorld) -> None:
    world, one, _ = market(make)
    gamma, beta = world.client("G"), world.client("B")
    one.order("m", "sell", "1", "100")
    assert told(gamma.order("t", "buy", "1", "100"), 150, 58) == ["0 -", f"4 {PREVENTED}"]
    assert told(beta.order("t", "buy", "1", "100"), 150) == ["0", "F"]


def test_fill_or_kill_counts_only_what_it_may_trade_with(make: MakeWorld) -> None:
    world, one, other = market(make)
    one.order("m", "sell", "1", "100")
    world.client("B").order("b", "sell", "1", "100")
    assert told(other.order("t", "buy", "2", "100", "59=4|"), 150) == ["0", "4"]
    reports = place(other, "t2", "buy", "38=1|40=2|44=100|59=4|7928=O|")
    assert told(reports, 150, 39) == ["0 0", "F 2"]


def test_sessions_without_an_account_trade_with_whom_they_like(make: MakeWorld) -> None:
    world = make()
    client = world.client("C")
    client.order("s", "sell", "1", "100")
    assert told(place(client, "b", "buy", "38=1|40=2|44=100|7928=B|"), 150) == ["0", "F", "F"]


def test_a_replacement_comes_anew(make: MakeWorld) -> None:
    _, one, other = market(make)
    one.order("m", "sell", "1", "100")
    other.order("t", "buy", "1", "90")
    reports = change(other, "t2", "t", "buy", "38=1|40=2|44=100|")
    assert told(reports, 150, 11, 41, 378) == ["5 t2 t -", "4 t2 - 8"]
