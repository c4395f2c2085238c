"""How a session ends."""

from __future__ import annotations

import pytest

from fix_engine.states import State
from tests.fix_engine.support import LOGGED_ON, logged_on, play

# The peer says Logout


def test_a_logout_is_answered_by_a_logout() -> None:
    """QuickFIX 13b."""
    driver = play(
        LOGGED_ON,
        """
        35=5|34=2|58=good night
            send 35=5|34=2
            offline logged out
            disconnect logged out
        35=D|34=3|<order>
        """,
    )
    assert driver.session.next_in == 3
    assert driver.session.state is State.DISCONNECTED
    assert driver.session.deadline() is None


def test_a_logout_behind_a_gap_is_answered_but_not_counted() -> None:
    """The peer is leaving, gap or not; its next Logon shows what is missing."""
    play(
        LOGGED_ON,
        """
        35=5|34=9
            send 35=5|34=2
            offline logged out
            disconnect logged out
        connect
        35=A|34=10|98=0|108=30
            send 35=A|34=3|98=0|108=30
            online
            send 35=2|34=4|7=2|16=0
        """,
    )


def test_a_logout_with_a_number_too_low_is_a_logout_all_the_same() -> None:
    """QuickFIX 8_OnlyAdminMessages."""
    driver = play(
        LOGGED_ON,
        """
        35=5|34=1
            send 35=5|34=2
            offline logged out
            disconnect logged out
        """,
    )
    assert driver.session.next_in == 2


def test_a_faulty_logout_is_rejected() -> None:
    play(
        LOGGED_ON,
        """
        35=5|34=2|999=x
            send 35=3|34=2|45=2|58=Invalid tag number|371=999|372=5|373=0
        35=5|34=3
            send 35=5|34=3
            offline logged out
            disconnect logged out
        """,
    )


# We say Logout. FIX 4.4 Volume 2, "Logout": the initiator waits for the confirming Logout, which
# gives the other end the chance to ask for what it misses; a bounded time.

GOODBYE = """
    logout closing
        send 35=5|34=2|58=closing
"""


def test_our_logout_waits_for_the_answer() -> None:
    driver = play(
        LOGGED_ON,
        GOODBYE,
        """
        wait 1.9
        35=5|34=2
            offline logged out
            disconnect logged out
        """,
    )
    assert driver.session.next_in == 3


def test_a_logout_without_words() -> None:
    assert logged_on().do("logout ") == ["send 35=5|34=2"]


def test_it_does_not_wait_for_ever() -> None:
    play(
        LOGGED_ON,
        GOODBYE,
        """
        wait 1.999
        wait 0.001
            after 0.001s: offline no Logout from the peer in time
            after 0.001s: disconnect no Logout from the peer in time
        """,
    )


def test_signs_of_life_do_not_prolong_it() -> None:
    play(
        LOGGED_ON,
        GOODBYE,
        """
        wait 1.5
        35=0|34=2
        wait 0.5
            after 0.5s: offline no Logout from the peer in time
            after 0.5s: disconnect no Logout from the peer in time
        """,
    )


def test_the_time_for_a_logout_is_a_setting() -> None:
    driver = logged_on(logout_timeout_ns=7_000_000_000)
    driver.do("logout bye")
    assert driver.do("wait 6.999") == []
    assert driver.do("wait 0.001")[-1] == "after 0.001s: disconnect no Logout from the peer in time"


def test_a_second_logout_is_not_sent() -> None:
    driver = logged_on()
    assert driver.do("logout once") == ["send 35=5|34=2|58=once"]
    assert driver.do("logout twice") == []


def test_orders_that_still_arrive_are_not_received() -> None:
    """They come again: the next Logon shows the gap."""
    play(
        LOGGED_ON,
        GOODBYE,
        """
        35=D|34=2|<order>
        35=1|34=3|112=x
        35=5|34=4
            offline logged out
            disconnect logged out
        connect
        35=A|34=5|98=0|108=30
            send 35=A|34=3|98=0|108=30
            online
            send 35=2|34=4|7=2|16=0
        35=D|34=2|43=Y|122=<now>|<order>
            deliver D 2
        """,
    )


def test_the_peer_may_still_ask_for_what_it_misses() -> None:
    play(
        LOGGED_ON,
        """
        app 35=8|37=x
            send 35=8|34=2|37=x
        logout closing
            send 35=5|34=3|58=closing
        35=2|34=2|7=2|16=0
            fetch 2 3
        replay
            again 35=8|34=2|43=Y|122=<now>|37=x
            again 35=4|34=3|43=Y|122=<now>|36=4|123=Y
        35=5|34=3
            offline logged out
            disconnect logged out
        connect
        35=A|34=4|98=0|108=30
            send 35=A|34=4|98=0|108=30
            online
        """,
    )


def test_after_our_logout_the_application_sends_for_another_day() -> None:
    """FIX 4.4 Volume 2: after Logout nothing is sent, unless it is asked for."""
    play(
        LOGGED_ON,
        GOODBYE,
        """
        app 35=8|37=late
            store 35=8|34=3|37=late
        35=5|34=2
            offline logged out
            disconnect logged out
        connect
        35=A|34=3|98=0|108=30
            send 35=A|34=4|98=0|108=30
            online
        35=2|34=4|7=3|16=3
            fetch 3 3
        replay
            again 35=8|34=3|43=Y|122=<now>|37=late
        """,
    )


@pytest.mark.parametrize(
    "line",
    [
        "35=5|34=2|49=WT",
        "35=5|34=2|56=DLSI",
        "35=5|34=2|52=<now-500>",
        "35=5",
        "35=5|34=x",
        "8=FIX.4.2|35=5|34=2",
        "8=FIX.4.2|35=2|34=2|7=1|16=0",
        "35=2|34=2|49=WT|7=1|16=0",
        "35=A|34=1|98=0|108=30|141=Y",
        "35=4|34=0|36=50",
    ],
)
def test_nothing_else_is_listened_to(line: str) -> None:
    driver = play(LOGGED_ON, GOODBYE)
    assert driver.do(line) == []
    assert driver.session.state is State.LOGGING_OUT
    assert driver.session.next_in == 2


def test_a_session_that_is_not_logged_on_has_nothing_to_log_out() -> None:
    driver = play("logout bye")
    assert driver.session.state is State.DISCONNECTED
    assert driver.session.next_out == 1


# The connection is lost


@pytest.mark.parametrize("state", [LOGGED_ON, LOGGED_ON + GOODBYE])
def test_a_connection_lost(state: str) -> None:
    play(
        state,
        """
        lost cable cut
            offline cable cut
        # and again is no news
        lost cable cut
        wait 1000
        """,
    )


def test_what_the_machine_has_ended_is_not_ended_again() -> None:
    play(
        LOGGED_ON,
        """
        35=5|34=2
            send 35=5|34=2
            offline logged out
            disconnect logged out
        lost closed
        """,
    )


@pytest.mark.parametrize("request_", ["35=2|34=2|7=9|16=0", "35=2|34=2|7=2|16=1", "35=2|34=2|16=0"])
def test_nothing_is_rejected_behind_our_logout(request_: str) -> None:
    """A report may have been numbered meanwhile that the peer has not seen: no gap is shown."""
    driver = play(LOGGED_ON, GOODBYE)
    assert driver.do("app 35=8|37=late") == ["store 35=8|34=3|37=late"]
    assert driver.do(request_) == []
    assert driver.session.state is State.LOGGING_OUT
