"""Journals to read: days of trading in process, and copies of them in which something is wrong."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from typer.testing import CliRunner, Result

from config.settings import Settings
from exchange.tools.__main__ import app
from fix_engine.wire import encode
from sessions.journal import Batch, Durability, Journal, Kind, Reader, Record, open_segments
from tests.exchange.test_recovery import trade_at_random
from tests.support.world import World


def run(*arguments: object) -> Result:
    """A command in this process; `output` has both streams."""
    return CliRunner().invoke(app, [str(one) for one in arguments])


def line_of(result: Result) -> str:
    """The one line with which a command refuses, with exit code 2."""
    assert result.exit_code == 2, result.output
    (line,) = result.output.splitlines()
    assert line.startswith("seamark: ")
    return line.removeprefix("seamark: ")


@contextmanager
def trading_day(directory: Path, seed: int, steps: int = 120) -> Iterator[World]:
    """A world in which much of what can happen has happened; closed in good order at the end."""
    rng = random.Random(seed)
    world = World(directory)
    clients = [world.client(f"C{number}") for number in range(3)]
    trade_at_random(world, clients, rng, steps)
    one = clients[0]
    if not one.is_connected:
        one.connect()
        one.send("35=A|98=0|108=30|")
    one.ask("35=D|11=no-symbol|55=NOPE|54=1|60=<now>|38=1|40=1|")
    one.ask("35=D|11=no-price|55=BTC/USD|54=1|60=<now>|38=1|40=2|")
    one.ask("35=q|11=what|")
    one.ask("35=H|11=unknown|55=BTC/USD|54=1|")
    one.ask("35=1|112=are you there|")
    one.ask("35=2|7=1|16=0|")
    terms = "55=BTC/USD|54=1|60=<now>|38=1|40=2|44=100|"
    one.send(f"35=D|11=routed|1=ACME|{terms}", header="50=DESK|115=BEHIND|")
    one.send(f"35=D|11=kept|1=ACME|{terms}".replace("44=100", "44=1"))
    other = clients[1]
    other.drop()
    other.connect()
    other.seq = 1
    other.send("35=A|98=0|108=30|141=Y|8013=Y|")
    other.order("after-reset", "sell", "3", "100")
    other.drop()
    try:
        yield world
    finally:
        world.journal.close()


def reopened(directory: Path, **changes: object) -> World:
    """The venue started again, with other settings."""
    return World(directory, Settings.model_validate(changes))


def batches_of(directory: Path) -> Iterator[Batch]:
    """Every batch, read straightforwardly."""
    segments = open_segments(directory, is_writer=False)
    try:
        yield from Reader(segments).batches()
    finally:
        for segment in segments:
            segment.close()


def rebuilt(
    source: Path, target: Path, change: Callable[[Batch], list[Record]], segment_bytes: int = 0
) -> Path:
    """A sound journal with the same batches, their records changed."""
    journal = Journal(target, Durability.OS, segment_bytes or 32 << 20)
    for batch in batches_of(source):
        for record in change(batch):
            journal.add(record.kind, record.session, record.seq, record.next_in, record.payload)
        journal.commit(batch.stamp)
    journal.close()
    return target


def with_field(raw: bytes, old: bytes, new: bytes) -> bytes:
    """A message with something replaced, BodyLength and CheckSum made right again."""
    body = raw[raw.index(b"\x0135=") + 1 : -7]
    assert old in body
    return encode(body.replace(old, new, 1))


def reports_in(batch: Batch) -> list[Record]:
    """The ExecutionReports of a batch."""
    return [one for one in batch.records if one.kind is Kind.SENT and b"\x0135=8" in one.payload]
