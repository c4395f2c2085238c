"""Drop copies of a real venue, which is killed, over real connections."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

from tests.support.tcp import TcpClient, VenueProcess

_SETTINGS = """
[access]
policy = "accounts"
[[accounts]]
name = "FUND-A"
sessions = [{ comp_id = "A1", addresses = ["127.0.0.1"] }]
[[accounts]]
name = "FUND-B"
sessions = [{ comp_id = "B1", addresses = ["127.0.0.1"] }]
[[accounts]]
name = "OFFICE"
[[accounts.sessions]]
comp_id = "RISK"
addresses = ["127.0.0.1"]
rights = ["drop-copy"]
copies = ["FUND-A", "FUND-B"]
"""
_ADDED = (1, 34, 43, 52, 56, 8, 9, 10, 97, 122, 447, 448, 452, 453, 568, 797)

Told = list[tuple[tuple[int, str], ...]]


def told(reports: list[dict[int, str]]) -> Told:
    """ExecutionReports by ExecID, without what a copy or a repetition adds."""
    found = [
        tuple((tag, one[tag]) for tag in sorted(one) if tag not in _ADDED)
        for one in reports
        if one[35] == "8"
    ]
    return sorted(found, key=lambda one: tuple(map(int, dict(one)[17].split("-"))))


def trade(a: TcpClient, b: TcpClient, numbers: range) -> None:
    for number in numbers:
        a.order(f"a{number}", 1, "2", "100")
        b.order(f"b{number}", 2, "1", "100")
    for client in (a, b, a):  # what each has done is told to the other, whoever was read first
        client.settle()


def test_nothing_is_lost_to_who_watches_when_the_venue_is_killed(tmp_path: Path) -> None:
    config, data = tmp_path / "venue.toml", tmp_path / "data"
    config.write_text(_SETTINGS)
    options = ("--config", str(config), "--durability", "os")
    venue = VenueProcess(data, *options)
    a, b, risk = clients = [TcpClient(name) for name in ("A1", "B1", "RISK")]
    try:
        for client in clients:
            client.connect(venue.port)
        trade(a, b, range(10))
        risk.settle()
        assert told(risk.reports) == told(a.reports + b.reports)
        risk.drop()
        trade(a, b, range(10, 20))
        venue.finish(signal.SIGKILL)
        a.drop()
        b.drop()
        venue = VenueProcess(data, *options)
        for client in clients:
            client.connect(venue.port)
        trade(a, b, range(20, 30))
        risk.settle()
        everything = told(a.reports + b.reports)
        assert told(risk.reports) == everything
        assert [one[797] for one in risk.reports] == ["Y"] * len(everything)
        # From the journal once more, by the ExecID of the last one before the kill.
        last = next(one for one in reversed(risk.reports) if one[11] == "b9")[17]
        risk.reports.clear()
        risk.send("AD", (568, "again"), (569, 0), (8060, last))
        while not risk.reports or risk.reports[-1].get(750) != "1":
            risk.receive()
        place = [dict(one)[17] for one in everything].index(last)
        assert told(risk.reports) == everything[place + 1 :]
    finally:
        for client in clients:
            client.drop()
        venue.finish(signal.SIGTERM)
    command = [sys.executable, "-m", "exchange", "journal", "verify", "--data", str(data)]
    verified = subprocess.run(command, capture_output=True, text=True, check=False)
    assert verified.returncode == 0, verified.stdout + verified.stderr
