"""The orders of the day, and what is wrong with some: "seller > " sends, "seller < " expects."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from tests.interop.script.client import Client
from tests.interop.script.fix import TEXT

#: Step by step; each builds on those before.
ORDERS: Final = {
    "rest": """
        seller > 35=D 11=s1 1=ACC 55=BTC/USD 54=2 38=2 40=2 44=100
        seller < 35=8 150=0 39=0 11=s1 1=ACC 37=* 17=* 55=BTC/USD 54=2 38=2 40=2 44=100 59=1 \
            151=2 14=0 6=0 60=* !41 !58 !31 !32
        """,
    "status": """
        seller > 35=H 11=s1 55=BTC/USD 54=2 790=q1
        seller < 35=8 150=I 39=0 11=s1 790=q1 151=2 14=0 6=0
        """,
    "trade part of it": """
        buyer > 35=D 11=b1 55=BTC/USD 54=1 38=0.5 40=2 44=100.5 59=1
        buyer < 35=8 150=0 39=0 11=b1 151=0.5 14=0 6=0
        buyer < 35=8 150=F 39=2 11=b1 31=100 32=0.5 151=0 14=0.5 6=100 851=2
        seller < 35=8 150=F 39=1 11=s1 31=100 32=0.5 151=1.5 14=0.5 6=100 851=1 38=2
        """,
    "replace it": """
        seller > 35=G 11=s2 41=s1 55=BTC/USD 54=2 38=3 40=2 44=101
        seller < 35=8 150=5 39=1 11=s2 41=s1 38=3 44=101 151=2.5 14=0.5 6=100 !31 !32
        """,
    "trade at a second price": """
        buyer > 35=D 11=b2 55=BTC/USD 54=1 38=1.5 40=2 44=101
        buyer < 35=8 150=0 39=0 11=b2 151=1.5 14=0 6=0
        buyer < 35=8 150=F 39=2 11=b2 31=101 32=1.5 151=0 14=1.5 6=101
        seller < 35=8 150=F 39=1 11=s2 31=101 32=1.5 151=1 14=2 6=100.75 !41
        """,
    "cancel it": """
        seller > 35=F 11=s3 41=s2 55=BTC/USD 54=2
        seller < 35=8 150=4 39=4 11=s3 41=s2 151=0 14=2 6=100.75 !58 !378
        """,
    "cancel it again": """
        seller > 35=F 11=s4 41=s3 55=BTC/USD 54=2
        seller < 35=9 11=s4 41=s3 37=* 39=4 102=0 434=1 58=*
        """,
    "market order against the other side": """
        buyer > 35=D 11=b3 55=BTC/USD 54=1 38=1 40=2 44=99
        buyer < 35=8 150=0 39=0 11=b3 151=1
        seller > 35=D 11=s5 55=BTC/USD 54=2 38=0.4 40=1
        seller < 35=8 150=0 39=0 11=s5 40=1 151=0.4 !44
        seller < 35=8 150=F 39=2 11=s5 31=99 32=0.4 151=0 14=0.4 6=99
        buyer < 35=8 150=F 39=1 11=b3 31=99 32=0.4 151=0.6 14=0.4 6=99
        """,
    "immediate or cancel": """
        seller > 35=D 11=s6 55=BTC/USD 54=2 38=1 40=2 44=99 59=3
        seller < 35=8 150=0 39=0 11=s6 59=3 151=1
        seller < 35=8 150=F 39=1 11=s6 31=99 32=0.6 151=0.4 14=0.6
        seller < 35=8 150=4 39=4 11=s6 151=0 14=0.6 6=99 58=* 378=* !41
        buyer < 35=8 150=F 39=2 11=b3 31=99 32=0.6 151=0 14=1 6=99
        """,
}

#: Each is answered by one message that says what is wrong.
BAD_INPUT: Final = {
    "unknown symbol": """
        buyer > 35=D 11=x1 55=DOGE/USD 54=1 38=1 40=2 44=100
        buyer < 35=8 150=8 39=8 11=x1 103=1 37=* 17=* 58=* 151=0 14=0 6=0
        """,
    "price off the tick": """
        buyer > 35=D 11=x2 55=BTC/USD 54=1 38=1 40=2 44=100.05
        buyer < 35=8 150=8 39=8 11=x2 103=99 58=*
        """,
    "zero quantity": """
        buyer > 35=D 11=x3 55=BTC/USD 54=1 38=0 40=2 44=100
        buyer < 35=8 150=8 39=8 11=x3 103=13 58=*
        """,
    "quantity above the maximum": """
        buyer > 35=D 11=x9 55=BTC/USD 54=1 38=10001 40=2 44=100
        buyer < 35=8 150=8 39=8 11=x9 103=3 58=*
        """,
    "ClOrdID used before": """
        buyer > 35=D 11=b1 55=BTC/USD 54=1 38=1 40=2 44=100
        buyer < 35=8 150=8 39=8 11=b1 103=6 58=*
        """,
    "cancel of an unknown order": """
        buyer > 35=F 11=x4 41=nobody 55=BTC/USD 54=1
        buyer < 35=9 11=x4 41=nobody 37=NONE 39=8 102=1 434=1 58=*
        """,
    "replacement of an unknown order": """
        buyer > 35=G 11=x10 41=nobody 55=BTC/USD 54=1 38=1 40=2 44=100
        buyer < 35=9 11=x10 41=nobody 37=NONE 39=8 102=1 434=2 58=*
        """,
    "status of an unknown order": """
        buyer > 35=H 11=nobody 55=BTC/USD 54=1
        buyer < 35=8 150=I 39=8 11=nobody 37=NONE 103=5 58=* 151=0 14=0
        """,
    "limit order without a price": """
        buyer > 35=D 11=x5 55=BTC/USD 54=1 38=1 40=2
        buyer < 35=j 372=D 379=x5 380=5 58=*
        """,
    "value outside the dictionary": """
        buyer > 35=D 11=x6 55=BTC/USD 54=1 38=1 40=5 44=100
        buyer < 35=3 45=* 372=D 371=40 373=5 58=*
        """,
    "field outside the dictionary": """
        buyer > 35=D 11=x7 55=BTC/USD 54=1 38=1 40=2 44=100 388=0
        buyer < 35=3 45=* 372=D 371=388 58=*
        """,
    "message type outside the dictionary": """
        buyer > 35=BE 923=u1 924=1 553=me
        buyer < 35=j 45=* 372=BE 380=3 58=*
        """,
    "message type that is the venue's": """
        buyer > 35=9 37=1 11=x8 41=x8 39=8 434=1
        buyer < 35=j 45=* 372=9 380=3 58=*
        """,
}


async def converse(clients: Mapping[str, Client], lines: str) -> str:
    """Send and expect, line by line; what the venue says in words with the last of its answers."""
    remark = ""
    for line in filter(None, map(str.strip, lines.splitlines())):
        role, way, text = line.split(maxsplit=2)
        if way == ">":
            clients[role].send(text)
        else:
            remark = (await clients[role].expect(text)).get(TEXT) or ""
    return remark
