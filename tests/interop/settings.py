"""The settings of venues that ask their clients who they are."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from tests.interop.keys import CLIENT_NAME, Keys

#: Of a venue with many instruments; those of a list do not fit into one message.
INSTRUMENTS: Final = ("BTC/USD", *(f"C{number:02}/USD" for number in range(1, 60)))


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


def watched_settings(comp_ids: Mapping[str, str]) -> str:
    """TOML: the buyer trades for FUND, with itself if need be; the seller watches every account."""
    instruments = "".join(
        f"""
[[instruments]]
symbol = "{symbol}"
currency = "USD"
tick = "0.1"
lot = "0.0001"
min_quantity = "0.001"
max_quantity = "10000"
collar = "0.05"
min_notional = "10"
max_notional = "5000000"
"""
        for symbol in INSTRUMENTS
    )
    return f"""\
[access]
policy = "accounts"

[[accounts]]
name = "FUND"
maker_fee = "-0.0001"
taker_fee = "0.0005"
self_trade = "none"

[[accounts.sessions]]
comp_id = "{comp_ids["buyer"]}"
rights = ["orders"]
addresses = ["127.0.0.1"]

[[accounts]]
name = "OFFICE"

[[accounts.sessions]]
comp_id = "{comp_ids["seller"]}"
rights = ["drop-copy"]
copies = ["*"]
addresses = ["127.0.0.1"]
{instruments}"""
