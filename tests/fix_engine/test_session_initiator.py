"""The machine as an initiator: it connects, and says Logon first."""

from __future__ import annotations

import pytest

from fix_engine.states import State
from tests.fix_engine.support import Driver, play

LOGGED_ON = """
    initiate 30
        send 35=A|34=1|98=0|108=30
    35=A|34=1|98=0|108=30
        online
"""


def test_a_logon_that_is_answered_by_a_logon() -> None:
    driver = play(
        LOGGED_ON,
        """
        app 35=D|11=x
            send 35=D|34=2|11=x
        35=8|34=2|37=a|17=b|150=0|39=0|55=X|54=1|151=1|14=0|6=0
            deliver 8 2
        wait 30
            after 30s: send 35=0|34=3
        """,
    )
    assert driver.session.state is State.ACTIVE
    assert driver.session.next_in == 3


def test_numbers_go_on_where_they_were() -> None:
    play(
        """
        app 35=D|11=x
            store 35=D|34=9|11=x
        initiate 30
            send 35=A|34=10|98=0|108=30
        app 35=D|11=y
            store 35=D|34=11|11=y
        35=A|34=17|98=0|108=30
            online
        35=2|34=18|7=9|16=0
            fetch 9 11
        replay
            again 35=D|34=9|43=Y|122=<now>|11=x
            again 35=4|34=10|43=Y|122=<now>|36=11|123=Y
            again 35=D|34=11|43=Y|122=<now>|11=y
        """,
        next_in=17,
        next_out=9,
    )


def test_both_sequences_may_be_reset() -> None:
    driver = play(
        """
        initiate 30 reset
            reset
            send 35=A|34=1|98=0|108=30|141=Y
        35=A|34=1|98=0|108=30|141=Y
            online
        """,
        next_in=17,
        next_out=9,
    )
    assert (driver.session.next_in, driver.session.next_out) == (2, 2)


def test_an_answer_with_a_number_too_high_shows_a_gap() -> None:
    play(
        """
        initiate 30
            send 35=A|34=1|98=0|108=30
        35=A|34=5|98=0|108=30
            online
            send 35=2|34=2|7=3|16=0
        35=4|34=3|43=Y|122=<now>|123=Y|36=6
        35=1|34=6|112=x
            send 35=0|34=3|112=x
        """,
        next_in=3,
    )


def test_an_answer_with_a_number_too_low_is_refused() -> None:
    driver = play(
        """
        initiate 30
            send 35=A|34=1|98=0|108=30
        35=A|34=2|98=0|108=30
            send 35=5|34=2|58=MsgSeqNum too low, expecting 3 but received 2
            disconnect Logon refused: MsgSeqNum too low, expecting 3 but received 2
        """,
        next_in=3,
    )
    assert driver.session.next_in == 3


def test_a_logon_that_is_answered_by_a_logout() -> None:
    driver = play("""
        initiate 30
            send 35=A|34=1|98=0|108=30
        35=5|34=1|58=unknown user
            disconnect Logon refused by the peer: unknown user
    """)
    assert driver.session.next_in == 2
    assert driver.session.state is State.DISCONNECTED


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("35=0|34=1", "the first message is not a Logon"),
        ("35=D|34=1|<order>", "the first message is not a Logon"),
        ("35=A|34=1|49=WT|98=0|108=30", "CompID problem"),
        ("35=A|34=1|52=<now-121>|98=0|108=30", "SendingTime accuracy problem"),
        ("8=FIX.4.2|35=A|34=1|98=0|108=30", "Incorrect BeginString"),
    ],
)
def test_an_answer_that_is_none(line: str, reason: str) -> None:
    driver = play(f"""
        initiate 30
            send 35=A|34=1|98=0|108=30
        {line}
            disconnect Logon refused: {reason}
    """)
    assert driver.session.next_in == 1


def test_a_faulty_answer_is_told_so() -> None:
    play("""
        initiate 30
            send 35=A|34=1|98=0|108=30
        35=A|34=1|98=0
            send 35=5|34=2|58=Required tag missing (tag 108)
            disconnect Logon refused: Required tag missing (tag 108)
    """)


def test_an_acceptor_that_does_not_answer() -> None:
    play("""
        initiate 30
            send 35=A|34=1|98=0|108=30
        wait 9.999
        wait 0.001
            after 0.001s: disconnect no Logon in time
    """)


def test_a_connection_that_is_lost_again() -> None:
    play("""
        initiate 30
            send 35=A|34=1|98=0|108=30
        lost refused
        initiate 30
            send 35=A|34=2|98=0|108=30
    """)


def test_a_change_of_mind() -> None:
    play("""
        initiate 30
            send 35=A|34=1|98=0|108=30
        logout never mind
            disconnect Logon refused: never mind
    """)


def test_a_logout_from_either_side() -> None:
    play(
        LOGGED_ON,
        """
        logout bye
            send 35=5|34=2|58=bye
        35=5|34=2
            offline logged out
            disconnect logged out
        """,
    )
    play(
        LOGGED_ON,
        """
        35=5|34=2|58=bye
            send 35=5|34=2
            offline logged out
            disconnect logged out
        """,
    )


@pytest.mark.parametrize("before", ["connect", "initiate 30"])
def test_one_connection_at_a_time(before: str) -> None:
    driver = Driver()
    driver.do(before)
    state = driver.session.state
    with pytest.raises(KeyError):
        driver.session.initiate(30, driver.now)
    assert driver.session.state is state
