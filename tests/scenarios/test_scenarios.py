"""Every script of specs/scenarios/session, in process and over TCP; and what they show together."""

from __future__ import annotations

import contextlib
import re
from pathlib import Path
from typing import Final

import pytest

from fix_engine import tags
from fix_engine.errors import RejectReason
from fix_engine.message import Message
from fix_engine.session import Session
from fix_engine.states import SEQUENCE_RULES, TRANSITIONS, Input, SequenceRule, State, sequence_rule
from tests.scenarios.in_process import InProcess
from tests.scenarios.over_tcp import OverTcp
from tests.scenarios.player import DeviationError, Player
from tests.scenarios.script import Script, Verb, read
from tests.support.messages import ROOT

FOLDER: Final = ROOT / "specs" / "scenarios" / "session"
SCRIPTS: Final = [read(path) for path in sorted(FOLDER.glob("*.fix"))]

RULES: Final = re.compile(
    r'FIX 4\.4 Volume 2, "(?P<section>[^"]+)"'
    r"|FIX session test cases? (?P<cases>[\w-]+(?:, [\w-]+)*)"
    r'|docs/sessions\.md, "(?P<heading>[^"]+)"'
)
#: The FIX session test cases, by the letters under which FIX Trading Community lists them.
TEST_CASES: Final = {
    "1B": "-a -b -c -d -e",
    "1S": "-a -b -c -d",
    "2": "S a b c d e f g h i j k l m n o p q r s t",
    "3": "a b c d e",
    "4": "a b",
    "10": "a b c d e",
    "11": "a b c",
    "13": "a b",
    "14": "a b c d e f g h i j k",
    "16": "a b",
    "17": "b",
    "18": "a",
    "19": "a b",
    **dict.fromkeys(("5", "6", "7", "8", "9", "12", "15", "20"), ""),
}
# Not among them: 14l and 14m are for an application to answer; 14n and the rest of 17 need
# encryption, which we refuse; 18b needs a list of third parties, and whom we serve is open.

#: Says the same as INVALID_TAG_NUMBER in FIX 4.4; engines answer with the latter.
NEVER_SENT: Final = {RejectReason.UNDEFINED_TAG}


def play_in_process(script: Script) -> None:
    house = InProcess(script)
    Player(script, house).play()
    house.close()


def play_over_tcp(script: Script) -> None:
    house = OverTcp(script)
    try:
        Player(script, house).play()
    finally:
        house.close()


def play_all() -> None:
    """In process, for the sake of what happens on the way."""
    for script in SCRIPTS:
        with contextlib.suppress(DeviationError):  # that is for test_in_process to tell
            play_in_process(script)


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda script: script.path.stem)
def test_in_process(script: Script) -> None:
    play_in_process(script)


@pytest.mark.parametrize(
    "script", [s for s in SCRIPTS if s.runs_over_tcp], ids=lambda script: script.path.stem
)
def test_over_tcp(script: Script) -> None:
    play_over_tcp(script)


def test_together_they_take_every_row_of_the_transition_table(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    taken = set[tuple[State, Input]]()
    move = Session._move

    def noted(session: Session, event: Input) -> None:
        taken.add((session.state, event))
        move(session, event)

    monkeypatch.setattr(Session, "_move", noted)
    play_all()
    missed = [f"{state.name}, {event.value}" for state, event in TRANSITIONS.keys() - taken]
    assert not missed, missed


def test_together_they_use_every_sequence_rule(monkeypatch: pytest.MonkeyPatch) -> None:
    """A rule shows only where the number is not the expected one."""
    used = set[tuple[bytes, SequenceRule]]()
    receive = Session._receive

    def noted(session: Session, message: Message, now: int) -> None:
        if message.seq != session.next_in:
            used.add((message.msg_type, sequence_rule(message)))
        receive(session, message, now)

    monkeypatch.setattr(Session, "_receive", noted)
    play_all()
    rows = {(kind, rule) for kind, row in SEQUENCE_RULES.items() for rule in row[1:]}
    rows.add((tags.NEW_ORDER_SINGLE, SequenceRule.IN_ORDER))
    assert rows <= used, rows - used


def test_together_they_are_given_every_reason_to_reject() -> None:
    expected = [a.text for s in SCRIPTS for a in s.actions if a.verb is Verb.EXPECT]
    given = {int(code) for text in expected for code in re.findall(r"\|373=(\d+)\|", text)}
    assert given == set(RejectReason) - NEVER_SENT


def test_together_they_cover_the_session_test_cases() -> None:
    cases = [match["cases"] for s in SCRIPTS for rule in s.rules for match in RULES.finditer(rule)]
    cited = {case for some in cases if some for case in some.split(", ")}
    assert cited == {
        case + letter for case, letters in TEST_CASES.items() for letter in letters.split() or [""]
    }


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda script: script.path.stem)
def test_each_cites_rules_that_can_be_looked_up(script: Script) -> None:
    for rule in script.rules:
        for citation in rule.split("; "):
            match = RULES.fullmatch(citation)
            assert match is not None, citation
            if match["heading"]:
                assert f"\n## {match['heading']}\n" in (ROOT / "docs/sessions.md").read_text()


def test_each_has_a_title_of_its_own() -> None:
    assert len({script.title for script in SCRIPTS}) == len(SCRIPTS)
    assert {path.suffix for path in Path(FOLDER).iterdir()} == {".fix"}
