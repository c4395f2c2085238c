"""Order by order: the queue at each price, and of an iceberg what it shows."""

from __future__ import annotations

from tests.exchange.market_data.support import (
    by_order,
    check_sent,
    entries,
    field,
    market,
    request,
    sent,
)
from tests.support.world import Client


def actions(client: Client, count: int) -> list[str]:
    """Action, OrderID, price and size of all entries after so many messages."""
    return [
        " ".join(one[tag] for tag in (279, 278, 270, 271) if tag in one)
        for raw in client.raw[count:]
        for one in entries(raw)
    ]


def test_a_snapshot_has_every_order_in_its_order() -> None:
    _, (reader, maker) = market("READER", "MAKER")
    ids = {
        name: maker.order(name, side, quantity, price)[0][37]
        for name, side, quantity, price in (
            *(("b1", "buy", "1", "100"), ("b2", "buy", "2", "101"), ("b3", "buy", "3", "100")),
            *(("s1", "sell", "4", "103"), ("s2", "sell", "5", "102"), ("s3", "sell", "6", "103")),
        )
    }
    (answer,) = sent(reader, by_order("r"))
    assert [(one[269], one[278], one[271]) for one in entries(answer)] == [
        *(("0", ids["b2"], "2"), ("0", ids["b1"], "1"), ("0", ids["b3"], "3")),
        *(("1", ids["s2"], "5"), ("1", ids["s1"], "4"), ("1", ids["s3"], "6")),
    ]
    assert "346" not in {str(tag) for one in entries(answer) for tag in one}
    (bids,) = sent(reader, by_order("bids", kinds=("0",)))  # type: ignore[arg-type]
    assert [one[278] for one in entries(bids)] == [ids["b2"], ids["b1"], ids["b3"]]


def test_orders_come_change_and_go() -> None:
    _, (reader, maker, taker) = market("READER", "MAKER", "TAKER")
    sent(reader, by_order("r"))
    count = len(reader.raw)
    first = maker.order("b1", "buy", "3", "100")[0][37]
    taker.order("t1", "sell", "1", "100")
    taker.order("t2", "sell", "2", "100")
    assert actions(reader, count) == [
        f"0 {first} 100 3",
        f"1 {first} 100 2",
        f"2 {first} 100",
    ], "who trades at once is never in the book"
    check_sent(reader)


def test_less_keeps_the_place_and_more_or_another_price_loses_it() -> None:
    _, (reader, maker) = market("READER", "MAKER")
    one = maker.order("b1", "buy", "3", "100")[0][37]
    two = maker.order("b2", "buy", "3", "100")[0][37]
    sent(reader, by_order("r"))

    def replace(name: str, of: str, quantity: int, price: int) -> list[str]:
        count = len(reader.raw)
        maker.ask(f"35=G|11={name}|41={of}|55=BTC/USD|54=1|60=<now>|38={quantity}|40=2|44={price}|")
        return actions(reader, count)

    assert replace("b3", "b1", 2, 100) == [f"1 {one} 100 2"]
    assert replace("b4", "b3", 5, 100) == [f"2 {one} 100", f"0 {one} 100 5"]
    assert replace("b5", "b2", 3, 101) == [f"2 {two} 100", f"0 {two} 101 3"]
    (fresh,) = sent(reader, by_order("r"))
    assert [entry[278] for entry in entries(fresh)] == [two, one]


def test_of_an_iceberg_only_what_it_shows_and_a_new_slice_is_the_last() -> None:
    _, (reader, maker, taker) = market("READER", "MAKER", "TAKER")
    ice = maker.order("ice", "sell", "10", "100", more="59=1|111=3|")[0][37]
    other = maker.order("other", "sell", "1", "100")[0][37]
    (orders,) = sent(reader, by_order("orders"))
    (levels,) = sent(reader, request("levels"))
    assert [(one[278], one[271]) for one in entries(orders)] == [(ice, "3"), (other, "1")]
    assert [(one[270], one[271], one[346]) for one in entries(levels)] == [("100", "4", "2")]
    for size, wanted in (
        ("1", [f"1 {ice} 100 2"]),
        ("2", [f"2 {ice} 100", f"0 {ice} 100 3"]),
        ("1", [f"2 {other} 100"]),
    ):
        count = len(reader.raw)
        taker.order(f"t{count}", "buy", size, "100")
        mine = [raw for raw in reader.raw[count:] if field(raw, 262) == "orders"]
        found = [
            " ".join(one[tag] for tag in (279, 278, 270, 271) if tag in one)
            for raw in mine
            for one in entries(raw)
        ]
        assert found == wanted
    raw = b"".join(reader.raw).decode()
    assert "271=10\x01" not in raw, "what is hidden is told"
    assert "271=7\x01" not in raw


def test_quotes_are_orders_like_any_other() -> None:
    _, (reader, maker) = market("READER", "MAKER")
    sent(reader, by_order("r"))
    count = len(reader.raw)
    quote = "35=i|117=q1|296=1|302=S|304=1|295=1|299=e|55=BTC/USD|132={}|133=101|134=1|135=2|"
    maker.ask(quote.format("100"))
    first = [one for raw in reader.raw[count:] for one in entries(raw)]
    assert [(one[279], one[269], one[270]) for one in first] == [
        ("0", "0", "100"),
        ("0", "1", "101"),
    ]
    count = len(reader.raw)
    maker.ask(quote.replace("q1", "q2").format("99"))
    moved = [one for raw in reader.raw[count:] for one in entries(raw)]
    assert [(one[279], one[278]) for one in moved] == [
        ("2", first[0][278]),
        ("0", first[0][278]),
    ]
