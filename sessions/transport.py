"""What TCP and TLS are asked for, and what they tell of the peer."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import os
import socket
import ssl
from collections.abc import Callable
from typing import Any, Final

FINGERPRINT: Final = "sha256:"
_PROBES: Final = 3  # of a silent connection, a third of the keepalive time apart


def tune(transport: asyncio.BaseTransport, keepalive_s: int) -> None:
    """No delay, and probes by the kernel after `keepalive_s` of silence, 0 for none.

    A dead peer is found by heartbeats anyway; the probes keep firewalls from forgetting a quiet
    connection, and end those on which nobody ever logs on.
    """
    plug = transport.get_extra_info("socket")
    if plug is None or plug.family not in (socket.AF_INET, socket.AF_INET6):
        return
    plug.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    if keepalive_s:
        plug.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        if hasattr(socket, "TCP_KEEPIDLE"):
            interval = max(1, keepalive_s // _PROBES)
            plug.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, keepalive_s)
            plug.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, interval)
            plug.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPCNT, _PROBES)


def writer(transport: asyncio.Transport) -> Callable[[bytes], None]:
    """What writes to a transport at once, where it can; not to be called once that is closing.

    uvloop collects what is written and writes it when every socket that was readable has been read:
    with thousands of them, that is late. asyncio's own transports write at once.
    """
    plug = transport.get_extra_info("socket")
    is_collecting = type(transport).__module__.startswith("uvloop")
    if plug is None or not is_collecting or transport.get_extra_info("ssl_object") is not None:
        return transport.write
    number, waiting = plug.fileno(), transport.get_write_buffer_size

    def write(data: bytes) -> None:
        sent = 0
        if not waiting():
            with contextlib.suppress(OSError):  # the transport will meet it too, and tell
                sent = os.write(number, data)
        if sent < len(data):
            transport.write(data[sent:] if sent else data)

    return write


def address_of(name: object) -> tuple[str, str]:
    """The host of a socket's name, and what to call the socket in a log."""
    if isinstance(name, tuple) and len(name) >= 2:
        return str(name[0]), f"{name[0]}:{name[1]}"
    return str(name or "?"), str(name or "?")


def certificate_names(transport: asyncio.BaseTransport) -> frozenset[str]:
    """What a verified client certificate may be called: subject CN, DNS names, fingerprint."""
    plug: ssl.SSLObject | None = transport.get_extra_info("ssl_object")
    found: Any = plug.getpeercert() if plug is not None else None
    der = plug.getpeercert(binary_form=True) if plug is not None and found else None
    if not found or der is None:
        return frozenset()
    names = {value for part in found.get("subject", ()) for key, value in part if _is_cn(key)}
    names |= {value for kind, value in found.get("subjectAltName", ()) if kind == "DNS"}
    names = {name for name in names if not name.startswith(FINGERPRINT)}  # it names nobody else
    return frozenset(names | {FINGERPRINT + hashlib.sha256(der).hexdigest()})


def _is_cn(key: str) -> bool:
    return key == "commonName"
