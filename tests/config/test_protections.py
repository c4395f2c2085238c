"""Fees, limits and protections in the settings, and as the rules of the journal have them."""

from __future__ import annotations

import os
from decimal import Decimal
from pathlib import Path

import pytest

from config.settings import ConfigError, Settings, load
from exchange.instruments import make_instrument
from exchange.rules import AccountRules, InstrumentRules, decode_rules
from exchange.service import make_rules
from tests.config.test_settings import instrument

SESSION = '[[accounts.sessions]]\ncomp_id = "A1"\naddresses = ["127.0.0.1/32"]\n'
ACCESS = '[access]\npolicy = "accounts"\n'


@pytest.fixture(autouse=True)
def _no_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.upper().startswith("SEAMARK_")]:
        monkeypatch.delenv(name)


def settings(directory: Path, text: str) -> Settings:
    file = directory / "venue.toml"
    file.write_text(text)
    return load(file)


def account(options: str = "", name: str = "acme") -> str:
    return f'{ACCESS}[[accounts]]\nname = "{name}"\n{options}\n{SESSION}'


def test_by_default_nothing_is_limited_and_nothing_costs() -> None:
    rules = make_rules(Settings())
    assert {(one.collar, one.min_notional, one.max_notional) for one in rules.instruments} == {
        ("0", "0", "0")
    }
    assert (rules.accounts, rules.maker_fee, rules.taker_fee, rules.day_ends) == (
        *((), "0", "0"),
        "00:00",
    )
    assert not any(make_instrument(0, one).is_guarded for one in rules.instruments)


def test_limits_of_an_instrument_become_rules(tmp_path: Path) -> None:
    text = instrument(tick="0.1", lot="0.01", minimum="1", maximum="2")
    limits = 'collar = 0.05\nmin_notional = "10"\nmax_notional = "1000.5"\n'
    rules = make_rules(settings(tmp_path, text + limits))
    (one,) = rules.instruments
    assert (one.collar, one.min_notional, one.max_notional) == ("0.05", "10", "1000.5")
    made = make_instrument(0, one)
    assert (made.collar_bps, made.min_value, made.max_value) == (500, 10_000, 1_000_500)
    assert decode_rules(rules.encode()) == rules


def test_the_finest_steps_and_the_highest_limits_are_counted_exactly() -> None:
    step, most = "0.000000000001", "999999999999.999999999999"
    made = make_instrument(0, InstrumentRules("A", "USD", step, step, "1", "1", "0", "0", most))
    assert made.max_value == 999999999999999999999999 * 10**12


def test_accounts_become_rules_and_have_the_fees_of_the_venue_unless_they_have_their_own(
    tmp_path: Path,
) -> None:
    venue = '[venue]\nmaker_fee = "-0.0001"\ntaker_fee = "0.0005"\nday_ends = "17:30"\n'
    own = (
        'maker_fee = "0.00000001"\nself_trade = "decrement"\ntrade_group = "G"\n'
        "max_open_orders = 7\nmax_orders_per_s = 5\n"
        "protection_fills = 3\nprotection_window_ms = 250\n"
    )
    rules = make_rules(settings(tmp_path, venue + account(own)))
    assert (rules.maker_fee, rules.taker_fee, rules.day_ends) == ("-0.0001", "0.0005", "17:30")
    (one,) = rules.accounts
    assert Decimal(one.maker_fee) == Decimal("0.00000001")
    assert one == AccountRules("acme", one.maker_fee, "0.0005", "D", "G", 7, 5, 3, 250)
    assert decode_rules(rules.encode()) == rules


@pytest.mark.parametrize(
    ("name", "mode"),
    [
        ("none", "X"),
        ("cancel-newest", "N"),
        ("cancel-oldest", "O"),
        ("cancel-both", "B"),
        ("decrement", "D"),
    ],
)
def test_self_trade_prevention_has_readable_names(tmp_path: Path, name: str, mode: str) -> None:
    rules = make_rules(settings(tmp_path, account(f'self_trade = "{name}"')))
    assert rules.accounts[0].self_trade == mode


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("[venue]\nmaker_fee = 2", "venue.maker_fee: 2 will not do"),
        ("[venue]\ntaker_fee = '0.000000001'", "venue.taker_fee: '0.000000001' will not do"),
        ("[venue]\nday_ends = '24:00'", "venue.day_ends: '24:00' will not do"),
        (instrument() + "collar = 1.5", "instruments[0].collar: 1.5 will not do"),
        (instrument() + "collar = -0.1", "instruments[0].collar: -0.1 will not do"),
        (instrument() + "collar = '0.00001'", "instruments[0].collar: '0.00001' will not do"),
        (instrument() + "min_notional = -1", "instruments[0].min_notional: -1 will not do"),
        (
            instrument(tick="0.5") + "max_notional = '1.7'",
            "instruments[0]: min_notional and max_notional must be multiples of tick times lot",
        ),
        (
            instrument() + "min_notional = 5\nmax_notional = 4",
            "instruments[0]: min_notional must not be above max_notional; 0 is no limit",
        ),
        (account('self_trade = "N"'), "accounts[0].self_trade: 'N' will not do"),
        (account("max_open_orders = -1"), "accounts[0].max_open_orders: -1 will not do"),
        (account("max_orders_per_s = 1.5"), "accounts[0].max_orders_per_s: 1.5 will not do"),
        (account('trade_group = "a b"'), "accounts[0].trade_group: 'a b' will not do"),
        (account("protection_fills = -1"), "accounts[0].protection_fills: -1 will not do"),
        (
            account("protection_fills = 1\nprotection_window_ms = 86400001"),
            "accounts[0].protection_window_ms: 86400001 will not do",
        ),
        (
            account("protection_fills = 3"),
            "accounts[0]: protection_fills is 3 and protection_window_ms is 0: set both",
        ),
        (
            account("protection_window_ms = 5"),
            "accounts[0]: protection_fills is 0 and protection_window_ms is 5: set both",
        ),
        (account(name="#1"), "accounts[0].name: '#1' will not do"),
    ],
)
def test_what_means_nothing_is_told_by_its_place(tmp_path: Path, text: str, what: str) -> None:
    with pytest.raises(ConfigError) as error:
        settings(tmp_path, text)
    (line,) = str(error.value).split("\n")
    assert line.startswith(f"{tmp_path / 'venue.toml'}: {what}"), line
