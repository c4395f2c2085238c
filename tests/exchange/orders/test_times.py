"""When orders begin and end, and until when requests may be acted on."""

from __future__ import annotations

import pytest

from tests.exchange.orders.market import (
    MakeWorld,
    Report,
    ask_about,
    cancel,
    change,
    happened,
    make_market_rules,
    place,
    timestamp,
    told,
    two,
)
from tests.support.messages import fix
from tests.support.world import Client

LIMIT = "38=1|40=2|44=100|"
DAY_S = 86_400
# The virtual clock starts on 2027-01-15 at 08:00:00.


def test_without_a_time_in_force_an_order_is_good_till_cancel(make: MakeWorld) -> None:
    world = make()
    buyer, _ = two(world)
    assert told(place(buyer, "b1", "buy", LIMIT), 150, 59) == ["0 1"]
    world.pass_time(40 * DAY_S)
    assert buyer.take()[1:] == []


@pytest.mark.parametrize(("ends", "hours"), [("00:00", 16), ("17:30", 9.5), ("08:00", 24)])
def test_a_day_order_ends_with_the_day(make: MakeWorld, ends: str, hours: float) -> None:
    world = make(make_market_rules(day_ends=ends))
    buyer, seller = two(world)
    assert told(place(buyer, "b1", "buy", f"{LIMIT}59=0|"), 150, 39, 59) == ["0 0 0"]
    seller.order("s1", "sell", "0.25", "100")
    buyer.take()
    world.pass_time(hours * 3_600 - 0.001)
    assert buyer.take() == []
    world.pass_time(0.001)
    assert told(buyer.take(), 150, 39, 11, 151, 14, 378) == ["C C b1 0 0.25 -"]
    assert told(cancel(buyer, "x", "b1"), 35, 102, 39) == ["9 0 C"]
    assert ask_about(buyer, "b1")[39] == "C"


def test_good_till_date_by_time_and_by_date(make: MakeWorld) -> None:
    world = make()
    buyer, _ = two(world)
    soon = timestamp(world, 60)
    (one,) = place(buyer, "b1", "buy", f"{LIMIT}59=6|126={soon}|")
    (other,) = place(buyer, "b2", "buy", f"{LIMIT}59=6|432=20270116|")
    assert told([one, other], 150, 59, 126, 432) == [f"0 6 {soon} -", "0 6 - 20270116"]
    buyer.take()
    world.pass_time(59.999)
    assert buyer.take() == []
    world.pass_time(0.001)
    assert told(buyer.take(), 150, 39, 11) == ["C C b1"]
    world.pass_time(40 * 3_600 - 60.001)  # just before the end of the 16th
    assert buyer.take() == []
    world.pass_time(0.001)
    assert told(buyer.take(), 150, 39, 11) == ["C C b2"]


def test_an_order_that_has_expired_when_it_comes_is_told_so(make: MakeWorld) -> None:
    world = make()
    buyer, _ = two(world)
    reports = place(buyer, "b1", "buy", f"{LIMIT}59=6|126={timestamp(world, -1)}|")
    assert told(reports, 150, 39, 151) == ["0 0 1", "C C 0"]
    reports = place(buyer, "b2", "buy", f"{LIMIT}59=6|126=<now>|")
    assert told(reports, 150, 39, 151) == ["0 0 1", "C C 0"]
    assert world.venue.open_orders() == 0


def test_a_time_that_has_come_happens_before_the_next_request(make: MakeWorld) -> None:
    """Even where nobody has looked at the clock in between."""
    world = make()
    buyer, seller = two(world)
    place(buyer, "b1", "buy", f"{LIMIT}59=6|126={timestamp(world, 10)}|")
    buyer.take()
    world.now += 10 * 10**9
    assert happened(seller.order("s1", "sell", "1", "100")) == ["0 0 s1 1 0"]
    assert told(buyer.take(), 150, 11) == ["C b1"]


def test_an_order_that_ends_sets_free_what_waits_for_it(make: MakeWorld) -> None:
    world = make()
    buyer, seller = two(world)
    place(seller, "s1", "sell", f"{LIMIT}59=6|126={timestamp(world, 10)}|")
    seller.order("s2", "sell", "1", "120")
    place(buyer, "t1", "buy", "38=1|40=3|99=110|1107=1|")
    buyer.take()
    seller.take()
    world.pass_time(10)
    assert told(seller.take(), 150, 11) == ["C s1", "F s2"]
    assert told(buyer.take(), 150, 11, 31) == ["D t1 -", "F t1 120"]


def test_an_order_with_an_effective_time_waits_for_it(make: MakeWorld) -> None:
    world = make()
    buyer, seller = two(world)
    seller.order("s1", "sell", "0.25", "100")
    at = timestamp(world, 60)
    (new,) = place(buyer, "b1", "buy", f"{LIMIT}168={at}|59=1|")
    assert told([new], 150, 39, 151, 14, 168) == [f"A A 1 0 {at}"]
    assert told([ask_about(buyer, "b1")], 150, 39, 151) == ["I A 1"]
    (refused,) = change(buyer, "b2", "b1", "buy", f"38=2|40=2|44=100|168={at}|")
    assert told([refused], 35, 102, 434, 39) == ["9 99 2 A"]
    assert "EffectiveTime (168)" in refused[58]
    buyer.take()
    world.pass_time(60)
    assert told(buyer.take(), 150, 39, 151, 14, 32) == ["0 0 1 0 -", "F 1 0.75 0.25 0.25"]
    assert told(change(buyer, "b2", "b1", "buy", f"{LIMIT}168={at}|"), 150, 168) == [f"5 {at}"]
    assert told(change(buyer, "b3", "b2", "buy", LIMIT), 150, 168) == [f"5 {at}"]
    later = timestamp(world, 9)
    (refused,) = change(buyer, "b4", "b3", "buy", f"{LIMIT}168={later}|")
    assert refused[58] == "EffectiveTime (168) cannot be changed"


def test_an_effective_time_that_is_over_means_now(make: MakeWorld) -> None:
    world = make()
    buyer, _ = two(world)
    for name, seconds in (("b1", 0.0), ("b2", -5.0)):
        reports = place(buyer, name, "buy", f"{LIMIT}168={timestamp(world, seconds)}|")
        assert told(reports, 150, 39) == ["0 0"]


def test_an_order_is_cancelled_before_its_time(make: MakeWorld) -> None:
    world = make()
    buyer, _ = two(world)
    at = timestamp(world, 60)
    place(buyer, "b1", "buy", f"{LIMIT}168={at}|")
    assert told(cancel(buyer, "c1", "b1"), 150, 39, 41, 151) == ["4 4 b1 0"]
    place(buyer, "b2", "buy", f"{LIMIT}168={at}|")
    reports = buyer.ask("35=q|11=m1|530=7|60=<now>|")
    assert told(reports, 35, 533, 150, 39) == ["r 1 - -", "8 - 4 4"]
    world.pass_time(61)
    assert buyer.take()[-1] == reports[-1], "nothing has come to the market"


def test_an_order_that_would_end_before_it_begins(make: MakeWorld) -> None:
    world = make()
    buyer, _ = two(world)
    at, end = timestamp(world, 60), timestamp(world, 30)
    (refused,) = place(buyer, "b1", "buy", f"{LIMIT}59=6|126={end}|168={at}|")
    assert told([refused], 39, 103) == ["8 99"]
    (refused,) = place(buyer, "b2", "buy", f"{LIMIT}59=6|126={at}|168={at}|")
    assert refused[39] == "8"
    place(buyer, "b3", "buy", f"{LIMIT}59=0|168={timestamp(world, 2 * DAY_S)}|")
    buyer.take()
    world.pass_time(16 * 3_600)
    assert told(buyer.take(), 150, 39, 11) == ["C C b3"], "the day ended before the order began"
    world.pass_time(3 * DAY_S)
    assert buyer.take() == []


def test_a_post_only_order_that_would_trade_at_its_time_never_comes(make: MakeWorld) -> None:
    world = make()
    buyer, seller = two(world)
    place(buyer, "b1", "buy", f"{LIMIT}18=6|168={timestamp(world, 60)}|")
    seller.order("s1", "sell", "1", "100")
    buyer.take()
    world.pass_time(60)
    assert told(buyer.take(), 150, 39, 151, 378, 58) == [
        "4 4 0 8 Post-only: the order would trade at once"
    ]
    assert told(cancel(buyer, "c1", "b1"), 35, 102) == ["9 0"]


def test_a_market_order_at_a_time(make: MakeWorld) -> None:
    world = make()
    buyer, seller = two(world)
    seller.order("s1", "sell", "1", "100")
    place(buyer, "b1", "buy", f"38=2|40=1|59=3|168={timestamp(world, 60)}|")
    place(buyer, "b2", "buy", f"40=1|152=10|168={timestamp(world, 60)}|")
    place(buyer, "t1", "buy", f"38=1|40=3|99=90|168={timestamp(world, 60)}|")
    buyer.take()
    world.pass_time(60)
    assert told(buyer.take(), 150, 39, 11, 14) == [
        "0 0 b1 0",
        "F 1 b1 1",
        "4 4 b1 1",
        "0 0 b2 0",
        "4 4 b2 0",
        "0 0 t1 0",
        "D 0 t1 0",
        "4 4 t1 0",
    ]


def test_immediate_or_cancel_and_fill_or_kill(make: MakeWorld) -> None:
    buyer, seller = two(make())
    seller.order("s1", "sell", "1", "100")
    assert happened(buyer.order("b1", "buy", "2", "100", "59=4|")) == ["0 0 b1 2 0", "4 4 b1 0 0"]
    reports = buyer.order("b2", "buy", "2", "100", "59=3|")
    assert happened(reports) == ["0 0 b2 2 0", "F 1 b2 1 1", "4 4 b2 0 1"]
    assert told(reports[-1:], 378, 58) == ["8 Immediate or cancel: the rest could not trade"]


def sent_before(client: Client, seconds: float, fields: str) -> list[Report]:
    """Send what was written some time ago; what came back."""
    msg_type, _, body = fields.partition("|")
    client.take()
    sent = timestamp(client.world, -seconds)
    header = f"34={client.seq}|49={client.comp_id}|52={sent}|56=SEAMARK|"
    client.seq += 1
    client.send_raw(fix(f"{msg_type}|{header}55=BTC/USD|54=1|60={sent}|{body}"))
    client.world.turn()
    return client.take()


@pytest.mark.parametrize(
    ("limit", "before", "is_late"),
    [
        ("62=<1>|", 0.0, False),
        ("62=<0>|", 1.0, False),
        ("62=<-0.001>|", 0.0, True),
        ("8016=500|", 0.5, False),
        ("8016=500|", 0.501, True),
        ("62=<1>|8016=500|", 0.6, True),
        ("62=<-1>|8016=9000|", 0.6, True),
    ],
)
def test_a_request_that_comes_too_late_for_its_sender(
    make: MakeWorld, limit: str, before: float, is_late: bool
) -> None:
    world = make()
    buyer, _ = two(world)
    buyer.order("b1", "buy", "1", "50")
    for seconds in ("1", "0", "-0.001", "-1"):
        limit = limit.replace(f"<{seconds}>", timestamp(world, float(seconds)))
    present = "b1" if is_late else "b3"
    for request, good, bad in (
        ("35=D|11=b2|38=1|40=2|44=50|", "8 0 -", "8 8 4"),
        ("35=G|11=b3|41=b1|38=2|40=2|44=50|", "8 5 -", "9 - 99"),
        (f"35=F|11=b4|41={present}|", "8 4 -", "9 - 99"),
    ):
        (report,) = sent_before(buyer, before, f"{request}{limit}")
        code = 103 if report[35] == "8" else 102
        assert told([report], 35, 150, code) == [bad if is_late else good], request
        if is_late:
            assert "ms before we read this" in report[58]


def test_what_a_deadline_may_not_be(make: MakeWorld) -> None:
    buyer, _ = two(make())
    buyer.order("b1", "buy", "1", "50")
    buyer.take()
    for number, window in enumerate(("8016=0|", "8016=600001|", "8016=-1|")):
        (answer,) = place(buyer, f"x{number}", "buy", f"{LIMIT}{window}")
        assert told([answer], 35, 39, 103) == ["8 8 99"], window
        (answer,) = cancel(buyer, f"y{number}", "b1", more=window)
        assert told([answer], 35, 102, 434) == ["9 99 1"], window
        (answer,) = change(buyer, f"z{number}", "b1", "buy", f"{LIMIT}{window}")
        assert told([answer], 35, 102, 434) == ["9 99 2"], window
    for window in ("600000", "1"):
        (answer,) = place(buyer, window, "buy", f"{LIMIT}8016={window}|")
        assert answer[150] == "0", window
