"""Quotes: two sides that one message sets, answered once, gone with their session."""

from __future__ import annotations

from dataclasses import replace

import pytest

from config.settings import Settings
from exchange.requests.quotes import CANCEL_ENTRIES, QUOTE_ENTRIES, QUOTE_SETS
from exchange.rules import AccountRules, Rules
from exchange.venue.state import MarketState
from fix_engine.dictionary import FieldSet
from tests.support.messages import dictionary, fix
from tests.support.quoting import (
    LOT,
    check_sent,
    entry,
    guarded_rules,
    last_raw,
    maker,
    makers,
    mass_quote,
    quote_cancel,
    resting,
    told,
)
from tests.support.world import START_NS, Client, World


@pytest.fixture(autouse=True)
def _guarded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tests.support.world.make_rules", guarded_rules)


def test_a_mass_quote_is_answered_once_and_quotes_both_sides() -> None:
    world, quoter, _ = makers()
    (answer,) = quoter.ask(
        mass_quote(
            "q1",
            entry("e1", "99", "101"),
            entry("e2", "9", "11", symbol="ETH/USD"),
            more="131=r1|1=A|",
        )
    )
    assert told([answer], 35, 117, 131, 1, 297, 300) == ["b q1 r1 A 0 -"]
    assert "|296=1|302=S|304=2|295=2|299=e1|55=BTC/USD|132=99|133=101|" in last_raw(quoter)
    assert resting(world) == [(1, 990, LOT), (2, 1010, LOT)]
    assert len(resting(world, "ETH/USD")) == 2
    check_sent(quoter)


def test_a_fill_of_a_quote_is_an_execution_report_that_names_it() -> None:
    _, quoter, taker = makers()
    quoter.ask(mass_quote("q1", entry("e1", "99", "101"), more="1=A|"))
    quoter.take()
    taker.order("b1", "buy", "0.4", "101")
    (fill,) = quoter.take()
    assert told([fill], 35, 150, 39, 1, 117, 299, 54, 32, 31, 151, 14, 851) == [
        "8 F 1 A q1 e1 2 0.4 101 0.6 0.4 1"
    ]
    assert fill[11] == f"Q-{fill[37]}"
    assert taker.take()[-1][851] == "2"
    (status,) = quoter.ask(f"35=H|11={fill[11]}|55=BTC/USD|54=2|")
    assert told([status], 150, 39, 117, 299) == ["I 1 q1 e1"]
    check_sent(quoter)


def test_a_new_entry_replaces_the_former_and_sizes_are_what_is_then_open() -> None:
    world, quoter, taker = makers()
    quoter.ask(mass_quote("q1", entry("e1", "99", "101", "2", "2")))
    taker.order("b1", "buy", "0.5", "101")
    quoter.take()
    (answer,) = quoter.ask(mass_quote("q2", entry("e2", "98", "101", "3", "2")))
    assert answer[297] == "0"
    assert resting(world) == [(1, 980, 3 * LOT), (2, 1010, 2 * LOT)]
    taker.order("b2", "buy", "2", "101")
    (fill,) = quoter.take()[1:]
    assert told([fill], 117, 299, 39, 38, 14, 151) == ["q2 e2 2 2.5 2.5 0"]
    assert resting(world) == [(1, 980, 3 * LOT)]


@pytest.mark.parametrize(
    ("price", "size", "first"),
    [("101", "1", "q"), ("101", "0.5", "q"), ("101", "1.5", "t"), ("100.9", "1", "q")],
)
def test_a_side_keeps_its_place_like_an_amended_order(price: str, size: str, first: str) -> None:
    world, quoter, taker = makers()
    third = world.client("THIRD")
    quoter.ask(mass_quote("q1", entry("e1", "99", "101")))
    third.order("t1", "sell", "1", "101")
    quoter.ask(mass_quote("q2", entry("e1", "99", price, "1", size)))
    quoter.take()
    third.take()
    taker.order("b1", "buy", "0.1", "102")
    assert [len(quoter.take()), len(third.take())] == ([1, 0] if first == "q" else [0, 1])


@pytest.mark.parametrize("price", ["99", "0", ""])
@pytest.mark.parametrize("size", ["0", ""])
def test_a_side_without_size_or_price_is_taken_out(price: str, size: str) -> None:
    world, quoter, _ = makers()
    quoter.ask(mass_quote("q1", entry("e1", "99", "101")))
    answers = quoter.ask(mass_quote("q2", entry("e1", price, "101", size, "1")))
    assert told(answers, 35, 297) == ["b 0"], "b is the answer, and nothing else is told"
    assert resting(world) == [(2, 1010, LOT)]
    quoter.ask(mass_quote("q3", entry("e1", "", "", "", "")))
    assert resting(world) == []
    assert world.venue.state.sessions[2].quotes == {}


def test_a_quote_that_moves_through_its_other_side_does_not_meet_itself() -> None:
    world, quoter, _ = makers()
    for bid, offer in (("99", "101"), ("105", "107"), ("90", "92"), ("92", "94"), ("91", "93")):
        (answer,) = quoter.ask(mass_quote("q", entry("e1", bid, offer)))
        assert answer[297] == "0"
        assert [price for _, price, _ in resting(world)] == [int(bid) * 10, int(offer) * 10]
    quoter.ask(mass_quote("q", entry("e1", "93", "", "1", "")))
    quoter.ask(mass_quote("q", entry("e1", "", "93", "", "1")))
    assert resting(world) == [(2, 930, LOT)]


@pytest.mark.parametrize(
    ("faulty", "reason"),
    [
        (entry("x", "99", "101", symbol="XRP/USD"), "1"),
        (entry("x", "101", "101"), "7"),
        (entry("x", "102", "101"), "7"),
        (entry("x", "99.05", "101"), "8"),
        (entry("x", "99", "-1"), "8"),
        (entry("x", "99", "101", "0.000000001"), "3"),
        (entry("x", "99", "101", "0.00001"), "3"),
        (entry("x", "99", "101", "1", "10001"), "3"),
    ],
)
def test_an_entry_is_refused_alone(faulty: str, reason: str) -> None:
    world, quoter, _ = makers()
    quoter.ask(mass_quote("q1", entry("e1", "90", "110")))
    sound = entry("s", "9", "11", symbol="ETH/USD")
    (answer,) = quoter.ask(mass_quote("q2", faulty, sound))
    assert answer[297] == "0"
    assert answer[58].startswith("x: ")
    raw = last_raw(quoter)
    refused, taken = raw[raw.index("299=x") : raw.index("299=s")], raw[raw.index("299=s") :]
    assert f"|368={reason}|" in refused
    assert "368=" not in taken
    assert [price for _, price, _ in resting(world)] == [900, 1100], "what there was stands"
    assert len(resting(world, "ETH/USD")) == 2
    (answer,) = quoter.ask(mass_quote("q3", faulty))
    assert told([answer], 297, 300) == [f"5 {reason}"], "all of its entries are refused"
    check_sent(quoter)


def test_one_instrument_twice_in_a_message_counts_once() -> None:
    world, quoter, _ = makers()
    quoter.ask(mass_quote("q1", entry("e1", "99", "101"), entry("e2", "98", "102")))
    assert "299=e2|55=BTC/USD|132=98|133=102|134=1|135=1|368=6|" in last_raw(quoter)
    assert [price for _, price, _ in resting(world)] == [990, 1010]


def test_response_levels() -> None:
    _, quoter, _ = makers()
    good, bad = entry("g", "99", "101"), entry("b", "5", "4", symbol="ETH/USD")
    for level, sound, mixed in (("0", 0, 0), ("1", 0, 1), ("2", 1, 1)):
        more = f"301={level}|"
        assert len(quoter.ask(mass_quote("q", good, more=more))) == sound, level
        assert len(quoter.ask(mass_quote("q", good, bad, more=more))) == mixed, level
        if level == "1":
            assert "299=g" not in last_raw(quoter), "only what is wrong is told"
        assert told(quoter.ask(mass_quote("q", bad, more=more)), 297, 301) == [f"5 {level}"]
        assert len(quoter.ask(f"35=Z|117=q|298=4|{more}")) == (level == "2")


def test_messages_that_are_refused_as_a_whole() -> None:
    world, quoter, _ = makers()
    quoter.ask(mass_quote("q1", entry("e1", "99", "101")))
    many = [entry(f"e{number}", "99", "101") for number in range(60)]
    cases = [
        ("35=i|117=q|296=0|", "5 99"),
        (mass_quote("q", *many), "5 3"),
        (mass_quote("q", entry("e", "98", "99"), more="8016=0|"), "5 99"),
        ("35=Z|117=q|298=1|", "5 99"),
        ("35=Z|117=q|298=2|", "5 99"),
        (quote_cancel("q", "BTC/USD", "XRP/USD"), "5 1"),
    ]
    for request, expected in cases:
        (answer,) = quoter.ask(request)
        assert told([answer], 35, 297, 300) == [f"b {expected}"], request
        assert answer[58], request
    assert len(resting(world)) == 2
    (answer,) = quoter.ask("35=i|117=q|")
    assert told([answer], 35, 371) == ["3 296"]


def test_sets_are_repeated_as_they_came() -> None:
    _, quoter, _ = makers()
    sets = (
        f"302=A|304=7|295=1|{entry('e1', '99', '101')}",
        f"302=B|304=2|295=2|{entry('e1', '9', '8', symbol='ETH/USD')}"
        + entry("e2", "9", "10", symbol="SOL/USD"),
    )
    (answer,) = quoter.ask("35=i|117=q|296=2|" + "".join(sets))
    assert answer[297] == "0"
    echoed = "".join(sets).replace("135=1|299=e2", "135=1|368=7|299=e2")
    assert f"|297=0|296=2|{echoed}" in last_raw(quoter)
    quoter.ask("35=i|117=q|301=1|296=2|" + "".join(sets))
    assert "|296=1|302=B|304=2|295=1|299=e1|55=ETH/USD|" in last_raw(quoter)
    check_sent(quoter)


def test_the_longest_answer_is_one_that_every_client_takes() -> None:
    _, quoter, _ = makers()
    names = "".join(f"{tag}={'x' * 256}|" for tag in (1, 131))
    for count in range(30, 60):
        entries = [entry(f"e{number:02}", "99", "98", symbol="X" * 7) for number in range(count)]
        (answer,) = quoter.ask(mass_quote("y" * 256, *entries, more=names))
        assert answer[297] == "5"
    assert "send fewer at once" in answer[58]
    check_sent(quoter)
    assert max(len(raw) for raw in quoter.raw) > 3_500


def test_limits_of_account_and_instrument(monkeypatch: pytest.MonkeyPatch) -> None:
    def rules(settings: Settings) -> Rules:
        made = guarded_rules(settings)
        first, *others = made.instruments
        guarded = replace(first, collar="0.1", max_notional="1000")
        account = AccountRules("LIM", max_open_orders=3, max_orders_per_s=5)
        return replace(made, accounts=(account,), instruments=(guarded, *others))

    monkeypatch.setattr("tests.support.world.make_rules", rules)
    world = World()
    quoter, taker = maker(world, "MAKER", "LIM"), world.client("TAKER")
    taker.order("s", "sell", "1", "100")
    taker.order("b", "buy", "1", "100")
    world.now += 10**10
    both = entry("e2", "9", "11", symbol="ETH/USD")
    (answer,) = quoter.ask(mass_quote("q1", entry("e1", "99", "101"), both))
    assert answer[297] == "0"
    assert answer[58] == "e2: 3 open orders are the most for this account"
    assert len(resting(world)) == 2
    assert quoter.ask(mass_quote("q2", entry("e1", "98", "102")))[0][297] == "0", "no more orders"
    world.now += 10**10
    for quote, words in (
        (entry("e1", "111", "112"), "BidPx (132) 111 is more than 1000 basis points"),
        (entry("e1", "88", "89"), "OfferPx (133) 89 is more than 1000 basis points"),
        (entry("e1", "98", "102", "50"), "worth more than 1000"),
    ):
        (answer,) = quoter.ask(mass_quote("q", quote))
        assert told([answer], 297, 300) == ["5 3"]
        assert words in answer[58]
    none = mass_quote("q", entry("e1", "", "", "", ""))
    answers = [quoter.ask(mass_quote("q", entry("e1", "98", "102")))[0] for _ in range(4)]
    assert told(answers, 297, 300) == ["0 -"] * 2 + ["5 3"] * 2
    assert "wait" in answers[-1][58]
    assert quoter.ask(none)[0][297] == "0", "to take out passes longer"


def test_quotes_that_come_too_late() -> None:
    world, quoter, _ = makers()
    request = mass_quote("q", entry("e", "98", "99"), more="8016=50|")
    time = quoter._time.format(START_NS - 10**9).decode()
    msg_type, _, body = request.partition("|")
    quoter.send_raw(fix(f"{msg_type}|34={quoter.seq}|49=MAKER|52={time}|56=SEAMARK|{body}"))
    world.turn()
    assert told(quoter.take(), 35, 297, 300) == ["b 5 4"]


def test_quote_cancel_takes_out_what_it_names() -> None:
    world, quoter, _ = makers()
    both = (entry("e1", "99", "101"), entry("e2", "9", "11", symbol="ETH/USD"))
    quoter.ask(mass_quote("q1", *both))
    (answer,) = quoter.ask(quote_cancel("z1", "BTC/USD"))
    assert told([answer], 35, 117, 297, 58) == ["b z1 1 1 quotes cancelled"]
    assert resting(world) == []
    (answer,) = quoter.ask(quote_cancel("z2"))
    assert told([answer], 117, 297, 58) == ["z2 4 1 quotes cancelled"]
    assert world.venue.open_orders() == 0
    assert quoter.ask(quote_cancel("z3"))[0][58] == "0 quotes cancelled"
    check_sent(quoter)


def test_a_quote_is_of_its_session_and_cannot_be_changed_as_an_order() -> None:
    world, quoter, _ = makers()
    other = maker(world, "OTHER")
    quoter.ask(mass_quote("q1", entry("e1", "99", "101")))
    other.ask(mass_quote("q1", entry("e1", "98", "102")))
    assert [price for _, price, _ in resting(world)] == [990, 980, 1010, 1020]
    assert other.ask(quote_cancel("z"))[0][58] == "1 quotes cancelled"
    (bid,) = [one for one in world.venue.state.accounts[b"MM"].open.values() if one.side == 1]
    name = bid.cl_ord_id.decode()
    for kind in ("35=F", "35=G"):
        more = "38=1|40=2|44=98|" if kind == "35=G" else ""
        (refused,) = quoter.ask(f"{kind}|11=c|41={name}|55=BTC/USD|54=1|60=<now>|{more}")
        assert told([refused], 35, 102, 39) == ["9 99 0"]
        assert "QuoteCancel (Z)" in refused[58]
    (clash,) = quoter.order(name, "buy", "1", "90")
    assert told([clash], 150, 103) == ["8 6"], "its name is in use while it is in the market"
    quoter.ask(quote_cancel("z"))
    assert quoter.order(name, "buy", "1", "90")[0][150] == "0"
    quoter.ask(mass_quote("q2", entry("e1", "89", "95")))
    assert len({one.cl_ord_id for one in world.venue.state.accounts[b"MM"].open.values()}) == 3


def test_a_mass_cancel_takes_quotes_too_and_each_quote_is_told_once() -> None:
    world, quoter, _ = makers()
    quoter.ask(mass_quote("q1", entry("e1", "99", "101")))
    quoter.order("o1", "buy", "1", "50")
    report, cancelled, status = quoter.ask("35=q|11=m1|530=7|60=<now>|")
    assert told([report], 35, 533) == ["r 3"]
    assert told([cancelled], 35, 150, 11) == ["8 4 o1"]
    assert told([status], 35, 117, 299, 55, 297, 134, 135) == ["AI q1 e1 BTC/USD 6 0 0"]
    assert status[58] == "Mass cancel m1"
    quoter.ask(mass_quote("q2", entry("e2", "99", "101")))
    _, status = quoter.ask("35=q|11=m2|530=7|54=1|60=<now>|")
    assert told([status], 117, 297, 134, 135, 133, 132) == ["q2 6 0 1 101 -"]
    assert len(resting(world)) == 1
    check_sent(quoter)


@pytest.mark.parametrize("logon", ["8013=N|", "8013=D|", "8013=Y|8015=60|"])
@pytest.mark.parametrize("is_logout", [False, True])
def test_a_quote_never_outlives_its_session(logon: str, is_logout: bool) -> None:
    world, quoter, taker = makers()
    quoter.drop()
    quoter.connect()
    quoter.seq = 1
    quoter.send(f"35=A|98=0|108=30|141=Y|{logon}")
    quoter.ask(mass_quote("q1", entry("e1", "99", "101")))
    quoter.order("o1", "buy", "1", "50")
    quoter.take()
    if is_logout:
        quoter.send("35=5|")
    quoter.drop()
    is_kept = not logon.startswith("8013=D") or is_logout
    assert resting(world) == [(1, 500, LOT)] * is_kept, "orders go as the session has chosen"
    assert told(taker.order("b", "buy", "1", "101", "59=3|"), 150) == ["0", "4"]
    quoter.take()
    quoter.connect()
    quoter.send("35=A|98=0|108=30|")
    quoter.send("35=2|7=1|16=0|")
    told_of = [one for one in quoter.take() if one[35] == "AI"]
    assert told(told_of[:1], 117, 297, 58) == ["q1 6 Quotes end with their session"]


def test_a_logon_that_takes_over_finds_no_quotes() -> None:
    world = World(replaces_live=True)
    quoter = maker(world, "MAKER")
    quoter.ask(mass_quote("q1", entry("e1", "99", "101")))
    second = Client(world, "MAKER")
    second.seq = quoter.seq
    second.connect()
    second.send("35=A|98=0|108=30|")
    assert resting(world) == []
    assert second.ask(mass_quote("q1", entry("e1", "99", "101")))[-1][35] == "b"
    assert len(resting(world)) == 2


def test_self_trade_prevention_of_a_quote_is_told() -> None:
    world, quoter, _ = makers()
    quoter.order("o1", "sell", "1", "101")
    answer, status = quoter.ask(mass_quote("q1", entry("e1", "102", "103")))
    assert told([answer], 35, 297) == ["b 0"]
    assert told([status], 35, 297, 134, 135, 133) == ["AI 6 0 1 103"]
    assert status[58] == "Self-trade prevention (7928)"
    assert [price for _, price, _ in resting(world)] == [1010, 1030]
    reports = quoter.order("o2", "buy", "0.4", "103", "59=1|7928=D|")
    assert [one[35] for one in reports].count("AI") == 0, "it has met the order first"
    quoter.ask("35=F|11=c|41=o1|55=BTC/USD|54=2|60=<now>|")
    *_, status = quoter.order("o3", "buy", "0.4", "103", "59=1|7928=D|")
    assert told([status], 35, 134, 135) == ["AI 0 0.6"]
    assert "decremented" in status[58]


def test_a_quote_that_crosses_trades_at_once() -> None:
    _, quoter, taker = makers()
    taker.order("s1", "sell", "0.3", "100")
    answer, fill = quoter.ask(mass_quote("q1", entry("e1", "100", "102")))
    assert answer[35] == "b"
    assert told([fill], 150, 39, 32, 31, 851, 117, 299) == ["F 1 0.3 100 2 q1 e1"]


def test_market_states_and_the_kill_switch_stop_quotes_but_never_their_withdrawal() -> None:
    world, quoter, _ = makers()
    state = world.venue.state
    quote, none = entry("e1", "99", "101"), entry("e1", "", "", "", "")
    for market, is_open in (
        (MarketState.HALTED, False),
        (MarketState.CANCEL_ONLY, False),
        (MarketState.POST_ONLY, False),
        (MarketState.LIMIT_ONLY, True),
    ):
        quoter.ask(mass_quote("q1", quote))
        state.markets[0] = market
        (answer,) = quoter.ask(mass_quote("q2", quote))
        assert told([answer], 297, 300) == ["0 -" if is_open else "5 2"], market
        assert quoter.ask(mass_quote("q3", none))[0][297] == "0"
        assert resting(world) == []
        state.markets[0] = MarketState.OPEN
    state.accounts[b"MM"].stop(True)
    assert told(quoter.ask(mass_quote("q1", quote)), 297, 300) == ["5 9"]
    assert quoter.ask(mass_quote("q3", none))[0][297] == "0"


def test_the_groups_are_those_of_the_dictionary() -> None:
    def shape(fields: FieldSet) -> list[object]:
        return [*fields.members, *(shape(one) for one in fields.groups.values())]

    for msg_type, tag, ours in ((b"i", b"296", QUOTE_SETS), (b"Z", b"295", CANCEL_ENTRIES)):
        theirs = dictionary().group(msg_type, tag)
        assert theirs is not None
        assert shape(theirs) == shape(ours)
    assert QUOTE_SETS.groups[b"295"] is QUOTE_ENTRIES
