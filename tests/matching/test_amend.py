"""Cancel and replace by example: who keeps their place in time, who trades, what ends an order."""

from __future__ import annotations

from tests.matching.script import play

# Cancel


def test_cancel_takes_out_what_is_left() -> None:
    play("""
        buy 1 5@100             | accepted 1
        buy 2 5@100             | accepted 2
        sell 3 2@100            | accepted 3
                                | traded 1x3 2@100 leaves 3/0
        cancel 1                | cancelled 1 3
        book                    | buy 2 5@100
        sell 4 5@100            | accepted 4
                                | traded 2x4 5@100 leaves 0/0
        book                    | empty
    """)


def test_cancel_from_the_middle_of_a_queue() -> None:
    play("""
        sell 1 1@100            | accepted 1
        sell 2 1@100            | accepted 2
        sell 3 1@100            | accepted 3
        cancel 2                | cancelled 2 1
        buy 4 2@100             | accepted 4
                                | traded 1x4 1@100 leaves 0/1
                                | traded 3x4 1@100 leaves 0/0
    """)


# Replace


def test_a_smaller_quantity_keeps_its_place() -> None:
    play("""
        sell 1 5@100            | accepted 1
        sell 2 5@100            | accepted 2
        replace 1 4@100         | replaced 1 4@100 leaves 4
        book                    | sell 1 4@100
                                | sell 2 5@100
        buy 3 5@100             | accepted 3
                                | traded 1x3 4@100 leaves 0/1
                                | traded 2x3 1@100 leaves 4/0
    """)


def test_the_same_price_and_quantity_keep_the_place() -> None:
    play("""
        buy 1 5@100             | accepted 1
        buy 2 5@100             | accepted 2
        replace 1 5@100         | replaced 1 5@100 leaves 5
        book                    | buy 1 5@100
                                | buy 2 5@100
    """)


def test_a_larger_quantity_loses_the_place() -> None:
    play("""
        buy 1 5@100             | accepted 1
        buy 2 5@100             | accepted 2
        replace 1 6@100         | replaced 1 6@100 leaves 6
        book                    | buy 2 5@100
                                | buy 1 6@100
    """)


def test_another_price_and_back_loses_the_place() -> None:
    play("""
        sell 1 5@100            | accepted 1
        sell 2 5@100            | accepted 2
        replace 1 5@101         | replaced 1 5@101 leaves 5
        book                    | sell 2 5@100
                                | sell 1 5@101
        replace 1 5@100         | replaced 1 5@100 leaves 5
        book                    | sell 2 5@100
                                | sell 1 5@100
    """)


def test_a_smaller_quantity_at_another_price_queues_behind() -> None:
    play("""
        buy 1 5@100             | accepted 1
        buy 2 5@99              | accepted 2
        replace 1 3@99          | replaced 1 3@99 leaves 3
        book                    | buy 2 5@99
                                | buy 1 3@99
    """)


def test_a_new_price_may_trade_at_once_and_at_the_price_of_the_maker() -> None:
    play("""
        sell 1 5@102            | accepted 1
        sell 2 2@101            | accepted 2
        buy 3 4@100             | accepted 3
        replace 3 8@103         | replaced 3 8@103 leaves 8
                                | traded 2x3 2@101 leaves 0/6
                                | traded 1x3 5@102 leaves 0/1
        book                    | buy 3 1@103
    """)


def test_a_replaced_order_may_trade_in_full() -> None:
    play("""
        sell 1 5@102            | accepted 1
        buy 2 4@100             | accepted 2
        replace 2 4@102         | replaced 2 4@102 leaves 4
                                | traded 1x2 4@102 leaves 1/0
        book                    | sell 1 1@102
    """)


def test_a_replaced_order_does_not_trade_beyond_its_new_limit() -> None:
    play("""
        buy 1 5@100             | accepted 1
        buy 2 5@98              | accepted 2
        sell 3 9@105            | accepted 3
        replace 3 9@99          | replaced 3 9@99 leaves 9
                                | traded 1x3 5@100 leaves 0/4
        book                    | buy 2 5@98
                                | sell 3 4@99
    """)


def test_what_is_filled_counts_in_the_new_quantity() -> None:
    play("""
        buy 1 10@100            | accepted 1
        buy 2 1@100             | accepted 2
        sell 3 4@100            | accepted 3
                                | traded 1x3 4@100 leaves 6/0
        replace 1 9@100         | replaced 1 9@100 leaves 5
        book                    | buy 1 5@100
                                | buy 2 1@100
        replace 1 12@100        | replaced 1 12@100 leaves 8
        book                    | buy 2 1@100
                                | buy 1 8@100
        replace 1 5@99          | replaced 1 5@99 leaves 1
        book                    | buy 2 1@100
                                | buy 1 1@99
    """)


def test_a_quantity_between_leaves_and_total_is_still_smaller() -> None:
    """The place is lost by more than the total of the order, not by more than its leaves."""
    play("""
        buy 1 10@100            | accepted 1
        buy 2 1@100             | accepted 2
        sell 3 4@100            | accepted 3
                                | traded 1x3 4@100 leaves 6/0
        replace 1 10@100        | replaced 1 10@100 leaves 6
        replace 1 8@100         | replaced 1 8@100 leaves 4
        book                    | buy 1 4@100
                                | buy 2 1@100
    """)


def test_a_quantity_just_above_what_is_filled_leaves_one() -> None:
    play("""
        sell 1 5@100            | accepted 1
        buy 2 3@100             | accepted 2
                                | traded 1x2 3@100 leaves 2/0
        replace 1 4@100         | replaced 1 4@100 leaves 1
        book                    | sell 1 1@100
    """)


def test_a_quantity_equal_to_what_is_filled_ends_the_order() -> None:
    play("""
        sell 1 5@100            | accepted 1
        buy 2 3@100             | accepted 2
                                | traded 1x2 3@100 leaves 2/0
        replace 1 3@100         | replaced 1 3@100 leaves 0
        book                    | empty
    """)


def test_a_quantity_below_what_is_filled_ends_the_order_with_what_it_has() -> None:
    play("""
        sell 1 5@100            | accepted 1
        sell 4 5@100            | accepted 4
        buy 2 3@100             | accepted 2
                                | traded 1x2 3@100 leaves 2/0
        replace 1 1@100         | replaced 1 3@100 leaves 0
        book                    | sell 4 5@100
    """)


def test_an_order_that_ends_by_replace_does_not_trade_at_its_new_price() -> None:
    play("""
        buy 1 5@100             | accepted 1
        sell 2 3@100            | accepted 2
                                | traded 1x2 3@100 leaves 2/0
        sell 3 5@101            | accepted 3
        replace 1 2@102         | replaced 1 3@102 leaves 0
        book                    | sell 3 5@101
    """)


def test_a_second_replace_starts_from_the_first() -> None:
    """A quantity given back and asked for again is larger, so it loses the place."""
    play("""
        sell 1 5@100            | accepted 1
        sell 2 5@100            | accepted 2
        replace 1 3@100         | replaced 1 3@100 leaves 3
        replace 1 5@100         | replaced 1 5@100 leaves 5
        book                    | sell 2 5@100
                                | sell 1 5@100
        cancel 1                | cancelled 1 5
    """)
