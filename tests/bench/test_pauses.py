"""The collector beside a book that grows, small here."""

from __future__ import annotations

import gc
from pathlib import Path

import pytest

from bench import pauses
from bench.pauses import measured, sheet


@pytest.mark.parametrize("is_ours", [True, False])
def test_turns_and_collections_are_measured(
    is_ours: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pauses, "_TRADES", 4_096)
    monkeypatch.setattr(pauses, "_PORTION", 1_024)
    monkeypatch.setattr(pauses, "_TICK_NS", 0)
    before = len(gc.callbacks)
    try:
        found = measured(100, is_ours, tmp_path)
        assert gc.isenabled() is not is_ours
    finally:
        gc.unfreeze()
        gc.enable()
    assert len(gc.callbacks) == before
    assert list(found) == ["growing", "trading"]
    for one in found.values():
        assert 0 < one["median"] <= one["p99"] <= one["longest"]
        assert one["collector"] > 0 or not is_ours
    (growing, trading) = sheet({"100": {"ours": found}}).rows
    assert growing[:3] == ("100", "ours", "growing")
    assert trading[:3] == ("100", "ours", "trading")
