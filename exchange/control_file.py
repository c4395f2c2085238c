"""What an operator wants of the venue: a small file that it looks at while it runs.

A file for the reasons that the plan of maintenance is one. It holds states, not commands: what an
instrument is to take, which accounts are to be stopped. The venue journals what differs from its
own state, so nothing happens twice, and what is not in the file stays as it is.
"""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from stat import S_ISREG
from typing import Any, Final

import structlog

from exchange.controls import MARKET_STATES, ControlError, parse_amount

log = structlog.get_logger(__name__)

FILE_NAME: Final = "control.json"
STOPPED: Final = "stopped"
RUNNING: Final = "running"
_MAX_REASON: Final = 100
_MAX_NAME: Final = 64
_MAX_BYTES: Final = 16 << 20


@dataclass(frozen=True, slots=True)
class Wish:
    """The state that something is to have, and why; `reason` may be empty."""

    state: str
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Transfer:
    """A deposit, below zero a withdrawal, which happens once."""

    account: str
    currency: str
    amount: str
    reason: str = ""


@dataclass(slots=True)
class Wanted:
    """All that is wanted: markets by symbol, accounts by name, transfers of funds by their ids."""

    markets: dict[str, Wish] = field(default_factory=dict)
    accounts: dict[str, Wish] = field(default_factory=dict)
    transfers: dict[str, Transfer] = field(default_factory=dict)


class ControlFile:
    """The file in a directory."""

    def __init__(self, directory: Path) -> None:
        self.path = directory / FILE_NAME
        self._stamp: tuple[int, int, int] | None = None
        self._wanted = Wanted()

    def current(self) -> Wanted:
        """What is wanted now; a file that cannot be understood changes nothing."""
        try:
            found = self.path.stat()
        except OSError:
            self._stamp, self._wanted = None, Wanted()
            return self._wanted
        stamp = (found.st_mtime_ns, found.st_ino, found.st_size)
        if stamp != self._stamp:
            self._stamp = stamp
            try:
                self._wanted = self.read()
            except ControlError as error:
                log.error("control file not understood", error=str(error))
        return self._wanted

    def read(self) -> Wanted:
        """What the file says, nothing without one; raises ControlError."""
        try:
            found = self.path.stat()
            if not S_ISREG(found.st_mode) or found.st_size > _MAX_BYTES:
                raise ValueError(f"no ordinary file of at most {_MAX_BYTES} bytes")
            data: dict[str, Any] = json.loads(self.path.read_text("utf-8"))
            wanted = Wanted(
                {name: Wish(**one) for name, one in data["markets"].items()},
                {name: Wish(**one) for name, one in data["accounts"].items()},
                {name: Transfer(**one) for name, one in data.get("transfers", {}).items()},
            )
            _check(wanted)
        except FileNotFoundError:
            return Wanted()
        except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
            raise ControlError(f"{self.path}: {error}") from error
        return wanted

    def change(self, edit: Callable[[Wanted], None]) -> None:
        """Let `edit` change what is wanted, one operator after the other; raises ControlError."""
        try:
            with _alone(self.path.parent):
                wanted = self.read()
                edit(wanted)
                _check(wanted)
                self._write(wanted)
        except OSError as error:
            raise ControlError(f"{self.path}: {error.strerror}") from error
        except ValueError as error:
            raise ControlError(str(error)) from error

    def _write(self, wanted: Wanted) -> None:
        """Durably: a stopped account must not come back with the power."""
        draft = self.path.with_suffix(".new")
        with draft.open("w", encoding="utf-8") as file:
            file.write(json.dumps(asdict(wanted), indent=2) + "\n")
            file.flush()
            os.fsync(file.fileno())
        os.replace(draft, self.path)


def _check(wanted: Wanted) -> None:
    """Raises ValueError when something could not be journaled, or means nothing."""
    named: list[tuple[str, Wish | Transfer]] = [
        *wanted.markets.items(),
        *wanted.accounts.items(),
        *wanted.transfers.items(),
    ]
    for name, one in named:
        if not (_is_plain(name) and " " not in name and 0 < len(name) <= _MAX_NAME):
            raise ValueError(f"{name!r} is no name of an instrument, an account or a transfer")
        if not (_is_plain(one.reason) and len(one.reason) <= _MAX_REASON):
            raise ValueError(f"a reason is at most {_MAX_REASON} printable ASCII characters")
    for transfer in wanted.transfers.values():
        parse_amount(transfer.amount)
        if not (_is_plain(transfer.account) and _is_plain(transfer.currency)):
            raise ValueError(f"{transfer.account!r} has no account in {transfer.currency!r}")
    states = (*MARKET_STATES,)
    for kind, wishes, known in (
        ("market", wanted.markets, states),
        ("account", wanted.accounts, (RUNNING, STOPPED)),
    ):
        for name, one in wishes.items():
            if one.state not in known:
                what = f"{one.state!r} is no state of a {kind}; {', '.join(known)} are"
                raise ValueError(f"{name}: {what}")


def _is_plain(text: object) -> bool:
    return isinstance(text, str) and text.isascii() and (text.isprintable() or not text)


@contextmanager
def _alone(directory: Path) -> Iterator[None]:
    """Wait until no other operator is changing something there."""
    fd = os.open(directory, os.O_RDONLY)
    try:
        fcntl.flock(fd, fcntl.LOCK_EX)
        yield
    finally:
        os.close(fd)
