"""The inbound sequence: which MsgSeqNum is next, what waits behind a gap, what was asked for."""

from __future__ import annotations

from typing import Final

from fix_engine.message import Message

MAX_EARLY_MESSAGES: Final = 1_000  # more are dropped; the peer's resend brings them
MAX_EARLY_BYTES: Final = 1 << 20
_ASK_AGAIN_NS: Final = 5_000_000_000  # after so long without any progress


class InboundSequence:
    """The next expected MsgSeqNum and the bounded stash of messages that came early.

    `early` is the stash, by MsgSeqNum. An entry of None stands for a message that was obeyed when
    it came (a ResendRequest, the Logon itself) and has only to be counted when its turn comes.
    """

    __slots__ = (
        "_asked_from",
        "_asked_to",
        "_early_bytes",
        "_waiting_for",
        "_waiting_since",
        "early",
        "expected",
    )

    def __init__(self, expected: int = 1) -> None:
        self.expected = expected
        self.early: dict[int, Message | None] = {}
        self._early_bytes = 0
        self._asked_from = self._asked_to = 0
        self._waiting_for = self._waiting_since = 0

    def reset(self, expected: int = 1) -> None:
        """Begin again at `expected`, with nothing waiting and nothing asked for."""
        self.expected = expected
        self.early.clear()
        self._early_bytes = 0
        self._asked_from = self._asked_to = 0
        self._waiting_for = self._waiting_since = 0

    def advance(self, expected: int) -> None:
        """Move forward; early messages that are passed over will not be wanted any more."""
        self.expected = expected
        for seq in [seq for seq in self.early if seq < expected]:
            self._forget(seq)

    def keep(self, seq: int, message: Message | None) -> None:
        """Keep a message that came early, where there is room for it."""
        size = len(message.raw) if message is not None else 0
        if len(self.early) < MAX_EARLY_MESSAGES and self._early_bytes + size <= MAX_EARLY_BYTES:
            self._forget(seq)
            self.early[seq] = message
            self._early_bytes += size

    def take_next(self) -> tuple[bool, Message | None]:
        """Whether the expected message waits in the stash, and that message; it is counted."""
        if self.expected not in self.early:
            return False, None
        message = self._forget(self.expected)
        self.expected += 1
        return True, message

    def must_ask(self, seq: int, poss_dup: bool, now: int = 0) -> bool:
        """Whether a ResendRequest has to go out now that `seq` came early; notes that it does.

        One that covers the gap may be under way already. But when a retransmission (PossDup) comes
        early too, the peer's resend has skipped what we miss, and when nothing moves for a while
        it was lost: then we ask once more from there.
        """
        if self._waiting_for != self.expected:
            self._waiting_for, self._waiting_since = self.expected, now
        under_way = self._asked_to >= self.expected
        was_skipped = poss_dup and self._asked_from != self.expected
        if under_way and not was_skipped and now - self._waiting_since < _ASK_AGAIN_NS:
            return False
        self._asked_from, self._asked_to = self.expected, max(self._asked_to, seq - 1)
        self._waiting_since = now
        return True

    def _forget(self, seq: int) -> Message | None:
        message = self.early.pop(seq, None)
        if message is not None:
            self._early_bytes -= len(message.raw)
        return message


def too_low_text(expected: int, seq: int) -> bytes:
    """What the Logout says that answers a number from the past."""
    return b"MsgSeqNum too low, expecting %d but received %d" % (expected, seq)
