"""Connections that are cut in the middle of a stream of messages.

In each round the seller rests many orders and the buyer takes them all. Somewhere in between one of
the two is cut off after so many bytes, comes back, and must have all that it missed: the engine
asks for it by ResendRequest, and so does the venue for requests that it missed.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from decimal import Decimal
from enum import Enum, auto
from typing import Final

from tests.interop.proxy import Direction
from tests.interop.script.client import Client
from tests.interop.script.fix import unless

#: More than the venue puts into one page of a resend, 256.
_ORDERS: Final = 270
_SIZE: Final = Decimal("0.001")
_TICK: Final = Decimal("0.1")


class _When(Enum):
    """What is going on when the cut comes: orders going in, or being taken."""

    RESTING = auto()
    SWEEPING = auto()


@dataclass(frozen=True, slots=True)
class _Cut:
    """Who is cut off, and after how many bytes; then once more while it catches up, if not 0."""

    client: Client
    direction: Direction
    count: int
    count_again: int = 0


class Cuts:
    """The rounds."""

    def __init__(self, buyer: Client, seller: Client) -> None:
        self._buyer = buyer
        self._seller = seller
        self._round = 0

    def steps(self) -> dict[str, Callable[[], Awaitable[str]]]:
        """All rounds by name."""
        to_client, to_venue = Direction.TO_CLIENT, Direction.TO_VENUE
        buyer, seller = self._buyer, self._seller
        # "at once": the buyer takes all of the orders with one of its own, or with as many.
        return {
            "reports to the seller, at byte 1": lambda: self._play(
                _When.SWEEPING, True, _Cut(seller, to_client, 1)
            ),
            "reports to the buyer, at byte 17777": lambda: self._play(
                _When.SWEEPING, False, _Cut(buyer, to_client, 17_777)
            ),
            "orders of the buyer, at byte 9999": lambda: self._play(
                _When.SWEEPING, False, _Cut(buyer, to_venue, 9_999)
            ),
            "orders of the seller, at byte 150": lambda: self._play(
                _When.RESTING, True, _Cut(seller, to_venue, 150)
            ),
            "reports to the seller, at byte 33333, and the resend at 12345": lambda: self._play(
                _When.SWEEPING, True, _Cut(seller, to_client, 33_333, 12_345)
            ),
            "a replacement, in its middle": self._lost_request,
            "both ways at once": self._both_ways,
        }

    async def _play(self, when: _When, is_at_once: bool, cut: _Cut) -> str:
        self._round += 1
        before = _Before(cut.client)
        remark = ""
        if when is _When.RESTING:
            cut.client.proxy.cut_after(cut.count, cut.direction)
        self._rest()
        if when is _When.RESTING:
            remark = await _heal(cut, before.losses)
        await self._check_rested()
        if when is _When.SWEEPING:
            cut.client.proxy.cut_after(cut.count, cut.direction)
        self._sweep(is_at_once)
        if when is _When.SWEEPING:
            remark = await _heal(cut, before.losses)
        await self._check_seller()
        await self._check_buyer(is_at_once)
        return remark + before.what_was_resent(cut.direction, 2 if cut.count_again else 1)

    def _rest(self) -> None:
        for i in range(_ORDERS):
            self._seller.send(
                f"35=D 11={self._id('s', i)} 55=BTC/USD 54=2 38={_SIZE} 40=2 44={_price(i)}"
            )

    def _sweep(self, is_at_once: bool) -> None:
        size = _SIZE * _ORDERS if is_at_once else _SIZE
        for i in range(1 if is_at_once else _ORDERS):
            self._buyer.send(
                f"35=D 11={self._id('b', i)} 55=BTC/USD 54=1 38={size} 40=2"
                f" 44={_price(_ORDERS - 1)}"
            )

    async def _check_rested(self) -> None:
        for i, report in enumerate(await self._seller.take(_ORDERS)):
            report.check(
                f"35=8 150=0 39=0 11={self._id('s', i)} 44={_price(i)} 151={_SIZE} 14=0 6=0"
            )

    async def _check_seller(self) -> None:
        for i, report in enumerate(await self._seller.take(_ORDERS)):
            report.check(
                f"35=8 150=F 39=2 11={self._id('s', i)} 31={_price(i)} 32={_SIZE} 151=0"
                f" 14={_SIZE} 6={_price(i)} 851=1"
            )

    async def _check_buyer(self, is_at_once: bool) -> None:
        reports = iter(await self._buyer.take(_ORDERS + (1 if is_at_once else _ORDERS)))
        for i in range(_ORDERS):
            if i == 0 or not is_at_once:
                next(reports).check(f"35=8 150=0 39=0 11={self._id('b', i)} 14=0")
            fills = i + 1 if is_at_once else 1
            left = _ORDERS - fills if is_at_once else 0
            # The mean of prices that ascend tick by tick is that of the first and the last.
            mean = (_price(0) + _price(i)) / 2 if is_at_once else _price(i)
            next(reports).check(
                f"35=8 150=F 39={1 if left else 2} 11={self._id('b', 0 if is_at_once else i)}"
                f" 31={_price(i)} 32={_SIZE} 151={_SIZE * left} 14={_SIZE * fills} 6={mean} 851=2"
            )

    async def _lost_request(self) -> str:
        """A request that got lost, and one made while away: the venue asks for both."""
        seller = self._seller
        seller.send("35=D 11=l1 55=BTC/USD 54=2 38=1 40=2 44=300")
        await seller.expect("35=8 150=0 39=0 11=l1")
        before = _Before(seller)
        seller.proxy.cut_after(40, Direction.TO_VENUE)
        seller.send("35=G 11=l2 41=l1 55=BTC/USD 54=2 38=2 40=2 44=301")
        await seller.proxy.until_cut()
        await seller.offline(before.losses)
        seller.send("35=F 11=l3 41=l2 55=BTC/USD 54=2")
        await seller.proxy.open()
        await seller.expect("35=8 !43 150=5 39=0 11=l2 41=l1 38=2 44=301 151=2")
        await seller.expect("35=8 !43 150=4 39=4 11=l3 41=l2 151=0")
        unless(before.requests_resent() == 2, f"{before.requests_resent()} requests were resent")
        return before.what_was_resent(Direction.TO_VENUE, 1)

    async def _both_ways(self) -> str:
        """Fills that were missed and requests made while away: each side asks for its own."""
        buyer, seller = self._buyer, self._seller
        for i in range(3):
            seller.send(f"35=D 11=w{i} 55=BTC/USD 54=2 38=1 40=2 44=400")
            await seller.expect(f"35=8 150=0 39=0 11=w{i}")
        before = _Before(seller)
        await seller.cut_off()
        buyer.send("35=D 11=v1 55=BTC/USD 54=1 38=2 40=2 44=400")
        await buyer.expect("35=8 150=0 39=0 11=v1")
        for i in range(2):
            await buyer.expect(f"35=8 150=F 39={1 + i} 11=v1 31=400 32=1 14={1 + i}")
        seller.send("35=F 11=w3 41=w2 55=BTC/USD 54=2")
        seller.send("35=F 11=w4 41=w0 55=BTC/USD 54=2")  # filled, as the seller will learn
        await seller.proxy.open()
        for i in range(2):
            await seller.expect(f"35=8 43=Y 122=* 150=F 39=2 11=w{i} 31=400 32=1 151=0")
        await seller.expect("35=8 150=4 39=4 11=w3 41=w2 151=0")
        await seller.expect("35=9 11=w4 41=w0 39=2 102=0")
        unless(before.requests_resent() == 2, f"{before.requests_resent()} requests were resent")
        return before.what_was_resent(Direction.TO_VENUE, 1)

    def _id(self, side: str, number: int) -> str:
        return f"{self._round}{side}{number}"


async def _heal(cut: _Cut, losses: int) -> str:
    """Wait for the cut, let the client connect again; how far the stream had come."""
    client, proxy = cut.client, cut.client.proxy
    await proxy.until_cut()
    await client.offline(losses)
    remark = f"{client.waiting} reports before, "
    if cut.count_again:
        losses = client.losses
        proxy.cut_after(cut.count_again, cut.direction)
        await proxy.open()
        await proxy.until_cut()
        await client.offline(losses)
        remark += f"{client.waiting} before the second cut, "
    await proxy.open()
    return remark


def _price(number: int) -> Decimal:
    return _TICK * (1000 + number)


class _Before:
    """What a client had sent and received again before a round began."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self.losses = client.losses
        self._reports = client.received("8/dup")
        self._requests = client.resent()
        self._asked = client.sent("2")
        self._was_asked = client.received("2")

    def requests_resent(self) -> int:
        """How many requests the engine has sent again."""
        return self._client.resent() - self._requests

    def what_was_resent(self, direction: Direction, cuts: int) -> str:
        """A remark; Failure when the venue asked more often than once for each cut.

        Not so when the engine did, which two do when there is more going on than the resend:

        - QuickFIX/Go 0.9.10 drops what comes in addition while it waits for what its Logon has
          shown to be missing, and asks for that as well once there is more after it.
        - QuickFIX C++ 1.15 obeys a ResendRequest of the venue that comes meanwhile but takes no
          note of its number, and then takes the Logon before it from its queue. So the gap fill
          that covers both is too low when it arrives, and that number stays missing until it asks
          for it again, which is with the venue's next Heartbeat if there is nothing else.
        """
        is_ours = direction is Direction.TO_CLIENT
        asked = self._client.sent("2") - self._asked
        was_asked = self._client.received("2") - self._was_asked
        unless(was_asked <= cuts, f"the venue sent {was_asked} ResendRequests for {cuts} cuts")
        unless((asked if is_ours else was_asked) >= cuts, "nobody sent a ResendRequest")
        reports, requests = self._client.received("8/dup") - self._reports, self.requests_resent()
        unless((reports if is_ours else requests) > 0, "nothing was resent")
        often = f", for which the engine asked {asked} times" if asked > cuts else ""
        return f"{reports} reports and {requests} requests by resend{often}"
