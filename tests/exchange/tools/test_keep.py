"""`seamark journal snapshot` and `compact`, and the tools on a journal that was shortened."""

from __future__ import annotations

import json
import random
import shutil
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from exchange.tools.verify import Verifier
from fix_engine.timestamps import SECOND_NS
from sessions.journal import Kind
from sessions.retention import DAY_NS
from sessions.snapshot import Snapshot, read_snapshots
from tests.exchange.test_recovery import trade_at_random
from tests.exchange.tools.days import batches_of, line_of, run
from tests.support.messages import ROOT
from tests.support.world import START_NS, World

SMALL = 2_500
LIMITS = ("--resend-days", "2", "--keep-bytes", "1")


@pytest.fixture(scope="module")
def week(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Seven days of trading without a snapshot, closed; not to be changed."""
    directory = tmp_path_factory.mktemp("week") / "data"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("sessions.journal.segment._CHUNK", 1 << 13)
        for name in ("fsync", "fdatasync"):  # nothing here asks what a loss of power leaves
            patch.setattr(f"os.{name}", lambda fd: None)
        world = traded(directory, 7)
        world.journal.close()
    return directory


@pytest.fixture(autouse=True)
def small_growth(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sessions.journal.segment._CHUNK", 1 << 13)
    for name in ("fsync", "fdatasync"):  # nothing here asks what a loss of power leaves
        monkeypatch.setattr(f"os.{name}", lambda fd: None)


@pytest.fixture
def data(week: Path, tmp_path: Path) -> Path:
    """A copy of the week."""
    return Path(shutil.copytree(week, tmp_path / "data"))


@pytest.fixture
def short(data: Path) -> Path:
    """A journal that was shortened, with a snapshot in the middle and one at its end."""
    assert run("journal", "snapshot", "--data", data).exit_code == 0
    world = World(data, segment_bytes=SMALL, now=START_NS + 7 * DAY_NS)
    clients = [world.client(f"C{number}", "108=30|141=Y|") for number in range(3)]
    trade_at_random(world, clients, random.Random(9), 20)
    clients[0].order("resting", "buy", "1", "1")
    world.journal.close()
    result = run("journal", "compact", "--data", data, *LIMITS)
    assert result.exit_code == 0, result.output
    assert not (data / "journal-000001.seamark").exists()
    return data


def traded(directory: Path, days: int) -> World:
    world, rng = World(directory, segment_bytes=SMALL), random.Random(1)
    clients = [world.client(f"C{number}") for number in range(3)]
    for day in range(days):
        world.now = START_NS + day * DAY_NS
        trade_at_random(world, clients, rng, 12)
    return world


def contents(directory: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in directory.glob("*.seamark")}


def said(*arguments: object) -> dict[str, object]:
    result = run(*arguments, "--json")
    assert result.exit_code == 0, result.output
    found = json.loads(result.output)
    assert isinstance(found, dict)
    return found


# --- the commands ---------------------------------------------------------------------------


def test_snapshot_writes_one_and_says_where(data: Path) -> None:
    before = contents(data)
    result = run("journal", "snapshot", "--data", data)
    assert result.exit_code == 0
    (snapshot,) = read_snapshots(data)
    assert isinstance(snapshot, Snapshot)
    path = next(data.glob("snapshot-*"))
    line = f"Written    {path}, up to position {snapshot.place.position:,}\n"
    assert result.output == line
    found = said("journal", "snapshot", "--data", data, *LIMITS)
    assert found["file"] == str(path)
    assert found["position"] == snapshot.place.position
    assert {name: raw for name, raw in contents(data).items() if name != path.name} == before
    world = World(data, segment_bytes=SMALL)
    assert world.journal.position >= snapshot.place.position


def test_snapshot_beside_a_venue_disturbs_nobody(tmp_path: Path) -> None:
    world = traded(tmp_path / "data", 2)
    found = said("journal", "snapshot", "--data", tmp_path / "data")
    assert found["position"] == world.journal.position
    assert world.client("NEW").order("a", "buy", "1", "90")[0][150] == "0"


def test_a_dry_run_says_what_would_go_and_compact_does_it(data: Path) -> None:
    assert run("journal", "snapshot", "--data", data).exit_code == 0
    world = World(data, segment_bytes=SMALL, now=START_NS + 30 * DAY_NS)
    world.client("LATE").order("a", "buy", "1", "90")
    world.journal.close()
    before = contents(data)
    would = said("journal", "compact", "--data", data, "--dry-run", *LIMITS)
    words = run("journal", "compact", "--data", data, "--dry-run", *LIMITS).output
    assert words.startswith("Would go ")
    assert contents(data) == before
    assert would["removed"] == 0
    assert would["bytes"] != 0
    done = said("journal", "compact", "--data", data, *LIMITS)
    gone = [name for name in before if name not in contents(data)]
    assert done["removed"] == len(gone) > 5
    assert done["bytes"] == would["bytes"] == sum(len(before[name]) for name in gone)
    assert done["first_segment"] == would["first_segment"]


def test_a_shortened_journal_can_do_without_its_newest_snapshot(data: Path) -> None:
    """Two commands at one place leave one file, on which everything depends."""
    for command in ("snapshot", "compact"):
        assert run("journal", command, "--data", data, *LIMITS).exit_code == 0
    next(iter(sorted(data.glob("snapshot-*"), reverse=True))).unlink()
    assert (data / "journal-000001.seamark").exists() or list(read_snapshots(data))


def test_compact_removes_what_is_not_needed_behind_a_second_snapshot(short: Path) -> None:
    names = sorted(path.name for path in short.glob("journal-*"))
    newest = next(read_snapshots(short))
    assert isinstance(newest, Snapshot)
    assert names[0] == f"journal-{newest.first_segment:06d}.seamark"
    again = said("journal", "compact", "--data", short, *LIMITS)
    assert (again["removed"], again["bytes"]) == (0, 0)


def test_without_limits_compact_removes_nothing(data: Path) -> None:
    before = contents(data)
    found = said("journal", "compact", "--data", data)
    assert (found["removed"], found["bytes"], found["first_segment"]) == (0, 0, 1)
    assert before.items() <= contents(data).items()


def test_compact_is_refused_while_a_venue_runs(tmp_path: Path) -> None:
    world = traded(tmp_path, 2)
    before = contents(tmp_path)
    line = line_of(run("journal", "compact", "--data", tmp_path, *LIMITS))
    assert "is in use by another process, pid " in line
    assert contents(tmp_path) == before
    dry = run("journal", "compact", "--data", tmp_path, "--dry-run", *LIMITS)
    assert dry.exit_code == 0, "it changes nothing"
    world.journal.close()
    assert run("journal", "compact", "--data", tmp_path, *LIMITS).exit_code == 0


@pytest.mark.parametrize("command", ["snapshot", "compact"])
def test_no_journal_is_one_line(command: str, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    assert "holds no journal" in line_of(run("journal", command, "--data", tmp_path / "empty"))
    assert "resend-days" in run("journal", command, "--data", tmp_path, "--resend-days", 0).output


def test_a_damaged_journal_is_not_compacted(data: Path) -> None:
    path = data / "journal-000002.seamark"
    raw = bytearray(path.read_bytes())
    raw[len(raw) // 2] ^= 1
    path.write_bytes(raw)
    before = contents(data)
    for command in ("snapshot", "compact"):
        assert "is damaged at byte" in line_of(run("journal", command, "--data", data, *LIMITS))
    assert contents(data) == before


def test_a_journal_that_was_compacted_twice_can_be_verified(short: Path) -> None:
    for day in (30, 60, 90):
        world = World(short, segment_bytes=SMALL, now=START_NS + day * DAY_NS)
        client = world.client("LATE", "108=30|141=Y|")
        for number in range(12):
            client.order(f"a{day}-{number}", "buy", "1", "90")
        world.journal.close()
    for _ in range(2):
        assert run("journal", "compact", "--data", short, *LIMITS).exit_code == 0
    result = run("journal", "verify", "--data", short)
    assert result.exit_code == 0, result.output


def test_the_background_ends_with_the_venue_that_has_started_it() -> None:
    program = (
        "from exchange.tools.keep_cli import _stay_in_the_background as stay; import os, time;"
        "stay(); print(os.nice(0), flush=True); time.sleep(60)"
    )
    with subprocess.Popen(
        [sys.executable, "-c", program],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        assert process.stdin is not None
        assert int(process.stdout.readline()) == 19
        process.stdin.close()
        assert process.wait(10) == 1


# --- the tools on what is left ----------------------------------------------------------------


def test_verify_begins_behind_the_oldest_snapshot(short: Path) -> None:
    found = said("journal", "verify", "--data", short)
    assert found["ok"] is True
    oldest = list(read_snapshots(short))[-1]
    assert isinstance(oldest, Snapshot)
    assert found["inputs"] == int(str(found["position"])) - oldest.place.position
    assert found["snapshots"] == 1, "the other is where it began"


def test_verify_says_where_it_began(short: Path) -> None:
    oldest = list(read_snapshots(short))[-1]
    assert isinstance(oldest, Snapshot)
    begins = f"Begins behind position {oldest.place.position:,}; what was before is gone."
    assert begins in run("journal", "verify", "--data", short).output


def test_verify_finds_a_snapshot_that_is_wrong(
    short: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Verifier, "_is_equal", lambda self, snapshot: False)
    result = run("journal", "verify", "--data", short)
    assert result.exit_code == 1
    assert "the snapshot of this place is not what the journal leads to" in result.output


@pytest.mark.parametrize("command", [("journal", "verify"), ("book", "BTC/USD")])
def test_without_a_snapshot_there_is_one_line(command: tuple[str, ...], short: Path) -> None:
    for path in short.glob("snapshot-*"):
        path.unlink()
    assert "there is no snapshot of what was then" in line_of(run(*command, "--data", short))


def test_book_knows_what_rests_from_before(short: Path) -> None:
    found = said("book", "BTC/USD", "--data", short, "--orders")
    world = World(short, segment_bytes=SMALL, now=START_NS + 8 * DAY_NS)
    assert found["position"] <= world.journal.position  # type: ignore[operator]
    bids, asks = found["bids"], found["asks"]
    assert isinstance(bids, list)
    assert isinstance(asks, list)
    assert len(bids) + len(asks) == world.venue.open_orders()
    assert all(one["session"] in ("C0", "C1", "C2") for one in bids + asks)
    assert bids[-1]["cl_ord_id"] == "resting"


def test_names_and_figures_are_there_without_their_beginning(short: Path) -> None:
    info = said("journal", "info", "--data", short)
    records = [record for batch in batches_of(short) for record in batch.records]
    assert sum(info["records"].values()) == len(records)  # type: ignore[attr-defined]
    assert not any(record.kind is Kind.SESSION for record in records)
    names = [one["comp_id"] for one in info["sessions"]]  # type: ignore[attr-defined]
    assert names == ["C0", "C1", "C2"]
    lines = run("journal", "cat", "--data", short, "--json").output.splitlines()
    assert len(lines) == len(records)
    assert {json.loads(line)["session"] for line in lines if "C" in line} >= {"C0", "C1", "C2"}
    shown = run("log", "--data", short, "--session", "C1")
    assert shown.exit_code == 0, shown.output
    assert shown.output.splitlines()
    target = short.parent / "out.sqlite"
    assert run("journal", "export", "--data", short, "--to", target).exit_code == 0
    with closing(sqlite3.connect(target)) as tables:
        assert tables.execute("select count(*) from records").fetchone() == (len(records),)


def test_times_of_day_are_those_of_the_last_day(short: Path) -> None:
    last = max(batch.stamp for batch in batches_of(short))
    assert last >= START_NS + 7 * DAY_NS
    at = f"{(last // SECOND_NS) % 86_400 // 3_600:02d}:59"
    assert run("log", "--data", short, "--to", at).exit_code == 0
