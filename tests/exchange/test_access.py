"""From settings to who may do what; and secrets that are never shown, on the real thing."""

from __future__ import annotations

import dataclasses
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from config.settings import Settings, load
from exchange.access import (
    UnsafeError,
    check_access,
    make_access_rules,
    make_admission,
    make_limits,
    make_tls_files,
)
from exchange.rights import withheld_types
from sessions.authority import AccessRules
from sessions.credentials import Method
from sessions.journal import segment_path
from sessions.throttle import RateLimit
from tests.support import proofs
from tests.support.messages import fix
from tests.support.secured import (
    KEY_LINE,
    SESSIONS,
    SecuredClient,
    close_clients,
    secured_settings,
    secured_venue,
    utc,
)
from tests.support.tcp import VenueProcess

OPTIONS = f"""
[[accounts.sessions]]
comp_id = "SPECIAL"
username = "someone"
rights = ["market-data", "drop-copy"]
{KEY_LINE}
addresses = ["127.0.0.0/8"]
cancel_on_disconnect = true
reset_on_logon = true
is_test = true
next_expected_msg_seq_num = true
last_msg_seq_num_processed = true
max_messages_per_s = 7
max_messages_at_once = 3
"""
CAREFUL = f"""
[[accounts.sessions]]
comp_id = "CAREFUL"
{KEY_LINE}
cancel_on_disconnect = true
last_msg_seq_num_processed = true
[[accounts.sessions]]
comp_id = "WATCHER"
rights = ["market-data"]
{KEY_LINE}
[[accounts.sessions]]
comp_id = "HASTY"
max_messages_per_s = 1
max_messages_at_once = 1
{KEY_LINE}
[[accounts.sessions]]
comp_id = "FORGETFUL"
reset_on_logon = true
{KEY_LINE}
"""


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return load(secured_settings(tmp_path, OPTIONS))


@pytest.fixture(autouse=True)
def _no_client_stays() -> Iterator[None]:
    yield
    close_clients()


# --- settings -----------------------------------------------------------------------------


def test_each_session_has_a_profile_with_its_credential(settings: Settings) -> None:
    profiles = make_admission(settings).profiles
    assert profiles is not None
    assert list(profiles) == [b"PASSWORD", b"SIGNATURE", b"HMAC", b"SPECIAL"]
    for method in Method:
        profile = profiles[method.name.encode()]
        assert profile.credential is not None
        assert profile.credential.method is method
        assert (profile.account, profile.username) == ("acme", method.name.encode())
        assert profile.settings.target_comp_id == method.name.encode()
        assert (profile.certificate, profile.networks) == ("", ())


def test_options_of_a_session_are_its_own_and_the_others_keep_those_of_all(
    settings: Settings,
) -> None:
    admission = make_admission(settings)
    assert admission.profiles is not None
    special, plain = admission.profiles[b"SPECIAL"], admission.profiles[b"PASSWORD"]
    names = ("reset_on_logon", "is_test", "uses_next_expected", "adds_last_processed")
    for name in names:
        assert (getattr(special.settings, name), getattr(plain.settings, name)) == (True, False)
    others = {name: getattr(plain.settings, name) for name in names} | {"target_comp_id": b""}
    assert dataclasses.replace(special.settings, **others) == admission.settings
    assert (special.rate_limit, plain.rate_limit) == (RateLimit(7, 3), RateLimit(0, 100))
    assert (special.cancel_on_disconnect, plain.cancel_on_disconnect) == (True, None)
    assert special.username == b"someone"
    assert [str(network) for network in special.networks] == ["127.0.0.0/8"]
    assert special.withheld == withheld_types(["market-data", "drop-copy"])


def test_an_option_may_be_turned_off_for_a_session_where_all_have_it(tmp_path: Path) -> None:
    more = OPTIONS.replace("= true", "= false")
    names = ("reset_on_logon", "is_test", "next_expected_msg_seq_num", "last_msg_seq_num_processed")
    common = "[session]\n" + "".join(f"{name} = true\n" for name in names)
    profiles = make_admission(load(secured_settings(tmp_path, more + common))).profiles
    assert profiles is not None
    assert profiles[b"PASSWORD"].settings.is_test is True
    for name in ("reset_on_logon", "is_test", "uses_next_expected", "adds_last_processed"):
        assert getattr(profiles[b"SPECIAL"].settings, name) is False
    assert profiles[b"SPECIAL"].cancel_on_disconnect is False


def test_the_open_demo_asks_nobody(tmp_path: Path) -> None:
    assert make_admission(Settings()).profiles is None
    assert make_access_rules(Settings()) is None
    assert make_tls_files(Settings()) is None


def test_limits_and_rules_are_those_of_the_settings(tmp_path: Path) -> None:
    file = tmp_path / "venue.toml"
    file.write_text(
        "[access]\npolicy = 'accounts'\naddresses = ['10.0.0.0/8']\nproof_window_s = 2\n"
        "refusal_delay_s = 1.5\nfree_failures = 7\nlongest_wait_s = 9\nchecks_at_once = 2\n"
        "[tls]\ncertificate = 'c'\nkey = 'k'\nmin_version = '1.2'\nclient_ca = 'a'\n"
        "client_certificates = 'optional'\n[listen]\nkeepalive_s = 5\n"
        f"[[accounts]]\nname = 'a'\n[[accounts.sessions]]\ncomp_id = 'C'\n{KEY_LINE}\n"
    )
    settings = load(file)
    assert make_access_rules(settings) == AccessRules(7, 9, 2, 1.5, 2)
    limits = make_limits(settings)
    assert ([str(network) for network in limits.networks], limits.keepalive_s) == (
        ["10.0.0.0/8"],
        5,
    )
    files = make_tls_files(settings)
    assert files is not None
    assert [str(path) for path in (files.certificate, files.key, files.client_ca)] == list("cka")
    assert (files.min_version, files.client_certificates) == ("1.2", "optional")


def test_only_what_a_right_is_needed_for_is_withheld() -> None:
    assert withheld_types(["orders", "market-data", "drop-copy"]) == {}
    without = withheld_types(["market-data"])
    assert without[b"D"] == without[b"G"] == "orders"
    assert {b"F", b"H", b"q"}.isdisjoint(without), "whoever has orders may cancel them"
    assert without[b"AD"] == "drop-copy"
    assert b"V" not in without
    assert {b"x", b"B", b"e", b"g"}.isdisjoint(withheld_types([]))


TLS = "[tls]\ncertificate = 'c'\nkey = 'k'\n"


def with_host(tmp_path: Path, only: str, listen: str = "", more: str = "") -> Settings:
    """Settings that listen to the world, with a session of one kind."""
    file = secured_settings(tmp_path)
    head, *sessions = file.read_text().split("[[accounts.sessions]]\n")
    (kept,) = (one for one in sessions if f'"{only}"' in one)
    text = head.replace("[[accounts]]", f"{more}[[accounts]]")
    file.write_text(f"{text}[[accounts.sessions]]\n{kept}\n[listen]\nhost = '0.0.0.0'\n{listen}")
    return load(file)


def test_the_open_demo_is_for_loopback_alone() -> None:
    for host in ("127.0.0.1", "127.9.9.9", "localhost", "::1"):
        check_access(load(None, {"listen": {"host": host}}))
    for host in ("0.0.0.0", "::", "192.0.2.1", ""):
        with pytest.raises(UnsafeError, match=r"access.policy open-demo.*docs/logon.md"):
            check_access(load(None, {"listen": {"host": host}}))


def test_passwords_may_not_come_in_the_clear_from_other_machines(tmp_path: Path) -> None:
    with pytest.raises(UnsafeError, match=r"listen.plain = false.*access.plain_secrets = true"):
        check_access(with_host(tmp_path, "PASSWORD"))
    with pytest.raises(UnsafeError, match="in the clear"):
        check_access(with_host(tmp_path, "PASSWORD", more=TLS))
    check_access(with_host(tmp_path, "PASSWORD", "plain = false\n", TLS))
    check_access(with_host(tmp_path, "PASSWORD", more="plain_secrets = true\n"))


@pytest.mark.parametrize("method", ["SIGNATURE", "HMAC"])
def test_proofs_may_come_in_the_clear_from_anywhere(tmp_path: Path, method: str) -> None:
    check_access(with_host(tmp_path, method))


# --- a venue that runs --------------------------------------------------------------------


@pytest.fixture(scope="module")
def venue(tmp_path_factory: pytest.TempPathFactory) -> Iterator[VenueProcess]:
    """One for all tests that only need one to be there."""
    directory = tmp_path_factory.mktemp("venue")
    file = secured_settings(directory, CAREFUL)
    with secured_venue(directory / "data", file) as running:
        yield running


def test_the_banner_says_who_may_log_on(venue: VenueProcess) -> None:
    (line,) = (line for line in venue.banner if line.startswith("  Log on"))
    assert "TargetCompID SEAMARK" in line
    assert "any SenderCompID" not in line
    assert "docs/logon.md" in venue.banner[-1]


def test_who_lacks_the_right_is_told_so_and_the_session_goes_on(venue: VenueProcess) -> None:
    client = SecuredClient(venue.port, "WATCHER")
    assert client.enter()[35] == "A"
    for number in (1, 2):
        refused = client.order(f"order{number}")
        assert refused[35] == "j"
        assert (refused[380], refused[372], refused[379]) == ("6", "D", f"order{number}")
        assert refused[45] == str(client.seq - 1)
        assert refused[58] == "The rights of WATCHER do not include orders"
    assert client.ask("1", _112="alive")[112] == "alive"
    client.close()


def test_who_has_the_right_and_no_other_may_order(venue: VenueProcess) -> None:
    client = SecuredClient(venue.port, "SIGNATURE")
    assert client.enter()[35] == "A"
    assert client.order("order")[150] == "0"
    cancel = {"_11": "cancel", "_41": "order", "_55": "BTC/USD", "_54": "1"}
    assert client.ask("F", _60=utc(10**18), **cancel)[150] == "4"
    client.close()


def test_options_of_sessions_are_seen_by_their_clients(venue: VenueProcess) -> None:
    careful = SecuredClient(venue.port, "CAREFUL")
    answer = careful.enter()
    assert answer[369] == "1"
    assert careful.order("gone with the connection")[369] == "2"
    careful.close()
    back = SecuredClient(venue.port, "CAREFUL", careful.seq)
    assert back.enter()[34] == "4", "the order was cancelled while it was away"
    assert back.ask("2", _7="3", _16="3")[150] == "4"
    hasty = SecuredClient(venue.port, "HASTY")
    answer = hasty.enter()
    assert 369 not in answer
    assert hasty.order("first")[35] == "8"
    assert hasty.order("second")[58].startswith("Too many messages: wait ")
    for _ in range(2):
        forgetful = SecuredClient(venue.port, "FORGETFUL")
        answer = forgetful.enter()
        assert answer[34] == "1"
        assert forgetful.ask("5")[35] == "5"
        assert forgetful.receive() == {}


def test_nobody_else_gets_in(venue: VenueProcess) -> None:
    for comp_id in ("NOBODY", "ACME1", "SEAMARK"):
        assert SecuredClient(venue.port, comp_id).enter() == {}
    assert SecuredClient(venue.port, "PASSWORD").enter(password="wrong") == {}


def test_used_proofs_and_a_changed_password_outlive_kill_9(tmp_path: Path) -> None:
    file, data = secured_settings(tmp_path), tmp_path / "data"
    used: dict[str, bytes] = {}
    with secured_venue(data, file) as venue:
        for name in SESSIONS:
            client = SecuredClient(venue.port, name)
            used[name] = client.logon(new="a longer new one" if name == "PASSWORD" else "")
            client.say(used[name])
            assert client.receive()[35] == "A"
    with secured_venue(data, file) as venue:
        for name in SESSIONS:
            thief = SecuredClient(venue.port, name)
            thief.say(used[name])
            assert thief.receive() == {}, name
            client = SecuredClient(venue.port, name, seq=2)
            answer = client.enter(password="a longer new one")
            assert (answer[35], answer[34]) == ("A", "2"), name


# --- secrets ------------------------------------------------------------------------------

DEBUG = (
    "import logging, exchange.venue_cli as venue_cli, sessions.telemetry as telemetry\n"
    "from exchange.__main__ import main\n"
    "venue_cli.configure_logging = lambda: telemetry.configure_logging(logging.DEBUG)\n"
    "main()\n"
)


class Secrets:
    """Texts that nobody may find anywhere; each is made up once."""

    def __init__(self) -> None:
        self.texts = [proofs.PASSWORD]

    def new(self, what: str) -> str:
        self.texts.append(f"{what}-{len(self.texts)}-Tr0ub4dor")
        return self.texts[-1]

    def proof_of(self, logon: bytes) -> bytes:
        """A Logon, once what proves it is noted."""
        for field in logon.split(b"\x01"):
            if field.startswith((b"96=", b"554=", b"925=")):
                self.texts.append(field.partition(b"=")[2].decode())
        return logon


def guess(port: int, name: str, secrets: Secrets) -> None:
    """Log on wrongly: whole Logons, and such that are damaged."""
    secret, astray = secrets.new("wrong"), secrets.new("astray")
    head = f"35=A|34=1|49={name}|52={utc(10**18)}|56="
    logons = [
        fix(f"{head}SEAMARK|98=0|108=30|553={name}|554={secret}|"),
        fix(f"{head}SEAMARK|98=0|108=30|95={len(secret)}|96={secret}|"),
        fix(f"{head}ELSEWHERE|98=0|108=30|553={name}|554={astray}|"),
        fix(f"{head}SEAMARK|98=0|108=30|95={len(secret) - 3}|96={secret}|"),
    ]
    whole = secrets.proof_of(SecuredClient(port, name).logon(secrets.new("garbled")))
    damaged = [
        whole[:-4] + b"999\x01",
        whole.replace(b"\x0135=A", b"\x0136=A"),
        whole.replace(b"98=0", b"98"),
        whole.replace(b"98=0", b"x8=0"),
        whole.replace(b"\x019=", b"\x019=9999999"),
        whole[30:],
    ]
    assert whole not in damaged
    for data in logons:
        caller = SecuredClient(port, name)
        caller.say(data)
        assert caller.receive() == {}
    for data in damaged:
        caller = SecuredClient(port, name)
        caller.say(data)
        caller.end_of_input()
        assert caller.receive() == {}


def talk(port: int, name: str, secrets: Secrets) -> None:
    """Log on rightly, and put secrets where they do not belong."""
    client = SecuredClient(port, name)
    changed = secrets.new("changed") if name == "PASSWORD" else ""
    client.say(secrets.proof_of(client.logon(new=changed)))
    assert client.receive()[35] == "A"
    old, new, raw = secrets.new("old"), secrets.new("new"), secrets.new("raw data")
    for msg_type, fields in (
        ("BE", {"_923": "r", "_924": "3", "_553": name, "_554": old, "_925": new}),
        ("BE", {"_95": str(len(raw)), "_96": raw}),
        ("B", {"_148": "h", "_33": "1", "_58": "x", "_95": str(len(raw)), "_96": raw}),
        ("B", {"_148": "h", "_554": old}),
        ("D", {"_11": "a", "_554": old}),
    ):
        answer = client.ask(msg_type, **fields)
        assert answer[35] in "3j"
        assert not any(secret in str(answer) for secret in (old, new, raw))
    second = SecuredClient(port, name)
    second.say(secrets.proof_of(second.logon(changed or proofs.PASSWORD)))
    assert second.receive() == {}, "it is logged on already"
    client.say(secrets.proof_of(client.logon(secrets.new("in the session")))[:-2] + b"x\x01")
    client.say(b"8=FIX.4.4\x019=5\x01554=" + secrets.new("stray").encode() + b"\x0110=000\x01")
    client.seq -= 1  # what is garbled is not counted
    client.say(client.logon(secrets.new("again")))
    answer = client.ask("1", _112="all of it is read")
    while 112 not in answer:
        answer = client.receive()


def test_secrets_are_in_no_log_on_no_console_and_not_in_the_journal(tmp_path: Path) -> None:
    file, data, secrets = secured_settings(tmp_path), tmp_path / "data", Secrets()
    with secured_venue(data, file, DEBUG) as venue:
        for name in SESSIONS:
            guess(venue.port, name, secrets)
            talk(venue.port, name, secrets)
        close_clients()
        out, err = venue.finish(signal.SIGINT)
    assert '"level": "debug"' in err
    assert '"reason": "Password (554) is wrong"' in err
    journal = segment_path(data, 1).read_bytes()
    assert b"proof " in journal
    assert b"$argon2id$" in journal, "the hash of the changed password, and nothing else of it"
    for text in [out, err, *venue.banner, journal.decode("latin-1")]:
        for secret in secrets.texts:
            assert secret not in text


def test_settings_do_not_show_secrets(settings: Settings) -> None:
    shown: list[Any] = [settings, settings.model_dump(), settings.model_dump_json()]
    for one in (settings.accounts[0].sessions[0], settings.accounts[0].sessions[2]):
        secret = one.password_hash or one.hmac_secret
        assert secret is not None
        for text in map(str, shown):
            assert secret.get_secret_value() not in text
