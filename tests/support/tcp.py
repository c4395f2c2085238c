"""A real venue process, and a FIX client on simplefix that recovers as FIX says one should."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any, Final

import simplefix

_TIMEOUT_S: Final = 10.0
_ADMIN: Final = frozenset("012345A")


class VenueProcess:
    """`seamark serve` on a port of the system's choice."""

    def __init__(self, data: Path, *options: str, port: int = 0, program: str = "") -> None:
        """`program` is Python text to run instead of the module `exchange`."""
        python = [sys.executable, *(("-c", program) if program else ("-m", "exchange"))]
        command = [*python, "serve", "--data", str(data)]
        self.process = subprocess.Popen(
            [*command, "--port", str(port), *options],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, "COLUMNS": "200"},
        )
        assert self.process.stdout is not None
        self.banner = [self.process.stdout.readline()]
        if "listens on" not in self.banner[0]:
            raise AssertionError(f"no venue: {self.banner[0]}{self.finish(signal.SIGTERM)}")
        while not self.banner[-1].startswith("Next:"):
            self.banner.append(self.process.stdout.readline())
        self.port = int(self.banner[0].rsplit("listens on ", 1)[1].split(",")[0].rsplit(":", 1)[1])

    def finish(self, number: signal.Signals) -> tuple[str, str]:
        """End the process with a signal; what it had still to say."""
        if self.process.poll() is None:
            self.process.send_signal(number)
        return self.process.communicate(timeout=_TIMEOUT_S)


class TcpClient:
    """A session that outlives its connections: it resends, and asks for what it misses.

    `reports` holds every application message, once, in sequence.
    """

    def __init__(self, comp_id: str) -> None:
        self.comp_id = comp_id
        self.next_out = self.next_in = 1
        self.reports: list[dict[int, str]] = []
        self.resent = 0  # messages received with PossDupFlag
        self._sent: dict[int, tuple[str, str, list[tuple[int, object]]]] = {}
        self._early: dict[int, dict[int, str]] = {}
        self._socket: socket.socket
        self._parser: Any

    def connect(self, port: int, *fields: tuple[int, object]) -> None:
        """Log on, keeping both sequences, and let each side bring the other up to date."""
        self._socket = socket.create_connection(("127.0.0.1", port), _TIMEOUT_S)
        self._parser = simplefix.FixParser()
        self._early.clear()
        self.send("A", (98, 0), (108, 30), *fields)
        while self.receive()[35] != "A":
            pass
        self.settle()

    def drop(self) -> None:
        """Close without a word; what was under way is lost."""
        self._socket.close()

    def send(self, msg_type: str, *fields: tuple[int, object]) -> None:
        """Send the next message."""
        seq, self.next_out = self.next_out, self.next_out + 1
        self._sent[seq] = (msg_type, _now(), list(fields))
        self._write(msg_type, seq, list(fields))

    def order(self, cl_ord_id: str, side: int, quantity: str, price: str) -> None:
        """Send a limit order."""
        self.send(
            "D",
            *((11, cl_ord_id), (55, "BTC/USD"), (54, side), (60, _now())),
            *((38, quantity), (40, 2), (44, price), (59, 1)),
        )

    def settle(self) -> None:
        """Receive until the venue has answered all that was sent, and nothing is missing."""
        mark = f"mark-{self.next_out}"
        self.send("1", (112, mark))
        while True:
            message = self.receive()
            if message.get(112) == mark and not self._early:
                return

    def receive(self) -> dict[int, str]:
        """The next message in sequence; resend requests and gaps are dealt with on the way."""
        while True:
            if self.next_in in self._early:
                return self._accept(self._early.pop(self.next_in))
            message = self._read()
            seq = int(message[34])
            self.resent += message.get(43) == "Y"
            if message[35] == "2":
                self._resend(int(message[7]), int(message[16]))
            if message[35] == "4" and seq == self.next_in:
                self.next_in = int(message[36])
            elif seq > self.next_in:
                if not self._early:
                    self.send("2", (7, self.next_in), (16, 0))
                self._early[seq] = message
            elif seq == self.next_in:
                return self._accept(message)

    def logout(self) -> None:
        """Log out in good order."""
        self.send("5")
        while self.receive()[35] != "5":
            pass
        self._socket.close()

    def _accept(self, message: dict[int, str]) -> dict[int, str]:
        self.next_in += 1
        if message[35] not in _ADMIN:
            self.reports.append(message)
        return message

    def _resend(self, begin: int, end: int) -> None:
        gap = 0
        last = end or self.next_out - 1
        for seq in range(begin, last + 1):
            msg_type, time_text, fields = self._sent[seq]
            if msg_type in _ADMIN:
                gap = gap or seq
                continue
            if gap:
                self._write("4", gap, [(36, seq), (123, "Y")], time_text)
                gap = 0
            self._write(msg_type, seq, fields, time_text)
        if gap:
            self._write("4", gap, [(36, last + 1), (123, "Y")], _now())

    def _write(
        self, msg_type: str, seq: int, fields: list[tuple[int, object]], original: str = ""
    ) -> None:
        message: Any = simplefix.FixMessage()
        header: list[tuple[int, object]] = [(8, "FIX.4.4"), (35, msg_type), (34, seq)]
        header += [(49, self.comp_id), (52, _now()), (56, "SEAMARK")]
        if original:
            header += [(43, "Y"), (122, original)]
        for tag, value in header:
            message.append_pair(tag, value, header=True)
        for tag, value in fields:
            message.append_pair(tag, value)
        self._socket.sendall(message.encode())

    def _read(self) -> dict[int, str]:
        while (message := self._parser.get_message()) is None:
            data = self._socket.recv(1 << 16)
            if not data:
                raise ConnectionError(f"{self.comp_id}: the venue closed the connection")
            self._parser.append_buffer(data)
        return {int(tag): value.decode("latin-1") for tag, value in message.pairs}


def _now() -> str:
    now = time.time_ns()
    return (
        time.strftime("%Y%m%d-%H:%M:%S", time.gmtime(now // 10**9)) + f".{now // 10**6 % 1000:03}"
    )
