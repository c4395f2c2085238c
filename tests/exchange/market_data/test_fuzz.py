"""Mutilated requests for market data: each is answered exactly once, and nothing breaks."""

from __future__ import annotations

from random import Random

import pytest

from exchange.market_data.reader import FeedReader
from tests.exchange.market_data.support import (
    EVERYTHING,
    again,
    by_order,
    check_sent,
    ended,
    entries,
    field,
    pairs,
    request,
    types,
)
from tests.support.messages import decode
from tests.support.world import Client, World

_VALUES = (
    *("", "0", "1", "2", "-1", "3", "7", "00", "+1", "9" * 18, "9" * 19, "1e9", "NaN", "0.5"),
    *("Y", "N", "*", "BTC/USD", "ETH/USD", "\xff\xfe", "\x00", " ", "r", "s", "A" * 65, "A" * 256),
    *("A" * 257, "10", "100", "60000", "60001", "B", "4", "=", "8=FIX.4.4"),
)
_TAGS = (
    *("55", "146", "262", "263", "264", "265", "266", "267", "268", "269", "8023", "8024", "8025"),
    *("8026", "8028", "8029", "893", "83", "11", "54", "1", "58", "0"),
)


def valid(rng: Random) -> str:
    """A request as it should be, often of a subscription that there is."""
    name = rng.choice("rstu")
    what = rng.random()
    if what < 0.15:
        return ended(name)
    if what < 0.3:
        return again(name, rng.randint(1, 9), rng.choice((0, 5, 20)))
    kinds = tuple(rng.sample(EVERYTHING, rng.randint(1, 7)))
    symbols = rng.choice((("BTC/USD",), ("*",), ("ETH/USD", "BTC/USD")))
    more = rng.choice(("", "", "8026=20|", "8028=N|", "8026=10|8028=Y|"))
    if rng.random() < 0.3:
        return by_order(name, kinds=kinds, symbols=symbols, more=more)  # type: ignore[arg-type]
    depth, update = rng.choice((0, 1, 3)), rng.choice("01")
    return request(name, kinds, symbols, rng.choice("01"), depth, update, more)


def mutated(rng: Random, fields: list[str]) -> list[str]:
    """One thing is not as it should be."""
    place = rng.randrange(1, len(fields))
    fields = list(fields)
    match rng.randrange(6):
        case 0:
            del fields[place]
        case 1:
            fields.insert(place, fields[rng.randrange(1, len(fields))])
        case 2:
            tag, _, _ = fields[place].partition("=")
            fields[place] = f"{tag}={rng.choice(_VALUES)}"
        case 3:
            fields.insert(place, f"{rng.choice(_TAGS)}={rng.choice(_VALUES)}")
        case 4:
            other = rng.randrange(1, len(fields))
            fields[place], fields[other] = fields[other], fields[place]
        case _:
            _, _, value = fields[place].partition("=")
            fields[place] = f"{rng.choice(_TAGS)}={value}"
    return fields


@pytest.mark.parametrize("seed", range(8))
def test_every_request_is_answered_once_whatever_is_in_it(seed: int) -> None:
    rng, world = Random(seed), World()
    reader, maker, bystander = (world.client(name) for name in ("READER", "MAKER", "BYSTANDER"))
    symbols = {one.symbol.decode() for one in world.venue.state.listing.tradable}
    bystander.send(request("b", kinds=EVERYTHING, symbols=("*",)))
    seen = ""
    for number in range(400):
        if not reader.is_connected:
            reader.drop()
            reader.connect()
            reader.seq = 1
            reader.send("35=A|98=0|108=30|141=Y|")
        fields = valid(rng).rstrip("|").split("|")
        for _ in range(rng.choice((0, 1, 1, 2))):
            fields = mutated(rng, fields)
        seen += asked(reader, "|".join(fields) + "|", symbols)
        side, symbol = rng.choice(("buy", "sell")), rng.choice(("BTC/USD", "ETH/USD"))
        price, size = str(rng.randint(95, 105)), str(rng.randint(1, 5))
        (*_, report) = maker.order(f"m{number}", side, size, price, symbol=symbol)
        assert report[35] == "8"
        world.pass_time(rng.choice((0.0, 0.01, 1.0)))
    assert world.failures == []
    assert set(seen) >= set("WXY3"), f"a fuzz that proves nothing: {set(seen)}"
    rebuilt(bystander, symbols)
    for one in (reader, bystander):
        check_sent(one)


def asked(reader: Client, fields: str, symbols: set[str]) -> str:
    """Ask; the MsgTypes of the answer, which must be one, or one for each instrument."""
    before = len(reader.raw)
    reader.send(fields)
    answer = reader.raw[before:]
    kinds, whole = types(answer), [raw for raw in answer if field(raw, 893) != "N"]
    if not answer:
        assert "|263=2|" in fields or not reader.is_connected, fields
    elif set(kinds) == {"W"}:
        told = [field(raw, 55) for raw in whole]
        assert len(set(told)) == len(told), fields
        assert set(told) <= symbols, fields
    elif set(kinds) <= set("XW"):  # a repair: of some instruments more is kept than of others
        told = [entries(raw)[0][55] if field(raw, 35) == "X" else field(raw, 55) for raw in whole]
        assert len(set(told)) == len(told), fields
        assert "|8024=" in fields, fields
    else:
        assert kinds in ("Y", "3", "j", "5"), f"{kinds}: {fields}"
        if kinds == "Y":
            assert field(answer[0], 262) == dict(pairs(reader.sent[-1]))[262]
    return kinds


def rebuilt(reader: Client, symbols: set[str]) -> None:
    """Somebody else's feed has no gap in it."""
    feed = FeedReader()
    for raw in reader.raw:
        for view in feed.take(decode(raw)):
            assert view.missing is None
    assert {one.decode() for one in feed.views} == symbols
