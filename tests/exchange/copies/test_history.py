"""TradeCaptureReportRequest: drop copies by ExecID, trades by account, Symbol and time."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from exchange.history import desk
from exchange.rerun import Rerun
from exchange.tools.verify import Verifier
from fix_engine.validation import Validator
from sessions.journal import remove_segments
from sessions.journal.pages import HistoryReader, SentRecord
from sessions.snapshot import write_snapshot
from tests.exchange.copies.watching import SESSIONS, Funds, reports, venue
from tests.support.messages import decode, dictionary, show
from tests.support.world import START_NS, Client, World

ACCEPTED, COMPLETED, REJECTED = "0", "1", "2"


def ask(client: Client, fields: str, request_id: str = "q") -> list[dict[int, str]]:
    """What comes of a request, without the copies of what happens meanwhile."""
    client.take()
    kind = "" if "569=" in fields else "569=0|"
    client.send(f"35=AD|568={request_id}|{kind}{fields}")
    return [one for one in client.take() if one.get(568) == request_id]


def answer(client: Client, fields: str) -> tuple[dict[int, str], list[dict[int, str]]]:
    """The last acknowledgement of a request that is accepted, and what came before it."""
    first, *told, last = ask(client, fields)
    assert (first[35], first[749], first[750]) == ("AQ", "0", ACCEPTED)
    assert (last[35], last[749], last[750]) == ("AQ", "0", COMPLETED)
    assert int(last[748]) == len(told)
    return last, told


def refusal(client: Client, fields: str) -> tuple[str, str]:
    """Result and Text of a request that is refused at once."""
    (only,) = ask(client, fields)
    assert (only[35], only[750]) == ("AQ", REJECTED)
    return only[749], only[58]


def test_trades_are_told_one_side_each_with_the_last_one_marked() -> None:
    world = venue()
    funds = Funds(world)
    funds.trade(1)
    funds.trade(2)
    client = world.client("RISK")
    client.send("35=AD|568=all|569=0|")
    told = [show(raw) for raw in client.raw[1:]]
    assert told[0] == "35=AQ|34=2|568=all|569=0|749=0|750=0"
    assert told[1:3] == [
        "35=AE|34=3|17=5-2|31=100|32=0.4|39=2|55=BTC/USD|75=20270115|150=F|568=all|570=N|571=5-2|"
        "851=2|880=5-2|552=1|54=2|37=5|11=b1|453=1|448=B1|447=D|452=36|1=FUND-B",
        "35=AE|34=4|17=5-3|31=100|32=0.4|39=1|55=BTC/USD|75=20270115|150=F|568=all|570=N|571=5-3|"
        "851=1|880=5-2|552=1|54=1|37=4|11=a1|453=2|448=A1|447=D|452=36|448=SUB|447=D|452=24|"
        "1=FUND-A",
    ]
    assert [raw.count(b"\x01912=Y\x01") for raw in client.raw[2:]] == [0, 0, 0, 1, 0]
    assert told[-1] == "35=AQ|34=7|568=all|569=0|748=4|749=0|750=1"
    validator = Validator(dictionary())
    assert [validator.check(decode(raw)) for raw in client.raw] == [None] * len(client.raw)


def test_who_asks_sees_the_accounts_that_it_is_entitled_to_and_no_others() -> None:
    world = venue()
    funds = Funds(world)
    funds.trade()
    risk, watch_a, watch_b = (world.client(name) for name in ("RISK", "WATCHA", "WATCHB"))
    for client, accounts in ((risk, {"FUND-A", "FUND-B"}), (watch_a, {"FUND-A"})):
        assert {one[1] for one in answer(client, "")[1]} == accounts
    assert {one[1] for one in answer(risk, "1=FUND-B|")[1]} == {"FUND-B"}
    for account in ("FUND-A", "NOBODY", "*"):
        result, text = refusal(watch_b, f"1={account}|")
        assert result == "9"
        assert text == f"Account (1) {account} is none that you may ask about, which are FUND-B"
    (refused,) = funds.a.ask("35=AD|568=q|569=0|")
    assert (refused[35], refused[380]) == ("j", "6")


def test_without_accounts_everybody_may_ask_about_their_own_trades() -> None:
    world = World()
    one, other = world.client("ONE"), world.client("OTHER")
    one.order("a", "buy", "1", "100")
    other.order("b", "sell", "1", "100")
    (trade,) = answer(one, "")[1]
    assert (trade[1], trade[11]) == ("#1", "a")


def test_trades_are_chosen_by_symbol_and_time() -> None:
    world = venue()
    funds = Funds(world)
    for number in range(4):
        funds.trade(number)
        funds.a.order(f"e{number}", "buy", "1", "10", symbol="ETH/USD")
        funds.b.order(f"f{number}", "sell", "1", "10", symbol="ETH/USD")
        world.now += 1_500 * 10**6
    client = world.client("WATCHA")

    def names(fields: str) -> list[str]:
        return [one[11] for one in answer(client, fields)[1]]

    assert names("55=ETH/USD|") == ["e0", "e1", "e2", "e3"]
    assert names("580=1|75=20270115|") == ["a0", "e0", "a1", "e1", "a2", "e2", "a3", "e3"]
    assert names("580=1|75=20270114|") == []
    assert names("55=BTC/USD|580=1|75=20270115|60=20270115-08:00:03|") == ["a2", "a3"]
    exact = "580=2|75=20270115|60=20270115-08:00:01.500|75=20270115|60=20270115-08:00:03|"
    assert names(f"55=BTC/USD|{exact}") == ["a1", "a2"], "both ends are included"
    assert names("580=2|75=20270114|75=20270115|60=20270115-08:00:00.000|") == ["a0", "e0"]


@pytest.mark.parametrize(
    ("fields", "result", "text"),
    [
        ("569=2|", "8", "TradeRequestType (569) 2 is not supported: ask with 0 or 1"),
        ("55=XX|", "1", "Symbol (55) XX is not traded here: ask for one that is, or leave it out"),
        ("8060=x|", "99", "AfterExecID (8060) x is no ExecID of this venue, such as 4711-1"),
        ("8060=99-1|", "99", "AfterExecID (8060) 99-1 was never given; none is beyond 11"),
        (
            "8061=1-1|",
            "99",
            "EndExecID (8061) goes with AfterExecID (8060); 0-0 is before the first",
        ),
        ("8060=5-1|8061=4-1|", "99", "EndExecID (8061) 4-1 comes before AfterExecID (8060) 5-1"),
        (
            "8060=5-1|263=1|",
            "99",
            "AfterExecID (8060) asks for the past: leave SubscriptionRequestType (263) out",
        ),
        (
            "580=1|75=20270115|60=20270116-00:00:00|",
            "99",
            "TransactTime (60) 20270116-00:00:00 is not on TradeDate (75) 20270115",
        ),
        (
            "580=2|75=20270115|75=20270114|",
            "99",
            "NoDates (580) ends before it begins: the earlier entry first",
        ),
        (
            "580=3|75=20270113|75=20270114|75=20270115|",
            "99",
            "NoDates (580) has 3 entries: 2 at most",
        ),
        (
            "263=1|580=2|75=20270115|75=20270115|",
            "99",
            "SubscriptionRequestType (263) 1 has no end: give NoDates (580) one entry",
        ),
        ("263=2|", "99", "TradeRequestID (568) q is of no request that runs"),
    ],
)
def test_what_cannot_be_answered_is_refused_with_the_reason(
    fields: str, result: str, text: str
) -> None:
    world = venue()
    Funds(world).trade()
    assert refusal(world.client("RISK"), fields) == (result, text)
    client = world.client("WATCHB")
    (rejected,) = client.ask("35=AD|568=q|569=0|580=1|75=20270231|")
    assert (rejected[35], rejected[371], rejected[373]) == ("3", "75", "6"), "no such day"
    long = ask(world.client("WATCHA"), "", "x" * 65)
    assert [one[58] for one in long] == ["TradeRequestID (568) has more than 64 characters"]


def test_drop_copies_are_asked_for_again_by_exec_id() -> None:
    world = venue()
    watcher, away = world.client("RISK"), world.client("WATCHA")
    away.drop()
    funds = Funds(world)
    for number in range(3):
        funds.trade(number)
    live = reports(watcher)
    _, again = answer(watcher, "8060=0-0|")
    assert [one[17] for one in again] == [one[17] for one in live], "the same, in the same order"
    changing = (8, 9, 10, 34, 97, 568)
    for one, other in zip(again, live, strict=True):
        assert one[97] == "Y"
        assert {tag: one[tag] for tag in one if tag not in changing} == {
            tag: other[tag] for tag in other if tag not in changing
        }
    middle = [one[17] for one in live][4:9]
    behind = answer(watcher, f"8060={middle[0]}|8061={middle[-1]}|")[1]
    assert [one[17] for one in behind] == middle[1:], "not the first, but the last"
    assert answer(watcher, f"8060={live[-1][17]}|")[1] == []
    only = answer(watcher, "8060=0-0|1=FUND-B|55=BTC/USD|")[1]
    assert {one[1] for one in only} == {"FUND-B"}
    validator = Validator(dictionary())
    assert [validator.check(decode(raw)) for raw in watcher.raw] == [None] * len(watcher.raw)


def test_recovery_by_exec_id_survives_a_reset_and_a_restart(tmp_path: Path) -> None:
    world = venue(tmp_path)
    watcher = world.client("WATCHB")
    funds = Funds(world)
    funds.trade(0)
    seen = reports(watcher)
    watcher.drop()
    funds.trade(1)
    funds.drop()
    world.journal.close()
    again = venue(tmp_path)
    Funds(again).trade(2)
    watcher = again.client("WATCHB", "141=Y|108=30|")
    missed = answer(watcher, f"8060={seen[-1][17]}|")[1]
    assert [(one[11], one[150]) for one in missed] == [
        ("b1", "0"),
        ("b1", "F"),
        ("b2", "0"),
        ("b2", "F"),
    ]
    verifier = Verifier(Rerun())
    for batch in again.batches():
        assert verifier.check(batch) is None
    assert verifier.counts.others > 4


def test_trades_to_come_follow_those_that_were_without_a_gap_or_one_twice() -> None:
    world = venue()
    funds = Funds(world)
    funds.trade(0)
    client = world.client("WATCHA")
    followers = list(world.sequencer._followers)
    told = ask(client, "263=1|", "live")
    assert [one[35] for one in told] == ["AQ", "AE", "AQ"]
    assert told[-1][58] == "What happens from here on follows"
    funds.trade(1)
    funds.a.order("e", "buy", "1", "10", symbol="ETH/USD")
    funds.b.order("f", "sell", "1", "10", symbol="ETH/USD")
    trades = [one for one in client.take() if one[35] == "AE"]
    assert [(one[11], one[568], one.get(912)) for one in trades] == [
        ("a1", "live", None),
        ("e", "live", None),
    ]
    (end,) = ask(client, "263=2|", "live")
    assert (end[750], end[748], end[58]) == (COMPLETED, "3", "Ended at your request")
    funds.trade(2)
    assert [one for one in client.take() if one[35] == "AE"] == []
    assert world.sequencer._followers == followers
    ask(client, "263=1|", "live")
    client.drop()
    assert world.sequencer._followers == followers


def test_trades_that_happen_while_history_is_told_come_behind_it_once() -> None:
    world = venue()
    funds = Funds(world)
    for number in range(60):
        funds.trade(number)
    client = world.client("WATCHB")
    client.send("35=AD|568=q|569=0|263=1|", end_turn=False)
    order = "35=D|11=x{}|55=BTC/USD|54={}|60=<now>|38=1|40=2|44=100|".format
    for number in range(80):
        funds.a.send(order(number, 1), end_turn=False)
        funds.b.send(order(number, 2), end_turn=False)
        due, world._due[:] = list(world._due), []
        for callback in due:
            callback()
    world.turn()
    told = [one for one in client.received if one[35] in ("AE", "AQ")]
    trades = [one[11] for one in told if one[35] == "AE"]
    assert trades == [f"b{n}" for n in range(60)] + [f"x{n}" for n in range(80)]
    ids = [one[17] for one in client.received if one[35] == "8" and one[150] == "F"]
    assert ids == [one[17] for one in told if one[35] == "AE"][60:]
    place = next(place for place, one in enumerate(told) if one.get(912) == "Y")
    assert 60 < place < 140, "some while it was told, some later"
    assert told[place + 1][750] == COMPLETED


def test_a_session_has_so_many_requests_at_once_each_with_its_own_id() -> None:
    world = venue()
    client = world.client("WATCHA")
    for number in range(desk.MOST_REQUESTS):
        ask(client, "263=1|", f"q{number}")
    (twice,) = ask(client, "", "q0")
    assert twice[58] == "TradeRequestID (568) q0 is of a request that runs: choose another"
    (many,) = ask(client, "", "more")
    assert many[58] == "4 requests run: wait for one to end, or end it by 263=2"
    assert ask(client, "263=2|", "q0")[-1][750] == COMPLETED
    assert ask(client, "", "more")[-1][750] == COMPLETED


def kept_in_part(tmp_path: Path) -> tuple[World, int]:
    """A venue whose first segments are gone, and the number of the first one that is there."""
    world = venue(tmp_path, segment_bytes=1 << 16)
    funds = Funds(world)
    number = 0
    while len(world.journal.segments) < 4:
        funds.trade(number)
        world.now += 10**9
        number += 1
    world.journal.sync()
    snapshot = world.registry.snapshot()
    snapshot.first_segment = 3
    write_snapshot(tmp_path, snapshot)
    remove_segments(tmp_path, world.journal.release_before(3))
    world.registry.forget_before(world.journal.begin)
    return world, number


def test_what_is_not_kept_any_more_is_said_with_where_to_ask_from(tmp_path: Path) -> None:
    world, number = kept_in_part(tmp_path)
    client = world.client("WATCHA")
    result, text = refusal(client, "8060=0-0|")
    assert result == "99"
    assert text.startswith("Kept since 20270115-08:0")
    oldest = text.partition("(8060) ")[2].partition(" ")[0]
    again = answer(client, f"8060={oldest}|")[1]
    assert again[-1][11] == f"c{number - 1}"
    assert int(again[0][17].split("-")[0]) >= int(oldest.split("-")[0])
    result, text = refusal(client, "580=1|75=20270115|")
    assert (result, text.partition(": ")[2]) == ("99", "NoDates (580) begins before")
    since = text.removeprefix("Kept since ").partition(",")[0]
    assert answer(client, f"580=1|75=20270115|60={since}|")[1] != []
    first, *trades, last = ask(client, "")
    assert first[58].startswith("Kept since"), "and what there is comes"
    assert trades[-1][11] == f"a{number - 1}"
    assert 0 < int(last[748]) < number
    late = START_NS + (number - 3) * 10**9
    time = f"20270115-{(late // 10**9 // 3600) % 24:02}:{late // 10**9 // 60 % 60:02}:" + (
        f"{late // 10**9 % 60:02}"
    )
    some = answer(client, f"580=1|75=20270115|60={time}|")[1]
    assert [one[11] for one in some] == [f"a{number - left}" for left in (3, 2, 1)]


def test_segments_before_what_is_wanted_are_not_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = venue(tmp_path, segment_bytes=1 << 16)
    funds = Funds(world)
    for number in range(150):
        funds.trade(number)
        world.now += 10**9
    client = world.client("WATCHA")
    assert len(world.journal.segments) > 5
    pages = count_pages(monkeypatch)
    everything = len(answer(client, "8060=0-0|")[1])
    all_pages = len(pages)
    pages.clear()
    position = world.journal.position - 20
    told = answer(client, f"8060={position}-0|")[1]
    assert 0 < len(told) < everything / 10
    assert len(pages) < all_pages / 10


def count_pages(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many messages each page has had, from here on."""
    pages: list[int] = []
    original = HistoryReader.page

    def page(self: HistoryReader, effort: int, most: int) -> list[SentRecord]:
        found = original(self, effort, most)
        assert (effort, most) == (desk.PAGE_EFFORT, desk.PAGE_MESSAGES)
        pages.append(len(found))
        return found

    monkeypatch.setattr(HistoryReader, "page", page)
    return pages


def test_long_histories_are_answered_one_page_in_each_turn_whoever_asks(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    world = venue()
    funds = Funds(world)
    for number in range(100):
        funds.trade(number)
    askers = [world.client(name) for name in ("RISK", "WATCHA", "WATCHB")]
    trader = world.client("A2")
    pages = count_pages(monkeypatch)
    for asker in askers:
        for request in range(3):
            asker.send(f"35=AD|568=q{request}|569=0|8060=0-0|", end_turn=False)
    turns = 0
    waits = []
    while world._due:
        due, world._due[:] = list(world._due), []
        before = len(pages)
        trader.send(f"35=D|11=t{turns}|55=BTC/USD|54=1|60=<now>|38=1|40=2|44=9|", end_turn=False)
        for callback in due:
            callback()
        assert len(pages) - before <= 1, "never more than a page between two looks at the sockets"
        waits.append(len([one for one in trader.received if one[35] == "8"]))
        turns += 1
    assert len(pages) > 9 * 10
    assert max(pages) <= desk.PAGE_MESSAGES
    assert waits == sorted(waits)
    assert waits[5] >= 5, "whoever trades is answered in the turn in which it asks"
    told = [one for one in askers[0].received if one.get(568) == "q0"]
    assert told[-1][750] == COMPLETED
    assert int(told[-1][748]) >= 700


def test_a_client_that_does_not_read_sets_the_pace(monkeypatch: pytest.MonkeyPatch) -> None:
    world = venue()
    funds = Funds(world)
    for number in range(30):
        funds.trade(number)
    slow, other = world.client("RISK"), world.client("WATCHA")
    waiting: list[Callable[[], None]] = []
    monkeypatch.setattr(slow, "when_writable", waiting.append)
    assert [one[35] for one in ask(slow, "")] == ["AQ"], "accepted, and then it waits"
    assert len(answer(other, "")[1]) == 30, "others do not"
    while waiting:
        waiting.pop()()
        world.turn()
    trades = [one for one in slow.take() if one[35] == "AE"]
    assert len(trades) == 60
    ask(slow, "", "lost")
    slow.drop()
    waiting.pop()()
    world.turn()
    assert world.failures == []


def test_a_request_ends_where_history_is_removed_under_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = venue(tmp_path, segment_bytes=1 << 16)
    funds = Funds(world)
    for number in range(100):
        funds.trade(number)
    client = world.client("RISK")
    waiting: list[Callable[[], None]] = []
    monkeypatch.setattr(client, "when_writable", waiting.append)
    ask(client, "8060=0-0|")
    waiting.pop()()
    world.turn()
    remove_segments(tmp_path, world.journal.release_before(3))
    waiting.pop()()
    world.turn()
    last = client.take()[-1]
    assert (last[35], last[749], last[750]) == ("AQ", "99", REJECTED)
    assert last[58] == "What comes next is not kept any more: ask again, from later on"
    assert world.failures == []


def test_a_journal_without_room_is_for_orders(monkeypatch: pytest.MonkeyPatch) -> None:
    world = venue()
    funds = Funds(world)
    for number in range(30):
        funds.trade(number)
    client = world.client("RISK")
    waiting: list[Callable[[], None]] = []
    monkeypatch.setattr(client, "when_writable", waiting.append)
    ask(client, "")
    monkeypatch.setattr(type(world.journal), "lack", "no space")
    text = "No history for now: the journal has no room for it; ask again later"
    waiting.pop()()
    world.turn()
    last = client.take()[-1]
    assert (last[35], last[750], last[58]) == ("AQ", REJECTED, text)
    assert refusal(client, "") == ("99", text)


def test_the_copies_of_a_session_that_moved_stay_with_the_account(tmp_path: Path) -> None:
    world = venue(tmp_path)
    world.client("A2").order("old", "buy", "1", "100")
    world.journal.close()
    again = venue(tmp_path, {**SESSIONS, "A2": ("FUND-B", ("orders",), ())})
    again.client("A2", "141=Y|108=30|").order("new", "buy", "1", "100")
    for name, expected in (("WATCHA", ["old", "old"]), ("WATCHB", ["new"])):
        told = answer(again.client(name), "8060=0-0|")[1]
        assert [one[11] for one in told] == expected
