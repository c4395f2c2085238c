"""Files stay small here: they are read and written thousands of times."""

from __future__ import annotations

import pytest


@pytest.fixture(autouse=True)
def small_growth(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sessions.journal.segment._CHUNK", 1 << 13)
