"""The echo application behind a gate: sessions with credentials, plain TCP and TLS on loopback."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
import time
from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass, field
from functools import cache
from ipaddress import ip_network
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest
from argon2 import PasswordHasher, Type

from fix_engine.logon import SessionSettings
from fix_engine.timestamps import TimestampFormatter
from fix_engine.validation import Validator
from sessions.acceptor import Doors, bind
from sessions.authority import AccessRules
from sessions.connection import ConnectionLimits
from sessions.credentials import (
    Credential,
    HmacCredential,
    Outcome,
    PasswordCredential,
    SignatureCredential,
)
from sessions.echo import EchoApplication
from sessions.journal import Durability, Journal
from sessions.profile import Profile
from sessions.registry import Admission
from sessions.server import Server
from sessions.tls import ServerTls, TlsFiles
from tests.sessions.tcp import FAREWELL, PATIENCE_S, Client, House, eventually
from tests.support import proofs
from tests.support.certificates import authority
from tests.support.messages import as_dict, dictionary, fix

DELAY_S = 0.05  # of refusals
WINDOW_NS = 5 * 10**9
_CHEAP = PasswordHasher(1, 8, 1, type=Type.ID)  # the real one takes 20 ms for each check
COMMON = SessionSettings(b"SEAMARK", b"", logout_timeout_ns=300_000_000)


@cache
def password_hash() -> str:
    """The hash of `proofs.PASSWORD`."""
    return _CHEAP.hash(proofs.PASSWORD)


def profile(
    comp_id: str = "CLIENT",
    credential: Credential | None = None,
    certificate: str = "",
    networks: Iterable[str] = (),
) -> Profile:
    """A session with a password, or with another credential."""
    return Profile(
        SessionSettings(b"SEAMARK", comp_id.encode(), logout_timeout_ns=300_000_000),
        username=comp_id.encode(),
        credential=credential or PasswordCredential(password_hash()),
        certificate=certificate,
        networks=tuple(map(ip_network, networks)),
    )


def signature() -> SignatureCredential:
    """For `signed_logon`."""
    return SignatureCredential([proofs.PUBLIC_KEY], WINDOW_NS)


def hmac() -> HmacCredential:
    """For `hmac_logon`."""
    return HmacCredential(proofs.HMAC_SECRET, WINDOW_NS)


# --- clients ------------------------------------------------------------------------------


def password_logon(client: Client, password: str = proofs.PASSWORD, more: str = "") -> bytes:
    """A Logon with Username and Password."""
    return client.message(f"35=A|98=0|108=30|553={client.comp_id}|554={password}|{more}")


def signed_logon(client: Client) -> bytes:
    """A Logon with a signature."""
    fields = _fields(client)
    text = proofs.signature(fields)
    return _message(fields, f"98=0|108=30|95={len(text)}|96={text}|")


def hmac_logon(client: Client) -> bytes:
    """A Logon with an HMAC over the time as nonce."""
    nonce = str(time.time_ns() // 10**6)
    fields = _fields(client) | {553: client.comp_id, 5025: nonce}
    text = proofs.hmac_password(fields)
    return _message(fields, f"98=0|108=30|553={client.comp_id}|554={text}|5025={nonce}|")


LOGONS = {"password": password_logon, "signature": signed_logon, "hmac": hmac_logon}


def _fields(client: Client) -> dict[int, str]:
    return as_dict(client.message("35=A|"))


def _message(fields: dict[int, str], body: str) -> bytes:
    return fix("".join(f"{tag}={fields[tag]}|" for tag in (35, 34, 49, 52, 56)) + body)


def author(comp_id: str = "CLIENT") -> Client:
    """A client that writes messages, and has them sent by another."""
    with socket.socket() as closed:
        return Client(comp_id, closed)


class TlsClient(Client):
    """A client that speaks TLS, byte by byte under the control of the test."""

    def __init__(self, comp_id: str, plug: socket.socket, context: ssl.SSLContext) -> None:
        super().__init__(comp_id, plug)
        self._in, self._out = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._tls = context.wrap_bio(self._in, self._out, server_hostname="127.0.0.1")

    async def shake_hands(self, and_say: bytes = b"") -> None:
        """Make the connection secure; what is said comes in one piece with the end of it."""
        while True:
            try:
                self._tls.do_handshake()
                break
            except ssl.SSLWantReadError:
                await self._flush()
                data = await super()._read()
                if not data:
                    raise ConnectionResetError("closed during the handshake") from None
                self._in.write(data)
        if and_say:
            self._tls.write(and_say)
        await self._flush()

    @property
    def venue_certificate(self) -> bytes:
        """What the venue has shown, in DER."""
        found = self._tls.getpeercert(binary_form=True)
        assert found is not None
        return found

    async def send_raw(self, data: bytes) -> None:
        self._tls.write(data)
        await self._flush()

    async def _read(self) -> bytes:
        while True:
            try:
                return self._tls.read(1 << 16)
            except ssl.SSLWantReadError:
                data = await super()._read()
                if not data:
                    return b""
                self._in.write(data)
            except ssl.SSLError:  # it is closed, with an alert or without
                return b""

    async def _flush(self) -> None:
        if self._out.pending:
            await super().send_raw(self._out.read())


# --- the venue ----------------------------------------------------------------------------


class Gate(House):
    """A running server with two doors."""

    tls_port = 0

    async def secure(
        self, context: ssl.SSLContext, comp_id: str = "CLIENT", and_say: bytes = b""
    ) -> TlsClient:
        """A client that has connected by TLS and says nothing yet."""
        plug = socket.socket()
        client = TlsClient(comp_id, plug, context)
        self.clients.append(client)
        plug.setblocking(False)
        plug.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        await asyncio.get_running_loop().sock_connect(plug, ("127.0.0.1", self.tls_port))
        await client.shake_hands(and_say)
        return client

    async def unsecured(self) -> Client:
        """A client that has connected to the port for TLS, but does not speak it."""
        plain, self.port = self.port, self.tls_port
        try:
            return await self.caller()
        finally:
            self.port = plain

    @property
    def counts(self) -> tuple[int, int, int]:
        """Connections, strangers, and addresses that strangers are from."""
        acceptor = self.server._acceptor
        by_host = acceptor._strangers_by_host
        return len(acceptor._connections), len(acceptor._strangers), len(by_host)


@dataclass
class Rules:
    """What differs from test to test."""

    profiles: Iterable[Profile] = field(default_factory=lambda: [profile()])
    limits: ConnectionLimits = field(default_factory=ConnectionLimits)
    access: AccessRules | None = field(
        default_factory=lambda: AccessRules(free_failures=100, refusal_delay_s=DELAY_S)
    )
    tls: ServerTls | None = None
    replaces_live: bool = False
    journal: Journal = field(default_factory=lambda: Journal(Path(), Durability.MEMORY))


@contextlib.asynccontextmanager
async def gate(**rules: Any) -> AsyncIterator[Gate]:
    """A server with these `Rules`, for as long as the block lasts."""
    how = Rules(**rules)
    with patch("sessions.credentials._HASHER", _CHEAP):
        async with _running(how) as running:
            yield running


@contextlib.asynccontextmanager
async def _running(how: Rules) -> AsyncIterator[Gate]:
    by_name = {one.settings.target_comp_id: one for one in how.profiles}
    server = Server(
        how.journal,
        Validator(dictionary()),
        Admission(COMMON, replaces_live=how.replaces_live, profiles=by_name),
        how.limits,
        lambda journal, turn: EchoApplication(dictionary()),
        access=how.access,
    )
    with bind("127.0.0.1", 0) as plain, bind("127.0.0.1", 0) as secure:
        await server.start(Doors(plain, (secure, how.tls) if how.tls is not None else None))
        running = Gate(server, plain.getsockname()[1])
        running.tls_port = secure.getsockname()[1]
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(lambda _, context: running.log.append(repr(context)))
        running.run = asyncio.create_task(server.run(FAREWELL))
        try:
            yield running
        finally:
            await running.end()
        assert running.log == []


async def is_served(client: Client, name: str = "a") -> bool:
    """Whether an order comes back as the answer to it."""
    async with asyncio.timeout(PATIENCE_S):
        await client.send_raw(client.order(name))
        return (await client.until("D"))[11] == name


def stamp(now_ns: int) -> str:
    """SendingTime."""
    return TimestampFormatter().format(now_ns).decode()


# --- what tests do with it -----------------------------------------------------------------

EVERYBODY = {"password": None, "signature": signature, "hmac": hmac}


def everybody() -> list[Profile]:
    """A session for each method."""
    made = {name: make() if make is not None else None for name, make in EVERYBODY.items()}
    return [profile(name.upper(), credential) for name, credential in made.items()]


async def enter(client: Client, logon: bytes | None = None) -> None:
    """Log on with a password, which must do."""
    await client.send_raw(logon or password_logon(client))
    assert (await client.receive())[35] == "A"


async def refused_after(caller: Client, logon: bytes) -> float:
    """Seconds until a caller, who gets no answer, is disconnected."""
    started = time.monotonic()
    await caller.send_raw(logon)
    assert await caller.closed() == b"", "not a byte is said"
    return time.monotonic() - started


class Held:
    """Password checks that end when the test says so."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.began = 0
        self._may_end = asyncio.Event()
        self._loop = asyncio.get_running_loop()
        real = PasswordCredential.check

        def check(credential: PasswordCredential, *arguments: object) -> Outcome:
            self.began += 1
            waiting = asyncio.run_coroutine_threadsafe(self._may_end.wait(), self._loop)
            waiting.result(10)
            return real(credential, *arguments)  # type: ignore[arg-type]

        monkeypatch.setattr(PasswordCredential, "check", check)

    async def one(self) -> None:
        """A check is running now."""
        await eventually(lambda: self.began > 0)

    def release(self) -> None:
        """Let all of them end."""
        self._may_end.set()


async def gone(venue: Gate) -> None:
    """Nobody is counted any more."""
    await eventually(lambda: venue.counts == (0, 0, 0))


def asking(files: TlsFiles, mode: str) -> ServerTls:
    """A venue that asks for certificates."""
    files.client_ca = files.certificate.parent / "ca.pem"
    files.client_ca.write_bytes(authority().pem)
    files.client_certificates = mode
    return ServerTls(files)
