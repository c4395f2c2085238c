"""What is remembered, and for how long."""

from __future__ import annotations

from exchange.remembered import Remembered


def test_it_is_worked_out_once_and_kept_where_it_is_worth_it() -> None:
    asked: list[int] = []

    def double(number: int) -> int:
        asked.append(number)
        return 2 * number

    found = Remembered(double, lambda number, _: number < 100, most=3)
    assert [found[one] for one in (1, 1, 100, 100, 2, 1)] == [2, 2, 200, 200, 4, 2]
    assert asked == [1, 100, 100, 2]
    assert len(found) == 2


def test_there_are_never_more_than_may_be() -> None:
    found = Remembered(str, lambda *_: True, most=3)
    for number in range(1_000):
        assert found[number % 7] == str(number % 7)
        assert len(found) <= 3
