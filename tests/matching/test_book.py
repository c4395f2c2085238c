"""The book by itself: levels, their quantities, and the walk through them."""

from __future__ import annotations

import random
from collections.abc import Iterable

import pytest

from matching.book import Book, BookSide
from matching.events import Event
from matching.order import Order, Side
from tests.matching.script import describe, describe_book, parse_order


def side_with(side: Side, *texts: str) -> tuple[BookSide[Order], list[Order]]:
    orders = [parse_order(f"{side.name.lower()} {text}") for text in texts]
    book_side: BookSide[Order] = BookSide(side)
    for each in orders:
        book_side.add(each)
    return book_side, orders


def book_with(*texts: str) -> Book[Order]:
    book: Book[Order] = Book()
    for each in map(parse_order, texts):
        book.side_of(each).add(each)
    return book


def levels(side: BookSide[Order]) -> list[tuple[int, int, list[int]]]:
    """Price, quantity and the ids of the orders at each level, best first."""
    return [(price, level.quantity, list(level.orders)) for price, level in side.levels()]


# Levels


def test_the_best_buy_is_the_highest_and_the_best_sell_the_lowest() -> None:
    texts = ("1 5@100", "2 5@102", "3 5@101")
    buys, _ = side_with(Side.BUY, *texts)
    sells, _ = side_with(Side.SELL, *texts)
    assert buys.best == 102
    assert sells.best == 100
    assert [price for price, _ in buys.levels()] == [102, 101, 100]
    assert [price for price, _ in sells.levels()] == [100, 101, 102]


@pytest.mark.parametrize("side", Side)
def test_the_best_level_is_the_first_level(side: Side) -> None:
    book_side, _ = side_with(side, "1 5@100", "2 5@102", "3 5@101")
    price, level = next(book_side.levels())
    assert book_side.best_level() == (price, level)
    assert book_side.best == price


@pytest.mark.parametrize("side", Side)
def test_an_empty_side(side: Side) -> None:
    empty: BookSide[Order] = BookSide(side)
    assert not empty
    assert levels(empty) == []
    with pytest.raises(IndexError):
        empty.best_level()
    with pytest.raises(IndexError):
        _ = empty.best


def test_a_level_holds_its_orders_as_they_came_and_the_sum_of_their_leaves() -> None:
    sells, orders = side_with(Side.SELL, "7 5@100", "2 3@100", "4 1@101")
    assert sells
    assert levels(sells) == [(100, 8, [7, 2]), (101, 1, [4])]
    _, level = sells.best_level()
    assert list(level.orders.values()) == orders[:2]


def test_a_level_counts_the_leaves_of_an_order_not_its_quantity() -> None:
    filled = parse_order("buy 1 5@100")
    filled.leaves = 2
    buys: BookSide[Order] = BookSide(Side.BUY)
    buys.add(filled)
    assert levels(buys) == [(100, 2, [1])]
    buys.add(parse_order("buy 2 4@100"))
    buys.remove(filled)
    assert levels(buys) == [(100, 4, [2])]


def test_remove_takes_out_one_order_and_with_the_last_one_the_level() -> None:
    buys, (first, second, third) = side_with(Side.BUY, "1 5@100", "2 3@100", "3 1@99")
    buys.remove(first)
    assert levels(buys) == [(100, 3, [2]), (99, 1, [3])]
    buys.remove(second)
    assert levels(buys) == [(99, 1, [3])]
    buys.remove(third)
    assert not buys


@pytest.mark.parametrize("text", ["buy 2 5@100", "buy 1 5@99"])
def test_remove_of_an_order_that_does_not_rest_raises_and_changes_nothing(text: str) -> None:
    buys, _ = side_with(Side.BUY, "1 5@100")
    with pytest.raises(KeyError):
        buys.remove(parse_order(text))
    assert levels(buys) == [(100, 5, [1])]


def test_reduce_keeps_the_place_and_updates_the_level() -> None:
    sells, (first, _) = side_with(Side.SELL, "1 5@100", "2 3@100")
    sells.reduce(first, 4)
    assert first.leaves == 1
    assert levels(sells) == [(100, 4, [1, 2])]
    sells.reduce(first, 0)
    assert levels(sells) == [(100, 4, [1, 2])]


@pytest.mark.parametrize("side", Side)
def test_the_best_price_is_known_without_looking(side: Side) -> None:
    sign = 1 if side is Side.SELL else -1
    book_side, (first, second) = side_with(side, f"1 5@{100}", f"2 5@{100 - sign}")
    assert book_side.best_price == book_side.best == 100 - sign
    book_side.remove(second)
    assert book_side.best_price == book_side.best == 100
    book_side.add(second)
    assert book_side.best_price == 100 - sign
    book_side.remove(first)
    book_side.remove(second)
    assert book_side.best_price is None


def test_drop_level_forgets_one_price() -> None:
    sells, _ = side_with(Side.SELL, "1 5@100", "2 3@101")
    sells.drop_level(100)
    assert levels(sells) == [(101, 3, [2])]


@pytest.mark.parametrize("side", Side)
def test_prices_that_come_and_go_are_in_order_and_never_many(side: Side) -> None:
    chance = random.Random(7)
    book_side: BookSide[Order] = BookSide(side)
    resting: dict[int, Order] = {}
    for order_id in range(1, 3_000):
        price = chance.randint(1, 60)
        if price in resting:
            book_side.remove(resting.pop(price))
        else:
            resting[price] = parse_order(f"{side.name.lower()} {order_id} 5@{price}")
            book_side.add(resting[price])
        wanted = sorted(resting, reverse=side is Side.BUY)
        assert [one for one, _ in book_side.levels()] == wanted
        worse = [one for one in wanted if (one < 30 if side is Side.BUY else one > 30)]
        assert list(book_side.beyond(30)) == worse
        assert book_side.best_price == (wanted[0] if wanted else None)
        assert bool(book_side) is bool(wanted)
        assert book_side.visible(price) == ((5, 1) if price in resting else None)
        assert len(book_side._prices) <= len(resting) + 16


# Which prices trade


@pytest.mark.parametrize(
    ("resting", "limit", "price", "accepted"),
    [
        (Side.SELL, 99, 100, False),
        (Side.SELL, 100, 100, True),
        (Side.SELL, 101, 100, True),
        (Side.SELL, None, 100, True),
        (Side.BUY, 101, 100, False),
        (Side.BUY, 100, 100, True),
        (Side.BUY, 99, 100, True),
        (Side.BUY, None, 100, True),
        # A limit of 0 is a limit, not the lack of one.
        (Side.SELL, 0, 1, False),
        (Side.SELL, 0, 0, True),
        (Side.BUY, 0, -1, False),
        (Side.BUY, 0, 0, True),
    ],
)
def test_accepts(resting: Side, limit: int | None, price: int, accepted: bool) -> None:
    side: BookSide[Order] = BookSide(resting)
    assert side.accepts(limit, price) is accepted


def test_an_order_rests_on_its_own_side_and_trades_with_the_other() -> None:
    book: Book[Order] = Book()
    buy, sell = parse_order("buy 1 5@100"), parse_order("sell 2 5@100")
    assert book.side_of(buy) is book.opposite(sell) is book.buys
    assert book.side_of(sell) is book.opposite(buy) is book.sells
    assert (book.buys.side, book.sells.side) == (Side.BUY, Side.SELL)


# Whether an order can be filled

SELLS = ("sell 1 2@100", "sell 2 2@100", "sell 3 3@101", "sell 4 9@103")
BUYS = ("buy 1 2@100", "buy 2 2@100", "buy 3 3@99", "buy 4 9@97")


@pytest.mark.parametrize(
    ("resting", "taker", "limit", "fits"),
    [
        (SELLS, "buy 9 4@100", 100, True),
        (SELLS, "buy 9 5@100", 100, False),
        (SELLS, "buy 9 7@101", 101, True),
        (SELLS, "buy 9 8@101", 101, False),
        (SELLS, "buy 9 8@102", 102, False),
        (SELLS, "buy 9 16@market", None, True),
        (SELLS, "buy 9 17@market", None, False),
        (SELLS, "buy 9 1@99", 99, False),
        (BUYS, "sell 9 4@100", 100, True),
        (BUYS, "sell 9 5@100", 100, False),
        (BUYS, "sell 9 7@99", 99, True),
        (BUYS, "sell 9 8@98", 98, False),
        (BUYS, "sell 9 16@market", None, True),
        (BUYS, "sell 9 17@market", None, False),
        (BUYS, "buy 9 1@market", None, False),
        ((), "buy 9 1@market", None, False),
    ],
)
def test_can_fill(resting: Iterable[str], taker: str, limit: int | None, fits: bool) -> None:
    book = book_with(*resting)
    before = describe_book(book)
    order = parse_order(taker)
    assert book.can_fill(order, limit, order.leaves) is fits
    assert describe_book(book) == before


# Matching


def test_match_keeps_the_levels_it_passes_in_order() -> None:
    book = book_with("sell 1 5@100", "sell 2 5@101", "sell 3 5@101", "sell 4 5@102")
    taker = parse_order("buy 9 12@101")
    out: list[Event[Order]] = []
    book.match(taker, 101, out)
    assert [describe(event) for event in out] == [
        "traded 1x9 5@100 leaves 0/7",
        "traded 2x9 5@101 leaves 0/2",
        "traded 3x9 2@101 leaves 3/0",
    ]
    assert levels(book.sells) == [(101, 3, [3]), (102, 5, [4])]
    assert not book.buys


def test_match_never_adds_the_taker_to_the_book() -> None:
    book = book_with("buy 1 5@100", "buy 2 5@98")
    taker = parse_order("sell 9 8@99")
    out: list[Event[Order]] = []
    book.match(taker, 99, out)
    assert [describe(event) for event in out] == ["traded 1x9 5@100 leaves 0/3"]
    assert taker.leaves == 3
    assert levels(book.buys) == [(98, 5, [2])]
    assert not book.sells


def test_match_that_empties_a_level_exactly_drops_it() -> None:
    book = book_with("sell 1 5@100", "sell 2 5@101")
    out: list[Event[Order]] = []
    book.match(parse_order("buy 9 5@101"), 101, out)
    assert levels(book.sells) == [(101, 5, [2])]
