"""Who gets in: judges Logons by credential, address and certificate, and slows down guessing.

What a refused caller learns is nothing but that it was refused: the same silence, after the same
time, whatever was wrong, and whether or not there is such a session. To that end a Logon is
checked against what it presents, with a decoy where nobody has such a credential; and the answer
comes at a fixed time after the Logon. The true reason is in the log.

Failures are counted by address and by identity, and each doubles the wait. So that nobody can lock
a client out by guessing in its name, the addresses in its settings, and the one from which it
logged on last, are counted by themselves, for that identity alone.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass
from typing import Final

from fix_engine import tags
from fix_engine.message import Message
from fix_engine.timestamps import SECOND_NS
from sessions.backoff import Backoff
from sessions.credentials import Credential, Method, Outcome, decoys, presented
from sessions.profile import Profile, neighbourhood

_MAX_WAITING: Final = 10_000  # passwords; more than there may be strangers

Answer = Callable[[Outcome], None]
#: Runs work that takes long, without holding up anybody, then calls back in the event loop.
RunSlowly = Callable[[Callable[[], Outcome], Answer], None]


@dataclass(slots=True)
class Caller:
    """Who is at the other end of a connection, as far as the transport can tell."""

    host: str
    certificate: frozenset[str] = frozenset()  # its names and its fingerprint, once verified
    is_gone: Callable[[], bool] = lambda: False


@dataclass(slots=True)
class AccessRules:
    """How strict the authority is; every limit is a setting."""

    free_failures: int = 3
    longest_wait_s: float = 60.0
    proof_window_s: float = 5.0  # how far the time of a signature may be from our clock
    refusal_delay_s: float = 0.5
    checks_at_once: int = 1  # of passwords, a core each for some 20 ms


@dataclass(slots=True)
class _Case:
    """A Logon that is to be judged."""

    logon: Message
    caller: Caller
    answer: Answer
    sender: bytes
    profile: Profile | None


class Authority:
    """Judges the Logons of sessions that have credentials."""

    def __init__(
        self,
        profiles: Mapping[bytes, Profile],
        rules: AccessRules,
        run_slowly: RunSlowly,
        clock: Callable[[], int],
    ) -> None:
        """`clock` tells UTC in nanoseconds."""
        self.refusal_delay_s = rules.refusal_delay_s
        self._profiles = profiles
        self._run_slowly = run_slowly
        self._clock = clock
        self._decoys = decoys(round(rules.proof_window_s * SECOND_NS))
        longest_wait_ns = round(rules.longest_wait_s * SECOND_NS)
        # A table each, so that none can be flooded to have another forget.
        self._by_address = Backoff(rules.free_failures, longest_wait_ns)
        self._by_session = Backoff(rules.free_failures, longest_wait_ns)
        self._by_other_name = Backoff(rules.free_failures, longest_wait_ns)
        self._free_checks = rules.checks_at_once
        # In turns: who was here before need not wait for guessers, nor others for them.
        self._regulars: OrderedDict[tuple[bytes, str], _Case] = OrderedDict()
        self._others: OrderedDict[tuple[bytes, str], _Case] = OrderedDict()
        self._is_turn_of_others = False

    def judge(self, logon: Message, caller: Caller, answer: Answer) -> None:
        """Call `answer` with the outcome, at once or later, but always in the event loop."""
        sender = logon.get(tags.SENDER_COMP_ID) or b""
        case = _Case(logon, caller, answer, sender, self._profiles.get(sender))
        if presented(logon) is Method.PASSWORD:
            key = (sender, caller.host)
            waiting = self._others if _own_key(case) is None else self._regulars
            if len(waiting) >= _MAX_WAITING:
                answer(Outcome(f"{len(waiting)} passwords wait to be checked already"))
            elif key in waiting:
                answer(Outcome("another Logon of it waits to be checked already"))
            else:
                waiting[key] = case
                self._check_passwords()
        else:
            self._try(case, self._at_once)

    def _check_passwords(self) -> None:
        """Begin as many checks as may run at a time; whether one is due is decided only now.

        So failures of a moment ago count, however many Logons came before the first was judged.
        """
        while self._free_checks and (self._regulars or self._others):
            self._is_turn_of_others = not self._is_turn_of_others
            first, second = self._regulars, self._others
            if self._is_turn_of_others:
                first, second = second, first
            _, case = (first or second).popitem(last=False)
            if not case.caller.is_gone():
                self._try(case, self._in_a_thread)

    def _try(self, case: _Case, run: Callable[[_Case, Credential, str | None], None]) -> None:
        """Check a Logon against its credential, or a decoy, unless there is nothing to check."""
        now = self._clock()
        wait_ns = max(table.wait_ns(key, now) for table, key in self._counts(case))
        if wait_ns:
            case.answer(Outcome(f"too many failures, next try in {wait_ns / SECOND_NS:.1f} s"))
            return
        method = presented(case.logon)
        fault = _misfit(case.profile, method, case.logon, case.caller)
        own = case.profile.credential if case.profile is not None and fault is None else None
        if method is None or (fault is None and own is None):
            self._conclude(case, Outcome(fault))
        else:
            run(case, own or self._decoys[method], fault)

    def _at_once(self, case: _Case, credential: Credential, fault: str | None) -> None:
        outcome = credential.check(case.logon, self._clock())
        self._conclude(case, Outcome(fault) if fault else outcome)

    def _in_a_thread(self, case: _Case, credential: Credential, fault: str | None) -> None:
        now = self._clock()
        self._free_checks -= 1

        def conclude(outcome: Outcome) -> None:
            self._free_checks += 1
            self._conclude(case, Outcome(fault) if fault else outcome)
            self._check_passwords()

        self._run_slowly(lambda: credential.check(case.logon, now), conclude)

    def regret(self, logon: Message, caller: Caller) -> None:
        """Somebody was let in to no avail: who goes on trying is slowed down, too."""
        sender = logon.get(tags.SENDER_COMP_ID) or b""
        case = _Case(logon, caller, lambda outcome: None, sender, self._profiles.get(sender))
        for table, key in self._counts(case):
            table.failed(key, self._clock())

    def _counts(self, case: _Case) -> list[tuple[Backoff, Hashable]]:
        """Where failures are counted, and by what; names that nobody has like those of sessions."""
        own = _own_key(case)
        if own is not None:
            return [(self._by_session, own)]
        names = self._by_session if case.profile is not None else self._by_other_name
        return [(self._by_address, neighbourhood(case.caller.host)), (names, case.sender)]

    def _conclude(self, case: _Case, outcome: Outcome) -> None:
        for table, key in self._counts(case):
            if outcome.fault is None:
                table.succeeded(key)
            else:
                table.failed(key, self._clock())
        if outcome.fault is None:
            outcome.host = case.caller.host
        case.answer(outcome)


def _own_key(case: _Case) -> Hashable | None:
    """What failures are counted by where the session is at home, by its settings or last Logon."""
    profile, host = case.profile, case.caller.host
    if profile is None:
        return None
    if profile.last_host and neighbourhood(profile.last_host) == neighbourhood(host):
        return (case.sender, neighbourhood(host))
    return (case.sender, "listed") if profile.networks and profile.admits(host) else None


def _misfit(
    profile: Profile | None, method: Method | None, logon: Message, caller: Caller
) -> str | None:
    """What is wrong with a Logon before its credential is looked at."""
    if profile is None:
        return "no such session"
    if profile.credential is not None:
        fault = _wrong_kind(profile, profile.credential.method, method, logon)
        if fault is not None:
            return fault
    if not profile.admits(caller.host):
        return "its address is not in the session's allow-list"
    if profile.certificate and profile.certificate not in caller.certificate:
        return f"no client certificate for {profile.certificate!r}"
    return None


def _wrong_kind(
    profile: Profile, wanted: Method, method: Method | None, logon: Message
) -> str | None:
    if method is None:
        return "no credentials: neither Password (554) nor RawData (96)"
    if method is not wanted:
        return f"it presents a {method.value}; this session needs {wanted.value}"
    username = logon.get(tags.USERNAME)
    if username != profile.username and not (username is None and method is Method.SIGNATURE):
        return "Username (553) is missing or not this session's"
    return None
