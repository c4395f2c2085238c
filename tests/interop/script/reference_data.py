"""Reference data: what is asked once, what changes, what is refused; and what nobody may send."""

from __future__ import annotations

from typing import Final

#: What there is to know of an instrument; the fees are those of the account that asks.
_TERMS: Final = (
    "15=USD 326=3 561=0.0001 562=0.001 969=0.1 1140=10000 8021=open 8040=BTC 8041=10 "
    "8042=5000000 8043=0.05"
)

#: Step by step; each builds on those before.
REFERENCE_DATA: Final = {
    "lists by Symbol, product and session": f"""
        seller > 35=x 320=one 559=0 55=BTC/USD
        seller < 35=y 320=one 322=* 393=1 560=0 893=Y | 55=BTC/USD {_TERMS} 8044=0 8045=0
        buyer > 35=x 320=one 559=0 55=BTC/USD
        buyer < 35=y 320=one 393=1 | 55=BTC/USD {_TERMS} 8044=-0.0001 8045=0.0005
        buyer > 35=x 320=product 559=2 460=4
        buyer < 35=y 320=product 560=0 893=N
        buyer < 35=y 320=product 560=0 893=N
        buyer < 35=y 320=product 560=0 893=Y
        """,
    "lists that are refused": """
        seller > 35=x 320=no1 559=0 55=NO/PE
        seller < 35=y 320=no1 322=* 560=2 58=* !146 !393
        seller > 35=x 320=no2 559=1
        seller < 35=y 320=no2 560=1 58=*
        seller > 35=x 320=no3 559=2
        seller < 35=y 320=no3 560=1 58=*
        seller > 35=x 320=no4 559=3 336=OTHER
        seller < 35=y 320=no4 560=2 58=*
        seller > 35=x 320=all 559=4 263=1
        seller < 35=y 320=all 560=1 58=*
        """,
    "definitions": f"""
        seller > 35=c 320=def 321=0 55=BTC/USD
        seller < 35=d 320=def 322=* 323=1 55=BTC/USD {_TERMS} 8044=0 8045=0 !58
        seller > 35=c 320=no1 321=0 55=NO/PE
        seller < 35=d 320=no1 322=* 323=6 55=NO/PE 58=*
        seller > 35=c 320=no2 321=3
        seller < 35=d 320=no2 322=* 323=5 !55 58=*
        """,
    "states": """
        seller > 35=e 324=s1 55=BTC/USD 263=1
        seller < 35=f 324=s1 325=N 55=BTC/USD 326=3 8021=open 60=* 58=*
        seller > 35=e 324=s2 55=NO/PE 263=0
        seller < 35=f 324=s2 325=N 55=NO/PE 326=20 !8021 58=*
        seller > 35=e 324=s1 55=BTC/USD 263=1
        seller < 35=j 372=e 379=s1 380=0 58=*
        seller > 35=e 324=s3 55=BTC/USD 263=2
        seller < 35=j 372=e 379=s3 380=1 58=*
        """,
    "hours": """
        seller > 35=g 335=h1 263=1
        seller < 35=h 335=h1 325=N 336=MAIN 340=2 58=* !343 !344 !8046 !8047
        seller > 35=g 335=h2 336=OTHER 263=0
        seller < 35=h 335=h2 336=OTHER 340=6 567=1 58=*
        seller > 35=g 335=h1 263=1
        seller < 35=h 335=h1 340=6 58=* !567
        """,
}

#: By what the operator says of BTC/USD: what everybody and what the subscriber is told.
CHANGES: Final = {
    "halted": """
        buyer < 35=f 55=BTC/USD 325=Y 326=2 8021=halted 58=* 60=* !324
        seller < 35=f 55=BTC/USD 325=Y 326=2 8021=halted 58=* 60=* !324
        seller < 35=y 320=all 322=* 393=1 560=0 893=Y | 55=BTC/USD 326=2 8021=halted 8044=0
        """,
    "cancel-only": """
        buyer < 35=f 55=BTC/USD 325=Y 326=18 8021=cancel-only
        seller < 35=f 55=BTC/USD 325=Y 326=18 8021=cancel-only
        seller < 35=y 320=all 393=1 560=0 893=Y | 55=BTC/USD 326=18 8021=cancel-only
        """,
    "post-only": """
        buyer < 35=f 55=BTC/USD 325=Y 326=21 8021=post-only
        seller < 35=f 55=BTC/USD 325=Y 326=21 8021=post-only
        seller < 35=y 320=all 393=1 560=0 893=Y | 55=BTC/USD 326=21 8021=post-only
        """,
    "limit-only": """
        buyer < 35=f 55=BTC/USD 325=Y 326=17 8021=limit-only
        seller < 35=f 55=BTC/USD 325=Y 326=17 8021=limit-only
        seller < 35=y 320=all 393=1 560=0 893=Y | 55=BTC/USD 326=17 8021=limit-only
        """,
    "open": """
        buyer < 35=f 55=BTC/USD 325=Y 326=3 8021=open
        seller < 35=f 55=BTC/USD 325=Y 326=3 8021=open
        seller < 35=y 320=all 393=1 560=0 893=Y | 55=BTC/USD 326=3 8021=open
        """,
}

#: When maintenance is planned, and when it is not any more.
HOURS: Final = (
    "seller < 35=h 335=h1 325=N 336=MAIN 340=2 343=* 344=* 8046=* 8047=upgrade 58=*",
    "seller < 35=h 335=h1 325=N 336=MAIN 340=2 58=* !343 !344 !8046 !8047",
)

ENDS: Final = """
    seller > 35=x 320=all 559=4 263=2
    seller < 35=y 320=all 393=0 560=0 893=Y 58=* !146
    seller > 35=e 324=s1 55=BTC/USD 263=2
    seller < 35=f 324=s1 325=N 326=3 8021=open
    seller > 35=g 335=h1 263=2
    seller < 35=h 335=h1 340=2 58=*
    """

#: What becomes of what, in the answer to which request; the engine has to reject it.
LIES: Final = {
    "a field that is in no dictionary": (
        "|8021=open|",
        "|8021=open|9999=1|",
        """
        seller > 35=e 324=lie1 55=BTC/USD 263=0
        seller < 35=3 371=9999 372=f 373=*
        """,
    ),
    "a field of another message": (
        "|8021=open|",
        "|8021=open|44=1|",
        """
        seller > 35=e 324=lie2 55=BTC/USD 263=0
        seller < 35=3 371=44 372=f 373=*
        """,
    ),
    "a value that is not listed": (
        "|326=3|",
        "|326=4|",
        """
        seller > 35=e 324=lie3 55=BTC/USD 263=0
        seller < 35=3 371=326 372=f 373=*
        """,
    ),
    "a value of another type": (
        "|325=N|",
        "|325=X|",
        """
        seller > 35=e 324=lie4 55=BTC/USD 263=0
        seller < 35=3 372=f 373=*
        """,
    ),
    "an entry in another order": (
        "|15=USD|326=3|",
        "|326=3|15=USD|",
        """
        seller > 35=x 320=lie5 559=0 55=BTC/USD
        seller < 35=3 372=y 373=*
        """,
    ),
    "fewer entries than there are": (
        "|146=1|",
        "|146=2|",
        """
        seller > 35=x 320=lie6 559=0 55=BTC/USD
        seller < 35=3 372=y 373=*
        """,
    ),
}
