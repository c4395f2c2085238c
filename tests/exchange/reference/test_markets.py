"""SecurityStatusRequest and SecurityStatus: what a market takes, asked and told."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.exchange.reference.asking import asked_world, check_sent, fresh, set_market, shown
from tests.exchange.test_venue import told


@pytest.mark.parametrize(
    ("state", "status", "text"),
    [
        ("open", "3", "ABC/EUR is open"),
        ("halted", "2", "ABC/EUR is halted: nothing but cancels"),
        ("cancel-only", "18", "ABC/EUR is in cancel-only: nothing but cancels"),
        ("post-only", "21", "ABC/EUR is in post-only: limit orders with ExecInst (18) 6"),
        ("limit-only", "17", "ABC/EUR is in limit-only: no market orders"),
        ("delisted", "19", "ABC/EUR is not traded any more"),
    ],
)
def test_a_snapshot_says_what_the_market_takes(
    state: str, status: str, text: str, tmp_path: Path
) -> None:
    world = asked_world(tmp_path)
    client = fresh(world)
    set_market(world, "ABC/EUR", state)
    (answer,) = client.ask("35=e|324=s1|55=ABC/EUR|263=0|")
    expected = f"35=f|55=ABC/EUR|58={text}|60={answer[60]}|324=s1|325=N|326={status}|8021={state}"
    assert shown(client) == [expected]
    check_sent(client)


def test_an_unknown_symbol_is_answered_as_unknown_and_starts_no_subscription() -> None:
    client = fresh(asked_world())
    for _ in range(2):
        (answer,) = client.ask("35=e|324=s1|55=NO/PE|263=1|")
        assert told([answer], 35, 55, 324, 326, 8021) == ["f NO/PE s1 20 -"]
        assert answer[58] == "Symbol (55) NO/PE is not traded here"
    check_sent(client)


def test_a_subscriber_is_told_of_a_change_once(tmp_path: Path) -> None:
    world = asked_world(tmp_path)
    client = fresh(world)
    client.ask("35=e|324=s1|55=ABC/EUR|263=1|")
    client.take()
    set_market(world, "ABC/EUR", "halted", "news")
    (status,) = client.take()
    assert told([status], 35, 55, 324, 325, 8021) == ["f ABC/EUR - Y halted"]
    assert told(client.ask("35=e|324=s2|55=ABC/EUR|263=0|"), 324, 325, 8021) == ["s2 N halted"]
    check_sent(client)


def test_an_id_is_used_once_until_it_is_ended() -> None:
    client = fresh(asked_world())
    client.ask("35=e|324=s1|55=ABC/EUR|263=1|")
    for kind in "01":
        (refused,) = client.ask(f"35=e|324=s1|55=XYZ/BTC|263={kind}|")
        assert told([refused], 35, 372, 379, 380) == ["j e s1 0"]
        assert refused[58] == (
            "SecurityStatusReqID (324): s1 is the ID of a subscription: end that by 263=2, or use "
            "another ID"
        )
    (ended,) = client.ask("35=e|324=s1|55=XYZ/BTC|263=2|")
    assert told([ended], 35, 55, 324) == ["f ABC/EUR s1"], "the ID says which"
    assert ended[58] == "The subscription is ended. ABC/EUR is open"
    (unknown,) = client.ask("35=e|324=s1|55=ABC/EUR|263=2|")
    assert told([unknown], 35, 372, 379, 380) == ["j e s1 1"]
    check_sent(client)
