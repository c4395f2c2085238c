"""A first look: two clients trade, one watches; every message shown decoded.

The clients speak through simplefix, which knows nothing of our codec: what they understand, any
client can.
"""

from __future__ import annotations

import socket
import time
from collections.abc import Callable
from typing import Any, Final

import simplefix
from rich.console import Console
from rich.table import Table
from rich.text import Text

from exchange.viewer import Viewer
from fix_engine.dictionary import Dictionary

_TIMEOUT_S: Final = 5.0
_SYMBOL: Final = "SOL/USD"
_QUIET_TYPES: Final = (b"0", b"1")  # the fences between the steps; see DemoClient.fence

Show = Callable[[str, bool, list[tuple[bytes, bytes]]], None]


class DemoError(Exception):
    """The demo cannot go on; says why and what to do."""


class DemoClient:
    """A FIX client of a few lines: blocking, one socket, no recovery."""

    def __init__(self, comp_id: str, host: str, port: int, target: str, show: Show) -> None:
        self.comp_id = comp_id
        self._target = target
        self._show = show
        self._seq = 0
        self._parser: Any = simplefix.FixParser()
        try:
            self._socket = socket.create_connection((host, port), _TIMEOUT_S)
        except OSError as error:
            raise DemoError(
                f"nobody listens on {host}:{port} ({error.strerror or error}); "
                f"start the venue first: make run"
            ) from error

    def send(self, msg_type: str, *fields: tuple[int, object]) -> None:
        """Send a message and show it."""
        self._seq += 1
        message: Any = simplefix.FixMessage()
        message.append_pair(8, "FIX.4.4", header=True)
        message.append_pair(35, msg_type, header=True)
        message.append_pair(34, self._seq, header=True)
        message.append_pair(49, self.comp_id, header=True)
        message.append_utc_timestamp(52, precision=3, header=True)
        message.append_pair(56, self._target, header=True)
        for tag, value in fields:
            message.append_pair(tag, value)
        self._socket.sendall(message.encode())
        self._shown(True, message)

    def fence(self) -> None:
        """Receive, and show, all that answers what was sent.

        Answers come in the order of requests, so a TestRequest's Heartbeat comes after them all.
        """
        mark = f"fence-{self._seq}".encode()
        self.send("1", (112, mark.decode()))
        while True:
            message = self._receive()
            if message.get(35) == b"0" and message.get(112) == mark:
                return
            if message.get(35) == b"5":
                text = (message.get(58) or b"").decode()
                raise DemoError(f"the venue has logged {self.comp_id} out: {text}")

    def logon(self, *fields: tuple[int, object]) -> None:
        """Log on with fresh sequence numbers."""
        self.send("A", (98, 0), (108, 30), (141, "Y"), *fields)
        self.fence()

    def logout(self) -> None:
        """Log out and wait for the venue's Logout."""
        self.send("5")
        while self._receive().get(35) != b"5":
            pass
        self._socket.close()

    def order(self, cl_ord_id: str, side: int, quantity: str, price: str) -> None:
        """Place a limit order and await what comes of it."""
        self.send(
            "D",
            (11, cl_ord_id),
            (55, _SYMBOL),
            (54, side),
            (60, _now()),
            (38, quantity),
            (40, 2),
            (44, price),
            (59, 1),
        )
        self.fence()

    def _receive(self) -> Any:
        while (message := self._parser.get_message()) is None:
            try:
                data = self._socket.recv(65536)
            except TimeoutError as error:
                raise DemoError(f"no answer to {self.comp_id} in {_TIMEOUT_S:g} s") from error
            if not data:
                raise DemoError(
                    f"the venue has closed the connection of {self.comp_id}; its log says why"
                )
            self._parser.append_buffer(data)
        self._shown(False, message)
        return message

    def watch(self) -> None:
        """Subscribe to both sides of the book and to trades; await what there is."""
        entry_types = ((269, 0), (269, 1), (269, 2))
        head = ((262, "book"), (263, 1), (264, 0), (265, 1))
        self.send("V", *head, (267, 3), *entry_types, (146, 1), (55, _SYMBOL))
        while self._receive().get(35) != b"W":
            pass

    def hear_changes(self, entries: int) -> None:
        """Receive, and show, until so many entries have come."""
        while entries > 0:
            message = self._receive()
            if message.get(35) == b"X":
                entries -= int(message.get(268))

    def _shown(self, is_request: bool, message: Any) -> None:
        if message.get(35) not in _QUIET_TYPES:
            self._show(self.comp_id, is_request, list(message.pairs))


def run_demo(host: str, port: int, target: str, dictionary: Dictionary) -> None:
    """Play the demo against the venue on host:port; raises DemoError."""
    console, viewer = Console(), Viewer(dictionary)

    def show(comp_id: str, is_request: bool, pairs: list[tuple[bytes, bytes]]) -> None:
        table = Table.grid(padding=(0, 1))
        table.add_column(width=10)
        table.add_column(width=2)
        table.add_column(width=29)
        table.add_column(ratio=1)
        style = "cyan" if is_request else "green"
        name = viewer.name(dict(pairs).get(b"35", b""))
        arrow = "->" if is_request else "<-"
        table.add_row(
            Text(comp_id, style="bold"), arrow, Text(name, style=style), viewer.fields(pairs)
        )
        console.print(table)

    def step(text: str) -> None:
        console.print()
        console.print(Text(text, style="bold yellow"))

    stamp = format(time.time_ns() // 1_000_000, "x")
    maker = DemoClient("DEMO_MAKER", host, port, target, show)
    taker = DemoClient("DEMO_TAKER", host, port, target, show)
    watcher = DemoClient("DEMO_DATA", host, port, target, show)
    step("Two clients log on. The maker asks for cancel-on-disconnect (8013=Y).")
    maker.logon((8013, "Y"))
    taker.logon()
    step("A third client watches the market: a snapshot, then every change.")
    watcher.logon()
    watcher.watch()
    step("The maker offers 10 SOL at 150.00 and 5 more at 150.25.")
    maker.order(f"{stamp}-m1", 2, "10", "150.00")
    maker.order(f"{stamp}-m2", 2, "5", "150.25")
    step("The taker buys 12 at up to 150.25: two fills, best price first, then both sides hear.")
    taker.order(f"{stamp}-t1", 1, "12", "150.25")
    maker.fence()
    step("The watcher has seen two prices come, then the trades; RptSeq (83) counts the entries.")
    watcher.hear_changes(4)
    watcher.logout()
    step("The maker moves what is left, 3 SOL, to 151.00.")
    maker.send(
        "G",
        (11, f"{stamp}-m3"),
        (41, f"{stamp}-m2"),
        (55, _SYMBOL),
        (54, 2),
        (60, _now()),
        (38, "5"),
        (40, 2),
        (44, "151.00"),
    )
    maker.fence()
    step("The taker makes a mistake, and is told what it is.")
    taker.order(f"{stamp}-t2", 1, "1", "150.255")
    step("Both log out. The maker's order is cancelled; the report waits for its next logon.")
    taker.logout()
    maker.logout()
    console.print()


def _now() -> str:
    now = time.time_ns()
    return (
        time.strftime("%Y%m%d-%H:%M:%S", time.gmtime(now // 10**9)) + f".{now // 10**6 % 1000:03}"
    )
