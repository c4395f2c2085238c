"""Steps, and those that end every script."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection, Iterable

from tests.interop.report import Outcome
from tests.interop.script import numbers
from tests.interop.script.client import Client
from tests.interop.script.fix import Failure, unless

Check = Callable[[], Awaitable[str]]  # it returns a remark for its line, or raises Failure
Step = tuple[str, str, Check]  # area, name


async def play(steps: Iterable[Step], outcome: Outcome) -> None:
    """Step by step; the first failure is the end, since what follows would build on it."""
    for area, name, check in steps:
        try:
            outcome.good(area, name, await check())
        except Failure as failure:
            outcome.bad(area, name, str(failure))
            return


def of_all(
    clients: Collection[Client], check: Callable[[Collection[Client]], Awaitable[str]]
) -> Check:
    """A check that looks at all clients."""
    return lambda: check(clients)


def of_each(clients: Collection[Client], check: Callable[[Client], Awaitable[str | None]]) -> Check:
    """The same check for each client, all at a time, since most of it is waiting."""

    async def all_of_them() -> str:
        remarks = await asyncio.gather(*map(check, clients))
        return ", ".join(dict.fromkeys(filter(None, remarks)))

    return all_of_them


async def reports_in_order(clients: Collection[Client]) -> str:
    """Every report has come once, and in the order of the market."""
    remarks = []
    for client in clients:
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
        remarks.append(f"{len(client.exec_ids)} to the {client.role}")
    return ", ".join(remarks)


async def nothing_rejected(clients: Collection[Client]) -> str:
    """The engine has found nothing wrong with what the venue has sent."""
    reports = []
    for client in clients:
        rejects = client.sent("3") + client.sent("j")
        unless(rejects == 0, f"{client.role} rejected messages of the venue; see its log")
        reports.append(str(client.received("8")))
    return f"{' and '.join(reports)} reports valid"
