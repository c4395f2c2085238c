"""Orders that may only rest."""

from __future__ import annotations

from tests.matching.script import play


def test_a_post_only_order_that_does_not_trade_rests() -> None:
    play("""
        sell 1 5@101            | accepted 1
        buy 2 5@100 post=reject | accepted 2
        sell 3 5@102 post=reprice | accepted 3
        book                    | buy 2 5@100
                                | sell 1 5@101
                                | sell 3 5@102
    """)


def test_one_that_would_trade_is_refused() -> None:
    play("""
        sell 1 5@101            | accepted 1
        buy 2 5@101 post=reject | refused 2 would trade
        book                    | sell 1 5@101
        buy 3 5@100             | accepted 3
        sell 4 5@99 post=reject | refused 4 would trade
        book                    | buy 3 5@100
                                | sell 1 5@101
    """)


def test_or_gets_the_best_price_at_which_it_does_not() -> None:
    play("""
        sell 1 5@101             | accepted 1
        buy 2 5@105 post=reprice | accepted 2
        book                     | buy 2 5@100
                                 | sell 1 5@101
        sell 3 5@1 post=reprice  | accepted 3
        book                     | buy 2 5@100
                                 | sell 1 5@101
                                 | sell 3 5@101
    """)


def test_there_may_be_no_such_price() -> None:
    play("""
        sell 1 5@1              | accepted 1
        buy 2 5@1 post=reprice  | refused 2 no price
        book                    | sell 1 5@1
    """)


def test_an_order_of_its_own_group_is_one_to_trade_with() -> None:
    play("""
        sell 1 5@100 group=1                         | accepted 1
        buy 2 5@100 post=reject group=1 stp=cancel_oldest | refused 2 would trade
    """)


def test_a_refused_replacement_changes_nothing() -> None:
    play("""
        sell 1 5@101            | accepted 1
        buy 2 5@100 post=reject | accepted 2
        buy 3 5@100             | accepted 3
        replace 2 9@101 display=1 | refused 2 would trade
        book                    | buy 2 5@100
                                | buy 3 5@100
                                | sell 1 5@101
        replace 2 4@100         | replaced 2 4@100 leaves 4
        replace 2 4@99          | replaced 2 4@99 leaves 4
        book                    | buy 3 5@100
                                | buy 2 4@99
                                | sell 1 5@101
    """)


def test_a_replacement_is_repriced_and_may_so_keep_its_place() -> None:
    play("""
        sell 1 5@101             | accepted 1
        buy 2 5@99 post=reprice  | accepted 2
        replace 2 5@105          | replaced 2 5@100 leaves 5
        buy 3 5@100              | accepted 3
        replace 2 4@103          | replaced 2 4@100 leaves 4
        book                     | buy 2 4@100
                                 | buy 3 5@100
                                 | sell 1 5@101
    """)


def test_a_replacement_that_ends_the_order_is_not_refused() -> None:
    play("""
        buy 1 5@100 post=reject  | accepted 1
        sell 2 3@100             | accepted 2
                                 | traded 1x2 3@100 leaves 2/0
        sell 3 5@101             | accepted 3
        replace 1 3@101          | replaced 1 3@101 leaves 0
    """)


def test_once_triggered_one_that_would_trade_is_cancelled() -> None:
    play("""
        sell 1 5@100                         | accepted 1
        buy 2 5@100 post=reject last>=100    | accepted 2
        buy 3 5@101 post=reprice last>=100   | accepted 3
        buy 4 5@99 post=reject last>=100     | accepted 4
        buy 5 1@100                          | accepted 5
                                             | traded 1x5 1@100 leaves 4/0
                                             | triggered 2
                                             | cancelled 2 5 would trade
                                             | triggered 3
                                             | cancelled 3 5 would trade
                                             | triggered 4
        book                                 | buy 4 5@99
                                             | sell 1 4@100
    """)
