"""What the session layer expects of an application, and what it gives it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Protocol

from fix_engine.message import Message
from fix_engine.outbound import SharedFields
from sessions.journal import Record
from sessions.profile import Profile


class Sending(Protocol):
    """Sends a message now or, when the peer is away, at its next resend."""

    def __call__(self, msg_type: bytes, body: bytes, header: bytes = b"") -> int:
        """Its MsgSeqNum; `body` and `header` are encoded fields."""


class Peer(Protocol):
    """A session as an application sees it; it outlives connections."""

    number: int
    comp_id: bytes
    profile: Profile
    send: Sending

    @property
    def next_in(self) -> int:
        """The MsgSeqNum expected from the peer next."""

    @property
    def is_ready(self) -> bool:
        """Whether the peer is logged on and reads what it is sent."""

    def stream(self, msg_type: bytes, own: bytes, shared: SharedFields) -> None:
        """Send what is worth nothing later: nothing when the peer is away, nothing at a resend.

        `own` fields go before those that it shares with what others are sent.
        """

    def when_ready(self, callback: Callable[[], None]) -> None:
        """Call back now, or when a slow reader has caught up; never once it is gone."""


class Application(Protocol):
    """Called from inside a turn: what it sends is numbered in the order in which it sends it."""

    def on_logon(self, peer: Peer, logon: Message) -> None:
        """The peer is logged on."""

    def on_message(self, peer: Peer, message: Message) -> None:
        """A valid application message, in sequence, exactly once."""

    def on_logout(self, peer: Peer, is_logout: bool) -> None:
        """The peer, logged on before, is gone; `is_logout`: it has said so, or was told to go."""

    def on_time(self, now: int) -> None:
        """Time passes: called every now and then, outside of any turn; `now` is UTC in ns."""

    def on_recovered(self, record: Record, stamp: int) -> None:
        """One of its records read back from the journal at start; nothing may be sent now.

        Raises JournalError when it makes no sense.
        """

    def snapshot(self) -> bytes:
        """Its whole state, between two turns."""

    def restore(self, state: bytes) -> None:
        """Take up what `snapshot` said once; raises ValueError when it cannot be understood."""

    def on_started(self, peers: Mapping[int, Peer]) -> None:
        """Recovery is over and nobody is connected yet; `peers` are all sessions, by number."""


def business_reject(message: Message, reason: int, text: bytes, ref_id: bytes = b"") -> bytes:
    """The body of a BusinessMessageReject (35=j) that answers `message`."""
    ref = b"379=%b\x01" % ref_id if ref_id else b""
    return b"45=%d\x0158=%b\x01372=%b\x01%b380=%d\x01" % (
        message.seq or 0,
        text,
        message.msg_type,
        ref,
        reason,
    )
