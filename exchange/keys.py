"""`seamark keys`: makes, hashes and lists credentials."""

from __future__ import annotations

import base64
import os
import secrets
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Final

import typer
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from rich.console import Console
from rich.table import Table
from rich.text import Text

from config import accounts as models
from config.settings import ConfigError, load
from exchange.rights import copied_accounts
from sessions.credentials import MAX_PASSWORD_BYTES, MIN_PASSWORD_BYTES, hash_password

app = typer.Typer(
    help="Make, hash and list the credentials of sessions.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)

_PASSWORD_BYTES: Final = 18  # of randomness: 24 characters
_SECRET_BYTES: Final = 64

Directory = Annotated[Path, typer.Option(help="Where the files go.")]
Force = Annotated[bool, typer.Option("--force", help="Replace a credential that is there.")]


class KeysError(Exception):
    """A credential cannot be made; says why in one line."""


@dataclass(slots=True)
class Made:
    """A new credential: the line for the settings, and what the client must be given, how."""

    setting: str
    files: list[Path]
    handover: str


@app.command("make")
def make_command(
    comp_id: Annotated[str, typer.Argument(help="SenderCompID of the session.")],
    method: Annotated[
        str, typer.Option(help="How it will log on: password, signature or hmac.")
    ] = "signature",
    directory: Directory = Path("keys"),
    force: Force = False,
) -> None:
    """Make a credential: files for the venue, a secret for the client, lines for the settings."""
    makers = {"password": _make_password, "signature": _make_signature, "hmac": _make_hmac}
    try:
        if method not in makers:
            raise KeysError(f"--method {method}: choose one of {', '.join(makers)}")
        _check_name(comp_id)
        made = makers[method](comp_id, directory, force)
    except KeysError as error:
        print(f"seamark: {error}", file=sys.stderr)
        raise typer.Exit(1) from error
    for path in made.files:
        print(f"Written   {path}")
    print(f"\nFor the settings of the venue, inside an [[accounts]] entry:\n\n  {_lines(comp_id)}")
    print(f"  {made.setting}\n\n{made.handover}")


@app.command("hash")
def hash_command() -> None:
    """Read a password, from the terminal without showing it or from a pipe, and print its hash."""
    if sys.stdin.isatty():
        password = typer.prompt("Password", hide_input=True, confirmation_prompt=True)
    else:
        password = sys.stdin.readline().rstrip("\r\n")
    if not MIN_PASSWORD_BYTES <= len(password.encode()) <= MAX_PASSWORD_BYTES:
        print(
            f"seamark: a password needs {MIN_PASSWORD_BYTES} to {MAX_PASSWORD_BYTES} bytes; "
            f"seamark keys make COMPID --method password makes a good one",
            file=sys.stderr,
        )
        raise typer.Exit(1)
    print(hash_password(password.encode()))


@app.command("list")
def list_command(
    config: Annotated[Path, typer.Argument(help="TOML settings.")],
) -> None:
    """Show which sessions may log on, how, from where and with which rights; no secrets."""
    try:
        settings = load(config)
    except ConfigError as error:
        print(f"seamark: {error}", file=sys.stderr)
        raise typer.Exit(1) from error
    table = Table(box=None, header_style="bold")
    for name in ("account", "session", "logs on by", "rights", "from", "certificate"):
        table.add_column(name, overflow="fold")
    for account in settings.accounts:
        for one in account.sessions:
            cells = (
                account.name,
                one.comp_id,
                _described(one),
                _rights(one, account.name),
                ", ".join(one.addresses) or "anywhere",
                one.client_certificate or "-",
            )
            table.add_row(*map(Text, cells))
    if settings.accounts:
        Console().print(table)
    else:
        print(f"{config} has no accounts: access.policy is {settings.access.policy}")


def _rights(one: models.Session, account: str) -> str:
    """Its rights, and whose reports the last of them brings."""
    watched = ", ".join(copied_accounts(one.rights, one.copies, account))
    return ", ".join(
        f"{right} of {watched}" if right == "drop-copy" else right for right in one.rights
    )


def _described(one: models.Session) -> str:
    username = "" if one.username in ("", one.comp_id) else f", Username {one.username}"
    if one.password_hash is not None:
        parameters = one.password_hash.get_secret_value().split("$")[3]
        return f"password (argon2id {parameters}){username}"
    if one.hmac_secret is not None:
        return f"HMAC-SHA512 with a nonce{username}"
    if not one.public_keys:
        return "address or certificate alone"
    return "Ed25519 key " + ", ".join(one.public_keys)


def _make_password(comp_id: str, directory: Path, force: bool) -> Made:
    password = secrets.token_urlsafe(_PASSWORD_BYTES)
    path = directory / f"{comp_id}.password"
    _write(path, hash_password(password.encode()), force)
    return Made(
        f'password_hash = "file:{path}"',
        [path],
        "For the client, shown this once; Username (553) and Password (554) of its Logon:\n\n"
        f"  {comp_id}\n  {password}",
    )


def _make_signature(comp_id: str, directory: Path, force: bool) -> Made:
    key = Ed25519PrivateKey.generate()
    pem = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    path = directory / f"{comp_id}.private.pem"
    _write(path, pem.decode().rstrip("\n"), force)
    public = base64.b64encode(key.public_key().public_bytes_raw()).decode()
    return Made(
        f'public_keys = ["{public}"]',
        [path],
        f"For the client: {path}, which signs its Logons. The venue does not need it: move it\n"
        f"there, or better, have the client make the key and tell you the public one.",
    )


def _make_hmac(comp_id: str, directory: Path, force: bool) -> Made:
    path = directory / f"{comp_id}.hmac"
    _write(path, base64.b64encode(secrets.token_bytes(_SECRET_BYTES)).decode(), force)
    return Made(
        f'hmac_secret = "file:{path}"',
        [path],
        f"For the client: what {path} holds, with which it computes Password (554), and\n"
        f"Username (553) {comp_id}.",
    )


def _lines(comp_id: str) -> str:
    return f'[[accounts.sessions]]\n  comp_id = "{comp_id}"\n  rights = ["orders"]'


def _check_name(comp_id: str) -> None:
    is_name = comp_id.isascii() and comp_id.isprintable() and len(comp_id) <= 64
    if not is_name or not comp_id or set(comp_id) & set(' =/"\\') or comp_id.startswith("."):
        raise KeysError(
            f"{comp_id!r} will not do: 1 to 64 printable characters without blank, '=', quotes "
            f"and slashes"
        )


def _write(path: Path, text: str, force: bool) -> None:
    """A new file that only its owner can read."""
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        if force:
            path.unlink(missing_ok=True)
        fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    except FileExistsError as error:
        raise KeysError(f"{path} is there already; --force replaces it") from error
    except OSError as error:
        raise KeysError(f"{path}: {error.strerror}") from error
    with os.fdopen(fd, "w") as file:
        file.write(text + "\n")
