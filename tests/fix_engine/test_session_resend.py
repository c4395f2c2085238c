"""A peer asks again for what it missed."""

from __future__ import annotations

import pytest

from fix_engine.resend import PAGE_MESSAGES
from fix_engine.states import State
from tests.fix_engine.support import LOGGED_ON, Driver, logged_on, play

#: Numbers 2 to 9: two administrative messages, two reports, two more of each kind, one of the
#: first. 1 was the Logon.
HISTORY = """
    35=1|34=2|112=a
        send 35=0|34=2|112=a
    35=1|34=3|112=b
        send 35=0|34=3|112=b
    app 35=8|37=four
        send 35=8|34=4|37=four
    app 35=9|37=five
        send 35=9|34=5|37=five
    35=1|34=4|112=c
        send 35=0|34=6|112=c
    35=D|34=5|999=x
        send 35=3|34=7|45=5|58=Invalid tag number|371=999|372=D|373=0
    app 35=8|37=eight
        send 35=8|34=8|37=eight
    35=1|34=6|112=d
        send 35=0|34=9|112=d
    wait 10
"""

ALL = """\
            again 35=4|34=1|43=Y|122=<now>|36=4|123=Y
            again 35=8|34=4|43=Y|122=<now-10>|37=four
            again 35=9|34=5|43=Y|122=<now-10>|37=five
            again 35=4|34=6|43=Y|122=<now>|36=8|123=Y
            again 35=8|34=8|43=Y|122=<now-10>|37=eight
            again 35=4|34=9|43=Y|122=<now>|36=10|123=Y
"""


# Ranges. FIX 4.4 Volume 2, "Resend Request": one message, BeginSeqNo = EndSeqNo; a range; all
# from a number on, EndSeqNo = 0, which represents infinity.


@pytest.mark.parametrize("end", [0, 9, 10, 999_999])
def test_all_of_it(end: int) -> None:
    """QuickFIX 8. What was sent before 4.2 as 999999, and any number not reached, is the last."""
    play(
        LOGGED_ON,
        HISTORY,
        f"""
        35=2|34=7|7=1|16={end}
            fetch 1 9
        replay
{ALL}
        # our own numbers go on as if nothing had been
        app 35=8|37=ten
            send 35=8|34=10|37=ten
        """,
    )


@pytest.mark.parametrize(
    ("begin", "end", "answer"),
    [
        (4, 4, ["8|34=4|43=Y|122=<now-10>|37=four"]),
        (4, 5, ["8|34=4|43=Y|122=<now-10>|37=four", "9|34=5|43=Y|122=<now-10>|37=five"]),
        (2, 3, ["4|34=2|43=Y|122=<now>|36=4|123=Y"]),
        (2, 2, ["4|34=2|43=Y|122=<now>|36=3|123=Y"]),
        (1, 1, ["4|34=1|43=Y|122=<now>|36=2|123=Y"]),
        (3, 4, ["4|34=3|43=Y|122=<now>|36=4|123=Y", "8|34=4|43=Y|122=<now-10>|37=four"]),
        (7, 8, ["4|34=7|43=Y|122=<now>|36=8|123=Y", "8|34=8|43=Y|122=<now-10>|37=eight"]),
        (9, 0, ["4|34=9|43=Y|122=<now>|36=10|123=Y"]),
    ],
)
def test_a_part_of_it(begin: int, end: int, answer: list[str]) -> None:
    """QuickFIX 8."""
    driver = play(LOGGED_ON, HISTORY)
    assert driver.do(f"35=2|34=7|7={begin}|16={end}") == [f"fetch {begin} {end or 9}"]
    assert driver.do("replay") == [f"again 35={fields}" for fields in answer]
    assert driver.session.next_in == 8


@pytest.mark.parametrize(
    ("fields", "culprit"),
    [("7=10|16=0", 7), ("7=99|16=0", 7), ("7=10|16=10", 7), ("7=0|16=0", 7), ("7=5|16=4", 16)],
)
def test_a_range_that_is_none_is_rejected(fields: str, culprit: int) -> None:
    driver = play(
        LOGGED_ON,
        HISTORY,
        f"""
        35=2|34=7|{fields}
            send 35=3|34=10|45=7|58=Value is incorrect (out of range) for this tag|371={culprit}\
|372=2|373=5
        """,
    )
    assert driver.session.next_in == 8


@pytest.mark.parametrize("fields", ["7=1", "16=0", "7=x|16=0", "7=-1|16=0", "7=1|16="])
def test_a_faulty_resend_request_is_rejected(fields: str) -> None:
    (reject,) = logged_on().do(f"35=2|34=2|{fields}")
    assert reject.startswith("send 35=3|34=2|45=2|58=")


@pytest.mark.parametrize("seq", [2, 6])
def test_a_resend_request_is_served_whatever_its_number(seq: int) -> None:
    """QuickFIX 8: served with a number long used."""
    driver = play(LOGGED_ON, HISTORY)
    assert driver.do(f"35=2|34={seq}|7=9|16=0") == ["fetch 9 9"]
    assert driver.session.next_in == 7


def test_numbers_that_are_not_stored_are_filled() -> None:
    driver = play(LOGGED_ON, HISTORY)
    driver.stored.clear()
    driver.do("35=2|34=7|7=1|16=0")
    assert driver.do("replay") == ["again 35=4|34=1|43=Y|122=<now>|36=10|123=Y"]


def test_the_same_may_be_asked_again_and_again() -> None:
    driver = play(LOGGED_ON, HISTORY)
    for seq in (7, 8, 9):
        assert driver.do(f"35=2|34={seq}|7=8|16=8") == ["fetch 8 8"]
        assert driver.do("replay") == ["again 35=8|34=8|43=Y|122=<now-10>|37=eight"]


def test_a_peer_that_asks_the_same_for_ever_is_told_so() -> None:
    """It is in a loop: something in the answer makes it ask again."""
    driver = play(LOGGED_ON, HISTORY, max_resend_repeats=2)
    for seq in (7, 8, 9):
        assert driver.do(f"35=2|34={seq}|7=8|16=8") == ["fetch 8 8"]
    assert driver.do("35=2|34=10|7=8|16=8") == [
        "send 35=5|34=10|58=ResendRequest 8 to 8 comes again and again"
    ]


def test_it_may_go_on_asking_while_it_is_being_logged_out() -> None:
    driver = play(LOGGED_ON, HISTORY, max_resend_repeats=1)
    for seq in range(7, 20):
        driver.do(f"35=2|34={seq}|7=8|16=8")
    assert driver.session.state is State.LOGGING_OUT
    assert driver.session.next_out == 11, "one Logout"
    assert driver.do("35=5|34=20") == ["offline logged out", "disconnect logged out"]


def test_nor_does_it_matter_when_we_were_leaving_anyway() -> None:
    driver = play(LOGGED_ON, HISTORY, max_resend_repeats=1)
    driver.do("logout bye")
    for seq in range(7, 20):
        driver.do(f"35=2|34={seq}|7=8|16=8")
    assert driver.session.next_out == 11, "one Logout"
    assert driver.do("35=5|34=20") == ["offline logged out", "disconnect logged out"]


def test_a_peer_that_asks_for_something_else_in_between_is_not_in_a_loop() -> None:
    driver = play(LOGGED_ON, HISTORY, max_resend_repeats=1)
    for seq, begin in enumerate([8, 8, 9, 8, 8, 9, 9], 7):
        assert driver.do(f"35=2|34={seq}|7={begin}|16=0") == [f"fetch {begin} 9"]


def test_a_new_connection_is_a_new_beginning() -> None:
    driver = play(LOGGED_ON, HISTORY, max_resend_repeats=0)
    driver.do("35=2|34=7|7=8|16=8")
    driver.do("lost x")
    driver.do("connect")
    driver.do("35=A|34=8|98=0|108=30")
    assert driver.do("35=2|34=9|7=8|16=8") == ["fetch 8 8"]


def test_a_venue_may_leave_out_what_is_stale() -> None:
    play(
        LOGGED_ON,
        """
        app 35=W|55=X
            send 35=W|34=2|55=X
        app 35=8|37=x
            send 35=8|34=3|37=x
        35=2|34=2|7=1|16=0
            fetch 1 3
        replay
            again 35=4|34=1|43=Y|122=<now>|36=3|123=Y
            again 35=8|34=3|43=Y|122=<now>|37=x
        """,
        gap_filled_types=frozenset([b"W"]),
    )


# Pages: a long answer is fetched and written a part at a time


def busy(*kinds: str) -> Driver:
    """A session that has sent, from number 2 on, reports ("8") and Heartbeats ("0")."""
    driver = logged_on()
    for kind in kinds:
        driver.do("app 35=8|37=x" if kind == "8" else f"35=1|34={driver.session.next_in}|112=x")
    return driver


def answers(driver: Driver, fetch: list[str]) -> tuple[list[str], list[str]]:
    """The pages fetched and the messages sent again, from the first "fetch ..." on."""
    pages: list[str] = []
    sent: list[str] = []
    while fetch:
        pages += fetch
        effects = driver.do("replay")
        fetch = [effect for effect in effects if effect.startswith("fetch")]
        sent += [effect for effect in effects if effect.startswith("again")]
        assert effects[len(effects) - len(fetch) :] == fetch, "the next page comes last"
    return pages, sent


def test_a_long_answer_comes_in_pages() -> None:
    page = PAGE_MESSAGES
    driver = busy(*["8"] * (2 * page + 10))
    pages, sent = answers(driver, driver.do("35=2|34=2|7=2|16=0"))
    assert pages == [
        f"fetch 2 {2 * page + 11}",
        f"fetch {page + 2} {2 * page + 11}",
        f"fetch {2 * page + 2} {2 * page + 11}",
    ]
    assert sent == [f"again 35=8|34={seq}|43=Y|122=<now>|37=x" for seq in range(2, 2 * page + 12)]


def test_a_run_across_pages_is_one_gap_fill() -> None:
    page = PAGE_MESSAGES
    driver = busy("8", *["0"] * (2 * page), "8")
    pages, sent = answers(driver, driver.do(f"35=2|34={driver.session.next_in}|7=2|16=0"))
    assert len(pages) == 3
    assert sent == [
        "again 35=8|34=2|43=Y|122=<now>|37=x",
        f"again 35=4|34=3|43=Y|122=<now>|36={2 * page + 3}|123=Y",
        f"again 35=8|34={2 * page + 3}|43=Y|122=<now>|37=x",
    ]


def test_live_messages_go_between_the_pages() -> None:
    page = PAGE_MESSAGES
    driver = busy(*["8"] * (page + 1))
    play(f"35=2|34=2|7=2|16=0\n    fetch 2 {page + 2}", driver=driver)
    assert driver.do("replay")[-1] == f"fetch {page + 2} {page + 2}"
    play(
        f"""
        app 35=8|37=live
            send 35=8|34={page + 3}|37=live
        35=1|34=3|112=x
            send 35=0|34={page + 4}|112=x
        35=D|34=4|<order>
            deliver D 4
        # what was sent since is not part of the answer: the peer has it
        replay
            again 35=8|34={page + 2}|43=Y|122=<now>|37=x
        """,
        driver=driver,
    )


def test_a_newer_request_replaces_an_older_one() -> None:
    page = PAGE_MESSAGES
    driver = busy(*["8"] * (2 * page))
    driver.do("35=2|34=2|7=2|16=0")
    assert driver.do("replay")[-1] == f"fetch {page + 2} {2 * page + 1}"
    play(
        """
        35=2|34=3|7=5|16=6
            fetch 5 6
        replay
            again 35=8|34=5|43=Y|122=<now>|37=x
            again 35=8|34=6|43=Y|122=<now>|37=x
        # nothing is left of the first
        replay
        """,
        driver=driver,
    )


def test_nothing_is_sent_again_over_another_connection() -> None:
    play(
        LOGGED_ON,
        HISTORY,
        """
        35=2|34=7|7=1|16=0
            fetch 1 9
        lost x
            offline x
        replay
        connect
        replay
        35=A|34=8|98=0|108=30
            send 35=A|34=10|98=0|108=30
            online
        replay
        """,
    )


def test_an_answer_nobody_asked_for_is_not_sent() -> None:
    driver = logged_on()
    driver.session.replay([(1, driver.stored[1])], driver.now)
    assert driver.session.take_effects() == []


# While the peer is away


def test_what_was_sent_while_the_peer_was_away_is_found_by_asking() -> None:
    """The Logon's number shows the gap to the peer."""
    play(
        LOGGED_ON,
        """
        lost x
            offline x
        app 35=8|37=fill
            store 35=8|34=2|37=fill
        wait 60
        app 35=8|37=cancelled
            store 35=8|34=3|37=cancelled
        connect
        app 35=8|37=too early
            store 35=8|34=4|37=too early
        35=A|34=2|98=0|108=30
            send 35=A|34=5|98=0|108=30
            online
        35=2|34=3|7=2|16=0
            fetch 2 5
        replay
            again 35=8|34=2|43=Y|122=<now-60>|37=fill
            again 35=8|34=3|43=Y|122=<now>|37=cancelled
            again 35=8|34=4|43=Y|122=<now>|37=too early
            again 35=4|34=5|43=Y|122=<now>|36=6|123=Y
        """,
    )


def test_header_fields_of_the_application_stand_in_the_header() -> None:
    driver = logged_on()
    seq = driver.session.send(b"8", b"37=x\x01", driver.now, header=b"57=DESK\x01128=C\x01")
    assert seq == 2
    (raw,) = (effect.raw for effect in driver.session.take_effects())  # type: ignore[union-attr]
    assert raw.endswith(b"56=TW44\x0157=DESK\x01128=C\x0137=x\x01" + raw[-7:])
