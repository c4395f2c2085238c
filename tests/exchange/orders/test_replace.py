"""OrderCancelReplaceRequest on each kind of order: what can be changed, and what cannot."""

from __future__ import annotations

import pytest

from tests.exchange.orders.market import (
    MakeWorld,
    cancel,
    change,
    happened,
    place,
    timestamp,
    told,
    two,
)

#: Kind of order that stays there: its terms, new terms, and fields of the report, with values.
CHANGES = [
    ("38=2|40=2|44=100|", "38=1|40=2|44=100|", {38: "1", 44: "100", 151: "1"}),
    ("38=2|40=2|44=100|", "38=5|40=2|44=101|59=1|", {38: "5", 44: "101", 151: "5"}),
    ("38=2|40=2|44=100|59=0|", "38=3|40=2|44=101|59=0|", {38: "3", 44: "101", 59: "0"}),
    ("38=2|40=3|99=110|", "38=3|40=3|99=120|", {38: "3", 99: "120"}),
    ("38=2|40=4|99=110|44=111|", "38=3|40=4|99=112|44=113|", {38: "3", 99: "112", 44: "113"}),
    ("38=2|40=J|99=80|", "38=1|40=J|99=85|", {38: "1", 99: "85"}),
    ("38=2|40=J|99=80|44=79|", "38=1|40=J|99=85|44=84|", {38: "1", 99: "85", 44: "84"}),
    ("38=2|40=P|18=a|211=10|", "38=3|40=P|18=a|211=10|", {38: "3", 211: "10"}),
    ("38=2|40=P|18=a|211=10|99=150|", "38=2|40=P|18=a|211=10|99=140|", {99: "140"}),
    ("38=2|40=4|99=110|44=111|111=1|", "38=2|40=4|99=110|44=111|111=0.5|", {111: "0.5"}),
    ("38=2|40=2|44=100|18=6|", "38=3|40=2|44=101|18=6|", {38: "3", 44: "101", 18: "6"}),
    ("38=2|40=2|44=100|111=1|", "38=2|40=2|44=100|111=0.5|", {111: "0.5"}),
    ("38=2|40=2|44=100|110=0|", "38=2|40=2|44=101|", {44: "101"}),
    ("38=2|40=2|44=100|8013=N|", "38=2|40=2|44=101|", {44: "101", 8013: "N"}),
    ("38=2|40=2|44=100|8013=N|", "38=2|40=2|44=101|8013=Y|", {44: "101", 8013: "Y"}),
    ("38=2|40=2|44=100|", "38=2|40=2|44=100|8013=Y|", {8013: "Y"}),
    ("38=2|40=2|44=100|7928=O|", "38=2|40=2|44=101|111=1|", {7928: "O", 111: "1"}),
    ("38=2|40=2|44=100|7928=O|", "38=2|40=2|44=101|7928=O|", {7928: "O"}),
    ("40=3|152=100|99=110|", "40=3|152=50|99=120|", {152: "50", 99: "120", 151: "0"}),
]
#: Kind of order, new terms, Text.
FIXED = [
    ("38=2|40=2|44=100|", "38=2|40=1|", "OrdType (40) cannot be changed"),
    ("38=2|40=2|44=100|", "38=2|40=4|99=110|44=100|", "OrdType (40) cannot be changed"),
    ("38=2|40=2|44=100|", "38=2|40=2|44=100|59=0|", "TimeInForce (59) cannot be changed"),
    ("38=2|40=2|44=100|59=0|", "38=2|40=2|44=100|", "TimeInForce (59) cannot be changed"),
    ("38=2|40=2|44=100|", "38=2|40=2|44=100|110=1|", "MinQty (110) cannot be changed"),
    (
        "38=2|40=2|44=100|",
        "38=2|40=2|44=100|18=6|",
        "ExecInst (18) and PostOnlyAction (8019) cannot be changed",
    ),
    ("38=2|40=2|44=100|", "38=2|40=2|44=100|7928=O|", "SelfTradePrevention (7928) cannot be"),
    ("38=2|40=2|44=100|7928=N|", "38=2|40=2|44=100|7928=O|", "SelfTradePrevention (7928)"),
    ("38=2|40=2|44=100|", "38=2|40=2|44=100|168=<now>|", "EffectiveTime (168) cannot be"),
    ("38=2|40=J|99=80|", "38=2|40=J|99=80|44=80|", "Price (44) cannot come or go"),
    ("38=2|40=J|99=80|44=79|", "38=2|40=J|99=80|", "Price (44) cannot come or go"),
    ("38=2|40=3|99=110|", "38=2|40=3|99=110|1107=1|", "TriggerPriceType (1107) cannot be"),
    ("38=2|40=3|99=110|1107=1|", "38=2|40=3|99=110|", "TriggerPriceType (1107) cannot be"),
    ("38=2|40=P|18=a|211=10|", "38=2|40=P|18=a|211=11|", "PegOffsetValue (211) cannot be"),
    ("38=2|40=P|18=a|211=10|", "38=2|40=P|18=a|211=10|836=2|", "PegOffsetType (836) cannot be"),
    ("40=3|152=100|99=110|", "40=3|38=1|99=110|", "cannot take each other's place"),
    ("38=1|40=3|99=110|", "40=3|152=100|99=110|", "cannot take each other's place"),
]


@pytest.mark.parametrize(("had", "wanted", "fields"), CHANGES)
def test_what_can_be_changed(
    make: MakeWorld, had: str, wanted: str, fields: dict[int, str]
) -> None:
    buyer, _ = two(make())
    (new,) = place(buyer, "b1", "buy", had)
    reports = change(buyer, "b2", "b1", "buy", wanted)
    assert told(reports, 150, 39, 11, 41, 37) == [f"5 0 b2 b1 {new[37]}"], reports
    (status,) = buyer.ask("35=H|11=b2|55=BTC/USD|54=1|")
    for report in (*reports, status):
        assert {tag: report.get(tag) for tag in fields} == fields
    (late,) = change(buyer, "b3", "b1", "buy", wanted)
    assert told([late], 102, 39) == ["1 0"], "it goes by its new name"
    (report,) = cancel(buyer, "c1", "b2")
    assert told([report], 150, 39, 41, 151, 14) == ["4 4 b2 0 0"]


@pytest.mark.parametrize(("had", "wanted", "words"), FIXED)
def test_what_cannot_be_changed(make: MakeWorld, had: str, wanted: str, words: str) -> None:
    buyer, _ = two(make())
    (new,) = place(buyer, "b1", "buy", had)
    (answer,) = change(buyer, "b2", "b1", "buy", wanted)
    assert told([answer], 35, 102, 434, 39, 37, 41) == [f"9 99 2 0 {new[37]} b1"]
    assert words in answer[58]
    (report,) = buyer.ask("35=H|11=b1|55=BTC/USD|54=1|")
    (same,) = (
        {tag: value for tag, value in one.items() if tag not in (9, 10, 17, 34, 52, 60, 150)}
        for one in (report,)
    )
    assert same.items() <= new.items() | {(150, "0")}, "nothing about it has changed"


def test_an_expiry_can_be_changed(make: MakeWorld) -> None:
    world = make()
    buyer, _ = two(world)
    soon, later = timestamp(world, 10), timestamp(world, 20)
    place(buyer, "b1", "buy", f"38=2|40=2|44=100|59=6|126={soon}|")
    (answer,) = change(buyer, "b2", "b1", "buy", "38=2|40=2|44=100|59=6|")
    assert told([answer], 35, 380) == ["j 5"]
    (report,) = change(buyer, "b2", "b1", "buy", f"38=2|40=2|44=100|59=6|126={later}|")
    assert told([report], 150, 126) == [f"5 {later}"]
    world.pass_time(19.9)
    assert buyer.take()[-1] == report
    (report,) = change(buyer, "b3", "b2", "buy", "38=2|40=2|44=100|59=6|432=20270115|")
    assert told([report], 150, 126, 432) == ["5 - 20270115"]
    world.pass_time(16 * 3_600 - 20)
    assert buyer.take()[-1] == report
    world.pass_time(0.1)
    assert told(buyer.take(), 150, 39, 11) == ["C C b3"]


def test_an_expiry_that_is_over_ends_the_order(make: MakeWorld) -> None:
    world = make()
    buyer, _ = two(world)
    place(buyer, "b1", "buy", f"38=2|40=2|44=100|59=6|126={timestamp(world, 10)}|")
    reports = change(buyer, "b2", "b1", "buy", f"38=2|40=2|44=100|59=6|126={timestamp(world, -1)}|")
    world.pass_time(0)
    assert told([reports[0], buyer.take()[-1]], 150, 39, 11) == ["5 0 b2", "C C b2"]


def test_a_new_trigger_price_may_set_it_off(make: MakeWorld) -> None:
    world = make()
    buyer, seller = two(world)
    seller.order("s1", "sell", "0.1", "100")
    buyer.order("x", "buy", "0.1", "100")
    place(buyer, "t1", "buy", "38=2|40=4|99=110|44=100|")
    reports = change(buyer, "t2", "t1", "buy", "38=2|40=4|99=95|44=100|")
    assert told(reports, 150, 11, 99) == ["5 t2 95", "D t2 95"]
    (refused,) = change(buyer, "t3", "t2", "buy", "38=2|40=4|99=96|44=100|")
    assert refused[58] == "StopPx (99) cannot be changed: the order has been triggered"
    (report,) = change(buyer, "t3", "t2", "buy", "38=1|40=4|99=95|44=99|")
    assert told([report], 150, 38, 44, 151) == ["5 1 99 1"]


def test_a_trailing_stop_goes_on_from_where_it_was(make: MakeWorld) -> None:
    world = make()
    buyer, seller = two(world)
    for number, price in enumerate(("100", "90", "95")):
        seller.order(f"s{number}", "sell", "0.1", price)
        buyer.order(f"x{number}", "buy", "0.1", price)
        if not number:
            place(buyer, "t1", "buy", "38=2|40=P|18=a|211=10|")
    (report,) = change(buyer, "t2", "t1", "buy", "38=3|40=P|18=a|211=10|")
    assert told([report], 150, 38, 99) == ["5 3 100"], "not 105"


def test_a_chain_of_replacements_keeps_one_order(make: MakeWorld) -> None:
    world = make()
    buyer, seller = two(world)
    (new,) = buyer.order("b0", "buy", "5", "100")
    for number in range(1, 6):
        reports = change(
            buyer, f"b{number}", f"b{number - 1}", "buy", f"38={5 + number}|40=2|44=100|"
        )
        assert told(reports, 150, 11, 41, 37, 38) == [
            f"5 b{number} b{number - 1} {new[37]} {5 + number}"
        ]
        seller.order(f"s{number}", "sell", "1", "100")
        (fill,) = buyer.take()[-1:]
        assert told([fill], 150, 11, 14, 151, 38) == [f"F b{number} {number} 5 {5 + number}"]
    reports = change(buyer, "b6", "b5", "buy", "38=5|40=2|44=100|")
    assert told(reports, 150, 39, 38, 151, 14) == ["5 2 5 0 5"]


def test_a_replacement_that_crosses_trades(make: MakeWorld) -> None:
    buyer, seller = two(make())
    seller.order("s1", "sell", "1", "100")
    for name, terms in (("p", "38=2|40=2|44=90|"), ("i", "38=2|40=2|44=90|111=1|")):
        place(buyer, f"{name}1", "buy", terms)
        reports = change(buyer, f"{name}2", f"{name}1", "buy", terms.replace("44=90", "44=100"))
        assert happened(reports) == [f"5 0 {name}2 2 0", f"F 1 {name}2 1 1"]
        cancel(buyer, f"{name}3", f"{name}2")
        seller.order(f"s{name}", "sell", "1", "100")


def test_another_session_of_the_account_may_replace_and_is_answered(make: MakeWorld) -> None:
    world = make(accounts={"A1": "ACME", "A2": "ACME", "S": "OTHER"})
    one, other, seller = world.client("A1"), world.client("A2"), world.client("S")
    seller.order("s1", "sell", "1", "100")
    place(one, "b1", "buy", "38=1|40=2|44=90|18=6|")
    one.take()
    (refused,) = change(other, "x1", "b1", "buy", "38=1|40=2|44=100|18=6|")
    assert told([refused], 35, 11, 102) == ["9 x1 99"], "the answer goes to who has asked"
    assert one.take() == []
    (report,) = change(other, "b2", "b1", "buy", "38=2|40=2|44=90|18=6|")
    assert told([report], 150, 11) == ["5 b2"]
    assert one.take() == []
    seller.order("s2", "sell", "2", "90")
    assert told(other.take()[-1:], 150, 11) == ["F b2"], "the order is now of that session"
    assert one.take() == []
