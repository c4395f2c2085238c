"""Market data of the day: every view subscribed to, traded in, repaired, ended, refused."""

from __future__ import annotations

from typing import Final

_BOOK: Final = "267=2 269=0 269=1"

#: Step by step; each builds on those before. The symbol is one that nothing else trades.
MARKET_DATA: Final = {
    "all that there is, once": """
        seller > 35=D 11=md1 55=SOL/USD 54=2 38=2 40=2 44=150
        seller < 35=8 150=0 11=md1
        buyer > 35=V 262=once 263=0 264=0 267=7 269=0 269=1 269=2 269=4 269=7 269=8 269=B \
            146=1 55=SOL/USD
        buyer < 35=W 262=once 55=SOL/USD 83=0 8023=* | 269=1 270=150 271=2 346=1
        """,
    "of every instrument": """
        buyer > 35=V 262=every 263=0 264=1 267=1 269=1 146=1 55=*
        buyer < 35=W 262=every 55=BTC/USD
        buyer < 35=W 262=every 55=ETH/USD
        buyer < 35=W 262=every 55=SOL/USD | 269=1 270=150 271=2 346=1
        buyer < 35=W 262=every 55=ETH/BTC 268=0
        """,
    "top of book, incremental": f"""
        buyer > 35=V 262=top 263=1 264=1 265=1 {_BOOK} 146=1 55=SOL/USD
        buyer < 35=W 262=top 55=SOL/USD 83=0 | 269=1 270=150 271=2 346=1
        seller > 35=D 11=md2 55=SOL/USD 54=2 38=1 40=2 44=149
        seller < 35=8 150=0 11=md2
        buyer < 35=X 262=top | 279=2 269=1 270=150 83=1 \
            | 279=0 269=1 270=149 271=1 346=1 83=2
        buyer > 35=V 262=top 263=2 264=1
        """,
    "top of book, full refresh": f"""
        buyer > 35=V 262=full 263=1 264=1 265=0 {_BOOK} 146=1 55=SOL/USD
        buyer < 35=W 262=full | 269=1 270=149 271=1
        seller > 35=F 11=md3 41=md2 55=SOL/USD 54=2
        seller < 35=8 150=4 11=md3
        buyer < 35=W 262=full 83=1 | 269=1 270=150 271=2
        buyer > 35=V 262=full 263=2 264=1
        """,
    "depth, with a checksum": f"""
        buyer > 35=V 262=depth 263=1 264=5 265=1 {_BOOK} 146=1 55=SOL/USD 8028=Y
        buyer < 35=W 262=depth 8029=* | 269=1 270=150 271=2 346=1
        seller > 35=D 11=md4 55=SOL/USD 54=1 38=3 40=2 44=140
        seller < 35=8 150=0 11=md4
        buyer < 35=X 262=depth 8029=* | 279=0 269=0 270=140 271=3 346=1 83=1
        buyer > 35=V 262=depth 263=1 264=0 8024=1 8025=1
        buyer < 35=X 262=depth | 279=0 269=0 270=140 271=3 346=1 83=1
        buyer > 35=V 262=depth 263=1 264=5 265=1 {_BOOK} 146=1 55=SOL/USD 8028=Y
        buyer < 35=W 262=depth 83=1 8029=* | 269=0 270=140 271=3 | 269=1 270=150 271=2
        buyer > 35=V 262=depth 263=2 264=5
        """,
    "order by order, trades and statistics": """
        buyer > 35=V 262=l3 263=1 264=0 265=1 266=N 267=7 269=0 269=1 269=2 269=4 269=7 269=8 \
            269=B 146=1 55=SOL/USD
        buyer < 35=W 262=l3 83=0 | 269=0 278=* 270=140 271=3 | 269=1 278=* 270=150 271=2
        seller > 35=D 11=md5 55=SOL/USD 54=1 38=1 40=2 44=150
        seller < 35=8 150=0 11=md5
        seller < 35=8 150=F 11=md5 31=150
        seller < 35=8 150=F 11=md1 31=150
        buyer < 35=X 262=l3 | 279=0 269=2 278=* 270=150 271=1 272=* 273=* 2446=1 83=1 8023=* \
            | 279=1 269=1 278=* 270=150 271=1 83=2 | 279=0 269=4 270=150 83=3 \
            | 279=0 269=7 270=150 83=4 | 279=0 269=8 270=150 83=5 | 279=0 269=B 271=1 83=6
        buyer > 35=V 262=l3 263=2 264=0
        """,
    "at an interval": f"""
        buyer > 35=V 262=slow 263=1 264=0 265=1 {_BOOK} 146=1 55=SOL/USD 8026=200
        buyer < 35=W 262=slow 8026=200 | 269=0 270=140 271=3 | 269=1 270=150 271=1
        seller > 35=F 11=md6 41=md1 55=SOL/USD 54=2
        seller < 35=8 150=4 11=md6
        seller > 35=F 11=md7 41=md4 55=SOL/USD 54=1
        seller < 35=8 150=4 11=md7
        buyer < 35=X 262=slow | 279=2 269=0 270=140 | 279=2 269=1 270=150
        buyer > 35=V 262=slow 263=2 264=0
        """,
    "what is refused": f"""
        buyer > 35=V 262=no1 263=1 264=0 265=1 {_BOOK} 146=1 55=DOGE/USD
        buyer < 35=Y 262=no1 281=0 58=*
        buyer > 35=V 262=no2 263=1 264=0 265=1 267=1 269=6 146=1 55=SOL/USD
        buyer < 35=Y 262=no2 281=8 58=*
        buyer > 35=V 262=no3 263=2 264=0
        buyer < 35=Y 262=no3 !281 58=*
        """,
}
