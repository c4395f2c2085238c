"""What an end of the simulated world has on its disk."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(slots=True)
class Durable:
    """What a crash leaves."""

    store: dict[int, bytes] = field(default_factory=dict)
    numbered: int = 0  # numbers so far may be those of what was streamed
    next_in: int = 1
    epoch: int = 1
    sent: int = 0
    reset_pending: bool = False  # of a client


@dataclass(slots=True)
class Numbered:
    """What is durable of messages that are not stored: numbers so far may be theirs."""

    seq: int
