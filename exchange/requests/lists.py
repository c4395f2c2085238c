"""NewOrderList: many orders in one message, each of them read as a NewOrderSingle of its own."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Final

from exchange.commands import Command, NewOrder, NewOrderList, Refuse
from exchange.order_lists import Contingency
from exchange.orders import Conditions, OrderTerms
from exchange.requests.reasons import DUPLICATE_ORDER, EXCEEDS_LIMIT, Fault, unsupported
from fix_engine import tags
from fix_engine.message import Message, Shape
from matching.order import OrderType, TimeInForce

MAX_ORDERS: Final = 100
#: What is of the list itself, or of the trailer: behind NoOrders (73), all else is of an order.
LIST_TAGS: Final = frozenset(
    (
        *(tags.LIST_ID, tags.TOT_NO_ORDERS, tags.NO_ORDERS, tags.BID_TYPE, tags.CONTINGENCY_TYPE),
        *(tags.SIGNATURE, tags.SIGNATURE_LENGTH),
    )
)
_MSG_TYPE: Final = b"35"
_CONTINGENCIES: Final = {
    None: Contingency.NONE,
    b"0": Contingency.NONE,
    b"1": Contingency.OCO,
    b"2": Contingency.OTO,
}
_AT_ONCE: Final = (TimeInForce.IMMEDIATE_OR_CANCEL, TimeInForce.FILL_OR_KILL)


def parse_list(
    session: int, message: Message, parse_order: Callable[[int, Message], Command]
) -> NewOrderList:
    """The command of a NewOrderList; `parse_order` makes one of a NewOrderSingle."""
    list_id, kind = message.get(tags.LIST_ID) or b"", message.get(tags.CONTINGENCY_TYPE)
    contingency = _CONTINGENCIES.get(kind)
    members = split_list(message)
    orders: list[NewOrder | Refuse] = []
    for member in members[:MAX_ORDERS]:
        order = parse_order(session, member)
        if isinstance(order, NewOrder):
            conditions = order.wanted.conditions
            if conditions is None:
                conditions = order.wanted.conditions = Conditions(b"%d" % order.wanted.order_type)
            conditions.repeated[tags.LIST_ID] = list_id
            if contingency:
                conditions.repeated[tags.CONTINGENCY_TYPE] = b"%d" % contingency
            orders.append(order)
        elif isinstance(order, Refuse):  # in a list, ListStatus and ExecutionReport say so
            orders.append(replace(order, business_reason=None))
    fault = _fault_of_members(message, members)
    if contingency is None:
        fault = unsupported(b"ContingencyType (1385) must be 0, none, 1, OCO, or 2, OTO")
    elif fault is None and contingency is not Contingency.NONE:
        fault = _fault_of_contingency(contingency, orders)
    return NewOrderList(
        session, message, list_id, contingency or Contingency.NONE, len(members), orders, fault
    )


def split_list(message: Message) -> list[Message]:
    """The orders of a validated NewOrderList, each as a NewOrderSingle with what it is part of.

    That is SendingTime (52) and ListID (66).
    """
    shape, values = message.shape, message.values
    place = shape.index.get(tags.NO_ORDERS)
    if place is None:
        return []
    head = [
        (_MSG_TYPE, tags.NEW_ORDER_SINGLE),
        (tags.SENDING_TIME, message.get(tags.SENDING_TIME) or b""),
        (tags.LIST_ID, message.get(tags.LIST_ID) or b""),
    ]
    members: list[list[tuple[bytes, bytes]]] = []
    for tag, value in zip(shape.tags[place + 1 :], values[place + 1 :], strict=True):
        if tag in LIST_TAGS:
            break
        if tag == tags.CL_ORD_ID:  # begins each entry
            members.append(list(head))
        if members:
            members[-1].append((tag, value))
    return [_message_of(message, pairs) for pairs in members]


def _message_of(whole: Message, pairs: list[tuple[bytes, bytes]]) -> Message:
    sequence = tuple(tag for tag, _ in pairs)
    shape = Shape(tags.NEW_ORDER_SINGLE, sequence, is_remembered=False)
    return Message(whole.begin_string, shape, [value for _, value in pairs], whole.raw)


def _fault_of_members(message: Message, members: Sequence[Message]) -> Fault | None:
    """What is wrong with the list before one looks at what the orders want."""
    if not 0 < len(members) <= MAX_ORDERS:
        text = b"NoOrders (73) must be 1 to %d: send several lists" % MAX_ORDERS
        return Fault(text, EXCEEDS_LIMIT)
    if not _is_number(message.get(tags.TOT_NO_ORDERS), len(members)):
        text = b"TotNoOrders (68) must be NoOrders (73), %d: a list is one message" % len(members)
        return Fault(text)
    names = set[bytes]()
    for number, member in enumerate(members, start=1):
        if not _is_number(member.get(tags.LIST_SEQ_NO), number):
            return Fault(b"ListSeqNo (67) of order %d must be %d" % (number, number))
        name = member.get(tags.CL_ORD_ID) or b""
        if name in names:
            return Fault(b"ClOrdID (11) %b is there twice" % name, DUPLICATE_ORDER)
        names.add(name)
    return None


def _fault_of_contingency(
    contingency: Contingency, orders: Sequence[NewOrder | Refuse]
) -> Fault | None:
    """Why these orders cannot depend on each other in this way."""
    if contingency is Contingency.OCO and len(orders) != 2:
        return Fault(b"ContingencyType (1385) 1, OCO, takes two orders")
    if contingency is Contingency.OTO and len(orders) not in (2, 3):
        return Fault(
            b"ContingencyType (1385) 2, OTO, takes two orders, or three: the second and the third "
            b"are then an OCO"
        )
    taken = [order.wanted for order in orders if isinstance(order, NewOrder)]
    if any(order.conditions is not None and order.conditions.starts_at for order in taken):
        return unsupported(b"EffectiveTime (168) does not go with ContingencyType (1385)")
    pair = taken if contingency is Contingency.OCO else taken[1:]
    if len(taken) != len(orders) or len(pair) != 2:
        return None  # what is wrong with an order is said of the order
    return _fault_of_pair(*pair)


def _fault_of_pair(one: OrderTerms, other: OrderTerms) -> Fault | None:
    """Why one of these cannot cancel the other."""
    if one.instrument is not other.instrument:
        return Fault(b"Symbol (55) of the two orders of an OCO must be the same")
    if one.side is not other.side:
        return Fault(b"Side (54) of the two orders of an OCO must be the same")
    waits = [_waits(order) for order in (one, other)]
    if not any(waits):
        return unsupported(b"One order of an OCO must wait for a price: OrdType (40) 3, 4, J or P")
    for order, is_waiting in zip((one, other), waits, strict=True):
        ends = order.order_type is OrderType.MARKET or order.time_in_force in _AT_ONCE
        if ends and not is_waiting:
            return unsupported(
                b"An order of an OCO must be able to wait: a limit with TimeInForce (59) 0, 1 or "
                b"6, or OrdType (40) 3, 4, J or P"
            )
    return None


def _is_number(text: bytes | None, number: int) -> bool:
    return text is not None and text.isdigit() and int(text[:9]) == number


def _waits(order: OrderTerms) -> bool:
    return order.terms is not None and order.terms.trigger is not None
