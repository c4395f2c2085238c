"""Orders of one group do not trade with each other."""

from __future__ import annotations

import pytest

from tests.matching.script import play


def test_orders_of_different_groups_and_of_none_trade() -> None:
    play("""
        sell 1 1@100 group=1    | accepted 1
        sell 2 1@100            | accepted 2
        buy 3 2@100 group=2     | accepted 3
                                | traded 1x3 1@100 leaves 0/1
                                | traded 2x3 1@100 leaves 0/0
        sell 4 1@100            | accepted 4
        buy 5 1@100             | accepted 5
                                | traded 4x5 1@100 leaves 0/0
    """)


@pytest.mark.parametrize(
    ("mode", "events", "book"),
    [
        (
            "none",
            "traded 2x4 3@100 leaves 0/3, traded 3x4 3@101 leaves 1/0",
            "sell 3 1@101",
        ),
        ("cancel_newest", "cancelled 4 6 self trade", "sell 2 3@100, sell 3 4@101"),
        (
            "cancel_oldest",
            "cancelled 2 3 self trade, traded 3x4 4@101 leaves 0/2",
            "buy 4 2@101",
        ),
        ("cancel_both", "cancelled 2 3 self trade, cancelled 4 6 self trade", "sell 3 4@101"),
        (
            "decrement",
            "cancelled 2 3 self trade, reduced 4 by 3 leaves 3, traded 3x4 3@101 leaves 1/0",
            "sell 3 1@101",
        ),
    ],
)
def test_the_taker_s_mode_decides_when_they_meet(mode: str, events: str, book: str) -> None:
    market = play("""
        sell 1 5@100                            | accepted 1
        sell 2 3@100 group=7 stp=cancel_both    | accepted 2
        sell 3 4@101                            | accepted 3
    """)
    assert market.run(f"buy 4 11@101 group=7 stp={mode}") == [
        "accepted 4",
        "traded 1x4 5@100 leaves 0/6",
        *events.split(", "),
    ]
    assert market.run("book") == book.split(", ")


def test_decrement_makes_a_larger_maker_smaller_in_its_place() -> None:
    market = play("""
        sell 1 5@100 group=7                | accepted 1
        sell 2 5@100                        | accepted 2
        buy 3 3@100 group=7 stp=decrement   | accepted 3
                                            | reduced 1 by 3 leaves 2
                                            | cancelled 3 3 self trade
        book                                | sell 1 2@100
                                            | sell 2 5@100
    """)
    assert market.orders[1].quantity == 2


def test_decrement_of_equal_leaves_cancels_both() -> None:
    play("""
        sell 1 5@100 group=7                | accepted 1
        buy 2 5@100 group=7 stp=decrement   | accepted 2
                                            | cancelled 1 5 self trade
                                            | cancelled 2 5 self trade
        book                                | empty
    """)


def test_decrement_takes_all_leaves_of_an_iceberg_hidden_first() -> None:
    market = play("""
        sell 1 9@100 display=3 group=7      | accepted 1
        sell 2 5@100                        | accepted 2
        buy 3 5@100 group=7 stp=decrement   | accepted 3
                                            | reduced 1 by 5 leaves 4
                                            | cancelled 3 5 self trade
        book                                | sell 1 3 of 4@100
                                            | sell 2 5@100
    """)
    level = market.engine.books[0].sells.level(100)
    assert (level.quantity, level.hidden) == (9, 1)


def test_decremented_lots_are_not_filled_ones() -> None:
    play("""
        sell 1 4@100 group=7                | accepted 1
        buy 2 9@100 group=7 stp=decrement   | accepted 2
                                            | cancelled 1 4 self trade
                                            | reduced 2 by 4 leaves 5
        book                                | buy 2 5@100
        sell 3 2@100                        | accepted 3
                                            | traded 2x3 2@100 leaves 3/0
        replace 2 4@100                     | replaced 2 4@100 leaves 2
    """)


@pytest.mark.parametrize(
    ("mode", "most"),
    [
        ("none", 12),
        ("cancel_newest", 4),
        ("cancel_oldest", 9),
        ("cancel_both", 4),
        ("decrement", 4),
    ],
)
def test_fill_or_kill_counts_what_would_really_trade(mode: str, most: int) -> None:
    """Ahead of the own order is only what the iceberg shows."""
    resting = """
        sell 1 5@100 display=3   | accepted 1
        sell 2 1@100             | accepted 2
        sell 3 3@100 group=7     | accepted 3
        sell 4 3@101             | accepted 4
    """
    options = f"group=7 stp={mode} fok"
    market = play(resting)
    assert market.run(f"buy 9 {most + 1}@101 {options}")[1:] == [f"cancelled 9 {most + 1}"]
    events = play(resting).run(f"buy 9 {most}@101 {options}")
    assert events[-1].startswith("traded")
    assert events[-1].endswith("/0")


def test_a_replaced_order_is_the_newest() -> None:
    play("""
        buy 1 5@99 group=7      | accepted 1
        sell 2 5@101 group=7    | accepted 2
        replace 1 5@101         | replaced 1 5@101 leaves 5
                                | cancelled 1 5 self trade
        book                    | sell 2 5@101
    """)


def test_a_triggered_order_is_the_newest_and_is_not_looked_at_before() -> None:
    play("""
        sell 1 5@100 last>=102 group=7  | accepted 1
        buy 2 5@101 group=7             | accepted 2
        sell 3 1@102                    | accepted 3
        buy 4 1@102                     | accepted 4
                                        | traded 3x4 1@102 leaves 0/0
                                        | triggered 1
                                        | cancelled 1 5 self trade
        book                            | buy 2 5@101
    """)


def test_the_last_order_of_a_level_takes_the_level_with_it() -> None:
    play("""
        sell 1 5@100 group=7                    | accepted 1
        buy 2 5@100 group=7 stp=cancel_both     | accepted 2
                                                | cancelled 1 5 self trade
                                                | cancelled 2 5 self trade
        sell 3 5@100 group=7                    | accepted 3
        buy 4 5@100 group=7 stp=cancel_oldest   | accepted 4
                                                | cancelled 3 5 self trade
        book                                    | buy 4 5@100
    """)
