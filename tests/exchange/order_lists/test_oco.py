"""One cancels the other: what happens to the second order when something happens to the first."""

from __future__ import annotations

import pytest

from exchange.rules import AccountRules
from tests.exchange.order_lists.support import (
    OCO,
    OTO,
    lines,
    member,
    oco,
    request,
    send,
    traders,
)
from tests.support.world import Client

ANSWER = ["8 limit 0/0 0 1", "8 stop 0/0 0 1", "N L 1/3 [limit:0 0 1 0, stop:0 0 1 0]"]


def reasons(client: Client) -> list[str]:
    """Text (58) of the cancels that a client has received."""
    return [one.get(58, "") for one in client.received if one.get(150) == "4"]


def test_a_partial_fill_cancels_the_other_and_the_rest_goes_on() -> None:
    _, one, two = traders()
    assert oco(one) == ANSWER
    two.order("b", "buy", "0.4", "110")
    assert reasons(one) == ["OCO: the other order of list L has traded or ended"]
    assert one.received[-1][378] == "8"
    assert lines(one) == ["8 limit F/1 0.4 0.6", "8 stop 4/4 0 0"]
    two.order("c", "buy", "0.6", "110")
    assert lines(one) == ["8 limit F/2 1 0", "N L 5/6 [limit:2 1 0 0, stop:4 0 0 1]"]


def test_a_stop_that_is_triggered_cancels_the_limit_even_if_it_cannot_trade() -> None:
    world, one, two = traders()
    oco(one)
    two.order("s", "sell", "1", "90")
    world.client("THREE").order("b", "buy", "1", "90")
    assert lines(one) == [
        "8 stop D Triggered",
        "8 stop 4/4 0 0",
        "8 limit 4/4 0 0",
        "N L 5/6 [limit:4 0 0 1, stop:4 0 0 1]",
    ]


def test_reports_come_before_what_follows_from_them() -> None:
    _, one, two = traders()
    oco(one)
    two.order("b", "buy", "2", "110")
    assert lines(one) == [
        "8 limit F/2 1 0",
        "8 stop 4/4 0 0",
        "N L 5/6 [limit:2 1 0 0, stop:4 0 0 1]",
    ]
    assert [report[17] for report in two.received][-2:] == ["5-1", "5-2"]


def test_when_both_have_moved_in_one_command_the_first_to_move_stays() -> None:
    """A sweep takes part of the limit, and its last price wakes the stop."""
    world, one, two = traders()
    send(
        one,
        "L",
        OCO,
        member("limit", "buy", "2", "100"),
        member("stop", "buy", "2", "120", stop="90", more="59=1|"),
    )
    three = world.client("THREE")
    three.order("seller", "sell", "1", "110")
    two.order("t", "sell", "1", "100")
    assert lines(one) == [
        "8 limit F/1 1 1",
        "8 stop D Triggered",
        "8 stop F/1 1 1",
        "8 stop 4/4 1 0",
    ]


def test_an_order_that_trades_when_it_comes_keeps_the_other_from_coming() -> None:
    _, one, two = traders()
    two.order("b", "buy", "0.4", "110")
    assert oco(one) == [
        "8 limit 0/0 0 1",
        "8 limit F/1 0.4 0.6",
        "8 stop A/A 0 1",
        "N L 1/3 [limit:1 0.4 0.6 0, stop:A 0 1 0]",
        "8 stop 4/4 0 0",
    ]


def test_a_stop_that_comes_last_and_fires_at_once_cancels_the_limit() -> None:
    world, one, two = traders()
    two.order("b", "buy", "1", "80")
    world.client("THREE").order("s", "sell", "1", "80")
    two.order("c", "buy", "1", "80")
    assert oco(one) == [
        "8 limit 0/0 0 1",
        "8 stop 0/0 0 1",
        "8 stop D Triggered",
        "8 stop F/2 1 0",
        "N L 1/3 [limit:0 0 1 0, stop:2 1 0 0]",
        "8 limit 4/4 0 0",
        "N L 5/6 [limit:4 0 0 1, stop:2 1 0 0]",
    ]


@pytest.mark.parametrize(("name", "other"), [("limit", "stop"), ("stop", "limit")])
def test_a_cancel_of_one_cancels_the_other(name: str, other: str) -> None:
    _, one, _ = traders()
    oco(one)
    one.send(f"35=F|11=x|41={name}|55=BTC/USD|54=2|60=<now>|")
    found = lines(one)
    assert found[:2] == ["8 x 4/4 0 0", f"8 {other} 4/4 0 0"]
    assert found[2].startswith("N L 5/6")


def test_a_mass_cancel_says_once_of_each_that_it_is_cancelled() -> None:
    _, one, _ = traders()
    oco(one)
    one.send("35=q|11=all|530=7|60=<now>|")
    assert [text for text in lines(one) if text[0] != "r"] == [
        "8 limit 4/4 0 0",
        "8 stop 4/4 0 0",
        "N L 5/6 [limit:4 0 0 1, stop:4 0 0 1]",
    ]


def test_a_mass_cancel_of_what_one_session_has_takes_the_others_with_it() -> None:
    _, one, _ = traders()
    oco(one)
    (answer, *_) = one.ask("35=q|11=all|530=7|54=1|60=<now>|")
    assert answer[533] == "0"
    assert one.world.venue.open_orders() == 2


def test_a_replacement_leaves_the_other_alone_and_the_list_named() -> None:
    _, one, two = traders()
    oco(one, limit="59=1|111=0.5|")
    one.send("35=G|11=l2|41=limit|55=BTC/USD|54=2|60=<now>|38=2|40=2|44=111|59=1|111=0.5|")
    assert (one.received[-1][66], one.received[-1][1385]) == ("L", "1")
    assert lines(one) == ["8 l2 5/0 0 2"]
    one.send("35=G|11=s2|41=stop|55=BTC/USD|54=2|60=<now>|38=1|40=3|99=95|59=1|")
    assert (one.received[-1][66], one.received[-1][99]) == ("L", "95")
    assert lines(one) == ["8 s2 5/0 0 1"]
    two.order("b", "buy", "1", "111")
    assert lines(one) == ["8 l2 F/1 0.5 1.5", "8 l2 F/1 1 1", "8 s2 4/4 0 0"]


def test_a_replacement_that_trades_or_wakes_the_stop_counts_as_both_do() -> None:
    _, one, two = traders()
    two.order("b", "buy", "1", "100")
    oco(one)
    one.send("35=G|11=l2|41=limit|55=BTC/USD|54=2|60=<now>|38=1|40=2|44=100|59=1|")
    assert lines(one) == [
        "8 l2 5/0 0 1",
        "8 l2 F/2 1 0",
        "8 stop 4/4 0 0",
        "N L 5/6 [l2:2 1 0 0, stop:4 0 0 1]",
    ]


def test_a_lost_connection_cancels_both_even_if_only_one_wants_it() -> None:
    for policy in ("8013=Y|", "8013=N|"):
        _, one, _ = traders()
        oco(one, limit=f"59=1|{policy}", stop="59=1|8013=N|")
        one.drop()
        is_gone = policy == "8013=Y|"
        assert one.world.venue.open_orders() == (0 if is_gone else 2)
        one.connect()
        one.send("35=A|98=0|108=30|8013=N|")
        one.send("35=2|7=1|16=0|")
        found = lines(one)
        assert ("8 stop 4/4 0 0" in found) is is_gone
        assert any(text.startswith("N L 5/6") for text in found) is is_gone


def test_both_expire_where_both_have_the_same_end() -> None:
    world, one, _ = traders()
    oco(one, limit="59=0|", stop="59=0|")
    world.now += 24 * 3600 * 10**9
    world.sequencer.on_time(world.open_turn())
    world.turn()
    assert lines(one) == [
        "8 limit C/C 0 0",
        "8 stop C/C 0 0",
        "N L 5/6 [limit:C 0 0 1, stop:C 0 0 1]",
    ]


@pytest.mark.parametrize(("ends", "other"), [("limit", "stop"), ("stop", "limit")])
def test_the_end_of_one_alone_cancels_the_other(ends: str, other: str) -> None:
    world, one, _ = traders()
    oco(one, **{ends: "59=6|126=20270115-08:00:05|", other: "59=6|126=20270115-08:00:06|"})
    world.now += 10 * 10**9
    world.sequencer.on_time(world.open_turn())
    world.turn()
    assert lines(one)[:2] == [f"8 {ends} C/C 0 0", f"8 {other} 4/4 0 0"]


def test_self_trade_prevention_ends_an_order_like_any_cancel() -> None:
    world, one, _ = traders()
    account = world.venue.state.accounts[b"#1"]
    account.take_up(AccountRules("", self_trade="O"))
    account.self_trade_group = 7
    oco(one)
    one.order("b", "buy", "0.5", "110")
    assert lines(one) == [
        "8 b 0/0 0 0.5",
        "8 limit 4/4 0 0",
        "8 stop 4/4 0 0",
        "N L 5/6 [limit:4 0 0 1, stop:4 0 0 1]",
    ]


def test_a_decrement_is_no_trade_and_leaves_the_other_alone() -> None:
    world, one, _ = traders()
    account = world.venue.state.accounts[b"#1"]
    account.take_up(AccountRules("", self_trade="D"))
    account.self_trade_group = 7
    oco(one)
    one.order("b", "buy", "0.5", "110")
    assert "8 limit D Self-trade prevention (7928): decremented" in lines(one)
    assert world.venue.open_orders() == 2


@pytest.mark.parametrize(
    ("orders", "text"),
    [
        (
            [member("a", "buy", "1", "9")],
            "ContingencyType (1385) 1, OCO, takes two orders",
        ),
        (
            [member("a", "buy", "1", "9"), member("b", "sell", "1", stop="8")],
            "Side (54) of the two orders of an OCO must be the same",
        ),
        (
            [
                member("a", "buy", "1", "9"),
                ("b", "55=ETH/USD|54=1|38=1|40=3|99=10|59=1|"),
            ],
            "Symbol (55) of the two orders of an OCO must be the same",
        ),
        (
            [member("a", "buy", "1", "9"), member("b", "buy", "1", "8")],
            "One order of an OCO must wait for a price: OrdType (40) 3, 4, J or P",
        ),
        (
            [member("a", "buy", "1"), member("b", "buy", "1", stop="8")],
            "An order of an OCO must be able to wait",
        ),
        (
            [member("a", "buy", "1", "9", more="59=3|"), member("b", "buy", "1", stop="8")],
            "An order of an OCO must be able to wait",
        ),
        (
            [
                member("a", "buy", "1", "9", more="59=1|168=20270115-09:00:00|"),
                member("b", "buy", "1", stop="8"),
            ],
            "EffectiveTime (168) does not go with ContingencyType (1385)",
        ),
    ],
)
def test_what_is_no_oco_is_refused_with_the_reason(
    orders: list[tuple[str, str]], text: str
) -> None:
    _, one, _ = traders()
    (answer,) = one.ask(request("L", OCO, *orders))
    assert (answer[35], answer[431]) == ("N", "7")
    assert answer[444].startswith(text)
    if len(orders) == 2:  # nor is it one in the second half of an OTO
        (answer,) = one.ask(request("L", OTO, member("first", "buy", "1", "5"), *orders))
        assert answer[444].startswith(text)


@pytest.mark.parametrize(
    ("wrong", "text", "reason"),
    [
        (member("b", "sell", "1", "0.05", stop="90"), "Order 2 of the list: Price (44)", "99"),
        (member("b", "sell", "0.00001", stop="90"), "Order 2 of the list: OrderQty (38)", "13"),
        (member("used", "sell", "1", stop="90"), "Order 2 of the list: ClOrdID (11) used", "6"),
        (
            member("b", "sell", "1", stop="90", more="59=6|126=20270101-00:00:00|"),
            "Order 2 of the list: ExpireTime (126)",
            "99",
        ),
    ],
)
def test_one_order_that_cannot_be_taken_refuses_both(
    wrong: tuple[str, str], text: str, reason: str
) -> None:
    _, one, _ = traders()
    one.order("used", "buy", "1", "1")
    lines(one)
    one.send(request("L", OCO, member("a", "sell", "1", "110"), wrong))
    (answer,) = one.received
    assert answer[444].startswith(text)
    (found,) = lines(one)
    assert found == f"N L 1/7 [a:8 0 0 0 103=99, {wrong[0]}:8 0 0 0 103={reason}]"
    assert one.world.venue.open_orders() == 1
    assert oco(one) == ANSWER, "and its ListID is not used up"


def test_a_post_only_order_that_would_trade_refuses_the_list_before_it_begins() -> None:
    _, one, two = traders()
    two.order("b", "buy", "1", "110")
    (found,) = oco(one, limit="18=6|59=1|")
    assert found == "N L 1/7 [limit:8 0 0 0 103=99, stop:8 0 0 0 103=99]"
    (account,) = (one for one in one.world.venue.state.accounts.values() if one.name == b"#1")
    assert not account.names


def test_the_orders_of_a_list_are_counted_together() -> None:
    world, one, _ = traders()
    world.venue.state.accounts[b"#1"].take_up(AccountRules("", max_open_orders=1))
    (answer,) = one.ask(
        request("L", OCO, member("a", "sell", "1", "9"), member("b", "sell", "1", stop="8"))
    )
    assert (answer[431], answer[103]) == ("7", "3")
    assert answer[444] == "1 open orders are the most for this account"
