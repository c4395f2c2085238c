"""Orders that begin or end at a time: effective time, expiry, the end of the day."""

from __future__ import annotations

from typing import Final

from exchange.orders import Conditions, VenueOrder
from exchange.venue.state import VenueState
from exchange.venue.timers import Due
from matching.order import TimeInForce

_MINUTE_NS: Final = 60 * 10**9
_DAY_NS: Final = 1_440 * _MINUTE_NS


def end_of_day(now: int, day_ends: str) -> int:
    """When the day in which `now` is ends, UTC nanoseconds; `day_ends` is HH:MM."""
    hours, minutes = day_ends.split(":")
    offset = (int(hours) * 60 + int(minutes)) * _MINUTE_NS
    return (now - offset) // _DAY_NS * _DAY_NS + _DAY_NS + offset


def remember_times(state: VenueState, order: VenueOrder) -> None:
    """Have an order that is taken begin and end in time."""
    if order.time_in_force is TimeInForce.DAY:
        assert state.rules is not None
        if order.conditions is None:
            order.conditions = Conditions(b"%d" % order.order_type)
        order.conditions.expires_at = end_of_day(state.now, state.rules.day_ends)
    if order.conditions is not None and order.conditions.starts_at <= state.now:
        order.conditions.starts_at = 0
    set_timers(state, order)


def set_timers(state: VenueState, order: VenueOrder) -> None:
    """Have happen to an open order what its conditions say."""
    conditions = order.conditions
    if conditions is None:
        return
    for at, due in ((conditions.expires_at, Due.EXPIRY), (conditions.starts_at, Due.START)):
        if at:
            state.timers.set(at, due, order.order_id)
            state.timed[order.order_id] = order


def forget_times(state: VenueState, order: VenueOrder, conditions: Conditions) -> None:
    """Nothing is due for an order any more."""
    if state.timed.pop(order.order_id, None) is None:
        return
    for at, due in ((conditions.expires_at, Due.EXPIRY), (conditions.starts_at, Due.START)):
        if at:
            state.timers.drop(at, due, order.order_id)
