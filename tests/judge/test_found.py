"""What the judges have found, as small as it goes."""

from __future__ import annotations

from dataclasses import replace

from config.settings import Settings
from exchange.executor import Executor
from exchange.rules import AccountRules
from exchange.service import make_rules
from exchange.snapshot import digest_of
from fix_engine.timestamps import TimestampFormatter
from sessions.journal import Kind
from tests.judge.steps import Step, execute, pairs_of
from tests.support.messages import fix
from tests.support.world import START_NS

_time = TimestampFormatter().format


def told(reports: list[dict[int, str]], *wanted: int) -> list[str]:
    return [" ".join(report.get(tag, "-") for tag in wanted) for report in reports]


class Desk:
    """A venue without sessions, and one client for each number."""

    def __init__(self) -> None:
        self.executor = Executor()
        self.now = START_NS
        self.position = 0
        self.raw: list[bytes] = []
        self.step(Kind.RULES, payload=make_rules(Settings()).encode())

    def step(self, kind: Kind, session: int = 0, payload: bytes = b"") -> list[dict[int, str]]:
        """What the session is told at once; everybody else's reports are lost."""
        self.position += 1
        step = Step(self.position, self.now, kind, session, payload)
        reports = execute(self.executor, step).reports
        self.raw += [report.body for report in reports]
        pairs = [
            (report.session, {35: report.msg_type, **dict(pairs_of(report.body))})
            for report in reports
        ]
        return [fields for number, fields in pairs if session in (0, number)]

    def later(self, milliseconds: int) -> list[dict[int, str]]:
        """What is told once some time has passed."""
        self.now += milliseconds * 10**6
        return self.step(Kind.TIME)


class Client:
    def __init__(self, desk: Desk, number: int) -> None:
        self.desk = desk
        self._number = number

    def ask(self, fields: str) -> list[dict[int, str]]:
        msg_type, _, body = fields.partition("|")
        time = _time(self.desk.now).decode()
        message = fix(f"{msg_type}|34=1|49=A|52={time}|56=B|60={time}|{body}")
        return self.desk.step(Kind.COMMAND, self._number, message)

    def order(self, name: str, side: str, quantity: str, price: str) -> list[dict[int, str]]:
        terms = f"54={'1' if side == 'buy' else '2'}|38={quantity}|40=2|44={price}|59=1|"
        return self.ask(f"35=D|11={name}|55=BTC/USD|{terms}")


def traders() -> tuple[Client, Client]:
    desk = Desk()
    return Client(desk, 1), Client(desk, 2)


def test_a_triggered_order_has_all_that_was_asked_for_before_it_trades() -> None:
    buyer, seller = traders()
    seller.order("s1", "sell", "1", "100")
    seller.order("s2", "sell", "2", "101")
    buyer.ask("35=D|11=b1|55=BTC/USD|54=1|38=2|40=3|99=100|")
    Client(buyer.desk, 3).order("t1", "buy", "1", "100")
    reports = [dict(pairs_of(body)) for body in buyer.desk.raw]
    mine = [report for report in reports if report.get(11) == "b1"]
    assert told(mine, 150, 39, 151, 14) == ["0 0 2 0", "D 0 2 0", "F 2 0 2"]


def test_a_budget_leaves_no_quantity_when_it_is_new_or_replaced() -> None:
    buyer, seller = traders()
    seller.order("s1", "sell", "1", "100")
    reports = buyer.ask("35=D|11=b1|55=BTC/USD|54=1|152=50|40=1|")
    assert told(reports[:2], 150, 151, 14) == ["0 0 0", "F 0 0.5"]
    buyer.ask("35=D|11=b2|55=BTC/USD|54=1|152=50|40=3|99=200|")
    (replaced,) = buyer.ask("35=G|11=b3|41=b2|55=BTC/USD|54=1|152=60|40=3|99=200|")
    assert told([replaced], 150, 39, 151, 152) == ["5 0 0 60"]


def test_a_post_only_order_that_would_trade_at_its_time_is_cancelled() -> None:
    buyer, seller = traders()
    start = _time(START_NS + 10**9).decode()
    buyer.ask(
        f"35=D|11=b1|55=BTC/USD|54=1|38=1|40=2|44=100|18=6|168={start}|",
    )
    seller.order("s1", "sell", "1", "100")
    assert told(buyer.desk.later(1_000), 150, 39, 11, 151, 378) == ["4 4 b1 0 8"]


def test_the_answer_to_a_status_request_has_its_fields_in_order() -> None:
    buyer, _ = traders()
    buyer.ask("35=D|11=b1|55=BTC/USD|54=2|38=1|40=P|18=a|836=0|211=5|")
    buyer.ask("35=AF|584=m1|585=7|")
    tags = [tag for tag, _ in pairs_of(buyer.desk.raw[-1])]
    assert tags == sorted(tags)
    assert {584, 836, 911, 912} <= set(tags)


def test_a_market_if_touched_gets_no_price_and_does_not_lose_one() -> None:
    buyer, _ = traders()
    order = "55=BTC/USD|54=2|38=1|40=J|99=120|"
    buyer.ask(f"35=D|11=b1|{order}44=119|")
    buyer.ask(f"35=D|11=b2|{order}")
    assert told(buyer.ask(f"35=G|11=c1|41=b1|{order}"), 35, 102, 39) == ["9 99 0"]
    assert told(buyer.ask(f"35=G|11=c2|41=b2|{order}44=119|"), 35, 102, 39) == ["9 99 0"]


def test_a_trailing_price_survives_a_replacement_without_one() -> None:
    buyer, seller = traders()
    third = Client(buyer.desk, 3)
    trail = "55=BTC/USD|54=2|40=P|18=a|836=0|211=5|"
    for name, price in (("1", "100"), ("2", "103"), ("3", "101")):
        seller.order(f"s{name}", "sell", "1", price)
        third.order(f"t{name}", "buy", "1", price)
        if name == "1":
            buyer.ask(f"35=D|11=b1|38=2|{trail}")
    (replaced,) = buyer.ask(f"35=G|11=b2|41=b1|38=1|{trail}")
    assert told([replaced], 150, 99) == ["5 98"]


def test_a_trail_and_a_mode_of_self_trade_prevention_cannot_be_replaced() -> None:
    buyer, _ = traders()
    trail = "55=BTC/USD|54=2|38=1|40=P|18=a|836=0|"
    buyer.ask(f"35=D|11=b1|{trail}211=5|")
    assert told(buyer.ask(f"35=G|11=b2|41=b1|{trail}211=6|"), 35, 102) == ["9 99"]
    buyer.order("b3", "buy", "1", "90")
    same = "41=b3|55=BTC/USD|54=1|38=1|40=2|44=90|59=1|"
    assert told(buyer.ask(f"35=G|11=b4|{same}7928=O|"), 35, 102) == ["9 99"]


def test_a_plain_order_that_becomes_an_iceberg_says_so() -> None:
    buyer, _ = traders()
    buyer.order("b1", "buy", "2", "90")
    more = "55=BTC/USD|54=1|38=2|40=2|44=90|59=1|111=1|"
    assert told(buyer.ask(f"35=G|11=b2|41=b1|{more}"), 150, 111) == ["5 1"]


def test_whole_numbers_with_many_zeros_in_front_are_not_cut() -> None:
    buyer, _ = traders()
    plain = "55=BTC/USD|54=1|38=1|40=2|44=90|"
    (answer,) = buyer.ask(f"35=D|11=b1|{plain}8016=0000000000999999|")
    assert told([answer], 150, 39) == ["8 8"]
    trail = "55=BTC/USD|54=2|38=1|40=P|18=a|836=1|"
    (answer,) = buyer.ask(f"35=D|11=b2|{trail}211=00000000012345678|")
    assert told([answer], 150, 39) == ["8 8"]


def test_new_limits_go_for_orders_that_are_there_before_and_after_a_restart() -> None:
    rules = make_rules(Settings())
    first, *others = rules.instruments
    strict = replace(rules, instruments=(replace(first, max_notional="1000"), *others))
    executor, resumed = Executor(), Executor()
    order = "35=D|34=1|49=A|56=B|11=b1|55=BTC/USD|54=1|38=1|40=2|44=90|"
    steps = [
        Step(1, START_NS, Kind.RULES, payload=rules.encode()),
        Step(2, START_NS, Kind.COMMAND, 1, fix(order)),
        Step(3, START_NS, Kind.RULES, payload=strict.encode()),
    ]
    for step in steps:
        execute(executor, step)
    resumed.restore(executor.snapshot())
    larger = (
        order.replace("35=D|", "35=G|41=b1|").replace("11=b1", "11=b2").replace("38=1", "38=99")
    )
    step = Step(4, START_NS, Kind.COMMAND, 1, fix(larger))
    (report,) = execute(executor, step).reports
    assert report.msg_type == "9"
    assert execute(resumed, step).reports == [report]
    assert digest_of(resumed.venue) == digest_of(executor.venue)


def test_fewer_names_are_remembered_at_once() -> None:
    rules = make_rules(Settings())
    executor = Executor()
    execute(executor, Step(1, START_NS, Kind.RULES, payload=rules.encode()))
    for position in range(2, 12):
        request = f"35=D|34=1|49=A|56=B|11=b{position}|55=BTC/USD|54=1|38=1|40=1|"
        execute(executor, Step(position, START_NS, Kind.COMMAND, 1, fix(request)))
    fewer = replace(rules, remembered_orders=3)
    execute(executor, Step(12, START_NS, Kind.RULES, payload=fewer.encode()))
    (account,) = executor.venue.state.accounts.values()
    assert list(account.names) == [b"b9", b"b10", b"b11"]


def test_a_tick_cannot_change_while_an_order_waits_for_its_time() -> None:
    buyer, _ = traders()
    start = _time(START_NS + 10**9).decode()
    buyer.ask(f"35=D|11=b1|55=BTC/USD|54=1|38=1|40=2|44=100|168={start}|")
    venue = buyer.desk.executor.venue
    assert venue.rules is not None
    first, *others = venue.rules.instruments
    changed = replace(venue.rules, instruments=(replace(first, tick="1"), *others))
    assert venue.objection(changed) is not None


def test_a_refused_replacement_is_told_to_who_asked() -> None:
    desk = Desk()
    for number in (1, 2):
        desk.step(Kind.UP, number, b"1=ONE\x01")
    one, other, seller = Client(desk, 1), Client(desk, 2), Client(desk, 3)
    one.ask("35=D|11=b1|55=BTC/USD|54=1|38=1|40=2|44=90|18=6|")
    seller.order("s1", "sell", "1", "100")
    replacement = "35=G|11=b2|41=b1|55=BTC/USD|54=1|38=1|40=2|44=101|18=6|"
    assert told(other.ask(replacement), 35, 11, 102) == ["9 b2 99"]


def test_order_qty_of_a_quote_s_fill_is_that_of_the_moment_too() -> None:
    desk = Desk()
    rules = replace(make_rules(Settings()), accounts=(AccountRules("ONE", self_trade="D"),))
    desk.step(Kind.RULES, payload=rules.encode())
    desk.step(Kind.UP, 1, b"1=ONE\x01")
    one, other = Client(desk, 1), Client(desk, 2)
    other.order("s1", "sell", "2", "99")
    one.order("s2", "sell", "3", "100")
    entry = "299=e1|55=BTC/USD|132=100|133=101|134=9|135=1|"
    reports = one.ask(f"35=i|117=q1|296=1|302=S|304=1|295=1|{entry}")
    fills = [report for report in reports if report[35] == "8" and report.get(117) == "q1"]
    assert told(fills, 150, 38, 14, 151) == ["F 9 2 7"]


def test_order_qty_is_that_of_the_moment_when_prevention_decrements() -> None:
    desk = Desk()
    rules = replace(make_rules(Settings()), accounts=(AccountRules("ONE", self_trade="D"),))
    desk.step(Kind.RULES, payload=rules.encode())
    desk.step(Kind.UP, 1, b"1=ONE\x01")
    one, other = Client(desk, 1), Client(desk, 2)
    other.order("s1", "sell", "2", "99")
    one.order("s2", "sell", "3", "100")
    reports = [report for report in one.order("b1", "buy", "9", "100") if report[11] == "b1"]
    assert told(reports, 150, 38, 14, 151) == ["0 9 0 9", "F 9 2 7", "D 6 2 4"]
