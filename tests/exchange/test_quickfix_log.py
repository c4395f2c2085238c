"""Logs as the QuickFIX engines write them, and as people pass them on."""

from __future__ import annotations

from pathlib import Path

import pytest

from exchange.quickfix_log import LoggedMessage, QuickfixLog, QuickfixLogError
from tests.support.messages import fix

ORDER = fix("35=D|34=2|49=ACME|52=20261122-16:00:00.123|56=VENUE|11=a|58=one two|")
REPORT = fix("35=8|34=2|49=VENUE|52=20261122-16:00:00.456|56=ACME|11=a|150=0|")
AT_16 = 1_795_363_200 * 10**9  # 2026-11-22 16:00:00 UTC


def read(tmp_path: Path, content: bytes, name: str = "some.log") -> list[LoggedMessage]:
    path = tmp_path / name
    path.write_bytes(content)
    return list(QuickfixLog(path))


@pytest.mark.parametrize("separator", [b"\x01", b"|", b"^A"])
@pytest.mark.parametrize(
    ("before", "after", "time_ns"),
    [
        (b"20261122-16:00:01.123456789 : ", b"\n", AT_16 + 1_123_456_789),  # QuickFIX
        (b"20261122-16:00:01.123456789 : ", b"\r\n", AT_16 + 1_123_456_789),
        (b"20261122-16:00:01.123: ", b"\n", AT_16 + 1_123_000_000),  # QuickFIX/J
        (b"20261122-16:00:01: ", b"\n", AT_16 + 1_000_000_000),
        (b"", b"\n", AT_16 + 123_000_000),  # without time: SendingTime
        (b"2026/11/22 16:00:01.123456 ", b"\n", AT_16 + 1_123_456_000),  # quickfixgo
        (b"2026-11-22T16:00:01,5Z INFO sent ", b"", AT_16 + 1_500_000_000),
    ],
)
def test_every_engine_is_understood(
    tmp_path: Path, before: bytes, after: bytes, time_ns: int, separator: bytes
) -> None:
    line = before + ORDER.replace(b"\x01", separator) + after
    found = read(tmp_path, line * 3)
    assert [one.raw for one in found] == [ORDER] * 3
    assert {one.time_ns for one in found} == {time_ns}
    assert {(one.sender, one.target) for one in found} == {(b"ACME", b"VENUE")}
    assert not any(one.is_reframed for one in found)


def test_what_the_screen_showed(tmp_path: Path) -> None:
    java = b"<20261122-16:00:01, FIX.4.4:ACME->VENUE, %b> (%b)\n"
    cpp = b"<20261122-16:00:02.5, FIX.4.4:ACME->VENUE, %b>\n  (%b)\n"
    event = b"<20261122-16:00:09, FIX.4.4:ACME->VENUE, event>\n  (Sent a message, outgoing)\n"
    lines = [java % (b"outgoing", ORDER), java % (b"incoming", REPORT), event]
    lines += [cpp % (b"incoming", REPORT), cpp % (b"outgoing", ORDER)]
    found = read(tmp_path, b"".join(lines))
    assert [one.is_incoming for one in found] == [False, True, True, False]
    assert [one.time_ns - AT_16 for one in found] == [10**9, 10**9, 25 * 10**8, 25 * 10**8]


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("FIX.4.4-ACME-VENUE.messages.current.log", [False, True]),
        ("FIX.4.4-VENUE-ACME.messages.log", [True, False]),
        ("FIX.4.4-ACME-VENUE-qualifier.messages.backup.1.log", [False, True]),
        ("FIX.4.4-ACME-VENUE.body", [False, True]),
        ("GLOBAL.messages.current.log", [None, None]),
        ("some.txt", [None, None]),
    ],
)
def test_the_name_of_the_file_tells_the_direction(
    tmp_path: Path, name: str, expected: list[bool | None]
) -> None:
    found = read(tmp_path, ORDER + b"\n" + REPORT + b"\n", name)
    assert [one.is_incoming for one in found] == expected


def test_a_body_file_has_no_lines(tmp_path: Path) -> None:
    found = read(tmp_path, (ORDER + REPORT) * 10_000, "FIX.4.4-ACME-VENUE.body")
    assert len(found) == 20_000
    assert found[-1].raw == REPORT


def test_a_data_field_may_hold_a_line_end(tmp_path: Path) -> None:
    raw = fix("35=B|34=3|49=ACME|52=20261122-16:00:00|56=VENUE|95=5|96=a\nb\n=|")
    (found,) = read(tmp_path, b"20261122-16:00:00 : " + raw + b"\n")
    assert found.raw == raw


def test_a_separator_that_stands_in_a_value_stays_there(tmp_path: Path) -> None:
    raw = fix("35=D|34=3|49=ACME|56=VENUE|58=either/or|")
    line = raw.replace(b"\x01", b"|").replace(b"either/or", b"either|or")
    (found,) = read(tmp_path, line)
    assert b"\x0158=either|or\x01" in found.raw


def test_a_log_that_was_edited_is_framed_anew(tmp_path: Path) -> None:
    edited = ORDER.replace(b"one two", b"***")
    (found,) = read(tmp_path, b"20261122-16:00:00 : " + edited + b"\n")
    again = fix("35=D|34=2|49=ACME|52=20261122-16:00:00.123|56=VENUE|11=a|58=***|")
    assert (found.raw, found.is_reframed) == (again, True)


def test_what_is_no_message_is_counted_and_passed_over(tmp_path: Path) -> None:
    path = tmp_path / "some.log"
    cut = ORDER[:40]
    path.write_bytes(b"nonsense 8=FIX\n" + cut + b"\n" + REPORT + b"\n9999/99/99 99:99:99 " + cut)
    log = QuickfixLog(path)
    assert [one.raw for one in log] == [REPORT]
    assert log.unreadable == 2


@pytest.mark.parametrize("size", [1, 7, 64, 1000])
def test_it_does_not_matter_how_it_is_read(
    tmp_path: Path, size: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    lines = [b"20261122-16:00:0%d : %b\n" % (n, ORDER if n % 2 else REPORT) for n in range(9)]
    expected = read(tmp_path, b"".join(lines))
    monkeypatch.setattr("exchange.quickfix_log._CHUNK", size)
    assert read(tmp_path, b"".join(lines)) == expected
    assert len(expected) == 9


def test_a_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(QuickfixLogError, match=r"none\.log: No such file"):
        list(QuickfixLog(tmp_path / "none.log"))
