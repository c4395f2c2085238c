"""Some flows before all judges; and each judge objects when the venue is broken."""

from __future__ import annotations

import os
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest

from exchange import snapshot
from exchange.venue.lifecycle import Lifecycle
from exchange.venue.presence import Presence
from exchange.venue.timers import Timers
from tests.judge.court import FlowError, minimise, play_flow
from tests.support.messages import ROOT

FLOWS = range(1, 9)
PER_FLOW = 1_000


@pytest.mark.parametrize("seeds", [FLOWS[:2], FLOWS[2:4], FLOWS[4:6], FLOWS[6:]], ids=str)
def test_all_judges_agree(seeds: range) -> None:
    seen: Counter[str] = Counter()
    for seed in seeds:
        try:
            seen.update(play_flow(seed, PER_FLOW).clients.seen)
        except FlowError as error:
            steps, text = minimise(error)
            shown = "\n    ".join(map(str, steps))
            pytest.fail(f"seed {seed}: {error}\nminimised: {text}\n    {shown}")
    # A flow in which nothing happens proves nothing.
    kinds = {name.split()[0] for name in seen}
    wanted = {"150=" + kind for kind in "0458ACDFI"} | {"35=9", "35=j", "35=r"}
    assert wanted <= kinds, f"never seen: {wanted - kinds}"


def test_the_same_is_said_whatever_the_seed_of_hashes() -> None:
    said = {
        subprocess.run(
            [sys.executable, "-m", "tests.judge", "--commands", "300", "--seed", "4", "--digest"],
            cwd=ROOT,
            env={**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": str(ROOT)},
            capture_output=True,
            check=True,
        ).stdout
        for seed in ("0", "1", "4711")
    }
    assert len(said) == 1
    assert said != {b""}


def play_all() -> None:
    for seed in FLOWS:
        play_flow(seed, PER_FLOW)


def _tell_less(patch: pytest.MonkeyPatch) -> None:
    original: Callable[..., None] = Lifecycle._replaced

    def replaced(self: Any, event: Any) -> None:
        event.leaves += 1
        original(self, event)

    patch.setattr(Lifecycle, "_replaced", replaced)


def _forget_timers(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Timers, "drop", lambda self, at, due, number: None)


def _forget_cancelled(patch: pytest.MonkeyPatch) -> None:
    original = snapshot._session

    def session(*arguments: Any) -> list[Any]:
        row = original(*arguments)
        row[3] = 0  # what the session's absence has cost
        return row

    patch.setattr(snapshot, "_session", session)


def _keep_orders(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Presence, "_cancel", lambda self, number, session: None)


def _depend_on_the_run(patch: pytest.MonkeyPatch) -> None:
    original: Callable[..., None] = Lifecycle.reject_order
    calls = Counter[str]()

    def reject(self: Any, session: int, message: Any, reason: int, text: bytes, *rest: Any) -> None:
        calls["all"] += 1
        original(self, session, message, reason, b"%b (%d)" % (text, calls["all"]), *rest)

    patch.setattr(Lifecycle, "reject_order", reject)


@pytest.mark.parametrize(
    ("break_it", "objection"),
    [
        (_tell_less, "LeavesQty"),
        (_forget_timers, "timers"),
        (_forget_cancelled, "restored venue"),
        (_keep_orders, "naive venue"),
        (_depend_on_the_run, "restored venue|replay"),
    ],
)
def test_a_broken_venue_is_found(
    monkeypatch: pytest.MonkeyPatch,
    break_it: Callable[[pytest.MonkeyPatch], None],
    objection: str,
) -> None:
    break_it(monkeypatch)
    with pytest.raises(FlowError, match=objection):
        play_all()
