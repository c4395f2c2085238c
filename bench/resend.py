"""A resend of many stored messages, while another session trades.

`python -m bench.resend`: what a resend costs in memory, and the other session in latency, to a slow
reader and to one as fast as the venue. Before and during are measured in turns, several times.
"""

from __future__ import annotations

import socket
import struct
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median
from typing import Annotated, Any, Final

import typer

from bench.journals import drop_pages, segment_files
from bench.report import console, in_one_line, machine, table, write_json
from bench.rounds import ratios, spread
from bench.venue import VenueUnderTest, load
from fix_engine.outbound import Outbound
from fix_engine.timestamps import Precision, TimestampFormatter
from fix_engine.wire import encode
from sessions.journal import Durability, Journal, Kind

_READER: Final = b"READER"
_BATCH: Final = 256
_BEFORE, _SLOW, _FAST = "before", "slow reader", "fast reader"
_PATIENCE_S: Final = 10.0
_PERCENTILES: Final = ("p50", "p95", "p99")


def store_messages(directory: Path, count: int) -> None:
    """A journal in which session READER was sent `count` reports that it has never read."""
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


class Reader(threading.Thread):
    """Logs on as READER, asks for everything, and reads: so many bytes a second, or all it can.

    Once everything has come it asks again, from one number later: the same request again and again
    would be taken for a loop. `next_seq` is its own next MsgSeqNum.
    """

    def __init__(
        self, address: tuple[str, int], next_seq: int, stored: int, bytes_per_second: int | None
    ) -> None:
        super().__init__(daemon=True)
        self.next_seq = next_seq
        self.messages = self.bytes = 0
        self.began = 0.0
        self._stored = stored
        self._rate = bytes_per_second
        self._begin = next_seq  # so that every request of a run is another one
        self._until = 0
        self._has_ended = False
        self._socket = self._logged_on(address)

    def _logged_on(self, address: tuple[str, int]) -> socket.socket:
        """Until the venue has noticed that an earlier connection is gone, it lets nobody in."""
        answer, deadline = b"", time.perf_counter() + _PATIENCE_S
        while time.perf_counter() < deadline:
            plug = socket.socket()
            if self._rate is not None:
                plug.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 16)
            plug.connect(address)
            self._say(plug, b"A", b"98=0\x01108=600\x01")
            answer = plug.recv(1 << 12)
            if b"\x0135=A\x01" in answer:
                return plug
            plug.close()
            self.next_seq -= 1
            time.sleep(0.1)
        sys.exit(f"the reader was not let in: {answer!r}")

    def _say(self, plug: socket.socket, msg_type: bytes, body: bytes) -> None:
        time_text = TimestampFormatter().format(time.time_ns())
        head = b"35=%b\x0134=%d\x0149=%b\x0152=%b\x0156=SEAMARK\x01"
        plug.sendall(encode(head % (msg_type, self.next_seq, _READER, time_text) + body))
        self.next_seq += 1

    def _ask(self) -> None:
        self._say(self._socket, b"2", b"7=%d\x0116=0\x01" % self._begin)
        self._until += self._stored + 1 - self._begin
        self._begin += 1

    def run(self) -> None:
        """Read until told to stop."""
        tail, self.began = b"", time.perf_counter()
        self._ask()
        while not self._has_ended:
            if self._rate is not None:
                ahead = self.bytes / self._rate - (time.perf_counter() - self.began)
                time.sleep(max(0.0, ahead))
            try:
                data = self._socket.recv(1 << 16)
            except OSError:
                return
            if not data:
                return
            self.bytes += len(data)
            joined = tail + data
            self.messages += joined.count(b"\x0135=8\x01")
            tail = joined[-5:]  # one byte less than what is counted
            if self.messages >= self._until:
                self._ask()

    def stop(self) -> None:
        """Break the connection off, with what is unread."""
        self._has_ended = True
        self._socket.shutdown(socket.SHUT_RD)
        self.join()
        # A reset: the end of a stream from which the venue does not read, it would notice late.
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self._socket.close()


@dataclass(slots=True)
class Phase:
    """The other session's latency, and what the resend did meanwhile."""

    round: int
    name: str
    found: dict[str, Any]  # by bench.load
    resident_bytes: int
    messages_per_second: float = 0.0
    bytes_per_second: float = 0.0
    disk_bytes: int = 0  # that the venue had read from the disk


def main(
    messages: Annotated[int, typer.Option(help="Stored messages.")] = 1_000_000,
    rate: Annotated[int, typer.Option(help="Orders a second of the other session.")] = 500,
    seconds: Annotated[float, typer.Option(help="Length of each phase.")] = 8,
    megabytes: Annotated[float, typer.Option(help="A second, that the slow reader reads.")] = 4,
    rounds: Annotated[int, typer.Option(help="Each: before, slow, fast.", min=1)] = 5,
    cold: Annotated[bool, typer.Option("--cold", help="Drop the journal from the cache.")] = False,
    directory: Annotated[Path | None, typer.Option(help="Where the journal goes.")] = None,
    json: Annotated[Path | None, typer.Option(help="A file for every figure.")] = None,
) -> None:
    """Measure before, and during, the resend; the venue is at its default durability."""
    with tempfile.TemporaryDirectory(dir=directory) as home:
        where, data = machine(Path(home)), Path(home)
        console.print(in_one_line(where))
        console.print(f"Storing {messages:,} messages ...")
        store_messages(data, messages)
        stored = segment_files(data) if cold else []
        phases: list[Phase] = []
        with VenueUnderTest(data) as venue:
            console.print(f"The venue has opened in {venue.opened_s:.1f} s.")
            next_seq = 1
            for number in range(rounds):
                console.print(f"round {number + 1} of {rounds} ...")
                phases.append(_phase(number, _BEFORE, venue, rate, seconds, None))
                for name, speed in ((_SLOW, int(megabytes * 1e6)), (_FAST, None)):
                    drop_pages(stored)
                    reader = Reader((venue.host, venue.port), next_seq, messages, speed)
                    phases.append(_phase(number, name, venue, rate, seconds, reader))
                    reader.stop()
                    next_seq = reader.next_seq
    how = "from the disk" if cold else "from the page cache"
    title = f"Resend of {messages:,} messages {how}, {rate:,} orders a second by another session"
    _show(title, phases)
    figures = [asdict(one) for one in phases]
    write_json(json, {"benchmark": "resend", "machine": where, "cold": cold, "phases": figures})


def _phase(
    number: int,
    name: str,
    venue: VenueUnderTest,
    rate: int,
    seconds: float,
    reader: Reader | None,
) -> Phase:
    before = venue.disk_read_bytes()
    if reader is not None:
        reader.start()
    found = load("latency", venue, 1, rate, seconds)
    out = Phase(number, name, found, venue.resident_bytes())
    if reader is not None:
        taken = time.perf_counter() - reader.began
        out.messages_per_second = reader.messages / taken
        out.bytes_per_second = reader.bytes / taken
        out.disk_bytes = venue.disk_read_bytes() - before
        if not reader.is_alive():
            sys.exit(f"the {name} was cut off after {reader.messages:,} messages")
    return out


def _show(title: str, phases: Sequence[Phase]) -> None:
    by_name = {
        name: [one for one in phases if one.name == name] for name in (_BEFORE, _SLOW, _FAST)
    }
    rows = []
    for name, ours in by_name.items():
        is_resend = name != _BEFORE
        cells = [f"{median(_column(ours, column)):,.0f}" for column in _PERCENTILES]
        for column in ("p50", "p99"):
            pairs = ratios(_column(ours, column), _column(by_name[_BEFORE], column))
            cells.append(spread(pairs or [0.0]).shown(1) if is_resend else "")
        cells.append(f"{median(one.resident_bytes for one in ours) / 1e6:,.0f}")
        for figure, unit in (
            (median(one.messages_per_second for one in ours), 1.0),
            (median(one.disk_bytes for one in ours), 1e6),
        ):
            cells.append(f"{figure / unit:,.{int(unit > 1)}f}" if is_resend else "")
        rows.append([name, *cells])
    columns = (
        "phase",
        "p50 us",
        "p95 us",
        "p99 us",
        "p50 to before",
        "p99 to before",
        "venue MB",
        "resent a second",
        "MB from disk",
    )
    console.print(table(title, columns, rows))
    lost = sum(one.found["unanswered"] for one in phases)
    console.print(
        f"Medians of {len(by_name[_BEFORE])} rounds; ratios by pairs. {lost:,} unanswered."
    )


def _column(phases: Sequence[Phase], name: str) -> list[float]:
    return [float(one.found[name]) for one in phases]


if __name__ == "__main__":
    typer.run(main)
