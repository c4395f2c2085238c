"""Certificates for tests: an authority, a venue's and clients', all made on the spot."""

from __future__ import annotations

import datetime
import ipaddress
import ssl
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

_DAY = datetime.timedelta(days=1)
_LOOPBACK = x509.IPAddress(ipaddress.ip_address("127.0.0.1"))


@dataclass(frozen=True, slots=True)
class Certificate:
    """A certificate and its key, both in PEM."""

    pem: bytes
    key: bytes
    fingerprint: str  # SHA-256 of the DER, in lower case

    def write(self, directory: Path, name: str) -> tuple[Path, Path]:
        """The two as files, NAME.pem and NAME.key."""
        directory.mkdir(exist_ok=True)
        certificate, key = directory / f"{name}.pem", directory / f"{name}.key"
        certificate.write_bytes(self.pem)
        key.write_bytes(self.key)
        return certificate, key


class CertificateAuthority:
    """Whoever trusts it trusts what it issues."""

    def __init__(self, name: str = "Test authority") -> None:
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        is_authority = x509.BasicConstraints(ca=True, path_length=0)
        self.pem = _pem(self._signed(self._name, self._key.public_key(), is_authority))

    def issue(self, common_name: str, dns_names: Sequence[str] = ()) -> Certificate:
        """A certificate for 127.0.0.1 and these names."""
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])
        names = x509.SubjectAlternativeName([*map(x509.DNSName, dns_names), _LOOPBACK])
        certificate = self._signed(subject, key.public_key(), names)
        return Certificate(
            _pem(certificate),
            key.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            ),
            certificate.fingerprint(hashes.SHA256()).hex(),
        )

    def _signed(
        self, subject: x509.Name, key: ec.EllipticCurvePublicKey, extension: x509.ExtensionType
    ) -> x509.Certificate:
        now = datetime.datetime.now(datetime.UTC)
        return (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self._name)
            .public_key(key)
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - _DAY)
            .not_valid_after(now + _DAY)
            .add_extension(extension, critical=True)
            .sign(self._key, hashes.SHA256())
        )


@cache
def authority() -> CertificateAuthority:
    """The one that the venue and its clients trust in tests."""
    return CertificateAuthority()


@cache
def venue_certificate(name: str = "venue") -> Certificate:
    """What the venue shows; one for each name, made once."""
    return authority().issue(name)


def client_context(
    directory: Path | None = None,
    own: Certificate | None = None,
    version: ssl.TLSVersion = ssl.TLSVersion.TLSv1_3,
) -> ssl.SSLContext:
    """A client's, which speaks this version alone and shows `own`, written to `directory`."""
    context = ssl.create_default_context(cadata=authority().pem.decode())
    context.minimum_version = context.maximum_version = version
    if own is not None:
        assert directory is not None
        context.load_cert_chain(*own.write(directory, "own"))
    return context


def _pem(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.PEM)
