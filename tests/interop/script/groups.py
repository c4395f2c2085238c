"""Scenes with repeating groups: "seller < 35=X 262=a | 279=0 269=0 270=100".

That expects a message with just these entries, each of which has these fields.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Final

from tests.interop.script import numbers
from tests.interop.script.client import Client
from tests.interop.script.fix import SOH, TEXT, Message, unless

#: By MsgType what counts the entries, and what each begins with.
_GROUPS: Final = {
    "W": (268, 269),
    "X": (268, 279),
    "y": (146, 55),
    "8": (453, 448),
    "AE": (453, 448),
}
_DECIMALS: Final = frozenset((270, 271))


async def watch(clients: Mapping[str, Client], lines: str) -> str:
    """Send and expect, line by line; then nothing more comes."""
    remark = ""
    for line in filter(None, map(str.strip, lines.splitlines())):
        role, way, text = line.split(maxsplit=2)
        if way == ">":
            clients[role].send(text)
            continue
        head, *wanted = text.split("|")
        message = await clients[role].expect(head)
        if wanted:
            _compare(message, [one.split() for one in wanted])
        remark = message.get(TEXT) or remark
    for client in clients.values():
        await numbers.ping(client, "ALL")
        unless(client.waiting == 0, f"{client.role} got {client.waiting} messages too many")
    return remark


def entries(message: Message) -> list[dict[int, str]]:
    """Entries as the engine shows them: some put the fields of a message in order of tags."""
    count, delimiter = _GROUPS[message.type]
    found: list[dict[int, str]] = []
    is_inside = False
    for field in message.raw.strip(SOH).split(SOH):
        name, _, value = field.partition("=")
        tag = int(name)
        if tag == count:
            is_inside = True
        elif is_inside and tag == delimiter:
            found.append({tag: value})
        elif is_inside and found and tag not in found[-1]:
            found[-1][tag] = value
    unless(message.number(count) == len(found), f"{count} is wrong in {message}")
    return found


def _compare(message: Message, wanted: list[list[str]]) -> None:
    found = entries(message)
    unless(len(found) == len(wanted), f"expected {len(wanted)} entries in {message}")
    for entry, fields in zip(found, wanted, strict=True):
        for field in fields:
            tag, _, value = field.partition("=")
            there = entry.get(int(tag))
            is_good = there is not None and _is(int(tag), there, value)
            unless(is_good, f"expected {field} in {message}")


def _is(tag: int, value: str, wanted: str) -> bool:
    if wanted == "*":
        return bool(value)
    return Decimal(value) == Decimal(wanted) if tag in _DECIMALS else value == wanted
