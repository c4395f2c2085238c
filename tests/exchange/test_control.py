"""The operator's hand on the market: what it does, what clients see of it, and that it stays."""

from __future__ import annotations

import json
import random
from dataclasses import replace
from pathlib import Path

import pytest
from typer.testing import CliRunner

from config.settings import Settings, load
from exchange.__main__ import app
from exchange.commands import SetAccount, SetMarket
from exchange.control_file import ControlFile, Wanted, Wish
from exchange.controls import ControlError, decode_control, encode_control
from exchange.rerun import Rerun
from exchange.snapshot import dump_venue, load_venue
from exchange.venue import Venue
from exchange.venue.state import MarketState
from sessions.journal import Reader, open_segments
from sessions.snapshot import write_snapshot
from tests.exchange.orders.market import prove
from tests.exchange.test_recovery import trade_at_random
from tests.exchange.test_venue import told
from tests.support.messages import dictionary
from tests.support.world import Client, World

ACCOUNTS = """
[access]
policy = "accounts"
[[accounts]]
name = "acme"
[[accounts.sessions]]
comp_id = "ACME1"
addresses = ["127.0.0.1/32"]
[[accounts.sessions]]
comp_id = "ACME2"
addresses = ["127.0.0.1/32"]
[[accounts]]
name = "other"
[[accounts.sessions]]
comp_id = "OTHER"
addresses = ["127.0.0.1/32"]
"""


def tell(world: World, **wanted: dict[str, Wish]) -> None:
    """What an operator does, and the second that the venue takes to see it."""
    assert world.journal.path is not None

    def edit(file: Wanted) -> None:
        for kind, wishes in wanted.items():
            getattr(file, kind).update(wishes)

    ControlFile(world.journal.path).change(edit)
    wait(world)


def wait(world: World) -> None:
    world.now += 1_100_000_000
    world.sequencer.on_time(world.now)
    world.turn()


def market(world: World, state: str, reason: str = "", symbol: str = "BTC/USD") -> None:
    tell(world, markets={symbol: Wish(state, reason)})


def account(world: World, name: str, state: str, reason: str = "") -> None:
    tell(world, accounts={name: Wish(state, reason)})


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


def traders(world: World) -> tuple[Client, Client]:
    buyer, seller = world.client("BUYER"), world.client("SELLER")
    buyer.take()
    seller.take()
    return buyer, seller


def with_accounts(directory: Path) -> World:
    file = directory / "venue.toml"
    file.write_text(ACCOUNTS)
    return World(directory / "data", settings=load(file))


# --- markets --------------------------------------------------------------------------------


def test_everybody_who_is_logged_on_is_told_of_a_halt(world: World) -> None:
    buyer, seller = traders(world)
    seller.drop()
    market(world, "halted", "news is pending")
    (status,) = buyer.take()
    assert told([status], 35, 55, 325, 326, 8021) == ["f BTC/USD Y 2 halted"]
    assert status[58] == "BTC/USD is halted: nothing but cancels (news is pending)"
    assert 60 in status
    seller.connect()
    seller.send("35=A|98=0|108=30|")
    logon, status = seller.take()
    assert told([logon, status], 35, 55, 326, 8021) == ["A - - -", "f BTC/USD 2 halted"]
    assert status[58] == "BTC/USD is halted: nothing but cancels"
    wait(world)
    assert buyer.take() == [], "once"


def test_who_logs_on_is_told_of_each_instrument_that_is_not_open_behind_the_summary(
    world: World,
) -> None:
    buyer, _ = traders(world)
    buyer.order("b1", "buy", "1", "100")
    for symbol, state in (("ETH/BTC", "post-only"), ("ETH/USD", "halted"), ("BTC/USD", "halted")):
        market(world, state, symbol=symbol)
    market(world, "open", symbol="ETH/USD")
    buyer.drop()
    buyer.take()
    buyer.connect()
    buyer.send("35=A|98=0|108=30|8020=Y|")
    expected = ["A - -", "r - -", "8 BTC/USD -", "f BTC/USD halted", "f ETH/BTC post-only"]
    assert told(buyer.take(), 35, 55, 8021) == expected
    prove(world)


def test_what_is_not_listed_any_more_is_no_news(world: World) -> None:
    traders(world)
    market(world, "delisted")
    rules = world.venue.rules
    assert rules is not None
    world.journal.close()
    kept = replace(rules, instruments=rules.instruments[1:])
    again = World(world.journal.path, rules=kept)
    late = again.client("LATE")
    assert told(late.take(), 35) == ["A"]


@pytest.mark.parametrize(
    ("state", "status", "limit", "market_order", "post_only"),
    [
        ("open", "", "0", "0", "0"),
        ("halted", "2", "8", "8", "8"),
        ("cancel-only", "18", "8", "8", "8"),
        ("post-only", "21", "8", "8", "0"),
        ("limit-only", "17", "0", "8", "0"),
        ("delisted", "19", "8", "8", "8"),
    ],
)
def test_each_state_takes_what_it_says(
    world: World, state: str, status: str, limit: str, market_order: str, post_only: str
) -> None:
    buyer, _ = traders(world)
    market(world, state)
    assert [one[326] for one in buyer.take()] == ([status] if status else [])
    for number, (price, more, expected) in enumerate(
        (("100", "59=1|", limit), ("", "", market_order), ("99", "59=1|18=6|", post_only))
    ):
        report = buyer.order(f"b{number}", "buy", "1", price, more)[0]
        assert report[150] == expected, report
        if expected == "8":
            assert told([report], 103) == ["2"]
            assert report[58].startswith("BTC/USD is ")
    assert buyer.order("e", "buy", "1", "100", symbol="ETH/USD")[0][150] == "0", "another market"


def test_cancels_pass_a_halt_and_replacements_do_not(world: World) -> None:
    buyer, _ = traders(world)
    buyer.order("b1", "buy", "1", "100")
    market(world, "halted")
    buyer.take()
    terms = "55=BTC/USD|54=1|60=<now>|38=1|40=2|44=101|59=1|"
    (refused,) = buyer.ask(f"35=G|11=b2|41=b1|{terms}")
    assert told([refused], 35, 39, 102, 434) == ["9 0 99 2"]
    assert "is halted" in refused[58]
    assert told(buyer.ask("35=F|11=b3|41=b1|55=BTC/USD|54=1|60=<now>|"), 150) == ["4"]


def test_a_trigger_waits_for_the_end_of_a_halt(world: World) -> None:
    """The stop is due when the halt ends, for what was cancelled meanwhile has moved the price."""
    buyer, seller = traders(world)
    seller.order("s1", "sell", "1", "100")
    buyer.order("b1", "buy", "1", "100")
    seller.order("s2", "sell", "1", "110")
    buyer.order("top", "buy", "1", "105")
    stop = "35=D|11=stop|55=BTC/USD|54=2|60=<now>|38=1|40=4|44=95|99=96|59=1|1107=3|"
    (new,) = seller.ask(stop)
    assert new[150] == "0", new
    buyer.order("low", "buy", "1", "95")
    market(world, "halted")
    buyer.take(), seller.take()
    buyer.ask("35=F|11=x|41=top|55=BTC/USD|54=1|60=<now>|")
    assert seller.take() == [], "the best buy is at the trigger, and nothing happens"
    market(world, "open", "all is well")
    status, triggered, fill = seller.take()
    assert told([status], 35, 326, 58) == ["f 3 BTC/USD is open (all is well)"]
    assert told([triggered, fill], 150, 378, 31) == ["D 99 -", "F - 95"]


def test_an_order_that_becomes_effective_in_a_halt_is_cancelled(world: World) -> None:
    buyer, _ = traders(world)
    later = "20270115-08:01:00"
    (pending,) = buyer.order("b1", "buy", "1", "100", f"59=1|168={later}|")
    assert pending[150] == "A", pending
    market(world, "halted")
    buyer.take()
    world.now += 120 * 10**9
    wait(world)
    (cancel,) = [one for one in buyer.take() if one[35] == "8"]
    assert told([cancel], 150, 39, 378) == ["4 4 8"]
    assert "is halted" in cancel[58]


def test_delisting_cancels_every_order_of_the_instrument_and_is_for_good(world: World) -> None:
    buyer, seller = traders(world)
    buyer.order("b1", "buy", "1", "100")
    seller.order("s1", "sell", "1", "110")
    buyer.ask("35=D|11=b2|55=BTC/USD|54=1|60=<now>|38=1|40=4|44=120|99=115|59=1|")
    buyer.order("e1", "buy", "1", "100", symbol="ETH/USD")
    buyer.take(), seller.take()
    market(world, "delisted", "merged")
    text = "Cancelled: BTC/USD is not traded any more (merged)"
    status, *cancels = buyer.take()
    assert told([status], 35, 8021) == ["f delisted"]
    assert told(cancels, 11, 150, 39, 378, 58) == [f"b1 4 4 8 {text}", f"b2 4 4 8 {text}"]
    assert told(seller.take()[1:], 11, 58) == [f"s1 {text}"]
    assert world.venue.open_orders() == 1
    position = world.journal.position
    market(world, "open")
    assert world.journal.position == position
    assert buyer.order("b9", "buy", "1", "100")[0][58] == "BTC/USD is not traded any more"


# --- accounts -------------------------------------------------------------------------------


def test_a_stopped_account_loses_its_orders_and_gets_no_new_ones(tmp_path: Path) -> None:
    world = with_accounts(tmp_path)
    one, two, other = (world.client(name) for name in ("ACME1", "ACME2", "OTHER"))
    other.order("o1", "buy", "1", "90")
    one.order("a1", "buy", "1", "100")
    two.order("a2", "buy", "1", "99", symbol="ETH/USD")
    for client in (one, two, other):
        client.take()
    account(world, "acme", "stopped", "risk desk")
    text = "Cancelled: the venue has stopped the account (risk desk)"
    assert told(one.take(), 11, 150, 378, 58) == [f"a1 4 8 {text}"]
    assert told(two.take(), 11, 150, 378, 58) == [f"a2 4 8 {text}"]
    assert other.take() == []
    (refused,) = one.order("a3", "buy", "1", "100")
    assert told([refused], 150, 103) == ["8 99"]
    assert refused[58] == "The account acme has been stopped by the venue: only cancels pass"
    assert other.order("o2", "buy", "1", "90")[0][150] == "0"
    account(world, "acme", "running")
    assert one.order("a4", "buy", "1", "100")[0][150] == "0"


def test_an_account_is_stopped_before_anybody_of_it_has_ever_come(tmp_path: Path) -> None:
    world = with_accounts(tmp_path)
    account(world, "acme", "stopped")
    account(world, "nobody", "stopped")
    assert world.client("ACME1").order("a1", "buy", "1", "100")[0][150] == "8"


def test_in_the_open_demo_a_session_is_stopped_by_its_comp_id(world: World) -> None:
    account(world, "LATER", "stopped")
    client = world.client("LATER")
    client.order("a1", "buy", "1", "100")
    client.take()
    wait(world)
    assert told(client.take(), 11, 150) == ["a1 4"], "its first Logon made it known"
    (refused,) = client.order("a2", "buy", "1", "100")
    assert refused[58] == "The session has been stopped by the venue: only cancels pass"


def test_no_trigger_fires_among_the_cancels_of_a_stopped_account(world: World) -> None:
    """The stop of the same account would fire when the best buy goes, and trade."""
    buyer, seller = traders(world)
    seller.order("low", "buy", "1", "95")
    buyer.order("top", "buy", "1", "105")
    buyer.ask("35=D|11=stop|55=BTC/USD|54=2|60=<now>|38=1|40=4|44=95|99=96|59=1|1107=3|")
    buyer.take(), seller.take()
    account(world, "BUYER", "stopped")
    assert told(buyer.take(), 11, 150) == ["top 4", "stop 4"]
    assert seller.take() == []


def test_triggers_of_others_fire_behind_the_cancels_of_a_stopped_account(world: World) -> None:
    buyer, seller = traders(world)
    buyer.order("low", "buy", "1", "95")
    world.client("THIRD").order("t", "buy", "1", "94")
    buyer.order("top", "buy", "1", "105")
    seller.ask("35=D|11=stop|55=BTC/USD|54=2|60=<now>|38=1|40=4|44=90|99=96|59=1|1107=3|")
    buyer.take(), seller.take()
    account(world, "BUYER", "stopped")
    assert told(buyer.take(), 11, 150) == ["low 4", "top 4"]
    assert told(seller.take(), 11, 150, 31) == ["stop D -", "stop F 94"]


# --- what is kept ---------------------------------------------------------------------------


def test_what_was_said_holds_over_a_restart_and_the_journal_leads_to_it(tmp_path: Path) -> None:
    for keeps_snapshot in (False, True):
        directory = tmp_path / str(keeps_snapshot)
        world = World(directory)
        traders(world)[0].order("b1", "buy", "1", "100")
        market(world, "post-only")
        account(world, "BUYER", "stopped")
        if keeps_snapshot:
            write_snapshot(directory, world.registry.snapshot())
        before = dump_venue(world.venue)
        world.journal.close()
        done = CliRunner().invoke(app, ["journal", "verify", "--data", str(directory)])
        assert done.exit_code == 0, done.output
        (directory / "control.json").unlink()
        again = World(directory)
        state = again.venue.state
        assert state.markets[0] is MarketState.POST_ONLY
        assert state.engine.books[0].is_suspended
        assert state.accounts[b"#1"].is_killed
        restored = Venue()
        load_venue(before, restored)
        assert dump_venue(restored) == before


def test_a_start_does_first_what_was_said_while_the_venue_was_down(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.client("BUYER").order("b1", "buy", "1", "100")
    world.journal.close()
    wish = Wish("delisted")
    ControlFile(tmp_path).change(lambda wanted: wanted.markets.update({"BTC/USD": wish}))
    again = World(tmp_path)
    assert again.venue.state.markets[0] is MarketState.DELISTED
    assert again.venue.open_orders() == 0


@pytest.mark.parametrize("seed", range(4))
def test_a_restored_venue_goes_on_identically(seed: int, tmp_path: Path) -> None:
    rng = random.Random(seed)
    world = World(tmp_path)
    clients = [world.client(f"C{number}") for number in range(4)]
    copy, at = Venue(), 0
    for step in range(12):
        trade_at_random(world, clients, rng, 15)
        market(world, rng.choice(["open", "open", "halted", "post-only", "limit-only"]))
        account(world, "C1", rng.choice(["stopped", "running"]))
        if step == 5:
            world.journal.sync()
            at = world.journal.position
            state = dump_venue(world.venue)
    executor = Rerun(None).executor
    executor.restore(state)
    copy = executor.venue
    segments = open_segments(tmp_path, is_writer=False)
    for batch in Reader(segments).batches():
        for record in batch.records:
            if record.position > at and record.kind.name in ("COMMAND", "CONTROL", "UP", "DOWN"):
                executor.replay(record, batch.stamp)
    assert dump_venue(copy) == dump_venue(world.venue), f"seed {seed}"
    for segment in segments:
        segment.close()


def test_what_goes_out_is_in_the_dictionary(world: World) -> None:
    buyer, _ = traders(world)
    fields = dictionary().messages[b"f"]
    for state in ("halted", "cancel-only", "post-only", "limit-only", "open", "delisted"):
        market(world, state)
        (status,) = buyer.take()
        for tag, value in status.items():
            name = str(tag).encode()
            if tag in (8, 9, 10, 34, 35, 49, 52, 56):
                continue
            assert name in fields.members, tag
            known = dictionary().fields[name].values
            assert not known or value.encode() in known, (tag, value)


# --- records and the file -------------------------------------------------------------------


def test_an_action_is_what_its_record_says() -> None:
    for command in (
        SetMarket(b"BTC/USD", MarketState.CANCEL_ONLY, b'say "why"'),
        SetAccount(b"acme", True, b""),
        SetAccount(b"#7", False, b"x"),
    ):
        assert decode_control(encode_control(command)) == command


@pytest.mark.parametrize(
    "payload", [b"", b"[]", b"7", b"{}", b'{"symbol":"A","state":"shut","reason":""}', b"\xff"]
)
def test_a_record_that_means_nothing_is_refused(payload: bytes) -> None:
    with pytest.raises(ControlError, match="cannot be understood"):
        decode_control(payload)


def test_a_file_that_cannot_be_understood_changes_nothing(world: World) -> None:
    buyer, _ = traders(world)
    market(world, "halted")
    buyer.take()
    assert world.journal.path is not None
    path = world.journal.path / "control.json"
    for text in ("?", "[]", "{}", '{"markets": {"BTC/USD": {"state": "shut"}}, "accounts": {}}'):
        path.write_text(text)
        wait(world)
        assert buyer.take() == []
        with pytest.raises(ControlError, match=r"control\.json"):
            ControlFile(world.journal.path).change(lambda wanted: None)
        assert path.read_text() == text, "what an operator may want to mend stays there"
    path.unlink()
    market(world, "open")
    assert told(buyer.take(), 8021) == ["open"]


def test_the_file_says_what_is_wanted(tmp_path: Path) -> None:
    file = ControlFile(tmp_path)
    file.change(lambda wanted: wanted.accounts.update({"acme": Wish("stopped", "why")}))
    assert json.loads((tmp_path / "control.json").read_text()) == {
        "markets": {},
        "accounts": {"acme": {"state": "stopped", "reason": "why"}},
        "transfers": {},
    }
    assert file.current() == file.read()
    assert Settings().instruments[0].symbol == "BTC/USD"
