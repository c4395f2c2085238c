"""docs/screens.md says what the code says."""

from __future__ import annotations

import json
import re
from typing import Any

from config.settings import Settings
from exchange.screens import protocol
from exchange.screens.protocol import SCHEMA, Fault, Offer, Subscribe, error, parse, subscribed
from exchange.screens.views import CHANNELS
from tests.support.messages import ROOT

PAGE = (ROOT / "docs" / "screens.md").read_text()
LAYER = Settings().screens
OFFER = Offer(("BTC/USD", "SOL/USD"), LAYER.depths, LAYER.groups, LAYER.intervals_ms)


def examples() -> list[tuple[str, dict[str, Any]]]:
    """`<` for what we say, `>` for what a client says, and the message."""
    found = re.findall(r"^ +([<>]) (\{.*(?:\n +[^ <>].*)*)", PAGE, re.MULTILINE)
    return [(way, json.loads(text)) for way, text in found]


def test_examples_are_what_would_be_said() -> None:
    faults = []
    for (way, message), (_, answer) in zip(examples(), examples()[1:], strict=False):
        if way == ">":
            outcome = parse(json.dumps(message), OFFER)
            if isinstance(outcome, Fault):
                faults.append(outcome.code)
                assert json.loads(error(outcome)) == answer
            else:
                assert isinstance(outcome, Subscribe)
                assert json.loads(subscribed(outcome)) == answer
    assert faults == ["bad-depth"]
    kinds = {message["type"] for way, message in examples() if way == "<"}
    assert kinds == {"hello", "subscribed", "snapshot", "update", "status", "error"}


def test_the_first_message_has_what_the_settings_offer() -> None:
    hello = examples()[0][1]
    assert hello["schema"] == SCHEMA
    assert hello["channels"] == list(CHANNELS)
    assert hello["depths"] == sorted(LAYER.depths)
    assert hello["groups"] == sorted(LAYER.groups)
    assert hello["intervals_ms"] == sorted(LAYER.intervals_ms)
    assert hello["limits"]["subscriptions"] == LAYER.max_subscriptions


def test_every_code_is_described() -> None:
    source = (ROOT / "exchange" / "screens" / "protocol.py").read_text()
    source += (ROOT / "exchange" / "screens" / "hub.py").read_text()
    codes = set(re.findall(r'Fault\(\s*"([a-z-]+)"', source))
    assert {"bad-id", "too-many-subscriptions"} <= codes
    for code in codes | {"bad-depth", "bad-group", "bad-interval-ms"}:
        assert f"`{code}`" in PAGE
    for code in (protocol.TOO_SLOW, protocol.TOO_MANY_MESSAGES):
        assert f"| {code} |" in PAGE
