"""A limit that answers before it punishes."""

from __future__ import annotations

import random

from sessions.throttle import RateLimit, Throttle
from tests.sessions.tcp import Run, house

SECOND = 1_000_000_000
ORDER, CANCEL = b"D", b"F"


def test_no_limit_by_default() -> None:
    throttle = Throttle(RateLimit())
    assert not any(throttle.wait_ns(ORDER, 0) for _ in range(10_000))


def test_a_burst_passes_and_then_the_rate() -> None:
    throttle = Throttle(RateLimit(per_second=10, burst=3))
    waits = [throttle.wait_ns(ORDER, SECOND) for _ in range(5)]
    assert waits == [0, 0, 0, SECOND // 10, SECOND // 10]
    assert throttle.wait_ns(ORDER, SECOND + SECOND // 10) == 0, "who waits as told may pass"
    assert throttle.wait_ns(ORDER, SECOND + SECOND // 10) == SECOND // 10


def test_cancels_pass_longer_than_orders() -> None:
    throttle = Throttle(RateLimit(per_second=10, burst=3))
    while not throttle.wait_ns(ORDER, 0):
        pass
    assert [throttle.wait_ns(CANCEL, 0) for _ in range(4)] == [0, 0, 0, SECOND // 10]
    assert throttle.wait_ns(ORDER, 0) == 4 * SECOND // 10


def test_over_any_time_no_more_than_burst_and_rate_pass() -> None:
    for seed in range(20):
        rng = random.Random(seed)
        throttle = Throttle(RateLimit(per_second=100, burst=20))
        now = passed = 0
        for _ in range(2_000):
            now += rng.choice((0, 0, 1_000_000, 30_000_000))
            passed += not throttle.wait_ns(ORDER, now)
            assert passed <= 20 + now * 100 // SECOND + 1, f"seed {seed}"


def test_only_refusals_that_are_not_heeded_are_abuse() -> None:
    throttle = Throttle(RateLimit(per_second=10, burst=1, max_refused=3))
    throttle.wait_ns(ORDER, 0)
    for _ in range(3):
        throttle.wait_ns(ORDER, 0)
    assert not throttle.is_abused
    throttle.wait_ns(ORDER, SECOND)
    for _ in range(4):
        throttle.wait_ns(ORDER, SECOND)
    assert throttle.is_abused


def test_over_tcp_the_refusal_says_how_long_to_wait_and_abuse_ends_it(run: Run) -> None:
    async def scenario() -> None:
        limit = RateLimit(per_second=1, burst=2, max_refused=3)
        async with house(rate_limit=limit) as venue:
            client, other = await venue.client("CLIENT"), await venue.client("OTHER")
            for number in range(6):
                await client.send_raw(client.order(str(number)))
            answers = [await client.receive() for _ in range(6)]
            assert [answer[35] for answer in answers] == ["D", "D", "j", "j", "j", "5"]
            assert answers[2][380] == "0"
            assert answers[2][379] == "2"
            assert answers[2][58].startswith("Too many messages: wait ")
            assert answers[5][58] == "Too many messages in spite of refusals"
            await other.send_raw(other.order("a"))
            assert (await other.receive())[35] == "D", "nobody else feels it"

    run(scenario())
