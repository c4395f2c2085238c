"""Commands that are imported when they are called for: the list of them says what they say."""

from __future__ import annotations

import inspect
import subprocess
import sys
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from exchange.__main__ import COMMANDS, app
from exchange.tools.__main__ import app as tools

HEAVY = (
    *("aiohttp", "argon2", "asyncio", "cryptography", "exchange.venue", "pydantic"),
    *("rich", "sessions", "simplefix", "structlog", "uvloop"),
)


@pytest.mark.parametrize("name", COMMANDS)
def test_the_list_says_what_the_command_says(name: str) -> None:
    late = COMMANDS[name]
    found = late.load()
    if isinstance(found, typer.Typer):
        says = found.info.help
    else:
        says = (inspect.getdoc(found) or "").partition("\n")[0]
    assert late.says == says


@pytest.mark.parametrize("name", COMMANDS)
def test_a_command_shows_its_own_help(name: str) -> None:
    done = CliRunner().invoke(app, [name, "--help"], env={"COLUMNS": "200"})
    assert done.exit_code == 0
    assert COMMANDS[name].says in done.stdout
    assert "completion" not in done.stdout


def test_what_is_no_command_is_told() -> None:
    done = CliRunner().invoke(app, ["srve"], env={"COLUMNS": "200", "TERM": "dumb"})
    assert done.exit_code == 2
    assert "No such command 'srve'" in done.stderr


def test_the_tools_alone_are_the_same_commands() -> None:
    done = CliRunner().invoke(tools, ["journal", "snapshot", "--help"])
    assert done.exit_code == 0
    assert "Usage: " in done.stdout
    assert CliRunner().invoke(tools, ["serve", "--help"]).exit_code == 2


def test_to_be_started_is_not_to_import_everything() -> None:
    program = f"import sys, exchange.__main__; print([n for n in {HEAVY} if n in sys.modules])"
    root = Path(__file__).parents[2]
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=root, capture_output=True, text=True, check=True
    )
    assert done.stdout == "[]\n"
