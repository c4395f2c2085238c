"""What may be asked, and what is answered to everything else."""

from __future__ import annotations

import pytest

from tests.exchange.market_data.support import (
    BOOK,
    EVERYTHING,
    by_order,
    check_sent,
    field,
    market,
    request,
    sent,
    types,
)

REFUSED = {
    "a MDReqID that is too long": (request("r" * 65), "", "more than 64 characters"),
    "no entry types": (request("r", kinds=()), "8", "names no MDEntryType"),
    "an entry type that is not served": (
        request("r", kinds=("0", "6")),
        "8",
        "269) 6 is not served; there are 0, 1, 2, 4, 7, 8, B",
    ),
    "a depth below 0": (request("r", depth=-1), "5", "264) -1 is not served"),
    "the best order": (
        request("r", depth=1).replace("|267=", "|266=N|267="),
        "5",
        "all there is order by order",
    ),
    "no way to be updated": (request("r", update=""), "6", "265) is missing"),
    "another way to be updated": (request("r", update="2"), "6", "265) 2 is neither"),
    "another way to be shown": (request("r", kind="0", update="5"), "6", "265) 5 is neither"),
    "an interval that is too short": (request("r", more="8026=9|"), "", "8026) 9 is neither"),
    "an interval that is too long": (request("r", more="8026=60001|"), "", "8026) 60001"),
    "an interval below 0": (request("r", more="8026=-10|"), "", "8026) -10"),
    "no symbol": (request("r", symbols=()), "0", "names no Symbol"),
    "a symbol that nobody knows": (
        request("r", symbols=("BTC/USD", "DOGE")),
        "0",
        "DOGE is not traded",
    ),
    "all, and another": (request("r", symbols=("*", "BTC/USD")), "0", "* is not traded here"),
    "a range without a beginning": (
        "35=V|262=r|263=1|264=0|8025=5|",
        "",
        "8024) 0 to EndRptSeq (8025) 5 is no range",
    ),
    "a range that ends before it begins": (
        "35=V|262=r|263=1|264=0|8024=5|8025=4|",
        "",
        "is no range",
    ),
    "a range that begins at 0": ("35=V|262=r|263=1|264=0|8024=0|", "", "is no range"),
    "a range of a snapshot": ("35=V|262=r|263=0|264=0|8024=1|", "4", "needs Subscription"),
    "a range of nothing": ("35=V|262=r|263=1|264=0|8024=1|", "", "There is no subscription by"),
    "the end of nothing": ("35=V|262=r|263=2|264=0|", "", "There is no subscription by"),
    "a checksum of one side": (
        request("r", kinds=("0", "2"), more="8028=Y|"),
        "",
        "needs MDEntryType (269) 0 and 1",
    ),
}


@pytest.mark.parametrize(("fields", "reason", "text"), REFUSED.values(), ids=REFUSED.keys())
def test_what_cannot_be_met_is_refused_once_with_its_reason(
    fields: str, reason: str, text: str
) -> None:
    world, (reader,) = market("READER")
    answer = sent(reader, fields)
    assert types(answer) == "Y"
    assert field(answer[0], 281) == reason
    assert text in field(answer[0], 58)
    assert field(answer[0], 262) == field(reader.sent[-1], 262)
    assert world.venue.state.tape is None
    check_sent(reader)


@pytest.mark.parametrize(
    "fields",
    [
        request("r"),
        request("r", kind="0", update=""),
        request("r", kind="0", update="0"),
        request("r", kinds=EVERYTHING, depth=999_999_999_999_999_999, update="0"),
        request("r" * 64, kinds=("2",), more="8026=10|"),
        request("r", more="8026=0|8028=Y|"),
        request("r", more="8026=60000|8028=N|"),
        by_order("r", more="8028=Y|"),
    ],
)
def test_what_can_be_met_is_answered_with_everything_there_is(fields: str) -> None:
    _, (reader,) = market("READER")
    answer = sent(reader, fields)
    assert types(answer) == "W"
    assert field(answer[0], 262) == field(reader.sent[-1], 262)
    check_sent(reader)


def test_all_instruments_or_several_are_asked_for_at_once() -> None:
    world, (reader,) = market("READER")
    symbols = [one.symbol.decode() for one in world.venue.state.listing.tradable]
    answer = sent(reader, request("all", symbols=("*",)))
    assert [field(raw, 55) for raw in answer] == symbols
    some = (symbols[1], symbols[0], symbols[1])
    answer = sent(reader, request("some", symbols=some, depth=1))
    assert [field(raw, 55) for raw in answer] == [symbols[1], symbols[0]]


def test_who_has_no_right_to_it_is_told_so() -> None:
    _, (reader,) = market("READER")
    assert reader._endpoint is not None
    reader._endpoint.profile.withheld = {b"V": "market-data"}
    answer = sent(reader, request("r", kinds=BOOK))
    assert types(answer) == "j"
    assert field(answer[0], 380) == "6"
