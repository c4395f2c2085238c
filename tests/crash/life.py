"""One data directory, from empty, through many deaths of its venue, to the reckoning."""

from __future__ import annotations

import select
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Final

from exchange.rerun import Rerun
from exchange.tools.reading import JournalReader
from exchange.tools.verify import Verifier
from sessions.journal import JournalError
from sessions.snapshot import SnapshotError, read_snapshots
from tests.crash.client import BrokenWordError, Client
from tests.crash.process import DeadError, Plan, Venue
from tests.crash.trading import Trader, check_fills
from tests.support.power import Medium, read_log
from tests.support.tcp import VenueProcess

_CLIENTS: Final = 4


@dataclass(slots=True)
class Options:
    """What is tried."""

    durability: str = "fsync"
    has_power_cuts: bool = True


@dataclass(slots=True)
class Tally:
    """What has happened."""

    kills: int = 0
    power_cuts: int = 0
    before_open: int = 0  # kills during a recovery
    requests: int = 0
    reports: int = 0
    resent: int = 0
    trades: int = 0
    snapshots: int = 0  # that were made while trading
    digests: int = 0  # in the journals, and found to be right

    def add(self, other: Tally) -> None:
        """Sum up."""
        for name in self.__slots__:
            setattr(self, name, getattr(self, name) + getattr(other, name))


class Life:
    """See the module."""

    def __init__(self, directory: Path, seed: int, options: Options) -> None:
        self._rng = Random(seed)
        self._options = options
        self._directory = directory
        self._data = directory / "data"
        self._data.mkdir()
        self._medium = Medium(self._data)
        self._log = directory / "log" if options.has_power_cuts else None
        self._segment_bytes = self._rng.choice((1 << 16, 1 << 17, 1 << 18))
        self._snapshot_bytes = self._rng.choice((50_000, 100_000, 200_000))
        self._traders = [Trader(Client(f"C{n}", "YN"[n % 2])) for n in range(_CLIENTS)]
        self._opening_s = 0.1
        self.tally = Tally()

    def die(self) -> None:
        """Start, trade, and be killed at some moment; raises BrokenWordError."""
        rng = self._rng
        plan = Plan(
            self._data,
            self._options.durability,
            self._segment_bytes,
            self._snapshot_bytes,
            rng.getrandbits(32),
            self._log,
        )
        is_early = rng.random() < 0.15
        venue = Venue(plan)
        began = time.monotonic()
        with _alarm(venue) as kill_after:
            try:
                if is_early:
                    kill_after(self._opening_s * rng.random())
                venue.await_open()
                self._opening_s += ((time.monotonic() - began) - self._opening_s) / 8
                if not is_early:
                    kill_after(0.25 * rng.random())
                self._trade(venue.port)
            except (OSError, DeadError):
                pass
            finally:
                venue.kill()
                fault = venue.reap()
        if fault:
            raise BrokenWordError("wrong", f"the venue ended by itself: {fault}")
        self.tally.kills += 1
        self.tally.snapshots += venue.snapshots
        self.tally.before_open += not venue.port
        for trader in self._traders:
            trader.client.drop()
        self._lose_power()

    def reckon(self) -> None:
        """Everybody comes back to a venue as it is shipped; raises BrokenWordError."""
        try:
            venue = VenueProcess(self._data, "--durability", self._options.durability)
        except AssertionError as error:
            raise BrokenWordError("wrong", str(error)) from error
        try:
            for trader in self._traders:
                trader.client.connect(venue.port)
            for _ in range(2):  # what one sends again may trade with another who had settled
                for trader in self._traders:
                    trader.client.settle()
            for trader in self._traders:
                trader.check()
                self.tally.requests += len(trader.orders) + len(trader.cancels)
                self.tally.reports += len(trader.client.reports)
                self.tally.resent += trader.client.resent
            self.tally.trades = check_fills(self._traders)
        except OSError as error:
            raise BrokenWordError("wrong", f"{error}: {venue.finish(signal.SIGKILL)}") from error
        finally:
            venue.finish(signal.SIGKILL)
            for trader in self._traders:
                trader.client.drop()
        self._verify()

    def _verify(self) -> None:
        """Executed once more, the journal leads to all that was sent; raises BrokenWordError."""
        verifier = Verifier(Rerun())
        try:
            with JournalReader(self._data) as reader:
                for snapshot in read_snapshots(self._data):
                    if isinstance(snapshot, SnapshotError):
                        raise BrokenWordError("wrong", str(snapshot))
                    verifier.snapshots[snapshot.place.offset] = snapshot
                for batch in reader.batches():
                    divergence = verifier.check(batch)
                    if divergence is not None:
                        raise BrokenWordError("wrong", str(divergence))
        except JournalError as error:
            raise BrokenWordError("wrong", str(error)) from error
        if verifier.counts.snapshots != len(verifier.snapshots):
            raise BrokenWordError("wrong", "a snapshot of what is not in the journal")
        self.tally.digests += verifier.counts.digests

    def _trade(self, port: int) -> None:
        rng, traders = self._rng, self._traders
        for trader in rng.sample(traders, len(traders)):
            trader.client.connect(port)
        while True:
            rng.choice(traders).burst(rng)
            readable, _, _ = select.select([one.client for one in traders], [], [], 0.002)
            for client in readable:
                client.receive()

    def _lose_power(self) -> None:
        if self._log is None:
            return
        if self._log.exists():
            self._medium.read(read_log(self._log))
            self._log.unlink()
        if self._rng.random() < 0.7:
            self.tally.power_cuts += 1
            self._medium.after_power_cut(self._rng)
        else:
            self._medium.after_kill()


@contextmanager
def _alarm(venue: Venue) -> Iterator[Callable[[float], None]]:
    """Arms a clock that kills the venue, whatever everybody is doing."""

    def kill_after(seconds: float) -> None:
        signal.setitimer(signal.ITIMER_REAL, max(seconds, 0.0005))

    before = signal.signal(signal.SIGALRM, lambda number, frame: venue.kill())
    try:
        yield kill_after
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
