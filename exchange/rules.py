"""The rules of the venue as the journal has them: whoever replays it needs no settings."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from decimal import Decimal, InvalidOperation
from typing import Any

from fix_engine.timestamps import Precision


class RulesError(Exception):
    """Rules cannot be understood, or not be changed now; says which and why in one line."""


@dataclass(frozen=True, slots=True)
class InstrumentRules:
    """What may be traded, and how; decimals as they are written."""

    symbol: str
    currency: str
    tick: str
    lot: str
    min_quantity: str
    max_quantity: str


@dataclass(frozen=True, slots=True)
class Rules:
    """Everything that the answers of the venue depend on besides the requests.

    `time_precision` is of TransactTime (60): 3, 6 or 9 digits.
    """

    cancel_on_disconnect: bool
    remembered_orders: int
    time_precision: int
    instruments: tuple[InstrumentRules, ...]

    def encode(self) -> bytes:
        """The payload of a record: equal rules have equal bytes."""
        return json.dumps(asdict(self), sort_keys=True, separators=(",", ":")).encode("ascii")


def decode_rules(payload: bytes) -> Rules:
    """Rules from the payload of a record; raises RulesError."""
    try:
        data: dict[str, Any] = json.loads(payload)
        instruments = tuple(InstrumentRules(**one) for one in data.pop("instruments"))
        rules = Rules(**data, instruments=instruments)
        Precision(rules.time_precision)
        for one in instruments:
            for text in (one.tick, one.lot, one.min_quantity, one.max_quantity):
                Decimal(text)
    except (ValueError, TypeError, KeyError, InvalidOperation) as error:
        raise RulesError(f"the rules in the journal cannot be understood: {error}") from error
    return rules
