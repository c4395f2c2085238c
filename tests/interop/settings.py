"""The settings of a venue that asks its clients who they are."""

from __future__ import annotations

from collections.abc import Mapping

from tests.interop.keys import CLIENT_NAME, Keys


def secure_settings(keys: Keys, comp_ids: Mapping[str, str]) -> str:
    """TOML: TLS besides TCP; by CompID a session with a password, and one with certificate and key.

    What keys.py makes, and nothing else, is let in.
    """
    return f"""\
[tls]
port = 0
certificate = "{keys.venue}"
key = "{keys.venue}"
min_version = "1.3"
client_ca = "{keys.authority}"
client_certificates = "optional"

[access]
policy = "accounts"

[[accounts]]
name = "buyers"

[[accounts.sessions]]
comp_id = "{comp_ids["buyer"]}"
rights = ["orders"]
password_hash = "file:{keys.password_hash}"

[[accounts]]
name = "sellers"

[[accounts.sessions]]
comp_id = "{comp_ids["seller"]}"
rights = ["orders"]
public_keys = ["{keys.public_key}"]
client_certificate = "{CLIENT_NAME}"
"""
