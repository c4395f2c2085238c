"""Copies of what the account FUND does, again and as trades; and copies that nobody may send.

{buyer} is the session of the buyer, who has given BOOK7 as its own Account on some orders.
"""

from __future__ import annotations

from typing import Final

_COPY: Final = "35=8 797=Y 1=FUND !97 !568 17=* 37=*"
_SESSION: Final = "448={buyer} 447=D 452=36"
_CUSTOMER: Final = "448=BOOK7 447=D 452=24"
_FEES: Final = "137=* 138=* 139=*"

#: Step by step; each builds on those before.
COPIES: Final = {
    "copies of a trade": f"""
        buyer > 35=D 11=d1 1=BOOK7 55=BTC/USD 54=2 38=1 40=2 44=100
        buyer < 35=8 150=0 11=d1 1=BOOK7 !797 !453
        seller < {_COPY} 150=0 39=0 11=d1 54=2 38=1 44=100 151=1 | {_SESSION} | {_CUSTOMER}
        buyer > 35=D 11=d2 55=BTC/USD 54=1 38=0.4 40=2 44=100
        buyer < 35=8 150=0 11=d2
        buyer < 35=8 150=F 11=d2
        buyer < 35=8 150=F 11=d1
        seller < {_COPY} 150=0 39=0 11=d2 54=1 38=0.4 44=100 151=0.4 | {_SESSION}
        seller < {_COPY} 150=F 39=2 11=d2 31=100 32=0.4 151=0 136=1 {_FEES} 851=2 | {_SESSION}
        seller < {_COPY} 150=F 39=1 11=d1 31=100 32=0.4 151=0.6 136=1 {_FEES} 851=1 \
            | {_SESSION} | {_CUSTOMER}
        """,
    "copies of changes": f"""
        buyer > 35=G 11=d3 41=d1 1=BOOK7 55=BTC/USD 54=2 38=2 40=2 44=101
        buyer < 35=8 150=5 11=d3 41=d1
        seller < {_COPY} 150=5 39=1 11=d3 41=d1 38=2 44=101 151=1.6 | {_SESSION} | {_CUSTOMER}
        buyer > 35=D 11=d4 55=BTC/USD 54=1 38=0.00001 40=2 44=100
        buyer < 35=8 150=8 11=d4 103=* 58=*
        seller < {_COPY} 150=8 39=8 11=d4 103=* 58=* | {_SESSION}
        buyer > 35=H 11=d3 55=BTC/USD 54=2
        buyer < 35=8 150=I 11=d3
        buyer > 35=F 11=d5 41=d3 55=BTC/USD 54=2
        buyer < 35=8 150=4 11=d5 41=d3
        seller < {_COPY} 150=4 39=4 11=d5 41=d3 151=0 14=0.4 | {_SESSION} | {_CUSTOMER}
        """,
}

#: What the buyer does while the watcher is away.
AWAY: Final = """
    buyer > 35=D 11=d6 1=BOOK7 55=BTC/USD 54=2 38=1 40=2 44=100
    buyer < 35=8 150=0 11=d6
    buyer > 35=D 11=d7 55=BTC/USD 54=1 38=1 40=2 44=100
    buyer < 35=8 150=0 11=d7
    buyer < 35=8 150=F 11=d7
    buyer < 35=8 150=F 11=d6
    """
TWICE_AWAY: Final = """
    buyer > 35=D 11=d8 55=BTC/USD 54=2 38=1 40=2 44=100
    buyer < 35=8 150=0 11=d8
    buyer > 35=F 11=d9 41=d8 55=BTC/USD 54=2
    buyer < 35=8 150=4 11=d9 41=d8
    """

_TRADE: Final = "570=N 571=* 17=* 150=F 55=BTC/USD 60=* 75=* 552=1 37=* 1=FUND 880=*"
_TAKER: Final = f"35=AE {_TRADE} 54=1 851=2 136=1 {_FEES}"
_MAKER: Final = f"35=AE {_TRADE} 54=2 851=1 136=1 {_FEES}"

TRADES: Final = f"""
    seller > 35=AD 568=t1 569=0 580=2 75={{day}} 60={{now}} 75={{next_day}}
    seller < 35=AQ 568=t1 569=0 749=0 750=0
    seller < {_TAKER} 568=t1 11=d2 31=100 32=0.4 39=2 !912 | {_SESSION}
    seller < {_MAKER} 568=t1 11=d1 31=100 32=0.4 39=1 !912 | {_SESSION} | {_CUSTOMER}
    seller < {_TAKER} 568=t1 11=d7 31=100 32=1 39=2 !912 | {_SESSION}
    seller < {_MAKER} 568=t1 11=d6 31=100 32=1 39=2 912=Y | {_SESSION} | {_CUSTOMER}
    seller < 35=AQ 568=t1 748=4 749=0 750=1
    seller > 35=AD 568=t2 569=1 1=FUND 55=C01/USD
    seller < 35=AQ 568=t2 569=1 1=FUND 55=C01/USD 749=0 750=0
    seller < 35=AQ 568=t2 748=0 749=0 750=1
    """

TO_COME: Final = f"""
    seller > 35=AD 568=t3 569=0 1=FUND 55=BTC/USD 263=1
    seller < 35=AQ 568=t3 263=1 1=FUND 749=0 750=0
    seller < {_TAKER} 568=t3 11=d2 !912 | {_SESSION}
    seller < {_MAKER} 568=t3 11=d1 !912 | {_SESSION} | {_CUSTOMER}
    seller < {_TAKER} 568=t3 11=d7 !912 | {_SESSION}
    seller < {_MAKER} 568=t3 11=d6 912=Y | {_SESSION} | {_CUSTOMER}
    seller < 35=AQ 568=t3 263=1 748=4 749=0 750=1 58=*
    buyer > 35=D 11=d10 1=BOOK7 55=BTC/USD 54=2 38=1 40=2 44=101
    buyer < 35=8 150=0 11=d10
    seller < {_COPY} 150=0 11=d10
    buyer > 35=D 11=d11 55=BTC/USD 54=1 38=1 40=2 44=101 59=3
    buyer < 35=8 150=0 11=d11
    buyer < 35=8 150=F 11=d11
    buyer < 35=8 150=F 11=d10
    seller < {_COPY} 150=0 11=d11
    seller < {_COPY} 150=F 11=d11
    seller < {_COPY} 150=F 11=d10
    seller < {_TAKER} 568=t3 11=d11 31=101 32=1 39=2 !912 | {_SESSION}
    seller < {_MAKER} 568=t3 11=d10 31=101 32=1 39=2 !912 | {_SESSION} | {_CUSTOMER}
    seller > 35=AD 568=t3 569=0 263=2
    seller < 35=AQ 568=t3 263=2 748=6 749=0 750=1 58=*
    """

REFUSED: Final = """
    seller > 35=AD 568=no1 569=0 55=DOGE/USD
    seller < 35=AQ 568=no1 569=0 55=DOGE/USD 749=1 750=2 58=* !748
    seller > 35=AD 568=no2 569=2
    seller < 35=AQ 568=no2 569=2 749=8 750=2 58=*
    seller > 35=AD 568=no3 569=0 8060=999999999-1
    seller < 35=AQ 568=no3 749=99 750=2 58=*
    seller > 35=AD 568=no4 569=0 580=2 75={next_day} 75={day}
    seller < 35=AQ 568=no4 749=99 750=2 58=*
    seller > 35=D 11=no5 55=BTC/USD 54=1 38=1 40=2 44=100
    seller < 35=j 372=D 380=6 58=*
    buyer > 35=AD 568=no6 569=0
    buyer < 35=j 372=AD 380=6 58=*
    """

#: As in reference_data.py.
LIES_OF_COPIES: Final = {
    "an entry of Parties in another order": (
        "|447=D|452=36|",
        "|452=36|447=D|",
        """
        buyer > 35=D 11=lie1 55=C02/USD 54=2 38=1 40=2 44=100
        buyer < 35=8 150=0 11=lie1
        seller < 35=3 372=8 373=*
        """,
    ),
    "fewer Parties than are counted": (
        "|453=1|",
        "|453=2|",
        """
        buyer > 35=D 11=lie2 55=C01/USD 54=2 38=1 40=2 44=100
        buyer < 35=8 150=0 11=lie2
        seller < 35=3 372=8 373=*
        """,
    ),
    "a side without Side": (
        "|552=1|54=1|",
        "|552=1|",
        f"""
        buyer > 35=D 11=lie3 55=C01/USD 54=1 38=1 40=2 44=100
        buyer < 35=8 150=0 11=lie3
        buyer < 35=8 150=F 11=lie3
        buyer < 35=8 150=F 11=lie2
        seller < {_COPY} 150=0 11=lie3
        seller < {_COPY} 150=F 11=lie3
        seller < {_COPY} 150=F 11=lie2
        seller > 35=AD 568=lie3 569=0 55=C01/USD
        seller < 35=AQ 568=lie3 749=0 750=0
        seller < 35=3 372=AE 373=*
        seller < 35=AE 568=lie3 55=C01/USD 54=2 912=Y
        seller < 35=AQ 568=lie3 748=2 749=0 750=1
        """,
    ),
}
