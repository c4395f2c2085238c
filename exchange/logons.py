"""What a Logon says to the venue, as the journal keeps it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from exchange.commands import DisconnectPolicy, Scope, SessionUp
from exchange.requests.conditions import SELF_TRADE_MODES
from fix_engine import tags
from fix_engine.message import Message

LOGGED_OUT: Final = b"logout"  # payload of a DOWN record; without it the connection was lost
COPIED_ACCOUNTS: Final = b"8062"  # never in a message: the settings say so, not the Logon
_KEPT: Final = (
    *(tags.SELF_TRADE_PREVENTION, tags.CANCEL_ON_DISCONNECT, tags.CANCEL_SCOPE),
    *(tags.CANCEL_GRACE, tags.ORDERS_AT_LOGON),
)
_ALIAS: Final = {b"0": b"Y", b"1": b"N"}
_DEFAULTS: Final = {True: b"Y", False: b"N", None: b""}
_SECOND_NS: Final = 10**9
_MAX_GRACE_S: Final = 3_600


def encode_up(
    logon: Message, account: str, cancels: bool | None, copies: Iterable[str] = ()
) -> bytes:
    """The payload of an UP record; `cancels` is the session's own default.

    `copies` are the accounts whose reports it gets copies of.
    """
    fields = {tag: value for tag in _KEPT if (value := logon.get(tag)) is not None}
    alias = _ALIAS.get(logon.get(tags.CANCEL_ON_DISCONNECT_ALIAS) or b"")
    wish = fields.get(tags.CANCEL_ON_DISCONNECT) or alias or _DEFAULTS[cancels]
    if wish:
        fields[tags.CANCEL_ON_DISCONNECT] = wish
    if account:
        fields[tags.ACCOUNT] = account.encode()
    if copies:
        fields[COPIED_ACCOUNTS] = " ".join(copies).encode()
    return b"".join(b"%b=%b\x01" % field for field in sorted(fields.items()))


def said_at_logon(payload: bytes) -> list[tuple[bytes, bytes]]:
    """The fields in an UP record; those of old journals are Y, N or nothing."""
    if b"=" not in payload:
        return [(tags.CANCEL_ON_DISCONNECT, payload)] if payload else []
    pairs = (field.partition(b"=") for field in payload.split(b"\x01")[:-1])
    return [(tag, value) for tag, _, value in pairs]


def decode_up(session: int, payload: bytes) -> SessionUp:
    """The command of an UP record."""
    fields = dict(said_at_logon(payload))
    wish = fields.get(tags.CANCEL_ON_DISCONNECT)
    grace = fields.get(tags.CANCEL_GRACE, b"0")
    policy = DisconnectPolicy(
        {b"Y": True, b"D": True, b"N": False}.get(wish or b""),
        wish != b"D",
        Scope.ACCOUNT if fields.get(tags.CANCEL_SCOPE) == b"A" else Scope.SESSION,
        min(int(grace[:6]), _MAX_GRACE_S) * _SECOND_NS if grace.isdigit() else 0,
    )
    return SessionUp(
        session,
        policy,
        fields.get(tags.ACCOUNT, b""),
        SELF_TRADE_MODES.get(fields.get(tags.SELF_TRADE_PREVENTION, b"")),
        fields.get(tags.ORDERS_AT_LOGON) == b"Y",
        tuple(fields.get(COPIED_ACCOUNTS, b"").split()),
    )
