"""What both runners have in common: the venue's name, its settings, its application, its time."""

from __future__ import annotations

from dataclasses import fields, replace
from typing import Any, Final

from fix_engine.logon import SessionSettings
from fix_engine.timestamps import SECOND_NS
from sessions.connection import ConnectionLimits
from tests.scenarios.script import Script, duration_ns

VENUE: Final = "SEAMARK"
START_NS: Final = 1_800_000_000 * SECOND_NS  # 2027-01-15 08:00:00 UTC

_DEFAULTS: Final = SessionSettings(VENUE.encode(), b"")
_NAMES: Final = {f.name for f in fields(SessionSettings)} - {"sender_comp_id", "target_comp_id"}


def settings_of(script: Script) -> SessionSettings:
    """The session settings of a scenario; raises ScriptError."""
    chosen: dict[str, Any] = {}
    for name, (line, text) in script.settings.items():
        field = f"{name}_ns" if f"{name}_ns" in _NAMES else name
        if field not in _NAMES:
            raise script.error(line, f"SessionSettings has no {name!r}")
        value = _value(getattr(_DEFAULTS, field), text, is_time=field != name)
        if value is None:
            raise script.error(line, f"{text!r} is no value for {name!r}")
        chosen[field] = value
    return replace(_DEFAULTS, **chosen)


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
