"""Judge B: what must hold of the venue itself, whatever has happened."""

from __future__ import annotations

from collections import Counter

from exchange.orders import VenueOrder
from exchange.venue import Venue
from exchange.venue.state import AccountState
from exchange.venue.timers import Due
from matching.digest import check_invariants
from tests.judge.view import Clients, SeenOrder, must, scaled


def check_venue(venue: Venue) -> None:
    """Books, accounts, names and timers fit each other."""
    state = venue.state
    check_invariants(state.engine)
    places: Counter[int] = Counter()
    known: dict[int, VenueOrder] = {}
    for book in state.engine.books:
        for order in (*book.orders(), *book.waiting()):
            places[order.order_id] += 1
            known[order.order_id] = order
            must(not order.is_pending, f"{order} is pending and in the market")
    opened: dict[int, VenueOrder] = {}
    for account in state.accounts.values():
        _check_account(account, state.remembered)
        opened.update(account.open)
        for order in account.open.values():
            if order.is_pending:
                places[order.order_id] += 1
                known[order.order_id] = order
    must(known == opened, f"open {sorted(opened)}, in the market or pending {sorted(known)}")
    twice = [number for number, count in places.items() if count != 1]
    must(not twice, f"orders in two places: {twice}")
    _check_timers(venue, opened)


def _check_account(account: AccountState, remembered: int) -> None:
    name = account.name.decode("latin-1")
    for number, order in account.open.items():
        must(order.is_open and order.order_id == number, f"{name}: {order} is not open")
        must(not order.ended and order.status in b"01A", f"{name}: {order} has ended")
        must(account.names.get(order.cl_ord_id) is order, f"{name}: {order} has lost its name")
    must(len(account.retired) <= remembered, f"{name} remembers {len(account.retired)} names")
    retired = set(account.retired)
    must(len(retired) == len(account.retired), f"{name}: a name is retired twice")
    current = {order.cl_ord_id for order in account.open.values()}
    must(not current & retired, f"{name}: names in use are retired")
    must(set(account.names) == current | retired, f"{name}: names nobody uses or remembers")


def _check_timers(venue: Venue, opened: dict[int, VenueOrder]) -> None:
    state = venue.state
    expected = []
    for number, order in opened.items():
        conditions = order.conditions
        starts_at = conditions.starts_at if conditions is not None else 0
        for at, due in ((order.expires_at, Due.EXPIRY), (starts_at, Due.START)):
            if at:
                expected.append((at, due, number))
    for number, session in state.sessions.items():
        if session.grace_until:
            must(not session.is_up, f"session {number} is up and in grace")
            expected.append((session.grace_until, Due.GRACE, number))
    actual = [tuple(timer) for timer in state.timers]
    must(actual == sorted(expected), f"timers {actual}, expected {sorted(expected)}")
    must(venue.next_due == (actual[0][0] if actual else 0), "next_due is not the first timer")
    timed = {number for _, due, number in expected if due is not Due.GRACE}
    must(timed <= set(state.timed) <= set(opened), "timed orders are not those with timers")


def check_conservation(clients: Clients) -> None:
    """What was bought is what was sold, for the same money."""
    totals: Counter[tuple[str, str]] = Counter()
    for view in clients.views.values():
        for order in view.orders.values():
            sign = 1 if order.fields[54] == "1" else -1
            totals[order.fields[55], "quantity"] += sign * order.cum
            totals[order.fields[55], "value"] += sign * order.traded
    must(not any(totals.values()), f"bought and sold differ: {totals}")


def check_views(
    venue: Venue, clients: Clients, accounts: dict[int, str], with_closed: bool
) -> None:
    """The orders as clients know them are those of the venue."""
    for session, name in accounts.items():
        account = venue.state.accounts.get((name or f"#{session}").encode())
        view = clients.views[name]
        if account is None:
            continue
        quoted = {order.order_id for order in account.open.values() if _is_quoted(order)}
        mine = {str(number) for number in account.open if number not in quoted}
        must(mine == set(view.open), f"{name}: open {sorted(mine)}, known {sorted(view.open)}")
        orders = account.names.values() if with_closed else account.open.values()
        for order in orders:
            if order is not None and _is_quoted(order):
                continue
            seen = view.orders.get(str(order.order_id)) if order is not None else None
            if order is not None and seen is not None:
                _compare(order, seen)
            else:
                must(order is None or order.ended == b"8", f"{order} was never reported")


def _is_quoted(order: VenueOrder) -> bool:
    """Whether it is a side of a quote, of which only fills are told."""
    return order.conditions is not None and order.conditions.quote is not None


def _compare(order: VenueOrder, seen: SeenOrder) -> None:
    prices, quantities = order.instrument.prices, order.instrument.quantities
    where = f"order {order.order_id}"
    must(order.status.decode() == seen.status, f"{where}: {order.status!r}, known {seen.status}")
    must(order.cl_ord_id.decode() == seen.cl_ord_id, f"{where}: {order.cl_ord_id!r} differs")
    cum = scaled(quantities.format(order.filled).decode())
    must(cum == seen.cum, f"{where}: filled {cum}, known {seen.cum}")
    fields, terms, conditions = seen.fields, order.terms, order.conditions
    expected = {38: quantities.format(order.quantity), 55: order.instrument.symbol}
    if order.price:
        expected[44] = prices.format(order.price)
    if order.is_open:
        must(order.session == seen.session, f"{where}: of session {order.session}")
        leaves = scaled(quantities.format(order.leaves).decode())
        must(leaves == seen.leaves, f"{where}: leaves {leaves}, known {seen.leaves}")
        shown = quantities.format(terms.display) if terms and terms.display else None
        _same(where, fields, 111, shown)
        wanted = quantities.format(terms.min_quantity) if terms and terms.min_quantity else None
        _same(where, fields, 110, wanted)
        if conditions is not None and 7928 in fields:
            modes = {0: b"X", 1: b"N", 2: b"O", 3: b"B", 4: b"D"}
            _same(where, fields, 7928, modes[order.self_trade])
        trigger = terms.trigger if terms else None
        if trigger is not None and fields.get(836) in ("1", "2"):
            trail = trigger.trail_bps if fields[836] == "1" else trigger.trail
            _same(where, fields, 211, b"%d" % trail)
        elif trigger is not None and 211 in fields:
            _same(where, fields, 211, prices.format(trigger.trail))
    for tag, value in expected.items():
        if tag in fields:
            _same(where, fields, tag, value)


def _same(where: str, fields: dict[int, str], tag: int, value: bytes | None) -> None:
    told = fields.get(tag)
    wanted = value.decode() if value is not None else None
    must(told == wanted, f"{where}: field {tag} told {told}, is {wanted}")
