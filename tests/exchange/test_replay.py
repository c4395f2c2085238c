"""Recorded days, played against a real venue process, and against what is none."""

from __future__ import annotations

import json
import re
import signal
import socket
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner, Result

from exchange.compare import Difference, DifferenceKind
from exchange.recording import Event, EventKind, Recording, open_recording
from exchange.replay import Outcome, Target, replay
from exchange.replaying import replay_command
from fix_engine.message import Message
from tests.exchange.days import (
    NAMES,
    FakeVenue,
    altered,
    answers,
    heard,
    quickfix_log,
    random_day,
    with_field,
)
from tests.support.messages import dictionary, fix
from tests.support.tcp import VenueProcess
from tests.support.world import World

WAIT_S = 0.4  # for answers that will not come
app = typer.Typer(pretty_exceptions_enable=False)
app.command("replay")(replay_command)


@pytest.fixture(scope="module")
def venue(tmp_path_factory: pytest.TempPathFactory) -> Iterator[VenueProcess]:
    """One for all: the days leave no order behind, and ClOrdIDs are fresh each time."""
    running = VenueProcess(tmp_path_factory.mktemp("venue") / "data")
    yield running
    running.finish(signal.SIGTERM)


@pytest.fixture(scope="module")
def day(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("day") / "journal"
    random_day(directory, seed=20261122, steps=300)
    return directory


def seamark_replay(*arguments: object) -> Result:
    return CliRunner().invoke(app, [str(one) for one in arguments], env={"COLUMNS": "160"})


def play(recording: Recording, venue: VenueProcess, wait_s: float = 10.0) -> Outcome:
    target = Target("127.0.0.1", venue.port, timeout_s=wait_s)
    return replay(recording, target, dictionary())


def refusal(*arguments: object) -> str:
    """The one line of a replay that could not run."""
    done = seamark_replay(*arguments, "--timeout", WAIT_S)
    assert (done.exit_code, done.stdout) == (2, ""), done.output
    (line,) = done.stderr.splitlines()
    assert line.startswith("seamark: ")
    return line.removeprefix("seamark: ")


# --- the same venue answers the same --------------------------------------------------------


def test_a_day_of_three_sessions_is_answered_as_it_was(day: Path, venue: VenueProcess) -> None:
    done = seamark_replay(day, "--port", venue.port)
    assert (done.exit_code, done.stderr) == (0, ""), done.output
    assert "of 3 sessions" in done.stdout
    assert "Equal:" in done.stdout
    played = open_recording(day)
    assert played.answers > 300
    assert f"{played.answers:,} answers mean what was recorded" in done.stdout


def test_it_can_be_played_again_for_its_cl_ord_ids_are_fresh(
    day: Path, venue: VenueProcess
) -> None:
    outcome = play(open_recording(day), venue)
    assert outcome.differences == []
    assert outcome.equal == outcome.answers == outcome.received


def test_kept_ids_are_refused_the_second_time(tmp_path: Path, venue: VenueProcess) -> None:
    random_day(tmp_path / "journal", seed=3, steps=20, can_drop=False)
    arguments = (tmp_path / "journal", "--port", venue.port, "--keep-ids", "--json")
    assert seamark_replay(*arguments).exit_code == 0
    again = seamark_replay(*arguments, "--timeout", 0.05)
    assert again.exit_code == 1
    fields = [one for found in json.loads(again.stdout)["differences"] for one in found["fields"]]
    (reason, *_) = (one for one in fields if one["name"] == "OrdRejReason")
    assert (reason["recorded"], reason["replayed"]) == (None, "6")
    assert reason["replayed_meaning"].startswith("6 duplicate order")


def test_a_session_may_have_another_name_and_is_played_at_its_own_speed(
    tmp_path: Path, venue: VenueProcess
) -> None:
    world = World(tmp_path)
    client = world.client("OLD", "108=30|8013=Y|")
    for number in range(3):
        client.order(f"a{number}", "buy", "1.50", "100")
        world.now += 200_000_000
    world.journal.close()
    done = seamark_replay(
        tmp_path, "--session", "OLD=NEW", "--port", venue.port, "--speed", "2", "--json"
    )
    assert done.exit_code == 0, done.output
    found = json.loads(done.stdout)
    assert (found["equal"], found["requests"], found["answers_equal"]) == (True, 3, 3)
    assert found["seconds"] >= 0.2


def test_a_report_that_nobody_was_there_to_hear_is_fetched_in_the_end(
    tmp_path: Path, venue: VenueProcess
) -> None:
    world = World(tmp_path)
    rests, takes = world.client("RESTS"), world.client("TAKES")
    rests.order("r", "sell", "2", "100")
    rests.drop()
    takes.order("t", "buy", "2", "100")
    world.journal.close()
    outcome = play(open_recording(tmp_path), venue)
    assert outcome.differences == []
    assert outcome.received == 4


def test_one_session_of_three_misses_the_others(day: Path, venue: VenueProcess) -> None:
    recording = open_recording(day, ["ANN"])
    assert list(recording.sessions) == [b"ANN"]
    outcome = play(altered(recording, lambda events: events[:90]), venue, 0.05)
    assert outcome.differences
    assert {difference.belongs_to[0] for difference in outcome.differences} == {b"ANN"}


# --- the smallest difference is seen --------------------------------------------------------


def only_difference(outcome: Outcome) -> Difference:
    (difference,) = outcome.differences
    return difference


def test_a_changed_price(day: Path, venue: VenueProcess) -> None:
    def change(events: list[Event]) -> None:
        place = answers(events, t150="F")[7]
        events[place] = with_field(events[place], b"31", b"98.7")

    outcome = play(altered(open_recording(day), change), venue)
    difference = only_difference(outcome)
    assert difference.kind is DifferenceKind.FIELDS
    (field,) = difference.fields
    assert (field.tag, field.name, field.recorded) == (b"31", "LastPx", b"98.7")
    assert field.replayed != b"98.7"
    assert outcome.equal == outcome.answers - 1


def test_an_answer_that_was_dropped_from_the_recording_is_extra(
    day: Path, venue: VenueProcess
) -> None:
    taken: list[Message | None] = []

    def change(events: list[Event]) -> None:
        taken.append(events.pop(answers(events, t150="F")[5]).message)

    difference = only_difference(play(altered(open_recording(day), change), venue))
    assert difference.kind is DifferenceKind.EXTRA
    assert difference.replayed is not None
    assert taken[0] is not None
    for tag in (b"14", b"31", b"32", b"39", b"150", b"151"):
        assert difference.replayed.get(tag) == taken[0].get(tag)


def test_an_answer_that_was_never_given_is_missing(day: Path, venue: VenueProcess) -> None:
    def change(events: list[Event]) -> None:
        place = answers(events, t150="F")[-1]
        events.insert(place + 1, with_field(events[place], b"32", b"77"))

    outcome = play(altered(open_recording(day), change), venue, WAIT_S)
    difference = only_difference(outcome)
    assert difference.kind is DifferenceKind.MISSING
    assert difference.message.get(b"32") == b"77"
    assert outcome.equal == outcome.received


def test_a_request_that_asked_for_another_price(tmp_path: Path, venue: VenueProcess) -> None:
    world = World(tmp_path)
    client = world.client("SOLO", "108=30|8013=Y|")
    for number in range(5):
        client.order(f"a{number}", "buy", "1.50", "100")
    world.journal.close()

    def change(events: list[Event]) -> None:
        place = [event.kind for event in events].index(EventKind.REQUEST)
        events[place] = with_field(events[place], b"44", b"101.00")

    outcome = play(altered(open_recording(tmp_path), change), venue)
    difference = only_difference(outcome)
    assert difference.belongs_to == (b"SOLO", b"11", b"a0")
    (field,) = difference.fields
    assert (field.name, field.recorded, field.replayed) == ("Price", b"100", b"101")


def test_the_table_names_what_differs(tmp_path: Path, venue: VenueProcess) -> None:
    log = tmp_path / "FIX.4.4-SOLO-SEAMARK.messages.current.log"
    log.write_bytes(solo_log().replace(b"39=0", b"39=8"))
    done = seamark_replay(log, "--port", venue.port)
    assert done.exit_code == 1
    assert "of 7 recorded answers 5 equal, 2 different, 0 missing; and 0 extra." in done.stdout
    for line in ("SOLO  ClOrdID a0  ExecutionReport 2  differs", "OrdStatus   8 rejected   0 new"):
        assert line in done.stdout
    assert seamark_replay(log, "--port", venue.port, "--ignore", "OrdStatus").exit_code == 0


def test_what_is_missing_or_extra_is_shown_as_a_whole(tmp_path: Path, venue: VenueProcess) -> None:
    log = tmp_path / "FIX.4.4-SOLO-SEAMARK.messages.current.log"
    lines = solo_log().splitlines(keepends=True)
    (unsupported,) = (line for line in lines if b"35=j" in line)
    lines.remove(unsupported)
    log.write_bytes(b"".join(lines))
    done = seamark_replay(log, "--port", venue.port)
    assert re.search(r"SOLO  (131|QuoteReqID) x  BusinessMessageReject 8  extra", done.stdout)
    assert "Text=Unsupported Message Type  RefMsgType=R" in done.stdout


# --- a QuickFIX log -------------------------------------------------------------------------


def solo_log(separator: bytes = b"\x01") -> bytes:
    """A client's own log: orders that rest, trade with each other and are cancelled."""
    world = World()
    client = world.client("SOLO", "108=30|8013=Y|")
    (accepted,) = client.order("a0", "buy", "3", "100")
    client.order("a1", "sell", "1", "99.5")
    client.ask(f"35=F|11=a2|41=a0|37={accepted[37]}|55=BTC/USD|54=1|60=<now>|")
    client.ask("35=D|11=a3|55=BTC/USD|54=1|60=<now>|38=1|40=2|44=1|1=|")
    client.ask("35=R|131=x|146=1|55=BTC/USD|")
    client.send("35=5|")
    answered = iter(client.raw)
    lines: list[bytes] = []
    for raw, count in zip(client.sent, [1, 1, 3, 1, 1, 1, 1], strict=True):
        lines += [raw, *(next(answered) for _ in range(count))]
    assert next(answered, None) is None
    return quickfix_log(lines, separator)


@pytest.mark.parametrize("separator", [b"\x01", b"|", b"^A"])
def test_a_log_of_quickfix_is_played_like_a_journal(
    tmp_path: Path, venue: VenueProcess, separator: bytes
) -> None:
    log = tmp_path / "FIX.4.4-SOLO-SEAMARK.messages.current.log"
    log.write_bytes(solo_log(separator))
    done = seamark_replay(log, "--port", venue.port, "--json")
    assert done.exit_code == 0, done.output
    found = json.loads(done.stdout)
    assert (found["requests"], found["answers"], found["received"]) == (5, 7, 7)


def test_the_journal_of_a_venue_that_runs_is_a_recording(
    tmp_path: Path, venue: VenueProcess
) -> None:
    log = tmp_path / "FIX.4.4-SOLO-SEAMARK.messages.current.log"
    log.write_bytes(solo_log())
    other = VenueProcess(tmp_path / "data")
    try:
        assert seamark_replay(log, "--port", other.port).exit_code == 0
        done = seamark_replay(tmp_path / "data", "--port", venue.port, "--json")
        assert seamark_replay(log, "--port", other.port).exit_code == 0, "it was not disturbed"
    finally:
        other.finish(signal.SIGTERM)
    assert done.exit_code == 0, done.output
    found = json.loads(done.stdout)
    assert found["requests"] >= 3, "all but what the session layer refused"
    assert found["answers_equal"] == found["answers"] >= 5


# --- it cannot run --------------------------------------------------------------------------


def test_nobody_listens(day: Path) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))  # bound, but nobody listens
        port = unused.getsockname()[1]
        assert refusal(day, "--port", port).startswith(f"nobody listens on 127.0.0.1:{port}")


def closes_at_once(plug: socket.socket) -> None:
    plug.recv(1)


def speaks_http(plug: socket.socket) -> None:
    plug.recv(1 << 16)
    plug.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")
    plug.recv(1 << 16)


def says_nothing(plug: socket.socket) -> None:
    while plug.recv(1 << 16):
        pass


def refuses(plug: socket.socket) -> None:
    plug.recv(1 << 16)
    plug.sendall(fix("35=5|34=1|49=SEAMARK|52=20261122-16:00:00|56=SOLO|58=unknown to us|"))


def leaves_after_the_logon(plug: socket.socket) -> None:
    plug.recv(1 << 16)
    plug.sendall(fix("35=A|34=1|49=SEAMARK|52=20261122-16:00:00|56=SOLO|98=0|108=30|141=Y|"))
    plug.recv(1)


@pytest.mark.parametrize(
    ("behave", "what"),
    [
        (closes_at_once, "the Logon of SOLO was refused: the connection was closed"),
        (speaks_http, "SOLO is answered by what is no FIX"),
        (says_nothing, "no answer to the Logon of SOLO in 0.4 s"),
        (refuses, "the Logon of SOLO was refused: unknown to us"),
        (leaves_after_the_logon, "SOLO can play no further: the connection was closed"),
    ],
)
def test_the_other_end_is_no_venue(
    tmp_path: Path, behave: Callable[[socket.socket], None], what: str
) -> None:
    log = tmp_path / "FIX.4.4-SOLO-SEAMARK.messages.current.log"
    log.write_bytes(solo_log())
    with FakeVenue(behave) as fake:
        line = refusal(log, "--port", fake.port, "--logon-field", "554=hunter2")
    assert what in line
    assert "hunter2" not in line


def test_a_venue_that_asks_back_gets_its_answers_and_the_logon_its_fields(tmp_path: Path) -> None:
    said: list[dict[int, str]] = []

    def behave(plug: socket.socket) -> None:
        head = "49=SEAMARK|52=20261122-16:00:00|56=SOLO|"
        for message in heard(plug):
            said.append(message)
            if message[35] == "A":
                plug.sendall(fix(f"35=A|34=1|{head}98=0|108=30|141=Y|"))
                plug.sendall(fix(f"35=1|34=2|{head}112=hello|") + fix(f"35=2|34=3|{head}7=1|16=0|"))
            elif message[35] == "1":
                plug.sendall(fix(f"35=0|34=4|{head}112={message[112]}|"))
            elif message[35] == "5":
                plug.sendall(fix(f"35=5|34=5|{head}"))

    log = tmp_path / "FIX.4.4-SOLO-SEAMARK.messages.current.log"
    log.write_bytes(solo_log())
    (tmp_path / "secret").write_text("hunter2\n")
    with FakeVenue(behave) as fake:
        options = ("--port", fake.port, "--timeout", 0.1, "--json")
        secret = f"SOLO:554=file:{tmp_path / 'secret'}"
        done = seamark_replay(log, *options, "--logon-field", "553=me", "--logon-field", secret)
    assert done.exit_code == 1, "every answer is missing"
    assert {one["kind"] for one in json.loads(done.stdout)["differences"]} == {"missing"}
    (logon,) = (message for message in said if message[35] == "A")
    assert (logon[553], logon[554], logon[8013], logon[141]) == ("me", "hunter2", "Y", "Y")
    assert "hunter2" not in done.output
    assert {"35": "0", "112": "hello"}.items() <= {
        str(tag): value for message in said if message[35] == "0" for tag, value in message.items()
    }.items()
    (filled,) = (message for message in said if message[35] == "4")
    assert (filled[34], filled[123], filled[43]) == ("1", "Y", "Y")


@pytest.mark.parametrize(
    ("arguments", "what"),
    [
        (("--session", "NOBODY"), f"has no session NOBODY; its sessions: {', '.join(NAMES)}"),
        (("--speed", "fast"), "--speed fast: must be recorded, max, or a number above zero"),
        (("--logon-field", "hunter2"), "--logon-field must be TAG=VALUE or COMPID:TAG=VALUE"),
        (("--logon-field", "554=env:NO_SUCH"), "554: environment variable NO_SUCH is not set"),
        (("--ignore", "Prize"), "--ignore Prize: the dictionary has no such field"),
        (("--dictionary", "nowhere.xml"), "nowhere.xml: No such file or directory"),
    ],
)
def test_what_cannot_be_meant(day: Path, arguments: tuple[str, ...], what: str) -> None:
    line = refusal(day, "--port", 1, *arguments)
    assert what in line
    assert "hunter2" not in line


def test_there_is_nothing_to_play(tmp_path: Path) -> None:
    assert refusal(tmp_path) == f"{tmp_path} holds no journal"
    assert refusal(tmp_path / "x") == f"{tmp_path / 'x'} does not exist"
    empty = tmp_path / "empty.log"
    empty.write_bytes(b"nothing to see\n")
    assert refusal(empty) == f"{empty} holds no FIX message"
    quiet = tmp_path / "journal"
    quiet.mkdir()
    world = World(quiet)
    world.client("ANN")
    world.journal.close()
    assert "holds no request of a client" in refusal(quiet)
    (segment,) = quiet.glob("*.seamark")
    segment.write_bytes(b"SEAMARKJ" + bytes(100))
    assert str(segment) in refusal(quiet)
