"""A venue with two funds and sessions that watch them."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from config.settings import Settings
from sessions.journal import SEGMENT_BYTES
from tests.support.world import Client, World

#: CompID -> account, rights, copies
SESSIONS: Final[dict[str, tuple[str, tuple[str, ...], tuple[str, ...]]]] = {
    "A1": ("FUND-A", ("orders",), ()),
    "A2": ("FUND-A", ("orders",), ()),
    "B1": ("FUND-B", ("orders",), ()),
    "DESK": ("FUND-A", ("orders", "drop-copy"), ()),
    "WATCHA": ("FUND-A", ("drop-copy",), ()),
    "WATCHB": ("OFFICE", ("drop-copy",), ("FUND-B",)),
    "RISK": ("OFFICE", ("drop-copy",), ("*",)),
}
Sessions = dict[str, tuple[str, tuple[str, ...], tuple[str, ...]]]


def settings(sessions: Sessions = SESSIONS, **venue: object) -> Settings:
    """Settings with these sessions."""
    accounts: dict[str, list[dict[str, object]]] = {}
    for comp_id, (account, rights, copies) in sessions.items():
        one: dict[str, object] = {
            "comp_id": comp_id,
            "rights": rights,
            "copies": copies,
            "addresses": ["127.0.0.1"],
        }
        accounts.setdefault(account, []).append(one)
    return Settings.model_validate(
        {
            "access": {"policy": "accounts"},
            "accounts": [{"name": name, "sessions": some} for name, some in accounts.items()],
            "venue": venue,
        }
    )


def venue(
    directory: Path | None = None,
    sessions: Sessions = SESSIONS,
    segment_bytes: int = SEGMENT_BYTES,
) -> World:
    """The venue of these sessions."""
    return World(directory, settings(sessions), segment_bytes=segment_bytes)


class Funds:
    """A session of each fund, which trade with each other."""

    def __init__(self, world: World) -> None:
        self.a = world.client("A1", "141=Y|108=30|")
        self.b = world.client("B1", "141=Y|108=30|")

    def trade(self, number: int = 0) -> None:
        """Every kind of report comes of it: 5 for A1 that are no answers, 2 for B1."""
        a, b = self.a, self.b
        a.order(f"a{number}", "buy", "1", "100", "1=SUB|59=1|")
        b.order(f"b{number}", "sell", "0.4", "99")
        a.order(f"bad{number}", "buy", "1", "100.05")
        a.ask(f"35=H|11=a{number}|55=BTC/USD|54=1|")
        a.ask(f"35=G|11=r{number}|41=a{number}|55=BTC/USD|54=1|60=<now>|38=2|40=2|44=100|")
        a.ask(f"35=F|11=c{number}|41=r{number}|55=BTC/USD|54=1|60=<now>|")
        a.ask(f"35=F|11=d{number}|41=r{number}|55=BTC/USD|54=1|60=<now>|")

    def drop(self) -> None:
        """Both lose their connections."""
        self.a.drop()
        self.b.drop()


def reports(client: Client) -> list[dict[int, str]]:
    """The ExecutionReports that have come since anybody looked."""
    return [one for one in client.take() if one[35] == "8"]
