"""Random rules of a venue, and the steps of its prices and quantities."""

from __future__ import annotations

from dataclasses import replace
from random import Random
from typing import Final

from exchange.rules import AccountRules, InstrumentRules, Rules

#: Symbol, currency, tick, digits of the tick, lot in units of 10 ** -digits, digits of the lot
INSTRUMENTS: Final = (
    ("AAA/USD", "USD", 1, 1, 1, 2),
    ("BBB/USD", "USD", 5, 2, 1, 0),
    ("CCC/BTC", "BTC", 1, 0, 25, 3),
)


def decimal(mantissa: int, digits: int) -> str:
    """`mantissa` / 10 ** `digits`, sometimes the shortest way to write it."""
    if not digits:
        return str(mantissa)
    whole, fraction = divmod(mantissa, 10**digits)
    return f"{whole}.{fraction:0{digits}d}".rstrip("0").rstrip(".")


def random_rules(random: Random, is_guarded: bool, before: Rules | None = None) -> Rules:
    """Rules to begin with, or others than those before."""
    instruments = tuple(
        InstrumentRules(
            symbol,
            currency,
            decimal(tick, digits),
            decimal(lot, lot_digits),
            decimal(lot * 2, lot_digits),
            decimal(lot * 30, lot_digits),
            random.choice(["0", "0.01", "0.05"]) if is_guarded else "0",
            random.choice(["0", "10"]) if is_guarded else "0",
            random.choice(["0", "200"]) if is_guarded else "0",
        )
        for symbol, currency, tick, digits, lot, lot_digits in INSTRUMENTS
    )
    if before is not None:
        accounts = tuple(
            replace(one, max_open_orders=random.choice([0, 5])) for one in before.accounts
        )
        remembered = random.choice([before.remembered_orders, 1, 50])
        return replace(
            before, instruments=instruments, accounts=accounts, remembered_orders=remembered
        )
    group = random.choice(["", "FUND"])
    accounts = tuple(
        AccountRules(
            name,
            random.choice(["0", "0.0002"]),
            random.choice(["0", "0.001", "0.00075"]),
            random.choice("XNOBD"),
            group,
            random.choice([0, 6]) if is_guarded else 0,
            random.choice([0, 0, 50]) if is_guarded else 0,
            *random.choice([(0, 0), (1, 100), (2, 100), (3, 1_000)]),
        )
        for name in ("ALPHA", "BETA")
    )
    accounts = (*accounts, AccountRules("GAMMA", self_trade=random.choice("XNOBD")))
    remembered = random.choice([0, 3, 40, 1000])
    wants = random.random() < 0.5
    ends = random.choice(["00:00", "17:30"])
    own = (random.choice(["0", "0.0001"]), random.choice(["0", "0.002"]))
    return Rules(wants, remembered, 3, instruments, accounts, *own, ends)
