"""The orders of the naive venue: where each of them stands, and what is said when that changes."""

from __future__ import annotations

from exchange.rules import Rules
from tests.judge.holdings import Held, Holder
from tests.judge.said import Said
from tests.matching.naive import NaiveEngine, PlainEvent


class NaiveOrders:
    def __init__(self) -> None:
        self._engine = NaiveEngine()
        self._orders: list[Held] = []
        self._rules: Rules | None = None
        self._said: list[Said] = []

    @property
    def rules(self) -> Rules:
        assert self._rules is not None
        return self._rules

    # --- orders -------------------------------------------------------------------------

    def _open(self) -> list[Held]:
        return [order for order in self._orders if order.is_open]

    def _open_of(self, holder: Holder) -> list[Held]:
        return [order for order in self._open() if order.holder is holder]

    def _order(self, order_id: int | str) -> Held:
        (order,) = (one for one in self._orders if one.order_id == order_id)
        return order

    def _take_out(self, order: Held) -> None:
        if order.starts_at:
            self._end(order, "4", "4")
        else:
            self._tell_all(self._engine.cancel(order.order_id))

    def _end(self, order: Held, kind: str, status: str) -> None:
        order.status, order.leaves = status, 0
        self._tell(order, kind)
        self._close(order)

    def _close(self, order: Held) -> None:
        order.is_open = False
        order.starts_at = 0
        self._retire(order.holder, order.cl_ord_id)
        self._orders.remove(order)

    def _rename(self, order: Held, name: str) -> None:
        previous, order.cl_ord_id = order.cl_ord_id, name
        order.holder.names[name] = order
        self._retire(order.holder, previous)

    def _retire(self, holder: Holder, name: str) -> None:
        holder.retired.append(name)
        self._forget(holder)

    def _forget(self, holder: Holder) -> None:
        while len(holder.retired) > self.rules.remembered_orders:
            del holder.names[holder.retired.pop(0)]

    # --- reports ------------------------------------------------------------------------

    def _refuse(self, session: int, status: str) -> None:
        self._said.append((session, "refused", status))

    def _tell_status(self, order: Held, session: int) -> None:
        self._tell(order, "I", session=session)

    def _tell(
        self, order: Held, kind: str, quantity: int = 0, price: int = 0, session: int = 0
    ) -> None:
        last = quantity, price
        figures = order.leaves, order.cum, *last
        self._said.append((session or order.session, kind, order.status, order.cl_ord_id, *figures))

    def _tell_all(self, events: list[PlainEvent], new: Held | None = None) -> None:
        """What the market did; `new` has just come to it."""
        for event in events:
            name = event[0]
            order = self._order(event[1])
            if name == "accepted":
                self._tell(order, "0")
            elif name == "refused":
                assert order is new
                if order.was_pending:
                    self._end(order, "4", "4")
                else:
                    self._refuse(order.session, "8")
                    order.status = "8"
                    self._close(order)
            elif name == "traded":
                _, maker, taker, price, quantity, maker_leaves, taker_leaves = event
                self._fill(self._order(taker), int(quantity), int(price), int(taker_leaves))
                self._fill(self._order(maker), int(quantity), int(price), int(maker_leaves))
            elif name == "cancelled":
                self._end(order, "4", "4")
            elif name == "replaced":
                self._replaced(order, int(event[-1]))
            elif name == "reduced":
                order.quantity -= int(event[2])
                order.leaves = int(event[3])
                self._tell(order, "D")
            else:
                self._tell(order, "D")

    def _replaced(self, order: Held, leaves: int) -> None:
        if not order.has_cash:
            order.leaves = leaves
            order.quantity = order.cum + leaves
            order.status = ("1" if order.cum else "0") if leaves else "2"
        self._tell(order, "5")
        if order.status == "2":
            self._close(order)

    def _fill(self, order: Held, quantity: int, price: int, leaves: int) -> None:
        order.cum += quantity
        order.leaves = leaves
        order.status = "1" if leaves else "2"
        self._tell(order, "F", quantity, price)
        if not leaves:
            self._close(order)
