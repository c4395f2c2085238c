"""Judge D: a second venue around the second engine, from docs/orders.md, slow and obvious.

It keeps every order and looks through all of them whenever it needs some; times are looked for, not
kept in order. It knows nothing of bytes: requests come as fields, and what it says are tuples of
session, what kind of report, OrdStatus (39), ClOrdID (11), LeavesQty, CumQty, LastQty and LastPx,
in lots and ticks. A request that was spoilt on purpose is simply refused.
"""

from __future__ import annotations

from typing import Final

from exchange.commands import SetAccount, SetMarket
from exchange.controls import decode_control
from exchange.rules import decode_rules
from matching.order import SelfTrade, Side, TimeInForce
from matching.terms import PostOnly
from sessions.journal import Kind
from tests.judge.holdings import Client, Held, Holder, Markets
from tests.judge.meaning import (
    LISTED,
    budget_of,
    is_impossible,
    is_replaceable,
    is_too_little,
    lots,
    ticks,
    time_of,
    trigger_of,
)
from tests.judge.naive_orders import NaiveOrders
from tests.judge.said import Said
from tests.judge.steps import Fields, Step
from tests.matching.naive import NaiveOrder

_MODES: Final = {
    "X": SelfTrade.NONE,
    "N": SelfTrade.CANCEL_NEWEST,
    "O": SelfTrade.CANCEL_OLDEST,
    "B": SelfTrade.CANCEL_BOTH,
    "D": SelfTrade.DECREMENT,
}
_DAY: Final = 86_400 * 10**9


class NaiveVenue(NaiveOrders):
    def __init__(self, accounts: dict[int, str]) -> None:
        super().__init__()
        holders = {name: Holder(name) for name in sorted(set(accounts.values()))}
        self._clients = {number: Client(holders[name]) for number, name in accounts.items()}
        self._holders = list(holders.values())
        self._markets = Markets()
        self._met: list[int] = []  # sessions, as they came first
        self._now = 0

    def play(self, step: Step, was_refused: bool) -> list[Said]:
        """What is said at a step; `was_refused`: some limit did not let the request pass."""
        self._now = max(self._now, step.now)
        self._said = []
        self._let_happen_what_is_due()
        if step.session and step.session not in self._met:
            self._met.append(step.session)
        if step.kind is Kind.RULES:
            self._rules = decode_rules(step.payload)
            for holder in self._holders:
                self._forget(holder)
        elif step.kind is Kind.UP:
            self._up(step)
        elif step.kind is Kind.DOWN:
            self._down(step)
        elif step.kind is Kind.COMMAND:
            self._request(step, was_refused)
        elif step.kind is Kind.CONTROL:
            self._obey(step)
        return self._said

    # --- times --------------------------------------------------------------------------

    def _let_happen_what_is_due(self) -> None:
        while True:
            due: list[tuple[int, int, int]] = []
            for number, client in self._clients.items():
                if client.grace_until:
                    due.append((client.grace_until, 0, number))
            for order in self._open():
                if order.expires_at:
                    due.append((order.expires_at, 1, order.order_id))
                if order.starts_at:
                    due.append((order.starts_at, 2, order.order_id))
            due = sorted(one for one in due if one[0] <= self._now)
            if not due:
                return
            _, what, number = due[0]
            if what == 0:
                self._clients[number].grace_until = 0
                self._cancel_orders_of(number)
            elif what == 1:
                self._expire(self._order(number))
            else:
                self._start(self._order(number))

    def _start(self, order: Held) -> None:
        if not self._markets.takes(order.fields):
            self._end(order, "4", "4")
            return
        order.starts_at = 0
        order.status, order.was_pending = "0", True
        self._tell_all(self._engine.submit(order.market), order)

    def _expire(self, order: Held) -> None:
        is_pending = order.starts_at > 0
        events = [] if is_pending else self._engine.cancel(order.order_id)
        self._end(order, "C", "C")
        self._tell_all(events[1:])

    def _end_of_day(self) -> int:
        hours, minutes = self.rules.day_ends.split(":")
        end = (int(hours) * 3600 + int(minutes) * 60) * 10**9
        day = self._now - self._now % _DAY
        return day + end if self._now < day + end else day + end + _DAY

    # --- sessions -----------------------------------------------------------------------

    def _up(self, step: Step) -> None:
        client = self._clients[step.session]
        client.said, client.is_up, client.grace_until = step.fields, True, 0
        wish = client.said.get(8013)
        client.cancels = self.rules.cancel_on_disconnect if wish is None else wish in "YD"
        if client.said.get(8020) == "Y":
            self._said.append((step.session, "r", "7"))
            for order in self._open_of(client.holder):
                self._tell_status(order, step.session)
        for one in self.rules.instruments:
            if self._markets.of(one.symbol) != "open":
                self._tell_market(step.session, one.symbol)

    def _tell_market(self, session: int, symbol: str) -> None:
        self._said.append((session, "f", symbol, self._markets.of(symbol)))

    def _down(self, step: Step) -> None:
        client = self._clients[step.session]
        client.is_up = False
        if step.payload == b"logout" and client.said.get(8013) == "D":
            return
        if grace := int(client.said.get(8015, "0")):
            client.grace_until = self._now + grace * 10**9
        else:
            self._cancel_orders_of(step.session)

    def _cancel_orders_of(self, number: int) -> None:
        client = self._clients[number]
        for order in self._open_of(client.holder):
            is_meant = client.said.get(8014) == "A" or order.session == number
            own = order.fields.get(8013)
            cancels = own == "Y" if own is not None else client.cancels
            if is_meant and cancels and order.is_open:
                self._take_out(order)

    # --- the operator -------------------------------------------------------------------

    def _obey(self, step: Step) -> None:
        wish = decode_control(step.payload)
        if isinstance(wish, SetMarket):
            symbol, state = wish.symbol.decode(), wish.state.label.decode()
            if self._markets.set(symbol, state):
                self._market_changed(symbol, state)
        elif isinstance(wish, SetAccount):
            name = wish.account.decode()
            holder = next(one for one in self._holders if one.name == name.removeprefix("#4"))
            holder.is_stopped = wish.is_stopped
            if wish.is_stopped:
                self._cancel_all(self._open_of(holder))

    def _market_changed(self, symbol: str, state: str) -> None:
        for number in self._met:
            if self._clients[number].is_up:
                self._tell_market(number, symbol)
        engine, number = self._engine, LISTED[symbol][0]
        engine.suspended = [one for one in engine.suspended if one != number]
        if state == "open":
            self._tell_all(engine.fire(number))
            return
        engine.suspended.append(number)
        if state == "delisted":
            self._cancel_all([order for order in self._open() if order.fields[55] == symbol])

    def _cancel_all(self, orders: list[Held]) -> None:
        """Cancel orders; only then do triggers look at what that has done to the prices."""
        engine = self._engine
        paused = sorted({order.market.instrument for order in orders} - set(engine.suspended))
        engine.suspended += paused
        for order in orders:
            self._take_out(order)
        for number in paused:
            engine.suspended.remove(number)
            self._tell_all(engine.fire(number))

    # --- requests -----------------------------------------------------------------------

    def _request(self, step: Step, was_refused: bool) -> None:
        fields, session = step.fields, step.session
        holder = self._clients[session].holder
        is_late = was_refused or self._is_late(fields)
        match fields[35]:
            case "D":
                is_known = fields[11] in holder.names
                if step.flaw or is_late or is_known or not self._may_come(holder, fields):
                    self._refuse(session, "8")
                else:
                    self._new(step, holder)
            case "F" | "G":
                self._change(step, holder, is_late)
            case "H":
                order = holder.names.get(fields[11])
                if order is None or not _is_meant(fields, order):
                    self._refuse(session, "8")
                else:
                    self._tell_status(order, session)
            case "q":
                self._mass_cancel(step, holder)
            case _:
                meant = [] if step.flaw else self._meant(step, holder, 585)
                for order in meant:
                    self._tell_status(order, session)
                if not meant:
                    self._refuse(session, "8")

    def _may_come(self, holder: Holder, fields: Fields) -> bool:
        if is_impossible(fields) or holder.is_stopped:
            return False
        return self._markets.takes(fields)

    def _is_late(self, fields: Fields) -> bool:
        until, window = fields.get(62), fields.get(8016)
        if until is not None and until[0].isdigit() and self._now > time_of(until):
            return True
        sent = time_of(fields[52])
        return window is not None and self._now > sent + int(window) * 10**6

    def _new(self, step: Step, holder: Holder) -> None:
        fields = step.fields
        quantity = lots(fields[55], fields[38]) if 38 in fields else 0
        market = self._market_order(step, self._clients[step.session])
        name = fields[11]
        order = Held(step.position, step.session, holder, name, fields, quantity, market)
        order.leaves = quantity
        holder.names[name] = order
        self._orders.append(order)
        order.expires_at = self._expiry(fields)
        if 168 in fields and time_of(fields[168]) > self._now:
            order.starts_at = time_of(fields[168])
        if 0 < order.expires_at <= self._now:
            self._tell(order, "0")
            self._end(order, "C", "C")
        elif order.starts_at:
            order.status = "A"
            self._tell(order, "A")
        else:
            self._tell_all(self._engine.submit(market), order)

    def _expiry(self, fields: Fields) -> int:
        if fields.get(59) == "0":
            return self._end_of_day()
        if 126 in fields:
            return time_of(fields[126])
        return time_of(f"{fields[432]}-00:00:00") + _DAY if 432 in fields else 0

    def _market_order(self, step: Step, client: Client) -> NaiveOrder:
        fields = step.fields
        symbol, kind = fields[55], fields[40]
        rules = next((o for o in self.rules.accounts if o.name == client.holder.name), None)
        mode = fields.get(7928) or client.said.get(7928) or (rules.self_trade if rules else "N")
        groups = sorted({one.trade_group or one.name for one in self.rules.accounts})
        post = PostOnly.NO
        if fields.get(18) in ("6", "A"):
            post = PostOnly.REPRICE if fields.get(8019) == "1" else PostOnly.REJECT
        side = Side(int(fields[54]))
        return NaiveOrder(
            step.position,
            LISTED[symbol][0],
            side,
            ticks(symbol, fields[44]) if 44 in fields else None,
            lots(symbol, fields[38]) if 38 in fields else 0,
            TimeInForce(int(fields.get(59, "1"))),
            groups.index(rules.trade_group or rules.name) + 1 if rules else 0,
            _MODES[mode],
            lots(symbol, fields.get(111, "0")),
            lots(symbol, fields.get(110, "0")),
            post,
            budget_of(fields),
            trigger_of(fields, side) if kind in "34JP" else None,
        )

    def _change(self, step: Step, holder: Holder, is_late: bool) -> None:
        fields, session = step.fields, step.session
        order = holder.names.get(fields[41])
        is_replace = fields[35] == "G"
        known = "8" if order is None else order.status
        names_other_order = fields.get(37, "") not in ("", str(order.order_id if order else 0))
        # A cancel can be spoilt by what only the order itself can tell.
        is_spoilt = step.flaw and not (fields[35] == "F" and step.flaw[:2] in ("54", "55"))
        is_used = fields[11] in holder.names
        if is_spoilt or (is_replace and is_impossible(fields)) or is_used:
            self._refuse(session, known)
        elif order is None or names_other_order:
            self._refuse(session, "8")
        elif not order.is_open or is_late or not _is_of(fields, order):
            self._refuse(session, known)
        elif not is_replace:
            self._rename(order, fields[11])
            order.session = session
            self._take_out(order)
        elif (
            order.starts_at
            or self._moves_spent_trigger(order, fields)
            or is_too_little(order.quantity, order.market.display, fields)
            or not is_replaceable(order.fields, fields)
            or holder.is_stopped
            or not self._markets.takes(fields)
        ):
            self._refuse(session, known)
        else:
            self._replace(order, step)

    def _moves_spent_trigger(self, order: Held, fields: Fields) -> bool:
        """Whether StopPx is to change of an order that its trigger has let go."""
        if order.market.trigger is None or order.market in self._engine.waiting or 99 not in fields:
            return False
        return ticks(fields[55], fields[99]) != ticks(fields[55], order.fields[99])

    def _replace(self, order: Held, step: Step) -> None:
        fields, market = step.fields, order.market
        symbol = fields[55]
        display = None
        if market.display or 111 in fields:
            display = lots(symbol, fields.get(111, "0"))
        is_waiting = market in self._engine.waiting
        events = self._engine.replace(
            order.order_id,
            ticks(symbol, fields[44]) if 44 in fields else 0,
            budget_of(fields) or lots(symbol, fields[38]),
            display,
            ticks(symbol, fields[99]) if is_waiting and 99 in fields else None,
        )
        if events[0][0] == "refused":
            self._refuse(step.session, order.status)
            return
        self._rename(order, fields[11])
        order.session = step.session
        order.fields = {**order.fields, **fields}
        if 126 in fields or 432 in fields:
            order.expires_at = self._expiry(fields)
        self._tell_all(events)

    def _mass_cancel(self, step: Step, holder: Holder) -> None:
        name = step.fields[11]
        if step.flaw or name in holder.names:
            self._refuse(step.session, "")
            return
        holder.names[name] = None
        self._retire(holder, name)
        self._said.append((step.session, "r", step.fields[530]))
        for order in self._meant(step, holder, 530):
            if order.is_open:
                self._take_out(order)

    def _meant(self, step: Step, holder: Holder, tag: int) -> list[Held]:
        fields = step.fields
        return [
            order
            for order in self._open_of(holder)
            if (fields[tag] != "1" or order.fields[55] == fields[55])
            and (fields[tag] != "6" or order.session == step.session)
            and (54 not in fields or order.fields[54] == fields[54])
            and (1 not in fields or order.fields.get(1) == fields[1])
        ]


def _is_meant(question: Fields, order: Held) -> bool:
    """Whether a question says nothing of the order that is not so."""
    if question.get(37, str(order.order_id)) != str(order.order_id):
        return False
    return all(question[tag] == order.fields[tag] for tag in (54, 55))


def _is_of(request: Fields, order: Held) -> bool:
    """Whether a request names the order as it is."""
    is_current = request[41] == order.cl_ord_id
    return is_current and all(request[tag] == order.fields[tag] for tag in (54, 55))
