"""The command line of the venue, with its syncs counted: `python -m bench.counted serve ...`.

Journals do not tell how often the disk was waited for. The count, and the nanoseconds that it took
altogether, stand in the file that BENCH_SYNCS names.
"""

from __future__ import annotations

import mmap
import os
import struct
import time
from pathlib import Path
from typing import Final
from unittest.mock import patch

from exchange.__main__ import main

_FIGURES: Final = struct.Struct("<QQ")
VARIABLE: Final = "BENCH_SYNCS"


def read_syncs(path: Path) -> tuple[int, int]:
    """How many syncs there were so far, and their nanoseconds."""
    count, taken = _FIGURES.unpack(path.read_bytes())
    return count, taken


def _count(path: Path) -> None:
    path.write_bytes(bytes(_FIGURES.size))
    with path.open("r+b") as file:
        figures = mmap.mmap(file.fileno(), _FIGURES.size)
    sync = os.fdatasync

    def counted(fd: int) -> None:
        started = time.perf_counter_ns()
        sync(fd)
        count, taken = _FIGURES.unpack_from(figures)
        _FIGURES.pack_into(figures, 0, count + 1, taken + time.perf_counter_ns() - started)

    with patch.object(os, "fdatasync", counted):
        main()


if __name__ == "__main__":
    _count(Path(os.environ[VARIABLE]))
