"""Maintenance that an operator has planned: a small file that the venue looks at while it runs.

A file, not a signal or a socket: it is there after a crash, it can be looked at, and whoever may
write it may stop the venue anyway.
"""

from __future__ import annotations

import json
import os
from datetime import UTC, datetime
from pathlib import Path
from stat import S_ISREG
from typing import Final

import structlog

from fix_engine.timestamps import SECOND_NS
from sessions.timetable import Closure

log = structlog.get_logger(__name__)

FILE_NAME: Final = "maintenance.json"
MAX_SECONDS: Final = 366 * 86_400
_LAST_NS: Final = 7_258_118_400 * SECOND_NS  # the year 2200
_MAX_REASON: Final = 100
_MAX_BYTES: Final = 4_096
_NOT_UNDERSTOOD: Final = (
    OSError,
    ValueError,
    KeyError,
    TypeError,
    AttributeError,
    OverflowError,
    RecursionError,
)


class MaintenanceError(Exception):
    """The plan cannot be read or written; says why in one line."""


class MaintenancePlan:
    """The plan in a directory."""

    def __init__(self, directory: Path) -> None:
        self.path = directory / FILE_NAME
        self._stamp: tuple[int, int] | None = None
        self._closure: Closure | None = None

    def current(self) -> Closure | None:
        """What is planned now; a file that cannot be understood leaves what was planned before."""
        try:
            found = self.path.stat()
        except OSError:
            self._stamp = self._closure = None
            return None
        stamp = (found.st_mtime_ns, found.st_ino)
        if stamp != self._stamp:
            self._stamp = stamp
            try:
                self._closure = self.read()
            except MaintenanceError as error:
                log.error("maintenance plan not understood", error=str(error))
        return self._closure

    def read(self) -> Closure | None:
        """The plan in the file, None without one; raises MaintenanceError."""
        try:
            data = json.loads(self._text())
            starts, ends = (_ns(data[name]) for name in ("starts", "ends"))
            reason = str(data["reason"])
        except FileNotFoundError:
            return None
        except _NOT_UNDERSTOOD as error:
            raise MaintenanceError(f"{self.path}: {error}") from error
        _check(starts, ends, reason)
        return Closure(starts, ends, reason)

    def _text(self) -> str:
        """What is in the file, if it is a small, ordinary one."""
        found = self.path.stat()
        if not S_ISREG(found.st_mode) or found.st_size > _MAX_BYTES:
            raise ValueError(f"no ordinary file of at most {_MAX_BYTES} bytes")
        return self.path.read_text("utf-8")

    def write(self, closure: Closure) -> None:
        """Plan this instead of whatever was planned; raises MaintenanceError."""
        data = {
            "starts": _iso(closure.starts),
            "ends": _iso(closure.ends),
            "reason": closure.reason,
        }
        draft = self.path.with_suffix(".new")
        try:
            draft.write_text(json.dumps(data, indent=2) + "\n", "utf-8")
            os.replace(draft, self.path)
        except OSError as error:
            raise MaintenanceError(f"{self.path}: {error.strerror}") from error

    def cancel(self) -> bool:
        """Plan nothing; whether something was planned. Raises MaintenanceError."""
        try:
            self.path.unlink()
        except FileNotFoundError:
            return False
        except OSError as error:
            raise MaintenanceError(f"{self.path}: {error.strerror}") from error
        return True


def plan_from(now: int, starts_in_s: int, lasts_s: int, reason: str) -> Closure:
    """Maintenance that begins so many seconds from `now`; raises MaintenanceError."""
    starts = (now // SECOND_NS + starts_in_s) * SECOND_NS
    ends = starts + lasts_s * SECOND_NS
    _check(starts, ends, reason)
    return Closure(starts, ends, reason)


def _check(starts: int, ends: int, reason: str) -> None:
    if ends <= starts:
        raise MaintenanceError("maintenance must end after it starts")
    if ends - starts > MAX_SECONDS * SECOND_NS or ends > _LAST_NS:
        raise MaintenanceError("maintenance lasts a year at most, and ends before the year 2200")
    if not (reason.isascii() and reason.isprintable() and 0 < len(reason) <= _MAX_REASON):
        raise MaintenanceError(f"a reason is 1 to {_MAX_REASON} printable ASCII characters")


def _ns(text: str) -> int:
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError(f"{text} has no time zone; write Z or an offset")
    return round(moment.timestamp()) * SECOND_NS


def _iso(at: int) -> str:
    return datetime.fromtimestamp(at // SECOND_NS, UTC).isoformat()
