"""A snapshot made beside a venue is the venue's own; what is old goes, and nothing needs it."""

from __future__ import annotations

import random
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from exchange.snapshot import digest_of
from exchange.tools.checkpoint import Checkpoint, make_checkpoint
from fix_engine.timestamps import SECOND_NS
from sessions.journal import OFFSET_BITS, JournalError, Segment, segment_path
from sessions.retention import DAY_NS, Retention
from sessions.snapshot import Snapshot, read_snapshots, segment_of_last, write_snapshot
from tests.exchange.test_recovery import trade_at_random
from tests.support.world import START_NS, Client, World

SMALL = 2_500
RESENDS = Retention(resend_days=3, keep_bytes=1)


@pytest.fixture(autouse=True)
def small_growth(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sessions.journal.segment._CHUNK", 1 << 13)
    for name in ("fsync", "fdatasync"):  # nothing here asks what a loss of power leaves
        monkeypatch.setattr(f"os.{name}", lambda fd: None)


def newest(directory: Path) -> Snapshot:
    found = next(read_snapshots(directory))
    assert isinstance(found, Snapshot)
    return found


def segments_of(directory: Path) -> list[int]:
    return sorted(int(path.name[8:14]) for path in directory.glob("journal-*.seamark"))


def clients_of(world: World, count: int = 4) -> list[Client]:
    return [world.client(f"C{number}") for number in range(count)]


def checked(world: World, directory: Path, what: str = "") -> Checkpoint:
    """A checkpoint of the world as it is now; all but the time of it is the venue's own."""
    own = world.registry.snapshot()
    made = make_checkpoint(directory, Retention())
    found = newest(directory)
    assert found.place == own.place, what
    assert found.application == own.application, what
    assert found.sessions == own.sessions, what
    assert (made.position, made.first_segment) == (own.place.position, found.first_segment)
    return made


@pytest.mark.parametrize("segment_bytes", [SMALL, 1 << 20])
@pytest.mark.parametrize("seed", range(3))
def test_it_is_the_snapshot_that_the_venue_would_make(
    seed: int, segment_bytes: int, tmp_path: Path
) -> None:
    world, rng = World(tmp_path, segment_bytes=segment_bytes), random.Random(seed)
    clients = clients_of(world)
    for look in range(4):
        trade_at_random(world, clients, rng, rng.randint(0, 50))
        checked(world, tmp_path, f"seed {seed}, look {look}")
    assert (len(segments_of(tmp_path)) > 4) is (segment_bytes == SMALL)
    assert len(list(read_snapshots(tmp_path))) <= 2


@pytest.mark.parametrize("seed", range(3))
def test_a_start_from_it_is_a_start_from_the_beginning(seed: int, tmp_path: Path) -> None:
    live, plain = tmp_path / "live", tmp_path / "plain"
    world, rng = World(live, segment_bytes=SMALL), random.Random(seed)
    clients = clients_of(world)
    for _ in range(2):
        trade_at_random(world, clients, rng, 50)
        make_checkpoint(live, Retention())
    trade_at_random(world, clients, rng, 30)
    world.journal.close()
    shutil.copytree(live, plain, ignore=shutil.ignore_patterns("snapshot-*"))
    quick, slow = World(live, segment_bytes=SMALL), World(plain, segment_bytes=SMALL)
    assert quick.registry.snapshot() == slow.registry.snapshot(), f"seed {seed}"
    for venue in (quick, slow):
        venue.client("C0", "108=30|141=Y|").order("after", "buy", "1", "100")
    assert digest_of(quick.venue) == digest_of(slow.venue), f"seed {seed}"


def test_what_is_written_meanwhile_is_for_the_next_one(tmp_path: Path) -> None:
    world = World(tmp_path, segment_bytes=1 << 17)
    client = world.client("C")
    client.order("first", "buy", "1", "100")
    position, batches = world.journal.position, 0
    for number in range(3):
        client.order(f"o{number}", "buy", "1", "100")
        position = world.journal.position

    def trading(_: object, found: object) -> object:
        nonlocal batches
        for batch in found:  # type: ignore[attr-defined]
            batches += 1
            client.order(f"late{batches}", "sell", "1", "200")
            yield batch

    made = make_checkpoint(tmp_path, Retention(), over=trading)  # type: ignore[arg-type]
    assert made.position == position < world.journal.position
    checked(world, tmp_path)


def test_its_time_is_that_of_its_last_batch(tmp_path: Path) -> None:
    world = World(tmp_path, segment_bytes=SMALL)
    client = world.client("C")
    world.now += 5 * SECOND_NS
    client.order("a", "buy", "1", "100")
    make_checkpoint(tmp_path, Retention())
    assert newest(tmp_path).stamp == world.now


def test_the_time_of_the_venues_own_is_that_of_its_last_batch(tmp_path: Path) -> None:
    world = World(tmp_path, segment_bytes=SMALL)
    client = world.client("C")
    world.now += 5 * SECOND_NS
    client.order("a", "buy", "1", "100")
    assert world.registry.snapshot().stamp == world.now


def test_a_dry_run_writes_nothing(tmp_path: Path) -> None:
    world = World(tmp_path, segment_bytes=SMALL)
    trade_at_random(world, clients_of(world), random.Random(1), 40)
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    made = make_checkpoint(tmp_path, Retention(), dry_run=True)
    assert made.position == world.journal.position
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before


# --- days go by ----------------------------------------------------------------------------


def days_of_trading(directory: Path, days: int, seed: int = 1) -> tuple[World, list[Client]]:
    """A venue that trades every day, with a checkpoint and what follows at the end of it."""
    world, rng = World(directory, segment_bytes=SMALL), random.Random(seed)
    clients = clients_of(world)
    for day in range(days):
        world.now = START_NS + day * DAY_NS
        trade_at_random(world, clients, rng, 12)
        shorten(world, directory)
    return world, clients


def shorten(world: World, directory: Path, retention: Retention = RESENDS) -> Checkpoint:
    """What a running venue does, in one step."""
    made = make_checkpoint(directory, retention)
    world.registry.forget_before(made.first_segment << OFFSET_BITS)
    for one in world.journal.release_before(made.first_segment):
        one.close()
        one.path.unlink()
    return made


@pytest.mark.parametrize("seed", range(3))
def test_old_segments_go_and_nothing_that_a_session_may_ask_for(seed: int, tmp_path: Path) -> None:
    world, _ = days_of_trading(tmp_path, 10, seed)
    there = segments_of(tmp_path)
    assert there[0] > 5
    assert there == list(range(there[0], there[0] + len(there)))
    reader = world.journal._segments[0]
    first = reader.batch_at(reader.begin)
    assert first is not None
    after = world.journal._segments[1]
    second = after.batch_at(after.begin)
    assert second is not None
    age = newest(tmp_path).stamp - second[1].stamp
    assert age <= 3 * DAY_NS, f"seed {seed}: more could have gone"
    assert world.now - first[1].stamp > 2 * DAY_NS, f"seed {seed}: less should have gone"


@pytest.mark.parametrize("is_started_again", [False, True])
def test_a_gap_fill_stands_for_what_is_gone_and_the_rest_is_sent_again(
    is_started_again: bool, tmp_path: Path
) -> None:
    world, _ = days_of_trading(tmp_path, 7)
    if is_started_again:
        world.journal.close()
        world = World(tmp_path, segment_bytes=SMALL, now=world.now)
    endpoint = next(one for one in world.registry if one.comp_id == b"C1")
    first, last = endpoint.sent.table.first_seq, endpoint.sent.table.last_seq
    kept = endpoint.sent.fetch(1, last)
    assert 1 < first < last
    seqs = [seq for seq, _ in kept]
    assert seqs[0] == first
    assert first + len(seqs) <= last, "some numbers in between were streamed"
    reports = [seq for seq, raw in kept if b"\x0135=8\x01" in raw]
    client = Client(world, "C1")
    if endpoint.wire is not None:
        endpoint.wire.drop()  # type: ignore[attr-defined]
    client.seq = endpoint.session.next_in
    client.connect()
    client.send("35=A|98=0|108=30|")
    client.take()
    client.send(f"35=2|7=1|16={last}|")
    fill, *rest = client.take()
    assert (fill[35], fill[34], fill[43], fill[123]) == ("4", "1", "Y", "Y")
    assert int(fill[36]) == first
    assert [int(one[34]) for one in rest if one[35] == "8"] == reports
    assert client.order("after", "buy", "1", "90")[0][150] == "0"


def test_a_venue_goes_on_from_a_shortened_journal(tmp_path: Path) -> None:
    world, _ = days_of_trading(tmp_path, 8)
    own = world.registry.snapshot()
    world.journal.close()
    again = World(tmp_path, segment_bytes=SMALL, now=world.now)
    first = segments_of(tmp_path)[0]
    assert again.journal.begin >> OFFSET_BITS == first
    for one, other in zip(own.sessions, again.registry, strict=True):
        state = other.state()
        assert (one.comp_id, one.begun_at, one.sent.first_seq) == (
            state.comp_id,
            state.begun_at,
            state.sent.first_seq,
        )
    client = again.client("C0", "108=30|141=Y|")
    assert client.order("again", "buy", "1", "90")[0][150] == "0"
    checked(again, tmp_path)


def test_a_removal_that_was_interrupted_is_finished_by_the_next_start(tmp_path: Path) -> None:
    world, _ = days_of_trading(tmp_path, 3)
    kept = tmp_path / "kept"
    world.now += 10 * DAY_NS
    world.client("LATE")
    make_checkpoint(tmp_path, Retention())  # the older one needs what the newest does not
    world.client("LATER")
    first = make_checkpoint(tmp_path, RESENDS).first_segment
    world.journal.close()
    there = segments_of(tmp_path)
    assert there[0] < first - 2
    for removed in range(first - there[0] + 1):
        shutil.copytree(tmp_path, kept, ignore=shutil.ignore_patterns("kept"))
        for number in there[:removed]:
            segment_path(kept, number).unlink()
        again = World(kept, segment_bytes=SMALL, now=world.now)
        assert segments_of(kept)[0] == first
        assert digest_of(again.venue) == digest_of(world.venue) or again.venue.sessions_up() == []
        again.journal.close()
        shutil.rmtree(kept)


def lost(directory: Path, until: int) -> dict[str, bytes]:
    for number in segments_of(directory):
        if number <= until:
            segment_path(directory, number).unlink()
    return contents(directory)


def contents(directory: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in directory.glob("*.seamark")}


def test_a_segment_that_is_needed_and_missing_is_named(tmp_path: Path) -> None:
    world, _ = days_of_trading(tmp_path, 8)
    world.journal.close()
    first = segments_of(tmp_path)[0]
    before = lost(tmp_path, first)
    with pytest.raises(JournalError, match=f"journal-{first:06d}.seamark is missing"):
        World(tmp_path, segment_bytes=SMALL)
    assert contents(tmp_path) == before


def test_a_lost_beginning_without_a_snapshot_stops_the_start(tmp_path: Path) -> None:
    world = World(tmp_path, segment_bytes=SMALL)
    trade_at_random(world, clients_of(world), random.Random(1), 60)
    world.journal.close()
    before = lost(tmp_path, 2)
    with pytest.raises(JournalError, match=r"000002\.seamark is missing: .* there is no snapshot"):
        World(tmp_path, segment_bytes=SMALL)
    with pytest.raises(JournalError, match="lost its beginning, and its snapshot"):
        make_checkpoint(tmp_path, Retention())
    assert contents(tmp_path) == before


def damage(path: Path) -> None:
    data = path.read_bytes()
    path.write_bytes(data[:-40] + bytes([data[-40] ^ 1]) + data[-39:])


def shortened_with_two_snapshots(directory: Path) -> tuple[World, list[Path]]:
    """Its snapshots are apart in time, and so in what they need; the newest comes last."""
    world, _ = days_of_trading(directory, 8)
    world.journal.close()
    older, newer = list(read_snapshots(directory))[::-1]
    assert isinstance(older, Snapshot)
    assert isinstance(newer, Snapshot)
    assert older.first_segment < newer.first_segment == segments_of(directory)[0]
    return world, sorted(directory.glob("snapshot-*.seamark"))


def test_the_older_snapshot_is_enough_for_a_shortened_journal(tmp_path: Path) -> None:
    world, snapshots = shortened_with_two_snapshots(tmp_path)
    damage(snapshots[-1])
    again = World(tmp_path, segment_bytes=SMALL, now=world.now)
    assert again.journal.position >= world.journal.position


def test_an_older_snapshot_is_enough_for_a_checkpoint(tmp_path: Path) -> None:
    world, snapshots = shortened_with_two_snapshots(tmp_path)
    data = snapshots[-1].read_bytes()
    damage(snapshots[-1])
    made = make_checkpoint(tmp_path, RESENDS)
    assert made.position == world.journal.position
    assert snapshots[-1].read_bytes() == data, "it is the same again"


def test_a_shortened_journal_whose_snapshots_are_all_damaged_stops_the_start(
    tmp_path: Path,
) -> None:
    _, snapshots = shortened_with_two_snapshots(tmp_path)
    for path in snapshots:
        damage(path)
    before = contents(tmp_path)
    with pytest.raises(JournalError, match=r"is missing: .* there is no snapshot to go on from"):
        World(tmp_path, segment_bytes=SMALL)
    assert contents(tmp_path) == before


def test_what_the_older_of_two_snapshots_needs_is_kept_when_the_newest_is_made_again(
    tmp_path: Path,
) -> None:
    """As `compact` does behind a venue that has closed, and left its snapshot there."""
    world = World(tmp_path, segment_bytes=SMALL)
    clients, rng = clients_of(world), random.Random(2)
    trade_at_random(world, clients, rng, 20)
    make_checkpoint(tmp_path, Retention())
    for _ in range(2):
        world.now += 10 * DAY_NS
        trade_at_random(world, clients, rng, 20)
    make_checkpoint(tmp_path, Retention())
    world.journal.close()
    older = list(read_snapshots(tmp_path))[1]
    assert isinstance(older, Snapshot)
    made = make_checkpoint(tmp_path, Retention(1, 1, 1))
    assert made.first_segment <= older.place.last >> OFFSET_BITS


def two_checkpoints_apart(directory: Path) -> tuple[World, Snapshot]:
    """Days and segments lie between the first, which is returned, and where the journal is."""
    world = World(directory, segment_bytes=SMALL)
    clients, rng = clients_of(world), random.Random(3)
    trade_at_random(world, clients, rng, 20)
    make_checkpoint(directory, Retention())
    first = newest(directory)
    for _ in range(3):
        world.now += 10 * DAY_NS
        trade_at_random(world, clients, rng, 20)
    return world, first


def test_what_the_older_snapshot_needs_is_kept(tmp_path: Path) -> None:
    world, first = two_checkpoints_apart(tmp_path)
    made = make_checkpoint(tmp_path, Retention(1, 1, 1))
    assert made.position == world.journal.position
    assert made.first_segment <= segment_of_last(first)


def test_all_that_a_snapshot_knows_is_durable_before_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    world, first = two_checkpoints_apart(tmp_path)
    synced: list[int] = []
    monkeypatch.setattr(Segment, "sync", lambda self: synced.append(self.number))
    make_checkpoint(tmp_path, Retention())
    last = world.journal.written >> OFFSET_BITS
    assert last - segment_of_last(first) > 3
    assert set(synced) >= set(range(segment_of_last(first), last + 1))


@pytest.mark.parametrize("which", ["last", "all"])
def test_a_snapshot_without_its_segment_stops_the_start(which: str, tmp_path: Path) -> None:
    world, _ = two_checkpoints_apart(tmp_path)
    make_checkpoint(tmp_path, Retention())
    world.journal.close()
    last = segment_of_last(newest(tmp_path))
    for number in segments_of(tmp_path):
        if which == "all" or number >= last:
            segment_path(tmp_path, number).unlink()
    before = contents(tmp_path)
    with pytest.raises(JournalError, match="the journal ends before its snapshot at position"):
        World(tmp_path, segment_bytes=SMALL)
    after = contents(tmp_path)
    assert before.items() <= after.items()
    assert len(after) - len(before) == (which == "all"), "at most an empty segment is begun"


def test_a_snapshot_that_is_sound_and_not_understood_stops_whoever_reads_it(tmp_path: Path) -> None:
    world, first = two_checkpoints_apart(tmp_path)
    world.journal.close()
    write_snapshot(tmp_path, replace(first, application=b"of another version"))
    before = contents(tmp_path)
    with pytest.raises(JournalError, match=r"the newest snapshot cannot be used: .*Remove it"):
        World(tmp_path, segment_bytes=SMALL)
    with pytest.raises(JournalError, match="the newest snapshot cannot be used"):
        make_checkpoint(tmp_path, Retention())
    assert contents(tmp_path) == before
