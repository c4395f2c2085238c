"""Conversations gone wrong: whatever a client sends, the venue stands and others feel nothing."""

from __future__ import annotations

import random

import pytest

from fix_engine.message import Message
from fix_engine.wire import Decoder, encode
from matching.digest import check_invariants
from sessions.endpoint import Endpoint
from tests.support.world import Client, World

_VALUES = (
    *("", "0", "1", "-1", "+1", "2147483648", "9" * 18, "9" * 19, "9" * 5_000, "1e9", "NaN", "inf"),
    *(
        "0.00000001",
        "-0",
        ".5",
        "5.",
        "1.2.3",
        "Y",
        "N",
        "*",
        "A" * 300,
        "20261122-00:00:00",
        "=",
        " ",
    ),
    *("20260230-25:61:61.999", "\x00", "\xff\xfe", "8=FIX.4.4", "BTC/USD", "65000.05", "<now>"),
)
_TAGS = (
    *("1", "7", "11", "14", "16", "34", "35", "36", "37", "38", "40", "41", "43", "44", "49", "52"),
    *("54", "55", "56", "58", "59", "60", "90", "91", "95", "96", "97", "98", "108", "112", "115"),
    *("122", "123", "128", "141", "383", "453", "448", "447", "452", "789", "8013", "0", "-5", "x"),
)
_TYPES = "0123458ADFGHj*" + "BEVq"


def valid_fields(rng: random.Random, number: int) -> list[str]:
    """A request or administrative message as it should be."""
    side, price, quantity = rng.choice("12"), rng.randint(98, 102), rng.randint(1, 5)
    order = [f"11=f{number}", "55=BTC/USD", f"54={side}", "60=<now>", f"38={quantity}"]
    target = f"41=f{rng.randint(max(0, number - 20), number)}"
    return rng.choice(
        [
            ["35=D", *order, "40=2", f"44={price}", f"59={rng.choice('134')}"],
            ["35=D", *order, "40=1"],
            ["35=F", *order, target],
            ["35=G", *order, target, "40=2", f"44={price}"],
            ["35=H", f"11=f{number}", "55=BTC/USD", f"54={side}"],
            ["35=0"],
            ["35=1", "112=x"],
            ["35=2", f"7={rng.randint(1, 5)}", "16=0"],
            ["35=3", "45=1"],
            ["35=4", f"36={number + rng.randint(0, 50)}", f"123={rng.choice('YN')}"],
            ["35=D", *order, "40=2", f"44={price}", "453=1", "448=p", "447=D", "452=1"],
        ]
    )


def mutate(rng: random.Random, fields: list[str]) -> list[str]:
    """The same with something wrong in it."""
    fields = list(fields)
    for _ in range(rng.randint(0, 3)):
        place = rng.randrange(len(fields))
        tag = fields[place].partition("=")[0]
        match rng.randrange(7):
            case 0:
                fields[place] = f"{tag}={rng.choice(_VALUES)}"
            case 1:
                fields.insert(place, f"{rng.choice(_TAGS)}={rng.choice(_VALUES)}")
            case 2:
                fields.insert(rng.randrange(len(fields)), fields[place])
            case 3 if len(fields) > 1:
                del fields[place]
            case 4:
                rng.shuffle(fields)
            case 5:
                fields[0] = f"35={rng.choice(_TYPES)}"
            case 6:
                fields[place] = fields[place].replace("=", rng.choice(("", "==", "=1=")))
    return fields


def garble(rng: random.Random, raw: bytes) -> bytes:
    """Bytes changed, lost, doubled or added on the way."""
    data = bytearray(raw)
    for _ in range(rng.randint(1, 4)):
        place = rng.randrange(len(data))
        match rng.randrange(4):
            case 0:
                data[place] = rng.randrange(256)
            case 1:
                del data[place : place + rng.randint(1, 9)]
            case 2:
                data[place:place] = data[place : place + rng.randint(1, 9)]
            case 3:
                data[place:place] = rng.randbytes(rng.randint(1, 9))
        if not data:
            return b"8"
    return bytes(data)


def whole_message(client: Client, rng: random.Random, fields: list[str]) -> bytes:
    """Framed with right BodyLength and CheckSum, header mostly right."""
    time = client._time.format(client.world.now).decode()
    seq = client.seq if rng.random() < 0.9 else rng.choice((0, 1, client.seq + 3, 10**17))
    client.seq += 1
    header = [f"34={seq}", f"49={client.comp_id}", f"52={time}", "56=SEAMARK"]
    if rng.random() < 0.05:
        header.append("43=Y")
        if rng.random() < 0.7:
            header.append(f"122={time}")
    if rng.random() < 0.03:
        header = mutate(rng, header)
    text = "\x01".join([fields[0], *header, *fields[1:]]).replace("<now>", time)
    return encode(text.encode("latin-1") + b"\x01")


def _give_up(endpoint: Endpoint, error: Exception, next_in: int) -> None:
    raise AssertionError(f"the session machine of {endpoint.comp_id!r} failed") from error


class Vandal(Client):
    """A client whose bytes go through one decoder per connection, as on a socket."""

    def feed(self, data: bytes) -> None:
        """Bytes on the wire; what a connection does with them."""
        now = self.world.open_turn()
        for item in self._decoder.feed(data):
            if not self.is_connected:
                return
            if isinstance(item, Message):
                self.receive(item, now)
            elif self._endpoint is None:
                self.is_connected = False
            elif item.fatal:
                self._endpoint.session.logout(b"unreadable", now)
                self._endpoint.settle()

    def log_on_again(self) -> None:
        """A fresh connection that resets the numbers."""
        self.drop()
        self._decoder = Decoder()
        self.connect()
        self.seq = 1
        self.send("35=A|98=0|108=30|141=Y|")


@pytest.mark.parametrize("seed", range(30))
def test_nothing_that_a_client_sends_brings_the_venue_down(
    seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Endpoint, "_renew", _give_up)  # it would hide what we are looking for
    rng = random.Random(seed)
    world = World()
    witness, vandal = world.client("WITNESS"), Vandal(world, "VANDAL")
    vandal.log_on_again()
    for number in range(300):
        if not vandal.is_connected:
            vandal.log_on_again()
        raw = whole_message(vandal, rng, mutate(rng, valid_fields(rng, number)))
        if rng.random() < 0.2:
            raw = garble(rng, raw)
        cut = rng.randrange(len(raw))
        vandal.feed(raw[:cut])
        vandal.feed(raw[cut:])
        world.turn()
        world.now += rng.choice((0, 1_000_000, 500_000_000))
        assert not world.failures, f"seed {seed}, message {number}: {raw!r}"
    check_invariants(world.venue.state.engine)
    (answer,) = witness.order("w", "buy", "1", "1")
    assert answer[150] == "0", f"seed {seed}"
    assert witness.is_connected
