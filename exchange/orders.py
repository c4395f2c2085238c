"""An order as the venue knows it: the market's order with its owner and its names."""

from __future__ import annotations

from exchange.instruments import Instrument
from matching.order import Order, OrderType, Side, TimeInForce

NEW = b"0"
PARTIALLY_FILLED = b"1"
FILLED = b"2"
CANCELED = b"4"
REJECTED = b"8"
STATUS_NAMES = {
    NEW: b"New",
    PARTIALLY_FILLED: b"Partially filled",
    FILLED: b"Filled",
    CANCELED: b"Canceled",
}


class VenueOrder(Order):
    """The market's order, whose it is, and what its owner has called it.

    `cl_ord_id` is the present one of the order's chain.
    `filled` lots have traded for `traded_value`, the sum of price times quantity.
    `account` is Account (1) as the client gave it, b"" for none. `static_fields` is a place for
    the report encoder to keep what does not change between two replacements.
    """

    __slots__ = (
        "account",
        "cl_ord_id",
        "filled",
        "instrument",
        "is_open",
        "session",
        "static_fields",
        "time_in_force",
        "traded_value",
        "was_cancelled",
    )

    def __init__(
        self,
        order_id: int,
        session: int,
        instrument: Instrument,
        side: Side,
        order_type: OrderType,
        time_in_force: TimeInForce,
        price: int,
        quantity: int,
        cl_ord_id: bytes,
        account: bytes,
    ) -> None:
        super().__init__(order_id, instrument.instrument_id, side, order_type, price, quantity)
        self.session = session
        self.instrument = instrument
        self.time_in_force = time_in_force
        self.account = account
        self.cl_ord_id = cl_ord_id
        self.filled = 0
        self.traded_value = 0
        self.is_open = True
        self.was_cancelled = False
        self.static_fields: tuple[bytes, ...] | None = None

    @property
    def status(self) -> bytes:
        """OrdStatus (39) now."""
        return CANCELED if self.was_cancelled else status(self.quantity, self.leaves)


def status(quantity: int, leaves: int) -> bytes:
    """OrdStatus (39) of an order that has not been cancelled."""
    if not leaves:
        return FILLED
    return NEW if leaves == quantity else PARTIALLY_FILLED
