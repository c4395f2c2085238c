"""What there is to know of an instrument, as fields: Symbol first, then in the order of tags.

A limit that is not set is left out.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from exchange.instruments import Instrument, decimal_text
from exchange.reports import TRADING_STATUS
from exchange.venue.funds import base_of
from exchange.venue.state import FEE_DIGITS, AccountState, VenueState

_COLLAR_DIGITS: Final = 4  # it is kept in basis points


def instrument_fields(state: VenueState, account: AccountState, instrument: Instrument) -> bytes:
    """The instrument as it is for this account."""
    market = state.markets[instrument.instrument_id]
    quantity, value = instrument.quantities.format, instrument.value_text
    collar, least, most = instrument.collar_bps, instrument.min_value, instrument.max_value
    return written(
        [
            (b"55", instrument.symbol),
            (b"15", instrument.currency),
            (b"326", b"%d" % TRADING_STATUS[market]),
            (b"561", quantity(1)),
            (b"562", quantity(instrument.min_quantity)),
            (b"969", instrument.prices.format(1)),
            (b"1140", quantity(instrument.max_quantity)),
            (b"8021", market.label),
            (b"8040", base_of(instrument)),
            (b"8041", value(least) if least else None),
            (b"8042", value(most) if most else None),
            (b"8043", decimal_text(collar, _COLLAR_DIGITS) if collar else None),
            (b"8044", decimal_text(account.maker_fee, FEE_DIGITS)),
            (b"8045", decimal_text(account.taker_fee, FEE_DIGITS)),
        ]
    )


def find_tradable(state: VenueState, symbol: bytes) -> Instrument | None:
    """The instrument of this symbol, if it is one of those that are listed now."""
    instrument = state.listing.find(symbol)
    return instrument if instrument in state.listing.tradable else None


def written(fields: Iterable[tuple[bytes, bytes | None]]) -> bytes:
    """Those fields that have a value, as they go out."""
    return b"".join(b"%b=%b\x01" % (tag, value) for tag, value in fields if value is not None)
