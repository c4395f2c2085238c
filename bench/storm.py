"""A storm of logons: many sessions connect and log on at the same moment, plain, by TLS, signed.

As after a cut of the network: nobody waits for anybody, and every session has its own connection.
"""

from __future__ import annotations

import base64
import datetime
import ipaddress
import selectors
import socket
import ssl
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.x509.oid import NameOID

from bench.venue import VenueUnderTest
from fix_engine.timestamps import TimestampFormatter
from fix_engine.wire import encode

KINDS: Final = ("plain TCP", "TLS 1.3", "TLS 1.3, signed")
_PATIENCE_S: Final = 60.0
_READ, _WRITE = selectors.EVENT_READ, selectors.EVENT_WRITE


@dataclass(slots=True)
class StormResult:
    """What one storm measured, in seconds; `logons` from connecting to the answer, ascending."""

    kind: str
    sessions: int
    refused: int
    all_in_s: float
    venue_cpu_s: float
    logons: list[float]


def storm(kind: str, sessions: int) -> StormResult:
    """Measure one kind against a venue of its own."""
    key = Ed25519PrivateKey.generate() if kind == KINDS[2] else None
    with tempfile.TemporaryDirectory() as directory:
        home = Path(directory)
        context = _certified(home) if kind != KINDS[0] else None
        settings = home / "venue.toml"
        settings.write_text(_settings(home, sessions, context is not None, key))
        with VenueUnderTest(home / "data", "--config", str(settings)) as venue:
            address = (venue.host, venue.port)
            callers = [_Caller(address, number, context, key) for number in range(sessions)]
            before, started = venue.cpu_seconds(), time.perf_counter()
            _let_in(callers)
            all_in, cpu = time.perf_counter() - started, venue.cpu_seconds() - before
    logons = sorted(one.in_at - one.called_at for one in callers if one.in_at)
    return StormResult(kind, sessions, sessions - len(logons), all_in, cpu, logons)


class _Caller:
    """One session on its way in; `step` does what can be done now, and says what to wait for."""

    def __init__(
        self,
        address: tuple[str, int],
        number: int,
        context: ssl.SSLContext | None,
        key: Ed25519PrivateKey | None,
    ) -> None:
        self.called_at = self.in_at = 0.0
        self.plug = socket.socket()
        self._address = address
        self._comp_id = b"STORM%d" % number
        self._context = context
        self._key = key
        self._is_secure = context is None
        self._has_asked = False

    def call(self) -> None:
        """Begin to connect."""
        self.called_at = time.perf_counter()
        self.plug.setblocking(False)
        self.plug.connect_ex(self._address)

    def secure(self) -> None:
        """Wrap the socket, before it is waited for."""
        if self._context is not None:
            self.plug = self._context.wrap_socket(
                self.plug, do_handshake_on_connect=False, server_hostname=self._address[0]
            )

    def step(self) -> int:
        """The events to wait for next; 0 when it is in, or refused."""
        try:
            if not self._is_secure:
                assert isinstance(self.plug, ssl.SSLSocket)
                self.plug.do_handshake()
                self._is_secure = True
            if not self._has_asked:
                self.plug.sendall(self._logon())
                self._has_asked = True
                return _READ
            if b"\x0135=A\x01" in self.plug.recv(65536):
                self.in_at = time.perf_counter()
        except (ssl.SSLWantReadError, BlockingIOError):
            return _READ
        except ssl.SSLWantWriteError:
            return _WRITE
        except OSError:
            pass
        return 0

    def _logon(self) -> bytes:
        now = TimestampFormatter().format(time.time_ns())
        head = b"35=A\x0134=1\x0149=%b\x0152=%b\x0156=SEAMARK\x01" % (self._comp_id, now)
        body = b"98=0\x01108=60\x01"
        if self._key is not None:
            payload = b"\x01".join((b"A", self._comp_id, b"SEAMARK", b"1", now))
            signature = base64.b64encode(self._key.sign(payload))
            body += b"95=%d\x0196=%b\x01" % (len(signature), signature)
        return encode(head + body)


def _let_in(callers: list[_Caller]) -> None:
    selector = selectors.DefaultSelector()
    for caller in callers:
        caller.call()
    connecting = selectors.DefaultSelector()
    for caller in callers:
        connecting.register(caller.plug, _WRITE, caller)
    left, deadline = len(callers), time.perf_counter() + _PATIENCE_S
    while left and time.perf_counter() < deadline:
        for key, _ in connecting.select(0 if selector.get_map() else 1.0):
            connecting.unregister(key.fileobj)
            caller = key.data
            try:
                caller.secure()
            except OSError:
                left -= 1
                continue
            if wanted := caller.step():
                selector.register(caller.plug, wanted, caller)
            else:
                left -= 1
        for key, events in selector.select(0 if connecting.get_map() else 1.0):
            wanted = key.data.step()
            if not wanted:
                selector.unregister(key.fileobj)
                left -= 1
            elif wanted != events:
                selector.modify(key.fileobj, wanted, key.data)


def _settings(home: Path, sessions: int, is_secure: bool, key: Ed25519PrivateKey | None) -> str:
    """All come from one address, so that one must be allowed as many as there are."""
    text = f"[session]\nmax_strangers = {sessions}\nmax_strangers_by_address = {sessions}\n"
    if is_secure:
        text += f"[listen]\nplain = false\n[tls]\nport = 0\ncertificate = '{home / 'venue.pem'}'\n"
        text += f"key = '{home / 'venue.key'}'\n"
    if key is not None:
        public = base64.b64encode(key.public_key().public_bytes_raw()).decode()
        text += "[access]\npolicy = 'accounts'\n[[accounts]]\nname = 'storm'\n"
        for number in range(sessions):
            text += (
                f"[[accounts.sessions]]\ncomp_id = 'STORM{number}'\npublic_keys = ['{public}']\n"
            )
    return text


def _certified(home: Path) -> ssl.SSLContext:
    """A certificate for the venue, written to files, and a client's context that trusts it."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "bench")])
    now, day = datetime.datetime.now(datetime.UTC), datetime.timedelta(days=1)
    address = x509.IPAddress(ipaddress.ip_address("127.0.0.1"))
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - day)
        .not_valid_after(now + day)
        .add_extension(x509.SubjectAlternativeName([address]), critical=False)
        .sign(key, hashes.SHA256())
    )
    pem = certificate.public_bytes(serialization.Encoding.PEM)
    (home / "venue.pem").write_bytes(pem)
    (home / "venue.key").write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations(cadata=pem.decode())
    return context


if __name__ == "__main__":
    sys.exit("run: python -m bench.sessions")
