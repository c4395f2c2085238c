"""Two sessions, a bad link and a seed: a while of faults, then calm, in which all must be well.

Each seed draws its own kinds of faults, and how often they come, so that some seeds are quiet but
for one thing and others are a storm. Limits that are large in the real world are small here, or no
short run would ever come near them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache, partial
from random import Random
from typing import Final
from unittest.mock import patch

from fix_engine import resend, sequence
from fix_engine.logon import SessionSettings
from fix_engine.session import Session
from fix_engine.states import State
from fix_engine.validation import Validator
from tests.sim.checker import Checker, SimulationError
from tests.sim.initiator import Initiator
from tests.sim.link import Garble, Link, Weather
from tests.sim.node import Client, Fate, Node, Server, Surroundings
from tests.sim.timeline import MILLISECOND, SECOND, Timeline, Trace
from tests.support.messages import dictionary

_CALM_LIMIT_S: Final = 30  # every timer of two dead connections in a row, and then some
_MAX_ASKS_IN_CALM: Final = 12  # ResendRequests of one end; more is a loop
_MAX_ASKS_A_SECOND: Final = 25
_NAG_LIMIT: Final = 2  # repeats of one ResendRequest that are taken for a loop, where some nag


@dataclass(slots=True)
class Options:
    """Which kinds of faults a seed may draw."""

    garble: Garble = Garble.ANY
    resets: bool = True
    #: A Logon that resets and comes long after its caller has given it up resets one side only,
    #: and FIX has no cure for that but another reset.
    stale_resets: bool = False
    crashes: bool = True
    nags: bool = True
    perfect: bool = False  # no faults at all
    sabotage: Callable[[Client, Server], None] | None = None
    verbose: bool = False


@dataclass(slots=True)
class Totals:
    """What a run, or many, consisted of."""

    seeds: int = 0
    messages: int = 0
    resent: int = 0
    streamed: int = 0
    delivered: int = 0
    asks: int = 0
    cuts: int = 0
    crashes: int = 0
    resets: int = 0
    virtual_ns: int = 0

    def add(self, other: Totals) -> None:
        """Count another run in."""
        for name in self.__slots__:
            setattr(self, name, getattr(self, name) + getattr(other, name))


@dataclass(slots=True)
class Plan:
    """What one seed is to go through."""

    weather: Weather
    heartbeat_s: int
    faults_ns: int
    page: int
    max_early: int
    max_early_bytes: int
    adds_last_processed: bool
    uses_next_expected: bool
    sends: int
    answers: float
    streams: int = 0
    ahead: int = 0
    events: dict[str, int] = field(default_factory=dict)


def draw(random: Random, options: Options) -> Plan:
    """The plan of a seed: each kind of fault is in it or not."""
    weather, events = (Weather(), {}) if options.perfect else _faults(random, options)
    return Plan(
        weather,
        heartbeat_s=random.randint(1, 2),
        faults_ns=random.randint(1, 8) * SECOND,
        page=random.choice((1, 3, 8, 256)),
        max_early=random.choice((3, 10, 1_000)),
        max_early_bytes=random.choice((500, 1 << 20)),
        adds_last_processed=random.random() < 0.3,
        uses_next_expected=random.random() < 0.3,
        sends=random.choice((5, 15, 40)),
        answers=random.choice((0.0, 0.3)),
        streams=random.choice((0, 5, 40)),
        ahead=random.choice((0, 3, 1_000)),
        events=events,
    )


def _faults(random: Random, options: Options) -> tuple[Weather, dict[str, int]]:
    def some(most: int, chance: float = 0.5) -> int:
        return random.randint(1, most) if random.random() < chance else 0

    weather = Weather(
        max_delay=random.choice((2, 50, 400)) * MILLISECOND,
        splits=random.choice((0.0, 0.3, 0.9)),
        stalls=random.choice((0.0, 0.0, 0.02)),
        refuses=random.choice((0.0, 0.0, 0.4)),
        unnoticed=random.choice((0.0, 0.2, 0.6)),
    )
    if options.garble is not Garble.NONE and random.random() < 0.4:
        weather.garbles, weather.garble = random.choice((0.01, 0.1)), options.garble
    events = {
        "cut": some(4, 0.7),
        "hang up": some(2, 0.3),
        "logout A": some(2, 0.3),
        "logout B": some(2, 0.3),
    }
    if options.crashes:
        events |= {"crash A": some(2, 0.3), "crash B": some(2, 0.3)}
    if options.nags:
        events["nag"] = some(2, 0.2)
    weather.reorders = random.random() < 0.3
    if options.resets and random.random() < 0.3:
        events |= {"reset": some(2), "reset in session": some(2)}
        if not options.stale_resets:
            weather.reorders = weather.overtakes = False
    return weather, events


class World:
    """One seed's two ends, their link and their time."""

    def __init__(self, seed: int, options: Options) -> None:
        self.random = Random(seed)
        self.timeline = Timeline()
        self.trace = Trace(self.timeline, options.verbose)
        self.plan = draw(self.random, options)
        self.totals = Totals(seeds=1)
        self.checker = Checker(self.plan.max_early, self.plan.max_early_bytes)
        self.link = Link(self.timeline, self.random, self.plan.weather, self.trace)
        around = Surroundings(
            self.timeline, self.random, self.link, self.checker, self.trace, self.plan.answers
        )
        self.client = Client(around, self._make_client, self.plan.heartbeat_s)
        self.server = Server("B", around, self._make_server)
        self.client.ahead = self.server.ahead = self.plan.ahead
        self.link.on_connect = self.server.accept
        self._is_perfect = options.perfect
        self.trace.note(f"seed {seed}: {self.plan}")
        if options.sabotage is not None:
            options.sabotage(self.client, self.server)

    def run(self) -> Totals:
        """Raises SimulationError when a promise is broken."""
        limits = (
            patch.object(resend, "PAGE_MESSAGES", self.plan.page),
            patch.object(sequence, "MAX_EARLY_MESSAGES", self.plan.max_early),
            patch.object(sequence, "MAX_EARLY_BYTES", self.plan.max_early_bytes),
        )
        with limits[0], limits[1], limits[2]:
            self._storm()
            self._calm()
            self._part()
        return self._sum()

    def describe(self) -> str:
        """Where both ends stand."""
        return "; ".join(
            f"{node.name} {node.session.state.name} expects {node.session.next_in}, sends "
            f"{node.session.next_out} next, {len(node.session.inbound.early)} early"
            for node in (self.client, self.server)
        )

    # --- the phases ---------------------------------------------------------------------

    def _storm(self) -> None:
        plan = self.plan
        if self._is_perfect:
            self.client.after_turn()
            self.timeline.run(2 * SECOND)
        else:
            self.timeline.after(self.random.randrange(SECOND), self.client.after_turn)
        for node in (self.client, self.server):
            self._at_some_time(plan.sends, node.send)
            self._at_some_time(plan.streams, node.stream)
        for name, count in plan.events.items():
            self._at_some_time(count, partial(self._happen, name))
        seconds, rest = divmod(plan.faults_ns, SECOND)
        for duration in [SECOND] * seconds + [rest]:
            self._run(duration, _MAX_ASKS_A_SECOND)

    def _calm(self) -> None:
        """From now on nothing goes wrong: what went wrong before must heal, and then all rests."""
        self.trace.note("calm")
        self.link.calm()
        for node in (self.client, self.server):
            node.fate = Fate.LIVES
            node.send()
        self._until_settled()
        for node in (self.client, self.server):
            node.stream()
            node.send()
        self._run(SECOND // 2, 0)
        self._check_settled("after one more message each")
        before = self._written()
        self._run(3 * self.plan.heartbeat_s * SECOND, 0)
        if self._written() - before > 10:
            self.checker.fail(f"{self._written() - before} messages with nothing to be said")

    def _until_settled(self) -> None:
        asked = self._asked()
        for _ in range(_CALM_LIMIT_S * 4):
            self._run(SECOND // 4, _MAX_ASKS_IN_CALM)
            if not self._unsettled():
                break
        else:
            self.checker.fail(f"no convergence in {_CALM_LIMIT_S} s: {self._unsettled()}")
        if self._asked() - asked > 2 * _MAX_ASKS_IN_CALM:
            self.checker.fail(f"{self._asked() - asked} ResendRequests to converge")

    def _part(self) -> None:
        """In good order, as at the end of a day."""
        self.client.stays_away = True
        (self.client if self.random.random() < 0.5 else self.server).logout()
        self._run(SECOND, 0)
        self._check_settled("after the logout", State.DISCONNECTED)

    # --- helpers ------------------------------------------------------------------------

    def _at_some_time(self, count: int, act: Callable[[], None]) -> None:
        for _ in range(count):
            self.timeline.after(self.random.randrange(self.plan.faults_ns), act)

    def _happen(self, what: str) -> None:
        self.trace.note(f"-- {what}")
        node: Node = self.client if what.endswith("A") else self.server
        match what:
            case "cut":
                self.link.cut()
            case "hang up":
                self.client.abandon()
            case "nag":
                self.client.nag()
            case "logout A" | "logout B":
                node.logout()
            case "crash A" | "crash B":
                self.totals.crashes += 1
                node.fate = self.random.choice(list(Fate))
                if node.fate is Fate.LIVES:
                    node.crash(self.random.randrange(2 * SECOND))
            case _:
                self.totals.resets += 1
                self.client.reset(in_session=what == "reset in session")

    def _run(self, duration: int, most_asks: int) -> None:
        before = {name: side.resend_requests for name, side in self.checker.sides.items()}
        self.timeline.run(duration)
        for name, side in self.checker.sides.items():
            asks = side.resend_requests - before[name]
            if asks > most_asks:
                self.checker.fail(f"{asks} ResendRequests of {name} in {duration / SECOND:g} s")

    def _unsettled(self, state: State = State.ACTIVE) -> str:
        """What is not yet as it must be in the end; "" when all is."""
        ends = (self.client, self.server)
        for node, peer in (ends, ends[::-1]):
            if not node.is_up:
                return f"{node.name} is down"
            if node.session.state is not state:
                return f"{node.name} is {node.session.state.name}"
            if node.session.next_in != peer.session.next_out:
                return f"{node.name} expects {node.session.next_in} of {peer.session.next_out}"
            if node.session.inbound.early:
                return f"{node.name} has early messages"
            if node.reset_pending:
                return f"{node.name} waits for a reset"
        return "" if self.link.is_idle else "bytes in flight"

    def _check_settled(self, when: str, state: State = State.ACTIVE) -> None:
        wrong = self._unsettled(state) or self.checker.missing()
        if wrong:
            self.checker.fail(f"{when}: {wrong}")

    def _asked(self) -> int:
        return sum(side.resend_requests for side in self.checker.sides.values())

    def _written(self) -> int:
        return sum(side.written_total for side in self.checker.sides.values())

    def _sum(self) -> Totals:
        totals, sides = self.totals, self.checker.sides.values()
        totals.messages = self._written()
        totals.streamed = sum(len(side.ticks) for side in sides)
        totals.resent = sum(side.resent_total for side in sides)
        totals.delivered = sum(side.delivered_total for side in sides)
        totals.asks = self._asked()
        totals.cuts = self.link.cuts
        return totals

    def _make_client(self) -> Session:
        return Initiator(self._settings(b"A", b"B"), _validator())

    def _make_server(self) -> Session:
        return Session(self._settings(b"B", b"A"), _validator())

    def _settings(self, us: bytes, peer: bytes) -> SessionSettings:
        return SessionSettings(
            us,
            peer,
            logon_timeout_ns=3 * SECOND,
            uses_next_expected=self.plan.uses_next_expected,
            adds_last_processed=self.plan.adds_last_processed,
            max_resend_repeats=_NAG_LIMIT if self.plan.events.get("nag") else 10,
        )


@cache
def _validator() -> Validator:
    return Validator(dictionary())


def simulate(seed: int, options: Options | None = None) -> Totals:
    """Run one seed; raises SimulationError with the seed, the state and the last events."""
    world = World(seed, options or Options())
    try:
        return world.run()
    except Exception as error:
        lines = "\n".join(world.trace.lines())
        what = str(error) if isinstance(error, SimulationError) else repr(error)
        raise SimulationError(
            f"seed {seed}: {what}\n{world.describe()}\n{lines}\n"
            f"again: python -m tests.sim --seed {seed} -v"
        ) from error
