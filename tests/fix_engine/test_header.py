"""A header that is sound FIX and yet not from this peer, or not of this time."""

from __future__ import annotations

import pytest

from fix_engine.header import header_fault, poss_dup_fault
from fix_engine.logon import SessionSettings
from fix_engine.timestamps import TimestampParser
from tests.fix_engine.support import NOON, PEER, US, message

SETTINGS = SessionSettings(US.encode(), PEER.encode(), max_latency_ns=120_000_000_000)
PARSE = TimestampParser().parse


@pytest.mark.parametrize(
    ("header", "fault"),
    [
        ("49=TW44|56=ISLD|52=<now>", "none"),
        ("49=tw44|56=ISLD|52=<now>", "COMP_ID_PROBLEM"),
        ("49=TW44|56=ISLD2|52=<now>", "COMP_ID_PROBLEM"),
        ("49=ISLD|56=TW44|52=<now>", "COMP_ID_PROBLEM"),
        ("49=TW44|56=ISLD|52=<now-120>", "none"),
        ("49=TW44|56=ISLD|52=<now-121>", "SENDING_TIME_ACCURACY"),
        ("49=TW44|56=ISLD|52=<now+120>", "none"),
        ("49=TW44|56=ISLD|52=<now+121>", "SENDING_TIME_ACCURACY"),
        ("49=X|56=ISLD|52=<now-121>", "COMP_ID_PROBLEM"),
        # what is missing, empty or no time at all is the validator's question
        ("56=ISLD|52=<now>", "none"),
        ("49=TW44|52=<now>", "none"),
        ("49=|56=|52=<now>", "none"),
        ("49=TW44|56=ISLD", "none"),
        ("49=TW44|56=ISLD|52=noon", "none"),
    ],
)
def test_who_and_when(header: str, fault: str) -> None:
    found = header_fault(message(f"35=0|34=2|{header}"), SETTINGS, PARSE, NOON)
    assert (found.reason.name if found else "none") == fault
    assert found is None or found.ref_tag is None


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("35=D|43=Y|52=<now>|122=<now>", "none"),
        ("35=D|43=Y|52=<now>|122=<now-5>", "none"),
        ("35=D|43=Y|52=<now>|122=<now+1>", "SENDING_TIME_ACCURACY"),
        ("35=D|43=Y|52=<now>", "REQUIRED_TAG_MISSING"),
        ("35=D|43=Y|52=<now>|122=noon", "none"),
        ("35=D|43=Y|122=<now>", "none"),
        ("35=4|43=Y|52=<now>", "none"),
        ("35=4|43=Y|52=<now>|122=<now+1>", "none"),
    ],
)
def test_the_original_time_of_a_possible_duplicate(text: str, fault: str) -> None:
    found = poss_dup_fault(message(text), PARSE)
    assert (found.reason.name if found else "none") == fault
    if fault == "REQUIRED_TAG_MISSING":
        assert found is not None
        assert found.ref_tag == b"122"
