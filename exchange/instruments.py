"""Instruments: decimals of the wire to integer ticks and lots, and back, exactly."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from fractions import Fraction
from typing import Final

from exchange.remembered import Remembered
from exchange.rules import InstrumentRules

_DECIMAL = re.compile(rb"(-?)(\d{0,18})(?:\.(\d{0,18}))?")
_MOST: Final = 65_536  # values in each direction; neighbours trade at few prices
_LONGEST: Final = 39  # bytes of a value that is worth it


class Grid:
    """The multiples of one decimal step, counted in integers.

    `numbers[value]` is how many steps a decimal is, None when it is not a whole number of them;
    `texts[number]` is so many steps as a decimal, without trailing zeros.
    """

    __slots__ = ("numbers", "scale", "step", "texts", "unit")

    def __init__(self, step: Decimal) -> None:
        self.step = step
        exponent = step.normalize().as_tuple().exponent
        assert isinstance(exponent, int)
        self.scale = max(-exponent, 0)
        self.unit = int(step.scaleb(self.scale))  # the step in units of 10 ** -scale
        self.numbers: Mapping[bytes, int | None] = Remembered(
            self._parse, lambda value, number: number is not None and len(value) <= _LONGEST, _MOST
        )
        self.texts: Mapping[int, bytes] = Remembered(self._text, lambda *_: True, _MOST)

    def parse(self, value: bytes) -> int | None:
        """How many steps a decimal is, or None when it is not a whole number of them."""
        return self.numbers[value]

    def format(self, number: int) -> bytes:
        """`number` steps as a decimal, without trailing zeros."""
        return self.texts[number]

    def average(self, total: int, count: int) -> bytes:
        """`total` steps divided by `count`: exact where it can be, else to 8 more digits."""
        if not count:
            return b"0"
        mean, rest = divmod(total, count)
        if not rest:
            return self.texts[mean]
        scaled = total * self.unit * 10**8
        return decimal_text((2 * scaled + count) // (2 * count), self.scale + 8)

    def _text(self, number: int) -> bytes:
        return decimal_text(number * self.unit, self.scale)

    def _parse(self, value: bytes) -> int | None:
        match = _DECIMAL.fullmatch(value)
        if match is None:
            return None
        sign, whole, fraction = match[1], match[2], (match[3] or b"").rstrip(b"0")
        if (not whole and not match[3]) or len(fraction) > self.scale:
            return None
        number, rest = divmod(int((whole or b"0") + fraction.ljust(self.scale, b"0")), self.unit)
        return None if rest else -number if sign else number


def decimal_text(mantissa: int, scale: int) -> bytes:
    """`mantissa` / 10 ** `scale` as a decimal without trailing zeros."""
    if not scale:
        return b"%d" % mantissa
    whole, fraction = divmod(abs(mantissa), 10**scale)
    text = (b"%d.%0*d" % (whole, scale, fraction)).rstrip(b"0").rstrip(b".")
    return b"-" + text if mantissa < 0 else text


@dataclass(slots=True, eq=False)
class Instrument:
    """What is traded; limits of quantity in lots, of value in ticks times lots.

    `collar_bps` is how far a price may go through the last trade, in basis points. 0 is no limit.
    """

    instrument_id: int
    symbol: bytes
    currency: bytes
    prices: Grid
    quantities: Grid
    min_quantity: int
    max_quantity: int
    collar_bps: int = 0
    min_value: int = 0
    max_value: int = 0

    is_guarded: bool = field(init=False)  # its orders must be looked at twice

    def __post_init__(self) -> None:
        """Know at once whether there is a limit at all."""
        self.is_guarded = self.collar_bps > 0 or self.min_value > 0 or self.max_value > 0

    def take_up(self, other: Instrument) -> None:
        """Have the currency and limits of another one with the same tick and lot."""
        self.currency = other.currency
        self.min_quantity, self.max_quantity = other.min_quantity, other.max_quantity
        self.min_value, self.max_value = other.min_value, other.max_value
        self.collar_bps, self.is_guarded = other.collar_bps, other.is_guarded

    def budget(self, cash: bytes) -> int | None:
        """An amount of the currency in ticks times lots, cut; None when it is no amount."""
        match = _DECIMAL.fullmatch(cash)
        if match is None or not (match[2] or match[3]):
            return None
        fraction = match[3] or b""
        whole = int((match[2] or b"0") + fraction) * (-1 if match[1] else 1)
        scale = self.prices.scale + self.quantities.scale
        unit = self.prices.unit * self.quantities.unit * 10 ** len(fraction)
        lots: int = whole * 10**scale // unit
        return lots

    def value_text(self, value: int, digits: int = 0) -> bytes:
        """A value in ticks times lots times 10 ** -`digits`, as an amount of the currency."""
        mantissa, scale = value * self.prices.unit * self.quantities.unit, digits
        return decimal_text(mantissa, scale + self.prices.scale + self.quantities.scale)


def make_instrument(instrument_id: int, rules: InstrumentRules) -> Instrument:
    """An instrument from its rules, whose quantities are known to be multiples of the lot."""
    tick, lot = Decimal(rules.tick), Decimal(rules.lot)
    return Instrument(
        instrument_id,
        rules.symbol.encode("ascii"),
        rules.currency.encode("ascii"),
        Grid(tick),
        Grid(lot),
        int(Decimal(rules.min_quantity) // lot),
        int(Decimal(rules.max_quantity) // lot),
        int(Decimal(rules.collar) * 10_000),
        _value(rules.min_notional, tick, lot),
        _value(rules.max_notional, tick, lot),
    )


def _value(amount: str, tick: Decimal, lot: Decimal) -> int:
    """An amount in ticks times lots; a Decimal would not have digits enough for each."""
    return Fraction(amount) // (Fraction(tick) * Fraction(lot))
