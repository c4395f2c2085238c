"""An open load: requests leave at fixed times, and what comes back is kept with its time.

The timed loop is in pace.c, which is compiled when it is wanted: in Python it was the limit itself.
"""

from __future__ import annotations

import ctypes
import os
import shlex
import socket
import subprocess
import sys
import tempfile
import time
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path
from typing import Final

_SOURCE: Final = Path(__file__).with_name("pace.c")
_AHEAD_NS: Final = 50_000_000  # from the call to the first request
_FOR_EACH: Final = 1_024  # bytes of answers to a request, and what else they may come with
_AT_LEAST: Final = 1 << 20
_CHUNKS_FOR_EACH: Final = 8
_FINE: Final = 0
_OUTCOMES: Final = (  # what went wrong, by the numbers of pace.c
    "",
    "",
    "an acceptor hung up",
    "more came back than there is room for",
    "a socket failed",
)


class _Line(ctypes.Structure):
    _fields_ = (
        ("socket", ctypes.c_int32),
        ("requests", ctypes.c_char_p),
        ("ends", ctypes.POINTER(ctypes.c_uint64)),
        ("released", ctypes.c_uint64),
        ("written", ctypes.c_uint64),
        ("answers", ctypes.POINTER(ctypes.c_char)),
        ("room", ctypes.c_uint64),
        ("length", ctypes.c_uint64),
        ("looked", ctypes.c_uint64),
    )


class _Arrival(ctypes.Structure):
    _fields_ = (
        ("line", ctypes.c_uint64),
        ("length", ctypes.c_uint64),
        ("at_ns", ctypes.c_int64),
    )


@dataclass(slots=True)
class Answers:
    """What has come back to one session."""

    data: bytes
    ends: list[int]  # of what came at once, ascending
    times: list[int]  # of the same, in nanoseconds

    def had_ns(self, end: int) -> int:
        """When everything up to a position was there."""
        return self.times[bisect_left(self.ends, end)]


@dataclass(slots=True)
class Paced:
    """One run; times in nanoseconds of one clock. Request n is the session's n modulo sessions."""

    is_complete: bool  # every request was acknowledged in time
    due_ns: list[int]
    left_ns: list[int]  # when it was begun to be written
    answers: list[Answers]


def pace(
    plugs: Sequence[socket.socket],
    requests: Sequence[Sequence[bytes]],
    total: int,
    rate: float,
    patience_s: float,
) -> Paced:
    """Send `total` requests, `rate` a second, to the sessions in turns, until all are acknowledged.

    `requests` are those of each session. Gives up `patience_s` after the last one was due.
    """
    count = len(plugs)
    lines, buffers = (_Line * count)(), []
    for line, plug, some in zip(lines, plugs, requests, strict=True):
        buffer = ctypes.create_string_buffer(_AT_LEAST + _FOR_EACH * len(some))
        buffers.append(buffer)
        line.socket, line.requests = plug.fileno(), b"".join(some)
        line.ends = (ctypes.c_uint64 * len(some))(*accumulate(map(len, some)))
        line.answers, line.room = buffer, len(buffer)
    left = (ctypes.c_int64 * total)()
    arrivals = (_Arrival * (_CHUNKS_FOR_EACH * total + count))()
    arrived = ctypes.c_uint64()
    run = _compiled().pace
    gap_ns = 1e9 / rate
    started = time.monotonic_ns() + _AHEAD_NS
    deadline = started + int(total * gap_ns + patience_s * 1e9)
    outcome = run(
        *(lines, ctypes.c_uint64(count), ctypes.c_uint64(total), ctypes.c_double(gap_ns)),
        *(ctypes.c_int64(started), ctypes.c_int64(deadline), left, arrivals),
        *(ctypes.c_uint64(len(arrivals)), ctypes.byref(arrived)),
    )
    if _OUTCOMES[outcome]:
        sys.exit(f"the load could not go on: {_OUTCOMES[outcome]}")
    answers = [
        Answers(buffer.raw[: line.length], [], [])
        for line, buffer in zip(lines, buffers, strict=True)
    ]
    for one in arrivals[: arrived.value]:
        answers[one.line].ends.append(one.length)
        answers[one.line].times.append(one.at_ns)
    due = [started + int(n * gap_ns) for n in range(total)]
    return Paced(outcome == _FINE, due, list(left), answers)


def compiler() -> list[str]:
    """The C compiler's command, as CC has it."""
    return shlex.split(os.environ.get("CC", "cc"))


def _compiled() -> ctypes.CDLL:
    """The loop, from its source."""
    with tempfile.TemporaryDirectory() as directory:
        target = Path(directory) / "pace.so"
        command = [*compiler(), "-O2", "-shared", "-fPIC"]
        try:
            subprocess.run([*command, "-o", target, _SOURCE], check=True)
        except (OSError, subprocess.CalledProcessError) as error:
            sys.exit(f"an open load needs a C compiler, named by CC: {error}")
        return ctypes.CDLL(str(target))
