"""Who gets what when, on a clock of our own."""

from __future__ import annotations

from random import Random

import pytest

from exchange.market_data.reader import SymbolView
from exchange.screens.hub import HEARTBEAT_MS, Hub, Reader
from exchange.screens.market import KEPT_TRADES, Market
from exchange.screens.protocol import Subscribe, Unsubscribe
from exchange.screens.views import MOST_TRADES, Wanted
from tests.exchange.screens.client import Screen, expected, market, put, trade

SLOW_MS = 20_000


class Client:
    """A reader of a hub, and the screen that is made of what it reads."""

    def __init__(self, hub: Hub, now: int = 0) -> None:
        self.hub = hub
        self.woken = 0
        self.reader = Reader(self._wake)
        self.screen = Screen()
        hub.join(self.reader, '{"type":"hello"}', now)

    def _wake(self) -> None:
        self.woken += 1

    def read(self, now: int, most: int = 10_000) -> list[str]:
        """Read what there is; the types of it."""
        found = []
        for _ in range(most):
            text = self.hub.next_text(self.reader, now)
            if text is None:
                break
            found.append(self.screen.take(text)["type"])
        return found

    def subscribe(self, *views: Wanted, now: int = 0) -> None:
        self.hub.subscribe(self.reader, Subscribe(1, list(views)), now)


@pytest.fixture
def btc() -> tuple[Market, SymbolView]:
    return market()


@pytest.fixture
def hub(btc: tuple[Market, SymbolView]) -> Hub:
    found = Hub([btc[0]], 10, SLOW_MS)
    found.set_live(["BTC/USD"], True, "", 0)
    found.advance(0)
    return found


BOOK = Wanted("book", "BTC/USD", 250, 5, 1)


def change(hub: Hub, btc: tuple[Market, SymbolView], ticks: int, lots: int) -> None:
    put(*btc, True, ticks, lots, 1)
    hub.changed("BTC/USD")


def test_everything_then_changes_at_the_interval(hub: Hub, btc: tuple[Market, SymbolView]) -> None:
    client = Client(hub)
    client.subscribe(BOOK)
    assert client.read(0) == ["hello", "subscribed", "snapshot"]
    for now in range(0, 1_001, 10):
        change(hub, btc, 100 + now, 1)
        hub.advance(now)
        client.read(now)
    updates = client.screen.of("update")
    assert [one["time"] for one in updates] == [0, 250, 500, 750, 1_000]
    assert client.screen.books["BTC/USD"] == expected(btc[0], BOOK)


def test_what_changes_nothing_that_is_shown_is_not_told(
    hub: Hub, btc: tuple[Market, SymbolView]
) -> None:
    client = Client(hub)
    for ticks in range(100, 110):
        put(*btc, True, ticks, 5, 1)
    client.subscribe(BOOK)
    client.read(0)
    change(hub, btc, 101, 7)
    hub.advance(0)
    assert client.read(0) == []
    change(hub, btc, 109, 7)
    hub.advance(1)
    assert client.read(1) == ["update"]


def test_a_view_is_encoded_once_for_all(hub: Hub, btc: tuple[Market, SymbolView]) -> None:
    clients = [Client(hub) for _ in range(20)]
    for one in clients:
        one.subscribe(BOOK)
        one.read(0)
    change(hub, btc, 100, 1)
    hub.advance(0)
    texts = {id(hub.next_text(one.reader, 0)) for one in clients}
    assert len(texts) == hub.updates == len(hub.channels) == 1


def test_who_comes_later_begins_where_the_others_are(
    hub: Hub, btc: tuple[Market, SymbolView]
) -> None:
    first, second = Client(hub), Client(hub)
    first.subscribe(BOOK)
    first.read(0)
    change(hub, btc, 100, 1)
    hub.advance(0)
    change(hub, btc, 101, 1)  # not shown to anybody yet
    second.subscribe(BOOK)
    second.read(100)
    hub.advance(300)
    for one in (first, second):
        one.read(300)
        assert one.screen.books["BTC/USD"] == expected(btc[0], BOOK)
    assert [one["seq"] for one in second.screen.of("snapshot")] == [2]


def test_a_subscription_takes_the_place_of_the_one_before(
    hub: Hub, btc: tuple[Market, SymbolView]
) -> None:
    client = Client(hub)
    wide = Wanted("book", "BTC/USD", 100, 5, 10)
    client.subscribe(BOOK)
    put(*btc, True, 107, 5, 1)
    client.subscribe(wide)
    client.read(0)
    assert list(hub.channels) == [wide]
    change(hub, btc, 103, 2)
    hub.advance(0)
    client.read(0)
    assert client.screen.books["BTC/USD"] == expected(btc[0], wide)


def test_nobody_looks_nothing_is_made(hub: Hub, btc: tuple[Market, SymbolView]) -> None:
    client = Client(hub)
    client.subscribe(BOOK)
    hub.unsubscribe(client.reader, Unsubscribe(2, "book", ["BTC/USD"]), 0)
    assert client.read(0) == ["hello", "subscribed", "unsubscribed"]
    assert not hub.channels
    client.subscribe(BOOK)
    hub.leave(client.reader)
    assert not hub.channels
    assert not hub.readers


def test_too_many_subscriptions_are_refused_and_change_nothing() -> None:
    markets = [market(f"S{number}")[0] for number in range(12)]
    hub = Hub(markets, 10, SLOW_MS)
    client = Client(hub)
    client.subscribe(*(Wanted("ticker", f"S{number}", 250) for number in range(10)))
    client.read(0)
    client.subscribe(Wanted("ticker", "S11", 250))
    assert client.read(0) == ["error"]
    assert client.screen.messages[-1]["code"] == "too-many-subscriptions"
    client.subscribe(Wanted("ticker", "S1", 500))
    assert client.read(0) == ["subscribed", "snapshot"]


def test_who_does_not_read_is_passed_over_and_then_has_what_is(
    hub: Hub, btc: tuple[Market, SymbolView]
) -> None:
    client, other = Client(hub), Client(hub)
    for one in (client, other):
        one.subscribe(BOOK)
        one.read(0)
    for number in range(1_000):
        change(hub, btc, 100 + number % 7, 1 + number)
        hub.advance(number * 250)
        other.read(number * 250)
        assert len(client.reader.waiting) < 100
    assert client.reader.conflated == 1
    client.read(250_000)
    assert client.screen.of("snapshot")[-1]["conflated"]
    assert client.screen.books == other.screen.books
    assert client.screen.books["BTC/USD"] == expected(btc[0], BOOK)
    change(hub, btc, 300, 1)
    hub.advance(250_000)
    assert client.read(250_000) == ["update"]


def test_who_does_not_read_for_long_is_to_be_closed(
    hub: Hub, btc: tuple[Market, SymbolView]
) -> None:
    client, other = Client(hub), Client(hub)
    client.read(0)
    client.subscribe(BOOK)
    now = 0
    while now <= SLOW_MS:
        assert hub.advance(now) == []
        other.read(now)
        now += 250
    assert hub.advance(SLOW_MS + 250) == [client.reader]
    client.read(SLOW_MS + 250, most=1)
    assert hub.advance(SLOW_MS + 250) == []


def test_who_waits_for_a_market_is_not_slow() -> None:
    found, view = market()
    view.is_whole = False
    hub = Hub([found], 10, 1_000)
    client = Client(hub)
    client.subscribe(BOOK)
    assert client.read(0) == ["hello", "subscribed"]
    for now in range(0, 60_000, 1_000):
        hub.advance(now)
        client.read(now)
    view.is_whole = True
    assert hub.advance(60_500) == []
    assert client.read(60_500) == ["snapshot"]


def test_half_a_change_is_not_shown(hub: Hub, btc: tuple[Market, SymbolView]) -> None:
    client = Client(hub)
    client.subscribe(BOOK)
    client.read(0)
    btc[1].is_whole = False
    change(hub, btc, 100, 1)
    hub.advance(0)
    assert client.read(0) == []
    btc[1].is_whole = True
    hub.advance(10)
    assert client.read(10) == ["update"]


def test_everybody_is_told_what_is_stale(hub: Hub, btc: tuple[Market, SymbolView]) -> None:
    clients = [Client(hub) for _ in range(3)]
    for one in clients:
        one.read(0)
    hub.set_live(["BTC/USD"], False, "the venue is away", 10)
    hub.set_live(["BTC/USD"], False, "the venue is away", 10)
    for one in clients:
        assert one.read(10) == ["status"]
        assert (one.screen.state, one.screen.stale) == ("stale", ["BTC/USD"])
        assert one.screen.reason == "the venue is away"
    hub.set_live(["BTC/USD"], True, "", 20)
    for one in clients:
        assert one.read(20) == ["status"]
        assert (one.screen.state, one.screen.stale, one.screen.reason) == ("live", [], "")


def test_heartbeats_for_those_who_read(hub: Hub, btc: tuple[Market, SymbolView]) -> None:
    client, other = Client(hub), Client(hub)
    client.read(0)
    for now in range(0, 3 * HEARTBEAT_MS + 1, 100):
        hub.advance(now)
        client.read(now)
    assert len(client.screen.of("heartbeat")) == 3
    assert other.read(15_000) == ["hello"]


def test_trades_are_told_once_and_in_order(hub: Hub, btc: tuple[Market, SymbolView]) -> None:
    wanted = Wanted("trades", "BTC/USD", 250)
    for number in range(60):
        trade(*btc, number)
    client = Client(hub)
    client.subscribe(wanted)
    client.read(0)
    assert client.screen.trades["BTC/USD"] == [f"{number}-1" for number in range(10, 60)]
    for number in range(60, 100):
        trade(*btc, number)
        hub.changed("BTC/USD")
        hub.advance(number * 50)
        client.read(number * 50)
    hub.advance(10_000)
    client.read(10_000)
    assert client.screen.trades["BTC/USD"] == [f"{number}-1" for number in range(10, 100)]


def test_trades_for_which_there_is_no_room_are_counted(
    hub: Hub, btc: tuple[Market, SymbolView]
) -> None:
    client = Client(hub)
    client.subscribe(Wanted("trades", "BTC/USD", 250))
    client.read(0)
    for number in range(2 * KEPT_TRADES):
        trade(*btc, number)
    hub.changed("BTC/USD")
    hub.advance(0)
    client.read(0)
    (update,) = client.screen.of("update")
    assert len(update["trades"]) == MOST_TRADES
    assert update["omitted"] == 2 * KEPT_TRADES - MOST_TRADES
    assert update["trades"][-1]["id"] == f"{2 * KEPT_TRADES - 1}-1"
    assert btc[1].trades == [], "the reader of the feed keeps none"


def test_a_ticker_says_what_differs(hub: Hub, btc: tuple[Market, SymbolView]) -> None:
    client = Client(hub)
    client.subscribe(Wanted("ticker", "BTC/USD", 250))
    client.read(0)
    trade(*btc, 1)
    change(hub, btc, 100, 150)
    hub.advance(0)
    client.read(0)
    (update,) = client.screen.of("update")
    assert update["last"] == "100"
    assert update["last_time"] == "2026-11-22T10:00:00.001Z"
    assert (update["bid"], update["bid_size"]) == ("50", "1.5")
    assert "ask" not in update
    assert client.screen.tickers["BTC/USD"] == btc[0].ticker()


def test_a_price_off_the_grid_of_the_settings_makes_a_market_stale(
    hub: Hub, btc: tuple[Market, SymbolView]
) -> None:
    client = Client(hub)
    client.subscribe(BOOK)
    client.read(0)
    change(hub, btc, 100, 1)
    next(iter(btc[1].levels[b"0"].values())).price = b"50.3"
    hub.advance(0)
    client.read(0)
    assert client.screen.reason == "price 50.3 is no multiple of 0.5"
    assert not client.screen.of("update")


@pytest.mark.parametrize("seed", range(15))
def test_every_screen_has_the_book_in_the_end(seed: int) -> None:
    """Books change, readers choose, change their minds, read slowly, leave: all see the same."""
    random = Random(seed)
    markets = {name: market(name) for name in ("A", "B")}
    hub = Hub([one for one, _ in markets.values()], 6, 10**9)
    clients = [Client(hub) for _ in range(5)]
    now = 0
    for _ in range(1_500):
        now += random.choice([0, 1, 30, 400])
        name = random.choice("AB")
        for _ in range(random.choice([0, 1, 5])):
            lots, orders = random.choice([0, 1, 99]), random.randint(1, 3)
            put(*markets[name], random.random() < 0.5, random.randint(90, 130), lots, orders)
        if random.random() < 0.3:
            trade(*markets[name], now)
        markets[name][1].is_whole = random.random() < 0.8
        hub.changed(name)
        hub.advance(now)
        client = random.choice(clients)
        chance = random.random()
        if chance < 0.1:
            channel = random.choice(["book", "trades", "ticker"])
            shape = (random.choice([1, 3, 20]), random.choice([1, 7, 10]))
            interval = random.choice([50, 250])
            client.subscribe(
                Wanted(channel, name, interval, *(shape if channel == "book" else (0, 0))), now=now
            )
        elif chance < 0.13:
            hub.unsubscribe(client.reader, Unsubscribe(1, "book", [name]), now)
        elif chance < 0.15:
            hub.leave(client.reader)
            clients[clients.index(client)] = Client(hub, now)
        else:
            client.read(now, random.choice([0, 1, 3, 100]))
    for found, view in markets.values():
        view.is_whole = True
        hub.changed(found.symbol)
    for step in range(3):
        hub.advance(now + step * 1_000)
        for client in clients:
            client.read(now + step * 1_000)
    looked = 0
    for client in clients:
        for (channel, name), shown in client.reader.channels.items():
            looked += 1
            found = markets[name][0]
            if channel == "book":
                assert client.screen.books[name] == expected(found, shown.wanted)
            elif channel == "ticker":
                assert client.screen.tickers[name] == found.ticker()
    assert looked
