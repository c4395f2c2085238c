"""`seamark keys`: what it makes is what the venue takes, and nobody else can read it."""

from __future__ import annotations

import base64
import re
import stat
from pathlib import Path

import pytest
from argon2 import PasswordHasher
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from typer.testing import CliRunner, Result

from config.settings import Settings, load
from exchange.__main__ import app
from tests.support.certificates import CertificateAuthority

NAMES = {"password": "ACME1.password", "signature": "ACME1.private.pem", "hmac": "ACME1.hmac"}
METHODS = pytest.mark.parametrize("method", NAMES)


@pytest.fixture(autouse=True)
def _at_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Relative paths are those of a directory of our own."""
    for name in ("COLUMNS", "LINES"):
        monkeypatch.setenv(name, "200")
    monkeypatch.chdir(tmp_path)


def keys(*arguments: str, said: str | None = None) -> Result:
    return CliRunner().invoke(app, ["keys", *arguments], input=said)


def made(*arguments: str) -> str:
    """What is printed by `keys make`, which must succeed."""
    done = keys("make", *arguments)
    assert (done.exit_code, done.stderr) == (0, "")
    return done.stdout


def refusal(*arguments: str, said: str | None = None) -> str:
    """The one line that a command ends with, which must fail."""
    done = keys(*arguments, said=said)
    assert (done.exit_code, done.stdout) == (1, "")
    (line,) = done.stderr.splitlines()
    assert line.startswith("seamark: ")
    return line.removeprefix("seamark: ")


def settings_with(printed: str) -> Settings:
    """Settings with the lines that were printed for them, and nothing else."""
    lines = re.search(r"inside an \[\[accounts\]\] entry:\n\n((?:  .+\n)+)", printed)
    assert lines, printed
    file = Path("venue.toml")
    file.write_text(f'[access]\npolicy = "accounts"\n[[accounts]]\nname = "acme"\n{lines[1]}')
    return load(file)


# --- make ---------------------------------------------------------------------------------


@METHODS
def test_only_the_owner_can_read_what_is_made(method: str) -> None:
    printed = made("ACME1", "--method", method)
    path = Path("keys") / NAMES[method]
    assert f"Written   {path}\n" in printed
    assert [one.name for one in Path("keys").iterdir()] == [NAMES[method]]
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


def test_a_signature_is_what_is_made_unless_told_otherwise() -> None:
    made("ACME1")
    assert (Path("keys") / NAMES["signature"]).exists()


@METHODS
def test_what_is_there_is_replaced_only_by_force(method: str) -> None:
    made("ACME1", "--method", method)
    path = Path("keys") / NAMES[method]
    before = path.read_bytes()
    line = refusal("make", "ACME1", "--method", method)
    assert line == f"{path} is there already; --force replaces it"
    assert path.read_bytes() == before
    path.chmod(0o644)
    made("ACME1", "--method", method, "--force")
    assert path.read_bytes() != before
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_link_is_not_followed() -> None:
    Path("keys").mkdir()
    target = Path("elsewhere")
    (Path("keys") / NAMES["hmac"]).symlink_to(target.absolute())
    assert "is there already" in refusal("make", "ACME1", "--method", "hmac")
    assert not target.exists()


@METHODS
def test_the_lines_that_are_printed_load_as_settings(method: str) -> None:
    printed = made("ACME1", "--method", method)
    ((session,),) = (account.sessions for account in settings_with(printed).accounts)
    assert (session.comp_id, session.rights) == ("ACME1", ("orders",))


def test_the_password_that_is_shown_once_is_the_one_that_was_hashed() -> None:
    printed = made("ACME1", "--method", "password")
    username, password = (line.strip() for line in printed.splitlines()[-2:])
    assert username == "ACME1"
    assert len(password) == 24
    hashed = settings_with(printed).accounts[0].sessions[0].password_hash
    assert hashed is not None
    assert PasswordHasher().verify(hashed.get_secret_value(), password)
    assert password not in (Path("keys") / NAMES["password"]).read_text()


def test_the_public_key_that_is_printed_is_that_of_the_private_one() -> None:
    printed = made("ACME1")
    private = serialization.load_pem_private_key(
        (Path("keys") / NAMES["signature"]).read_bytes(), None
    )
    assert isinstance(private, Ed25519PrivateKey)
    public = base64.b64encode(private.public_key().public_bytes_raw()).decode()
    assert settings_with(printed).accounts[0].sessions[0].public_keys == (public,)
    assert base64.b64encode(private.private_bytes_raw()).decode() not in printed


def test_an_hmac_secret_has_64_bytes_and_is_not_shown() -> None:
    printed = made("ACME1", "--method", "hmac")
    text = (Path("keys") / NAMES["hmac"]).read_text().strip()
    assert len(base64.b64decode(text, validate=True)) == 64
    assert text not in printed
    secret = settings_with(printed).accounts[0].sessions[0].hmac_secret
    assert secret is not None
    assert secret.get_secret_value() == text


@METHODS
def test_nothing_is_made_twice_alike(method: str) -> None:
    contents = set()
    for number in (1, 2):
        made("ACME1", "--method", method, "--directory", f"keys{number}")
        contents.add((Path(f"keys{number}") / NAMES[method]).read_bytes())
    assert len(contents) == 2


def test_a_directory_is_made_where_it_is_told() -> None:
    printed = made("ACME1", "--method", "hmac", "--directory", "a/b/c")
    assert (Path("a/b/c") / NAMES["hmac"]).exists()
    assert settings_with(printed)


@pytest.mark.parametrize(
    "name", ["", " ", "A B", "A=B", "../A", "a/b", ".hidden", 'a"b', "a\\b", "Ä", "x" * 65, "a\n"]
)
def test_a_name_that_no_session_can_have_is_refused(name: str) -> None:
    assert "will not do: 1 to 64 printable characters" in refusal("make", name)
    assert list(Path().iterdir()) == []


def test_an_unknown_method_is_refused() -> None:
    line = refusal("make", "ACME1", "--method", "rsa")
    assert line == "--method rsa: choose one of password, signature, hmac"


def test_a_directory_that_cannot_be_made_is_told_in_one_line() -> None:
    Path("keys").write_text("a file")
    assert "keys" in refusal("make", "ACME1", "--method", "hmac")


# --- hash ---------------------------------------------------------------------------------


@pytest.mark.parametrize("ending", ["\n", "\r\n", ""])
def test_a_password_from_a_pipe_is_hashed(ending: str) -> None:
    password = " twelve bytes, blanks and all "
    done = keys("hash", said=password + ending)
    assert (done.exit_code, done.stderr) == (0, "")
    (line,) = done.stdout.splitlines()
    assert PasswordHasher().verify(line, password)
    assert password not in line


@pytest.mark.parametrize("password", ["", "\n", "short", "ünf" * 2, "p" * 257])
def test_a_password_that_the_venue_would_never_take_is_not_hashed(password: str) -> None:
    assert "password" in refusal("hash", said=password)


def test_eleven_letters_may_have_twelve_bytes() -> None:
    assert keys("hash", said="elevenletté").exit_code == 0


# --- list ---------------------------------------------------------------------------------


def test_list_shows_who_may_log_on_and_no_secret() -> None:
    sessions = []
    for method, name in zip(NAMES, ("PASS1", "SIGN1", "HMAC1"), strict=True):
        made(name, "--method", method)
        sessions.append(made(name, "--method", method, "--force").split("entry:\n\n")[1])
    lines = ["\n".join(part.split("\n\n")[0].splitlines()) for part in sessions]
    lines[1] += '\n  addresses = ["192.0.2.0/24"]\n'
    lines[2] += '\n  username = "somebody"\n'
    body = "\n".join(lines)
    Path("venue.toml").write_text(
        f'[access]\npolicy = "accounts"\n[[accounts]]\nname = "acme"\n{body}\n'
    )
    done = keys("list", "venue.toml")
    assert (done.exit_code, done.stderr) == (0, "")
    for what in ("PASS1", "password (argon2id m=19456,t=2,p=1)", "Ed25519 key ", "192.0.2.0/24"):
        assert what in done.stdout
    assert "HMAC-SHA512 with a nonce, Username somebody" in done.stdout
    for path in Path("keys").iterdir():
        content = path.read_text().strip()
        for part in {content, *content.splitlines(), *content.split("$")[4:]}:
            assert part.startswith("-----") or part not in done.stdout


def test_list_shows_sessions_that_have_no_credential() -> None:
    certificate = CertificateAuthority().issue("x")
    certificate.write(Path(), "venue")
    Path("venue.toml").write_text(
        "[tls]\ncertificate = 'venue.pem'\nkey = 'venue.key'\nclient_ca = 'venue.pem'\n"
        "client_certificates = 'optional'\n[access]\npolicy = 'accounts'\n"
        "[[accounts]]\nname = 'acme'\n"
        "[[accounts.sessions]]\ncomp_id = 'BYNAME'\nclient_certificate = 'client.one'\n"
        "[[accounts.sessions]]\ncomp_id = 'BYPLACE'\naddresses = ['192.0.2.0/24']\n"
    )
    done = keys("list", "venue.toml")
    assert done.exit_code == 0, done.output
    for what in ("BYNAME", "client.one", "BYPLACE", "192.0.2.0/24"):
        assert what in done.stdout
    assert "Ed25519" not in done.stdout, "nobody has a key"


def test_list_shows_whose_reports_a_session_gets() -> None:
    sessions = "[[accounts.sessions]]\ncomp_id = '{}'\naddresses = ['::1']\nrights = {}\n".format
    Path("venue.toml").write_text(
        "[access]\npolicy = 'accounts'\n[[accounts]]\nname = 'a'\n"
        + sessions("OWN", "['orders', 'drop-copy']")
        + sessions("ALL", "['drop-copy']\ncopies = ['*']")
    )
    done = keys("list", "venue.toml")
    shown = " ".join(done.stdout.split())
    assert "orders, drop-copy of a" in shown, done.output
    assert "drop-copy of *" in shown


def test_list_says_so_when_there_are_no_accounts() -> None:
    Path("venue.toml").write_text("")
    done = keys("list", "venue.toml")
    assert done.stdout == "venue.toml has no accounts: access.policy is open-demo\n"


def test_list_tells_errors_of_the_settings() -> None:
    Path("venue.toml").write_text("[access]\npolicy = 'accounts'\n")
    assert refusal("list", "venue.toml").startswith("venue.toml: access.policy ")


def test_it_is_a_command_of_seamark() -> None:
    done = CliRunner().invoke(app, ["keys", "--help"])
    assert done.exit_code == 0
    for name in ("make", "hash", "list"):
        assert re.search(rf"\b{name}\b", done.stdout)
