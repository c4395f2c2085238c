"""A trading day of two clients at the venue, checked step by step."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from typing import Final

from tests.interop.report import Outcome
from tests.interop.script import numbers
from tests.interop.script.client import Client, Program
from tests.interop.script.cuts import Cuts
from tests.interop.script.fix import TEXT, Failure, unless
from tests.interop.script.orders import BAD_INPUT, ORDERS, converse

_HEARTBEAT_S: Final = 5  # of the programs' sessions

_Check = Callable[[], Awaitable[str]]  # a step; it returns a remark for its line, or raises Failure


async def play(program: Program, outcome: Outcome) -> None:
    """Step by step; the first failure ends the day, since what follows would build on it."""
    for area, name, check in _Script(program.clients).steps():
        try:
            outcome.good(area, name, await check())
        except Failure as failure:
            outcome.bad(area, name, str(failure))
            return


class _Script:
    """The steps that both clients have a part in."""

    def __init__(self, clients: dict[str, Client]) -> None:
        self._clients = clients
        self._buyer = clients["buyer"]
        self._seller = clients["seller"]

    def steps(self) -> Iterator[tuple[str, str, _Check]]:
        """Area, name and check of each."""
        yield "session", "log on", self._log_on
        for area, scenes in (("orders", ORDERS), ("bad input", BAD_INPUT)):
            for name, lines in scenes.items():
                yield area, name, self._scene(lines)
        yield "session", "heartbeats while idle", self._both(self._heartbeats)
        yield "session", "no gap up to here", self._no_gaps
        for name, check in Cuts(self._buyer, self._seller).steps().items():
            yield "cuts", name, check
        yield "disconnect", "without cancel on disconnect", self._orders_survive
        yield "disconnect", "with cancel on disconnect", self._orders_go
        yield "cuts", "every report once, and in order", self._reports_in_order
        for area, name, check_one in (
            ("resend", "what the engine has forgotten", numbers.forget_reports),
            ("resend", "what the engine has never sent", numbers.skip_numbers),
            ("resend", "what the engine has had already", numbers.ask_again),
            ("reset", "at logon", numbers.reset_at_logon),
            ("logout", "log out, log on: numbers go on", numbers.go_on),
            ("reset", "in session", numbers.reset_in_session),
            ("reset", "by SequenceReset", numbers.reset_by_sequence_reset),
        ):
            yield area, name, self._both(check_one)
        yield "cuts", "every report once, and in order, to the end", self._reports_in_order
        yield "session", "nothing was rejected by the engine", self._nothing_rejected
        yield "logout", "log out", self._both(self._log_out)

    def _scene(self, lines: str) -> _Check:
        return lambda: converse(self._clients, lines)

    def _both(self, check: Callable[[Client], Awaitable[str]]) -> _Check:
        """The same for each client, both at a time, since most of it is waiting."""

        async def both() -> str:
            remarks = await asyncio.gather(*map(check, self._clients.values()))
            return ", ".join(dict.fromkeys(filter(None, remarks)))

        return both

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
        for client in self._all():
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

    async def _reports_in_order(self) -> str:
        for client in self._all():
            await numbers.ping(client, "LAST")
            unless(client.waiting == 0, f"{client.role} got {client.waiting} messages too many")
            # The venue's ExecIDs are "position-index": where in its journal the cause stands, and
            # which of the events that it had. So they ascend in the order of sending.
            last = (0, 0)
            for exec_id in client.exec_ids:
                position, _, index = exec_id.partition("-")
                now = (int(position), int(index))
                unless(now > last, f"{client.role} got ExecID {exec_id} twice or too late")
                last = now
        return ", ".join(f"{len(client.exec_ids)} to the {client.role}" for client in self._all())

    async def _nothing_rejected(self) -> str:
        for client in self._all():
            rejects = client.sent("3") + client.sent("j")
            unless(rejects == 0, f"{client.role} rejected messages of the venue; see its log")
        return " and ".join(str(client.received("8")) for client in self._all()) + " reports valid"

    @staticmethod
    async def _log_out(client: Client) -> str:
        await client.logout()
        return ""

    def _all(self) -> Iterator[Client]:
        return iter(self._clients.values())
