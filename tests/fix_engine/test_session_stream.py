"""Messages that are numbered and written and never stored, such as market data."""

from __future__ import annotations

import random

import pytest

from fix_engine import tags
from fix_engine.outbound import SharedFields
from fix_engine.resend import PAGE_MESSAGES
from fix_engine.states import State
from tests.fix_engine.support import LOGGED_ON, SECOND, Driver, decode, logged_on, play


def test_a_streamed_message_has_the_next_number_and_its_own_fields_before_the_shared() -> None:
    play(
        LOGGED_ON,
        """
        stream 35=W|262=mine / 55=MSFT|268=0
            stream 35=W|34=2|262=mine|55=MSFT|268=0
        app 35=8|37=1
            send 35=8|34=3|37=1
        stream 35=X| / 268=0
            stream 35=X|34=4|268=0
        35=1|34=2|112=x
            send 35=0|34=5|112=x
        """,
    )


def test_it_says_what_was_processed_last_where_the_peer_wants_to_know() -> None:
    play(
        """
        connect
        35=A|34=1|98=0|108=30
            send 35=A|34=1|369=1|98=0|108=30
            online
        stream 35=W|262=mine / 268=0
            stream 35=W|34=2|369=1|262=mine|268=0
        35=0|34=2
        stream 35=W| / 268=0
            stream 35=W|34=3|369=2|268=0
        """,
        adds_last_processed=True,
    )


def test_nothing_is_streamed_to_a_peer_that_is_not_logged_on() -> None:
    """No number is used up either."""
    driver = Driver()
    assert driver.do("stream 35=W| / 268=0") == []
    play(
        """
        connect
        stream 35=W| / 268=0
        35=A|34=1|98=0|108=30
            send 35=A|34=1|98=0|108=30
            online
        stream 35=W| / 268=0
            stream 35=W|34=2|268=0
        logout enough
            send 35=5|34=3|58=enough
        stream 35=W| / 268=0
        app 35=8|37=1
            store 35=8|34=4|37=1
        35=5|34=2
            offline logged out
            disconnect logged out
        stream 35=W| / 268=0
        """,
        driver=driver,
    )
    assert driver.session.next_out == 5


def test_an_initiator_streams_nothing_before_its_logon_is_answered() -> None:
    play(
        """
        initiate 30
            send 35=A|34=1|98=0|108=30
        stream 35=W| / 268=0
        35=A|34=1|98=0|108=30
            online
        stream 35=W| / 268=0
            stream 35=W|34=2|268=0
        """
    )


def test_who_is_streamed_to_needs_no_heartbeat() -> None:
    driver = logged_on()
    driver.do("wait 20")
    driver.do("stream 35=W| / 268=0")
    assert driver.session.deadline() == driver.now + 16 * SECOND, "it is the peer that is silent"
    driver.do("35=0|34=2")
    assert driver.session.deadline() == driver.now + 30 * SECOND


#: 1 the Logon, 2 and 3 streamed, 4 a report, 5 a heartbeat, 6 streamed, 7 a report, 8 streamed.
MIXED = """
    stream 35=W| / 268=0
        stream 35=W|34=2|268=0
    stream 35=W| / 268=0
        stream 35=W|34=3|268=0
    app 35=8|37=four
        send 35=8|34=4|37=four
    35=1|34=2|112=a
        send 35=0|34=5|112=a
    stream 35=W| / 268=0
        stream 35=W|34=6|268=0
    app 35=8|37=seven
        send 35=8|34=7|37=seven
    stream 35=W| / 268=0
        stream 35=W|34=8|268=0
"""


def test_one_gap_fill_stands_for_a_run_of_streamed_and_administrative_messages() -> None:
    play(
        LOGGED_ON,
        MIXED,
        """
        35=2|34=3|7=1|16=0
            fetch 1 8
        replay
            again 35=4|34=1|43=Y|122=<now>|36=4|123=Y
            again 35=8|34=4|43=Y|122=<now>|37=four
            again 35=4|34=5|43=Y|122=<now>|36=7|123=Y
            again 35=8|34=7|43=Y|122=<now>|37=seven
            again 35=4|34=8|43=Y|122=<now>|36=9|123=Y
        stream 35=W| / 268=0
            stream 35=W|34=9|268=0
        """,
    )


@pytest.mark.parametrize(
    ("begin", "end", "answer"),
    [
        (2, 3, ["4|34=2|43=Y|122=<now>|36=4|123=Y"]),
        (2, 2, ["4|34=2|43=Y|122=<now>|36=3|123=Y"]),
        (3, 4, ["4|34=3|43=Y|122=<now>|36=4|123=Y", "8|34=4|43=Y|122=<now>|37=four"]),
        (5, 6, ["4|34=5|43=Y|122=<now>|36=7|123=Y"]),
        (6, 6, ["4|34=6|43=Y|122=<now>|36=7|123=Y"]),
        (7, 7, ["8|34=7|43=Y|122=<now>|37=seven"]),
        (8, 8, ["4|34=8|43=Y|122=<now>|36=9|123=Y"]),
        (8, 0, ["4|34=8|43=Y|122=<now>|36=9|123=Y"]),
    ],
)
def test_a_request_for_a_part_of_it(begin: int, end: int, answer: list[str]) -> None:
    driver = play(LOGGED_ON, MIXED)
    assert driver.do(f"35=2|34=3|7={begin}|16={end}") == [f"fetch {begin} {end or 8}"]
    assert driver.do("replay") == [f"again 35={fields}" for fields in answer]


def test_what_the_peers_789_misses_of_a_stream_is_filled_behind_our_logon() -> None:
    driver = play(LOGGED_ON, MIXED, uses_next_expected=True)
    driver.do("lost broken")
    play(
        """
        connect
        35=A|34=3|98=0|108=30|789=6
            send 35=A|34=9|98=0|108=30|789=4
            online
            fetch 6 9
        replay
            again 35=4|34=6|43=Y|122=<now>|36=7|123=Y
            again 35=8|34=7|43=Y|122=<now>|37=seven
            again 35=4|34=8|43=Y|122=<now>|36=10|123=Y
        """,
        driver=driver,
    )


def test_numbers_that_were_only_reserved_when_we_died_are_filled_too() -> None:
    """A machine that goes on behind 1,002 has used some of the numbers before it, or none."""
    driver = Driver(next_in=3, next_out=1_003, uses_next_expected=True)
    lines = ["connect", "35=A|34=3|98=0|108=30|789=9"]
    effects = [effect for line in lines for effect in driver.do(line)]
    sent, online, *fetch = effects
    assert sent == "send 35=A|34=1003|98=0|108=30|789=4"
    assert online == "online"
    answered: list[str] = []
    while fetch:
        effects = driver.do("replay")
        answered += [one for one in effects if one.startswith("again")]
        fetch = [one for one in effects if one.startswith("fetch")]
    assert answered == ["again 35=4|34=9|43=Y|122=<now>|36=1004|123=Y"]


@pytest.mark.parametrize("seed", range(10))
def test_a_resend_over_any_mixture_tells_the_peer_every_number_once(seed: int) -> None:
    rng = random.Random(seed)
    driver = logged_on()
    reports: list[int] = []
    count = 3 * PAGE_MESSAGES
    while driver.session.next_out <= count:
        if rng.random() < 0.1:
            reports.append(driver.session.next_out)
            driver.do("app 35=8|37=x")
        for _ in range(rng.randrange(80)):
            driver.do("stream 35=W| / 268=0")
    last = driver.session.next_out - 1
    begin = rng.randint(1, last)
    end = rng.choice((0, rng.randint(begin, last)))
    fetch = driver.do(f"35=2|34=2|7={begin}|16={end}")
    seen: list[int] = []
    expected = begin
    while fetch:
        effects = driver.do("replay")
        fetch = [one for one in effects if one.startswith("fetch")]
        for effect in effects[: len(effects) - len(fetch)]:
            fields = dict(part.split("=", 1) for part in effect[6:].split("|"))
            assert int(fields["34"]) == expected, f"seed {seed}"
            expected = int(fields["36"]) if fields["35"] == "4" else expected + 1
            if fields["35"] == "8":
                seen.append(int(fields["34"]))
    stop = end or last
    assert expected == stop + 1, f"seed {seed}"
    assert seen == [seq for seq in reports if begin <= seq <= stop], f"seed {seed}"


def test_a_reset_begins_the_numbers_of_a_stream_again() -> None:
    play(
        LOGGED_ON,
        MIXED,
        """
        35=A|34=1|98=0|108=30|141=Y
            reset
            send 35=A|34=1|98=0|108=30|141=Y
        stream 35=W| / 268=0
            stream 35=W|34=2|268=0
        """,
    )


def test_what_is_streamed_is_a_message_that_any_peer_can_read() -> None:
    driver = logged_on()
    driver.session.stream(
        b"W", b"262=a\x01", SharedFields.of(b"58=" + b"x" * 2_000 + b"\x01"), driver.now
    )
    (effect,) = driver.session.take_effects()
    found = decode(effect.raw)  # type: ignore[union-attr]
    assert (found.seq, found.msg_type, found.get(tags.TEXT)) == (2, b"W", b"x" * 2_000)
    assert driver.session.state is State.ACTIVE
