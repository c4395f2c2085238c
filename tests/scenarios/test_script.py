"""The language itself: what cannot be read, and what deviates, is told with file and line."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.scenarios.in_process import InProcess
from tests.scenarios.over_tcp import OverTcp
from tests.scenarios.player import DeviationError, Player, Transport
from tests.scenarios.script import Script, ScriptError, Verb, parse

HEAD = "title  T\nrule   R\n"
PATH = Path("some.fix")


def script(body: str) -> Script:
    return parse(HEAD + body, PATH)


def play(body: str) -> None:
    """In process and over TCP; both must end alike."""
    over_tcp = OverTcp(script(body))
    ends: list[str] = []
    try:
        transports: tuple[Transport, ...] = (InProcess(script(body)), over_tcp)
        for transport in transports:
            try:
                Player(script(body), transport).play()
                ends.append("")
            except DeviationError as deviation:
                ends.append(str(deviation))
    finally:
        over_tcp.close()
    assert ends[0] == ends[1]
    if ends[0]:
        raise DeviationError(ends[0])


def test_comments_and_blank_lines_are_passed_over() -> None:
    read = script("# one\n\nconnect   # two\n  advance 0.5s\n")
    assert [(a.line, a.verb, a.text) for a in read.actions] == [
        (5, Verb.CONNECT, ""),
        (6, Verb.ADVANCE, "0.5s"),
    ]


def test_log_on_stands_for_three_lines_and_takes_other_values() -> None:
    read = script("other log on 108=5|141=Y|")
    assert [(a.who, a.verb, a.text) for a in read.actions] == [
        ("other", Verb.CONNECT, ""),
        ("other", Verb.SEND, "35=A|98=0|108=5|141=Y|"),
        ("other", Verb.EXPECT, "35=A|98=0|108=5|141=Y|"),
    ]


def test_clients_with_names_and_accounts() -> None:
    read = script(
        "application venue\nclient ONE of ACME\nclient TWO\nONE connect\nTWO send 35=0|\n"
    )
    assert read.application == "venue"
    assert read.clients == {"ONE": "ACME", "TWO": ""}
    assert [(a.who, a.verb) for a in read.actions] == [("ONE", Verb.CONNECT), ("TWO", Verb.SEND)]


def test_a_scenario_needs_a_title_a_rule_and_something_to_do() -> None:
    for text in ("rule R\nconnect", "title T\nconnect", HEAD):
        with pytest.raises(ScriptError, match=r"some\.fix:1: a scenario has a title"):
            parse(text, PATH)


@pytest.mark.parametrize(
    ("line", "complaint"),
    {
        "say 35=0|": "no action begins like 'say",
        "connects": "no action begins like",
        "connect to 9": "'connect' is followed by",
        "send 35=0": "fields that each end in '|'",
        "send 34=1|": "begins with its MsgType",
        "send raw": "sends nothing",
        "expect": "fields that each end in '|'",
        "expect nothing at all": "nothing follows 'expect nothing'",
        "advance 5": "a duration is seconds",
        "log on quickly": "followed by more fields",
        "other advance 5s": "'other' is a connection",
        "connect\nsetting is_test = true": "belongs above the first action",
        "application": "says nothing",
        "application music": "there are echo and venue",
        "client buyer": "a client is: NAME, or NAME of ACCOUNT",
        "client BUYER\nconnect": "which client is it that is to 'connect'",
        "client BUYER\nBUYER advance 5s": "'BUYER' is a connection",
        "operator market SOL/USD halted": "only the venue has an operator",
        "application venue\noperator market SOL/USD closed": "says market SYMBOL and open",
        "application venue\noperator account ACME": "or account NAME stop or resume",
        "setting is_test": "a setting is: name = value",
    }.items(),
)
def test_what_cannot_be_read(line: str, complaint: str) -> None:
    number = 3 + line.count("\n")
    with pytest.raises(ScriptError) as raised:
        script(line)
    assert str(raised.value).startswith(f"some.fix:{number}: ")
    assert complaint in str(raised.value)


@pytest.mark.parametrize("line", ["no_such = 1", "is_test = yes", "logon_timeout = 5"])
def test_settings_that_are_none(line: str) -> None:
    with pytest.raises(ScriptError, match=r"some\.fix:3: "):
        InProcess(script(f"setting {line}\nconnect"))


DEVIATIONS = {
    "another field": ("log on\nsend 35=1|112=x|\nexpect 35=0|112=y|", "5: not as expected\n"),
    "another order": ("connect\nsend 35=A|98=0|108=30|\nexpect 35=A|108=30|98=0|", "5: not as"),
    "one field more": ("connect\nsend 35=A|98=0|108=30|\nexpect 35=A|98=0|", "5: not as"),
    "another number": ("log on\nsend 35=1|112=x|\nexpect 35=0|34=3|112=x|", "5: not as"),
    "another time": ("log on\nsend 35=1|112=x|\nexpect 35=0|52=<now+1s>|112=x|", "5: not as"),
    "nothing came": ("log on\nexpect 35=0|", "4: not as expected\n"),
    "something came": ("log on\nsend 35=1|112=x|\nexpect nothing", "5: not expected\n"),
    "before the clock": ("log on\nsend 35=1|112=x|\nadvance 1s", "5: not expected\n"),
    "at the end": ("log on\nsend 35=1|112=x|", "4: not expected\n"),
    "on the other": ("log on\nother connect\nother send 35=0|", "5: not expected\n"),
    "still open": ("log on\nexpect disconnect", "4: the connection is not at its end"),
    "an end": ("connect\nsend 35=0|\nconnect", "5: not expected\n  received  disconnect"),
    "no connection": ("send 35=0|", "3: there is no connection"),
    "two at once": ("connect\nconnect", "4: the connection before this one"),
}


@pytest.mark.parametrize(("body", "told"), DEVIATIONS.values(), ids=DEVIATIONS)
def test_what_deviates_is_told_with_file_and_line(body: str, told: str) -> None:
    with pytest.raises(DeviationError) as raised:
        play(body)
    assert str(raised.value).startswith(f"some.fix:{told}")


def test_both_messages_are_shown() -> None:
    with pytest.raises(DeviationError) as raised:
        play("log on\nsend 35=1|34=2|112=x|\nexpect 35=0|112=y|")
    assert str(raised.value).splitlines()[1:] == [
        "  expected  35=0|34=2|112=y|",
        "  received  35=0|34=2|112=x|",
    ]


def test_what_breaks_is_told_with_file_and_line() -> None:
    house = OverTcp(script("connect"))
    try:
        with pytest.raises(AssertionError, match="CLIENT has never logged on") as raised:
            Player(script("connect\nvenue logs out bye"), house).play()
    finally:
        house.close()
    assert raised.value.__notes__ == ["at some.fix:4"]
