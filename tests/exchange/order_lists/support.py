"""Lists as people write them, and what came of them on one line each."""

from __future__ import annotations

from tests.support.messages import decode
from tests.support.world import Client, World

OCO, OTO = "1385=1|", "1385=2|"
_ENTRY_TAGS = (b"11", b"14", b"39", b"151", b"84", b"6", b"103", b"58")


def member(
    name: str, side: str, quantity: str, price: str = "", stop: str = "", more: str = "59=1|"
) -> tuple[str, str]:
    """ClOrdID and the other fields of an order: a limit, a stop, a stop limit or a market order."""
    kind = {(True, True): "4", (True, False): "2", (False, True): "3"}.get(
        (bool(price), bool(stop)), "1"
    )
    fields = f"55=BTC/USD|54={'1' if side == 'buy' else '2'}|38={quantity}|40={kind}|"
    fields += f"44={price}|" if price else ""
    fields += f"99={stop}|" if stop else ""
    return name, fields + more


def request(list_id: str, kind: str, *orders: tuple[str, str]) -> str:
    """A NewOrderList."""
    group = "".join(
        f"11={name}|67={number}|{fields}" for number, (name, fields) in enumerate(orders, start=1)
    )
    return f"35=E|66={list_id}|394=3|{kind}68={len(orders)}|73={len(orders)}|{group}"


def line(raw: bytes) -> str:
    """A message: `8 name ExecType/OrdStatus CumQty LeavesQty`, or a list with its orders."""
    message = decode(raw)
    kind = message.msg_type.decode()
    get = {tag: value.decode() for tag, value in reversed(message.pairs())}.get
    if kind == "8" and get(b"150") == "D":
        return f"8 {get(b'11')} D {get(b'58')}"
    if kind == "8":
        return f"8 {get(b'11')} {get(b'150')}/{get(b'39')} {get(b'14')} {get(b'151')}"
    if kind == "N":
        orders = (
            f"{one[b'11']}:{one[b'39']} {one[b'14']} {one[b'151']} {one[b'84']}"
            + (f" 103={one[b'103']}" if b"103" in one else "")
            for one in entries(raw)
        )
        return f"N {get(b'66')} {get(b'429')}/{get(b'431')} [{', '.join(orders)}]"
    return f"{kind} {get(b'11')} {get(b'58')}"


def entries(raw: bytes) -> list[dict[bytes, str]]:
    """The orders in a ListStatus."""
    found: list[dict[bytes, str]] = []
    for tag, value in decode(raw).pairs():
        if tag == b"11":
            found.append({})
        if found and tag in _ENTRY_TAGS:
            found[-1][tag] = value.decode()
    return found


def lines(client: Client) -> list[str]:
    """What a client has received since this was last called."""
    taken, client.raw = client.raw, []
    client.received = []
    return [line(raw) for raw in taken]


def send(client: Client, list_id: str, kind: str, *orders: tuple[str, str]) -> list[str]:
    """Send a list; what came back."""
    lines(client)
    client.send(request(list_id, kind, *orders))
    return lines(client)


def traders(comp_ids: str = "ONE TWO") -> tuple[World, Client, Client]:
    """A venue with two clients, who have nothing in their hands yet."""
    world = World()
    one, two = (world.client(comp_id) for comp_id in comp_ids.split())
    lines(one)
    lines(two)
    return world, one, two


def oco(client: Client, list_id: str = "L", **more: str) -> list[str]:
    """Take profit by a limit at 110 or stop losses at 90: sells of one lot."""
    return send(
        client,
        list_id,
        OCO,
        member("limit", "sell", "1", "110", more=more.get("limit", "59=1|")),
        member("stop", "sell", "1", stop="90", more=more.get("stop", "59=1|")),
    )


def oto(client: Client, list_id: str = "L", **more: str) -> list[str]:
    """Buy one at 100, and then sell it at 110."""
    return send(
        client,
        list_id,
        OTO,
        member("first", "buy", "1", "100", more=more.get("first", "59=1|")),
        member("then", "sell", "1", "110", more=more.get("then", "59=1|")),
    )


def otoco(client: Client, list_id: str = "L") -> list[str]:
    """Buy one at 100, and then take profit at 110 or stop losses at 90."""
    return send(
        client,
        list_id,
        OTO,
        member("first", "buy", "1", "100"),
        member("limit", "sell", "1", "110"),
        member("stop", "sell", "1", stop="90"),
    )
