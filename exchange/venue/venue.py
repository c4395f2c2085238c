"""Commands in, events out.

`apply` is pure: no clock, no random, no I/O. Time comes as an argument, identities derive from the
position of the command in the journal, and every output is an event of exactly one input. So the
journal, replayed, gives the same state and the same events.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from exchange.commands import (
    CancelOrder,
    CancelQuotes,
    Command,
    MassCancel,
    MassQuery,
    MassQuote,
    MoveFunds,
    NewOrder,
    NewOrderList,
    PassTime,
    QueryOrder,
    Refuse,
    ReplaceOrder,
    SessionDown,
    SessionUp,
    SetAccount,
    SetCopies,
    SetMarket,
    SetRules,
)
from exchange.events import Executed, VenueEvent
from exchange.orders import OrderTerms
from exchange.rules import InstrumentRules, Rules
from exchange.venue.control import Control
from exchange.venue.copies import Copies
from exchange.venue.lifecycle import Lifecycle
from exchange.venue.lists import Lists
from exchange.venue.mass import MassActions
from exchange.venue.orders import Orders
from exchange.venue.presence import Presence
from exchange.venue.protections import Protections
from exchange.venue.quotes import Quotes
from exchange.venue.state import VenueState
from exchange.venue.timers import Due
from fix_engine.records import hasten
from matching.events import Accepted, Cancelled, Reduced, Replaced, Traded

# What orders lead to; the first ones most often.
hasten(Executed, OrderTerms, NewOrder, Accepted, Traded, CancelOrder, Cancelled, ReplaceOrder)
hasten(Replaced, Reduced)


class Venue:
    """See the module; `state` is where the commands have led to."""

    def __init__(self) -> None:
        self.state = state = VenueState()
        lifecycle = Lifecycle(state)
        protections = Protections(state)
        self._orders = Orders(state, lifecycle, protections)
        self._lists = Lists(state, lifecycle, self._orders, protections)
        self._quotes = Quotes(state, lifecycle, protections)
        mass = MassActions(state, lifecycle, self._orders)
        self._copies = Copies(state)
        self._presence = Presence(state, self._orders, mass, self._quotes, self._copies)
        control = Control(state, lifecycle, self._orders)
        self._handlers: dict[type[Command], Callable[[Any], object]] = {
            NewOrder: self._orders.new,
            NewOrderList: self._lists.new,
            CancelOrder: self._orders.cancel,
            ReplaceOrder: self._orders.replace,
            QueryOrder: self._orders.query,
            MassCancel: mass.cancel,
            MassQuery: mass.query,
            MassQuote: self._quotes.quote,
            CancelQuotes: self._quotes.cancel,
            Refuse: self._orders.refuse,
            SessionUp: self._presence.up,
            SessionDown: self._presence.down,
            SetRules: lambda command: state.take_up(command.rules),
            PassTime: lambda command: None,
            SetMarket: control.set_market,
            SetAccount: control.set_account,
            MoveFunds: control.move_funds,
            SetCopies: self._copies.set,
        }

    def apply(self, position: int, now: int, command: Command) -> list[VenueEvent]:
        """Execute the command that stands at `position` of the journal; what came of it.

        `now` is the time stamp of its batch, UTC nanoseconds; what was due before comes first.
        """
        state = self.state
        state.position = position
        if now > state.now:
            state.now = now
        out: list[VenueEvent] = []
        state.out = out
        if 0 < state.timers.next_at <= state.now:
            self._fire()
        self._handlers[command.__class__](command)
        if state.live_lists:
            self._lists.follow()
        if state.pulled or state.breaches:
            self._quotes.settle()
        if state.has_watchers:
            self._copies.add()
        return out

    @property
    def rules(self) -> Rules | None:
        """The rules in force; None before the first ones."""
        return self.state.rules

    @property
    def next_due(self) -> int:
        """When something is due without a command, UTC nanoseconds; 0 when nothing is."""
        return self.state.timers.next_at

    def objection(self, rules: Rules) -> str | None:
        """Why these rules cannot be taken up now, or None."""
        state = self.state
        for instrument in state.listing.changed_steps(rules):
            book = state.engine.books[instrument.instrument_id]
            if any(book.orders()) or any(book.waiting()) or state.is_pending_in(instrument):
                symbol = instrument.symbol.decode("ascii")
                return (
                    f"tick and lot of {symbol} cannot change while orders rest in it: open with "
                    f"the old ones, have them cancelled, and close before you change them"
                )
        if state.rules is not None and state.rules.funds != rules.funds and self.open_orders():
            return "venue.funds cannot change while orders are open: have them cancelled first"
        return None

    def resume_rules(self, rules: Rules, listed: Sequence[InstrumentRules]) -> None:
        """Take up the rules of a snapshot, with every instrument that there ever was, in order."""
        self.state.listing.resume(listed)
        self.state.take_up(rules)

    def sessions_up(self) -> list[int]:
        """The numbers of the sessions that are logged on."""
        return [number for number, one in self.state.sessions.items() if one.is_up]

    def open_orders(self) -> int:
        """How many orders are open."""
        return sum(len(account.open) for account in self.state.accounts.values())

    def _fire(self) -> None:
        state = self.state
        while (timer := state.timers.pop(state.now)) is not None:
            place = len(state.out)
            if timer.due is Due.GRACE:
                self._presence.is_late(timer.number)
            elif (order := state.timed.get(timer.number)) is not None:
                if timer.due is Due.START:
                    self._orders.start(order)
                else:
                    self._orders.expire(order)
            if state.live_lists:
                self._lists.follow(place)
            self._quotes.settle()
