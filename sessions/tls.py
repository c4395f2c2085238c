"""TLS for the acceptor: certificates from files, taken up again when the files change."""

from __future__ import annotations

import ssl
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import structlog

log = structlog.get_logger(__name__)

_LOOK_EVERY_S: Final = 1.0
_VERSIONS: Final = {"1.2": ssl.TLSVersion.TLSv1_2, "1.3": ssl.TLSVersion.TLSv1_3}
_MODES: Final = {
    "none": ssl.CERT_NONE,
    "optional": ssl.CERT_OPTIONAL,
    "required": ssl.CERT_REQUIRED,
}


class TlsError(Exception):
    """The certificates cannot be used; says which file and why in one line."""


@dataclass(slots=True)
class TlsFiles:
    """Where certificate (a PEM chain), key and the clients' CA are, and how strict to be."""

    certificate: Path
    key: Path
    min_version: str = "1.3"
    client_ca: Path | None = None
    client_certificates: str = "none"


class ServerTls:
    """The TLS context for the next handshake; live connections keep the one they began with."""

    def __init__(self, files: TlsFiles, seconds: Callable[[], float] = time.monotonic) -> None:
        """Raises TlsError when the files cannot be used."""
        self._files = files
        self._seconds = seconds
        self._context = _load(files)
        self._stamp = self._stamps()
        self._looked = seconds()

    def context(self) -> ssl.SSLContext:
        """The context for a new connection; files that have changed are read again first."""
        now = self._seconds()
        if now - self._looked >= _LOOK_EVERY_S:
            self._looked = now
            stamp = self._stamps()
            if stamp != self._stamp:
                self._stamp = stamp
                self.reload()
        return self._context

    def reload(self) -> None:
        """Read the files again; those that cannot be used leave what is in use as it is."""
        try:
            self._context = _load(self._files)
        except TlsError as error:
            log.error("certificate not taken up", error=str(error))
        else:
            log.info("certificate taken up", file=str(self._files.certificate))

    def _stamps(self) -> list[tuple[int, int, int]]:
        files = self._files
        return [_stamp(path) for path in (files.certificate, files.key, files.client_ca) if path]


def _load(files: TlsFiles) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = _VERSIONS[files.min_version]
    context.options |= ssl.OP_NO_COMPRESSION | ssl.OP_NO_RENEGOTIATION
    for path in (files.certificate, files.key, files.client_ca):
        try:
            if path is not None:
                path.read_bytes()
        except OSError as error:
            raise TlsError(f"{path}: {error.strerror}") from error
    try:
        context.load_cert_chain(files.certificate, files.key, password=_no_password)
    except (ssl.SSLError, ValueError) as error:
        raise TlsError(f"{files.certificate} with {files.key}: {_reason(error)}") from error
    if files.client_ca is not None:
        try:
            context.load_verify_locations(files.client_ca)
        except ssl.SSLError as error:
            raise TlsError(f"{files.client_ca}: {_reason(error)}") from error
        context.verify_mode = _MODES[files.client_certificates]
    return context


def _no_password() -> str:
    raise ValueError("the key is encrypted; give one that is not, readable by the venue alone")


def _reason(error: Exception) -> str:
    if isinstance(error, ssl.SSLError) and error.reason:
        return error.reason.lower().replace("_", " ")
    return str(error)


def _stamp(path: Path) -> tuple[int, int, int]:
    try:
        found = path.stat()
    except OSError:
        return (0, 0, 0)
    return (found.st_mtime_ns, found.st_size, found.st_ino)
