"""What native/*.c offer; each function takes what `exchange.compiled` says, by place."""

from collections.abc import Callable, Mapping
from typing import Any

REVISION: int

def describe(*classes: type) -> None: ...
def executed_encoder(
    reference: Callable[[Any, int, int], bytes],
    format_time: Callable[[int], bytes],
    fee_fields: Callable[[Any], bytes],
    /,
) -> Any: ...
def order_parser(reference: Callable[[int, Any], Any], /, *tables: Mapping[Any, Any]) -> Any: ...
def order_maker(reference: type, account_class: type, /) -> Any: ...
def answer(
    events: list[Any],
    encoders: Mapping[type, tuple[bytes, Any]],
    peers: Mapping[int, Any],
    position: int,
    now: int,
    asker: int,
    route: bytes,
    /,
) -> None: ...
