"""Limits of instrument and account, states of the market, and what trading costs."""

from __future__ import annotations

import pytest

from exchange.rules import AccountRules
from exchange.venue.state import MarketState
from tests.exchange.orders.market import (
    MakeWorld,
    cancel,
    change,
    happened,
    make_market_rules,
    place,
    timestamp,
    told,
    two,
)

LIMIT = "38=1|40=2|44={}|"
ACCOUNTS = {"A1": "ACME", "A2": "ACME", "B": "BETA"}


def test_a_price_is_kept_within_the_collar(make: MakeWorld) -> None:
    world = make(make_market_rules(collar="0.1"))
    buyer, seller = two(world)
    assert told(place(buyer, "b0", "buy", LIMIT.format("500")), 150) == ["0"], "no trade yet"
    assert told(cancel(buyer, "c0", "b0"), 150) == ["4"]
    seller.order("s1", "sell", "1", "100")
    buyer.order("b1", "buy", "1", "100")
    for side, good, bad in (("buy", "110", "110.1"), ("sell", "90", "89.9")):
        client = buyer if side == "buy" else seller
        (refused,) = place(client, f"x{side}", side, LIMIT.format(bad))
        assert told([refused], 39, 103) == ["8 3"]
        assert refused[58] == (
            f"Price (44) {bad} is more than 1000 basis points through the last trade, 100"
        )
        (new,) = place(client, f"y{side}", side, LIMIT.format(good))[:1]
        assert new[150] == "0"
        client.ask(f"35=q|11=m{side}|60=<now>|530=7|")
    place(buyer, "b2", "buy", LIMIT.format("50"))
    (refused,) = change(buyer, "b3", "b2", "buy", LIMIT.format("110.1"))
    assert told([refused], 35, 102, 39) == ["9 99 0"]
    assert "basis points" in refused[58]
    (refused,) = place(buyer, "b4", "buy", "38=1|40=4|99=100|44=120|")
    assert refused[103] == "3"


def test_an_order_is_worth_enough_and_not_too_much(make: MakeWorld) -> None:
    world = make(make_market_rules(min_notional="10", max_notional="1000"))
    buyer, seller = two(world)
    cases = [
        ("38=0.0999|40=2|44=100|", "99", "less than 10"),
        ("38=10.01|40=2|44=100|", "3", "more than 1000"),
        ("40=1|152=9.99|", "99", "less than 10"),
        ("40=1|152=1000.01|", "3", "more than 1000"),
    ]
    for number, (terms, reason, words) in enumerate(cases):
        (refused,) = place(buyer, f"x{number}", "buy", terms)
        assert told([refused], 39, 103) == [f"8 {reason}"], terms
        assert words in refused[58], terms
    assert told(place(buyer, "b1", "buy", "38=0.1|40=2|44=100|"), 150) == ["0"]
    assert told(place(buyer, "b2", "buy", "38=10|40=2|44=100|"), 150) == ["0"]
    (refused,) = change(buyer, "b3", "b2", "buy", "38=11|40=2|44=100|")
    assert told([refused], 35, 102) == ["9 99"]
    seller.order("s1", "sell", "1", "500")
    (refused,) = place(buyer, "m1", "buy", "38=3|40=1|")
    assert told([refused], 39, 103) == ["8 3"], "by the best price on the other side"
    assert told(place(buyer, "m2", "buy", "38=1|40=1|"), 150) == ["0", "F"]


def test_an_account_has_so_many_open_orders(make: MakeWorld) -> None:
    world = make(make_market_rules(AccountRules("ACME", max_open_orders=2)), ACCOUNTS)
    one, other = world.client("A1"), world.client("A2")
    one.order("a", "buy", "1", "10")
    other.order("b", "buy", "1", "10")
    (refused,) = one.order("c", "buy", "1", "10")
    assert told([refused], 39, 103, 58) == ["8 3 2 open orders are the most for this account"]
    assert told(change(one, "a2", "a", "buy", LIMIT.format("11")), 150) == ["5"]
    assert told(cancel(one, "x", "b"), 150) == ["4"]
    assert told(one.order("c", "buy", "1", "10"), 150) == ["0"], "the name is free"


def test_too_many_requests_wait_and_cancels_pass_longer(make: MakeWorld) -> None:
    world = make(make_market_rules(AccountRules("ACME", max_orders_per_s=4)), ACCOUNTS)
    one, other = world.client("A1"), world.client("A2")
    for number in range(4):
        client = (one, other)[number % 2]
        assert told(client.order(f"a{number}", "buy", "1", "10"), 150) == ["0"]
    (refused,) = one.order("b", "buy", "1", "10")
    assert told([refused], 39, 103) == ["8 99"]
    assert refused[58] == "Too many requests of this account: wait 250 ms"
    (refused,) = change(other, "c", "a1", "buy", LIMIT.format("11"))
    assert told([refused], 35, 102, 39) == ["9 99 0"]
    for number in range(4):
        assert told(cancel(one, f"c{number}", f"a{number}"), 150) == ["4"], "cancels pass"
    assert world.venue.open_orders() == 0
    world.pass_time(1.25)
    assert told(one.order("d", "buy", "1", "10"), 150) == ["0"], "paid back, and one more"
    (refused,) = one.order("e", "buy", "1", "10")
    assert refused[39] == "8"
    world.pass_time(0.25)
    assert told(one.order("e", "buy", "1", "10"), 150) == ["0"]
    for number in range(3):
        cancel(one, f"f{number}", "nope")
    assert told(one.ask("35=q|11=m|60=<now>|530=7|"), 35, 533) == ["r 2", "8 -", "8 -"]


def test_too_many_cancels_wait_too(make: MakeWorld) -> None:
    world = make(make_market_rules(AccountRules("ACME", max_orders_per_s=1)), ACCOUNTS)
    one = world.client("A1")
    for number in range(3):
        one.order(f"a{number}", "buy", "1", "10")
        world.pass_time(1)
    assert told(cancel(one, "c0", "a0"), 150) == ["4"]
    assert told(cancel(one, "c1", "a1"), 150) == ["4"]
    (refused,) = cancel(one, "c2", "a2")
    assert told([refused], 35, 102, 39) == ["9 99 0"]
    assert refused[58] == "Too many requests of this account: wait 1000 ms"
    world.pass_time(1)
    assert told(cancel(one, "c2", "a2"), 150) == ["4"]


#: State, and whether it takes a limit, a market, a post-only order, and a stop.
STATES = [
    (MarketState.HALTED, (False, False, False, False), "is halted"),
    (MarketState.CANCEL_ONLY, (False, False, False, False), "cancel-only"),
    (MarketState.POST_ONLY, (False, False, True, False), "post-only"),
    (MarketState.LIMIT_ONLY, (True, False, True, False), "limit-only"),
    (MarketState.DELISTED, (False, False, False, False), "not traded any more"),
]


@pytest.mark.parametrize(("state", "takes", "words"), STATES)
def test_what_each_state_of_the_market_takes(
    make: MakeWorld, state: MarketState, takes: tuple[bool, ...], words: str
) -> None:
    world = make(proves=False)
    buyer, _ = two(world)
    place(buyer, "old", "buy", LIMIT.format("50"))
    place(buyer, "post", "buy", LIMIT.format("50") + "18=6|")
    world.venue.state.markets[0] = state
    kinds = ("38=1|40=2|44=50|", "38=1|40=1|", "38=1|40=2|44=50|18=6|", "38=1|40=3|99=90|")
    for number, (terms, is_taken) in enumerate(zip(kinds, takes, strict=True)):
        report = place(buyer, f"b{number}", "buy", terms)[0]
        expected = "0 -" if is_taken else "8 2"
        assert told([report], 150, 103) == [expected], terms
        assert is_taken or words in report[58]
    (report,) = change(buyer, "old2", "old", "buy", LIMIT.format("49"))
    assert report[35] == ("8" if takes[0] else "9")
    (report,) = change(buyer, "post2", "post", "buy", LIMIT.format("49") + "18=6|")
    assert report[35] == ("8" if takes[2] else "9")
    name = "old2" if takes[0] else "old"
    assert told(cancel(buyer, "c1", name), 150) == ["4"], "cancels always pass"
    assert buyer.order("e", "buy", "1", "10", symbol="ETH/USD")[0][150] == "0"
    (report,) = buyer.ask("35=H|11=c1|55=BTC/USD|54=1|")
    assert report[39] == "4"


def test_an_order_whose_time_comes_while_the_market_is_halted(make: MakeWorld) -> None:
    world = make(proves=False)
    buyer, _ = two(world)
    place(buyer, "b1", "buy", LIMIT.format("50") + f"168={timestamp(world, 10)}|")
    world.venue.state.markets[0] = MarketState.HALTED
    buyer.take()
    world.pass_time(10)
    assert told(buyer.take(), 150, 39, 378, 58) == ["4 4 8 BTC/USD is halted: nothing but cancels"]


@pytest.mark.parametrize(
    ("maker", "taker", "quantity", "price", "fees"),
    [
        ("0.001", "0.002", "0.5", "100", ("0.05", "0.1")),
        ("-0.0001", "0.0005", "1", "100", ("-0.01", "0.05")),
        ("0", "0.00000001", "0.0001", "0.1", (None, "0.0000000000001")),
        ("0.00012345", "0.1", "0.33333333", "99.9", ("0.00411088495889115", "3.3299999667")),
    ],
)
def test_fees_are_exact(
    make: MakeWorld,
    maker: str,
    taker: str,
    quantity: str,
    price: str,
    fees: tuple[str | None, str],
) -> None:
    rules = make_market_rules(
        AccountRules("ACME", maker, taker), AccountRules("BETA", maker, taker)
    )
    world = make(rules, ACCOUNTS)
    seller, buyer = world.client("A1"), world.client("B")
    seller.order("s1", "sell", quantity, price)
    (new, fill) = buyer.order("b1", "buy", quantity, price)
    assert 136 not in new
    made = seller.take()[-1]
    for report, fee in ((made, fees[0]), (fill, fees[1])):
        if fee is None:
            assert 136 not in report
            continue
        assert told([report], 136, 137, 138, 139) == [f"1 {fee} USD 4"]


def test_fees_of_orders_with_conditions_and_of_everybody_else(make: MakeWorld) -> None:
    world = make(make_market_rules(taker_fee="0.01", maker_fee="0.005"))
    buyer, seller = two(world)
    place(seller, "s1", "sell", "38=2|40=2|44=100|111=1|")
    reports = place(buyer, "b1", "buy", "40=1|152=100|")
    assert told(reports, 150, 137) == ["0 -", "F 1"]
    assert told(seller.take()[1:], 150, 137, 138) == ["F 0.5 USD"]
    assert happened(seller.order("x", "sell", "1", "200"))


def test_an_account_that_is_stopped_may_only_cancel(make: MakeWorld) -> None:
    world = make(accounts=ACCOUNTS, proves=False)
    one = world.client("A1")
    one.order("a", "buy", "1", "10")
    world.venue.state.accounts[b"ACME"].stop(True)
    (refused,) = one.order("b", "buy", "1", "10")
    assert told([refused], 39, 103, 58) == [
        "8 99 The account ACME has been stopped by the venue: only cancels pass"
    ]
    assert told(change(one, "a2", "a", "buy", LIMIT.format("9")), 35) == ["9"]
    assert told(cancel(one, "c", "a"), 150) == ["4"]
