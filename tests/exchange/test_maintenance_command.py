"""Maintenance as an operator plans it, of a venue that runs, and what a real client sees of it."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner

from exchange.__main__ import app
from tests.exchange.test_cli import Client, Venue, seamark

WHEN = r"\d{8}-\d\d:\d\d:\d\d"
LOGON = ((98, 0), (108, 30))


@pytest.fixture
def runner(monkeypatch: pytest.MonkeyPatch) -> CliRunner:
    monkeypatch.setenv("COLUMNS", "200")
    return CliRunner()


@pytest.fixture
def data(tmp_path: Path) -> Path:
    directory = tmp_path / "data"
    directory.mkdir()
    return directory


@pytest.fixture
def venues(data: Path) -> Iterator[list[Venue]]:
    """Those that a test has started, on the same directory; whatever is left of them is ended."""
    started = [Venue(data)]
    yield started
    for one in started:
        one.end()


def operator(runner: CliRunner, data: Path, *options: object) -> str:
    """The one line that the command says, in this process: a process takes a second to start."""
    done = runner.invoke(app, ["maintenance", "--data", str(data), *map(str, options)])
    assert done.exit_code == 0, done.output
    (line,) = done.output.splitlines()
    return line


def first_answer(port: int, seq: int = 1) -> dict[int, str]:
    """What a Logon is answered by; the connection is closed then, by the one side or the other."""
    client = Client(port, seq)
    client.send("A", *LOGON)
    answer = client.receive()
    if answer[35] == "A":
        client.send("5")
        assert client.receive()[35] == "5"
    assert client.receive() == {}
    return answer


# --- a venue that runs --------------------------------------------------------------------


def test_a_client_is_warned_logged_out_refused_and_let_in_again_even_over_a_kill_9(
    runner: CliRunner, data: Path, venues: list[Venue]
) -> None:
    client = Client(venues[0].port)
    client.send("A", *LOGON)
    assert client.receive()[35] == "A"
    options = ("--starts-in", 3, "--lasts", 3600, "--reason", "a new release")
    line = operator(runner, data, *options)
    planned = re.fullmatch(rf"Planned: a new release, {WHEN} to ({WHEN}) UTC\.", line)
    assert planned, line
    back = planned[1]
    news, logout = client.receive(), client.receive()
    assert (news[35], news[34]) == ("B", "2")
    assert re.fullmatch(r"Closing in [123] s", news[148])
    assert f"for a new release and is back at {back} UTC; sequence numbers stay" in news[58]
    assert (logout[35], logout[34]) == ("5", "3")
    assert logout[58] == f"Closed for a new release until {back} UTC"
    client.send("5")
    assert client.receive() == {}
    # Not before: a process takes seconds on a busy machine, and the venue waits two for a Logout.
    done = seamark("maintenance", "--data", data)
    assert (done.stdout, done.stderr) == (line + "\n", ""), "it can be shown again"
    refusal = first_answer(venues[0].port, seq=3)
    assert (refusal[35], refusal[58]) == ("5", logout[58])

    venues[0].process.kill()
    venues[0].process.wait()
    venues.append(Venue(data))
    refusal = first_answer(venues[1].port, seq=3)
    assert (refusal[35], refusal[58]) == ("5", logout[58]), "the plan outlives the process"

    assert operator(runner, data, "--cancel") == "Called off."
    deadline = time.monotonic() + 10
    while (answer := first_answer(venues[1].port, seq=3))[35] == "5":
        assert time.monotonic() < deadline
        time.sleep(0.05)
    assert int(answer[34]) >= 6, "after Logon, News and three Logouts"
    assert operator(runner, data) == "Nothing is planned; --lasts SECONDS plans something."


# --- the command alone --------------------------------------------------------------------


def test_without_a_plan_it_says_how_to_make_one(runner: CliRunner, data: Path) -> None:
    assert operator(runner, data) == "Nothing is planned; --lasts SECONDS plans something."
    assert operator(runner, data, "--cancel") == "Nothing was planned."


def test_a_second_plan_takes_the_place_of_the_first(runner: CliRunner, data: Path) -> None:
    operator(runner, data, "--lasts", 60, "--reason", "first")
    line = operator(runner, data, "--starts-in", 0, "--lasts", 60, "--reason", "second")
    assert line.startswith("Planned: second, ")
    assert operator(runner, data) == line
    assert operator(runner, data, "--cancel") == "Called off."
    assert operator(runner, data, "--cancel") == "Nothing was planned."


def test_a_plan_starts_when_it_is_said_to_and_lasts_so_long(
    runner: CliRunner, data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("exchange.operator_cli.time.time_ns", lambda: 1_799_841_600 * 10**9)
    assert operator(runner, data, "--starts-in", 90, "--lasts", 60) == (
        "Planned: maintenance, 20270113-12:01:30 to 20270113-12:02:30 UTC."
    )
    assert operator(runner, data, "--lasts", 3600) == (
        "Planned: maintenance, 20270113-12:10:00 to 20270113-13:10:00 UTC."
    )


def test_a_plan_that_is_over_is_none(
    runner: CliRunner, data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    operator(runner, data, "--starts-in", 0, "--lasts", 60)
    later = time.time_ns() + 61 * 10**9
    monkeypatch.setattr("exchange.operator_cli.time.time_ns", lambda: later)
    assert operator(runner, data).startswith("Nothing is planned")


def test_the_directory_comes_from_the_settings_where_no_option_names_it(
    runner: CliRunner, data: Path
) -> None:
    config = data / "venue.toml"
    config.write_text(f"[journal]\ndirectory = '{data}'\n")
    done = runner.invoke(app, ["maintenance", "--config", str(config), "--lasts", "60"])
    assert done.exit_code == 0, done.output
    assert operator(runner, data) == done.output.strip()


@pytest.mark.parametrize(
    ("options", "what"),
    [
        (("--lasts", 60, "--reason", "für alle"), "a reason is 1 to 100 printable ASCII"),
        (("--lasts", 60, "--reason", ""), "a reason is 1 to 100 printable ASCII"),
        (("--lasts", 60, "--data", "nowhere/at/all"), "No such file or directory"),
    ],
)
def test_what_cannot_be_planned_is_said_in_one_line(
    runner: CliRunner, data: Path, options: tuple[object, ...], what: str
) -> None:
    arguments = ["maintenance", "--data", str(data), *map(str, options)]
    done = runner.invoke(app, arguments)
    assert done.exit_code == 1
    (line,) = done.stderr.splitlines()
    assert line.startswith("seamark: ")
    assert what in line


@pytest.mark.parametrize("options", [("--lasts", 0), ("--lasts", -5), ("--starts-in", -1)])
def test_times_that_make_no_sense_are_refused(
    runner: CliRunner, data: Path, options: tuple[object, ...]
) -> None:
    done = runner.invoke(app, ["maintenance", "--data", str(data), *map(str, options)])
    assert done.exit_code == 2
    assert list(data.iterdir()) == []


def test_a_broken_file_is_named(runner: CliRunner, data: Path) -> None:
    (data / "maintenance.json").write_text("?")
    done = runner.invoke(app, ["maintenance", "--data", str(data)])
    assert done.exit_code == 1
    assert str(data / "maintenance.json") in done.stderr
