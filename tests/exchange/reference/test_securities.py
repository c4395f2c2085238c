"""SecurityListRequest and SecurityList: everything there is to know, for the account that asks."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from fix_engine.logon import OUR_LARGEST_MESSAGE
from tests.exchange.reference.asking import (
    LIMITED,
    PLAIN,
    asked_world,
    check_sent,
    entries_of,
    fresh,
    set_market,
    shown,
)
from tests.exchange.test_venue import told

LIMITED_FIELDS = (
    "55=ABC/EUR|15=EUR|326=3|561=0.25|562=1|969=0.5|1140=100|8021=open|8040=ABC|"
    "8041=10|8042=5000.5|8043=0.05|"
)
PLAIN_FIELDS = "55=XYZ/BTC|15=BTC|326=3|561=1|562=2|969=0.00001|1140=1000000|8021=open|8040=XYZ|"


def test_a_list_of_all_has_every_limit_and_the_fees_of_the_account_that_asks() -> None:
    world = asked_world()
    acme, other = fresh(world), fresh(world, "OTHER")
    for client, fees in ((acme, "8044=-0.0001|8045=0.001"), (other, "8044=0.002|8045=0.003")):
        (answer,) = client.ask("35=x|320=r1|559=4|")
        assert told([answer], 35, 320, 560, 393, 893) == ["y r1 0 2 Y"]
        head = f"35=y|320=r1|322={answer[322]}|393=2|560=0|893=Y|146=2|"
        assert shown(client) == [f"{head}{LIMITED_FIELDS}{fees}|{PLAIN_FIELDS}{fees}"]
    check_sent(acme, other)


@pytest.mark.parametrize(
    ("request_", "symbols"),
    [
        ("559=0|55=XYZ/BTC|", ["XYZ/BTC"]),
        ("559=2|460=4|", ["ABC/EUR", "XYZ/BTC"]),
        ("559=3|336=MAIN|", ["ABC/EUR", "XYZ/BTC"]),
        ("559=4|263=0|", ["ABC/EUR", "XYZ/BTC"]),
    ],
)
def test_instruments_are_chosen_by_what_the_type_says(request_: str, symbols: list[str]) -> None:
    client = fresh(asked_world())
    (answer,) = client.ask(f"35=x|320=r|{request_}")
    assert answer[393] == str(len(symbols))
    assert [one["55"] for one in entries_of(client.raw[-1])] == symbols
    check_sent(client)


@pytest.mark.parametrize(
    ("request_", "result", "text"),
    [
        (
            "559=0|55=NO/PE|",
            "2",
            "Symbol (55) NO/PE is not traded here; 559=4 asks for all that are",
        ),
        (
            "559=0|",
            "1",
            "Symbol (55) is required with SecurityListRequestType (559) 0; 4 asks for all",
        ),
        (
            "559=1|",
            "1",
            "SecurityListRequestType (559) 1: only 0, 2, 3 and 4, all, are answered here",
        ),
        (
            "559=2|",
            "1",
            "Product (460) is required with SecurityListRequestType (559) 2; 4 asks for all",
        ),
        ("559=2|460=5|", "2", "Product (460) 5: everything that is traded here is 4, currency"),
        ("559=3|336=NIGHT|", "2", "TradingSessionID (336) NIGHT: the only one here is MAIN"),
        (
            "559=4|55=ABC/EUR|",
            "1",
            "Symbol (55) does not go with SecurityListRequestType (559) 4, but with 0",
        ),
        (
            "559=4|263=2|",
            "1",
            "SecurityReqID (320): r is the ID of no subscription that is there to be ended by "
            "263=2",
        ),
    ],
)
def test_what_cannot_be_answered_is_refused_with_the_remedy(
    request_: str, result: str, text: str
) -> None:
    world = asked_world()
    client = fresh(world)
    (answer,) = client.ask(f"35=x|320=r|{request_}")
    assert told([answer], 35, 320, 560, 393, 893) == [f"y r {result} - -"]
    assert answer[58] == text
    check_sent(client)


@pytest.mark.parametrize("is_long", [False, True], ids=["plain", "everything long"])
def test_many_instruments_come_in_messages_no_longer_than_every_client_takes(
    is_long: bool,
) -> None:
    name = "L" * 28 if is_long else "L"
    every = tuple(replace(LIMITED, symbol=f"{name}{number:03}/") for number in range(250))
    client = fresh(asked_world(instruments=every))
    value = "v" * (256 if is_long else 1)
    tags = (50, 115, 116, 128, 129, 142, 144, 145) if is_long else ()
    before = len(client.raw)
    client.send(f"35=x|320={value}|559=4|", header="".join(f"{tag}={value}|" for tag in tags))
    raws, answers = client.raw[before:], client.take()
    assert len(answers) > 5
    assert {one[393] for one in answers} == {"250"}
    assert len({one[322] for one in answers}) == 1
    assert [one[893] for one in answers] == ["N"] * (len(answers) - 1) + ["Y"]
    assert all(len(raw) <= OUR_LARGEST_MESSAGE for raw in raws)
    symbols = [entry["55"] for raw in raws for entry in entries_of(raw)]
    assert symbols == [one.symbol for one in every]
    assert [int(one[146]) for one in answers] == [len(entries_of(raw)) for raw in raws]
    check_sent(client)


def test_an_instrument_that_left_the_settings_is_not_listed_any_more(tmp_path: Path) -> None:
    asked_world(tmp_path).journal.close()
    client = fresh(asked_world(tmp_path, instruments=(PLAIN,)))
    client.ask("35=x|320=r|559=4|")
    assert [one["55"] for one in entries_of(client.raw[-1])] == ["XYZ/BTC"]
    assert client.ask("35=x|320=r|559=0|55=ABC/EUR|")[0][560] == "2"


def test_a_subscriber_is_told_of_an_instrument_that_changes_behind_the_venues_report(
    tmp_path: Path,
) -> None:
    world = asked_world(tmp_path)
    all_, one, none = fresh(world), fresh(world, "ACME2"), fresh(world, "OTHER")
    all_.send("35=x|320=all|559=4|263=1|", header="50=DESK7|")
    one.ask("35=x|320=one|559=0|55=XYZ/BTC|263=1|")
    for client in (all_, one, none):
        client.take()
    set_market(world, "ABC/EUR", "halted", "news")
    status, update = all_.take()
    assert told([status], 35, 325, 324, 8021) == ["f Y - halted"]
    assert told([update], 35, 320, 393, 893, 146, 57) == ["y all 1 Y 1 DESK7"]
    (entry,) = entries_of(all_.raw[-1])
    assert (entry["55"], entry["326"], entry["8021"]) == ("ABC/EUR", "2", "halted")
    assert told(one.take(), 35) == ["f"], "the other instrument"
    assert told(none.take(), 35) == ["f"], "everybody is told by SecurityStatus"
    set_market(world, "XYZ/BTC", "delisted")
    assert told(one.take(), 35, 8021) == ["f delisted", "y delisted"]
    check_sent(all_, one, none)


def test_a_subscription_ends_by_its_id_and_with_the_connection(tmp_path: Path) -> None:
    world = asked_world(tmp_path)
    client = fresh(world)
    client.ask("35=x|320=a|559=4|263=1|")
    (ended,) = client.ask("35=x|320=a|559=4|263=2|")
    assert told([ended], 35, 560, 393, 893, 146) == ["y 0 0 Y -"]
    assert ended[58] == "The subscription is ended"
    client.ask("35=x|320=b|559=4|263=1|")
    client.drop()
    client.connect()
    client.send("35=A|98=0|108=30|")
    client.take()
    set_market(world, "ABC/EUR", "halted")
    assert told(client.take(), 35) == ["f"]
    assert client.ask("35=x|320=b|559=4|263=1|")[0][560] == "0", "the ID is free again"
    check_sent(client)


def test_what_is_remembered_of_an_instrument_is_what_it_is(tmp_path: Path) -> None:
    """The same question again, after every change that there can be."""
    world = asked_world(tmp_path)
    acme, other = fresh(world), fresh(world, "OTHER")
    for state in ("open", "halted", "open", "limit-only"):
        set_market(world, "ABC/EUR", state)
        for client in (acme, other):
            acme.take(), other.take()
            (listed,) = client.ask("35=x|320=r|559=0|55=ABC/EUR|")
            (defined,) = client.ask("35=c|320=r|321=0|55=ABC/EUR|")
            for tag in (326, 8021, 8044, 8045, 969, 1140):
                assert listed[tag] == defined[tag], (state, client.comp_id, tag)
            assert listed[8021] == state
    world.journal.close()
    world = asked_world(tmp_path, instruments=(replace(LIMITED, max_quantity="50"),))
    (listed,) = fresh(world, "ACME2").ask("35=x|320=r|559=0|55=ABC/EUR|")
    assert told([listed], 1140, 8021) == ["50 limit-only"]
