"""Scenario scripts: from text to actions. specs/scenarios/README.md describes the language."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from decimal import Decimal
from enum import Enum
from pathlib import Path
from typing import Final

from exchange.controls import MARKET_STATES
from fix_engine.timestamps import SECOND_NS

_MESSAGE = re.compile(r"(?:-?\w*=[^|]*\|)+")
_DURATION = re.compile(r"(\d+(?:\.\d{1,9})?)s")
_SETTING = re.compile(r"(\w+) *= *(\S.*)")
_NAME = re.compile(r"as ([!-<>-~]+)")
_CLIENT = re.compile(r"([A-Z][A-Z0-9]*)(?: of ([!-<>-~]+))?")
_OPERATOR = re.compile(rf"(market \S+ ({'|'.join(MARKET_STATES)})|account \S+ (stop|resume))( .+)?")
_APPLICATIONS: Final = ("echo", "venue")
_LOGON: Final = ("98=0", "108=30")  # what `log on` says, unless other values are written


class ScriptError(ValueError):
    """A script that cannot be read; says where, and what is wrong with the line."""


OTHER: Final = "other"  # the second connection, where clients have no names


class Verb(Enum):
    """What a line has done; its value is how the line begins."""

    CONNECT = "connect"
    CONNECT_KNOWN = "connect known"
    DISCONNECT = "disconnect"
    SEND = "send"
    SEND_RAW = "send raw"
    EXPECT = "expect"
    EXPECT_NOTHING = "expect nothing"
    EXPECT_DISCONNECT = "expect disconnect"
    ADVANCE = "advance"
    VENUE_SENDS = "venue sends"
    VENUE_LOGS_OUT = "venue logs out"
    VENUE_CONNECTS = "venue connects"
    OPERATOR = "operator"
    LOG_ON = "log on"  # stands for connect, send and expect


_MESSAGE_VERBS: Final = frozenset((Verb.SEND, Verb.EXPECT, Verb.VENUE_SENDS))
_BARE_VERBS: Final = frozenset(
    (
        Verb.CONNECT_KNOWN,
        Verb.DISCONNECT,
        Verb.EXPECT_NOTHING,
        Verb.EXPECT_DISCONNECT,
        Verb.VENUE_CONNECTS,
    )
)
_CLIENT_VERBS: Final = frozenset(Verb) - {Verb.ADVANCE, Verb.EXPECT_NOTHING, Verb.OPERATOR}
#: Nothing in Seamark connects to a peer, and over TCP nobody is known before their Logon.
_IN_PROCESS_ONLY: Final = frozenset((Verb.CONNECT_KNOWN, Verb.VENUE_CONNECTS))


@dataclass(slots=True)
class Action:
    """One line: who (OTHER is the second connection, or the name of a client), what, the rest."""

    line: int
    who: str
    verb: Verb
    text: str = ""


@dataclass(slots=True)
class Script:
    """A scenario as it was read; `settings` are text by name, with their line.

    `clients` are those that have a name, each with its account or "".
    """

    path: Path
    title: str = ""
    rules: list[str] = field(default_factory=list)
    application: str = "echo"
    clients: dict[str, str] = field(default_factory=dict)
    settings: dict[str, tuple[int, str]] = field(default_factory=dict)
    actions: list[Action] = field(default_factory=list)

    @property
    def runs_over_tcp(self) -> bool:
        """Whether a client on a socket can do all of it."""
        return all(action.verb not in _IN_PROCESS_ONLY for action in self.actions)

    def error(self, line: int, what: str) -> ScriptError:
        """The error that is raised for a line that cannot be read."""
        return ScriptError(f"{self.path}:{line}: {what}")


def read(path: Path) -> Script:
    """The scenario in a file; raises ScriptError."""
    return parse(path.read_text(), path)


def parse(text: str, path: Path) -> Script:
    """The scenario that `text` is; raises ScriptError."""
    script = Script(path)
    for number, whole in enumerate(text.splitlines(), 1):
        line = re.sub(r"(^|\s)#.*", "", whole).strip()
        if line:
            _read_line(script, number, line)
    if not script.title or not script.rules or not script.actions:
        raise script.error(1, "a scenario has a title, a rule and something to do")
    return script


def duration_ns(text: str) -> int | None:
    """`30s` or `0.5s` in nanoseconds; None when it is no duration."""
    match = _DURATION.fullmatch(text)
    return int(Decimal(match[1]) * SECOND_NS) if match is not None else None


def _read_line(script: Script, number: int, line: str) -> None:
    word, _, rest = line.partition(" ")
    rest = rest.strip()
    if word in ("title", "rule", "application", "client", "setting"):
        if script.actions:
            raise script.error(number, f"{word!r} belongs above the first action")
        if not rest:
            raise script.error(number, f"{word!r} says nothing")
    match word:
        case "title":
            script.title = rest
        case "rule":
            script.rules.append(rest)
        case "application":
            if rest not in _APPLICATIONS:
                there = " and ".join(_APPLICATIONS)
                raise script.error(number, f"no application {rest!r}; there are {there}")
            script.application = rest
        case "client":
            match = _CLIENT.fullmatch(rest)
            if match is None:
                raise script.error(number, "a client is: NAME, or NAME of ACCOUNT")
            script.clients[match[1]] = match[2] or ""
        case "setting":
            match = _SETTING.fullmatch(rest)
            if match is None:
                raise script.error(number, "a setting is: name = value")
            script.settings[match[1]] = (number, match[2])
        case _:
            script.actions += _actions(script, number, line)


def _actions(script: Script, number: int, line: str) -> list[Action]:
    first, _, rest = line.partition(" ")
    who = first if first == OTHER or first in script.clients else ""
    words = rest.lstrip() if who else line
    for verb in sorted(Verb, key=lambda verb: -len(verb.value)):
        if re.match(rf"{verb.value}(\s|$)", words):
            break
    else:
        raise script.error(number, f"no action begins like {words!r}")
    text = words[len(verb.value) :].strip()
    wrong = _wrong_with(verb, text)
    if who and verb not in _CLIENT_VERBS:
        wrong = f"{who!r} is a connection, it cannot {verb.value!r}"
    elif verb is Verb.OPERATOR and script.application != "venue":
        wrong = "only the venue has an operator: application venue"
    elif script.clients and verb in _CLIENT_VERBS and who not in script.clients:
        wrong = f"which client is it that is to {verb.value!r}?"
    if wrong:
        raise script.error(number, wrong)
    if verb is not Verb.LOG_ON:
        return [Action(number, who, verb, text)]
    written = {part.partition("=")[0] for part in text.split("|")}
    usual = [part for part in _LOGON if part.partition("=")[0] not in written]
    logon = "".join(f"{part}|" for part in ("35=A", *usual)) + text
    return [
        Action(number, who, Verb.CONNECT),
        Action(number, who, Verb.SEND, logon),
        Action(number, who, Verb.EXPECT, logon),
    ]


def _wrong_with(verb: Verb, text: str) -> str:
    """What is wrong with the rest of a line, "" when nothing is."""
    if verb in _MESSAGE_VERBS:
        if _MESSAGE.fullmatch(text) is None:
            return f"a message is fields that each end in '|', not {text!r}"
        if not re.match(r"([89]=[^|]*\|)*35=", text):
            return "a message begins with its MsgType (35)"
    elif verb is Verb.LOG_ON and text and _MESSAGE.fullmatch(text) is None:
        return f"'log on' is followed by more fields, if any, not {text!r}"
    elif verb is Verb.ADVANCE and duration_ns(text) is None:
        return f"a duration is seconds, like 30s or 0.5s, not {text!r}"
    elif verb in _BARE_VERBS and text:
        return f"nothing follows {verb.value!r}, but here is {text!r}"
    elif verb is Verb.CONNECT and text and _NAME.fullmatch(text) is None:
        return f"'connect' is followed by 'as NAME', if anything, not {text!r}"
    elif verb is Verb.OPERATOR and _OPERATOR.fullmatch(text) is None:
        states = ", ".join(MARKET_STATES)
        return f"an operator says market SYMBOL and {states}, or account NAME stop or resume"
    elif verb is Verb.SEND_RAW and not text:
        return "'send raw' sends nothing"
    return ""
