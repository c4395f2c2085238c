"""Heartbeats, TestRequests and the peer that is no longer there, on a clock of our own.

FIX 4.4 Volume 2, "Heartbeat": who has not sent anything for HeartBtInt seconds sends a Heartbeat;
who has not received anything for HeartBtInt plus "some reasonable transmission time" sends a
TestRequest, and when that is not answered in as long a time, the connection is lost.
"""

from __future__ import annotations

import pytest

from fix_engine.states import State
from tests.fix_engine.support import LOGGED_ON, SECOND, Driver, logged_on, play


def beating(seconds: int = 10) -> Driver:
    """A session logged on with this HeartBtInt."""
    driver = Driver(min_heartbeat_s=0)
    driver.do("connect")
    driver.do(f"35=A|34=1|98=0|108={seconds}")
    return driver


# Heartbeats


def test_a_heartbeat_when_nothing_was_sent_for_the_interval() -> None:
    """QuickFIX 4a."""
    play(
        """
        wait 9.999
        35=0|34=2
        wait 0.001
            after 0.001s: send 35=0|34=2
        wait 9.999
        35=0|34=3
        wait 0.001
            after 0.001s: send 35=0|34=3
        """,
        driver=beating(10),
    )


def test_whatever_is_sent_is_as_good_as_a_heartbeat() -> None:
    play(
        """
        wait 6
        app 35=8|37=x
            send 35=8|34=2|37=x
        wait 3
        35=1|34=2|112=x
            send 35=0|34=3|112=x
        wait 9
        35=2|34=3|7=2|16=2
            fetch 2 2
        replay
            again 35=8|34=2|43=Y|122=<now-12>|37=x
        wait 9
        35=0|34=4
        wait 1
            after 1s: send 35=0|34=4
        """,
        driver=beating(10),
    )


def test_a_test_request_is_answered_with_its_id() -> None:
    """QuickFIX 4b. FIX 4.4 Volume 2: such a Heartbeat must contain the TestReqID."""
    play(
        LOGGED_ON,
        """
        35=1|34=2|112=HELLO
            send 35=0|34=2|112=HELLO
        35=1|34=3|112=a=b c
            send 35=0|34=3|112=a=b c
        35=1|34=4
            send 35=3|34=4|45=4|58=Required tag missing|371=112|372=1|373=1
        35=1|34=5|112=
            send 35=3|34=5|45=5|58=Tag specified without a value|371=112|372=1|373=4
        """,
    )


def test_a_heartbeat_is_not_answered() -> None:
    play(
        LOGGED_ON,
        """
        35=0|34=2
        35=0|34=3|112=TEST
        """,
    )


def test_no_heartbeats_with_an_interval_of_0() -> None:
    """FIX 4.4 Volume 2: with HeartBtInt 0 no regular Heartbeats are sent."""
    driver = play(
        """
        wait 1000000
        35=1|34=2|52=<now>|112=x
            send 35=0|34=2|112=x
        """,
        driver=beating(0),
    )
    assert driver.session.deadline() is None
    assert driver.session.state is State.ACTIVE


# TestRequests


def test_a_silent_peer_is_asked_whether_it_is_there() -> None:
    """QuickFIX 6."""
    play(
        """
        wait 12
            after 10s: send 35=0|34=2
            after 12s: send 35=1|34=3|112=TEST
        wait 9
        35=0|34=2|112=TEST
        # it is; all begins again
        wait 12
            after 1s: send 35=0|34=4
            after 11s: send 35=0|34=5
            after 12s: send 35=1|34=6|112=TEST
        """,
        driver=beating(10),
    )


@pytest.mark.parametrize(
    "line",
    [
        "35=0|34=2",
        "35=D|34=2|<order>",
        "35=D|34=2|999=x",
        "35=D|34=1|43=Y|122=<now>|<order>",
        "35=D|34=5|<order>",
        "35=1|34=2|112=x",
        "35=4|34=0|36=9",
    ],
)
def test_any_message_is_a_sign_of_life(line: str) -> None:
    driver = beating(10)
    driver.do("wait 12")
    driver.do(line)
    shown = driver.do("wait 11.999")
    assert all(" 35=0|" in effect for effect in shown), shown
    assert driver.do("wait 0.001")[-1].startswith("after 0.001s: send 35=1|")


def test_a_peer_that_does_not_answer_is_gone() -> None:
    """QuickFIX 6. Not before as long a time again; and not much later."""
    driver = beating(10)
    driver.do("wait 12")
    assert driver.do("wait 9.999") == []
    end = driver.do("wait 2.501")
    assert [effect.partition(": ")[2] for effect in end if "35=" not in effect] == [
        "offline no answer to TestRequest",
        "disconnect no answer to TestRequest",
    ]
    assert driver.session.state is State.DISCONNECTED
    assert driver.session.deadline() is None
    play(
        f"""
        wait 1000
        connect
        35=A|34=2|98=0|108=10
            send 35=A|34={driver.session.next_out}|98=0|108=10
            online
        """,
        driver=driver,
    )


def test_a_peer_is_not_asked_twice() -> None:
    driver = beating(10)
    shown = driver.do("wait 100")
    assert sum(" 35=1|" in effect for effect in shown) == 1


def test_a_peer_that_only_listens_is_asked_in_spite_of_our_own_traffic() -> None:
    driver = beating(10)
    shown: list[str] = []
    for _ in range(6):
        driver.do("app 35=8|37=x")
        shown += driver.do("wait 2")
    assert shown == ["after 2s: send 35=1|34=8|112=TEST"]


def test_a_clock_that_jumps_is_no_flood() -> None:
    """The shell was not called for an hour: one probe, not a heartbeat for each interval."""
    driver = beating(10)
    driver.session.timeout(driver.now + 3_600 * SECOND)
    driver.now += 3_600 * SECOND
    assert driver.take() == ["send 35=1|34=2|112=TEST"]
    driver.session.timeout(driver.now)
    assert driver.take() == []


# The deadline


def test_the_deadline_is_when_something_will_be_due() -> None:
    def due(driver: Driver) -> float | None:
        deadline = driver.session.deadline()
        return None if deadline is None else (deadline - driver.now) / SECOND

    driver = Driver()
    assert due(driver) is None
    driver.do("connect")
    assert due(driver) == 10
    driver.do("35=A|34=1|98=0|108=30")
    assert due(driver) == 30
    driver.do("wait 20")
    driver.do("app 35=8|37=x")
    assert due(driver) == 16  # 36 seconds after the Logon was received
    driver.do("35=0|34=2")
    assert due(driver) == 30
    driver.do("logout bye")
    assert due(driver) == 2
    driver.do("lost x")
    assert due(driver) is None


@pytest.mark.parametrize("lines", [[], ["connect"], ["connect", "35=A|34=1|98=0|108=30"]])
def test_a_timeout_before_its_time_does_nothing(lines: list[str]) -> None:
    driver = Driver()
    for line in lines:
        driver.do(line)
    before = (driver.session.state, driver.session.deadline(), driver.session.next_out)
    driver.session.timeout(driver.now)
    driver.session.timeout(driver.now + 1)
    assert driver.session.take_effects() == []
    assert (driver.session.state, driver.session.deadline(), driver.session.next_out) == before


def test_what_is_due_was_not_due_a_moment_before() -> None:
    """`wait` of the driver calls timeout() one nanosecond early, too: see support.py."""
    driver = logged_on()
    assert len(driver.do("wait 30")) == 1
