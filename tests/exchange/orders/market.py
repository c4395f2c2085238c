"""Markets for tests of orders: venues with accounts and rules, and what must be true of all."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields, replace
from itertools import pairwise
from typing import Any, Final

from config.settings import Settings
from exchange.executor import Executor
from exchange.rerun import Rerun
from exchange.rules import AccountRules, InstrumentRules, Rules
from exchange.service import make_rules
from exchange.snapshot import dump_venue
from exchange.tools.verify import Verifier
from fix_engine.validation import Validator
from sessions.journal import INPUT_KINDS, Kind, Record
from tests.scenarios.fields import expand
from tests.support.messages import as_dict, decode, dictionary
from tests.support.world import Client, World

MakeWorld = Callable[..., World]
Report = dict[int, str]

_OF_INSTRUMENTS: Final = {one.name for one in fields(InstrumentRules)}
_HEADER: Final = {8, 9, 35, 34, 43, 49, 50, 52, 56, 57, 97, 115, 122, 128, 369}


def told(reports: list[Report], *wanted: int) -> list[str]:
    """Some fields of each report, as one string each."""
    return [" ".join(report.get(tag, "-") for tag in wanted) for report in reports]


def happened(reports: list[Report]) -> list[str]:
    """ExecType, OrdStatus, ClOrdID, LeavesQty and CumQty of each report."""
    return told(reports, 150, 39, 11, 151, 14)


def make_market_rules(*accounts: AccountRules, **changes: Any) -> Rules:
    """The usual rules, with accounts; changes are of the first instrument, or of all rules."""
    rules = make_rules(Settings())
    own = {name: changes.pop(name) for name in list(changes) if name in _OF_INSTRUMENTS}
    first, *others = rules.instruments
    instruments = (replace(first, **own), *others)
    return replace(rules, accounts=accounts, instruments=instruments, **changes)


def two(world: World) -> tuple[Client, Client]:
    """A buyer and a seller who have not heard anything yet."""
    names = ("BUYER", "SELLER")
    buyer, seller = (world.client(name) for name in names)
    buyer.take()
    seller.take()
    return buyer, seller


def cancel(client: Client, name: str, of: str, side: str = "buy", more: str = "") -> list[Report]:
    """OrderCancelRequest; what came back."""
    code = {"buy": 1, "sell": 2}[side]
    return client.ask(f"35=F|11={name}|41={of}|55=BTC/USD|54={code}|60=<now>|{more}")


def change(client: Client, name: str, of: str, side: str, terms: str) -> list[Report]:
    """OrderCancelReplaceRequest with terms such as `38=1|40=2|44=100|`; what came back."""
    code = {"buy": 1, "sell": 2}[side]
    return client.ask(f"35=G|11={name}|41={of}|55=BTC/USD|54={code}|60=<now>|{terms}")


def place(client: Client, name: str, side: str, terms: str) -> list[Report]:
    """NewOrderSingle with terms such as `38=1|40=2|44=100|`; what came back."""
    code = {"buy": 1, "sell": 2}[side]
    return client.ask(f"35=D|11={name}|55=BTC/USD|54={code}|60=<now>|{terms}")


def ask_about(client: Client, name: str) -> Report:
    """OrderStatusRequest; the answer."""
    (report,) = client.ask(f"35=H|11={name}|55=BTC/USD|54=1|")
    return report


def timestamp(world: World, seconds: float) -> str:
    """UTCTimestamp so many seconds from now."""
    sign = "+" if seconds >= 0 else "-"
    return expand(f"<now{sign}{abs(seconds)}s>", world.now)


# --- what is true of every market ---------------------------------------------------------


def prove(world: World) -> None:
    """Replay, restore and read everything that a market has said."""
    batches = world.batches()
    verifier = Verifier(Rerun())
    for batch in batches:
        found = verifier.check(batch)
        assert found is None, found
    assert verifier.rerun.executor.snapshot() == dump_venue(world.venue)
    sent = [
        record
        for batch in batches
        for record in batch.records
        if record.kind is Kind.SENT and b"\x0135=A\x01" not in record.payload
    ]
    check_messages(sent)
    restore_everywhere(world)


def restore_everywhere(world: World, every: int = 4) -> None:
    """Before some inputs, restore from a snapshot: that input must lead to the same."""
    live = Executor()
    inputs = 0
    for batch in world.batches():
        for record in batch.records:
            if record.kind not in INPUT_KINDS:
                continue
            inputs += 1
            restored = None
            if inputs % every == 0:
                restored = Executor()
                restored.restore(live.snapshot())
            messages = _outcome(live, record, batch.stamp)
            if restored is not None:
                assert _outcome(restored, record, batch.stamp) == messages, record.payload
                assert restored.snapshot() == live.snapshot(), record.payload


def _outcome(executor: Executor, record: Record, stamp: int) -> list[tuple[int, bytes]]:
    events, _ = executor.replay(record, stamp)
    encode = executor.encoder.encode
    return [(event.session, encode(event, record.position, stamp)[1]) for event in events]


def check_messages(sent: list[Record]) -> None:
    """Everything is in the dictionary, in tag order, and adds up."""
    validator = Validator(dictionary())
    seen = set[str]()
    for record in sent:
        message = decode(record.payload)
        assert validator.check(message) is None, record.payload
        body = [int(tag) for tag, _ in message.pairs() if int(tag) not in _HEADER][:-1]
        if message.msg_type in (b"8", b"9", b"r"):
            assert all(one < other for one, other in pairwise(body)), record.payload
        if message.msg_type == b"8":
            _check_report(as_dict(record.payload), seen)


def _check_report(report: Report, seen: set[str]) -> None:
    assert report[17] not in seen, f"an ExecID twice: {report}"
    seen.add(report[17])
    leaves, filled = float(report[151]), float(report[14])
    assert leaves >= 0, report
    if report[39] in "01A" and 38 in report:
        assert abs(leaves + filled - float(report[38])) < 1e-9, report
    if report[39] in "248C":
        assert leaves == 0, report
    if report[39] == "2" and 38 in report:
        assert filled == float(report[38]), report
    if report[150] == "F":
        assert {31, 32, 851} <= report.keys(), report
    if report[39] == "8" and (report[150] == "8" or report[37] == "NONE"):
        assert 103 in report, report
        assert report[58], report
