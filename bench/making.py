"""A long journal, made in process: what a venue writes, without sockets and without waiting.

Messages go through sessions and sequencer as if they had come by TCP, so that the journal holds
exactly what its inputs bring about, and `seamark journal verify` agrees. Time is virtual.
"""

from __future__ import annotations

import json
import logging
import random
import subprocess
import sys
import time
from collections import deque
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from importlib.resources import files
from itertools import cycle
from pathlib import Path
from typing import Final

from bench.journals import journal_bytes
from bench.report import console
from config.settings import Settings
from exchange.sequencer import Sequencer
from exchange.service import calm_garbage_collection, make_rules
from fix_engine.dictionary import Dictionary
from fix_engine.logon import SessionSettings
from fix_engine.message import Message
from fix_engine.timestamps import TimestampFormatter
from fix_engine.validation import Validator
from fix_engine.wire import Decoder, encode
from sessions.endpoint import Endpoint
from sessions.journal import Durability, Journal
from sessions.registry import Admission, Registry
from sessions.snapshot import write_snapshot
from sessions.telemetry import configure_logging
from sessions.turn import Turn

NOTE: Final = "bench.json"
_PRICE, _LEVELS = 65_000, 50
_RESTING_SHARE: Final = 0.3  # of new orders; they are cancelled later, the others trade
_OPEN_ORDERS: Final = 1_000  # of each session
_MOST_IN_A_TURN: Final = 32
_TURN_NS: Final = 1_000_000
_NS_A_MESSAGE: Final = 100_000  # more than the virtual time that one takes
_TELL_EVERY_S: Final = 5.0


@dataclass(slots=True)
class Made:
    """What a journal was asked to be, and is; `behind` are the messages after its snapshots."""

    messages: int
    sessions: int
    behind: int
    inputs: int = 0
    batches: int = 0
    open_orders: int = 0
    bytes: int = 0
    seconds: float = 0.0


class Trader:
    """One client: orders that trade, orders that rest for a while, and their cancels."""

    def __init__(self, number: int, chance: random.Random) -> None:
        self.comp_id = b"MAKER%d" % number
        self.seq = 0
        self._chance = chance
        self._names = 0
        self._resting: deque[tuple[bytes, int]] = deque()  # ClOrdID and side, oldest first

    def message(self, msg_type: bytes, body: bytes, now: bytes) -> bytes:
        """Number and frame."""
        self.seq += 1
        head = b"35=%b\x0134=%d\x0149=%b\x0152=%b\x0156=SEAMARK\x01"
        return encode(head % (msg_type, self.seq, self.comp_id, now) + body)

    def request(self, crossing: Iterator[int], now: bytes) -> bytes:
        """The next order or cancel; sides of orders that trade alternate among all traders."""
        if len(self._resting) > _OPEN_ORDERS:
            name, side = self._resting.popleft()
            return self.message(
                b"F", b"11=%bc\x0141=%b\x01%b" % (name, name, _known(side, now)), now
            )
        self._names += 1
        name = b"%b-%d" % (self.comp_id, self._names)
        if self._chance.random() < _RESTING_SHARE:
            side = self._chance.choice((1, 2))
            away = self._chance.randint(1, _LEVELS)
            price = _PRICE - away if side == 1 else _PRICE + away
            self._resting.append((name, side))
        else:
            side, price = next(crossing), _PRICE
        body = b"11=%b\x01%b40=2\x0144=%d\x0159=1\x01" % (name, _known(side, now), price)
        return self.message(b"D", body, now)


def _known(side: int, now: bytes) -> bytes:
    return b"55=BTC/USD\x0154=%d\x0160=%b\x0138=1\x01" % (side, now)


class _House:
    """A venue without sockets, whose clock is `now`."""

    def __init__(self, directory: Path, traders: list[Trader], now: int) -> None:
        self.now = now
        self.batches = 0
        self.directory = directory
        self.journal = Journal(directory, Durability.OS)
        self.turn = Turn(self.journal, lambda: self.now, lambda close: None, _give_up)
        self.sequencer = Sequencer(make_rules(Settings()), self.journal, self.turn)
        dictionary = Dictionary((files("specs") / "FIX44.xml").read_bytes())
        self.registry = Registry(
            Admission(SessionSettings(b"SEAMARK", b"")),
            Validator(dictionary),
            self.journal,
            self.turn,
            self.sequencer,
        )
        self.registry.recover()
        self.sequencer.on_started(self.registry.peers)
        self._formatter = TimestampFormatter()
        self._decoder = Decoder()
        self._endpoints = [self._logged_on(trader) for trader in traders]
        self._traders = traders
        self._crossing = cycle((1, 2))  # buy and sell: each pair trades
        self._end_turn()

    def _logged_on(self, trader: Trader) -> Endpoint:
        time_text = self._formatter.format(self.now)
        raw = trader.message(b"A", b"98=0\x01108=30\x01141=Y\x01", time_text)
        logon = self._decoder.feed(raw)[0]
        assert isinstance(logon, Message)
        endpoint = self.registry.claim(logon)
        assert isinstance(endpoint, Endpoint), endpoint
        endpoint.session.connected(self.turn.open())
        endpoint.receive(logon, self.now)
        return endpoint

    def messages(self) -> int:
        """In the journal so far, in both directions."""
        return self.journal.position + sum(one.sent.table.last_seq for one in self._endpoints)

    def trade(self, chance: random.Random) -> None:
        """One turn: what one session, or some, have sent in the meantime."""
        now, time_text = self.turn.open(), self._formatter.format(self.now)
        several = min(chance.choice((1, 1, 2)), len(self._traders))
        for index in chance.sample(range(len(self._traders)), several):
            trader, endpoint = self._traders[index], self._endpoints[index]
            count = min(_MOST_IN_A_TURN, int(chance.expovariate(1 / 6)) + 1)
            raw = [trader.request(self._crossing, time_text) for _ in range(count)]
            for message in self._decoder.feed(b"".join(raw)):
                assert isinstance(message, Message), message
                endpoint.receive(message, now)
        self._end_turn()

    def _end_turn(self) -> None:
        self.turn.close()
        self.batches += 1
        self.now += _TURN_NS

    def keep_snapshot(self) -> None:
        """As a venue does when it closes."""
        self.journal.sync()
        write_snapshot(self.directory, self.registry.snapshot())

    def close(self) -> None:
        """Everybody goes, a last snapshot is written."""
        for endpoint in self._endpoints:
            self.turn.open()
            endpoint.session.disconnected("the end")
            endpoint.settle()
        self._end_turn()
        self.keep_snapshot()
        self.journal.close()


def _give_up(error: Exception) -> None:
    raise error


def have_journal(directory: Path, wanted: Made) -> Made:
    """A journal of so many messages, with a snapshot at its end and one before; or the one there.

    It is made in a process of its own, whose memory must not be there when others are measured.
    """
    note = directory / NOTE
    if note.exists():
        found = Made(**json.loads(note.read_text()))
        if (found.messages, found.sessions, found.behind) == _asked(wanted):
            console.print(f"Using the journal of {found.messages:,} messages in {directory}.")
            return found
        sys.exit(f"{directory} holds another journal ({note}); choose another --data")
    if directory.exists() and any(directory.iterdir()):
        sys.exit(f"{directory} holds something else; choose another --data")
    command = [sys.executable, "-m", "bench.making", str(directory), *map(str, _asked(wanted))]
    if subprocess.run(command, check=False).returncode:
        sys.exit("the journal could not be made")
    return Made(**json.loads(note.read_text()))


def make_journal(directory: Path, wanted: Made, seed: int = 1) -> None:
    """Make it, and leave a note in the directory, by which it is known again."""
    chance = random.Random(seed)
    traders = [Trader(number, chance) for number in range(1, wanted.sessions + 1)]
    started = time.perf_counter()
    house = _House(directory, traders, time.time_ns() - wanted.messages * _NS_A_MESSAGE)
    _fill(house, chance, wanted.messages - wanted.behind, wanted.messages)
    house.keep_snapshot()
    _fill(house, chance, wanted.messages, wanted.messages)
    open_orders = house.sequencer.venue.open_orders()
    house.close()
    made = Made(
        *_asked(wanted),
        house.journal.position,
        house.batches,
        open_orders,
        journal_bytes(directory),
        round(time.perf_counter() - started, 1),
    )
    (directory / NOTE).write_text(json.dumps(asdict(made)) + "\n")


def _asked(made: Made) -> tuple[int, int, int]:
    return made.messages, made.sessions, made.behind


def _fill(house: _House, chance: random.Random, until: int, whole: int) -> None:
    started = told = time.perf_counter()
    first = house.messages()
    while (done := house.messages()) < until:
        house.trade(chance)
        now = time.perf_counter()
        if now - told >= _TELL_EVERY_S:
            told = now
            left = (now - started) * (until - done) / max(done - first, 1)
            console.print(f"  {done:,} of {whole:,} messages, {left:,.0f} s left")


if __name__ == "__main__":
    configure_logging(logging.WARNING)
    calm_garbage_collection()
    make_journal(Path(sys.argv[1]), Made(*map(int, sys.argv[2:])))
