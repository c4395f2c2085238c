"""Whatever a desk tells, also unasked and later, goes back to where in the client it belongs."""

from __future__ import annotations

from tests.support.world import World

HEADER = "115=DESK7|"  # OnBehalfOfCompID, which comes back as DeliverToCompID (128)
BOOK = "263=1|264=1|265=1|267=1|269=0|146=1|55=BTC/USD|"


def test_market_data_goes_back_the_way_its_request_came() -> None:
    world = World()
    reader, maker = world.client("READER"), world.client("MAKER")
    reader.take()
    reader.send(f"35=V|262=a|{BOOK}", header=HEADER)
    maker.order("m1", "buy", "1", "100")
    reader.send("35=V|262=b|263=2|264=1|", header=HEADER)
    told = reader.take()
    assert [one[35] for one in told] == ["W", "X", "Y"]
    assert [one.get(128) for one in told] == ["DESK7"] * 3


def test_trades_to_come_go_back_the_way_their_request_came() -> None:
    world = World()
    reader, maker = world.client("READER"), world.client("MAKER")
    reader.take()
    reader.send("35=AD|568=r|569=0|263=1|", header=HEADER)
    assert [one.get(128) for one in reader.take()] == ["DESK7"] * 2
    maker.order("m1", "sell", "1", "100")
    reader.order("r1", "buy", "1", "100")
    trades = [one for one in reader.take() if one[35] == "AE"]
    assert [one.get(128) for one in trades] == ["DESK7"]
