"""A ClOrdID is used once in an account, whichever session says it, and whatever lies between."""

from __future__ import annotations

from pathlib import Path

import pytest

from exchange.snapshot import digest_of, dump_venue, load_venue
from exchange.venue import Venue
from tests.exchange.orders.market import (
    MakeWorld,
    cancel,
    change,
    make_market_rules,
    place,
    told,
)
from tests.support.world import World

ACCOUNTS = {"A1": "ACME", "A2": "ACME", "B": "BETA"}
LIMIT = "38=1|40=2|44=100|"


def test_two_sessions_of_an_account_share_names(make: MakeWorld) -> None:
    world = make(accounts=ACCOUNTS)
    one, other, stranger = (world.client(name) for name in ACCOUNTS)
    (new,) = one.order("x", "buy", "1", "10")
    (answer,) = other.order("x", "buy", "1", "10")
    assert told([answer], 150, 39, 103, 37) == [f"8 8 6 {new[37]}"]
    assert answer[58] == f"ClOrdID (11) x was used before, for order {new[37]}, which is New"
    assert told(stranger.order("x", "buy", "1", "10"), 150) == ["0"]
    assert told(change(other, "y", "x", "buy", LIMIT), 150, 11) == ["5 y"]
    (answer,) = one.order("x", "buy", "1", "10")
    assert told([answer], 103, 37) == [f"6 {new[37]}"], "superseded, and not forgotten"
    assert told(cancel(one, "z", "y"), 150) == ["4"]
    for name, client in (("x", other), ("y", one), ("z", other)):
        (answer,) = client.order(name, "buy", "1", "10")
        assert told([answer], 103, 37) == [f"6 {new[37]}"], name
        assert "Canceled" in answer[58]


@pytest.mark.parametrize("header", ["97=Y|", ""])
def test_a_repeated_request_is_not_executed_again(make: MakeWorld, header: str) -> None:
    world = make(accounts=ACCOUNTS)
    one = world.client("A1")
    head = "|55=BTC/USD|54=1|60=<now>|"
    requests = [
        (f"35=D|11=n1{head}{LIMIT}", "8 0 - -", "8 8 6 -"),
        (f"35=G|11=n2|41=n1{head}38=2|40=2|44=100|", "8 5 - -", "9 - - 6"),
        (f"35=F|11=n3|41=n2{head}", "8 4 - -", "9 - - 6"),
    ]
    for request, first, again in requests:
        for expected in (first, again, again):
            one.take()
            one.send(request, header=header)
            assert told(one.take(), 35, 150, 103, 102) == [expected], request
    one.take()
    one.send("35=q|11=n4|60=<now>|530=7|", header=header)
    one.send("35=q|11=n4|60=<now>|530=7|", header=header)
    assert told(one.take(), 35, 531) == ["r 7", "r 0"]


def test_names_outlive_restarts_resets_and_snapshots(tmp_path: Path) -> None:
    for turn in range(2):
        world = World(tmp_path, accounts=ACCOUNTS)
        client = world.client("A1" if turn % 2 else "A2", "108=30|141=Y|")
        reports = client.order("same", "buy", "1", "10")
        assert told(reports, 150, 103) == (["8 6"] if turn else ["0 -"]), turn
        again = Venue()
        load_venue(dump_venue(world.venue), again)
        assert digest_of(again) == digest_of(world.venue)
        assert world.venue.open_orders() == 1
        world.journal.close()


def test_a_refused_request_leaves_its_name(make: MakeWorld) -> None:
    """What the venue has not taken may come again; only a post-only refusal was an order."""
    world = make(accounts=ACCOUNTS)
    one = world.client("A1")
    assert told(place(one, "n1", "buy", "38=1|40=2|44=100.05|"), 39) == ["8"]
    assert told(place(one, "n1", "buy", LIMIT), 150) == ["0"]
    assert told(cancel(one, "n2", "nope"), 102) == ["1"]
    assert told(cancel(one, "n2", "n1"), 150) == ["4"]


def test_names_are_forgotten_in_their_order(make: MakeWorld) -> None:
    world = make(make_market_rules(remembered_orders=3), ACCOUNTS)
    one = world.client("A1")
    one.order("open", "buy", "1", "10")
    for number in range(4):
        one.order(f"n{number}", "buy", "1", "", "59=3|")
    one.ask("35=q|11=m1|60=<now>|530=7|54=2|")
    names = world.venue.state.accounts[b"ACME"].names
    assert list(names) == [b"open", b"n2", b"n3", b"m1"]
    assert told(one.order("n1", "buy", "1", "", "59=3|"), 150) == ["0", "4"]
    assert told(one.order("m1", "buy", "1", "10"), 103) == ["6"]


def test_an_account_is_never_that_of_a_session_without_one(make: MakeWorld) -> None:
    world = make(accounts={"ONE": "", "TWO": "1", "SIX": "session1"})
    one, two = world.client("ONE"), world.client("TWO")
    one.order("x", "buy", "1", "10")
    assert told(two.order("x", "buy", "1", "10"), 150) == ["0"]
    assert len(world.venue.state.accounts) == 2
