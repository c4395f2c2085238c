"""The rules of the market by example: orders in, events out."""

from __future__ import annotations

from matching.engine import MatchingEngine
from matching.events import Event, Traded
from matching.order import Order, OrderType, Side, TimeInForce
from tests.matching.script import play

# Resting and trading


def test_limit_orders_that_do_not_cross_rest() -> None:
    play("""
        buy 1 5@100             | accepted 1
        sell 2 7@101            | accepted 2
        book                    | buy 1 5@100
                                | sell 2 7@101
    """)


def test_equal_prices_trade_and_leave_nothing() -> None:
    play("""
        sell 1 5@100            | accepted 1
        buy 2 5@100             | accepted 2
                                | traded 1x2 5@100 leaves 0/0
        book                    | empty
    """)


def test_what_the_taker_leaves_rests() -> None:
    play("""
        sell 1 5@100            | accepted 1
        buy 2 8@100             | accepted 2
                                | traded 1x2 5@100 leaves 0/3
        book                    | buy 2 3@100
        sell 3 3@100            | accepted 3
                                | traded 2x3 3@100 leaves 0/0
        book                    | empty
    """)


def test_what_the_maker_leaves_keeps_resting() -> None:
    play("""
        buy 1 5@100             | accepted 1
        sell 2 2@100            | accepted 2
                                | traded 1x2 2@100 leaves 3/0
        book                    | buy 1 3@100
        sell 3 1@100            | accepted 3
                                | traded 1x3 1@100 leaves 2/0
        book                    | buy 1 2@100
    """)


def test_trades_are_at_the_price_of_the_maker() -> None:
    play("""
        sell 1 5@100            | accepted 1
        buy 2 5@105             | accepted 2
                                | traded 1x2 5@100 leaves 0/0
        buy 3 5@105             | accepted 3
        sell 4 5@100            | accepted 4
                                | traded 3x4 5@105 leaves 0/0
    """)


def test_what_is_left_rests_at_the_taker_s_own_price() -> None:
    play("""
        sell 1 5@100            | accepted 1
        buy 2 6@105             | accepted 2
                                | traded 1x2 5@100 leaves 0/1
        book                    | buy 2 1@105
    """)


def test_prices_may_be_zero_or_negative() -> None:
    play("""
        buy 1 5@-3              | accepted 1
        buy 2 5@0               | accepted 2
        sell 3 5@1              | accepted 3
        sell 4 7@-3             | accepted 4
                                | traded 2x4 5@0 leaves 0/2
                                | traded 1x4 2@-3 leaves 3/0
        book                    | buy 1 3@-3
                                | sell 3 5@1
    """)


def test_instruments_do_not_trade_with_each_other() -> None:
    play("""
        sell 1 5@100            | accepted 1
        buy 2 5@100 #1          | accepted 2
        buy 3 5@market #1       | accepted 3
                                | cancelled 3 5
        book                    | sell 1 5@100
        book #1                 | buy 2 5@100
        cancel 2                | cancelled 2 5
        book                    | sell 1 5@100
        book #1                 | empty
    """)


# Priority


def test_the_lowest_sell_trades_first() -> None:
    play("""
        sell 1 5@101            | accepted 1
        sell 2 5@100            | accepted 2
        sell 3 5@102            | accepted 3
        buy 4 5@102             | accepted 4
                                | traded 2x4 5@100 leaves 0/0
        book                    | sell 1 5@101
                                | sell 3 5@102
    """)


def test_the_highest_buy_trades_first() -> None:
    play("""
        buy 1 5@101             | accepted 1
        buy 2 5@102             | accepted 2
        buy 3 5@100             | accepted 3
        sell 4 5@100            | accepted 4
                                | traded 2x4 5@102 leaves 0/0
        book                    | buy 1 5@101
                                | buy 3 5@100
    """)


def test_at_one_price_the_first_to_come_trades_first() -> None:
    play("""
        sell 9 5@100            | accepted 9
        sell 1 50@100           | accepted 1
        sell 5 5@100            | accepted 5
        buy 6 57@100            | accepted 6
                                | traded 9x6 5@100 leaves 0/52
                                | traded 1x6 50@100 leaves 0/2
                                | traded 5x6 2@100 leaves 3/0
        book                    | sell 5 3@100
    """)


def test_a_partial_fill_keeps_its_place() -> None:
    play("""
        buy 1 5@100             | accepted 1
        buy 2 5@100             | accepted 2
        sell 3 2@100            | accepted 3
                                | traded 1x3 2@100 leaves 3/0
        sell 4 4@100            | accepted 4
                                | traded 1x4 3@100 leaves 0/1
                                | traded 2x4 1@100 leaves 4/0
    """)


def test_a_sweep_goes_through_the_levels_and_stops_at_its_limit() -> None:
    play("""
        sell 1 2@100            | accepted 1
        sell 2 2@101            | accepted 2
        sell 3 2@101            | accepted 3
        sell 4 2@102            | accepted 4
        sell 5 2@103            | accepted 5
        buy 6 9@102             | accepted 6
                                | traded 1x6 2@100 leaves 0/7
                                | traded 2x6 2@101 leaves 0/5
                                | traded 3x6 2@101 leaves 0/3
                                | traded 4x6 2@102 leaves 0/1
        book                    | buy 6 1@102
                                | sell 5 2@103
    """)


def test_a_sweep_of_the_buys_ends_inside_a_level() -> None:
    play("""
        buy 1 2@100             | accepted 1
        buy 2 2@99              | accepted 2
        buy 3 2@99              | accepted 3
        buy 4 2@98              | accepted 4
        sell 5 5@98             | accepted 5
                                | traded 1x5 2@100 leaves 0/3
                                | traded 2x5 2@99 leaves 0/1
                                | traded 3x5 1@99 leaves 1/0
        book                    | buy 3 1@99
                                | buy 4 2@98
    """)


# Immediate or cancel, market


def test_immediate_or_cancel_trades_what_it_can_and_cancels_the_rest() -> None:
    play("""
        sell 1 5@100            | accepted 1
        sell 2 5@101            | accepted 2
        buy 3 8@100 ioc         | accepted 3
                                | traded 1x3 5@100 leaves 0/3
                                | cancelled 3 3
        book                    | sell 2 5@101
    """)


def test_immediate_or_cancel_in_full_has_nothing_to_cancel() -> None:
    play("""
        buy 1 5@100             | accepted 1
        sell 2 5@99 ioc         | accepted 2
                                | traded 1x2 5@100 leaves 0/0
        book                    | empty
    """)


def test_immediate_or_cancel_that_does_not_cross_is_cancelled() -> None:
    play("""
        buy 1 5@100             | accepted 1
        sell 2 5@101 ioc        | accepted 2
                                | cancelled 2 5
        book                    | buy 1 5@100
    """)


def test_a_market_order_trades_at_any_price() -> None:
    play("""
        sell 1 5@100            | accepted 1
        sell 2 5@100000         | accepted 2
        buy 3 7@market          | accepted 3
                                | traded 1x3 5@100 leaves 0/2
                                | traded 2x3 2@100000 leaves 3/0
        buy 4 5@-100            | accepted 4
        sell 5 1@market         | accepted 5
                                | traded 4x5 1@-100 leaves 4/0
    """)


def test_what_a_market_order_leaves_is_cancelled_even_if_good_till_cancel() -> None:
    play("""
        buy 1 5@100             | accepted 1
        sell 2 8@market         | accepted 2
                                | traded 1x2 5@100 leaves 0/3
                                | cancelled 2 3
        book                    | empty
    """)


def test_a_market_order_on_an_empty_book_is_cancelled() -> None:
    play("""
        buy 1 5@market          | accepted 1
                                | cancelled 1 5
        sell 2 5@market ioc     | accepted 2
                                | cancelled 2 5
        sell 3 5@market fok     | accepted 3
                                | cancelled 3 5
        book                    | empty
    """)


def test_a_market_order_does_not_see_its_own_side() -> None:
    play("""
        buy 1 5@100             | accepted 1
        buy 2 5@market          | accepted 2
                                | cancelled 2 5
        book                    | buy 1 5@100
    """)


# Fill or kill


def test_fill_or_kill_with_just_enough_across_levels() -> None:
    play("""
        sell 1 2@100            | accepted 1
        sell 2 3@101            | accepted 2
        sell 3 9@102            | accepted 3
        buy 4 5@101 fok         | accepted 4
                                | traded 1x4 2@100 leaves 0/3
                                | traded 2x4 3@101 leaves 0/0
        book                    | sell 3 9@102
    """)


def test_fill_or_kill_one_short_trades_nothing() -> None:
    play("""
        sell 1 2@100            | accepted 1
        sell 2 3@101            | accepted 2
        sell 3 9@102            | accepted 3
        buy 4 6@101 fok         | accepted 4
                                | cancelled 4 6
        book                    | sell 1 2@100
                                | sell 2 3@101
                                | sell 3 9@102
    """)


def test_fill_or_kill_on_the_sell_side() -> None:
    play("""
        buy 1 2@100             | accepted 1
        buy 2 3@99              | accepted 2
        sell 3 6@99 fok         | accepted 3
                                | cancelled 3 6
        sell 4 3@100 fok        | accepted 4
                                | cancelled 4 3
        sell 5 4@99 fok         | accepted 5
                                | traded 1x5 2@100 leaves 0/2
                                | traded 2x5 2@99 leaves 1/0
        book                    | buy 2 1@99
    """)


def test_fill_or_kill_at_market_takes_any_price_but_only_in_full() -> None:
    play("""
        sell 1 2@100            | accepted 1
        sell 2 2@900            | accepted 2
        buy 3 5@market fok      | accepted 3
                                | cancelled 3 5
        buy 4 4@market fok      | accepted 4
                                | traded 1x4 2@100 leaves 0/2
                                | traded 2x4 2@900 leaves 0/0
        book                    | empty
    """)


def test_fill_or_kill_counts_only_what_still_rests() -> None:
    play("""
        sell 1 5@100            | accepted 1
        sell 2 5@100            | accepted 2
        sell 3 5@100            | accepted 3
        buy 4 2@100             | accepted 4
                                | traded 1x4 2@100 leaves 3/0
        cancel 2                | cancelled 2 5
        replace 3 4@100         | replaced 3 4@100 leaves 4
        buy 5 8@100 fok         | accepted 5
                                | cancelled 5 8
        buy 6 7@100 fok         | accepted 6
                                | traded 1x6 3@100 leaves 0/4
                                | traded 3x6 4@100 leaves 0/0
    """)


# Events


def test_events_are_added_to_what_the_caller_has_and_keep_the_figures_of_their_moment() -> None:
    engine: MatchingEngine[Order] = MatchingEngine(1)
    maker = Order(1, 0, Side.SELL, OrderType.LIMIT, 100, 5)
    first = Order(2, 0, Side.BUY, OrderType.LIMIT, 100, 2)
    second = Order(3, 0, Side.BUY, OrderType.LIMIT, 100, 2)
    out: list[Event[Order]] = []
    for order in (maker, first, second):
        engine.submit(order, TimeInForce.GOOD_TILL_CANCEL, out)
    assert [event for event in out if isinstance(event, Traded)] == [
        Traded(maker, first, 100, 2, 3, 0),
        Traded(maker, second, 100, 2, 1, 0),
    ]
    assert (maker.quantity, maker.leaves) == (5, 1)
