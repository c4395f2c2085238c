"""What clients put into a Logon to prove who they are, made without our own code."""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Mapping

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

PASSWORD = "correct-horse-battery"
HMAC_SECRET = hashlib.sha512(b"the HMAC secret of the tests").digest()
SIGNING_KEY = Ed25519PrivateKey.from_private_bytes(hashlib.sha256(b"key of the tests").digest())
PUBLIC_KEY = SIGNING_KEY.public_key().public_bytes_raw()

Fields = Mapping[int, str]


def signature(fields: Fields, key: Ed25519PrivateKey = SIGNING_KEY) -> str:
    """RawData (96) for a Logon with these fields."""
    payload = "\x01".join(fields[tag] for tag in (35, 49, 56, 34, 52))
    return base64.b64encode(key.sign(payload.encode("latin-1"))).decode()


def hmac_password(fields: Fields, secret: bytes = HMAC_SECRET) -> str:
    """Password (554) for a Logon with these fields."""
    text = "".join(f"{tag}={fields[tag]}\x01" for tag in (35, 34, 49, 56, 553)) + fields[5025]
    digest = hashlib.sha256(text.encode("latin-1")).digest()
    return base64.b64encode(hmac.new(secret, digest, hashlib.sha512).digest()).decode()
