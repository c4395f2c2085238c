"""Recorded days to replay: random ones, made in process, and what can be done to them."""

from __future__ import annotations

import random
import socket
import threading
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from exchange.recording import Event, EventKind, Recording, recorded
from fix_engine.timestamps import SECOND_NS, Precision, TimestampFormatter
from fix_engine.wire import encode
from tests.support.messages import as_dict, decode
from tests.support.world import START_NS, Client, World

NAMES = ("ANN", "BOB", "CYD")


def random_day(directory: Path, seed: int, steps: int, can_drop: bool = True) -> World:
    """A venue that has been traded on by three sessions; its journal is in the directory.

    In the end every order is cancelled on disconnect, so that the day leaves nothing behind.
    """
    directory.mkdir()
    world, dice = World(directory), random.Random(seed)
    clients = [world.client(name, "108=30|8013=Y|") for name in NAMES]
    names: list[tuple[Client, str]] = []
    for step in range(steps):
        world.now += SECOND_NS // 100
        client = dice.choice(clients)
        if not client.is_connected:
            client.connect()
            client.send("35=A|98=0|108=30|8013=Y|")
        elif can_drop and dice.random() < 0.02:
            client.drop()
        else:
            _ask(client, names, f"n{step}", dice)
    world.journal.close()
    return world


def _ask(client: Client, names: list[tuple[Client, str]], name: str, dice: random.Random) -> None:
    own = [one for owner, one in names[-30:] if owner is client]
    side, price = dice.choice("12"), dice.randint(98, 103)
    kind = dice.choices("DFGHdx", (60, 12, 15, 4, 3, 2))[0] if own else "D"
    if kind in "Dd":
        called = name if kind == "D" else dice.choice(own)  # a ClOrdID that was used before
        names.append((client, called))
        client.order(called, side, str(dice.randint(1, 5)), f"{price}.{dice.choice('05')}")
    elif kind == "F":
        known = [report[37] for report in client.received if 37 in report]  # "NONE" among them
        order_id = f"37={dice.choice(known)}|" if known and dice.random() < 0.5 else ""
        head = f"35=F|11={name}|41={dice.choice(own)}|{order_id}"
        client.ask(f"{head}55=BTC/USD|54={side}|60=<now>|")
    elif kind == "G":
        head = f"35=G|11={name}|41={dice.choice(own)}|55=BTC/USD|54={side}|60=<now>|"
        client.ask(f"{head}38={dice.randint(1, 6)}|40=2|44={price}|")
        names.append((client, name))
    elif kind == "H":
        client.ask(f"35=H|11={dice.choice(own)}|55=BTC/USD|54={side}|")
    else:
        client.order(name, side, "1", "100.05")  # off the tick


def quickfix_log(lines: Iterable[bytes], separator: bytes = b"\x01") -> bytes:
    """Messages as QuickFIX writes them to `.messages.current.log`, a tenth of a second apart."""
    stamp = TimestampFormatter(Precision.NANOSECONDS).format
    out = b""
    for number, raw in enumerate(lines):
        text = raw.replace(b"\x01", separator)
        out += b"%b : %b\n" % (stamp(START_NS + number * SECOND_NS // 10), text)
    return out


def altered(
    recording: Recording, change: Callable[[list[Event]], Iterable[Event] | None]
) -> Recording:
    """The recording with its list of events changed, in place or by what is returned."""
    events = list(recording.events())
    changed = change(events)
    events = events if changed is None else list(changed)
    return recorded(recording.source, lambda: iter(events))


def with_field(event: Event, tag: bytes, value: bytes) -> Event:
    """An event whose message says something else in one field."""
    assert event.message is not None
    pairs = [(one, value if one == tag else old) for one, old in event.message.pairs()]
    raw = encode(b"".join(b"%b=%b\x01" % pair for pair in pairs))
    return Event(event.kind, event.session, event.time_ns, decode(raw), event.logon)


def answers(events: list[Event], **fields: str) -> list[int]:
    """The places of the answers that have these fields, given as t150="F"."""
    wanted = {name[1:].encode(): value.encode() for name, value in fields.items()}
    return [
        place
        for place, event in enumerate(events)
        if event.kind is EventKind.ANSWER
        and event.message is not None
        and all(event.message.get(tag) == value for tag, value in wanted.items())
    ]


class FakeVenue:
    """Listens, and has one connection dealt with by a function, in a thread of its own."""

    def __init__(self, behave: Callable[[socket.socket], None]) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._listener.settimeout(10)
        self.port: int = self._listener.getsockname()[1]
        self._behave = behave
        self._thread = threading.Thread(target=self._serve)

    def __enter__(self) -> FakeVenue:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._listener.close()
        self._thread.join(10)

    def _serve(self) -> None:
        plug, _ = self._listener.accept()
        with plug:
            plug.settimeout(10)
            self._behave(plug)


def heard(plug: socket.socket) -> Iterator[dict[int, str]]:
    """Messages as they come, by tag."""
    rest = b""
    while data := plug.recv(1 << 16):
        rest += data
        while (end := rest.find(b"\x0110=")) >= 0 and len(rest) >= end + 8:
            yield as_dict(rest[: end + 8])
            rest = rest[end + 8 :]
