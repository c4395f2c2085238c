"""The tools on a journal in which sessions have numbers of messages that are not stored."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from exchange.rerun import Rerun
from exchange.tools.checkpoint import make_checkpoint
from exchange.tools.verify import Divergence, Verifier
from sessions.journal import Batch, Kind, Record
from sessions.retention import Retention
from sessions.snapshot import Snapshot, read_snapshots
from tests.exchange.tools.days import batches_of, rebuilt, run, with_field
from tests.support.world import Client, World


def traded(world: World) -> Client:
    """A Logon, three reports and two streams around the second."""
    client = world.client("READER")
    client.order("a", "buy", "1", "100")
    client.stream(40)
    client.order("b", "buy", "1", "100")
    client.stream(2_000)
    client.order("c", "buy", "1", "100")
    return client


@pytest.fixture
def day(tmp_path: Path) -> Path:
    """Ended by a loss of the connection, closed."""
    directory = tmp_path / "day"
    world = World(directory)
    traded(world).drop()
    world.journal.close()
    return directory


def verified(
    directory: Path, snapshot: Snapshot | None = None
) -> tuple[Verifier, Divergence | None]:
    verifier = Verifier(Rerun())
    if snapshot is not None:
        verifier.snapshots[snapshot.place.offset] = snapshot
    for batch in batches_of(directory):
        found = verifier.check(batch)
        if found is not None:
            return verifier, found
    return verifier, None


def of_kind(directory: Path, kind: Kind) -> list[Record]:
    return [one for batch in batches_of(directory) for one in batch.records if one.kind is kind]


def with_seq(record: Record, seq: int) -> Record:
    old, new = b"\x0134=%d\x01" % record.seq, b"\x0134=%d\x01" % seq
    return replace(record, seq=seq, payload=with_field(record.payload, old, new))


def changed(record: Record, into: Record) -> Callable[[Batch], list[Record]]:
    return lambda batch: [into if one.offset == record.offset else one for one in batch.records]


def test_a_journal_with_streams_is_in_order(day: Path) -> None:
    assert [one.seq for one in of_kind(day, Kind.SENT)] == [1, 2, 43, 2_044]
    assert of_kind(day, Kind.NUMBERED)[-1].seq == 2_044
    verifier, found = verified(day)
    assert found is None
    assert verifier.counts.reports == 3
    assert run("journal", "verify", "--data", day).exit_code == 0


@pytest.mark.parametrize("ahead", [0, 1, 17])
def test_a_message_up_to_one_behind_the_reserved_numbers_may_come(
    ahead: int, day: Path, tmp_path: Path
) -> None:
    """As after a crash, when a session goes on behind all that it may have used."""
    second = of_kind(day, Kind.SENT)[2]
    (reserved, *_) = of_kind(day, Kind.NUMBERED)
    target = reserved.seq + 1 - ahead
    rebuilt(day, tmp_path / "x", changed(second, with_seq(second, target)))
    assert verified(tmp_path / "x")[1] is None


@pytest.mark.parametrize("beyond", [2, 3, 500])
def test_a_message_beyond_the_reserved_numbers_is_a_divergence(
    beyond: int, day: Path, tmp_path: Path
) -> None:
    second = of_kind(day, Kind.SENT)[2]
    (reserved, *_) = of_kind(day, Kind.NUMBERED)
    target = reserved.seq + beyond
    rebuilt(day, tmp_path / "x", changed(second, with_seq(second, target)))
    _, found = verified(tmp_path / "x")
    assert found is not None
    assert (found.seq, found.position) == (target, second.position)
    assert "must come next" in found.what


@pytest.mark.parametrize("seq", [1, 2])
def test_a_number_that_was_used_is_a_divergence(seq: int, day: Path, tmp_path: Path) -> None:
    second = of_kind(day, Kind.SENT)[2]
    rebuilt(day, tmp_path / "x", changed(second, with_seq(second, seq)))
    _, found = verified(tmp_path / "x")
    assert found is not None
    assert "must come next" in found.what


def test_without_its_record_a_stream_is_a_divergence(day: Path, tmp_path: Path) -> None:
    rebuilt(
        day,
        tmp_path / "x",
        lambda batch: [one for one in batch.records if one.kind is not Kind.NUMBERED],
    )
    _, found = verified(tmp_path / "x")
    assert found is not None
    assert found.seq == 43
    assert run("journal", "verify", "--data", tmp_path / "x").exit_code == 1


def test_a_reset_ends_what_was_reserved(tmp_path: Path) -> None:
    world = World(tmp_path / "day")
    client = traded(world)
    client.seq = 1
    client.send("35=A|98=0|108=30|141=Y|")
    client.order("d", "buy", "1", "100")
    world.journal.close()
    assert verified(tmp_path / "day")[1] is None
    last = of_kind(tmp_path / "day", Kind.SENT)[-1]
    assert last.seq == 2
    said = json.loads(run("journal", "info", "--data", tmp_path / "day", "--json").output)
    assert said["sessions"][0]["next_out"] == 3
    rebuilt(tmp_path / "day", tmp_path / "x", changed(last, with_seq(last, 3)))
    _, found = verified(tmp_path / "x")
    assert found is not None
    assert found.seq == 3


@pytest.mark.parametrize("is_live", [True, False])
def test_a_snapshot_must_know_the_reserved_numbers(is_live: bool, tmp_path: Path) -> None:
    world = World(tmp_path)
    client = traded(world)
    client.stream(7)
    if not is_live:
        client.drop()
    own = world.registry.snapshot()
    make_checkpoint(tmp_path, Retention())
    snapshot = next(read_snapshots(tmp_path))
    assert isinstance(snapshot, Snapshot)
    assert snapshot.sessions == own.sessions
    verifier, found = verified(tmp_path, snapshot)
    assert found is None
    assert verifier.counts.snapshots == 1
    snapshot.sessions[0].numbered -= 1
    _, found = verified(tmp_path, snapshot)
    assert found is not None
    assert found.what.startswith("the snapshot of this place")
    # A venue that goes on from it uses no number again.
    next_out = client.world.registry[1].session.next_out
    world.journal.close()
    again = World(tmp_path)
    assert (again.registry[1].session.next_out > next_out) is is_live
    assert again.registry[1].session.next_out >= next_out


def test_info_knows_the_next_number(day: Path, tmp_path: Path) -> None:
    said = json.loads(run("journal", "info", "--data", day, "--json").output)
    (session,) = said["sessions"]
    assert (session["sent"], session["next_out"]) == (4, 2_045)
    assert said["records"]["NUMBERED"] == len(of_kind(day, Kind.NUMBERED))
    world = World(tmp_path / "live")
    client = world.client("READER")
    client.stream(5)
    world.journal.close()
    said = json.loads(run("journal", "info", "--data", tmp_path / "live", "--json").output)
    assert said["sessions"][0]["next_out"] == 1_003, "where it would go on after a crash"
    assert "1,003" in run("journal", "info", "--data", tmp_path / "live").output


def test_cat_says_what_it_is(day: Path) -> None:
    lines = run("journal", "cat", "--data", day, "--kind", "numbered").output.splitlines()
    assert len(lines) == len(of_kind(day, Kind.NUMBERED))
    words = lines[0].split()
    assert words[3:6] == ["NUMBERED", "READER", "1003"]
    assert lines[0].endswith("numbers so far may be those of messages that are not stored")
    said = run("journal", "cat", "--data", day, "--kind", "NUMBERED", "--json").output
    assert [json.loads(line)["seq"] for line in said.splitlines()] == [
        one.seq for one in of_kind(day, Kind.NUMBERED)
    ]


def test_the_other_tools_pass_it_over(day: Path, tmp_path: Path) -> None:
    log = run("log", "--data", day)
    assert log.exit_code == 0, log.output
    assert "stored" not in log.output
    target = tmp_path / "day.sqlite"
    assert run("journal", "export", "--data", day, "--to", target).exit_code == 0
