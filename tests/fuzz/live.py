"""A million mutated messages against the real venue, while a control session must not notice."""

from __future__ import annotations

import select
import tempfile
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from random import Random
from time import monotonic
from typing import Final

from tests.fuzz.control import Control
from tests.fuzz.mutant import Mutant, Trace
from tests.fuzz.venue import FuzzedVenue, FuzzError

ANSWER_BOUND_S: Final = 5.0
_LOOK_EVERY_S: Final = 1.0
_TELL_EVERY_S: Final = 5.0
#: RSS after the warm-up (the first third of the run) may pass its highest until then by this.
GROWTH_FACTOR: Final = 1.25
GROWTH_BYTES: Final = 32 << 20
_MIB: Final = 1 << 20


@dataclass(slots=True)
class Options:
    """What a run is to do; 0 is no limit."""

    seed: int = 1
    seconds: float = 60.0
    inputs: int = 0
    sessions: int = 8
    bound_s: float = ANSWER_BOUND_S  # within which the control session must be answered
    verbose: bool = True


class Growth:
    """Resident memory over the run."""

    def __init__(self) -> None:
        self.warm = self.last = 0
        self._warm_inputs = self._last_inputs = 0

    def look(self, rss: int, inputs: int, progress: float) -> None:
        """Raises FuzzError when memory grows beyond the bound; `progress` is 0 to 1."""
        self.last, self._last_inputs = rss, inputs
        if progress < 1 / 3:
            self.warm, self._warm_inputs = max(self.warm, rss), inputs
        elif rss > self.warm * GROWTH_FACTOR + GROWTH_BYTES and self.warm:
            was, now = self.warm // _MIB, rss // _MIB
            raise FuzzError(f"memory has grown from {was} MiB, warm, to {now} MiB")

    def __str__(self) -> str:
        inputs = max(1, self._last_inputs - self._warm_inputs)
        slope = (self.last - self.warm) / inputs
        return f"RSS {self.warm / _MIB:.0f} -> {self.last / _MIB:.0f} MiB ({slope:+.1f} B/input)"


class Run:
    """One run against one venue."""

    def __init__(self, options: Options, venue: FuzzedVenue, trace: Trace) -> None:
        self.inputs = 0
        self.rate = 0.0
        self.growth = Growth()
        self.control = Control(venue.port, options.bound_s)
        self.mutants = [
            Mutant(Random(f"{options.seed}/{n}"), b"FUZZ%d" % n, venue.port, trace)
            for n in range(options.sessions)
        ]
        self._options = options
        self._venue = venue
        self._began = self._looked = self._told = monotonic()

    @property
    def reached(self) -> int:
        """Inputs that have certainly been looked at: something sent after them was answered."""
        return sum(mutant.reached for mutant in self.mutants)

    def play(self) -> None:
        """Fire until the time is up or the inputs are out; raises FuzzError."""
        self.control.start()
        self._began = monotonic()
        while self._progress() < 1:
            sent = 0
            for mutant in self.mutants:
                sent += mutant.step()
            self.inputs += sent
            now = monotonic()
            if now - self._looked >= _LOOK_EVERY_S:
                self._look(now)
            if not sent:
                open_ones = [mutant for mutant in self.mutants if mutant.fileno() >= 0]
                select.select(open_ones, [], [], 0.002)
        self._look(monotonic())
        for mutant in self.mutants:
            mutant.close()
        self.control.finish()
        self.rate = self.inputs / (monotonic() - self._began)
        self._look(monotonic())

    def close(self) -> None:
        """Hang up, whatever has happened."""
        self.control.close()
        for mutant in self.mutants:
            mutant.close()

    def _progress(self) -> float:
        options, done = self._options, 0.0
        if options.seconds:
            done = (monotonic() - self._began) / options.seconds
        if options.inputs:
            done = max(done, self.inputs / options.inputs)
        return done

    def _look(self, now: float) -> None:
        self._looked = now
        self._venue.check_alive()
        self._venue.check_log()
        self.control.check()
        self.growth.look(self._venue.rss_bytes(), self.inputs, self._progress())
        if self._options.verbose and now - self._told >= _TELL_EVERY_S:
            self._told = now
            print(self._state(now), flush=True)

    def _state(self, now: float) -> str:
        counts: Counter[bytes] = Counter()
        for mutant in self.mutants:
            counts.update(mutant.counts)
        heard = " ".join(f"{kind.decode()}:{count:,}" for kind, count in counts.most_common())
        connections = sum(mutant.connections for mutant in self.mutants)
        return (
            f"{self.inputs:,} inputs, {self.inputs / max(now - self._began, 0.01):,.0f}/s, "
            f"{self.reached:,} with an answer behind them; {connections:,} connections; "
            f"{self.growth}; control {self.control.rounds} rounds, "
            f"worst {self.control.worst_s * 1000:.0f} ms; heard {heard}"
        )


def run(options: Options) -> str:
    """Play one run from start to recovery; returns the verdict, raises FuzzError.

    At a failure the last bytes that were sent are in a file that the error names.
    """
    trace = Trace()
    with tempfile.TemporaryDirectory(prefix="seamark-fuzz-") as name:
        venue = FuzzedVenue(Path(name))
        try:
            return _run(options, venue, trace)
        except Exception as error:
            path = Path(f"fuzz-live-{options.seed}.txt").absolute()
            trace.save(path, f"# seed {options.seed}: {error}")
            raise FuzzError(f"seed {options.seed}: {error!r}\nlast bytes sent: {path}") from error
        finally:
            venue.destroy()


def _run(options: Options, venue: FuzzedVenue, trace: Trace) -> str:
    current = Run(options, venue, trace)
    try:
        current.play()
        began = monotonic()
        venue.kill_and_recover()
        recovered_s = monotonic() - began
        current.control.resume(venue.port)
        current.close()
        venue.stop()
    finally:
        current.close()
    control = current.control
    return (
        f"passed: seed {options.seed}, {current.inputs:,} inputs at {current.rate:,.0f}/s, "
        f"{current.reached:,} with an answer behind them; no "
        f"crash, no hang (control: {control.rounds} rounds, worst {control.worst_s * 1000:.0f} ms, "
        f"bound {options.bound_s:g} s), {current.growth}; journal of "
        f"{venue.journal_bytes / _MIB:.0f} MiB recovered after kill -9 in {recovered_s:.1f} s; "
        f"{venue.log_bytes / _MIB:.0f} MiB of log"
    )
