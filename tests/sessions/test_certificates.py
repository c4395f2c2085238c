"""Certificates: the venue's, replaced while it runs, and those of clients."""

from __future__ import annotations

import contextlib
import hashlib
import os
import ssl
from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization

from fix_engine.states import State
from sessions.tls import ServerTls, TlsError, TlsFiles
from tests.sessions.gate import (
    TlsClient,
    asking,
    enter,
    gate,
    gone,
    is_served,
    password_logon,
    profile,
    signature,
    signed_logon,
)
from tests.sessions.tcp import Run, eventually
from tests.support.certificates import (
    Certificate,
    CertificateAuthority,
    authority,
    client_context,
    venue_certificate,
)


@pytest.fixture
def files(tmp_path: Path) -> TlsFiles:
    """The venue's certificate and key, on disk."""
    return TlsFiles(*venue_certificate().write(tmp_path / "venue", "venue"))


# --- certificates that change -------------------------------------------------------------


class Watch:
    """A clock for `ServerTls`."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def __call__(self) -> float:
        return self.seconds


def fingerprint(client: TlsClient) -> str:
    return hashlib.sha256(client.venue_certificate).hexdigest()


def test_certificates_replaced_on_disk_are_taken_up_while_live_ones_go_on(
    run: Run, files: TlsFiles
) -> None:
    directory = files.certificate.parent
    first, second = venue_certificate(), venue_certificate("renewed")

    async def scenario() -> None:
        first.write(directory, "venue")
        watch = Watch()
        tls = ServerTls(files, watch)
        async with gate(profiles=[profile("A"), profile("B"), profile("C")], tls=tls) as venue:
            before = await venue.secure(client_context(), "A")
            await enter(before)
            assert fingerprint(before) == first.fingerprint
            second.write(directory, "venue")
            soon = await venue.secure(client_context(), "B")
            assert fingerprint(soon) == first.fingerprint, "it does not look at every connection"
            watch.seconds += 1
            after = await venue.secure(client_context(), "C")
            assert fingerprint(after) == second.fingerprint
            for client in (soon, after):
                await enter(client)
            for client in (before, soon, after):
                assert await is_served(client)

    run(scenario())


def broken_files(directory: Path) -> Iterator[str]:
    """Ways in which a renewal goes wrong, one after the other."""
    certificate, key = directory / "venue.pem", directory / "venue.key"
    renewed = venue_certificate("renewed")
    certificate.write_bytes(renewed.pem)
    yield "the key is not there yet"
    key.unlink()
    yield "there is no key"
    key.write_text("garbage")
    yield "the key is garbage"
    certificate.write_bytes(renewed.pem[:200])
    key.write_bytes(renewed.key)
    yield "half a certificate"
    certificate.write_bytes(b"")
    yield "an empty certificate"


def test_files_that_cannot_be_used_leave_the_old_ones_in_use(run: Run, files: TlsFiles) -> None:
    directory = files.certificate.parent

    async def scenario() -> None:
        venue_certificate().write(directory, "venue")
        watch = Watch()
        async with gate(tls=ServerTls(files, watch)) as venue:
            for what in broken_files(directory):
                watch.seconds += 1
                client = await venue.secure(client_context())
                assert fingerprint(client) == venue_certificate().fingerprint, what
                client.close()
            venue_certificate("renewed").write(directory, "venue")
            watch.seconds += 1
            client = await venue.secure(client_context())
            assert fingerprint(client) == venue_certificate("renewed").fingerprint

    run(scenario())


def test_files_replaced_by_renaming_are_noticed(files: TlsFiles) -> None:
    watch = Watch()
    tls = ServerTls(files, watch)
    old = tls.context()
    watch.seconds += 1
    assert tls.context() is old, "nothing has changed"
    for name, content in zip(
        ("venue.pem", "venue.key"),
        (venue_certificate("renewed").pem, venue_certificate("renewed").key),
        strict=True,
    ):
        other = files.certificate.parent / "other"
        other.write_bytes(content)
        os.replace(other, files.certificate.parent / name)
    watch.seconds += 1
    assert tls.context() is not old


@pytest.mark.parametrize(
    ("name", "content", "what"),
    [
        ("venue.pem", None, "venue.pem: No such file or directory"),
        ("venue.key", None, "venue.key: No such file or directory"),
        ("venue.pem", b"", "venue.pem with .*venue.key: "),
        ("venue.key", CertificateAuthority().issue("other").key, "key values mismatch"),
        ("ca.pem", b"garbage", "ca.pem: "),
        ("ca.pem", None, "ca.pem: No such file or directory"),
    ],
    ids=["certificate", "key", "empty", "mismatch", "bad authority", "authority"],
)
def test_files_that_cannot_be_used_are_named_at_the_start(
    files: TlsFiles, name: str, content: bytes | None, what: str
) -> None:
    asking(files, "optional")
    path = files.certificate.parent / name
    if content is None:
        path.unlink()
    else:
        path.write_bytes(content)
    with pytest.raises(TlsError, match=what) as error:
        ServerTls(files)
    assert "\n" not in str(error.value)


def test_a_key_that_is_encrypted_is_refused_without_asking_for_its_password(
    files: TlsFiles,
) -> None:
    key = serialization.load_pem_private_key(venue_certificate().key, None)
    files.key.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.BestAvailableEncryption(b"password"),
        )
    )
    with pytest.raises(TlsError, match="encrypted"):
        ServerTls(files)


# --- certificates of clients --------------------------------------------------------------


def own(certificate: Certificate, directory: Path) -> ssl.SSLContext:
    return client_context(directory / "client", certificate)


def test_a_session_is_bound_to_a_certificate_by_name_dns_name_or_fingerprint(
    run: Run, files: TlsFiles, tmp_path: Path
) -> None:
    right = authority().issue("client.one", ["desk.client.example", "b.client.example"])
    wrong = authority().issue("client.two", ["c.client.example"])
    stranger = CertificateAuthority("Somebody").issue("client.one", ["desk.client.example"])

    async def scenario() -> None:
        for name in ("client.one", "b.client.example", f"sha256:{right.fingerprint}"):
            bound = profile("BOUND", signature(), name)
            async with gate(profiles=[bound], tls=asking(files, "optional")) as venue:
                for context in (own(wrong, tmp_path), client_context()):
                    caller = await venue.secure(context, "BOUND")
                    await caller.send_raw(signed_logon(caller))
                    assert await caller.closed() == b""
                caller = await venue.secure(own(stranger, tmp_path), "BOUND")
                with contextlib.suppress(ConnectionError):  # it may have been closed already
                    await caller.send_raw(signed_logon(caller))
                assert await caller.closed() == b""
                assert list(venue.server.registry) == []
                client = await venue.secure(own(right, tmp_path), "BOUND")
                await enter(client, signed_logon(client))
                assert await is_served(client)

    run(scenario())


def test_a_session_without_a_credential_is_known_by_its_certificate(
    run: Run, files: TlsFiles, tmp_path: Path
) -> None:
    bound = profile(certificate="client.one")
    bound.credential = None
    right = authority().issue("client.one")

    async def scenario() -> None:
        async with gate(profiles=[bound], tls=asking(files, "required")) as venue:
            plain = await venue.caller()
            await plain.send("35=A|98=0|108=30|")
            assert await plain.closed() == b""
            client = await venue.secure(own(right, tmp_path))
            await client.send("35=A|98=0|108=30|")
            assert (await client.receive())[35] == "A"

    run(scenario())


def test_a_certificate_is_optional_or_required(run: Run, files: TlsFiles, tmp_path: Path) -> None:
    right = authority().issue("client.one")

    async def scenario() -> None:
        for mode in ("optional", "required"):
            async with gate(profiles=[profile()], tls=asking(files, mode)) as venue:
                client = await venue.secure(own(right, tmp_path))
                await enter(client)
                assert await is_served(client)
                client.close()
                await eventually(lambda: venue.session("CLIENT").state is State.DISCONNECTED)
                await gone(venue)
                if mode == "optional":
                    bare = await venue.secure(client_context())
                    bare.seq = client.seq
                    await enter(bare)
                else:
                    # In TLS 1.3 a client hears only after its part that it was not enough.
                    bare = await venue.secure(client_context())
                    assert await bare.closed() == b""
                    await gone(venue)

    run(scenario())


def test_the_certificate_is_no_substitute_for_the_credential(
    run: Run, files: TlsFiles, tmp_path: Path
) -> None:
    right = authority().issue("client.one")

    async def scenario() -> None:
        bound = profile(certificate="client.one")
        async with gate(profiles=[bound], tls=asking(files, "optional")) as venue:
            caller = await venue.secure(own(right, tmp_path))
            await caller.send_raw(password_logon(caller, "wrong"))
            assert await caller.closed() == b""
            assert list(venue.server.registry) == []

    run(scenario())
