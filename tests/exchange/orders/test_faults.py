"""What is wrong with a request is said with the right code, and with the field by its name."""

from __future__ import annotations

from tests.exchange.orders.market import MakeWorld, change, place, told, two

LIMIT = "38=1|40=2|44=100|"
#: Terms of a NewOrderSingle to buy BTC/USD, OrdRejReason (103), words of Text (58).
REFUSED = [
    ("38=1|40=2|44=100.05|", "99", "Price (44) 100.05 is not a multiple of the tick 0.1"),
    ("38=1|40=2|44=0|18=6|", "99", "Price (44) 0 must be above zero"),
    ("38=1|40=1|44=100|18=6|", "99", "Price (44) must not be there on a market order"),
    ("38=0.00001|40=3|99=90|", "13", "OrderQty (38) 0.00001 is below the minimum"),
    ("38=10001|40=3|99=90|", "3", "above the maximum"),
    ("38=1.000000001|40=3|99=90|", "13", "lot 0.00000001"),
    ("38=1|40=1|152=5|", "99", "exclude each other"),
    ("40=2|44=100|152=5|", "11", "CashOrderQty (152) is for market orders only"),
    ("40=4|44=100|99=100|152=5|", "11", "CashOrderQty (152) is for market orders only"),
    ("40=1|152=0|", "13", "CashOrderQty (152) 0 must be above zero"),
    ("40=1|152=-5|", "13", "above zero"),
    ("40=1|152=0.0000000001|", "13", "above zero"),
    (f"{LIMIT}126=20270115-09:00:00|", "99", "need TimeInForce (59) 6"),
    (f"{LIMIT}59=1|432=20270115|", "99", "need TimeInForce (59) 6"),
    (f"{LIMIT}59=6|126=20270115-09:00:00|432=20270115|", "99", "exclude each other: send one"),
    (f"{LIMIT}99=100|", "99", "StopPx (99) does not go with OrdType (40) 2"),
    (f"{LIMIT}211=1|", "99", "PegOffsetValue (211) does not go with OrdType (40) 2"),
    (f"{LIMIT}1107=2|", "99", "TriggerPriceType (1107) does not go with OrdType (40) 2"),
    ("38=1|40=3|99=100.05|", "99", "StopPx (99) 100.05 is not a multiple of the tick"),
    ("38=1|40=3|99=0|", "99", "StopPx (99) 0 must be above zero"),
    ("38=1|40=3|99=100|44=100|", "99", "Price (44) must not be there"),
    ("38=1|40=3|99=100|1107=3|", "11", "TriggerPriceType (1107) must be 2, last trade, or 1"),
    ("38=1|40=3|99=100|211=1|", "99", "PegOffsetValue (211) needs OrdType (40) P"),
    ("38=1|40=P|211=1|", "11", "OrdType (40) P needs ExecInst (18) a"),
    ("38=1|40=P|211=1|18=6|", "11", "OrdType (40) P needs ExecInst (18) a"),
    ("38=1|40=P|211=0|18=a|", "99", "PegOffsetValue (211) 0 must be above zero"),
    ("38=1|40=P|211=0.05|18=a|", "99", "not a multiple of the tick"),
    ("38=1|40=P|211=1.5|836=1|18=a|", "99", "PegOffsetType (836) must be 0"),
    ("38=1|40=P|211=10000|836=1|18=a|", "99", "whole number below 10000"),
    ("38=1|40=P|211=0|836=2|18=a|", "99", "whole number below 10000"),
    ("38=1|40=P|211=1|836=3|18=a|", "99", "PegOffsetType (836) must be 0"),
    ("38=1|40=P|211=1|44=100|18=a|", "99", "Price (44) must not be there"),
    ("38=1|40=1|18=6|", "11", "post-only, needs a resting limit"),
    (f"{LIMIT}59=3|18=6|", "11", "post-only, needs a resting limit"),
    (f"{LIMIT}59=4|18=A|", "11", "post-only, needs a resting limit"),
    (f"{LIMIT}18=E|", "11", "nothing to reduce"),
    (f"{LIMIT}18=a|", "11", "ExecInst (18) a is not taken"),
    (f"{LIMIT}18=6 G|", "11", "ExecInst (18) G is not taken"),
    (f"{LIMIT}8019=1|", "99", "PostOnlyAction (8019) must be 0"),
    (f"{LIMIT}110=2|", "99", "MinQty (110) 2 is above OrderQty (38)"),
    (f"{LIMIT}110=0.000000001|", "99", "MinQty (110) 0.000000001 is no multiple of the lot"),
    (f"{LIMIT}111=2|", "99", "MaxFloor (111) 2 is above OrderQty (38)"),
    (f"{LIMIT}111=-1|", "99", "MaxFloor (111) -1 is no multiple"),
    (f"{LIMIT}111=0.00001|", "99", "MaxFloor (111) 0.00001 is below the least order"),
    (f"{LIMIT}111=1|59=3|", "11", "MaxFloor (111), an iceberg, needs a resting limit order"),
    ("38=1|40=1|111=1|", "11", "needs a resting limit order"),
    ("40=1|152=100|110=1|", "11", "does not go with CashOrderQty (152)"),
    (f"{LIMIT}8013=D|", "11", "CancelOrdersOnDisconnect (8013) of an order must be Y or N"),
]
MISSING = [
    ("40=1|", "OrderQty (38) is required"),
    ("38=1|40=2|18=6|", "Price (44) is required"),
    ("38=1|40=4|99=100|", "Price (44) is required"),
    (f"{LIMIT}59=6|", "ExpireTime (126) or ExpireDate (432) is required"),
    ("38=1|40=3|", "StopPx (99) is required with OrdType (40) 3"),
    ("38=1|40=4|44=100|", "StopPx (99) is required with OrdType (40) 4"),
    ("38=1|40=J|", "StopPx (99) is required with OrdType (40) J"),
    ("38=1|40=P|18=a|", "PegOffsetValue (211) is required"),
]
#: Wrong for the dictionary already: terms and the tag at fault.
UNSOUND = [
    ("38=1|40=2|44=100|59=2|", "59"),
    ("38=1|40=K|", "40"),
    (f"{LIMIT}7928=Z|", "7928"),
    (f"{LIMIT}8019=2|", "8019"),
    ("38=1|40=3|99=100|1107=4|", "1107"),
    (f"{LIMIT}59=6|126=tomorrow|", "126"),
    (f"{LIMIT}168=tomorrow|", "168"),
    (f"{LIMIT}62=tomorrow|", "62"),
    (f"{LIMIT}8016=soon|", "8016"),
    (f"{LIMIT}59=6|432=20271315|", "432"),
]


def test_each_fault_of_an_order(make: MakeWorld) -> None:
    buyer, _ = two(make())
    for number, (terms, reason, words) in enumerate(REFUSED):
        (answer,) = place(buyer, f"x{number}", "buy", terms)
        assert told([answer], 35, 150, 39, 103, 11, 37) == [f"8 8 8 {reason} x{number} NONE"], terms
        assert words in answer[58], (terms, answer[58])
    assert buyer.world.venue.open_orders() == 0


def test_each_field_that_is_missing(make: MakeWorld) -> None:
    buyer, _ = two(make())
    for number, (terms, words) in enumerate(MISSING):
        (answer,) = place(buyer, f"x{number}", "buy", terms)
        assert told([answer], 35, 380, 372, 379) == [f"j 5 D x{number}"], terms
        assert words in answer[58], (terms, answer[58])
    assert buyer.world.venue.open_orders() == 0


def test_what_is_no_sound_message(make: MakeWorld) -> None:
    buyer, _ = two(make())
    for number, (terms, tag) in enumerate(UNSOUND):
        (answer,) = place(buyer, f"x{number}", "buy", terms)
        assert told([answer], 35, 371) == [f"3 {tag}"], (terms, answer)
    assert buyer.world.venue.open_orders() == 0


def test_each_fault_of_a_replacement_leaves_the_order_as_it_was(make: MakeWorld) -> None:
    buyer, _ = two(make())
    (new,) = place(buyer, "b1", "buy", LIMIT)
    for number, (terms, _, words) in enumerate(REFUSED):
        (answer,) = change(buyer, f"x{number}", "b1", "buy", terms)
        assert told([answer], 35, 102, 434, 39, 37) == [f"9 99 2 0 {new[37]}"], terms
        assert words in answer[58], (terms, answer[58])
    for number, (terms, words) in enumerate(MISSING):
        (answer,) = change(buyer, f"y{number}", "b1", "buy", terms)
        assert told([answer], 35, 380, 372, 379) == [f"j 5 G y{number}"], terms
        assert words in answer[58], (terms, answer[58])
    (report,) = buyer.ask("35=H|11=b1|55=BTC/USD|54=1|")
    assert told([report], 39, 38, 44, 151) == ["0 1 100 1"]


def test_symbol_and_side_of_an_order_with_conditions(make: MakeWorld) -> None:
    buyer, _ = two(make())
    head = "35=D|11={}|60=<now>|38=1|40=3|99=100|"
    (answer,) = buyer.ask(head.format("x1") + "55=DOGE/USD|54=1|")
    assert told([answer], 39, 103) == ["8 1"]
    (answer,) = buyer.ask(head.format("x2") + "55=BTC/USD|54=5|")
    assert answer[35] in "38"
    (answer,) = buyer.ask("35=G|11=x3|41=nope|60=<now>|55=DOGE/USD|54=1|38=1|40=3|99=100|")
    assert told([answer], 35, 37, 39, 102) == ["9 NONE 8 99"]
