"""The session machine at large: who may speak, what is rejected, and what is always true."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fix_engine.states import State
from tests.fix_engine.support import LOGGED_ON, Driver, examples, logged_on, play

# Messages for the application


def test_sound_application_messages_are_delivered_as_they_are() -> None:
    driver = logged_on()
    driver.do("35=D|34=2|<order>|58=a=b")
    assert driver.session.next_in == 3
    play(
        """
        35=F|34=3|41=id|11=c|55=MSFT|54=1|60=<now>
            deliver F 3
        35=8|34=4|37=a|17=b|150=0|39=0|55=X|54=1|151=1|14=0|6=0
            deliver 8 4
        """,
        driver=driver,
    )


def test_administrative_messages_are_not_delivered() -> None:
    """QuickFIX 7: a Reject has only to be counted."""
    play(
        LOGGED_ON,
        """
        35=0|34=2
        35=3|34=3|45=1|58=what?
        35=1|34=4|112=x
            send 35=0|34=2|112=x
        35=4|34=5|123=Y|36=6
        35=D|34=6|<order>
            deliver D 6
        """,
    )


# Rejects. FIX 4.4 Volume 2, "Reject": the message is counted, the session goes on.


@pytest.mark.parametrize(
    ("line", "reject"),
    [
        ("35=0|34=2|999=HI", "58=Invalid tag number|371=999|372=0|373=0"),
        ("35=0|34=2|56=-", "58=Required tag missing|371=56|372=0|373=1"),
        ("35=0|34=2|49=-", "58=Required tag missing|371=49|372=0|373=1"),
        ("35=0|34=2|52=-", "58=Required tag missing|371=52|372=0|373=1"),
        ("35=D|34=2|55=X", "58=Required tag missing|371=11|372=D|373=1"),
        ("35=0|34=2|55=X", "58=Tag not defined for this message type|371=55|372=0|373=2"),
        ("35=0|34=2|56=", "58=Tag specified without a value|371=56|372=0|373=4"),
        (
            "35=D|34=2|<order>|21=4",
            "58=Value is incorrect (out of range) for this tag|371=21|372=D|373=5",
        ),
        ("35=D|34=2|<order>|44=+1", "58=Incorrect data format for value|371=44|372=D|373=6"),
        ("35=0|34=2|52=noon", "58=Incorrect data format for value|371=52|372=0|373=6"),
        ("35=*|34=2", "58=Invalid MsgType|372=*|373=11"),
        ("35=D|34=2|<order>|40=1", "58=Tag appears more than once|371=40|372=D|373=13"),
        ("35=D|55=X|34=2|11=x", "58=Tag specified out of required order|371=34|372=D|373=14"),
        (
            "35=D|34=2|<order>|453=1|447=D",
            "58=Repeating group fields out of order|371=447|372=D|373=15",
        ),
        (
            "35=D|34=2|<order>|453=2|448=A",
            "58=Incorrect NumInGroup count for repeating group|371=453|372=D|373=16",
        ),
    ],
)
def test_a_faulty_message_is_rejected_and_counted(line: str, reject: str) -> None:
    """QuickFIX 14 and 2q. 58 before 371, 372 and 373, as its acceptance tests have them."""
    play(
        LOGGED_ON,
        f"""
        {line}
            send 35=3|34=2|45=2|{reject}
        35=D|34=3|<order>
            deliver D 3
        """,
    )


def test_a_faulty_reject_is_not_rejected() -> None:
    """Or two engines would reject each other's Rejects for ever."""
    play(
        LOGGED_ON,
        """
        35=3|34=2|999=x
        35=3|34=3
        35=D|34=4|<order>
            deliver D 4
        """,
    )


def test_a_message_that_is_not_ours_is_for_the_application_to_refuse() -> None:
    """QuickFIX 2r: "Unsupported Message Type" is a BusinessMessageReject."""
    assert logged_on().do("35=d|34=2|320=a|322=b|323=6") == ["deliver d 2"]


@pytest.mark.parametrize(
    ("came", "goes"),
    [
        ("115=JCD", "128=JCD"),
        ("128=JCD", "115=JCD"),
        ("115=JCD|116=CS", "128=JCD|129=CS"),
        ("128=JCD|129=CS", "115=JCD|116=CS"),
        ("115=JCD|116=CS|144=CHI", "128=JCD|129=CS|145=CHI"),
        ("128=JCD|129=CS|145=CHI", "115=JCD|116=CS|144=CHI"),
        ("115=A|128=B", "115=B|128=A"),
    ],
)
def test_a_reject_goes_the_way_the_message_came(came: str, goes: str) -> None:
    """QuickFIX ReverseRoute."""
    fault = "58=Value is incorrect (out of range) for this tag|371=40|372=D|373=5"
    play(
        LOGGED_ON,
        f"""
        35=D|34=2|{came}|11=ID|38=100|40=w|54=1|55=X|60=<now>
            send 35=3|34=2|{goes}|45=2|{fault}
        """,
    )


@pytest.mark.parametrize(
    ("came", "goes", "empty"),
    [
        ("115=", "", 115),
        ("128=", "", 128),
        ("115=JCD|116=", "128=JCD|", 116),
        ("128=JCD|129=CS|145=", "115=JCD|116=CS|", 145),
    ],
)
def test_an_empty_route_is_not_reversed(came: str, goes: str, empty: int) -> None:
    """QuickFIX ReverseRouteWithEmptyRoutingTags."""
    play(
        LOGGED_ON,
        f"""
        35=D|34=2|{came}|<order>
            send 35=3|34=2|{goes}45=2|58=Tag specified without a value|371={empty}|372=D|373=4
        """,
    )


# Faults that end the session


@pytest.mark.parametrize(
    ("line", "fault"),
    [
        ("35=D|34=2|49=WT|<order>", "58=CompID problem|372=D|373=9"),
        ("35=D|34=2|56=DLSI|<order>", "58=CompID problem|372=D|373=9"),
        ("35=D|34=2|49=WT|56=DLSI|<order>", "58=CompID problem|372=D|373=9"),
        ("35=0|34=2|52=<now-121>", "58=SendingTime accuracy problem|372=0|373=10"),
        ("35=0|34=2|52=<now+121>", "58=SendingTime accuracy problem|372=0|373=10"),
        ("35=A|34=2|49=WT|98=0|108=30|141=Y", "58=CompID problem|372=A|373=9"),
        ("35=4|34=2|49=WT|36=99", "58=CompID problem|372=4|373=9"),
        ("35=2|34=2|49=WT|7=1|16=0", "58=CompID problem|372=2|373=9"),
    ],
)
def test_a_message_that_is_not_from_this_peer_or_this_time(line: str, fault: str) -> None:
    """QuickFIX 2k and 2o: Reject, then Logout; counted, not obeyed."""
    driver = play(
        LOGGED_ON,
        f"""
        {line}
            send 35=3|34=2|45=2|{fault}
            send 35=5|34=3
        35=5|34=3
            offline logged out
            disconnect logged out
        """,
    )
    assert driver.session.next_in == 4


@pytest.mark.parametrize("time", ["<now-120>", "<now+120>"])
def test_a_message_within_the_tolerance(time: str) -> None:
    assert logged_on().do(f"35=D|34=2|52={time}|<order>") == ["deliver D 2"]


@pytest.mark.parametrize("end", ["35=5|34=3", "wait 2"])
def test_another_begin_string_ends_the_session(end: str) -> None:
    """QuickFIX 2i: Logout that says why, whether it is answered or not; not counted."""
    driver = play(
        LOGGED_ON,
        """
        8=FIX.4.1|35=1|34=2|112=id
            send 35=5|34=2|58=Incorrect BeginString
        """,
    )
    assert driver.do(end)[-1].partition("disconnect ")[1]
    assert driver.session.next_in == 2


# Numbers of our own


def test_send_says_the_number_it_used() -> None:
    driver = Driver(next_out=7)
    send = driver.session.send
    assert [send(b"8", b"37=x\x01", driver.now) for _ in range(3)] == [7, 8, 9]
    assert driver.session.next_out == 10


def test_effects_are_taken_once_and_in_order() -> None:
    driver = logged_on()
    driver.session.send(b"8", b"37=1\x01", driver.now)
    driver.session.send(b"8", b"37=2\x01", driver.now)
    driver.session.logout(b"bye", driver.now)
    assert driver.take() == ["send 35=8|34=2|37=1", "send 35=8|34=3|37=2", "send 35=5|34=4|58=bye"]
    assert driver.session.take_effects() == []


def test_a_session_is_resumed_before_anybody_connects() -> None:
    driver = logged_on()
    with pytest.raises(AssertionError):
        driver.session.resume(1, 1)


def test_a_renewed_session_is_a_new_machine_with_the_numbers_it_is_given() -> None:
    driver = logged_on()
    driver.do("35=D|34=4|<order>")
    renewed = driver.session.renewed(7, 9)
    assert renewed.settings is driver.session.settings
    assert renewed.state is State.DISCONNECTED
    assert (renewed.next_in, renewed.next_out, renewed.deadline()) == (7, 9, None)
    assert renewed.take_effects() == []
    assert driver.session.state is State.ACTIVE


# Whatever the peer does. The driver of support.py checks after every input that numbers of Send
# and Store are contiguous (from 1 after a Reset), that the inbound sequence does not go back but
# at a Reset, that messages are delivered once, in order, while online, and more.


HEADERS = ["", "", "", "", "43=Y|122=<now>|", "43=Y|122=<now-5>|", "43=Y|", "43=Y|122=<now+9>|",
           "97=Y|", "115=X|", "52=<now-60>|", "52=<now-121>|", "52=noon|", "52=-|", "49=-|",
           "49=WT|", "56=|", "56=X|"]  # fmt: skip
BODIES = [
    "D|{}<order>", "D|{}<order>", "D|{}<order>", "D|{}<order>|453=2|448=A|448=B", "D|{}11=x",
    "D|{}<order>|999=x", "D|{}<order>|44=x", "D|{}<order>|453=1", "8|{}37=x", "F|{}<order>",
    "0|{}", "0|{}112=x", "1|{}112=x", "1|{}", "3|{}45=1", "*|{}", "5|{}", "5|{}58=bye",
    "2|{}7=1|16=0", "2|{}7=1|16=1", "2|{}7=3|16=2", "2|{}7=2|16=999", "2|{}7=1", "2|{}7=0|16=0",
    "4|{}36=1", "4|{}36=9", "4|{}123=Y|36=9", "4|{}123=Y|36=1", "4|{}123=N|36=40", "4|{}123=X|36=9",
    "A|{}98=0|108=30", "A|{}98=0|108=30|141=Y", "A|{}98=0|108=0|141=Y", "A|{}98=1|108=5",
    "A|{}98=0|108=30|789=1|141=Y", "A|{}98=0|108=30|789=99", "d|{}58=x", "A|{}98=0",
    "A|{}98=0|108=5|95=3|96=a\x01b",
]  # fmt: skip
lines = st.one_of(
    st.tuples(
        st.sampled_from(BODIES),
        st.sampled_from([0, 0, 0, 0, 0, 1, 2, 5, -1, -2, None]),
        st.sampled_from(HEADERS),
        st.sampled_from(["", "", "", "", "", "", "8=FIX.4.2|"]),
    ),
    st.sampled_from(
        ["connect", "app 35=8|37=x", "app 35=8|37=x", "replay", "wait 1", "wait 11", "wait 100",
         "lost x", "logout bye", "logon", "logon", "logon"]
    ),
)  # fmt: skip


@examples(250)
@given(st.lists(lines, max_size=40), st.booleans(), st.booleans(), st.booleans())
def test_nothing_a_peer_says_breaks_the_machine(
    inputs: list[str | tuple[str, int | None, str, str]],
    reset_on_logon: bool,
    uses_next_expected: bool,
    adds_last_processed: bool,
) -> None:
    driver = Driver(
        reset_on_logon=reset_on_logon,
        uses_next_expected=uses_next_expected,
        adds_last_processed=adds_last_processed,
    )
    machine = driver.session
    for given_input in inputs:
        if isinstance(given_input, tuple):
            body, offset, header, begin = given_input
            number = "" if offset is None else f"34={max(0, machine.next_in + offset)}|"
            driver.do(f"{begin}35={body.format(number + header)}")
        elif given_input in ("connect", "logon") and machine.state is not State.DISCONNECTED:
            continue
        elif given_input == "logon":
            driver.do("connect")
            driver.do(f"35=A|34={machine.next_in}|98=0|108=10|789={max(1, machine.next_out - 2)}")
        elif given_input != "replay" or driver.fetched:
            driver.do(given_input)
    # and it is never stuck: there is always a way back
    driver.do("lost x")
    driver.do("connect")
    assert driver.do("35=A|34=1|98=0|108=30|141=Y")[-1] == "online"
    assert driver.do("35=D|34=2|<order>") == ["deliver D 2"]
    assert driver.do("app 35=8|37=x")[0].startswith("send 35=8|34=2|")
