"""Who gets in: judges Logons by credential, address and certificate, and slows down guessing.

What a refused caller learns is nothing but that it was refused: the same silence, after the same
time, whatever was wrong, and whether or not there is such a session. To that end a Logon is
checked against what it presents, with a decoy where nobody has such a credential; and the answer
comes at a fixed time after the Logon. The true reason is in the log.

Failures are counted by address and by identity, and each doubles the wait. So that nobody can lock
a client out by guessing in its name, the address from which an identity logged on last is counted
by itself, for that identity alone.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass
from ipaddress import IPv6Address, ip_address
from typing import Final

from fix_engine import tags
from fix_engine.message import Message
from fix_engine.timestamps import SECOND_NS
from sessions.backoff import Backoff
from sessions.credentials import Method, Outcome, decoys, presented
from sessions.profile import Profile, is_within

_IPV6_PREFIX: Final = 64  # what one customer is given; single addresses cost an attacker nothing

Answer = Callable[[Outcome], None]
#: Runs work that takes long, without holding up anybody, then calls back in the event loop.
RunSlowly = Callable[[Callable[[], Outcome], Answer], None]


@dataclass(slots=True)
class Caller:
    """Who is at the other end of a connection, as far as the transport can tell."""

    host: str
    certificate: frozenset[str] = frozenset()  # its names and its fingerprint, once verified


@dataclass(slots=True)
class AccessRules:
    """How strict the authority is; every limit is a setting."""

    free_failures: int = 3
    longest_wait_s: float = 60.0
    proof_window_s: float = 5.0  # how far the time of a signature may be from our clock
    refusal_delay_s: float = 0.5
    checks_at_once: int = 1  # of passwords, a core each for some 20 ms


class Authority:
    """Judges the Logons of sessions that have credentials."""

    def __init__(
        self, profiles: Mapping[bytes, Profile], rules: AccessRules, run_slowly: RunSlowly
    ) -> None:
        self.refusal_delay_s = rules.refusal_delay_s
        self._profiles = profiles
        self._run_slowly = run_slowly
        self._decoys = decoys(round(rules.proof_window_s * SECOND_NS))
        longest_wait_ns = round(rules.longest_wait_s * SECOND_NS)
        self._backoff = Backoff(rules.free_failures, longest_wait_ns)
        self._last_host: dict[bytes, str] = {}

    def judge(self, logon: Message, caller: Caller, now: int, answer: Answer) -> None:
        """Call `answer` with the outcome, at once or later, but always in the event loop."""
        sender = logon.get(tags.SENDER_COMP_ID) or b""
        keys = self._keys(sender, caller.host)
        wait_ns = max(self._backoff.wait_ns(key, now) for key in keys)
        if wait_ns:
            answer(Outcome(f"too many failures, next try in {wait_ns / SECOND_NS:.1f} s"))
            return
        method = presented(logon)
        profile = self._profiles.get(sender)
        fault = _misfit(profile, method, logon, caller)
        credential = profile.credential if profile is not None and fault is None else None
        if method is None or (fault is None and credential is None):
            self._conclude(Outcome(fault), sender, caller.host, now, answer)
            return
        checked = credential or self._decoys[method]

        def conclude(outcome: Outcome) -> None:
            self._conclude(Outcome(fault) if fault else outcome, sender, caller.host, now, answer)

        if method is Method.PASSWORD:
            self._run_slowly(lambda: checked.check(logon, now), conclude)
        else:
            conclude(checked.check(logon, now))

    def _conclude(
        self, outcome: Outcome, sender: bytes, host: str, now: int, answer: Answer
    ) -> None:
        for key in self._keys(sender, host):
            if outcome.fault is None:
                self._backoff.succeeded(key)
            else:
                self._backoff.failed(key, now)
        if outcome.fault is None:
            self._last_host[sender] = host
        answer(outcome)

    def _keys(self, sender: bytes, host: str) -> list[Hashable]:
        if self._last_host.get(sender) == host:
            return [(sender, host)]
        known = [sender] if sender in self._profiles else []
        return [_neighbourhood(host), *known]


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
    if not is_within(profile.networks, caller.host):
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


def _neighbourhood(host: str) -> str:
    """An IPv4 address, or the /64 that an IPv6 address is in."""
    try:
        address = ip_address(host.partition("%")[0])
    except ValueError:
        return host
    if isinstance(address, IPv6Address) and address.ipv4_mapped is None:
        return str(int(address) >> (128 - _IPV6_PREFIX))
    return str(address)
