"""`seamark market`, `account`, `funds` and `maintenance`: the operator's hand on a venue."""

from __future__ import annotations

import secrets
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from config.settings import ConfigError, Settings, load
from exchange.control_file import RUNNING, STOPPED, ControlFile, Transfer, Wanted, Wish
from exchange.controls import MARKET_STATES, ControlError
from sessions.maintenance import MAX_SECONDS, MaintenanceError, MaintenancePlan, plan_from
from sessions.timetable import utc

ConfigFile = Annotated[
    Path | None, typer.Option("--config", help="TOML settings, which say where the journal is.")
]
Data = Annotated[Path | None, typer.Option("--data", help="Directory of the journal.")]
Reason = Annotated[str, typer.Option("--reason", help="What clients are told besides.")]
_ACTIONS = {"stop": STOPPED, "resume": RUNNING}
_STATES = ", ".join(MARKET_STATES)
_DELISTED = "delisted"


def market_command(
    words: Annotated[
        list[str] | None, typer.Argument(metavar="[SYMBOL] [STATE]", help=f"States: {_STATES}.")
    ] = None,
    config: ConfigFile = None,
    data: Data = None,
    every: Annotated[bool, typer.Option("--all", help="Every instrument.")] = False,
    reason: Reason = "",
) -> None:
    """Say what an instrument takes, or show what was said.

    The running venue does it within a second and tells everybody who is logged on; one that is not
    running does it when it starts. While an instrument is not open no stop order in it triggers.
    Delisted is for good, and cancels every order in it.
    """
    with _one_line():
        settings, file = _opened(config, data)
        symbols = [one.symbol for one in settings.instruments]
        given = list(words or ())
        if every:
            given.insert(0, "")
        if len(given) > 2 or (every and len(given) < 2):
            raise ControlError(f"it is SYMBOL STATE or --all STATE; states are {_STATES}")
        if given and not every:
            symbols = [_known(given[0], symbols, "instrument")]
        if len(given) == 2:
            file.change(lambda wanted: _set_markets(wanted, symbols, given[1], reason))
        markets = file.read().markets
        for symbol in symbols:
            _show(symbol, markets.get(symbol, Wish("open")))


def account_command(
    name: Annotated[str | None, typer.Argument(help="Of [[accounts]], or a CompID.")] = None,
    action: Annotated[str | None, typer.Argument(help="stop or resume.")] = None,
    config: ConfigFile = None,
    data: Data = None,
    reason: Reason = "",
) -> None:
    """Stop an account, let it trade again, or show what was said.

    Within a second the running venue cancels all its open orders and takes no new ones until it
    may trade again. Without [[accounts]] each session is an account, called by its CompID.
    """
    with _one_line():
        settings, file = _opened(config, data)
        names = [one.name for one in settings.accounts]
        if name is not None and names:
            _known(name, names, "account")
        if name is not None and action is not None:
            if action not in _ACTIONS:
                raise ControlError(f"{action!r} is nothing to do with an account; stop, resume are")
            wish = Wish(_ACTIONS[action], reason)
            file.change(lambda wanted: wanted.accounts.update({name: wish}))
        accounts = file.read().accounts
        for one in [name] if name is not None else names or sorted(accounts):
            _show(one, accounts.get(one, Wish(RUNNING)))


def funds_command(
    action: Annotated[str | None, typer.Argument(help="deposit or withdraw.")] = None,
    account: Annotated[str | None, typer.Argument(help="Of [[accounts]], or a CompID.")] = None,
    currency: Annotated[str | None, typer.Argument(help="Such as USD.")] = None,
    amount: Annotated[str | None, typer.Argument(help="Such as 1000.50.")] = None,
    config: ConfigFile = None,
    data: Data = None,
    transfer_id: Annotated[
        str | None, typer.Option("--id", help="Of the transfer, which happens once for each id.")
    ] = None,
    reason: Reason = "",
) -> None:
    """Deposit funds, withdraw them, or show what was asked for.

    The running venue does it within a second. A withdrawal of more than is free is refused, and
    its id used up; the log says so.
    """
    with _one_line():
        settings, file = _opened(config, data)
        if action is None:
            for name, one in file.read().transfers.items():
                _show_transfer(name, one)
            return
        if action not in ("deposit", "withdraw") or not (account and currency and amount):
            raise ControlError("it is deposit ACCOUNT CURRENCY AMOUNT, or withdraw likewise")
        if settings.accounts:
            _known(account, [one.name for one in settings.accounts], "account")
        currencies = {part for one in settings.instruments for part in one.symbol.split("/")}
        _known(currency, sorted(currencies), "currency")
        if amount.startswith("-") or not amount.strip("0."):
            raise ControlError(f"{amount} is no amount above zero")
        signed = amount if action == "deposit" else f"-{amount}"
        name = transfer_id or secrets.token_hex(8)
        transfer = Transfer(account, currency, signed, reason)
        file.change(lambda wanted: _add_transfer(wanted, name, transfer))
        _show_transfer(name, transfer)


def maintenance_command(
    config: ConfigFile = None,
    data: Data = None,
    starts_in: Annotated[
        int, typer.Option(help="Seconds until it starts.", min=0, max=MAX_SECONDS)
    ] = 600,
    lasts: Annotated[
        int | None, typer.Option(help="Seconds that it lasts.", min=1, max=MAX_SECONDS)
    ] = None,
    reason: Annotated[str, typer.Option(help="What everybody is told.")] = "maintenance",
    cancel: Annotated[bool, typer.Option("--cancel", help="Call it off, or end it now.")] = False,
) -> None:
    """Plan maintenance of a running venue, call it off, or show what is planned.

    Everybody is told by News, counting down as [schedule] announce_s says; then everybody is logged
    out, and told when to come again. The venue keeps running, and its plan outlives a restart.
    """
    with _one_line():
        plan = MaintenancePlan(load(config, {"journal": {"directory": data}}).journal.directory)
        if cancel:
            print("Called off." if plan.cancel() else "Nothing was planned.")
            return
        if lasts is not None:
            plan.write(plan_from(time.time_ns(), starts_in, lasts, reason))
        planned = plan.read()
        if planned is None or planned.ends <= time.time_ns():
            print("Nothing is planned; --lasts SECONDS plans something.")
        else:
            print(f"Planned: {planned.reason}, {utc(planned.starts)} to {utc(planned.ends)} UTC.")


def _add_transfer(wanted: Wanted, name: str, transfer: Transfer) -> None:
    if wanted.transfers.setdefault(name, transfer) != transfer:
        raise ControlError(f"there is another transfer with the id {name}")


def _show_transfer(name: str, one: Transfer) -> None:
    reason = f"  ({one.reason})" if one.reason else ""
    print(f"{name}  {one.account}  {one.amount} {one.currency}{reason}")


def _set_markets(wanted: Wanted, symbols: list[str], state: str, reason: str) -> None:
    for symbol in symbols:
        known = wanted.markets.get(symbol)
        if known is not None and known.state == _DELISTED:
            if len(symbols) == 1 and state != _DELISTED:
                raise ControlError(f"{symbol} is delisted, which is for good")
            continue
        wanted.markets[symbol] = Wish(state, reason)


def _known(name: str, names: list[str], kind: str) -> str:
    if name not in names:
        raise ControlError(f"{name} is no {kind} of the settings: {', '.join(names[:10])}")
    return name


def _show(name: str, wish: Wish) -> None:
    print(f"{name}  {wish.state}{f'  ({wish.reason})' if wish.reason else ''}")


def _opened(config: Path | None, data: Path | None) -> tuple[Settings, ControlFile]:
    settings = load(config, {"journal": {"directory": data}})
    return settings, ControlFile(settings.journal.directory)


@contextmanager
def _one_line() -> Iterator[None]:
    try:
        yield
    except (ConfigError, ControlError, MaintenanceError) as error:
        print(f"seamark: {error}", file=sys.stderr)
        raise typer.Exit(1) from None
