"""When a venue is open: periods in a time zone, held against a walk through every minute."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sessions.hours import Hours, Moment, parse_moment

SECOND = 1_000_000_000
MINUTE = 60 * SECOND
WEEK = frozenset(range(7))


def hours(opens: str, closes: str, zone: str = "UTC") -> Hours:
    return Hours(parse_moment(opens), parse_moment(closes), ZoneInfo(zone))


def at(text: str, zone: str = "UTC", fold: int = 0) -> int:
    """`2027-03-12 17:00` as nanoseconds; `fold` 1 is the second of two such times."""
    local = datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone), fold=fold)
    return round(local.timestamp()) * SECOND


# --- what can be written ------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "weekdays", "moment"),
    [
        ("17:00", WEEK, time(17)),
        ("00:00", WEEK, time(0)),
        ("23:59:59", WEEK, time(23, 59, 59)),
        ("  17:00 ", WEEK, time(17)),
        ("Sun 17:00", {6}, time(17)),
        ("mon 09:00:30", {0}, time(9, 0, 30)),
        ("Mon-Fri 09:00", {0, 1, 2, 3, 4}, time(9)),
        ("SAT-TUE 09:00", {5, 6, 0, 1}, time(9)),
        ("Sun-Thu 17:00", {6, 0, 1, 2, 3}, time(17)),
        ("Wed-Wed 09:00", {2}, time(9)),
        ("Mon-Sun 09:00", WEEK, time(9)),
    ],
)
def test_a_moment_is_a_time_on_days_of_the_week(
    text: str, weekdays: set[int], moment: time
) -> None:
    assert parse_moment(text) == Moment(frozenset(weekdays), moment)


@pytest.mark.parametrize(
    "text",
    [
        *("", "noon", "17", "17.00", "7:00", "17:0", "17:00:0", "17:00:00.5", "17:00Z"),
        *("Sunday 17:00", "So 17:00", "Sun,Mon 17:00", "Mon - Fri 17:00", "Sun  17:00", "Sun17:00"),
        *("24:00", "23:60", "23:59:60", "Day 17:00", "Mon-Day 17:00", "Mon- 17:00", "17:00 Sun"),
        "17:00\n18:00",
    ],
)
def test_what_is_no_moment_is_refused_with_its_text(text: str) -> None:
    with pytest.raises(ValueError, match=r"is no time such as|has no such time or day") as error:
        parse_moment(text)
    assert repr(text) in str(error.value)


# --- periods ------------------------------------------------------------------------------


def test_a_daily_period_is_open_from_its_first_nanosecond_to_before_its_last() -> None:
    daily = hours("09:00", "17:30:30")
    opened, closes = at("2027-01-13 09:00"), at("2027-01-13 17:30:30")
    assert daily.period(opened - 1) is None
    assert daily.period(opened) == (opened, closes)
    assert daily.period(closes - 1) == (opened, closes)
    assert daily.period(closes) is None


def test_the_next_opening_is_later_than_now_and_the_last_closing_is_not() -> None:
    daily = hours("09:00", "17:00")
    opened, closes = at("2027-01-13 09:00"), at("2027-01-13 17:00")
    tomorrow = at("2027-01-14 09:00")
    assert daily.next_opening(opened - 1) == opened
    assert daily.next_opening(opened) == tomorrow
    assert daily.next_opening(closes) == tomorrow
    assert daily.last_closing(closes) == closes
    assert daily.last_closing(tomorrow - 1) == closes


def test_a_period_may_go_over_midnight() -> None:
    night = hours("22:00", "06:00")
    opened, closes = at("2027-01-13 22:00"), at("2027-01-14 06:00")
    assert night.period(at("2027-01-13 23:59:59")) == (opened, closes)
    assert night.period(at("2027-01-14 00:00")) == (opened, closes)
    assert night.period(at("2027-01-14 12:00")) is None
    assert night.last_closing(at("2027-01-14 12:00")) == closes


def test_a_week_is_one_period_from_sunday_to_friday() -> None:
    week = hours("Sun 17:00", "Fri 16:00", "America/New_York")
    opened = at("2027-01-10 17:00", "America/New_York")
    closes = at("2027-01-15 16:00", "America/New_York")
    assert week.period(opened) == (opened, closes)
    assert week.period(at("2027-01-13 03:00", "America/New_York")) == (opened, closes)
    assert week.period(closes - 1) == (opened, closes)
    for closed in (closes, at("2027-01-16 12:00", "America/New_York")):
        assert week.period(closed) is None
        assert week.last_closing(closed) == closes
        assert week.next_opening(closed) == at("2027-01-17 17:00", "America/New_York")


def test_weekdays_have_a_period_each_and_the_weekend_has_none() -> None:
    weekdays = hours("Mon-Fri 09:00", "17:00")
    monday = date(2027, 1, 11)
    for day in range(14):
        midnight = at(str(monday + timedelta(days=day)))
        opened, closes = midnight + 9 * 60 * MINUTE, midnight + 17 * 60 * MINUTE
        is_weekend = day % 7 >= 5
        assert weekdays.period(opened) == (None if is_weekend else (opened, closes))
    friday = at("2027-01-15 17:00")
    assert weekdays.last_closing(at("2027-01-17 12:00")) == friday
    assert weekdays.next_opening(friday) == at("2027-01-18 09:00")


# --- clocks that are put forward and back -------------------------------------------------

#: Zone, the day on which a time does not exist, its hour, the day on which it exists twice, its.
CHANGES = [
    ("America/New_York", "2027-03-14", "02", "2027-11-07", "01"),
    ("Europe/Berlin", "2027-03-28", "02", "2027-10-31", "02"),
]


@pytest.mark.parametrize(("zone", "day"), [(zone, day) for zone, day, *_ in CHANGES])
def test_a_day_with_the_clocks_put_forward_is_an_hour_shorter(zone: str, day: str) -> None:
    whole = hours("00:00", "23:00", zone)
    opened = at(f"{day} 00:00", zone)
    assert whole.period(opened) == (opened, opened + 22 * 60 * MINUTE)


@pytest.mark.parametrize(("zone", "day"), [(zone, day) for zone, _, _, day, _ in CHANGES])
def test_a_day_with_the_clocks_put_back_is_an_hour_longer(zone: str, day: str) -> None:
    whole = hours("00:00", "23:00", zone)
    opened = at(f"{day} 00:00", zone)
    assert whole.period(opened) == (opened, opened + 24 * 60 * MINUTE)


@pytest.mark.parametrize(("zone", "day", "hour"), [change[:3] for change in CHANGES])
def test_an_opening_that_does_not_exist_is_within_the_hour_and_comes_once(
    zone: str, day: str, hour: str
) -> None:
    early = hours(f"{hour}:30", "22:00", zone)
    midnight, noon = at(f"{day} 00:00", zone), at(f"{day} 12:00", zone)
    opened = early.next_opening(midnight)
    gap = at(f"{day} {int(hour) + 1:02}:00", zone)
    assert gap <= opened <= gap + 30 * MINUTE
    assert early.period(opened - 1) is None
    assert early.period(noon) == (opened, at(f"{day} 22:00", zone))
    assert early.next_opening(opened) > noon


@pytest.mark.parametrize(("zone", "day", "hour"), [change[:3] for change in CHANGES])
def test_a_closing_that_does_not_exist_is_within_the_hour(zone: str, day: str, hour: str) -> None:
    late = hours("22:00", f"{hour}:30", zone)
    period = late.period(at(f"{day} 00:00", zone))
    gap = at(f"{day} {int(hour) + 1:02}:00", zone)
    assert period is not None
    assert gap <= period[1] <= gap + 30 * MINUTE
    assert late.period(period[1]) is None


@pytest.mark.parametrize(("zone", "day", "hour"), [(z, d, h) for z, _, _, d, h in CHANGES])
def test_an_opening_that_exists_twice_is_the_first_of_the_two(
    zone: str, day: str, hour: str
) -> None:
    early = hours(f"{hour}:30", "22:00", zone)
    first, second = (at(f"{day} {hour}:30", zone, fold) for fold in (0, 1))
    assert second - first == 60 * MINUTE
    closes = at(f"{day} 22:00", zone)
    assert early.period(first - 1) is None
    assert early.period(first) == early.period(second) == (first, closes)
    assert early.next_opening(first) > closes


@pytest.mark.parametrize(("zone", "day", "hour"), [(z, d, h) for z, _, _, d, h in CHANGES])
def test_a_closing_that_exists_twice_is_the_first_and_nothing_opens_again_at_the_second(
    zone: str, day: str, hour: str
) -> None:
    late = hours("22:00", f"{hour}:30", zone)
    first, second = (at(f"{day} {hour}:30", zone, fold) for fold in (0, 1))
    assert late.period(first - 1) is not None
    for closed in (first, second - 1, second):
        assert late.period(closed) is None
        assert late.last_closing(closed) == first


# --- against a naive oracle ---------------------------------------------------------------

DAYS = 24
#: Time zone, and the days looked at: each has what there is of changes in the middle.
WINDOWS = [
    ("UTC", date(2027, 1, 1)),
    ("America/New_York", date(2027, 3, 2)),
    ("America/New_York", date(2027, 10, 27)),
    ("Europe/Berlin", date(2027, 3, 17)),
    ("Europe/Berlin", date(2027, 10, 20)),
    ("Asia/Kathmandu", date(2027, 6, 1)),
]


@cache
def wall_clock(zone: str, start: date) -> dict[tuple[date, time], int]:
    """When a clock on the wall first shows each minute, in minutes since 1970: it is watched."""
    first = datetime.combine(start, time(0), UTC)
    shown: dict[tuple[date, time], int] = {}
    for minute in range(DAYS * 24 * 60):
        now = first + timedelta(minutes=minute)
        local = now.astimezone(ZoneInfo(zone))
        shown.setdefault((local.date(), local.time()), round(now.timestamp()) // 60)
    return shown


def happenings(moment: Moment, zone: str, start: date) -> set[int]:
    """The minutes in which `moment` comes; where the clocks skip it, it is an hour later."""
    shown = wall_clock(zone, start)
    found = set[int]()
    for day in (start + timedelta(days=number) for number in range(DAYS)):
        later = moment.at.replace(hour=(moment.at.hour + 1) % 24)
        minute = shown.get((day, moment.at), shown.get((day, later)))
        if day.weekday() in moment.weekdays and minute is not None:
            found.add(minute)
    return found


@dataclass(slots=True)
class Minute:
    """What somebody who has watched from the start knows in one minute."""

    opened: int | None = None
    closed: int | None = None


def watched(opens: Moment, closes: Moment, zone: str, start: date) -> list[Minute]:
    """Minute by minute: open since when, or closed since when."""
    openings, closings = happenings(opens, zone, start), happenings(closes, zone, start)
    first = round(datetime.combine(start, time(0), UTC).timestamp()) // 60
    known, out = Minute(), []
    for minute in range(first, first + DAYS * 24 * 60):
        if minute in openings:
            known = Minute(opened=minute)
        elif minute in closings and known.opened is not None:
            known = Minute(closed=minute)
        out.append(known)
    return out


def minutes_apart(one: time, other: time) -> int:
    gap = abs(one.hour * 60 + one.minute - other.hour * 60 - other.minute)
    return min(gap, 24 * 60 - gap)


times = st.builds(time, st.integers(0, 23), st.sampled_from([0, 1, 15, 30, 59]))
days = st.sets(st.integers(0, 6), min_size=1).map(frozenset)
moments = st.builds(Moment, st.one_of(st.just(WEEK), days), times)


@settings(max_examples=40, deadline=None)
@given(st.sampled_from(WINDOWS), moments, moments, st.lists(st.integers(0, 1 << 30), max_size=8))
def test_periods_are_those_of_somebody_who_watches_the_clock(
    window: tuple[str, date], opens: Moment, closes: Moment, places: list[int]
) -> None:
    if minutes_apart(opens.at, closes.at) <= 60:  # too near for a skipped hour to keep in order
        closes = Moment(closes.weekdays, opens.at.replace(hour=(opens.at.hour + 6) % 24))
    zone, start = window
    ours = Hours(opens, closes, ZoneInfo(zone))
    minutes = watched(opens, closes, zone, start)
    first = round(datetime.combine(start, time(0), UTC).timestamp()) // 60
    changes = [n for n in range(1, len(minutes)) if minutes[n] is not minutes[n - 1]]
    openings = [n for n in changes if minutes[n].opened is not None]
    # The first 9 days only teach the watcher, the last 8 are there to be looked ahead to.
    for number in {9 * 1440 + place % (7 * 1440) for place in places} | set(changes):
        if not 9 * 1440 <= number < 16 * 1440:
            continue
        known, start_ns = minutes[number], (first + number) * MINUTE
        for now in (start_ns, start_ns + MINUTE - 1):
            period = ours.period(now)
            if known.opened is None:
                assert known.closed is not None
                assert period is None
                assert ours.last_closing(now) == known.closed * MINUTE
            else:
                end = next(n for n in changes if n > number and minutes[n].opened != known.opened)
                assert period is not None
                assert period[0] == known.opened * MINUTE
                if minutes[end].opened is None:  # else it opens anew before it closes
                    assert period[1] == (first + end) * MINUTE
                assert now < period[1]
            following = next(n for n in openings if n > number)
            assert ours.next_opening(now) == (first + following) * MINUTE


def test_a_break_at_night_does_not_become_a_day_when_clocks_go_forward() -> None:
    ours = hours("03:00", "02:30", "America/New_York")  # closed from 02:30 to 03:00
    assert ours.period(at("2027-03-14 12:00", "America/New_York")) is not None


def test_a_short_period_does_not_become_a_day_when_clocks_go_forward() -> None:
    ours = hours("02:30", "03:00", "America/New_York")
    assert ours.period(at("2027-03-14 12:00", "America/New_York")) is None
