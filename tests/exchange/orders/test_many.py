"""Questions, mass cancels and mass status requests; which orders they mean."""

from __future__ import annotations

import pytest

from tests.exchange.orders.market import (
    MakeWorld,
    Report,
    ask_about,
    cancel,
    happened,
    place,
    timestamp,
    told,
    two,
)
from tests.support.world import Client, World

ACCOUNTS = {"A1": "ACME", "A2": "ACME", "B": "BETA"}
#: What a selection says, and which of the orders below it means when A1 says it.
SELECTIONS = [
    ("7|", "a1 a2 a3 a4 a5 a6"),
    ("7|54=1|", "a1 a2 a3 a5 a6"),
    ("7|54=2|", "a4"),
    ("7|1=FUND|", "a2"),
    ("7|1=NOBODY|", ""),
    ("1|55=BTC/USD|", "a1 a2 a4 a5 a6"),
    ("1|55=ETH/USD|", "a3"),
    ("1|55=ETH/USD|54=2|", ""),
    ("3|460=4|", "a1 a2 a3 a4 a5 a6"),
    ("6|336=any|", "a1 a2 a3 a4 a5"),
    ("6|336=any|54=2|", "a4"),
]


def market(make: MakeWorld) -> tuple[World, Client, Client, Client]:
    world = make(accounts=ACCOUNTS)
    one, other, stranger = (world.client(name) for name in ACCOUNTS)
    one.order("a1", "buy", "1", "10")
    one.order("a2", "buy", "1", "10", "1=FUND|")
    one.order("a3", "buy", "1", "10", symbol="ETH/USD")
    place(one, "a4", "sell", "38=1|40=4|99=5|44=200|")
    place(one, "a5", "buy", f"38=1|40=2|44=10|168={timestamp(world, 100)}|")
    other.order("a6", "buy", "1", "10")
    stranger.order("b1", "buy", "1", "10")
    for client in (one, other, stranger):
        client.take()
    return world, one, other, stranger


def names(reports: list[Report]) -> str:
    return " ".join(report[11] for report in reports)


@pytest.mark.parametrize(("selection", "meant"), SELECTIONS)
def test_a_mass_cancel_takes_what_it_means(make: MakeWorld, selection: str, meant: str) -> None:
    world, one, other, stranger = market(make)
    answer, *cancels = one.ask(f"35=q|11=m1|60=<now>|530={selection}")
    assert told([answer], 35, 11, 530, 531, 533) == [
        f"r m1 {selection[0]} {selection[0]} {len(meant.split())}"
    ]
    cancels += other.take()
    assert names(cancels) == meant
    for report in cancels:
        assert told([report], 150, 39, 378, 58) == ["4 4 8 Mass cancel m1"]
        assert 41 not in report
    assert stranger.take() == []
    assert world.venue.open_orders() == 7 - len(meant.split())


@pytest.mark.parametrize(("selection", "meant"), SELECTIONS)
def test_a_mass_status_request_tells_what_it_means(
    make: MakeWorld, selection: str, meant: str
) -> None:
    world, one, other, _ = market(make)
    reports = one.ask(f"35=AF|584=q1|585={selection}")
    if not meant:
        assert told(reports, 35, 150, 39, 37, 103, 584, 911, 912) == ["8 I 8 NONE 5 q1 0 Y"]
        assert reports[0][58] == "No open order is meant"
        return
    count = len(meant.split())
    assert names(reports) == meant
    last = ["N"] * (count - 1) + ["Y"]
    assert told(reports, 150, 584, 911, 912) == [f"I q1 {count} {flag}" for flag in last]
    states = {"a5": "A"}
    assert [one[39] for one in reports] == [states.get(one[11], "0") for one in reports]
    assert other.take() == []
    assert world.venue.open_orders() == 7


@pytest.mark.parametrize(
    ("selection", "reason", "words"),
    [
        ("2|", "0", "only 1, security"),
        ("4|", "0", "only 1, security"),
        ("5|", "0", "only 1, security"),
        ("1|55=DOGE/USD|", "1", "Symbol (55) DOGE/USD is not traded here"),
        ("3|460=5|", "3", "Product (460) must be 4"),
        ("3|", "3", "Product (460) must be 4"),
    ],
)
def test_a_mass_cancel_that_cannot_be(
    make: MakeWorld, selection: str, reason: str, words: str
) -> None:
    world, one, _, _ = market(make)
    (answer,) = one.ask(f"35=q|11=m1|60=<now>|530={selection}")
    assert told([answer], 35, 11, 530, 531, 532, 533) == [f"r m1 {selection[0]} 0 {reason} 0"]
    assert words in answer[58]
    (answer,) = one.ask(f"35=AF|584=q1|585={selection}")
    assert told([answer], 35, 150, 39, 584, 911, 912) == ["8 I 8 q1 0 Y"]
    assert words in answer[58]
    assert world.venue.open_orders() == 7


def test_what_a_selection_lacks(make: MakeWorld) -> None:
    _, one, _, _ = market(make)
    assert told(one.ask("35=q|11=m1|60=<now>|530=1|"), 35, 380, 379) == ["j 5 m1"]
    assert told(one.ask("35=AF|584=q1|585=1|"), 35, 380) == ["j 5"]
    assert told(one.ask("35=AF|584=q1|585=8|"), 35, 39, 911) == ["8 8 0"]
    (answer,) = one.ask("35=q|11=m2|60=<now>|530=7|54=5|")
    assert answer[35] in "r3"


def test_the_name_of_a_mass_cancel_is_used_up(make: MakeWorld) -> None:
    world, one, other, _ = market(make)
    (answer,) = one.ask("35=q|11=a1|60=<now>|530=7|")
    assert told([answer], 35, 531, 532, 533) == ["r 0 99 0"]
    one.ask("35=q|11=m1|60=<now>|530=1|55=ETH/USD|")
    (answer,) = other.ask("35=q|11=m1|60=<now>|530=7|")
    assert told([answer], 35, 531, 532, 533) == ["r 0 99 0"]
    assert "used before, for a request that made no order" in answer[58]
    (answer,) = one.order("m1", "buy", "1", "10")
    assert told([answer], 39, 103, 37) == ["8 6 NONE"]
    assert world.venue.open_orders() == 6


def test_a_mass_cancel_may_set_free_what_it_means(make: MakeWorld) -> None:
    """The stop that wakes when the best price goes finds nothing of its own to trade with."""
    world = make(accounts=ACCOUNTS)
    one, stranger = world.client("A1"), world.client("B")
    one.order("a1", "sell", "1", "100")
    stranger.order("b1", "sell", "1", "120")
    place(one, "t1", "buy", "38=2|40=4|99=110|44=120|1107=1|")
    one.take()
    reports = one.ask("35=q|11=m1|60=<now>|530=7|")
    assert told(reports, 35, 533, 150, 39, 11, 151) == [
        "r 2 - - m1 -",
        "8 - 4 4 a1 0",
        "8 - D 0 t1 2",
        "8 - F 1 t1 1",
        "8 - 4 4 t1 0",
    ]


def test_a_status_request_of_each_state(make: MakeWorld) -> None:
    world = make()
    buyer, seller = two(world)
    buyer.order("new", "buy", "1", "10")
    buyer.order("part", "buy", "2", "100")
    buyer.order("full", "buy", "1", "101")
    buyer.order("gone", "buy", "1", "9")
    seller.order("s1", "sell", "2", "100")
    cancel(buyer, "c1", "gone")
    place(buyer, "late", "buy", f"38=1|40=2|44=9|168={timestamp(world, 60)}|")
    place(buyer, "old", "buy", f"38=1|40=2|44=9|59=6|126={timestamp(world, 1)}|")
    place(buyer, "stop", "buy", "38=1|40=3|99=200|")
    place(seller, "no", "sell", "38=1|40=2|44=100|18=6|")
    world.pass_time(1)
    expected = {
        "new": "0 1 0 0",
        "part": "1 1 1 100",
        "full": "2 0 1 101",
        "gone": "-",
        "c1": "4 0 0 0",
        "late": "A 1 0 0",
        "old": "C 0 0 0",
        "stop": "0 1 0 0",
    }
    for name, fields in expected.items():
        report = ask_about(buyer, name)
        assert report[150] == "I"
        assert 378 not in report
        if fields != "-":
            assert told([report], 39, 151, 14, 6) == [fields], name
    assert ask_about(buyer, "gone")[11] == "c1", "its name now"
    assert told([ask_about(seller, "no")], 39, 151) == ["8 0"]


@pytest.mark.parametrize(
    ("fields", "text"),
    [
        ("55=BTC/USD|54=1|37=999|", "has OrderID (37) 4, not 999"),
        ("55=ETH/USD|54=1|", "has Symbol (55) BTC/USD, not ETH/USD"),
        ("55=DOGE/USD|54=1|37=4|", "has Symbol (55) BTC/USD, not DOGE/USD"),
        ("55=BTC/USD|54=2|", "has Side (54) 1, not 2"),
    ],
)
def test_a_question_that_contradicts_its_order_means_another_one(
    make: MakeWorld, fields: str, text: str
) -> None:
    buyer, _ = two(make())
    place(buyer, "new", "buy", "38=1|40=2|44=100|")
    (report,) = buyer.ask(f"35=H|11=new|790=q|{fields}")
    assert told([report], 150, 39, 103, 37, 11) == ["I 8 5 NONE new"]
    assert report[58] == f"The order by ClOrdID (11) new {text}"


def test_a_mass_status_of_conditional_orders_is_in_tag_order(make: MakeWorld) -> None:
    """`prove` reads every message: 836 stands between 584 and 911."""
    world = make()
    buyer, _ = two(world)
    place(buyer, "t1", "buy", "38=1|40=P|18=a|211=5|836=2|99=100|7928=O|8013=Y|")
    (report,) = buyer.ask("35=AF|584=q1|585=7|")
    assert told([report], 211, 836, 584, 911, 912, 7928, 8013) == ["5 2 q1 1 Y O Y"]


def test_orders_of_the_account_that_others_may_not_touch(make: MakeWorld) -> None:
    _, one, other, stranger = market(make)
    assert told(cancel(stranger, "x1", "a1"), 35, 102, 37, 39) == ["9 1 NONE 8"]
    assert told([ask_about(stranger, "a1")], 39, 103) == ["8 5"]
    assert happened(cancel(other, "c1", "a1")) == ["4 4 c1 0 0"]
    assert one.take() == [], "who cancels is answered"
    assert told([ask_about(one, "c1")], 39) == ["4"]
