"""Orders that show a part of themselves at a time."""

from __future__ import annotations

import pytest

from matching.book import Level
from matching.order import Order
from tests.matching.script import Market, play


def level(market: Market, price: int) -> Level[Order]:
    book = market.engine.books[0]
    side = book.sells if book.sells and book.sells.best <= price else book.buys
    return side.level(price)


def visible(market: Market, price: int) -> tuple[int, int]:
    """Quantity and hidden part of a level."""
    found = level(market, price)
    return found.quantity, found.hidden


def test_what_is_shown_trades_first_then_the_next_part_is_behind_all_others() -> None:
    market = play("""
        sell 1 10@100 display=3 | accepted 1
        sell 2 4@100            | accepted 2
        buy 3 2@100             | accepted 3
                                | traded 1x3 2@100 leaves 8/0
        book                    | sell 1 1 of 8@100
                                | sell 2 4@100
        buy 4 3@100             | accepted 4
                                | traded 1x4 1@100 leaves 7/2
                                | traded 2x4 2@100 leaves 2/0
        book                    | sell 2 2@100
                                | sell 1 3 of 7@100
    """)
    assert visible(market, 100) == (9, 4)


def test_a_sweep_trades_what_is_hidden_part_by_part() -> None:
    market = play("""
        buy 1 5@100 display=2   | accepted 1
        buy 2 3@100 display=2   | accepted 2
        buy 3 1@99              | accepted 3
        sell 4 9@99             | accepted 4
                                | traded 1x4 2@100 leaves 3/7
                                | traded 2x4 2@100 leaves 1/5
                                | traded 1x4 2@100 leaves 1/3
                                | traded 2x4 1@100 leaves 0/2
                                | traded 1x4 1@100 leaves 0/1
                                | traded 3x4 1@99 leaves 0/0
        book                    | empty
    """)
    assert not market.engine.books[0].buys


def test_the_last_part_is_what_is_left() -> None:
    market = play("""
        sell 1 5@100 display=3  | accepted 1
        buy 2 3@100             | accepted 2
                                | traded 1x2 3@100 leaves 2/0
        book                    | sell 1 2 of 2@100
    """)
    assert visible(market, 100) == (2, 0)


def test_an_iceberg_that_comes_trades_with_all_it_has_and_shows_what_rests() -> None:
    market = play("""
        sell 1 6@100            | accepted 1
        buy 2 10@100 display=3  | accepted 2
                                | traded 1x2 6@100 leaves 0/4
        book                    | buy 2 3 of 4@100
    """)
    assert visible(market, 100) == (4, 1)


def test_a_display_beyond_the_quantity_shows_all() -> None:
    market = play("""
        buy 1 5@100 display=9   | accepted 1
        book                    | buy 1 5 of 5@100
    """)
    assert visible(market, 100) == (5, 0)


def test_fill_or_kill_counts_what_is_hidden() -> None:
    play("""
        sell 1 9@100 display=2  | accepted 1
        buy 2 10@100 fok        | accepted 2
                                | cancelled 2 10
        buy 3 9@100 fok         | accepted 3
                                | traded 1x3 2@100 leaves 7/7
                                | traded 1x3 2@100 leaves 5/5
                                | traded 1x3 2@100 leaves 3/3
                                | traded 1x3 2@100 leaves 1/1
                                | traded 1x3 1@100 leaves 0/0
    """)


def test_cancel_takes_out_what_is_hidden_too() -> None:
    market = play("""
        sell 1 9@100 display=2  | accepted 1
        sell 2 1@100            | accepted 2
        cancel 1                | cancelled 1 9
        book                    | sell 2 1@100
    """)
    assert visible(market, 100) == (1, 0)


ICEBERG = """
        sell 1 9@100 display=4  | accepted 1
        sell 2 5@100            | accepted 2
        buy 3 1@100             | accepted 3
                                | traded 1x3 1@100 leaves 8/0
"""


@pytest.mark.parametrize(
    ("replacement", "place", "sums"),
    [
        # Smaller: first what is hidden goes.
        ("5@100", "sell 1 3 of 4@100, sell 2 5@100", (9, 1)),
        ("3@100", "sell 1 2 of 2@100, sell 2 5@100", (7, 0)),
        # A smaller display keeps the place, and shows no more than was shown.
        ("9@100 display=2", "sell 1 2 of 8@100, sell 2 5@100", (13, 6)),
        ("9@100 display=4", "sell 1 3 of 8@100, sell 2 5@100", (13, 5)),
        ("3@100 display=1", "sell 1 1 of 2@100, sell 2 5@100", (7, 1)),
        # A larger one loses it; all is the largest.
        ("9@100 display=5", "sell 2 5@100, sell 1 5 of 8@100", (13, 3)),
        ("5@100 display=0", "sell 2 5@100, sell 1 4@100", (9, 0)),
        # A larger quantity does too, and the display is new.
        ("10@100", "sell 2 5@100, sell 1 4 of 9@100", (14, 5)),
    ],
)
def test_replace(replacement: str, place: str, sums: tuple[int, int]) -> None:
    market = play(ICEBERG)
    market.run(f"replace 1 {replacement}")
    assert market.run("book") == place.split(", ")
    assert visible(market, 100) == sums


def test_a_plain_order_may_become_an_iceberg_and_keeps_its_place() -> None:
    market = play("""
        buy 1 9@100             | accepted 1
        buy 2 5@100             | accepted 2
        replace 1 8@100 display=3 | replaced 1 8@100 leaves 8
        book                    | buy 1 3 of 8@100
                                | buy 2 5@100
    """)
    assert visible(market, 100) == (13, 5)


def test_another_price_shows_the_whole_display_again() -> None:
    play("""
        sell 1 9@100 display=4  | accepted 1
        buy 2 1@100             | accepted 2
                                | traded 1x2 1@100 leaves 8/0
        replace 1 9@101         | replaced 1 9@101 leaves 8
        book                    | sell 1 4 of 8@101
    """)
