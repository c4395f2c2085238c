"""What the session machine wants done, as values; the shell carries them out in order."""

from __future__ import annotations

from dataclasses import dataclass

from fix_engine.message import Message
from fix_engine.records import hasten


@dataclass(slots=True)
class Send:
    """Store this message under its MsgSeqNum, then write it."""

    seq: int
    raw: bytes


@dataclass(slots=True)
class Store:
    """Store this message; the peer is not there to read it and will ask for it by its number."""

    seq: int
    raw: bytes


@dataclass(slots=True)
class Transmit:
    """Write this message without storing it; a gap fill will stand for its number."""

    seq: int
    raw: bytes


@dataclass(slots=True)
class Retransmit:
    """Write this message without storing it: a stored one sent again, or a gap fill."""

    raw: bytes


@dataclass(slots=True)
class Fetch:
    """Of the messages `begin` to `end`, both included, the first `at_most` that are stored.

    Answered by `replay`.
    """

    begin: int
    end: int
    at_most: int


@dataclass(slots=True)
class Deliver:
    """An application message, in sequence and sound, for the application."""

    message: Message


@dataclass(slots=True)
class Online:
    """The peer is logged on; `logon` is its Logon."""

    logon: Message


@dataclass(slots=True)
class Offline:
    """The peer, which was online, is gone; `is_logout`: after a Logout of either side."""

    reason: str
    is_logout: bool = False


@dataclass(slots=True)
class Reset:
    """Both sequences begin again at 1; what is stored can no longer be asked for."""


@dataclass(slots=True)
class Disconnect:
    """Write what is pending, then close the connection."""

    reason: str


hasten(Send, Transmit, Deliver)

Effect = (
    Send | Store | Transmit | Retransmit | Fetch | Deliver | Online | Offline | Reset | Disconnect
)
