"""What a gateway makes of what the venue says, message by message, on a clock of our own."""

from __future__ import annotations

from zlib import crc32

import pytest

from exchange.screens.gateway import Gateway, Venue
from exchange.screens.hub import Hub, Reader
from exchange.screens.protocol import Subscribe
from exchange.screens.views import Wanted
from fix_engine.message import Message
from tests.exchange.screens.client import Screen, market
from tests.support.messages import decode, fix

SYMBOL = "BTC/USD"
Level = tuple[str, str]


class Link:
    """In place of an initiator: what was asked."""

    def __init__(self) -> None:
        self.asked: list[dict[bytes, bytes]] = []
        self.is_up = True
        self.tested = b""

    def send(self, msg_type: bytes, *fields: tuple[bytes, bytes]) -> None:
        assert msg_type == b"V"
        self.asked.append(dict(fields))

    def write(self) -> None:
        pass

    def beat(self) -> None:
        pass

    def test(self, mark: bytes) -> None:
        self.tested = mark


class Told:
    """A gateway that is logged on, and a screen behind it."""

    def __init__(self) -> None:
        self.now = 100.0
        self.market, _ = market(SYMBOL)
        self.market.is_live = False
        self.hub = Hub([self.market], 10, 20_000)
        venue = Venue("127.0.0.1", 1, "SEAMARK", "SCREENS")
        self.gateway = Gateway(venue, self.hub, lambda: self.now)
        self.link = Link()
        self.gateway._link = self.link  # type: ignore[assignment]
        self.gateway._logged_on()
        self.feed = self.gateway.feeds[SYMBOL]
        self.reader = Reader(lambda: None)
        self.screen = Screen()
        self.hub.join(self.reader, '{"type":"hello"}', 0)
        self.hub.subscribe(self.reader, Subscribe(1, [Wanted("book", SYMBOL, 50, 5, 1)]), 0)

    def say(self, body: str) -> None:
        """A message of the venue."""
        self.gateway._heard_at = self.now
        self.gateway._deliver(message(body))

    def full(self, rpt_seq: int, *bids: Level, checksum: int | None = None) -> None:
        """Everything."""
        entries = "".join(f"269=0|270={price}|271={size}|346=1|" for price, size in bids)
        total = book_checksum(*bids) if checksum is None else checksum
        self.say(
            f"35=W|262={SYMBOL}|55={SYMBOL}|83={rpt_seq}|8023=1|8029={total}|"
            f"268={len(bids)}|{entries}"
        )

    def change(self, rpt_seq: int, price: str, size: str, checksum: int | None = None) -> None:
        """One change."""
        mark = "" if checksum is None else f"8029={checksum}|"
        self.say(
            f"35=X|262={SYMBOL}|{mark}268=1|279=0|269=0|55={SYMBOL}|270={price}|271={size}|"
            f"346=1|83={rpt_seq}|8023=2|"
        )

    def later(self, seconds: float) -> None:
        self.now += seconds
        self.gateway._look_after(self.link)  # type: ignore[arg-type]

    def shown(self) -> dict[str, str]:
        """The bids that the screen has, a moment later."""
        self.now += 0.1
        self.hub.advance(int(self.now * 1_000))
        while (text := self.hub.next_text(self.reader, 0)) is not None:
            self.screen.take(text)
        return {str(price): size for price, (size, _) in self.screen.books[SYMBOL][0].items()}

    @property
    def is_over(self) -> bool:
        return self.gateway._over.is_set()


def message(body: str) -> Message:
    return decode(fix(body + "34=2|49=SEAMARK|56=SCREENS|52=20261122-10:00:00.000|"))


def book_checksum(*bids: Level) -> int:
    words = [word for bid in bids for word in bid]
    return crc32(" ".join(words).encode())


@pytest.fixture
def told() -> Told:
    found = Told()
    assert found.link.asked.pop()[b"262"] == SYMBOL.encode()
    found.full(4, ("100", "1"))
    return found


def test_everything_and_changes(told: Told) -> None:
    told.change(5, "99", "2", book_checksum(("100", "1"), ("99", "2")))
    assert told.shown() == {"100": "1", "99": "2"}
    assert told.screen.state == "live"
    assert not told.link.asked


def test_what_is_missing_is_asked_for_and_nothing_is_shown_meanwhile(told: Told) -> None:
    told.shown()
    told.change(7, "97", "4")
    told.change(8, "96", "5")
    (asked,) = told.link.asked
    assert asked[b"8024"] == b"5"
    assert b"8025" not in asked, "more than what we know of may be missing"
    assert told.shown() == {"100": "1"}
    assert (told.screen.state, told.screen.stale) == ("stale", [SYMBOL])
    for seq in range(5, 9):
        told.change(seq, str(104 - seq), "1")
    told.change(8, "96", "1")  # twice: it was on its way besides
    assert told.shown() == {"100": "1", "99": "1", "98": "1", "97": "1", "96": "1"}
    assert (told.screen.state, told.screen.reason) == ("live", "")
    assert told.feed.repairs == 1


def test_where_no_answer_comes_everything_is_asked_for_then_the_connection_ends(
    told: Told,
) -> None:
    told.change(7, "97", "4")
    assert b"8024" in told.link.asked[-1]
    for attempt in (2, 3):
        told.later(2.1)
        assert len(told.link.asked) == attempt
        assert b"8024" not in told.link.asked[-1]
    assert not told.is_over
    told.later(2.1)
    assert told.is_over
    assert "cannot be repaired" in told.gateway._why


def test_a_wrong_checksum_has_everything_asked_for_once(told: Told) -> None:
    told.shown()
    told.change(5, "99", "2", checksum=1)
    told.change(6, "98", "2", checksum=2)  # was on its way
    assert len(told.link.asked) == 1
    assert told.shown() == {"100": "1"}
    assert told.screen.state == "stale"
    told.full(6, ("100", "1"), ("98", "2"))
    assert told.shown() == {"100": "1", "98": "2"}
    assert told.screen.state == "live"
    assert told.feed.mismatches == 1
    told.change(7, "97", "2", book_checksum(("100", "1"), ("98", "2"), ("97", "2")))
    assert told.shown() == {"100": "1", "98": "2", "97": "2"}


def test_a_venue_whose_checksums_are_never_right_is_left(told: Told) -> None:
    for seq in range(5, 9):
        told.change(seq, "99", str(seq), checksum=1)
        told.full(seq, ("99", str(seq)), checksum=1)
    assert told.is_over
    assert len(told.link.asked) <= 4


def test_what_is_in_doubt_is_not_shown(told: Told) -> None:
    told.shown()
    told.change(5, "99", "2")
    assert told.shown() == {"100": "1", "99": "2"}
    told.change(6, "98", "2")  # not due yet, and then
    told.change(7, "97", "2", checksum=1)
    assert told.shown() == {"100": "1", "99": "2"}


def test_a_venue_that_has_gone_silent_is_tested_then_left(told: Told) -> None:
    told.later(10.5)
    assert told.link.tested
    assert not told.is_over
    told.later(5.5)
    assert told.gateway._why == "the venue has gone silent"


def test_a_change_that_does_not_fit_has_everything_asked_for(told: Told) -> None:
    told.say(f"35=X|262={SYMBOL}|268=1|279=2|269=0|55={SYMBOL}|270=50|83=5|8023=2|")
    assert len(told.link.asked) == 1
    told.full(5, ("100", "3"))
    assert told.shown() == {"100": "3"}


def test_fragments_are_shown_when_the_last_has_come(told: Told) -> None:
    told.shown()
    start = f"35=W|262={SYMBOL}|55={SYMBOL}|83=9|8023=1|8029="
    total = book_checksum(("90", "1"), ("89", "1"))
    told.say(f"{start}{total}|893=N|268=1|269=0|270=90|271=1|346=1|")
    assert told.market.is_ready, "who comes now sees what there was"
    assert told.shown() == {"100": "1"}
    told.say(f"{start}{total}|893=Y|268=1|269=0|270=89|271=1|346=1|")
    assert told.shown() == {"90": "1", "89": "1"}


def test_a_refusal_concerns_one_instrument(told: Told) -> None:
    told.say(f"35=Y|262={SYMBOL}|281=0|58=not traded here|")
    told.shown()
    assert told.screen.reason == f"{SYMBOL}: not traded here"
    assert not told.is_over


def test_a_session_that_may_not_read_market_data_says_so(told: Told) -> None:
    told.say("35=j|45=2|372=V|380=6|58=session SCREENS has not the right market-data|")
    assert told.is_over
    assert "has not the right" in told.gateway._why


def test_prices_that_the_settings_do_not_know_make_it_stale(told: Told) -> None:
    told.say(
        f"35=X|262={SYMBOL}|268=1|279=0|269=2|278=1-1|55={SYMBOL}|270=100.3|271=1|"
        f"272=20261122|273=10:00:00.000|2446=1|83=5|8023=2|"
    )
    told.shown()
    assert (
        told.screen.reason
        == f"{SYMBOL}: price 100.3 is no multiple of 0.5, as the settings have it"
    )


def test_what_is_for_nobody_is_passed_over(told: Told) -> None:
    told.say("35=W|262=OTHER|55=OTHER|83=9|8023=1|268=1|269=0|270=90|271=1|346=1|")
    told.say("35=B|148=Closing|33=1|58=soon|")
    assert told.shown() == {"100": "1"}
