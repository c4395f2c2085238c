"""What the venue knows: sessions, accounts, orders by their names, and the moment."""

from __future__ import annotations

from collections import deque
from decimal import Decimal
from enum import IntEnum
from typing import Final

from exchange.commands import DisconnectPolicy
from exchange.events import VenueEvent
from exchange.instruments import Instrument
from exchange.listing import Listing
from exchange.order_lists import OrderList
from exchange.orders import VenueOrder
from exchange.quotes import Guard, Quote
from exchange.rules import AccountRules, Rules
from exchange.venue.days import DAY_NS, TradingDay
from exchange.venue.funds import Funds
from exchange.venue.timers import Timers
from fix_engine.timestamps import SECOND_NS
from matching.engine import MatchingEngine
from matching.events import Event
from matching.order import SelfTrade

FEE_DIGITS: Final = 8  # of a fee, a share of the value
_MINUTE_NS: Final = 60 * SECOND_NS
_MODES: Final = {
    "X": SelfTrade.NONE,
    "N": SelfTrade.CANCEL_NEWEST,
    "O": SelfTrade.CANCEL_OLDEST,
    "B": SelfTrade.CANCEL_BOTH,
    "D": SelfTrade.DECREMENT,
}


class MarketState(IntEnum):
    """What an instrument takes."""

    OPEN = 0
    HALTED = 1  # nothing but cancels and questions
    CANCEL_ONLY = 2
    POST_ONLY = 3
    LIMIT_ONLY = 4
    DELISTED = 5  # as CANCEL_ONLY, and for good

    @property
    def label(self) -> bytes:
        """Its name as operators write it and MarketState (8021) says it."""
        return self.name.lower().replace("_", "-").encode("ascii")


class AccountState:
    """An account: its orders, by all their names, and what it may do.

    `names` has every ClOrdID in use and the last ones retired; a request that made no order stands
    there with None. `lists` has its lists by ListID, None for one that is done; `done_lists` are
    the last of these.
    """

    __slots__ = (
        "allowance",
        "allowance_at",
        "done_lists",
        "guards",
        "is_guarded",
        "is_killed",
        "lists",
        "maker_fee",
        "name",
        "names",
        "open",
        "retired",
        "rules",
        "self_trade",
        "self_trade_group",
        "taker_fee",
    )

    def __init__(self, name: bytes) -> None:
        self.name = name
        self.names: dict[bytes, VenueOrder | None] = {}
        self.open: dict[int, VenueOrder] = {}
        self.retired: deque[bytes] = deque()
        self.lists: dict[bytes, OrderList | None] = {}
        self.done_lists: deque[bytes] = deque()
        self.is_guarded = self.is_killed = False
        self.allowance = 0  # orders that may come at once, in billionths
        self.allowance_at = 0
        self.self_trade_group = 0
        self.guards: dict[int, Guard] = {}  # by instrument, where quote protection counts
        self.take_up(AccountRules(""))

    def take_up(self, rules: AccountRules) -> None:
        """Have new rules from here on."""
        self.rules = rules
        self.self_trade = _MODES[rules.self_trade]
        self.maker_fee = fee_of(rules.maker_fee)
        self.taker_fee = fee_of(rules.taker_fee)
        self.stop(self.is_killed)

    def stop(self, is_killed: bool) -> None:
        """Take no more orders of it, or take them again."""
        self.is_killed = is_killed
        limits = self.rules.max_open_orders + self.rules.max_orders_per_s
        self.is_guarded = is_killed or limits > 0  # its orders must be looked at twice

    def forget(self, remembered: int) -> None:
        """Keep only so many of the names that are no more in use."""
        while len(self.retired) > remembered:
            del self.names[self.retired.popleft()]

    def finish_list(self, list_id: bytes, remembered: int) -> None:
        """A list is done; its ListID stays known for a while."""
        self.lists[list_id] = None
        self.done_lists.append(list_id)
        if len(self.done_lists) > remembered:
            del self.lists[self.done_lists.popleft()]


class SessionState:
    """A session, whose orders are those of its account that it placed or replaced last.

    `policy` is that of its last Logon; `cancelled` counts what it has cost since. `copies` are the
    accounts that it watches. `former` has the accounts that it has belonged to before, each with
    the position up to which it did.
    """

    __slots__ = (
        "account",
        "cancelled",
        "copies",
        "former",
        "grace_until",
        "is_up",
        "policy",
        "quotes",
        "self_trade",
    )

    def __init__(self, account: AccountState) -> None:
        self.account = account
        self.is_up = False
        self.policy = DisconnectPolicy()
        self.self_trade: SelfTrade | None = None
        self.cancelled = 0
        self.grace_until = 0
        self.quotes: dict[int, Quote] = {}  # by instrument, those with a side in the market
        self.copies: tuple[bytes, ...] = ()
        self.former: list[tuple[int, bytes]] = []

    def account_at(self, position: int) -> bytes:
        """The name of the account that its reports of that input were about."""
        for until, name in self.former:
            if position <= until:
                return name
        return self.account.name


class VenueState:
    """See the module; `position` and `now` are of the command that is being executed."""

    def __init__(self) -> None:
        self.rules: Rules | None = None
        self.listing = Listing()
        self.engine: MatchingEngine[VenueOrder] = MatchingEngine(0)
        self.sessions: dict[int, SessionState] = {}
        self.accounts: dict[bytes, AccountState] = {}
        self.groups: dict[bytes, int] = {}
        self.markets: list[MarketState] = []
        self.days: list[TradingDay] = []
        self.tape: list[Event[VenueOrder]] | None = None  # what has matched, where somebody looks
        self.funds = Funds()
        self.day_over_at = 0  # when the trading day ends that day orders are for
        self.has_funds = False  # whether orders are held against them
        self.timers = Timers()
        self.timed: dict[int, VenueOrder] = {}  # open orders for which something is due
        self.pulled: list[Quote] = []  # changed by this command, unasked, and not yet told
        self.breaches: list[tuple[AccountState, Quote]] = []  # whose protection it has set off
        self.remembered = 0  # retired ClOrdIDs of each account
        self.live_lists = 0  # that are not done
        self.has_watchers = False  # whether a session gets copies
        self.watchers: dict[bytes, tuple[int, ...]] = {}  # of accounts, as far as was asked
        self.position = 0
        self.now = 0
        self.out: list[VenueEvent] = []

    def session(self, number: int) -> SessionState:
        """The session of that number; one that has never logged on has an account of its own."""
        found = self.sessions.get(number)
        if found is None:
            found = self.sessions[number] = SessionState(self.account(b"", number))
        return found

    def account(self, name: bytes, session: int = 0) -> AccountState:
        """The account of that name; without one, the session's own, which no name can mean."""
        key = name or b"#%d" % session  # with which no name of an account begins
        found = self.accounts.get(key)
        if found is None:
            found = self.accounts[key] = AccountState(key)
            self._set_rules(found)
        return found

    def begin_day(self) -> int:
        """Look when the day ends in which it is now, UTC nanoseconds."""
        assert self.rules is not None
        hours, minutes = self.rules.day_ends.split(":")
        offset = (int(hours) * 60 + int(minutes)) * _MINUTE_NS
        self.day_over_at = (self.now - offset) // DAY_NS * DAY_NS + DAY_NS + offset
        return self.day_over_at

    def is_pending_in(self, instrument: Instrument) -> bool:
        """Whether an order waits for its time to come to this market."""
        return any(
            order.is_pending and order.instrument_id == instrument.instrument_id
            for order in self.timed.values()
        )

    def take_up(self, rules: Rules) -> None:
        """Have new rules from here on."""
        self.rules = rules
        self.remembered = rules.remembered_orders
        self.day_over_at = 0  # the end may be another now
        self.has_funds = rules.funds
        self.listing.take_up(rules)
        self.engine.list_up_to(len(self.listing))
        self.markets += [MarketState.OPEN] * (len(self.listing) - len(self.markets))
        self.days += (TradingDay() for _ in range(len(self.days), len(self.listing)))
        for account in self.accounts.values():
            self._set_rules(account)
            account.forget(self.remembered)

    def _set_rules(self, account: AccountState) -> None:
        if self.rules is None:
            return
        own = AccountRules("", self.rules.maker_fee, self.rules.taker_fee)
        for one in self.rules.accounts:
            if one.name.encode() == account.name:
                own = one
        account.take_up(own)
        if own.name:  # sessions without an account may trade with whom they like
            group = (own.trade_group or own.name).encode()
            account.self_trade_group = self.groups.setdefault(group, len(self.groups) + 1)


def fee_of(share: str) -> int:
    """A fee in units of 10 ** -FEE_DIGITS of the value."""
    return int(Decimal(share).scaleb(FEE_DIGITS))
