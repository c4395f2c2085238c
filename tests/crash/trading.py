"""What the clients do, and whether in the end everybody knows the same."""

from __future__ import annotations

from collections import Counter
from random import Random

from tests.crash.client import BrokenWordError, Client, Message


class Trader:
    """A client with its orders."""

    def __init__(self, client: Client) -> None:
        self.client = client
        self.orders: dict[str, str] = {}  # side by ClOrdID
        self.cancels: set[str] = set()

    def burst(self, rng: Random) -> None:
        """A few messages at once."""
        self.client.send(*[self._message(rng) for _ in range(rng.randint(1, 12))])

    def _message(self, rng: Random) -> tuple[str, str]:
        name = f"{self.client.comp_id}-{len(self.orders) + len(self.cancels)}"
        if self.orders and rng.random() < 0.2:
            target = rng.choice(list(self.orders)[-20:])
            self.cancels.add(name)
            side = self.orders[target]
            return "F", f"11={name}|41={target}|55=BTC/USD|54={side}|60=<now>|38=1|"
        side, price = rng.choice("12"), rng.randint(98, 102)
        self.orders[name] = side
        return (
            "D",
            f"11={name}|55=BTC/USD|54={side}|60=<now>|38={rng.randint(1, 9)}|40=2|44={price}|"
            f"59={rng.choice('1113')}|",
        )

    def check(self) -> None:
        """Every request has its answer, once; every order is what the venue says it is."""
        reports = [report for report in self.client.reports if report.get(150) != "I"]
        answers = Counter(
            report[11]
            for report in reports
            if report[35] == "9" or report[150] in "08" or report[11] in self.cancels
        )
        for name in (*self.orders, *self.cancels):
            if answers[name] != 1:
                what = "duplicated" if answers[name] else "lost"
                raise BrokenWordError(what, f"{name} was answered {answers[name]} times")
        told = {report[37]: _state(report) for report in reports if report[35] == "8"}
        before = len(self.client.reports)
        asked = [("H", f"11={name}|55=BTC/USD|54={self.orders[name]}|") for name in self.orders]
        self.client.send(*asked)
        self.client.settle()
        says = {report[37]: _state(report) for report in self.client.reports[before:]}
        if says != told:
            differ = {key: (says.get(key), told.get(key)) for key in {*says, *told}}
            wrong = {key: both for key, both in differ.items() if both[0] != both[1]}
            raise BrokenWordError(
                "lost", f"{self.client.comp_id}: the venue says, and said: {wrong}"
            )


def check_fills(traders: list[Trader]) -> int:
    """Who bought bought from somebody who sold; how many trades there were."""
    sides: dict[str, Counter[tuple[str, str, str]]] = {"1": Counter(), "2": Counter()}
    filled: Counter[str] = Counter()
    for trader in traders:
        for report in trader.client.reports:
            if report.get(150) == "F":
                position = report[17].partition("-")[0]
                sides[report[54]][position, report[31], report[32]] += 1
                filled[report[11]] += int(report[32])
                if filled[report[11]] != int(report[14]):
                    raise BrokenWordError(
                        "lost", f"fills add up to {filled[report[11]]} before {report}"
                    )
    if sides["1"] != sides["2"]:
        difference = (sides["1"] - sides["2"]) + (sides["2"] - sides["1"])
        raise BrokenWordError("lost", f"trades with one side only: {difference}")
    return sum(sides["1"].values())


def _state(report: Message) -> tuple[str, str, str]:
    return report[39], report[14], report[151]
