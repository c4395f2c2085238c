"""What the tools share on the command line: options, errors in one line, progress, output."""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from importlib.resources import files
from pathlib import Path
from types import TracebackType
from typing import Annotated, Any, Final, NoReturn

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

from config.settings import ConfigError, load
from exchange import command_line
from exchange.quickfix_log import QuickfixLogError
from exchange.rules import Rules
from exchange.service import make_rules
from exchange.tools.moments import MomentError, Window, parse_moment
from exchange.tools.reading import JournalReader
from fix_engine.dictionary import Dictionary, DictionaryError
from sessions.journal import Batch, JournalError

ConfigFile = Annotated[
    Path | None, typer.Option("--config", help="TOML settings, which say where the journal is.")
]
Data = Annotated[Path | None, typer.Option("--data", help="Directory of the journal.")]
Json = Annotated[bool, typer.Option("--json", help="For programs: JSON.")]
DictionaryFile = Annotated[
    Path | None,
    typer.Option("--dictionary", help="QuickFIX data dictionary; by default specs/FIX44.xml."),
]
From = Annotated[
    str | None,
    typer.Option("--from", help="Time (16:31:58.123, of the journal's last day; ISO) or position."),
]
To = Annotated[str | None, typer.Option("--to", help="Likewise; 16:31 includes that minute.")]

UNUSABLE: Final = 2  # exit code: the journal, or what was asked for, cannot be used
_PATIENCE_S: Final = 0.7  # what takes longer shows its progress
_EVERY: Final = 256
_PIPED_WIDTH: Final = 240  # of tables that nobody looks at through a window


class ToolError(Exception):
    """What was asked for cannot be done; says why in one line."""


@contextmanager
def one_line() -> Iterator[None]:
    """Errors become one line and exit code 2; a reader that has enough is no error."""
    try:
        yield
        sys.stdout.flush()
    except (BrokenPipeError, SystemExit):  # SystemExit is how rich takes it
        # What Python still wants to flush at its end goes nowhere.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise typer.Exit(0) from None
    except KeyboardInterrupt:
        raise typer.Exit(130) from None
    except (
        *(ToolError, JournalError, MomentError, ConfigError),
        *(DictionaryError, QuickfixLogError, OSError),
    ) as error:
        fail(str(error))
    except (typer.Exit, typer.Abort):
        raise
    except Exception as error:
        fail(f"a fault of this tool, {type(error).__name__}: {error}")


def fail(text: str) -> NoReturn:
    """End with one line on standard error."""
    command_line.fail(" ".join(text.split()), UNUSABLE)


def opened(config: Path | None, data: Path | None) -> JournalReader:
    """The journal that the options mean; raises JournalError and ConfigError."""
    return JournalReader(data or load(config).journal.directory)


def settings_rules(config: Path | None) -> Rules:
    """The rules of the settings, for journals that have none."""
    return make_rules(load(config))


def window(reader: JournalReader | None, begin: str | None, end: str | None) -> Window:
    """From and to; raises MomentError."""

    def last_day() -> int:
        return reader.last_stamp() if reader is not None else time.time_ns()

    return Window(
        parse_moment(begin, last_day) if begin is not None else None,
        parse_moment(end, last_day) if end is not None else None,
    )


def dictionary(path: Path | None) -> Dictionary:
    """The data dictionary; raises ToolError."""
    source = path or files("specs") / "FIX44.xml"
    try:
        return Dictionary(source.read_bytes())
    except (OSError, DictionaryError) as error:
        raise ToolError(f"{source}: {error}") from error


def console(stderr: bool = False) -> Console:
    """Styled on a terminal, plain elsewhere; never cuts a line."""
    out = Console(stderr=stderr, soft_wrap=True, highlight=False, markup=False, emoji=False)
    if not out.is_terminal:
        out.width = _PIPED_WIDTH
    return out


def json_line(value: Any) -> str:
    """JSON on one line."""
    return json.dumps(value, ensure_ascii=False, separators=(", ", ": "))


class Meter:
    """Shows, on a terminal, how far a reader has come and what is left, if it takes long."""

    def __init__(self, reader: JournalReader, label: str) -> None:
        self._reader = reader
        self._label = label
        self._began = time.monotonic()
        self._calls = 0
        self._task = TaskID(0)
        self._progress: Progress | None = None
        self._console = Console(stderr=True)

    def __enter__(self) -> Meter:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._progress is not None:
            self._progress.stop()

    def over(self, batches: Iterable[Batch]) -> Iterator[Batch]:
        """The same batches, counted."""
        for batch in batches:
            self._tick()
            yield batch

    def _tick(self) -> None:
        self._calls += 1
        if self._calls % _EVERY:
            return
        if self._progress is None:
            if not self._console.is_terminal or time.monotonic() - self._began < _PATIENCE_S:
                return
            self._progress = Progress(
                TextColumn("{task.description}"),
                BarColumn(),
                TextColumn("{task.percentage:>3.0f} %"),
                TimeRemainingColumn(),
                TextColumn("left"),
                console=self._console,
                transient=True,
            )
            self._task = self._progress.add_task(self._label, total=self._reader.total_bytes())
            self._progress.start()
        self._progress.update(self._task, completed=self._reader.read_bytes())
