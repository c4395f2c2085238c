"""How a session begins: the first message must be a Logon, and a good one."""

from __future__ import annotations

import pytest

from fix_engine.effects import Online, Send
from fix_engine.states import State
from fix_engine.timestamps import Precision
from tests.fix_engine.support import NOON, Driver, play


def test_a_logon_is_answered_by_a_logon() -> None:
    """QuickFIX 1a."""
    driver = play("""
        connect
        35=A|34=1|98=0|108=30
            send 35=A|34=1|98=0|108=30
            online
    """)
    assert driver.session.state is State.ACTIVE
    assert (driver.session.next_in, driver.session.next_out) == (2, 2)


def test_numbers_go_on_where_they_were() -> None:
    """A session outlives its connections."""
    driver = play(
        """
        connect
        35=A|34=17|98=0|108=30
            send 35=A|34=42|98=0|108=30
            online
        lost cable cut
            offline cable cut
        connect
        35=A|34=18|98=0|108=30
            send 35=A|34=43|98=0|108=30
            online
        """,
        next_in=17,
        next_out=42,
    )
    assert driver.session.next_in == 19


def test_the_application_gets_the_logon_itself() -> None:
    driver = Driver()
    driver.session.connected(NOON)
    driver.receive("35=A|34=1|98=0|108=30|553=me|554=secret")
    answer, online = driver.session.take_effects()
    assert isinstance(answer, Send)
    assert isinstance(online, Online)
    assert online.logon.get(b"553") == b"me"


@pytest.mark.parametrize(
    ("precision", "time"),
    [
        (Precision.MILLISECONDS, b"20240229-12:00:00.123"),
        (Precision.MICROSECONDS, b"20240229-12:00:00.123456"),
        (Precision.NANOSECONDS, b"20240229-12:00:00.123456789"),
    ],
)
def test_the_time_is_written_as_precisely_as_the_settings_say(
    precision: Precision, time: bytes
) -> None:
    driver = Driver(precision=precision)
    driver.session.connected(NOON)
    driver.session.send(b"8", b"37=x\x01", NOON + 123_456_789)
    (stored,) = driver.session.take_effects()
    assert b"\x0152=%b\x01" % time in stored.raw  # type: ignore[union-attr]


# MsgSeqNum


def test_a_number_too_high_is_accepted_and_the_gap_asked_for() -> None:
    """QuickFIX 1a: Logon first, then a ResendRequest; the Logon has not to come again."""
    play("""
        connect
        35=A|34=5|98=0|108=30
            send 35=A|34=1|98=0|108=30
            online
            send 35=2|34=2|7=1|16=0
        35=4|34=1|43=Y|122=<now>|123=Y|36=5
        35=D|34=6|<order>
            deliver D 6
    """)


def test_orders_before_a_logon_that_was_too_high_are_delivered_in_order() -> None:
    play(
        """
        connect
        35=A|34=5|98=0|108=30
            send 35=A|34=9|98=0|108=30
            online
            send 35=2|34=10|7=3|16=0
        35=D|34=6|<order>
        35=D|34=3|43=Y|122=<now-9>|<order>
            deliver D 3
        35=D|34=4|43=Y|122=<now-9>|<order>
            deliver D 4
            deliver D 6
        """,
        next_in=3,
        next_out=9,
    )


@pytest.mark.parametrize("seq", [1, 3, 0])
@pytest.mark.parametrize("poss_dup", ["", "43=Y|122=<now>|", "43=N|"])
def test_a_number_too_low_is_refused_aloud(seq: int, poss_dup: str) -> None:
    """PossDupFlag excuses no Logon: it is administrative, and never sent again."""
    driver = play(
        f"""
        connect
        35=A|34={seq}|{poss_dup}98=0|108=30
            send 35=5|34=7|58=MsgSeqNum too low, expecting 4 but received {seq}
            disconnect Logon refused: MsgSeqNum too low, expecting 4 but received {seq}
        """,
        next_in=4,
        next_out=7,
    )
    assert driver.session.next_in == 4


# ResetSeqNumFlag


def test_a_logon_may_reset_both_sequences() -> None:
    """FIX 4.4 Volume 2, "Logon": ResetSeqNumFlag (141) Y, answered likewise, both from 1."""
    driver = play(
        """
        connect
        35=A|34=1|98=0|108=30|141=Y
            reset
            send 35=A|34=1|98=0|108=30|141=Y
            online
        35=D|34=2|<order>
            deliver D 2
        """,
        next_in=17,
        next_out=42,
    )
    assert driver.session.next_out == 2


def test_141_n_resets_nothing() -> None:
    play(
        """
        connect
        35=A|34=17|98=0|108=30|141=N
            send 35=A|34=42|98=0|108=30
            online
        """,
        next_in=17,
        next_out=42,
    )


@pytest.mark.parametrize("seq", [0, 2, 17])
def test_a_reset_needs_number_1(seq: int) -> None:
    driver = play(
        f"""
        connect
        35=A|34={seq}|98=0|108=30|141=Y
            send 35=5|34=42|58=ResetSeqNumFlag (141) Y needs MsgSeqNum 1
            disconnect Logon refused: ResetSeqNumFlag (141) Y needs MsgSeqNum 1
        """,
        next_in=17,
        next_out=42,
    )
    assert driver.session.next_in == 17


def test_a_refused_logon_resets_nothing() -> None:
    driver = play(
        """
        connect
        35=A|34=1|98=1|108=30|141=Y
            send 35=5|34=42|58=EncryptMethod (98) must be 0
            disconnect Logon refused: EncryptMethod (98) must be 0
        """,
        next_in=17,
        next_out=42,
    )
    assert driver.session.next_in == 17


def test_a_venue_may_reset_at_every_logon() -> None:
    play(
        """
        connect
        35=A|34=1|98=0|108=30
            reset
            send 35=A|34=1|98=0|108=30
            online
        35=D|34=2|<order>
            deliver D 2
        lost x
            offline x
        connect
        35=A|34=1|98=0|108=30
            reset
            send 35=A|34=1|98=0|108=30
            online
        """,
        next_in=17,
        next_out=42,
        reset_on_logon=True,
    )


def test_after_such_a_reset_a_gap_is_still_a_gap() -> None:
    play(
        """
        connect
        35=A|34=3|98=0|108=30
            reset
            send 35=A|34=1|98=0|108=30
            online
            send 35=2|34=2|7=1|16=0
        """,
        next_in=3,
        reset_on_logon=True,
    )


# Refused without an answer: whoever it is, it is not our peer


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("35=0|34=1", "the first message is not a Logon"),
        ("35=5|34=1", "the first message is not a Logon"),
        ("35=D|34=1|<order>", "the first message is not a Logon"),
        ("35=4|34=1|36=5", "the first message is not a Logon"),
        ("35=*|34=1", "the first message is not a Logon"),
        ("35=A|34=1|49=WT|98=0|108=30", "CompID problem"),
        ("35=A|34=1|56=DLSI|98=0|108=30", "CompID problem"),
        ("35=A|34=1|49=ISLD|56=TW44|98=0|108=30", "CompID problem"),
        ("35=A|34=1|49=WT|108=-1", "CompID problem"),
        ("35=A|34=1|52=20010101-00:00:00|98=0|108=30", "SendingTime accuracy problem"),
        ("35=A|34=1|52=<now-121>|98=0|108=30", "SendingTime accuracy problem"),
        ("35=A|34=1|52=<now+121>|98=0|108=30", "SendingTime accuracy problem"),
        ("8=FIX.3.9|35=A|34=1|98=0|108=30", "Incorrect BeginString"),
        ("8=FIXT.1.1|35=A|34=1|98=0|108=30", "Incorrect BeginString"),
    ],
)
def test_a_stranger_is_disconnected_without_a_word(line: str, reason: str) -> None:
    """QuickFIX 1c, 1d and 1e: "we must disconnect"."""
    driver = play(f"""
        connect
        {line}
            disconnect Logon refused: {reason}
        # what still arrives of that connection means nothing
        35=A|34=1|98=0|108=30
        35=0|34=2
    """)
    assert (driver.session.next_in, driver.session.next_out) == (1, 1)


@pytest.mark.parametrize("time", ["<now-120>", "<now+120>", "<now-60>", "<now>"])
def test_a_clock_may_be_off_by_as_much_as_the_settings_say(time: str) -> None:
    play(f"""
        connect
        35=A|34=1|52={time}|98=0|108=30
            send 35=A|34=1|98=0|108=30
            online
    """)


def test_a_stricter_venue() -> None:
    play(
        """
        connect
        35=A|34=1|52=<now-6>|98=0|108=30
            disconnect Logon refused: SendingTime accuracy problem
        connect
        35=A|34=1|52=<now-5>|98=0|108=30
            send 35=A|34=1|98=0|108=30
            online
        """,
        max_latency_ns=5_000_000_000,
    )


# Refused aloud: our peer, but its Logon will not do. FIX 4.4 Volume 2, "Logon": a Logout may say
# why before the connection is closed.


@pytest.mark.parametrize(
    ("line", "text"),
    [
        ("35=A|34=1|98=0", "Required tag missing (tag 108)"),
        ("35=A|34=1|108=30", "Required tag missing (tag 98)"),
        ("35=A|98=0|108=30", "Required tag missing (tag 34)"),
        ("35=A|34=1|49=-|98=0|108=30", "Required tag missing (tag 49)"),
        ("35=A|34=1|56=-|98=0|108=30", "Required tag missing (tag 56)"),
        ("35=A|34=1|49=|98=0|108=30", "Tag specified without a value (tag 49)"),
        ("35=A|34=1|52=noon|98=0|108=30", "Incorrect data format for value (tag 52)"),
        ("35=A|34=x|98=0|108=30", "Incorrect data format for value (tag 34)"),
        ("35=A|34=1|98=0|108=x", "Incorrect data format for value (tag 108)"),
        ("35=A|34=1|98=0|108=9999999999999999999", "Incorrect data format for value (tag 108)"),
        ("35=A|34=1|98=7|108=30", "Value is incorrect (out of range) for this tag (tag 98)"),
        ("35=A|34=1|98=0|108=30|141=X", "Incorrect data format for value (tag 141)"),
        ("35=A|34=1|98=0|108=30|108=30", "Tag appears more than once (tag 108)"),
        ("35=A|34=1|98=0|108=30|999=x", "Invalid tag number (tag 999)"),
        ("35=A|34=1|98=0|108=30|55=x", "Tag not defined for this message type (tag 55)"),
        ("35=A|34=1|98=1|108=30", "EncryptMethod (98) must be 0"),
        ("35=A|34=1|98=0|108=-1", "HeartBtInt (108) -1 is not within 1 to 3600"),
    ],
)
def test_a_logon_that_will_not_do_is_told_so(line: str, text: str) -> None:
    driver = play(f"""
        connect
        {line}
            send 35=5|34=1|58={text}
            disconnect Logon refused: {text}
        35=D|34=2|<order>
    """)
    assert driver.session.next_in == 1
    assert driver.session.next_out == 2


def test_the_next_attempt_is_not_held_against_it() -> None:
    play("""
        connect
        35=A|34=1|98=0
            send 35=5|34=1|58=Required tag missing (tag 108)
            disconnect Logon refused: Required tag missing (tag 108)
        connect
        35=A|34=1|98=0|108=30
            send 35=A|34=2|98=0|108=30
            online
    """)


# Before, and instead of, a Logon


def test_a_peer_that_says_nothing_is_disconnected() -> None:
    play("""
        connect
        wait 9.999
        wait 0.001
            after 0.001s: disconnect no Logon in time
        35=A|34=1|98=0|108=30
    """)


def test_the_time_for_a_logon_is_a_setting_and_begins_with_the_connection() -> None:
    play(
        """
        wait 60
        connect
        wait 3
            after 3s: disconnect no Logon in time
        connect
        wait 2
        35=A|34=1|98=0|108=90
            send 35=A|34=1|98=0|108=90
            online
        wait 60
        """,
        logon_timeout_ns=3_000_000_000,
    )


def test_a_venue_that_closes_lets_nobody_in() -> None:
    driver = play("""
        connect
        logout closed
            disconnect Logon refused: closed
    """)
    assert driver.session.next_out == 1


def test_a_connection_lost_before_logon_is_no_event() -> None:
    play("""
        connect
        lost gone
        connect
        35=A|34=1|98=0|108=30
            send 35=A|34=1|98=0|108=30
            online
    """)
