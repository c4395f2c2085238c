"""Every market of these tests is replayed and restored when its test is over."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from exchange.rules import Rules
from tests.exchange.orders.market import MakeWorld, prove
from tests.support.world import World


@pytest.fixture
def make() -> Iterator[MakeWorld]:
    """Makes a venue; `proves` False where a test has reached into the venue's state."""
    worlds: list[World] = []

    def made(
        rules: Rules | None = None,
        accounts: Mapping[str, str] | None = None,
        directory: Path | None = None,
        proves: bool = True,
    ) -> World:
        world = World(directory, rules=rules, accounts=accounts)
        if proves:
            worlds.append(world)
        return world

    yield made
    for world in worlds:
        prove(world)
