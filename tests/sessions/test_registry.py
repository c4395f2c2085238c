"""Who is admitted, and what a session knows after a restart."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from fix_engine.message import Message
from sessions.application import Peer
from sessions.endpoint import Endpoint
from sessions.journal import Durability, Journal, Kind, segment_path
from tests.sessions.harness import START_NS, Desk, Line
from tests.support.messages import decode, fix

LOGON = "35=A|98=0|108=30|"


def first_message(desk: Desk, header: str) -> Endpoint | str:
    """The answer to a first message of which the test writes every field."""
    return desk.registry.claim(decode(fix(header)))


# --- admission ----------------------------------------------------------------------------


@pytest.mark.parametrize("comp_id", ["CLIENT", "a", "x" * 64, "!\"#$%&'()*+,-./<>?@[]^_`{}~"])
def test_an_open_door_admits_any_printable_name(comp_id: str) -> None:
    claimed = first_message(Desk(), f"35=A|34=1|49={comp_id}|56=SEAMARK|")
    assert isinstance(claimed, Endpoint)
    assert claimed.comp_id == comp_id.encode()


@pytest.mark.parametrize(
    ("header", "why"),
    [
        ("35=0|34=1|49=CLIENT|56=SEAMARK|", "the first message is not a Logon"),
        ("35=D|34=1|49=CLIENT|56=SEAMARK|", "the first message is not a Logon"),
        ("35=A|34=1|49=CLIENT|56=OTHER|", "TargetCompID (56) is 'OTHER', not ours"),
        ("35=A|34=1|49=CLIENT|", "TargetCompID (56) is missing, not ours"),
        ("35=A|34=1|56=SEAMARK|", "SenderCompID (49) missing may not log on here"),
        ("35=A|34=1|49=|56=SEAMARK|", "SenderCompID (49) '' may not log on here"),
        ("35=A|34=1|49=A B|56=SEAMARK|", "'A B' is not 1 to 64 printable characters"),
        ("35=A|34=1|49=A=B|56=SEAMARK|", "'A=B' is not 1 to 64 printable characters"),
        ("35=A|34=1|49=\xe9|56=SEAMARK|", "is not 1 to 64 printable characters"),
        (f"35=A|34=1|49={'x' * 65}|56=SEAMARK|", "is not 1 to 64 printable characters"),
        ("35=A|34=1|49=A\n|56=SEAMARK|", "is not 1 to 64 printable characters"),
    ],
)
def test_a_stranger_is_turned_away_for_a_reason(header: str, why: str) -> None:
    desk = Desk()
    answer = first_message(desk, header)
    assert isinstance(answer, str)
    assert why in answer
    assert list(desk.registry) == [], "and not remembered"
    assert desk.due == []


def test_a_named_peer_keeps_the_others_out() -> None:
    desk = Desk(target=b"TW44")
    assert first_message(desk, "35=A|34=1|49=TW45|56=SEAMARK|") == (
        "SenderCompID (49) 'TW45' may not log on here"
    )
    assert isinstance(first_message(desk, "35=A|34=1|49=TW44|56=SEAMARK|"), Endpoint)


def test_an_identity_has_one_live_connection() -> None:
    desk = Desk()
    line = desk.line("CLIENT")
    assert desk.claim(LOGON) == "'CLIENT' is logged on already"
    assert isinstance(first_message(desk, "35=A|34=1|49=OTHER|56=SEAMARK|"), Endpoint)
    line.lose()
    desk.turns()
    assert desk.claim(LOGON) is line.endpoint, "the session outlives its connection"


def test_identities_are_told_apart_by_every_letter() -> None:
    desk = Desk()
    endpoints = [desk.line(name).endpoint for name in ("client", "CLIENT", "CLIENT2")]
    assert [endpoint.number for endpoint in endpoints] == [1, 2, 3]
    assert [desk.registry[number] for number in (1, 2, 3)] == endpoints
    assert list(desk.registry) == endpoints


def test_no_more_identities_than_the_limit_are_remembered() -> None:
    desk = Desk(max_sessions=2)
    line = desk.line("A")
    desk.line("B")
    refused = first_message(desk, "35=A|34=1|49=C|56=SEAMARK|")
    assert refused == "the limit of 2 sessions is reached"
    line.lose()
    desk.turns()
    again = first_message(desk, "35=A|34=1|49=A|56=SEAMARK|")
    assert again is line.endpoint, "who is known may come back"


# --- recovery -----------------------------------------------------------------------------


Start = Callable[[], Desk]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Starts a desk on the same journal again and again; the one before it is dead."""
    desks: list[Desk] = []

    def begin() -> Desk:
        for desk in desks[-1:]:
            desk.journal.close()
        desks.append(Desk(tmp_path))
        return desks[-1]

    yield begin
    desks[-1].journal.close()


def reply(peer: Peer, message: Message) -> None:
    """What an application might send."""
    peer.send(b"B", b"148=news\x01")


def numbers(desk: Desk) -> dict[bytes, tuple[int, int]]:
    """Next inbound and outbound MsgSeqNum by identity."""
    return {e.comp_id: (e.session.next_in, e.session.next_out) for e in desk.registry}


def test_numbers_and_messages_are_as_before_the_restart(start: Start) -> None:
    desk = start()
    a, b = desk.line("A"), desk.line("B")
    desk.notes.answer = reply
    a.order("1")
    a.order("2")
    desk.turns()
    b.order("1")
    desk.turns()
    before = numbers(desk)
    assert before == {b"A": (4, 4), b"B": (3, 3)}
    kept = {e.comp_id: e.sent.fetch(1, 99) for e in desk.registry}
    assert [len(messages) for messages in kept.values()] == [3, 2]
    again = start()
    assert numbers(again) == before
    assert {e.comp_id: e.sent.fetch(1, 99) for e in again.registry} == kept
    assert [e.number for e in again.registry] == [1, 2]


def test_what_was_not_committed_is_forgotten_by_both_sides(start: Start) -> None:
    desk = start()
    a = desk.line("A")
    desk.notes.answer = reply
    a.order("1")
    again = start()
    assert numbers(again) == {b"A": (2, 2)}
    assert len(a.sent) == 1, "nobody has seen a number that is used again"


def test_an_input_counts_even_when_it_was_not_answered(start: Start) -> None:
    desk = start()
    a = desk.line("A")
    a.order("1")
    a.order("2")
    desk.commit(Kind.COMMAND, a.endpoint, 3, b"raw")
    again = start()
    assert numbers(again) == {b"A": (4, 2)}


def test_a_reset_is_remembered(start: Start) -> None:
    desk = start()
    a = desk.line("A")
    for name in ("1", "2"):
        a.order(name)
    a.endpoint.send(b"B", b"148=x\x01")
    desk.turns()
    a.send("35=A|98=0|108=30|141=Y|", seq=1)
    desk.turns()
    assert numbers(desk) == {b"A": (2, 2)}
    again = start()
    assert numbers(again) == {b"A": (2, 2)}
    (endpoint,) = again.registry
    assert [seq for seq, _ in endpoint.sent.fetch(1, 99)] == [1]


def test_a_reset_in_the_last_batch_leaves_both_numbers_at_one(start: Start) -> None:
    desk = start()
    a = desk.line("A")
    desk.commit(Kind.RESET, a.endpoint, 0)
    desk.journal.add(Kind.RESET, a.endpoint.number, 0, 1)
    desk.journal.commit(START_NS)
    assert numbers(start()) == {b"A": (1, 1)}


def test_what_was_sent_to_nobody_waits_across_the_restart(start: Start) -> None:
    desk = start()
    a = desk.line("A")
    a.lose()
    a.endpoint.send(b"B", b"148=while away\x01")
    desk.turns()
    again = start()
    line = Line(again, "A")
    line.send("35=A|98=0|108=30|", seq=2)
    again.turns()
    line.send("35=2|7=2|16=0|", seq=3)
    again.turns()
    told = line.told()
    assert told[0].startswith("35=A|34=3|")
    assert told[1:] == [
        "35=B|34=2|43=Y|122=20270115-08:00:00.000|148=while away",
        "35=4|34=3|43=Y|122=20270115-08:00:00.000|36=4|123=Y",
    ]


def test_the_application_gets_its_inputs_back_in_order(start: Start) -> None:
    desk = start()
    a = desk.line("A").endpoint
    b = desk.line("B").endpoint
    desk.commit(Kind.UP, a, 0, b"Y")
    desk.now += 1
    desk.commit(Kind.COMMAND, b, 2, b"raw")
    desk.commit(Kind.DOWN, a, 0)
    again = start()
    told = [
        (record.session, record.kind, record.seq, record.payload, record.position, stamp - START_NS)
        for record, stamp in again.notes.recovered
    ]
    assert told == [
        (a.number, Kind.UP, 0, b"Y", 1, 0),
        (b.number, Kind.COMMAND, 2, b"raw", 2, 1),
        (a.number, Kind.DOWN, 0, b"", 3, 1),
    ]
    assert again.notes.heard == [], "and nothing else"


def test_an_identity_is_journaled_once(start: Start, tmp_path: Path) -> None:
    for seq in (1, 2, 3):
        desk = start()
        line = Line(desk, "A")
        line.send("35=A|98=0|108=30|", seq=seq)
        desk.turns()
    assert numbers(start()) == {b"A": (4, 4)}
    copy = tmp_path / "copy"
    copy.mkdir()
    segment_path(copy, 1).write_bytes(segment_path(tmp_path, 1).read_bytes())
    journal = Journal(copy, Durability.OS)
    records = [record for batch in journal.recover() for record in batch.records]
    journal.close()
    assert [r.payload for r in records if r.kind is Kind.SESSION] == [b"A"]
