"""The endpoint: effects carried out in order, and resends as streams."""

from __future__ import annotations

import pytest

from fix_engine.message import Message
from fix_engine.resend import PAGE_MESSAGES
from sessions.application import Peer
from sessions.journal import Kind
from sessions.store import SentMessages
from tests.sessions.harness import Desk, Line
from tests.support.messages import as_dict

NEWS = b"148=%d\x01"


def sequence_numbers(messages: list[bytes]) -> list[int]:
    return [int(as_dict(raw)[34]) for raw in messages]


def away_with_news(count: int) -> tuple[Desk, Line]:
    """A client that has been away while `count` messages were sent: numbers 2 to count + 1."""
    desk = Desk()
    line = desk.line("CLIENT")
    line.lose()
    for number in range(count):
        line.endpoint.send(b"B", NEWS % number)
    desk.turns()
    back = Line(desk, "CLIENT")
    back.send("35=A|98=0|108=30|", seq=2)
    back.seq = 3
    desk.turns()
    assert [text[:5] for text in back.told()] == ["35=A|"]
    return desk, back


# --- effects in order ---------------------------------------------------------------------


def test_answers_go_out_in_the_order_of_requests_in_one_flush() -> None:
    desk = Desk()

    def answer(peer: Peer, message: Message) -> None:
        assert peer.send(b"B", b"148=first\x01") + 1 == peer.send(b"B", b"148=second\x01")

    desk.notes.answer = answer
    line = desk.line("CLIENT")
    line.sent.clear()
    line.order("a")
    line.send("35=1|112=fence|")
    line.order("b")
    assert line.sent == [], "nothing is seen before the turn ends"
    desk.turns()
    assert len(line.sent) == 1
    assert line.told() == [
        "35=B|34=2|148=first",
        "35=B|34=3|148=second",
        "35=0|34=4|112=fence",
        "35=B|34=5|148=first",
        "35=B|34=6|148=second",
    ]


def behind_a_gap() -> list[str]:
    """What comes back when 2 fills the gap before an order, 3, and a TestRequest, 4."""
    desk = Desk()

    def answer(peer: Peer, message: Message) -> None:
        peer.send(b"B", b"148=to %d\x01" % (message.seq or 0))

    desk.notes.answer = answer
    line = desk.line("CLIENT")
    line.send("35=D|11=b|55=EUR|54=1|60=<now>|38=1|40=1|", seq=3)
    line.send("35=1|112=fence|", seq=4)
    desk.turns()
    line.sent.clear()
    line.order("a")
    desk.turns()
    assert desk.notes.heard == ["up CLIENT", "D 2", "D 3"]
    return line.told()


def test_answers_to_messages_from_behind_a_gap_are_numbered_as_they_are_written() -> None:
    told = behind_a_gap()
    assert [text.split("|")[1] for text in told] == ["34=3", "34=4", "34=5"]


def test_answers_to_messages_from_behind_a_gap_come_in_their_order() -> None:
    assert behind_a_gap() == ["35=B|34=3|148=to 2", "35=B|34=4|148=to 3", "35=0|34=5|112=fence"]


def test_one_session_may_write_to_another_in_the_same_turn() -> None:
    desk = Desk()
    a, b = desk.line("A"), desk.line("B")
    a.sent.clear()
    b.sent.clear()

    def answer(peer: Peer, message: Message) -> None:
        b.endpoint.send(b"B", b"148=for b\x01")
        peer.send(b"B", b"148=for a\x01")

    desk.notes.answer = answer
    a.order("1")
    a.order("2")
    desk.turn()
    assert a.told() == ["35=B|34=2|148=for a", "35=B|34=3|148=for a"]
    assert b.told() == ["35=B|34=2|148=for b", "35=B|34=3|148=for b"]


def test_the_application_hears_of_logon_messages_and_logout() -> None:
    desk = Desk()
    line = desk.line("CLIENT")
    line.order("a")
    line.send("35=5|")
    desk.turns()
    assert desk.notes.heard == ["up CLIENT", "D 2", "down CLIENT: logged out"]
    assert line.closed == "logged out"
    assert line.told()[-1] == "35=5|34=2", "the answer is written before the connection is closed"
    assert line.endpoint.wire is None


def test_a_lost_connection_is_told_once() -> None:
    desk = Desk()
    line = desk.line("CLIENT")
    line.lose()
    line.endpoint.session.disconnected("again")
    line.endpoint.settle()
    assert desk.notes.heard == ["up CLIENT", "down CLIENT"]
    assert line.closed is None


def test_what_an_application_says_at_logon_follows_the_logon() -> None:
    class Greeter:
        def on_logon(self, peer: Peer, logon: Message) -> None:
            peer.send(b"B", b"148=welcome\x01")

        def on_message(self, peer: Peer, message: Message) -> None: ...
        def on_logout(self, peer: Peer, is_logout: bool) -> None:
            peer.send(b"B", b"148=goodbye\x01")

        def on_time(self, now: int) -> None: ...
        def on_recovered(self, *_: object) -> None: ...
        def restore(self, *_: object) -> None: ...
        def on_started(self, peers: object) -> None: ...
        def snapshot(self) -> bytes:
            return b""

    desk = Desk(application=Greeter())
    line = desk.line("CLIENT")
    assert [text[:9] for text in line.told()] == ["35=A|34=1", "35=B|34=2"]
    line.lose()
    desk.turns()
    assert line.told() == []
    assert line.endpoint.sent.table.last_seq == 3, "the goodbye waits for the next logon"


def test_what_is_written_is_journaled_with_its_number() -> None:
    desk = Desk()
    line = desk.line("CLIENT")
    line.order("a")
    line.endpoint.send(b"B", b"148=x\x01", b"97=Y\x01")
    desk.turns()
    written = [raw for batch in line.sent for raw in batch]
    records = [record for batch in desk.journal.recover() for record in batch.records]
    assert [(r.kind, r.seq, r.next_in) for r in records] == [
        (Kind.SESSION, 0, 1),
        (Kind.SENT, 1, 2),
        (Kind.SENT, 2, 3),
    ]
    assert [r.payload for r in records[1:]] == written
    assert as_dict(written[-1])[97] == "Y"


# --- a peer that was away -----------------------------------------------------------------


def test_messages_for_a_peer_that_is_away_come_by_resend() -> None:
    desk, line = away_with_news(3)
    line.send("35=2|7=2|16=0|")
    desk.turns()
    stamp = "122=20270115-08:00:00.000"
    assert line.told() == [
        f"35=B|34=2|43=Y|{stamp}|148=0",
        f"35=B|34=3|43=Y|{stamp}|148=1",
        f"35=B|34=4|43=Y|{stamp}|148=2",
        f"35=4|34=5|43=Y|{stamp}|36=6|123=Y",
    ]
    line.send("35=1|112=x|")
    desk.turns()
    assert line.told() == ["35=0|34=6|112=x"], "a resend uses no numbers"


def test_a_resend_is_answered_in_a_later_turn_and_includes_the_turn_that_asked() -> None:
    desk = Desk()
    line = desk.line("CLIENT")
    line.sent.clear()
    line.endpoint.send(b"B", b"148=x\x01")
    line.send("35=2|7=2|16=0|")
    desk.turn()
    assert line.told() == ["35=B|34=2|148=x"], "first what is new, then, once it is durable,"
    desk.turn()
    assert [text[:13] for text in line.told()] == ["35=B|34=2|43="]
    assert not desk.turn()


# --- long resends -------------------------------------------------------------------------


def test_a_long_resend_comes_page_by_page(monkeypatch: pytest.MonkeyPatch) -> None:
    desk, line = away_with_news(2 * PAGE_MESSAGES + 10)
    fetched: list[int] = []
    real = SentMessages.fetch

    def counted(self: SentMessages, begin: int, end: int, at_most: int) -> list[tuple[int, bytes]]:
        found = real(self, begin, end, at_most)
        fetched.append(len(found))
        return found

    monkeypatch.setattr(SentMessages, "fetch", counted)
    line.send("35=2|7=2|16=0|")
    desk.turns()
    assert fetched == [PAGE_MESSAGES, PAGE_MESSAGES, 11], "one page in memory at a time"
    assert [len(page) for page in line.sent] == fetched
    numbers = sequence_numbers([raw for page in line.sent for raw in page])
    assert numbers == list(range(2, 2 * PAGE_MESSAGES + 13))


def test_others_and_live_messages_get_their_turn_between_two_pages() -> None:
    desk, line = away_with_news(3 * PAGE_MESSAGES)
    other = desk.line("OTHER")
    other.sent.clear()
    line.send("35=2|7=2|16=0|")
    desk.turn()
    desk.turn()
    assert len(line.sent) == 1
    other.send("35=1|112=x|")
    line.send("35=1|112=x|")
    desk.turn()
    assert other.told() == ["35=0|34=2|112=x"]
    types = [as_dict(raw)[35] for raw in line.sent[1]]
    assert types.count("0") == 1
    assert types.count("B") == PAGE_MESSAGES


def test_a_newer_request_replaces_an_older_one() -> None:
    desk, line = away_with_news(4 * PAGE_MESSAGES)
    line.send("35=2|7=2|16=0|")
    desk.turn()
    desk.turn()
    assert len(line.sent) == 1
    line.sent.clear()
    begin = 4 * PAGE_MESSAGES - 2
    line.send(f"35=2|7={begin}|16=0|")
    desk.turns()
    numbers = [seq for page in line.sent for seq in sequence_numbers(page)]
    assert numbers[-5:] == list(range(begin, begin + 5)), "what is asked for now comes"
    assert len(numbers) <= PAGE_MESSAGES + 5, "what was asked for before does not go on"


def test_many_requests_in_one_turn_are_one_stream_a_page_at_a_time() -> None:
    desk, line = away_with_news(4 * PAGE_MESSAGES)
    for begin in range(2, 6):
        line.send(f"35=2|7={begin}|16=0|")
    desk.turns()
    assert max(len(page) for page in line.sent) <= PAGE_MESSAGES


def test_a_slow_reader_pauses_the_stream_and_it_goes_on_when_there_is_room() -> None:
    desk, line = away_with_news(3 * PAGE_MESSAGES)
    line.send("35=2|7=2|16=0|")
    desk.turn()
    line.is_paused = True
    desk.turns()
    assert len(line.sent) == 1, "the page that was under way, and no more"
    assert not desk.turn()
    line.read_on()
    assert len(line.sent) == 1, "the next page waits for the end of its turn"
    desk.turn()
    assert len(line.sent) == 2
    desk.turns()
    numbers = [seq for page in line.sent for seq in sequence_numbers(page)]
    assert numbers == list(range(2, 3 * PAGE_MESSAGES + 3))


def test_a_lost_connection_stops_the_stream() -> None:
    desk, line = away_with_news(3 * PAGE_MESSAGES)
    line.send("35=2|7=2|16=0|")
    desk.turn()
    desk.turn()
    line.lose()
    desk.turns()
    assert sum(len(page) for page in line.sent) <= 2 * PAGE_MESSAGES
    back = Line(desk, "CLIENT")
    back.send("35=A|98=0|108=30|", seq=4)
    desk.turns()
    assert [text[:5] for text in back.told()] == ["35=A|"], "nothing of it goes to the next one"


def test_a_lost_connection_stops_a_stream_that_was_paused() -> None:
    desk, line = away_with_news(3 * PAGE_MESSAGES)
    line.send("35=2|7=2|16=0|")
    desk.turn()
    line.is_paused = True
    desk.turns()
    line.lose()
    line.read_on()
    desk.turns()
    assert len(line.sent) == 1


def test_a_logout_stops_the_stream() -> None:
    desk, line = away_with_news(3 * PAGE_MESSAGES)
    line.send("35=2|7=2|16=0|")
    desk.turn()
    line.send("35=5|")
    desk.turns()
    assert line.closed == "logged out"
    assert sum(len(page) for page in line.sent) <= PAGE_MESSAGES + 1
    assert as_dict(line.sent[-1][-1])[35] == "5"


def test_a_reset_in_the_middle_of_a_stream_ends_it() -> None:
    desk, line = away_with_news(3 * PAGE_MESSAGES)
    line.send("35=2|7=2|16=0|")
    desk.turn()
    desk.turn()
    line.send("35=A|98=0|108=30|141=Y|", seq=1)
    desk.turns()
    last = [as_dict(raw) for raw in line.sent[-1]]
    assert (last[-1][35], last[-1][34], last[-1][141]) == ("A", "1", "Y")
    assert len(line.sent) == 2
    assert line.endpoint.sent.table.last_seq == 1


def test_a_request_and_a_reset_in_one_turn_bring_nothing_old() -> None:
    desk, line = away_with_news(10)
    line.send("35=2|7=2|16=0|")
    line.send("35=A|98=0|108=30|141=Y|", seq=1)
    desk.turns()
    assert line.told() == ["35=A|34=1|98=0|108=30|141=Y"]
