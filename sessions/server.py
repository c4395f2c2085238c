"""A FIX acceptor from its parts: journal, clock, turn, registry, application, listener."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final, Generic, TypeVar

import structlog

from fix_engine.validation import Validator
from sessions.acceptor import Acceptor, Doors
from sessions.application import Application
from sessions.authority import AccessRules, Answer, Authority, RunSlowly
from sessions.busy_poll import BusyPoll
from sessions.clock import Clock
from sessions.connection import ConnectionLimits
from sessions.credentials import Outcome
from sessions.curfew import Curfew
from sessions.journal import Journal, JournalError
from sessions.maintenance import MaintenancePlan
from sessions.registry import Admission, Registry
from sessions.snapshot import read_snapshots, write_snapshot
from sessions.snapshotter import SnapshotPlan, Snapshotter
from sessions.timetable import Timetable
from sessions.turn import Turn

log = structlog.get_logger(__name__)


A = TypeVar("A", bound=Application)
_TELL_EVERY_S: Final = 2.0
_TICK_S: Final = 0.1


class Server(Generic[A]):
    """Runs one application behind FIX sessions until it is stopped or its journal fails."""

    def __init__(
        self,
        journal: Journal,
        validator: Validator,
        admission: Admission,
        limits: ConnectionLimits,
        make_application: Callable[[Journal, Turn], A],
        clock: Callable[[], int] | None = None,
        access: AccessRules | None = None,
        timetable: Timetable | None = None,
        plan: MaintenancePlan | None = None,
        snapshots: SnapshotPlan | None = None,
        tick_s: float = _TICK_S,
        busy_poll_ns: int = 0,
    ) -> None:
        """To be made inside the running event loop; `clock` tells UTC in nanoseconds.

        The application is told every `tick_s` seconds that time passes. The loop does not sleep for
        `busy_poll_ns` after something has happened.

        Without `access` nobody is asked to prove who it is; without `timetable` it is always open.
        """
        self._journal = journal
        self._failure: Exception | None = None
        self._stopped = asyncio.Event()
        loop = asyncio.get_running_loop()
        self._clock = clock or Clock().now
        self._tick_s = tick_s
        self._ticking: asyncio.TimerHandle | None = None
        stir = None
        if busy_poll_ns:
            stir = BusyPoll(
                busy_poll_ns, loop.call_soon, time.monotonic_ns, lambda: self.turn.is_settling
            ).stir
        self.turn = Turn(journal, self._clock, loop.call_soon, self._turn_failed, stir)
        journal.settle_with(loop.call_soon_threadsafe, self.turn.settled, self.turn.fail)
        self.application = make_application(journal, self.turn)
        self.registry = Registry(admission, validator, journal, self.turn, self.application)
        authority = None
        if access is not None:
            authority = Authority(
                admission.profiles or {}, access, _in_threads(access), self.turn.open
            )
        self._acceptor = Acceptor(self.registry, self.turn, limits, authority, timetable)
        self._curfew = None
        if timetable is not None:
            self._curfew = Curfew(timetable, plan, self.registry, self.turn, loop.call_later)
        self._snapshotter = None
        if snapshots is not None:
            self._snapshotter = Snapshotter(snapshots, journal, self.registry, loop.call_later)

    async def start(self, doors: Doors) -> None:
        """Recover from the journal, then accept on bound sockets.

        Raises JournalError.
        """
        path = self._journal.path
        self.registry.recover(_Progress(), read_snapshots(path) if path is not None else ())
        if self._journal.was_torn:
            log.warning("the end of the journal was unfinished; nobody had seen it")
        self.application.on_started(self.registry.peers)
        self.turn.close()
        if self._failure is not None:
            raise self._failure
        if self._curfew is not None:
            self._curfew.look()
            if self._failure is not None:
                raise self._failure
        if self._snapshotter is not None:
            self._snapshotter.look()
        self._tick()
        await self._acceptor.listen(doors)

    def stop(self) -> None:
        """Have `run` return, from a signal handler for instance."""
        self._stopped.set()

    async def run(self, farewell: str) -> None:
        """Serve until `stop`, then log everybody out with `farewell` and close the journal.

        Raises JournalError when the journal failed, and whatever broke in the middle of a turn;
        then nobody was told anything more, and what was acknowledged before is in the journal.
        """
        await self._stopped.wait()
        if self._ticking is not None:
            self._ticking.cancel()
        if self._curfew is not None:
            self._curfew.stop()
        if self._snapshotter is not None:
            await self._snapshotter.stop()
        if self._failure is None:
            await self._acceptor.close(farewell)
        if self._failure is None and self._journal.path is not None:
            self._keep_snapshot(self._journal.path)
        self._journal.close()
        if self._failure is not None:
            raise self._failure

    def _tick(self) -> None:
        """Let the application do what is due; between two turns this costs next to nothing."""
        try:
            self.application.on_time(self._clock())
        except Exception as error:
            self.turn.fail(error)
            return
        self._ticking = asyncio.get_running_loop().call_later(self._tick_s, self._tick)

    def _keep_snapshot(self, directory: Path) -> None:
        """So that the next start is quick; it can do without."""
        try:
            self._journal.sync()  # a snapshot must not know more than the journal
            path = write_snapshot(directory, self.registry.snapshot())
        except JournalError as error:
            log.warning("no snapshot", reason=str(error))
        else:
            log.info("snapshot", file=str(path))

    def _turn_failed(self, error: Exception) -> None:
        is_journal = isinstance(error, JournalError)
        log.critical("stopping at once", error=str(error), exc_info=None if is_journal else error)
        self._failure = error
        self._acceptor.abort()
        self._stopped.set()


def _in_threads(rules: AccessRules) -> RunSlowly:
    """Runs password checks beside the loop, so many at once; the others wait their turn."""
    loop = asyncio.get_running_loop()
    pool = ThreadPoolExecutor(rules.checks_at_once, thread_name_prefix="password")

    def checked(work: Callable[[], Outcome]) -> Outcome:
        try:
            return work()
        except Exception as error:
            log.critical("password check failed", exc_info=error)
            return Outcome("the check itself failed")

    def run(work: Callable[[], Outcome], answer: Answer) -> None:
        future = loop.run_in_executor(pool, checked, work)
        future.add_done_callback(lambda done: None if done.cancelled() else answer(done.result()))

    return run


class _Progress:
    """Tells every few seconds how far a long recovery has come."""

    def __init__(self) -> None:
        self._started = self._told = time.monotonic()

    def __call__(self, share: float) -> None:
        now = time.monotonic()
        if now - self._told >= _TELL_EVERY_S:
            self._told = now
            left = (now - self._started) * (1 - share) / share
            log.info("recovering", percent=int(100 * share), seconds_left=round(left))
