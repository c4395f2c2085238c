"""What must be true of two sessions, whatever the link does to them.

Every application message carries `app EPOCH.NUMBER`: a reset begins a new epoch of its sender,
in which numbers begin at 1. The promise that is checked: what is delivered of an epoch is a gapless
beginning of what was sent in it, in order, and once; nothing of an older epoch comes after it; and
in the end all of the last epoch is there. What a reset overtakes is promised to nobody.

What is streamed carries `tick EPOCH.NUMBER` and may be lost: it comes as it was sent, in order, and
at most once. No number of an epoch is ever used for two messages, and none is passed over but
between a death and what comes after it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from fix_engine import tags
from fix_engine.session import Session

_CHANGED_BY_RESEND: Final = (b"9", b"10", b"43", b"52", b"122")


class SimulationError(AssertionError):
    """A promise was broken."""


@dataclass(slots=True)
class Side:
    """What one end has done, as far as it is durable."""

    name: str
    store: dict[int, bytes] = field(default_factory=dict)  # of the present epoch
    streamed: dict[int, bytes] = field(default_factory=dict)  # likewise, and stored nowhere
    ticks: dict[tuple[int, int], bytes] = field(default_factory=dict)  # all that was streamed
    last: int = 0  # number of this epoch
    has_died: bool = False  # since it had its last number: it may go on behind some that are free
    epoch: int = 1
    sent: int = 0  # application messages of this epoch
    heard_epoch: int = 0  # of the peer's
    heard: int = 0
    ticked: tuple[int, int] = (0, 0)  # the last of what the peer streamed that it was shown
    is_fresh: bool = True  # reset, and nothing delivered since
    written: set[int] = field(default_factory=set)
    cable: int = 0  # the connection that was written to last
    has_logged_out: bool = False  # on that connection
    delivered_total: int = 0
    written_total: int = 0
    resend_requests: int = 0
    resent_total: int = 0


class Checker:
    """Watches both ends; raises where a promise is broken."""

    def __init__(self, max_early: int, max_early_bytes: int) -> None:
        self.sides = {name: Side(name) for name in "AB"}
        self._max_early = max_early
        self._max_early_bytes = max_early_bytes

    def fail(self, what: str) -> None:
        """Raises; whoever runs the seed adds its number and the trace."""
        raise SimulationError(what)

    # --- what an end has committed ------------------------------------------------------

    def reset(self, name: str) -> None:
        """Both sequences of this end began again."""
        side = self.sides[name]
        side.store.clear()
        side.streamed.clear()
        side.written.clear()
        side.last, side.has_died = 0, False
        side.epoch, side.sent, side.is_fresh = side.epoch + 1, 0, True

    def stored(self, name: str, seq: int, raw: bytes) -> None:
        """A message was numbered."""
        side = self._numbered(name, seq)
        side.store[seq] = raw
        text = app_text(raw)
        if text is not None:
            side.sent += 1
            if text != (side.epoch, side.sent):
                self.fail(f"{name} stores app {text} as {(side.epoch, side.sent)}")

    def streamed(self, name: str, seq: int, raw: bytes) -> None:
        """A message was numbered that is stored nowhere."""
        side = self._numbered(name, seq)
        side.streamed[seq] = raw
        side.ticks[app_text(raw, b"tick") or (0, 0)] = raw

    def _numbered(self, name: str, seq: int) -> Side:
        side = self.sides[name]
        if seq <= side.last or (seq > side.last + 1 and not side.has_died):
            self.fail(f"{name} numbers {seq} after {side.last}")
        side.last, side.has_died = seq, False
        return side

    def died(self, name: str) -> None:
        """This end has lost what it had in memory."""
        self.sides[name].has_died = True

    def delivered(self, name: str, raw: bytes) -> None:
        """The application of `name` has been shown a message, and that is durable."""
        side = self.sides[name]
        ticked = app_text(raw, b"tick")
        if ticked is not None:
            if ticked <= side.ticked:
                self.fail(f"{name} is shown tick {ticked} after {side.ticked}")
            if self.sides["AB".replace(name, "")].ticks.get(ticked) != raw:
                self.fail(f"{name} is shown tick {ticked} otherwise than it was sent")
            side.ticked = ticked
            return None
        text = app_text(raw)
        if text is None:
            return self.fail(f"{name} is shown {raw!r}")
        epoch, number = text
        side.delivered_total += 1
        is_next = epoch == side.heard_epoch and number == side.heard + 1
        is_first = epoch > side.heard_epoch and number == 1 and side.is_fresh
        if not is_next and not is_first:
            self.fail(f"{name} is shown app {epoch}.{number} after {side.heard_epoch}.{side.heard}")
        side.heard_epoch, side.heard, side.is_fresh = epoch, number, False
        return None

    # --- what an end has written --------------------------------------------------------

    def wrote(self, name: str, cable: int, raw: bytes) -> None:
        """A message that the peer may see, on this connection."""
        side = self.sides[name]
        side.written_total += 1
        msg_type, seq, again = head(raw)
        if cable != side.cable:
            side.cable, side.has_logged_out = cable, False
            if msg_type not in (tags.LOGON, tags.LOGOUT):
                self.fail(f"{name} begins with {msg_type!r}")
        if side.has_logged_out and not again and msg_type != tags.REJECT:
            # Only what answers the peer may still come: resends, and a Reject of its request.
            self.fail(f"{name} goes on with {seq} after its Logout")
        side.has_logged_out = side.has_logged_out or msg_type == tags.LOGOUT
        if msg_type == tags.RESEND_REQUEST:
            side.resend_requests += 1
        if not again:
            if raw not in (side.store.get(seq), side.streamed.get(seq)):
                self.fail(f"{name} writes {seq} otherwise than it is stored")
            if seq in side.written:
                self.fail(f"{name} writes {seq} again without PossDupFlag")
            side.written.add(seq)
            return
        side.resent_total += 1
        if msg_type == tags.SEQUENCE_RESET:
            self._check_gap_fill(side, seq, raw)
        elif seq not in side.store:
            self.fail(f"{name} sends {seq} again, which it never sent")
        elif app_text(raw, b"tick") is not None:
            self.fail(f"{name} sends again what was streamed as {seq}")
        elif lasting(raw) != lasting(side.store[seq]):
            self.fail(f"{name} sends {seq} again with another content")

    def _check_gap_fill(self, side: Side, seq: int, raw: bytes) -> None:
        new = int(fields(raw)[b"36"])
        if new > side.last + 1:
            self.fail(f"{side.name} fills a gap up to {new}, beyond what it has sent")
        for skipped in range(seq, new):
            if app_text(side.store.get(skipped, b"")) is not None:
                self.fail(f"{side.name} skips {skipped}, an application message")

    # --- the state of an end ------------------------------------------------------------

    def check_session(self, name: str, session: Session) -> None:
        """After every turn: memory is bounded."""
        early = session.inbound.early
        if not early and not session.inbound._early_bytes:
            return
        if len(early) > self._max_early:
            self.fail(f"{name} keeps {len(early)} early messages")
        size = sum(len(message.raw) for message in early.values() if message is not None)
        if size > self._max_early_bytes:
            self.fail(f"{name} keeps {size} early bytes")
        if size != session.inbound._early_bytes:
            self.fail(f"{name} counts {session.inbound._early_bytes} early bytes, it has {size}")

    def missing(self) -> str:
        """What has been sent and is still to be delivered; "" when nothing is."""
        for name, peer_name in ("AB", "BA"):
            side, peer = self.sides[name], self.sides[peer_name]
            heard = peer.heard if peer.heard_epoch == side.epoch else 0
            if heard != side.sent:
                return f"{peer_name} has {heard} of {side.sent} messages of {name}"
        return ""


def fields(raw: bytes) -> dict[bytes, bytes]:
    """The fields by tag."""
    pairs = (part.partition(b"=") for part in raw.split(tags.SOH)[:-1])
    return {tag: value for tag, _, value in pairs}


def lasting(raw: bytes) -> list[bytes]:
    """The fields that a resend must not change, in order."""
    parts = raw.split(tags.SOH)[:-1]
    return [part for part in parts if part.partition(b"=")[0] not in _CHANGED_BY_RESEND]


def head(raw: bytes) -> tuple[bytes, int, bool]:
    """MsgType, MsgSeqNum and PossDupFlag, which we write in these places."""
    msg_type, seq, next_field = raw.split(tags.SOH, 5)[2:5]
    return msg_type[3:], int(seq[3:]), next_field == b"43=Y"


def app_body(epoch: int, number: int, filling: bytes = b"") -> bytes:
    """An application message that can be told from any other."""
    return b"58=app %d.%d ~%b\x01" % (epoch, number, filling)


def tick_body(epoch: int, number: int) -> bytes:
    """One that is worth nothing later."""
    return b"58=tick %d.%d ~\x01" % (epoch, number)


def app_text(raw: bytes, word: bytes = b"app") -> tuple[int, int] | None:
    """Epoch and number of an application message, None for any other."""
    mark = b"\x0158=%b " % word
    start = raw.find(mark)
    if start < 0:
        return None
    text = raw[start + len(mark) : raw.index(b" ~", start)]
    epoch, _, number = text.partition(b".")
    return int(epoch), int(number)
