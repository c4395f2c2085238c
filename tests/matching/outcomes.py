"""What the features of the market can lead to, told from a command and its events."""

from __future__ import annotations

from collections import Counter

from matching.order import SelfTrade, TimeInForce
from matching.terms import Direction, PostOnly, Reference
from tests.matching.duel import Step
from tests.matching.flow import Replace, Submit
from tests.matching.naive import PlainEvent

FEATURES = {
    "an iceberg shows more",
    "an iceberg rests after trades",
    "a display is replaced",
    "a minimum trades",
    "a minimum trades, the rest is cancelled",
    "a minimum trades, the rest rests",
    "a minimum is not there",
    *(
        f"post-only {each.name} {end}"
        for each in (PostOnly.REJECT, PostOnly.REPRICE)
        for end in ("rests as it is", "is refused", "is cancelled when it fires")
    ),
    "post-only REPRICE rests at another price",
    "a replacement is refused",
    "a replacement is repriced",
    *(
        f"a budget {kind}{end}"
        for kind in ("", "fill or kill ")
        for end in ("is done", "is cancelled without a trade")
    ),
    "a budget is cancelled with an estimate",
    "a budget ends by self-trade prevention",
    *(f"{mode.name} ends a taker" for mode in SelfTrade if mode not in (0, 2)),
    *(f"{mode.name} ends a maker" for mode in SelfTrade if mode not in (0, 1)),
    "NONE lets the group trade",
    "DECREMENT reduces",
    *(
        f"{kind} fires on a {direction.name} of {reference.name} {when}"
        for kind in ("a trigger", "a trail")
        for direction in Direction
        for reference in Reference
        for when in ("at once", "later")
    ),
    "one fires after the other",
    "a replaced trigger fires at once",
    "a waiting order is replaced",
    "a waiting order ends by replace",
    "the end of a suspension fires",
}


def features(steps: list[Step]) -> Counter[str]:
    """How often each feature did what it can, over one flow."""
    found: Counter[str] = Counter()
    submitted: dict[int, Submit] = {}
    ends: set[int] = set()
    for step in steps:
        command = step.command
        if isinstance(command, Submit):
            submitted[command.order_id] = command
            found.update(_of_submit(command, step))
        elif isinstance(command, Replace):
            found.update(_of_replace(submitted[command.order_id], command, step, ends))
        elif step.events:
            found["the end of a suspension fires"] += 1
        fired = [submitted[int(event[1])] for event in step.events if event[0] == "triggered"]
        found["one fires after the other"] += len(fired) > 1
        for order in fired:
            found[_firing(order, order is command)] += 1
        found.update(name for event in step.events for name in _of_event(event, submitted, step))
        ends.update(order.order_id for order in fired)
    return +found


def _of_submit(order: Submit, step: Step) -> list[str]:
    if order.trigger is not None:
        return []
    found = []
    names = [event[0] for event in step.events if order.order_id in event[1:3]]
    trades, is_cancelled = "traded" in names, "cancelled" in names
    if order.display and trades and step.is_there:
        found.append("an iceberg rests after trades")
    if order.budget:
        whole = order.time_in_force is TimeInForce.FILL_OR_KILL
        kind = f"a budget {'fill or kill ' if whole else ''}"
        if trades and not is_cancelled:
            found.append(f"{kind}is done")
        elif not trades:
            found.append(f"{kind}is cancelled without a trade")
        elif ("cancelled", "REMAINDER") in [(event[0], event[-1]) for event in step.events]:
            found.append("a budget is cancelled with an estimate")
    elif order.min_quantity and order.time_in_force is not TimeInForce.FILL_OR_KILL:
        rest = ", the rest is cancelled" if is_cancelled else ", the rest rests"
        rest = rest if is_cancelled or step.is_there else ""
        found.append(f"a minimum trades{rest}" if trades else "a minimum is not there")
    if order.post_only:
        first = step.events[0]
        end = "is refused" if first[0] == "refused" else "rests as it is"
        if first[0] == "accepted" and first[-1] != order.price:
            end = "rests at another price"
        found.append(f"post-only {order.post_only.name} {end}")
    return found


def _of_replace(order: Submit, command: Replace, step: Step, fired: set[int]) -> list[str]:
    first = step.events[0]
    if first[0] == "refused":
        return ["a replacement is refused"]
    found = []
    if command.display is not None:
        found.append("a display is replaced")
    if order.trigger is None and order.post_only and first[2] != command.price:
        found.append("a replacement is repriced")
    if order.trigger is not None and order.order_id not in fired:
        is_ended = command.quantity == 0
        found.append(
            "a waiting order ends by replace" if is_ended else "a waiting order is replaced"
        )
        if ("triggered", order.order_id) in step.events:
            found.append("a replaced trigger fires at once")
    return found


def _firing(order: Submit, is_new: bool) -> str:
    trigger = order.trigger
    assert trigger is not None
    kind = "a trail" if trigger.trail or trigger.trail_bps else "a trigger"
    where = f"{trigger.direction.name} of {trigger.reference.name}"
    return f"{kind} fires on a {where} {'at once' if is_new else 'later'}"


def _of_event(event: PlainEvent, submitted: dict[int, Submit], step: Step) -> list[str]:
    name, order = event[0], submitted[int(event[1])]
    if name == "traded":
        taker = submitted[int(event[2])]
        again = [e for e in step.events if e[0] == "traded" and e[1:3] == event[1:3]]
        found = ["an iceberg shows more"] if len(again) > 1 and order.display else []
        if order.group and order.group == taker.group:
            found.append(f"{taker.self_trade.name} lets the group trade")
        return found
    if name == "reduced":
        return ["DECREMENT reduces"]
    if name != "cancelled" or event[-1] not in ("SELF_TRADE", "WOULD_TRADE"):
        return []
    if event[-1] == "WOULD_TRADE":
        return [f"post-only {order.post_only.name} is cancelled when it fires"]
    if order.budget:
        return ["a budget ends by self-trade prevention"]
    came = {e[1] for e in step.events if e[0] in ("accepted", "replaced", "triggered")}
    if len(came) > 1:
        return []  # who was the taker is not to be told
    (taker,) = (submitted[int(order_id)] for order_id in came)
    return [f"{taker.self_trade.name} ends a {'taker' if order is taker else 'maker'}"]
