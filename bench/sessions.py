"""Many sessions that do nothing but stay alive: is anybody lost or late, and what do they weigh?

`python -m bench.sessions`: logs on so many sessions, answers nothing but heartbeats, and measures
how late the venue's own heartbeats are. Then a storm: as many log on at the same moment.
"""

from __future__ import annotations

import resource
import selectors
import socket
import sys
import tempfile
import time
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from bench.storm import KINDS, storm
from bench.venue import VenueUnderTest
from fix_engine.timestamps import TimestampFormatter
from fix_engine.wire import encode

_LATE_S = 1.0  # beyond the interval: the "reasonable transmission time" of a local network


class _Session:
    """One idle client: a heartbeat for each one it gets."""

    def __init__(self, host: str, port: int, number: int, interval: int) -> None:
        self.comp_id = b"IDLE%d" % number
        self.seq = 0
        self.last_heard = 0.0
        self.heartbeats = 0
        self.worst_gap = 0.0
        self.is_lost = False
        self.socket = socket.create_connection((host, port))
        self.say(b"A", b"98=0\x01108=%d\x01141=Y\x01" % interval)

    def say(self, msg_type: bytes, body: bytes) -> None:
        """Send an administrative message."""
        self.seq += 1
        now = TimestampFormatter().format(time.time_ns())
        head = b"35=%b\x0134=%d\x0149=%b\x0152=%b\x0156=SEAMARK\x01"
        self.socket.sendall(encode(head % (msg_type, self.seq, self.comp_id, now) + body))

    def hear(self) -> None:
        """Read what has come, note how long it took, and answer heartbeats and test requests."""
        data = self.socket.recv(65536)
        now = time.perf_counter()
        self.is_lost = not data
        if b"\x0135=0\x01" in data:
            self.worst_gap = max(self.worst_gap, now - self.last_heard)
            self.heartbeats += 1
            self.say(b"0", b"")
        if b"\x0135=1\x01" in data:
            self.say(b"0", b"112=TEST\x01")
        self.last_heard = now


def main(
    sessions: Annotated[int, typer.Option(help="How many.")] = 2_000,
    interval: Annotated[int, typer.Option(help="HeartBtInt in seconds.")] = 10,
    seconds: Annotated[int, typer.Option(help="How long to watch; 0: storms only.")] = 45,
) -> None:
    """Measure idle sessions, then storms of logons."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard < sessions + 100:
        sys.exit(f"this system allows {hard} open files; run with --sessions {hard - 100} at most")
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, min(hard, sessions + 100)), hard))
    console = Console(width=100)
    if seconds:
        _idle(console, sessions, interval, seconds)
    _storms(console, sessions)


def _idle(console: Console, sessions: int, interval: int, seconds: int) -> None:
    with (
        tempfile.TemporaryDirectory() as directory,
        VenueUnderTest(Path(directory)) as venue,
    ):
        before = venue.resident_bytes()
        started = time.perf_counter()
        selector = selectors.DefaultSelector()
        clients = []
        for number in range(sessions):
            client = _Session(venue.host, venue.port, number, interval)
            assert b"\x0135=A\x01" in client.socket.recv(65536)
            client.last_heard = time.perf_counter()
            selector.register(client.socket, selectors.EVENT_READ, client)
            clients.append(client)
            _listen(selector, 0)
        logged_on = time.perf_counter() - started
        weight = (venue.resident_bytes() - before) / sessions
        end = time.perf_counter() + seconds
        while (left := end - time.perf_counter()) > 0:
            _listen(selector, left)
        late = sum(client.worst_gap > interval + _LATE_S for client in clients)
        table = Table(title=f"{sessions:,} idle sessions, HeartBtInt {interval}, {seconds} s")
        for name in ("logged on in s", "lost", "late", "worst gap s", "heartbeats", "bytes each"):
            table.add_column(name, justify="right")
        table.add_row(
            f"{logged_on:.1f}",
            f"{sum(client.is_lost for client in clients):,}",
            f"{late:,}",
            f"{max(client.worst_gap for client in clients):.2f}",
            f"{sum(client.heartbeats for client in clients):,}",
            f"{weight:,.0f}",
        )
        console.print(table)


def _storms(console: Console, sessions: int) -> None:
    table = Table(title=f"{sessions:,} sessions that log on at the same moment")
    table.add_column("over")
    for name in (
        "refused",
        "all in after s",
        "venue CPU s",
        "CPU ms each",
        "median s",
        "slowest s",
    ):
        table.add_column(name, justify="right")
    for kind in KINDS:
        found = storm(kind, sessions)
        table.add_row(
            kind,
            f"{found.refused:,}",
            f"{found.all_in_s:.2f}",
            f"{found.venue_cpu_s:.2f}",
            f"{1000 * found.venue_cpu_s / sessions:.2f}",
            f"{found.logons[len(found.logons) // 2]:.2f}" if found.logons else "-",
            f"{found.logons[-1]:.2f}" if found.logons else "-",
        )
    console.print(table)


def _listen(selector: selectors.BaseSelector, timeout: float) -> None:
    for key, _ in selector.select(timeout):
        client: _Session = key.data
        client.hear()
        if client.is_lost:
            selector.unregister(client.socket)


if __name__ == "__main__":
    typer.run(main)
