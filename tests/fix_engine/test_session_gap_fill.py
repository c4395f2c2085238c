"""SequenceReset in its two modes: gap fill, and reset of the inbound sequence."""

from __future__ import annotations

import pytest

from tests.fix_engine.support import LOGGED_ON, play


def test_a_gap_fill_moves_on() -> None:
    """QuickFIX 10."""
    play(
        LOGGED_ON,
        """
        35=4|34=2|36=20|123=Y
        35=1|34=20|112=HELLO
            send 35=0|34=2|112=HELLO
        """,
    )


def test_a_gap_fill_behind_a_gap_waits_for_its_turn() -> None:
    """QuickFIX 10."""
    driver = play(
        LOGGED_ON,
        """
        35=4|34=4|36=20|123=Y
            send 35=2|34=2|7=2|16=0
        35=1|34=20|112=HELLO
        35=D|34=2|43=Y|122=<now>|<order>
            deliver D 2
        35=D|34=3|43=Y|122=<now>|<order>
            deliver D 3
            send 35=0|34=3|112=HELLO
        """,
    )
    assert driver.session.next_in == 21


def test_a_gap_fill_with_a_number_too_low() -> None:
    """QuickFIX 10: ignored as a possible duplicate, a serious error otherwise."""
    play(
        LOGGED_ON,
        """
        35=4|34=1|43=Y|122=<now-1>|36=20|123=Y
        35=1|34=2|112=HELLO
            send 35=0|34=2|112=HELLO
        35=4|34=1|36=20|123=Y
            send 35=5|34=3|58=MsgSeqNum too low, expecting 3 but received 1
        """,
    )


@pytest.mark.parametrize("new_seq_no", [0, 1, 2])
def test_a_gap_fill_does_not_go_back(new_seq_no: int) -> None:
    play(
        LOGGED_ON,
        f"""
        35=4|34=2|36={new_seq_no}|123=Y
            send 35=3|34=2|45=2|58=Value is incorrect (out of range) for this tag|372=4|373=5
        35=D|34=3|<order>
            deliver D 3
        """,
    )


@pytest.mark.parametrize("flag", ["", "|123=N"])
@pytest.mark.parametrize("seq", [0, 1, 2, 99])
def test_a_reset_moves_on_whatever_its_number(flag: str, seq: int) -> None:
    """QuickFIX 11a: it serves to recover, so MsgSeqNum is not looked at."""
    play(
        LOGGED_ON,
        f"""
        35=4|34={seq}|36=25{flag}
        35=1|34=25|112=HELLO
            send 35=0|34=2|112=HELLO
        """,
    )


def test_a_reset_to_the_expected_number_changes_nothing() -> None:
    """QuickFIX 11b."""
    play(
        LOGGED_ON,
        """
        35=4|34=0|36=2
        35=D|34=2|<order>
            deliver D 2
        """,
    )


@pytest.mark.parametrize("flag", ["", "|123=N"])
def test_a_reset_does_not_go_back(flag: str) -> None:
    """FIX 4.4 Volume 2: "Sequence Reset can only increase the sequence number". QuickFIX 11c."""
    driver = play(
        LOGGED_ON,
        f"""
        35=4|34=0|36=1{flag}
            send 35=3|34=2|45=0|58=Value is incorrect (out of range) for this tag|372=4|373=5
        35=D|34=2|<order>
            deliver D 2
        """,
    )
    assert driver.session.next_in == 3


def test_a_reset_over_a_gap_frees_what_waits_behind_it() -> None:
    play(
        LOGGED_ON,
        """
        35=D|34=4|<order>
            send 35=2|34=2|7=2|16=0
        35=D|34=6|<order>
        35=4|34=0|36=4
            deliver D 4
        35=D|34=5|<order>
            deliver D 5
            deliver D 6
        """,
    )


def test_a_reset_passes_over_what_waits_before_it() -> None:
    play(
        LOGGED_ON,
        """
        35=D|34=4|<order>
            send 35=2|34=2|7=2|16=0
        35=4|34=0|36=5
        35=D|34=5|<order>
            deliver D 5
        """,
    )


@pytest.mark.parametrize("new_seq_no", [10**15 + 1, 10**18 - 1])
def test_a_reset_to_a_number_out_of_sight_is_refused(new_seq_no: int) -> None:
    """The number after it could not be read any more, and nothing but 141=Y would help."""
    driver = play(
        LOGGED_ON,
        f"""
        35=4|34=0|36={new_seq_no}
            send 35=3|34=2|45=0|58=Value is incorrect (out of range) for this tag|372=4|373=5
        35=4|34=0|36={10**15}
        """,
    )
    assert driver.session.next_in == 10**15
