"""Orders that want so much at once, or nothing."""

from __future__ import annotations

from tests.matching.script import play


def test_with_less_than_the_minimum_nothing_trades_and_nothing_rests() -> None:
    play("""
        sell 1 4@100            | accepted 1
        sell 2 4@102            | accepted 2
        buy 3 9@101 min=5       | accepted 3
                                | cancelled 3 9
        buy 4 9@101 min=5 ioc   | accepted 4
                                | cancelled 4 9
        book                    | sell 1 4@100
                                | sell 2 4@102
    """)


def test_with_the_minimum_the_rest_follows_the_time_in_force() -> None:
    play("""
        sell 1 4@100            | accepted 1
        buy 2 9@100 min=4       | accepted 2
                                | traded 1x2 4@100 leaves 0/5
        book                    | buy 2 5@100
        sell 3 9@100 min=5 ioc  | accepted 3
                                | traded 2x3 5@100 leaves 0/4
                                | cancelled 3 4
    """)


def test_a_market_order_may_have_a_minimum() -> None:
    play("""
        buy 1 4@100             | accepted 1
        sell 2 6@market min=5   | accepted 2
                                | cancelled 2 6
        sell 3 6@market min=4   | accepted 3
                                | traded 1x3 4@100 leaves 0/2
                                | cancelled 3 2
    """)


def test_fill_or_kill_wants_all_whatever_the_minimum() -> None:
    play("""
        sell 1 4@100            | accepted 1
        buy 2 5@100 min=2 fok   | accepted 2
                                | cancelled 2 5
    """)


def test_a_minimum_counts_only_what_would_really_trade() -> None:
    play("""
        sell 1 4@100            | accepted 1
        sell 2 4@100 group=7    | accepted 2
        buy 3 8@100 min=5 group=7 | accepted 3
                                | cancelled 3 8
        buy 4 8@100 min=4 group=7 | accepted 4
                                | traded 1x4 4@100 leaves 0/4
                                | cancelled 4 4 self trade
        buy 5 5@100 min=5       | accepted 5
                                | cancelled 5 5
    """)


def test_of_an_order_made_smaller_while_it_waits_the_minimum_is_all() -> None:
    play("""
        sell 1 5@100                      | accepted 1
        buy 2 9@100 min=5 last>=100       | accepted 2
        buy 3 9@100 min=5 last>=100       | accepted 3
        replace 2 3@100                   | replaced 2 3@100 leaves 3
        replace 3 3@100                   | replaced 3 3@100 leaves 3
        buy 4 1@100                       | accepted 4
                                          | traded 1x4 1@100 leaves 4/0
                                          | triggered 2
                                          | traded 1x2 3@100 leaves 1/0
                                          | triggered 3
                                          | cancelled 3 3
    """)


def test_a_replacement_has_no_minimum() -> None:
    play("""
        sell 1 2@100            | accepted 1
        buy 2 9@100 min=2       | accepted 2
                                | traded 1x2 2@100 leaves 0/7
        sell 3 1@101            | accepted 3
        replace 2 9@101         | replaced 2 9@101 leaves 7
                                | traded 3x2 1@101 leaves 0/6
        book                    | buy 2 6@101
    """)
