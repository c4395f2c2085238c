"""A real venue asked over a socket, by somebody else's FIX engine."""

from __future__ import annotations

import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner

from exchange.__main__ import app
from exchange.tools.__main__ import app as tools
from tests.support.tcp import TcpClient, VenueProcess


@pytest.fixture
def venue(tmp_path: Path) -> Iterator[VenueProcess]:
    running = VenueProcess(tmp_path / "data")
    yield running
    running.finish(signal.SIGTERM)


def operator(*arguments: object) -> None:
    done = CliRunner().invoke(app, [str(one) for one in arguments])
    assert done.exit_code == 0, done.output


def until(client: TcpClient, msg_type: str, tag: int, value: str) -> dict[int, str]:
    """Receive on, up to the message of this type with this field."""
    deadline = time.monotonic() + 10
    while (message := client.receive())[35] != msg_type or message.get(tag) != value:
        assert time.monotonic() < deadline
    return message


def test_a_client_learns_all_there_is_to_know_and_what_changes(
    venue: VenueProcess, tmp_path: Path
) -> None:
    data = tmp_path / "data"
    client = TcpClient("ASKER")
    client.connect(venue.port)
    client.send("x", (320, "list"), (559, 4), (263, 1))
    client.send("c", (320, "one"), (321, 0), (55, "BTC/USD"))
    client.send("e", (324, "status"), (55, "BTC/USD"), (263, 1))
    client.send("g", (335, "hours"), (263, 1))
    client.settle()
    list_, one, status, hours = client.reports
    assert (list_[35], list_[560], list_[393], list_[893]) == ("y", "0", "4", "Y")
    assert (one[35], one[323], one[55], one[969]) == ("d", "1", "BTC/USD", "0.1")
    assert (status[35], status[324], status[8021]) == ("f", "status", "open")
    assert (hours[35], hours[335], hours[340]) == ("h", "hours", "2")

    operator("market", "--data", data, "BTC/USD", "halted", "--reason", "news")
    assert until(client, "f", 8021, "halted")[325] == "Y"
    assert until(client, "y", 320, "list")[8021] == "halted"
    times = ("--starts-in", 3600, "--lasts", 60, "--reason", "a release")
    operator("maintenance", "--data", data, *times)
    assert until(client, "h", 8047, "a release")[340] == "2"
    operator("maintenance", "--data", data, "--cancel")
    assert 344 not in until(client, "h", 340, "2")
    client.settle()
    assert [one[35] for one in client.reports[4:]] == ["f", "y", "h", "h"], "each change once"
    client.logout()

    venue.finish(signal.SIGTERM)
    result = CliRunner().invoke(tools, ["journal", "verify", "--data", str(data)])
    assert result.exit_code == 0, result.output
    assert "of desks" in result.output
