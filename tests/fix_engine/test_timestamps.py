"""UTCTimestamp both ways, with datetime as the judge."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fix_engine.timestamps import (
    SECOND_NS,
    Precision,
    TimestampFormatter,
    TimestampParser,
    shared_formatter,
)
from tests.fix_engine.support import NOON, examples, stamp

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
LAST = int((datetime(9999, 12, 31, tzinfo=UTC) - EPOCH).total_seconds())

moments = st.integers(0, LAST * SECOND_NS)
precisions = st.sampled_from(Precision)


def written(now: int, digits: int) -> bytes:
    """The timestamp as datetime writes it, the fraction cut to `digits`."""
    second, rest = divmod(now, SECOND_NS)
    text = (EPOCH + timedelta(seconds=second)).strftime("%Y%m%d-%H:%M:%S")
    return f"{text.rjust(17, '0')}.{f'{rest:09}'[:digits]}".encode()


def parse(text: str) -> int | None:
    return TimestampParser().parse(text.encode())


@pytest.mark.parametrize(
    ("precision", "text"),
    [
        (Precision.MILLISECONDS, b"20240229-12:00:00.123"),
        (Precision.MICROSECONDS, b"20240229-12:00:00.123456"),
        (Precision.NANOSECONDS, b"20240229-12:00:00.123456789"),
    ],
)
def test_three_precisions_are_written(precision: Precision, text: bytes) -> None:
    assert TimestampFormatter(precision).format(NOON + 123_456_789) == text


def test_milliseconds_are_the_default() -> None:
    assert TimestampFormatter().format(NOON) == b"20240229-12:00:00.000"


@pytest.mark.parametrize(
    ("text", "fraction"),
    [
        ("20240229-12:00:00", 0),
        ("20240229-12:00:00.123", 123_000_000),
        ("20240229-12:00:00.123456", 123_456_000),
        ("20240229-12:00:00.123456789", 123_456_789),
        ("20240229-12:00:00.000000001", 1),
    ],
)
def test_four_precisions_are_read(text: str, fraction: int) -> None:
    """FIX 4.4 Volume 1, UTCTimestamp: whole seconds or milliseconds; later versions, finer."""
    assert parse(text) == NOON + fraction


def test_what_does_not_fit_is_cut_and_not_rounded() -> None:
    """A message must never bear a time later than its own."""
    almost = NOON + SECOND_NS - 1
    assert TimestampFormatter(Precision.MILLISECONDS).format(almost) == b"20240229-12:00:00.999"
    assert TimestampFormatter(Precision.MICROSECONDS).format(almost) == b"20240229-12:00:00.999999"


@examples(150)
@given(st.lists(moments, min_size=1, max_size=6), precisions)
def test_formatting_agrees_with_datetime(times: list[int], precision: Precision) -> None:
    format_time = TimestampFormatter(precision).format
    for now in (*times, *times):
        assert format_time(now) == written(now, precision)


@examples(150)
@given(st.lists(moments, min_size=1, max_size=6), precisions)
def test_parsing_is_the_reverse(times: list[int], precision: Precision) -> None:
    parser = TimestampParser()
    for now in (*times, *times):
        unit = 10 ** (9 - precision)
        assert parser.parse(written(now, precision)) == now // unit * unit


@examples(120)
@given(st.lists(st.integers(-3 * SECOND_NS, 3 * SECOND_NS), max_size=20), precisions)
def test_a_remembered_second_never_leaks_into_another(
    steps: list[int], precision: Precision
) -> None:
    now, formatter, parser = NOON, TimestampFormatter(precision), TimestampParser()
    for step in steps:
        now += step
        text = formatter.format(now)
        assert text == written(now, precision)
        unit = 10 ** (9 - precision)
        assert parser.parse(text) == now // unit * unit


def test_a_time_that_cannot_be_written_leaves_nothing_behind() -> None:
    formatter = TimestampFormatter()
    before = formatter.format(NOON)
    for _ in range(2):
        with pytest.raises(OverflowError):
            formatter.format(10**30)
    assert formatter.format(NOON) == before


def test_a_faulty_timestamp_leaves_nothing_behind() -> None:
    parser = TimestampParser()
    assert parser.parse(b"20240229-12:00:00.500") == NOON + 500_000_000
    assert parser.parse(b"20240230-12:00:00.500") is None
    assert parser.parse(b"20240229-12:00:00.5") is None
    assert parser.parse(b"20240230-12:00:00.500") is None
    assert parser.parse(b"20240229-12:00:01") == NOON + SECOND_NS
    assert parser.parse(b"20240229-12:00:00") == NOON


@pytest.mark.parametrize(
    ("leap", "same"),
    [
        ("20161231-23:59:60", "20170101-00:00:00"),
        ("20161231-23:59:60.250", "20170101-00:00:00.250"),
        ("20150630-23:59:60", "20150701-00:00:00"),
    ],
)
def test_a_leap_second_is_the_first_of_the_next_minute(leap: str, same: str) -> None:
    """FIX 4.4 Volume 1, UTCTimestamp: SS = 00-60, 60 only where UTC has a leap second."""
    assert parse(leap) is not None
    assert parse(leap) == parse(same)


@pytest.mark.parametrize("year", [1972, 2000, 2024])
def test_leap_years_have_a_29th_of_february(year: int) -> None:
    assert parse(f"{year}0229-00:00:00") == int(
        datetime(year, 2, 29, tzinfo=UTC).timestamp() * SECOND_NS
    )


@pytest.mark.parametrize(
    "text",
    [
        # no such day
        "20240230-12:00:00",
        "20230229-12:00:00",
        "21000229-12:00:00",
        "20240431-12:00:00",
        "20240631-12:00:00",
        "20240931-12:00:00",
        "20241131-12:00:00",
        "20240132-12:00:00",
        "20240100-12:00:00",
        "20240001-12:00:00",
        "20241301-12:00:00",
        # no such time
        "20240229-24:00:00",
        "20240229-12:60:00",
        "20240229-12:00:61",
        # not the format
        "20240229",
        "20240229-12:00",
        "20240229-12:00:0",
        "20240229 12:00:00",
        "20240229T12:00:00",
        "2024-02-29-12:00:00",
        "20240229-12:00:00Z",
        "20240229-12:00:00 ",
        " 20240229-12:00:00",
        "20240229-12:00:00\n",
        "-0240229-12:00:00",
        "20240229-1a:00:00",
        "abc",
        # not a fraction of 3, 6 or 9 digits
        "20240229-12:00:00.",
        "20240229-12:00:00.1",
        "20240229-12:00:00.12",
        "20240229-12:00:00.1234",
        "20240229-12:00:00.12345",
        "20240229-12:00:00.1234567",
        "20240229-12:00:00.12345678",
        "20240229-12:00:00.1234567890",
        "20240229-12:00:00,123",
        "20240229-12:00:00.12x",
        "20240229-12:00:00.-12",
        "20240229-12:00:00.123\n",
        "20240229-12:00:001123",
        # before the epoch
        "19691231-23:59:59",
        "00000000-00:00:00",
    ],
)
def test_what_is_no_timestamp_is_none(text: str) -> None:
    parser = TimestampParser()
    assert parser.parse(text.encode()) is None
    assert parser.parse(b"20240229-12:00:00") == NOON
    assert parser.parse(text.encode()) is None


two_digits = st.integers(0, 63).map(lambda number: f"{number:02}")


@examples(250)
@given(st.integers(1960, 2110), two_digits, two_digits, two_digits, two_digits, two_digits)
def test_a_date_is_one_when_datetime_says_so(
    year: int, month: str, day: str, hour: str, minute: str, second: str
) -> None:
    text = f"{year}{month}{day}-{hour}:{minute}:{second}"
    expected = None
    if second < "60" and year >= 1970:
        try:
            moment = datetime(year, int(month), int(day), int(hour), int(minute), int(second))
        except ValueError:
            pass
        else:
            expected = int(moment.replace(tzinfo=UTC).timestamp()) * SECOND_NS
    if second != "60":
        assert parse(text) == expected


@pytest.mark.parametrize("year", [1970, 1999, 2000, 2023, 2024, 2100])
def test_the_calendar_is_that_of_datetime(year: int) -> None:
    known = {EPOCH.replace(year=year) + timedelta(days=day) for day in range(366)}
    for month in range(14):
        for day in range(33):
            text = f"{year}{month:02}{day:02}-00:00:00"
            valid = any((d.month, d.day) == (month, day) for d in known if d.year == year)
            assert (parse(text) is not None) == valid, text


def test_the_tests_tell_the_time_in_the_same_way() -> None:
    assert stamp(NOON + 1_999_999).encode() == TimestampFormatter().format(NOON + 1_999_999)


def test_those_who_share_a_formatter_write_what_each_would_by_itself() -> None:
    shared = shared_formatter(Precision.MICROSECONDS)
    assert shared is shared_formatter(Precision.MICROSECONDS)
    assert shared is not shared_formatter(Precision.MILLISECONDS)
    for now in (NOON, NOON + 1_999, NOON, NOON - 3_600 * SECOND_NS, NOON + 1_999):
        assert shared.format(now) == TimestampFormatter(Precision.MICROSECONDS).format(now)
