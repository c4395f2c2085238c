"""A real venue: somebody who does not read its market data keeps nobody waiting."""

from __future__ import annotations

import signal
import time
from pathlib import Path

from tests.support.tcp import TcpClient, VenueProcess

_SUBSCRIPTIONS = 40
_ROUNDS, _ORDERS = 5, 200
_LEVELS = 60  # of each side, so that a full refresh is some kilobytes


def subscribe(client: TcpClient, name: str, update: int = 1) -> None:
    """To both sides and the trades of an instrument."""
    client.send(
        "V",
        *((262, name), (263, 1), (264, 0), (265, update)),
        *((267, 3), (269, 0), (269, 1), (269, 2), (146, 1), (55, "BTC/USD")),
    )


def trade(client: TcpClient, count: int, name: str) -> None:
    """Orders one after the other, each awaited."""
    for number in range(count):
        client.order(f"{name}{number}", 1 + number % 2, "1", str(100 + number % 7))
        while client.receive()[35] != "8":
            pass


def told(client: TcpClient) -> None:
    """Read until nothing more comes: updates come behind a Heartbeat that was asked for."""
    count = -1
    while count != len(client.reports):
        count = len(client.reports)
        client.settle()
        time.sleep(0.1)
        client.settle()


def test_a_reader_that_does_not_read_delays_nobody_and_catches_up(tmp_path: Path) -> None:
    venue = VenueProcess(tmp_path, "--durability", "os")
    try:
        trader, slow, fast = (TcpClient(name) for name in ("TRADER", "SLOW", "FAST"))
        for one in (trader, slow, fast):
            one.connect(venue.port)
        for number in range(_LEVELS):
            trader.order(f"b{number}", 1, "1", str(1 + number))
            trader.order(f"s{number}", 2, "1", str(200 + number))
        trader.settle()
        for number in range(_SUBSCRIPTIONS):
            subscribe(slow, f"s{number}", number % 2)
        subscribe(fast, "f")
        fast.settle()
        for number in range(_ROUNDS):
            trade(trader, _ORDERS, f"beside{number}-")
            time.sleep(0.3)  # for all that has come of it to be told, as far as it is read
        told(fast)
        updates = [one for one in fast.reports if one[35] == "X"]
        assert len(fast.reports) == 1 + len(updates), "who reads is told every update"
        assert all(8027 not in one for one in updates)
        told(slow)
        catching_up = [one for one in slow.reports if one[35] == "W" and one.get(8027) == "Y"]
        assert catching_up, "the kernel has taken all of it: more orders are needed"
        last = {one[262]: one for one in slow.reports}
        assert len(last) == _SUBSCRIPTIONS
        (seq,) = {one[83] for name, one in last.items() if int(name[1:]) % 2}
        assert seq == updates[-1][83]
        for one in (trader, slow, fast):
            one.drop()
    finally:
        out = venue.finish(signal.SIGTERM)
    assert "Traceback" not in "".join(out), out
