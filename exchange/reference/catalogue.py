"""The fields of instruments, kept: a list of a thousand must not hold up everybody else."""

from __future__ import annotations

from typing import Final

from exchange.instruments import Instrument
from exchange.reference.fields import instrument_fields
from exchange.rules import Rules
from exchange.venue.state import AccountState, VenueState

_MEMORY: Final = 16_384  # entries: instruments times their states times different fees


class Catalogue:
    """Says of an instrument what `instrument_fields` says."""

    def __init__(self, state: VenueState) -> None:
        self._state = state
        self._rules: Rules | None = None  # that the entries are of
        self._entries: dict[tuple[int, int, int, int], bytes] = {}

    def fields(self, account: AccountState, instrument: Instrument) -> bytes:
        """The instrument as it is now for this account."""
        state, number = self._state, instrument.instrument_id
        if self._rules is not state.rules or len(self._entries) >= _MEMORY:
            self._entries.clear()
            self._rules = state.rules
        key = (number, state.markets[number], account.maker_fee, account.taker_fee)
        entry = self._entries.get(key)
        if entry is None:
            entry = self._entries[key] = instrument_fields(state, account, instrument)
        return entry
