"""Quotes in the flows; and judge E, who counts their fills, from reports, for quote protection."""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from typing import Final

from exchange.rules import AccountRules, Rules
from exchange.venue import Venue
from sessions.journal import Kind
from tests.judge.meaning import LISTED
from tests.judge.steps import Fields, Report, Step, pairs_of
from tests.judge.view import must

_MS: Final = 10**6
_TAKEN_AWAY: Final = "Quote protection"
Key = tuple[str, str]  # account and symbol


def quote_request(
    random: Random,
    name: str,
    prices: range,
    in_ticks: Callable[[str, int], str],
    size: Callable[[str], str],
) -> tuple[Fields, str]:
    """The fields of a MassQuote or a QuoteCancel, and its groups."""
    symbols = random.sample(sorted(LISTED), random.randint(1, 3))
    if random.random() < 0.08:
        kind = random.choice("14")
        named = "".join(f"55={symbol}\x01" for symbol in symbols)
        group = f"295={len(symbols)}\x01{named}" if kind == "1" else ""
        return {35: "Z", 117: name, 298: kind}, group
    fields: Fields = {35: "i", 117: name}
    if random.random() < 0.2:
        fields[8022] = "Y"
    entries = ""
    for symbol in symbols:
        bid = random.randint(prices[0] - 2, prices[-1])
        offer = bid + random.choice([0, 1, 1, 2, 3])
        sizes = [random.choice(["0", size(symbol), size(symbol)]) for _ in "12"]
        entries += f"299=e{symbol[0]}\x0155={symbol}\x01132={in_ticks(symbol, bid)}\x01"
        entries += f"133={in_ticks(symbol, offer)}\x01134={sizes[0]}\x01135={sizes[1]}\x01"
    count = len(symbols)
    return fields, f"296=1\x01302=S\x01304={count}\x01295={count}\x01{entries}"


class Guards:
    """See the module."""

    def __init__(self, rules: Rules, accounts: dict[int, str]) -> None:
        self._rules: dict[str, AccountRules] = {one.name: one for one in rules.accounts}
        self._accounts = accounts
        self._fills: dict[Key, list[int]] = {}
        self._tripped: set[Key] = set()
        self._now = 0

    def take(self, step: Step, parsed: list[tuple[Report, Fields]], venue: Venue) -> None:
        """The reports of a step, in their order, and the venue after it."""
        self._now = max(self._now, step.now)
        untold: dict[Key, int] = {}
        for report, fields in parsed:
            key = self._accounts[report.session], fields.get(55, "")
            if report.msg_type == "8" and fields[150] == "F" and 299 in fields:
                if self._counts(key):
                    untold[key] = report.session
            elif report.msg_type == "AI" and fields[58].startswith(_TAKEN_AWAY):
                must(key in self._tripped, f"{key}: protection without a reason")
                if untold.get(key) == report.session:
                    del untold[key]
            elif report.msg_type == "b" and step.kind is Kind.COMMAND:
                self._answered(step, report, venue)
        must(not untold, f"protection in {untold}, and its maker was not told")
        self._compare(venue)

    def _counts(self, key: Key) -> bool:
        """Count a fill; whether it is the one too many."""
        rules = self._rules.get(key[0])
        if rules is None or not rules.protection_fills or key in self._tripped:
            return False
        since = self._now - rules.protection_window_ms * _MS
        fills = [at for at in self._fills.get(key, []) if at >= since] + [self._now]
        self._fills[key] = fills
        if len(fills) < rules.protection_fills:
            return False
        self._fills[key] = []
        self._tripped.add(key)
        return True

    def _answered(self, step: Step, report: Report, venue: Venue) -> None:
        account = self._accounts[report.session]
        state = venue.state.session(report.session).account
        entries: list[Fields] = []
        for tag, value in pairs_of(report.body):
            if tag == 299:
                entries.append({})
            if entries:
                entries[-1].setdefault(tag, value)
        for entry in entries:
            key = account, entry[55]
            if step.fields.get(8022) == "Y":
                self._tripped.discard(key)
                self._fills.pop(key, None)
            if entry[134] == entry[135] == "0":
                must(368 not in entry, f"{entry}: to take sides out is always possible")
            elif key in self._tripped:
                must(368 in entry, f"{entry}: taken in spite of protection")
            elif not state.is_killed:
                must(entry.get(368) != "9", f"{entry}: refused without a reason")

    def _compare(self, venue: Venue) -> None:
        """The venue has counted as we have, and nothing is quoted where it must not be."""
        for number, account in self._accounts.items():
            session = venue.state.sessions.get(number)
            if session is None:
                continue
            for quote in session.quotes.values():
                key = account, quote.instrument.symbol.decode()
                must(key not in self._tripped, f"{key}: quoted in spite of protection")
            must(session.is_up or not session.quotes, f"session {number} is gone, not its quotes")
            for place, guard in session.account.guards.items():
                key = account, next(one for one, (other, *_) in LISTED.items() if other == place)
                must(guard.is_tripped == (key in self._tripped), f"{key}: tripped or not")
                must(list(guard.fills) == self._fills.get(key, []), f"{key}: fills {guard.fills}")
