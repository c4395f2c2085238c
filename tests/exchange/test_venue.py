"""Orders in, reports out: the venue through its sessions."""

from __future__ import annotations

from tests.support.world import Client, World


def told(reports: list[dict[int, str]], *wanted: int) -> list[str]:
    """Some fields of each report, as one string each."""
    return [" ".join(report.get(tag, "-") for tag in wanted) for report in reports]


def traders() -> tuple[Client, Client]:
    world = World()
    buyer, seller = world.client("BUYER"), world.client("SELLER")
    buyer.take()
    seller.take()
    return buyer, seller


def test_a_limit_order_rests_and_both_sides_hear_of_its_fill() -> None:
    buyer, seller = traders()
    (new,) = seller.order("s1", "sell", "2", "65000.1")
    assert told([new], 35, 150, 39, 11, 38, 44, 151, 14, 6) == ["8 0 0 s1 2 65000.1 2 0 0"]
    reports = buyer.order("b1", "buy", "0.5", "65001")
    assert told(reports, 150, 39, 11, 32, 31, 151, 14, 6, 851) == [
        "0 0 b1 - - 0.5 0 0 -",
        "F 2 b1 0.5 65000.1 0 0.5 65000.1 2",
    ]
    (fill,) = seller.take()[1:]
    assert told([fill], 150, 39, 11, 32, 31, 151, 14, 6, 851) == [
        "F 1 s1 0.5 65000.1 1.5 0.5 65000.1 1"
    ]
    assert fill[37] == new[37], "an order keeps its OrderID"
    assert len({report[17] for report in (*reports, new, fill)}) == 4, "an ExecID is never reused"


def test_avg_px_is_the_exact_mean_of_the_fills() -> None:
    buyer, seller = traders()
    seller.order("s1", "sell", "1", "100")
    seller.order("s2", "sell", "2", "100.1")
    reports = buyer.order("b1", "buy", "3", "101")
    assert told(reports, 6) == ["0", "100", "100.066666667"]
    assert reports[-1][6] == "100.066666667"


def test_market_ioc_and_fok_remainders_come_back_as_unsolicited_cancels() -> None:
    buyer, seller = traders()
    seller.order("s1", "sell", "1", "100")
    cases = [
        ("b1", "2", "", "59=3|", ["0 0 2 0", "F 1 1 1", "4 4 0 1"]),
        ("b2", "2", "100", "59=3|", ["0 0 2 0", "4 4 0 0"]),
        ("b3", "2", "100", "59=4|", ["0 0 2 0", "4 4 0 0"]),
        ("b4", "2", "", "", ["0 0 2 0", "4 4 0 0"]),
    ]
    for cl_ord_id, quantity, price, more, expected in cases:
        reports = buyer.order(cl_ord_id, "buy", quantity, price, more)
        assert told(reports, 150, 39, 151, 14) == expected, cl_ord_id
        assert reports[-1][378] == "8", "an unsolicited cancel has its reason"
        assert reports[-1][58], "and says it in words"
        assert 41 not in reports[-1], "nobody asked for it"


def test_fill_or_kill_trades_in_full_when_it_can() -> None:
    buyer, seller = traders()
    seller.order("s1", "sell", "1", "100")
    seller.order("s2", "sell", "1", "101")
    reports = buyer.order("b1", "buy", "2", "101", "59=4|")
    assert told(reports, 150, 39) == ["0 0", "F 1", "F 2"]


def test_cancel_answers_with_the_chain_of_names() -> None:
    buyer, _ = traders()
    (new,) = buyer.order("b1", "buy", "1", "100")
    (report,) = buyer.ask("35=F|11=c1|41=b1|55=BTC/USD|54=1|60=<now>|38=1|")
    assert told([report], 35, 150, 39, 11, 41, 151, 14) == ["8 4 4 c1 b1 0 0"]
    assert report[37] == new[37]
    assert 378 not in report, "this one was asked for"


def test_replace_keeps_the_order_id_and_counts_what_is_filled() -> None:
    buyer, seller = traders()
    (new,) = seller.order("s1", "sell", "3", "100")
    buyer.order("b1", "buy", "1", "100")
    seller.take()
    replace = "35=G|11=s2|41=s1|55=BTC/USD|54=2|60=<now>|38=5|40=2|44=101|"
    (report,) = seller.ask(replace)
    assert told([report], 150, 39, 11, 41, 38, 44, 151, 14) == ["5 1 s2 s1 5 101 4 1"]
    assert report[37] == new[37]


def test_a_replace_that_crosses_trades_at_once() -> None:
    buyer, seller = traders()
    buyer.order("b1", "buy", "1", "100")
    seller.order("s1", "sell", "3", "105")
    reports = seller.ask("35=G|11=s2|41=s1|55=BTC/USD|54=2|60=<now>|38=3|40=2|44=100|")
    assert told(reports, 150, 39, 11, 41, 151) == ["5 0 s2 s1 3", "F 1 s2 - 2"]


def test_a_replace_to_what_is_filled_already_ends_the_order() -> None:
    """Order-state matrices, case D11: OrderQty at or below CumQty."""
    buyer, seller = traders()
    seller.order("s1", "sell", "3", "100")
    buyer.order("b1", "buy", "2", "100")
    (report,) = seller.ask("35=G|11=s2|41=s1|55=BTC/USD|54=2|60=<now>|38=1|40=2|44=100|")[-1:]
    assert told([report], 150, 39, 38, 151, 14) == ["5 2 2 0 2"]
    (late,) = seller.ask("35=F|11=s3|41=s2|55=BTC/USD|54=2|60=<now>|")
    assert told([late], 35, 102, 434, 39) == ["9 0 1 2"]


def test_a_smaller_quantity_keeps_priority_and_a_larger_one_loses_it() -> None:
    for quantity, first in (("1", "s1b"), ("3", "t1")):
        world = World()
        buyer, one, two = (world.client(name) for name in ("BUYER", "ONE", "TWO"))
        one.order("s1", "sell", "2", "100")
        two.order("t1", "sell", "2", "100")
        one.ask(f"35=G|11=s1b|41=s1|55=BTC/USD|54=2|60=<now>|38={quantity}|40=2|44=100|")
        one.take()
        two.take()
        buyer.order("b1", "buy", "0.5", "100")
        assert told(one.take() + two.take(), 11, 150) == [f"{first} F"], quantity


def test_cancel_and_replace_requests_that_cannot_be() -> None:
    buyer, _ = traders()
    buyer.order("b1", "buy", "1", "100")
    buyer.order("gone", "buy", "1", "", "59=3|")
    head = "|60=<now>|38=1|"
    cases = [
        ("35=F|11=x1|41=nope|55=BTC/USD|54=1" + head, "9 1 NONE 8 1"),
        ("35=F|11=x2|41=gone|55=BTC/USD|54=1" + head, "9 0 - 4 1"),
        ("35=F|11=b1|41=b1|55=BTC/USD|54=1" + head, "9 6 - 0 1"),
        ("35=F|11=x3|41=b1|55=ETH/USD|54=1" + head, "9 99 - 0 1"),
        ("35=F|11=x4|41=b1|55=BTC/USD|54=2" + head, "9 99 - 0 1"),
        ("35=F|11=x5|41=b1|37=999|55=BTC/USD|54=1" + head, "9 1 NONE 8 1"),
        ("35=G|11=x6|41=b1|55=BTC/USD|54=1" + head + "40=2|44=100.05|", "9 99 - 0 2"),
        ("35=G|11=x7|41=b1|55=BTC/USD|54=1" + head + "40=1|", "9 99 - 0 2"),
        ("35=G|11=x8|41=b1|55=BTC/USD|54=1" + head + "40=2|44=100|59=3|", "9 99 - 0 2"),
    ]
    for request, expected in cases:
        (answer,) = buyer.ask(request)
        if "-" in expected:
            answer[37] = "-"
        assert told([answer], 35, 102, 37, 39, 434) == [expected], request
        assert answer[58], request
    (report,) = buyer.ask("35=F|11=x9|41=b1|55=BTC/USD|54=1|60=<now>|")
    assert told([report], 150) == ["4"], "nothing of this has touched the order"


def test_an_order_is_called_by_its_newest_name() -> None:
    buyer, _ = traders()
    buyer.order("b1", "buy", "1", "100")
    buyer.ask("35=G|11=b2|41=b1|55=BTC/USD|54=1|60=<now>|38=1|40=2|44=99|")
    (answer,) = buyer.ask("35=F|11=b3|41=b1|55=BTC/USD|54=1|60=<now>|")
    assert told([answer], 35, 102) == ["9 1"]
    assert "b2" in answer[58]
    (report,) = buyer.ask("35=F|11=b3|41=b2|55=BTC/USD|54=1|60=<now>|")
    assert told([report], 150, 11, 41) == ["4 b3 b2"]


def test_a_clordid_is_never_executed_twice() -> None:
    buyer, _ = traders()
    (new,) = buyer.order("b1", "buy", "1", "100")
    for header in ("", "97=Y|"):
        buyer.take()
        buyer.send("35=D|11=b1|55=BTC/USD|54=1|60=<now>|38=1|40=2|44=100|59=1|", header=header)
        (answer,) = buyer.take()
        assert told([answer], 35, 150, 39, 103, 37) == [f"8 8 8 6 {new[37]}"], header
        assert "New" in answer[58], "the answer says what became of the first"
    assert buyer.world.venue.open_orders() == 1


def test_a_clordid_belongs_to_its_session() -> None:
    buyer, seller = traders()
    buyer.order("same", "buy", "1", "100")
    (report,) = seller.order("same", "buy", "1", "100")
    assert report[150] == "0"


def test_bad_orders_are_refused_with_the_reason_the_field_and_the_remedy() -> None:
    buyer, _ = traders()
    cases = [
        (("x1", "buy", "1", "100", "", "DOGE/USD"), "8 8 8 1", ["55", "DOGE/USD"]),
        (("x2", "buy", "1", "100.05"), "8 8 8 99", ["44", "100.05", "tick 0.1"]),
        (("x3", "buy", "1", "0"), "8 8 8 99", ["44", "above zero"]),
        (("x4", "buy", "1", "-5"), "8 8 8 99", ["44", "above zero"]),
        (("x5", "buy", "0", "100"), "8 8 8 13", ["38", "minimum of 0.0001"]),
        (("x6", "buy", "-1", "100"), "8 8 8 13", ["38", "minimum"]),
        (("x7", "buy", "1.000000001", "100"), "8 8 8 13", ["38", "lot 0.00000001"]),
        (("x8", "buy", "10001", "100"), "8 8 8 3", ["38", "maximum of 10000"]),
    ]
    for arguments, expected, words in cases:
        (answer,) = buyer.order(*arguments)
        assert told([answer], 35, 150, 39, 103) == [expected], arguments
        assert answer[37] == "NONE"
        assert answer[11] == arguments[0]
        for word in words:
            assert word in answer[58], (arguments, answer[58])
    (answer,) = buyer.ask("35=D|11=x9|55=BTC/USD|54=1|60=<now>|38=1|40=2|")
    assert told([answer], 35, 380, 379) == ["j 5 x9"]
    assert "Price (44)" in answer[58]
    (answer,) = buyer.ask("35=D|11=x10|55=BTC/USD|54=1|60=<now>|38=1|40=1|44=100|")
    assert told([answer], 35, 103) == ["8 99"]
    (answer,) = buyer.ask("35=D|55=BTC/USD|54=1|60=<now>|38=1|40=1|")
    assert told([answer], 35, 373, 371) == ["3 1 11"], "a missing tag is the session's business"
    assert buyer.world.venue.open_orders() == 0


def test_status_requests() -> None:
    buyer, seller = traders()
    buyer.order("b1", "buy", "2", "100")
    seller.order("s1", "sell", "0.5", "100")
    buyer.take()
    (report,) = buyer.ask("35=H|11=b1|790=q1|55=BTC/USD|54=1|")
    assert told([report], 35, 150, 39, 790, 151, 14, 6) == ["8 I 1 q1 1.5 0.5 100"]
    buyer.ask("35=F|11=b2|41=b1|55=BTC/USD|54=1|60=<now>|")
    (report,) = buyer.ask("35=H|11=b1|55=BTC/USD|54=1|")
    assert told([report], 150, 39, 151, 14) == ["I 4 0 0.5"], "also after it has ended"
    (report,) = buyer.ask("35=H|11=nope|790=q2|55=BTC/USD|54=1|")
    assert told([report], 150, 39, 37, 103, 790) == ["I 8 NONE 5 q2"]


def test_a_message_that_the_venue_does_not_take() -> None:
    buyer, _ = traders()
    (answer,) = buyer.ask("35=8|37=1|17=1|150=0|39=0|55=BTC/USD|54=1|151=1|14=0|6=0|")
    assert told([answer], 35, 380, 372) == ["j 3 8"]


def test_cancel_on_disconnect_is_chosen_at_logon() -> None:
    for logon, survivors in (("108=30|8013=Y|", 0), ("108=30|8013=N|", 1), ("108=30|", 1)):
        for way in ("drop", "logout"):
            world = World()
            client = world.client("C", logon)
            client.order("a", "buy", "1", "100")
            client.drop() if way == "drop" else client.send("35=5|")
            assert world.venue.open_orders() == survivors, (logon, way)
            client.connect()
            client.take()
            client.send("35=A|98=0|108=30|")
            expected = int(client.take()[0][34])
            client.send(f"35=2|7=1|16={expected}|")
            cancels = [report for report in client.take() if report.get(150) == "4"]
            assert len(cancels) == 1 - survivors, (logon, way)
            for cancel in cancels:
                assert told([cancel], 39, 11, 378, 43) == ["4 a 8 Y"]
                assert "8013" in cancel[58]


def test_cancel_on_disconnect_never_overtakes_an_order_already_received() -> None:
    world = World()
    client = world.client("C", "108=30|8013=Y|")
    client.send("35=D|11=a|55=BTC/USD|54=1|60=<now>|38=1|40=2|44=100|", end_turn=False)
    client.drop()
    assert world.venue.open_orders() == 0


def test_an_order_that_is_replaced_on_and_on_costs_no_memory() -> None:
    world = World()
    world.venue.state.remembered = 3
    client = world.client("C")
    client.order("r0", "buy", "1", "100")
    for number in range(1, 9):
        terms = f"55=BTC/USD|54=1|60=<now>|38=1|40=2|44={100 + number}|"
        client.send(f"35=G|11=r{number}|41=r{number - 1}|{terms}")
    state = world.venue.state.sessions[1].account
    assert list(state.names) == [b"r5", b"r6", b"r7", b"r8"]
    assert told(client.ask("35=F|11=x|41=r7|55=BTC/USD|54=1|60=<now>|"), 35, 102) == ["9 1"]
    assert told(client.ask("35=F|11=y|41=r8|55=BTC/USD|54=1|60=<now>|"), 150, 41) == ["4 r8"]


def test_closed_orders_are_remembered_up_to_a_bound() -> None:
    world = World()
    world.venue.state.remembered = 3
    client = world.client("C")
    for number in range(5):
        client.order(f"a{number}", "buy", "1", "", "59=3|")
    assert told(client.order("a4", "buy", "1", "", "59=3|"), 150, 103) == ["8 6"], "remembered"
    assert told(client.order("a1", "buy", "1", "", "59=3|"), 150) == ["0", "4"], "forgotten"
    state = world.venue.state.sessions[1].account
    assert list(state.names) == [b"a3", b"a4", b"a1"]
    assert list(state.retired) == [b"a3", b"a4", b"a1"]
