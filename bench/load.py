"""A load generator: the same orders against any FIX 4.4 acceptor, counted on the raw bytes.

Messages are encoded before the clock starts. Shapes: `cross` alternates buys and sells at one
price, so that each pair trades; `rest` never crosses, over 50 prices a side; `cancel` places and
cancels.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import selectors
import socket
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final

from bench.pace import pace
from bench.venue import cpu_seconds
from fix_engine.timestamps import TimestampFormatter
from fix_engine.wire import encode

SHAPES: Final = ("cross", "rest", "cancel")
PERCENTILES: Final = {"p25": 0.25, "p50": 0.5, "p95": 0.95, "p99": 0.99, "p99.9": 0.999}
WINDOW: Final = 256
_PRICE, _LEVELS = 65_000, 50
_STALL_S: Final = 5.0
_STALL_EACH_S: Final = 0.003  # for each session: with many, one turn of a venue takes long
_LAST_FILLS_S: Final = 0.5  # of silence; fills of others may come behind the last answer
_CHECK_SUM: Final = b"\x0110="
_SUM_BYTES: Final = 4  # behind it
_REJECTS: Final = (b"\x01150=8\x01", b"\x0135=3\x01", b"\x0135=j\x01", b"\x0135=9\x01")


def order_messages(client: int, count: int, shape: str, logon: bool = False) -> list[bytes]:
    """`count` requests of one client, MsgSeqNum 2 on; only its Logon, number 1, with `logon`."""
    now = TimestampFormatter().format(time.time_ns())
    run = b"%x" % (time.time_ns() // 1_000_000)
    sender = b"LOAD%d" % client

    def message(msg_type: bytes, seq: int, body: bytes) -> bytes:
        head = b"35=%b\x0134=%d\x0149=%b\x0152=%b\x0156=SEAMARK\x01" % (msg_type, seq, sender, now)
        return encode(head + body)

    if logon:
        return [message(b"A", 1, b"98=0\x01108=600\x01141=Y\x01")]
    out: list[bytes] = []
    for n in range(count // 2 if shape == "cancel" else count):
        side = 1 + (n + client) % 2
        offset = 0 if shape == "cross" else (n * 7919 + client) % _LEVELS + 1
        price = _PRICE - offset if side == 1 else _PRICE + offset
        name = b"%b-%d-%d" % (run, client, n)
        known = b"55=BTC/USD\x0154=%d\x0160=%b\x0138=1\x01" % (side, now)
        order = b"11=%b\x01%b40=2\x0144=%d\x0159=1\x01" % (name, known, price)
        out.append(message(b"D", len(out) + 2, order))
        if shape == "cancel":
            cancel = b"11=%bc\x0141=%b\x01%b" % (name, name, known)
            out.append(message(b"F", len(out) + 2, cancel))
    return out


@dataclass(slots=True)
class Result:
    """What one run measured; latencies in seconds, ascending.

    `late` is how much later than due each order has left: beyond the generator's own power.
    """

    answered: int
    unanswered: int
    rejected: int
    fills: int
    seconds: float
    latencies: list[float] = field(default_factory=list)
    late: list[float] = field(default_factory=list)
    cpu_s: float = 0.0  # of the generator
    watched_s: float = 0.0  # CPU of the acceptor meanwhile, logons excluded

    def percentile_us(self, fraction: float) -> float:
        """A latency in microseconds, 0 when none was measured."""
        return _percentile_us(self.latencies, fraction)

    def summary(self) -> dict[str, Any]:
        """For programs: counts, rates, percentiles in microseconds."""
        out: dict[str, Any] = {
            "answered": self.answered,
            "unanswered": self.unanswered,
            "rejected": self.rejected,
            "fills": self.fills,
            "seconds": round(self.seconds, 3),
            "per_second": round(self.answered / self.seconds),
            "generator_us": round(self.cpu_s * 1e6 / max(self.answered, 1), 2),
            "acceptor_us": round(self.watched_s * 1e6 / max(self.answered, 1), 1),
        }
        for name, fraction in PERCENTILES.items():
            out[name] = round(self.percentile_us(fraction), 1)
        out["jitter"] = round(out["p95"] - out["p25"], 1)
        out["late_p50"] = round(_percentile_us(self.late, 0.5), 1)
        out["late_p99"] = round(_percentile_us(self.late, 0.99), 1)
        return out


def _percentile_us(ascending: list[float], fraction: float) -> float:
    if not ascending:
        return 0.0
    return ascending[min(len(ascending) - 1, int(len(ascending) * fraction))] * 1e6


class _Client:
    """One session; the answers of all are counted together in `tally`."""

    def __init__(
        self, address: tuple[str, int], number: int, count: int, shape: str, tally: _Tally
    ) -> None:
        self.messages = order_messages(number, count, shape)
        self.sent = self.done = 0
        self.out = memoryview(b"")
        self._is_cancel = shape == "cancel"
        self._tally = tally
        self._tail = b""
        self.socket = socket.create_connection(address)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.socket.sendall(order_messages(number, 0, shape, logon=True)[0])
        data = b""
        while b"\x0135=A\x01" not in data:
            received = self.socket.recv(65536)
            if not received:
                sys.exit(f"logon refused: {data!r}")
            data += received
        self.socket.setblocking(False)

    def receive(self) -> bool:
        """Count the whole reports that have arrived; whether there were any."""
        data = self.socket.recv(1 << 20)
        if not data:
            sys.exit(f"disconnected after {self.done} answers")
        buffer = self._tail + data
        cut = buffer.rfind(_CHECK_SUM)
        end = buffer.find(b"\x01", cut + 1) + 1 if cut >= 0 else 0
        self._tail = buffer[end:]
        self.count(buffer[:end])
        return end > 0

    def count(self, whole: bytes) -> None:
        """Whole reports."""
        answered = whole.count(b"\x01150=0\x01")
        if self._is_cancel:
            answered += whole.count(b"\x01150=4\x01")
        rejected = sum(whole.count(mark) for mark in _REJECTS)
        self.done += answered + rejected
        tally = self._tally
        tally.answered += answered
        tally.rejected += rejected
        tally.fills += whole.count(b"\x01150=F\x01")

    def write(self) -> None:
        """As much of what is to go out as the socket takes."""
        with contextlib.suppress(BlockingIOError):
            self.out = self.out[self.socket.send(self.out) :]


@dataclass(slots=True)
class _Tally:
    """What all sessions together were told."""

    answered: int = 0
    rejected: int = 0
    fills: int = 0


def throughput(
    address: tuple[str, int],
    sessions: int,
    orders: int,
    shape: str,
    window: int = WINDOW,
    watch: int = 0,
) -> Result:
    """As fast as the venue answers, with `window` requests unanswered per session.

    `watch` is the process of the acceptor, if its CPU time is wanted.
    """
    tally = _Tally()
    clients = [_Client(address, number, orders, shape, tally) for number in range(1, sessions + 1)]
    selector = selectors.DefaultSelector()
    for client in clients:
        selector.register(client.socket, selectors.EVENT_READ, client)

    def push(client: _Client) -> None:
        was_waiting = bool(client.out)
        if not was_waiting:
            left = len(client.messages) - client.sent
            free = min(window - (client.sent - client.done), left)
            if not free or free < min(window // 4, left):
                return
            batch = client.messages[client.sent : client.sent + free]
            client.out = memoryview(b"".join(batch))
            client.sent += free
        client.write()
        if was_waiting != bool(client.out):
            write = selectors.EVENT_WRITE if client.out else 0
            selector.modify(client.socket, selectors.EVENT_READ | write, client)

    total = sum(len(client.messages) for client in clients)
    cpu, watched = time.process_time(), cpu_seconds(watch) if watch else 0.0
    started = last = time.perf_counter()
    for client in clients:
        push(client)
    while tally.answered + tally.rejected < total:
        for key, mask in selector.select(1.0):
            if mask & selectors.EVENT_READ and key.data.receive():
                last = time.perf_counter()
            push(key.data)
        if time.perf_counter() - last > _STALL_S + _STALL_EACH_S * sessions:
            break
    result = _result(clients, tally, total, last - started)
    result.cpu_s = time.process_time() - cpu
    result.watched_s = cpu_seconds(watch) - watched if watch else 0.0
    _take_last_fills(selector, tally, result)
    return result


def _take_last_fills(selector: selectors.BaseSelector, tally: _Tally, result: Result) -> None:
    """An order is answered by its acknowledgement; the fills of the last may come behind it."""
    while tally.fills < result.answered:
        ready = selector.select(_LAST_FILLS_S)
        for key, _ in ready:
            key.data.receive()
        if not ready:
            break
    result.fills = tally.fills
    for key in list(selector.get_map().values()):
        key.data.socket.close()


def latency(
    address: tuple[str, int], sessions: int, rate: float, seconds: float, watch: int = 0
) -> Result:
    """Open loop: orders leave at fixed times whatever has come back.

    Counted from the time at which an order was due, so that a late answer costs its wait too. The
    acceptor whose process is `watch` and the generator have cores of their own meanwhile.
    """
    total, tally = int(rate * seconds), _Tally()
    each = -(-total // sessions)
    clients = [_Client(address, number, each, "cross", tally) for number in range(1, sessions + 1)]
    plugs = [client.socket for client in clients]
    with apart(watch):
        paced = pace(plugs, [client.messages for client in clients], total, rate, _STALL_S)
    latencies = []
    for number, (client, answers) in enumerate(zip(clients, paced.answers, strict=True)):
        client.count(answers.data)
        for order, end in acknowledged(answers.data):
            due_ns = paced.due_ns[order * sessions + number]
            latencies.append((answers.had_ns(end) - due_ns) / 1e9)
        client.socket.close()
    result = _result(clients, tally, total, seconds)
    result.latencies = sorted(latencies)
    result.late = sorted(
        (left - due) / 1e9 for left, due in zip(paced.left_ns, paced.due_ns, strict=True) if left
    )
    return result


@contextlib.contextmanager
def apart(pid: int) -> Iterator[None]:
    """Keep a process off the core of this one.

    The kernel likes to run whom a message wakes where the sender runs, and this one never sleeps:
    an acceptor would wait for its core beside an idle one.
    """
    cores = os.sched_getaffinity(0)
    if not pid or len(cores) < 2:
        yield
        return
    ours = {max(cores)}
    _bind(pid, cores - ours)
    _bind(os.getpid(), ours)
    try:
        yield
    finally:
        _bind(os.getpid(), cores)
        _bind(pid, cores)


def _bind(pid: int, cores: set[int]) -> None:
    for thread in os.listdir(f"/proc/{pid}/task"):
        with contextlib.suppress(ProcessLookupError):  # a thread may end at any time
            os.sched_setaffinity(int(thread), cores)


def acknowledged(data: bytes) -> Iterator[tuple[int, int]]:
    """The orders that are, by their numbers in their session, and where each report ends."""
    at = 0
    for report in data.split(_CHECK_SUM)[:-1]:
        at += len(report) + len(_CHECK_SUM)
        end = at + _SUM_BYTES  # of the last report, all need not be there
        if b"\x01150=0\x01" in report and end <= len(data):
            yield _number(report), end


def _number(report: bytes) -> int:
    """The order's number in its session: what its ClOrdID ends with."""
    start = report.index(b"\x0111=") + 4
    return int(report[start : report.index(b"\x01", start)].rpartition(b"-")[2])


def _result(clients: list[_Client], tally: _Tally, total: int, seconds: float) -> Result:
    unanswered = total - tally.answered - tally.rejected
    return Result(tally.answered, unanswered, tally.rejected, tally.fills, seconds)


def main() -> None:
    """Run in a process of its own, so that the generator does not share the venue's core."""
    parser = argparse.ArgumentParser(prog="python -m bench.load", description=__doc__)
    modes = parser.add_subparsers(dest="mode", required=True)
    for mode in ("throughput", "latency"):
        one = modes.add_parser(mode)
        one.add_argument("host")
        one.add_argument("port", type=int)
        one.add_argument("sessions", type=int)
        if mode == "throughput":
            one.add_argument("orders", type=int, help="of each session")
            one.add_argument("shape", choices=SHAPES)
            one.add_argument("--window", type=int, default=WINDOW, help="unanswered per session")
        else:
            one.add_argument("rate", type=float, help="orders a second, of all together")
            one.add_argument("seconds", type=float)
        one.add_argument("--watch", type=int, default=0, help="the acceptor's process")
    a = parser.parse_args()
    address = a.host, a.port
    if a.mode == "throughput":
        result = throughput(address, a.sessions, a.orders, a.shape, a.window, a.watch)
    else:
        result = latency(address, a.sessions, a.rate, a.seconds, a.watch)
    print(json.dumps(result.summary()))


if __name__ == "__main__":
    main()
