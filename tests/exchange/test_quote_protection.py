"""Quote protection, and what else looks at the book when quotes move."""

from __future__ import annotations

from pathlib import Path

import pytest

from config.settings import load
from exchange.snapshot import dump_venue, load_venue
from exchange.venue import Venue
from tests.support.messages import dictionary
from tests.support.quoting import (
    LOT,
    entry,
    guarded_rules,
    log_on_again,
    maker,
    makers,
    mass_quote,
    quote_cancel,
    resting,
    told,
)
from tests.support.world import START_NS, Client, World

SETTINGS = """
[access]
policy = "accounts"
[[accounts]]
name = "mm"
protection_fills = 2
protection_window_ms = 500
[[accounts.sessions]]
comp_id = "QUOTER"
addresses = ["127.0.0.1/32"]
[[accounts]]
name = "free"
[[accounts.sessions]]
comp_id = "FREE"
addresses = ["127.0.0.1/32"]
[[accounts]]
name = "taker"
[[accounts.sessions]]
comp_id = "TAKER"
addresses = ["127.0.0.1/32"]
"""


@pytest.fixture(autouse=True)
def _guarded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tests.support.world.make_rules", guarded_rules)
    # Stops are in the parser and not yet in the dictionary.
    monkeypatch.setitem(dictionary().field_named("OrdType").values, b"4", "STOP_LIMIT")


def test_the_settings_of_an_account_protect_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.undo()
    monkeypatch.setitem(dictionary().field_named("OrdType").values, b"4", "STOP_LIMIT")
    file = tmp_path / "venue.toml"
    file.write_text(SETTINGS)
    world = World(settings=load(file))
    quoter, free, taker = (world.client(name) for name in ("QUOTER", "FREE", "TAKER"))
    for client, bid in ((quoter, "99"), (free, "98")):
        client.ask(mass_quote("q1", entry("e1", bid, "101")))
    world.now += 600_000_000
    for number, wait_ms in enumerate((0, 600, 500)):
        world.now += wait_ms * 1_000_000
        assert len(resting(world)) == 4
        taker.order(f"b{number}", "sell", "0.1", "99")
    assert told(quoter.take()[-1:], 35, 297) == ["AI 6"]
    assert len(resting(world)) == 2, "who has not asked for it goes on quoting"
    for number in range(4):
        taker.order(f"c{number}", "sell", "0.1", "98")
    assert len(resting(world)) == 2
    (refused,) = quoter.ask(mass_quote("q2", entry("e1", "99", "101")))
    assert told([refused], 297, 300) == ["5 9"]


def test_protection_takes_every_quote_of_the_account_out_of_the_instrument() -> None:
    world, quoter, taker = makers()
    other = maker(world, "OTHER")
    both = (entry("e1", "99", "101"), entry("e2", "9", "11", symbol="ETH/USD"))
    quoter.ask(mass_quote("q1", *both))
    other.ask(mass_quote("p1", entry("e1", "98", "102")))
    quoter.order("o1", "buy", "1", "50")
    quoter.take()
    other.take()
    for number in range(2):
        taker.order(f"b{number}", "buy", "0.1", "101")
    assert len(resting(world)) == 5
    taker.order("b2", "buy", "0.1", "101")
    assert resting(world) == [(1, 500, LOT)], "orders stay, and so do other instruments"
    assert len(resting(world, "ETH/USD")) == 2
    *fills, status = quoter.take()
    assert told(fills, 150) == ["F"] * 3
    assert told([status], 35, 117, 297, 134, 135) == ["AI q1 6 0 0"]
    assert "3 fills within 1000 ms" in status[58]
    assert told(other.take(), 35, 117, 297) == ["AI p1 6"]

    for client in (quoter, other):
        (refused,) = client.ask(mass_quote("q2", entry("e1", "99", "101")))
        assert told([refused], 297, 300) == ["5 9"]
        assert "ProtectionReset (8022)" in refused[58]
    (answer,) = quoter.ask(mass_quote("q3", entry("e1", "99", "101"), more="8022=Y|"))
    assert answer[297] == "0"
    assert other.ask(mass_quote("q4", entry("e1", "98", "102")))[0][297] == "0"


def test_protection_counts_within_its_window_and_lets_a_sweep_end() -> None:
    world, quoter, taker = makers()
    quoter.ask(mass_quote("q1", entry("e1", "99", "101", "9", "9")))
    for number in range(6):
        taker.order(f"b{number}", "buy", "0.1", "101")
        world.now += 500_000_001
    assert len(resting(world)) == 2, "never three of them within a second"
    others = [maker(world, f"OTHER{number}") for number in range(4)]
    for number, other in enumerate(others):
        other.ask(mass_quote("p", entry("e", "90", f"{101 + number}")))
    world.now += 10**10
    reports = taker.order("sweep", "buy", "11", "104", "59=3|")
    assert told(reports[1:], 150, 32) == ["F 8.4", "F 1", "F 1", "F 0.6"]
    assert resting(world) == [], "the sweep has had its way, and nothing is left for the next"


@pytest.mark.parametrize(("gap_ns", "left"), [(500_000_000, 0), (500_000_001, 2)])
def test_both_ends_of_the_window_count(gap_ns: int, left: int) -> None:
    world, quoter, taker = makers()
    quoter.ask(mass_quote("q1", entry("e1", "99", "101")))
    for number in range(3):
        taker.order(f"b{number}", "buy", "0.1", "101")
        world.now += gap_ns
    assert len(resting(world)) == left


def test_protection_tells_a_maker_of_whom_nothing_is_left() -> None:
    _, quoter, taker = makers()
    quoter.ask(mass_quote("q1", entry("e1", "", "101", "", "0.3")))
    quoter.take()
    for number in range(3):
        taker.order(f"b{number}", "buy", "0.1", "101")
    assert told(quoter.take(), 35) == ["8", "8", "8", "AI"]


def test_protection_acts_before_the_next_order_and_inside_the_makers_own_message() -> None:
    world, quoter, taker = makers()
    for number in range(3):
        taker.order(f"s{number}", "sell", "0.1", "100")
    answer, *fills, status = quoter.ask(mass_quote("q1", entry("e1", "100", "101")))
    assert told([answer, *fills, status], 35) == ["b", "8", "8", "8", "AI"]
    assert resting(world) == []
    log_on_again(quoter)
    assert quoter.ask(mass_quote("q", entry("e", "1", "2")))[0][300] == "9", "it outlasts a session"


def test_a_snapshot_has_the_fills_that_protection_has_counted() -> None:
    world, quoter, taker = makers()
    quoter.ask(mass_quote("q1", entry("e1", "99", "101")))
    for number in range(2):
        taker.order(f"b{number}", "buy", "0.1", "101")
    restored = Venue()
    load_venue(dump_venue(world.venue), restored)
    guard = restored.state.accounts[b"MM"].guards[0]
    assert guard == world.venue.state.accounts[b"MM"].guards[0]
    assert (list(guard.fills), guard.is_tripped) == ([START_NS] * 2, False)
    taker.order("b2", "buy", "0.1", "101")
    load_venue(dump_venue(world.venue), again := Venue())
    assert again.state.accounts[b"MM"].guards[0].is_tripped


# --- what waits for prices to move ------------------------------------------------------


def stop(client: Client, name: str, price: str, limit: str) -> None:
    """A buy stop that looks at the best offer."""
    terms = f"38=0.5|40=4|44={limit}|99={price}|1107=1|59=1|"
    (new,) = client.ask(f"35=D|11={name}|55=BTC/USD|54=1|60=<now>|{terms}")
    assert new[150] == "0"


def test_a_quote_that_goes_or_moves_is_seen_by_what_waits() -> None:
    for request in (quote_cancel("z"), mass_quote("q2", entry("e1", "99", "106"))):
        world, quoter, taker = makers()
        quoter.ask(mass_quote("q1", entry("e1", "99", "101")))
        world.client("THIRD").order("s1", "sell", "1", "105")
        stop(taker, "stop", "104", "105")
        taker.take()
        quoter.take()
        assert told(quoter.ask(request), 35) == ["b"]
        assert told(taker.take(), 150, 31) == ["D -", "F 105"]


def test_both_sides_of_a_quote_go_before_anything_sees_it() -> None:
    """The stop would trade with the offer, were it still there once the bid is gone."""
    world, quoter, taker = makers()
    third = world.client("THIRD")
    terms = "38=0.5|40=4|44=90|99=95|1107=3|59=1|"
    quoter.ask(mass_quote("q1", entry("e1", "99", "101")))
    (new,) = third.ask(f"35=D|11=s|55=BTC/USD|54=2|60=<now>|{terms}")
    assert new[150] == "0"
    taker.order("b1", "buy", "1", "94")
    taker.take()
    assert told(quoter.ask(quote_cancel("z")), 35) == ["b"]
    assert told(taker.take(), 150, 31) == ["F 94"], "and not the bid of the quote"


def test_a_quote_on_its_way_is_no_gap_for_what_waits() -> None:
    """The next offer would set off the stop: it must not be seen while the quote moves."""
    for bid, offer in (("99.5", "101.5"), ("98.5", "100.5"), ("", "102"), ("99", "103")):
        world, quoter, taker = makers()
        quoter.ask(mass_quote("q1", entry("e1", "99", "101")))
        world.client("THIRD").order("s1", "sell", "1", "105")
        stop(taker, "stop", "104", "105")
        taker.take()
        quoter.ask(mass_quote("q2", entry("e1", bid, offer)))
        assert taker.take() == [], (bid, offer)
        assert not world.venue.state.engine.books[0].is_suspended
