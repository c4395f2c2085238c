"""What a venue says, in the few words that both venues have for it."""

from __future__ import annotations

from tests.judge.meaning import lots, ticks
from tests.judge.steps import Fields, Report

#: Session, kind; then, of orders, OrdStatus (39), ClOrdID (11), LeavesQty, CumQty, LastQty, LastPx.
Said = tuple[int | str, ...]


def said_of(report: Report, fields: Fields) -> Said:
    """A report as the naive venue would say it."""
    session, kind = report.session, report.msg_type
    if kind == "j":
        return session, "refused", "?"
    if kind == "r":
        return (session, "refused", "") if 532 in fields else (session, "r", fields[531])
    if kind == "f":
        return session, "f", fields[55], fields[8021]
    if kind == "9":
        return session, "refused", fields[39]
    if fields[37] == "NONE" or 103 in fields:
        return session, "refused", "8"
    symbol = fields[55]
    figures = lots(symbol, fields[151]), lots(symbol, fields[14])
    last = lots(symbol, fields.get(32, "0")), ticks(symbol, fields.get(31, "0"))
    return session, fields[150], fields[39], fields[11], *figures, *last


def agree(expected: list[Said], actual: list[Said]) -> bool:
    """Whether both say the same; a BusinessMessageReject does not say how the order stands."""
    if len(expected) != len(actual):
        return False
    for one, other in zip(expected, actual, strict=True):
        is_vague = other[1:] == ("refused", "?") and one[:2] == other[:2]
        if one != other and not is_vague:
            return False
    return True
