"""Numbers of messages that are not stored, after an end in good order and after a death."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from fix_engine.message import Message
from fix_engine.session import Session
from fix_engine.states import State
from sessions.journal import OFFSET_BITS, segment_path
from sessions.snapshot import Snapshot, read_snapshots, write_snapshot
from tests.sessions.harness import Desk, Line
from tests.sessions.test_streams import AHEAD, LOGON, SHARED, back, records, restarted, stream
from tests.support.messages import as_dict, decode


@pytest.fixture(autouse=True)
def no_sync(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("fsync", "fdatasync"):  # nothing here asks what a loss of power leaves
        monkeypatch.setattr(f"os.{name}", lambda fd: None)


@pytest.mark.parametrize("end", ["lost", "logout", "our logout", "silence"])
@pytest.mark.parametrize("count", [1, 1_000, 1_001, 1_002, 1_500])
@pytest.mark.parametrize("has_snapshot", [False, True])
def test_numbers_are_exact_after_an_end_in_good_order(
    end: str, count: int, has_snapshot: bool, tmp_path: Path
) -> None:
    desk = Desk(tmp_path)
    line = desk.line("CLIENT")
    stream(line, count)
    if end == "lost":
        line.lose()
    elif end == "logout":
        line.send("35=5|")
    elif end == "our logout":
        line.endpoint.session.logout(b"", desk.open_turn.open())
        line.endpoint.settle()
        line.send("35=5|")
    else:
        while (due := line.endpoint.session.deadline()) is not None:
            desk.now = due
            line.endpoint.session.timeout(desk.open_turn.open())
            line.endpoint.settle()
            desk.turns()
    desk.turns()
    next_out = line.endpoint.session.next_out
    state = line.endpoint.state()
    assert state.next_out == next_out
    if has_snapshot:
        write_snapshot(tmp_path, desk.registry.snapshot())
    desk.journal.close()
    again = Desk(tmp_path)
    if has_snapshot:
        (snapshot,) = read_snapshots(tmp_path)
        assert isinstance(snapshot, Snapshot)
        (found,) = snapshot.sessions
        assert (found.sent, found.numbered) == (state.sent, state.numbered)
    (endpoint,) = again.registry
    assert endpoint.session.next_out == next_out
    assert (endpoint.state().sent, endpoint.state().numbered) == (state.sent, state.numbered)
    again.journal.close()


def test_what_is_sent_to_a_peer_that_is_away_follows_the_stream(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    line = desk.line("CLIENT")
    stream(line, 3)
    line.lose()
    line.endpoint.send(b"B", b"148=away\x01")
    desk.turns()
    desk.journal.close()
    again, endpoint = restarted(tmp_path)
    assert [seq for seq, _ in endpoint.sent.fetch(1, 9)] == [1, 5]
    assert endpoint.session.next_out == 6
    again.journal.close()


def test_another_connection_that_takes_over_goes_on_without_a_gap() -> None:
    desk = Desk()
    line = desk.line("CLIENT")
    stream(line, 20)
    line.endpoint.replace_wire()
    desk.turns()
    assert line.closed == "replaced by another connection"
    other = back(desk, seq=2)
    assert [as_dict(raw)[34] for raw in other.sent[0]] == ["23"], "behind the Logout of the first"
    stream(other)
    assert as_dict(other.sent[-1][-1])[34] == "24"
    assert other.endpoint.state().numbered == 24 + AHEAD


def test_a_reset_forgets_the_numbers_of_a_stream(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    line = desk.line("CLIENT")
    stream(line, 20)
    line.send(LOGON + "141=Y|", seq=1)
    desk.turns()
    assert line.endpoint.state().numbered == 0
    assert line.endpoint.session.next_out == 2
    desk.journal.close()
    again, endpoint = restarted(tmp_path)
    assert (endpoint.session.next_out, endpoint.state().numbered) == (2, 0)
    line = back(again, seq=2)
    stream(line)
    assert records(again)[-1].seq == 3 + AHEAD
    again.journal.close()


def test_a_stream_and_a_reset_in_one_turn(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    line = desk.line("CLIENT")
    line.endpoint.stream(b"W", b"", SHARED)
    line.send(LOGON + "141=Y|", seq=1)
    line.endpoint.stream(b"W", b"", SHARED)
    desk.turns()
    assert [text[:9] for text in line.told()[1:]] == ["35=W|34=2", "35=A|34=1", "35=W|34=2"]
    desk.journal.close()
    again, endpoint = restarted(tmp_path)
    assert (endpoint.session.next_in, endpoint.session.next_out) == (2, 3 + AHEAD)
    again.journal.close()


def test_both_sequences_begun_anew_for_a_new_day_have_nothing_of_the_stream() -> None:
    desk = Desk()
    line = desk.line("CLIENT")
    stream(line, 20)
    line.lose()
    line.endpoint.begin_anew()
    desk.turns()
    state = line.endpoint.state()
    assert (state.next_in, state.next_out, state.numbered) == (1, 1, 0)


def test_a_machine_that_broke_goes_on_behind_all_numbers_that_may_be_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk = Desk(tmp_path)
    line = desk.line("CLIENT")
    stream(line, 30)

    def breaks(session: Session, message: Message, now: int) -> bool:
        session.stream(b"W", b"", SHARED, now)
        raise RuntimeError("a bug of ours")

    desk.open_turn.open()
    with monkeypatch.context() as patch:
        patch.setattr(Session, "accept", breaks)
        line.endpoint.receive(decode(desk.message("35=0|", seq=2)), desk.now)
    desk.turns()
    assert line.closed == "the session machine failed"
    session = line.endpoint.session
    assert (session.state, session.next_in) == (State.DISCONNECTED, 2)
    assert session.next_out > 31
    assert session.next_out == line.endpoint.state().next_out
    line = back(desk, seq=2)
    first = int(as_dict(line.sent[0][0])[34])
    stream(line, 2)
    line.endpoint.send(b"B", b"148=x\x01")
    desk.turns()
    seen = [int(as_dict(raw)[34]) for page in line.sent for raw in page]
    assert seen == list(range(first, first + 4))
    line.told()
    line.send("35=2|7=32|16=0|")
    desk.turns()
    fills = [as_dict(raw) for page in line.sent for raw in page]
    assert [(one[35], int(one[34])) for one in fills] == [("4", 32), ("B", first + 3)]
    desk.journal.close()
    again, endpoint = restarted(tmp_path)
    assert endpoint.session.next_out > first + 3
    again.journal.close()


class _Shown:
    """What a client may have seen by the end of a batch."""

    def __init__(self) -> None:
        self.end = 0
        self.last = 0  # its highest number
        self.next_in = 1  # of ours when it was last sent something that is new


def a_life(directory: Path, rng: random.Random) -> list[_Shown]:
    """A session that is streamed to, and all that happens to sessions; each turn's end."""
    desk = Desk(directory)
    desk.notes.answer = lambda peer, message: (
        peer.stream(b"W", b"", SHARED) if rng.random() < 0.5 else None
    )
    line = desk.line("CLIENT")
    lives = [_Shown()]

    def look() -> None:
        desk.turns()
        shown, before = _Shown(), lives[-1]
        shown.last, shown.next_in = before.last, before.next_in
        for raw in (raw for page in line.sent for raw in page):
            fields = as_dict(raw)
            if fields.get(141) == "Y":
                shown.last = 0
            if 43 not in fields:
                shown.last = int(fields[34])
                shown.next_in = line.endpoint.session.next_in
        line.sent.clear()
        shown.end = desk.journal.written
        lives.append(shown)

    look()
    for _ in range(40):
        what, seq = rng.random(), line.endpoint.session.next_in
        is_away = line.endpoint.wire is None
        if is_away and what < 0.5:
            line = Line(desk, "CLIENT")
            line.send(LOGON, seq=seq)
        elif is_away or what < 0.15:
            line.endpoint.send(b"B", b"148=x\x01")
        elif what < 0.5:
            for _ in range(rng.choice((1, 3, 400))):
                line.endpoint.stream(b"W", b"", SHARED)
        elif what < 0.7:
            line.seq = seq
            line.order("a")
        elif what < 0.8:
            line.send(f"35=2|7={rng.randint(1, line.endpoint.session.next_out - 1)}|16=0|", seq=seq)
        elif what < 0.85:
            line.send(LOGON + "141=Y|", seq=1)
        elif what < 0.93:
            line.lose()
        else:
            line.send("35=5|", seq=seq)
        look()
    desk.journal.close()
    return lives


@pytest.mark.parametrize("seed", range(12))
def test_no_number_is_used_twice_wherever_the_journal_ends(seed: int, tmp_path: Path) -> None:
    lives = a_life(tmp_path / "live", random.Random(seed))
    whole = segment_path(tmp_path / "live", 1).read_bytes()
    mask = (1 << OFFSET_BITS) - 1
    for number, shown in enumerate(lives[1:]):
        directory = tmp_path / f"cut{number}"
        directory.mkdir()
        segment_path(directory, 1).write_bytes(whole[: shown.end & mask])
        again, endpoint = restarted(directory)
        where = f"seed {seed}, turn {number}"
        assert endpoint.session.next_out > shown.last, where
        assert endpoint.session.next_out <= shown.last + 2 * AHEAD + 60, where
        assert endpoint.session.next_in >= shown.next_in, where
        # The client comes back, misses what it has not seen, and is in step after its request.
        line = back(again, endpoint.session.next_in)
        expected = shown.last + 1
        (logon,) = (as_dict(raw) for raw in line.sent[0])
        line.told()
        if int(logon[34]) > expected:
            line.send(f"35=2|7={expected}|16={int(logon[34]) - 1}|")
            again.turns()
            for fields in (as_dict(raw) for page in line.sent for raw in page):
                assert int(fields[34]) == expected, where
                expected = int(fields[36]) if fields[35] == "4" else expected + 1
        assert expected == int(logon[34]), where
        again.journal.close()
