"""The thread beside the event loop that waits for the disk.

Syncs are asked for in order and take as long as the disk does; whatever is written meanwhile is
covered by the next one. The thread also has the next segment ready before it is needed, and cuts
those that are full.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from sessions.journal.records import JournalError
from sessions.journal.segment import Segment, make_segment

_RETRY_S: Final = 1.0  # while there is no room for the next segment


@dataclass(slots=True)
class _Job:
    segment: Segment
    end: int
    is_last: bool  # of this segment, which is cut then


class Syncer:
    """See the module; `on_durable` and `on_failure` are called in the thread."""

    def __init__(
        self,
        directory: Path,
        segment_bytes: int,
        seed: int,
        on_durable: Callable[[int], None],
        on_failure: Callable[[JournalError], None],
    ) -> None:
        self._directory = directory
        self._segment_bytes = segment_bytes
        self._seed = seed
        self._on_durable = on_durable
        self._on_failure = on_failure
        self._condition = threading.Condition()
        self._jobs: deque[_Job] = deque()
        self._wanted = 0  # number of the next segment
        self._spare: Segment | None = None
        self._is_stopping = self._is_busy = False
        self.lack: str | None = None  # why there is no next segment
        self._thread = threading.Thread(target=self._run, name="journal-sync", daemon=True)
        self._thread.start()

    def sync(self, segment: Segment, end: int, is_last: bool = False) -> None:
        """Ask for everything before offset `end` to be durable."""
        with self._condition:
            jobs = self._jobs
            if jobs and jobs[-1].segment is segment and not jobs[-1].is_last:
                jobs[-1].end, jobs[-1].is_last = end, is_last
            else:
                jobs.append(_Job(segment, end, is_last))
            self._condition.notify_all()

    def keep_up(self, full_segments: int) -> None:
        """Wait until no more than so many full segments are not durable yet."""
        with self._condition:
            while (
                sum(job.is_last for job in self._jobs) > full_segments and self._thread.is_alive()
            ):
                self._condition.wait(_RETRY_S)

    def drain(self) -> None:
        """Wait until everything that was asked for is done."""
        with self._condition:
            while (self._jobs or self._is_busy) and self._thread.is_alive():
                self._condition.wait(_RETRY_S)

    def prepare(self, number: int) -> None:
        """Ask for segment `number` to be made ready."""
        with self._condition:
            self._wanted = number
            self._condition.notify_all()

    def take_spare(self) -> Segment | None:
        """The segment that was asked for, once it is ready; None while there is no room."""
        with self._condition:
            while self._wanted and self.lack is None and self._thread.is_alive():
                self._condition.wait(_RETRY_S)
            spare, self._spare = self._spare, None
            return spare

    def stop(self) -> None:
        """Finish what was asked for, and end."""
        with self._condition:
            self._is_stopping = True
            self._condition.notify_all()
        self._thread.join()
        if self._spare is not None:
            self._spare.close()

    def _run(self) -> None:
        try:
            while (job := self._next_job()) is not None:
                job.segment.sync()
                if job.is_last:
                    job.segment.complete(job.end)
                self._on_durable(job.end)
        except JournalError as error:
            self._on_failure(error)
            with self._condition:
                self._jobs.clear()
                self._is_busy = False
                self._condition.notify_all()

    def _next_job(self) -> _Job | None:
        """Wait for a job; make segments ready while there is none."""
        while True:
            with self._condition:
                self._is_busy = bool(self._jobs)
                if self._jobs:
                    self._condition.notify_all()
                    return self._jobs.popleft()
                self._condition.notify_all()
                if self._is_stopping:
                    return None
                number = self._wanted
                if not number:
                    self._condition.wait()
                    continue
            self._make_ready(number)

    def _make_ready(self, number: int) -> None:
        try:
            spare = make_segment(self._directory, number, self._segment_bytes, self._seed)
        except OSError as error:
            with self._condition:
                self.lack = error.strerror or str(error)
                self._condition.notify_all()
                if not self._jobs and not self._is_stopping:
                    self._condition.wait(_RETRY_S)
            return
        with self._condition:
            self.lack = None
            self._wanted = 0
            self._spare = spare
            self._condition.notify_all()
