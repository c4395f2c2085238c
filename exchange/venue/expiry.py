"""Orders that begin or end at a time: effective time, expiry, the end of the day."""

from __future__ import annotations

from typing import Final

from exchange.orders import VenueOrder
from exchange.venue.state import VenueState
from exchange.venue.timers import Due
from matching.order import TimeInForce

_DAY: Final = TimeInForce.DAY
_EXPIRY: Final = Due.EXPIRY
_START: Final = Due.START


def remember_times(state: VenueState, order: VenueOrder) -> None:
    """Have an order that is taken begin and end in time."""
    conditions = order.conditions
    if order.time_in_force is _DAY:
        order.expires_at = state.day_over_at if state.now < state.day_over_at else state.begin_day()
    elif conditions is not None:
        order.expires_at = conditions.expires_at
    if conditions is not None and conditions.starts_at <= state.now:
        conditions.starts_at = 0
    set_timers(state, order)


def set_timers(state: VenueState, order: VenueOrder) -> None:
    """Have an open order begin and end when it is to."""
    number, conditions = order.order_id, order.conditions
    if order.expires_at:
        state.timers.set(order.expires_at, _EXPIRY, number)
        state.timed[number] = order
    if conditions is not None and conditions.starts_at:
        state.timers.set(conditions.starts_at, _START, number)
        state.timed[number] = order


def forget_times(state: VenueState, order: VenueOrder) -> None:
    """Nothing is due for an order any more."""
    number, conditions = order.order_id, order.conditions
    if state.timed.pop(number, None) is None:
        return
    if order.expires_at:
        state.timers.drop(order.expires_at, _EXPIRY, number)
    if conditions is not None and conditions.starts_at:
        state.timers.drop(conditions.starts_at, _START, number)
