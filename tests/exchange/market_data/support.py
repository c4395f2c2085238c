"""Requests for market data, and what comes back, entry by entry."""

from __future__ import annotations

from fix_engine.message import Message
from fix_engine.validation import Validator
from fix_engine.wire import Decoder
from tests.support.messages import dictionary
from tests.support.world import Client, World

BOOK = ("0", "1")
STATISTICS = ("4", "7", "8", "B")
EVERYTHING = (*BOOK, "2", *STATISTICS)

Entry = dict[int, str]


def request(
    name: str,
    kinds: tuple[str, ...] = BOOK,
    symbols: tuple[str, ...] = ("BTC/USD",),
    kind: str = "1",
    depth: int = 0,
    update: str = "1",
    more: str = "",
) -> str:
    """A MarketDataRequest; `more` are fields behind the groups, `update` "" leaves 265 out."""
    update_type = f"265={update}|" if update else ""
    wanted = f"267={len(kinds)}|" + "".join(f"269={one}|" for one in kinds)
    names = f"146={len(symbols)}|" + "".join(f"55={one}|" for one in symbols)
    return f"35=V|262={name}|263={kind}|264={depth}|{update_type}{wanted}{names}{more}"


def by_order(name: str, **more: str) -> str:
    """The same, order by order."""
    return request(name, **more).replace("|267=", "|266=N|267=")  # type: ignore[arg-type]


def again(name: str, begin: int, end: int = 0) -> str:
    """A request for entries that were missed."""
    last = f"8025={end}|" if end else ""
    return f"35=V|262={name}|263=1|264=0|8024={begin}|{last}"


def ended(name: str) -> str:
    """The end of a subscription."""
    return f"35=V|262={name}|263=2|264=0|"


def pairs(raw: bytes) -> list[tuple[int, str]]:
    """Every field of a message, in order."""
    fields = raw.decode("latin-1").rstrip("\x01").split("\x01")
    return [(int(tag), value) for tag, _, value in (field.partition("=") for field in fields)]


def entries(raw: bytes) -> list[Entry]:
    """The entries of a W or X."""
    found: list[Entry] = []
    is_inside, delimiter = False, 0
    for tag, value in pairs(raw):
        if tag == 268:
            is_inside = True
        elif is_inside and tag != 10:
            delimiter = delimiter or tag
            if tag == delimiter:
                found.append({})
            found[-1][tag] = value
    return found


def brief(raw: bytes) -> list[str]:
    """Action (of an X), type, name where there is one, price and size of each entry."""
    return [
        " ".join(one[tag] for tag in (279, 269, 278, 270, 271) if tag in one)
        for one in entries(raw)
    ]


def since(client: Client, count: int) -> list[bytes]:
    """What a client has received after so many messages."""
    return client.raw[count:]


def sent(client: Client, fields: str) -> list[bytes]:
    """Send; the messages that have come by the time that nothing is left to do."""
    before = len(client.raw)
    client.send(fields)
    return client.raw[before:]


def types(messages: list[bytes]) -> str:
    """MsgTypes, as one word."""
    return "".join(dict(pairs(raw))[35] for raw in messages)


def field(raw: bytes, tag: int) -> str:
    """The first value of a field, "" where there is none."""
    return next((value for one, value in pairs(raw) if one == tag), "")


def market(*names: str) -> tuple[World, list[Client]]:
    """A venue and clients that have logged on, with nothing received."""
    world = World()
    clients = [world.client(name) for name in names]
    for one in clients:
        one.raw.clear()
        one.received.clear()
    return world, clients


def check_sent(client: Client) -> None:
    """Everything that the venue has sent is in its dictionary, and no longer than it announces."""
    validator, decoder = Validator(dictionary()), Decoder()
    for raw in client.raw:
        (message,) = decoder.feed(raw)
        assert isinstance(message, Message)
        fault = validator.check(message)
        assert fault is None, f"{fault}: {message}"
        assert len(raw) <= 4_096, message
