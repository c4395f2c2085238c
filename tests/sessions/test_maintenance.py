"""The plan of maintenance as a file: whole or not at all, and never a reason to stop."""

from __future__ import annotations

import json
import os
from datetime import UTC, datetime
from pathlib import Path

import pytest

from sessions.maintenance import FILE_NAME, MaintenanceError, MaintenancePlan, plan_from
from sessions.timetable import Closure

SECOND = 1_000_000_000
NOON = round(datetime(2027, 1, 13, 12, tzinfo=UTC).timestamp()) * SECOND
PLANNED = Closure(NOON, NOON + 1800 * SECOND, "a new release")
IN_WORDS = {
    "starts": "2027-01-13T12:00:00+00:00",
    "ends": "2027-01-13T12:30:00+00:00",
    "reason": "a new release",
}


@pytest.fixture
def plan(tmp_path: Path) -> MaintenancePlan:
    return MaintenancePlan(tmp_path)


def put(plan: MaintenancePlan, content: str | bytes) -> None:
    """Another file in place of the one there is, as an editor leaves it."""
    draft = plan.path.with_name("draft")
    draft.write_bytes(content.encode() if isinstance(content, str) else content)
    os.replace(draft, plan.path)


# --- write, read, cancel ------------------------------------------------------------------


def test_without_a_file_nothing_is_planned(plan: MaintenancePlan) -> None:
    assert plan.read() is None
    assert plan.current() is None
    assert not plan.cancel()


def test_what_is_written_is_read_and_planned(plan: MaintenancePlan) -> None:
    plan.write(PLANNED)
    assert plan.read() == PLANNED
    assert plan.current() == PLANNED
    assert MaintenancePlan(plan.path.parent).current() == PLANNED, "by another process, too"


def test_the_file_is_for_people_and_is_the_only_one_left(plan: MaintenancePlan) -> None:
    plan.write(PLANNED)
    assert json.loads(plan.path.read_text()) == IN_WORDS
    assert os.listdir(plan.path.parent) == [FILE_NAME]


def test_a_new_plan_takes_the_place_of_the_old_one(plan: MaintenancePlan) -> None:
    plan.write(PLANNED)
    assert plan.current() == PLANNED
    later = Closure(NOON + 3600 * SECOND, NOON + 7200 * SECOND, "later")
    plan.write(later)
    assert plan.current() == later


def test_what_is_cancelled_is_not_planned_any_more(plan: MaintenancePlan) -> None:
    plan.write(PLANNED)
    assert plan.current() == PLANNED
    assert plan.cancel()
    assert plan.current() is None
    assert plan.read() is None
    plan.write(PLANNED)
    assert plan.current() == PLANNED


def test_the_file_is_read_only_when_it_has_changed(
    plan: MaintenancePlan, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan.write(PLANNED)
    reads: list[Path] = []
    real = MaintenancePlan.read

    def counted(self: MaintenancePlan) -> Closure | None:
        reads.append(self.path)
        return real(self)

    monkeypatch.setattr(MaintenancePlan, "read", counted)
    for _ in range(3):
        assert plan.current() == PLANNED
    assert len(reads) == 1
    plan.write(PLANNED)
    assert plan.current() == PLANNED
    assert len(reads) == 2


# --- times --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("starts", "ends"),
    [
        ("2027-01-13T12:00:00Z", "2027-01-13T12:30:00Z"),
        ("2027-01-13T13:00:00+01:00", "2027-01-13T07:30:00-05:00"),
        ("2027-01-13 12:00Z", "2027-01-13 12:30Z"),
    ],
)
def test_a_file_by_hand_may_use_any_time_zone_that_it_names(
    plan: MaintenancePlan, starts: str, ends: str
) -> None:
    put(plan, json.dumps({"starts": starts, "ends": ends, "reason": "a new release"}))
    assert plan.read() == PLANNED


@pytest.mark.parametrize("name", ["starts", "ends"])
def test_a_time_without_a_zone_is_refused(plan: MaintenancePlan, name: str) -> None:
    put(plan, json.dumps(IN_WORDS | {name: IN_WORDS[name].removesuffix("+00:00")}))
    with pytest.raises(MaintenanceError, match="has no time zone; write Z or an offset"):
        plan.read()
    assert plan.current() is None


def test_a_plan_from_now_is_in_whole_seconds() -> None:
    assert plan_from(NOON + 999_999_999, 600, 1800, "x") == Closure(
        NOON + 600 * SECOND, NOON + 2400 * SECOND, "x"
    )
    assert plan_from(NOON, 0, 1, "x") == Closure(NOON, NOON + SECOND, "x")


# --- files that cannot be used ------------------------------------------------------------

BROKEN: dict[str, str | bytes] = {
    "empty": "",
    "no JSON": "maintenance at noon",
    "cut off": json.dumps(IN_WORDS)[:-10],
    "no object": "[]",
    "a string": '"starts"',
    "nothing": "null",
    "a name missing": json.dumps({key: IN_WORDS[key] for key in ("starts", "reason")}),
    "no reason": json.dumps(IN_WORDS | {"reason": ""}),
    "a reason of two lines": json.dumps(IN_WORDS | {"reason": "a\nb"}),
    "a reason with SOH": json.dumps(IN_WORDS | {"reason": "a\x0110=000"}),
    "a reason that is not ASCII": json.dumps(IN_WORDS | {"reason": "Wartung f\u00fcr alle"}),
    "a long reason": json.dumps(IN_WORDS | {"reason": "x" * 101}),
    "for ever": json.dumps(IN_WORDS | {"ends": "9999-12-31T23:59:59Z"}),
    "more than a year": json.dumps(IN_WORDS | {"ends": "2040-01-01T00:00:00Z"}),
    "deep": "[" * 4_000,
    "large": json.dumps(IN_WORDS) + " " * 5_000,
    "no time": json.dumps(IN_WORDS | {"starts": "noon"}),
    "a number": json.dumps(IN_WORDS | {"starts": 1_800_000_000}),
    "no date": json.dumps(IN_WORDS | {"ends": "12:30:00Z"}),
    "the end first": json.dumps(IN_WORDS | {"ends": IN_WORDS["starts"]}),
    "not UTF-8": b"\xff\xfe",
}


@pytest.mark.parametrize("content", BROKEN.values(), ids=BROKEN)
def test_a_broken_file_is_refused_in_one_line_and_leaves_the_plan_before(
    plan: MaintenancePlan, content: str | bytes
) -> None:
    plan.write(PLANNED)
    assert plan.current() == PLANNED
    put(plan, content)
    with pytest.raises(MaintenanceError) as error:
        plan.read()
    assert "\n" not in str(error.value)
    assert plan.current() == PLANNED
    assert plan.current() == PLANNED, "and stays"
    later = Closure(NOON + 3600 * SECOND, NOON + 7200 * SECOND, "later")
    plan.write(later)
    assert plan.current() == later


def test_after_a_restart_a_broken_file_plans_nothing(plan: MaintenancePlan) -> None:
    put(plan, "?")
    assert MaintenancePlan(plan.path.parent).current() is None


def test_after_a_plan_was_cancelled_a_broken_file_does_not_bring_it_back(
    plan: MaintenancePlan,
) -> None:
    plan.write(PLANNED)
    assert plan.current() == PLANNED
    plan.cancel()
    assert plan.current() is None
    put(plan, "?")
    assert plan.current() is None


def test_a_broken_file_that_is_removed_ends_the_plan(plan: MaintenancePlan) -> None:
    plan.write(PLANNED)
    assert plan.current() == PLANNED
    put(plan, "?")
    assert plan.current() == PLANNED
    plan.cancel()
    assert plan.current() is None


def test_a_directory_in_its_place_is_refused(plan: MaintenancePlan) -> None:
    plan.path.mkdir()
    assert plan.current() is None
    with pytest.raises(MaintenanceError):
        plan.read()
    with pytest.raises(MaintenanceError):
        plan.write(PLANNED)
    with pytest.raises(MaintenanceError):
        plan.cancel()


# --- writing ------------------------------------------------------------------------------


def test_whoever_reads_meanwhile_finds_the_old_plan_or_the_new_one(
    plan: MaintenancePlan, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan.write(PLANNED)
    later = Closure(NOON + 3600 * SECOND, NOON + 7200 * SECOND, "later")
    seen: list[Closure | None] = []
    real = Path.write_text

    def watched(self: Path, data: str, encoding: str | None = None) -> int:
        for size in (0, len(data) // 2, len(data)):
            real(self, data[:size], encoding)
            seen.append(plan.read())
        return len(data)

    monkeypatch.setattr(Path, "write_text", watched)
    plan.write(later)
    assert seen == [PLANNED] * 3
    assert plan.read() == later


def test_a_write_that_fails_leaves_the_old_plan_and_says_why(
    plan: MaintenancePlan, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan.write(PLANNED)

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr("sessions.maintenance.os.replace", full)
        with pytest.raises(MaintenanceError, match="No space left on device"):
            plan.write(Closure(NOON, NOON + SECOND, "later"))
    assert plan.read() == PLANNED


def test_a_directory_that_is_not_there_is_named(tmp_path: Path) -> None:
    plan = MaintenancePlan(tmp_path / "nowhere")
    assert plan.current() is None
    with pytest.raises(MaintenanceError, match=r"nowhere.*: No such file or directory"):
        plan.write(PLANNED)


@pytest.mark.parametrize(
    ("lasts_s", "reason"),
    [(0, "x"), (-1, "x"), (10, ""), (10, "x" * 101), (10, "a\x01b"), (10, "\u00fc"), (10, "a\nb")],
)
def test_what_cannot_be_announced_is_not_planned(lasts_s: int, reason: str) -> None:
    with pytest.raises(MaintenanceError):
        plan_from(NOON, 60, lasts_s, reason)


def test_a_reason_may_have_a_hundred_characters() -> None:
    assert plan_from(NOON, 60, 10, "x" * 100).reason == "x" * 100
