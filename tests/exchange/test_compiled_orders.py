"""Orders read and made in C are those of the references, which see to the unusual ones."""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from types import SimpleNamespace
from typing import Any, Final

import pytest

from exchange.commands import NewOrder
from exchange.instruments import Instrument
from exchange.orders import Conditions, OrderTerms, VenueOrder
from exchange.requests.parser import RequestParser
from exchange.requests.terms import ORDER_TYPES, PLAIN_TIMES_IN_FORCE, SIDES
from exchange.venue.state import AccountState
from fix_engine.message import Message, Shape
from fix_engine.wire import Decoder, encode
from matching.order import Order, OrderType, SelfTrade, Side, TimeInForce
from matching.terms import Terms
from tests.fuzz.codec import outcome
from tests.support.native import (
    HUGE,
    Counting,
    Text,
    instruments,
    is_collected,
    native,
    nothing_grows,
    remembered,
    spread,
)

INSTRUMENTS: Final = instruments()
MESSAGES: Final = 600
_HEAD: Final = b"35=D\x0134=2\x0149=PEER\x0152=20240229-12:00:00\x0156=SEAMARK\x01"
_FIELDS: Final = (b"1", b"11", b"38", b"40", b"44", b"54", b"55", b"59", b"60")
_ORDERS: Final = (_FIELDS, (b"11", b"55", b"54", b"38", b"40", b"44"), _FIELDS[::-1])
_NUMBERS: Final = (
    *(b"", b"0", b"-1", b"-0", b"+1", b"1e5", b".", b"5.", b".5", b"0.000001", b"1000000"),
    *(b"1000001", b"1000000.5", b"9" * 18, b"9" * 19, b"1.0" + b"0" * 17, b"0" * 17 + b"7", b"x"),
)
_VALUES: Final = {
    b"1": (b"ACC", b"", b"\xff"),
    b"11": (b"order-1", b"x=y", b""),
    b"38": (b"100", b"1000", b"5", b"25000", b"0.5", *_NUMBERS),
    b"40": (b"1", b"2", b"2", b"2", b"3", b"J", b"", b"22"),
    b"44": (b"100", b"500", b"25", b"100.25", b"1.00001", *_NUMBERS),
    b"54": (b"1", b"2", b"3", b""),
    b"55": (*(one.symbol for one in INSTRUMENTS), b"NONE", b""),
    b"59": (b"0", b"1", b"3", b"4", b"6", b"7", b""),
    b"60": (b"20240229-12:00:00",),
}
_CONDITIONS: Final = (
    *(b"18=6", b"99=5", b"111=1", b"110=1", b"126=20300101-00:00:00", b"62=20300101-00:00:00"),
    *(b"8016=500", b"8013=Y", b"7928=O", b"152=10", b"168=20300101-00:00:00", b"58=text"),
)


class OtherMessage(Message):
    __slots__ = ()


class OtherTerms(OrderTerms):
    __slots__ = ()


class OtherAccount(AccountState):
    __slots__ = ()


class Pair:
    """Both parsers, each with what it remembers of its own."""

    def __init__(self) -> None:
        self._reference = RequestParser(INSTRUMENTS)._new_order
        of_native = RequestParser(INSTRUMENTS)
        self.places: dict[Any, Any] = of_native._places
        self.counting = Counting(of_native._new_order)
        tables = SIDES, ORDER_TYPES, PLAIN_TIMES_IN_FORCE
        known = of_native._instruments, self.places
        self.parse = native.order_parser(self.counting, *known, *tables)

    def compare(self, message: Any, session: Any = 3) -> tuple[Any, bool]:
        """The command, and whether the reference was asked; that both do the same is asserted."""
        expected, before = outcome(self._reference, session, message), self.counting.calls
        found = outcome(self.parse, session, message)
        assert spread(found) == spread(expected), message
        if isinstance(expected, NewOrder):
            assert found.message is message
            assert found.cl_ord_id is expected.cl_ord_id
            assert found.account is expected.account
            for name in OrderTerms.__slots__:
                if name not in ("price", "quantity", "terms", "conditions"):
                    assert getattr(found.wanted, name) is getattr(expected.wanted, name)
        return expected, self.counting.calls > before


def decoded(decoder: Any, fields: list[bytes]) -> Message:
    (message,) = decoder.feed(encode(_HEAD + b"".join(field + b"\x01" for field in fields)))
    assert isinstance(message, Message)
    return message


def some_fields(rng: Random) -> list[bytes]:
    fields = [
        tag + b"=" + (rng.choice(_VALUES[tag]) if rng.random() < 0.15 else _VALUES[tag][0])
        for tag in rng.choice(_ORDERS)
    ]
    is_market = rng.random() < 0.2
    for place, field in enumerate(fields):
        tag = field.partition(b"=")[0]
        if tag == b"40" and field == b"40=1" and not is_market:
            fields[place] = b"40=2"
        elif tag in (b"38", b"44", b"55") and rng.random() < 0.5:
            fields[place] = tag + b"=" + rng.choice(_VALUES[tag][:5])
    if is_market:
        fields = [field for field in fields if not field.startswith(b"44=")]
    chance = rng.random()
    if chance < 0.08:
        del fields[rng.randrange(len(fields))]
    elif chance < 0.16:
        fields.append(rng.choice(_CONDITIONS))
    elif chance < 0.2:
        fields.append(rng.choice(fields))
    return fields


def usual() -> list[bytes]:
    values = dict.fromkeys(_FIELDS)
    return [tag + b"=" + (b"2" if tag == b"40" else _VALUES[tag][0]) for tag in values]


def without(tag: bytes) -> list[bytes]:
    return [field for field in usual() if not field.startswith(tag + b"=")]


@pytest.mark.parametrize("seed", range(8))
def test_both_make_the_same_of_orders(seed: int) -> None:
    rng, pair, decoder = Random(seed), Pair(), Decoder()
    by_native = refused = 0
    for _ in range(MESSAGES):
        message = decoded(decoder, some_fields(rng))
        is_known = pair.places.get(message.shape) is not None
        command, is_asked = pair.compare(message, rng.choice((0, 3, 2**40)))
        is_usual = is_known and isinstance(command, NewOrder) and command.wanted.price < 2**63
        if isinstance(command, NewOrder):
            wanted = command.wanted
            is_usual &= wanted.terms is None is wanted.conditions
        assert is_asked is not is_usual, message
        by_native += is_usual
        refused += not isinstance(command, NewOrder)
    assert by_native > MESSAGES / 5
    assert refused > MESSAGES / 5


def test_the_first_of_a_shape_alone_is_for_the_reference() -> None:
    pair, decoder = Pair(), Decoder()
    for fields in (usual(), without(b"1"), without(b"59"), usual()[::-1]):
        asked = [pair.compare(decoded(decoder, fields))[1] for _ in range(5)]
        assert asked == [True, False, False, False, False]


def test_a_shape_that_is_not_remembered_is_always_for_the_reference() -> None:
    pair, sequence = Pair(), decoded(Decoder(), usual())
    shape = Shape(b"D", sequence.shape.tags, is_remembered=False)
    message = Message(sequence.begin_string, shape, sequence.values, sequence.raw)
    assert [pair.compare(message)[1] for _ in range(3)] == [True] * 3


def test_messages_that_no_decoder_makes() -> None:
    pair, decoder = Pair(), Decoder()
    message = decoded(decoder, usual())
    pair.compare(message)
    values = list(message.values)
    assert not pair.compare(message)[1]
    sessions: list[Any] = [None, "text", HUGE, -1, []]
    for session in sessions:
        assert not pair.compare(message, session)[1]
    other = OtherMessage(message.begin_string, message.shape, values, message.raw)
    assert pair.compare(other)[1]
    for wrong in (tuple(values), values[:-1], values[:6], [], None, [Text(one) for one in values]):
        message.values = wrong  # type: ignore[assignment]
        pair.compare(message)
    for place in range(5, len(values)):
        others: list[Any] = [[], Text(values[place]), bytearray(values[place]), 5]
        for value in others:
            message.values = [*values[:place], value, *values[place + 1 :]]
            pair.compare(message)
    message.values = values
    assert not pair.compare(message)[1]
    for name in ("shape", "values"):
        broken = Message(message.begin_string, message.shape, values, message.raw)
        delattr(broken, name)
        assert pair.compare(broken)[1]
    assert pair.compare(None)[1]


def test_calls_of_the_parser_by_name_and_of_other_numbers() -> None:
    pair, message = Pair(), decoded(Decoder(), usual())
    expected = spread(pair.parse(3, message))
    assert spread(pair.parse(3, message=message)) == expected
    assert spread(pair.parse(session=3, message=message)) == expected
    assert pair.counting.calls == 3
    for arguments in ((), (3,), (3, message, 5)):
        assert outcome(pair.parse, *arguments) is TypeError
    for given in ((), (pair.counting,), (pair.counting,) * 7):
        assert outcome(native.order_parser, *given) is TypeError


@pytest.mark.parametrize(
    "places",
    [None, (), (1,) * 7, (1,) * 9, [1] * 8, (HUGE,) * 8, (99,) * 8, ("1",) * 8, (-1,) * 8],
    ids=str,
)
def test_places_that_are_none_go_to_the_reference(places: Any) -> None:
    message, counting = decoded(Decoder(), usual()), Counting(lambda *_: b"reference")
    tables: tuple[Any, ...] = {}, {message.shape: places}, SIDES, ORDER_TYPES, PLAIN_TIMES_IN_FORCE
    assert native.order_parser(counting, *tables)(1, message) == b"reference"
    assert native.order_parser(counting, *[None] * 5)(1, message) == b"reference"
    assert counting.calls == 2


@pytest.mark.parametrize(("least", "most"), [(HUGE, HUGE), (1, HUGE), (None, 5), (0, "5")])
def test_limits_that_are_no_numbers_or_huge_ones(least: Any, most: Any) -> None:
    pair, message = Pair(), decoded(Decoder(), usual())
    pair.compare(message)
    one = INSTRUMENTS[0]
    former = one.min_quantity, one.max_quantity
    try:
        one.min_quantity, one.max_quantity = least, most
        assert pair.compare(message)[1]
    finally:
        one.min_quantity, one.max_quantity = former


def some_terms(rng: Random) -> OrderTerms:
    return OrderTerms(
        rng.choice(INSTRUMENTS),
        rng.choice(list(Side)),
        rng.choice(list(OrderType)),
        rng.choice(list(TimeInForce)),
        rng.choice((0, 1, 12_345, HUGE)),
        rng.choice((1, 1_000, HUGE)),
        rng.choice((None, Terms())),
        rng.choice((None, Conditions(b"2"))),
        rng.choice((None, *SelfTrade)),
    )


def arguments_of(rng: Random) -> list[Any]:
    """Those of a usual call."""
    account = AccountState(b"FIRM")
    account.self_trade_group = rng.choice((0, 1, HUGE))
    number, session = rng.choice((1, 10**15, HUGE)), rng.choice((0, 4, HUGE))
    names = rng.choice((b"order-1", b"")), rng.choice((b"", b"ACC"))
    return [number, session, account, some_terms(rng), *names, rng.choice(list(SelfTrade))]


SLOTS: Final = (*Order.__slots__, *VenueOrder.__slots__)


def same_orders(one: Any, other: Any) -> bool:
    """Whether every slot has the same thing, or nothing, or neither is an order."""
    if not isinstance(one, VenueOrder):
        return bool(one == other)
    nothing = object()
    return type(one) is type(other) and all(
        getattr(one, name, nothing) is getattr(other, name, nothing) for name in SLOTS
    )


@pytest.mark.parametrize("seed", range(4))
def test_orders_are_made_as_their_class_makes_them(seed: int) -> None:
    rng, counting = Random(seed), Counting(VenueOrder)
    make = native.order_maker(counting, AccountState)
    for _ in range(500):
        arguments = arguments_of(rng)
        made = make(*arguments)
        assert type(made) is VenueOrder
        assert same_orders(made, VenueOrder(*arguments))
        assert made.status == VenueOrder(*arguments).status
        assert all(hasattr(made, name) for name in SLOTS)
    assert counting.calls == 0
    assert len(SLOTS) == 23


def unusual_calls() -> list[tuple[str, Callable[[list[Any]], object]]]:
    """Changes of the arguments of a usual call, each of which is for the reference."""
    one = INSTRUMENTS[0]
    kind = type("Other", (Instrument,), {"__slots__": ()})
    other = kind(9, b"SYM", b"EUR", one.prices, one.quantities, 1, 9)
    found: list[tuple[str, Any]] = [
        ("six arguments", lambda a: a.pop()),
        ("five arguments", lambda a: a.__delitem__(slice(5, 7))),
        ("none", lambda a: a.clear()),
        ("eight arguments", lambda a: a.append(5)),
        ("no owner", lambda a: a.__setitem__(2, None)),
        ("another owner", lambda a: a.__setitem__(2, OtherAccount(b"FIRM"))),
        ("what is like one", lambda a: a.__setitem__(2, SimpleNamespace(self_trade_group=3))),
        ("an owner of no group", lambda a: delattr(a[2], "self_trade_group")),
        ("no terms", lambda a: a.__setitem__(3, None)),
        ("other terms", lambda a: a.__setitem__(3, OtherTerms(one, *list_of(a[3])))),
        ("no instrument", lambda a: setattr(a[3], "instrument", None)),
        ("another instrument", lambda a: setattr(a[3], "instrument", other)),
    ]
    found += [
        (f"no {name}", lambda a, name=name: delattr(a[3], name)) for name in OrderTerms.__slots__
    ]
    return found


def list_of(wanted: OrderTerms) -> list[Any]:
    return [getattr(wanted, name) for name in OrderTerms.__slots__[1:]]


@pytest.mark.parametrize(
    ("name", "change"), unusual_calls(), ids=[name for name, _ in unusual_calls()]
)
def test_unusual_calls_are_for_the_class(name: str, change: Callable[[list[Any]], object]) -> None:
    counting = Counting(VenueOrder)
    make = native.order_maker(counting, AccountState)
    arguments = arguments_of(Random(name))
    assert same_orders(make(*arguments), VenueOrder(*arguments))
    change(arguments)
    expected = outcome(VenueOrder, *arguments)
    assert counting.calls == 0
    assert same_orders(expected, outcome(make, *arguments))
    assert counting.calls == 1


def test_what_is_not_looked_at_may_be_anything() -> None:
    counting = Counting(VenueOrder)
    make = native.order_maker(counting, AccountState)
    values: list[Any] = [None, "text", HUGE, -1, bytearray(b"x"), []]
    for place in (0, 1, 4, 5, 6):
        for value in values:
            arguments = arguments_of(Random(place))
            arguments[place] = value
            assert same_orders(VenueOrder(*arguments), make(*arguments))
    assert counting.calls == 0


def test_calls_of_the_maker_by_name() -> None:
    counting = Counting(VenueOrder)
    make, arguments = native.order_maker(counting, AccountState), arguments_of(Random(1))
    by_name = {"self_trade": arguments.pop()}
    assert same_orders(make(*arguments, **by_name), VenueOrder(*arguments, **by_name))
    assert counting.calls == 1
    assert outcome(lambda: make(*arguments, wrong=5)) is TypeError
    for given in ((), (VenueOrder,), (VenueOrder, AccountState, 5), (VenueOrder, int)):
        assert outcome(native.order_maker, *given) in (TypeError, AttributeError)
    assert same_orders(make(*arguments, **by_name), VenueOrder(*arguments, **by_name))


def test_classes_are_described_or_refused() -> None:
    assert outcome(native.describe) is TypeError
    assert outcome(native.describe, *[5] * 7) is TypeError
    assert outcome(native.describe, *[int] * 7) is AttributeError
    pair, message = Pair(), decoded(Decoder(), usual())
    assert [pair.compare(message)[1] for _ in range(2)] == [True, False]


def test_the_parser_leaves_nothing_behind() -> None:
    pair, decoder = Pair(), Decoder()
    refused = [field.replace(b"40=2", b"40=9") for field in usual()]
    unpriced = [field.replace(b"44=100", b"44=1.234567") for field in usual()]
    large = [field.replace(b"44=100", b"44=" + b"9" * 18) for field in usual()]
    messages = [decoded(decoder, one) for one in (usual(), without(b"1"), refused, unpriced, large)]
    broken = Message(b"FIX.4.4", messages[0].shape, messages[0].values[:6], b"")
    session = 2**40
    for one in messages:
        pair.parse(session, one)
    nothing_grows(
        [
            *(lambda one=one: pair.parse(session, one) for one in messages),
            lambda: pair.parse(session, broken),
            lambda: pair.parse(session, None),
            lambda: pair.parse(session),
            lambda: native.order_parser(*[pair] * 6),
            lambda: native.order_parser(pair),
        ],
        [
            *(*messages, *messages[0].values, *INSTRUMENTS, broken, session, pair, pair.parse),
            *remembered(INSTRUMENTS[0]),
            *(NewOrder, OrderTerms, *Side, *OrderType, *TimeInForce, messages[0].shape, b"", None),
        ],
    )


def test_the_maker_leaves_nothing_behind() -> None:
    make, arguments = native.order_maker(VenueOrder, AccountState), arguments_of(Random(3))
    broken = [*arguments[:3], None, *arguments[4:]]
    nothing_grows(
        [
            lambda: make(*arguments),
            lambda: make(*arguments[:6]),
            lambda: make(*broken),
            lambda: make(*arguments, 5),
            lambda: native.order_maker(VenueOrder, AccountState),
            lambda: native.order_maker(VenueOrder),
            lambda: native.order_maker(VenueOrder, int),
        ],
        [*arguments, arguments[3].instrument, VenueOrder, AccountState, b"", None, True, 0],
    )


@pytest.mark.parametrize("place", range(6))
def test_cycles_of_a_parser_are_collected(place: int) -> None:
    assert is_collected(
        lambda holder: native.order_parser(*(holder if n == place else {} for n in range(6)))
    )


def test_cycles_of_a_maker_and_of_orders_are_collected() -> None:
    make: Any = native.order_maker
    assert is_collected(lambda holder: make(holder, AccountState))
    arguments = arguments_of(Random(4))

    def order_of(holder: Any) -> object:
        arguments[0], order = holder, make(VenueOrder, AccountState)
        made = order(*arguments)
        arguments[0] = 1
        return made

    assert is_collected(order_of)
