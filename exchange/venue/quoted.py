"""What happens to orders that are the sides of quotes, whoever caused it."""

from __future__ import annotations

from exchange.orders import VenueOrder
from exchange.quotes import Guard, Quote
from exchange.venue.state import VenueState


def leave_quote(state: VenueState, order: VenueOrder, quote: Quote) -> None:
    """A side is out of the market; its name is free, and a quote without sides is forgotten."""
    del order.owner.names[order.cl_ord_id]
    quote.remove(order)
    if quote.bid is None and quote.offer is None:
        del state.sessions[quote.session].quotes[quote.instrument.instrument_id]


def pull_quote(state: VenueState, quote: Quote, text: bytes) -> None:
    """Tell of the quote, once, when the command is done."""
    if not quote.news:
        state.pulled.append(quote)
    quote.news = text


def count_fill(state: VenueState, order: VenueOrder, quote: Quote) -> None:
    """Count a fill for quote protection, which acts when the command is done."""
    account = order.owner
    rules = account.rules
    if not rules.protection_fills:
        return
    instrument_id = order.instrument_id
    guard = account.guards.get(instrument_id)
    if guard is None:
        guard = account.guards[instrument_id] = Guard()
    if guard.count(state.now, rules.protection_fills, rules.protection_window_ms):
        state.breaches.append((account, quote))
