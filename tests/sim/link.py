"""The link: delays, splits, joins, garbles, stalls and cuts what two ends say to each other.

A Cable is one connection and has two Ends. A cut loses what is in flight from some byte on; each
end notices at a time of its own, or never (half open) and has to find out by its timers. The
acceptor hears of connections after a delay, so a later one may come first, and one that the
caller has given up long ago may come last.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from random import Random
from typing import Final

from tests.sim.timeline import MILLISECOND, SECOND, Timeline, Trace

_CALM_DELAY: Final = MILLISECOND


class Garble(Enum):
    """Which messages may lose a byte to noise."""

    NONE = "none"
    LIVE = "live"  # inside messages sent for the first time, ResendRequests not among them
    ANY = "any"  # any byte of anything


@dataclass(slots=True)
class Weather:
    """How bad the link is, until it is calm."""

    max_delay: int = 50 * MILLISECOND
    splits: float = 0.3  # of arrivals: a piece of what is there
    stalls: float = 0.0  # of arrivals: seconds late, with all that comes in between
    garbles: float = 0.0  # of messages
    garble: Garble = Garble.NONE
    refuses: float = 0.0  # of connects
    reorders: bool = False  # connects are heard up to seconds late, each on its own
    overtakes: bool = True  # a new connection may be heard before the last bytes of an old one
    unnoticed: float = 0.25  # of the ends of a cut connection


class End:
    """One end of a connection; `on_data` and `on_lost` belong to who holds it."""

    __slots__ = ("_is_due", "cable", "finished", "incoming", "is_open", "on_data", "on_lost")

    def __init__(self, cable: Cable) -> None:
        self.cable = cable
        self.on_data: Callable[[bytes], None] | None = None  # None until it is accepted
        self.on_lost: Callable[[str], None] = _nobody
        self.incoming = bytearray()  # in flight to this end
        self.finished = False  # the other end has closed: what is in flight is the last
        self.is_open = True
        self._is_due = False

    @property
    def peer(self) -> End:
        """The other end."""
        near, far = self.cable.ends
        return far if self is near else near

    def write(self, raw: bytes) -> None:
        """One message for the other end; it may get there."""
        peer = self.peer
        if self.cable.is_alive and self.is_open and peer.is_open:
            peer.incoming += self.cable.link.garbled(raw)
            peer.expect()

    def close(self) -> None:
        """Close in order: the other end gets what was written, then the end of it."""
        if not self.is_open:
            return
        self.is_open = False
        self.incoming.clear()
        if self.cable.is_alive:
            self.peer.finished = True
            self.peer.expect()

    def expect(self) -> None:
        """Let something arrive in a while, where there is anything to come and a taker."""
        if self._is_due or self.on_data is None or not (self.incoming or self.finished):
            return
        self._is_due = True
        self.cable.link.timeline.after(self.cable.link.delay(), self._arrive)

    def _arrive(self) -> None:
        self._is_due = False
        if not self.is_open or self.on_data is None:
            return
        if self.incoming:
            size = self.cable.link.piece(len(self.incoming))
            data = bytes(self.incoming[:size])
            del self.incoming[:size]
            self.on_data(data)
            self.expect()
        elif self.finished:
            self.lose("closed by the peer")

    def lose(self, reason: str) -> None:
        """This end finds out that the connection is gone."""
        if self.is_open:
            self.is_open = False
            self.incoming.clear()
            self.on_lost(reason)


class Cable:
    """One connection, from the moment it is asked for."""

    def __init__(self, link: Link, number: int) -> None:
        self.link = link
        self.number = number
        self.is_alive = True
        self.ends = (End(self), End(self))


class Link:
    """Between the caller A and the acceptor B; one connection after another, or several."""

    def __init__(self, timeline: Timeline, random: Random, weather: Weather, trace: Trace) -> None:
        self.timeline = timeline
        self.on_connect: Callable[[End], None] = _refuse
        self.cuts = 0
        self._random = random
        self._weather = weather
        self._trace = trace
        self._is_calm = False
        self._cables: list[Cable] = []

    def connect(self) -> End:
        """The caller's end of a new connection; the acceptor hears of it later, if ever."""
        if not self._weather.overtakes:
            for old in self._cables:
                old.ends[1].incoming.clear()
        cable = Cable(self, len(self._cables) + 1)
        self._cables.append(cable)
        near, far = cable.ends
        if not self._is_calm and self._random.random() < self._weather.refuses:
            self._trace.note(f"connect {cable.number} goes nowhere")
            cable.is_alive = False
            if self._random.random() < 0.5:
                self.timeline.after(self.delay(), lambda: near.lose("refused"))
            return near
        late = self._weather.reorders and not self._is_calm and self._random.random() < 0.5
        wait = self._random.randrange(4 * SECOND) if late else _CALM_DELAY
        self.timeline.after(wait, lambda: self._heard(far))
        return near

    def cut(self) -> None:
        """Cut the newest connection, whoever believes in it."""
        if self._cables:
            cable = self._cables[-1]
            self._trace.note(f"cut {cable.number}")
            self.cuts += cable.is_alive
            self._break(cable)

    def abandon(self, end: End) -> None:
        """The holder of `end` is dead: it hears nothing more, and the other end may not know."""
        if end.is_open:
            end.is_open = False
            end.incoming.clear()
            self._break(end.cable)

    def calm(self) -> None:
        """From now on the link is perfect; what was broken before stays so."""
        self._is_calm = True

    @property
    def is_idle(self) -> bool:
        """Whether nothing is in flight between ends that listen."""
        return not any(end.is_open and end.incoming for c in self._cables for end in c.ends)

    # --- what the weather does ----------------------------------------------------------

    def delay(self) -> int:
        """How long the next arrival takes."""
        if self._is_calm:
            return _CALM_DELAY
        if self._random.random() < self._weather.stalls:
            return self._random.randrange(4 * SECOND)
        return 1 + int(self._random.random() ** 3 * self._weather.max_delay)

    def piece(self, size: int) -> int:
        """How much of what is there arrives at once."""
        if self._is_calm or self._random.random() >= self._weather.splits:
            return size
        return self._random.randint(1, size)

    def garbled(self, raw: bytes) -> bytes:
        """The message, perhaps with one byte turned into another."""
        weather, random = self._weather, self._random
        if self._is_calm or random.random() >= weather.garbles:
            return raw
        first, last = 0, len(raw) - 1
        if weather.garble is Garble.LIVE:
            # Noise inside a frame loses just that message; in BodyLength or CheckSum it may take
            # the next ones along, ResendRequests and retransmissions among them.
            first, last = raw.index(b"\x0135=") + 1, len(raw) - 9
            if raw.startswith(b"35=2\x01", first) or b"\x0143=Y\x01" in raw:
                return raw
        place = random.randint(first, last)
        self._trace.note(f"garbled at byte {place}:", raw)
        return raw[:place] + bytes([raw[place] ^ random.randint(1, 255)]) + raw[place + 1 :]

    def _heard(self, far: End) -> None:
        if not far.is_open:
            return  # cut, and noticed, before anybody took it up
        self._trace.note(f"B hears connect {far.cable.number}")
        self.on_connect(far)
        far.expect()

    def _break(self, cable: Cable) -> None:
        if not cable.is_alive:
            return
        cable.is_alive = False
        for end in cable.ends:
            if end.incoming:
                del end.incoming[self._random.randint(0, len(end.incoming)) :]
            if end.is_open and self._random.random() >= self._weather.unnoticed:
                self._notice(end)

    def _notice(self, end: End) -> None:
        wait = int(self._random.random() ** 3 * 3 * SECOND)
        self.timeline.after(wait, lambda: end.lose("cut"))


def _nobody(_: str) -> None:
    """Before anybody holds the end."""


def _refuse(end: End) -> None:
    end.close()
