"""Cancel on disconnect: what Logon, order and rules say, and what is told afterwards."""

from __future__ import annotations

import pytest

from tests.exchange.orders.market import (
    MakeWorld,
    Report,
    ask_about,
    make_market_rules,
    place,
    timestamp,
    told,
)
from tests.support.world import Client

ACCOUNTS = {"A1": "ACME", "A2": "ACME", "B": "BETA"}
LIMIT = "38=1|40=2|44=100|"


def back(client: Client, logon: str = "") -> list[Report]:
    """Log on again, and have everything that was missed; all that came but the Logon."""
    client.connect()
    client.take()
    client.send(f"35=A|98=0|108=30|{logon}")
    first = int(client.received[0][34])
    missed = client.take()[1:]
    resent = client.ask(f"35=2|7=1|16={first - 1}|") if first > 1 else []
    return [one for one in resent if one.get(150) == "4"] + missed


@pytest.mark.parametrize("rules_say", [True, False])
@pytest.mark.parametrize(
    ("logon", "order", "dropped", "logged_out"),
    [
        ("8013=Y|", "", True, True),
        ("8013=D|", "", True, False),
        ("8013=N|", "", False, False),
        ("8674=0|", "", True, True),
        ("8674=1|", "", False, False),
        ("8013=N|8674=0|", "", False, False),
        ("8013=Y|", "8013=N|", False, False),
        ("8013=N|", "8013=Y|", True, True),
        ("8013=D|", "8013=Y|", True, False),
        ("", "", None, None),
        ("", "8013=Y|", True, True),
        ("", "8013=N|", False, False),
    ],
)
def test_which_orders_go(
    make: MakeWorld,
    rules_say: bool,
    logon: str,
    order: str,
    dropped: bool | None,
    logged_out: bool | None,
) -> None:
    for way, goes in (("drop", dropped), ("logout", logged_out)):
        world = make(make_market_rules(cancel_on_disconnect=rules_say))
        client = world.client("C", f"108=30|{logon}")
        place(client, "a", "buy", f"{LIMIT}{order}")
        client.drop() if way == "drop" else client.send("35=5|")
        expected = rules_say if goes is None else goes
        assert world.venue.open_orders() == (0 if expected else 1), way
        reports = back(client)
        assert told(reports, 150, 39, 11, 378, 43) == (["4 4 a 8 Y"] if expected else []), way
        for report in reports:
            assert report[58] == "Cancelled on disconnect (8013)"


def test_the_scope_is_the_session_or_the_account(make: MakeWorld) -> None:
    for scope, survivors in (("", "b b2"), ("8014=S|", "b b2"), ("8014=A|", "b2")):
        world = make(accounts=ACCOUNTS)
        one = world.client("A1", f"108=30|8013=Y|{scope}")
        other, stranger = world.client("A2"), world.client("B")
        one.order("a", "buy", "1", "10")
        other.order("b", "buy", "1", "10")
        stranger.order("b2", "buy", "1", "10")
        other.take()
        one.drop()
        left = [
            order.cl_ord_id.decode()
            for account in world.venue.state.accounts.values()
            for order in account.open.values()
        ]
        assert " ".join(left) == survivors, scope
        expected = ["4 b Cancelled on disconnect (8013)"] if scope == "8014=A|" else []
        assert told(other.take(), 150, 11, 58) == expected, "who has it is told at once"


def test_an_order_is_of_the_session_that_changed_it_last(make: MakeWorld) -> None:
    world = make(accounts=ACCOUNTS)
    one, other = world.client("A1", "108=30|8013=Y|"), world.client("A2", "108=30|8013=N|")
    one.order("a", "buy", "1", "10")
    other.ask(f"35=G|11=a2|41=a|55=BTC/USD|54=1|60=<now>|{LIMIT}")
    one.drop()
    assert world.venue.open_orders() == 1


def test_a_session_that_comes_back_in_time_saves_its_orders(make: MakeWorld) -> None:
    for wait, survivors in ((9.999, 1), (10.0, 0)):
        world = make()
        client = world.client("C", "108=30|8013=Y|8015=10|")
        client.order("a", "buy", "1", "10")
        client.drop()
        assert world.venue.open_orders() == 1
        world.pass_time(wait)
        assert world.venue.open_orders() == survivors
        reports = back(client, "8013=Y|8015=10|")
        assert told(reports, 150, 11) == (["4 a"] if not survivors else [])
        world.pass_time(100)
        assert world.venue.open_orders() == survivors
        client.drop()
        world.pass_time(10)
        assert world.venue.open_orders() == 0


def test_a_grace_that_is_over_before_anybody_has_looked(make: MakeWorld) -> None:
    world = make()
    client = world.client("C", "108=30|8013=Y|8015=10|")
    client.order("a", "buy", "1", "10")
    client.drop()
    world.now += 10 * 10**9
    assert told(back(client, "8020=Y|"), 35, 150, 533) == ["8 4 -", "r - 1"]


def test_a_summary_at_logon(make: MakeWorld) -> None:
    world = make(accounts=ACCOUNTS)
    one, other = world.client("A1", "108=30|8013=Y|"), world.client("A2")
    one.order("a", "buy", "1", "10")
    place(one, "stop", "buy", "38=1|40=P|18=a|211=5|836=2|99=200|")
    place(one, "kept", "buy", f"{LIMIT}8013=N|")
    place(one, "later", "buy", f"{LIMIT}168={timestamp(world, 60)}|")
    other.order("b", "buy", "1", "10")
    one.drop()
    reports = back(one, "8020=Y|")
    assert told(reports[:3], 150, 11) == ["4 a", "4 stop", "4 later"]
    assert told(reports[3:], 35, 530, 531, 533, 11, 150, 39, 911, 912) == [
        "r 7 7 3 - - - - -",
        "8 - - - kept I 0 2 N",
        "8 - - - b I 0 2 Y",
    ]
    assert reports[3][58] == "3 orders were cancelled in your absence, 2 are open"
    one.send("35=5|")
    reports = back(one, "8020=Y|")
    assert told(reports[-3:], 35, 533) == ["r 0", "8 -", "8 -"], "what was told is over"


def test_a_summary_where_nothing_is_open(make: MakeWorld) -> None:
    world = make()
    client = world.client("C", "108=30|8020=Y|")
    assert told(client.take()[1:], 35, 533, 58) == [
        "r 0 0 orders were cancelled in your absence, 0 are open"
    ]
    client.drop()
    client.connect()
    client.send("35=A|98=0|108=30|8020=N|")
    assert told(client.take(), 35) == ["A"]


def test_a_new_logon_has_a_policy_of_its_own(make: MakeWorld) -> None:
    world = make()
    client = world.client("C", "108=30|8013=Y|8015=10|")
    client.order("a", "buy", "1", "10")
    client.drop()
    back(client, "8013=N|")
    client.drop()
    world.pass_time(100)
    assert world.venue.open_orders() == 1


def test_what_is_waiting_goes_too(make: MakeWorld) -> None:
    world = make()
    client = world.client("C", "108=30|8013=Y|")
    place(client, "stop", "buy", "38=1|40=3|99=200|")
    place(client, "later", "buy", f"{LIMIT}168={timestamp(world, 60)}|")
    client.drop()
    assert told(back(client), 150, 39, 11) == ["4 4 stop", "4 4 later"]
    world.pass_time(61)
    assert world.venue.open_orders() == 0
    assert ask_about(client, "later")[39] == "4"


def test_a_grace_is_bounded(make: MakeWorld) -> None:
    world = make()
    client = world.client("C", "108=30|8013=Y|8015=99999|")
    client.order("a", "buy", "1", "10")
    client.drop()
    world.pass_time(3_600)
    assert world.venue.open_orders() == 0, "an hour at most"
    other = world.client("D", "108=30|8013=Y|8015=-1|")
    other.order("a", "buy", "1", "10")
    other.drop()
    assert world.venue.open_orders() == 0
