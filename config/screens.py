"""The door for screens: where it is, which venue it shows, and how much of it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr, model_validator

from config.accounts import CompId, Section
from config.secret import resolve


def _differ(values: tuple[int, ...]) -> tuple[int, ...]:
    if len(set(values)) != len(values):
        raise ValueError("has a value twice")
    return values


def _origin(text: str) -> str:
    scheme, found, host = text.partition("://")
    if text != "*" and (not found or scheme not in ("http", "https") or not host or "/" in host):
        raise ValueError(f"{text!r} is no origin such as https://example.com, nor *")
    return text.lower()


def _secret(reference: object) -> SecretStr:
    return SecretStr("") if reference == "" else resolve(reference)


OptionalSecret = Annotated[SecretStr, BeforeValidator(_secret)]
_Choices = AfterValidator(_differ)
_Few = Field(min_length=1, max_length=20)
Intervals = Annotated[tuple[Annotated[int, Field(ge=50, le=60_000)], ...], _Few, _Choices]
Depths = Annotated[tuple[Annotated[int, Field(ge=1, le=1_000)], ...], _Few, _Choices]
Groups = Annotated[tuple[Annotated[int, Field(ge=1, le=10**9)], ...], _Few, _Choices]
Origin = Annotated[str, AfterValidator(_origin)]


class Screens(Section):
    """`seamark screens`; the first of the choices is what a client gets who does not choose."""

    host: str = "127.0.0.1"
    port: int = Field(9890, ge=0, le=65535)
    venue_host: str = ""
    venue_port: int = Field(0, ge=0, le=65535)
    venue_tls: bool = False
    venue_ca: Path | Literal[""] = ""
    comp_id: CompId = "SCREENS"
    username: str = ""
    password: OptionalSecret = SecretStr("")
    symbols: tuple[str, ...] = ()
    feed_interval_ms: int = Field(50, ge=0, le=60_000)
    heartbeat_s: int = Field(5, ge=1, le=60)
    longest_wait_s: float = Field(10, ge=0.1, le=600)
    intervals_ms: Intervals = (250, 100, 500, 1_000, 5_000)
    depths: Depths = (20, 1, 5, 10, 50, 100)
    groups: Groups = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000)
    origins: tuple[Origin, ...] = ()
    behind_proxy: bool = False
    max_clients: int = Field(1_000, ge=1, le=100_000)
    max_clients_by_address: int = Field(100, ge=1, le=100_000)
    max_subscriptions: int = Field(50, ge=1, le=10_000)
    max_messages_per_s: int = Field(5, ge=1, le=10_000)
    max_messages_at_once: int = Field(40, ge=1, le=10_000)
    max_message_bytes: int = Field(4_096, ge=256, le=65_536)
    slow_client_s: float = Field(20, ge=0.1, le=600)

    @model_validator(mode="after")
    def _fits(self) -> Screens:
        if self.feed_interval_ms and self.feed_interval_ms < 10:
            raise ValueError("feed_interval_ms is 0, every update, or 10 and more")
        if self.venue_ca != "" and not self.venue_tls:
            raise ValueError("venue_ca goes with venue_tls")
        return self
