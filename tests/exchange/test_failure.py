"""A fault of our own in the middle of a turn: nothing of it is shown, the journal stays true."""

from __future__ import annotations

from pathlib import Path

import pytest

from exchange.commands import Command
from exchange.events import VenueEvent
from exchange.venue import Venue
from sessions.journal import FILE_NAME
from tests.support.tcp import TcpClient, VenueProcess
from tests.support.world import World

_SABOTAGE = """
import exchange.venue, sys
from exchange.__main__ import main
apply = exchange.venue.Venue.apply
def broken(self, position, command):
    events = apply(self, position, command)
    if getattr(command, "cl_ord_id", b"") == b"poison":
        raise ZeroDivisionError("sabotage")
    return events
exchange.venue.Venue.apply = broken
sys.argv[0] = "seamark"
main()
"""


def test_a_fault_in_the_venue_ends_the_process_and_not_the_truth(tmp_path: Path) -> None:
    venue = VenueProcess(tmp_path, program=_SABOTAGE)
    client = TcpClient("C")
    client.connect(venue.port)
    client.order("good", 1, "1", "100")
    client.settle()
    client.order("poison", 1, "1", "100")
    with pytest.raises(ConnectionError):
        client.settle()
    client.drop()
    _, errors = venue.process.communicate(timeout=10)
    assert venue.process.returncode == 1
    assert "seamark: stopped by a fault of its own, ZeroDivisionError: sabotage" in errors
    world = World(tmp_path)
    assert world.venue.open_orders() == 1, "the order that was acknowledged, and only that one"
    assert [report[11] for report in client.reports] == ["good"]


def test_a_failed_turn_is_the_last(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    world = World(tmp_path)
    client = world.client("C")
    journal = (tmp_path / FILE_NAME).read_bytes()
    client.take()

    def broken(self: Venue, position: int, command: Command) -> list[VenueEvent]:
        raise ZeroDivisionError("sabotage")

    monkeypatch.setattr(Venue, "apply", broken)
    assert client.order("a", "buy", "1", "100") == []
    monkeypatch.undo()
    assert client.order("b", "buy", "1", "100") == []
    assert [str(failure) for failure in world.failures] == ["sabotage"]
    assert (tmp_path / FILE_NAME).read_bytes() == journal
