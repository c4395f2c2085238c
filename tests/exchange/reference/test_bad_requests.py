"""Questions gone wrong: each is answered once, and costs nobody anything."""

from __future__ import annotations

import random

import pytest

from exchange.reference.subscriptions import MAX_SUBSCRIPTIONS
from exchange.snapshot import dump_venue
from tests.exchange.reference.asking import asked_world, check_sent, fresh
from tests.exchange.test_venue import told

REQUESTS = (
    ["35=x", "320=r1", "559=4", "263=1"],
    ["35=x", "320=r2", "559=0", "55=ABC/EUR", "263=0"],
    ["35=x", "320=r3", "559=2", "460=4"],
    ["35=c", "320=r4", "321=0", "55=XYZ/BTC"],
    ["35=e", "324=r5", "55=ABC/EUR", "263=1"],
    ["35=g", "335=r6", "336=MAIN", "263=1"],
)
VALUES = ("", "0", "2", "9", "-1", "A", "NO/PE", "MAIN", "4.0", "A" * 300, "\xff", " ", "r1", "%d")
TAGS = (
    "11",
    "15",
    "55",
    "167",
    "207",
    "263",
    "320",
    "321",
    "324",
    "335",
    "336",
    "460",
    "559",
    "58",
)


@pytest.mark.parametrize("seed", range(6))
def test_every_question_is_answered_once_whatever_is_in_it(seed: int) -> None:
    rng = random.Random(seed)
    world = asked_world()
    client, other = fresh(world), fresh(world, "OTHER")
    other.order("a", "buy", "1", "100", symbol="ABC/EUR")
    before, position = dump_venue(world.venue), world.journal.position
    for _ in range(300):
        fields = list(rng.choice(REQUESTS))
        for _ in range(rng.randint(0, 2)):
            place = rng.randrange(1, len(fields) + 1)
            if rng.random() < 0.3:
                fields.insert(place, f"{rng.choice(TAGS)}={rng.choice(VALUES)}")
            elif place < len(fields) and rng.random() < 0.5:
                fields[place] = f"{fields[place].partition('=')[0]}={rng.choice(VALUES)}"
            elif place < len(fields):
                del fields[place]
        request = "|".join(fields) + "|"
        answers = client.ask(request)
        assert len(answers) == 1, f"seed {seed}: {request} -> {answers}"
        assert answers[0][35] in "ydfhj3", f"seed {seed}: {request} -> {answers}"
        if answers[0][35] in "j3" or answers[0].get(560, "0") != "0":
            assert answers[0][58], f"seed {seed}: {request} -> {answers}"
    assert world.failures == []
    assert client.is_connected
    assert world.journal.position == position, "questions are no inputs"
    assert dump_venue(world.venue) == before, "and change nothing"
    check_sent(client, other)


def test_a_session_has_so_many_subscriptions_and_no_more() -> None:
    world = asked_world()
    client, other = fresh(world), fresh(world, "OTHER")
    requests = (
        "35=x|320=i{}|559=4|263=1|",
        "35=e|324=i{}|55=ABC/EUR|263=1|",
        "35=g|335=i{}|263=1|",
    )
    for number in range(MAX_SUBSCRIPTIONS):
        (answer,) = client.ask(requests[number % 3].format(number))
        assert answer.get(560, "0") == "0"
        assert answer.get(340, "2") == "2"
    refused = [client.ask(one.format("more"))[0] for one in requests]
    assert told(refused, 35, 560, 380, 340) == ["y 1 - -", "j - 0 -", "h - - 6"]
    for one in refused:
        assert "a session has 64 subscriptions at most: end one by 263=2" in one[58]
    assert client.ask("35=x|320=one|559=4|")[0][560] == "0", "a snapshot is none"
    assert client.ask("35=g|335=i2|263=2|")[0][340] == "2"
    assert client.ask("35=g|335=more|263=1|")[0][340] == "2"
    assert other.ask("35=g|335=i1|263=1|")[0][340] == "2", "another session has its own"
    check_sent(client, other)


@pytest.mark.parametrize(
    ("request_", "tag", "reason"),
    [
        ("35=x|320=r|", "559", "1"),
        ("35=x|559=4|", "320", "1"),
        ("35=x|320=r|559=7|", "559", "5"),
        ("35=x|320=r|559=4|263=3|", "263", "5"),
        ("35=c|320=r|321=0|55=ABC/EUR|263=1|", "263", "2"),
        ("35=e|324=r|55=ABC/EUR|", "263", "1"),
        ("35=e|324=r|263=0|", "55", "1"),
        ("35=g|335=r|263=0|338=1|", "338", "3"),
    ],
)
def test_the_dictionary_refuses_by_name_what_no_question_has(
    request_: str, tag: str, reason: str
) -> None:
    client = fresh(asked_world())
    (refused,) = client.ask(request_)
    assert told([refused], 35, 371) == [f"3 {tag}"]
    assert refused[373] in (reason, "0")
