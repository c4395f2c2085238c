"""What native/records.c offers."""

from collections.abc import Iterable

REVISION: int

class Records:
    begin: int
    count: int
    position: int
    def __init__(self, inputs: Iterable[int], /) -> None: ...
    def add(
        self, kind: int, session: int, seq: int, next_in: int, payload: bytes = b"", /
    ) -> int: ...
    def take(self) -> bytes: ...
