"""Snapshots of a venue that may die at any moment, made by forks of it, which die with it.

The venue believes that it starts `seamark journal snapshot`; a fork is there at once, and its disk
is the same one, which may lose what was not synced.
"""

from __future__ import annotations

import asyncio
import ctypes
import json
import os
import signal
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, Final, NoReturn

import sessions.snapshotter
from exchange.tools.checkpoint import make_checkpoint
from sessions.retention import Retention

_PR_SET_PDEATHSIG: Final = 1
_LOOK_EVERY_S: Final = 0.01
_LIBC: Final = ctypes.CDLL(None)


def make_in_forks(directory: Path, kept: tuple[int, ...], settle_in: Callable[[], None]) -> None:
    """Have this process, the venue, make its snapshots in forks.

    They keep the descriptors `kept`, and call `settle_in` before anything else.
    """

    async def fork(*_: object, **__: object) -> _Fork:
        return _Fork(directory, kept, settle_in)

    vars(asyncio)["create_subprocess_exec"] = fork
    vars(sessions.snapshotter)["_LOOK_EVERY_S"] = _LOOK_EVERY_S


class _Fork:
    """What the venue takes for a process that asyncio has started."""

    def __init__(
        self, directory: Path, kept: tuple[int, ...], settle_in: Callable[[], None]
    ) -> None:
        self.returncode: int | None = None
        out, errors = os.pipe(), os.pipe()
        venue = os.getpid()
        self._pid = os.fork()
        if not self._pid:
            _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
            if os.getppid() != venue:
                os._exit(1)
            _make(directory, (out[1], errors[1], *kept), settle_in)
        os.close(out[1])
        os.close(errors[1])
        self.stdout, self.stderr = _Pipe(out[0]), _Pipe(errors[0])

    async def wait(self) -> None:
        _, status = await _in_thread(os.waitpid, self._pid, 0)
        self.returncode = os.waitstatus_to_exitcode(status)

    def kill(self) -> None:
        os.kill(self._pid, signal.SIGKILL)


class _Pipe:
    def __init__(self, fd: int) -> None:
        self._fd = fd

    async def read(self, size: int) -> bytes:
        data: bytes = await _in_thread(os.read, self._fd, size)
        if not data:
            os.close(self._fd)
        return data


async def _in_thread(work: Callable[..., Any], *arguments: object) -> Any:
    return await asyncio.get_running_loop().run_in_executor(None, work, *arguments)


def _make(directory: Path, kept: tuple[int, ...], settle_in: Callable[[], None]) -> NoReturn:
    code = 70
    try:
        settle_in()
        for fd in map(int, os.listdir("/proc/self/fd")):
            if fd > 2 and fd not in kept:
                with suppress(OSError):
                    os.close(fd)
        made = make_checkpoint(directory, Retention())
        said = {"file": str(made.path), "first_segment": made.first_segment}
        os.write(kept[0], json.dumps(said).encode())
        code = 0
    except BaseException as error:
        os.write(kept[1], repr(error).encode())
    finally:
        os._exit(code)
