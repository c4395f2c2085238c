"""What an order costs in a venue that has grown: KIND SIZE, in a process of its own.

`python -m bench.growth sessions 10000` prints, as JSON, the CPU time of an order in each of some
rounds, and what has come into memory for each unit of the size. No sockets: as in order_path.
"""

from __future__ import annotations

import gc
import json
import logging
import os
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from decimal import Decimal
from functools import partial
from importlib.resources import files
from itertools import count, cycle
from pathlib import Path
from typing import Any, Final

from bench.order_path import CHUNK_MESSAGES, never
from bench.venue import resident_bytes
from config.settings import Instrument, Settings
from exchange.service import calm_garbage_collection, make_rules, make_venue
from fix_engine.dictionary import Dictionary
from fix_engine.logon import SessionSettings
from fix_engine.message import Message
from fix_engine.timestamps import TimestampFormatter
from fix_engine.validation import Validator
from fix_engine.wire import Decoder, encode
from sessions.endpoint import Endpoint
from sessions.journal import Durability, Journal
from sessions.registry import Admission, Registry
from sessions.telemetry import configure_logging
from sessions.turn import Turn

KINDS: Final = ("sessions", "resting", "instruments", "age", "stored")
_PRICE, _LEVELS = 65_000, 1_000
_ORDERS: Final = 4_096  # of each round
_ROUNDS: Final = 5


class Floor:
    """A venue without sockets; a turn has 64 messages, each decoded alone."""

    def __init__(self, directory: Path, sessions: int, instruments: int) -> None:
        self._now = time.time_ns()
        self._time = TimestampFormatter().format(self._now)
        self._journal = Journal(directory, Durability.OS)
        self.turn = Turn(self._journal, lambda: self._now, lambda close: None, _give_up)
        settings = Settings(instruments=tuple(map(_instrument, range(instruments))))
        venue = make_venue(make_rules(settings), self._journal, self.turn, call_later=never)
        dictionary = Dictionary((files("specs") / "FIX44.xml").read_bytes())
        self._registry = Registry(
            Admission(SessionSettings(b"SEAMARK", b"")),
            Validator(dictionary),
            self._journal,
            self.turn,
            venue,
        )
        venue.on_started(self._registry.peers)
        self._decoders: list[Decoder] = []
        self.endpoints: list[Endpoint] = []
        self._seqs: list[int] = []
        self._names = count(1)
        before = _resident()
        for number in range(sessions):
            self._log_on(number)
        self.session_bytes = (_resident() - before) / sessions

    def _log_on(self, number: int) -> None:
        self._seqs.append(0)
        decoder = Decoder()
        logon = decoder.feed(self._message(number, b"A", b"98=0\x01108=600\x01141=Y\x01"))[0]
        assert isinstance(logon, Message)
        now = self.turn.open()
        endpoint = self._registry.claim(logon)
        assert isinstance(endpoint, Endpoint)
        endpoint.session.connected(now)
        endpoint.receive(logon, now)
        self.turn.close()
        self._decoders.append(decoder)
        self.endpoints.append(endpoint)

    def _message(self, number: int, msg_type: bytes, body: bytes) -> bytes:
        self._seqs[number] += 1
        head = b"35=%b\x0134=%d\x0149=GROW%d\x0152=%b\x0156=SEAMARK\x01"
        return encode(head % (msg_type, self._seqs[number], number, self._time) + body)

    def order(self, number: int, instrument: int, side: int, price: int) -> tuple[int, bytes]:
        """The session, and what it sends."""
        body = b"11=%d\x0155=I%d\x0154=%d\x0160=%b\x0138=1\x0140=2\x0144=%d\x0159=1\x01"
        fields = next(self._names), instrument, side, self._time, price
        return number, self._message(number, b"D", body % fields)

    def trade(self, requests: list[tuple[int, bytes]]) -> float:
        """CPU microseconds for each of the requests."""
        started = time.process_time_ns()
        for turn in self.turns_of(requests):
            turn()
        return (time.process_time_ns() - started) / 1_000 / len(requests)

    def turns_of(self, requests: list[tuple[int, bytes]]) -> Iterator[Callable[[], None]]:
        """What carries the requests out, turn by turn."""
        for at in range(0, len(requests), CHUNK_MESSAGES):
            yield partial(self._turn, requests[at : at + CHUNK_MESSAGES])

    def _turn(self, requests: list[tuple[int, bytes]]) -> None:
        decoders, endpoints, turn, now = self._decoders, self.endpoints, self.turn, self._now
        turn.open()
        for number, raw in requests:
            for message in decoders[number].feed(raw):
                endpoints[number].receive(message, now)  # type: ignore[arg-type]
        turn.close()


def grow(kind: str, size: int, directory: Path) -> dict[str, Any]:
    """Make a venue of that size; what an order costs in it, and the unit of the size weighs."""
    floor = Floor(
        directory,
        size if kind == "sessions" else 8,
        size if kind == "instruments" else 1,
    )
    instruments = size if kind == "instruments" else 1
    before, bytes_each = _resident(), 0.0
    if kind == "sessions":
        bytes_each = floor.session_bytes
    elif kind == "resting":
        _in_portions(size, lambda some: _trade(floor, resting(floor, some)))
        bytes_each = (_resident() - before) / size
    elif kind == "age":
        _in_portions(size, lambda some: _trade(floor, crossing(floor, some, instruments)))
        bytes_each = (_resident() - before) / size
    elif kind == "stored":
        _in_portions(size, lambda some: _tell(floor, some))
        bytes_each = (_resident() - before) / size
    calm_garbage_collection()
    _trade(floor, crossing(floor, _ORDERS, instruments))
    rounds = [_trade(floor, crossing(floor, _ORDERS, instruments)) for _ in range(_ROUNDS)]
    return {"us": [round(one, 2) for one in rounds], "bytes": round(bytes_each)}


def _trade(floor: Floor, requests: list[tuple[int, bytes]]) -> float:
    return floor.trade(requests)


def crossing(floor: Floor, orders: int, instruments: int) -> list[tuple[int, bytes]]:
    """Pairs that trade: sessions and instruments take turns."""
    sessions = cycle(range(len(floor.endpoints)))
    return [
        floor.order(next(sessions), (n // 2) % instruments, 1 + n % 2, _PRICE)
        for n in range(orders)
    ]


def resting(floor: Floor, orders: int) -> list[tuple[int, bytes]]:
    """On both sides of what trades, over many prices."""
    sessions = cycle(range(len(floor.endpoints)))
    out = []
    for n in range(orders):
        away = n * 7919 % _LEVELS + 1
        side, price = (1, _PRICE - away) if n % 2 else (2, _PRICE + away)
        out.append(floor.order(next(sessions), 0, side, price))
    return out


def _tell(floor: Floor, messages: int) -> None:
    """Application messages to the sessions, stored and nothing else."""
    sessions = cycle(floor.endpoints)
    for n in range(messages):
        floor.turn.open()
        next(sessions).send(b"B", b"148=a headline as long as some reports are, or nearly\x01")
        if n % CHUNK_MESSAGES == CHUNK_MESSAGES - 1:
            floor.turn.close()
    floor.turn.close()


def _in_portions(size: int, do: Callable[[int], object]) -> None:
    for portion in _portions(size, 8_192):
        do(portion)


def _portions(size: int, most: int) -> Iterator[int]:
    while size > 0:
        yield min(size, most)
        size -= most


def _instrument(number: int) -> Instrument:
    return Instrument(
        symbol=f"I{number}",
        currency="USD",
        tick=Decimal("0.1"),
        lot=Decimal("0.00000001"),
        min_quantity=Decimal("0.0001"),
        max_quantity=Decimal(10_000),
    )


def _resident() -> int:
    gc.collect()
    return resident_bytes(os.getpid())


def _give_up(error: Exception) -> None:
    raise error


def main(kind: str, size: int) -> None:
    """Print it."""
    configure_logging(logging.WARNING)
    calm_garbage_collection()
    with tempfile.TemporaryDirectory() as directory:
        print(json.dumps(grow(kind, size, Path(directory))))


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
