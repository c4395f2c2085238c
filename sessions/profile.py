"""What is settled about a session before anybody logs on as it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from ipaddress import IPv4Network, IPv6Address, IPv6Network, ip_address
from typing import Final

from fix_engine.logon import SessionSettings
from sessions.credentials import Credential
from sessions.throttle import RateLimit

_IPV6_PREFIX: Final = 64  # what one customer is given; single addresses cost an attacker nothing

Networks = tuple[IPv4Network | IPv6Network, ...]


@dataclass(slots=True)
class Profile:
    """One session identity: how it is spoken to, what it may do, how it proves itself.

    `withheld` gives each MsgType that this session may not send, with the right that it lacks.
    `certificate` is a name, or `sha256:` and a fingerprint, that the client's certificate must
    carry; empty for none. `networks` are those it may log on from; none means any. `copies` are the
    accounts whose reports it gets as well, `*` stands for every one.
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
    copies: tuple[str, ...] = ()
    last_host: str = ""  # from which somebody logged on as this session last

    def admits(self, host: str) -> bool:
        """Whether somebody may log on as this session from there."""
        return is_within(self.networks, host)


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


def neighbourhood(host: str) -> str:
    """What one stranger may be taken for: an IPv4 address, or the /64 of an IPv6 address."""
    try:
        address = ip_address(host.partition("%")[0])
    except ValueError:
        return host
    if isinstance(address, IPv6Address):
        if address.ipv4_mapped is not None:
            return str(address.ipv4_mapped)
        return str(int(address) >> (128 - _IPV6_PREFIX))
    return host
