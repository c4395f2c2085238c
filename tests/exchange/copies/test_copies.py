"""Drop copies: who gets which, what they say, and that they outlive everything else."""

from __future__ import annotations

from pathlib import Path

import pytest

from exchange.rerun import Rerun
from exchange.snapshot import digest_of, dump_venue, load_venue
from exchange.tools.verify import Verifier
from exchange.venue import Venue
from fix_engine.validation import Validator
from tests.exchange.copies.watching import SESSIONS, Funds, reports, venue
from tests.exchange.order_lists.support import OCO, member, request
from tests.support.messages import decode, dictionary, show


def test_a_copy_is_the_original_with_whose_it_is() -> None:
    world = venue()
    watcher = world.client("WATCHA")
    Funds(world).trade()
    assert [show(raw) for raw in watcher.raw[1:]] == [
        "35=8|34=2|1=FUND-A|6=0|11=a0|14=0|17=5-1|37=5|38=1|39=0|40=2|44=100|54=1|55=BTC/USD|59=1|"
        "150=0|151=1|453=2|448=A1|447=D|452=36|448=SUB|447=D|452=24|797=Y",
        "35=8|34=3|1=FUND-A|6=100|11=a0|14=0.4|17=6-3|31=100|32=0.4|37=5|38=1|39=1|40=2|44=100|"
        "54=1|55=BTC/USD|59=1|150=F|151=0.6|453=2|448=A1|447=D|452=36|448=SUB|447=D|452=24|797=Y|"
        "851=1",
        "35=8|34=4|1=FUND-A|6=0|11=bad0|14=0|17=7-1|37=NONE|38=1|39=8|40=2|44=100.05|54=1|"
        "55=BTC/USD|58=Price (44) 100.05 is not a multiple of the tick 0.1|59=1|103=99|150=8|151=0|"
        "453=1|448=A1|447=D|452=36|797=Y",
        "35=8|34=5|1=FUND-A|6=100|11=r0|14=0.4|17=9-1|37=5|38=2|39=1|40=2|41=a0|44=100|54=1|"
        "55=BTC/USD|59=1|150=5|151=1.6|453=2|448=A1|447=D|452=36|448=SUB|447=D|452=24|797=Y",
        "35=8|34=6|1=FUND-A|6=100|11=c0|14=0.4|17=10-1|37=5|38=2|39=4|40=2|41=r0|44=100|54=1|"
        "55=BTC/USD|59=1|150=4|151=0|453=2|448=A1|447=D|452=36|448=SUB|447=D|452=24|797=Y",
    ], "no answer to a question, no OrderCancelReject"
    validator = Validator(dictionary())
    assert [validator.check(decode(raw)) for raw in watcher.raw] == [None] * 6


def test_copies_of_lists_and_quotes_are_sound_and_in_tag_order() -> None:
    world = venue()
    watcher = world.client("RISK")
    a, b = world.client("A1"), world.client("B1")
    orders = member("l1", "buy", "1", "90"), member("l2", "buy", "1", stop="120")
    a.send(request("L", OCO, *orders))
    b.send(
        "35=i|117=q|296=1|302=s|304=1|295=1|299=e|55=ETH/USD|132=10|133=11|134=1|135=1|",
    )
    a.order("take", "buy", "0.5", "11", symbol="ETH/USD")
    copies = [raw for raw in watcher.raw if b"\x01797=Y\x01" in raw]
    assert sum(b"\x011385=1\x01" in raw for raw in copies) >= 2
    assert sum(b"\x01299=e\x01" in raw for raw in copies) == 1
    validator = Validator(dictionary())
    for raw in copies:
        assert validator.check(decode(raw)) is None, raw
        tags = [int(field.partition(b"=")[0]) for field in raw.split(b"\x01")[7:-2]]
        plain = [tag for tag in tags if tag not in (447, 448, 452, 137, 138, 139)]
        assert plain == sorted(plain)
    watcher.send("35=AD|568=q|569=0|55=ETH/USD|")
    trades = [one for one in watcher.received if one[35] == "AE"]
    assert [one[1] for one in trades] == ["FUND-A", "FUND-B"]


def test_each_watcher_gets_the_accounts_that_it_is_entitled_to_once() -> None:
    world = venue()
    watchers = {name: world.client(name) for name in ("WATCHA", "WATCHB", "RISK", "DESK")}
    Funds(world).trade()
    watchers["DESK"].order("desk", "buy", "1", "90")
    told = {name: reports(client) for name, client in watchers.items()}
    assert {one[1] for one in told["WATCHA"]} == {"FUND-A"}
    assert {one[1] for one in told["WATCHB"]} == {"FUND-B"}
    ids = [tuple(map(int, one[17].split("-"))) for one in told["RISK"]]
    assert ids == sorted(set(ids)), "in the order of events"
    of_both = [one[17] for name in ("WATCHA", "WATCHB") for one in told[name]]
    assert sorted(of_both) == sorted(one[17] for one in told["RISK"])
    own = told["DESK"].pop()
    assert (own[11], 797 in own) == ("desk", False), "its own comes as it is, and once"
    assert all(one[797] == "Y" for one in told["DESK"])


def test_execution_ids_do_not_depend_on_who_watches() -> None:
    ids = []
    for watchers in ((), ("WATCHA", "RISK")):
        world = venue()
        for name in ("WATCHA", "RISK"):
            client = world.client(name)
            if name not in watchers:
                world.sequencer.venue.state.has_watchers = False
                client.drop()
        world.venue.state.has_watchers = bool(watchers)
        seller = world.client("B1")
        seller.order("s1", "sell", "1", "100")
        buyer = world.client("A1")
        buyer.order("a1", "buy", "2", "100")
        ids.append([one[17].split("-")[1] for one in reports(seller) + reports(buyer)])
    assert ids[0] == ids[1]


def test_copies_wait_for_a_session_that_is_away_from_its_first_logon_on() -> None:
    world = venue()
    funds = Funds(world)
    funds.trade()
    watcher = world.client("WATCHA")
    assert reports(watcher) == [], "nothing from before"
    watcher.drop()
    funds.trade(1)
    watcher.connect()
    watcher.send("35=A|98=0|108=30|")
    watcher.send("35=2|7=2|16=0|")
    again = reports(watcher)
    assert [one[11] for one in again] == ["a1", "a1", "bad1", "r1", "c1"]
    assert all(one[43] == "Y" and one[797] == "Y" for one in again)


def test_who_may_only_watch_cannot_trade() -> None:
    world = venue()
    watcher = world.client("WATCHA")
    (refused,) = watcher.order("x", "buy", "1", "100")
    assert (refused[35], refused[380]) == ("j", "6")
    assert refused[58] == "The rights of WATCHA do not include orders"


def test_a_session_watches_what_its_last_logon_found_in_the_settings(tmp_path: Path) -> None:
    world = venue(tmp_path)
    world.client("WATCHB").drop()
    world.client("RISK").drop()
    Funds(world).trade()
    world.journal.close()
    sessions = {**SESSIONS, "WATCHB": ("OFFICE", ("drop-copy",), ("FUND-A",))}
    del sessions["RISK"]
    again = venue(tmp_path, sessions)
    funds = Funds(again)
    funds.trade(1)
    state = again.venue.state
    copies = {again.registry[number].comp_id: one.copies for number, one in state.sessions.items()}
    assert copies[b"WATCHB"] == (b"FUND-A",), "what is stored for it is what it may see now"
    assert copies[b"RISK"] == ()
    watcher = again.client("WATCHB", "141=Y|108=30|")
    funds.trade(2)
    assert {one[1] for one in reports(watcher)} == {"FUND-A"}


def test_nobody_who_watches_costs_nothing() -> None:
    world = venue()
    Funds(world).trade()
    assert not world.venue.state.has_watchers
    assert world.venue.state.watchers == {}


@pytest.mark.parametrize("is_away", [False, True])
def test_a_journal_with_copies_is_replayed_verified_and_kept(tmp_path: Path, is_away: bool) -> None:
    world = venue(tmp_path)
    watchers = [world.client(name) for name in ("RISK", "WATCHA")]
    funds = Funds(world)
    for number in range(5):
        funds.trade(number)
        if is_away and number == 2:
            watchers[0].drop()
    verifier = Verifier(Rerun())
    for batch in world.batches():
        assert verifier.check(batch) is None
    assert verifier.counts.reports > 60
    state = dump_venue(world.venue)
    other = Venue()
    load_venue(state, other)
    assert dump_venue(other) == state
    assert other.state.has_watchers
    if not is_away:
        watchers[0].drop()
    watchers[1].drop()
    funds.drop()
    before = digest_of(world.venue)
    world.journal.close()
    again = venue(tmp_path)
    assert digest_of(again.venue) == before


def test_a_copy_that_is_missing_or_another_is_found(tmp_path: Path) -> None:
    world = venue(tmp_path)
    world.client("RISK")
    Funds(world).trade()
    verifier = Verifier(Rerun())
    found = []
    for batch in world.batches():
        for record in batch.records:
            if b"\x01797=Y" in record.payload:
                record.payload = record.payload.replace(b"448=A1\x01", b"448=B1\x01")
        found.append(verifier.check(batch))
    divergence = next(one for one in found if one is not None)
    assert divergence.session == "RISK"
    assert [one.tag for one in divergence.differences if one.tag == b"448"] == [b"448"]


def test_a_session_that_changes_its_account_takes_its_past_along_nowhere(tmp_path: Path) -> None:
    world = venue(tmp_path)
    watcher = world.client("WATCHA")
    world.client("A2").order("a", "buy", "1", "100")
    world.journal.close()
    again = venue(tmp_path, {**SESSIONS, "A2": ("FUND-B", ("orders",), ())})
    watcher = again.client("WATCHA", "141=Y|108=30|")
    moved = again.client("A2", "141=Y|108=30|")
    cancelled = reports(watcher)
    assert [(one[1], one[11], one[150]) for one in cancelled] == [("FUND-A", "a", "4")]
    moved.order("b", "buy", "1", "100")
    assert reports(watcher) == [], "FUND-B is not its business"
    session = again.venue.state.sessions[again.registry._by_peer[b"A2"].number]
    ((until, name),) = session.former
    assert name == b"FUND-A"
    assert [session.account_at(at) for at in (1, until, until + 1)] == [
        b"FUND-A",
        b"FUND-A",
        b"FUND-B",
    ]
    state = dump_venue(again.venue)
    other = Venue()
    load_venue(state, other)
    assert dump_venue(other) == state
