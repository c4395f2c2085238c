"""What every order passes, in C where an install found a compiler.

Each function takes its reference in Python and gives back what does the same: the reference itself
where nothing is compiled. `SEAMARK_CODEC` chooses for the codec and for this.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final, TypeVar

from exchange.commands import Command, NewOrder
from exchange.events import Executed
from exchange.instruments import Grid, Instrument
from exchange.orders import OrderTerms, VenueOrder
from fix_engine import codec
from fix_engine.message import Message

_Encode = TypeVar("_Encode", bound=Callable[[Any, int, int], bytes])
_Parse = TypeVar("_Parse", bound=Callable[[int, Message], Command])
_Make = TypeVar("_Make", bound=Callable[..., VenueOrder])
_REVISION: Final = 1  # of native/exchange.h; an older build is not used

NATIVE: Final = codec.native("exchange", _REVISION)
if NATIVE is not None:
    NATIVE.describe(Executed, VenueOrder, Instrument, Grid, Message, OrderTerms, NewOrder)


def executed_encoder(
    reference: _Encode,
    format_time: Callable[[int], bytes],
    fee_fields: Callable[[Executed], bytes],
) -> _Encode:
    """What encodes Executed: (event, position, now) -> body."""
    if NATIVE is None:
        return reference
    encode: _Encode = NATIVE.executed_encoder(reference, format_time, fee_fields)
    return encode


def order_parser(
    reference: _Parse,
    instruments: Mapping[bytes, Instrument],
    places: Mapping[Any, Any],
    *values: Mapping[Any, Any],
) -> _Parse:
    """What parses NewOrderSingle: (session, message) -> command.

    `places` are of each Shape, `values` what Side, OrdType and TimeInForce can be.
    """
    if NATIVE is None:
        return reference
    parse: _Parse = NATIVE.order_parser(reference, instruments, places, *values)
    return parse


def order_maker(reference: _Make, account_class: type) -> _Make:
    """What makes orders, as the call of VenueOrder does, with all arguments by place."""
    if NATIVE is None:
        return reference
    make: _Make = NATIVE.order_maker(reference, account_class)
    return make
