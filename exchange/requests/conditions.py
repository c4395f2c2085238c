"""Orders with conditions: triggers, icebergs, expiry and whatever else few orders have."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from exchange.commands import Deadline
from exchange.instruments import Instrument
from exchange.orders import Conditions, OrderTerms
from exchange.requests.reasons import INCORRECT_QUANTITY, Fault, missing, unsupported
from exchange.requests.terms import (
    instrument_and_side,
    parse_price,
    parse_quantity,
    parse_ticks,
    parse_time_in_force,
)
from fix_engine import tags
from fix_engine.message import Message
from fix_engine.timestamps import SECOND_NS, TimestampParser
from matching.order import OrderType, SelfTrade, Side, TimeInForce
from matching.terms import Direction, PostOnly, Reference, Terms, Trigger

#: Without any of these, and with OrdType 1 or 2, an order has no conditions.
CONDITION_TAGS: Final = frozenset(
    (
        *(tags.EXEC_INST, tags.STOP_PX, tags.MIN_QTY, tags.MAX_FLOOR, tags.EXPIRE_TIME),
        *(tags.CASH_ORDER_QTY, tags.EFFECTIVE_TIME, tags.PEG_OFFSET_VALUE, tags.EXPIRE_DATE),
        *(tags.PEG_OFFSET_TYPE, tags.TRIGGER_PRICE_TYPE, tags.SELF_TRADE_PREVENTION),
        *(tags.CANCEL_ON_DISCONNECT, tags.POST_ONLY_ACTION),
    )
)
DEADLINE_TAGS: Final = frozenset((tags.VALID_UNTIL_TIME, tags.REQUEST_WINDOW))
SELF_TRADE_MODES: Final = {
    b"X": SelfTrade.NONE,
    b"N": SelfTrade.CANCEL_NEWEST,
    b"O": SelfTrade.CANCEL_OLDEST,
    b"B": SelfTrade.CANCEL_BOTH,
    b"D": SelfTrade.DECREMENT,
}
_REPEATED: Final = (
    *(tags.EXEC_INST, tags.MIN_QTY, tags.MAX_FLOOR, tags.EXPIRE_TIME, tags.CASH_ORDER_QTY),
    *(tags.EFFECTIVE_TIME, tags.PEG_OFFSET_VALUE, tags.EXPIRE_DATE, tags.PEG_OFFSET_TYPE),
    *(tags.TRIGGER_PRICE_TYPE, tags.SELF_TRADE_PREVENTION, tags.CANCEL_ON_DISCONNECT),
    tags.POST_ONLY_ACTION,
)
_TOUCHED: Final = b"J"
_PEGGED: Final = b"P"
_RESTING: Final = (
    TimeInForce.DAY,
    TimeInForce.GOOD_TILL_CANCEL,
    TimeInForce.GOOD_TILL_DATE,
)
TRIGGERED: Final = (b"3", b"4", _TOUCHED, _PEGGED)
_POST_ONLY: Final = (b"6", b"A")
_TRAILING: Final = b"a"
_DO_NOT_INCREASE: Final = b"E"
_DAY_NS: Final = 86_400 * SECOND_NS
_MAX_WINDOW_MS: Final = 600_000
_MAX_DIGITS: Final = 9
_parse_time = TimestampParser().parse


def conditional_terms(
    instruments: Mapping[bytes, Instrument], message: Message, is_replacement: bool = False
) -> OrderTerms | Fault:
    """The terms of an order that may have any condition, or what is wrong with them.

    What a replacement may say depends on the order where least quantities are concerned: these are
    not looked at here.
    """
    found = instrument_and_side(instruments, message)
    if isinstance(found, Fault):
        return found
    return _Reader(message, *found, is_replacement).read()


def parse_deadline(message: Message) -> Deadline | Fault | None:
    """Until when a request may be executed: ValidUntilTime (62), RequestWindow (8016)."""
    deadline = None
    until, window = message.get(tags.VALID_UNTIL_TIME), message.get(tags.REQUEST_WINDOW)
    if until is not None:
        at = _parse_time(until)
        if at is None:
            return Fault(b"ValidUntilTime (62) %b is no UTCTimestamp" % until[:40])
        deadline = Deadline(at, b"ValidUntilTime (62)")
    if window is not None:
        sent = _parse_time(message.get(tags.SENDING_TIME) or b"")
        if not _is_count(window, _MAX_WINDOW_MS) or sent is None:
            return Fault(b"RequestWindow (8016) must be 1 to %d milliseconds" % _MAX_WINDOW_MS)
        at = sent + int(window) * 1_000_000
        if deadline is None or at < deadline.at:
            deadline = Deadline(at, b"RequestWindow (8016)")
    return deadline


class _Reader:
    """Reads one order field by field; the first fault ends it."""

    def __init__(
        self, message: Message, instrument: Instrument, side: Side, is_replacement: bool
    ) -> None:
        self._get = message.get
        self._message = message
        self._instrument = instrument
        self._side = side
        self._is_replacement = is_replacement
        self._ord_type = message.get(tags.ORD_TYPE) or b""
        self._terms = Terms()
        repeated = {tag: value for tag in _REPEATED if (value := message.get(tag)) is not None}
        self._conditions = Conditions(self._ord_type, repeated)
        self._order_type = OrderType.LIMIT
        self._time_in_force = TimeInForce.GOOD_TILL_CANCEL
        self._price = self._quantity = 0
        self._self_trade: SelfTrade | None = None

    def read(self) -> OrderTerms | Fault:
        steps = (
            *(self._type_and_price, self._how_much, self._how_long, self._trigger),
            *(self._instructions, self._parts, self._times, self._policies),
        )
        for step in steps:
            fault = step()
            if fault is not None:
                return fault
        return OrderTerms(
            self._instrument,
            self._side,
            self._order_type,
            self._time_in_force,
            self._price,
            self._quantity,
            self._terms if self._terms != Terms() else None,
            self._conditions,
            self._self_trade,
        )

    def _type_and_price(self) -> Fault | None:
        has_price = self._get(tags.PRICE) is not None
        if self._ord_type in (b"1", b"3", _PEGGED) or (
            self._ord_type == _TOUCHED and not has_price
        ):
            self._order_type = OrderType.MARKET
        elif self._ord_type not in (b"2", b"4", _TOUCHED):
            return unsupported(b"OrdType (40) must be 1, 2, 3, 4, J or P")
        price = parse_price(self._instrument, self._order_type, self._get(tags.PRICE))
        if isinstance(price, Fault):
            return price
        self._price = self._conditions.price_wanted = price
        return None

    def _how_much(self) -> Fault | None:
        cash, quantity_text = self._get(tags.CASH_ORDER_QTY), self._get(tags.ORDER_QTY)
        if cash is None:
            quantity = parse_quantity(self._instrument, quantity_text, self._is_replacement)
            if isinstance(quantity, Fault):
                return quantity
            self._quantity = quantity
            return None
        if quantity_text is not None:
            return Fault(b"OrderQty (38) and CashOrderQty (152) exclude each other")
        if self._order_type is not OrderType.MARKET:
            return unsupported(b"CashOrderQty (152) is for market orders only")
        budget = self._instrument.budget(cash)
        if budget is None or budget <= 0:
            return Fault(
                b"CashOrderQty (152) %b must be above zero" % cash[:40], INCORRECT_QUANTITY
            )
        self._terms.budget = budget
        return None

    def _how_long(self) -> Fault | None:
        time_in_force = parse_time_in_force(self._message)
        if isinstance(time_in_force, Fault):
            return time_in_force
        self._time_in_force = time_in_force
        at, date = self._get(tags.EXPIRE_TIME), self._get(tags.EXPIRE_DATE)
        if time_in_force is not TimeInForce.GOOD_TILL_DATE:
            if at is not None or date is not None:
                return Fault(b"ExpireTime (126) and ExpireDate (432) need TimeInForce (59) 6, GTD")
            return None
        if at is not None and date is not None:
            return Fault(b"ExpireTime (126) and ExpireDate (432) exclude each other: send one")
        if at is not None:
            expires_at = _parse_time(at)
        else:
            start = _parse_time(b"%b-00:00:00" % (date or b""))
            expires_at = None if start is None else start + _DAY_NS
        if expires_at is None:
            return Fault(b"ExpireTime (126) or ExpireDate (432) cannot be understood")
        self._conditions.expires_at = expires_at
        return None

    def _trigger(self) -> Fault | None:
        stop, offset = self._get(tags.STOP_PX), self._get(tags.PEG_OFFSET_VALUE)
        reference = self._get(tags.TRIGGER_PRICE_TYPE)
        if self._ord_type not in TRIGGERED:
            for name, value in (
                (b"StopPx (99)", stop),
                (b"PegOffsetValue (211)", offset),
                (b"TriggerPriceType (1107)", reference),
            ):
                if value is not None:
                    return Fault(b"%b does not go with OrdType (40) %b" % (name, self._ord_type))
            return None
        is_buy, is_touched = self._side is Side.BUY, self._ord_type == _TOUCHED
        trigger = Trigger(0, Direction.RISE if is_buy != is_touched else Direction.FALL)
        best = b"1" if is_buy else b"3"  # best offer to buy at, best bid to sell at
        if reference == best:
            trigger.reference = Reference.BEST
        elif reference not in (None, b"2"):
            return unsupported(
                b"TriggerPriceType (1107) must be 2, last trade, or %b, the best price on the "
                b"other side" % best
            )
        if stop is not None:
            price = parse_ticks(self._instrument, b"StopPx (99)", stop)
            if isinstance(price, Fault):
                return price
            trigger.price = price
        elif self._ord_type != _PEGGED:
            return missing(b"StopPx (99) is required with OrdType (40) %b" % self._ord_type)
        self._terms.trigger = trigger
        return self._trail(trigger, offset)

    def _trail(self, trigger: Trigger, offset: bytes | None) -> Fault | None:
        if self._ord_type != _PEGGED:
            if offset is None:
                return None
            return Fault(b"PegOffsetValue (211) needs OrdType (40) P with ExecInst (18) a")
        if _TRAILING not in (self._get(tags.EXEC_INST) or b"").split():
            return unsupported(b"OrdType (40) P needs ExecInst (18) a: trailing stops are all pegs")
        if offset is None:
            return missing(b"PegOffsetValue (211) is required on a trailing stop")
        kind = self._get(tags.PEG_OFFSET_TYPE) or b"0"
        if kind == b"0":
            distance = parse_ticks(self._instrument, b"PegOffsetValue (211)", offset)
            if isinstance(distance, Fault):
                return distance
            trigger.trail = distance
        elif kind in (b"1", b"2") and _is_count(offset, 9_999):
            if kind == b"1":
                trigger.trail_bps = int(offset)
            else:
                trigger.trail = int(offset)
        else:
            return Fault(
                b"PegOffsetType (836) must be 0, price, 1, basis points, or 2, ticks, and "
                b"PegOffsetValue (211) with 1 and 2 a whole number below 10000"
            )
        return None

    def _instructions(self) -> Fault | None:
        action = self._get(tags.POST_ONLY_ACTION)
        for one in (self._get(tags.EXEC_INST) or b"").split():
            if one in _POST_ONLY:
                if self._order_type is not OrderType.LIMIT or self._time_in_force not in _RESTING:
                    return unsupported(b"ExecInst (18) %b, post-only, needs a resting limit" % one)
                repriced = action == b"1"
                self._terms.post_only = PostOnly.REPRICE if repriced else PostOnly.REJECT
            elif one == _DO_NOT_INCREASE:
                return unsupported(b"ExecInst (18) E: on a spot market there is nothing to reduce")
            elif one != _TRAILING or self._ord_type != _PEGGED:
                return unsupported(b"ExecInst (18) %b is not taken: 6 or A, post-only" % one[:8])
        if action not in (None, b"0", b"1") or (action and not self._terms.post_only):
            return Fault(b"PostOnlyAction (8019) must be 0, refuse, or 1, reprice, of a post-only")
        return None

    def _parts(self) -> Fault | None:
        for name, tag in ((b"MinQty (110)", tags.MIN_QTY), (b"MaxFloor (111)", tags.MAX_FLOOR)):
            text = self._get(tag)
            if text is None:
                continue
            lots = self._instrument.quantities.parse(text)
            if lots is None or lots < 0:
                return Fault(b"%b %b is no multiple of the lot" % (name, text[:40]))
            if self._terms.budget:
                return unsupported(b"%b does not go with CashOrderQty (152)" % name)
            may_be_above = self._is_replacement and tag == tags.MAX_FLOOR
            if lots > self._quantity and not may_be_above:
                return Fault(b"%b %b is above OrderQty (38)" % (name, text[:40]))
            if tag == tags.MIN_QTY:
                self._terms.min_quantity = lots
            elif lots < (1 if self._is_replacement else self._instrument.min_quantity):
                return Fault(b"MaxFloor (111) %b is below the least order" % text[:40])
            elif self._order_type is not OrderType.LIMIT or self._time_in_force not in _RESTING:
                return unsupported(b"MaxFloor (111), an iceberg, needs a resting limit order")
            else:
                self._terms.display = lots
        return None

    def _times(self) -> Fault | None:
        text = self._get(tags.EFFECTIVE_TIME)
        if text is None:
            return None
        starts_at = _parse_time(text)
        if starts_at is None:
            return Fault(b"EffectiveTime (168) %b is no UTCTimestamp" % text[:40])
        if 0 < self._conditions.expires_at <= starts_at:
            return Fault(b"EffectiveTime (168) must be before the order expires")
        self._conditions.starts_at = starts_at
        return None

    def _policies(self) -> Fault | None:
        mode = self._get(tags.SELF_TRADE_PREVENTION)
        if mode is not None:
            self._self_trade = SELF_TRADE_MODES.get(mode)
            if self._self_trade is None:
                return unsupported(b"SelfTradePrevention (7928) must be X, N, O, B or D")
        wish = self._get(tags.CANCEL_ON_DISCONNECT)
        if wish not in (None, b"Y", b"N"):
            return unsupported(b"CancelOrdersOnDisconnect (8013) of an order must be Y or N")
        if wish is not None:
            self._conditions.cancel_on_disconnect = wish == b"Y"
        return None


def _is_count(text: bytes, most: int) -> bool:
    """Whether a value is a whole number from 1 to `most`."""
    return text.isdigit() and len(text) <= _MAX_DIGITS and 0 < int(text) <= most
