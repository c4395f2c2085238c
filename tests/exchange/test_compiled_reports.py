"""ExecutionReports encoded in C are those of the reference, which sees to the unusual ones."""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from typing import Any, Final

import pytest

from exchange.conditional import fee_fields
from exchange.events import Executed, QueryAnswer
from exchange.instruments import Instrument
from exchange.orders import Conditions, OrderTerms, VenueOrder
from exchange.reports import ReportEncoder
from exchange.venue.state import AccountState
from fix_engine.timestamps import Precision, TimestampFormatter, shared_formatter
from matching.order import OrderType, Side, TimeInForce
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
)

EVENTS: Final = 600
NOW: Final = 1_700_000_000_123_456_789
INSTRUMENTS: Final = instruments()
OWNER: Final = AccountState(b"FIRM")
QUERY: Final = QueryAnswer(b"584=Q\x01", 3, True)
_NAMES: Final = (b"A", b"order-1", b"x=y", b"\xff\xfe", b"N" * 300)
_NOT_BYTES: Final = (Text(b"A"), Text(b""), bytearray(b"A"), memoryview(b"A"), "A", None, 5)


class Subclass(Executed):
    __slots__ = ()


class OtherOrder(VenueOrder):
    __slots__ = ()


class Pair:
    """Both encoders, each with its own reference."""

    def __init__(self, precision: Precision = Precision.NANOSECONDS) -> None:
        self._reference = ReportEncoder(precision, {})._executed
        self.counting = Counting(ReportEncoder(precision, {})._executed)
        format_time = shared_formatter(precision).format
        self.encode = native.executed_encoder(self.counting, format_time, fee_fields)

    def compare(self, event: Any, position: Any = 7, now: Any = NOW) -> bool:
        """Whether both do the same is asserted, whether the reference was asked returned."""
        expected, before = outcome(self._reference, event, position, now), self.counting.calls
        found = outcome(self.encode, event, position, now)
        assert type(found) is type(expected), (event, position, now, found, expected)
        assert found == expected, (event, position, now)
        return self.counting.calls > before


def some_order(rng: Random) -> VenueOrder:
    order_type = rng.choice(list(OrderType))
    wanted = OrderTerms(
        rng.choice(INSTRUMENTS),
        rng.choice(list(Side)),
        order_type,
        rng.choice(list(TimeInForce)),
        rng.choice((1, 99, 12_345, 10**12, HUGE)) if order_type is OrderType.LIMIT else 0,
        rng.choice((1, 7, 1_000, 10**9, HUGE)),
    )
    number = rng.choice((1, rng.randrange(10**6), 10**15 + 3, 2**63 - 1))
    account, name = rng.choice((b"", b"ACC", b"\xe4")), rng.choice(_NAMES)
    return VenueOrder(number, 4, OWNER, wanted, name, account)


def some_event(rng: Random, order: VenueOrder) -> Executed:
    """One that the reference is not asked about."""
    event = Executed(
        4,
        order,
        rng.choice((0, 1, 999, 2**63 - 1)),
        rng.choice((b"0", b"4", b"5", b"F", b"D", b"I")),
        rng.choice((b"0", b"1", b"2", b"4", b"A")),
        rng.choice(_NAMES),
        rng.choice((b"", b"", *_NAMES)),
        rng.choice((0, 1, 10**7, HUGE)),
        *rng.choice(((0, 0), (0, rng.randrange(99)), figures(rng))),
        text=rng.choice((b"", b"", b"Triggered", b"\xfc")),
        quantity=rng.choice((0, 0, 17, -3, 10**10)),
    )
    if rng.random() < 0.5:
        event.last_quantity = rng.choice((event.filled, rng.randint(1, 99), -2))
        event.last_price = rng.choice((1, rng.randrange(1, 10**7), -25, HUGE))
        event.is_maker = rng.random() < 0.5
        event.fee = rng.choice((0, 0, 1, rng.randrange(10**12), -(10**9), 2**63 - 1))
    elif rng.random() < 0.5:
        event.restatement_reason = rng.choice((0, 4, 5, 99, -1))
    return event


def figures(rng: Random) -> tuple[int, int]:
    """What has traded, and for how much: exact averages and others."""
    filled, price = rng.randint(1, 10**6), rng.randint(1, 10**8)
    return filled, filled * price + rng.choice((0, 0, rng.randrange(filled)))


def later_fill(seed: int = 1) -> Executed:
    """Usual in all; what a test changes in it is what is unusual."""
    order = some_order(Random(seed))
    order.price = 100 if order.order_type is OrderType.LIMIT else 0
    return Executed(4, order, 2, b"F", b"1", b"C", b"", 5, 7, 701, 2, 103, False, 9)


def restated() -> Executed:
    event = later_fill()
    event.last_quantity, event.restatement_reason = 0, 5
    return event


@pytest.mark.parametrize("seed", range(8))
def test_usual_reports_are_the_same_and_need_no_reference(seed: int) -> None:
    rng, pair = Random(seed), Pair(list(Precision)[seed % 3])
    for n in range(EVENTS):
        if n % 4 == 0:
            order, now = some_order(rng), NOW + rng.randrange(3)
        elif rng.random() < 0.1:  # as a replacement does
            order.quantity, order.static_fields = rng.randint(1, 999), None
        event = some_event(rng, order)
        assert not pair.compare(event, rng.choice((1, n, 2**63 - 1)), now), event


@pytest.mark.parametrize("seed", range(8))
def test_any_value_anywhere_does_the_same(seed: int) -> None:
    rng, pair, reached = Random(seed), Pair(), 0
    values = (
        *_NOT_BYTES,
        b"",
        b"1",
        0,
        -1,
        10,
        True,
        1.0,
        HUGE,
        -HUGE,
        2**63,
        TimeInForce.FILL_OR_KILL,
        QUERY,
    )
    of_order = (*VenueOrder.__slots__, "order_id", "side", "order_type", "price", "quantity")
    for _ in range(EVENTS):
        order = some_order(rng)
        event = some_event(rng, order)
        for _ in range(rng.randint(1, 2)):
            thing: Any = rng.choice((event, order))
            name = rng.choice(Executed.__slots__ if thing is event else of_order)
            if name in ("order", "instrument", "conditions", "static_fields", "owner"):
                continue
            if rng.random() < 0.1 and hasattr(thing, name):
                delattr(thing, name)
            else:
                setattr(thing, name, rng.choice(values))
        if getattr(event, "quantity", 0):
            order.quantity = 5  # the reference may look at it all the same
        reached += pair.compare(event)
    assert reached > EVENTS / 4


def unusual() -> list[tuple[str, Callable[[Executed], object]]]:
    """What the reference is asked about: a change of a usual report for each."""
    texts = ("cl_ord_id", "orig_cl_ord_id", "exec_type", "ord_status", "text")
    found: list[tuple[str, Any]] = [
        (
            f"{name} {n} {type(value).__name__}",
            lambda event, name=name, value=value: setattr(event, name, value),
        )
        for name, values in (
            *((name, _NOT_BYTES) for name in texts),
            ("traded_value", (-701, HUGE, -HUGE, 701.0, None)),
            ("filled", (-7, HUGE, 7.0, None, b"7")),
            ("last_quantity", (HUGE, -HUGE, 2.0, None)),
            ("fee", (HUGE, -HUGE, 9.0, None)),
            ("quantity", (HUGE, 2**63, 1.0, None)),
            ("exec_index", (HUGE, 2**63, 2.0, None)),
            ("is_maker", (1, 0, None, b"Y")),
            ("query", (QUERY, QueryAnswer(b""))),
            ("order", (None, 5)),
        )
        for n, value in enumerate(values)
    ]
    found += [
        (
            f"order.{name} {n} {type(value).__name__}",
            lambda event, name=name, value=value: setattr(event.order, name, value),
        )
        for name, values in (
            ("order_id", (HUGE, 2**63, 1.0, None)),
            ("account", _NOT_BYTES),
            ("side", (-1, 10, HUGE, "1", None)),
            ("time_in_force", (-1, 10, HUGE, None)),
            ("order_type", (1, 2, 3, HUGE, None)),
            ("conditions", (Conditions(b"2"), Conditions(b"2", {b"18": b"6"}))),
            ("instrument", (None, 5)),
        )
        for n, value in enumerate(values)
    ]
    for name in set(Executed.__slots__) - {"session"}:
        found.append((f"no {name}", lambda event, name=name: delattr(event, name)))
    for name in ("order_id", "instrument", "account", "side", "order_type", "price", "conditions"):
        found.append((f"no order.{name}", lambda event, name=name: delattr(event.order, name)))
    return sorted(found, key=lambda one: one[0])


@pytest.mark.parametrize(("name", "change"), unusual(), ids=[one for one, _ in unusual()])
def test_the_reference_is_asked_about_what_is_unusual(
    name: str, change: Callable[[Executed], object]
) -> None:
    for seed in (1, 2, 3):
        event, pair = later_fill(seed), Pair()
        assert not pair.compare(event)
        event.order.static_fields = None
        change(event)
        assert pair.compare(event), name


@pytest.mark.parametrize("value", [HUGE, -HUGE, 1.0, "5"], ids=repr)
def test_a_restatement_reason_that_is_no_number_or_a_huge_one(value: Any) -> None:
    event, pair = restated(), Pair()
    assert not pair.compare(event)
    event.restatement_reason = value
    assert pair.compare(event)


def test_subclasses_are_for_the_reference() -> None:
    pair, event = Pair(), later_fill()
    values = [getattr(event, name) for name in Executed.__slots__]
    assert pair.compare(Subclass(*values))
    order = event.order
    event.order = OtherOrder.__new__(OtherOrder)
    for name in (*VenueOrder.__mro__[1].__slots__, *VenueOrder.__slots__):  # type: ignore[attr-defined]
        setattr(event.order, name, getattr(order, name))
    assert pair.compare(event)
    for wrong in (None, 5, order, Executed):
        assert pair.compare(wrong)


def test_an_instrument_of_a_subclass_or_with_other_grids() -> None:
    class OtherInstrument(Instrument):
        __slots__ = ()

    class Grid(type(INSTRUMENTS[0].prices)):  # type: ignore[misc]
        __slots__ = ()

    one, pair, event = INSTRUMENTS[0], Pair(), later_fill()
    other = OtherInstrument(9, b"SYM", b"EUR", one.prices, one.quantities, 1, 9)
    event.order.instrument = other
    assert pair.compare(event)
    for prices, quantities in ((Grid(one.prices.step), one.quantities), (one.prices, None)):
        event.order.instrument = Instrument(9, b"SYM", b"EUR", prices, quantities, 1, 9)  # type: ignore[arg-type]
        event.order.static_fields = None
        assert pair.compare(event)
    for symbol in _NOT_BYTES:
        event.order.instrument = Instrument(9, symbol, b"EUR", one.prices, one.quantities, 1, 9)  # type: ignore[arg-type]
        event.order.static_fields = None
        assert pair.compare(event)


@pytest.mark.parametrize("position", [HUGE, 2**63, None, 1.5, "7"], ids=repr)
def test_positions_that_are_no_numbers_or_huge_ones(position: Any) -> None:
    assert Pair().compare(later_fill(), position)


@pytest.mark.parametrize("now", [HUGE, -HUGE, None, "now"], ids=repr)
def test_times_that_cannot_be_written(now: Any) -> None:
    pair = Pair()
    assert pair.compare(later_fill(), 7, now)
    assert not pair.compare(later_fill(), 7, NOW)
    assert pair.compare(later_fill(), 7, now)


def test_calls_by_name_and_of_other_numbers_are_for_the_reference() -> None:
    pair, event = Pair(), later_fill()
    usual = pair.encode(event, 7, NOW)
    assert pair.encode(event, 7, now=NOW) == usual
    assert pair.encode(event=event, position=7, now=NOW) == usual
    assert pair.counting.calls == 2
    for arguments in ((), (event,), (event, 7), (event, 7, NOW, 0)):
        assert outcome(pair.encode, *arguments) is TypeError
    with pytest.raises(TypeError):
        pair.encode(event, 7, NOW, more=1)
    for given in ((), (pair.counting,), (pair.counting,) * 4):
        assert outcome(native.executed_encoder, *given) is TypeError


def test_a_fee_that_has_another_report_encoded_leaves_the_time_alone() -> None:
    kept: list[bytes] = []

    def fees(event: Executed) -> bytes:
        if event.fee == 9:
            kept.extend(encode(other, 1, now) for now in range(50))
            kept.extend(b"%030d" % n for n in range(200))
        return fee_fields(event)

    other, event = later_fill(), later_fill()
    other.fee = 8
    encode = native.executed_encoder(print, lambda now: b"%030d" % (now + 10**9), fees)
    assert b"\x0160=%030d\x01" % (10**9 + 77) in encode(event, 1, 77)


def test_an_interrupt_is_no_reason_to_ask_the_reference() -> None:
    errors: list[type[BaseException]] = [KeyboardInterrupt, ValueError]

    def format_time(now: int) -> bytes:
        if errors:
            raise errors.pop(0)
        return b"then"

    counting = Counting(lambda *_: b"reference")
    encode = native.executed_encoder(counting, format_time, fee_fields)
    with pytest.raises(KeyboardInterrupt):
        encode(later_fill(), 1, 2)
    assert counting.calls == 0
    assert encode(later_fill(), 1, 2) == b"reference"
    assert b"60=then\x01" in encode(later_fill(), 1, 2)
    assert counting.calls == 1


def test_nothing_is_left_behind() -> None:
    def fails(*_: object) -> bytes:
        raise ValueError

    encoder = ReportEncoder(Precision.MILLISECONDS, {})
    format_time = TimestampFormatter().format
    encode = native.executed_encoder(encoder._executed, format_time, fee_fields)
    usual, first, restatement, queried, odd, wrong = (later_fill() for _ in range(6))
    first.filled, restatement.last_quantity, queried.query = 2, 0, QUERY
    restatement.restatement_reason = 0
    odd.traded_value, wrong.text = HUGE, "text"  # type: ignore[assignment]
    for event in (usual, first, restatement):
        encode(event, 7, NOW)
    without_fee = native.executed_encoder(fails, format_time, fails)
    events, times = [usual, first, restatement, queried, odd, wrong], [NOW, NOW + 10**9]
    nothing_grows(
        [
            *(lambda event=event: encode(event, 7, NOW) for event in events),
            lambda: [encode(usual, 7, now) for now in times],
            lambda: without_fee(usual, 7, NOW),
            lambda: encode(usual, 7, None),
            lambda: encode(usual, 7),
            lambda: native.executed_encoder(fails, fails, fails),
            lambda: native.executed_encoder(fails),
        ],
        [
            *(*events, *times, *(event.order for event in events), usual.order.instrument),
            *remembered(usual.order.instrument),
            *(QUERY, fails, fee_fields, encode, b"C", usual.traded_value),
        ],
    )


@pytest.mark.parametrize("place", range(3))
def test_cycles_are_collected(place: int) -> None:
    def make(holder: Any) -> object:
        encode = native.executed_encoder(*(holder if n == place else print for n in range(3)))
        return [encode, encode.__class__]

    assert is_collected(make)


def test_what_was_kept_for_the_time_is_collected() -> None:
    def make(holder: Any) -> object:
        encode = native.executed_encoder(lambda *_: b"", lambda _: holder, fee_fields)
        assert encode(later_fill(), 1, holder) == b""
        return encode

    assert is_collected(make)
