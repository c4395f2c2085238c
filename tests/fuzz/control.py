"""The well-behaved client beside the vandals: it trades all along, and must be answered in time."""

from __future__ import annotations

import threading
from time import monotonic, sleep
from typing import Final

from tests.fuzz.corpus import now_text
from tests.fuzz.venue import FuzzError
from tests.support.tcp import TcpClient

_PAUSE_S: Final = 0.02
#: (ClOrdID suffix, ExecType) of the reports of one round, in order.
_ROUND: Final = [
    *(("a", "0"), ("b", "0"), ("b", "F"), ("a", "F")),
    *(("c", "0"), ("d", "5"), ("d", "I"), ("e", "4")),
]


class Control(threading.Thread):
    """Trades with itself in a symbol of its own, in rounds whose reports are known beforehand."""

    def __init__(self, port: int, bound_s: float) -> None:
        super().__init__(daemon=True)
        self.rounds = 0
        self.worst_s = 0.0
        self._bound_s = bound_s
        self._client = TcpClient("CONTROL")
        self._client.connect(port)
        self._asked_at = 0.0
        self._ending = threading.Event()
        self._error: BaseException | None = None

    def run(self) -> None:
        """Round after round until `finish`."""
        try:
            while not self._ending.is_set():
                self.trade()
                sleep(_PAUSE_S)
        except BaseException as error:
            self._error = error

    def trade(self) -> None:
        """One round; raises FuzzError when the answers are not those that belong to it."""
        client, name = self._client, f"r{self.rounds}"
        client.reports.clear()
        client._sent.clear()
        terms = ((55, "ETH/BTC"), (60, now_text()))
        limit = (*terms, (40, 2), (44, "0.05"))
        client.send("D", (11, f"{name}a"), (54, 1), (38, 2), *limit)
        client.send("D", (11, f"{name}b"), (54, 2), (38, 2), *limit)
        client.send("D", (11, f"{name}c"), (54, 1), (38, 2), *limit)
        client.send("G", (11, f"{name}d"), (41, f"{name}c"), (54, 1), (38, 1), *limit)
        client.send("H", (11, f"{name}d"), (55, "ETH/BTC"), (54, 1))
        client.send("F", (11, f"{name}e"), (41, f"{name}d"), (54, 1), *terms)
        self._asked_at = monotonic()
        client.settle()
        self.worst_s = max(self.worst_s, monotonic() - self._asked_at)
        self._asked_at = 0.0
        answers = [(report.get(11, ""), report.get(150, "")) for report in client.reports]
        expected = [(name + suffix, kind) for suffix, kind in _ROUND]
        if sorted(answers) != sorted(expected):
            raise FuzzError(f"the control session was answered {answers}, not {expected}")
        self.rounds += 1

    def check(self) -> None:
        """Raises FuzzError when the control session failed, or waits for too long."""
        if self._error is not None:
            raise FuzzError(f"the control session failed: {self._error!r}") from self._error
        asked_at = self._asked_at
        waited_s = monotonic() - asked_at if asked_at else 0.0
        if max(waited_s, self.worst_s) > self._bound_s:
            raise FuzzError(f"no answer within {self._bound_s:g} s, a hang")

    def finish(self) -> None:
        """Stop trading, answered for everything."""
        self._ending.set()
        self.join(self._bound_s + 1)
        self.check()
        if self.is_alive():
            raise FuzzError("the control session does not come to an end")

    def resume(self, port: int) -> None:
        """Log on to the venue as it was started again, and trade a round."""
        self._client.drop()
        self._client.connect(port)
        self.trade()

    def close(self) -> None:
        """Hang up."""
        self._ending.set()
        self._client.drop()
