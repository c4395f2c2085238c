"""Funds: what orders hold, who pays whom, and that nothing is ever lost on the way."""

from __future__ import annotations

import random
from collections import Counter
from pathlib import Path

import pytest

from config.settings import ConfigError, Settings, load
from exchange.commands import MoveFunds
from exchange.control_file import ControlFile, Transfer
from exchange.controls import decode_control, encode_control, parse_amount
from exchange.service import make_rules
from exchange.snapshot import dump_venue, load_venue
from exchange.venue import Venue
from exchange.venue.funds import Funds, amount_text
from sessions.snapshot import write_snapshot
from tests.exchange.test_control import account as tell_account
from tests.exchange.test_control import wait
from tests.exchange.test_venue import told
from tests.support.world import Client, World

Parties = tuple[World, Client, Client]
VENUE = '[venue]\nfunds = true\nmaker_fee = "-0.0001"\ntaker_fee = "0.001"\n'


def settings(directory: Path, text: str = VENUE) -> Settings:
    file = directory / "venue.toml"
    file.write_text(text)
    return load(file)


def deposit(world: World, name: str, account: str, amount: str, currency: str) -> None:
    assert world.journal.path is not None
    one = Transfer(account, currency, amount)
    ControlFile(world.journal.path).change(lambda wanted: wanted.transfers.update({name: one}))
    wait(world)


def balance(world: World, account: int, currency: str) -> str:
    """What is there, and what is held of it."""
    one = world.venue.state.funds.of(b"#%d" % account, currency.encode())
    return f"{amount_text(one.total).decode()} {amount_text(one.held).decode()}"


def check(world: World, note: str = "") -> None:
    """What must hold whatever has happened."""
    state = world.venue.state
    funds = state.funds
    held: Counter[tuple[bytes, bytes]] = Counter()
    totals: Counter[bytes] = Counter(funds.fees)
    is_open = {number for one in state.accounts.values() for number in one.open}
    assert set(funds.holds) == is_open, note
    for account in state.accounts.values():
        for number, order in account.open.items():
            currency = b"USD" if order.side == 1 else order.instrument.symbol.partition(b"/")[0]
            held[account.name, currency] += funds.holds[number]
    for name, own in funds.balances.items():
        for currency, one in own.items():
            assert one.held == held[name, currency], (note, name, currency)
            assert 0 <= one.held <= one.total, (note, name, currency)
            totals[currency] += one.total
    for currency, total in totals.items():
        assert total == DEPOSITS.get(currency, 0), (note, currency)


DEPOSITS: dict[bytes, int] = {}


@pytest.fixture
def parties(tmp_path: Path) -> Parties:
    """A buyer who has 1,000 USD, and a seller who has 5 BTC."""
    DEPOSITS.clear()
    DEPOSITS.update({b"USD": parse_amount("1000"), b"BTC": parse_amount("5")})
    world = World(tmp_path / "data", settings=settings(tmp_path))
    buyer, seller = world.client("BUYER"), world.client("SELLER")
    deposit(world, "d1", "BUYER", "1000", "USD")
    deposit(world, "d2", "SELLER", "5", "BTC")
    return world, buyer, seller


def test_a_buy_holds_its_value_and_the_fee_and_a_cancel_brings_it_back(parties: Parties) -> None:
    world, buyer, _ = parties
    assert buyer.order("b1", "buy", "2", "100")[0][150] == "0"
    assert balance(world, 1, "USD") == "1000 200.2"
    buyer.ask("35=G|11=b2|41=b1|55=BTC/USD|54=1|60=<now>|38=3|40=2|44=110|59=1|")
    assert balance(world, 1, "USD") == "1000 330.33"
    buyer.ask("35=F|11=b3|41=b2|55=BTC/USD|54=1|60=<now>|")
    assert balance(world, 1, "USD") == "1000 0"
    check(world)


def test_a_fill_pays_both_and_the_venue_gets_its_fees(parties: Parties) -> None:
    world, buyer, seller = parties
    seller.order("s1", "sell", "2", "100")
    assert balance(world, 2, "BTC") == "5 2"
    buyer.order("b1", "buy", "3", "110")
    assert balance(world, 1, "BTC") == "2 0"
    assert balance(world, 1, "USD") == "799.8 110.11", "at 100, and 1 at 110 still rests"
    assert (balance(world, 2, "BTC"), balance(world, 2, "USD")) == ("3 0", "200.02 0")
    assert amount_text(world.venue.state.funds.fees[b"USD"]) == b"0.18"
    check(world)


def test_an_order_that_needs_more_than_is_free_is_told_what_is_there(parties: Parties) -> None:
    world, buyer, seller = parties
    buyer.order("b1", "buy", "2", "100")
    (refused,) = buyer.order("b2", "buy", "8", "100")
    assert told([refused], 150, 103) == ["8 3"]
    assert refused[58] == "The order needs 800.8 USD, fee included; 799.8 are free"
    (refused,) = seller.order("s1", "sell", "5.1", "100")
    assert refused[58] == "The order needs 5.1 BTC; 5 are free"
    terms = "55=BTC/USD|54=1|60=<now>|38=10|40=2|44=100|59=1|"
    (refused,) = buyer.ask(f"35=G|11=b3|41=b1|{terms}")
    assert told([refused], 35, 102) == ["9 99"]
    assert refused[58] == "The order needs 1001 USD, fee included; 1000 are free"
    assert buyer.order("b2", "buy", "1", "100")[0][150] == "0", "a refused name is not used up"
    check(world)


def test_market_orders_hold_what_sweeping_costs(parties: Parties) -> None:
    world, buyer, seller = parties
    seller.order("s1", "sell", "1", "100")
    seller.order("s2", "sell", "2", "500")
    (refused,) = buyer.order("b1", "buy", "3", "", "59=3|")
    assert refused[58] == "The order needs 1101.1 USD, fee included; 1000 are free"
    assert told(buyer.order("b2", "buy", "1.5", "", "59=3|"), 150) == ["0", "F", "F"]
    assert balance(world, 1, "USD") == "649.65 0"
    cash = "35=D|11=b3|55=BTC/USD|54=1|60=<now>|152={}|40=1|59=3|"
    assert buyer.ask(cash.format(700))[0][103] == "3"
    assert told(buyer.ask(cash.replace("b3", "b4").format(250)), 150)[:2] == ["0", "F"]
    assert balance(world, 1, "USD") == "399.4 0"
    check(world)


def test_a_sweep_does_not_count_on_orders_that_give_way(parties: Parties) -> None:
    """A group's own sells go when its buy comes, which then trades behind them."""
    world, _, seller = parties
    other = world.client("OTHER")
    deposit(world, "d3", "OTHER", "2", "BTC")
    deposit(world, "d4", "OTHER", "150", "USD")
    for account in world.venue.state.accounts.values():
        account.self_trade_group = 1 if account.name == b"#3" else 0
    other.order("o1", "sell", "1", "100")
    seller.order("s1", "sell", "1", "200")
    for mode in "OD":
        (refused,) = other.order(f"o2{mode}", "buy", "1", "", f"59=3|7928={mode}|")
        assert refused[58] == "The order needs 200.2 USD, fee included; 150 are free"
    assert told(other.order("o3", "buy", "1", "", "59=3|7928=N|")[-1:], 150) == ["8"]


def test_what_comes_later_needs_a_price_that_bounds_it(parties: Parties) -> None:
    world, buyer, seller = parties
    head = "55=BTC/USD|60=<now>|59=1|"
    (refused,) = buyer.ask(f"35=D|11=b1|{head}54=1|38=1|40=3|99=110|")
    assert told([refused], 150, 103) == ["8 99"]
    assert "needs OrdType (40) with a limit" in refused[58]
    assert buyer.ask(f"35=D|11=b2|{head}54=1|38=1|40=4|99=110|44=120|")[0][150] == "0"
    assert balance(world, 1, "USD") == "1000 120.12"
    assert buyer.ask(f"35=D|11=b3|{head}54=1|152=500|40=3|99=110|")[0][150] == "0"
    assert balance(world, 1, "USD") == "1000 620.62"
    assert seller.ask(f"35=D|11=s1|{head}54=2|38=1|40=3|99=90|")[0][150] == "0"
    assert balance(world, 2, "BTC") == "5 1"
    seller.order("s2", "sell", "2", "110")
    deposit(world, "d3", "SELLER", "200", "USD")
    DEPOSITS[b"USD"] += parse_amount("200")
    check(world)


def test_a_stopped_account_gets_its_funds_free(parties: Parties) -> None:
    world, buyer, _ = parties
    buyer.order("b1", "buy", "2", "100")
    tell_account(world, "BUYER", "stopped")
    assert balance(world, 1, "USD") == "1000 0"


def test_a_transfer_happens_once_and_a_withdrawal_only_of_what_is_free(parties: Parties) -> None:
    world, buyer, _ = parties
    deposit(world, "d1", "BUYER", "1000", "USD")
    buyer.order("b1", "buy", "2", "100")
    deposit(world, "w1", "BUYER", "-799.9", "USD")
    assert balance(world, 1, "USD") == "1000 200.2"
    assert world.venue.state.funds.transfers[b"w1"] is False
    deposit(world, "w2", "BUYER", "-799.8", "USD")
    assert balance(world, 1, "USD") == "200.2 200.2"
    buyer.ask("35=F|11=b3|41=b1|55=BTC/USD|54=1|60=<now>|")
    wait(world)
    assert balance(world, 1, "USD") == "200.2 0", "what was refused stays so"


def order_at_random(rng: random.Random, number: int) -> str:
    head = f"35=D|11=o{number}|55=BTC/USD|60=<now>|54={rng.choice('12')}|"
    quantity = f"38={rng.choice(('0.5', '1', '1.7'))}|"
    price = f"44={rng.randint(95, 105)}|"
    kinds = [
        f"{quantity}40=2|{price}59=1|",
        f"{quantity}40=2|{price}59={rng.choice('34')}|",
        f"{quantity}40=1|59=3|",
        "152=150|40=1|59=3|",
        f"{quantity}40=2|{price}59=1|18=6|8019={rng.choice('01')}|",
        f"{quantity}40=2|{price}59=1|111=0.2|",
        f"{quantity}40=4|{price}99={rng.randint(95, 105)}|59=1|",
        f"{quantity}40=3|99={rng.randint(95, 105)}|59=1|",
    ]
    mode = rng.choice(("", "7928=N|", "7928=O|", "7928=B|", "7928=D|"))
    return head + rng.choice(kinds) + mode


@pytest.mark.parametrize("seed", range(12))
def test_nothing_is_lost_whatever_is_traded(seed: int, tmp_path: Path) -> None:
    rng = random.Random(seed)
    DEPOSITS.clear()
    accounts = '[access]\npolicy = "accounts"\n' + "".join(
        f'[[accounts]]\nname = "{name}"\n[[accounts.sessions]]\ncomp_id = "{name}"\n'
        f'addresses = ["127.0.0.1/32"]\n'
        for name in "ABC"
    )
    world = World(tmp_path / "data", settings=settings(tmp_path, VENUE + accounts))
    traders = [world.client(name) for name in "ABC"]
    for name in "ABC":
        for currency, amount in (("USD", "500"), ("BTC", "5")):
            deposit(world, f"{name}{currency}", name, amount, currency)
            key = currency.encode()
            DEPOSITS[key] = DEPOSITS.get(key, 0) + parse_amount(amount)
    copy = Venue()
    fills = 0
    for number in range(150):
        client = rng.choice(traders)
        opened = list(world.venue.state.accounts[client.comp_id.encode()].open.values())
        if opened and rng.random() < 0.4:
            order = rng.choice(opened)
            terms = f"55=BTC/USD|54={order.side:d}|60=<now>|"
            name = order.cl_ord_id.decode()
            if rng.random() < 0.5:
                client.ask(f"35=F|11=o{number}|41={name}|{terms}")
            else:
                more = f"38={rng.choice(('0.3', '1', '2'))}|44={rng.randint(95, 105)}|40=2|59=1|"
                client.ask(f"35=G|11=o{number}|41={name}|{terms}{more}")
        else:
            answers = client.ask(order_at_random(rng, number))
            fills += sum(one.get(150) == "F" for one in answers)
        check(world, f"seed {seed}, step {number}")
        if number == 75:
            write_snapshot(tmp_path / "data", world.registry.snapshot())
    assert fills > 5, f"seed {seed}"
    load_venue(dump_venue(world.venue), copy)
    assert dump_venue(copy) == dump_venue(world.venue), f"seed {seed}"
    world.journal.close()
    again = World(tmp_path / "data", settings=world.settings)
    assert dump(again.venue.state.funds) == dump(world.venue.state.funds), f"seed {seed}"


def dump(funds: Funds) -> object:
    """Everything there is to compare."""
    balances = {
        (name, currency): (one.total, one.held)
        for name, own in funds.balances.items()
        for currency, one in own.items()
    }
    return balances, funds.holds, funds.fees, funds.transfers


def test_a_transfer_is_what_its_record_says() -> None:
    for amount in ("0.000000000001", "-5.5", "999999999999999999.999999999999"):
        command = MoveFunds(b"x", b"acme", b"USD", parse_amount(amount), b"why")
        assert amount_text(command.amount) == amount.encode()
        assert decode_control(encode_control(command)) == command


@pytest.mark.parametrize("text", ["", "-", "1e5", "1.", ".5", "1.0000000000001", "1" * 19, "NaN"])
def test_what_is_no_amount_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is no amount"):
        parse_amount(text)


def test_without_funds_in_the_rules_nothing_is_held(tmp_path: Path) -> None:
    world = World(tmp_path)
    client = world.client("A")
    client.order("b1", "buy", "1", "100")
    assert not world.venue.state.funds.balances
    assert not world.venue.state.funds.holds
    rules = make_rules(settings(tmp_path))
    assert "while orders are open" in (world.venue.objection(rules) or "")
    client.ask("35=F|11=b2|41=b1|55=BTC/USD|54=1|60=<now>|")
    assert world.venue.objection(rules) is None


def test_funds_need_symbols_that_name_both_currencies(tmp_path: Path) -> None:
    text = VENUE + (
        '[[instruments]]\nsymbol = "GOLD"\ncurrency = "USD"\ntick = 1\nlot = 1\n'
        "min_quantity = 1\nmax_quantity = 9\n"
    )
    with pytest.raises(ConfigError, match=r"venue\.funds needs symbols BASE/QUOTE"):
        settings(tmp_path, text)
