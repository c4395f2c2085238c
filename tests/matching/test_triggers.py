"""Orders that wait outside of the book: stops, take-profits, trailing stops."""

from __future__ import annotations

import pytest

from matching.engine import MatchingEngine
from matching.order import Order
from tests.matching.script import Market, play


def test_a_stop_waits_unseen_and_fires_at_the_last_price() -> None:
    play("""
        sell 1 1@100            | accepted 1
        sell 2 9@101            | accepted 2
        buy 3 5@market last>=100 | accepted 3
        book                    | sell 1 1@100
                                | sell 2 9@101
        waiting                 | buy 3 at 100
        buy 4 1@100             | accepted 4
                                | traded 1x4 1@100 leaves 0/0
                                | triggered 3
                                | traded 2x3 5@101 leaves 4/0
        waiting                 | empty
    """)


def test_a_stop_limit_rests_with_what_it_leaves() -> None:
    play("""
        buy 1 1@100             | accepted 1
        buy 2 2@99              | accepted 2
        sell 3 5@99 last<=100   | accepted 3
        sell 4 1@100            | accepted 4
                                | traded 1x4 1@100 leaves 0/0
                                | triggered 3
                                | traded 2x3 2@99 leaves 0/3
        book                    | sell 3 3@99
    """)


@pytest.mark.parametrize(
    ("option", "end", "book"),
    [
        ("ioc", ["traded 4x2 2@101 leaves 0/2", "cancelled 2 2"], "empty"),
        ("fok", ["cancelled 2 4"], "sell 4 2@101"),
        ("day", ["traded 4x2 2@101 leaves 0/2"], "buy 2 2@101"),
        ("gtd", ["traded 4x2 2@101 leaves 0/2"], "buy 2 2@101"),
    ],
)
def test_a_fired_order_follows_its_time_in_force(option: str, end: list[str], book: str) -> None:
    market = play("""
        buy 1 1@100             | accepted 1
        sell 4 2@101            | accepted 4
    """)
    market.run(f"buy 2 4@101 last<=100 {option}")
    events = ["accepted 3", "traded 1x3 1@100 leaves 0/0", "triggered 2", *end]
    assert market.run("sell 3 1@100") == events
    assert market.run("book") == [book]


def test_one_whose_condition_holds_already_fires_at_once() -> None:
    play("""
        sell 1 2@100            | accepted 1
        buy 2 1@100             | accepted 2
                                | traded 1x2 1@100 leaves 1/0
        buy 3 1@100 last>=99    | accepted 3
                                | triggered 3
                                | traded 1x3 1@100 leaves 0/0
    """)


def test_without_a_last_price_none_fires() -> None:
    play("""
        buy 1 1@100 last>=-5    | accepted 1
        buy 2 1@100 last<=500   | accepted 2
        waiting                 | buy 1 at -5
                                | buy 2 at 500
    """)


def test_the_best_reference_is_the_other_side_s_best_price() -> None:
    play("""
        buy 1 1@90              | accepted 1
        buy 2 1@95 best<=100    | accepted 2
        sell 3 1@market best>=95 | accepted 3
        sell 4 1@101            | accepted 4
        sell 5 1@100            | accepted 5
                                | triggered 2
                                | triggered 3
                                | traded 2x3 1@95 leaves 0/0
        book                    | buy 1 1@90
                                | sell 5 1@100
                                | sell 4 1@101
    """)


@pytest.mark.parametrize("command", ["cancel 1", "replace 1 5@102"])
def test_a_cancel_and_a_replace_move_the_best_price_too(command: str) -> None:
    market = play("""
        sell 1 5@100            | accepted 1
        sell 2 5@101            | accepted 2
        buy 3 1@90 best>=101    | accepted 3
    """)
    assert market.run(command)[-1] == "triggered 3"


def test_rises_fire_by_ascending_price_then_falls_by_descending_price_then_by_entry() -> None:
    play("""
        sell 1 1@100            | accepted 1
        buy 11 1@1 last<=100    | accepted 11
        buy 12 1@1 last>=100    | accepted 12
        buy 13 1@1 last<=101    | accepted 13
        buy 14 1@1 last>=98     | accepted 14
        buy 15 1@1 last<=101    | accepted 15
        buy 16 1@1 last>=99     | accepted 16
        buy 17 1@1 last>=98     | accepted 17
        buy 18 1@1 last>=101    | accepted 18
        buy 2 1@100             | accepted 2
                                | traded 1x2 1@100 leaves 0/0
                                | triggered 14
                                | triggered 17
                                | triggered 16
                                | triggered 12
                                | triggered 13
                                | triggered 15
                                | triggered 11
        waiting                 | buy 18 at 101
    """)


def test_both_references_are_one_order() -> None:
    play("""
        sell 1 1@100            | accepted 1
        sell 2 1@102            | accepted 2
        buy 3 1@1 best>=102     | accepted 3
        buy 4 1@1 last>=100     | accepted 4
        buy 5 1@1 best>=101     | accepted 5
        buy 6 1@100             | accepted 6
                                | traded 1x6 1@100 leaves 0/0
                                | triggered 4
                                | triggered 5
                                | triggered 3
    """)


def test_what_a_fired_order_trades_may_fire_more_and_is_looked_at_from_the_start() -> None:
    play("""
        sell 1 1@100             | accepted 1
        sell 2 1@103             | accepted 2
        sell 3 1@110             | accepted 3
        buy 4 1@market last>=100 | accepted 4
        buy 5 1@1 last>=102      | accepted 5
        buy 6 1@1 last>=101      | accepted 6
        buy 7 1@1 last<=100      | accepted 7
        buy 8 1@100              | accepted 8
                                 | traded 1x8 1@100 leaves 0/0
                                 | triggered 4
                                 | traded 2x4 1@103 leaves 0/0
                                 | triggered 6
                                 | triggered 5
        waiting                  | buy 7 at 100
    """)


# Trailing


def test_a_trailing_sell_stop_follows_the_reference_up_only() -> None:
    play("""
        buy 1 1@100                     | accepted 1
        sell 2 1@market best<=0 trail=3 | accepted 2
        waiting                         | sell 2 at 97
        buy 3 1@105                     | accepted 3
        waiting                         | sell 2 at 102
        buy 4 1@103                     | accepted 4
        cancel 3                        | cancelled 3 1
        waiting                         | sell 2 at 102
        cancel 4                        | cancelled 4 1
                                        | triggered 2
                                        | traded 1x2 1@100 leaves 0/0
    """)


def test_a_trailing_price_is_never_below_one_tick() -> None:
    """At 0 it would be one that is not set, and a price below that is nobody's."""
    play("""
        buy 1 1@4                       | accepted 1
        sell 2 1@market best<=0 trail=5 | accepted 2
        waiting                         | sell 2 at 1
        buy 3 1@7                       | accepted 3
        waiting                         | sell 2 at 2
    """)


def test_a_trailing_buy_stop_follows_the_reference_down_only() -> None:
    play("""
        buy 1 1@1 best>=0 trail=2   | accepted 1
        waiting                     | buy 1 at 0
        sell 2 1@100                | accepted 2
        waiting                     | buy 1 at 102
        sell 3 1@95                 | accepted 3
        waiting                     | buy 1 at 97
        cancel 3                    | cancelled 3 1
                                    | triggered 1
    """)


def test_a_given_price_is_kept_while_the_reference_is_far() -> None:
    play("""
        buy 1 1@1 best>=103 trail=5 | accepted 1
        waiting                     | buy 1 at 103
        sell 2 1@100                | accepted 2
        waiting                     | buy 1 at 103
        sell 3 1@97                 | accepted 3
        waiting                     | buy 1 at 102
    """)


@pytest.mark.parametrize(
    ("best", "bps", "distance"),
    [(100, 1, 1), (10_000, 1, 1), (10_001, 1, 2), (1_000, 250, 25), (1_010, 250, 26)],
)
def test_a_distance_in_basis_points_is_rounded_up(best: int, bps: int, distance: int) -> None:
    market = Market()
    market.run(f"sell 1 1@{best}")
    market.run(f"buy 2 1@1 best>=0 bps={bps}")
    assert market.run("waiting") == [f"buy 2 at {best + distance}"]


# Cancel and replace


def test_cancel_of_a_waiting_order() -> None:
    play("""
        buy 1 5@100 last>=100   | accepted 1
        buy 2 5@99 last>=100    | accepted 2
        cancel 1                | cancelled 1 5
        waiting                 | buy 2 at 100
        sell 3 1@100            | accepted 3
        buy 4 1@100             | accepted 4
                                | traded 3x4 1@100 leaves 0/0
                                | triggered 2
    """)


def test_replace_keeps_the_entry_unless_the_trigger_price_changes() -> None:
    play("""
        buy 1 5@90 last>=100             | accepted 1
        buy 2 5@90 last>=100             | accepted 2
        buy 3 5@90 last>=100             | accepted 3
        replace 1 9@80                   | replaced 1 9@80 leaves 9
        replace 2 5@90 trigger=101       | replaced 2 5@90 leaves 5
        replace 2 5@90 trigger=100       | replaced 2 5@90 leaves 5
        replace 1 9@80 trigger=100       | replaced 1 9@80 leaves 9
        waiting                          | buy 1 at 100
                                         | buy 3 at 100
                                         | buy 2 at 100
        sell 4 1@100                     | accepted 4
        buy 5 1@100                      | accepted 5
                                         | traded 4x5 1@100 leaves 0/0
                                         | triggered 1
                                         | triggered 3
                                         | triggered 2
        book                             | buy 3 5@90
                                         | buy 2 5@90
                                         | buy 1 9@80
    """)


def test_a_replaced_order_may_fire_at_once() -> None:
    play("""
        sell 1 2@100                     | accepted 1
        buy 2 1@100                      | accepted 2
                                         | traded 1x2 1@100 leaves 1/0
        buy 3 5@100 last>=105            | accepted 3
        replace 3 5@100 trigger=100      | replaced 3 5@100 leaves 5
                                         | triggered 3
                                         | traded 1x3 1@100 leaves 0/4
        book                             | buy 3 4@100
    """)


def test_a_quantity_of_nothing_ends_a_waiting_order() -> None:
    play("""
        sell 1 5@market last<=100        | accepted 1
        replace 1 0@0                    | replaced 1 0@0 leaves 0
        waiting                          | empty
    """)


def test_a_triggered_order_no_longer_has_a_trigger_price_to_replace() -> None:
    play("""
        sell 1 1@100                     | accepted 1
        buy 2 1@100                      | accepted 2
                                         | traded 1x2 1@100 leaves 0/0
        buy 3 5@99 last>=100             | accepted 3
                                         | triggered 3
        replace 3 5@98 trigger=200       | replaced 3 5@98 leaves 5
        book                             | buy 3 5@98
    """)


# Suspension, snapshots


def test_while_suspended_nothing_fires_and_then_all_is_due() -> None:
    play("""
        suspend
        sell 1 1@100                     | accepted 1
        buy 2 1@100                      | accepted 2
                                         | traded 1x2 1@100 leaves 0/0
        buy 3 5@99 last>=100             | accepted 3
        buy 4 5@99 last>=99              | accepted 4
        waiting                          | buy 3 at 100
                                         | buy 4 at 99
        resume                           | triggered 4
                                         | triggered 3
        book                             | buy 4 5@99
                                         | buy 3 5@99
    """)


def test_orders_put_back_go_on_where_they_were() -> None:
    first = play("""
        sell 1 9@100 display=3           | accepted 1
        sell 2 2@100                     | accepted 2
        buy 3 1@100                      | accepted 3
                                         | traded 1x3 1@100 leaves 8/0
        buy 4 1@90 last>=101             | accepted 4
        buy 5 1@90 last>=101             | accepted 5
        buy 6 1@90 last>=102             | accepted 6
        replace 4 1@90 trigger=102       | replaced 4 1@90 leaves 1
    """)
    second = Market()
    second.engine, second.orders = MatchingEngine[Order](2), first.orders
    old, new = first.engine.books[0], second.engine.books[0]
    new.last = old.last
    for order in old.orders():
        new.side_of(order).add(order)
    for order in old.waiting():
        new.triggers.add(order)
    second.play("""
        book                             | sell 1 2 of 8@100
                                         | sell 2 2@100
        sell 7 1@103                     | accepted 7
        buy 8 11@103                     | accepted 8
                                         | traded 1x8 2@100 leaves 6/9
                                         | traded 2x8 2@100 leaves 0/7
                                         | traded 1x8 3@100 leaves 3/4
                                         | traded 1x8 3@100 leaves 0/1
                                         | traded 7x8 1@103 leaves 0/0
                                         | triggered 5
                                         | triggered 6
                                         | triggered 4
    """)
