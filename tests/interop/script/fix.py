"""FIX messages as text, so that the script reads like a log: "35=D 55=BTC/USD 38=0.5".

In what is expected, "58=*" is a field that has to be there, and "!41" one that must not be.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Final

SOH: Final = "\x01"
MSG_TYPE: Final = 35
MSG_SEQ_NUM: Final = 34
POSS_DUP: Final = 43
EXEC_ID: Final = 17
TEXT: Final = 58
TRANSACT_TIME: Final = 60
#: The requests that need TransactTime.
_TIMED: Final = frozenset("DFG")
#: Prices and quantities: 100 and 100.0 are the same to a client.
_DECIMALS: Final = frozenset((6, 14, 31, 32, 38, 44, 151))


class Failure(Exception):  # noqa: N818 - what a step ends with is no mistake of the program
    """The venue, or the engine, did not do what the script expects; says what."""


def unless(is_so: bool, complaint: str) -> None:
    """Raise Failure when it is not so."""
    if not is_so:
        raise Failure(complaint)


@dataclass(frozen=True, slots=True)
class Message:
    """A message as the engine has it; of repeated tags, which no step uses, the first."""

    raw: str
    fields: dict[int, str]

    @classmethod
    def parse(cls, raw: str) -> Message:
        """From what a program prints."""
        fields: dict[int, str] = {}
        for field in raw.strip(SOH).split(SOH):
            tag, _, value = field.partition("=")
            fields.setdefault(int(tag), value)
        return cls(raw, fields)

    def get(self, tag: int) -> str | None:
        """A field; None when it is not there."""
        return self.fields.get(tag)

    def number(self, tag: int) -> int:
        """A field that has to be there and a whole number."""
        return int(self.fields[tag])

    @property
    def type(self) -> str:
        """MsgType."""
        return self.fields[MSG_TYPE]

    @property
    def is_dup(self) -> bool:
        """Whether it is sent again."""
        return self.get(POSS_DUP) == "Y"

    def check(self, expected: str) -> None:
        """Raise Failure when it is not as expected; fields that are not named may be anything."""
        for field in expected.split():
            is_absent = field.startswith("!")
            tag, _, wanted = field.removeprefix("!").partition("=")
            value = self.get(int(tag))
            is_good = value is None if is_absent else _is_as_wanted(int(tag), value, wanted)
            unless(is_good, f"expected {field} in {self}")

    def __str__(self) -> str:
        return self.raw.replace(SOH, "|")


def request(text: str) -> str:
    """A request as the program takes it, with TransactTime if need be; its header is the engine's.

    "35=D 11=b1" or, for values with spaces, the same with SOH in between.
    """
    fields = text.split(SOH if SOH in text else None)
    if fields[0].removeprefix(f"{MSG_TYPE}=") in _TIMED:
        now = datetime.now(UTC).strftime("%Y%m%d-%H:%M:%S.%f")[:-3]
        fields.append(f"{TRANSACT_TIME}={now}")
    return SOH.join(fields)


def _is_as_wanted(tag: int, value: str | None, wanted: str) -> bool:
    if value is None:
        return False
    if wanted == "*":
        return bool(value)
    return Decimal(value) == Decimal(wanted) if tag in _DECIMALS else value == wanted
