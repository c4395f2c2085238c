"""Waiting times after failures, by whatever key: each failure doubles the wait, up to a limit."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Hashable
from dataclasses import dataclass
from typing import Final

from fix_engine.timestamps import SECOND_NS

_MAX_KEYS: Final = 10_000  # an attacker with many addresses must not grow our memory


@dataclass(slots=True)
class _Failures:
    count: int
    until: int


class Backoff:
    """Counts failures by key; a few are free, then one has to wait."""

    def __init__(self, free: int, longest_wait_ns: int) -> None:
        """`free` failures cost nothing; the next wait is 1 s, then 2 s, up to the longest."""
        self._free = free
        self._longest_ns = longest_wait_ns
        self._by_key: OrderedDict[Hashable, _Failures] = OrderedDict()

    def __len__(self) -> int:
        return len(self._by_key)

    def wait_ns(self, key: Hashable, now: int) -> int:
        """How long `key` has to wait yet; 0 when it need not."""
        found = self._by_key.get(key)
        if found is None or now >= found.until:
            return 0
        return found.until - now

    def failed(self, key: Hashable, now: int) -> None:
        """Count a failure; what is long past is forgotten first."""
        found = self._by_key.pop(key, None)
        if found is None or now - found.until > self._longest_ns:
            found = _Failures(0, now)
        found.count += 1
        paid = found.count - self._free
        wait = min(SECOND_NS << min(paid - 1, 30), self._longest_ns) if paid > 0 else 0
        found.until = now + wait
        self._by_key[key] = found
        if len(self._by_key) > _MAX_KEYS:
            self._by_key.popitem(last=False)

    def succeeded(self, key: Hashable) -> None:
        """Forget the failures of `key`."""
        self._by_key.pop(key, None)
