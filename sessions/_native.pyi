"""What native/*.c offer."""

from collections.abc import Callable, Iterable
from typing import Any

REVISION: int

def describe(*classes: type) -> None: ...
def sending(
    reference: Callable[..., int],
    endpoint: object,
    turn: object,
    add: Callable[..., int],
    kind: int,
    active: object,
    /,
) -> Any: ...

class Records:
    begin: int
    count: int
    position: int
    def __init__(self, inputs: Iterable[int], /) -> None: ...
    def add(
        self, kind: int, session: int, seq: int, next_in: int, payload: bytes = b"", /
    ) -> int: ...
    def take(self) -> bytes: ...
