"""What is different with TLS and with credentials: the buyer has a password, the seller has keys.

The buyer's Logon carries Username and Password. The seller shows a certificate, and its program
signs its Logons.
"""

from __future__ import annotations

import asyncio
import base64
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Final

from tests.interop.impostor import Impostor
from tests.interop.keys import Keys
from tests.interop.proxy import Direction
from tests.interop.script import checks, numbers
from tests.interop.script.checks import Step, nothing_rejected, reports_in_order
from tests.interop.script.client import PATIENCE_S, Client
from tests.interop.script.fix import Failure, unless
from tests.interop.script.orders import converse

_TRADE: Final = """
    seller > 35=D 11=s1 55=BTC/USD 54=2 38=1 40=2 44=100
    seller < 35=8 150=0 39=0 11=s1 151=1
    buyer > 35=D 11=b1 55=BTC/USD 54=1 38=1 40=2 44=100
    buyer < 35=8 150=0 39=0 11=b1 151=1
    buyer < 35=8 150=F 39=2 11=b1 31=100 32=1 151=0 14=1 6=100 851=2
    seller < 35=8 150=F 39=2 11=s1 31=100 32=1 151=0 14=1 6=100 851=1
    """
_BUYER_RESTS: Final = """
    buyer > 35=D 11=b2 55=BTC/USD 54=1 38=1 40=2 44=90
    buyer < 35=8 150=0 39=0 11=b2 151=1
    """
_SELLER_TAKES: Final = """
    seller > 35=D 11=s2 55=BTC/USD 54=2 38=1 40=2 44=90
    seller < 35=8 150=0 39=0 11=s2 151=1
    seller < 35=8 150=F 39=2 11=s2 31=90 32=1 151=0
    """
_IN_A_RECORD: Final = 20  # bytes of it get through; the shortest message of ours has more
_TRIES: Final = 3  # Logons until one was refused for sure: QuickFIX C++ may keep the first one


class Secure:
    """The steps."""

    def __init__(
        self,
        clients: Mapping[str, Client],
        keys: Keys,
        refusals: Callable[[], int],
        *,
        checks_names: bool,
    ) -> None:
        self._clients = clients
        self._refusals = refusals  # of the venue so far
        self._buyer = clients["buyer"]
        self._seller = clients["seller"]
        self._keys = keys
        self._checks_names = checks_names

    def steps(self) -> Iterator[Step]:
        """Area, name and check of each."""
        clients = self._clients.values()
        yield "credentials", "log on with a password", self._password
        yield "credentials", "log on with a certificate and a signature", self._signature
        yield "TLS", "trade one order", lambda: converse(self._clients, _TRADE)
        yield "TLS", "a report, cut in the middle of its record", self._lost_report
        yield "TLS", "an order, cut in the middle of its record", self._lost_order
        yield "credentials", "a wrong password", self._wrong_password
        yield "credentials", "a wrong signature", self._wrong_signature
        yield "TLS", "a forged certificate", lambda: self._not_trusted(self._keys.forged)
        if self._checks_names:
            name = "a certificate for another host"
            yield "TLS", name, lambda: self._not_trusted(self._keys.elsewhere)
        yield "TLS", "every report once, and in order", checks.of_all(clients, reports_in_order)
        yield "TLS", "nothing was rejected by the engine", checks.of_all(clients, nothing_rejected)
        yield "TLS", "log out", checks.of_each(clients, Client.logout)

    async def _password(self) -> str:
        buyer = self._buyer
        await self._log_on_with(self._keys.password)
        buyer.last_sent("A").check("34=1 553=* 554=*")
        buyer.last_received("A").check("34=1 98=0 !553 !554")
        return self._at_once(buyer, 1)

    async def _signature(self) -> str:
        seller = self._seller
        await seller.logon()
        seller.last_sent("A").check("34=1 95=88 96=* !553 !554")
        seller.last_received("A").check("34=1 98=0 !95 !96")
        return self._at_once(seller, 1)

    async def _lost_report(self) -> str:
        """The venue has sent it, the buyer has not got it."""
        buyer = self._buyer
        await converse(self._clients, _BUYER_RESTS)
        losses = buyer.losses
        buyer.proxy.cut_after(_IN_A_RECORD, Direction.TO_CLIENT)
        await converse(self._clients, _SELLER_TAKES)
        await buyer.proxy.until_cut()
        await buyer.offline(losses)
        await buyer.proxy.open()
        await buyer.expect("35=8 43=Y 122=* 150=F 39=2 11=b2 31=90 32=1 151=0")
        buyer.last_sent("A").check("553=* 554=* !141")
        return f"by resend, {self._at_once(buyer, 2)}"

    async def _lost_order(self) -> str:
        """The seller has sent one, the venue has not got it; another is sent meanwhile."""
        seller = self._seller
        losses, resent = seller.losses, seller.resent()
        signature = seller.last_sent("A").get(96)
        seller.proxy.cut_after(_IN_A_RECORD, Direction.TO_VENUE)
        seller.send("35=D 11=s3 55=BTC/USD 54=2 38=1 40=2 44=110")
        await seller.proxy.until_cut()
        await seller.offline(losses)
        seller.send("35=F 11=s4 41=s3 55=BTC/USD 54=2")
        await seller.proxy.open()
        await seller.expect("35=8 !43 150=0 39=0 11=s3 151=1")
        await seller.expect("35=8 !43 150=4 39=4 11=s4 41=s3 151=0")
        unless(seller.resent() == resent + 2, f"{seller.resent() - resent} requests were resent")
        unless(seller.last_sent("A").get(96) != signature, "the same signature twice")
        return f"2 requests by resend, {self._at_once(seller, 2)}"

    async def _not_trusted(self, certificate: Path) -> str:
        """The password is not for everybody who says that it is the venue."""
        buyer = self._buyer
        await buyer.logout()
        venue_port = buyer.proxy.venue_port
        async with Impostor(certificate) as impostor:
            buyer.proxy.venue_port = impostor.port
            buyer.begin_logon(f"553={buyer.comp_id} 554={self._keys.password}")
            try:
                async with asyncio.timeout(PATIENCE_S):
                    complaint = await impostor.complaint
            except TimeoutError:
                raise Failure("the engine did not try") from None
            unless(complaint != "", "the engine trusts a server that has it")
            unless("ALERT" in complaint, f"the engine went away without an alert: {complaint}")
        buyer.give_up()
        buyer.proxy.venue_port = venue_port
        await self._log_on_with(self._keys.password)
        await numbers.ping(buyer, "BACK")
        return f"the engine says {complaint}, and finds back"

    async def _wrong_password(self) -> str:
        right = f"553={self._buyer.comp_id} 554={self._keys.password}"
        return await self._refused(self._buyer, f"{right}x", right)

    async def _wrong_signature(self) -> str:
        wrong = base64.b64encode(bytes(64)).decode()
        return await self._refused(self._seller, f"95={len(wrong)} 96={wrong}", "")

    async def _log_on_with(self, password: str) -> None:
        await self._buyer.logon(f"553={self._buyer.comp_id} 554={password}")

    def _at_once(self, client: Client, logons: int) -> str:
        """Engines try again and again, which would hide that the venue takes only some of them.

        What counts are Logons, and what the venue has refused. Connections on which no Logon was
        sent say nothing of it: QuickFIX C++ ends one itself when it has connected right behind a
        loss, and QuickFIX/J's TLS may send its last two records of a handshake in the wrong order.
        """
        sent, refusals = client.sent("A"), self._refusals()
        unless(sent == logons, f"{client.role} needed {sent} Logons, not {logons}")
        unless(not refusals, f"the venue has refused {refusals} connections")
        return "at the first Logon"

    async def _refused(self, client: Client, wrong: str, right: str) -> str:
        """The venue closes the connection without a Logon, and is none the worse for it."""
        await client.logout()
        logons, tried = client.received("A"), client.sent("A")
        refusals = self._refusals()
        client.begin_logon(wrong)
        # An engine would wait long for an answer: it tries again because it was disconnected.
        await client.until(lambda: client.sent("A") >= tried + _TRIES, "was not disconnected")
        unless(client.received("A") == logons and not client.is_up, f"{client.role} got a Logon")
        unless(self._refusals() > refusals, "the venue says nothing of it")
        client.give_up()
        asked, fills = client.received("2"), client.sent("4")
        await client.logon(right)
        # The engine has counted the Logons that were refused, the venue has not.
        await client.until(lambda: client.sent("4") > fills, "sent no gap fill")
        await numbers.ping(client, "RIGHT")
        unless(client.received("2") == asked + 1, "the venue did not ask once for what is missing")
        return "refused; then the right one, and the numbers of those refused by gap fill"
