"""What the fields of an order mean, in lots and ticks: the naive venue's reading of them."""

from __future__ import annotations

from functools import lru_cache
from typing import Final

from fix_engine.timestamps import TimestampParser
from matching.order import Side
from matching.terms import Direction, Reference
from tests.judge.steps import Fields
from tests.judge.view import scaled
from tests.matching.naive import NaiveTrigger

#: Symbol: number, tick and lot as they are written.
LISTED: Final = {"AAA/USD": (0, "0.1", "0.01"), "BBB/USD": (1, "0.05", "1")} | {
    "CCC/BTC": (2, "1", "0.025")
}
LEAST_LOTS: Final = 2
_parse_time = TimestampParser().parse


@lru_cache(maxsize=100_000)
def lots(symbol: str, text: str) -> int:
    return scaled(text) // scaled(LISTED[symbol][2])


@lru_cache(maxsize=100_000)
def ticks(symbol: str, text: str) -> int:
    return scaled(text) // scaled(LISTED[symbol][1])


def time_of(text: str) -> int:
    at = _parse_time(text.encode())
    assert at is not None
    return at


def budget_of(fields: Fields) -> int:
    if 152 not in fields:
        return 0
    _, tick, lot = LISTED[fields[55]]
    return scaled(fields[152]) * scaled("1") // (scaled(tick) * scaled(lot))


def trigger_of(fields: Fields, side: Side) -> NaiveTrigger:
    symbol, kind = fields[55], fields[40]
    rises = (side is Side.BUY) != (kind == "J")
    looks_at_best = fields.get(1107) in ("1", "3")
    trail = trail_bps = 0
    if kind == "P" and fields.get(836, "0") == "0":
        trail = ticks(symbol, fields[211])
    elif kind == "P":
        trail_bps = int(fields[211]) if fields[836] == "1" else 0
        trail = int(fields[211]) if fields[836] == "2" else 0
    return NaiveTrigger(
        ticks(symbol, fields[99]) if 99 in fields else 0,
        Direction.RISE if rises else Direction.FALL,
        Reference.BEST if looks_at_best else Reference.LAST,
        trail,
        trail_bps,
    )


def is_impossible(fields: Fields) -> bool:
    """Whether the fields of an order do not go together."""
    symbol, rests = fields[55], fields.get(59, "1") in "016"
    # A replacement may leave a quantity as little as it is, and with it what is shown.
    is_new = fields[35] == "D"
    if is_new and 38 in fields and lots(symbol, fields[38]) < LEAST_LOTS:
        return True
    if 152 in fields and (budget_of(fields) <= 0 or 44 in fields):
        return True
    if (fields.get(59) == "6") != (126 in fields or 432 in fields) or {126, 432} <= fields.keys():
        return True
    is_limit = 44 in fields
    is_post = fields.get(18) in ("6", "A")
    if (is_post and not (is_limit and rests)) or (8019 in fields and not is_post):
        return True
    if (fields[40] == "P") != (fields.get(18) == "a"):
        return True
    if 111 in fields and not (is_limit and rests):
        return True
    for tag in (110, 111) if is_new else (110,):
        if tag in fields and (152 in fields or scaled(fields[tag]) > scaled(fields[38])):
            return True
    return symbol not in LISTED


def is_too_little(quantity: int, display: int, fields: Fields) -> bool:
    """Whether a replacement of an order with this quantity and display asks for too little."""
    if 38 not in fields:
        return False
    wanted, shown = lots(fields[55], fields[38]), lots(fields[55], fields.get(111, "0"))
    if wanted < LEAST_LOTS and wanted != quantity:
        return True
    is_as_it_was = wanted == quantity and shown == display
    return 111 in fields and not is_as_it_was and not LEAST_LOTS <= shown <= wanted


def is_replaceable(had: Fields, wanted: Fields) -> bool:
    """Price, quantity, display, trigger price and expiry may differ, and nothing else."""
    if 7928 in wanted and wanted[7928] != had.get(7928):
        return False
    if had.get(59, "1") != wanted.get(59, "1") or (44 in had) != (44 in wanted):
        return False
    if (18 in had) != (18 in wanted) or (152 in had) != (152 in wanted):
        return False
    if lots(had[55], had.get(110, "0")) != lots(had[55], wanted.get(110, "0")):
        return False
    if (had.get(1107) in ("1", "3")) != (wanted.get(1107) in ("1", "3")):
        return False
    if had.get(836, "0") != wanted.get(836, "0"):
        return False
    return all(had.get(tag) == wanted.get(tag) for tag in (40, 211))
