"""Many sessions in one process, against a venue."""

from __future__ import annotations

from pathlib import Path

import pytest

from bench import crowd
from bench.sessions import sheets
from bench.venue import VenueUnderTest


def test_a_crowd_logs_on_trades_and_is_logged_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(crowd, "_LAST_S", 0.05)
    with (
        VenueUnderTest(tmp_path, "--durability", "memory") as venue,
        crowd.Crowd((venue.host, venue.port), crowd.EARLY + 3, 30) as some,
    ):
        storm = some.storm(100)
        assert (storm["asked"], storm["in"], storm["dropped"]) == (3, 3, 0)
        run = some.run(0.2, 100)
        assert run["orders"] >= 15
        assert (run["unanswered"], run["refused"], run["lost"], run["heartbeats"]) == (0, 0, 0, 0)
        assert 0 < run["order_p50"] <= run["order_p99"] <= run["order_worst"]
        burst = some.burst(venue.pid)
        assert (burst["orders"], burst["unanswered"], burst["refused"]) == (7, 0, 0)
        assert 0 < burst["first_s"] <= burst["order_p50"]
        venue.ask_to_end()
        end = some.end()
        assert (end["sessions"], end["logouts"], end["closed"]) == (7, 7, 7)
    phases = {"storm": storm, "idle": run, "trading": run, "burst": burst, "closing": end}
    for one in phases.values():
        one |= {"venue_core": 0.1, "venue_cpu_s": 0.1, "bytes_each": 9_000, "ended_s": 1.0}
    figures = {"sessions": 7, "interval_s": 30, "durability": "memory", "phases": phases}
    for sheet in sheets(figures):
        assert all(len(row) == len(sheet.columns) for row in sheet.rows)


def test_a_heartbeat_that_never_comes_is_late() -> None:
    with crowd.Crowd(("127.0.0.1", 1), 2, 10) as some:
        for one in some._members:
            one.is_in = True
        some._members[0].due_from = 1  # long ago
        some._members[1].due_from = 1 << 62
        some._count_overdue()
        assert len(some._lateness) == 1
