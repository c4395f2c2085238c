"""Settings: the file, the environment, the command line, and errors that help."""

from __future__ import annotations

import os
import re
import tomllib
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel

from config.settings import ConfigError, Settings, load
from tests.support.messages import ROOT

EXAMPLE = ROOT / "config" / "exchange.toml"
INSTRUMENT = """
[[instruments]]
symbol = "{symbol}"
currency = "USD"
tick = "{tick}"
lot = "{lot}"
min_quantity = "{minimum}"
max_quantity = "{maximum}"
"""


@pytest.fixture(autouse=True)
def _no_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.upper().startswith("SEAMARK_")]:
        monkeypatch.delenv(name)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "venue.toml"


def instrument(
    symbol: str = "A", tick: str = "1", lot: str = "1", minimum: str = "1", maximum: str = "9"
) -> str:
    return INSTRUMENT.format(symbol=symbol, tick=tick, lot=lot, minimum=minimum, maximum=maximum)


def errors(file: Path, text: str | bytes, **overrides: dict[str, Any]) -> list[str]:
    """The lines that a file with this text is refused with, without the name of the file."""
    file.write_bytes(text.encode() if isinstance(text, str) else text)
    with pytest.raises(ConfigError) as error:
        load(file, overrides)
    lines = str(error.value).split("\n")
    assert all(line.startswith(f"{file}: ") for line in lines), lines
    return [line.removeprefix(f"{file}: ") for line in lines]


# --- what there is to set -----------------------------------------------------------------


def test_the_example_file_is_the_embedded_defaults_exactly() -> None:
    assert load(EXAMPLE) == load(None) == Settings()
    assert load(EXAMPLE).model_dump() == load(None).model_dump()


def test_the_example_file_names_every_setting() -> None:
    text = EXAMPLE.read_text()
    data = tomllib.loads(text)
    defaults = Settings()
    assert list(data) == [name for name in Settings.model_fields if name != "accounts"]
    assert "# [[accounts]]" in text  # there are none by default, and they are shown all the same
    for name in data:
        part = getattr(defaults, name)
        if isinstance(part, BaseModel):
            assert list(data[name]) == list(type(part).model_fields)
        else:
            assert len(data[name]) == len(part)
            for entry, default in zip(data[name], part, strict=True):
                assert list(entry) == list(type(default).model_fields)


def test_every_setting_of_the_example_file_is_explained() -> None:
    lines = EXAMPLE.read_text().partition("[[instruments]]")[0].split("\n")
    for line in lines:
        assert " = " not in line or line.startswith("#") or " # " in line, line


def test_an_empty_file_changes_nothing(file: Path) -> None:
    file.write_text("")
    assert load(file) == Settings()


def test_a_file_changes_what_it_says_and_nothing_else(file: Path) -> None:
    file.write_text(f"[session]\ntime_precision = 'ns'\n{instrument('X/Y', tick='0.25')}")
    settings = load(file)
    assert settings.session.time_precision == "ns"
    assert settings.session.sender_comp_id == "SEAMARK"
    assert settings.listen == Settings().listen
    assert [i.symbol for i in settings.instruments] == ["X/Y"]
    assert settings.instruments[0].tick == Decimal("0.25")


def test_numbers_may_be_written_as_numbers(file: Path) -> None:
    text = instrument(tick="0.1", lot="0.01", minimum="1", maximum="2.5")
    file.write_text(re.sub(r'"([\d.]+)"', r"\1", text))
    (found,) = load(file).instruments
    assert (found.tick, found.lot) == (Decimal("0.1"), Decimal("0.01"))
    assert found.max_quantity == Decimal("2.5")


def test_settings_do_not_change_once_loaded() -> None:
    settings = Settings()
    for part in (settings, settings.listen):
        with pytest.raises(ValueError, match="frozen"):
            setattr(part, next(iter(type(part).model_fields)), None)


# --- which source outranks which ----------------------------------------------------------


def test_the_environment_outranks_the_file_and_the_command_line_both(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file.write_text("[listen]\nport = 1001\nhost = 'localhost'\n[session]\nmax_sessions = 5\n")
    assert load(file).listen.port == 1001
    monkeypatch.setenv("SEAMARK_LISTEN__PORT", "1002")
    settings = load(file)
    assert (settings.listen.port, settings.listen.host) == (1002, "localhost")
    assert load(None).listen.port == 1002
    settings = load(file, {"listen": {"port": 1003, "host": None}, "session": {}})
    assert (settings.listen.port, settings.listen.host) == (1003, "localhost")
    assert settings.session.max_sessions == 5


def test_the_environment_reaches_every_section(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SEAMARK_SESSION__SENDER_COMP_ID", "VENUE")
    monkeypatch.setenv("SEAMARK_JOURNAL__DURABILITY", "fsync")
    monkeypatch.setenv("SEAMARK_VENUE__CANCEL_ON_DISCONNECT", "true")
    monkeypatch.setenv("seamark_journal__directory", "/elsewhere")
    settings = load(None)
    assert settings.session.sender_comp_id == "VENUE"
    assert settings.journal.durability == "fsync"
    assert settings.venue.cancel_on_disconnect is True
    assert settings.journal.directory == Path("/elsewhere")


def test_an_error_of_the_environment_is_told_like_one_of_the_file(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SEAMARK_LISTEN__PORT", "http")
    monkeypatch.setenv("SEAMARK_SESSION__SENDER", "X")
    found = errors(file, "[listen]\nport = 1\n")
    assert any(line.startswith("listen.port: 'http' will not do: ") for line in found)
    assert any(line.startswith("session.sender: is not a setting") for line in found)
    assert len(found) == 2


def test_an_environment_variable_that_is_no_json_is_told_in_one_line(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("SEAMARK_INSTRUMENTS", "BTC/USD")
    with pytest.raises(ConfigError, match="instruments"):
        load(None)


def test_a_misspelt_section_in_the_environment_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SEAMARK_LISTENN__PORT", "9999")
    with pytest.raises(ConfigError, match=r"(?i)listenn"):
        load(None)


def test_the_choice_of_a_codec_is_no_setting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SEAMARK_CODEC", "python")
    load(None)


def test_an_option_that_will_not_do_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"70000 will not do: .*65535"):
        load(None, {"listen": {"port": 70_000}})
    with pytest.raises(ConfigError, match=r"'tape' will not do: .*'fsync', 'os' or 'memory'"):
        load(None, {"journal": {"durability": "tape"}})


def test_an_option_that_will_not_do_is_told_by_its_path() -> None:
    with pytest.raises(ConfigError, match=r"listen\.port: 70000 will not do"):
        load(None, {"listen": {"port": 70_000}})


# --- errors -------------------------------------------------------------------------------

INTEGER = "should be a valid integer"


@pytest.mark.parametrize(
    ("text", "path", "what"),
    [
        ("[listen]\nport = 65536", "listen.port", "65536 will not do: .* equal to 65535"),
        ("[listen]\nport = -1", "listen.port", "-1 will not do: .* equal to 0"),
        ("[listen]\nport = 'fix'", "listen.port", f"'fix' will not do: .*{INTEGER}"),
        ("[listen]\nport = 1.5", "listen.port", f"1.5 will not do: .*{INTEGER}"),
        ("[listen]\nhost = 5", "listen.host", "5 will not do: .* valid string"),
        ("[session]\nsender_comp_id = 'A=B'", "session.sender_comp_id", "'A=B' will not do"),
        ("[session]\nsender_comp_id = ''", "session.sender_comp_id", "'' will not do"),
        ("[session]\ntime_precision = 's'", "session.time_precision", "'s' .*'ms', 'us' or 'ns'"),
        ("[session]\nmax_latency_s = 0", "session.max_latency_s", "0 .*greater than 0"),
        ("[session]\nmax_latency_s = nan", "session.max_latency_s", "nan will not do"),
        ("[session]\nreset_on_logon = 'maybe'", "session.reset_on_logon", "'maybe' will not do"),
        ("[session]\nmax_message_bytes = 10", "session.max_message_bytes", "10 .*1024"),
        ("[journal]\ndurability = 'x'", "journal.durability", "'x' .*'fsync', 'os' or 'memory'"),
        ("[access]\npolicy = 'open'", "access.policy", "'open' will not do: .*'open-demo'"),
        ("[venue]\nremembered_orders = 9", "venue.remembered_orders", "9 .*1000"),
        ("[venue]\ncancel = true", "venue.cancel", "is not a setting; see config/exchange.toml"),
        ("[trading]\nx = 1", "trading", "is not a setting; see config/exchange.toml"),
        ("port = 1", "port", "is not a setting; see config/exchange.toml"),
        ("listen = 5", "listen", "5 will not do"),
        ("instruments = []", "instruments", "at least 1 item"),
    ],
)
def test_an_error_is_told_with_its_path_its_value_and_what_would_do(
    file: Path, text: str, path: str, what: str
) -> None:
    (line,) = errors(file, text)
    assert re.match(rf"{re.escape(path)}: .*{what}", line), line


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (instrument(symbol="A B"), "instruments[0].symbol: 'A B' will not do"),
        (instrument(tick="0"), "instruments[0].tick: '0' will not do: input should be greater"),
        (instrument(tick="-1"), "instruments[0].tick: '-1' will not do"),
        (instrument(tick="nan"), "instruments[0].tick: 'nan' will not do"),
        (instrument(tick="inf"), "instruments[0].tick: 'inf' will not do"),
        (instrument(tick="cheap"), "instruments[0].tick: 'cheap' will not do"),
        (instrument(tick="1e-13"), "instruments[0].tick: '1e-13' will not do"),
        (instrument(maximum="1e99"), "instruments[0].max_quantity: '1e99' will not do"),
        (
            instrument(minimum="1.5"),
            "instruments[0]: min_quantity and max_quantity must be multiples of lot 1",
        ),
        (
            instrument(lot="0.3", minimum="0.6", maximum="1"),
            "instruments[0]: min_quantity and max_quantity must be multiples of lot 0.3",
        ),
        (
            instrument(minimum="9", maximum="8"),
            "instruments[0]: min_quantity must not be above max_quantity",
        ),
        (
            instrument() + instrument("B").replace('tick = "1"', ""),
            "instruments[1].tick: is missing",
        ),
        (instrument() + "leverage = 5", "instruments[0].leverage: is not a setting"),
    ],
)
def test_an_error_of_an_instrument_is_told_by_its_place(
    file: Path, text: str, expected: str
) -> None:
    assert errors(file, text)[0].startswith(expected)


def test_a_symbol_there_twice_is_told(file: Path) -> None:
    text = instrument("A") + instrument("B") + instrument("A") + instrument("B")
    assert errors(file, text) == ["instruments: A, B is there more than once"]


SEVERAL = (
    "[listen]\nport = 70000\nhots = 'x'\n[session]\ntime_precision = 's'\n[more]\na = 1\n"
    + instrument(tick="0")
    + instrument("B", minimum="1.5")
)
PATHS = {
    "listen.port",
    "listen.hots",
    "session.time_precision",
    "more",
    "instruments[0].tick",
    "instruments[1]",
}


def test_all_errors_of_a_file_are_told_at_once(file: Path) -> None:
    found = {line.partition(": ")[0] for line in errors(file, SEVERAL)}
    assert found >= PATHS


def test_nothing_is_told_that_is_not_an_error(file: Path) -> None:
    found = [line.partition(": ")[0] for line in errors(file, SEVERAL)]
    assert sorted(found) == sorted(PATHS)


@pytest.mark.parametrize("name", ["_env_file", "_env_prefix", "_cli_parse_args"])
def test_a_key_with_an_underscore_is_unknown_too(file: Path, name: str) -> None:
    (line,) = errors(file, f"{name} = 'x'")
    assert line.startswith(f"{name}: is not a setting")


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("[listen", "line 1|end of document"),
        ("port = = 1", "line 1, column"),
        ("[listen]\n[listen]\n", "line 2|twice"),
        (b"host = '\xff\xfe'", "utf-8"),
    ],
)
def test_a_file_that_is_no_toml_is_told_in_one_line(
    file: Path, text: str | bytes, what: str
) -> None:
    (line,) = errors(file, text)
    assert line.startswith("not valid TOML: ")
    assert re.search(what, line), line


def test_a_file_that_cannot_be_read_is_told_in_one_line(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"none\.toml: No such file or directory$"):
        load(tmp_path / "none.toml")
    with pytest.raises(ConfigError, match=r": Is a directory$"):
        load(tmp_path)


@pytest.mark.parametrize(
    ("opens", "closes"),
    [("17:00", "17:00:00"), ("Mon-Fri 17:00", "17:00"), ("Sun-Mon 09:00", "Mon 09:00")],
)
def test_a_schedule_leaves_a_time_to_be_closed(file: Path, opens: str, closes: str) -> None:
    (line,) = errors(file, f'[schedule]\nopens = "{opens}"\ncloses = "{closes}"\n')
    assert line.startswith("schedule: opens and closes must leave a time to be closed")


@pytest.mark.parametrize(
    ("text", "where"),
    [
        ('opens = "25:00"\ncloses = "17:00"', "schedule.opens"),
        ('opens = "Someday 09:00"\ncloses = "17:00"', "schedule.opens"),
        ('timezone = "Middle/Earth"', "schedule.timezone"),
        ('opens = "09:00"', "schedule"),
        ("resets = true", "schedule"),
    ],
)
def test_a_schedule_that_means_nothing_is_refused(file: Path, text: str, where: str) -> None:
    (line,) = errors(file, f"[schedule]\n{text}\n")
    assert line.startswith(f"{where}: ")


def test_a_week_from_sunday_to_friday_is_a_schedule(file: Path) -> None:
    file.write_text('[schedule]\nopens = "Sun 17:00"\ncloses = "Fri 17:00"\nresets = true\n')
    assert load(file).schedule.resets
