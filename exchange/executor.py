"""Records of the journal to what came of them: the venue, and what reads and writes for it.

The running venue, a start and the tools all stand on this, so they cannot disagree.
"""

from __future__ import annotations

import struct
from hashlib import sha256
from typing import Final

from exchange.commands import Command, PassTime, SessionDown, SetRules
from exchange.controls import ControlError, decode_control
from exchange.events import VenueEvent
from exchange.logons import LOGGED_OUT, decode_up
from exchange.reports import ReportEncoder
from exchange.requests import RequestParser
from exchange.rules import Rules, RulesError, decode_rules
from exchange.snapshot import dump_venue, load_venue
from exchange.venue import Venue
from fix_engine.message import Message
from fix_engine.timestamps import Precision
from fix_engine.wire import Decoder, Garbled
from sessions.journal import JournalError, Kind, Record

DIGEST_EVERY: Final = 10_000  # inputs
_SLICE: Final = 64  # accounts, and books, that one digest looks at: it must cost next to nothing
_ACCOUNT: Final = struct.Struct("<Q?QQQ")
_COUNT: Final = struct.Struct("<Q")
_BOOK: Final = struct.Struct("<QQqQQ")


class Executor:
    """A venue, and what fits its present rules: parser of requests, encoder of reports."""

    def __init__(self, rules: Rules | None = None) -> None:
        """`rules` are for a journal of version 1, which has none in it."""
        self.venue = Venue()
        self.precision = Precision.MILLISECONDS
        self.parser = RequestParser(())
        self.comp_ids: dict[int, bytes] = {}  # by session, as far as there are any
        self.encoder = ReportEncoder(self.precision, self.comp_ids)
        self._rules = rules
        self._decoder = Decoder(max_message_bytes=1 << 30)  # of what was once accepted

    def set_rules(self, position: int, now: int, rules: Rules) -> None:
        """The rules from here on, which stand at `position`."""
        self.venue.apply(position, now, SetRules(rules))
        self._take_up(rules)

    def replay(self, record: Record, now: int) -> tuple[list[VenueEvent], Message | None]:
        """Execute an input of a batch stamped `now`, or check a digest.

        Returns what came of it, and the request that it was.

        Raises JournalError when the record makes no sense here.
        """
        kind, position = record.kind, record.position
        if kind is Kind.RULES:
            try:
                self.set_rules(position, now, decode_rules(record.payload))
            except RulesError as error:
                raise JournalError(f"position {position}: {error}") from error
            return [], None
        if kind is Kind.DIGEST:
            self._check(record)
            return [], None
        if self.venue.rules is None:
            if self._rules is None:
                raise JournalError(
                    "a journal of version 1 has no rules: give the settings of its venue by "
                    "--config"
                )
            self.set_rules(0, now, self._rules)
        command: Command
        message = None
        if kind is Kind.UP:
            command = decode_up(record.session, record.payload)
        elif kind is Kind.DOWN:
            command = SessionDown(record.session, record.payload == LOGGED_OUT)
        elif kind is Kind.TIME:
            command = PassTime()
        elif kind is Kind.CONTROL:
            try:
                command = decode_control(record.payload)
            except ControlError as error:
                raise JournalError(f"position {position}: {error}") from error
        else:
            message = self.message(record)
            command = self.parser.parse(record.session, message)
        return self.venue.apply(position, now, command), message

    def message(self, record: Record) -> Message:
        """The message that a record holds; raises JournalError when it holds none."""
        found = self._decoder.feed(record.payload)
        if len(found) != 1 or isinstance(found[0], Garbled) or self._decoder.buffered:
            self._decoder = Decoder(max_message_bytes=1 << 30)
            raise JournalError(f"the record behind position {record.position} holds no message")
        return found[0]

    def snapshot(self) -> bytes:
        """The venue; equal venues have equal bytes."""
        return dump_venue(self.venue)

    def restore(self, state: bytes) -> None:
        """Go on from a snapshot; raises ValueError when it cannot be understood."""
        load_venue(state, self.venue)
        assert self.venue.rules is not None
        self._take_up(self.venue.rules)

    def digest(self, position: int) -> bytes:
        """What a DIGEST record behind the input at `position` must say.

        It looks at the venue from far away, at some accounts and books in turn: a few microseconds
        each, whatever rests. Snapshots are compared as a whole.
        """
        state, venue = sha256(), self.venue.state
        turn = position // DIGEST_EVERY
        accounts = sorted(venue.accounts)
        for index in _in_turn(range(len(accounts)), turn):
            one = venue.accounts[accounts[index]]
            counts = len(one.names), len(one.open), len(one.retired)
            state.update(_ACCOUNT.pack(index, one.is_killed, *counts))
        for index in _in_turn(range(len(venue.engine.books)), turn):
            book = venue.engine.books[index]
            state.update(_COUNT.pack(len(book.triggers.orders)))
            for side in (book.buys, book.sells):
                if side:
                    price, level = side.best_level()
                    figures = price, level.quantity, len(level.orders)
                    state.update(_BOOK.pack(index, side.side, *figures))
        return state.digest()[:16]

    def _check(self, record: Record) -> None:
        if record.payload != self.digest(record.position):
            raise JournalError(
                f"after position {record.position} the venue is not what it was when this was "
                f"written: another version of Seamark wrote it, and acted otherwise. Start that "
                f"version and close it in good order; this one goes on from its snapshot."
            )

    def _take_up(self, rules: Rules) -> None:
        self.precision = Precision(rules.time_precision)
        self.parser = RequestParser(self.venue.state.listing.tradable)
        self.encoder = ReportEncoder(self.precision, self.comp_ids)


def _in_turn(numbers: range, turn: int) -> list[int]:
    """Some of many, others each turn."""
    if len(numbers) <= _SLICE:
        return list(numbers)
    start = turn * _SLICE % len(numbers)
    return [*numbers[start : start + _SLICE]]
