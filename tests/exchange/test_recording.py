"""What of a journal or a log is a recording."""

from __future__ import annotations

from pathlib import Path

import pytest

from exchange.recording import Event, Recording, RecordingError, open_recording
from tests.exchange.days import quickfix_log
from tests.support.messages import fix
from tests.support.world import World

IN, OUT = "49=ACME|56=VENUE|", "49=VENUE|56=ACME|"


def told(recording: Recording) -> list[str]:
    """Every event in a word: its kind, its session, its ClOrdID if any."""
    return [_word(event) for event in recording.events()]


def _word(event: Event) -> str:
    name = event.message.get(b"11") if event.message is not None else None
    words = [event.kind.name, event.session.decode()] + ([name.decode()] if name else [])
    return " ".join(words)


def log(tmp_path: Path, *lines: str) -> Path:
    path = tmp_path / "some.messages.log"
    path.write_bytes(quickfix_log(map(fix, lines)))
    return path


def test_a_journal_tells_who_came_went_asked_and_was_answered(tmp_path: Path) -> None:
    world = World(tmp_path)
    ann, bob = world.client("ANN", "108=30|8013=Y|"), world.client("BOB")
    ann.order("a", "buy", "1", "100")
    ann.ask("35=1|112=hello|")
    bob.ask("35=D|11=wrong|")  # refused by the session layer: in the journal only its Reject
    bob.order("b", "sell", "1", "100")
    bob.send("35=5|")
    ann.drop()
    world.journal.close()
    recording = open_recording(tmp_path)
    words = told(recording)
    assert words[:5] == ["UP ANN", "UP BOB", "REQUEST ANN a", "ANSWER ANN a", "REQUEST BOB b"]
    assert sorted(words[5:8]) == ["ANSWER ANN a", "ANSWER BOB b", "ANSWER BOB b"]
    assert words[8:] == ["DOWN BOB", "DOWN ANN"]
    assert [event.logon for event in recording.events()][:2] == [((b"8013", b"Y"),), ()]
    assert (recording.requests, recording.answers) == (2, 4)
    assert recording.sessions[b"ANN"].target_comp_id == b"SEAMARK"
    assert told(open_recording(tmp_path, ["BOB"]))[:2] == ["UP BOB", "REQUEST BOB b"]


def test_what_is_written_meanwhile_is_not_part_of_it(tmp_path: Path) -> None:
    world = World(tmp_path)
    ann = world.client("ANN")
    ann.order("a", "buy", "1", "100")
    recording = open_recording(tmp_path)
    before = told(recording)
    ann.order("b", "buy", "1", "100")
    assert told(recording) == before
    assert len(told(open_recording(tmp_path))) == len(before) + 2
    world.journal.close()


def test_a_log_has_the_same_and_repeats_are_left_out(tmp_path: Path) -> None:
    path = log(
        tmp_path,
        f"35=A|34=1|{IN}98=0|108=30|141=Y|553=me|554=secret|8013=Y|1137=9|",
        f"35=A|34=1|{OUT}98=0|108=30|141=Y|",
        f"35=D|34=2|{IN}11=a|",
        f"35=8|34=2|{OUT}11=a|",
        f"35=D|34=2|43=Y|{IN}11=a|",
        f"35=8|34=2|43=Y|{OUT}11=a|",
        f"35=8|34=3|43=Y|{OUT}11=a|",  # seen for the first time
        f"35=B|34=4|{OUT}148=closing soon|",
        f"35=3|34=5|{OUT}45=77|",  # of nothing that is here
        f"35=3|34=6|{OUT}45=2|",
        f"35=0|34=3|{IN}",
        f"35=5|34=4|{IN}",
        f"35=5|34=7|{OUT}",
        f"35=A|34=1|{IN}98=0|108=30|141=Y|",
        f"35=5|34=1|{OUT}58=not now|",
        f"35=A|34=1|{IN}98=0|108=30|141=Y|",
        f"35=A|34=1|{OUT}98=0|108=30|141=Y|",
        f"35=D|34=2|{IN}11=b|",
        f"35=8|34=2|{OUT}11=b|",
    )
    recording = open_recording(path)
    assert told(recording) == [
        *("UP ACME", "REQUEST ACME a", "ANSWER ACME a", "ANSWER ACME a", "ANSWER ACME"),
        *("DOWN ACME", "UP ACME", "REQUEST ACME b", "ANSWER ACME b"),
    ]
    logons = [dict(event.logon) for event in recording.events() if event.logon]
    assert logons == [{b"553": b"me", b"8013": b"Y", b"1137": b"9"}], "no secrets, nothing stale"
    times = [event.time_ns for event in recording.events()]
    assert times == sorted(times)
    assert times[1] - times[0] == 100_000_000


@pytest.mark.parametrize(
    ("lines", "wanted", "client"),
    [
        ([f"35=A|34=1|{IN}98=0|108=30|", f"35=D|34=2|{IN}11=a|"], [], "ACME"),
        ([f"35=A|34=1|{OUT}98=0|108=30|", f"35=D|34=2|{OUT}11=a|"], [], "VENUE"),
        ([f"35=8|34=9|{OUT}11=z|", f"35=D|34=2|{IN}11=a|"], [], "ACME"),
        ([f"35=D|34=2|{IN}11=a|", f"35=8|34=9|{OUT}11=z|"], ["VENUE"], "VENUE"),
    ],
)
def test_the_client_is_who_is_wanted_or_logs_on_or_asks_first(
    tmp_path: Path, lines: list[str], wanted: list[str], client: str
) -> None:
    assert list(open_recording(log(tmp_path, *lines), wanted).sessions) == [client.encode()]


def test_a_log_of_several_sessions_has_them_all(tmp_path: Path) -> None:
    other = IN.replace("ACME", "OTHER")
    path = log(tmp_path, f"35=D|34=2|{IN}11=a|", f"35=D|34=2|{other}11=b|")
    assert told(open_recording(path)) == ["REQUEST ACME a", "REQUEST OTHER b"]
    with pytest.raises(RecordingError, match="no session NEMO; its sessions: ACME, OTHER"):
        open_recording(path, ["NEMO"])
