"""Counts: what is read of callgrind's files, and when they are too many."""

from __future__ import annotations

import json

from bench.hot_path import LENGTHS
from bench.instructions import KEPT, per_order, sheet, slower
from bench.order_path import GLUE, WHOLE

STAGES = (
    *("decode", "verify the CheckSum", "validate", "receive", "parse to a command", "execute"),
    *("report", "number and frame", "journal", WHOLE),
)


def test_an_order_costs_the_difference_of_two_lengths() -> None:
    behind = {
        str(length): {name: 20 * number + 2 * at for at, name in enumerate(STAGES, 1)}
        for number, length in enumerate(LENGTHS)
    }
    each = dict(zip(STAGES, (50, 10, 20, 35, 5, 40, 30, 10, 15, 400), strict=True))
    counts = [999_999]  # by the interpreter, before our program
    for length in LENGTHS:
        for name in STAGES:
            counts += [7, 1_000 + each[name] * length]
    found = per_order({"calls": 40, "behind": behind}, counts)
    assert found["frame and split"] == 40
    assert found["session machine"] == 15
    assert found["execute"] == 40
    assert found[WHOLE] == 400
    assert sum(found.values()) - found[WHOLE] == found[WHOLE], "the parts are the whole"
    assert found[GLUE] == 400 - (50 + 35 + 5 + 40 + 30 + 10 + 15)


def test_what_is_longer_by_more_than_the_tolerance_is_named() -> None:
    base = {"execute": 1_000, "report": 1_000, "journal": 1_000}
    found = {"execute": 1_031, "report": 1_030, "journal": 900, "new": 5}
    assert slower(found, base, 3) == ["execute"]
    assert slower(found, base, 5) == []
    rows = {row[0]: row[-1] for row in sheet(found, base).rows}
    assert rows == {"execute": "+3.1 %", "report": "+3.0 %", "journal": "-10.0 %", "new": "-"}


def test_what_is_kept_has_every_stage() -> None:
    kept = json.loads(KEPT.read_text())
    assert WHOLE in kept["counts"]
    parts = sum(count for name, count in kept["counts"].items() if name != WHOLE)
    assert abs(parts - kept["counts"][WHOLE]) <= len(kept["counts"])
