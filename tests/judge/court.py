"""One flow before all judges."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256
from typing import Protocol

from exchange.executor import Executor
from fix_engine.validation import Validator
from sessions.journal import Kind
from tests.judge.copies import COMP_IDS, Watcher
from tests.judge.flow import ACCOUNTS, WATCHED, Flow
from tests.judge.invariants import check_conservation, check_venue, check_views
from tests.judge.naive import NaiveVenue
from tests.judge.quotes import Guards
from tests.judge.said import agree, said_of
from tests.judge.steps import Fields, Report, Step, as_message, execute
from tests.judge.view import Clients, ObjectionError, must
from tests.support.messages import dictionary

CHECK_EVERY = 25
RESTORE_EVERY = 150
TWIN_STEPS = 50
REPLAY_EVERY = 4  # flows
VALIDATE_EVERY = 4
#: A refusal repeats what was wrong with the request.
REPEATED_AS_IT_CAME = (b"40", b"54", b"59", b"530")


class Court:
    """A venue, the judges, and every step that they have seen."""

    def __init__(
        self,
        fees: dict[str, tuple[int, int]],
        is_guarded: bool = False,
        guards: Guards | None = None,
    ) -> None:
        self.executor = new_executor()
        self.clients = Clients(ACCOUNTS, fees)
        self.watchers = [Watcher(number, fees) for number in WATCHED]
        self.steps: list[Step] = []
        self.digest = sha256()
        self.is_guarded = is_guarded
        self.guards = guards
        # The naive venue knows nothing of quotes: where there are some the others judge alone.
        self.naive = NaiveVenue(ACCOUNTS) if guards is None else None
        self._validator = Validator(dictionary())
        self._twin: Executor | None = None
        self._twin_until = 0

    def play(self, step: Step) -> None:
        """Play one step; raise ObjectionError where a judge objects."""
        try:
            self._play(step)
        except ObjectionError as error:
            raise ObjectionError(f"{error}\n  step {step}") from error
        except Exception as error:
            raise ObjectionError(f"{error!r}\n  step {step}") from error

    def finish(self, is_replayed: bool) -> None:
        """The last look; `is_replayed`: the same from the start is the same to the byte."""
        self.check()
        check_conservation(self.clients)
        if not is_replayed:
            return
        again, digest = new_executor(), sha256()
        for step in self.steps:
            _add(digest, execute(again, step).reports)
        must(again.snapshot() == self.executor.snapshot(), "a replay leads elsewhere")
        must(digest.digest() == self.digest.digest(), "a replay says something else")

    def check(self, with_closed: bool = True) -> None:
        """The invariants, and the clients' views."""
        check_venue(self.executor.venue)
        check_views(self.executor.venue, self.clients, ACCOUNTS, with_closed)
        for watcher in self.watchers:
            watcher.check(self.executor.venue, with_closed)

    def _play(self, step: Step) -> None:
        self.steps.append(step)
        outcome = execute(self.executor, step)
        _add(self.digest, outcome.reports)
        reports = [report for report in outcome.reports if report.session in ACCOUNTS]
        parsed = self.clients.take(step, reports)
        for watcher in self.watchers:
            watcher.take(step, outcome.reports)
        if self.naive is not None and step.session not in WATCHED:
            self._compare_naive(self.naive, step, parsed)
        if self.guards is not None:
            self.guards.take(step, parsed, self.executor.venue)
        if step.position % VALIDATE_EVERY == 0:
            self._validate(outcome.reports)
        if step.position % CHECK_EVERY == 0:
            self.check(with_closed=step.position % (10 * CHECK_EVERY) == 0)
        if self._twin is not None:
            self._compare_twin(self._twin, step, outcome.reports)
        elif step.position % RESTORE_EVERY == 0:
            self._restore()

    def _validate(self, reports: list[Report]) -> None:
        """Every report is what the dictionary says that clients get."""
        for report in reports:
            fault = self._validator.check(as_message(report))
            is_fault = fault is not None and fault.ref_tag not in REPEATED_AS_IT_CAME
            must(not is_fault, f"{fault} of: {report}")

    def _compare_naive(
        self, naive: NaiveVenue, step: Step, parsed: list[tuple[Report, Fields]]
    ) -> None:
        actual = [said_of(report, fields) for report, fields in parsed]
        # Limits of accounts and instruments are not the naive venue's business; post-only is.
        was_refused = self.is_guarded and any(
            said[:2] == (step.session, "refused") and not fields.get(58, "").startswith("Post-only")
            for said, (_, fields) in zip(actual, parsed, strict=True)
        )
        expected = naive.play(step, was_refused)
        if not agree(expected, actual):
            ours, theirs = ("\n    ".join(map(str, some)) for some in (actual, expected))
            raise ObjectionError(f"the naive venue says\n    {theirs}\n  and not\n    {ours}")

    def _restore(self) -> None:
        state = self.executor.snapshot()
        self._twin = new_executor()
        self._twin.restore(state)
        must(self._twin.snapshot() == state, "a restored venue has another snapshot")
        check_venue(self._twin.venue)
        self._twin_until = self.steps[-1].position + TWIN_STEPS

    def _compare_twin(self, twin: Executor, step: Step, reports: list[Report]) -> None:
        other = execute(twin, step).reports
        if other != reports:
            ours, theirs = ("\n    ".join(map(str, some)) for some in (reports, other))
            raise ObjectionError(f"a restored venue says\n    {theirs}\n  and not\n    {ours}")
        if step.position >= self._twin_until:
            must(twin.snapshot() == self.executor.snapshot(), "a restored venue went elsewhere")
            self._twin = None


class _Hash(Protocol):
    def update(self, data: bytes, /) -> None: ...


def _add(digest: _Hash, reports: Sequence[Report]) -> None:
    for session, msg_type, body in reports:
        digest.update(b"%d %b %b\n" % (session, msg_type.encode(), body))


def new_executor() -> Executor:
    """One that knows what the sessions are called."""
    executor = Executor()
    executor.comp_ids.update(COMP_IDS)
    return executor


def play_flow(seed: int, commands: int) -> Court:
    """One flow of so many steps; raises ObjectionError with the steps so far in `court`."""
    flow = Flow(seed)
    court = Court(flow.fees(), flow.is_guarded, flow.guards())
    try:
        for _ in range(commands):
            court.play(flow.next(court.clients, court.executor.venue.next_due))
        court.finish(is_replayed=seed % REPLAY_EVERY == 0)
    except ObjectionError as error:
        raise FlowError(str(error), flow, court) from error
    return court


class FlowError(AssertionError):
    """What a judge objected to, and how it came to it."""

    def __init__(self, text: str, flow: Flow, court: Court) -> None:
        super().__init__(text)
        self.text, self.flow, self.court = text, flow, court


def objection_to(steps: Sequence[Step], flow: Flow) -> str | None:
    """What the judges say of these steps alone."""
    court = Court(flow.fees(), flow.is_guarded, flow.guards())
    try:
        for step in steps:
            court.play(step)
            court.check()
    except ObjectionError as error:
        return str(error)
    return None


def minimise(failure: FlowError) -> tuple[list[Step], str]:
    """The fewest steps found that lead to the same kind of objection."""
    steps, flow = list(failure.court.steps), failure.flow
    kind = _kind_of(failure.text)
    text = objection_to(steps, flow)
    if text is None or _kind_of(text) != kind:
        return steps, failure.text
    size = max(len(steps) // 2, 1)
    while size:
        start = len(steps)
        while start > 0:
            begin = max(start - size, 0)
            kept = steps[:begin] + steps[start:]
            found = objection_to(kept, flow) if any(s.kind is Kind.RULES for s in kept) else None
            if found is not None and _kind_of(found) == kind:
                steps, text = kept, found
            start = begin
        size //= 2
    return steps, text


def _kind_of(text: str) -> str:
    """An objection without its figures."""
    head = text.split("\n")[0].split(" in: ")[0]
    return "".join(letter for letter in head if not letter.isdigit())
