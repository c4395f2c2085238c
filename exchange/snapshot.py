"""The whole state of the venue as bytes, and back: equal venues have equal bytes.

Lines of JSON: a head, then rows, many on a line: accounts, orders, names, sessions and books, as
many as the head says.
Versioned, and made of nothing but integers, names and their order; a venue that is restored goes on
exactly as the one that was dumped.
"""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Iterator
from dataclasses import asdict, replace
from hashlib import sha256
from itertools import chain, islice
from typing import Any, Final

from exchange.commands import DisconnectPolicy, Scope
from exchange.order_lists import Contingency, OrderList
from exchange.orders import Conditions, OrderTerms, VenueOrder
from exchange.quotes import Guard, Quote
from exchange.rules import InstrumentRules, RulesError, decode_rules
from exchange.venue import Venue
from exchange.venue.copies import watch
from exchange.venue.expiry import set_timers
from exchange.venue.funds import Balance, Funds
from exchange.venue.state import AccountState, MarketState, SessionState, VenueState
from exchange.venue.timers import Due
from matching.book import Book
from matching.order import OrderType, SelfTrade, Side, TimeInForce
from matching.terms import Direction, PostOnly, Reference, Terms, Trigger

_VERSION: Final = 3
_WITHOUT_DAYS: Final = 2
_ROWS: Final = 1_000  # on a line
_encode: Final = json.JSONEncoder(separators=(",", ":"), sort_keys=True).encode
_decode: Final = json.JSONDecoder().decode

# A look into a dict takes a third of the time of a call of the enum.
_SIDES: Final = {int(one): one for one in Side}
_ORDER_TYPES: Final = {int(one): one for one in OrderType}
_TIMES: Final = {int(one): one for one in TimeInForce}
_SELF_TRADES: Final = {int(one): one for one in SelfTrade}

Row = list[Any]


def dump_venue(venue: Venue) -> bytes:
    """The state of a venue."""
    state = venue.state
    assert state.rules is not None
    accounts = list(state.accounts.values())
    places = {account.name: place for place, account in enumerate(accounts)}
    orders = {
        order.order_id: order
        for account in accounts
        for order in _orders_of(account)
        if order is not None
    }
    head = {
        "version": _VERSION,
        "rules": state.rules.encode().decode(),
        "listed": [asdict(one) for one in state.listing.every_rules()],
        "now": state.now,
        "groups": [[_text(name), number] for name, number in state.groups.items()],
        "markets": state.markets,
        "days": [day.figures() for day in state.days],
        "funds": _funds(state.funds),
        "counts": [len(accounts), len(orders), len(state.sessions), len(state.engine.books)],
    }
    rows = chain(
        (_account(one) for one in accounts),
        (_order(one, places) for _, one in sorted(orders.items())),
        (_names(one) for one in accounts),
        (_session(*one, places) for one in sorted(state.sessions.items())),
        (_book(book) for book in state.engine.books),
    )
    lines = [_encode(head)]
    while some := list(islice(rows, _ROWS)):
        lines.append(_encode(some))
    return "\n".join(lines).encode("ascii")


def digest_of(venue: Venue) -> str:
    """A hash of the whole state: equal venues have equal digests."""
    return sha256(dump_venue(venue)).hexdigest()


def load_venue(data: bytes, venue: Venue) -> None:
    """Give a new venue the state of another; raises ValueError when it cannot be understood."""
    try:
        _load(data.decode("ascii").split("\n"), venue)
    except (KeyError, IndexError, TypeError, ValueError, AttributeError, RulesError) as error:
        raise ValueError(f"the venue in it cannot be understood: {error}") from error


def _load(lines: list[str], venue: Venue) -> None:
    head: dict[str, Any] = _decode(lines[0])
    if head["version"] not in (_WITHOUT_DAYS, _VERSION):
        raise ValueError(f"it has version {head['version']}, this Seamark reads {_VERSION}")
    accounts, orders, sessions, books = head["counts"]
    if len(lines) != 1 - (-(2 * accounts + orders + sessions + books) // _ROWS):
        raise ValueError("it ends too early")
    rows: Iterator[Row] = chain.from_iterable(map(_decode, lines[1:]))
    state = venue.state
    state.now = head["now"]
    state.groups = {_bytes(name): number for name, number in head["groups"]}
    listed = [InstrumentRules(**one) for one in head["listed"]]
    venue.resume_rules(decode_rules(head["rules"].encode()), listed)
    state.markets = [MarketState(one) for one in head["markets"]]
    for day, figures in zip(state.days, head.get("days", ()), strict=False):
        day.resume(figures)
    _load_funds(head["funds"], state.funds)
    owners = [_load_account(next(rows), state) for _ in range(accounts)]
    by_id: dict[int, VenueOrder] = {}
    for _ in range(orders):
        order = _load_order(next(rows), state, owners)
        by_id[order.order_id] = order
    for owner in owners:
        _load_names(next(rows), owner, by_id)
    for _ in range(sessions):
        _load_session(next(rows), state, owners, by_id)
    watch(state)
    for book in state.engine.books:
        book.last, book.is_suspended, resting, waiting = next(rows)
        for order_id in resting:
            book.side_of(by_id[order_id]).add(by_id[order_id])
        for order_id in waiting:
            book.triggers.add(by_id[order_id])
    for account in owners:
        for order in account.open.values():
            set_timers(state, order)
        state.live_lists += len(account.lists) - len(account.done_lists)


def _book(book: Book[VenueOrder]) -> Row:
    resting = [order.order_id for order in book.orders()]
    waiting = [order.order_id for order in book.waiting()]
    return [book.last, book.is_suspended, resting, waiting]


def _funds(funds: Funds) -> Row:
    balances = [
        [_text(account), _text(currency), one.total, one.held]
        for account, own in funds.balances.items()
        for currency, one in own.items()
    ]
    fees = [[_text(currency), amount] for currency, amount in funds.fees.items()]
    transfers = [[_text(name), is_done] for name, is_done in funds.transfers.items()]
    return [balances, list(funds.holds.items()), fees, transfers]


def _load_funds(row: Row, funds: Funds) -> None:
    balances, holds, fees, transfers = row
    for account, currency, total, held in balances:
        funds.balances.setdefault(_bytes(account), {})[_bytes(currency)] = Balance(total, held)
    funds.holds = dict(holds)
    funds.fees = {_bytes(currency): amount for currency, amount in fees}
    funds.transfers = {_bytes(name): is_done for name, is_done in transfers}


def _account(account: AccountState) -> Row:
    figures = [account.is_killed, account.allowance, account.allowance_at]
    guards = [[place, one.is_tripped, list(one.fills)] for place, one in account.guards.items()]
    return [_text(account.name), account.self_trade_group, *figures, guards]


def _load_account(row: Row, state: VenueState) -> AccountState:
    name, group, *figures, guards = row
    account = state.account(_bytes(name))
    account.self_trade_group = group
    is_killed, account.allowance, account.allowance_at = figures
    account.stop(is_killed)
    account.guards = {place: Guard(is_tripped, deque(at)) for place, is_tripped, at in guards}
    return account


def _names(account: AccountState) -> Row:
    names = [
        [_text(name), order.order_id if order is not None else 0]
        for name, order in account.names.items()
    ]
    lists = [[_text(name), _list(one)] for name, one in account.lists.items()]
    retired, done = (
        [_text(name) for name in group] for group in (account.retired, account.done_lists)
    )
    return [names, list(account.open), retired, lists, done]


def _load_names(row: Row, account: AccountState, orders: dict[int, VenueOrder]) -> None:
    names, opened, retired, lists, done = row
    account.names = {
        _bytes(name): orders[order_id] if order_id else None for name, order_id in names
    }
    account.open = {order_id: orders[order_id] for order_id in opened}
    account.retired.extend(_bytes(name) for name in retired)
    account.lists = {
        _bytes(name): _load_list(_bytes(name), one, orders) if one else None for name, one in lists
    }
    account.done_lists.extend(_bytes(name) for name in done)


def _orders_of(account: AccountState) -> Iterator[VenueOrder | None]:
    """The orders that an account knows; those of a list outlive their names."""
    yield from account.names.values()
    for one in account.lists.values():
        yield from one.orders if one is not None else ()


def _list(one: OrderList | None) -> Row | None:
    if one is None:
        return None
    moved = one.moved.order_id if one.moved is not None else 0
    return [one.contingency, one.session, [order.order_id for order in one.orders], moved]


def _load_list(name: bytes, row: Row, orders: dict[int, VenueOrder]) -> OrderList:
    contingency, session, members, moved = row
    known = [orders[order_id] for order_id in members]
    return OrderList(name, Contingency(contingency), session, known, orders.get(moved))


def _order(order: VenueOrder, places: dict[bytes, int]) -> Row:
    return [
        *(order.order_id, order.session, places[order.owner.name], order.instrument_id),
        *(order.side, order.order_type, order.time_in_force, order.price, order.quantity),
        *(order.leaves, order.filled, order.traded_value, order.is_open, _text(order.ended)),
        *(order.self_trade, order.self_trade_group, _text(order.cl_ord_id), _text(order.account)),
        _terms(order.terms),
        _conditions(order),
    ]


def _load_order(row: Row, state: VenueState, owners: list[AccountState]) -> VenueOrder:
    order_id, session, place, instrument_id, side, order_type, time_in_force, *rest = row
    price, quantity, leaves, filled, value, is_open, ended, *rest = rest
    self_trade, group, cl_ord_id, account, terms, conditions = rest
    wanted = OrderTerms(
        state.listing[instrument_id],
        _SIDES[side],
        _ORDER_TYPES[order_type],
        _TIMES[time_in_force],
        price,
        quantity,
        _load_terms(terms) if terms else None,
        _load_conditions(conditions) if conditions else None,
    )
    order = VenueOrder(
        order_id,
        session,
        owners[place],
        wanted,
        _bytes(cl_ord_id),
        _bytes(account),
        _SELF_TRADES[self_trade],
    )
    if order.conditions is not None:
        order.expires_at = order.conditions.expires_at
        if _has_only_a_day(order):
            order.conditions = None
    order.self_trade_group = group
    order.leaves, order.filled, order.traded_value = leaves, filled, value
    order.is_open, order.ended = is_open, _bytes(ended)
    return order


def _terms(terms: Terms | None) -> Row | None:
    if terms is None:
        return None
    row: Row = [terms.display, terms.shown, terms.min_quantity, terms.post_only, terms.budget]
    trigger = terms.trigger
    if trigger is not None:
        row += (trigger.price, trigger.direction, trigger.reference, trigger.trail)
        row += (trigger.trail_bps, trigger.time_in_force)
    return row


def _load_terms(row: Row) -> Terms:
    display, shown, min_quantity, post_only, budget, *rest = row
    trigger = None
    if rest:
        price, direction, reference, trail, trail_bps, time_in_force = rest
        way, source = Direction(direction), Reference(reference)
        trigger = Trigger(price, way, source, trail, trail_bps, TimeInForce(time_in_force))
    return Terms(display, shown, min_quantity, PostOnly(post_only), budget, trigger)


def _conditions(order: VenueOrder) -> Row | None:
    conditions = order.conditions
    if conditions is None:
        if not order.expires_at:
            return None
        conditions = Conditions(b"%d" % order.order_type)  # as versions wrote them that had some
    repeated = {_text(tag): _text(value) for tag, value in conditions.repeated.items()}
    times = (order.expires_at, conditions.starts_at, conditions.price_wanted)
    policies = (conditions.cancel_on_disconnect, conditions.is_held)
    return [_text(conditions.ord_type), repeated, *times, *policies]


def _load_conditions(row: Row) -> Conditions:
    ord_type, repeated, *rest = row
    fields = {_bytes(tag): _bytes(value) for tag, value in repeated.items()}
    return Conditions(_bytes(ord_type), fields, *rest)


def _has_only_a_day(order: VenueOrder) -> bool:
    """Whether it ends with the day, and that is all that is special about it."""
    found, wanted = order.conditions, Conditions(b"%d" % order.order_type)
    if found is None or order.time_in_force is not TimeInForce.DAY or order.terms is not None:
        return False
    return found == replace(wanted, expires_at=found.expires_at)


def _session(number: int, session: SessionState, places: dict[bytes, int]) -> Row:
    policy, mode = session.policy, session.self_trade
    return [
        *(number, places[session.account.name], session.is_up, session.cancelled),
        *(session.grace_until, policy.cancels, policy.after_logout, _text(policy.scope.value)),
        *(policy.grace_ns, None if mode is None else int(mode)),
        [_quote(one) for one in session.quotes.values()],
        # Few sessions have these; rows of the others are as they were before there were copies.
        *([_copying(session)] if session.copies or session.former else ()),
    ]


def _copying(session: SessionState) -> Row:
    former = [[until, _text(name)] for until, name in session.former]
    return [[_text(name) for name in session.copies], former]


def _load_session(
    row: Row, state: VenueState, owners: list[AccountState], orders: dict[int, VenueOrder]
) -> None:
    number, place, is_up, cancelled, grace_until, cancels, after_logout, *rest = row
    scope, grace_ns, mode, quotes, *copying = rest
    session = state.sessions[number] = SessionState(owners[place])
    session.is_up, session.cancelled, session.grace_until = is_up, cancelled, grace_until
    session.policy = DisconnectPolicy(cancels, after_logout, Scope(_bytes(scope)), grace_ns)
    session.self_trade = None if mode is None else SelfTrade(mode)
    for copies, former in copying:
        session.copies = tuple(_bytes(name) for name in copies)
        session.former = [(until, _bytes(name)) for until, name in former]
    if grace_until:
        state.timers.set(grace_until, Due.GRACE, number)
    for one in quotes:
        quote = _load_quote(number, one, state, orders)
        session.quotes[quote.instrument.instrument_id] = quote


def _quote(quote: Quote) -> Row:
    sides = [one.order_id if one is not None else 0 for one in (quote.bid, quote.offer)]
    names = _text(quote.quote_id), _text(quote.entry_id)
    return [quote.instrument.instrument_id, *names, *sides]


def _load_quote(session: int, row: Row, state: VenueState, orders: dict[int, VenueOrder]) -> Quote:
    instrument_id, quote_id, entry_id, bid, offer = row
    quote = Quote(session, state.listing[instrument_id], _bytes(quote_id), _bytes(entry_id))
    for order_id in (bid, offer):
        if order_id:
            quote.put(orders[order_id])
    return quote


def _text(data: bytes) -> str:
    return data.decode("latin-1")


def _bytes(text: str) -> bytes:
    return text.encode("latin-1")
