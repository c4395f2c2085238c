"""What a Logon may say beyond its CompIDs and its number, and what ours says to it."""

from __future__ import annotations

from typing import Any

import pytest

from fix_engine.logon import OUR_LARGEST_MESSAGE
from tests.fix_engine.support import LOGGED_ON, Driver, play


def answer(fields: str, **options: Any) -> str:
    """Our Logon's fields, or the Text of our Logout, when a Logon has these."""
    driver = Driver(**options)
    driver.do("connect")
    first, second, *more = driver.do(f"35=A|34={driver.session.next_in}|98=0|{fields}")
    assert not more
    if second == "online":
        return first.partition("|98=0|")[2]
    text = first.partition("|58=")[2]
    assert second == f"disconnect Logon refused: {text}"
    return text


# HeartBtInt


@pytest.mark.parametrize("interval", [1, 30, 3600])
def test_the_heartbeat_interval_is_that_of_the_logon(interval: int) -> None:
    """FIX 4.4 Volume 2, "Logon": the acceptor echoes HeartBtInt (108)."""
    assert answer(f"108={interval}") == f"108={interval}"


@pytest.mark.parametrize("interval", [0, -1, -30, 3601, 10**18 - 1])
def test_an_interval_out_of_bounds_is_refused(interval: int) -> None:
    """0 would leave a dead connection undiscovered."""
    assert answer(f"108={interval}") == f"HeartBtInt (108) {interval} is not within 1 to 3600"


def test_the_bounds_are_settings() -> None:
    bounds = {"min_heartbeat_s": 5, "max_heartbeat_s": 10}
    assert answer("108=5", **bounds) == "108=5"
    assert answer("108=10", **bounds) == "108=10"
    assert answer("108=4", **bounds) == "HeartBtInt (108) 4 is not within 5 to 10"
    assert answer("108=11", **bounds) == "HeartBtInt (108) 11 is not within 5 to 10"
    assert answer("108=0", min_heartbeat_s=0) == "108=0"


# Fields that are answered when they are there


def test_fields_that_the_venue_repeats() -> None:
    tags = (b"8013", b"553")
    assert answer("108=30|553=me|8013=Y", echoed_logon_tags=tags) == "108=30|8013=Y|553=me"
    assert answer("108=30|8013=N", echoed_logon_tags=tags) == "108=30|8013=N"
    assert answer("108=30", echoed_logon_tags=tags) == "108=30"
    assert answer("108=30|553=me|8013=Y") == "108=30"


def test_a_peer_that_says_how_much_it_takes_is_told_how_much_we_take() -> None:
    """FIX 4.4 Volume 2, "Logon": MaxMessageSize (383) announces the largest message received."""
    enough = f"108=30|383={OUR_LARGEST_MESSAGE}"
    assert answer(enough) == "108=30|383=65536"
    assert answer(enough, max_message_bytes=5_000) == "108=30|383=5000"


@pytest.mark.parametrize("size", [0, 1, OUR_LARGEST_MESSAGE - 1])
def test_a_peer_that_takes_too_little_is_refused(size: int) -> None:
    text = f"MaxMessageSize (383) {size} is too small, we need {OUR_LARGEST_MESSAGE}"
    assert answer(f"108=30|383={size}") == text


@pytest.mark.parametrize(
    ("is_test", "said", "expected"),
    [
        (False, "N", "108=30|464=N"),
        (True, "Y", "108=30|464=Y"),
        (False, "Y", "TestMessageIndicator (464) Y, but this is a production session"),
        (True, "N", "TestMessageIndicator (464) N, but this is a test session"),
    ],
)
def test_tests_do_not_reach_production(is_test: bool, said: str, expected: str) -> None:
    assert answer(f"108=30|464={said}", is_test=is_test) == expected


@pytest.mark.parametrize("is_test", [False, True])
def test_a_peer_that_does_not_say_is_taken_as_it_comes(is_test: bool) -> None:
    assert answer("108=30", is_test=is_test) == "108=30"


def test_an_in_session_reset_is_held_to_the_same() -> None:
    play(
        LOGGED_ON,
        """
        35=A|34=1|98=0|108=0|141=Y
            send 35=5|34=2|58=HeartBtInt (108) 0 is not within 1 to 3600
        """,
    )
    play(
        LOGGED_ON,
        """
        35=A|34=1|98=1|108=30|141=Y
            send 35=5|34=2|58=EncryptMethod (98) must be 0
        """,
    )


# NextExpectedMsgSeqNum (789). FIX 4.4 Volume 2: both sides say in their Logon what they expect
# next, and each sends again what the other misses, without being asked.


def test_what_the_peer_says_it_misses_is_sent_unasked() -> None:
    play(
        LOGGED_ON,
        """
        app 35=8|37=two
            send 35=8|34=2|37=two
        lost x
            offline x
        app 35=8|37=three
            store 35=8|34=3|37=three
        connect
        35=A|34=2|98=0|108=30|789=2
            send 35=A|34=4|98=0|108=30|789=3
            online
            fetch 2 4
        # the Logon's own number is in the gap fill
        replay
            again 35=8|34=2|43=Y|122=<now>|37=two
            again 35=8|34=3|43=Y|122=<now>|37=three
            again 35=4|34=4|43=Y|122=<now>|36=5|123=Y
        """,
        uses_next_expected=True,
    )


def test_what_we_miss_is_said_and_not_asked_for() -> None:
    play(
        """
        connect
        35=A|34=9|98=0|108=30|789=5
            send 35=A|34=5|98=0|108=30|789=7
            online
        35=D|34=10|<order>
        35=D|34=7|43=Y|122=<now-1>|<order>
            deliver D 7
        35=D|34=8|43=Y|122=<now-1>|<order>
            deliver D 8
            deliver D 10
        """,
        next_in=7,
        next_out=5,
        uses_next_expected=True,
    )


def test_a_peer_that_misses_nothing_is_sent_nothing() -> None:
    assert answer("108=30|789=5", next_out=5, uses_next_expected=True) == "108=30|789=2"


def test_a_peer_that_expects_more_than_was_ever_sent_is_refused() -> None:
    text = "NextExpectedMsgSeqNum (789) 6 is not possible, our next is 5"
    assert answer("108=30|789=6", next_out=5, uses_next_expected=True) == text


def test_a_peer_cannot_expect_0() -> None:
    text = "NextExpectedMsgSeqNum (789) 0 is not possible, our next is 5"
    assert answer("108=30|789=0", next_out=5, uses_next_expected=True) == text


def test_a_peer_that_does_not_use_it_is_asked_as_ever() -> None:
    play(
        """
        connect
        35=A|34=9|98=0|108=30
            send 35=A|34=5|98=0|108=30
            online
            send 35=2|34=6|7=7|16=0
        """,
        next_in=7,
        next_out=5,
        uses_next_expected=True,
    )


def test_a_venue_that_does_not_use_it_takes_no_notice() -> None:
    play(
        """
        connect
        35=A|34=9|98=0|108=30|789=2
            send 35=A|34=5|98=0|108=30
            online
            send 35=2|34=6|7=7|16=0
        """,
        next_in=7,
        next_out=5,
    )


def test_a_reset_leaves_nothing_to_be_expected() -> None:
    reset = "108=30|141=Y|789=1"
    play(
        f"""
        connect
        35=A|34=1|98=0|{reset}
            reset
            send 35=A|34=1|98=0|108=30|141=Y|789=2
            online
        35=D|34=2|<order>
            deliver D 2
        35=A|34=1|98=0|{reset}
            reset
            send 35=A|34=1|98=0|108=30|141=Y|789=2
        """,
        next_in=7,
        next_out=5,
        uses_next_expected=True,
    )


# LastMsgSeqNumProcessed (369)


def test_everything_may_say_what_was_received_last() -> None:
    play(
        """
        connect
        35=A|34=1|98=0|108=30
            send 35=A|34=1|369=1|98=0|108=30
            online
        app 35=8|37=x
            send 35=8|34=2|369=1|37=x
        35=D|34=2|<order>
            deliver D 2
        35=1|34=3|112=x
            send 35=0|34=3|369=3|112=x
        35=D|34=5|<order>
            send 35=2|34=4|369=3|7=4|16=0
        35=D|34=4|43=Y|122=<now>|<order>|999=x
            send 35=3|34=5|369=4|45=4|58=Invalid tag number|371=999|372=D|373=0
            deliver D 5
        # sent again as it was, but for the times
        35=2|34=6|7=2|16=2
            fetch 2 2
        replay
            again 35=8|34=2|43=Y|122=<now>|369=1|37=x
        logout bye
            send 35=5|34=6|369=6|58=bye
        """,
        adds_last_processed=True,
    )
