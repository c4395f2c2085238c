"""What came of a command goes to those whom it concerns, in the order in which it happened."""

from __future__ import annotations

from collections.abc import Mapping

from exchange.compiled import NATIVE
from exchange.events import VenueEvent
from exchange.reports import Encode
from sessions.application import Peer


def plain_answer(
    events: list[VenueEvent],
    encoders: Mapping[type[VenueEvent], tuple[bytes, Encode]],
    peers: Mapping[int, Peer],
    position: int,
    now: int,
    asker: int,
    route: bytes,
) -> None:
    """Send each event of the command at `position` to its session.

    `route` are header fields for the session that has asked, the number of which is `asker`.
    """
    for event in events:
        session, (msg_type, encode) = event.session, encoders[event.__class__]
        send, header = peers[session].send, route if session == asker else b""
        send(msg_type, encode(event, position, now), header)


answer = plain_answer if NATIVE is None else NATIVE.answer
