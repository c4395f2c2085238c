"""Settings of the venue: TOML file, then SEAMARK_ environment variables, then the command line.

Every error is found at once and reported with its path, the value and a remedy.
"""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Mapping
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Annotated, Any, Final, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import Field, ValidationError, field_validator, model_validator
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    SettingsError,
)

from config.accounts import EVERY_ACCOUNT, Account, CompId, Fee, Network, Section
from config.screens import Screens

Step = Annotated[Decimal, Field(gt=0, max_digits=18, decimal_places=12)]
Amount = Annotated[Decimal, Field(ge=0, max_digits=24, decimal_places=12)]

_DAYS: Final = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_DAY: Final = f"(?:{'|'.join(_DAYS)})"
_MOMENT: Final = re.compile(rf"(?:{_DAY}(?:-{_DAY})? )?(?:[01]\d|2[0-3]):[0-5]\d(?::[0-5]\d)?")
_ENV_PREFIX: Final = "SEAMARK_"
_SECRETS: Final = frozenset(
    ("password_hash", "hmac_secret", "password")
)  # whose input is never shown
_NO_SETTINGS: Final = ("SEAMARK_CODEC",)  # looked at before there are settings
_NOT_A_SETTING: Final = "is not a setting; see config/exchange.toml for those that are"


class ConfigError(ValueError):
    """The configuration cannot be used; `str` lists everything that is wrong, a line each."""


class Listen(Section):
    """Where clients connect."""

    host: str = "127.0.0.1"
    port: int = Field(9880, ge=0, le=65535)
    plain: bool = True
    keepalive_s: int = Field(30, ge=0, le=7_200)
    busy_poll_us: int = Field(0, ge=0, le=1_000_000)


class Tls(Section):
    """A second listener, for TLS, once it has a certificate."""

    port: int = Field(9883, ge=0, le=65535)
    certificate: Path | Literal[""] = ""
    key: Path | Literal[""] = ""
    min_version: Literal["1.2", "1.3"] = "1.3"
    client_ca: Path | Literal[""] = ""
    client_certificates: Literal["none", "optional", "required"] = "none"

    @property
    def is_on(self) -> bool:
        """Whether there is a TLS listener."""
        return self.certificate != ""

    @model_validator(mode="after")
    def _files_fit(self) -> Tls:
        if (self.certificate == "") != (self.key == ""):
            raise ValueError("certificate and key are needed both, or neither")
        if (self.client_certificates != "none") != (self.client_ca != ""):
            raise ValueError("client_ca goes with client_certificates optional or required")
        return self


class SessionLayer(Section):
    """FIX session behaviour, the same for every session."""

    sender_comp_id: CompId = "SEAMARK"
    reset_on_logon: bool = False
    second_logon: Literal["refuse", "replace"] = "refuse"
    is_test: bool = False
    next_expected_msg_seq_num: bool = False
    last_msg_seq_num_processed: bool = False
    min_heartbeat_s: int = Field(1, ge=0, le=3_600)
    max_heartbeat_s: int = Field(3_600, ge=1, le=86_400)
    max_resend_repeats: int = Field(10, ge=1, le=1_000)
    gap_filled_types: tuple[Annotated[str, Field(pattern=r"^[0-9A-Za-z]{1,3}$")], ...] = ("B",)
    time_precision: Literal["ms", "us", "ns"] = "ms"
    max_latency_s: float = Field(120, gt=0, le=86_400)
    logon_timeout_s: float = Field(10, gt=0, le=600)
    logout_timeout_s: float = Field(2, gt=0, le=60)
    closing_timeout_s: float = Field(2, gt=0, le=60)
    max_message_bytes: int = Field(65_536, ge=1_024, le=16 << 20)
    max_fields: int = Field(2_000, ge=100, le=100_000)
    max_garbled: int = Field(100, ge=1, le=1_000_000)
    max_logon_bytes: int = Field(4_096, ge=512, le=65_536)
    max_unread_bytes: int = Field(64 << 20, ge=1 << 20)
    max_sessions: int = Field(10_000, ge=1)
    max_connections: int = Field(10_000, ge=1)
    max_strangers: int = Field(1_000, ge=1)
    max_strangers_by_address: int = Field(100, ge=1)
    max_messages_per_s: int = Field(0, ge=0, le=1_000_000)
    max_messages_at_once: int = Field(100, ge=1, le=1_000_000)

    @model_validator(mode="after")
    def _heartbeats_fit(self) -> SessionLayer:
        if self.min_heartbeat_s > self.max_heartbeat_s:
            raise ValueError("min_heartbeat_s must not be above max_heartbeat_s")
        return self


class JournalSettings(Section):
    """Where the journal is kept, and how safely."""

    directory: Path = Path("data")
    durability: Literal["fsync", "os", "memory"] = "fsync"
    segment_bytes: int = Field(32 << 20, ge=64 << 10, le=4 << 30)
    snapshot_bytes: int = Field(128 << 20, ge=0)
    resend_days: int = Field(7, ge=1)
    keep_days: int = Field(0, ge=0)
    keep_bytes: int = Field(0, ge=0)

    @model_validator(mode="after")
    def _keeps_what_it_announces(self) -> JournalSettings:
        if 0 < self.keep_days < self.resend_days:
            raise ValueError(
                f"keep_days {self.keep_days} is below resend_days {self.resend_days}: what "
                f"sessions may ask for must be kept; 0 keeps everything"
            )
        return self


class Access(Section):
    """Who may log on. The open demo admits any CompID, so it listens on loopback only."""

    policy: Literal["open-demo", "accounts"] = "open-demo"
    addresses: tuple[Network, ...] = ()
    plain_secrets: bool = False
    proof_window_s: float = Field(5, gt=0, le=60)
    refusal_delay_s: float = Field(0.5, ge=0.05, le=10)
    free_failures: int = Field(3, ge=1, le=100)
    longest_wait_s: float = Field(60, ge=1, le=3_600)
    checks_at_once: int = Field(1, ge=1, le=64)


class Schedule(Section):
    """When sessions may be logged on."""

    opens: str = ""
    closes: str = ""
    timezone: str = "UTC"
    resets: bool = False
    announce_s: tuple[Annotated[int, Field(ge=1, le=86_400)], ...] = (600, 300, 60, 30, 10)

    @field_validator("opens", "closes")
    @classmethod
    def _is_moment(cls, text: str) -> str:
        if text and _MOMENT.fullmatch(text) is None:
            raise ValueError(f"{text!r} is no time such as 17:00, Sun 17:00 or Mon-Fri 09:00:30")
        return text

    @field_validator("timezone")
    @classmethod
    def _is_zone(cls, name: str) -> str:
        try:
            ZoneInfo(name)
        except (ZoneInfoNotFoundError, ValueError, OSError) as error:
            raise ValueError(f"{name!r} is no time zone such as UTC or Europe/Berlin") from error
        return name

    @model_validator(mode="after")
    def _moments_fit(self) -> Schedule:
        if (self.opens == "") != (self.closes == ""):
            raise ValueError("opens and closes are needed both, or neither")
        if self.opens and _times(self.opens) & _times(self.closes):
            raise ValueError(
                "opens and closes must leave a time to be closed in between; leave both empty to "
                "be open always"
            )
        if self.resets and not self.opens:
            raise ValueError("resets goes with opens and closes")
        return self


class VenueSettings(Section):
    """Rules of the venue."""

    cancel_on_disconnect: bool = False
    remembered_orders: int = Field(100_000, ge=1_000, le=10_000_000)
    maker_fee: Fee = Decimal(0)
    taker_fee: Fee = Decimal(0)
    day_ends: Annotated[str, Field(pattern=r"^([01]\d|2[0-3]):[0-5]\d$")] = "00:00"
    funds: bool = False


class Instrument(Section):
    """What is traded: prices are multiples of `tick`, quantities multiples of `lot`."""

    symbol: Annotated[str, Field(pattern=r"^[!-<>-~]{1,32}$")]
    currency: Annotated[str, Field(pattern=r"^[A-Z0-9]{2,12}$")]
    tick: Step
    lot: Step
    min_quantity: Step
    max_quantity: Annotated[Decimal, Field(gt=0, max_digits=24, decimal_places=12)]
    collar: Annotated[Decimal, Field(ge=0, le=1, decimal_places=4)] = Decimal(0)
    min_notional: Amount = Decimal(0)
    max_notional: Amount = Decimal(0)

    @model_validator(mode="after")
    def _quantities_fit(self) -> Instrument:
        if self.min_quantity % self.lot or self.max_quantity % self.lot:
            raise ValueError(f"min_quantity and max_quantity must be multiples of lot {self.lot}")
        if self.min_quantity > self.max_quantity:
            raise ValueError("min_quantity must not be above max_quantity")
        return self

    @model_validator(mode="after")
    def _notionals_fit(self) -> Instrument:
        step = Fraction(self.tick) * Fraction(self.lot)  # more digits than a Decimal carries
        if Fraction(self.min_notional) % step or Fraction(self.max_notional) % step:
            raise ValueError("min_notional and max_notional must be multiples of tick times lot")
        if 0 < self.max_notional < self.min_notional:
            raise ValueError("min_notional must not be above max_notional; 0 is no limit")
        return self


def _instrument(symbol: str, tick: str, minimum: str, maximum: str) -> Instrument:
    return Instrument(
        symbol=symbol,
        currency=symbol.partition("/")[2],
        tick=Decimal(tick),
        lot=Decimal("0.00000001"),
        min_quantity=Decimal(minimum),
        max_quantity=Decimal(maximum),
    )


DEFAULT_INSTRUMENTS = (
    _instrument("BTC/USD", "0.1", "0.0001", "10000"),
    _instrument("ETH/USD", "0.01", "0.001", "100000"),
    _instrument("SOL/USD", "0.01", "0.02", "1000000"),
    _instrument("ETH/BTC", "0.00001", "0.001", "100000"),
)


class Settings(BaseSettings):
    """Everything that `seamark serve` can be told; the defaults are a venue ready to trade on."""

    model_config = SettingsConfigDict(
        env_prefix=_ENV_PREFIX, env_nested_delimiter="__", extra="forbid", frozen=True
    )

    listen: Listen = Listen()
    session: SessionLayer = SessionLayer()
    journal: JournalSettings = JournalSettings()
    tls: Tls = Tls()
    access: Access = Access()
    schedule: Schedule = Schedule()
    venue: VenueSettings = VenueSettings()
    screens: Screens = Screens()
    accounts: tuple[Account, ...] = ()
    instruments: Annotated[tuple[Instrument, ...], Field(min_length=1)] = DEFAULT_INSTRUMENTS

    @model_validator(mode="after")
    def _symbols_differ(self) -> Settings:
        symbols = [instrument.symbol for instrument in self.instruments]
        twice = sorted({symbol for symbol in symbols if symbols.count(symbol) > 1})
        if twice:
            raise ValueError(f"instruments: {', '.join(twice)} is there more than once")
        return self

    @model_validator(mode="after")
    def _screens_show_what_there_is(self) -> Settings:
        known = {instrument.symbol for instrument in self.instruments}
        for symbol in self.screens.symbols:
            if symbol not in known:
                raise ValueError(f"screens.symbols: {symbol} is none of the instruments")
        return self

    @model_validator(mode="after")
    def _funds_fit(self) -> Settings:
        for one in self.instruments if self.venue.funds else ():
            base, slash, quote = one.symbol.partition("/")
            if not base or not slash or quote != one.currency:
                raise ValueError(
                    f"venue.funds needs symbols BASE/QUOTE, of which QUOTE is the currency; "
                    f"{one.symbol} has the currency {one.currency}"
                )
        return self

    @model_validator(mode="after")
    def _doors_fit(self) -> Settings:
        if not self.listen.plain and not self.tls.is_on:
            raise ValueError("listen.plain is false and there is no tls.certificate: no way in")
        if self.accounts and self.access.policy == "open-demo":
            raise ValueError('access.policy must be "accounts" when there are accounts')
        if not self.accounts and self.access.policy == "accounts":
            raise ValueError('access.policy "accounts" needs [[accounts]]; nobody could log on')
        names = [account.name for account in self.accounts]
        comp_ids = [one.comp_id for account in self.accounts for one in account.sessions]
        for what, values in (("account", names), ("session", comp_ids)):
            twice = sorted({value for value in values if values.count(value) > 1})
            if twice:
                raise ValueError(f"{what} {', '.join(twice)} is there more than once")
        by_certificate = [
            one.comp_id
            for account in self.accounts
            for one in account.sessions
            if one.client_certificate
        ]
        if by_certificate and self.tls.client_certificates == "none":
            raise ValueError(
                f"session {by_certificate[0]} has a client_certificate; tls.client_certificates "
                f'must be "optional" or "required", and tls.client_ca be set'
            )
        return self

    @model_validator(mode="after")
    def _copied_accounts_exist(self) -> Settings:
        known = {account.name for account in self.accounts} | {EVERY_ACCOUNT}
        for one in (one for account in self.accounts for one in account.sessions):
            unknown = [name for name in one.copies if name not in known]
            if unknown:
                raise ValueError(
                    f"session {one.comp_id}: copies names {', '.join(unknown)}, and there is no "
                    f'such account; name accounts of [[accounts]], or every one with ["*"]'
                )
        return self

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """The environment outranks the file, whose values come as constructor arguments."""
        return env_settings, init_settings


def load(path: Path | None, overrides: Mapping[str, Mapping[str, Any]] | None = None) -> Settings:
    """Settings from a TOML file (None: the defaults), the environment and command-line options.

    `overrides` is section -> name -> value; values of None are left out. Raises ConfigError.
    """
    values: dict[str, Any] = {}
    if path is not None:
        try:
            values = tomllib.loads(path.read_text(encoding="utf-8"))
        except OSError as error:
            raise ConfigError(f"{path}: {error.strerror}") from error
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            raise ConfigError(f"{path}: not valid TOML: {error}") from error
    source = str(path) if path is not None else "settings"
    # pydantic-settings takes such keys for options of its own, and passes over such variables.
    unknown = [f"{source}: {key}: {_NOT_A_SETTING}" for key in values if key.startswith("_")]
    unknown += [f"environment: {name}: {_NOT_A_SETTING}" for name in _unknown_variables()]
    known = {key: value for key, value in values.items() if not key.startswith("_")}
    try:
        settings = Settings(**known)
    except ValidationError as error:
        raise ConfigError("\n".join([*unknown, *_explain(error, source)])) from error
    except SettingsError as error:
        raise ConfigError("\n".join([*unknown, f"environment: {error}"])) from error
    if unknown:
        raise ConfigError("\n".join(unknown))
    for section, options in (overrides or {}).items():
        given = {name: value for name, value in options.items() if value is not None}
        part = getattr(settings, section)
        try:
            changed = type(part).model_validate(part.model_dump() | given)
        except ValidationError as error:
            raise ConfigError("\n".join(_explain(error, "options", (section,)))) from error
        settings = settings.model_copy(update={section: changed})
    return settings


def _times(moment: str) -> set[tuple[int, str]]:
    """Every day of the week and time of day that a moment of the schedule stands for."""
    days, _, clock = moment.rpartition(" ")
    first, _, last = (days or "Mon-Sun").partition("-")
    start, end = _DAYS.index(first), _DAYS.index(last or first)
    time = clock if clock.count(":") == 2 else f"{clock}:00"
    return {((start + step) % 7, time) for step in range((end - start) % 7 + 1)}


def _unknown_variables() -> list[str]:
    """Environment variables that look like settings of ours, and are none."""
    sections = {name.upper() for name in Settings.model_fields}
    return sorted(
        name
        for name in os.environ
        if name.upper().startswith(_ENV_PREFIX)
        and name not in _NO_SETTINGS
        and name.upper().removeprefix(_ENV_PREFIX).partition("__")[0] not in sections
    )


def _explain(error: ValidationError, source: str, section: tuple[int | str, ...] = ()) -> list[str]:
    problems = error.errors()
    places = [problem["loc"] for problem in problems]
    return [
        f"{source}: {_where(section + problem['loc'])}{_what(problem)}"
        for problem in problems
        # A list whose items are wrong is called too short besides.
        if not (
            problem["type"] == "too_short"
            and any(
                len(at) > len(problem["loc"]) and at[: len(problem["loc"])] == problem["loc"]
                for at in places
            )
        )
    ]


def _where(location: tuple[int | str, ...]) -> str:
    """A location as a person would write it: instruments[2].tick."""
    path = ""
    for part in location:
        path += f"[{part}]" if isinstance(part, int) else f".{part}" if path else part
    return f"{path}: " if path else ""


def _what(problem: Mapping[str, Any]) -> str:
    message = problem["msg"].removeprefix("Value error, ")
    kind = problem["type"]
    if kind == "extra_forbidden":
        return _NOT_A_SETTING
    if kind == "missing":
        return "is missing"
    shown = problem["input"]
    if not _SECRETS.isdisjoint(problem["loc"]):
        return str(message)
    if isinstance(shown, (dict, list)) or kind == "value_error":
        return str(message)
    return f"{shown!r} will not do: {message[:1].lower()}{message[1:]}"
