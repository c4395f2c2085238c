"""Instruments: decimals of the wire to integer ticks and lots, and back, exactly."""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

_DECIMAL = re.compile(rb"(-?)(\d{0,18})(?:\.(\d{0,18}))?")
_MEMORY: Final = 65_536  # values remembered in each direction; neighbours trade at few prices


class Grid:
    """The multiples of one decimal step, counted in integers."""

    __slots__ = ("_numbers", "_scale", "_texts", "_unit", "step")

    def __init__(self, step: Decimal) -> None:
        self.step = step
        exponent = step.normalize().as_tuple().exponent
        assert isinstance(exponent, int)
        self._scale = max(-exponent, 0)
        self._unit = int(step.scaleb(self._scale))  # the step in units of 10 ** -scale
        self._numbers: dict[bytes, int] = {}
        self._texts: dict[int, bytes] = {}

    def parse(self, value: bytes) -> int | None:
        """How many steps a decimal is, or None when it is not a whole number of them."""
        try:
            return self._numbers[value]
        except KeyError:
            number = self._parse(value)
            if number is not None and len(value) < 40:
                if len(self._numbers) >= _MEMORY:
                    self._numbers.clear()
                self._numbers[value] = number
            return number

    def format(self, number: int) -> bytes:
        """`number` steps as a decimal, without trailing zeros."""
        text = self._texts.get(number)
        if text is None:
            text = decimal_text(number * self._unit, self._scale)
            if len(self._texts) >= _MEMORY:
                self._texts.clear()
            self._texts[number] = text
        return text

    def average(self, total: int, count: int) -> bytes:
        """`total` steps divided by `count`: exact where it can be, else to 8 more digits."""
        if not count:
            return b"0"
        mean, rest = divmod(total, count)
        if not rest:
            return self.format(mean)
        scaled = total * self._unit * 10**8
        return decimal_text((2 * scaled + count) // (2 * count), self._scale + 8)

    def _parse(self, value: bytes) -> int | None:
        match = _DECIMAL.fullmatch(value)
        if match is None:
            return None
        sign, whole, fraction = match[1], match[2], (match[3] or b"").rstrip(b"0")
        if (not whole and not match[3]) or len(fraction) > self._scale:
            return None
        number, rest = divmod(int((whole or b"0") + fraction.ljust(self._scale, b"0")), self._unit)
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
    """What is traded; limits in lots."""

    instrument_id: int
    symbol: bytes
    prices: Grid
    quantities: Grid
    min_quantity: int
    max_quantity: int


def make_instrument(
    instrument_id: int,
    symbol: str,
    tick: Decimal,
    lot: Decimal,
    min_quantity: Decimal,
    max_quantity: Decimal,
) -> Instrument:
    """An instrument from its settings, whose quantities are known to be multiples of the lot."""
    return Instrument(
        instrument_id,
        symbol.encode("ascii"),
        Grid(tick),
        Grid(lot),
        int(min_quantity // lot),
        int(max_quantity // lot),
    )
