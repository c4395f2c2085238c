"""Days on which everything is asked for at random: each request has one answer, and all adds up."""

from __future__ import annotations

import random
from collections.abc import Callable

import pytest

from exchange.rules import AccountRules
from tests.exchange.orders.market import MakeWorld, Report, make_market_rules, timestamp
from tests.support.world import Client, World

ACCOUNTS = {"A1": "ACME", "A2": "ACME", "B": "BETA", "C": ""}
RULES = make_market_rules(
    AccountRules("ACME", "0.0001", "0.0002", "D", max_open_orders=30),
    AccountRules("BETA", "-0.0001", "0.0003", "O", max_orders_per_s=20),
    collar="0.5",
    min_notional="1",
    day_ends="08:01",
)
PRICES = [f"{price / 2:g}" for price in range(190, 211)]


class Day:
    """A market, four clients, and dice."""

    def __init__(self, world: World, seed: int) -> None:
        self.world = world
        self.dice = random.Random(seed)
        self.clients = [world.client(name, self._logon()) for name in ACCOUNTS]
        self.names: list[tuple[Client, str, str, str]] = []
        self.step = 0

    def run(self, steps: int) -> None:
        """Do something so many times; one answer to each request."""
        deeds: list[tuple[Callable[[Client], None], int]] = [
            *((self._new, 55), (self._change, 18), (self._cancel, 8), (self._ask, 4)),
            *((self._many, 3), (self._wait, 8), (self._leave, 3)),
        ]
        what = [deed for deed, _ in deeds]
        weights = [weight for _, weight in deeds]
        for self.step in range(steps):
            client = self.dice.choice(self.clients)
            if not client.is_connected:
                client.connect()
                client.send(f"35=A|98=0|{self._logon()}")
            self.dice.choices(what, weights)[0](client)

    def _logon(self) -> str:
        one = self.dice.choice
        policy = one(("", "8013=Y|", "8013=N|", "8013=D|", "8674=0|"))
        more = one(("", "8014=A|", "8015=5|")) + one(("", "8020=Y|")) + one(("", "7928=X|"))
        return f"108=30|{policy}{more}"

    def _terms(self, old: str = "") -> str:
        """Terms of an order, or others of the same kind."""
        dice, price = self.dice, self.dice.choice(PRICES)
        kind = old[3:4] if old else dice.choices("234J1Pc", (60, 8, 8, 6, 6, 6, 6))[0]
        quantity = f"{dice.randint(1, 12) / 2:g}"
        if kind in "1c":
            amount = f"152={dice.randint(1, 900)}|" if kind == "c" else f"38={quantity}|"
            return f"40=1|{amount}59={dice.choice('13461')[0]}|"
        terms = f"40={kind}|38={quantity}|"
        if kind in "24" or (kind == "J" and ("|44=" in old if old else dice.random() < 0.5)):
            terms += f"44={price}|"
        if kind in "34J":
            terms += f"99={dice.choice(PRICES)}|" + (dice.choice(("", "1107=1|", "1107=3|")))
        if kind == "P":
            return terms + f"18=a|211={dice.choice((1, 3))}|836={dice.choice('02')}|"
        return terms + self._conditions()

    def _conditions(self) -> str:
        dice, world = self.dice, self.world
        wanted = (
            *("18=6|", "18=A|8019=1|", "111=0.5|", "110=1|", "59=0|", "59=3|", "59=4|"),
            f"59=6|126={timestamp(world, dice.randint(-1, 60))}|",
            *(f"168={timestamp(world, dice.randint(-1, 30))}|", "7928=D|", "7928=B|", "8013=Y|"),
            *("8013=N|", "8016=5|"),
        )
        return "".join(one for one in wanted if dice.random() < 0.07)

    def _new(self, client: Client) -> None:
        side, terms, name = self.dice.choice("12"), self._terms(), f"n{self.step}"
        self._request(client, f"35=D|11={name}|55=BTC/USD|54={side}|60=<now>|{terms}")
        self.names.append((client, name, side, terms))

    def _change(self, client: Client) -> None:
        if self.names:
            client, old, side, had = self._known(client)
            terms, name = self._terms(had), f"n{self.step}"
            head = f"35=G|11={name}|41={old}|55=BTC/USD|54={side}|60=<now>|"
            self._request(client, head + terms)
            self.names.append((client, name, side, terms))

    def _known(self, client: Client) -> tuple[Client, str, str, str]:
        """An order, and who is to say something about it: mostly the one that placed it."""
        owner, name, side, terms = self.dice.choice(self.names[-25:])
        if owner.is_connected and self.dice.random() < 0.8:
            client = owner
        return client, name, side, terms

    def _cancel(self, client: Client) -> None:
        if self.names:
            client, old, side, _ = self._known(client)
            head = f"35=F|11=n{self.step}|41={old}|55=BTC/USD|54={side}|60=<now>|"
            self._request(client, head)

    def _ask(self, client: Client) -> None:
        if self.names:
            client, old, side, _ = self._known(client)
            self._request(client, f"35=H|11={old}|55=BTC/USD|54={side}|", is_question=True)

    def _many(self, client: Client) -> None:
        kind = self.dice.choice(("7|", "6|", "1|55=BTC/USD|", "3|460=4|", "2|", "7|54=1|"))
        if self.dice.random() < 0.5:
            client.ask(f"35=AF|584=q{self.step}|585={kind}")
            return
        reports = client.ask(f"35=q|11=n{self.step}|60=<now>|530={kind}")
        answers = [one for one in reports if one[35] == "r"]
        assert [one[11] for one in answers] == [f"n{self.step}"]

    def _wait(self, client: Client) -> None:
        self.world.pass_time(self.dice.choice((0.001, 0.5, 5.0, 12.0)))

    def _leave(self, client: Client) -> None:
        client.drop() if self.dice.random() < 0.5 else client.send("35=5|")
        client.is_connected = False

    def _request(self, client: Client, text: str, is_question: bool = False) -> None:
        before = client.seq
        reports = client.ask(text)
        answers = [one for one in reports if _answers(one, text, before, is_question)]
        assert len(answers) == 1, (text, reports)


def _answers(report: Report, text: str, seq: int, is_question: bool) -> bool:
    """Whether a message is the one answer to a request, not something that followed from it."""
    if report[35] in "3j":
        return report[45] == str(seq)
    name = text.partition("|11=")[2].partition("|")[0]
    if report[35] == "9":
        return report[11] == name
    if is_question:
        return report[150] == "I"
    expected = {"D": "08A", "G": "5", "F": "4"}[text[3]]
    is_asked_for = text[3] != "F" or 41 in report
    return report[35] == "8" and report[11] == name and report[150] in expected and is_asked_for


@pytest.mark.parametrize("seed", range(3))
def test_a_day_of_everything(make: MakeWorld, seed: int) -> None:
    day = Day(make(RULES, ACCOUNTS), seed)
    try:
        day.run(80)
    except Exception as error:
        error.add_note(f"seed {seed}")
        raise
