"""Lists of independent orders, and what makes a list be refused whatever it is."""

from __future__ import annotations

import pytest

from exchange.requests.lists import LIST_TAGS, MAX_ORDERS, split_list
from exchange.rules import AccountRules
from fix_engine.tags import NO_ORDERS
from fix_engine.validation import Validator
from fix_engine.wire import MAX_MESSAGE_BYTES
from tests.exchange.order_lists.support import (
    OCO,
    OTO,
    entries,
    line,
    lines,
    member,
    request,
    send,
    traders,
)
from tests.support.messages import decode, dictionary, fix


def test_each_order_of_a_batch_stands_for_itself() -> None:
    _, one, two = traders()
    two.order("t", "sell", "0.5", "100")
    found = send(
        one,
        "L",
        "",
        member("a", "buy", "1", "100"),
        member("b", "buy", "0.00001", "100"),
        member("c", "sell", "2", "101"),
        member("d", "buy", "1"),
    )
    assert found == [
        "8 a 0/0 0 1",
        "8 a F/1 0.5 0.5",
        "8 b 8/8 0 0",
        "8 c 0/0 0 2",
        "8 d 0/0 0 1",
        "8 d F/2 1 0",
        "8 c F/1 1 1",
        "N L 1/3 [a:1 0.5 0.5 0, b:8 0 0 0 103=13, c:1 1 1 0, d:2 1 0 0]",
    ]


def test_the_orders_of_a_list_have_ids_of_their_own_and_name_their_list() -> None:
    _, one, _ = traders()
    one.ask(request("L", "", member("a", "buy", "1", "100"), member("b", "buy", "1", "99")))
    reports = [report for report in one.received if report[35] == "8"]
    assert len({report[37] for report in reports}) == 2
    assert [report[66] for report in reports] == ["L", "L"]
    assert all(1385 not in report for report in reports)
    (status,) = one.ask("35=H|11=b|55=BTC/USD|54=1|")
    assert (status[66], status[39]) == ("L", "0"), "and when they are asked about"
    (refused,) = one.ask(request("M", "", member("a", "buy", "1", "100")))[:1]
    assert (refused[150], refused[66], refused[103]) == ("8", "M", "6")


def test_a_batch_is_done_when_all_of_its_orders_are() -> None:
    _, one, two = traders()
    send(one, "L", "", member("a", "buy", "1", "100"), member("b", "buy", "1", "99"))
    two.order("t", "sell", "1", "100")
    assert lines(one) == ["8 a F/2 1 0"]
    one.send("35=F|11=x|41=b|55=BTC/USD|54=1|60=<now>|")
    assert lines(one) == ["8 x 4/4 0 0", "N L 5/6 [a:2 1 0 0, x:4 0 0 1]"]


def test_a_batch_of_which_all_is_done_at_once_is_answered_and_then_done() -> None:
    _, one, two = traders()
    two.order("t", "sell", "1", "100")
    found = send(one, "L", "", member("a", "buy", "1"), member("b", "buy", "1", "9", more="59=3|"))
    assert found[-2:] == [
        "N L 1/3 [a:2 1 0 0, b:4 0 0 1]",
        "N L 5/6 [a:2 1 0 0, b:4 0 0 1]",
    ]


def test_a_batch_of_which_nothing_is_taken_is_refused_and_its_name_not_used_up() -> None:
    _, one, _ = traders()
    wrong = member("a", "buy", "0.00001", "100")
    assert send(one, "L", "", wrong) == ["8 a 8/8 0 0", "N L 1/7 [a:8 0 0 0 103=13]"]
    found = send(one, "L", "", member("a", "buy", "1", "100"))
    assert found == ["8 a 0/0 0 1", "N L 1/3 [a:0 0 1 0]"]


def test_a_post_only_order_that_would_trade_is_refused_in_its_place() -> None:
    _, one, two = traders()
    two.order("t", "sell", "1", "100")
    post_only = member("a", "buy", "1", "100", more="18=6|59=1|")
    found = send(one, "L", "", post_only, member("b", "buy", "1", "99"))
    assert found == [
        "8 a 8/8 0 0",
        "8 b 0/0 0 1",
        "N L 1/3 [a:8 0 0 0 103=99, b:0 0 1 0]",
    ]


def test_a_batch_may_have_orders_with_conditions_of_every_kind() -> None:
    world, one, _ = traders()
    later = "168=20270115-08:00:05|59=1|"
    found = send(
        one,
        "L",
        "",
        member("day", "buy", "1", "90", more="59=0|"),
        member("later", "buy", "1", "90", more=later),
        member("iceberg", "buy", "5", "90", more="111=1|59=1|"),
        member("late", "buy", "1", "90", more="8016=1000|59=1|"),
    )
    assert found[-1] == "N L 1/3 [day:0 0 1 0, later:A 0 1 0, iceberg:0 0 5 0, late:0 0 1 0]"
    world.now += 6 * 10**9
    world.sequencer.on_time(world.open_turn())
    world.turn()
    assert lines(one) == ["8 later 0/0 0 1"]


def test_a_list_id_is_used_once_whatever_has_become_of_it() -> None:
    _, one, _ = traders()
    orders = member("a", "buy", "1", "100"), member("b", "buy", "1", "99")
    send(one, "L", "", *orders)
    one.send(request("L", "", *orders), header="97=Y|")
    raw = one.raw[-1]
    assert line(raw) == "N L 1/7 [a:8 0 0 0 103=6, b:8 0 0 0 103=6]"
    assert decode(raw).get(b"444") == (
        b"ListID (66) L was used before, for a list that is executing"
    )
    one.ask("35=q|11=all|530=7|60=<now>|")
    one.send(request("L", "", member("c", "buy", "1", "99")))
    assert (decode(one.raw[-1]).get(b"444") or b"").endswith(b"that is all done")


def test_names_of_lists_that_are_done_are_remembered_as_long_as_those_of_orders() -> None:
    world, one, _ = traders()
    world.venue.state.remembered = 2
    for number in range(4):
        send(one, f"L{number}", "", member(f"a{number}", "buy", "1", "1", more="59=3|"))
    (account,) = (known for known in world.venue.state.accounts.values() if known.lists)
    assert list(account.lists) == [b"L2", b"L3"]
    assert world.venue.state.live_lists == 0


@pytest.mark.parametrize("kind", ["", OCO, OTO])
def test_what_is_wrong_with_the_whole_is_said_before_any_order_is_looked_at(kind: str) -> None:
    _, one, _ = traders()
    good = [member("a", "sell", "1", "110"), member("b", "sell", "1", stop="90")]
    whole = request("L", kind, *good)
    for wrong, text in (
        (whole.replace("68=2", "68=3"), "TotNoOrders (68) must be NoOrders (73), 2"),
        (whole.replace("67=2", "67=1"), "ListSeqNo (67) of order 2 must be 2"),
        (whole.replace("11=b", "11=a"), "ClOrdID (11) a is there twice"),
    ):
        (answer,) = one.ask(wrong)
        assert (answer[35], answer[431]) == ("N", "7")
        assert answer[444].startswith(text)
    (answer,) = one.ask(f"35=E|66=L|394=3|{kind}68=0|73=0|")
    assert (answer[35], answer[431]) == ("N", "7")
    assert not one.world.venue.open_orders()


def test_a_list_has_a_most_of_orders() -> None:
    _, one, _ = traders()
    orders = [member(f"a{number}", "buy", "1", "100") for number in range(MAX_ORDERS + 1)]
    assert len(send(one, "L", "", *orders[:-1])) == MAX_ORDERS + 1
    (answer,) = one.ask(request("M", "", *orders))
    assert (answer[431], answer[68], answer[73]) == ("7", "101", "100")
    assert answer[444] == "NoOrders (73) must be 1 to 100: send several lists"


def test_an_answer_is_no_longer_than_a_message_may_be() -> None:
    _, one, _ = traders()
    names = [f"{number:0256d}" for number in range(MAX_ORDERS)]
    for list_id in ("L", "M"):  # then every order is refused with a Text that names it
        one.send(request(list_id, "", *(member(name, "buy", "1", "1") for name in names)))
    found = decode(one.raw[-1])
    assert (found.get(b"66"), found.get(b"431")) == (b"M", b"7")
    assert len(one.raw[-1]) < MAX_MESSAGE_BYTES
    assert len(entries(one.raw[-1])) == MAX_ORDERS


def test_a_bidding_process_is_not_ours() -> None:
    _, one, _ = traders()
    (answer,) = one.ask(request("L", "", member("a", "buy", "1", "1")).replace("394=3", "394=1"))
    assert (answer[35], answer[371]) == ("3", "394")


def test_each_order_of_a_batch_counts_for_the_limits_of_its_account() -> None:
    world, one, _ = traders()
    world.venue.state.accounts[b"#1"].take_up(AccountRules("", max_open_orders=2))
    orders = [member(name, "buy", "1", "100") for name in "abc"]
    assert send(one, "L", "", *orders)[-1] == "N L 1/3 [a:0 0 1 0, b:0 0 1 0, c:8 0 0 0 103=3]"


def test_every_list_status_is_what_the_dictionary_says() -> None:
    _, one, _ = traders()
    one.raw.clear()
    one.send(request("L", OCO, member("a", "sell", "1", "9"), member("b", "sell", "1", stop="8")))
    one.send(request("M", "", member("c", "sell", "1", "9"), member("d", "sell", "1", "9.001")))
    one.send(request("M", "", member("e", "sell", "1", "9")))
    one.ask("35=q|11=all|530=7|60=<now>|")
    validator = Validator(dictionary())
    kinds = [decode(raw).msg_type for raw in one.raw]
    assert kinds.count(b"N") == 5
    for raw in one.raw:
        assert validator.check(decode(raw)) is None, raw
    assert entries(next(raw for raw in one.raw if decode(raw).msg_type == b"N"))[0][b"11"] == "a"


def test_the_fields_of_the_list_itself_are_those_of_the_dictionary() -> None:
    own, trailer = dictionary().messages[b"E"].members, dictionary().trailer.members
    assert {*own, *trailer} - {b"10"} == LIST_TAGS
    group = dictionary().group(b"E", NO_ORDERS)
    assert group is not None
    order = dictionary().messages[b"D"]
    assert group.delimiter == b"11"
    assert {*group.members} - {b"67"} == {*order.members}
    assert {*group.required} - {b"67"} == {*order.required} - {b"60"}


def test_fields_of_the_list_may_stand_behind_its_orders() -> None:
    parties = "453=2|448=x|452=1|448=y|452=3|"
    text = f"35=E|52=20270115-08:00:00|73=2|11=a|{parties}55=X|11=b|67=2|66=L|68=2|"
    first, second = split_list(decode(fix(text)))
    assert first.get(b"11") == b"a"
    assert [value for tag, value in first.pairs() if tag == b"448"] == [b"x", b"y"]
    assert first.get(b"66") == second.get(b"66") == b"L"
    assert second.get(b"67") == b"2"
    assert second.get(b"52") == b"20270115-08:00:00"
    assert second.get(b"68") is None
