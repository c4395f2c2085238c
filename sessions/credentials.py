"""What a Logon proves its sender by: a password, a signature, or an HMAC over a nonce.

Each kind checks a Logon and says what the journal has to remember should the Logon be accepted: a
changed password, or the time of the proof. Proofs must be newer than the last one remembered and
close to our clock, so one that was overheard is worth nothing, even after a restart.

docs/logon.md shows every byte that is signed, with test vectors.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Final, Protocol

from argon2 import PasswordHasher, Type
from argon2.exceptions import Argon2Error, InvalidHashError
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from fix_engine import tags
from fix_engine.message import Message
from fix_engine.timestamps import TimestampParser

#: OWASP's lightest recommendation for argon2id: a Logon is to cost us some 20 ms, not 64 MB.
_HASHER: Final = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1, type=Type.ID)
MAX_PASSWORD_BYTES: Final = 256
MIN_PASSWORD_BYTES: Final = 12
_MAX_NONCE_DIGITS: Final = 16
_MS_NS: Final = 1_000_000

_SIGNED: Final = (
    b"35",
    tags.SENDER_COMP_ID,
    tags.TARGET_COMP_ID,
    tags.MSG_SEQ_NUM,
    tags.SENDING_TIME,
)
_HASHED: Final = (
    b"35",
    tags.MSG_SEQ_NUM,
    tags.SENDER_COMP_ID,
    tags.TARGET_COMP_ID,
    tags.USERNAME,
)


class Method(Enum):
    """How a Logon proves who sends it."""

    PASSWORD = "password"
    SIGNATURE = "Ed25519 signature"
    HMAC = "HMAC with a nonce"


@dataclass(slots=True)
class Outcome:
    """What came of checking a Logon.

    `fault` is for our log alone. `memory` is for the journal, when the peer is online if
    `only_online`, in any case otherwise. `complaint` is said aloud: the peer has proved itself,
    and its `host` is remembered as its own.
    """

    fault: str | None = None
    memory: bytes = b""
    only_online: bool = False
    complaint: bytes = b""
    host: str = ""


class Credential(Protocol):
    """What one session must prove itself by."""

    @property
    def method(self) -> Method:
        """The only method that will do."""

    def check(self, logon: Message, now: int) -> Outcome:
        """Check a Logon that presents this method; changes nothing, and may run in a thread."""

    def recall(self, memory: bytes) -> None:
        """Take up what an earlier Outcome had to remember."""


def presented(logon: Message) -> Method | None:
    """The method that a Logon uses, whether or not its sender is known."""
    if logon.get(tags.RAW_DATA) is not None:
        return Method.SIGNATURE
    if logon.get(tags.NONCE) is not None:
        return Method.HMAC
    if logon.get(tags.PASSWORD) is not None:
        return Method.PASSWORD
    return None


class PasswordCredential:
    """Password (554) against an argon2id hash; NewPassword (925) changes it."""

    method = Method.PASSWORD

    def __init__(self, configured: str) -> None:
        """`configured` is the hash in the settings; ValueError when it is none."""
        check_password_hash(configured)
        self._hash = configured
        self._origin = hashlib.sha256(configured.encode()).hexdigest()[:32].encode()

    def check(self, logon: Message, now: int) -> Outcome:
        """Some 20 ms of work, which releases the interpreter."""
        password = logon.get(tags.PASSWORD) or b""
        if not _is_password(self._hash, password):
            return Outcome("Password (554) is wrong")
        new = logon.get(tags.NEW_PASSWORD)
        if new is None:
            return Outcome()
        if not MIN_PASSWORD_BYTES <= len(new) <= MAX_PASSWORD_BYTES or new == password:
            bounds = (MIN_PASSWORD_BYTES, MAX_PASSWORD_BYTES)
            return Outcome(
                complaint=b"NewPassword (925) must have %d to %d bytes and differ from the old one"
                % bounds
            )
        memory = b"password %b %b" % (self._origin, hash_password(new).encode())
        return Outcome(memory=memory, only_online=True)

    def recall(self, memory: bytes) -> None:
        """A password that was changed holds until the settings are given another hash."""
        kind, _, rest = memory.partition(b" ")
        origin, _, changed = rest.partition(b" ")
        if kind == b"password" and origin == self._origin:
            self._hash = changed.decode()


class _Proofs:
    """What signature and HMAC have in common: a proof is of its time, and valid once."""

    def __init__(self, window_ns: int) -> None:
        self._window_ns = window_ns
        self._last = 0

    def recall(self, memory: bytes) -> None:
        """No proof that old will do again."""
        kind, _, rest = memory.partition(b" ")
        if kind == b"proof":
            self._last = max(self._last, int(rest))

    def _outcome(self, is_proved: bool, made_at: int | None, what: str, now: int) -> Outcome:
        if not is_proved or made_at is None:
            return Outcome(f"{what} is wrong")
        if abs(now - made_at) > self._window_ns:
            off = (made_at - now) / 1e9
            return Outcome(f"{what} is right, but its time is {off:+.3f} s from our clock")
        if made_at <= self._last:
            return Outcome(f"{what} is right, but not newer than the last: a replay, it seems")
        return Outcome(memory=b"proof %d" % made_at)


class SignatureCredential(_Proofs):
    """RawData (96): an Ed25519 signature of the Logon's header, SendingTime included."""

    method = Method.SIGNATURE

    def __init__(self, public_keys: Sequence[bytes], window_ns: int) -> None:
        """Keys of 32 bytes, any of which will do; ValueError when one is none."""
        super().__init__(window_ns)
        self._keys = [Ed25519PublicKey.from_public_bytes(key) for key in public_keys]

    def check(self, logon: Message, now: int) -> Outcome:
        """See the class."""
        signature = _decoded(logon.get(tags.RAW_DATA))
        payload = signed_payload(logon)
        is_proved = False
        for key in self._keys:
            try:
                key.verify(signature, payload)
                is_proved = True
            except InvalidSignature:
                continue
        made_at = TimestampParser().parse(logon.get(tags.SENDING_TIME) or b"")
        return self._outcome(is_proved, made_at, "the signature in RawData (96)", now)


class HmacCredential(_Proofs):
    """Password (554): an HMAC-SHA512 over the Logon's header and a Nonce (5025) in milliseconds."""

    method = Method.HMAC

    def __init__(self, secret: bytes, window_ns: int) -> None:
        super().__init__(window_ns)
        self._secret = secret

    def check(self, logon: Message, now: int) -> Outcome:
        """See the class."""
        nonce = logon.get(tags.NONCE) or b""
        expected = hmac_password(self._secret, logon)
        is_proved = hmac.compare_digest(expected, logon.get(tags.PASSWORD) or b"")
        is_time = nonce.isdigit() and len(nonce) <= _MAX_NONCE_DIGITS
        made_at = int(nonce) * _MS_NS if is_time else None
        return self._outcome(is_proved, made_at, "the HMAC in Password (554)", now)


def signed_payload(logon: Message) -> bytes:
    """What an Ed25519 signature signs: the values of 35, 49, 56, 34 and 52, joined by SOH."""
    return tags.SOH.join(logon.get(tag) or b"" for tag in _SIGNED)


def hmac_password(secret: bytes, logon: Message) -> bytes:
    """Password (554): base64 of HMAC-SHA512(secret, SHA-256(fields 35 34 49 56 553, then 5025))."""
    fields = b"".join(b"%b=%b\x01" % (tag, logon.get(tag) or b"") for tag in _HASHED)
    digest = hashlib.sha256(fields + (logon.get(tags.NONCE) or b"")).digest()
    return base64.b64encode(hmac.digest(secret, digest, "sha512"))


def hash_password(password: bytes) -> str:
    """The argon2id hash of a password, with its parameters and a random salt."""
    return _HASHER.hash(password)


def check_password_hash(text: str) -> None:
    """Raise ValueError when `text` is no argon2id hash."""
    try:
        _HASHER.check_needs_rehash(text)
    except (Argon2Error, InvalidHashError, ValueError) as error:
        raise ValueError("is no argon2id hash; make one with: seamark keys hash") from error
    if not text.startswith("$argon2id$"):
        raise ValueError("is a hash of another kind; make an argon2id one with: seamark keys hash")


def decoys(window_ns: int) -> dict[Method, Credential]:
    """Credentials that nobody has: checking against them costs what checking a real one does."""
    key = Ed25519PrivateKey.generate().public_key().public_bytes_raw()
    return {
        Method.PASSWORD: PasswordCredential(hash_password(secrets.token_bytes(32))),
        Method.SIGNATURE: SignatureCredential([key], window_ns),
        Method.HMAC: HmacCredential(secrets.token_bytes(32), window_ns),
    }


def _is_password(stored: str, password: bytes) -> bool:
    if len(password) > MAX_PASSWORD_BYTES:
        return False
    try:
        return _HASHER.verify(stored, password)
    except (Argon2Error, InvalidHashError):
        return False


def _decoded(value: bytes | None) -> bytes:
    try:
        return base64.b64decode(value or b"", validate=True)
    except (binascii.Error, ValueError):
        return b""
