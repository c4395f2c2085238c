"""From settings to who may log on: addresses, accounts, their sessions and credentials."""

from __future__ import annotations

import base64
from dataclasses import replace
from ipaddress import ip_network
from pathlib import Path
from typing import Final

from config import accounts as models
from config.settings import Settings
from exchange.rights import copied_accounts, withheld_types
from fix_engine import tags
from fix_engine.logon import SessionSettings
from fix_engine.timestamps import SECOND_NS, Precision
from sessions.acceptor import is_loopback
from sessions.authority import AccessRules
from sessions.connection import ConnectionLimits
from sessions.credentials import (
    Credential,
    HmacCredential,
    PasswordCredential,
    SignatureCredential,
)
from sessions.profile import Networks, Profile
from sessions.registry import Admission
from sessions.throttle import RateLimit
from sessions.tls import TlsFiles

PRECISIONS: Final = {
    "ms": Precision.MILLISECONDS,
    "us": Precision.MICROSECONDS,
    "ns": Precision.NANOSECONDS,
}


class UnsafeError(Exception):
    """The settings would open the venue to people who should not get in."""


def check_access(settings: Settings) -> None:
    """Raise UnsafeError when the access policy does not fit the address."""
    host = settings.listen.host
    if is_loopback(host):
        return
    if settings.access.policy == "open-demo":
        raise UnsafeError(
            f"listen.host {host} can be reached from other machines, and access.policy open-demo "
            f"lets anybody log on; listen on 127.0.0.1, or make accounts (docs/logon.md)"
        )
    has_passwords = any(one.password_hash for one in _sessions(settings))
    if settings.listen.plain and has_passwords and not settings.access.plain_secrets:
        raise UnsafeError(
            f"listen.host {host} can be reached from other machines, and passwords would come in "
            f"the clear; set listen.plain = false and use [tls], or access.plain_secrets = true "
            f"where something else protects the way, such as a leased line"
        )


def make_admission(settings: Settings) -> Admission:
    """Which sessions there may be."""
    layer = settings.session
    common = SessionSettings(
        layer.sender_comp_id.encode("ascii"),
        b"",
        precision=PRECISIONS[layer.time_precision],
        max_latency_ns=_ns(layer.max_latency_s),
        logon_timeout_ns=_ns(layer.logon_timeout_s),
        logout_timeout_ns=_ns(layer.logout_timeout_s),
        min_heartbeat_s=layer.min_heartbeat_s,
        max_heartbeat_s=layer.max_heartbeat_s,
        reset_on_logon=layer.reset_on_logon,
        is_test=layer.is_test,
        max_message_bytes=layer.max_message_bytes,
        uses_next_expected=layer.next_expected_msg_seq_num,
        adds_last_processed=layer.last_msg_seq_num_processed,
        max_resend_repeats=layer.max_resend_repeats,
        gap_filled_types=frozenset(name.encode("ascii") for name in layer.gap_filled_types),
        echoed_logon_tags=(tags.CANCEL_ON_DISCONNECT,),
    )
    return Admission(
        common,
        layer.max_sessions,
        RateLimit(layer.max_messages_per_s, layer.max_messages_at_once),
        layer.second_logon == "replace",
        _make_profiles(settings, common),
    )


def make_limits(settings: Settings) -> ConnectionLimits:
    """What a connection may cost."""
    layer = settings.session
    return ConnectionLimits(
        max_message_bytes=layer.max_message_bytes,
        logon_timeout_s=layer.logon_timeout_s,
        max_fields=layer.max_fields,
        max_garbled=layer.max_garbled,
        max_logon_bytes=layer.max_logon_bytes,
        closing_timeout_s=layer.closing_timeout_s,
        max_unread_bytes=layer.max_unread_bytes,
        max_connections=layer.max_connections,
        max_strangers=layer.max_strangers,
        max_strangers_by_address=layer.max_strangers_by_address,
        keepalive_s=settings.listen.keepalive_s,
        networks=_networks(settings.access.addresses),
    )


def make_access_rules(settings: Settings) -> AccessRules | None:
    """How strictly credentials are looked at; None when nobody is asked for any."""
    access = settings.access
    if access.policy == "open-demo":
        return None
    return AccessRules(
        free_failures=access.free_failures,
        longest_wait_s=access.longest_wait_s,
        proof_window_s=access.proof_window_s,
        refusal_delay_s=access.refusal_delay_s,
        checks_at_once=access.checks_at_once,
    )


def make_tls_files(settings: Settings) -> TlsFiles | None:
    """Where certificate and key are; None without TLS."""
    tls = settings.tls
    if not tls.is_on:
        return None
    return TlsFiles(
        Path(tls.certificate),
        Path(tls.key),
        tls.min_version,
        Path(tls.client_ca) if tls.client_ca else None,
        tls.client_certificates,
    )


def _make_profiles(settings: Settings, common: SessionSettings) -> dict[bytes, Profile] | None:
    if settings.access.policy == "open-demo":
        return None
    window_ns = _ns(settings.access.proof_window_s)
    profiles: dict[bytes, Profile] = {}
    for account in settings.accounts:
        for one in account.sessions:
            comp_id = one.comp_id.encode("ascii")
            profiles[comp_id] = Profile(
                _own(one, common),
                _rate_limit(one, settings),
                account.name,
                (one.username or one.comp_id).encode("utf-8"),
                _credential(one, window_ns),
                one.client_certificate,
                _networks(one.addresses),
                withheld_types(one.rights),
                one.cancel_on_disconnect,
                copied_accounts(one.rights, one.copies, account.name),
            )
    return profiles


def _own(one: models.Session, common: SessionSettings) -> SessionSettings:
    """The settings of all sessions with what this one has of its own."""

    def own(value: bool | None, shared: bool) -> bool:
        return shared if value is None else value

    return replace(
        common,
        target_comp_id=one.comp_id.encode("ascii"),
        reset_on_logon=own(one.reset_on_logon, common.reset_on_logon),
        is_test=own(one.is_test, common.is_test),
        uses_next_expected=own(one.next_expected_msg_seq_num, common.uses_next_expected),
        adds_last_processed=own(one.last_msg_seq_num_processed, common.adds_last_processed),
    )


def _rate_limit(one: models.Session, settings: Settings) -> RateLimit:
    layer, per_s, at_once = settings.session, one.max_messages_per_s, one.max_messages_at_once
    return RateLimit(
        layer.max_messages_per_s if per_s is None else per_s,
        layer.max_messages_at_once if at_once is None else at_once,
    )


def _credential(one: models.Session, window_ns: int) -> Credential | None:
    if one.password_hash is not None:
        return PasswordCredential(one.password_hash.get_secret_value())
    if one.hmac_secret is not None:
        secret = base64.b64decode(one.hmac_secret.get_secret_value())
        return HmacCredential(secret, window_ns)
    if one.public_keys:
        return SignatureCredential([base64.b64decode(key) for key in one.public_keys], window_ns)
    return None  # known by its address or its certificate alone


def _sessions(settings: Settings) -> list[models.Session]:
    return [one for account in settings.accounts for one in account.sessions]


def _networks(texts: tuple[str, ...]) -> Networks:
    return tuple(ip_network(text) for text in texts)


def _ns(seconds: float) -> int:
    return round(seconds * SECOND_NS)
