"""A trading day of two clients at the venue, checked step by step."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping
from typing import Final

from tests.interop.script import checks, numbers
from tests.interop.script.checks import Check, Step, nothing_rejected, reports_in_order
from tests.interop.script.client import Client
from tests.interop.script.cuts import Cuts
from tests.interop.script.fix import TEXT, unless
from tests.interop.script.groups import watch
from tests.interop.script.market_data import MARKET_DATA
from tests.interop.script.orders import BAD_INPUT, ORDERS, converse

_HEARTBEAT_S: Final = 5  # of the programs' sessions


class Day:
    """The steps that both clients have a part in."""

    def __init__(self, clients: Mapping[str, Client]) -> None:
        self._clients = clients
        self._buyer = clients["buyer"]
        self._seller = clients["seller"]

    def steps(self) -> Iterator[Step]:
        """Area, name and check of each."""
        clients = self._clients.values()
        yield "session", "log on", self._log_on
        for area, scenes in (("orders", ORDERS), ("bad input", BAD_INPUT)):
            for name, lines in scenes.items():
                yield area, name, self._scene(lines)
        for name, lines in MARKET_DATA.items():
            yield "market data", name, self._watched(lines)
        yield "session", "heartbeats while idle", checks.of_each(clients, self._heartbeats)
        yield "session", "no gap up to here", self._no_gaps
        for name, check in Cuts(self._buyer, self._seller).steps().items():
            yield "cuts", name, check
        yield "disconnect", "without cancel on disconnect", self._orders_survive
        yield "disconnect", "with cancel on disconnect", self._orders_go
        yield "cuts", "every report once, and in order", checks.of_all(clients, reports_in_order)
        for area, name, check_one in (
            ("resend", "what the engine has forgotten", numbers.forget_reports),
            ("resend", "what the engine has never sent", numbers.skip_numbers),
            ("resend", "what the engine has had already", numbers.ask_again),
            ("reset", "at logon", numbers.reset_at_logon),
            ("logout", "log out, log on: numbers go on", numbers.go_on),
            ("reset", "in session", numbers.reset_in_session),
            ("reset", "by SequenceReset", numbers.reset_by_sequence_reset),
        ):
            yield area, name, checks.of_each(clients, check_one)
        name = "every report once, and in order, to the end"
        yield "cuts", name, checks.of_all(clients, reports_in_order)
        yield (
            "session",
            "nothing was rejected by the engine",
            checks.of_all(clients, nothing_rejected),
        )
        yield "logout", "log out", checks.of_each(clients, Client.logout)

    def _scene(self, lines: str) -> Check:
        return lambda: converse(self._clients, lines)

    def _watched(self, lines: str) -> Check:
        return lambda: watch(self._clients, lines)

    async def _log_on(self) -> str:
        await asyncio.gather(*(client.logon() for client in self._clients.values()))
        for client in self._clients.values():
            client.last_received("A").check(f"34=1 98=0 108={_HEARTBEAT_S} !141 !8013")
        return "both sessions"

    @staticmethod
    async def _heartbeats(client: Client) -> str:
        sent, received = client.sent("0"), client.received("0")
        await client.until(
            lambda: client.sent("0") > sent and client.received("0") > received,
            "saw no Heartbeats both ways",
        )
        return "both ways"

    async def _no_gaps(self) -> str:
        for client in self._clients.values():
            unless(client.gaps() == 0, f"{client.role} has seen a gap, and nothing was cut yet")
        return ""

    async def _orders_survive(self) -> str:
        seller = self._seller
        seller.send("35=D 11=n1 55=BTC/USD 54=2 38=1 40=2 44=500")
        await seller.expect("35=8 150=0 39=0 11=n1")
        await seller.cut_off()
        await seller.proxy.open()
        await seller.online()
        seller.send("35=H 11=n1 55=BTC/USD 54=2")
        await seller.expect("35=8 150=I 39=0 11=n1 151=1")
        seller.send("35=F 11=n2 41=n1 55=BTC/USD 54=2")
        await seller.expect("35=8 150=4 39=4 11=n2 41=n1")
        return "the order is still open"

    async def _orders_go(self) -> str:
        buyer = self._buyer
        await buyer.logout()
        await buyer.logon("8013=Y")
        buyer.last_received("A").check("8013=Y")
        for i in range(1, 4):
            buyer.send(f"35=D 11=c{i} 55=BTC/USD 54=1 38={i} 40=2 44=50")
            await buyer.expect(f"35=8 150=0 39=0 11=c{i}")
        buyer.send("35=F 11=c4 41=c2 55=BTC/USD 54=1")  # a closed one has nothing to cancel
        await buyer.expect("35=8 150=4 39=4 11=c4 41=c2 !58")
        await buyer.cut_off()
        await buyer.proxy.open()
        await buyer.expect("35=8 43=Y 122=* 150=4 39=4 11=c1 151=0 14=0 378=* 58=* !41")
        last = await buyer.expect("35=8 43=Y 150=4 39=4 11=c3 151=0 14=0 378=* 58=* !41")
        buyer.send("35=H 11=c1 55=BTC/USD 54=1")
        await buyer.expect("35=8 !43 150=I 39=4 11=c1 151=0")
        return f"2 unsolicited cancels by resend: {last.get(TEXT)}"
