"""Every script of specs/scenarios/market_data, in process and over TCP."""

from __future__ import annotations

import re
from typing import Final

import pytest

from tests.scenarios.in_process import InProcess
from tests.scenarios.over_tcp import OverTcp
from tests.scenarios.player import Player
from tests.scenarios.script import Script, Verb, read
from tests.support.messages import ROOT

FOLDER: Final = ROOT / "specs" / "scenarios" / "market_data"
SCRIPTS: Final = [read(path) for path in sorted(FOLDER.glob("*.fix"))]
PAGE: Final = (ROOT / "docs" / "market-data.md").read_text()
RULE: Final = re.compile(r'docs/market-data\.md, "([^"]+)"')


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda script: script.path.stem)
def test_in_process(script: Script) -> None:
    Player(script, InProcess(script)).play()


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda script: script.path.stem)
def test_over_tcp(script: Script) -> None:
    house = OverTcp(script)
    try:
        Player(script, house).play()
    finally:
        house.close()


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda script: script.path.stem)
def test_each_cites_rules_that_can_be_looked_up(script: Script) -> None:
    for rule in script.rules:
        match = RULE.fullmatch(rule)
        assert match is not None, rule
        assert f"\n## {match[1]}\n" in PAGE, rule


def test_together_they_show_every_message_and_have_titles_of_their_own() -> None:
    expected = {
        action.text[3:4] for one in SCRIPTS for action in one.actions if action.verb is Verb.EXPECT
    }
    assert expected >= set("WXY")
    assert len({script.title for script in SCRIPTS}) == len(SCRIPTS)
