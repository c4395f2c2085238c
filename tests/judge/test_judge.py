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
from exchange.quotes import Guard
from exchange.venue.control import Control
from exchange.venue.copies import Copies
from exchange.venue.lifecycle import Lifecycle
from exchange.venue.presence import Presence
from exchange.venue.protections import Protections
from exchange.venue.quotes import Quotes
from exchange.venue.state import AccountState
from exchange.venue.timers import Timers
from tests.judge.court import FlowError, minimise, play_flow
from tests.judge.flow import Flow
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
    wanted = {"150=" + kind for kind in "0458ACDFI"} | {f"35={kind}" for kind in "9fjr"}
    if any(Flow(seed).guards() is not None for seed in seeds):
        wanted |= {"35=b", "35=AI"}
    assert wanted <= kinds, f"never seen: {wanted - kinds}"


def test_some_flows_have_quotes_and_most_have_a_naive_venue() -> None:
    quoted = [seed for seed in FLOWS if Flow(seed).guards() is not None]
    assert 0 < len(quoted) < len(FLOWS) / 2


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


def _trade_in_a_halt(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Protections, "market", lambda *arguments: None)


def _trigger_in_a_halt(patch: pytest.MonkeyPatch) -> None:
    original: Callable[..., None] = Control.set_market

    def set_market(self: Any, command: Any) -> None:
        original(self, command)
        for book in self._state.engine.books:
            book.is_suspended = False

    patch.setattr(Control, "set_market", set_market)


def _stop_nobody(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(AccountState, "stop", lambda self, is_killed: None)


def _tell_nobody_who_comes(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Presence, "_tell_markets", lambda self, number: None)


def _protect_nobody(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Quotes, "_protect", lambda *arguments: None)


def _never_forget_a_fill(patch: pytest.MonkeyPatch) -> None:
    original: Callable[..., bool] = Guard.count
    patch.setattr(Guard, "count", lambda self, now, most, ms: original(self, now, most, 10**9))


def _forget_copies(patch: pytest.MonkeyPatch) -> None:
    original: Callable[..., None] = Copies.add

    def add(self: Any) -> None:
        original(self)
        if len(self._state.out) > 5:
            self._state.out.pop()

    patch.setattr(Copies, "add", add)


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
        (_trade_in_a_halt, "naive venue"),
        (_trigger_in_a_halt, "naive venue"),
        (_stop_nobody, "naive venue|killed"),
        (_tell_nobody_who_comes, "naive venue"),
        (_protect_nobody, "quoted in spite|not told"),
        (_never_forget_a_fill, "tripped or not|fills|without a reason"),
        (_forget_copies, "copies of"),
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
