"""A fault of our own in the middle of a turn: nothing of it is shown, the journal stays true."""

from __future__ import annotations

from pathlib import Path

import pytest

from exchange.commands import Command
from exchange.events import VenueEvent
from exchange.venue import Venue
from fix_engine.errors import Reject
from fix_engine.message import Message
from fix_engine.session import Session
from fix_engine.validation import Validator
from sessions.journal import segment_path
from tests.support.tcp import TcpClient, VenueProcess
from tests.support.world import World

_SABOTAGE = """
import exchange.venue, sys
from exchange.__main__ import main
apply = exchange.venue.Venue.apply
def broken(self, position, now, command):
    events = apply(self, position, now, command)
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
    journal = segment_path(tmp_path, 1).read_bytes()
    client.take()

    def broken(self: Venue, position: int, now: int, command: Command) -> list[VenueEvent]:
        raise ZeroDivisionError("sabotage")

    monkeypatch.setattr(Venue, "apply", broken)
    assert client.order("a", "buy", "1", "100") == []
    monkeypatch.undo()
    assert client.order("b", "buy", "1", "100") == []
    assert [str(failure) for failure in world.failures] == ["sabotage"]
    assert segment_path(tmp_path, 1).read_bytes() == journal


def test_a_fault_in_a_session_machine_is_that_session_s_alone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    world = World()
    victim, other = world.client("VICTIM", "108=30|8013=Y|"), world.client("OTHER")
    victim.order("a", "buy", "1", "100")
    accept = Session.accept

    def broken(self: Session, message: Message, now: int) -> bool:
        is_for_us = accept(self, message, now)
        if message.get(b"112") == b"poison":
            raise ZeroDivisionError("sabotage")
        return is_for_us

    monkeypatch.setattr(Session, "accept", broken)
    victim.send("35=1|112=poison|")
    assert not victim.is_connected
    assert world.failures == []
    assert world.venue.open_orders() == 0, "it is lost as by any other loss of connection"
    assert other.order("b", "buy", "1", "100")[0][150] == "0"
    monkeypatch.undo()
    victim.seq -= 1  # what broke the machine was not counted
    seen = int(victim.received[-1][34])
    victim.take()
    victim.connect()
    victim.send("35=A|98=0|108=30|")
    (logon,) = victim.take()
    assert logon[35] == "A"
    victim.send(f"35=2|7={seen + 1}|16=0|")
    cancel, gap_fill = victim.take()
    assert (cancel[150], int(cancel[34])) == ("4", seen + 1), "no number is used twice or lost"
    assert gap_fill[123] == "Y"


def test_so_is_a_fault_over_a_message_that_waited_behind_a_gap(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    world = World()
    victim, other = world.client("VICTIM"), world.client("OTHER")
    check = Validator.check

    def broken(self: Validator, message: Message) -> Reject | None:
        if message.get(b"112") == b"poison":
            raise ZeroDivisionError("sabotage")
        return check(self, message)

    monkeypatch.setattr(Validator, "check", broken)
    victim.send("35=1|112=poison|", seq=3)
    assert victim.is_connected
    victim.send("35=0|", seq=2)
    assert not victim.is_connected
    assert world.failures == []
    assert other.order("b", "buy", "1", "100")[0][150] == "0"
    monkeypatch.undo()
    victim.connect()
    victim.send("35=A|98=0|108=30|", seq=3)
    assert victim.take()[-1][35] == "A", "the Heartbeat was counted, what broke the machine was not"
