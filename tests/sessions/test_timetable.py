"""Opening hours and maintenance together: what is closed, what is told, when it is open again."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

import pytest

from sessions.hours import FOREVER_NS, Hours, parse_moment
from sessions.timetable import Announcement, Closure, Timetable, farewell, utc

SECOND = 1_000_000_000
STEPS = (600, 60, 10)


def at(text: str) -> int:
    """`12:00`, `12:00:30` or `14 12:00` in January 2027, UTC; the 13th, a Wednesday, by default."""
    day, _, moment = text.rpartition(" ")
    local = datetime.fromisoformat(f"2027-01-{day or 13} {moment}").replace(tzinfo=UTC)
    return round(local.timestamp()) * SECOND


def table(
    opens: str = "", closes: str = "", resets: bool = False, announce_s: Sequence[int] = STEPS
) -> Timetable:
    """Without times it is always open."""
    hours = Hours(parse_moment(opens), parse_moment(closes), UTC) if opens else None
    return Timetable(hours, resets, announce_s)


def plan(starts: str, ends: str, reason: str = "maintenance") -> Closure:
    return Closure(at(starts), at(ends), reason)


def text_of(found: Announcement | None) -> str:
    assert found is not None
    return found.text


# --- closures -----------------------------------------------------------------------------


def test_without_hours_and_maintenance_no_closure_is_in_sight() -> None:
    always = table()
    assert always.closure(at("12:00")) is None
    assert always.closed(at("12:00")) is None
    assert always.next_event(at("12:00")) == FOREVER_NS


def test_maintenance_is_in_sight_and_on_from_its_first_nanosecond_to_before_its_last() -> None:
    ours = table()
    ours.planned = plan("12:00", "12:30")
    assert ours.closure(at("11:00")) == ours.planned
    assert ours.closed(at("12:00") - 1) is None
    assert ours.closed(at("12:00")) == ours.planned
    assert ours.closed(at("12:30") - 1) == ours.planned
    assert ours.closed(at("12:30")) is None
    assert ours.closure(at("12:30")) is None


def test_hours_close_from_their_first_nanosecond_to_before_the_next_opening() -> None:
    ours = table("09:00", "17:00")
    night = Closure(at("17:00"), at("14 09:00"), "the end of the session")
    assert ours.closure(at("12:00")) == night
    assert ours.closed(at("17:00") - 1) is None
    assert ours.closed(at("17:00")) == night
    assert ours.closed(at("14 09:00") - 1) == night
    assert ours.closed(at("14 09:00")) is None


def test_of_two_closures_ahead_the_next_one_counts() -> None:
    ours = table("09:00", "17:00")
    ours.planned = plan("16:00", "16:10")
    assert ours.closure(at("12:00")) == ours.planned
    ours.planned = plan("14 10:00", "14 11:00")
    found = ours.closure(at("12:00"))
    assert found is not None
    assert found.starts == at("17:00")


def test_of_two_closures_that_are_on_the_longer_one_counts() -> None:
    ours = table("09:00", "17:00")
    ours.planned = plan("16:00", "18:00", "a move")
    found = ours.closed(at("17:30"))
    assert found == Closure(at("17:00"), at("14 09:00"), "the end of the session")
    ours.planned = plan("18:00", "14 10:00", "a move")
    found = ours.closed(at("20:00"))
    assert found == Closure(at("18:00"), at("14 10:00"), "a move")


@pytest.mark.parametrize(
    ("starts", "ends", "back"),
    [
        ("12:00", "12:30", "12:30"),
        ("16:30", "16:59:59", "16:59:59"),
        ("16:30", "17:00", "14 09:00"),  # it touches the closing
        ("16:30", "20:00", "14 09:00"),
        ("16:30", "14 09:00", "14 09:00"),  # it ends with the opening
        ("16:30", "14 09:30", "14 09:30"),
        ("16:30", "14 17:00", "15 09:00"),  # it takes the whole next day
    ],
)
def test_the_return_from_maintenance_is_within_the_hours(starts: str, ends: str, back: str) -> None:
    ours = table("09:00", "17:00")
    ours.planned = plan(starts, ends)
    for now in ("11:00", starts):
        found = ours.closure(at(now))
        assert found == Closure(at(starts), at(back), "maintenance")


@pytest.mark.parametrize(
    ("starts", "ends", "back"),
    [
        ("20:00", "22:00", "14 09:00"),
        ("20:00", "14 09:00", "14 09:00"),
        ("14 08:59", "14 09:00:01", "14 09:00:01"),
        ("14 09:00", "14 09:30", "14 09:30"),  # it touches the opening
        ("14 09:00:01", "14 09:30", "14 09:00"),
        ("14 08:00", "14 17:00", "15 09:00"),
        ("14 08:00", "15 09:00", "15 09:00"),
        ("14 08:00", "15 12:00", "15 12:00"),
    ],
)
def test_the_return_from_the_night_is_in_no_maintenance(starts: str, ends: str, back: str) -> None:
    ours = table("09:00", "17:00")
    ours.planned = plan(starts, ends)
    for now in ("12:00", "17:00", "19:00"):
        found = ours.closure(at(now))
        assert found == Closure(at("17:00"), at(back), "the end of the session")


def test_of_a_closure_that_begins_now_and_one_that_is_on_the_longer_one_counts() -> None:
    ours = table("09:00", "17:00")
    ours.planned = plan("16:00", "17:30")
    assert ours.closed(at("17:00")) == Closure(
        at("17:00"), at("14 09:00"), "the end of the session"
    )


def test_whenever_it_is_closed_the_time_of_return_is_when_it_opens() -> None:
    for starts, ends in (("16:30", "20:00"), ("14 08:00", "14 17:00"), ("08:00", "09:30")):
        ours = table("09:00", "17:00")
        ours.planned = plan(starts, ends)
        for minute in range(0, 36 * 60, 6):
            now = at("08:00") + minute * 60 * SECOND
            closed = ours.closed(now)
            if closed is not None:
                assert ours.closed(closed.ends - 1) is not None, utc(now)
                assert ours.closed(closed.ends) is None, utc(now)


# --- sequences of an earlier period -------------------------------------------------------


def test_sequences_from_before_the_opening_are_stale_and_later_ones_are_not() -> None:
    ours = table("09:00", "17:00", resets=True)
    now = at("12:00")
    assert ours.is_stale(at("09:00") - 1, now)
    assert not ours.is_stale(at("09:00"), now)
    assert not ours.is_stale(now, now)
    assert not ours.is_stale(at("12 12:00"), at("09:00") - 1), "nothing begins while it is closed"
    assert ours.is_stale(at("12 12:00"), at("09:00"))


def test_without_resets_or_without_hours_no_sequence_is_ever_stale() -> None:
    assert not table("09:00", "17:00").is_stale(0, at("12:00"))
    assert not table(resets=True).is_stale(0, at("12:00"))


def test_maintenance_makes_no_sequence_stale() -> None:
    ours = table("09:00", "17:00", resets=True)
    ours.planned = plan("12:00", "12:30")
    assert not ours.is_stale(at("10:00"), at("12:30"))


# --- the countdown ------------------------------------------------------------------------


def told(ours: Timetable, start: str, end: str) -> list[tuple[str, str]]:
    """What is announced and when, to somebody who looks at each event and now and then."""
    now, out = at(start), []
    while now < at(end):
        found = ours.announcement(now)
        if found is not None:
            out.append((utc(now)[9:], found.headline))
        now = min(ours.next_event(now), now + (SECOND if found is not None else 30 * SECOND))
    return out


COUNTDOWN = [
    ("11:50:00", "Closing in 600 s"),
    ("11:59:00", "Closing in 60 s"),
    ("11:59:50", "Closing in 10 s"),
]


def test_each_step_of_the_countdown_is_told_once() -> None:
    ours = table()
    ours.planned = plan("12:00", "12:30")
    assert told(ours, "11:45", "12:40") == COUNTDOWN


def test_the_order_of_the_steps_in_the_settings_is_no_matter() -> None:
    ours = table(announce_s=(10, 600, 60))
    ours.planned = plan("12:00", "12:30")
    assert told(ours, "11:45", "12:40") == COUNTDOWN


def test_a_closure_by_hours_is_counted_down_too_each_day() -> None:
    ours = table("09:00", "12:00")
    assert told(ours, "11:45", "12:01") == COUNTDOWN
    assert ours.announcement(at("14 08:00")) is None, "it is closed"
    assert text_of(ours.announcement(at("14 11:50"))) == (
        "Seamark closes at 20270114-12:00:00 UTC for the end of the session and is back at "
        "20270115-09:00:00 UTC; sequence numbers stay"
    )


def test_an_announcement_says_when_why_until_when_and_what_becomes_of_the_numbers() -> None:
    ours = table()
    ours.planned = plan("12:00", "12:30", "a new release")
    assert ours.announcement(at("11:50")) == Announcement(
        "Closing in 600 s",
        "Seamark closes at 20270113-12:00:00 UTC for a new release and is back at "
        "20270113-12:30:00 UTC; sequence numbers stay",
    )
    ours = table("09:00", "12:00", resets=True)
    assert text_of(ours.announcement(at("11:50"))).endswith("; sequence numbers begin anew")


@pytest.mark.parametrize(
    ("planned_at", "headlines"),
    [
        ("11:50:01", ["Closing in 599 s", "Closing in 60 s", "Closing in 10 s"]),
        ("11:58:59", ["Closing in 61 s", "Closing in 60 s", "Closing in 10 s"]),
        ("11:59:01", ["Closing in 59 s", "Closing in 10 s"]),
        ("11:59:55", ["Closing in 5 s"]),
        ("11:59:59", ["Closing in 1 s"]),
        ("12:00", []),
        ("12:10", []),
    ],
)
def test_of_a_late_plan_only_what_is_left_of_the_countdown_is_told(
    planned_at: str, headlines: list[str]
) -> None:
    ours = table()
    assert told(ours, "11:00", planned_at) == []
    ours.planned = plan("12:00", "12:30")
    found = told(ours, planned_at, "12:40")
    assert [headline for _, headline in found] == headlines
    if found:
        assert found[0][0].startswith(planned_at), "at once"


def test_what_is_left_is_told_in_whole_seconds_never_less_than_there_are() -> None:
    ours = table()
    ours.planned = plan("12:00", "12:30")
    found = ours.announcement(at("11:59:50") + 1)
    assert found is not None
    assert found.headline == "Closing in 10 s"


def test_without_steps_nothing_is_told_and_the_start_is_the_next_event() -> None:
    ours = table(announce_s=())
    ours.planned = plan("12:00", "12:30")
    assert ours.next_event(at("11:00")) == at("12:00")
    assert told(ours, "11:00", "12:40") == []


def test_the_next_event_is_the_next_step_then_the_start_then_nothing() -> None:
    ours = table()
    ours.planned = plan("12:00", "12:30")
    steps = ("11:50", "11:59", "11:59:50", "12:00")
    now = at("11:00")
    for step in steps:
        assert ours.next_event(now) == at(step)
        now = at(step)
    assert ours.next_event(now) == FOREVER_NS


# --- plans that change --------------------------------------------------------------------


def test_what_was_announced_and_is_called_off_is_told_once() -> None:
    ours = table()
    ours.planned = plan("12:00", "12:30")
    assert ours.announcement(at("11:50")) is not None
    ours.planned = None
    assert ours.announcement(at("11:55")) == Announcement(
        "Closure called off",
        "The closure at 20270113-12:00:00 UTC is called off: maintenance",
    )
    assert told(ours, "11:55:01", "12:40") == []


def test_what_nobody_was_told_of_is_called_off_in_silence() -> None:
    ours = table()
    ours.planned = plan("12:00", "12:30")
    assert ours.announcement(at("11:49")) is None
    ours.planned = None
    assert told(ours, "11:49:01", "12:40") == []


@pytest.mark.parametrize("now", ["12:00", "12:10", "12:30"])
def test_a_closure_that_is_over_or_ended_early_is_not_called_off(now: str) -> None:
    ours = table()
    ours.planned = plan("12:00", "12:30")
    assert ours.announcement(at("11:59")) is not None
    ours.planned = None
    assert ours.announcement(at(now)) is None


def test_maintenance_that_is_put_off_is_called_off_and_announced_anew() -> None:
    ours = table()
    ours.planned = plan("12:00", "12:30")
    assert ours.announcement(at("11:50")) is not None
    ours.planned = plan("12:05", "12:30")
    assert told(ours, "11:57", "12:40") == [
        ("11:57:00", "Closure called off"),
        ("11:57:01", "Closing in 479 s"),
        ("12:04:00", "Closing in 60 s"),
        ("12:04:50", "Closing in 10 s"),
    ]


def test_the_same_maintenance_planned_again_is_counted_down_anew() -> None:
    ours = table()
    ours.planned = plan("12:00", "12:30")
    assert ours.announcement(at("11:50")) is not None
    ours.planned = None
    assert ours.announcement(at("11:51")) is not None
    ours.planned = plan("12:00", "12:30")
    assert told(ours, "11:52", "12:40") == [("11:52:00", "Closing in 480 s"), *COUNTDOWN[1:]]


def test_after_maintenance_the_closing_of_the_day_is_counted_down() -> None:
    ours = table("09:00", "12:00")
    ours.planned = plan("10:00", "11:55")
    assert told(ours, "09:45", "12:10") == [
        ("09:50:00", "Closing in 600 s"),
        ("09:59:00", "Closing in 60 s"),
        ("09:59:50", "Closing in 10 s"),
        ("11:55:00", "Closing in 300 s"),
        *COUNTDOWN[1:],
    ]


def test_maintenance_after_the_closing_of_the_day_is_not_told_apart() -> None:
    ours = table("09:00", "12:00")
    ours.planned = plan("12:05", "12:30")
    assert told(ours, "11:45", "12:40") == COUNTDOWN


# --- words --------------------------------------------------------------------------------


def test_the_farewell_says_why_and_until_when() -> None:
    assert farewell(plan("12:00", "12:30", "a new release")) == (
        "Closed for a new release until 20270113-12:30:00 UTC"
    )


def test_times_are_told_as_fix_writes_them() -> None:
    assert utc(at("09:05:07") + SECOND - 1) == "20270113-09:05:07"


def test_an_earlier_closure_does_not_call_off_the_later_one() -> None:
    ours = table("09:00", "16:00")
    assert ours.announcement(at("15:50")) is not None
    ours.planned = plan("15:55", "15:57")
    told = ours.announcement(at("15:51"))
    assert told is None or told.headline != "Closure called off"


def test_maintenance_within_a_period_does_not_promise_a_reset() -> None:
    ours = table("09:00", "17:00", resets=True)
    ours.planned = plan("12:00", "12:30")
    assert text_of(ours.announcement(at("11:50"))).endswith("sequence numbers stay")


def test_a_changed_return_is_told() -> None:
    ours = table()
    ours.planned = plan("12:00", "12:30")
    assert ours.announcement(at("11:50")) is not None
    ours.planned = plan("12:00", "14:00")
    assert ours.announcement(at("11:55")) is not None
