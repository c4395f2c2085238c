"""The collector: short pauses however large the venue, and nothing that it would be needed for."""

from __future__ import annotations

import asyncio
import gc
import signal
import socket
from collections.abc import Iterator
from pathlib import Path
from weakref import ref

import pytest
import uvloop

from exchange import garbage
from exchange.garbage import Garbage
from exchange.service import collect_seldom
from fix_engine.timestamps import SECOND_NS
from tests.support.tcp import TcpClient, VenueProcess
from tests.support.world import World

_HOUR = 3_600 * SECOND_NS
# A venue that never collects, and says how much there is to collect when it is asked.
_UNSWEPT = """
import gc, signal, sys
from exchange.__main__ import main
from exchange.garbage import Garbage

def tell(*_):
    print("in cycles:", gc.collect(), "enabled:", gc.isenabled(), file=sys.stderr, flush=True)

Garbage.sweep = lambda self: None
signal.signal(signal.SIGUSR1, tell)
main()
"""


class Thing:
    """May be part of a cycle."""

    itself: Thing

    def __init__(self) -> None:
        self.itself = self


@pytest.fixture(autouse=True)
def _collector() -> Iterator[None]:
    yield
    gc.unfreeze()
    gc.enable()


def begun(is_idle: bool = False) -> Garbage:
    """One that has taken over, at second 1."""
    one = Garbage(lambda: is_idle)
    one.begin()
    one.on_time(SECOND_NS)
    return one


def test_what_lives_is_looked_at_once() -> None:
    one = begun()
    living = [Thing() for _ in range(100)]
    one.on_time(2 * SECOND_NS)
    assert len(gc.get_objects()) < len(living), "everything has been set aside"
    assert gc.get_freeze_count() > len(living)
    assert one.found == 0
    assert not gc.isenabled()


def test_what_was_there_before_the_first_time_is_not_looked_at() -> None:
    one = Garbage(lambda: False)
    one.begin()
    thing = Thing()
    known = ref(thing)
    del thing
    one.on_time(SECOND_NS)
    one.on_time(2 * SECOND_NS)
    assert known() is not None


def test_young_cycles_go_with_the_next_look_and_are_counted() -> None:
    one = begun()
    known = ref(Thing())
    assert known() is not None
    one.on_time(2 * SECOND_NS)
    assert known() is None
    assert one.found >= 1


@pytest.mark.parametrize("is_idle", [True, False])
def test_old_cycles_go_when_a_pause_is_nobodys(is_idle: bool) -> None:
    one = begun(is_idle)
    thing = Thing()
    known = ref(thing)
    one.on_time(2 * SECOND_NS)
    del thing
    one.on_time(_HOUR)
    assert known() is not None
    one.on_time(7 * _HOUR)
    assert (known() is None) is is_idle


def test_who_is_busy_is_asked_again_soon() -> None:
    busy = [True]
    one = Garbage(lambda: not busy[0])
    one.begin()
    one.on_time(SECOND_NS)
    thing = Thing()
    known = ref(thing)
    one.on_time(2 * SECOND_NS)
    del thing
    one.on_time(7 * _HOUR)
    busy[0] = False
    one.on_time(7 * _HOUR + 61 * SECOND_NS)
    assert known() is None


def test_the_longest_pause_is_told_once_an_hour(monkeypatch: pytest.MonkeyPatch) -> None:
    told = []
    monkeypatch.setattr(garbage.log, "info", lambda what, **figures: told.append((what, figures)))
    times = iter((0, 10_000, 20_000, 27_000, 30_000, 31_000))
    one = Garbage(lambda: False, lambda: next(times))
    one.begin()
    for at in (1, 2, 3):
        one.on_time(at * SECOND_NS)
    assert told == []
    one.on_time(2 * _HOUR)
    assert told == [("garbage", {"longest_pause_us": 10, "in_cycles": 0})]
    assert one.longest_ns == 0


def test_a_loop_whose_connections_leave_cycles_keeps_its_collector() -> None:
    async def watchers() -> int:
        sequencer = World().sequencer
        before = len(sequencer._watchers)
        collect_seldom(sequencer)
        return len(sequencer._watchers) - before

    assert asyncio.run(watchers()) == 0
    assert gc.isenabled()
    assert uvloop.run(watchers()) == 1
    assert not gc.isenabled()


def _come_and_go(port: int, number: int) -> None:
    """A client that trades and reads, and leaves in one way or another; and a stranger."""
    client = TcpClient(f"C{number}")
    client.connect(port)
    for update in (0, 1):
        client.send(
            "V",
            *((262, f"v{update}"), (263, 1), (264, 0), (265, update), (266, "NY"[update])),
            *((267, 3), (269, 0), (269, 1), (269, 2), (146, 1), (55, "BTC/USD")),
        )
    for place in range(6):
        client.order(f"o{place}", 1 + place % 2, "1", "100")
    client.send("D", (11, "not an order"))
    client.send("AD", (568, "history"), (569, 0), (263, 0))
    client.settle()
    if number % 2:
        client.logout()
    else:
        client.drop()
    with socket.create_connection(("127.0.0.1", port)) as stranger:
        stranger.sendall(b"GET / HTTP/1.0\r\n\r\n" * (number % 3))


def test_a_storm_of_connections_and_orders_leaves_nothing_to_collect(tmp_path: Path) -> None:
    venue = VenueProcess(tmp_path, "--durability", "os", program=_UNSWEPT)
    try:
        for number in range(12):
            _come_and_go(venue.port, number)
        last = TcpClient("LAST")
        last.connect(venue.port)
        venue.process.send_signal(signal.SIGUSR1)
        last.settle()
        last.logout()
    finally:
        _, said = venue.finish(signal.SIGTERM)
    assert "in cycles: 0 enabled: False" in said, said
