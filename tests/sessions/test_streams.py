"""Messages that are not stored: the journal knows which numbers they may have, and no more."""

from __future__ import annotations

from collections import deque
from functools import partial
from pathlib import Path

import pytest

from fix_engine.message import Message
from fix_engine.outbound import SharedFields
from sessions.application import Peer
from sessions.endpoint import Endpoint
from sessions.journal import Journal, Kind, Record
from sessions.store import SentMessages
from tests.sessions.harness import Desk, Line
from tests.support.messages import as_dict

SHARED = SharedFields.of(b"148=tick\x01")
LOGON = "35=A|98=0|108=30|"
AHEAD = 1_000


@pytest.fixture(autouse=True)
def no_sync(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("fsync", "fdatasync"):  # nothing here asks what a loss of power leaves
        monkeypatch.setattr(f"os.{name}", lambda fd: None)


def stream(line: Line, count: int = 1) -> None:
    """In a turn of their own."""
    for number in range(count):
        line.endpoint.stream(b"W", b"262=%d\x01" % number, SHARED)
    line.desk.turns()


def records(desk: Desk, kind: Kind = Kind.NUMBERED) -> list[Record]:
    return [one for batch in desk.journal.recover() for one in batch.records if one.kind is kind]


def back(desk: Desk, seq: int, more: str = "") -> Line:
    """The client logs on again with this number."""
    line = Line(desk, "CLIENT")
    line.send(LOGON + more, seq=seq)
    line.seq = seq + 1
    desk.turns()
    return line


def restarted(directory: Path) -> tuple[Desk, Endpoint]:
    desk = Desk(directory)
    (endpoint,) = desk.registry
    return desk, endpoint


# --- what goes to the wire, and what to the journal ---------------------------------------


def test_it_is_written_at_the_end_of_the_turn_and_never_stored() -> None:
    desk = Desk()
    line = desk.line("CLIENT")
    line.sent.clear()
    line.endpoint.stream(b"W", b"262=mine\x01", SHARED)
    line.endpoint.send(b"B", b"148=news\x01")
    assert line.sent == [], "nothing is seen before the turn ends"
    desk.turns()
    assert line.told() == ["35=W|34=2|262=mine|148=tick", "35=B|34=3|148=news"]
    assert [seq for seq, _ in line.endpoint.sent.fetch(1, 9)] == [1, 3]
    assert [one.seq for one in records(desk, Kind.SENT)] == [1, 3]
    assert [one.seq for one in records(desk)] == [2 + AHEAD]


def test_the_journal_hears_of_a_thousand_numbers_at_a_time() -> None:
    desk = Desk()
    line = desk.line("CLIENT")
    size = desk.journal.written
    for _ in range(300):
        stream(line, 10)
    assert [one.seq for one in records(desk)] == [1_002, 2_003, 3_004]
    assert desk.journal.written - size < 300
    assert line.endpoint.session.next_out == 3_002


def test_numbers_of_stored_messages_count_too() -> None:
    desk = Desk()
    line = desk.line("CLIENT")
    stream(line)
    for number in range(AHEAD + 5):
        line.endpoint.send(b"B", b"148=%d\x01" % number)
    desk.turns()
    stream(line)
    assert [one.seq for one in records(desk)] == [1_002, 1_008 + AHEAD]


class SealedLine(Line):
    """A line that keeps turns apart which have not settled."""

    def __init__(self, desk: Desk, comp_id: str) -> None:
        super().__init__(desk, comp_id)
        self._sealed: deque[list[bytes]] = deque()

    def seal(self) -> None:
        self._sealed.append(self._out)
        self._out = []

    def flush(self, now: int) -> None:
        self.sent.append(self._sealed.popleft())


def test_nothing_is_seen_before_the_record_of_its_number_is_durable(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Neither in the turn of the record nor in those behind it, which have nothing to journal."""
    desk = Desk()
    line = SealedLine(desk, "CLIENT")
    line.send(LOGON)
    desk.turns()
    line.told()
    settled = desk.journal.settled
    monkeypatch.setattr(Journal, "settled", property(lambda journal: settled))
    stream(line)
    end = desk.journal.written
    assert end > settled
    stream(line, 2)
    assert desk.journal.written == end
    assert line.told() == []
    desk.open_turn.settled(end)
    assert [text[:9] for text in line.told()] == ["35=W|34=2", "35=W|34=3", "35=W|34=4"]


def test_nothing_happens_when_the_peer_is_away() -> None:
    desk = Desk()
    line = desk.line("CLIENT")
    line.lose()
    desk.turns()
    line.sent.clear()
    end = desk.journal.written
    stream(line, 3)
    assert (line.sent, desk.journal.written) == ([], end)
    assert line.endpoint.session.next_out == 2


def test_who_is_sent_nothing_that_is_streamed_has_no_such_record() -> None:
    desk = Desk()
    line = desk.line("CLIENT")
    for name in "ab":
        line.order(name)
    line.endpoint.send(b"B", b"148=news\x01")
    line.send("35=5|")
    desk.turns()
    assert records(desk) == []


def test_a_streamed_answer_comes_in_the_order_of_requests() -> None:
    desk = Desk()

    def answer(peer: Peer, message: Message) -> None:
        peer.stream(b"W", b"262=%b\x01" % (message.get(b"11") or b""), SHARED)
        peer.send(b"B", b"148=news\x01")

    desk.notes.answer = answer
    line = desk.line("CLIENT")
    line.sent.clear()
    line.order("a")
    line.send("35=1|112=fence|")
    line.order("b")
    desk.turns()
    assert line.told() == [
        "35=W|34=2|262=a|148=tick",
        "35=B|34=3|148=news",
        "35=0|34=4|112=fence",
        "35=W|34=5|262=b|148=tick",
        "35=B|34=6|148=news",
    ]


def test_what_an_application_streams_at_logon_follows_the_logon() -> None:
    desk = Desk()
    desk.notes.on_logon = lambda peer, logon: peer.stream(b"W", b"", SHARED)  # type: ignore[method-assign]
    line = desk.line("CLIENT")
    assert [text[:9] for text in line.told()] == ["35=A|34=1", "35=W|34=2"]


def test_a_message_that_was_answered_by_a_stream_is_counted_for_good(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    desk.notes.answer = lambda peer, message: peer.stream(b"W", b"", SHARED)
    line = desk.line("CLIENT")
    for name in "abc":
        line.order(name)
        desk.turns()
    desk.journal.close()
    again, endpoint = restarted(tmp_path)
    assert endpoint.session.next_in == 5
    again.journal.close()


# --- resends ------------------------------------------------------------------------------


def test_a_gap_fill_stands_for_each_run_of_what_was_streamed() -> None:
    desk = Desk()
    line = desk.line("CLIENT")
    stream(line, 2)
    line.endpoint.send(b"B", b"148=one\x01")
    stream(line, 3)
    line.endpoint.send(b"B", b"148=two\x01")
    stream(line, 400)
    line.told()
    line.send("35=2|7=1|16=0|")
    desk.turns()
    assert [text.split("122=")[0] for text in line.told()] == [
        "35=4|34=1|43=Y|",
        "35=B|34=4|43=Y|",
        "35=4|34=5|43=Y|",
        "35=B|34=8|43=Y|",
        "35=4|34=9|43=Y|",
    ]
    line.send("35=2|7=5|16=7|")
    desk.turns()
    (fill,) = (as_dict(raw) for page in line.sent for raw in page)
    assert (fill[34], fill[36], fill[123]) == ("5", "8", "Y")


def test_a_resend_over_millions_of_streamed_messages_is_one_page(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    desk = Desk()
    line = desk.line("CLIENT")
    stream(line)
    line.endpoint.session._outbound.next_seq = 50_000_000
    stream(line)
    line.endpoint.send(b"B", b"148=x\x01")
    desk.turns()
    fetched: list[int] = []
    real = SentMessages.fetch

    def counted(self: SentMessages, begin: int, end: int, at_most: int) -> list[tuple[int, bytes]]:
        fetched.append(begin)
        return real(self, begin, end, at_most)

    monkeypatch.setattr(SentMessages, "fetch", counted)
    line.told()
    line.send("35=2|7=1|16=0|")
    desk.turns()
    assert fetched == [1]
    told = [as_dict(raw) for page in line.sent for raw in page]
    assert [(one[35], int(one[34])) for one in told] == [("4", 1), ("B", 50_000_001)]


def test_a_gap_fill_reaches_over_numbers_that_a_crash_has_left_unused(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    line = desk.line("CLIENT")
    stream(line, 5)
    desk.journal.close()
    again, _ = restarted(tmp_path)
    line = back(again, seq=2)
    assert [as_dict(raw)[34] for raw in line.sent[0]] == ["1003"]
    line.told()
    line.send("35=2|7=7|16=0|")
    again.turns()
    (fill,) = (as_dict(raw) for page in line.sent for raw in page)
    assert (fill[35], fill[34], fill[36]) == ("4", "7", "1004")
    again.journal.close()


# --- what is not needed any more ----------------------------------------------------------


def test_a_gap_fill_stands_for_what_was_streamed_and_for_what_is_gone() -> None:
    desk = Desk()
    line = desk.line("CLIENT")
    for _ in range(3):
        stream(line, 2)
        line.endpoint.send(b"B", b"148=x\x01")
        desk.turns()
    line.told()
    middle = line.endpoint.sent.table.offsets[2]
    desk.registry.forget_before(middle)
    line.send("35=2|7=1|16=0|")
    desk.turns()
    told = [as_dict(raw) for page in line.sent for raw in page]
    assert [(one[35], one[34], one.get(36)) for one in told] == [
        ("4", "1", "7"),
        ("B", "7", None),
        ("4", "8", "10"),
        ("B", "10", None),
    ]
    assert line.endpoint.session.next_out == 11


# --- readers ------------------------------------------------------------------------------


def test_a_peer_is_ready_while_it_is_logged_on_and_reads() -> None:
    desk = Desk()
    line = Line(desk, "CLIENT")
    line.send(LOGON)
    endpoint = line.endpoint
    assert endpoint.is_ready
    line.is_paused = True
    assert not endpoint.is_ready
    line.read_on()
    assert endpoint.is_ready
    endpoint.session.logout(b"", desk.open_turn.open())
    endpoint.settle()
    assert not endpoint.is_ready, "it is to go"
    line.lose()
    assert not endpoint.is_ready
    desk.turns()


def test_who_waits_for_a_slow_reader_is_called_when_it_reads() -> None:
    desk = Desk()
    line = desk.line("CLIENT")
    called: list[str] = []
    line.endpoint.when_ready(lambda: called.append("at once"))
    line.is_paused = True
    for name in ("first", "second"):
        line.endpoint.when_ready(partial(called.append, name))
    assert called == ["at once"]
    line.read_on()
    assert called == ["at once", "first", "second"]


def test_nobody_is_called_for_a_peer_that_is_gone() -> None:
    desk = Desk()
    line = desk.line("CLIENT")
    called: list[str] = []
    line.is_paused = True
    line.endpoint.when_ready(lambda: called.append("waited"))
    line.lose()
    line.read_on()
    line.endpoint.when_ready(lambda: called.append("came late"))
    desk.turns()
    assert called == []
