"""Judge D: who has nothing but drop copies knows what the clients of the accounts know."""

from __future__ import annotations

from typing import Final

from exchange.venue import Venue
from tests.judge.flow import ACCOUNTS, WATCHED
from tests.judge.invariants import check_views
from tests.judge.steps import Report, Step, pairs_of
from tests.judge.view import Clients, must

COMP_IDS: Final = {number: b"S%d" % number for number in (*ACCOUNTS, *WATCHED)}
_ADDED: Final = (1, 447, 448, 452, 453, 797)


class Watcher:
    """One session that watches, and what it makes of its copies alone."""

    def __init__(self, number: int, fees: dict[str, tuple[int, int]]) -> None:
        self._number = number
        watched = WATCHED[number].split()
        self._accounts = {
            session: name
            for session, name in ACCOUNTS.items()
            if watched == ["*"] or name in watched
        }
        self._clients = Clients(ACCOUNTS, fees)
        self._is_there = False

    def take(self, step: Step, reports: list[Report]) -> None:
        """The copies of a step are its reports on the accounts' orders, in their order."""
        self._is_there = self._is_there or step.session == self._number
        if not self._is_there:
            return
        originals = [
            report
            for report in reports
            if report.session in self._accounts
            and report.msg_type == "8"
            and b"\x01150=I\x01" not in report.body
        ]
        copies = [one for one in reports if one.session == self._number and one.msg_type == "8"]
        must(len(copies) == len(originals), f"{len(copies)} copies of {len(originals)} reports")
        for copy, original in zip(copies, originals, strict=True):
            restored = self._restored(copy)
            must(restored == original, f"{restored} is copied of {original}")
            fields = dict(pairs_of(restored.body))
            self._clients.view(restored.session).take(restored.session, fields, step)

    def check(self, venue: Venue, with_closed: bool) -> None:
        """The orders as the copies tell them are those of the venue."""
        if self._is_there:
            check_views(venue, self._clients, self._accounts, with_closed)

    def _restored(self, copy: Report) -> Report:
        """The original, from what a copy says."""
        pairs = pairs_of(copy.body)
        parties = [value for tag, value in pairs if tag == 448]
        must(dict(pairs)[797] == "Y", "a copy that does not say so")
        session = next(number for number, name in COMP_IDS.items() if name.decode() == parties[0])
        account = ACCOUNTS[session] or f"#{session}"
        must(pairs[0] == (1, account), f"{pairs[0]} is not {account}")
        kept = [pair for pair in pairs if pair[0] not in _ADDED]
        given = [(1, parties[1])] if len(parties) > 1 else []
        body = "".join(f"{tag}={value}\x01" for tag, value in given + kept)
        return Report(session, "8", body.encode("latin-1"))
