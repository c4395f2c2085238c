"""What clients may say."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exchange.screens.protocol import Fault, Offer, Ping, Subscribe, Unsubscribe, parse
from exchange.screens.views import Wanted

OFFER = Offer(("BTC/USD", "ETH/USD"), (20, 5), (1, 10), (250, 100))


def test_a_subscription_gets_the_first_of_what_it_does_not_choose() -> None:
    found = parse('{"op":"subscribe","id":7,"channel":"book","symbols":["BTC/USD"]}', OFFER)
    assert found == Subscribe(7, [Wanted("book", "BTC/USD", 250, 20, 1)])


def test_a_subscription_can_choose_everything() -> None:
    text = (
        '{"op":"subscribe","id":"a","channel":"book","symbols":"*",'
        '"depth":5,"group":10,"interval_ms":100}'
    )
    views = [Wanted("book", symbol, 100, 5, 10) for symbol in OFFER.symbols]
    assert parse(text, OFFER) == Subscribe("a", views)


def test_other_channels_have_neither_depth_nor_group() -> None:
    text = '{"op":"subscribe","channel":"trades","symbols":["ETH/USD","ETH/USD"]}'
    assert parse(text, OFFER) == Subscribe(None, [Wanted("trades", "ETH/USD", 250)])
    found = parse(text.replace("}", ',"depth":5}'), OFFER)
    assert isinstance(found, Fault)
    assert found.text == "depth is for the channel book"


def test_the_other_requests() -> None:
    assert parse('{"op":"ping","id":1}', OFFER) == Ping(1)
    text = '{"op":"unsubscribe","channel":"ticker","symbols":["BTC/USD"]}'
    assert parse(text, OFFER) == Unsubscribe(None, "ticker", ["BTC/USD"])


BOOK = '{"op":"subscribe","id":3,"channel":"book","symbols":["BTC/USD"]'


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", "not-json"),
        ("hello", "not-json"),
        ("[1]", "not-json"),
        ("[" * 4_000, "not-json"),
        ('{"a":' * 700, "not-json"),
        ("9" * 4_090, "not-json"),
        ('{"op":1}', "unknown-op"),
        ('{"op":["ping"]}', "unknown-op"),
        ("{}", "unknown-op"),
        ('{"op":"order","price":"1"}', "unknown-op"),
        ('{"op":"ping","id":true}', "bad-id"),
        ('{"op":"ping","id":1.5}', "bad-id"),
        ('{"op":"ping","id":"' + "x" * 65 + '"}', "bad-id"),
        ('{"op":"ping","more":1}', "unknown-member"),
        ('{"op":"subscribe"}', "unknown-channel"),
        ('{"op":"subscribe","channel":"orders"}', "unknown-channel"),
        ('{"op":"subscribe","channel":"book"}', "unknown-symbol"),
        ('{"op":"subscribe","channel":"book","symbols":"BTC/USD"}', "unknown-symbol"),
        ('{"op":"subscribe","channel":"book","symbols":[]}', "unknown-symbol"),
        ('{"op":"subscribe","channel":"book","symbols":[{}]}', "unknown-symbol"),
        ('{"op":"subscribe","channel":"book","symbols":["X"]}', "unknown-symbol"),
        (BOOK + ',"depth":7}', "bad-depth"),
        (BOOK + ',"depth":"5"}', "bad-depth"),
        (BOOK + ',"depth":5.0}', "bad-depth"),
        (BOOK + ',"group":true}', "bad-group"),
        (BOOK + ',"interval_ms":1}', "bad-interval-ms"),
        (BOOK + ',"interval_ms":null}', "bad-interval-ms"),
    ],
)
def test_what_is_wrong_is_said(text: str, code: str) -> None:
    found = parse(text, OFFER)
    assert isinstance(found, Fault)
    assert found.code == code, found.text
    assert found.id == (3 if text.startswith(BOOK) else None)
    assert len(found.text) < 200


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner),
    max_leaves=8,
)
MEMBERS = st.fixed_dictionaries(
    {},
    optional={
        "op": st.sampled_from(["subscribe", "unsubscribe", "ping"]) | JSON,
        "id": JSON,
        "channel": st.sampled_from(["book", "trades", "ticker"]) | JSON,
        "symbols": st.just("*") | st.lists(st.sampled_from(OFFER.symbols)) | JSON,
        "depth": st.sampled_from([5, 20]) | JSON,
        "group": st.sampled_from([1, 10]) | JSON,
        "interval_ms": st.sampled_from([100, 250]) | JSON,
    },
)


@given(MEMBERS | JSON)
def test_whatever_comes_is_understood_or_refused(found: object) -> None:
    outcome = parse(json.dumps(found), OFFER)
    if isinstance(outcome, Subscribe):
        for wanted in outcome.views:
            assert wanted.symbol in OFFER.symbols
            assert wanted.interval_ms in OFFER.intervals_ms
            assert wanted.channel != "book" or wanted.depth in OFFER.depths
            assert wanted.channel != "book" or wanted.group in OFFER.groups
