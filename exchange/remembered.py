"""What is worked out once and looked up from then on, at the cost of a look into a dictionary."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

_K = TypeVar("_K")
_V = TypeVar("_V")


class Remembered(dict[_K, _V]):
    """Values by what they are worked out from, found by [] and worked out when they are not there.

    `is_worth` says which are kept; once there are `most`, all are forgotten.
    """

    __slots__ = ("_is_worth", "_most", "_work_out")

    def __init__(
        self, work_out: Callable[[_K], _V], is_worth: Callable[[_K, _V], bool], most: int
    ) -> None:
        super().__init__()
        self._most = most
        self._work_out = work_out
        self._is_worth = is_worth

    def __missing__(self, key: _K) -> _V:
        value = self._work_out(key)
        if self._is_worth(key, value):
            if len(self) >= self._most:
                self.clear()
            self[key] = value
        return value
