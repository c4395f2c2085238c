"""`seamark journal snapshot` and `compact`: what keeps starts quick and journals short."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Annotated

import typer

from config.settings import JournalSettings, load
from exchange.tools.checkpoint import Checkpoint, make_checkpoint
from exchange.tools.reading import JournalReader
from exchange.tools.terminal import (
    ConfigFile,
    Data,
    Json,
    Meter,
    json_line,
    one_line,
    settings_rules,
)
from exchange.tools.text import shown_size
from sessions.journal import Batch, lock_directory, open_segments, remove_segments
from sessions.retention import Retention

ResendDays = Annotated[
    int | None, typer.Option(help="As long a session can have messages sent again.", min=1)
]
KeepDays = Annotated[
    int | None, typer.Option(help="Older segments are not needed; 0: they are.", min=0)
]
KeepBytes = Annotated[
    int | None, typer.Option(help="More than this is not needed; 0: it is.", min=0)
]


def register(app: typer.Typer) -> None:
    """Make them commands of `app`."""
    app.command("snapshot")(snapshot_command)
    app.command("compact")(compact_command)


def snapshot_command(
    data: Data = None,
    config: ConfigFile = None,
    resend_days: ResendDays = None,
    keep_days: KeepDays = None,
    keep_bytes: KeepBytes = None,
    as_json: Json = False,
    beside: Annotated[bool, typer.Option(hidden=True)] = False,
) -> None:
    """Write a snapshot, from which the next start goes on; a running venue is not disturbed.

    A venue makes one by itself after every snapshot_bytes of journal, and when it closes.
    """
    with one_line():
        if beside:
            _stay_in_the_background()
        settings = load(config).journal
        directory = data or settings.directory
        retention = _retention(settings, resend_days, keep_days, keep_bytes)
        made = make_checkpoint(directory, retention, settings_rules(config), _metered)
        if as_json:
            print(_json(made))
        else:
            print(f"Written    {made.path}, up to position {made.position:,}")


def compact_command(
    data: Data = None,
    config: ConfigFile = None,
    resend_days: ResendDays = None,
    keep_days: KeepDays = None,
    keep_bytes: KeepBytes = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would go.")] = False,
    as_json: Json = False,
) -> None:
    """Remove the segments of a closed venue that are not needed any more, behind a new snapshot.

    What is kept is in the settings, [journal] resend_days, keep_days and keep_bytes, or in the
    options. A running venue does this by itself.
    """
    with one_line():
        settings = load(config).journal
        directory = data or settings.directory
        retention = _retention(settings, resend_days, keep_days, keep_bytes)
        with nullcontext() if dry_run else _locked(directory):
            made = make_checkpoint(
                directory, retention, settings_rules(config), _metered, dry_run=dry_run
            )
            segments = open_segments(directory, is_writer=False)
            gone = [one for one in segments if one.number < made.first_segment]
            size = sum(one.size() - one.base for one in gone)
            if not dry_run:
                remove_segments(directory, gone)
        if as_json:
            print(_json(made, removed=0 if dry_run else len(gone), bytes=size))
            return
        verb = "Would go" if dry_run else "Removed"
        print(f"{verb:<10} {len(gone):,} of {len(segments):,} segments, {shown_size(size)}")
        print(f"{'Kept':<10} from segment {made.first_segment:,} on, up to {made.position:,}")


def _json(made: Checkpoint, **more: int) -> str:
    figures = {"position": made.position, "first_segment": made.first_segment, **more}
    return json_line({"file": str(made.path), **figures})


def _retention(
    settings: JournalSettings,
    resend_days: int | None,
    keep_days: int | None,
    keep_bytes: int | None,
) -> Retention:
    return Retention(
        settings.resend_days if resend_days is None else resend_days,
        settings.keep_days if keep_days is None else keep_days,
        settings.keep_bytes if keep_bytes is None else keep_bytes,
    )


def _metered(reader: JournalReader, batches: Iterable[Batch]) -> Iterator[Batch]:
    with Meter(reader, "Executing") as meter:
        yield from meter.over(batches)


@contextmanager
def _locked(directory: Path) -> Iterator[None]:
    lock = lock_directory(directory)
    try:
        yield
    finally:
        os.close(lock)


def _stay_in_the_background() -> None:
    """Take what is left of the processor, and end with the venue that has started this."""
    os.nice(19)

    def watch() -> None:
        while os.read(0, 1):
            pass
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()
