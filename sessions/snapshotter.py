"""Snapshots of a running venue: another process makes them, the venue only forgets what is old.

The process reads the journal as any tool does. The venue has no pause: it starts the process, and
when that has ended well, gives up the segments that are not needed any more.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Final, Protocol

import structlog

from sessions.journal import OFFSET_BITS, Journal, JournalError, remove_segments
from sessions.registry import Registry

log = structlog.get_logger(__name__)

_LOOK_EVERY_S: Final = 1.0
_OUTPUT_BYTES: Final = 4_096


@dataclass(frozen=True, slots=True)
class SnapshotPlan:
    """How a snapshot is made, and after how much more of the journal; 0: not while it runs.

    `command` ends with code 0 and a line of JSON with `file` and `first_segment`, or says on
    standard error why not; it gives up when its standard input is closed.
    """

    command: Sequence[str]
    every_bytes: int


class _Timer(Protocol):
    def cancel(self) -> None: ...


class Snapshotter:
    """See the module; to be used inside the running event loop."""

    def __init__(
        self,
        plan: SnapshotPlan,
        journal: Journal,
        registry: Registry,
        call_later: Callable[[float, Callable[[], None]], _Timer],
    ) -> None:
        self._plan = plan
        self._journal = journal
        self._registry = registry
        self._call_later = call_later
        self._timer: _Timer | None = None
        self._task: asyncio.Task[None] | None = None
        self._covered = 0  # the journal's volume at the last snapshot, or attempt

    def look(self) -> None:
        """Start a snapshot if one is due, and look again before long."""
        if not self._plan.every_bytes or self._journal.path is None:
            return
        is_due = self._journal.volume - self._covered >= self._plan.every_bytes
        if is_due and (self._task is None or self._task.done()):
            self._covered = self._journal.volume
            self._task = asyncio.get_running_loop().create_task(self._make())
        self._timer = self._call_later(_LOOK_EVERY_S, self.look)

    async def stop(self) -> None:
        """Give up a snapshot that is being made."""
        if self._timer is not None:
            self._timer.cancel()
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task

    async def _make(self) -> None:
        try:
            process = await asyncio.create_subprocess_exec(
                *self._plan.command,
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.PIPE,
            )
        except OSError as error:
            log.warning("no snapshot", reason=str(error))
            return
        try:
            out, errors = await _output(process)
        except asyncio.CancelledError:
            with suppress(ProcessLookupError):
                process.kill()
            await process.wait()
            raise
        if process.returncode:
            log.warning("no snapshot", reason=errors.strip() or f"code {process.returncode}")
            return
        try:
            made = json.loads(out)
            path, first = str(made["file"]), int(made["first_segment"])
        except (ValueError, KeyError, TypeError):
            log.warning("no snapshot", reason=f"an answer that makes no sense: {out!r}")
            return
        log.info("snapshot", file=path)
        await self._forget_before(first)

    async def _forget_before(self, number: int) -> None:
        journal = self._journal
        self._registry.forget_before(number << OFFSET_BITS)
        try:
            gone = journal.release_before(number)
            if gone and journal.path is not None:
                loop = asyncio.get_running_loop()
                await loop.run_in_executor(None, remove_segments, journal.path, gone)
                log.info("journal shortened", removed=len(gone), first=number)
        except JournalError as error:
            log.warning("segments are kept", reason=str(error))


async def _output(process: asyncio.subprocess.Process) -> tuple[str, str]:
    """What a process says until it ends; its standard input stays open so long."""
    assert process.stdout is not None
    assert process.stderr is not None
    out, errors, _ = await asyncio.gather(
        _first_bytes(process.stdout), _first_bytes(process.stderr), process.wait()
    )
    return out.decode("utf-8", "replace"), errors.decode("utf-8", "replace")


async def _first_bytes(stream: asyncio.StreamReader) -> bytes:
    """Everything is read, or the process would wait for us; little is kept."""
    kept = b""
    while data := await stream.read(_OUTPUT_BYTES):
        kept = (kept + data)[:_OUTPUT_BYTES]
    return kept
