"""What an operator tells the venue, as the journal keeps it: one action a record, as JSON."""

from __future__ import annotations

import json
import re
from fractions import Fraction
from typing import Any, Final

from exchange.commands import MoveFunds, SetAccount, SetCopies, SetMarket
from exchange.venue.funds import FUNDS_DIGITS, amount_text
from exchange.venue.state import MarketState

Action = SetMarket | SetAccount | MoveFunds | SetCopies
_AMOUNT: Final = re.compile(r"-?\d{1,18}(\.\d{1,12})?")
MARKET_STATES: Final = {state.label.decode(): state for state in MarketState}


class ControlError(Exception):
    """What an operator wants cannot be understood, kept or done; says why in one line."""


def encode_control(command: Action) -> bytes:
    """The payload of a CONTROL record."""
    data: dict[str, Any] = {"reason": command.reason.decode("ascii")}
    if isinstance(command, SetMarket):
        data |= {"symbol": command.symbol.decode("ascii"), "state": command.state.label.decode()}
    elif isinstance(command, SetAccount):
        data |= {"account": command.account.decode("ascii"), "is_stopped": command.is_stopped}
    elif isinstance(command, SetCopies):
        copies = [name.decode("ascii") for name in command.copies]
        data |= {"session": command.session, "copies": copies}
    else:
        names = {"id": command.transfer_id, "account": command.account}
        names |= {"currency": command.currency, "amount": amount_text(command.amount)}
        data |= {name: value.decode("ascii") for name, value in names.items()}
    return json.dumps(data, sort_keys=True, separators=(",", ":")).encode("ascii")


def decode_control(payload: bytes) -> Action:
    """The command of a CONTROL record; raises ControlError."""
    try:
        data: dict[str, Any] = json.loads(payload)
        reason = str(data["reason"]).encode("ascii")
        if "symbol" in data:
            state = MARKET_STATES[data["state"]]
            return SetMarket(data["symbol"].encode("ascii"), state, reason)
        if "copies" in data:
            copies = tuple(str(name).encode("ascii") for name in data["copies"])
            return SetCopies(int(data["session"]), copies, reason)
        if "amount" in data:
            return MoveFunds(
                data["id"].encode("ascii"),
                data["account"].encode("ascii"),
                data["currency"].encode("ascii"),
                parse_amount(data["amount"]),
                reason,
            )
        return SetAccount(data["account"].encode("ascii"), bool(data["is_stopped"]), reason)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ControlError(f"the control record cannot be understood: {error!r}") from error


def parse_amount(text: str) -> int:
    """An amount in 10 ** -FUNDS_DIGITS; raises ValueError."""
    if _AMOUNT.fullmatch(text) is None:
        raise ValueError(f"{text!r} is no amount of at most 18 digits and 12 decimals")
    return int(Fraction(text) * 10**FUNDS_DIGITS)
