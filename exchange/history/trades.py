"""ExecutionReports as TradeCaptureReports: one side of a trade.

In tag order, but for the sides, which come last: quickfixgo takes what follows a group that has
groups of its own for a part of it.
"""

from __future__ import annotations

from typing import Final

from exchange.copies import joined, party_fields
from fix_engine import tags

_FEES: Final = (b"136", b"137", b"138", b"139")
_MAKER: Final = b"1"  # LastLiquidityInd (851)


def fields_of(fields: list[bytes]) -> dict[bytes, bytes]:
    """By tag; of Parties, which an original has not, only the last would be there."""
    return dict(field.split(b"=", 1) for field in fields)


def trade_report(
    fields: dict[bytes, bytes], account: bytes, comp_id: bytes, request_id: bytes, is_last: bool
) -> bytes:
    """The body of a TradeCaptureReport; `fields` are those of the report of the fill."""
    time = fields[tags.TRANSACT_TIME]
    liquidity = fields.get(tags.LAST_LIQUIDITY_IND, b"")
    sides = [
        b"552=1",
        b"54=%b" % fields[tags.SIDE],
        b"37=%b" % fields[tags.ORDER_ID],
        b"11=%b" % fields[tags.CL_ORD_ID],
        *party_fields(comp_id, fields.get(tags.ACCOUNT)),
        b"1=%b" % account,
        *(b"%b=%b" % (tag, fields[tag]) for tag in _FEES if tag in fields),
    ]
    return joined(
        [
            b"17=%b" % fields[tags.EXEC_ID],
            b"31=%b" % fields[tags.LAST_PX],
            b"32=%b" % fields[tags.LAST_QTY],
            b"39=%b" % fields[tags.ORD_STATUS],
            b"55=%b" % fields[tags.SYMBOL],
            b"60=%b" % time,
            b"75=%b" % time[:8],
            b"150=F",
            b"568=%b" % request_id,
            b"570=N",
            b"571=%b" % fields[tags.EXEC_ID],
            b"851=%b" % liquidity,
            b"880=%b" % _match_id(fields[tags.EXEC_ID], liquidity),
            *((b"912=Y",) if is_last else ()),
            *sides,
        ]
    )


def _match_id(exec_id: bytes, liquidity: bytes) -> bytes:
    """TrdMatchID: the ExecID of the taker's side, whose report comes right before the maker's."""
    if liquidity != _MAKER:
        return exec_id
    position, _, index = exec_id.partition(b"-")
    return b"%b-%d" % (position, int(index) - 1)
