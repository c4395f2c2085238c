"""The instruments of the venue: those that may be traded, and those that ever could be."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from decimal import Decimal

from exchange.instruments import Instrument, make_instrument
from exchange.rules import InstrumentRules, Rules


class Listing:
    """Numbers instruments in the order in which they appear; a number is for good.

    An instrument whose tick or lot changes is another one, with a number of its own.
    """

    def __init__(self) -> None:
        self._all: list[Instrument] = []
        self._rules: dict[int, InstrumentRules] = {}
        self._last: dict[str, tuple[InstrumentRules, Instrument]] = {}
        self.tradable: list[Instrument] = []

    def __len__(self) -> int:
        return len(self._all)

    def __getitem__(self, instrument_id: int) -> Instrument:
        return self._all[instrument_id]

    def find(self, symbol: bytes) -> Instrument | None:
        """The instrument that has this symbol now, tradable or not."""
        known = self._last.get(symbol.decode("latin-1"))
        return known[1] if known is not None else None

    def every_rules(self) -> list[InstrumentRules]:
        """What was said of every instrument last, by number."""
        return [self._rules[instrument.instrument_id] for instrument in self._all]

    def resume(self, every: Sequence[InstrumentRules]) -> None:
        """Number instruments as another listing did, whose `every_rules` these are."""
        for one in every:
            self._listed(one)

    def take_up(self, rules: Rules) -> None:
        """Let what these rules list be traded, and nothing else."""
        self.tradable = [self._listed(one) for one in rules.instruments]

    def changed_steps(self, rules: Rules) -> Iterator[Instrument]:
        """The instruments whose tick or lot these rules would change."""
        for one in rules.instruments:
            known = self._last.get(one.symbol)
            if known is not None and not _has_same_steps(known[0], one):
                yield known[1]

    def _listed(self, one: InstrumentRules) -> Instrument:
        known = self._last.get(one.symbol)
        number = len(self._all)
        made = make_instrument(number, one)
        if known is not None and _has_same_steps(known[0], one):
            number = known[1].instrument_id
            # Orders refer to it: what is new goes for them, too.
            known[1].take_up(made)
            made = known[1]
        else:
            self._all.append(made)
        self._rules[number] = one
        self._last[one.symbol] = (one, made)
        return made


def _has_same_steps(one: InstrumentRules, other: InstrumentRules) -> bool:
    return Decimal(one.tick) == Decimal(other.tick) and Decimal(one.lot) == Decimal(other.lot)
