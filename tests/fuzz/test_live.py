"""A few seconds of the live fuzzer, so that it keeps working."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.fuzz.live import Growth, Options, run
from tests.fuzz.mutant import Trace
from tests.fuzz.venue import FuzzedVenue, FuzzError


def test_the_venue_stands_a_few_seconds_of_fire(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    verdict = run(Options(seed=1, seconds=2.0, sessions=3, bound_s=60.0, verbose=False))
    assert verdict.startswith("passed: seed 1, ")


def test_growing_memory_is_found_out() -> None:
    growth = Growth()
    growth.look(50 << 20, 1_000, 0.1)
    growth.look(90 << 20, 2_000, 0.5)
    with pytest.raises(FuzzError, match="from 50 MiB, warm, to 100 MiB"):
        growth.look(100 << 20, 3_000, 0.9)


def test_a_traceback_in_the_log_is_found_out(tmp_path: Path) -> None:
    venue = FuzzedVenue.__new__(FuzzedVenue)
    venue._log, venue._tail, venue.log_bytes = tmp_path / "venue.log", b"", 0
    venue._log.write_bytes(b"all is well ... Trace")
    venue.check_log()
    venue._log.write_bytes(b'back (most recent call last):\\n  File "x"')
    with pytest.raises(FuzzError, match="Traceback"):
        venue.check_log()


def test_the_last_bytes_are_kept(tmp_path: Path) -> None:
    trace = Trace()
    trace.add("A", b"")
    trace.add("A", b"8=\x01")
    trace.save(tmp_path / "trace.txt", "# seed 1")
    assert (tmp_path / "trace.txt").read_text() == "# seed 1\nA connects\nA b'8=\\x01'\n"
