"""The two tables: which state follows which, and which MsgSeqNum a message must have."""

from __future__ import annotations

from itertools import product

import pytest

from fix_engine import session
from fix_engine.states import (
    SEQUENCE_RULES,
    TRANSITIONS,
    Input,
    SequenceRule,
    State,
    sequence_rule,
    table,
)
from tests.fix_engine.support import LOGGED_ON, message, play

GOODBYE = """
    logout bye
        send 35=5|34=2|58=bye
"""
INITIATED = """
    initiate 30
        send 35=A|34=1|98=0|108=30
"""
GONE = """
    lost gone
        offline gone
"""

#: Scripts that end with the transition of each row.
LAST_STEPS = {
    (State.DISCONNECTED, Input.CONNECTION_MADE): ["connect"],
    (State.CONNECTED, Input.LOGON_ACCEPTED): [LOGGED_ON],
    (State.CONNECTED, Input.LOGON_REFUSED): [
        """
        connect
        35=0|34=1
            disconnect Logon refused: the first message is not a Logon
        """
    ],
    (State.CONNECTED, Input.EXPIRED): [
        """
        connect
        wait 10
            after 10s: disconnect no Logon in time
        """
    ],
    (State.CONNECTED, Input.CONNECTION_LOST): [
        """
        connect
        lost gone
        """
    ],
    (State.DISCONNECTED, Input.LOGON_SENT): [INITIATED],
    (State.LOGGING_ON, Input.LOGON_ACCEPTED): [
        INITIATED,
        """
        35=A|34=1|98=0|108=30
            online
        """,
    ],
    (State.LOGGING_ON, Input.LOGON_REFUSED): [
        INITIATED,
        """
        35=0|34=1
            disconnect Logon refused: the first message is not a Logon
        """,
    ],
    (State.LOGGING_ON, Input.LOGOUT_RECEIVED): [
        INITIATED,
        """
        35=5|34=1|58=no
            disconnect Logon refused by the peer: no
        """,
    ],
    (State.LOGGING_ON, Input.EXPIRED): [
        INITIATED,
        """
        wait 10
            after 10s: disconnect no Logon in time
        """,
    ],
    (State.LOGGING_ON, Input.CONNECTION_LOST): [INITIATED, "lost gone"],
    (State.ACTIVE, Input.LOGOUT_RECEIVED): [
        LOGGED_ON,
        """
        35=5|34=2
            send 35=5|34=2
            offline logged out
            disconnect logged out
        """,
    ],
    (State.ACTIVE, Input.LOGOUT_SENT): [LOGGED_ON, GOODBYE],
    (State.ACTIVE, Input.CONNECTION_LOST): [LOGGED_ON, GONE],
    (State.LOGGING_OUT, Input.LOGOUT_RECEIVED): [
        LOGGED_ON,
        GOODBYE,
        """
        35=5|34=2
            offline logged out
            disconnect logged out
        """,
    ],
    (State.LOGGING_OUT, Input.EXPIRED): [
        LOGGED_ON,
        GOODBYE,
        """
        wait 2
            after 2s: offline no Logout from the peer in time
            after 2s: disconnect no Logout from the peer in time
        """,
    ],
    (State.LOGGING_OUT, Input.CONNECTION_LOST): [LOGGED_ON, GOODBYE, GONE],
}


def test_every_row_has_its_script_here_or_below() -> None:
    assert LAST_STEPS.keys() | {(State.ACTIVE, Input.EXPIRED)} == TRANSITIONS.keys()


class Recorder(dict[tuple[State, Input], State]):
    """TRANSITIONS that remember the last row that was looked up."""

    last: tuple[State, Input]

    def __getitem__(self, row: tuple[State, Input]) -> State:
        self.last = row
        return super().__getitem__(row)


@pytest.mark.parametrize("row", LAST_STEPS, ids=lambda row: f"{row[0].name}, {row[1].value}")
def test_every_row_is_reached(row: tuple[State, Input], monkeypatch: pytest.MonkeyPatch) -> None:
    recorder = Recorder(TRANSITIONS)
    monkeypatch.setattr(session, "TRANSITIONS", recorder)
    driver = play(*LAST_STEPS[row])
    assert recorder.last == row
    assert driver.session.state is TRANSITIONS[row]


def test_a_silent_peer_expires(monkeypatch: pytest.MonkeyPatch) -> None:
    recorder = Recorder(TRANSITIONS)
    monkeypatch.setattr(session, "TRANSITIONS", recorder)
    driver = play(LOGGED_ON)
    assert driver.do("wait 100")[-1].endswith("disconnect no answer to TestRequest")
    assert recorder.last == (State.ACTIVE, Input.EXPIRED)
    assert driver.session.state is State.DISCONNECTED


# "A pair that is not there cannot happen": no input of the machine leads to it, or it raises.


@pytest.mark.parametrize("scripts", [["connect"], [INITIATED], [LOGGED_ON], [LOGGED_ON, GOODBYE]])
def test_a_second_connection_is_an_error_of_the_shell(scripts: list[str]) -> None:
    driver = play(*scripts)
    before = driver.session.state
    with pytest.raises(KeyError):
        driver.session.connected(driver.now)
    assert driver.session.state is before
    assert driver.session.take_effects() == []


@pytest.mark.parametrize(
    "line",
    ["lost gone", "logout bye", "wait 1000", "35=A|34=1|98=0|108=30", "35=5|34=1", "35=D|34=1"],
)
@pytest.mark.parametrize("scripts", [[], ["connect\nlost gone"], [LOGGED_ON, GONE]])
def test_nothing_but_a_connection_moves_a_disconnected_session(
    scripts: list[str], line: str
) -> None:
    driver = play(*scripts)
    next_in, next_out = driver.session.next_in, driver.session.next_out
    assert driver.do(line) == []
    assert driver.session.state is State.DISCONNECTED
    assert (driver.session.next_in, driver.session.next_out) == (next_in, next_out)


@pytest.mark.parametrize("line", ["logout again", "35=D|34=2|<order>", "35=A|34=2|98=0|108=30"])
def test_nothing_but_the_end_moves_a_session_that_logs_out(line: str) -> None:
    driver = play(LOGGED_ON, GOODBYE)
    assert driver.do(line) == []
    assert driver.session.state is State.LOGGING_OUT


@pytest.mark.parametrize(
    ("state", "event"), sorted(product(State, Input), key=str), ids=lambda each: each.name
)
def test_the_machine_moves_by_the_table_alone(state: State, event: Input) -> None:
    driver = play()
    machine = driver.session
    machine.state = state
    if (state, event) in TRANSITIONS:
        machine._move(event)
        assert machine.state is TRANSITIONS[state, event]
    else:
        with pytest.raises(KeyError):
            machine._move(event)
        assert machine.state is state


def test_every_state_can_be_entered_and_left() -> None:
    assert {state for state, _ in TRANSITIONS} == set(State)
    assert set(TRANSITIONS.values()) == set(State)
    for state in set(State) - {State.DISCONNECTED}:
        assert TRANSITIONS[state, Input.CONNECTION_LOST] is State.DISCONNECTED
        assert (state, Input.CONNECTION_MADE) not in TRANSITIONS


def test_the_documentation_has_every_row() -> None:
    lines = table().splitlines()
    assert lines[:2] == ["| state | input | next state |", "| --- | --- | --- |"]
    assert len(lines) == 2 + len(TRANSITIONS)
    assert "| CONNECTED | Logon accepted | ACTIVE |" in lines


# MsgSeqNum


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("35=D", SequenceRule.IN_ORDER),
        ("35=0", SequenceRule.IN_ORDER),
        ("35=1", SequenceRule.IN_ORDER),
        ("35=3", SequenceRule.IN_ORDER),
        ("35=ZZ|123=Y|141=Y", SequenceRule.IN_ORDER),
        ("35=2", SequenceRule.ANY_NUMBER),
        ("35=5", SequenceRule.ANY_NUMBER),
        ("35=4", SequenceRule.NO_NUMBER),
        ("35=4|123=N", SequenceRule.NO_NUMBER),
        ("35=4|123=Y", SequenceRule.IN_ORDER),
        ("35=4|141=Y", SequenceRule.NO_NUMBER),
        ("35=A", SequenceRule.IN_ORDER),
        ("35=A|141=N", SequenceRule.IN_ORDER),
        ("35=A|141=Y", SequenceRule.NO_NUMBER),
    ],
)
def test_what_a_number_must_be(text: str, rule: SequenceRule) -> None:
    assert sequence_rule(message(text)) is rule


def test_only_administrative_messages_are_exceptions() -> None:
    assert SEQUENCE_RULES.keys() <= {b"2", b"4", b"5", b"A"}
