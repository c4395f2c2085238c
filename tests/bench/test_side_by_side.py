"""What is made of measurements."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

import typer
from typer.testing import CliRunner

from bench import draw
from bench.side_by_side import Contender, Measured, figures, full, measure, plots, sheets
from bench.venue import NullAcceptor
from tests.bench.test_plots import drawn

SAID = {
    "answered": 10,
    "unanswered": 0,
    "rejected": 0,
    "fills": 10,
    "per_second": 100,
    "p25": 1,
    "p50": 2,
    "p95": 3,
    "p99": 4,
    "p99.9": 5,
    "jitter": 2,
    "late_p99": 1,
}


def some() -> dict[str, object]:
    out = []
    for number, (ours, theirs) in enumerate(((100, 50), (200, 50))):
        for name, rate in (("ours", ours), ("theirs", theirs)):
            said = SAID | {"per_second": rate, "p50": 1000 / rate, "fills": rate // 10}
            out.append(Measured(number, name, "cross", "throughput", said, 8.0, 1_000_000))
            out.append(Measured(number, name, "1,000", "latency", said, 8.0, 1_000_000))
    return figures("peers", {"python": "3"}, "ours", reversed(out))


def test_ratios_are_by_pairs_to_the_base() -> None:
    throughput, latency = sheets(some())
    by_name = {row[0]: row for row in throughput.rows}
    assert by_name["theirs"][2] == "50 (50-50)"
    assert by_name["theirs"][3] == "0.38 (0.25-0.50)"
    assert by_name["ours"][-1] == "-10"
    assert by_name["theirs"][-1] == "10", "orders without a fill are lost"
    assert {row[0]: row[-3] for row in latency.rows}["theirs"] == "3.00 (2.00-4.00)"


def test_plots_are_drawn_for_every_rate() -> None:
    found = plots(some())
    assert set(found) == {"peers-throughput", "peers-cpu", "peers-latency-1000"}
    for text in found.values():
        drawn(text)


def test_a_run_can_be_drawn_later(tmp_path: Path) -> None:
    machine = {"python": "3", "kernel": "6", "processor": "one", "load": 0.1}
    (tmp_path / "run.json").write_text(json.dumps({**some(), "machine": machine}))
    app = CliRunner()
    program = typer.Typer()
    program.command()(draw.main)
    run = app.invoke(program, [str(tmp_path / "run.json"), "--plots", str(tmp_path / "plots")])
    assert run.exit_code == 0, run.output
    assert "| theirs | cross | 50 (50-50) |" in run.output
    assert (tmp_path / "plots" / "peers-cpu.svg").exists()


def test_contenders_take_turns(tmp_path: Path) -> None:
    started: list[str] = []
    contenders = []
    for name in ("a", "b"):

        def start(home: Path, name: str = name) -> NullAcceptor:
            assert not any(home.iterdir())
            started.append(name)
            return NullAcceptor()

        contenders.append(Contender(name, start))
    found = measure(contenders, [full("rest", 4, 50)], 2, tmp_path, warm_up=40)
    assert started == ["a", "b", "b", "a"]
    assert [asdict(one)["found"]["answered"] for one in found] == [200] * 4
    assert not list(tmp_path.iterdir())
