"""`exchange._native`, whichever codec runs; without it, what imports this is left out."""

from __future__ import annotations

import gc
import sys
import weakref
from collections.abc import Callable, Iterable
from dataclasses import fields, is_dataclass
from decimal import Decimal
from typing import Any, Final

import pytest

from exchange.commands import NewOrder
from exchange.events import Executed
from exchange.instruments import Grid, Instrument
from exchange.orders import OrderTerms, VenueOrder
from fix_engine.message import Message
from tests.fuzz.codec import outcome

native: Any = pytest.importorskip("exchange._native")
native.describe(Executed, VenueOrder, Instrument, Grid, Message, OrderTerms, NewOrder)

HUGE: Final = 10**30
TIMES: Final = 20_000
_GRIDS: Final = (
    *(("0.01", "1"), ("0.00001", "0.001"), ("0.25", "1"), ("1", "0.00000001"), ("5", "100")),
    *(("0.125", "0.5"), ("100", "0.25")),
)


def instruments() -> list[Instrument]:
    """One for each pair of grids, with 1 to 1,000,000 lots in an order."""
    return [
        Instrument(n, b"SYM%d" % n, b"EUR", Grid(Decimal(tick)), Grid(Decimal(lot)), 1, 10**6)
        for n, (tick, lot) in enumerate(_GRIDS, 1)
    ]


def remembered(one: Instrument) -> list[object]:
    """All the numbers and texts that its grids have met."""
    grids: list[Any] = [one.prices, one.quantities]
    return [value for grid in grids for value in (*grid.numbers.values(), *grid.texts.values())]


class Counting:
    """A reference that knows how often it was asked."""

    def __init__(self, reference: Callable[..., Any]) -> None:
        self._reference = reference
        self.calls = 0

    def __call__(self, *arguments: Any, **by_name: Any) -> Any:
        self.calls += 1
        return self._reference(*arguments, **by_name)


class Text(bytes):
    """No bytes, exactly."""


def spread(thing: Any) -> Any:
    """A command with all that is in it and the types of that, to be compared."""
    if is_dataclass(thing) and not isinstance(thing, Instrument | type):
        return type(thing), [spread(getattr(thing, one.name)) for one in fields(thing)]
    return type(thing), thing


def nothing_grows(actions: Iterable[Callable[[], object]], inputs: Iterable[object]) -> None:
    """Each action, done many times, leaves neither blocks of memory nor references behind."""
    watched = list(inputs)
    for action in actions:
        for _ in range(300):
            outcome(action)
        gc.collect()
        counts, blocks = [sys.getrefcount(one) for one in watched], sys.getallocatedblocks()
        for _ in range(TIMES):
            outcome(action)
        gc.collect()
        assert sys.getallocatedblocks() - blocks < 150, action
        found = [sys.getrefcount(one) for one in watched]
        assert [abs(now - then) < TIMES / 2 for now, then in zip(found, counts, strict=True)] == [
            True
        ] * len(watched), action


class Holder:
    """Something that a function holds, and that holds the function."""

    function: object = None

    def __call__(self, *arguments: object) -> None:
        """Nothing."""


def is_collected(make: Callable[[Holder], object]) -> bool:
    """Whether a cycle of a function and something that it was made with comes to its end."""
    holder = Holder()
    holder.function = make(holder)
    watch = weakref.ref(holder)
    del holder
    gc.collect()
    return watch() is None
