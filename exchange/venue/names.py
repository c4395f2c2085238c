"""What orders are called: ClOrdIDs are used once in an account, across sessions and restarts."""

from __future__ import annotations

from exchange.orders import STATUS_NAMES, VenueOrder
from exchange.venue.state import AccountState


def already_used(account: AccountState, cl_ord_id: bytes) -> bytes:
    """Text that says for what a ClOrdID was used."""
    order = account.names[cl_ord_id]
    if order is None:
        return b"ClOrdID (11) %b was used before, for a request that made no order" % cl_ord_id
    return b"ClOrdID (11) %b was used before, for order %d, which is %b" % (
        cl_ord_id,
        order.order_id,
        STATUS_NAMES[order.status],
    )


def rename(order: VenueOrder, cl_ord_id: bytes, remembered: int) -> bytes:
    """Let the order be known by the request's ClOrdID; returns the one before."""
    previous, order.cl_ord_id = order.cl_ord_id, cl_ord_id
    order.owner.names[cl_ord_id] = order
    retire(order.owner, previous, remembered)
    return previous


def retire(account: AccountState, cl_ord_id: bytes, remembered: int) -> None:
    """Keep a name that is no more in use among the last ones of its account."""
    account.retired.append(cl_ord_id)
    if len(account.retired) > remembered:
        account.forget(remembered)


def use_up(account: AccountState, cl_ord_id: bytes, remembered: int) -> None:
    """Keep the name of a request that makes no order."""
    account.names[cl_ord_id] = None
    retire(account, cl_ord_id, remembered)
