"""Settings of a venue with accounts, and a client that proves who it is, for real processes."""

from __future__ import annotations

import base64
import contextlib
import signal
import socket
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import simplefix

from sessions.credentials import hash_password
from tests.support import proofs
from tests.support.tcp import VenueProcess

SESSIONS: Final = ("PASSWORD", "SIGNATURE", "HMAC")
_TIMEOUT_S: Final = 10.0


def secured_settings(directory: Path, more: str = "") -> Path:
    """A file with a session for each method; `more` follows, such as further sessions."""
    directory.mkdir(exist_ok=True)
    hashed, shared = directory / "hash", directory / "hmac"
    hashed.write_text(hash_password(proofs.PASSWORD.encode()))
    shared.write_bytes(base64.b64encode(proofs.HMAC_SECRET))
    credentials = (f'password_hash = "file:{hashed}"', KEY_LINE, f'hmac_secret = "file:{shared}"')
    text = '[access]\npolicy = "accounts"\nrefusal_delay_s = 0.05\nfree_failures = 100\n'
    text += '[[accounts]]\nname = "acme"\n'
    for name, credential in zip(SESSIONS, credentials, strict=True):
        text += f'[[accounts.sessions]]\ncomp_id = "{name}"\n{credential}\n'
    file = directory / "venue.toml"
    file.write_text(text + more)
    return file


KEY_LINE: Final = f'public_keys = ["{base64.b64encode(proofs.PUBLIC_KEY).decode()}"]'


@contextlib.contextmanager
def secured_venue(directory: Path, config: Path, program: str = "") -> Iterator[VenueProcess]:
    """A venue that is killed at the end of the block, unless it has ended before."""
    venue = VenueProcess(directory, "--config", str(config), program=program)
    try:
        yield venue
    finally:
        if venue.process.returncode is None:
            venue.finish(signal.SIGKILL)


_opened: list[SecuredClient] = []


def close_clients() -> None:
    """Close what tests have left open."""
    while _opened:
        _opened.pop().close()


class SecuredClient:
    """One connection; a session named PASSWORD, HMAC or anything else, which has a key."""

    def __init__(self, port: int, comp_id: str, seq: int = 1) -> None:
        self.comp_id = comp_id
        self.seq = seq
        self._parser: Any = simplefix.FixParser()
        self._plug = socket.create_connection(("127.0.0.1", port), _TIMEOUT_S)
        _opened.append(self)

    def logon(self, password: str = proofs.PASSWORD, new: str = "", more: str = "") -> bytes:
        """A Logon; `password` is for all who have one, `more` is `141=Y|...`."""
        now = time.time_ns()
        fields = {35: "A", 34: str(self.seq), 49: self.comp_id, 52: utc(now), 56: "SEAMARK"}
        self.seq += 1
        body: dict[int, str] = {98: "0", 108: "30"}
        if self.comp_id == "PASSWORD":
            body |= {553: self.comp_id, 554: password}
        elif self.comp_id == "HMAC":
            body |= {553: self.comp_id, 5025: str(now // 10**6)}
            body[554] = proofs.hmac_password(fields | body)
        else:
            signature = proofs.signature(fields)
            body |= {95: str(len(signature)), 96: signature}
        if new:
            body[925] = new
        for field in more.split("|")[:-1]:
            tag, _, value = field.partition("=")
            body[int(tag)] = value
        return encoded(fields | body)

    def enter(self, **options: str) -> dict[int, str]:
        """Log on; the answer, which is {} when there is none."""
        self.say(self.logon(**options))
        return self.receive()

    def ask(self, msg_type: str, **fields: str) -> dict[int, str]:
        """Send; the next message. Fields are given as `_55="BTC/USD"`."""
        now = utc(time.time_ns())
        head = {35: msg_type, 34: str(self.seq), 49: self.comp_id, 52: now, 56: "SEAMARK"}
        self.seq += 1
        self.say(encoded(head | {int(tag[1:]): value for tag, value in fields.items()}))
        return self.receive()

    def order(self, name: str) -> dict[int, str]:
        """A limit order that rests; the answer to it."""
        terms = {"_38": "1", "_40": "2", "_44": "100", "_60": utc(time.time_ns())}
        return self.ask("D", _11=name, _55="BTC/USD", _54="1", **terms)

    def say(self, data: bytes) -> None:
        self._plug.sendall(data)

    def receive(self) -> dict[int, str]:
        """The next message; {} at the end of the connection."""
        while (message := self._parser.get_message()) is None:
            try:
                data = self._plug.recv(65_536)
            except ConnectionResetError:
                data = b""
            if not data:
                self.close()
                return {}
            self._parser.append_buffer(data)
        return {int(tag): value.decode() for tag, value in message.pairs}

    def close(self) -> None:
        """Close without a word."""
        self._plug.close()

    def end_of_input(self) -> None:
        """Say that nothing more will come."""
        self._plug.shutdown(socket.SHUT_WR)


def encoded(fields: dict[int, str]) -> bytes:
    """A whole message."""
    message: Any = simplefix.FixMessage()
    message.append_pair(8, "FIX.4.4", header=True)
    for tag, value in fields.items():
        message.append_pair(tag, value, header=tag in (35, 34, 49, 52, 56))
    return bytes(message.encode())


def utc(now_ns: int) -> str:
    """SendingTime."""
    return time.strftime("%Y%m%d-%H:%M:%S", time.gmtime(now_ns // 10**9)) + (
        f".{now_ns // 10**6 % 1000:03}"
    )
