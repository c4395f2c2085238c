"""One triggers the other, or two others of which one cancels the other."""

from __future__ import annotations

import pytest

from tests.exchange.order_lists.support import (
    OTO,
    lines,
    member,
    oto,
    otoco,
    request,
    send,
    traders,
)

ANSWER = ["8 first 0/0 0 1", "8 then A/A 0 1", "N L 1/3 [first:0 0 1 0, then:A 0 1 0]"]
BOTH = [
    "8 first 0/0 0 1",
    "8 limit A/A 0 1",
    "8 stop A/A 0 1",
    "N L 1/3 [first:0 0 1 0, limit:A 0 1 0, stop:A 0 1 0]",
]


def test_the_second_comes_when_the_first_is_filled_and_not_before() -> None:
    _, one, two = traders()
    assert oto(one) == ANSWER
    assert two.order("b", "buy", "1", "110", "59=3|")[-1][150] == "4", "it is not in the market"
    two.order("s1", "sell", "0.4", "100")
    assert lines(one) == ["8 first F/1 0.4 0.6"]
    two.order("s2", "sell", "0.6", "100")
    assert lines(one) == [
        "8 first F/2 1 0",
        "8 then 0/0 0 1",
    ]
    two.order("c", "buy", "1", "110")
    assert lines(one) == ["8 then F/2 1 0", "N L 5/6 [first:2 1 0 0, then:2 1 0 0]"]


def test_a_first_order_that_is_filled_at_once_is_told_before_the_second_comes() -> None:
    _, one, two = traders()
    two.order("s", "sell", "1", "99")
    assert oto(one) == [
        "8 first 0/0 0 1",
        "8 first F/2 1 0",
        "8 then A/A 0 1",
        "N L 1/3 [first:2 1 0 0, then:A 0 1 0]",
        "8 then 0/0 0 1",
    ]


@pytest.mark.parametrize("traded", ["0", "0.4"])
def test_a_first_order_that_ends_before_it_is_filled_takes_the_second_with_it(traded: str) -> None:
    _, one, two = traders()
    oto(one)
    if traded != "0":
        two.order("s", "sell", traded, "100")
        lines(one)
    one.send("35=F|11=x|41=first|55=BTC/USD|54=1|60=<now>|")
    assert one.received[-2][58] == "OTO: the first order of list L has ended without being filled"
    found = lines(one)
    assert found[:2] == [f"8 x 4/4 {traded} 0", "8 then 4/4 0 0"]
    assert found[2].startswith("N L 5/6 [x:4")


def test_an_immediate_order_may_be_the_first() -> None:
    _, one, two = traders()
    found = oto(one, first="59=3|")
    assert found[-2:] == ["8 then 4/4 0 0", "N L 5/6 [first:4 0 0 1, then:4 0 0 1]"]
    two.order("s", "sell", "1", "100")
    found = send(one, "M", OTO, member("market", "buy", "1"), member("m2", "sell", "1", "110"))
    assert found[-1] == "8 m2 0/0 0 1"


def test_a_first_order_that_expires_takes_the_second_with_it() -> None:
    world, one, _ = traders()
    oto(one, first="59=6|126=20270115-08:00:05|", then="59=0|")
    world.now += 6 * 10**9
    world.sequencer.on_time(world.open_turn())
    world.turn()
    assert lines(one) == [
        "8 first C/C 0 0",
        "8 then 4/4 0 0",
        "N L 5/6 [first:C 0 0 1, then:4 0 0 1]",
    ]


def test_a_second_order_may_expire_while_it_waits_and_the_first_goes_on() -> None:
    world, one, two = traders()
    oto(one, then="59=6|126=20270115-08:00:05|")
    world.now += 6 * 10**9
    world.sequencer.on_time(world.open_turn())
    world.turn()
    assert lines(one) == ["8 then C/C 0 0"]
    two.order("s", "sell", "1", "100")
    assert lines(one) == ["8 first F/2 1 0", "N L 5/6 [first:2 1 0 0, then:C 0 0 1]"]


def test_a_second_order_can_be_asked_about_and_cancelled_while_it_waits_but_not_replaced() -> None:
    _, one, two = traders()
    oto(one)
    one.ask("35=H|11=then|55=BTC/USD|54=2|")
    assert lines(one) == ["8 then I/A 0 1"]
    (refused,) = one.ask("35=G|11=y|41=then|55=BTC/USD|54=2|60=<now>|38=1|40=2|44=111|")
    assert (refused[35], refused[39]) == ("9", "A")
    assert refused[58] == "The order waits for another one of its list: cancel it instead"
    lines(one)
    one.send("35=F|11=x|41=then|55=BTC/USD|54=2|60=<now>|")
    assert lines(one) == ["8 x 4/4 0 0"]
    two.order("s", "sell", "1", "100")
    assert lines(one) == ["8 first F/2 1 0", "N L 5/6 [first:2 1 0 0, x:4 0 0 1]"]


def test_a_replacement_of_the_first_to_what_has_traded_counts_as_filled() -> None:
    _, one, two = traders()
    oto(one)
    two.order("s", "sell", "0.4", "100")
    lines(one)
    one.send("35=G|11=f2|41=first|55=BTC/USD|54=1|60=<now>|38=0.4|40=2|44=100|")
    assert lines(one) == ["8 f2 5/2 0.4 0", "8 then 0/0 0 1"]


def test_a_second_order_that_is_post_only_and_would_trade_is_cancelled_when_it_comes() -> None:
    _, one, two = traders()
    two.order("b", "buy", "1", "110")
    two.order("s", "sell", "1", "111")
    first = member("first", "buy", "1", "111")
    one.ask(request("L", OTO, first, member("then", "sell", "1", "110", more="18=6|59=1|")))
    assert one.received[-2][58] == "Post-only: the order would trade at once"
    assert lines(one)[-3:] == [
        "N L 1/3 [first:2 1 0 0, then:A 0 1 0]",
        "8 then 4/4 0 0",
        "N L 5/6 [first:2 1 0 0, then:4 0 0 1]",
    ]


def test_a_lost_connection_cancels_those_that_wait_too() -> None:
    world, one, _ = traders()
    otoco(one)
    one.send("35=5|")
    one.drop()
    one.connect()
    one.send("35=A|98=0|108=30|8013=Y|")
    one.drop()
    assert world.venue.open_orders() == 0
    assert world.venue.state.live_lists == 0


def test_two_orders_after_the_first_are_an_oco() -> None:
    _, one, two = traders()
    assert otoco(one) == BOTH
    two.order("s", "sell", "1", "100")
    assert lines(one) == ["8 first F/2 1 0", "8 limit 0/0 0 1", "8 stop 0/0 0 1"]
    two.order("b", "buy", "0.5", "110")
    assert lines(one) == ["8 limit F/1 0.5 0.5", "8 stop 4/4 0 0"]
    two.order("c", "buy", "0.5", "110")
    assert lines(one) == [
        "8 limit F/2 1 0",
        "N L 5/6 [first:2 1 0 0, limit:2 1 0 0, stop:4 0 0 1]",
    ]


def test_the_third_does_not_come_when_the_second_trades_at_once() -> None:
    _, one, two = traders()
    two.order("s", "sell", "1", "120")
    two.order("b", "buy", "0.5", "110")
    found = send(
        one,
        "L",
        OTO,
        member("first", "buy", "1", "120"),
        member("limit", "sell", "1", "110"),
        member("stop", "sell", "1", stop="90"),
    )
    assert found[-4:] == [
        "N L 1/3 [first:2 1 0 0, limit:A 0 1 0, stop:A 0 1 0]",
        "8 limit 0/0 0 1",
        "8 limit F/1 0.5 0.5",
        "8 stop 4/4 0 0",
    ]


def test_when_one_that_waits_is_cancelled_so_is_the_other_and_the_first_goes_on() -> None:
    _, one, two = traders()
    otoco(one)
    one.send("35=F|11=x|41=stop|55=BTC/USD|54=2|60=<now>|")
    assert lines(one) == ["8 x 4/4 0 0", "8 limit 4/4 0 0"]
    two.order("s", "sell", "1", "100")
    assert lines(one) == [
        "8 first F/2 1 0",
        "N L 5/6 [first:2 1 0 0, limit:4 0 0 1, x:4 0 0 1]",
    ]


def test_lists_set_each_other_in_motion_in_the_order_of_events() -> None:
    """The second order of one list fills the first of the next, and so on."""
    _, one, two = traders()
    send(one, "L", OTO, member("f", "buy", "1", "100"), member("t", "buy", "1", "101"))
    send(two, "M", OTO, member("g", "sell", "1", "101"), member("h", "sell", "1", "50"))
    assert one.world.venue.open_orders() == 4
    two.order("s", "sell", "1", "100")
    found = lines(one), lines(two)
    assert found[0] == [
        "8 f F/2 1 0",
        "8 t 0/0 0 1",
        "8 t F/2 1 0",
        "N L 5/6 [f:2 1 0 0, t:2 1 0 0]",
    ]
    assert found[1] == [
        "8 s 0/0 0 1",
        "8 s F/2 1 0",
        "8 g F/2 1 0",
        "8 h 0/0 0 1",
    ]


@pytest.mark.parametrize("count", [1, 4])
def test_an_oto_has_two_orders_or_three(count: int) -> None:
    _, one, _ = traders()
    orders = [member(f"a{number}", "buy", "1", "1") for number in range(count)]
    (answer,) = one.ask(request("L", OTO, *orders))
    assert answer[444].startswith("ContingencyType (1385) 2, OTO, takes two orders, or three")
