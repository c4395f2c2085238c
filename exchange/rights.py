"""The rights of a session, and the messages that need them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

#: Right -> MsgTypes that need it. What is in no row needs none: reference data, News, questions
#: that the venue does not answer anyway.
_NEEDED_BY: Final = {
    "orders": b"D E G K L M AB AC i s t u".split(),  # to cancel and to ask is everybody's right
    "market-data": b"R V".split(),
    "drop-copy": b"AD AQ".split(),
}


def withheld_types(rights: Iterable[str]) -> dict[bytes, str]:
    """The MsgTypes that a session with only these rights may not send, and what each needs."""
    missing = _NEEDED_BY.keys() - set(rights)
    return {msg_type: right for right in sorted(missing) for msg_type in _NEEDED_BY[right]}


def copied_accounts(rights: Iterable[str], named: tuple[str, ...], own: str) -> tuple[str, ...]:
    """The accounts whose reports a session gets copies of: those named, else its own."""
    return (named or (own,)) if "drop-copy" in rights else ()
