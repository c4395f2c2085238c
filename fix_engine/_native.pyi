"""What native/*.c offer."""

from collections.abc import Callable, Container

from fix_engine.logon import SessionSettings
from fix_engine.message import Message, Shape
from fix_engine.outbound import Outbound
from fix_engine.plain import Garbled

REVISION: int

def take(
    buffer: bytes,
    position: int,
    at_most: int,
    bytes_at_most: int,
    max_message_bytes: int,
    shapes: dict[bytes, Shape],
    out: list[Message | Garbled],
    /,
) -> int: ...
def checksum(data: bytes, /) -> int: ...
def encode(body: bytes, /) -> bytes: ...
def encode_shared(head: bytes, shared: bytes, shared_checksum: int, /) -> bytes: ...
def encode_numbered(
    msg_type: bytes,
    seq: int,
    before_time: bytes,
    time: bytes,
    after_time: bytes,
    header: bytes,
    body: bytes,
    /,
) -> bytes: ...
def encode_numbered_shared(
    msg_type: bytes,
    seq: int,
    before_time: bytes,
    time: bytes,
    after_time: bytes,
    own: bytes,
    shared: bytes,
    shared_checksum: int,
    /,
) -> bytes: ...
def is_int(value: bytes, /) -> bool: ...
def is_count(value: bytes, /) -> bool: ...
def is_float(value: bytes, /) -> bool: ...
def is_char(value: bytes, /) -> bool: ...
def is_boolean(value: bytes, /) -> bool: ...
def is_timestamp(value: bytes, /) -> bool: ...
def parse_timestamp(value: bytes, /) -> int | None: ...
def are_sound(
    values: list[bytes],
    formats: list[tuple[int, Callable[[bytes], object]]],
    enums: list[tuple[int, frozenset[bytes], bool]],
    counts: list[tuple[int, int]],
    /,
) -> bool: ...
def usual(
    reference: Callable[[Message, int, int], bool],
    settings: SessionSettings,
    special: Container[bytes],
    plans: object,
    plan_class: type,
    /,
) -> Callable[[Message, int, int], bool]: ...
def numbering(
    reference: Callable[..., tuple[int, bytes]], outbound: Outbound, /
) -> Callable[..., tuple[int, bytes]]: ...
def make_in_c(cls: type, names: tuple[str, ...], defaults: tuple[object, ...], /) -> None: ...

class Form:
    def __init__(self, pattern: bytes) -> None: ...
    def __call__(self, values: tuple[bytes | int, ...], /) -> bytes: ...
