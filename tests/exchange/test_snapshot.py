"""Snapshots: a venue that starts from one is the venue that reads the whole journal."""

from __future__ import annotations

import random
import shutil
from pathlib import Path

import pytest

from exchange.snapshot import digest_of, dump_venue, load_venue
from exchange.venue import Venue
from sessions.journal import JournalError, segment_path
from sessions.snapshot import Snapshot, SnapshotError, read_snapshots, write_snapshot
from tests.exchange.test_recovery import trade_at_random
from tests.support.world import Client, World


def a_day(world: World, seed: int, steps: int = 150) -> list[Client]:
    rng = random.Random(seed)
    clients = [world.client(f"C{number}") for number in range(4)]
    trade_at_random(world, clients, rng, steps)
    return clients


def kept(world: World, directory: Path) -> Path:
    """A snapshot of the world as it is."""
    return write_snapshot(directory, world.registry.snapshot())


def numbers(world: World) -> list[tuple[bytes, int, int, int]]:
    return [(e.comp_id, e.session.next_in, e.session.next_out, e.begun_at) for e in world.registry]


@pytest.mark.parametrize("seed", range(10))
def test_a_venue_is_what_its_dump_says(seed: int) -> None:
    world = World()
    a_day(world, seed)
    dump = dump_venue(world.venue)
    again = Venue()
    load_venue(dump, again)
    assert digest_of(again) == digest_of(world.venue), f"seed {seed}"
    assert dump_venue(again) == dump, f"seed {seed}"


@pytest.mark.parametrize("seed", range(6))
def test_a_start_from_a_snapshot_is_a_start_from_the_beginning(seed: int, tmp_path: Path) -> None:
    live = tmp_path / "live"
    world = World(live)
    clients = a_day(world, seed)
    kept(world, live)
    trade_at_random(world, clients, random.Random(seed), 60)
    world.journal.close()
    plain = tmp_path / "plain"
    shutil.copytree(live, plain, ignore=shutil.ignore_patterns("snapshot-*"))
    quick, slow = World(live), World(plain)
    assert digest_of(quick.venue) == digest_of(slow.venue), f"seed {seed}"
    assert numbers(quick) == numbers(slow)
    assert quick.journal.position == slow.journal.position
    for one, other in zip(quick.registry, slow.registry, strict=True):
        last = one.session.next_out - 1
        assert one.sent.fetch(1, last) == other.sent.fetch(1, last)
    for venue in (quick, slow):
        client = venue.client("C0", "108=30|141=Y|")
        client.order("after", "buy", "1", "100")
    assert digest_of(quick.venue) == digest_of(slow.venue)


def test_a_snapshot_that_is_damaged_anywhere_is_passed_over(tmp_path: Path) -> None:
    world = World(tmp_path)
    a_day(world, 1, 30)
    first = kept(world, tmp_path)
    world.client("LATE")
    path = kept(world, tmp_path)
    data = path.read_bytes()
    for at in range(0, len(data), 97):
        path.write_bytes(data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :])
        newest, older = read_snapshots(tmp_path)
        assert isinstance(newest, SnapshotError)
        assert str(path) in str(newest)
        assert isinstance(older, Snapshot)
    path.write_bytes(data[:100])
    assert isinstance(next(read_snapshots(tmp_path)), SnapshotError)
    world.journal.close()
    plain = tmp_path / "plain"
    plain.mkdir()
    shutil.copy(segment_path(tmp_path, 1), plain)
    assert digest_of(World(tmp_path).venue) == digest_of(World(plain).venue)
    assert first.exists()


def test_a_snapshot_without_its_journal_stops_the_start(tmp_path: Path) -> None:
    world = World(tmp_path)
    a_day(world, 2, 30)
    kept(world, tmp_path)
    world.journal.close()
    path = segment_path(tmp_path, 1)
    with path.open("r+b") as file:
        file.truncate(path.stat().st_size - 30)
    before = path.read_bytes()
    with pytest.raises(JournalError, match="ends before its snapshot at position"):
        World(tmp_path)
    assert path.read_bytes() == before


def test_two_snapshots_are_kept(tmp_path: Path) -> None:
    world = World(tmp_path)
    for number in range(4):
        world.client(f"C{number}")
        kept(world, tmp_path)
    assert len(list(tmp_path.glob("snapshot-*"))) == 2
    newest, older = read_snapshots(tmp_path)
    assert isinstance(newest, Snapshot)
    assert isinstance(older, Snapshot)
    assert newest.place.position > older.place.position


@pytest.mark.parametrize("cut", range(0, 400, 7))
def test_a_venue_that_is_cut_off_is_not_understood(cut: int) -> None:
    world = World()
    a_day(world, 3, 20)
    with pytest.raises(ValueError, match="the venue in it"):
        load_venue(dump_venue(world.venue)[:cut], Venue())
