"""The orders of one instrument that wait for their triggers."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Generic, NamedTuple

from sortedcontainers import SortedDict

from matching.events import O
from matching.order import Side
from matching.terms import Direction, Reference, Trigger, terms_of

#: The last price, the best buy, the best sell; None where there is none.
References = tuple[int | None, int | None, int | None]

#: Price, with the sign of the direction, and entry: the first to fire is the least.
Key = tuple[int, int]


class Watch(NamedTuple):
    """What the orders of one queue have in common."""

    direction: Direction
    source: int  # an index into References


class TriggerQueue(Generic[O]):
    """Waiting orders; those on a rise fire before those on a fall, nearest price first, then entry.

    `orders` has them by their entry, first come first.
    """

    __slots__ = ("_entries", "_settled", "_trailing", "orders", "queues")

    def __init__(self) -> None:
        self.orders: dict[int, O] = {}
        self.queues: dict[Watch, SortedDict[Key, O]] = {}
        self._trailing: dict[int, O] = {}
        self._entries = 0
        self._settled: References | None = None  # with these nothing is due

    def add(self, order: O) -> None:
        """Let an order wait, behind all others at its trigger price."""
        trigger = trigger_of(order)
        self._entries += 1
        trigger.entry = self._entries
        self.orders[trigger.entry] = order
        if trigger.trails:
            self._trailing[trigger.entry] = order
        self._enqueue(order, trigger)

    def remove(self, order: O) -> None:
        """Let an order wait no longer; raises KeyError when it does not wait here."""
        trigger = trigger_of(order)
        del self.orders[trigger.entry]
        self._trailing.pop(trigger.entry, None)
        del self.queues[watch_of(order)][key_of(trigger)]
        trigger.entry = 0

    def pop_due(self, references: References) -> O | None:
        """Take out the order that fires next, or None; trailing prices follow first."""
        if references == self._settled:
            return None
        self._follow(references)
        order = self.due(references)
        if order is None:
            self._settled = references
        else:
            self.remove(order)
        return order

    def due(self, references: References) -> O | None:
        """The order that fires next, or None."""
        first: tuple[int, Key] | None = None
        found: O | None = None
        for (direction, source), queue in self.queues.items():
            reference = references[source]
            if reference is None or not queue:
                continue
            key, order = queue.peekitem(0)
            # A rise comes first: its sign is the greater.
            if key[0] <= direction * reference and (first is None or (-direction, key) < first):
                first, found = (-direction, key), order
        return found

    def __iter__(self) -> Iterator[O]:
        """Every waiting order, by entry; added to an empty queue in that order, all is the same."""
        return iter(self.orders.values())

    def _enqueue(self, order: O, trigger: Trigger) -> None:
        watch = watch_of(order)
        queue = self.queues.get(watch)
        if queue is None:
            queue = self.queues[watch] = SortedDict()
        queue[key_of(trigger)] = order
        self._settled = None

    def _follow(self, references: References) -> None:
        for order in self._trailing.values():
            trigger = trigger_of(order)
            watch = watch_of(order)
            reference = references[watch.source]
            if reference is None:
                continue
            price = trigger.followed(reference)
            if price != trigger.price:
                del self.queues[watch][key_of(trigger)]
                trigger.price = price
                self._enqueue(order, trigger)


def trigger_of(order: O) -> Trigger:
    """The trigger of an order that has one."""
    trigger = terms_of(order).trigger
    assert trigger is not None, f"{order} has no trigger"
    return trigger


def watch_of(order: O) -> Watch:
    """The queue in which the order waits."""
    trigger = trigger_of(order)
    if trigger.reference is Reference.LAST:
        return Watch(trigger.direction, 0)
    return Watch(trigger.direction, 2 if order.side is Side.BUY else 1)


def key_of(trigger: Trigger) -> Key:
    """The place of the trigger in its queue."""
    return trigger.direction * trigger.price, trigger.entry
