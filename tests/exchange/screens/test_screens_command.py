"""`seamark screens` beside a real venue: what it shows, and what it survives."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import aiohttp
import pytest

from sessions.credentials import hash_password
from tests.exchange.screens.client import Screen
from tests.support.certificates import authority, venue_certificate
from tests.support.tcp import TcpClient, VenueProcess

PATIENCE_S: Final = 20.0
SYMBOL: Final = "BTC/USD"


class ScreensProcess:
    """`seamark screens` on a port of the system's choice."""

    def __init__(self, directory: Path, *options: object) -> None:
        self._err = directory / "screens.err"
        with self._err.open("w") as err:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "exchange", "screens", "--port", "0", *map(str, options)],
                stdout=subprocess.PIPE,
                stderr=err,
                text=True,
                env={**os.environ, "COLUMNS": "200"},
            )
        assert self.process.stdout is not None
        banner = self.process.stdout.readline()
        assert "http://" in banner, self.said()
        self.address = banner.split(" on ")[1].strip().rstrip(".")

    def said(self) -> str:
        return self._err.read_text()

    def stop(self) -> int:
        """In good order; the exit code."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        self.process.communicate(timeout=PATIENCE_S)
        return self.process.returncode


@contextlib.contextmanager
def running(directory: Path, *options: object) -> Iterator[ScreensProcess]:
    screens = ScreensProcess(directory, *options)
    try:
        yield screens
    finally:
        screens.stop()


async def look(screens: ScreensProcess, session: aiohttp.ClientSession) -> Looker:
    """A client that looks at everything of one instrument."""
    plug = await session.ws_connect(f"{screens.address}ws", compress=15)
    for channel in ("book", "trades", "ticker"):
        await plug.send_json(
            {"op": "subscribe", "channel": channel, "symbols": [SYMBOL], "interval_ms": 100}
        )
    return Looker(plug)


class Looker:
    """Reads until what it waits for has come."""

    def __init__(self, plug: aiohttp.ClientWebSocketResponse) -> None:
        self.plug = plug
        self.screen = Screen()

    async def until(self, **wanted: Any) -> None:
        """Until `bids`, `asks` (price to size), `state` or `trades` (how many), `last` are so."""
        deadline = time.monotonic() + PATIENCE_S
        while (found := self._found()) != wanted | {
            name: value for name, value in found.items() if name not in wanted
        }:
            left = deadline - time.monotonic()
            assert left > 0, found
            self.screen.take(await self.plug.receive_str(timeout=left))

    def _found(self) -> dict[str, Any]:
        bids, asks = self.screen.books.get(SYMBOL, ({}, {}))
        return {
            "bids": {str(price): size for price, (size, _) in bids.items()},
            "asks": {str(price): size for price, (size, _) in asks.items()},
            "state": self.screen.state,
            "trades": len(self.screen.trades.get(SYMBOL, ())),
            "last": self.screen.tickers.get(SYMBOL, {}).get("last"),
        }


async def health(screens: ScreensProcess, session: aiohttp.ClientSession) -> dict[str, Any]:
    async with session.get(f"{screens.address}health") as response:
        found: dict[str, Any] = await response.json()
    return found


def test_a_venue_is_shown_killed_and_shown_again(tmp_path: Path) -> None:
    data = tmp_path / "data"
    data.mkdir()
    venue = VenueProcess(data)
    port = venue.port
    trader = TcpClient("TRADER")
    trader.connect(port)
    trader.order("one", 1, "2", "100")
    trader.order("two", 2, "3", "101.5")
    trader.settle()

    async def test(screens: ScreensProcess) -> None:
        nonlocal venue
        async with aiohttp.ClientSession() as session:
            looker = await look(screens, session)
            await looker.until(state="live", bids={"100": "2"}, asks={"101.5": "3"})
            trader.order("three", 2, "0.5", "100")
            await looker.until(bids={"100": "1.5"}, trades=1, last="100")

            venue.finish(signal.SIGKILL)
            trader.drop()
            await looker.until(state="stale", bids={"100": "1.5"})
            assert "connection was closed" in looker.screen.reason
            assert len(looker.screen.stale) == 4
            late = await look(screens, session)  # sees what was, and that it is old
            await late.until(state="stale", bids={"100": "1.5"})
            assert (await health(screens, session))["venue"]["is_connected"] is False

            venue = VenueProcess(data, port=port)
            trader.connect(port)
            trader.order("four", 1, "7", "99")
            for one in (looker, late):
                await one.until(state="live", bids={"100": "1.5", "99": "7"}, asks={"101.5": "3"})
            found = await health(screens, session)
            assert found["venue"]["connections"] == 2
            assert found["symbols"][SYMBOL]["checksums_wrong"] == 0
            assert found["clients"] == 2
            assert looker.screen.of("update"), "no new snapshot was needed"

    try:
        with running(tmp_path, "--venue-port", port) as screens:
            asyncio.run(test(screens))
            assert screens.stop() == 0
            assert "Traceback" not in screens.said()
    finally:
        trader.drop()
        venue.finish(signal.SIGKILL)


def test_screens_wait_for_a_venue_that_is_not_there_yet(tmp_path: Path) -> None:
    data = tmp_path / "data"
    data.mkdir()
    first = VenueProcess(data)
    first.finish(signal.SIGTERM)

    async def test(screens: ScreensProcess) -> None:
        async with aiohttp.ClientSession() as session:
            looker = await look(screens, session)
            await looker.until(state="stale")
            venue = VenueProcess(data, port=first.port)
            try:
                await looker.until(state="live", bids={}, asks={})
                venue.finish(signal.SIGTERM)
                await looker.until(state="stale")
                assert "logged out" in looker.screen.reason
            finally:
                venue.finish(signal.SIGKILL)

    with running(tmp_path, "--venue-port", first.port) as screens:
        asyncio.run(test(screens))


@pytest.mark.parametrize("rights", ["market-data", "orders"])
def test_a_session_with_a_password_over_tls(tmp_path: Path, rights: str) -> None:
    data = tmp_path / "data"
    certificate, key = venue_certificate().write(data, "venue")
    (data / "ca.pem").write_bytes(authority().pem)
    (data / "hash").write_text(hash_password(b"a long password for screens"))
    (data / "secret").write_text("a long password for screens\n")
    file = data / "venue.toml"
    file.write_text(
        f'[tls]\nport = 0\ncertificate = "{certificate}"\nkey = "{key}"\n'
        f'[access]\npolicy = "accounts"\nrefusal_delay_s = 0.05\n'
        f'[screens]\nvenue_tls = true\nvenue_ca = "{data}/ca.pem"\n'
        f'password = "file:{data}/secret"\nsymbols = ["{SYMBOL}"]\n'
        f'[[accounts]]\nname = "screens"\n[[accounts.sessions]]\ncomp_id = "SCREENS"\n'
        f'rights = ["{rights}"]\npassword_hash = "file:{data}/hash"\n'
    )
    venue = VenueProcess(data, "--config", str(file))
    tls = next(line for line in venue.banner if "TLS" in line).split(",")[0].rsplit(":", 1)[1]

    async def test(screens: ScreensProcess) -> None:
        async with aiohttp.ClientSession() as session:
            looker = await look(screens, session)
            if rights == "market-data":
                await looker.until(state="live", bids={}, asks={})
                return
            while "market-data" not in looker.screen.reason:
                looker.screen.take(await looker.plug.receive_str(timeout=PATIENCE_S))

    try:
        with running(data, "--config", file, "--venue-port", tls) as screens:
            asyncio.run(test(screens))
            assert "a long password" not in screens.said()
    finally:
        venue.finish(signal.SIGKILL)


def test_a_port_that_is_taken_is_said_in_a_line(tmp_path: Path) -> None:
    with running(tmp_path, "--venue-port", 1) as screens:
        port = screens.address.rstrip("/").rsplit(":", 1)[1]
        done = subprocess.run(
            [sys.executable, "-m", "exchange", "screens", "--port", port],
            capture_output=True,
            text=True,
            timeout=PATIENCE_S,
            check=False,
        )
    assert done.returncode == 1
    assert f"seamark: cannot listen on 127.0.0.1:{port}: " in done.stderr
    assert "Traceback" not in done.stderr
