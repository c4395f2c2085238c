"""Judge A: what the clients of an account know of their orders, from the bytes of reports alone.

Every report is held against the laws of FIX 4.4 and of docs/orders.md; afterwards the orders as the
clients know them are those of the venue, or the judge objects.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Final

from tests.judge.steps import Fields, Report, Step, pairs_of

DIGITS: Final = 14  # of every decimal in reports, as an integer
TICK_DIGITS: Final = {"AAA/USD": 1, "BBB/USD": 2, "CCC/BTC": 0}
_PARTLY: Final = "1"
_OPEN: Final = frozenset("A01")
#: By ExecType (150): from which OrdStatus (39), None before the first report, to which.
TRANSITIONS: Final[dict[str, dict[str | None, str]]] = {
    "A": {None: "A"},
    "0": {None: "0", "A": "0"},
    "8": {"A": "8"},
    "F": {"0": "12", "1": "12"},
    "4": {"A": "4", "0": "4", "1": "4"},
    "5": {"0": "0", "1": "12"},
    "C": {"A": "C", "0": "C", "1": "C"},
    "D": {"0": "0", "1": "1"},
}
_REPEATING: Final = frozenset((137, 138, 139))
_REQUIRED: Final = (6, 14, 17, 37, 39, 54, 55, 60, 150, 151)
_FIXED: Final = (1, 40, 54, 55, 59)


class ObjectionError(AssertionError):
    """A judge objects."""


def must(condition: object, text: str) -> None:
    if not condition:
        raise ObjectionError(text)


@lru_cache(maxsize=100_000)
def scaled(text: str) -> int:
    """A decimal of the wire as an integer of `DIGITS` digits after the point."""
    sign, text = (-1, text[1:]) if text.startswith("-") else (1, text)
    whole, _, fraction = text.partition(".")
    must(len(fraction) <= DIGITS and (whole + fraction).isdigit(), f"{text} is no decimal")
    return sign * int(whole + fraction.ljust(DIGITS, "0"))


@dataclass(slots=True)
class SeenOrder:
    """An order as reports tell it."""

    order_id: str
    session: int
    status: str | None = None
    cl_ord_id: str = ""
    cum: int = 0
    leaves: int = 0
    traded: int = 0  # sum of LastPx times LastQty, with twice the digits
    fields: Fields = field(default_factory=dict)

    @property
    def is_open(self) -> bool:
        return self.status in _OPEN

    @property
    def has_cash(self) -> bool:
        return 152 in self.fields


class AccountView:
    """The orders of one account."""

    def __init__(self, maker_fee: int, taker_fee: int) -> None:
        self.orders: dict[str, SeenOrder] = {}
        self.open: dict[str, SeenOrder] = {}
        self.fees = {"1": maker_fee, "2": taker_fee}  # in units of 10 ** -8

    def take(self, session: int, report: Fields, step: Step) -> SeenOrder | None:
        """One ExecutionReport; returns the order that it is about."""
        kind, status = report[150], report[39]
        if report[37] == "NONE" or (kind == "8" and 103 in report):
            must(status == "8" and report[151] == "0" == report[14], "a refusal of nothing")
            must(kind in "8I" and report.get(103), "a refusal without OrdRejReason (103)")
            must(report.get(58), "a refusal without Text (58)")
            return None
        for tag in _REQUIRED:
            must(tag in report, f"field {tag} is missing")
        order = self.orders.get(report[37])
        if 299 in report:
            return self._take_quote(session, report)
        if kind == "I":
            must(order is not None, "a status of an order that nobody was told of")
            assert order is not None
            self._check_status(order, report)
            return order
        if order is None:
            order = SeenOrder(report[37], session)
        self._check_transition(order, report)
        if kind == "F":
            self._fill(order, report)
        else:
            must(scaled(report[14]) == order.cum, "CumQty (14) changed without a fill")
        self._check_quantities(order, report)
        self._check_names(order, report, step)
        order.session, order.status, order.fields = session, status, report
        order.leaves = scaled(report[151])
        self.orders[order.order_id] = order
        if order.is_open:
            self.open[order.order_id] = order
        else:
            self.open.pop(order.order_id, None)
        return order

    def _take_quote(self, session: int, report: Fields) -> SeenOrder | None:
        """A side of a quote: only its fills are told, and it may have changed between them."""
        if report[150] == "I":
            return None
        number = report[37]
        order = self.orders.setdefault(number, SeenOrder(number, session))
        order.status = "1" if order.cum else "0"
        order.leaves = scaled(report[151]) + scaled(report[32])
        self._check_transition(order, report)
        self._fill(order, report)
        self._check_quantities(order, report)
        order.status, order.cl_ord_id, order.fields = report[39], report[11], report
        return order

    def _check_transition(self, order: SeenOrder, report: Fields) -> None:
        kind = report[150]
        allowed = TRANSITIONS.get(kind, {}).get(order.status, "")
        must(report[39] in allowed, f"150={kind} from 39={order.status} to 39={report[39]}")

    def _check_status(self, order: SeenOrder, report: Fields) -> None:
        must(report[39] == order.status, f"39={report[39]} told, {order.status} known")
        must(report[11] == order.cl_ord_id, f"11={report[11]} told, {order.cl_ord_id} known")
        must(scaled(report[14]) == order.cum, "CumQty (14) is not the sum of LastQty")
        must(scaled(report[151]) == order.leaves, "LeavesQty (151) is not what was last told")
        self._check_average(order, report)
        for tag in (38, 40, 44, 54, 55, 59):
            must(report.get(tag) == order.fields.get(tag), f"field {tag} changed in silence")

    def _fill(self, order: SeenOrder, report: Fields) -> None:
        quantity, price = scaled(report[32]), scaled(report[31])
        must(quantity > 0 and price > 0, "a fill of nothing")
        order.cum += quantity
        order.traded += quantity * price
        must(scaled(report[14]) == order.cum, "CumQty (14) is not the sum of LastQty (32)")
        if not order.has_cash:
            must(
                scaled(report[151]) == order.leaves - quantity,
                "LeavesQty (151) is not smaller by LastQty (32)",
            )
        limit = report.get(44)
        if limit is not None:
            worse = price > scaled(limit) if report[54] == "1" else price < scaled(limit)
            must(not worse, "traded beyond its limit")
        rate = self.fees[report[851]]
        fee = scaled(report.get(137, "0")) * 10 ** (DIGITS + 8)
        must(fee == quantity * price * rate, "MiscFeeAmt (137) is not value times rate")

    def _check_average(self, order: SeenOrder, report: Fields) -> None:
        text = report[6]
        away = abs(scaled(text) * order.cum - order.traded)
        unit = 10 ** (DIGITS - 8 - TICK_DIGITS[report[55]])
        must(2 * away <= unit * order.cum, f"AvgPx (6) {text} is not the mean of the fills")

    def _check_quantities(self, order: SeenOrder, report: Fields) -> None:
        status, cum, leaves = report[39], scaled(report[14]), scaled(report[151])
        self._check_average(order, report)
        must(leaves >= 0 <= cum, "a quantity below zero")
        if status not in _OPEN:
            must(leaves == 0, "LeavesQty (151) of an order that has ended")
        elif status == _PARTLY:
            must(cum > 0, "partially filled, and nothing has traded")
        else:
            must(cum == 0, "new, and something has traded")
        if 38 not in report:
            must(152 in report, "neither OrderQty (38) nor CashOrderQty (152)")
            must(cum > 0 or leaves == 0, "LeavesQty (151) before a budget has traded")
            return
        total = scaled(report[38])
        must(cum + leaves <= total, "CumQty (14) + LeavesQty (151) is more than OrderQty (38)")
        if status in _OPEN:
            must(cum + leaves == total, "CumQty (14) + LeavesQty (151) is not OrderQty (38)")
            must(leaves > 0, "open, and nothing is left")

    def _check_names(self, order: SeenOrder, report: Fields, step: Step) -> None:
        kind, name = report[150], report[11]
        before = order.fields
        if 41 in report:
            must(kind in "45", "OrigClOrdID (41) where nothing was asked for")
            must(report[41] == order.cl_ord_id, f"41={report[41]}, but it was {order.cl_ord_id}")
            must(name == step.fields.get(11), "11 is not that of the request")
        elif before:
            must(name == order.cl_ord_id, f"ClOrdID (11) {name} was {order.cl_ord_id}")
            must(kind != "5", "a replacement without OrigClOrdID (41)")
        if kind == "4":
            must((41 in report) != (378 in report), "a cancel is asked for (41) or explained (378)")
            must((41 in report) != (58 in report), "a cancel is asked for (41) or explained (58)")
        if kind == "D":
            must(report.get(378) in ("5", "99") and report.get(58), "restated for no reason")
        if before:
            for tag in _FIXED:
                must(report.get(tag) == before.get(tag), f"field {tag} has changed")
            is_repriced = kind == "0" and report.get(8019) == "1"
            if kind != "5" and not is_repriced:
                must(report.get(44) == before.get(44), "Price (44) has changed in silence")
            if kind not in "5D":
                must(report.get(38) == before.get(38), "OrderQty (38) has changed in silence")
        order.cl_ord_id = name


class Clients:
    """Everybody's views, and what must hold of the reports of one step together."""

    def __init__(self, accounts: dict[int, str], fees: dict[str, tuple[int, int]]) -> None:
        self.views = {name: AccountView(*fees[name]) for name in sorted(set(accounts.values()))}
        self._accounts = accounts
        self._last_exec_id = (0, 0)
        self.seen: Counter[str] = Counter()

    def view(self, session: int) -> AccountView:
        return self.views[self._accounts[session]]

    def take(self, step: Step, reports: list[Report]) -> list[tuple[Report, Fields]]:
        """All reports of a step, in the order of events; returns them with their fields."""
        parsed = []
        fills: list[Fields] = []
        created: set[str] = set()
        for report in reports:
            pairs = pairs_of(report.body)
            fields = dict(pairs)
            plain = [tag for tag, _ in pairs if tag not in _REPEATING]
            try:
                is_plain = report.msg_type == "b" or plain == sorted(set(plain))
                must(is_plain, "fields are not once each in tag order")
                if report.msg_type == "8":
                    self._identify(fields, step)
                    view = self.view(report.session)
                    is_new = fields[37] not in view.orders
                    view.take(report.session, fields, step)
                    if is_new and fields[37] in view.orders:
                        created.add(fields[37])
                    self.seen[f"150={fields[150]} 39={fields[39]}"] += 1
                    if fields[150] == "F":
                        fills.append(fields)
                else:
                    self.seen[f"35={report.msg_type}"] += 1
            except (ObjectionError, KeyError) as error:
                raise ObjectionError(f"{error} in: {report}") from error
            parsed.append((report, fields))
        self._check_trades(fills)
        if step.kind.name == "COMMAND":
            check_answers(step, parsed, created)
        return parsed

    def _identify(self, fields: Fields, step: Step) -> None:
        position, _, index = fields[17].partition("-")
        exec_id = int(position), int(index)
        must(exec_id > self._last_exec_id, f"ExecID (17) {fields[17]} does not increase")
        must(exec_id[0] == step.position, "ExecID (17) is not of this command")
        self._last_exec_id = exec_id

    @staticmethod
    def _check_trades(fills: list[Fields]) -> None:
        """Both sides of each trade, the taker first."""
        must(len(fills) % 2 == 0, "a trade has one side only")
        for taker, maker in zip(fills[::2], fills[1::2], strict=True):
            for tag in (31, 32, 55):
                must(taker[tag] == maker[tag], f"the sides of a trade differ in {tag}")
            must(taker[54] != maker[54], "both sides of a trade are the same side")
            must((taker[851], maker[851]) == ("2", "1"), "not the taker first, then the maker")


def check_answers(step: Step, parsed: list[tuple[Report, Fields]], created: set[str]) -> None:
    """Exactly one answer of the right type to the session that asked."""
    asked, request = step.fields[35], step.fields
    name = request.get(11)
    own = [(r.msg_type, f) for r, f in parsed if r.session == step.session]
    answers = [f for kind, f in own if kind == "j"]
    for kind, f in own:
        is_mine = f.get(11) == name
        if asked == "D" and kind == "8" and is_mine:
            is_first = f[150] == "8" or (f[150] in "0A" and f[37] in created)
            # One that comes into the market at its time says 0 again.
            is_again = f[150] == "0" and any(
                g[150] == "A" and g[37] == f[37] for k, g in own if k == "8"
            )
            if is_first and not is_again:
                answers.append(f)
        elif asked in "FG" and is_mine:
            done = "4" if asked == "F" else "5"
            refused = kind == "9" and f[434] == ("1" if asked == "F" else "2")
            if refused or (kind == "8" and f[150] == done and f.get(41) == request[41]):
                answers.append(f)
        elif asked == "H" and kind == "8" and f[150] == "I" and 584 not in f and is_mine:
            answers.append(f)
        elif asked == "q" and kind == "r" and is_mine:
            must(f[531] in ("0", request[530]), "MassCancelResponse (531) is not what was asked")
            must((f[531] == "0") == (532 in f), "532 goes with 531=0")
            answers.append(f)
        elif asked in ("i", "Z") and kind == "b" and f[117] == request[117]:
            answers.append(f)
    if asked == "AF" and not answers:
        _check_mass_status(request, [f for kind, f in own if kind == "8" and 584 in f])
        return
    must(len(answers) == 1, f"{len(answers)} answers to {asked} {name}")
    if step.flaw:
        (answer,) = answers
        is_refusal = 380 in answer or 434 in answer or answer.get(39) == "8" or 532 in answer
        must(is_refusal and answer.get(58), f"{step.flaw}, and it was not refused")


def _check_mass_status(request: Fields, reports: list[Fields]) -> None:
    must(reports, "no answer to AF")
    must(all(f[584] == request[584] for f in reports), "584 of another question")
    total = 0 if reports[0][37] == "NONE" else len(reports)
    must(all(f[911] == str(total) for f in reports), "TotNumReports (911) is wrong")
    must([f[912] for f in reports] == ["N"] * (len(reports) - 1) + ["Y"], "912 is wrong")
