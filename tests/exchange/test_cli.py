"""The command line as a person meets it: real processes, their words and their exit codes."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import simplefix

from fix_engine import codec
from tests.support.messages import ROOT

PATIENCE_S = 20.0  # a slow machine takes a second or two for each process
ENVIRONMENT = {
    name: value
    for name, value in os.environ.items()
    if not name.startswith("SEAMARK_") or name == codec.VARIABLE
} | {"COLUMNS": "200", "NO_COLOR": "1", "TERM": "dumb"}


def command(*arguments: object) -> list[str]:
    return [sys.executable, "-m", "exchange", *map(str, arguments)]


def seamark(*arguments: object) -> subprocess.CompletedProcess[str]:
    """Run a command to its end."""
    return subprocess.run(
        command(*arguments),
        cwd=ROOT,
        env=ENVIRONMENT,
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        check=False,
    )


def refusal(*arguments: object) -> str:
    """The one line that a command ends with, which must fail."""
    done = seamark(*arguments)
    assert done.returncode == 1, done.stderr
    assert done.stdout == ""
    (line,) = done.stderr.splitlines()
    assert line.startswith("seamark: ")
    return line.removeprefix("seamark: ")


class Venue:
    """A running `seamark serve`."""

    def __init__(self, data: Path, *options: object) -> None:
        self.data = data
        data.mkdir(exist_ok=True)
        self._out, self._err = data / "out", data / "err"
        with self._out.open("w") as out, self._err.open("w") as err:
            self.process = subprocess.Popen(
                command("serve", "--port", 0, "--data", data, *options),
                cwd=ROOT,
                env=ENVIRONMENT,
                stdout=out,
                stderr=err,
            )
        deadline = time.monotonic() + PATIENCE_S
        while "Next:" not in self.said():
            assert self.process.poll() is None, self._err.read_text()
            assert time.monotonic() < deadline, "the venue does not open"
            time.sleep(0.02)
        found = re.search(r"listens on 127\.0\.0\.1:(\d+)", self.said())
        assert found, self.said()
        self.port = int(found[1])

    def said(self) -> str:
        """What it has printed so far."""
        return self._out.read_text()

    def interrupt(self, number: int = signal.SIGINT) -> int:
        """Ctrl-C, or another signal; the exit code."""
        self.process.send_signal(number)
        return self.process.wait(PATIENCE_S)

    def end(self) -> None:
        """Whatever its state."""
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait(PATIENCE_S)


@pytest.fixture(scope="module")
def venue(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Venue]:
    """One for all tests that only need one to be there."""
    running = Venue(tmp_path_factory.mktemp("venue"))
    yield running
    running.end()


class Client:
    """A FIX client of somebody else's making."""

    def __init__(self, port: int, seq: int = 1) -> None:
        self._seq = seq
        self._parser: Any = simplefix.FixParser()
        self._plug = socket.create_connection(("127.0.0.1", port), PATIENCE_S)

    def send(self, msg_type: str, *fields: tuple[int, object]) -> None:
        message: Any = simplefix.FixMessage()
        for tag, text in ((8, "FIX.4.4"), (35, msg_type), (49, "CLIENT"), (56, "SEAMARK")):
            message.append_pair(tag, text, header=True)
        message.append_pair(34, self._seq, header=True)
        message.append_utc_timestamp(52, header=True)
        for tag, value in fields:
            message.append_pair(tag, value)
        self._seq += 1
        self._plug.sendall(message.encode())

    def receive(self) -> dict[int, str]:
        """The next message; {} at the end of the connection."""
        while (message := self._parser.get_message()) is None:
            data = self._plug.recv(65_536)
            if not data:
                self._plug.close()
                return {}
            self._parser.append_buffer(data)
        return {int(tag): value.decode() for tag, value in message.pairs}


# --- commands that end --------------------------------------------------------------------


def test_help_lists_the_commands() -> None:
    done = seamark("--help")
    assert done.returncode == 0
    for name in ("serve", "demo", "check-config", "echo"):
        assert re.search(rf"\b{name}\b", done.stdout), done.stdout


def test_check_config_finds_the_example_in_order() -> None:
    done = seamark("check-config", "config/exchange.toml")
    assert (done.returncode, done.stderr) == (0, "")
    assert "config/exchange.toml: in order." in done.stdout
    assert "127.0.0.1:9880" in done.stdout
    assert "BTC/USD" in done.stdout


def test_check_config_tells_every_error_on_a_line_of_its_own(tmp_path: Path) -> None:
    file = tmp_path / "venue.toml"
    file.write_text("[listen]\nport = 70000\n[session]\nname = 'x'\n[journal]\ndurability = 'x'\n")
    done = seamark("check-config", file)
    assert (done.returncode, done.stdout) == (1, "")
    lines = done.stderr.removeprefix("seamark: ").splitlines()
    assert sorted(line.removeprefix(f"{file}: ").partition(": ")[0] for line in lines) == [
        "journal.durability",
        "listen.port",
        "session.name",
    ]


def test_the_open_demo_is_not_opened_to_the_world(tmp_path: Path) -> None:
    line = refusal("serve", "--host", "0.0.0.0", "--port", 0, "--data", tmp_path / "data")
    assert "0.0.0.0 can be reached from other machines" in line
    assert "listen on 127.0.0.1" in line
    assert not (tmp_path / "data").exists()


@pytest.mark.parametrize(
    ("content", "what"),
    [
        (None, "No such file or directory"),
        ("<fix><header>", "not well-formed XML"),
        ("<fix/>", "<header> is missing"),
    ],
)
def test_a_bad_dictionary_is_named(tmp_path: Path, content: str | None, what: str) -> None:
    file = tmp_path / "FIX.xml"
    if content is not None:
        file.write_text(content)
    line = refusal("serve", "--port", 0, "--data", tmp_path / "data", "--dictionary", file)
    assert line.startswith(f"{file}: {what}")
    assert not (tmp_path / "data").exists()


def test_demo_without_a_venue_says_so_in_one_line() -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))  # bound, but nobody listens
        port = unused.getsockname()[1]
        line = refusal("demo", "--port", port)
    assert line.startswith(f"nobody listens on 127.0.0.1:{port}")
    assert "start the venue" in line


# --- a venue that runs --------------------------------------------------------------------


def test_serve_tells_where_it_listens_and_what_to_do_next(venue: Venue) -> None:
    said = venue.said().splitlines()
    assert re.match(r"Seamark \S+ listens on 127\.0\.0\.1:\d+, FIX\.4\.4\.", said[0])
    assert any("SEAMARK" in line for line in said)
    assert any(str(venue.data) in line for line in said)
    assert f"  Codec     {codec.described()}" in said
    assert said[-1].startswith("Next: ")
    assert str(venue.port) in said[-1]


def test_a_taken_port_is_told_in_one_line(venue: Venue, tmp_path: Path) -> None:
    line = refusal("serve", "--port", venue.port, "--data", tmp_path / "data")
    assert line == (
        f"cannot listen on 127.0.0.1:{venue.port}: something listens there already; "
        "stop it or choose another --port"
    )
    assert not (tmp_path / "data").exists(), "the address is taken first"


def test_a_directory_in_use_is_told_in_one_line(venue: Venue) -> None:
    line = refusal("serve", "--port", 0, "--data", venue.data)
    assert str(venue.data) in line
    assert "in use by another process" in line
    assert "choose another --data" in line


def test_demo_trades_and_shows_messages_by_name(venue: Venue) -> None:
    for _ in range(2):  # it can be repeated
        done = seamark("demo", "--port", venue.port)
        assert (done.returncode, done.stderr) == (0, "")
        for name in ("Logon", "NewOrderSingle", "ExecutionReport", "Logout"):
            assert name in done.stdout
        assert re.search(r"ExecutionReport.*ExecType=trade", done.stdout, re.IGNORECASE)
    assert venue.process.poll() is None


def test_ctrl_c_logs_everybody_out_and_the_next_start_knows_them(tmp_path: Path) -> None:
    running = Venue(tmp_path / "data")
    try:
        client = Client(running.port)
        client.send("A", (98, 0), (108, 30))
        assert client.receive()[35] == "A"
        running.process.send_signal(signal.SIGINT)
        logout = client.receive()
        assert logout[35] == "5"
        assert "closing" in logout[58]
        client.send("5")
        assert client.receive() == {}
        assert running.process.wait(PATIENCE_S) == 0
        assert running.said().splitlines()[-1].startswith("Closed: ")
        running = Venue(tmp_path / "data")
        assert re.search(r"Recovered +1 session", running.said())
        client = Client(running.port, seq=3)
        client.send("A", (98, 0), (108, 30))
        assert client.receive()[34] == "3", "after Logon and Logout"
        client.send("5")
        assert client.receive()[35] == "5"
        assert client.receive() == {}
        assert running.interrupt(signal.SIGTERM) == 0
    finally:
        running.end()
