"""The order path on a fixed input, for an instrument that counts: see bench/instructions.py.

Before and behind each stage it calls getppid, at which the instrument writes down what it has
counted since. Prints, as JSON, the number of the call behind each stage, by number of orders.
"""

from __future__ import annotations

import json
import logging
import os
import time
from importlib.resources import files
from typing import Final
from unittest.mock import patch

from bench.order_path import OrderPath
from exchange.service import calm_garbage_collection
from fix_engine.dictionary import Dictionary
from sessions.telemetry import configure_logging

LENGTHS: Final = (256, 768)  # of what is measured; the difference has no beginnings in it
_WARM_UP: Final = 256
_NOW: Final = 1_767_225_600_000_000_000  # 2026-01-01, in nanoseconds


def main() -> None:
    """Warm up, then every stage for each length."""
    configure_logging(logging.WARNING)
    dictionary = Dictionary((files("specs") / "FIX44.xml").read_bytes())
    marks = 0

    def mark() -> int:
        nonlocal marks
        os.getppid()
        marks += 1
        return marks

    found: dict[int, dict[str, int]] = {}
    with patch.object(time, "time_ns", lambda: _NOW):
        warm_up = OrderPath(dictionary, _WARM_UP, lambda: 0)
        warm_up.stage_by_stage()
        warm_up.whole()
        paths = [OrderPath(dictionary, length, mark) for length in LENGTHS]
        calm_garbage_collection()
        for path in paths:
            before = marks
            path.stage_by_stage()
            path.whole()
            # Two calls for each stage, in order.
            found[path.orders] = {
                name: before + 2 * number for number, name in enumerate(path.stages, 1)
            }
    print(json.dumps({"calls": marks, "behind": found}))


if __name__ == "__main__":
    main()
