"""One end of the simulated world: a session machine, what it has on disk, and its connections.

It does with effects what sessions/endpoint.py and sessions/connection.py do, turn by turn: all
that one input causes is committed as one batch, and only then written. A crash may come before
the commit (then nothing of the turn has happened, and nobody has seen it) or between commit and
write (then the peer will ask for it).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from random import Random
from typing import Final

from fix_engine.effects import (
    Deliver,
    Disconnect,
    Effect,
    Fetch,
    Offline,
    Online,
    Reset,
    Retransmit,
    Send,
    Store,
    Transmit,
)
from fix_engine.message import Message
from fix_engine.outbound import SharedFields
from fix_engine.session import Session
from fix_engine.states import State
from fix_engine.wire import Decoder, Garbled
from tests.sim.checker import Checker, app_body, tick_body
from tests.sim.durable import Durable, Numbered
from tests.sim.initiator import Initiator
from tests.sim.link import End, Link
from tests.sim.timeline import MILLISECOND, SECOND, Timeline, Trace

MSG_TYPE: Final = b"C"  # Email, which our dictionary does not restrict
_LONGEST_FILLING: Final = 120


class Fate(Enum):
    """Where in its next turn an end dies."""

    LIVES = "lives"
    BEFORE_COMMIT = "dies before the commit"
    AFTER_COMMIT = "dies after the commit"


class Line:
    """One connection as an end sees it."""

    __slots__ = ("decoder", "end", "is_closing", "out")

    def __init__(self, end: End) -> None:
        self.end = end
        self.decoder = Decoder()
        self.is_closing = False


@dataclass(slots=True)
class Surroundings:
    """What both ends share."""

    timeline: Timeline
    random: Random
    link: Link
    checker: Checker
    trace: Trace
    answers: float  # of the messages that an application is shown, it answers so many


Record = Send | Store | Transmit | Retransmit | Reset | Deliver | Numbered


class Node:
    """What acceptor and client have in common; see the module."""

    def __init__(self, name: str, around: Surroundings, make: Callable[[], Session]) -> None:
        self.name = name
        self.session = make()
        self.is_up = True
        self.fate = Fate.LIVES
        #: For tests of the checker: what becomes of each effect.
        self.tamper: Callable[[Effect], list[Effect]] | None = None
        self._around = around
        self._make = make
        self._arrow = "A>B" if name == "A" else "B>A"
        self.durable = Durable()
        self.ahead = 0  # how many numbers are reserved at a time, beyond the one that is needed
        self._epoch, self._sent = 1, 0
        self._ticks = 0  # of all epochs and lives
        self._numbered = self._noted_in = 0
        self._lines: list[Line] = []  # open ones, our own among them
        self._line: Line | None = None  # the one that the session is on
        self._batch: list[tuple[Record, int, Line | None]] = []
        self._closing: list[Line] = []
        self._wanted: Fetch | None = None
        self._is_online = False
        self._timer_at = 0

    # --- inputs: each is a turn ---------------------------------------------------------

    @property
    def now(self) -> int:
        """Our clock."""
        return self._around.timeline.now

    @property
    def has_line(self) -> bool:
        """Whether the session is on a connection."""
        return self._line is not None

    def send(self) -> None:
        """The application has something to say, whether or not the peer is there."""
        self._turn(self._send_next)

    def stream(self) -> None:
        """The application has something to say that is worth nothing later."""
        self._turn(lambda: self._stream_some(self._around.random.choice((1, 1, 5))))

    def logout(self) -> None:
        """The operator ends the session in good order."""
        self._turn(lambda: self.session.logout(b"enough", self.now))

    def crash(self, downtime: int) -> None:
        """Die between two turns, with all that is only in memory; come back in a while."""
        if self.is_up:
            self._die("dies", downtime)

    def data(self, line: Line, data: bytes) -> None:
        """Bytes have arrived."""
        self._turn(lambda: self._decode(line, data))

    def lost(self, line: Line, reason: str) -> None:
        """A connection is gone."""
        self._around.trace.note(f"{self.name} loses {line.end.cable.number}: {reason}")
        self._turn(lambda: self._forget(line, reason))

    def hold(self, end: End) -> Line:
        """Take up an end of a connection."""
        line = Line(end)
        self._lines.append(line)
        end.on_data = lambda data: self.data(line, data)
        end.on_lost = lambda reason: self.lost(line, reason)
        return line

    # --- a turn -------------------------------------------------------------------------

    def _turn(self, act: Callable[[], None]) -> None:
        if not self.is_up:
            return
        act()
        self.settle()
        if self._batch:
            dies = self.fate is not Fate.LIVES
            if self.fate is not Fate.BEFORE_COMMIT:
                self._commit(is_seen=not dies)
            if dies:
                self._die(self.fate.value, SECOND)
                return
        for line in self._closing:
            line.end.close()
            self._lines.remove(line)
        self._closing.clear()
        self._around.checker.check_session(self.name, self.session)
        self._set_timer()
        if self._wanted is not None:
            # In a turn of its own: what this one has sent is only now in the store.
            self._around.timeline.after(MILLISECOND // 10, lambda: self._turn(self._next_page))
        self.after_turn()

    def after_turn(self) -> None:
        """For the client, which connects again."""

    def settle(self) -> None:
        """Carry out the machine's effects, in order."""
        while effects := self.session.take_effects():
            for effect in effects:
                self._carry_out_all(effect)

    def _carry_out_all(self, effect: Effect) -> None:
        for true_effect in [effect] if self.tamper is None else self.tamper(effect):
            self._carry_out(true_effect)

    def _carry_out(self, effect: Effect) -> None:
        if isinstance(effect, Send | Store | Transmit | Retransmit | Reset | Deliver):
            if isinstance(effect, Deliver) and not self._is_online:
                self._around.checker.fail(f"{self.name} is shown a message with nobody there")
            if isinstance(effect, Reset):
                self._epoch, self._sent, self._wanted = self._epoch + 1, 0, None
                self._numbered = 0
            if isinstance(effect, Transmit):
                self._reserve(effect.seq)
            self._batch.append((effect, self.session.next_in, self._line))
            if isinstance(effect, Deliver) and self._around.random.random() < self._around.answers:
                self._answer()
        elif isinstance(effect, Fetch):
            self._wanted = effect
        elif isinstance(effect, Online | Offline):
            if self._is_online is isinstance(effect, Online):
                self._around.checker.fail(f"{self.name} hears twice: {effect}")
            self._is_online = not self._is_online
            self._around.trace.note(f"{self.name} {effect.__class__.__name__.lower()}")
            if not self._is_online and self._numbered >= self.session.next_out:
                self._note(self.session.next_out - 1)
        else:
            assert isinstance(effect, Disconnect)
            self._around.trace.note(f"{self.name} disconnects: {effect.reason}")
            self._wanted = None
            line, self._line = self._line, None
            if line is not None:
                self._close(line)

    def _reserve(self, seq: int) -> None:
        """As the endpoint does before a number is used that nothing stored will have."""
        if seq > self._numbered or self._noted_in != self.session.next_in:
            self._note(seq + self.ahead)

    def _note(self, numbered: int) -> None:
        self._numbered, self._noted_in = numbered, self.session.next_in
        self._batch.append((Numbered(numbered), self._noted_in, self._line))

    def _commit(self, is_seen: bool) -> None:
        """Make the turn durable, tell the checker, and write where the process still can."""
        checker, trace, durable = self._around.checker, self._around.trace, self.durable
        batch, self._batch = self._batch, []
        for effect, next_in, line in batch:
            if isinstance(effect, Send | Store):
                durable.store[effect.seq] = effect.raw
                checker.stored(self.name, effect.seq, effect.raw)
                if isinstance(effect, Store):
                    trace.note(f"{self.name} stores", effect.raw)
            elif isinstance(effect, Transmit):
                checker.streamed(self.name, effect.seq, effect.raw)
            elif isinstance(effect, Numbered):
                durable.numbered = effect.seq
            elif isinstance(effect, Reset):
                trace.note(f"{self.name} resets")
                durable.store.clear()
                durable.numbered = 0
                checker.reset(self.name)
            elif isinstance(effect, Deliver):
                trace.note(f"{self.name} is shown", effect.message.raw)
                checker.delivered(self.name, effect.message.raw)
            if not isinstance(effect, Retransmit | Transmit):
                durable.next_in = 1 if isinstance(effect, Reset) else next_in
                durable.epoch, durable.sent = self._epoch, self._sent
                durable.reset_pending = self.reset_pending
            if not is_seen or line is None:
                continue
            if isinstance(effect, Send | Transmit | Retransmit):
                trace.note(f"{self._arrow}", effect.raw)
                checker.wrote(self.name, line.end.cable.number, effect.raw)
                line.end.write(effect.raw)

    @property
    def reset_pending(self) -> bool:
        """Whether our reset still needs the peer's answer."""
        return isinstance(self.session, Initiator) and self.session.reset_pending

    # --- what the inputs do -------------------------------------------------------------

    def _send_next(self) -> None:
        if isinstance(self.session, Initiator) and self.session.awaits_reset:
            return  # a client waits for the answer before it goes on
        random = self._around.random
        self._sent += 1
        filling = b"x=" * random.randrange(_LONGEST_FILLING) if random.random() < 0.2 else b"x"
        self.session.send(MSG_TYPE, app_body(self._epoch, self._sent, filling), self.now)

    def _stream_some(self, count: int) -> None:
        if isinstance(self.session, Initiator) and self.session.awaits_reset:
            return
        for _ in range(count):
            self._ticks += 1
            shared = SharedFields.of(tick_body(self._epoch, self._ticks))
            self.session.stream(MSG_TYPE, b"", shared, self.now)

    def _answer(self) -> None:
        """By a message, or by one that is not stored."""
        if self._around.random.random() < 0.5:
            self._send_next()
        else:
            self._stream_some(1)

    def _decode(self, line: Line, data: bytes) -> None:
        for item in line.decoder.feed(data):
            if line.is_closing:
                return
            if isinstance(item, Garbled):
                self.garbled(line, item)
            elif self.attached(line, item):
                # As endpoints do it, or by effects alone: both must come to the same.
                if self._around.random.random() < 0.5:
                    self.session.receive(item, self.now)
                elif self.session.accept(item, self.now):
                    self._carry_out_all(Deliver(item))
                self.settle()

    def attached(self, line: Line, first: Message) -> bool:
        """Whether this connection is the session's, or becomes so by its first message."""
        return line is self._line

    def garbled(self, line: Line, item: Garbled) -> None:
        """Ignored, unless the stream cannot go on."""
        self._around.trace.note(f"{self.name} ignores: {item.reason}")
        if item.fatal:
            self.session.logout(item.reason.encode("latin-1"), self.now)
            self.settle()

    def _forget(self, line: Line, reason: str) -> None:
        if line.is_closing:
            return
        line.is_closing = True
        self._lines.remove(line)
        if line is self._line:
            self._line = None
            self.session.disconnected(reason)

    def _close(self, line: Line) -> None:
        """At the end of the turn, when what is waiting has been written."""
        if not line.is_closing:
            line.is_closing = True
            self._closing.append(line)

    def _next_page(self) -> None:
        wanted, self._wanted = self._wanted, None
        if wanted is not None and self._line is not None:
            numbers = range(wanted.begin, wanted.end + 1)
            store = self.durable.store
            found = [(n, store[n]) for n in numbers if n in store]
            self.session.replay(found[: wanted.at_most], self.now)

    def _set_timer(self) -> None:
        due = self.session.deadline()
        if due is not None and (not self._timer_at or due < self._timer_at):
            self._timer_at = due
            self._around.timeline.after(max(due - self.now, 0), lambda: self._timeout(due))

    def _timeout(self, due: int) -> None:
        if due == self._timer_at:
            self._timer_at = 0
            self._turn(lambda: self.session.timeout(self.now))

    # --- death and resurrection ---------------------------------------------------------

    def _die(self, how: str, downtime: int) -> None:
        self._around.trace.note(f"{self.name} {how}")
        self._around.checker.died(self.name)
        self.is_up, self.fate = False, Fate.LIVES
        for line in self._lines:
            line.is_closing = True
            self._around.link.abandon(line.end)
        self._lines.clear()
        self._closing.clear()
        self._batch.clear()
        self._line = self._wanted = None
        self._is_online = False
        self._timer_at = 0
        self._around.timeline.after(downtime, self._resume)

    def _resume(self) -> None:
        durable = self.durable
        self._around.trace.note(f"{self.name} is back, expects {durable.next_in}")
        self.is_up = True
        self.session = self._make()
        next_out = max(max(durable.store, default=0), durable.numbered) + 1
        self.session.resume(durable.next_in, next_out)
        self._numbered, self._noted_in = durable.numbered, 0
        if isinstance(self.session, Initiator):
            self.session.reset_pending = durable.reset_pending
        self._epoch, self._sent = durable.epoch, durable.sent
        self.after_turn()


class Server(Node):
    """The acceptor: connections come to it, and the first message says whose they are."""

    def accept(self, end: End) -> None:
        """A connection is made; one that says nothing is closed."""
        if not self.is_up:
            end.close()
            return
        line = self.hold(end)
        wait = self.session.settings.logon_timeout_ns
        self._around.timeline.after(wait, lambda: self._turn(lambda: self._no_logon(line)))

    def attached(self, line: Line, first: Message) -> bool:
        """As sessions/registry.py has it: a Logon, and nobody else there."""
        if line is self._line:
            return True
        if first.msg_type != b"A" or self._line is not None:
            why = "logged on already" if self._line is not None else "no Logon"
            self._around.trace.note(f"B refuses {line.end.cable.number}: {why}")
            self._close(line)
            return False
        self._line = line
        self.session.connected(self.now)
        return True

    def garbled(self, line: Line, item: Garbled) -> None:
        """Before the Logon it ends the matter."""
        if line is self._line:
            super().garbled(line, item)
        else:
            self._close(line)

    def _no_logon(self, line: Line) -> None:
        if line is not self._line and line in self._lines:
            self._close(line)


class Client(Node):
    """The initiator: connects, and connects again, until it is told to stay away."""

    def __init__(
        self,
        around: Surroundings,
        make: Callable[[], Session],
        heartbeat_s: int,
    ) -> None:
        super().__init__("A", around, make)
        self.stays_away = False
        self._heartbeat_s = heartbeat_s
        self._wants_reset = False
        self._will_connect = False

    @property
    def engine(self) -> Initiator:
        """The session, with what only clients do."""
        assert isinstance(self.session, Initiator)
        return self.session

    def after_turn(self) -> None:
        """Connect again in a while."""
        is_away = self.session.state is State.DISCONNECTED
        if is_away and not self.stays_away and not self._will_connect:
            self._will_connect = True
            wait = int(self._around.random.random() ** 2 * SECOND)
            self._around.timeline.after(wait, self._reconnect)

    def abandon(self) -> None:
        """Close the connection without a word, though all may be well."""
        line = self._line
        if line is not None:
            self._around.trace.note("A hangs up")
            self._turn(lambda: self._hang_up("hung up"))

    def reset(self, in_session: bool) -> None:
        """Begin both sequences again: now, on the live session, or with the next Logon."""
        if in_session and self.session.state is State.ACTIVE and not self.engine.awaits_reset:
            self._turn(self._reset_in_session)
        else:
            self._wants_reset = True
            self.abandon()

    def nag(self) -> None:
        """Ask for the same again and again."""
        if self.session.state is State.ACTIVE and not self.engine.awaits_reset:
            self._turn(lambda: self.engine.nag(self.now))

    def _reconnect(self) -> None:
        self._will_connect = False
        self._turn(self._connect)

    def _connect(self) -> None:
        if self.session.state is not State.DISCONNECTED or self.stays_away:
            return
        self._line = self.hold(self._around.link.connect())
        reset = self._wants_reset or self.engine.reset_pending
        self._wants_reset = False
        self.session.initiate(self._heartbeat_s, self.now, reset)

    def _hang_up(self, reason: str) -> None:
        line, self._line = self._line, None
        if line is not None:
            self._close(line)
            self.session.disconnected(reason)

    def _reset_in_session(self) -> None:
        self.engine.reset_in_session(self.now)
        patience = self.session.settings.logon_timeout_ns
        engine = self.engine
        self._around.timeline.after(patience, lambda: self._give_up(engine))

    def _give_up(self, engine: Initiator) -> None:
        """The reset was not answered in time, perhaps not even understood: by Logon, then."""
        if engine is self.session and engine.awaits_reset:
            self.abandon()
