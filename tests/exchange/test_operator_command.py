"""`seamark market` and `seamark account`: what they say, and what a venue that runs does."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from exchange.__main__ import app
from tests.exchange.test_cli import Client, Venue
from tests.exchange.test_control import ACCOUNTS

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


def operator(runner: CliRunner, data: Path, *words: object) -> list[str]:
    """The lines that a command says."""
    name, *rest = map(str, words)
    done = runner.invoke(app, [name, "--data", str(data), *rest])
    assert done.exit_code == 0, done.output
    return done.output.splitlines()


def refusal(runner: CliRunner, *arguments: object) -> str:
    """The one line that a command ends with, which must fail."""
    done = runner.invoke(app, [*map(str, arguments)])
    assert done.exit_code == 1, done.output
    (line,) = done.stderr.splitlines()
    assert line.startswith("seamark: ")
    return line.removeprefix("seamark: ")


def test_a_running_venue_does_what_the_operator_says_even_over_a_kill_9(
    runner: CliRunner, data: Path
) -> None:
    venue = Venue(data)
    try:
        client = Client(venue.port)
        client.send("A", *LOGON)
        assert client.receive()[35] == "A"
        assert operator(
            runner, data, "market", "BTC/USD", "halted", "--reason", "news is pending"
        ) == ["BTC/USD  halted  (news is pending)"]
        status = client.receive()
        assert (status[35], status[55], status[326]) == ("f", "BTC/USD", "2")
        assert status[58] == "BTC/USD is halted: nothing but cancels (news is pending)"
        venue.process.kill()
        venue.process.wait()
        assert client.receive() == {}
        venue = Venue(data)
        client = Client(venue.port, 2)
        client.send("A", *LOGON)
        assert client.receive()[35] == "A"
        status = client.receive()
        assert (status[35], status[326], status[34]) == ("f", "2", "4"), "it was halted until now"
        assert operator(runner, data, "market", "BTC/USD", "open") == ["BTC/USD  open"]
        status = client.receive()
        assert (status[35], status[326], status[34]) == ("f", "3", "5")
        client.send("5")
        assert client.receive()[35] == "5"
        assert client.receive() == {}
    finally:
        venue.end()


def test_markets_are_said_and_shown(runner: CliRunner, data: Path) -> None:
    four = ["BTC/USD", "ETH/USD", "SOL/USD", "ETH/BTC"]
    assert operator(runner, data, "market") == [f"{symbol}  open" for symbol in four]
    operator(runner, data, "market", "ETH/USD", "post-only", "--reason", "at last")
    assert operator(runner, data, "market", "ETH/USD") == ["ETH/USD  post-only  (at last)"]
    assert operator(runner, data, "market", "--all", "halted") == [f"{one}  halted" for one in four]
    operator(runner, data, "market", "SOL/USD", "delisted")
    lines = operator(runner, data, "market", "--all", "open")
    assert lines == ["BTC/USD  open", "ETH/USD  open", "SOL/USD  delisted", "ETH/BTC  open"]
    assert operator(runner, data, "market") == lines


def test_accounts_are_stopped_resumed_and_shown(runner: CliRunner, data: Path) -> None:
    assert operator(runner, data, "account") == []
    assert operator(runner, data, "account", "A1", "stop", "--reason", "risk") == [
        "A1  stopped  (risk)"
    ]
    assert operator(runner, data, "account", "A2") == ["A2  running"]
    assert operator(runner, data, "account") == ["A1  stopped  (risk)"]
    assert operator(runner, data, "account", "A1", "resume") == ["A1  running"]


def test_accounts_of_the_settings_are_shown_all(runner: CliRunner, data: Path) -> None:
    config = data / "venue.toml"
    config.write_text(ACCOUNTS)
    options = ("account", "--config", config)
    assert operator(runner, data, *options) == ["acme  running", "other  running"]
    assert operator(runner, data, *options, "acme", "stop") == ["acme  stopped"]
    assert refusal(runner, *options, "--data", data, "ACME1", "stop") == (
        "ACME1 is no account of the settings: acme, other"
    )


def test_funds_are_moved_once_for_each_id_and_shown(runner: CliRunner, data: Path) -> None:
    words = ("funds", "deposit", "A1", "USD", "1000.50", "--id", "wire-7", "--reason", "a wire")
    line = "wire-7  A1  1000.50 USD  (a wire)"
    assert operator(runner, data, *words) == [line]
    assert operator(runner, data, *words) == [line], "the same again is the same"
    other = ("funds", "withdraw", "A1", "USD", "7", "--data", data, "--id", "wire-7")
    assert refusal(runner, *other) == "there is another transfer with the id wire-7"
    (second,) = operator(runner, data, "funds", "withdraw", "A1", "BTC", "0.5")
    assert second.endswith("  A1  -0.5 BTC")
    assert operator(runner, data, "funds") == [line, second]


@pytest.mark.parametrize(
    ("words", "what"),
    [
        (("market", "DOGE/USD", "halted"), "DOGE/USD is no instrument of the settings: BTC/USD, "),
        (("market", "BTC/USD", "shut"), "BTC/USD: 'shut' is no state of a market; open, halted, "),
        (("market", "BTC/USD", "open", "now"), "it is SYMBOL STATE or --all STATE; states are "),
        (("market", "--all"), "it is SYMBOL STATE or --all STATE; states are open, halted, "),
        (("market", "--all", "BTC/USD", "open"), "it is SYMBOL STATE or --all STATE; states are "),
        (("market", "BTC/USD", "halted", "--reason", "für alle"), "a reason is at most 100 "),
        (("market", "BTC/USD", "halted", "--reason", "x" * 101), "a reason is at most 100 "),
        (("account", "A1", "kill"), "'kill' is nothing to do with an account; stop, resume are"),
        (("funds", "deposit", "A1", "USD"), "it is deposit ACCOUNT CURRENCY AMOUNT, or withdraw "),
        (("funds", "steal", "A1", "USD", "1"), "it is deposit ACCOUNT CURRENCY AMOUNT, or "),
        (("funds", "deposit", "A1", "EUR", "1"), "EUR is no currency of the settings: BTC, ETH, "),
        (("funds", "deposit", "A1", "USD", "0.00"), "0.00 is no amount above zero"),
        (("funds", "deposit", "A1", "USD", "1e5"), "'1e5' is no amount of at most 18 digits and "),
        (("account", "A 1", "stop"), "'A 1' is no name of an instrument, an account or a transfer"),
    ],
)
def test_what_cannot_be_done_is_said_in_one_line(
    runner: CliRunner, data: Path, words: tuple[str, ...], what: str
) -> None:
    assert refusal(runner, *words, "--data", data).startswith(what)
    assert list(data.iterdir()) == []


def test_a_directory_that_is_not_there_is_named(runner: CliRunner) -> None:
    line = refusal(runner, "market", "BTC/USD", "halted", "--data", "nowhere/at/all")
    assert line == "nowhere/at/all/control.json: No such file or directory"


def test_a_market_that_is_delisted_stays_so(runner: CliRunner, data: Path) -> None:
    operator(runner, data, "market", "BTC/USD", "delisted")
    line = refusal(runner, "market", "BTC/USD", "open", "--data", data)
    assert line == "BTC/USD is delisted, which is for good"


def test_a_broken_file_is_named(runner: CliRunner, data: Path) -> None:
    (data / "control.json").write_text("?")
    for words in (("market",), ("market", "BTC/USD", "halted"), ("account", "A", "stop")):
        assert str(data / "control.json") in refusal(runner, *words, "--data", data)
    assert (data / "control.json").read_text() == "?"
