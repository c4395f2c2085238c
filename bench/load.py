"""A load generator: the same orders against any FIX 4.4 acceptor, counted on the raw bytes.

Messages are encoded before the clock starts. Shapes: `cross` alternates buys and sells at one
price, so that each pair trades; `rest` never crosses, over 50 prices a side; `cancel` places and
cancels.
"""

from __future__ import annotations

import contextlib
import json
import selectors
import socket
import sys
import time
from dataclasses import dataclass

from fix_engine.timestamps import TimestampFormatter
from fix_engine.wire import encode

SHAPES = ("cross", "rest", "cancel")
_PRICE, _LEVELS = 65_000, 50
_STALL_S = 5.0
_REJECTS = (b"\x01150=8\x01", b"\x0135=3\x01", b"\x0135=j\x01", b"\x0135=9\x01")


def order_messages(client: int, count: int, shape: str, logon: bool = False) -> list[bytes]:
    """`count` requests of one client, MsgSeqNum 2 on; only its Logon, number 1, with `logon`."""
    now = TimestampFormatter().format(time.time_ns())
    run = b"%x" % (time.time_ns() // 1_000_000)
    sender = b"LOAD%d" % client

    def message(msg_type: bytes, seq: int, body: bytes) -> bytes:
        head = b"35=%b\x0134=%d\x0149=%b\x0152=%b\x0156=SEAMARK\x01" % (msg_type, seq, sender, now)
        return encode(head + body)

    if logon:
        return [message(b"A", 1, b"98=0\x01108=30\x01141=Y\x01")]
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
    """What one run measured; latencies in seconds, ascending."""

    answered: int
    unanswered: int
    rejected: int
    fills: int
    seconds: float
    latencies: list[float]

    def percentile_us(self, fraction: float) -> float:
        """A latency in microseconds, 0 when none was measured."""
        if not self.latencies:
            return 0.0
        return (
            self.latencies[min(len(self.latencies) - 1, int(len(self.latencies) * fraction))] * 1e6
        )


class _Client:
    def __init__(self, host: str, port: int, number: int, count: int, shape: str) -> None:
        self.messages = order_messages(number, count, shape)
        self.is_cancel = shape == "cancel"
        self.sent = self.answered = self.rejected = self.fills = 0
        self.sent_at: dict[bytes, float] = {}
        self._tail = b""
        self.out = memoryview(b"")
        self.socket = socket.create_connection((host, port))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.socket.sendall(order_messages(number, 0, shape, logon=True)[0])
        data = b""
        while b"\x0135=A\x01" not in data:
            received = self.socket.recv(65536)
            if not received:
                sys.exit(f"logon refused: {data!r}")
            data += received
        self.socket.setblocking(False)

    def receive(self) -> bytes:
        """Whole reports that have arrived, counted."""
        data = self.socket.recv(1 << 20)
        if not data:
            sys.exit(f"disconnected after {self.answered} answers")
        buffer = self._tail + data
        cut = buffer.rfind(b"\x0110=")
        end = buffer.find(b"\x01", cut + 1) + 1 if cut >= 0 else 0
        self._tail = buffer[end:]
        whole = buffer[:end]
        self.answered += whole.count(b"\x01150=0\x01")
        if self.is_cancel:
            self.answered += whole.count(b"\x01150=4\x01")
        self.fills += whole.count(b"\x01150=F\x01")
        self.rejected += sum(whole.count(mark) for mark in _REJECTS)
        return whole


def throughput(
    host: str, port: int, sessions: int, orders: int, shape: str, window: int = 256
) -> Result:
    """As fast as the venue answers, with `window` requests unanswered per session."""
    clients = [_Client(host, port, number, orders, shape) for number in range(1, sessions + 1)]
    selector = selectors.DefaultSelector()
    for client in clients:
        selector.register(client.socket, selectors.EVENT_READ, client)

    def push(client: _Client) -> None:
        if not client.out:
            left = len(client.messages) - client.sent
            free = min(window - (client.sent - client.answered - client.rejected), left)
            if not free or free < min(window // 4, left):
                return
            batch = client.messages[client.sent : client.sent + free]
            client.out = memoryview(b"".join(batch))
            client.sent += free
        with contextlib.suppress(BlockingIOError):
            client.out = client.out[client.socket.send(client.out) :]
        write = selectors.EVENT_WRITE if client.out else 0
        selector.modify(client.socket, selectors.EVENT_READ | write, client)

    total = sum(len(client.messages) for client in clients)
    started = last = time.perf_counter()
    for client in clients:
        push(client)
    while sum(client.answered + client.rejected for client in clients) < total:
        events = selector.select(1.0)
        for key, mask in events:
            if mask & selectors.EVENT_READ and key.data.receive():
                last = time.perf_counter()
            push(key.data)
        if time.perf_counter() - last > _STALL_S:
            break
    return _result(clients, total, last - started, [])


def latency(host: str, port: int, sessions: int, rate: float, seconds: float) -> Result:
    """Open loop: orders leave at fixed times whatever has come back.

    Counted from the time at which an order was due, so that a late answer costs its wait too.
    """
    total = int(rate * seconds)
    clients = [
        _Client(host, port, number, total // sessions + 1, "cross")
        for number in range(1, sessions + 1)
    ]
    selector = selectors.DefaultSelector()
    for client in clients:
        selector.register(client.socket, selectors.EVENT_READ, client)
    latencies: list[float] = []
    gap, started, done = 1.0 / rate, time.perf_counter() + 0.05, 0
    deadline = started + seconds + _STALL_S
    while len(latencies) < total and time.perf_counter() < deadline:
        due = started + done * gap
        if done < total and time.perf_counter() >= due:
            client = clients[done % sessions]
            message = client.messages[client.sent]
            client.sent_at[_cl_ord_id(message)] = due
            client.socket.setblocking(True)
            client.socket.sendall(message)
            client.socket.setblocking(False)
            client.sent += 1
            done += 1
        soon = done < total and started + done * gap - time.perf_counter() < 0.0008
        for key, _ in selector.select(0 if soon else 0.0005):
            whole, now = key.data.receive(), time.perf_counter()
            reports = whole.split(b"\x0110=")[:-1]
            names = [_cl_ord_id(report) for report in reports if b"\x01150=0\x01" in report]
            latencies += [now - key.data.sent_at.pop(name) for name in names]
    latencies.sort()
    return _result(clients, total, seconds, latencies)


def _cl_ord_id(message: bytes) -> bytes:
    start = message.index(b"\x0111=") + 4
    return message[start : message.index(b"\x01", start)]


def _result(clients: list[_Client], total: int, seconds: float, latencies: list[float]) -> Result:
    for client in clients:
        client.socket.close()
    answered = sum(client.answered for client in clients)
    rejected = sum(client.rejected for client in clients)
    fills = sum(client.fills for client in clients)
    return Result(answered, total - answered - rejected, rejected, fills, seconds, latencies)


def main() -> None:
    """Run in a process of its own, so that the generator does not share the venue's core."""
    mode, host, port, *rest = sys.argv[1:]
    if mode == "throughput":
        sessions, orders, shape = rest
        result = throughput(host, int(port), int(sessions), int(orders), shape)
    else:
        sessions, rate, seconds = rest
        result = latency(host, int(port), int(sessions), float(rate), float(seconds))
    percentiles = {
        name: round(result.percentile_us(fraction), 1)
        for name, fraction in (
            ("p25", 0.25),
            ("p50", 0.5),
            ("p95", 0.95),
            ("p99", 0.99),
            ("p99.9", 0.999),
        )
    }
    summary = {
        "answered": result.answered,
        "unanswered": result.unanswered,
        "rejected": result.rejected,
        "fills": result.fills,
        "seconds": round(result.seconds, 3),
        "per_second": round(result.answered / result.seconds),
    }
    print(json.dumps(summary | percentiles))


if __name__ == "__main__":
    main()
