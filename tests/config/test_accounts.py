"""Accounts in the settings: errors by their path, secrets by reference and never shown."""

from __future__ import annotations

import base64
import itertools
import os
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from config.accounts import Session
from config.settings import ConfigError, load
from tests.support import proofs

KEY = base64.b64encode(proofs.PUBLIC_KEY).decode()
HASH = "$argon2id$v=19$m=19456,t=2,p=1$c2FsdHNhbHRzYWx0$aGFzaGhhc2hoYXNoaGFzaA"
HMAC = base64.b64encode(bytes(range(64))).decode()
SECRET = "Tr0ub4dor-and-3-more"  # which no error may show
ACCESS = "[access]\npolicy = 'accounts'\n"


@pytest.fixture(autouse=True)
def _no_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.upper().startswith("SEAMARK_")]:
        monkeypatch.delenv(name)


def session(more: str = f"public_keys = ['{KEY}']", comp_id: str = "ACME1") -> str:
    return f"[[accounts.sessions]]\ncomp_id = '{comp_id}'\n{more}\n"


def account(*sessions: str, name: str = "acme") -> str:
    return f"[[accounts]]\nname = '{name}'\n" + "".join(sessions or (session(),))


def loaded(tmp_path: Path, more: str) -> Session:
    """The one session of an account, with these options."""
    file = tmp_path / "venue.toml"
    file.write_text(ACCESS + account(session(more)))
    ((found,),) = (one.sessions for one in load(file).accounts)
    return found


def errors(tmp_path: Path, text: str) -> list[str]:
    """The lines that settings with this text are refused with; none of them shows the secret."""
    file = tmp_path / "venue.toml"
    file.write_text(text)
    with pytest.raises(ConfigError) as error:
        load(file)
    assert SECRET not in str(error.value)
    assert SECRET not in repr(error.value)
    return [line.removeprefix(f"{file}: ") for line in str(error.value).split("\n")]


def write(tmp_path: Path, content: str | bytes, name: str = "secret") -> Path:
    path = tmp_path / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


# --- what will do -------------------------------------------------------------------------


def test_a_session_with_nothing_but_a_key_may_send_orders_from_anywhere(tmp_path: Path) -> None:
    found = loaded(tmp_path, f"public_keys = ['{KEY}']")
    assert (found.comp_id, found.rights, found.public_keys) == ("ACME1", ("orders",), (KEY,))
    given = {"comp_id", "rights", "public_keys"}
    rest = {name: value for name, value in found.model_dump().items() if name not in given}
    assert set(map(repr, rest.values())) == {"None", "''", "()"}


@pytest.mark.parametrize(
    ("name", "value"), [("password_hash", HASH), ("hmac_secret", HMAC)], ids=["password", "hmac"]
)
def test_secrets_come_from_files_and_from_the_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    path = write(tmp_path, f"\n  {value}\r\n")
    monkeypatch.setenv("ACME_SECRET", f" {value}\n")
    for reference in (f"file:{path}", "env:ACME_SECRET"):
        found = loaded(tmp_path, f"{name} = '{reference}'")
        assert getattr(found, name).get_secret_value() == value
        assert value not in repr(found)
        assert value not in found.model_dump_json()


def pem(key: Ed25519PrivateKey | ec.EllipticCurvePrivateKey) -> bytes:
    return key.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )


def test_public_keys_are_base64_or_pem_files(tmp_path: Path) -> None:
    path = write(tmp_path, pem(proofs.SIGNING_KEY))
    other = base64.b64encode(bytes(32)).decode()
    found = loaded(tmp_path, f"public_keys = ['file:{path}', '{other}']")
    assert found.public_keys == (KEY, other)
    write(tmp_path, b"Some words before it\n" + pem(proofs.SIGNING_KEY).replace(b"\n", b"\r\n"))
    assert loaded(tmp_path, f"public_keys = ['file:{path}']").public_keys == (KEY,)


def test_a_session_may_be_known_by_its_address_or_certificate_alone(tmp_path: Path) -> None:
    assert loaded(tmp_path, "addresses = ['192.0.2.0/24', '::1']").public_keys == ()
    tls = "[tls]\ncertificate = 'c'\nkey = 'k'\nclient_ca = 'a'\nclient_certificates = 'optional'\n"
    bound = account(session("client_certificate = 'client.one'"))
    (file := tmp_path / "venue.toml").write_text(ACCESS + tls + bound)
    assert load(file).accounts[0].sessions[0].public_keys == ()
    (line,) = errors(tmp_path, ACCESS + bound)
    assert line.startswith("session ACME1 has a client_certificate; tls.client_certificates must")


# --- what will not ------------------------------------------------------------------------

NO_HASH = "password_hash: holds no argon2id hash; make one with: seamark keys hash"
NO_SECRET = "hmac_secret: holds no base64 of 32 bytes or more"
NO_REFERENCE = "must be file:PATH or env:NAME; secrets are not written into settings"
NO_KEY = "is no base64 of a 32-byte Ed25519 public key, and no file:PATH of a PEM"
PRIVATE_PEM = proofs.SIGNING_KEY.private_bytes(
    serialization.Encoding.PEM,
    serialization.PrivateFormat.PKCS8,
    serialization.NoEncryption(),
)
CURVE_PEM = pem(ec.generate_private_key(ec.SECP256R1()))


@pytest.mark.parametrize(
    ("options", "content", "expected"),
    [
        ("password_hash = 'file:{path}'", SECRET, NO_HASH),
        ("password_hash = 'file:{path}'", HASH.replace("argon2id", "argon2i"), NO_HASH),
        ("password_hash = 'file:{path}'", HASH + " " + SECRET, NO_HASH),
        ("password_hash = 'file:{path}'", " \n", "password_hash: file:{path} is empty"),
        ("password_hash = 'file:{path}'", b"\xff" + SECRET.encode(), "password_hash: .* not text"),
        ("password_hash = 'file:{path}x'", "", "password_hash: file {path}x: No such file"),
        ("password_hash = 'file:{parent}'", "", "password_hash: file {parent}: Is a directory"),
        ("password_hash = 'env:NOT_SET'", "", "password_hash: .* NOT_SET is not set"),
        ("password_hash = 'env:'", "", f"password_hash: {NO_REFERENCE}"),
        (f"password_hash = '{SECRET}'", "", f"password_hash: {NO_REFERENCE}"),
        (f"password_hash = 'plain:{SECRET}'", "", f"password_hash: {NO_REFERENCE}"),
        (f"password_hash = ['{SECRET}']", "", f"password_hash: {NO_REFERENCE}"),
        (f"password_hash = {{ value = '{SECRET}' }}", "", f"password_hash: {NO_REFERENCE}"),
        ("hmac_secret = 'file:{path}'", SECRET, NO_SECRET),
        ("hmac_secret = 'file:{path}'", base64.b64encode(bytes(31)), NO_SECRET),
        (f"hmac_secret = '{SECRET}'", "", f"hmac_secret: {NO_REFERENCE}"),
        (f"password = '{SECRET}'", "", "password: is not a setting"),
        (f"secret = '{SECRET}'\npublic_keys = ['{KEY}']", "", "secret: is not a setting"),
        ("public_keys = ['AAAA']", "", f"public_keys[0]: {NO_KEY}"),
        (f"public_keys = ['{KEY}', '{KEY[:-4]}']", "", f"public_keys[1]: {NO_KEY}"),
        ("public_keys = ['file:{path}x']", "", "public_keys[0]: file {path}x: No such file"),
        ("public_keys = ['file:{path}']", b"\xff\xfe", "public_keys[0]: file {path} is no PEM"),
        ("public_keys = ['file:{path}']", "", "public_keys[0]: .* no Ed25519 public key in PEM"),
        ("public_keys = ['file:{path}']", PRIVATE_PEM, "public_keys[0]: .* no Ed25519 public key"),
        ("public_keys = ['file:{path}']", CURVE_PEM, "public_keys[0]: .* no Ed25519 public key"),
        ("addresses = ['192.0.2.1/24']", "", "addresses[0]: 192.0.2.1/24 has host bits set"),
        ("addresses = ['::', 'here']", "", "addresses[1]: 'here' does not appear to be"),
        ("rights = []", "", "rights: .*at least 1 item"),
        ("rights = ['orders', 'all']", "", "rights[1]: 'all' will not do: .*'market-data'"),
        ("copies = [1]", "", "copies[0]: 1 will not do: .*string"),
        ("cancel_on_disconnect = 'perhaps'", "", "cancel_on_disconnect: 'perhaps' will not do"),
        ("max_messages_per_s = -1", "", "max_messages_per_s: -1 will not do"),
        ("max_messages_at_once = 0", "", "max_messages_at_once: 0 will not do"),
    ],
    ids=itertools.count(),
)
def test_an_error_of_a_session_is_told_by_its_path_without_its_secret(
    tmp_path: Path, options: str, content: str | bytes, expected: str
) -> None:
    path = write(tmp_path, content)
    names = {"path": path, "parent": tmp_path}
    for name, value in names.items():
        options = options.replace(f"{{{name}}}", str(value))
        expected = expected.replace(f"{{{name}}}", str(value))
    found = errors(tmp_path, ACCESS + account(session(options)))
    literal = re.escape(f"accounts[0].sessions[0].{expected}").replace(r"\.\*", ".*")
    assert re.match(literal, found[0]), found


def test_a_comp_id_is_one_that_fix_can_carry(tmp_path: Path) -> None:
    for comp_id in ("", "A B", "A=B", "x" * 65, "Ä"):
        (line,) = errors(tmp_path, ACCESS + account(session(comp_id=comp_id)))
        assert line.startswith(f"accounts[0].sessions[0].comp_id: {comp_id!r} will not do"), line


def test_a_session_needs_exactly_one_credential_unless_something_else_tells_it(
    tmp_path: Path,
) -> None:
    path = write(tmp_path, HMAC)
    both = f"public_keys = ['{KEY}']\nhmac_secret = 'file:{path}'"
    for options in ("", "public_keys = []", both, f"{both}\naddresses = ['::1']"):
        (line,) = errors(tmp_path, ACCESS + account(session(options)))
        assert line.startswith("accounts[0].sessions[0]: session ACME1: needs exactly one of")
        assert "seamark keys make ACME1" in line


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        (
            "copies = ['acme']",
            "accounts[0].sessions[0]: session ACME1: copies needs the right drop-copy; put "
            '"drop-copy" into its rights, or leave copies out',
        ),
        (
            "rights = ['drop-copy']\ncopies = ['*', 'acme']",
            'accounts[0].sessions[0]: session ACME1: copies = ["*"] means every account; name '
            "nothing else",
        ),
        (
            "rights = ['drop-copy']\ncopies = ['acme', 'other']",
            "session ACME1: copies names other, and there is no such account; name accounts of "
            '[[accounts]], or every one with ["*"]',
        ),
    ],
)
def test_copies_need_the_right_and_accounts_that_there_are(
    tmp_path: Path, options: str, expected: str
) -> None:
    (line,) = errors(tmp_path, ACCESS + account(session(f"{options}\npublic_keys = ['{KEY}']")))
    assert line == expected


def test_errors_of_several_sessions_are_told_at_once(tmp_path: Path) -> None:
    bad = f"password_hash = '{SECRET}'"
    text = ACCESS + account(session(), session(bad, "B")) + account(session(bad, "C"), name="b c")
    assert [line.partition(": ")[0] for line in errors(tmp_path, text)] == [
        "accounts[0].sessions[1].password_hash",
        "accounts[1].name",
        "accounts[1].sessions[0].password_hash",
    ]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (account(), 'access.policy must be "accounts" when there are accounts'),
        (ACCESS, 'access.policy "accounts" needs [[accounts]]; nobody could log on'),
        (ACCESS + account() + account(), "account acme is there more than once"),
        (
            ACCESS + account() + account(name="other"),
            "session ACME1 is there more than once",
        ),
        (ACCESS + "[[accounts]]\nname = 'acme'\n", "accounts[0].sessions: is missing"),
        (
            ACCESS + "[[accounts]]\nname = 'acme'\nsessions = []\n",
            "accounts[0].sessions: Tuple should have at least 1 item",
        ),
        ("[listen]\nplain = false\n", "listen.plain is false and there is no tls.certificate"),
        ("[tls]\ncertificate = 'x'\n", "tls: certificate and key are needed both, or neither"),
        (
            "[tls]\nclient_certificates = 'required'\n",
            "tls: client_ca goes with client_certificates optional or required",
        ),
        ("[tls]\nmin_version = '1.1'\n", "tls.min_version: '1.1' will not do"),
        ("[access]\naddresses = ['10.0.0.0/33']\n", "access.addresses[0]: "),
    ],
)
def test_settings_that_do_not_fit_each_other_are_refused(
    tmp_path: Path, text: str, expected: str
) -> None:
    assert errors(tmp_path, text)[0].lower().startswith(expected.lower())


@pytest.mark.parametrize(
    "make", [lambda: f"[{{broken {SECRET}", lambda: f'[{{"name": "{SECRET}"}}]']
)
def test_accounts_in_the_environment_that_will_not_do_show_no_secret(
    monkeypatch: pytest.MonkeyPatch, make: Callable[[], str]
) -> None:
    monkeypatch.setenv("SEAMARK_ACCESS__POLICY", "accounts")
    monkeypatch.setenv("SEAMARK_ACCOUNTS", make())
    with pytest.raises(ConfigError) as error:
        load(None)
    assert SECRET not in str(error.value)


@pytest.mark.parametrize("wide", ["0.0.0.0/0", "10.0.0.0/8", "::/0", "2001:db8::/32"])
def test_a_wide_network_does_not_stand_for_a_credential(tmp_path: Path, wide: str) -> None:
    (line,) = errors(tmp_path, account(session(f"addresses = ['{wide}']")))
    assert line.endswith(f"session ACME1: {wide} is too wide to stand for a credential")
    loaded(tmp_path, f"addresses = ['{wide}']\npublic_keys = ['{KEY}']")


@pytest.mark.parametrize("dear", ["m=1048576,t=1,p=1", "m=1024,t=99,p=1", "m=1024,t=1,p=99"])
def test_a_hash_that_takes_long_to_check_is_refused(tmp_path: Path, dear: str) -> None:
    path = write(tmp_path, f"$argon2id$v=19${dear}$c2FsdHNhbHQ$aGFzaGhhc2g")
    (line,) = errors(tmp_path, account(session(f"password_hash = 'file:{path}'")))
    assert "takes too long to check; the limits are m=65536, t=4, p=4" in line
