"""Who gets in, and what guessing costs, without sockets and in virtual time."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from ipaddress import ip_network

import pytest

from fix_engine.logon import SessionSettings
from fix_engine.message import Message
from sessions.authority import AccessRules, Answer, Authority, Caller
from sessions.credentials import Method, Outcome
from sessions.profile import Profile
from tests.support.messages import decode, fix

SECOND = 1_000_000_000
HOME, AWAY, ELSEWHERE = "192.0.2.1", "198.51.100.7", "203.0.113.9"
#: How each method is presented, for a check that is told whether it is right.
PRESENTED = {
    Method.PASSWORD: "554={}|",
    Method.SIGNATURE: "95=5|96={}|",
    Method.HMAC: "5025=1|554={}|",
}


class Spy:
    """A credential that counts its checks: `right` is right, whatever the method."""

    def __init__(self, method: Method, checks: list[str], name: str) -> None:
        self.method = method
        self._checks = checks
        self._name = name

    def check(self, logon: Message, now: int) -> Outcome:
        self._checks.append(self._name)
        given = logon.get(b"96") or logon.get(b"554")
        return Outcome(memory=b"kept") if given == b"right" else Outcome("it is wrong")

    def recall(self, memory: bytes) -> None:
        raise AssertionError("the authority remembers nothing")


class Gatehouse:
    """An authority over sessions whose checks are counted; work that is slow is done at once."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, **rules: float) -> None:
        self.now = 1_000 * SECOND
        self.checks: list[str] = []
        self.slow = 0
        self.held: list[tuple[Callable[[], Outcome], Answer]] = []
        self.is_busy = False
        self.profiles = {
            f"{method.name}{number}".encode(): self._profile(method, f"{method.name}{number}")
            for method in Method
            for number in (1, 2)
        }
        made = {method: Spy(method, self.checks, "decoy") for method in Method}
        monkeypatch.setattr("sessions.authority.decoys", lambda window_ns: made)
        limits = AccessRules(**({"free_failures": 2, "longest_wait_s": 60} | rules))  # type: ignore[arg-type]
        self.authority = Authority(self.profiles, limits, self._run_slowly, lambda: self.now)

    def _profile(self, method: Method, name: str) -> Profile:
        settings = SessionSettings(b"SEAMARK", name.encode())
        spy = Spy(method, self.checks, name)
        return Profile(settings, username=name.lower().encode(), credential=spy)

    def _run_slowly(self, work: Callable[[], Outcome], answer: Answer) -> None:
        self.slow += 1
        if self.is_busy:
            self.held.append((work, answer))
        else:
            answer(work())

    def ask(
        self,
        comp_id: str = "PASSWORD1",
        given: str = "right",
        host: str = HOME,
        method: Method | None = Method.PASSWORD,
        username: str | None = "",
        certificate: Iterable[str] = (),
    ) -> list[Outcome]:
        """What comes of a Logon: one outcome, or none while it is being checked."""
        name = comp_id.lower() if username == "" else username
        said = "" if name is None else f"553={name}|"
        said += PRESENTED[method].format(given) if method is not None else ""
        logon = decode(fix(f"35=A|34=1|49={comp_id}|56=SEAMARK|{said}"))
        came: list[Outcome] = []

        def answer(outcome: Outcome) -> None:
            if outcome.host:  # what the registry does
                self.profiles[comp_id.encode()].last_host = outcome.host
            came.append(outcome)

        caller = Caller(host, frozenset(certificate))
        self.authority.judge(logon, caller, answer)
        return came

    def enter(self, comp_id: str = "PASSWORD1", given: str = "right", host: str = HOME) -> str:
        """`in`, or why not."""
        (outcome,) = self.ask(comp_id, given, host)
        return outcome.fault or "in"

    def guess(self, times: int, host: str, comp_id: str = "PASSWORD1") -> list[str]:
        """Wrong passwords, one after the other, in no time."""
        return [self.enter(comp_id, "wrong", host) for _ in range(times)]


@pytest.fixture
def house(monkeypatch: pytest.MonkeyPatch) -> Gatehouse:
    return Gatehouse(monkeypatch)


def waits(text: str) -> bool:
    return text.startswith("too many failures, next try in ")


# --- what is checked ----------------------------------------------------------------------


@pytest.mark.parametrize("method", list(Method))
def test_what_is_right_is_let_in_with_what_is_to_be_remembered(
    house: Gatehouse, method: Method
) -> None:
    name = f"{method.name}1"
    assert house.ask(name, "right", method=method) == [Outcome(memory=b"kept", host=HOME)]
    assert house.ask(name, "wrong", method=method) == [Outcome("it is wrong")]
    assert house.checks == [name, name]


def test_only_passwords_are_checked_beside_the_loop(house: Gatehouse) -> None:
    house.is_busy = True
    for method in (Method.SIGNATURE, Method.HMAC):
        assert house.ask(f"{method.name}1", method=method) == [Outcome(memory=b"kept", host=HOME)]
    assert house.slow == 0
    came = house.ask()
    assert (came, house.slow, house.checks[2:]) == ([], 1, [])
    work, answer = house.held.pop()
    answer(work())
    assert came == [Outcome(memory=b"kept", host=HOME)]


FAULTS: list[tuple[str, dict[str, object], str]] = [
    ("unknown", {"comp_id": "NOBODY"}, "no such session"),
    ("empty", {"comp_id": ""}, "no such session"),
    ("username", {"username": "somebody"}, "Username (553) is missing or not this session's"),
    ("no username", {"username": None}, "Username (553) is missing or not this session's"),
    ("address", {"comp_id": "BOUND"}, "its address is not in the session's allow-list"),
    ("certificate", {"comp_id": "CERTIFIED"}, "no client certificate for 'client.one'"),
    (
        "another certificate",
        {"comp_id": "CERTIFIED", "certificate": ("client.two", "sha256:00")},
        "no client certificate for 'client.one'",
    ),
]


def with_special_sessions(house: Gatehouse, method: Method) -> None:
    """Sessions that are bound to an address, and to a certificate."""
    for name in ("BOUND", "CERTIFIED"):
        house.profiles[name.encode()] = house._profile(method, name)
    house.profiles[b"BOUND"].networks = (ip_network("10.0.0.0/8"),)
    house.profiles[b"CERTIFIED"].certificate = "client.one"


@pytest.mark.parametrize("method", list(Method))
@pytest.mark.parametrize(("options", "fault"), [f[1:] for f in FAULTS], ids=[f[0] for f in FAULTS])
def test_a_fault_known_beforehand_costs_the_same_work_with_a_decoy(
    house: Gatehouse, method: Method, options: dict[str, str], fault: str
) -> None:
    with_special_sessions(house, method)
    options = {"comp_id": f"{method.name}1"} | options
    for given in ("right", "wrong"):
        outcomes = house.ask(given=given, method=method, **options)
        if options.get("username", "") is None and method is Method.SIGNATURE:
            assert house.checks.pop() == "SIGNATURE1", "a signature says who it is without"
            continue
        assert outcomes == [Outcome(fault)], "nothing is to be remembered of it"
        assert house.checks.pop() == "decoy"
        assert house.slow == (method is Method.PASSWORD)
        house.checks.clear()
        house.slow = 0


@pytest.mark.parametrize("wanted", list(Method))
@pytest.mark.parametrize("given", list(Method))
def test_another_method_than_the_sessions_is_checked_against_a_decoy(
    house: Gatehouse, wanted: Method, given: Method
) -> None:
    (outcome,) = house.ask(f"{wanted.name}1", method=given)
    if wanted is given:
        assert (outcome.fault, house.checks) == (None, [f"{wanted.name}1"])
    else:
        expected = f"it presents a {given.value}; this session needs {wanted.value}"
        assert (outcome.fault, house.checks) == (expected, ["decoy"])
    assert house.slow == (given is Method.PASSWORD), "the work is that of what is presented"


def test_a_logon_without_credentials_is_refused_and_counts(house: Gatehouse) -> None:
    for _ in range(3):
        (outcome,) = house.ask(method=None)
        assert outcome.fault == "no credentials: neither Password (554) nor RawData (96)"
    assert waits(house.enter())
    assert house.checks == []


@pytest.mark.parametrize("method", [None, *Method])
def test_a_session_without_a_credential_is_known_by_its_address_or_certificate(
    house: Gatehouse, method: Method | None
) -> None:
    with_special_sessions(house, Method.PASSWORD)
    for name in (b"BOUND", b"CERTIFIED"):
        house.profiles[name].credential = None
    came = house.ask("BOUND", host="10.1.2.3", method=method, username=None)
    came += house.ask("CERTIFIED", certificate=["client.one"], method=method, username=None)
    assert [outcome.fault for outcome in came] == [None, None]
    assert house.checks == []
    (outcome,) = house.ask("BOUND", method=method, username=None)
    assert outcome == Outcome("its address is not in the session's allow-list")
    (outcome,) = house.ask("CERTIFIED", method=method, username=None)
    assert outcome == Outcome("no client certificate for 'client.one'")
    assert house.checks == ([] if method is None else ["decoy"] * 2)


def test_who_comes_from_the_right_address_with_the_right_certificate_gets_in(
    house: Gatehouse,
) -> None:
    with_special_sessions(house, Method.PASSWORD)
    for host in ("10.1.2.3", "::ffff:10.1.2.3"):
        assert house.enter("BOUND", host=host) == "in"
    names = ("client.one", "sha256:00")
    assert house.ask("CERTIFIED", certificate=names) == [Outcome(memory=b"kept", host=HOME)]
    for host in ("11.1.2.3", "::1", "a/unix/socket", "?"):
        assert house.enter("BOUND", host=host) != "in"


# --- what guessing costs ------------------------------------------------------------------


def test_guessing_has_to_wait_longer_each_time(house: Gatehouse) -> None:
    assert house.guess(3, AWAY) == ["it is wrong"] * 3
    assert house.enter(host=AWAY) == "too many failures, next try in 1.0 s"
    house.now += SECOND
    assert house.enter("PASSWORD1", "wrong", AWAY) == "it is wrong"
    assert house.enter(host=AWAY) == "too many failures, next try in 2.0 s"


def test_a_wait_neither_checks_nor_counts(house: Gatehouse) -> None:
    house.guess(3, AWAY)
    checks = len(house.checks)
    for given in ("wrong", "right"):
        for _ in range(50):
            assert house.enter("PASSWORD1", given, AWAY) == "too many failures, next try in 1.0 s"
    assert (len(house.checks), house.slow) == (checks, checks)
    house.now += SECOND
    assert house.enter(host=AWAY) == "in"


def test_an_address_waits_whatever_name_it_tries(house: Gatehouse) -> None:
    for name in ("NOBODY", "PASSWORD1", "SIGNATURE2"):
        assert not waits(house.enter(name, "wrong", AWAY))
    for name in ("PASSWORD2", "ANYBODY", "PASSWORD1"):
        assert waits(house.enter(name, host=AWAY))
    assert house.enter("PASSWORD2", host=ELSEWHERE) == "in"


def test_a_session_waits_wherever_it_is_tried_from(house: Gatehouse) -> None:
    for number in range(3):
        assert not waits(house.enter("PASSWORD1", "wrong", f"198.51.100.{number}"))
    assert waits(house.enter("PASSWORD1", host="198.51.100.99"))
    assert house.enter("PASSWORD2", host="198.51.100.99") == "in"


def test_names_that_are_nobodys_are_not_remembered(house: Gatehouse) -> None:
    for number in range(50):
        house.enter(f"NOBODY{number}", "wrong", AWAY)
    assert len(house.authority._by_session) == 0, "they have a table of their own"
    assert len(house.authority._by_address) == 1


@pytest.mark.parametrize(
    ("first", "second", "is_one"),
    [
        ("2001:db8:0:1::1", "2001:db8:0:1:ffff::2", True),
        ("2001:db8:0:1::1", "2001:db8:0:2::1", False),
        ("2001:db8:0:1::1%eth0", "2001:db8:0:1::2", True),
        ("fe80::1%eth0", "fe80::2%eth1", True),
        ("192.0.2.1", "192.0.2.2", False),
        ("::ffff:192.0.2.1", "::ffff:192.0.2.2", False),
        ("::ffff:192.0.2.1", "::ffff:192.0.2.1", True),
        ("/a/socket", "/another/socket", False),
    ],
)
def test_an_ipv6_customer_is_counted_as_one(
    house: Gatehouse, first: str, second: str, is_one: bool
) -> None:
    for _ in range(3):
        house.enter("NOBODY", "wrong", first)
    assert waits(house.enter(host=second)) is is_one


def test_a_client_is_not_locked_out_by_guessing_from_elsewhere(house: Gatehouse) -> None:
    assert house.enter(host=HOME) == "in"
    house.guess(3, AWAY)
    assert waits(house.guess(1, ELSEWHERE)[0]), "the name is guarded"
    for _ in range(5):
        assert house.enter(host=HOME) == "in"
    assert waits(house.guess(1, ELSEWHERE)[0]), "its own logging on has not helped the guesser"


def test_a_client_is_not_locked_out_by_a_neighbour_at_its_own_address(house: Gatehouse) -> None:
    """Several clients come from one address when they share a proxy."""
    assert house.enter(host=HOME) == "in"
    for _ in range(3):
        house.enter("NOBODY", "wrong", HOME)
    assert waits(house.enter("PASSWORD2", host=HOME)), "the address is guarded"
    assert house.enter(host=HOME) == "in"
    assert waits(house.enter("PASSWORD2", host=HOME)), "and remains so"


def test_guessing_from_the_clients_own_address_is_counted_for_it_alone(house: Gatehouse) -> None:
    assert house.enter(host=HOME) == "in"
    house.guess(3, HOME)
    assert waits(house.enter(host=HOME))
    assert house.enter("PASSWORD2", host=HOME) == "in", "nobody else at the address waits"
    assert house.enter(host=AWAY) == "in", "nor does the client when it moves"


def test_the_last_address_is_where_it_logged_on_last(house: Gatehouse) -> None:
    assert house.enter(host=HOME) == "in"
    assert house.enter(host=AWAY) == "in"
    house.guess(3, ELSEWHERE)
    assert waits(house.enter(host=HOME)), "it has moved"
    assert house.enter(host=AWAY) == "in"


def test_a_failure_does_not_make_an_address_the_last(house: Gatehouse) -> None:
    house.guess(1, AWAY)
    house.guess(2, ELSEWHERE)
    assert waits(house.enter(host=AWAY))


def test_success_forgets_the_failures_of_a_newcomer(house: Gatehouse) -> None:
    assert house.guess(2, HOME) == ["it is wrong"] * 2
    assert house.enter(host=HOME) == "in"
    assert house.enter("PASSWORD2", "wrong", HOME) == "it is wrong"
    assert house.enter("PASSWORD2", "right", HOME) == "in"


def test_the_limits_are_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    house = Gatehouse(monkeypatch, free_failures=1, longest_wait_s=2, refusal_delay_s=0.7)
    assert house.authority.refusal_delay_s == 0.7
    for expected in ("1.0", "2.0", "2.0"):
        while not waits(answer := house.enter("PASSWORD1", "wrong", AWAY)):
            pass
        assert answer.endswith(f"next try in {expected} s")
        house.now += int(float(expected) * SECOND)


def test_guesses_that_arrive_together_are_judged_one_after_the_other(house: Gatehouse) -> None:
    house.is_busy = True
    guesses = [(name, host) for name in ("PASSWORD1", "PASSWORD2") for host in (AWAY, ELSEWHERE)]
    came = [house.ask(name, "wrong", host) for name, host in guesses for _ in range(2)]
    assert house.slow == 1
    while house.held:
        work, answer = house.held.pop()
        answer(work())
    faults = [outcome.fault or "in" for (outcome,) in came]
    assert faults.count("another Logon of it waits to be checked already") == 3
    assert len(house.checks) == 5 - sum(map(waits, faults))
    assert waits(house.enter("PASSWORD1", host=ELSEWHERE)), "and all of them count"


def test_who_was_here_before_does_not_wait_behind_guessers(house: Gatehouse) -> None:
    assert house.enter("PASSWORD2") == "in"
    house.is_busy = True
    for number in range(10):
        house.ask("PASSWORD1", "wrong", f"198.51.100.{number}")
    regular = house.ask("PASSWORD2")
    for _ in range(3):  # the one that is being checked, and one of each kind
        work, answer = house.held.pop()
        answer(work())
    assert [outcome.fault for outcome in regular] == [None]


def test_who_has_gone_meanwhile_is_not_checked(house: Gatehouse) -> None:
    house.is_busy = True
    house.ask(host=AWAY)
    logon = decode(fix("35=A|34=1|49=PASSWORD1|56=SEAMARK|553=password1|554=right|"))
    house.authority.judge(logon, Caller(HOME, is_gone=lambda: True), lambda outcome: None)
    work, answer = house.held.pop()
    answer(work())
    assert (house.held, house.slow) == ([], 1)


def test_addresses_in_the_settings_are_a_clients_own_from_the_start(house: Gatehouse) -> None:
    house.profiles[b"PASSWORD1"].networks = (ip_network("192.0.2.0/24"),)
    assert waits(house.guess(4, ELSEWHERE)[-1])
    assert house.enter() == "in"


def test_a_name_that_is_nobodys_is_slowed_down_like_a_session(house: Gatehouse) -> None:
    """Or the back-off itself would tell which sessions there are."""
    for name in ("PASSWORD1", "NOBODY"):
        tries = [house.enter(name, "wrong", f"198.51.{len(name)}.{host}") for host in range(6)]
        assert [waits(fault) for fault in tries] == [False] * 3 + [True] * 3


def test_a_whole_allow_list_has_no_more_guesses_than_one_address(house: Gatehouse) -> None:
    house.profiles[b"PASSWORD1"].networks = (ip_network("192.0.2.0/24"),)
    tries = [house.enter("PASSWORD1", "wrong", f"192.0.2.{host}") for host in range(6)]
    assert [waits(fault) for fault in tries] == [False] * 3 + [True] * 3


def test_who_logs_on_in_vain_again_and_again_has_to_wait(house: Gatehouse) -> None:
    assert house.enter() == "in"
    logon = decode(fix("35=A|34=1|49=PASSWORD1|56=SEAMARK|"))
    for _ in range(3):
        house.authority.regret(logon, Caller(HOME))
    assert waits(house.enter())
