"""Held orders that come to the market are looked at again by what has changed meanwhile."""

from __future__ import annotations

from dataclasses import replace

import pytest

from exchange.commands import SetMarket
from exchange.rules import Rules
from exchange.venue.state import MarketState
from tests.exchange.order_lists.support import OTO, lines, member, oto, otoco, send
from tests.exchange.orders.market import make_market_rules, prove
from tests.support.world import Client, World

HALTED = "BTC/USD is halted: nothing but cancels"


def traders(rules: Rules | None = None) -> tuple[World, Client, Client]:
    world = World(rules=rules)
    one, two = world.client("ONE"), world.client("TWO")
    lines(one)
    lines(two)
    return world, one, two


def tell(world: World, symbol: str, state: MarketState) -> None:
    """What the operator says, journaled."""
    world.sequencer._do(SetMarket(symbol.encode(), state))
    world.turn()


def texts(client: Client, kind: str = "4") -> list[str]:
    return [report[58] for report in client.received if report.get(150) == kind]


def test_a_halted_market_takes_no_held_order() -> None:
    world, one, two = traders()
    abroad = "55=ETH/USD|54=1|38=1|40=2|44=100|59=1|"
    send(one, "L", OTO, ("first", abroad), member("then", "sell", "1", "110"))
    two.order("b", "buy", "1", "115")
    tell(world, "BTC/USD", MarketState.HALTED)
    lines(one)
    two.ask("35=D|11=s|55=ETH/USD|54=2|60=<now>|38=1|40=2|44=100|")
    (text,) = texts(one)
    assert text == f"OTO: the first order of list L is filled, but now: {HALTED}"
    assert lines(one) == [
        "8 first F/2 1 0",
        "8 then 4/4 0 0",
        "N L 5/6 [first:2 1 0 0, then:4 0 0 1]",
    ]
    prove(world)


@pytest.mark.parametrize(
    ("state", "kind"), [(MarketState.LIMIT_ONLY, "0"), (MarketState.POST_ONLY, "4")]
)
def test_a_state_takes_of_held_orders_what_it_takes_of_others(
    state: MarketState, kind: str
) -> None:
    world, one, two = traders()
    abroad = "55=ETH/USD|54=1|38=1|40=2|44=100|59=1|"
    send(one, "L", OTO, ("first", abroad), member("then", "sell", "1", "110"))
    tell(world, "BTC/USD", state)
    lines(one)
    two.ask("35=D|11=s|55=ETH/USD|54=2|60=<now>|38=1|40=2|44=100|")
    assert one.received[1][150] == kind
    assert world.venue.open_orders() == (kind == "0")


def test_a_collar_is_looked_at_again_and_takes_the_other_of_the_pair_along() -> None:
    world, one, two = traders(make_market_rules(collar="0.1"))
    two.order("s0", "sell", "1", "100")
    two.order("b0", "buy", "1", "100")
    send(
        one,
        "L",
        OTO,
        member("first", "buy", "2", "110"),
        member("limit", "sell", "1", "90"),
        member("stop", "sell", "1", stop="80"),
    )
    for name, price in (("1", "105"), ("2", "110")):
        two.order(f"s{name}", "sell", "1", price)
    limit, stop = texts(one)
    assert "Price (44) 90 is more than 1000 basis points through the last trade, 110" in limit
    assert stop == "OCO: the other order of list L has traded or ended"
    assert lines(one)[-1] == "N L 5/6 [first:2 2 0 0, limit:4 0 0 1, stop:4 0 0 1]"
    assert world.venue.open_orders() == 0
    prove(world)


def test_the_most_open_orders_are_looked_at_again() -> None:
    """The account had room for its list; then the venue has made it less, while they were held."""
    world, one, two = traders()
    oto(one)
    one.order("other", "buy", "1", "50")
    lines(one)
    account = world.venue.state.session(1).account
    account.take_up(replace(account.rules, max_open_orders=1))
    two.order("s", "sell", "1", "100")
    (text,) = texts(one)
    assert text.endswith("but now: 1 open orders are the most for this account")
    assert lines(one)[-1] == "N L 5/6 [first:2 1 0 0, then:4 0 0 1]"


def test_with_room_left_a_held_order_is_counted_once() -> None:
    world, one, two = traders()
    otoco(one)
    account = world.venue.state.session(1).account
    account.take_up(replace(account.rules, max_open_orders=2))
    lines(one)
    two.order("s", "sell", "1", "100")
    assert lines(one) == ["8 first F/2 1 0", "8 limit 0/0 0 1", "8 stop 0/0 0 1"]
