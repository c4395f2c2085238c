"""What screens cost the venue: orders a second and CPU per order, without and with them.

Each round measures the same venue three times, in changing order: alone; with the process for
screens and nobody before it; with many clients that look at book, trades and ticker. The clients
read and throw away, in a process of their own.
"""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any, Final

import typer

from bench.report import console, in_one_line, machine, table, write_json
from bench.rounds import ratios, rotated, spread
from bench.venue import VenueUnderTest, load, resident_bytes

_MODES: Final = ("no screens", "no clients", "clients")
_CHANNELS: Final = ("book", "trades", "ticker")


def main(
    clients: Annotated[int, typer.Option(help="Screens that look.")] = 200,
    orders: Annotated[int, typer.Option(help="Orders of each of four sessions.")] = 10_000,
    rounds: Annotated[int, typer.Option(help="Rounds of all three.")] = 5,
    interval_ms: Annotated[int, typer.Option(help="Of the screens' updates.")] = 250,
    shape: Annotated[str, typer.Option(help="cross, rest or cancel.")] = "cross",
    figures: Annotated[Path | None, typer.Option("--json", help="Every figure.")] = None,
) -> None:
    """Measure; compare only what one run has measured."""
    found = machine()
    console.print(in_one_line(found))
    measured: dict[str, list[dict[str, float]]] = {mode: [] for mode in _MODES}
    with (
        tempfile.TemporaryDirectory() as directory,
        VenueUnderTest(Path(directory), "--durability", "os") as venue,
    ):
        load("throughput", venue, 4, orders // 4, shape)  # to warm up
        for number in range(rounds):
            for mode in rotated(_MODES, number):
                count = clients if mode == "clients" else 0
                with _screens(venue.port, mode != "no screens", count, interval_ms) as screens:
                    measured[mode].append(_measure(venue, screens, orders, shape))
    rows = []
    for mode in _MODES:
        rates = [one["per_second"] for one in measured[mode]]
        cpu = [one["venue_us"] for one in measured[mode]]
        bases = measured[_MODES[0]]
        rows.append(
            (
                mode if mode != "clients" else f"{clients} clients",
                spread(rates).shown(0),
                spread(ratios(rates, [one["per_second"] for one in bases])).shown(),
                spread(cpu).shown(1),
                spread(ratios(cpu, [one["venue_us"] for one in bases])).shown(),
                spread([one["screens_cpu"] for one in measured[mode]]).shown(),
                f"{max(one['screens_mb'] for one in measured[mode]):.0f}",
            )
        )
    columns = (
        "screens",
        "orders a second",
        "to none",
        "venue CPU us an order",
        "to none",
        "screens' cores",
        "MB",
    )
    console.print(table(f"Screens at {interval_ms} ms, orders: {shape}", columns, rows))
    write_json(figures, {"machine": found, "rounds": measured})


def _measure(
    venue: VenueUnderTest, screens: subprocess.Popen[str] | None, orders: int, shape: str
) -> dict[str, float]:
    before, screens_before = venue.cpu_seconds(), _cpu_s(screens)
    started = time.perf_counter()
    found = load("throughput", venue, 4, orders, shape)
    seconds = time.perf_counter() - started
    return {
        "per_second": found["per_second"],
        "unanswered": found["unanswered"],
        "venue_us": (venue.cpu_seconds() - before) / found["answered"] * 1e6,
        "screens_cpu": (_cpu_s(screens) - screens_before) / seconds,
        "screens_mb": resident_bytes(screens.pid) / 1e6 if screens else 0.0,
    }


def _cpu_s(process: subprocess.Popen[str] | None) -> float:
    if process is None:
        return 0.0
    fields = Path(f"/proc/{process.pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@contextmanager
def _screens(
    venue_port: int, is_there: bool, clients: int, interval_ms: int
) -> Iterator[subprocess.Popen[str] | None]:
    """The process for screens, with clients that are there, too."""
    if not is_there:
        yield None
        return
    command = [sys.executable, "-m", "exchange", "screens", "--port", "0"]
    options = {"SEAMARK_SCREENS__MAX_CLIENTS_BY_ADDRESS": str(clients + 1)}
    screens = _started([*command, "--venue-port", str(venue_port)], options)
    assert screens.stdout is not None
    port = screens.stdout.readline().rstrip("/.\n").rsplit(":", 1)[1]
    lookers = None
    try:
        if clients:
            lookers = _started(
                [sys.executable, "-m", "bench.screens", port, str(clients), str(interval_ms)], {}
            )
            assert lookers.stdout is not None
            lookers.stdout.readline()
        else:
            time.sleep(1)
        yield screens
    finally:
        for process in (lookers, screens):
            if process is not None:
                process.terminate()
                process.wait()


def _started(command: list[str], more: dict[str, str]) -> subprocess.Popen[str]:
    return subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        env={**os.environ, **more},
    )


# --- clients, in a process of their own -----------------------------------------------------


class _Looker(asyncio.Protocol):
    """Says what it wants, and throws away what it gets."""

    def __init__(self, interval_ms: int) -> None:
        self.has_come = asyncio.Event()
        self._interval_ms = interval_ms

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Ask for a WebSocket that is compressed, and for all there is of one instrument."""
        assert isinstance(transport, asyncio.Transport)
        transport.write(
            b"GET /ws HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
            b"Sec-WebSocket-Extensions: permessage-deflate\r\n\r\n"
        )
        for channel in _CHANNELS:
            wanted: dict[str, Any] = {"op": "subscribe", "channel": channel}
            wanted |= {"symbols": ["BTC/USD"], "interval_ms": self._interval_ms}
            text = json.dumps(wanted, separators=(",", ":")).encode()
            transport.write(bytes([0x81, 0x80 + len(text)]) + bytes(4) + text)

    def data_received(self, data: bytes) -> None:
        """Enough to know that it is served."""
        self.has_come.set()


async def _look(port: int, clients: int, interval_ms: int) -> None:
    loop = asyncio.get_running_loop()
    for _ in range(clients):
        _, one = await loop.create_connection(lambda: _Looker(interval_ms), "127.0.0.1", port)
        await one.has_come.wait()
    print("all are there", flush=True)
    await asyncio.Event().wait()


if __name__ == "__main__":
    if sys.argv[1:] and sys.argv[1].isdigit():
        asyncio.run(_look(*map(int, sys.argv[1:4])))
    else:
        typer.run(main)
