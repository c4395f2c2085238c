"""Every script of specs/scenarios/orders, in process and over TCP; and what they show together."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

import pytest

from tests.scenarios.fields import from_text, value
from tests.scenarios.in_process import InProcess
from tests.scenarios.over_tcp import OverTcp
from tests.scenarios.player import Player
from tests.scenarios.script import Script, Verb, read
from tests.support.messages import ROOT

FOLDER: Final = ROOT / "specs" / "scenarios" / "orders"
SCRIPTS: Final = [read(path) for path in sorted(FOLDER.glob("*.fix"))]
PAGES: Final = {name: (ROOT / "docs" / f"{name}.md").read_text() for name in ("orders", "quotes")}
PAGE: Final = PAGES["orders"]

RULES: Final = re.compile(
    r"FIX 4\.4 Volume 4, Appendix D, (?P<rows>[A-D]\.\d\.[a-f](?:, [A-D]\.\d\.[a-f])*|group [A-L])"
    r'|FIX 4\.4 Volume 2, "[^"]+"'
    r'|docs/(?P<page>orders|quotes)\.md, "(?P<heading>[^"]+)"'
)
#: Rows of the matrices by their FIX 4.4 names; those of later groups are cited by their group.
ROWS: Final = {
    "A.1": "ab",
    "B.1": "abcdef",
    "C.1": "abc",
    "C.2": "a",
    "C.3": "abc",
}
GROUPS: Final = set("DEFGHIK")  # J corrects trades, which does not arise; L is the rest
_STATUS: Final = {
    "0": "New",
    "1": "Partially filled",
    "2": "Filled",
    "4": "Canceled",
    "8": "Rejected",
    "A": "Pending new",
    "C": "Expired",
}
_EXEC_TYPE: Final = {
    "0": "New",
    "4": "Canceled",
    "5": "Replaced",
    "8": "Rejected",
    "A": "Pending new",
    "C": "Expired",
    "D": "Restated",
    "F": "Trade",
}


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


def test_together_they_show_every_row_that_arises() -> None:
    cited = [match for s in SCRIPTS for rule in s.rules for match in RULES.finditer(rule)]
    rows = {row for match in cited if match["rows"] for row in match["rows"].split(", ")}
    wanted = {f"{group}.{letter}" for group, letters in ROWS.items() for letter in letters}
    assert wanted <= rows, wanted - rows
    assert {f"group {letter}" for letter in GROUPS} <= rows


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda script: script.path.stem)
def test_each_cites_rules_that_can_be_looked_up(script: Script) -> None:
    for rule in script.rules:
        for citation in rule.split("; "):
            match = RULES.fullmatch(citation)
            assert match is not None, citation
            if match["heading"]:
                assert f"\n## {match['heading']}\n" in PAGES[match["page"]], citation


def test_each_has_a_title_of_its_own() -> None:
    assert len({script.title for script in SCRIPTS}) == len(SCRIPTS)
    assert {path.suffix for path in Path(FOLDER).iterdir()} == {".fix"}


def transitions() -> set[tuple[str, str, str]]:
    """OrdStatus before, ExecType, OrdStatus after, of every report that the scripts expect."""
    found = set[tuple[str, str, str]]()
    for script in SCRIPTS:
        before: dict[str, str] = {}
        reports = [
            from_text(action.text) for action in script.actions if action.verb is Verb.EXPECT
        ]
        # Reports of one order to different sessions stand apart: ExecIDs have the order of events.
        reports = [one for one in reports if value(one, "35") == "8" and value(one, "150") != "I"]
        # The sides of a quote have reports of their fills only.
        reports = [one for one in reports if not value(one, "117")]
        reports.sort(key=lambda one: [int(part) for part in value(one, "17").split("-")])
        for report in reports:
            if value(report, "103"):
                found.add(("-", value(report, "150"), value(report, "39")))
                continue
            order = value(report, "37")
            after = value(report, "39")
            found.add((before.get(order, "-"), value(report, "150"), after))
            before[order] = after
    return found


def test_the_page_has_the_table_of_states_that_they_show() -> None:
    rows = [
        f"| {_STATUS.get(before, '-')} | {exec_type} {_EXEC_TYPE[exec_type]} | "
        f"{after} {_STATUS[after]} |"
        for before, exec_type, after in sorted(transitions())
    ]
    table = "\n".join(rows)
    assert table in PAGE, f"docs/orders.md must have this table:\n{table}"
