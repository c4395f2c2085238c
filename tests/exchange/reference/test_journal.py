"""What a journal says of answers of the desk, and of what is not theirs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from exchange.recording import EventKind, open_recording
from exchange.rerun import Rerun
from exchange.tools.verify import Divergence, Verifier
from sessions.journal import Batch, Kind, Record
from tests.exchange.reference.asking import PLAIN, asked_world, fresh, set_market
from tests.exchange.tools.days import batches_of, rebuilt, with_field


@pytest.fixture(scope="module")
def day(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A day with questions of every kind, changes, and a restart; not to be changed."""
    directory = tmp_path_factory.mktemp("day") / "data"
    world = asked_world(directory)
    client, other = fresh(world), fresh(world, "OTHER")
    for one in (client, other):
        one.ask("35=x|320=x1|559=4|263=1|")
        one.ask("35=e|324=e1|55=ABC/EUR|263=1|")
        one.ask("35=e|324=e1|55=ABC/EUR|263=1|")
        one.ask("35=e|324=e2|55=NO/PE|263=0|")
        one.ask("35=g|335=g1|263=1|")
        one.ask("35=c|320=c1|321=0|55=XYZ/BTC|")
        one.ask("35=c|320=c2|321=3|")
    client.order("a", "buy", "1", "100", symbol="ABC/EUR")
    set_market(world, "ABC/EUR", "halted", "news")
    other.ask("35=c|320=c3|321=0|55=ABC/EUR|")
    other.order("b", "sell", "1", "100", symbol="ABC/EUR")
    set_market(world, "ABC/EUR", "open")
    other.order("c", "sell", "1", "100", symbol="ABC/EUR")
    world.journal.close()
    world = asked_world(directory, instruments=(PLAIN,))
    client = world.client("ACME2")
    client.ask("35=x|320=x1|559=4|")
    client.ask("35=c|320=c1|321=0|55=ABC/EUR|")
    world.journal.close()
    return directory


def verified(directory: Path) -> tuple[Verifier, Divergence | None]:
    verifier = Verifier(Rerun())
    for batch in batches_of(directory):
        found = verifier.check(batch)
        if found is not None:
            return verifier, found
    return verifier, None


def changed(
    day: Path, target: Path, is_meant: Callable[[bytes], bool], *change: bytes
) -> Divergence:
    """What is found once the first message that is meant is another, or, without change, gone."""
    is_done = False

    def edit(batch: Batch) -> list[Record]:
        nonlocal is_done
        records = []
        for one in batch.records:
            if is_done or one.kind is not Kind.SENT or not is_meant(one.payload):
                records.append(one)
                continue
            is_done = True
            if change:
                records.append(replace(one, payload=with_field(one.payload, *change)))
        return records

    found = verified(rebuilt(day, target, edit))[1]
    assert is_done
    assert found is not None
    return found


def of(msg_type: bytes, *fields: bytes, without: bytes = b"\x00") -> Callable[[bytes], bool]:
    def is_meant(raw: bytes) -> bool:
        wanted = all(b"\x01%b\x01" % field in raw for field in (b"35=" + msg_type, *fields))
        return wanted and without not in raw

    return is_meant


def test_a_day_with_questions_is_verified(day: Path) -> None:
    verifier, found = verified(day)
    assert found is None, found
    sent = [one for batch in batches_of(day) for one in batch.records if one.kind is Kind.SENT]
    assert verifier.counts.reports + verifier.counts.others == len(sent)
    types = {one.payload.split(b"\x0135=")[1].split(b"\x01")[0] for one in sent}
    assert types >= {b"y", b"d", b"f", b"h", b"j", b"8"}


@pytest.mark.parametrize(
    ("meant", "change"),
    [
        (of(b"f", b"325=Y"), ()),
        (of(b"f", b"325=Y"), (b"35=f\x01", b"35=h\x01")),
        (of(b"f", b"325=Y"), (b"35=f\x01", b"35=0\x01")),
        (of(b"f", b"325=Y"), (b"\x018021=halted", b"\x018021=open")),
        (of(b"f", b"325=Y"), (b"\x01325=Y", b"\x01324=e1\x01325=N")),
        (of(b"8", b"150=0"), ()),
        (of(b"8", b"150=0"), (b"\x0144=100", b"\x0144=101")),
    ],
)
def test_a_report_of_the_venue_that_is_missing_or_altered_is_found(
    meant: Callable[[bytes], bool], change: tuple[bytes, ...], day: Path, tmp_path: Path
) -> None:
    found = changed(day, tmp_path, meant, *change)
    assert found.what in (
        "a report is not what it must be",
        "a report is missing",
    ) or found.what.startswith("message "), found.what


@pytest.mark.parametrize(
    ("meant", "change", "tag", "expected"),
    [
        (of(b"y"), (b"\x01969=0.5", b"\x01969=0.25"), b"969", b"0.5"),
        (of(b"y"), (b"\x018045=0.001\x01", b"\x01"), b"8045", b"0.001"),
        (of(b"y"), (b"\x0155=XYZ/BTC", b"\x0155=XYZ/USD"), b"55", None),
        (of(b"d"), (b"\x018044=-0.0001", b"\x018044=0.0001"), b"8044", b"-0.0001"),
        (of(b"f", b"324=e1"), (b"\x018021=open", b"\x018021=halted"), b"8021", b"open"),
        (of(b"f", b"324=e2"), (b"\x01326=20", b"\x01326=3"), b"326", b"20"),
    ],
)
def test_an_answer_that_was_not_so_is_found(
    meant: Callable[[bytes], bool],
    change: tuple[bytes, ...],
    tag: bytes,
    expected: bytes | None,
    day: Path,
    tmp_path: Path,
) -> None:
    found = changed(day, tmp_path, meant, *change)
    assert found.what == "an answer says of an instrument what was not so"
    assert [(one.tag, one.expected) for one in found.differences] == [(tag, expected)]


def test_an_answer_with_another_header_is_found(day: Path, tmp_path: Path) -> None:
    found = changed(day, tmp_path, of(b"h"), b"\x0156=ACME", b"\x0156=OTHER")
    assert [one.tag for one in found.differences] == [b"56"]


def test_answers_whose_questions_no_journal_has_are_not_recorded(day: Path) -> None:
    recording = open_recording(day)
    answers = [one.message for one in recording.events() if one.kind is EventKind.ANSWER]
    types = [one.msg_type for one in answers if one is not None]
    assert set(types) == {b"8", b"f"}
    assert types.count(b"f") == 4, "what the venue has told"
