"""The inbound sequence of a live session: in order, once, and nothing missing."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fix_engine.sequence import MAX_EARLY_MESSAGES
from tests.fix_engine.support import LOGGED_ON, examples, logged_on, play

# Gaps. FIX 4.4 Volume 2, "Ordered Message Processing": a message with a number too high shows
# that others were missed; they are asked for with a ResendRequest.


def test_messages_in_order_are_delivered_as_they_come() -> None:
    """QuickFIX 2a."""
    driver = play(
        LOGGED_ON,
        """
        35=D|34=2|<order>
            deliver D 2
        35=0|34=3
        35=D|34=4|<order>
            deliver D 4
        35=H|34=5|11=id|55=MSFT|54=1
            deliver H 5
        """,
    )
    assert driver.session.next_in == 6


def test_a_gap_is_asked_for_once_and_what_is_behind_it_waits() -> None:
    """QuickFIX 2b."""
    play(
        LOGGED_ON,
        """
        35=D|34=5|<order>
            send 35=2|34=2|7=2|16=0
        35=D|34=6|<order>
        35=0|34=7
        35=D|34=2|43=Y|122=<now-1>|<order>
            deliver D 2
        35=D|34=3|43=Y|122=<now-1>|<order>
            deliver D 3
        35=D|34=4|43=Y|122=<now-1>|<order>
            deliver D 4
            deliver D 5
            deliver D 6
        35=D|34=8|<order>
            deliver D 8
        """,
    )


def test_messages_that_waited_and_come_again_are_delivered_once() -> None:
    """An open-ended resend brings again what waits already."""
    play(
        LOGGED_ON,
        """
        35=D|34=3|<order>
            send 35=2|34=2|7=2|16=0
        35=D|34=2|43=Y|122=<now-1>|<order>
            deliver D 2
            deliver D 3
        35=D|34=3|43=Y|122=<now-1>|<order>
        35=D|34=4|<order>
            deliver D 4
        """,
    )


def test_a_second_gap_is_asked_for_when_the_first_is_filled() -> None:
    play(
        LOGGED_ON,
        """
        35=D|34=3|<order>
            send 35=2|34=2|7=2|16=0
        35=D|34=2|43=Y|122=<now-1>|<order>
            deliver D 2
            deliver D 3
        35=D|34=6|<order>
            send 35=2|34=3|7=4|16=0
        """,
    )


def test_a_resend_that_skips_is_asked_for_again_from_there() -> None:
    """Message 3 was garbled on its second way, too: the PossDup 4 shows it."""
    play(
        LOGGED_ON,
        """
        35=D|34=6|<order>
            send 35=2|34=2|7=2|16=0
        35=D|34=2|43=Y|122=<now-1>|<order>
            deliver D 2
        35=D|34=4|43=Y|122=<now-1>|<order>
            send 35=2|34=3|7=3|16=0
        35=D|34=5|43=Y|122=<now-1>|<order>
        35=D|34=3|43=Y|122=<now-1>|<order>
            deliver D 3
            deliver D 4
            deliver D 5
            deliver D 6
        """,
    )


def test_administrative_messages_behind_a_gap_are_obeyed_in_their_turn() -> None:
    """QuickFIX RejectResentMessage: "test requests should be processed in order"."""
    play(
        LOGGED_ON,
        """
        35=1|34=3|112=HELLO1
            send 35=2|34=2|7=2|16=0
        35=D|34=2|43=Y|122=<now>|<order>|44=x
            send 35=3|34=3|45=2|58=Incorrect data format for value|371=44|372=D|373=6
            send 35=0|34=4|112=HELLO1
        35=1|34=4|112=HELLO2
            send 35=0|34=5|112=HELLO2
        """,
    )


def test_a_faulty_message_behind_a_gap_is_rejected_in_its_turn() -> None:
    play(
        LOGGED_ON,
        """
        35=D|34=3|999=x
            send 35=2|34=2|7=2|16=0
        35=D|34=4|<order>
        35=D|34=2|43=Y|122=<now>|<order>
            deliver D 2
            send 35=3|34=3|45=3|58=Invalid tag number|371=999|372=D|373=0
            deliver D 4
        """,
    )


def test_a_message_that_is_rejected_for_its_header_fills_the_gap_too() -> None:
    play(
        LOGGED_ON,
        """
        35=1|34=3|112=HELLO
            send 35=2|34=2|7=2|16=0
        35=D|34=2|43=Y|<order>
            send 35=3|34=3|45=2|58=Required tag missing|371=122|372=D|373=1
            send 35=0|34=4|112=HELLO
        """,
    )


def test_what_waited_is_obeyed_after_the_application_has_answered_what_came_before() -> None:
    """Effects are taken until nothing is left; its answers are numbered in between."""
    driver = logged_on()
    driver.do("35=1|34=3|112=HELLO")
    driver.do("35=D|34=4|<order>")
    driver.receive("35=D|34=2|43=Y|122=<now>|<order>")
    machine = driver.session
    answers: list[str] = []
    while effects := machine.take_effects():
        for effect in effects:
            answers.append(driver.describe(effect))
            if answers[-1].startswith("deliver"):
                machine.send(b"8", b"37=x\x01", driver.now)
    assert answers == [
        "deliver D 2",
        "send 35=8|34=3|37=x",
        "send 35=0|34=4|112=HELLO",
        "deliver D 4",
        "send 35=8|34=5|37=x",
    ]


def test_a_resend_request_behind_a_gap_is_served_at_once() -> None:
    """QuickFIX 20. Or two peers with gaps would wait for each other."""
    play(
        LOGGED_ON,
        """
        app 35=8|37=x
            send 35=8|34=2|37=x
        35=2|34=4|7=2|16=2
            fetch 2 2
            send 35=2|34=3|7=2|16=0
        replay
            again 35=8|34=2|43=Y|122=<now>|37=x
        35=D|34=2|43=Y|122=<now>|<order>
            deliver D 2
        35=D|34=3|43=Y|122=<now>|<order>
            deliver D 3
        35=D|34=5|<order>
            deliver D 5
        """,
    )


def test_what_waits_is_bounded_and_the_resend_brings_the_rest() -> None:
    driver = logged_on()
    kept, dropped = range(3, 3 + MAX_EARLY_MESSAGES), range(3 + MAX_EARLY_MESSAGES, 1_100)
    effects = [
        effect for seq in (*kept, *dropped) for effect in driver.do(f"35=D|34={seq}|<order>")
    ]
    assert effects == ["send 35=2|34=2|7=2|16=0"]
    effects = driver.do("35=D|34=2|43=Y|122=<now>|<order>")
    assert effects == [f"deliver D {seq}" for seq in (2, *kept)]
    assert driver.session.next_in == dropped[0]
    for seq in dropped:
        assert driver.do(f"35=D|34={seq}|43=Y|122=<now>|<order>") == [f"deliver D {seq}"]


def test_what_waits_does_not_outlive_the_connection() -> None:
    """It comes again: the gap is found once more at the next Logon."""
    play(
        LOGGED_ON,
        """
        35=D|34=4|<order>
            send 35=2|34=2|7=2|16=0
        lost x
            offline x
        connect
        35=A|34=5|98=0|108=30
            send 35=A|34=3|98=0|108=30
            online
            send 35=2|34=4|7=2|16=0
        35=D|34=2|43=Y|122=<now>|<order>
            deliver D 2
        35=D|34=3|43=Y|122=<now>|<order>
            deliver D 3
        35=D|34=4|43=Y|122=<now>|<order>
            deliver D 4
        35=D|34=6|<order>
            deliver D 6
        """,
    )


@examples(60)
@given(st.lists(st.sampled_from("DD0x"), min_size=1, max_size=30), st.data())
def test_whatever_is_lost_on_the_way_arrives_in_the_end(
    sent: list[str], data: st.DataObject
) -> None:
    """A peer sends orders (D) and Heartbeats (0), some in vain (x), and does as it is asked."""
    driver = logged_on()
    delivered: list[str] = []
    history: list[str] = []  # MsgType of number 2 and on

    def take(effects: list[str]) -> None:
        for effect in effects:
            if effect.startswith("deliver"):
                delivered.append(effect)
            elif effect.startswith("send 35=2|"):
                begin = int(effect.partition("|7=")[2].partition("|")[0])
                resend(begin, len(history) + 2)

    def resend(begin: int, after_last: int) -> None:
        for seq in range(begin, after_last):
            if history[seq - 2] == "D":
                take(driver.do(f"35=D|34={seq}|43=Y|122=<now-1>|<order>"))
            else:
                take(driver.do(f"35=4|34={seq}|43=Y|122=<now-1>|123=Y|36={seq + 1}"))

    for kind in sent:
        lost = kind == "x" or data.draw(st.integers(0, 3)) == 0
        history.append("D" if kind == "x" else kind)
        seq = len(history) + 1
        if not lost:
            take(driver.do(f"35=D|34={seq}|<order>" if kind == "D" else f"35=0|34={seq}"))
    history.append("0")
    take(driver.do(f"35=0|34={len(history) + 1}"))
    orders = [seq for seq, kind in enumerate(history, 2) if kind == "D"]
    assert delivered == [f"deliver D {seq}" for seq in orders]
    assert driver.session.next_in == len(history) + 2


# Too low, or no number at all. FIX 4.4 Volume 2: without PossDupFlag that is a serious error.


@pytest.mark.parametrize("line", ["35=0|34=1", "35=D|34=1|<order>", "35=D|34=1|43=N|<order>"])
def test_a_number_too_low_ends_the_session(line: str) -> None:
    """QuickFIX 2c."""
    play(
        LOGGED_ON,
        f"""
        {line}
            send 35=5|34=2|58=MsgSeqNum too low, expecting 2 but received 1
        wait 2
            after 2s: offline no Logout from the peer in time
            after 2s: disconnect no Logout from the peer in time
        """,
    )


@pytest.mark.parametrize(
    "number", ["", "34=|", "34=x|", "34=-2|", "34=2.0|", "34=" + "9" * 19 + "|"]
)
def test_a_message_without_a_number_ends_the_session(number: str) -> None:
    """FIX 4.4 Volume 2, "Logout" is sent for a message without MsgSeqNum."""
    driver = play(
        LOGGED_ON,
        f"""
        35=D|{number}<order>
            send 35=5|34=2|58=MsgSeqNum (34) is missing or not a number
        """,
    )
    assert driver.session.next_in == 2


# PossDupFlag. FIX 4.4 Volume 2, "Possible Duplicates": a number seen before, ignore; not yet seen,
# process.


def test_a_possible_duplicate_that_was_received_is_ignored() -> None:
    """QuickFIX 2e."""
    driver = play(
        LOGGED_ON,
        """
        35=D|34=2|<order>
            deliver D 2
        35=D|34=2|43=Y|122=<now-1>|<order>
        35=1|34=1|43=Y|122=<now-1>|112=x
        35=0|34=2|43=Y|122=<now>|112=x
        35=D|34=2|43=Y|122=<now>|999=not even looked at
        35=D|34=3|<order>
            deliver D 3
        """,
    )
    assert driver.session.next_in == 4


def test_a_possible_duplicate_that_was_not_is_processed() -> None:
    """QuickFIX 2e."""
    play(
        LOGGED_ON,
        """
        35=D|34=2|43=Y|122=<now>|<order>
            deliver D 2
        35=1|34=3|43=Y|122=<now-7>|112=x
            send 35=0|34=2|112=x
        """,
    )


@pytest.mark.parametrize("seq", [2, 4])
def test_a_possible_duplicate_needs_its_original_time(seq: int) -> None:
    """QuickFIX 2g: Reject, and the session goes on. The number is counted once at most."""
    reject = f"45={seq}|58=Required tag missing|371=122|372=D|373=1"
    play(
        LOGGED_ON,
        f"""
        35=D|34=2|<order>
            deliver D 2
        35=D|34=3|<order>
            deliver D 3
        35=D|34={seq}|43=Y|<order>
            send 35=3|34=2|{reject}
        35=1|34={max(4, seq + 1)}|112=x
            send 35=0|34=3|112=x
        """,
    )


@pytest.mark.parametrize("seq", [2, 4])
def test_an_original_time_after_the_sending_time_ends_the_session(seq: int) -> None:
    """QuickFIX 2f: Reject, then Logout."""
    reject = f"45={seq}|58=SendingTime accuracy problem|372=D|373=10"
    play(
        LOGGED_ON,
        f"""
        35=D|34=2|<order>
            deliver D 2
        35=D|34=3|<order>
            deliver D 3
        35=D|34={seq}|43=Y|122=<now+10>|<order>
            send 35=3|34=2|{reject}
            send 35=5|34=3
        35=5|34=5
            offline logged out
            disconnect logged out
        """,
    )


def test_a_fill_of_a_gap_needs_no_original_time() -> None:
    """FIX 4.4 Volume 2: OrigSendingTime is required only of messages that are sent again."""
    play(
        LOGGED_ON,
        """
        35=4|34=2|43=Y|123=Y|36=7
        35=D|34=7|<order>
            deliver D 7
        """,
    )


def test_poss_resend_is_the_business_of_the_application() -> None:
    """QuickFIX 19: a new number, so a new message here; the application knows the ClOrdID."""
    play(
        LOGGED_ON,
        """
        35=D|34=2|<order>
            deliver D 2
        35=D|34=3|97=Y|<order>
            deliver D 3
        """,
    )
