"""Accounts and their sessions: who may log on, how they prove it, and what they may do."""

from __future__ import annotations

import base64
import binascii
import re
from decimal import Decimal
from ipaddress import ip_network
from pathlib import Path
from typing import Annotated, Final, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, SecretStr, model_validator

from config.secret import Secret

CompId = Annotated[str, Field(pattern=r"^[!-<>-~]{1,64}$")]
Right = Literal["orders", "market-data", "drop-copy"]
SelfTradePrevention = Literal["none", "cancel-newest", "cancel-oldest", "cancel-both", "decrement"]
Fee = Annotated[Decimal, Field(ge=-1, le=1, decimal_places=8)]  # of the value traded

EVERY_ACCOUNT: Final = "*"  # in the copies of a session

_ARGON2ID: Final = re.compile(
    r"\$argon2id\$v=\d+\$m=(?P<m>\d{1,9}),t=(?P<t>\d{1,9}),p=(?P<p>\d{1,9})\$[\w+/]+\$[\w+/]+"
)
_DEAREST: Final = {"m": 65_536, "t": 4, "p": 4}  # or refusals would tell which sessions there are
_NARROW: Final = {4: 16, 6: 48}  # prefix of networks that may stand for a credential
_PEM_KEY: Final = re.compile(r"-----BEGIN PUBLIC KEY-----([\s\w+/=]+)-----END PUBLIC KEY-----")
_PEM_PREFIX: Final = bytes.fromhex("302a300506032b6570032100")  # an Ed25519 key, RFC 8410
_KEY_BYTES: Final = 32
_MIN_SECRET_BYTES: Final = 32


class Section(BaseModel):
    """A part of the settings: nothing unknown in it, nothing changed later."""

    model_config = ConfigDict(extra="forbid", frozen=True)


def _network(text: str) -> str:
    ip_network(text)  # raises ValueError, which says what is wrong
    return text


def _password_hash(secret: SecretStr) -> SecretStr:
    found = _ARGON2ID.fullmatch(secret.get_secret_value())
    if found is None:
        raise ValueError("holds no argon2id hash; make one with: seamark keys hash")
    if any(int(found[name]) > most for name, most in _DEAREST.items()):
        limits = ", ".join(f"{name}={most}" for name, most in _DEAREST.items())
        raise ValueError(f"holds a hash that takes too long to check; the limits are {limits}")
    return secret


def _hmac_secret(secret: SecretStr) -> SecretStr:
    if len(_decoded(secret.get_secret_value())) < _MIN_SECRET_BYTES:
        raise ValueError(f"holds no base64 of {_MIN_SECRET_BYTES} bytes or more")
    return secret


def _certificate_name(text: str) -> str:
    """A name, or a fingerprint in the one form in which it is compared."""
    if not text.lower().startswith("sha256:"):
        return text
    digits = text[len("sha256:") :].replace(":", "").lower()
    if re.fullmatch(r"[0-9a-f]{64}", digits) is None:
        raise ValueError("sha256: must be followed by the 64 hexadecimal digits of a fingerprint")
    return f"sha256:{digits}"


def _public_key(text: str) -> str:
    """Base64 of the 32 bytes, from that or from `file:` and a PEM file."""
    if text.startswith("file:"):
        path = Path(text.removeprefix("file:"))
        try:
            pem = _PEM_KEY.search(path.read_text("ascii"))
        except OSError as error:
            raise ValueError(f"file {path}: {error.strerror}") from error
        except UnicodeDecodeError as error:
            raise ValueError(f"file {path} is no PEM file") from error
        der = _decoded("".join(pem[1].split())) if pem else b""
        if not der.startswith(_PEM_PREFIX):
            raise ValueError(f"file {path} holds no Ed25519 public key in PEM")
        text = base64.b64encode(der.removeprefix(_PEM_PREFIX)).decode()
    if len(_decoded(text)) != _KEY_BYTES:
        raise ValueError("is no base64 of a 32-byte Ed25519 public key, and no file:PATH of a PEM")
    return text


def _decoded(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return b""


Network = Annotated[str, AfterValidator(_network)]


class Session(Section):
    """One FIX session of an account; options left out are those of [session] and [venue]."""

    comp_id: CompId
    rights: Annotated[tuple[Right, ...], Field(min_length=1)] = ("orders",)
    copies: tuple[str, ...] = ()
    username: str = ""
    password_hash: Annotated[Secret, AfterValidator(_password_hash)] | None = None
    public_keys: tuple[Annotated[str, AfterValidator(_public_key)], ...] = ()
    hmac_secret: Annotated[Secret, AfterValidator(_hmac_secret)] | None = None
    client_certificate: Annotated[str, Field(max_length=256), AfterValidator(_certificate_name)] = (
        ""
    )
    addresses: tuple[Network, ...] = ()
    cancel_on_disconnect: bool | None = None
    reset_on_logon: bool | None = None
    is_test: bool | None = None
    next_expected_msg_seq_num: bool | None = None
    last_msg_seq_num_processed: bool | None = None
    max_messages_per_s: Annotated[int, Field(ge=0, le=1_000_000)] | None = None
    max_messages_at_once: Annotated[int, Field(ge=1, le=1_000_000)] | None = None

    @model_validator(mode="after")
    def _copies_fit(self) -> Session:
        if self.copies and "drop-copy" not in self.rights:
            raise ValueError(
                f'session {self.comp_id}: copies needs the right drop-copy; put "drop-copy" into '
                f"its rights, or leave copies out"
            )
        if EVERY_ACCOUNT in self.copies and len(self.copies) > 1:
            raise ValueError(
                f'session {self.comp_id}: copies = ["*"] means every account; name nothing else'
            )
        return self

    @model_validator(mode="after")
    def _one_credential(self) -> Session:
        given = [self.password_hash, self.public_keys or None, self.hmac_secret]
        count = sum(one is not None for one in given)
        is_trusted = count == 0 and (self.addresses or self.client_certificate)
        if is_trusted and not self.client_certificate:
            for network in map(ip_network, self.addresses):
                if network.prefixlen < _NARROW[network.version]:
                    raise ValueError(
                        f"session {self.comp_id}: {network} is too wide to stand for a credential"
                    )
        if count != 1 and not is_trusted:
            raise ValueError(
                f"session {self.comp_id}: needs exactly one of password_hash, public_keys and "
                f"hmac_secret (seamark keys make {self.comp_id} makes one), or none of them and "
                f"the addresses or the client_certificate by which it is known"
            )
        return self


class Account(Section):
    """A customer of the venue; fees left out are those of [venue], 0 sets no limit."""

    # The venue names the orders of sessions without an account by "#" and a number.
    name: Annotated[str, Field(pattern=r"^[!-\"$-~][!-~]{0,63}$")]
    sessions: Annotated[tuple[Session, ...], Field(min_length=1)]
    maker_fee: Fee | None = None
    taker_fee: Fee | None = None
    self_trade: SelfTradePrevention = "cancel-newest"
    trade_group: Annotated[str, Field(pattern=r"^[!-~]{0,64}$")] = ""
    max_open_orders: int = Field(0, ge=0, le=1_000_000)
    max_orders_per_s: int = Field(0, ge=0, le=1_000_000)
    protection_fills: int = Field(0, ge=0, le=10_000)
    protection_window_ms: int = Field(0, ge=0, le=86_400_000)

    @model_validator(mode="after")
    def _whole_protection(self) -> Account:
        fills, window = self.protection_fills, self.protection_window_ms
        if (fills > 0) != (window > 0):
            raise ValueError(
                f"protection_fills is {fills} and protection_window_ms is {window}: set both, so "
                f"many fills within so many milliseconds, or leave both at 0"
            )
        return self
