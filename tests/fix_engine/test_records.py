"""Records made in C are those made by their own __init__."""

from __future__ import annotations

import gc
import sys
from dataclasses import dataclass, field
from typing import Any

import pytest

from fix_engine.records import hasten


@dataclass(slots=True)
class Plain:
    first: int
    second: object
    third: bytes = b"three"
    fourth: object = None


@dataclass(slots=True)
class Hastened:
    first: int
    second: object
    third: bytes = b"three"
    fourth: object = None


hasten(Hastened)

CALLS: list[tuple[tuple[Any, ...], dict[str, Any]]] = [
    ((1, 2), {}),
    ((1, 2, b"3"), {}),
    ((1, 2, b"3", [4]), {}),
    ((1,), {"second": 2}),
    ((), {"fourth": 4, "second": 2, "first": 1}),
    ((1, 2), {"fourth": 4}),
    ((), {}),
    ((1,), {}),
    ((1, 2, 3, 4, 5), {}),
    ((1, 2), {"fifth": 5}),
    ((1, 2), {"first": 1}),
]


def made(cls: type, args: tuple[Any, ...], named: dict[str, Any]) -> Any:
    try:
        one = cls(*args, **named)
    except TypeError as error:
        return str(error).replace(cls.__name__, "X")
    return repr(one).replace(cls.__name__, "X")


@pytest.mark.parametrize(("args", "named"), CALLS)
def test_every_call_does_what_it_did(args: tuple[Any, ...], named: dict[str, Any]) -> None:
    assert made(Hastened, args, named) == made(Plain, args, named)


def test_they_compare_and_change_like_others() -> None:
    one, other = Hastened(1, 2), Hastened(1, 2)
    assert one == other
    other.fourth = one
    assert one != other


def test_nothing_is_lost_and_nothing_kept() -> None:
    value = object()
    before = sys.getrefcount(value)
    many = [Hastened(1, value, b"", value) for _ in range(100)]
    assert sys.getrefcount(value) == before + 200
    del many
    assert sys.getrefcount(value) == before
    loop = Hastened(1, value)
    loop.second, loop.fourth = value, loop
    del loop
    assert gc.collect() > 0
    assert sys.getrefcount(value) == before


def test_a_class_below_has_its_own_way() -> None:
    class Below(Hastened):
        def __init__(self) -> None:
            super().__init__(1, 2)
            self.fourth = "below"

    assert Below().fourth == "below"


def test_what_is_more_than_a_record_is_refused() -> None:
    @dataclass(slots=True)
    class MadeAnew:
        values: list[int] = field(default_factory=list)

    @dataclass(slots=True)
    class DoesMore:
        value: int

        def __post_init__(self) -> None:
            """Something."""

    @dataclass
    class HasNoSlots:
        value: int

    for cls in (MadeAnew, DoesMore, HasNoSlots):
        with pytest.raises(TypeError, match=f"{cls.__name__} is more than a record"):
            hasten(cls)
