"""The order path in process, stage by stage and whole: crossing limit orders, each one filled.

Every stage is fed with what the stage before it produced, so that the figures add up to the whole,
but for the glue between them. CPU time of the thread (the journal has another); median of several
rounds. What cannot be had alone is a difference: framing without the CheckSum, the session machine
without validation.
"""

from __future__ import annotations

import logging
import socket
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from bench.load import order_messages
from bench.rounds import Spread, spread
from config.settings import Settings
from exchange.commands import SetRules
from exchange.reports import ReportEncoder
from exchange.requests import RequestParser
from exchange.service import calm_garbage_collection, make_rules, make_venue
from exchange.venue import Venue
from fix_engine.dictionary import Dictionary
from fix_engine.logon import SessionSettings
from fix_engine.message import Message
from fix_engine.session import Session
from fix_engine.timestamps import Precision
from fix_engine.validation import Validator
from fix_engine.wire import Decoder, checksum, encode
from sessions.endpoint import Endpoint
from sessions.journal import Durability, Journal, Kind
from sessions.registry import Admission, Registry
from sessions.telemetry import configure_logging
from sessions.turn import Turn

SETTINGS = SessionSettings(b"SEAMARK", b"LOAD1")
CHUNK_MESSAGES = 64  # what a busy socket delivers at a time
WHOLE: Final = "the whole path, sockets excluded"
GLUE: Final = "glue between them"
_READ, _WRITE = "read from the socket, 64 at once", "write to the socket, 64 at once"
_DECODE, _RECEIVE = "decode", "receive"  # whole stages, of which a part is measured alone


@dataclass(slots=True)
class Stage:
    """CPU nanoseconds per order of one stage, a figure for each round."""

    name: str
    rounds: list[float] = field(default_factory=list)

    @property
    def spread_us(self) -> Spread:
        """Microseconds per order."""
        return spread([figure / 1_000 for figure in self.rounds])


class OrderPath:
    """The parts of a venue, to be timed one by one or together."""

    def __init__(
        self,
        dictionary: Dictionary,
        orders: int,
        clock: Callable[[], int] = time.thread_time_ns,
    ) -> None:
        """`clock` is read before a stage and behind it, and nowhere else."""
        self.orders = orders
        self._clock = clock
        self.rules = make_rules(Settings())
        self.validator = Validator(dictionary)
        self.stages: dict[str, Stage] = {}
        logon = Decoder().feed(order_messages(1, 0, "cross", logon=True)[0])[0]
        assert isinstance(logon, Message)
        self.logon = logon
        raw = order_messages(1, orders, "cross")
        self.chunks = [
            b"".join(raw[at : at + CHUNK_MESSAGES]) for at in range(0, orders, CHUNK_MESSAGES)
        ]

    def round(self) -> None:
        """Time every stage once, over all orders."""
        sent = self.stage_by_stage()
        each = CHUNK_MESSAGES * len(sent) // self.orders
        out = [b"".join(sent[at : at + each]) for at in range(0, len(sent), each)]
        reading, _ = self._through_a_socket(self.chunks)
        _, writing = self._through_a_socket(out)
        for name, taken in ((_READ, reading), (_WRITE, writing)):
            self._stage(name).rounds.append(taken / self.orders)
        self.whole()

    def stage_by_stage(self) -> list[bytes]:
        """Time every stage alone but the sockets; what is sent."""
        messages: list[Message] = []
        decoder = Decoder()
        with self._timed(_DECODE):
            for chunk in self.chunks:
                messages += decoder.feed(chunk)  # type: ignore[arg-type]
        with self._timed("verify the CheckSum"):
            for message in messages:
                raw = message.raw
                assert checksum(raw[:-7]) == int(raw[-4:-1])
        with self._timed("validate"):
            for message in messages:
                self.validator.check(message)
        session, now = self._session()
        with self._timed(_RECEIVE):
            for message in messages:
                session.accept(message, now)
        venue = Venue()
        venue.apply(1, now, SetRules(self.rules))
        parser = RequestParser(venue.state.listing.tradable)
        with self._timed("parse to a command"):
            commands = [parser.parse(1, message) for message in messages]
        with self._timed("execute"):
            events = [venue.apply(place, now, command) for place, command in enumerate(commands, 2)]
        encoder = ReportEncoder(Precision.MILLISECONDS, {})
        with self._timed("report"):
            bodies = [
                encoder.encode(event, place, now)[1]
                for place, group in enumerate(events, 2)
                for event in group
            ]
        with self._timed("number and frame"):
            for body in bodies:
                session.number(b"8", body, now)
        sent = [encode(b"35=8\x01" + body) for body in bodies]
        self._journal(messages, sent, now)
        return sent

    def _through_a_socket(self, chunks: Sequence[bytes]) -> tuple[int, int]:
        """CPU nanoseconds that reading them took, and writing."""
        listener = socket.create_server(("127.0.0.1", 0))
        with listener, socket.create_connection(listener.getsockname()) as ours:
            theirs, _ = listener.accept()
            reading = writing = 0
            with theirs:
                for chunk in chunks:
                    begun = time.thread_time_ns()
                    ours.sendall(chunk)
                    written = time.thread_time_ns()
                    writing += written - begun
                    left = len(chunk)
                    while left:
                        left -= len(theirs.recv(1 << 18))
                    reading += time.thread_time_ns() - written
        return reading, writing

    def _journal(self, messages: list[Message], sent: list[bytes], now: int) -> None:
        each = len(sent) / len(messages)
        with tempfile.TemporaryDirectory() as directory:
            journal = Journal(Path(directory), Durability.OS)
            with self._timed("journal"):
                done = 0
                command, report = Kind.COMMAND, Kind.SENT
                for place, message in enumerate(messages, 1):
                    journal.add(command, 1, place, place + 1, message.raw)
                    while done < place * each:
                        journal.add(report, 1, done + 1, place + 1, sent[done])
                        done += 1
                    if place % CHUNK_MESSAGES == 0:
                        journal.commit(now)
                journal.commit(now)
            journal.close()

    def whole(self) -> None:
        """Time the parts together."""
        now = time.time_ns()
        with tempfile.TemporaryDirectory() as directory:
            journal = Journal(Path(directory), Durability.OS)
            turn = Turn(journal, lambda: now, lambda close: None, lambda error: None)
            sequencer = make_venue(self.rules, journal, turn, call_later=never)
            registry = Registry(Admission(SETTINGS), self.validator, journal, turn, sequencer)
            sequencer.on_started(registry.peers)
            endpoint = registry.claim(self.logon)
            assert isinstance(endpoint, Endpoint)
            endpoint.session.connected(now)
            endpoint.session.receive(self.logon, now)
            endpoint.settle()
            decoder = Decoder()
            with self._timed(WHOLE):
                for chunk in self.chunks:
                    turn.open()
                    for message in decoder.feed(chunk):
                        endpoint.receive(message, now)  # type: ignore[arg-type]
                    turn.close()
            journal.close()

    def _session(self) -> tuple[Session, int]:
        now = time.time_ns()
        session = Session(SETTINGS, self.validator)
        session.connected(now)
        session.receive(self.logon, now)
        session.take_effects()
        return session, now

    def _stage(self, name: str) -> Stage:
        return self.stages.setdefault(name, Stage(name))

    def _timed(self, name: str) -> _Timer:
        return _Timer(self._stage(name), self.orders, self._clock)


def never(_delay_s: float, _callback: Callable[[], None]) -> None:
    """For a venue without an event loop, whose market data nobody reads."""


class _Timer:
    """Adds the CPU time of a with-block to a stage."""

    def __init__(self, stage: Stage, orders: int, clock: Callable[[], int]) -> None:
        self._stage = stage
        self._orders = orders
        self._clock = clock
        self._started = 0

    def __enter__(self) -> None:
        self._started = self._clock()

    def __exit__(self, *_: object) -> None:
        self._stage.rounds.append((self._clock() - self._started) / self._orders)


def measure(dictionary: Dictionary, orders: int, rounds: int) -> list[Stage]:
    """Every stage, over so many rounds after one to warm up; collector and log as in service."""
    configure_logging(logging.WARNING)
    calm_garbage_collection()
    path = OrderPath(dictionary, orders)
    path.round()
    for stage in path.stages.values():
        stage.rounds.clear()
    for _ in range(rounds):
        path.round()
    return in_order(path.stages)


def in_order(stages: dict[str, Stage]) -> list[Stage]:
    """Parts that add up to the whole, round by round, in the order of the path; sockets last."""
    verify, validate, whole = (stages[one] for one in ("verify the CheckSum", "validate", WHOLE))
    frame = Stage("frame and split", _without(stages[_DECODE], verify))
    machine = Stage("session machine", _without(stages[_RECEIVE], validate))
    parts = [frame, verify, validate, machine]
    parts += [
        stages[name]
        for name in ("parse to a command", "execute", "report", "number and frame", "journal")
    ]
    glue = Stage(GLUE, _without(whole, *parts))
    return [*parts, glue, whole, *(stages[one] for one in (_READ, _WRITE) if one in stages)]


def _without(whole: Stage, *parts: Stage) -> list[float]:
    return [
        figure - sum(one.rounds[number] for one in parts)
        for number, figure in enumerate(whole.rounds)
    ]
