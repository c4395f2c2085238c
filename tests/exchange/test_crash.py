"""Real processes, killed with -9 in the middle of trading, and what the clients see of it."""

from __future__ import annotations

import random
import signal
from collections import Counter
from pathlib import Path

import pytest

from tests.support.tcp import TcpClient, VenueProcess


@pytest.mark.parametrize("seed", [1, 2])
def test_kill_9_loses_nothing_and_executes_nothing_twice(seed: int, tmp_path: Path) -> None:
    rng = random.Random(seed)
    clients = [TcpClient("ALICE"), TcpClient("BOB")]
    venue = VenueProcess(tmp_path)
    for client in clients:
        client.connect(venue.port)
    names: dict[str, list[str]] = {client.comp_id: [] for client in clients}
    for kill in range(2):
        for number in range(200):
            client = rng.choice(clients)
            name = f"{client.comp_id}-{kill}-{number}"
            names[client.comp_id].append(name)
            client.order(name, rng.choice((1, 2)), "1", str(rng.randint(99, 101)))
            if number == 100:
                client.settle()  # some answers are seen, the rest is under way when it happens
        venue.finish(signal.SIGKILL)
        for client in clients:
            client.drop()
        venue = VenueProcess(tmp_path)
        assert any(line.startswith("  Recovered 2 sessions") for line in venue.banner)
        for client in clients:
            client.connect(venue.port)
    for client in clients:
        client.settle()
        check_reports(client, names[client.comp_id], f"seed {seed}")
    assert sum(client.resent for client in clients), "nothing was missed: the test tests nothing"
    check_against_the_venue(clients, names)
    for client in clients:
        client.logout()
    out, _ = venue.finish(signal.SIGINT)
    assert "Closed" in out
    assert venue.process.returncode == 0


def check_reports(client: TcpClient, names: list[str], where: str) -> None:
    """Each order is accepted once, each ExecID seen once, and quantities add up."""
    accepted = Counter(report[11] for report in client.reports if report[150] == "0")
    assert accepted == Counter(names), where
    exec_ids = Counter(report[17] for report in client.reports)
    assert max(exec_ids.values()) == 1, where
    places = [tuple(map(int, report[17].split("-"))) for report in client.reports]
    assert places == sorted(places), f"{where}: reports out of the order of events"


def check_against_the_venue(clients: list[TcpClient], names: dict[str, list[str]]) -> None:
    """What each client has been told of each of its orders is what the venue says it is."""
    for client in clients:
        told = {report[11]: (report[39], report[14], report[151]) for report in client.reports}
        sides = {report[11]: report[54] for report in client.reports}
        before = len(client.reports)
        for name in names[client.comp_id]:
            client.send("H", (11, name), (55, "BTC/USD"), (54, sides[name]))
        client.settle()
        says = {r[11]: (r[39], r[14], r[151]) for r in client.reports[before:]}
        assert says == told
