"""What the venue leaves in its journal of itself, and who notices that it is not so."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest

from bench.load import order_messages
from exchange.commands import Command
from exchange.events import VenueEvent
from exchange.rerun import Rerun
from exchange.snapshot import digest_of
from exchange.tools.checkpoint import make_checkpoint
from exchange.tools.verify import Divergence, Verifier
from exchange.venue import Venue
from sessions.journal import Batch, JournalError, Kind, Record
from sessions.retention import Retention
from tests.exchange.test_recovery import trade_at_random
from tests.exchange.tools.days import batches_of, rebuilt, run
from tests.support.world import START_NS, World

EVERY = 20
SEGMENT = 1 << 16


@pytest.fixture(autouse=True)
def frequent(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    with monkeypatch.context() as patch:
        for module in ("executor", "sequencer"):
            patch.setattr(f"exchange.{module}.DIGEST_EVERY", EVERY)
        patch.setattr("sessions.journal.segment._CHUNK", 1 << 13)
        for name in ("fsync", "fdatasync"):  # nothing here asks what a loss of power leaves
            patch.setattr(f"os.{name}", lambda fd: None)
        yield


def traded(directory: Path, seed: int = 1, steps: int = 150) -> World:
    world = World(directory, segment_bytes=SEGMENT)
    clients = [world.client(f"C{number}") for number in range(3)]
    trade_at_random(world, clients, random.Random(seed), steps)
    world.journal.close()
    return world


def digests(directory: Path) -> list[Record]:
    return [
        record
        for batch in batches_of(directory)
        for record in batch.records
        if record.kind is Kind.DIGEST
    ]


def verified(directory: Path) -> tuple[Verifier, Divergence | None]:
    verifier = Verifier(Rerun())
    for batch in batches_of(directory):
        found = verifier.check(batch)
        if found is not None:
            return verifier, found
    return verifier, None


def changed(source: Path, target: Path, number: int) -> Record:
    """A journal in which one digest is another; the digest as it was."""
    wanted = digests(source)[number]

    def change(batch: Batch) -> list[Record]:
        return [
            replace(one, payload=bytes(16)) if one.offset == wanted.offset else one
            for one in batch.records
        ]

    rebuilt(source, target, change)
    return wanted


def test_there_is_one_for_so_many_inputs_of_each_life(tmp_path: Path) -> None:
    world = traded(tmp_path)
    first = [record.position for record in digests(tmp_path)]
    assert len(first) == world.journal.position // EVERY
    assert all(after - one == EVERY for one, after in pairwise(first))
    again = World(tmp_path, segment_bytes=SEGMENT)
    begun = again.journal.position
    client = again.client("C0", "108=30|141=Y|")
    for number in range(2 * EVERY + 2):
        client.order(f"late-{number}", "buy", "1", "90")
    again.journal.close()
    later = [record.position for record in digests(tmp_path)][len(first) :]
    assert len(later) == 2
    assert begun < later[0] <= begun + EVERY


def test_they_stand_in_the_batch_of_their_input_behind_what_came_of_it(tmp_path: Path) -> None:
    traded(tmp_path)
    for batch in batches_of(tmp_path):
        for place, record in enumerate(batch.records):
            if record.kind is Kind.DIGEST:
                assert (record.session, record.seq, len(record.payload)) == (0, 0, 16)
                assert place > 0
                assert record.position == batch.records[place - 1].position


@pytest.mark.parametrize("seed", range(3))
def test_whoever_replays_finds_them_right(seed: int, tmp_path: Path) -> None:
    world = traded(tmp_path, seed)
    verifier, found = verified(tmp_path)
    assert found is None, f"seed {seed}: {found}"
    assert verifier.counts.digests == len(digests(tmp_path)) > 5
    assert digest_of(verifier.rerun.venue) == digest_of(world.venue)
    assert make_checkpoint(tmp_path, Retention()).position == world.journal.position
    assert World(tmp_path, segment_bytes=SEGMENT).journal.position >= world.journal.position


@pytest.mark.parametrize("number", [0, 3, -1])
def test_a_changed_one_is_found_at_its_batch_and_stops_whoever_executes(
    number: int, tmp_path: Path
) -> None:
    traded(tmp_path / "good")
    wanted = changed(tmp_path / "good", tmp_path / "bad", number)
    bad = tmp_path / "bad"
    (batch,) = (one for one in batches_of(bad) if any(r.payload == bytes(16) for r in one.records))
    _, found = verified(bad)
    assert found is not None
    assert (found.offset, found.position) == (batch.start, wanted.position)
    result = run("journal", "verify", "--data", bad, "--json")
    assert result.exit_code == 1
    said = json.loads(result.output)
    assert said["divergence"]["position"] == wanted.position
    assert said["divergence"]["batch"] == batch.start
    before = {path.name: path.read_bytes() for path in bad.glob("*.seamark")}
    why = f"after position {wanted.position} the venue is not what it was"
    with pytest.raises(JournalError, match=why) as refusal:
        World(bad, segment_bytes=SEGMENT)
    assert "\n" not in str(refusal.value)
    with pytest.raises(JournalError, match=why):
        make_checkpoint(bad, Retention())
    result = run("journal", "snapshot", "--data", bad)
    assert result.exit_code == 2
    assert why in result.output
    assert {path.name: path.read_bytes() for path in bad.glob("*.seamark")} == before


def test_a_venue_that_acts_otherwise_is_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One that forgets a cancel of its own when a session is lost: no report would show it."""
    world = World(tmp_path, segment_bytes=SEGMENT)
    client, other = world.client("GONE", "108=30|8013=Y|"), world.client("HERE")
    for number in range(5):
        client.order(f"g{number}", "buy", "1", f"{100 + number}")
    client.drop()
    for number in range(EVERY):
        other.order(f"h{number}", "buy", "1", "90")
    world.journal.close()
    assert digests(tmp_path)
    real = Venue.apply

    def otherwise(self: Venue, position: int, now: int, command: Command) -> list[VenueEvent]:
        name = type(command).__name__
        return [] if name == "SessionDown" else real(self, position, now, command)

    monkeypatch.setattr(Venue, "apply", otherwise)
    with pytest.raises(JournalError, match="the venue is not what it was"):
        World(tmp_path, segment_bytes=SEGMENT)
    with pytest.raises(JournalError, match="the venue is not what it was"):
        make_checkpoint(tmp_path, Retention())
    assert verified(tmp_path)[1] is not None


@pytest.mark.parametrize("shape", ["cross", "rest", "cancel"])
def test_what_the_load_generator_leaves_is_verified(
    shape: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = World(tmp_path, segment_bytes=SEGMENT)
    clients = [world.client(f"LOAD{number}") for number in (1, 2)]
    with monkeypatch.context() as patch:
        patch.setattr("time.time_ns", lambda: START_NS)
        load = [order_messages(number, 100, shape) for number in (1, 2)]
    for one, other in zip(*load, strict=True):
        for client, message in zip(clients, (one, other), strict=True):
            client.send_raw(message)
        world.turn()
    world.journal.close()
    verifier, found = verified(tmp_path)
    assert found is None, found
    assert verifier.counts.inputs == 203
    assert verifier.counts.digests >= 9
    assert make_checkpoint(tmp_path, Retention()).position == world.journal.position
