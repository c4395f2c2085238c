"""A venue with many instruments, seen by a seller that does not trade but watches.

The buyer trades for the account FUND, with itself. The seller asks for reference data and has the
right to copies of everything.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Final

from tests.interop.script import checks, numbers
from tests.interop.script.checks import Check, Step, nothing_rejected
from tests.interop.script.client import Client
from tests.interop.script.drop_copy import (
    AWAY,
    COPIES,
    LIES_OF_COPIES,
    REFUSED,
    TO_COME,
    TRADES,
    TWICE_AWAY,
)
from tests.interop.script.fix import EXEC_ID, SOH, Message, unless
from tests.interop.script.groups import entries, watch
from tests.interop.script.reference_data import (
    CHANGES,
    ENDS,
    HOURS,
    LIES,
    REFERENCE_DATA,
)
from tests.interop.settings import INSTRUMENTS

#: The lies that not every engine notices.
_ORDER: Final = frozenset(("an entry in another order", "an entry of Parties in another order"))
#: What is not the same in a copy that comes again.
_OF_ONE_COPY: Final = frozenset(("8", "9", "10", "34", "43", "52", "97", "122", "568"))
_DATE: Final = "%Y%m%d"


class Watched:
    """The steps."""

    def __init__(
        self,
        clients: Mapping[str, Client],
        tell: Callable[..., Awaitable[None]],
        *,
        checks_order: bool,
    ) -> None:
        self._clients = clients
        self._buyer = clients["buyer"]
        self._seller = clients["seller"]
        self._tell = tell
        self._checks_order = checks_order
        self._copies: list[Message] = []
        now = datetime.now(UTC)
        self._names = {
            "buyer": self._buyer.comp_id,
            "day": now.strftime(_DATE),
            "now": now.strftime(f"{_DATE}-%H:%M:%S"),
            "next_day": (now + timedelta(days=1)).strftime(_DATE),
        }

    def steps(self) -> Iterator[Step]:
        """Area, name and check of each."""
        clients = self._clients.values()
        yield "reference data", "log on", self._log_on
        yield "reference data", "a list in fragments", self._list
        for name, lines in REFERENCE_DATA.items():
            yield "reference data", name, self._scene(lines)
        yield "reference data", "the operator halts a market", self._halt
        yield "reference data", "maintenance is planned, and called off", self._maintenance
        yield "reference data", "subscriptions end", self._scene(ENDS)
        for name, lines in COPIES.items():
            yield "drop copy", name, self._scene(lines)
        yield "drop copy", "copies behind an ExecID", self._again
        yield "drop copy", "copies by resend", self._resent
        yield "drop copy", "copies after a reset", self._lost
        yield "drop copy", "trades", self._scene(TRADES)
        yield "drop copy", "trades that come", self._scene(TO_COME)
        yield "drop copy", "what is refused", self._scene(REFUSED)
        name = "nothing was rejected by the engine"
        yield "drop copy", name, checks.of_all(clients, nothing_rejected)
        for area, lies in (("reference data", LIES), ("drop copy", LIES_OF_COPIES)):
            for name, lie in lies.items():
                if name in _ORDER and not self._checks_order:
                    continue
                yield area, f"the engine notices {name}", self._lie(*lie)
        yield "drop copy", "log out", checks.of_each(clients, Client.logout)

    def _scene(self, lines: str) -> Check:
        return lambda: watch(self._clients, lines.format(**self._names))

    async def _log_on(self) -> str:
        for client in self._clients.values():
            await client.logon()
        return "by address"

    # --- reference data ---------------------------------------------------------------------

    async def _list(self) -> str:
        """Of all instruments, from now on with changes."""
        self._seller.send("35=x 320=all 559=4 263=1")
        symbols: list[str] = []
        fragments = 0
        is_last = False
        response = "*"
        while not is_last:
            wanted = f"35=y 320=all 322={response} 393={len(INSTRUMENTS)} 560=0 893=*"
            message = await self._seller.expect(wanted)
            response = message.get(322) or ""
            is_last = message.get(893) == "Y"
            symbols += [entry[55] for entry in entries(message)]
            fragments += 1
        unless(symbols == list(INSTRUMENTS), f"the list has {symbols}")
        unless(fragments > 1, "all in one message")
        return f"{len(symbols)} instruments in {fragments} messages"

    async def _halt(self) -> str:
        """All who are logged on are told, and the subscriber has the instrument again."""
        for state, lines in CHANGES.items():
            await self._tell("market", "BTC/USD", state, "--reason", "news")
            await watch(self._clients, lines)
        return ", ".join(CHANGES)

    async def _maintenance(self) -> str:
        planned, called_off = HOURS
        plan = ("--starts-in", "3600", "--lasts", "600", "--reason", "upgrade")
        await self._tell("maintenance", *plan)
        await watch(self._clients, planned)
        await self._tell("maintenance", "--cancel")
        return await watch(self._clients, called_off)

    # --- drop copy --------------------------------------------------------------------------

    async def _again(self) -> str:
        """Some of what has come comes again, as it was."""
        self._copies = [one for one in self._seller.taken if one.get(797) == "Y"]
        first, *wanted, last = (one.fields[EXEC_ID] for one in self._copies)
        await self._behind("r1", first, self._copies[1:])
        await self._behind("r2", first, self._copies[1:-1], f"8061={wanted[-1]}")
        await self._behind("r3", "0-0", self._copies, "1=FUND 55=BTC/USD")
        await self._behind("r4", last, [])
        return f"{len(self._copies)} copies"

    async def _resent(self) -> str:
        """What has happened while the watcher was away."""
        await self._seller.logout()
        await watch({"buyer": self._buyer}, AWAY)
        await self._seller.logon()
        dup = "35=8 43=Y 122=* 797=Y 1=FUND"
        for kind in ("150=0", "150=0", "150=F", "150=F"):
            self._copies.append(await self._seller.expect(f"{dup} {kind}"))
        await numbers.ping(self._seller, "BACK")
        return "4 copies"

    async def _lost(self) -> str:
        """What resends cannot bring: the watcher has begun at 1 again."""
        last = self._copies[-1].fields[EXEC_ID]
        await self._seller.logout()
        await watch({"buyer": self._buyer}, TWICE_AWAY)
        await self._seller.logon("141=Y")
        self._seller.last_received("A").check("34=1 141=Y")
        self._seller.send(f"35=AD 568=l1 569=0 8060={last}")
        await self._seller.expect("35=AQ 568=l1 749=0 750=0")
        copy = "35=8 !43 97=Y 568=l1 797=Y 1=FUND 17=*"
        await self._seller.expect(f"{copy} 150=0 11=d8")
        await self._seller.expect(f"{copy} 150=4 11=d9 41=d8")
        await self._seller.expect("35=AQ 568=l1 748=2 749=0 750=1")
        return "2 copies"

    async def _behind(
        self, request: str, after: str, wanted: list[Message], more: str = ""
    ) -> None:
        """Ask for copies, and get just these."""
        self._seller.send(f"35=AD 568={request} 569=0 8060={after} {more}")
        await self._seller.expect(f"35=AQ 568={request} 569=0 749=0 750=0 !748")
        for one in wanted:
            again = await self._seller.expect(f"35=8 97=Y !43 568={request} 797=Y")
            unless(_told(again) == _told(one), f"{again} is not what {one} was")
        await self._seller.expect(f"35=AQ 568={request} 748={len(wanted)} 749=0 750=1")

    # --- whether the engine looks -----------------------------------------------------------

    def _lie(self, old: str, new: str, lines: str) -> Check:
        async def check() -> str:
            old_bytes, new_bytes = (text.replace("|", SOH).encode() for text in (old, new))
            self._seller.proxy.falsify(old_bytes, new_bytes)
            return await watch(self._clients, lines.format(**self._names))

        return check


def _told(copy: Message) -> list[str]:
    """Its fields, whatever the order in which the engine shows them."""
    fields = copy.raw.strip(SOH).split(SOH)
    return sorted(one for one in fields if one.partition("=")[0] not in _OF_ONE_COPY)
