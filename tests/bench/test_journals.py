"""Journals of benchmarks: made, counted, and out of the page cache."""

from __future__ import annotations

import json
from pathlib import Path

from typer.testing import CliRunner

from bench.journals import Batching, count_batches, drop_pages, segment_files
from bench.making import NOTE, Made, make_journal
from bench.report import table, write_json
from exchange.tools.journal_cli import app
from sessions.journal import Durability, Journal, Kind


def test_orders_and_batches_are_counted_by_time(tmp_path: Path) -> None:
    journal = Journal(tmp_path, Durability.OS)
    list(journal.recover())
    for stamp, orders in ((10, 3), (20, 0), (20, 1), (30, 5)):
        journal.add(Kind.SENT, 1, 1, 1, b"report")
        for _ in range(orders):
            journal.add(Kind.COMMAND, 1, 1, 1, b"order")
        journal.commit(stamp)
    journal.close()
    windows = [Batching(10, 20), Batching(21, 30)]
    count_batches(tmp_path, windows)
    assert [(one.orders, one.batches) for one in windows] == [(4, 2), (5, 1)]


def test_files_are_the_same_without_their_pages(tmp_path: Path) -> None:
    path = tmp_path / "journal-000001.seamark"
    path.write_bytes(b"x" * 10_000)
    drop_pages(segment_files(tmp_path))
    assert path.read_bytes() == b"x" * 10_000


def test_a_journal_that_was_made_verifies(tmp_path: Path) -> None:
    make_journal(tmp_path, Made(messages=3_000, sessions=3, behind=1_000))
    made = Made(**json.loads((tmp_path / NOTE).read_text()))
    assert len(list(tmp_path.glob("snapshot-*.seamark"))) == 2
    run = CliRunner().invoke(app, ["verify", "--data", str(tmp_path), "--json"])
    found = json.loads(run.stdout)
    assert found["ok"], found
    assert found["end"] == "closed"
    assert (found["inputs"], found["batches"]) == (made.inputs, made.batches)
    assert found["inputs"] + found["reports"] + found["session_messages"] >= 3_000


def test_a_table_has_every_figure() -> None:
    made = table("title", ("name", "figure"), [("a", "1"), ("b", "2")])
    assert made.row_count == 2
    assert [one.justify for one in made.columns] == ["left", "right"]


def test_figures_are_written_when_asked_for(tmp_path: Path) -> None:
    path = tmp_path / "figures.json"
    write_json(None, {"a": 1})
    write_json(path, {"a": [1, 2]})
    assert json.loads(path.read_text()) == {"a": [1, 2]}
