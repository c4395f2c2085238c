"""Why requests are refused: OrdRejReason (103) and BusinessRejectReason (380) of FIX 4.4."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

# OrdRejReason (103)
UNKNOWN_SYMBOL: Final = 1
EXCHANGE_CLOSED: Final = 2
EXCEEDS_LIMIT: Final = 3
TOO_LATE_TO_ENTER: Final = 4
UNKNOWN_ORDER: Final = 5
DUPLICATE_ORDER: Final = 6
UNSUPPORTED_CHARACTERISTIC: Final = 11
INCORRECT_QUANTITY: Final = 13
OTHER: Final = 99
# QuoteRejectReason (300) and QuoteEntryRejectReason (368); only the former has 99
QUOTE_UNKNOWN_SYMBOL: Final = 1
QUOTE_EXCHANGE_CLOSED: Final = 2
QUOTE_EXCEEDS_LIMIT: Final = 3
QUOTE_TOO_LATE: Final = 4
QUOTE_DUPLICATE: Final = 6
QUOTE_INVALID_SPREAD: Final = 7
QUOTE_INVALID_PRICE: Final = 8
QUOTE_NOT_AUTHORIZED: Final = 9
# BusinessRejectReason (380)
UNSUPPORTED_MESSAGE_TYPE: Final = 3
CONDITIONALLY_REQUIRED_FIELD_MISSING: Final = 5


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong with a request; `business_reason` where no order message can say it."""

    text: bytes
    reason: int = OTHER
    business_reason: int | None = None


def missing(text: bytes) -> Fault:
    """A field that only this kind of request needs is not there."""
    return Fault(text, OTHER, CONDITIONALLY_REQUIRED_FIELD_MISSING)


def unsupported(text: bytes) -> Fault:
    """Something that orders on this venue do not have."""
    return Fault(text, UNSUPPORTED_CHARACTERISTIC)
