"""What was sent is what had to be sent, to the byte; whatever else is there is found."""

from __future__ import annotations

import json
import random
import tracemalloc
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from exchange.rerun import Rerun
from exchange.snapshot import digest_of
from exchange.tools.verify import Divergence, Verifier
from sessions.journal import Batch, Kind, Record
from tests.exchange.tools.days import (
    batches_of,
    line_of,
    rebuilt,
    reopened,
    reports_in,
    run,
    trading_day,
    with_field,
)
from tests.support.world import World


@pytest.fixture(scope="module")
def day(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A day that is in order; not to be changed."""
    directory = tmp_path_factory.mktemp("day") / "data"
    with trading_day(directory, seed=1):
        pass
    return directory


def verified(directory: Path) -> tuple[Verifier, Divergence | None]:
    verifier = Verifier(Rerun())
    for batch in batches_of(directory):
        found = verifier.check(batch)
        if found is not None:
            return verifier, found
    return verifier, None


def divergence(directory: Path) -> Divergence:
    found = verified(directory)[1]
    assert found is not None
    return found


@pytest.mark.parametrize("seed", range(4))
def test_a_day_is_verified_to_the_state_of_its_venue(seed: int, tmp_path: Path) -> None:
    with trading_day(tmp_path, seed) as world:
        digest = digest_of(world.venue)
    verifier, found = verified(tmp_path)
    assert found is None, f"seed {seed}: {found}"
    assert digest_of(verifier.rerun.venue) == digest
    sent = [one for batch in batches_of(tmp_path) for one in batch.records if one.kind is Kind.SENT]
    assert verifier.counts.reports + verifier.counts.others == len(sent)
    assert verifier.counts.reports > 100


def test_restarts_and_new_rules_are_verified(tmp_path: Path) -> None:
    with trading_day(tmp_path, seed=3):
        pass
    for remembered in (2000, 1000):
        rules = {"remembered_orders": remembered, "cancel_on_disconnect": remembered > 1000}
        world = reopened(tmp_path, venue=rules)
        client = world.client(f"NEW{remembered}")
        for number in range(8):
            client.order(f"late-{number % 4}", "sell", "1", f"{number + 1}")
        world.journal.close()
    assert verified(tmp_path)[1] is None


def test_news_and_refusals_that_no_command_answers_are_no_divergence(tmp_path: Path) -> None:
    world = World(tmp_path)
    client = world.client("C")
    (endpoint,) = world.registry
    endpoint.send(b"B", b"148=Closing\x0133=1\x0158=soon\x01")
    world.turn()
    endpoint.profile.withheld = {b"D": "orders"}
    assert [one[35] for one in client.order("a", "buy", "1", "1")] == ["j"]
    endpoint.profile.withheld = {}
    assert [one[35] for one in client.order("b", "buy", "1", "1")] == ["8"]
    world.journal.close()
    verifier, found = verified(tmp_path)
    assert found is None
    assert (verifier.counts.reports, verifier.counts.others) == (1, 3)


def test_the_command_says_what_it_found_and_how_the_journal_ends(day: Path) -> None:
    result = run("journal", "verify", "--data", day)
    assert result.exit_code == 0
    assert "In order: " in result.output
    assert "closed in good order" in result.output
    said = json.loads(run("journal", "verify", "--data", day, "--json").output)
    assert said["ok"] is True
    assert said["digest"] in result.output


@pytest.mark.parametrize("seed", range(8))
def test_a_changed_byte_of_any_report_is_found(seed: int, day: Path, tmp_path: Path) -> None:
    rng = random.Random(seed)
    reports = [one for batch in batches_of(day) for one in reports_in(batch)]
    target = rng.choice(reports)
    body = target.payload[target.payload.index(b"\x0135=") + 1 : -7]
    place = rng.choice([at for at, byte in enumerate(body) if byte not in b"=\x01"])
    changed = bytearray(body)
    changed[place] = changed[place] ^ 1 if changed[place] ^ 1 not in b"=\x01" else ord("#")
    raw = with_field(target.payload, body, bytes(changed))

    def change(batch: Batch) -> list[Record]:
        return [
            replace(one, payload=raw) if one.offset == target.offset else one
            for one in batch.records
        ]

    found = divergence(rebuilt(day, tmp_path, change))
    assert found.position == target.position, f"seed {seed}"
    assert found.differences or found.expected is None, f"seed {seed}: {found}"


def test_the_fields_that_differ_are_named(day: Path, tmp_path: Path) -> None:
    def change(batch: Batch) -> list[Record]:
        return [
            replace(one, payload=with_field(one.payload, b"\x0114=0\x01", b"\x0114=77\x01"))
            if one.position == 9 and one.kind is Kind.SENT and b"\x01150=0" in one.payload
            else one
            for one in batch.records
        ]

    rebuilt(day, tmp_path, change)
    result = run("journal", "verify", "--data", tmp_path)
    assert result.exit_code == 1
    assert "Divergence at position 9, message " in result.output
    assert "CumQty (14): expected 0, found 77" in result.output
    assert "journal-000001.seamark, byte" in result.output
    said = json.loads(run("journal", "verify", "--data", tmp_path, "--json").output)
    assert said["ok"] is False
    names = [one["name"] for one in said["divergence"]["fields"]]
    assert names == ["CumQty", "BodyLength", "CheckSum"]
    assert "14=0|" in said["divergence"]["expected"]
    assert "14=77|" in said["divergence"]["found"]


def without(place: int) -> Callable[[list[Record]], list[Record]]:
    return lambda records: [one for one in records if one is not records[place]]


def twice(records: list[Record]) -> list[Record]:
    return [*records, records[-1]]


def swapped(records: list[Record]) -> list[Record]:
    return [*records[:-2], records[-1], records[-2]]


def renumbered(records: list[Record], first: dict[int, int]) -> Iterator[Record]:
    """Records of a changed journal with MsgSeqNums that have no gap."""
    for one in records:
        if one.kind is Kind.RESET:
            first[one.session] = 1
        if one.kind is Kind.SENT:
            seq = first.get(one.session, 1)
            first[one.session] = seq + 1
            payload = with_field(one.payload, b"\x0134=%d\x01" % one.seq, b"\x0134=%d\x01" % seq)
            yield replace(one, seq=seq, payload=payload)
        else:
            yield one


@pytest.mark.parametrize(
    ("damage", "what"),
    [
        (without(-1), "a report is missing"),
        (without(-2), "a report is not what it must be"),
        (twice, "a report that nothing has brought about"),
        (swapped, "a report is not what it must be"),
    ],
)
@pytest.mark.parametrize("numbered", [True, False])
def test_missing_extra_and_swapped_reports_are_found(
    damage: Callable[[list[Record]], list[Record]],
    what: str,
    numbered: bool,
    day: Path,
    tmp_path: Path,
) -> None:
    target = next(
        batch
        for batch in batches_of(day)
        if len(reports_in(batch)) > 1
        and reports_in(batch)[-1].session == reports_in(batch)[-2].session
        and batch.records[-1].kind is Kind.SENT
    )
    first: dict[int, int] = {}

    def change(batch: Batch) -> list[Record]:
        records = batch.records
        if batch.start == target.start:
            records = damage(records)
        return list(renumbered(records, first)) if numbered else records

    found = divergence(rebuilt(day, tmp_path, change))
    assert found.position in (target.first_position, target.first_position + 1)
    if numbered:
        assert found.what == what
    else:
        assert found.what == what or "must come next" in found.what


def test_what_the_session_layer_says_by_itself_is_checked_for_soundness(
    day: Path, tmp_path: Path
) -> None:
    def late(batch: Batch) -> list[Record]:
        return [
            replace(one, payload=with_field(one.payload, b"\x0152=20270115", b"\x0152=20270116"))
            if one.kind is Kind.SENT and b"\x0135=0\x01" in one.payload
            else one
            for one in batch.records
        ]

    found = divergence(rebuilt(day, tmp_path / "late", late))
    assert found.what.startswith("a message of the session layer")
    assert [one.tag for one in found.differences] == [b"52"]

    def broken(batch: Batch) -> list[Record]:
        return [
            replace(one, payload=one.payload[:-2] + b"x\x01")
            if one.kind is Kind.SENT and b"\x0135=0\x01" in one.payload
            else one
            for one in batch.records
        ]

    assert "not a message" in divergence(rebuilt(day, tmp_path / "broken", broken)).what


def test_a_journal_that_makes_no_sense_is_a_divergence_and_no_traceback(
    day: Path, tmp_path: Path
) -> None:
    def nameless(batch: Batch) -> list[Record]:
        return [one for one in batch.records if one.kind is not Kind.SESSION]

    rebuilt(day, tmp_path, nameless)
    result = run("journal", "verify", "--data", tmp_path)
    assert result.exit_code == 1
    assert "introduced" in result.output


def test_a_damaged_journal_is_one_line(day: Path, tmp_path: Path) -> None:
    rebuilt(day, tmp_path, lambda batch: batch.records)
    path = tmp_path / "journal-000001.seamark"
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 0xFF
    path.write_bytes(data)
    for command in (("verify",), ("info",), ("cat",), ("export", "--to", tmp_path / "x.sqlite")):
        result = run("journal", *command, "--data", tmp_path)
        assert result.exit_code == 2
        last = result.output.splitlines()[-1]
        assert last.startswith("seamark: ")
        assert "is damaged at byte" in last
    assert not list(tmp_path.glob("*x.sqlite*"))


def test_no_journal_is_one_line(tmp_path: Path) -> None:
    assert "No such file" in line_of(run("journal", "verify", "--data", tmp_path / "none"))
    assert "holds no journal" in line_of(run("journal", "info", "--data", tmp_path))
    (tmp_path / "journal-000001.seamark").write_bytes(b"something else" * 10)
    assert "is not part of a Seamark journal" in line_of(run("log", "--data", tmp_path))


def test_memory_stays_flat_over_a_long_journal(tmp_path: Path) -> None:
    """Refused orders, which leave nothing behind: whatever grows would be the tool's."""
    world = World(tmp_path)
    maker, taker = world.client("MAKER"), world.client("TAKER")
    for number in range(1500):
        maker.order(f"m{number % 3}", "9", "1", "100", symbol="NOPE" + "x" * 40)
        taker.received.clear()
        maker.received.clear()
    world.journal.close()
    verifier = Verifier(Rerun())
    peaks = []
    tracemalloc.start()
    for number, batch in enumerate(batches_of(tmp_path)):
        assert verifier.check(batch) is None
        if number in (300, 1500):
            peaks.append(tracemalloc.get_traced_memory()[1])
            tracemalloc.reset_peak()
    tracemalloc.stop()
    assert peaks[1] < peaks[0] + 100_000, peaks
