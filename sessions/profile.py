"""What is settled about a session before anybody logs on as it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from ipaddress import IPv4Network, IPv6Network, ip_address

from fix_engine.logon import SessionSettings
from sessions.credentials import Credential
from sessions.throttle import RateLimit

Networks = tuple[IPv4Network | IPv6Network, ...]


@dataclass(slots=True)
class Profile:
    """One session identity: how it is spoken to, what it may do, how it proves itself.

    `withheld` gives each MsgType that this session may not send, with the right that it lacks.
    `certificate` is a name, or `sha256:` and a fingerprint, that the client's certificate must
    carry; empty for none. `networks` are those it may log on from; none means any.
    """

    settings: SessionSettings
    rate_limit: RateLimit = field(default_factory=RateLimit)
    account: str = ""
    username: bytes = b""
    credential: Credential | None = None
    certificate: str = ""
    networks: Networks = ()
    withheld: Mapping[bytes, str] = field(default_factory=dict)
    cancel_on_disconnect: bool | None = None


def is_within(networks: Networks, host: str) -> bool:
    """Whether an address is in one of these networks; no networks are every network."""
    if not networks:
        return True
    try:
        address = ip_address(host.partition("%")[0])
    except ValueError:
        return False
    mapped = getattr(address, "ipv4_mapped", None)
    return any((mapped or address) in network for network in networks)
