"""docs/logon.md: its examples run, its output is real, its tables are complete."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from typer.testing import CliRunner

from config.accounts import Session
from exchange.__main__ import app
from exchange.rights import withheld_types
from tests.sessions.test_credentials import (
    HMAC_SECRET,
    HMAC_VECTOR,
    NONCE,
    RFC_8032_SECRET,
    SIGNATURE_VECTOR,
    VECTOR_FIELDS,
)
from tests.support import proofs
from tests.support.certificates import authority, venue_certificate
from tests.support.messages import ROOT
from tests.support.secured import secured_settings, secured_venue

PAGE = (ROOT / "docs" / "logon.md").read_text()


@pytest.fixture(scope="module")
def page() -> dict[str, Any]:
    """What the examples define."""
    names: dict[str, Any] = {}
    for block in re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL):
        exec(compile(block, "docs/logon.md", "exec"), names)
    return names


@pytest.fixture(scope="module")
def ports(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, int, int]]:
    """A venue: where its files are, its ports for plain TCP and TLS."""
    directory = tmp_path_factory.mktemp("venue")
    certificate, key = venue_certificate().write(directory, "venue")
    tls = f'[tls]\nport = 0\ncertificate = "{certificate}"\nkey = "{key}"\n'
    file = secured_settings(directory, tls)
    with secured_venue(directory / "data", file) as venue:
        (line,) = (line for line in venue.banner if line.startswith("  TLS"))
        found = re.search(r":(\d+), ", line)
        assert found
        yield directory, venue.port, int(found[1])


def logons(page: dict[str, Any], directory: Path, seq: int) -> list[dict[int, str]]:
    """One by each method."""
    pem = directory / "private.pem"
    pem.write_bytes(
        proofs.SIGNING_KEY.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    secret = (directory / "hmac").read_text()
    made = [
        page["password_logon"]("PASSWORD", proofs.PASSWORD, seq),
        page["signed_logon"]("SIGNATURE", pem, seq),
        page["hmac_logon"]("HMAC", secret, seq),
    ]
    return [dict(one) for one in made]


def test_the_examples_make_the_vectors(page: dict[str, Any]) -> None:
    fields = {35: "A", **VECTOR_FIELDS}
    key = Ed25519PrivateKey.from_private_bytes(bytes.fromhex(RFC_8032_SECRET))
    assert page["signature"](fields, key) == SIGNATURE_VECTOR
    fields |= {553: "ACME1", 5025: NONCE}
    assert page["hmac_password"](fields, HMAC_SECRET) == HMAC_VECTOR


def test_the_examples_log_on(page: dict[str, Any], ports: tuple[Path, int, int]) -> None:
    directory, port, _ = ports
    for fields in logons(page, directory, 1):
        with page["connect"]("127.0.0.1", port) as connection:
            assert b"\x0135=A\x01" in page["log_on"](connection, fields), fields[49]
            # It is good for this once.
            with page["connect"]("127.0.0.1", port) as again:
                assert page["log_on"](again, fields) == b""


def test_the_examples_log_on_by_tls(page: dict[str, Any], ports: tuple[Path, int, int]) -> None:
    directory, _, port = ports
    ca_file = directory / "ca.pem"
    ca_file.write_bytes(authority().pem)
    for fields in logons(page, directory, 2):
        with page["connect"]("127.0.0.1", port, ca_file) as connection:
            assert b"\x0135=A\x01" in page["log_on"](connection, fields), fields[49]


def test_every_option_of_a_session_is_in_the_table() -> None:
    table = PAGE.partition("## Options of a session")[2].partition("## Making")[0]
    rows = [row for row in table.splitlines() if row.startswith("| `")]
    named = [name for row in rows for name in re.findall(r"`(\w+)`", row.split("|")[1])]
    assert named == list(Session.model_fields)


def test_every_right_is_named() -> None:
    rights = set(withheld_types([]).values())
    assert all(f"`{right}`" in PAGE for right in rights)


def test_every_reason_of_the_authority_is_in_the_table() -> None:
    table = PAGE.partition("## Refused without a word")[2].partition("## Guessing")[0]
    source = "".join(
        (ROOT / "sessions" / f"{name}.py").read_text() for name in ("authority", "credentials")
    )
    said = re.findall(r'(?:return|fault =|Outcome\() ?f?"([^"{]+)', source)
    assert len(said) >= 5
    for reason in said:
        beginning = reason.partition(" (")[0].partition(":")[0].partition("'")[0]
        assert beginning in table, reason


def test_the_output_of_keys_is_real(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    _, _, shown = PAGE.partition("    $ seamark ")
    arguments, _, rest = shown.partition("\n")
    lines = [line[4:] for line in rest.split("\n\n`--method")[0].split("\n")]
    printed = CliRunner().invoke(app, arguments.split()).stdout.split("\n")
    assert lines[:-1] == printed[: len(lines) - 1], "all but the password"
    assert len(lines[-1]) == len(printed[len(lines) - 1]) == 26
    assert printed[len(lines) :] == [""]


def test_no_line_of_the_page_is_too_long() -> None:
    for line in PAGE.splitlines():
        is_vector = re.search(r"[\w+/=]{60,}", line)
        assert len(line) <= 104 or is_vector, line
