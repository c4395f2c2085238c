"""The digest tells books apart, and the invariants name what is wrong with one."""

from __future__ import annotations

from collections.abc import Callable
from hashlib import sha256

import pytest

from matching.book import Level
from matching.digest import check_invariants, digest
from matching.engine import MatchingEngine
from matching.order import Order, Side
from matching.triggers import trigger_of
from tests.matching.script import Market, parse_order


def market_after(*commands: str) -> Market:
    market = Market()
    for command in commands:
        market.run(command)
    return market


def digest_after(*commands: str) -> str:
    return digest(market_after(*commands).engine)


# Digest


def test_the_digest_hashes_one_line_per_order_in_priority_and_the_last_prices() -> None:
    actual = digest_after(
        "sell 5 1@103",
        "sell 4 4@101",
        "sell 6 5@101",
        "buy 1 7@99",
        "buy 2 3@100",
        "buy 3 2@100",
        "sell 7 1@100",
        "buy 8 6@50 #1",
    )
    lines = [
        "0 1 100 2 2",
        "0 1 100 3 2",
        "0 1 99 1 7",
        "0 2 101 4 4",
        "0 2 101 6 5",
        "0 2 103 5 1",
        "0 last 100",
        "1 1 50 8 6",
    ]
    text = "".join(f"{line}\n" for line in lines)
    assert actual == sha256(text.encode()).hexdigest()


def test_the_digest_of_empty_books_is_that_of_nothing() -> None:
    assert digest_after() == sha256(b"").hexdigest()
    assert digest_after("buy 1 5@100", "cancel 1") == sha256(b"").hexdigest()


def test_the_digest_writes_out_what_is_unusual() -> None:
    actual = digest_after(
        "sell 1 9@100 display=3 group=7 stp=cancel_both",
        "buy 2 2@100",
        "buy 3 1@99 post=reject min=0",
        "buy 4 2@101 last>=102 fok min=1",
        "sell 5 0@market budget=70 best<=97",
        "sell 6 3@market last<=0 trail=2 day",
        "suspend",
    )
    lines = [
        "0 1 99 3 1 post_only=1",
        "0 2 100 1 7 group=7 self_trade=3 display=3 shown=1",
        "0 waits 102 1 0 0 0 4 2 1 101 4 2 min_quantity=1",
        "0 waits 97 -1 1 0 0 1 1 2 0 5 0 budget=70",
        "0 waits 98 -1 0 2 0 0 1 2 0 6 3",
        "0 last 100",
        "0 suspended",
    ]
    text = "".join(f"{line}\n" for line in lines)
    assert actual == sha256(text.encode()).hexdigest()


BASE = ("buy 1 5@100", "buy 2 3@100", "sell 3 4@105")


@pytest.mark.parametrize(
    "commands",
    [
        # The other side came first.
        ("sell 3 4@105", "buy 1 5@100", "buy 2 3@100"),
        # An order was made smaller.
        ("buy 1 9@100", "buy 2 3@100", "sell 3 4@105", "replace 1 5@100"),
        # An order came from another price, in time to be first.
        ("buy 1 5@90", "replace 1 5@100", "buy 2 3@100", "sell 3 4@105"),
        # Others came and went.
        ("buy 7 1@101", *BASE, "sell 8 2@106", "cancel 8", "cancel 7"),
        ("buy 7 1@1 #1", *BASE, "cancel 7"),
        # Immediate orders never rest.
        (*BASE, "buy 9 9@104 ioc", "sell 10 99@100 fok"),
    ],
)
def test_equal_books_have_equal_digests_whatever_their_history(commands: tuple[str, ...]) -> None:
    assert digest_after(*commands) == digest_after(*BASE)


@pytest.mark.parametrize(
    "commands",
    [
        (),
        BASE[:2],
        (*BASE, "buy 4 1@1"),
        ("buy 1 5@100", "buy 2 3@100", "sell 4 4@105"),  # id
        ("buy 1 5@100", "buy 2 3@100", "sell 3 4@106"),  # price
        ("buy 1 5@100", "buy 2 3@100", "sell 3 5@105"),  # quantity
        ("buy 1 5@100", "buy 2 3@100", "buy 3 4@105"),  # side
        ("buy 1 5@100", "buy 2 3@100", "sell 3 4@105 #1"),  # instrument
        ("buy 2 3@100", "buy 1 5@100", "sell 3 4@105"),  # time
        (*BASE, "replace 1 6@100", "replace 1 5@100"),  # time lost by replace
        (*BASE, "sell 4 1@100"),  # a fill
        ("buy 1 9@100", "sell 9 4@100", "buy 2 3@100", "sell 3 4@105"),  # a last price
        ("buy 1 5@100 display=2", *BASE[1:]),  # what is shown
        ("buy 1 5@100 group=1", *BASE[1:]),  # self-trade prevention
        (*BASE, "buy 4 1@market last>=106"),  # an order that waits
        (*BASE, "suspend"),
    ],
)
def test_different_books_have_different_digests(commands: tuple[str, ...]) -> None:
    assert digest_after(*commands) != digest_after(*BASE)


def test_the_order_of_entry_is_part_of_the_digest() -> None:
    first, second = "buy 1 1@market last>=106", "buy 2 1@market last>=107"
    assert digest_after(first, second) != digest_after(second, first)


# Invariants

Corruption = Callable[[MatchingEngine[Order]], None]


def quantity_too_large(engine: MatchingEngine[Order]) -> None:
    engine.books[0].buys.best_level()[1].quantity += 1


def quantity_too_small(engine: MatchingEngine[Order]) -> None:
    engine.books[1].sells.best_level()[1].quantity -= 1


def order_changed_behind_the_level(engine: MatchingEngine[Order]) -> None:
    first_sell(engine).leaves -= 1


def order_gone_from_its_level(engine: MatchingEngine[Order]) -> None:
    engine.books[0].buys.best_level()[1].orders.popitem()


def empty_level(engine: MatchingEngine[Order]) -> None:
    level: Level[Order] = engine.books[0].sells.best_level()[1]
    level.orders.clear()
    level.quantity = 0


def price_is_not_the_level_s(engine: MatchingEngine[Order]) -> None:
    first_sell(engine).price += 1


def order_without_leaves(engine: MatchingEngine[Order]) -> None:
    _, level = engine.books[0].sells.best_level()
    level.quantity -= first_sell(engine).leaves
    first_sell(engine).leaves = 0


def negative_leaves(engine: MatchingEngine[Order]) -> None:
    _, level = engine.books[0].sells.best_level()
    level.quantity -= first_sell(engine).leaves + 1
    first_sell(engine).leaves = -1


def leaves_above_quantity(engine: MatchingEngine[Order]) -> None:
    first_sell(engine).quantity = first_sell(engine).leaves - 1


def crossed(engine: MatchingEngine[Order]) -> None:
    engine.books[0].sells.add(parse_order("sell 9 1@99"))


def locked(engine: MatchingEngine[Order]) -> None:
    engine.books[1].buys.add(parse_order("buy 9 1@105 #1"))


def wrong_side(engine: MatchingEngine[Order]) -> None:
    first_sell(engine).side = Side.BUY


def wrong_instrument(engine: MatchingEngine[Order]) -> None:
    first_sell(engine).instrument_id = 1


def wrong_key(engine: MatchingEngine[Order]) -> None:
    orders = engine.books[0].sells.best_level()[1].orders
    orders[7] = orders.pop(3)


def shows_nothing(engine: MatchingEngine[Order]) -> None:
    engine.books[0].sells.add(parse_order("sell 8 5@106 display=2"))
    (*_, order) = engine.books[0].orders()
    assert order.terms is not None
    order.terms.shown = 0
    engine.books[0].sells.level(106).hidden = 5


def hidden_is_wrong(engine: MatchingEngine[Order]) -> None:
    engine.books[0].buys.best_level()[1].hidden += 1


def best_is_wrong(engine: MatchingEngine[Order]) -> None:
    engine.books[0].buys.known_best = 99


def waits_though_due(engine: MatchingEngine[Order]) -> None:
    engine.books[0].triggers.add(parse_order("buy 8 1@market best<=105"))


def waits_in_the_wrong_place(engine: MatchingEngine[Order]) -> None:
    order = parse_order("buy 8 1@market last>=105")
    engine.books[0].triggers.add(order)
    trigger_of(order).price += 1


def waits_in_no_queue(engine: MatchingEngine[Order]) -> None:
    order = parse_order("buy 8 1@market last>=105")
    engine.books[0].triggers.add(order)
    del engine.books[0].triggers.orders[1]


def first_sell(engine: MatchingEngine[Order]) -> Order:
    return next(iter(engine.books[0].sells.best_level()[1].orders.values()))


@pytest.mark.parametrize(
    ("corrupt", "fault"),
    [
        (quantity_too_large, "instrument 0 BUY 100: quantity 9, orders 8"),
        (quantity_too_small, "instrument 1 SELL 105: quantity 3, orders 4"),
        (order_changed_behind_the_level, "instrument 0 SELL 105: quantity 4, orders 3"),
        (order_gone_from_its_level, "instrument 0 BUY 100: quantity 8, orders 5"),
        (empty_level, "instrument 0 SELL 105: empty level"),
        (price_is_not_the_level_s, "instrument 0 SELL 105: holds Order(3: SELL 4/4 @ 106 #0)"),
        (order_without_leaves, "instrument 0 SELL 105: holds Order(3: SELL 0/4 @ 105 #0)"),
        (negative_leaves, "instrument 0 SELL 105: holds Order(3: SELL -1/4 @ 105 #0)"),
        (leaves_above_quantity, "instrument 0 SELL 105: holds Order(3: SELL 4/3 @ 105 #0)"),
        (wrong_side, "instrument 0 SELL 105: holds Order(3: BUY 4/4 @ 105 #0)"),
        (wrong_instrument, "instrument 0 SELL 105: holds Order(3: SELL 4/4 @ 105 #1)"),
        (wrong_key, "instrument 0 SELL 105: holds Order(3: SELL 4/4 @ 105 #0) as 7"),
        (crossed, "instrument 0: the book is crossed"),
        (locked, "instrument 1: the book is crossed"),
        (shows_nothing, "instrument 0 SELL 106: Order(8: SELL 5/5 @ 106 #0) shows 0 of 2"),
        (hidden_is_wrong, "instrument 0 BUY 100: hidden 1, orders 0"),
        (best_is_wrong, "instrument 0 BUY: best 99, levels [100]"),
        (waits_though_due, "instrument 0: Order(8: BUY 1/1 @ 0 #0) waits though it is due"),
        (waits_in_the_wrong_place, "instrument 0: Order(8: BUY 1/1 @ 0 #0) is not in its queue"),
        (waits_in_no_queue, "instrument 0: 0 orders wait, 1 are queued"),
    ],
)
def test_the_invariants_name_the_fault(corrupt: Corruption, fault: str) -> None:
    engine = market_after(*BASE, "sell 4 4@105 #1").engine
    check_invariants(engine)
    corrupt(engine)
    with pytest.raises(AssertionError) as caught:
        check_invariants(engine)
    assert str(caught.value).startswith(fault)


def test_the_invariants_hold_for_empty_and_one_sided_books() -> None:
    check_invariants(market_after().engine)
    check_invariants(market_after("buy 1 5@100", "sell 2 5@1 #1").engine)
