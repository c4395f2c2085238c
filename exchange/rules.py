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
    collar: str = "0"
    min_notional: str = "0"
    max_notional: str = "0"


@dataclass(frozen=True, slots=True)
class AccountRules:
    """What an account pays and may do; fees are shares of the value traded, 0 sets no limit.

    `self_trade` is X, N, O, B or D; accounts of one `trade_group` do not trade with each other.
    `protection_fills` fills of its quotes in one instrument, no further apart than
    `protection_window_ms`, cancel all of its quotes there.
    """

    name: str
    maker_fee: str = "0"
    taker_fee: str = "0"
    self_trade: str = "N"
    trade_group: str = ""
    max_open_orders: int = 0
    max_orders_per_s: int = 0
    protection_fills: int = 0
    protection_window_ms: int = 0


@dataclass(frozen=True, slots=True)
class Rules:
    """Everything that the answers of the venue depend on besides the requests.

    `time_precision` is of TransactTime (60): 3, 6 or 9 digits. A day order ends at `day_ends`,
    hours and minutes UTC. Fees are those of sessions without an account. `funds`: orders are held
    against balances.
    """

    cancel_on_disconnect: bool
    remembered_orders: int
    time_precision: int
    instruments: tuple[InstrumentRules, ...]
    accounts: tuple[AccountRules, ...] = ()
    maker_fee: str = "0"
    taker_fee: str = "0"
    day_ends: str = "00:00"
    funds: bool = False

    def encode(self) -> bytes:
        """The payload of a record: equal rules have equal bytes."""
        return json.dumps(asdict(self), sort_keys=True, separators=(",", ":")).encode("ascii")


def decode_rules(payload: bytes) -> Rules:
    """Rules from the payload of a record; raises RulesError."""
    try:
        data: dict[str, Any] = json.loads(payload)
        instruments = tuple(InstrumentRules(**one) for one in data.pop("instruments"))
        accounts = tuple(AccountRules(**one) for one in data.pop("accounts", ()))
        rules = Rules(**data, instruments=instruments, accounts=accounts)
        Precision(rules.time_precision)
        for one in instruments:
            for text in (one.tick, one.lot, one.min_quantity, one.max_quantity, one.collar):
                Decimal(text)
        for fee in (rules.maker_fee, rules.taker_fee):
            Decimal(fee)
        for account in accounts:
            Decimal(account.maker_fee) + Decimal(account.taker_fee)
    except (ValueError, TypeError, KeyError, InvalidOperation) as error:
        raise RulesError(f"the rules in the journal cannot be understood: {error}") from error
    return rules
