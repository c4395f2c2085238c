"""Logon on a session that is logged on: it may reset both sequences, and nothing else."""

from __future__ import annotations

import pytest

from tests.fix_engine.support import LOGGED_ON, logged_on, play


def test_a_second_logon_without_reset_is_rejected() -> None:
    play(
        LOGGED_ON,
        """
        35=A|34=2|98=0|108=30
            send 35=3|34=2|45=2|58=Logon on a session that is logged on|372=A|373=99
        35=D|34=3|<order>
            deliver D 3
        """,
    )


def test_both_sequences_may_be_reset_in_session() -> None:
    """QuickFIX SessionReset."""
    driver = play(
        LOGGED_ON,
        """
        35=1|34=2|112=1
            send 35=0|34=2|112=1
        35=D|34=3|<order>
            deliver D 3
        35=A|34=1|98=0|108=10|141=Y
            reset
            send 35=A|34=1|98=0|108=10|141=Y
        35=1|34=2|112=1
            send 35=0|34=2|112=1
        wait 10
            after 10s: send 35=0|34=3
        """,
    )
    assert driver.session.next_in == 3


def test_a_reset_forgets_the_gap_and_what_waited_behind_it() -> None:
    play(
        LOGGED_ON,
        """
        35=D|34=4|<order>
            send 35=2|34=2|7=2|16=0
        35=A|34=1|98=0|108=30|141=Y
            reset
            send 35=A|34=1|98=0|108=30|141=Y
        35=D|34=2|<order>
            deliver D 2
        35=D|34=3|<order>
            deliver D 3
        35=D|34=6|<order>
            send 35=2|34=2|7=4|16=0
        """,
    )


def test_a_reset_ends_a_resend_that_is_under_way() -> None:
    driver = logged_on()
    play(
        """
        app 35=8|37=x
            send 35=8|34=2|37=x
        35=2|34=2|7=1|16=0
            fetch 1 2
        35=A|34=1|98=0|108=30|141=Y
            reset
            send 35=A|34=1|98=0|108=30|141=Y
        replay
        """,
        driver=driver,
    )


@pytest.mark.parametrize("seq", [0, 2, 3])
def test_a_reset_in_session_needs_number_1_too(seq: int) -> None:
    play(
        LOGGED_ON,
        f"""
        35=A|34={seq}|98=0|108=30|141=Y
            send 35=5|34=2|58=ResetSeqNumFlag (141) Y needs MsgSeqNum 1
        35=5|34=2
            offline logged out
            disconnect logged out
        """,
    )


def test_a_faulty_logon_in_session_resets_nothing() -> None:
    play(
        LOGGED_ON,
        """
        35=A|34=1|98=0|141=Y
            send 35=3|34=2|45=1|58=Required tag missing|371=108|372=A|373=1
        35=D|34=2|<order>
            deliver D 2
        """,
    )
