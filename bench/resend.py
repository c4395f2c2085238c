"""A resend of many stored messages to a slow reader, while another session trades.

`python -m bench.resend`: what the resend costs in memory, and the other session in latency.
"""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from bench.venue import VenueUnderTest
from fix_engine.outbound import Outbound
from fix_engine.timestamps import Precision, TimestampFormatter
from fix_engine.wire import encode
from sessions.journal import Durability, Journal, Kind

_READER = b"SLOW"
_BATCH = 256


def store_messages(directory: Path, count: int) -> None:
    """A journal in which session SLOW was sent `count` reports that it has never read."""
    journal = Journal(directory, Durability.OS)
    list(journal.recover())
    now = time.time_ns()
    journal.add(Kind.SESSION, 1, 0, 1, _READER)
    outbound = Outbound(b"SEAMARK", _READER, Precision.MILLISECONDS)
    for number in range(1, count + 1):
        body = (
            b"6=0\x0111=order-%d\x0114=0\x0117=%d-1\x0137=%d\x0138=1\x0139=0\x0140=2\x0144=65000\x01"
            b"54=1\x0155=BTC/USD\x0159=1\x0160=20260101-00:00:00.000\x01150=0\x01151=1\x01"
        ) % (number, number, number)
        seq, raw = outbound.number(b"8", body, now)
        journal.add(Kind.SENT, 1, seq, 1, raw)
        if number % _BATCH == 0:
            journal.commit(now)
    journal.commit(now)
    journal.close()


class SlowReader(threading.Thread):
    """Logs on as SLOW, asks for everything, and reads so many bytes a second."""

    def __init__(self, host: str, port: int, bytes_per_second: int) -> None:
        super().__init__(daemon=True)
        self._rate = bytes_per_second
        self.messages = self.bytes = 0
        self.stop = False
        self._socket = socket.socket()
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 16)
        self._socket.connect((host, port))
        self._say(b"A", 1, b"98=0\x01108=600\x01")

    def _say(self, msg_type: bytes, seq: int, body: bytes) -> None:
        time_text = TimestampFormatter().format(time.time_ns())
        head = b"35=%b\x0134=%d\x0149=%b\x0152=%b\x0156=SEAMARK\x01"
        self._socket.sendall(encode(head % (msg_type, seq, _READER, time_text) + body))

    def run(self) -> None:
        """Read slowly until told to stop or everything has come."""
        self._say(b"2", 2, b"7=1\x0116=0\x01")
        started, tail = time.perf_counter(), b""
        while not self.stop:
            ahead = self.bytes / self._rate - (time.perf_counter() - started)
            if ahead > 0:
                time.sleep(ahead)
            data = self._socket.recv(1 << 16)
            if not data:
                return
            self.bytes += len(data)
            joined = tail + data
            self.messages += joined.count(b"\x0143=Y\x01")
            tail = joined[-5:]  # one byte less than what is counted


def main(
    messages: Annotated[int, typer.Option(help="Stored messages.")] = 1_000_000,
    rate: Annotated[int, typer.Option(help="Orders a second of the other session.")] = 500,
    seconds: Annotated[int, typer.Option(help="Length of each phase.")] = 8,
    megabytes: Annotated[float, typer.Option(help="A second, that the slow reader reads.")] = 4,
) -> None:
    """Measure before, and during, the resend."""
    console = Console(width=100)
    with tempfile.TemporaryDirectory() as directory:
        console.print(f"Storing {messages:,} messages ...")
        store_messages(Path(directory), messages)
        with VenueUnderTest(Path(directory)) as venue:
            table = Table(
                title=f"Resend of {messages:,} messages, read at {megabytes:g} MB a second"
            )
            for name in ("phase", "p50 us", "p95 us", "p99 us", "venue MB", "messages resent"):
                table.add_column(name, justify="right")
            _phase(table, "before", venue, rate, seconds, None)
            reader = SlowReader(venue.host, venue.port, int(megabytes * 1e6))
            reader.start()
            for name in ("during, first", "during, second"):
                _phase(table, name, venue, rate, seconds, reader)
            reader.stop = True
            console.print(table)


def _phase(
    table: Table,
    name: str,
    venue: VenueUnderTest,
    rate: int,
    seconds: int,
    reader: SlowReader | None,
) -> None:
    command = [sys.executable, "-m", "bench.load", "latency", venue.host, str(venue.port)]
    done = subprocess.run(
        [*command, "1", str(rate), str(seconds)], capture_output=True, text=True, check=True
    )
    found: dict[str, Any] = json.loads(done.stdout)
    table.add_row(
        name,
        *(f"{found[column]:,.0f}" for column in ("p50", "p95", "p99")),
        f"{venue.resident_bytes() / 1e6:,.0f}",
        f"{reader.messages:,}" if reader is not None else "",
    )


if __name__ == "__main__":
    typer.run(main)
