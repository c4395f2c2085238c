"""Thousands of sessions in one process, told by a line what to do: HOST PORT COUNT HEARTBEAT_S.

Says as JSON what each line has led to: `storm RATE` has all log on at once, while the first few,
who are in already, send orders; `run SECONDS RATE` has them live, and send so many orders a second
in turns; `burst PID` has each send an order at one moment; `end` waits until the venue has logged
everybody out.
"""

from __future__ import annotations

import errno
import json
import os
import select
import signal
import socket
import sys
import time
from collections.abc import Callable, Iterable
from typing import Any, Final, Self

from fix_engine.timestamps import TimestampFormatter, TimestampParser
from fix_engine.wire import encode

EARLY: Final = 4  # sessions that trade while the others log on
_PATIENCE_S: Final = 60.0
_LAST_S: Final = 1.0  # for the last answers, and fills behind them
_CALLS_AT_ONCE: Final = 16
_HEARD_AT_ONCE: Final = 32  # so that orders leave when they are due
_LEAVING: Final = (errno.EINPROGRESS, 0)


class _Member:
    """One session, as its peer sees it."""

    __slots__ = (
        "called_at",
        "due_from",
        "is_in",
        "is_out",
        "name",
        "plug",
        "said_bye",
        "seq",
        "tail",
    )

    def __init__(self, number: int) -> None:
        self.name = b"CROWD%d" % number
        self.plug = socket.socket()
        self.seq = 0
        self.tail = b""
        self.called_at = 0.0
        self.due_from = 0  # SendingTime of what the venue has sent it last
        self.is_in = self.is_out = self.said_bye = False


class Crowd:
    """All of them; what is measured is gathered in lists until a line is answered."""

    def __init__(self, address: tuple[str, int], count: int, heartbeat_s: int) -> None:
        self._address, self._heartbeat_s = address, heartbeat_s
        self._members = [_Member(number) for number in range(count)]
        self._by_fd = {one.plug.fileno(): one for one in self._members}
        self._poll = select.epoll()
        self._format, self._parse = TimestampFormatter().format, TimestampParser().parse
        self._due: dict[bytes, float] = {}  # of orders without an answer, by ClOrdID
        self._orders = self._refused = self._heartbeats = self._probes = 0
        self._latencies: list[float] = []
        self._lateness: list[float] = []
        self._behind: list[float] = []  # how much later than due an order has left
        self._logons: list[float] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._poll.close()
        for one in self._members:
            one.plug.close()

    # --- what can be asked for ----------------------------------------------------------

    def storm(self, rate: float) -> dict[str, Any]:
        """All of them connect and log on; then how the others' orders were meanwhile."""
        early, rest = self._members[:EARLY], self._members[EARLY:]
        self._let_in(early, [], 0.0)
        self._forget()
        elapsed = self._let_in(rest, early, rate)
        self._live(_LAST_S, early, 0.0)  # the last answers
        return {
            "asked": len(rest),
            "in": sum(one.is_in for one in rest),
            "dropped": sum(one.is_out for one in self._members),
            "seconds": round(elapsed, 3),
            **_figures("logon", self._logons),
            **self._said(),
        }

    def run(self, seconds: float, rate: float) -> dict[str, Any]:
        """Live for so long; lateness is that of heartbeats, those that never came included."""
        self._forget()
        self._live(seconds, [one for one in self._members if one.is_in], rate)
        if rate:
            self._live(_LAST_S, [], 0.0)
        self._count_overdue()
        return self._said()

    def burst(self, venue: int) -> dict[str, Any]:
        """An order of each, all at one moment: the venue is held up until all have been sent."""
        self._forget()
        present = [one for one in self._members if one.is_in and not one.is_out]
        orders = [(one, self._order(one)) for one in present]
        os.kill(venue, signal.SIGSTOP)
        try:
            for one, (_, raw) in orders:
                one.plug.send(raw)
            now = time.perf_counter()
            self._due = dict.fromkeys((name for _, (name, _) in orders), now)
        finally:
            os.kill(venue, signal.SIGCONT)
        deadline = now + _PATIENCE_S
        while self._due and time.perf_counter() < deadline:
            self._listen(0.2)
        first = round(min(self._latencies, default=0.0), 4)
        self._live(_LAST_S, [], 0.0)
        self._count_overdue()
        return {"first_s": first, **self._said()}

    def end(self) -> dict[str, Any]:
        """Answer Logouts until nobody is connected."""
        started, deadline = time.perf_counter(), time.perf_counter() + _PATIENCE_S
        present = [one for one in self._members if one.is_in and not one.is_out]
        while any(not one.is_out for one in present) and time.perf_counter() < deadline:
            self._listen(0.2)
        return {
            "sessions": len(present),
            "logouts": sum(one.said_bye for one in present),
            "closed": sum(one.is_out for one in present),
            "seconds": round(time.perf_counter() - started, 3),
        }

    # --- doing it -----------------------------------------------------------------------

    def _let_in(self, members: list[_Member], trading: list[_Member], rate: float) -> float:
        started, waiting = time.perf_counter(), list(reversed(members))
        done, wanted = 0, len(self._logons) + len(members)
        while len(self._logons) < wanted and time.perf_counter() < started + _PATIENCE_S:
            for _ in range(min(_CALLS_AT_ONCE, len(waiting))):
                self._call(waiting.pop())
            done = self._send_due(trading, started, done, rate)
            self._listen(0 if waiting else 0.005)
        return time.perf_counter() - started

    def _call(self, one: _Member) -> None:
        one.called_at = time.perf_counter()
        one.plug.setblocking(False)
        one.plug.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        failure = one.plug.connect_ex(self._address)
        if failure not in _LEAVING:
            sys.exit(f"cannot connect: {errno.errorcode[failure]}")
        self._poll.register(one.plug.fileno(), select.EPOLLOUT)

    def _live(self, seconds: float, trading: list[_Member], rate: float) -> None:
        started, done = time.perf_counter(), 0
        while (left := started + seconds - time.perf_counter()) > 0:
            done = self._send_due(trading, started, done, rate)
            self._listen(min(left, 1 / rate) if rate else left)

    def _send_due(self, trading: list[_Member], started: float, done: int, rate: float) -> int:
        """Open loop: an order counts from when it was due."""
        if not rate or not trading:
            return done
        now = time.perf_counter()
        while (due := started + done / rate) <= now:
            one = trading[done % len(trading)]
            done += 1
            if not one.is_out:
                name, raw = self._order(one)
                self._due[name] = due
                self._behind.append(now - due)
                one.plug.send(raw)
        return done

    def _order(self, one: _Member) -> tuple[bytes, bytes]:
        self._orders += 1
        name = b"%b-%d" % (one.name, one.seq)
        time_sent = self._format(time.time_ns())
        side = 1 + self._orders % 2
        body = b"11=%b\x0155=BTC/USD\x0154=%d\x0160=%b\x0138=1\x0140=2\x0144=65000\x0159=1\x01"
        return name, self._message(one, b"D", body % (name, side, time_sent))

    def _message(self, one: _Member, msg_type: bytes, body: bytes) -> bytes:
        one.seq += 1
        now = self._format(time.time_ns())
        head = b"35=%b\x0134=%d\x0149=%b\x0152=%b\x0156=SEAMARK\x01"
        return encode(head % (msg_type, one.seq, one.name, now) + body)

    def _listen(self, timeout: float) -> None:
        for fd, mask in self._poll.poll(timeout, _HEARD_AT_ONCE):
            one = self._by_fd[fd]
            if mask & select.EPOLLOUT:
                logon = b"98=0\x01108=%d\x01141=Y\x01" % self._heartbeat_s
                try:
                    one.plug.send(self._message(one, b"A", logon))
                except OSError:
                    self._close(one)
                    continue
                self._poll.modify(fd, select.EPOLLIN)
            else:
                self._hear(one)

    def _hear(self, one: _Member) -> None:
        try:
            data = one.plug.recv(1 << 16)
        except OSError:
            data = b""
        if not data:
            self._close(one)
            return
        data = one.tail + data
        end = data.rfind(b"\x0110=") + 8
        if end < 8 or end > len(data):
            one.tail = data
            return
        one.tail, now = data[end:], time.perf_counter()
        for message in data[:end].split(b"\x018=FIX.4.4\x01"):
            self._take(one, message, now)

    def _take(self, one: _Member, message: bytes, now: float) -> None:
        said_at = self._parse(_value(message, b"\x0152="))
        kind = _value(message, b"\x0135=")
        if kind == b"8":
            if b"\x01150=0\x01" in message or b"\x01150=8\x01" in message:
                self._refused += b"\x01150=8\x01" in message
                self._latencies.append(now - self._due.pop(_value(message, b"\x0111=")))
        elif kind == b"0":
            self._heartbeats += 1
            self._note(one, time.time_ns())
            one.plug.send(self._message(one, b"0", b""))
        elif kind == b"1":
            self._probes += 1
            one.plug.send(self._message(one, b"0", b"112=TEST\x01"))
        elif kind == b"A":
            one.is_in = True
            self._logons.append(now - one.called_at)
        elif kind == b"5":
            one.said_bye = True
            one.plug.send(self._message(one, b"5", b""))
        one.due_from = said_at or one.due_from

    def _close(self, one: _Member) -> None:
        self._poll.unregister(one.plug.fileno())
        one.plug.close()
        one.is_out = True

    # --- what came of it ----------------------------------------------------------------

    def _forget(self) -> None:
        for some in (self._due, self._latencies, self._lateness, self._behind, self._logons):
            some.clear()
        self._orders = self._refused = self._heartbeats = self._probes = 0

    def _note(self, one: _Member, now: int) -> None:
        self._lateness.append((now - one.due_from) / 1e9 - self._heartbeat_s)

    def _count_overdue(self) -> None:
        """A heartbeat that has not come yet is as late as it is by now, if it is."""
        now = time.time_ns()
        for one in self._members:
            if one.is_in and now - one.due_from > self._heartbeat_s * 1_000_000_000:
                self._note(one, now)

    def _said(self) -> dict[str, Any]:
        return {
            "orders": self._orders,
            "unanswered": len(self._due),
            "refused": self._refused,
            "heartbeats": self._heartbeats,
            "probes": self._probes,
            "lost": sum(one.is_out for one in self._members),
            **_figures("order", self._latencies),
            **_figures("late", self._lateness),
            **_figures("behind", self._behind),
        }


def _value(message: bytes, mark: bytes) -> bytes:
    start = message.find(mark) + len(mark)
    return message[start : message.find(b"\x01", start)]


def _figures(name: str, some: Iterable[float]) -> dict[str, float]:
    """Median, p99 and worst, in seconds."""
    ascending = sorted(some)
    shares = {"p50": 0.5, "p99": 0.99, "worst": 1.0}
    return {
        f"{name}_{share}": round(ascending[min(len(ascending) - 1, int(len(ascending) * at))], 4)
        if ascending
        else 0.0
        for share, at in shares.items()
    }


def main(host: str, port: int, count: int, heartbeat_s: int) -> None:
    """Do what each line says."""
    crowd = Crowd((host, port), count, heartbeat_s)
    phases: dict[str, Callable[..., dict[str, Any]]] = {
        "storm": crowd.storm,
        "run": crowd.run,
        "burst": crowd.burst,
        "end": crowd.end,
    }
    print("ready", flush=True)
    for line in sys.stdin:
        name, *figures = line.split()
        print(json.dumps(phases[name](*map(int, figures))), flush=True)


if __name__ == "__main__":
    main(sys.argv[1], *map(int, sys.argv[2:5]))
