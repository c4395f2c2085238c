"""What it takes to trust and to be trusted: certificates, keys and a password, made for one day."""

from __future__ import annotations

import base64
import datetime
import ipaddress
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import argon2
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.types import CertificateIssuerPrivateKeyTypes
from cryptography.hazmat.primitives.serialization import pkcs12
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

#: What the certificate of a client says who it is.
CLIENT_NAME: Final = "interop.client"
#: Java has no key stores without one.
_STORE_PASSWORD: Final = b"interop"
_AUTHORITY: Final = "Seamark interop authority"
_SERVER: Final = "Seamark interop venue"
_HERE: Final = (x509.DNSName("localhost"), x509.IPAddress(ipaddress.ip_address("127.0.0.1")))
_ELSEWHERE: Final = (x509.DNSName("venue.invalid"),)
_VALID: Final = datetime.timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Keys:
    """All of a day. What is in the folder `engine`, and under which name, says `make_keys`."""

    engine: Path
    authority: Path
    venue: Path  # certificate and key in one file, as all those of servers here
    forged: Path  # says what the venue's says, but the authority has not signed it
    elsewhere: Path  # signed, but for another host
    password: str
    password_hash: Path
    public_key: str


def make_keys(directory: Path) -> Keys:
    """A venue, two clients and an impostor; `directory` is made.

    The folder for the engine has ca.pem, by which it knows the venue, and the same as a trust store
    of Java, ca.p12. Of the seller there are a certificate and its key, seller.pem, once more as
    seller.p12, and the key that signs its Logons, seller.ed25519.pem. The buyer has a password.
    """
    engine = directory / "engine"
    engine.mkdir(parents=True)
    authority = _Authority()
    (engine / "ca.pem").write_bytes(_pem(authority.certificate))
    (engine / "ca.p12").write_bytes(
        pkcs12.serialize_java_truststore(
            [pkcs12.PKCS12Certificate(authority.certificate, b"ca")],
            serialization.BestAvailableEncryption(_STORE_PASSWORD),
        )
    )
    # Of RSA, since QuickFIX C++ 1.15 takes no other certificates of clients.
    key = rsa.generate_private_key(65537, 2048)
    certificate = authority.client(key)
    (engine / "seller.pem").write_bytes(_pem(certificate) + _pem(key))
    (engine / "seller.p12").write_bytes(
        pkcs12.serialize_key_and_certificates(
            *(b"seller", key, certificate, [authority.certificate]),
            serialization.BestAvailableEncryption(_STORE_PASSWORD),
        )
    )
    signing = Ed25519PrivateKey.generate()
    (engine / "seller.ed25519.pem").write_bytes(_pem(signing))
    password = secrets.token_urlsafe()
    password_hash = directory / "hash"
    password_hash.write_text(argon2.PasswordHasher().hash(password))
    return Keys(
        engine=engine,
        authority=engine / "ca.pem",
        venue=authority.server(directory / "venue.pem", _HERE),
        forged=_Authority().server(directory / "forged.pem", _HERE),
        elsewhere=authority.server(directory / "elsewhere.pem", _ELSEWHERE),
        password=password,
        password_hash=password_hash,
        public_key=base64.b64encode(signing.public_key().public_bytes_raw()).decode(),
    )


class _Authority:
    """Issues certificates."""

    def __init__(self) -> None:
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = _name(_AUTHORITY)
        usage = x509.KeyUsage(
            key_cert_sign=True,
            crl_sign=True,
            digital_signature=False,
            content_commitment=False,
            key_encipherment=False,
            data_encipherment=False,
            key_agreement=False,
            encipher_only=False,
            decipher_only=False,
        )
        self.certificate = self._sign(
            _AUTHORITY, self._key, x509.BasicConstraints(ca=True, path_length=0), usage
        )

    def server(self, path: Path, names: Sequence[x509.GeneralName]) -> Path:
        """A certificate for a host that has these names, and its key, into a file."""
        key = ec.generate_private_key(ec.SECP256R1())
        usage = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH])
        certificate = self._sign(_SERVER, key, x509.SubjectAlternativeName(names), usage)
        path.write_bytes(_pem(certificate) + _pem(key))
        return path

    def client(self, key: CertificateIssuerPrivateKeyTypes) -> x509.Certificate:
        """A certificate for the client of this name."""
        usage = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH])
        return self._sign(CLIENT_NAME, key, usage)

    def _sign(
        self,
        name: str,
        key: CertificateIssuerPrivateKeyTypes,
        *extensions: x509.ExtensionType,
    ) -> x509.Certificate:
        now = datetime.datetime.now(datetime.UTC)
        builder = (
            x509.CertificateBuilder()
            .subject_name(_name(name))
            .issuer_name(self._name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - _VALID)
            .not_valid_after(now + _VALID)
            .add_extension(
                x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key()), False
            )
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), False)
        )
        for extension in extensions:
            is_critical = isinstance(extension, x509.BasicConstraints | x509.KeyUsage)
            builder = builder.add_extension(extension, is_critical)
        return builder.sign(self._key, hashes.SHA256())


def _name(common_name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])


def _pem(what: x509.Certificate | CertificateIssuerPrivateKeyTypes) -> bytes:
    encoding = serialization.Encoding.PEM
    if isinstance(what, x509.Certificate):
        return what.public_bytes(encoding)
    return what.private_bytes(
        encoding, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
