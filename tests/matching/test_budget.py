"""Market orders that know what they may spend."""

from __future__ import annotations

from tests.matching.script import play


def test_a_budget_buys_at_each_price_what_it_can_pay() -> None:
    market = play("""
        sell 1 2@100                | accepted 1
        sell 2 9@150                | accepted 2
        buy 3 0@market budget=500   | accepted 3
                                    | traded 1x3 2@100 leaves 0/3
                                    | traded 2x3 2@150 leaves 7/0
        book                        | sell 2 7@150
    """)
    order = market.orders[3]
    assert (order.quantity, order.leaves) == (4, 0)
    assert order.terms is not None
    assert order.terms.budget == 0


def test_on_the_sell_side_too() -> None:
    play("""
        buy 1 2@100                 | accepted 1
        buy 2 9@90                  | accepted 2
        sell 3 0@market budget=400  | accepted 3
                                    | traded 1x3 2@100 leaves 0/2
                                    | traded 2x3 2@90 leaves 7/0
        book                        | buy 2 7@90
    """)


def test_it_is_done_when_the_rest_buys_no_lot_at_the_next_price() -> None:
    market = play("""
        sell 1 2@100                | accepted 1
        sell 2 9@150                | accepted 2
        buy 3 0@market budget=349   | accepted 3
                                    | traded 1x3 2@100 leaves 0/0
        book                        | sell 2 9@150
    """)
    order = market.orders[3]
    assert order.terms is not None
    assert (order.quantity, order.leaves, order.terms.budget) == (2, 0, 149)


def test_a_sell_is_done_when_the_rest_buys_no_lot_at_the_price_it_has_traded_at() -> None:
    play("""
        buy 1 2@100                 | accepted 1
        buy 2 9@50                  | accepted 2
        sell 3 0@market budget=299  | accepted 3
                                    | traded 1x3 2@100 leaves 0/0
        book                        | buy 2 9@50
    """)


def test_in_an_empty_book_the_rest_is_cancelled_at_the_last_price() -> None:
    play("""
        sell 1 2@100                | accepted 1
        buy 2 0@market budget=555   | accepted 2
                                    | traded 1x2 2@100 leaves 0/3
                                    | cancelled 2 3
        buy 3 0@market budget=555   | accepted 3
                                    | cancelled 3 0
    """)


def test_one_that_empties_the_book_to_less_than_a_lot_is_done() -> None:
    play("""
        sell 1 2@100                | accepted 1
        buy 2 0@market budget=299   | accepted 2
                                    | traded 1x2 2@100 leaves 0/0
    """)


def test_one_that_buys_no_lot_at_all_is_cancelled() -> None:
    play("""
        sell 1 2@100                | accepted 1
        buy 2 0@market budget=99    | accepted 2
                                    | cancelled 2 0
        book                        | sell 1 2@100
    """)


def test_fill_or_kill_only_if_it_would_be_done() -> None:
    play("""
        sell 1 2@100                    | accepted 1
        buy 2 0@market budget=300 fok   | accepted 2
                                        | cancelled 2 0
        buy 3 0@market budget=299 fok   | accepted 3
                                        | traded 1x3 2@100 leaves 0/0
        sell 4 2@100                    | accepted 4
        sell 5 2@200                    | accepted 5
        buy 6 0@market budget=399 fok   | accepted 6
                                        | traded 4x6 2@100 leaves 0/0
        buy 7 0@market budget=199 fok   | accepted 7
                                        | cancelled 7 0
    """)


def test_a_minimum_is_in_lots() -> None:
    play("""
        sell 1 2@100                       | accepted 1
        buy 2 0@market budget=900 min=3    | accepted 2
                                           | cancelled 2 0
        buy 3 0@market budget=900 min=2    | accepted 3
                                           | traded 1x3 2@100 leaves 0/7
                                           | cancelled 3 7
    """)


def test_a_budget_trades_icebergs_part_by_part() -> None:
    play("""
        sell 1 5@100 display=2      | accepted 1
        sell 2 1@100                | accepted 2
        buy 3 0@market budget=450   | accepted 3
                                    | traded 1x3 2@100 leaves 3/2
                                    | traded 2x3 1@100 leaves 0/1
                                    | traded 1x3 1@100 leaves 2/0
        book                        | sell 1 1 of 2@100
    """)


def test_self_trade_prevention() -> None:
    play("""
        sell 1 2@100                                             | accepted 1
        sell 2 2@100 group=7                                     | accepted 2
        sell 3 2@110                                             | accepted 3
        buy 4 0@market budget=100 group=7 stp=cancel_newest      | accepted 4
                                                                 | traded 1x4 1@100 leaves 1/0
        buy 5 0@market budget=350 group=7 stp=decrement          | accepted 5
                                                                 | traded 1x5 1@100 leaves 0/2
                                                                 | cancelled 5 2 self trade
        buy 6 0@market budget=350 group=7 stp=decrement fok      | accepted 6
                                                                 | cancelled 6 0
        buy 7 0@market budget=115 group=7 stp=cancel_oldest      | accepted 7
                                                                 | cancelled 2 2 self trade
                                                                 | traded 3x7 1@110 leaves 1/0
        sell 8 2@110 group=7                                     | accepted 8
        buy 9 0@market budget=900 group=7 stp=cancel_both        | accepted 9
                                                                 | traded 3x9 1@110 leaves 0/7
                                                                 | cancelled 8 2 self trade
                                                                 | cancelled 9 7 self trade
        book                                                     | empty
    """)


def test_a_budget_may_wait_for_a_trigger_and_be_replaced() -> None:
    play("""
        sell 1 9@100                                 | accepted 1
        buy 2 0@market budget=900 last>=100          | accepted 2
        replace 2 250@0                              | replaced 2 0@0 leaves 250
        buy 3 0@market budget=900 last>=100          | accepted 3
        cancel 3                                     | cancelled 3 0
        buy 4 0@market budget=900 last>=100          | accepted 4
        replace 4 0@0                                | replaced 4 0@0 leaves 0
        buy 5 1@100                                  | accepted 5
                                                     | traded 1x5 1@100 leaves 8/0
                                                     | triggered 2
                                                     | traded 1x2 2@100 leaves 6/0
    """)
