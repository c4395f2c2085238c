"""Options of sessions, seen through the venue."""

from __future__ import annotations

from tests.support.world import Client, World


def test_a_second_logon_is_refused_or_takes_over() -> None:
    for replaces in (False, True):
        world = World(replaces_live=replaces)
        first = world.client("C")
        first.order("a", "buy", "1", "100")
        second = Client(world, "C")
        second.seq = first.seq
        second.connect()
        second.send("35=A|98=0|108=30|")
        assert first.is_connected is not replaces
        assert second.is_connected is replaces
        if replaces:
            assert first.received[-1][35] == "5"
            assert "Another connection" in first.received[-1][58]
            assert second.received[0][35] == "A"
            assert second.order("b", "buy", "1", "100")[0][150] == "0"
        else:
            assert second.received == []
            assert first.order("b", "buy", "1", "100")[0][150] == "0"
        assert world.venue.open_orders() == 2
