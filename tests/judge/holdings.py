"""What the naive venue keeps: accounts, orders, sessions; and what instruments take."""

from __future__ import annotations

from dataclasses import dataclass, field

from tests.judge.steps import Fields
from tests.matching.naive import NaiveOrder


@dataclass(eq=False)
class Holder:
    """An account."""

    name: str
    names: dict[str, Held | None] = field(default_factory=dict)
    retired: list[str] = field(default_factory=list)
    is_stopped: bool = False


@dataclass(eq=False)
class Held:
    """An order; `quantity` is OrderQty, 0 of one with CashOrderQty."""

    order_id: int
    session: int
    holder: Holder
    cl_ord_id: str
    fields: Fields
    quantity: int
    market: NaiveOrder
    status: str = "0"
    cum: int = 0
    leaves: int = 0
    expires_at: int = 0
    starts_at: int = 0
    was_pending: bool = False
    is_open: bool = True

    @property
    def has_cash(self) -> bool:
        return 152 in self.fields


@dataclass(eq=False)
class Client:
    """A session."""

    holder: Holder
    said: Fields = field(default_factory=dict)
    is_up: bool = False
    grace_until: int = 0
    cancels: bool = False


class Markets:
    """The state of each market by its symbol; one that nobody has spoken of is open."""

    def __init__(self) -> None:
        self._states: dict[str, str] = {}

    def of(self, symbol: str) -> str:
        return self._states.get(symbol, "open")

    def set(self, symbol: str, state: str) -> bool:
        """Whether that is anything new; what is delisted stays so."""
        if self.of(symbol) in (state, "delisted"):
            return False
        self._states[symbol] = state
        return True

    def takes(self, fields: Fields) -> bool:
        """Whether an order with these fields may come to its market now."""
        state = self.of(fields[55])
        if state == "limit-only":
            return 44 in fields
        if state == "post-only":
            return fields.get(18) in ("6", "A")
        return state == "open"
