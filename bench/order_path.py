"""The order path in process, stage by stage and whole: crossing limit orders, each one filled.

Every stage is fed with what the stage before it produced, so that the figures add up to the whole,
but for the glue between them. CPU time of this process, median of several rounds.
"""

from __future__ import annotations

import logging
import statistics
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

from bench.load import order_messages
from config.settings import Settings
from exchange.commands import SetRules
from exchange.reports import ReportEncoder
from exchange.requests import RequestParser
from exchange.sequencer import Sequencer
from exchange.service import calm_garbage_collection, make_rules
from exchange.venue import Venue
from fix_engine.dictionary import Dictionary
from fix_engine.logon import SessionSettings
from fix_engine.message import Message
from fix_engine.session import Session
from fix_engine.timestamps import Precision
from fix_engine.validation import Validator
from fix_engine.wire import Decoder, encode
from sessions.endpoint import Endpoint
from sessions.journal import Durability, Journal, Kind
from sessions.registry import Admission, Registry
from sessions.telemetry import configure_logging
from sessions.turn import Turn

SETTINGS = SessionSettings(b"SEAMARK", b"LOAD1")
CHUNK_MESSAGES = 64  # what a busy socket delivers at a time


@dataclass(slots=True)
class Stage:
    """CPU nanoseconds per order of one stage, a figure for each round."""

    name: str
    rounds: list[float] = field(default_factory=list)

    @property
    def median_us(self) -> float:
        """Microseconds per order."""
        return statistics.median(self.rounds) / 1_000


class OrderPath:
    """The parts of a venue, to be timed one by one or together."""

    def __init__(self, dictionary: Dictionary, orders: int) -> None:
        self.orders = orders
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
        messages: list[Message] = []
        decoder = Decoder()
        with self._timed("frame, check, split"):
            for chunk in self.chunks:
                messages += decoder.feed(chunk)  # type: ignore[arg-type]
        with self._timed("validate"):
            for message in messages:
                self.validator.check(message)
        session, now = self._session()
        with self._timed("session machine, with validation"):
            for message in messages:
                session.receive(message, now)
                session.take_effects()
        venue = Venue()
        venue.apply(1, now, SetRules(self.rules))
        parser = RequestParser(venue.state.listing.tradable)
        with self._timed("parse to command"):
            commands = [parser.parse(1, message) for message in messages]
        with self._timed("execute"):
            events = [venue.apply(place, now, command) for place, command in enumerate(commands, 2)]
        encoder = ReportEncoder(Precision.MILLISECONDS, {})
        with self._timed("encode reports"):
            bodies = [
                encoder.encode(event, place, now)[1]
                for place, group in enumerate(events, 2)
                for event in group
            ]
        with self._timed("number and frame reports"):
            for body in bodies:
                session.send(b"8", body, now)
        self._journal(messages, bodies, now)
        self._whole()

    def _journal(self, messages: list[Message], bodies: list[bytes], now: int) -> None:
        sent = [encode(b"35=8\x01" + body) for body in bodies]
        each = len(sent) / len(messages)
        with tempfile.TemporaryDirectory() as directory:
            journal = Journal(Path(directory), Durability.OS)
            with self._timed("journal"):
                done = 0
                for place, message in enumerate(messages, 1):
                    journal.add(Kind.COMMAND, 1, place, place + 1, message.raw)
                    while done < place * each:
                        journal.add(Kind.SENT, 1, done + 1, place + 1, sent[done])
                        done += 1
                    if place % CHUNK_MESSAGES == 0:
                        journal.commit(now)
                journal.commit(now)
            journal.close()

    def _whole(self) -> None:
        now = time.time_ns()
        with tempfile.TemporaryDirectory() as directory:
            journal = Journal(Path(directory), Durability.OS)
            turn = Turn(journal, lambda: now, lambda close: None, lambda error: None)
            sequencer = Sequencer(self.rules, journal, turn)
            registry = Registry(Admission(SETTINGS), self.validator, journal, turn, sequencer)
            sequencer.on_started(registry.peers)
            endpoint = registry.claim(self.logon)
            assert isinstance(endpoint, Endpoint)
            endpoint.session.connected(now)
            endpoint.session.receive(self.logon, now)
            endpoint.settle()
            decoder = Decoder()
            with self._timed("whole path, sockets excluded"):
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

    def _timed(self, name: str) -> _Timer:
        return _Timer(self.stages.setdefault(name, Stage(name)), self.orders)


class _Timer:
    """Adds the CPU time of a with-block to a stage."""

    def __init__(self, stage: Stage, orders: int) -> None:
        self._stage = stage
        self._orders = orders
        self._started = 0

    def __enter__(self) -> None:
        self._started = time.process_time_ns()

    def __exit__(self, *_: object) -> None:
        self._stage.rounds.append((time.process_time_ns() - self._started) / self._orders)


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
    return list(path.stages.values())
