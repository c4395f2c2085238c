"""What both runners have in common: the venue's name, its settings, its application, its time."""

from __future__ import annotations

from dataclasses import fields, replace
from typing import Any, Final

from config.settings import Settings
from exchange.control_file import RUNNING, STOPPED, ControlFile, Wanted, Wish
from exchange.market_data.publisher import CallLater
from exchange.rules import AccountRules, Rules
from exchange.sequencer import Sequencer
from exchange.service import make_rules, make_venue
from fix_engine.logon import SessionSettings
from fix_engine.timestamps import SECOND_NS
from sessions.connection import ConnectionLimits
from sessions.echo import EchoApplication
from sessions.journal import Journal
from sessions.profile import Profile
from sessions.registry import Admission
from sessions.turn import Turn
from tests.scenarios.script import Script, duration_ns
from tests.support.messages import dictionary

VENUE: Final = "SEAMARK"
START_NS: Final = 1_800_000_000 * SECOND_NS  # 2027-01-15 08:00:00 UTC

_DEFAULTS: Final = SessionSettings(VENUE.encode(), b"")
_OF_RULES: Final = {f.name for f in fields(Rules) if f.type in ("str", "bool")}
_OF_ACCOUNTS: Final = {f.name for f in fields(AccountRules) if f.type == "int"}
_OF_VENUE: Final = _OF_RULES | _OF_ACCOUNTS
_NAMES: Final = {f.name for f in fields(SessionSettings)} - {"sender_comp_id", "target_comp_id"}


def settings_of(script: Script) -> SessionSettings:
    """The session settings of a scenario; raises ScriptError."""
    chosen: dict[str, Any] = {}
    for name, (line, text) in script.settings.items():
        if script.application == "venue" and name in _OF_VENUE:
            continue
        field = f"{name}_ns" if f"{name}_ns" in _NAMES else name
        if field not in _NAMES:
            raise script.error(line, f"SessionSettings has no {name!r}")
        value = _value(getattr(_DEFAULTS, field), text, is_time=field != name)
        if value is None:
            raise script.error(line, f"{text!r} is no value for {name!r}")
        chosen[field] = value
    return replace(_DEFAULTS, **chosen)


def admission_of(script: Script) -> Admission:
    """Who may log on: the clients that have names, or anybody."""
    settings = settings_of(script)
    profiles = {
        name.encode(): Profile(replace(settings, target_comp_id=name.encode()), account=account)
        for name, account in script.clients.items()
    }
    return Admission(settings, profiles=profiles or None)


def application_of(
    script: Script,
    journal: Journal,
    turn: Turn,
    call_later: CallLater,
    control: ControlFile | None = None,
) -> EchoApplication | Sequencer:
    """The application of a scenario, which looks into `control`; raises ScriptError."""
    if script.application == "echo":
        return EchoApplication(dictionary())
    rules = make_rules(Settings())
    chosen: dict[str, Any] = {}
    of_accounts: dict[str, Any] = {}
    for name, (line, text) in script.settings.items():
        if name not in _OF_VENUE:
            continue
        of_all = name in _OF_RULES
        value = _value(getattr(rules, name) if of_all else 0, text, is_time=False)
        if value is None:
            raise script.error(line, f"{text!r} is no value for {name!r}")
        (chosen if of_all else of_accounts)[name] = value
    names = sorted(set(script.clients.values()) - {""})
    accounts = tuple(AccountRules(name, **of_accounts) for name in names)
    chosen_rules = replace(rules, accounts=accounts, **chosen)
    return make_venue(chosen_rules, journal, turn, control, call_later=call_later)


def order_of_operator(text: str) -> Wanted:
    """What `operator` is followed by, as the operator's file says it."""
    kind, name, state, *reason = text.split(maxsplit=3)
    wish = Wish({"stop": STOPPED, "resume": RUNNING}.get(state, state), "".join(reason))
    return Wanted(markets={name: wish}) if kind == "market" else Wanted(accounts={name: wish})


def limits_of(settings: SessionSettings) -> ConnectionLimits:
    """The limits of a connection that go with these settings, as the service pairs them."""
    return ConnectionLimits(
        max_message_bytes=settings.max_message_bytes,
        logon_timeout_s=settings.logon_timeout_ns / SECOND_NS,
    )


def _value(default: object, text: str, is_time: bool) -> object:
    """`text` as a value of the kind that the default is; None when it is none."""
    words = text.encode("latin-1").split()
    match default:
        case str():
            return text
        case bool():
            return {"true": True, "false": False}.get(text)
        case int() if is_time:
            return duration_ns(text)
        case int():
            return int(text) if text.isdigit() else None
        case frozenset():
            return frozenset(words)
        case tuple():
            return tuple(words)
    return None
