"""A venue to ask about its instruments, with accounts that pay different fees."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from config.settings import Settings
from exchange.control_file import ControlFile, Wanted, Wish
from exchange.rules import AccountRules, InstrumentRules
from exchange.service import make_rules
from fix_engine.validation import Validator
from tests.support.messages import decode, dictionary
from tests.support.world import Client, World

LIMITED = InstrumentRules("ABC/EUR", "EUR", "0.5", "0.25", "1", "100", "0.05", "10", "5000.5")
PLAIN = InstrumentRules("XYZ/BTC", "BTC", "0.00001", "1", "2", "1000000")
ACCOUNTS = (
    AccountRules("acme", "-0.0001", "0.001"),
    AccountRules("other", "0.002", "0.003"),
)


def asked_world(
    directory: Path | None = None, instruments: tuple[InstrumentRules, ...] = (LIMITED, PLAIN)
) -> World:
    """Sessions ACME and OTHER, of accounts that pay different fees."""
    rules = replace(make_rules(Settings()), instruments=instruments, accounts=ACCOUNTS)
    names = {"ACME": "acme", "ACME2": "acme", "OTHER": "other"}
    return World(directory, rules=rules, accounts=names)


def fresh(world: World, comp_id: str = "ACME") -> Client:
    """A client that is logged on and has nothing unread."""
    client = world.client(comp_id)
    client.take()
    return client


def shown(client: Client, count: int = 1) -> list[str]:
    """The last messages as they came, behind the header and without CheckSum."""
    fields = [raw.decode("latin-1").rstrip("\x01").split("\x01") for raw in client.raw[-count:]]
    header = ("8", "9", "34", "49", "52", "56", "10")
    return [
        "|".join(one for one in message if one.partition("=")[0] not in header)
        for message in fields
    ]


def entries_of(raw: bytes) -> list[dict[str, str]]:
    """The instruments of a SecurityList, each by tag."""
    found: list[dict[str, str]] = []
    for field in raw.decode("latin-1").rstrip("\x01").split("\x01"):
        tag, _, value = field.partition("=")
        if tag == "55":
            found.append({})
        if found and tag != "10":
            found[-1][tag] = value
    return found


def check_sent(*clients: Client) -> None:
    """Everything that the venue has sent is what the dictionary says."""
    validator = Validator(dictionary())
    for client in clients:
        for raw in client.raw:
            refusal = validator.check(decode(raw))
            assert refusal is None, f"{raw!r}: {refusal}"


def set_market(world: World, symbol: str, state: str, reason: str = "") -> None:
    """What an operator does, and the second that the venue takes to see it."""
    assert world.journal.path is not None

    def edit(file: Wanted) -> None:
        file.markets[symbol] = Wish(state, reason)

    ControlFile(world.journal.path).change(edit)
    world.pass_time(1.1)
